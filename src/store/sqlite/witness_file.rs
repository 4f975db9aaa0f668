//! The file in which the witness of one token is kept, so that whatever is killed, or cut off with the power, one of its pages knows
//! the state that the store is in. `docs/formats.md` specifies it.
//!
//! All that is written is written under SQLite's lock for writing, except by [`Witness::settle`], which claims nothing that could get old.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::failure;
use super::folder::sync;
use super::new_file::{self, Rights};
use crate::crypto::hash::sha256;
use crate::error::{Error, Result};
use crate::system::{FileAccess, open_file};

/// The file of one token.
pub(super) struct Witness {
    path: PathBuf,
}

impl Witness {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Writes the witness anew, for a token in this state. It is durable and whole, or as it was.
    pub(super) fn begin(&self, state: State, rights: Rights) -> Result<()> {
        let made = self.path.with_extension("tmp");
        let first = Entry { number: 1, before: state, after: state };
        let written = || {
            self.remove_file(&made)?;
            new_file::create(&made, rights)?;
            let file = open_file(&made, FileAccess::Write)?;
            // All of it, so that nothing but contents is written later.
            file.write_all_at(&[0; FILE], 0)?;
            file.write_all_at(&first.encode(), Place::First.offset())?;
            file.sync_all()?;
            fs::rename(&made, &self.path)
        };
        written().map_err(|error| self.failed(&error, "write"))?;
        self.path.parent().map_or(Ok(()), sync)
    }

    /// Removes it with its token. One that stays is the witness of nothing.
    pub(super) fn remove(&self) {
        let _ = self.remove_file(&self.path);
    }

    /// Takes down that the token is about to go from one state to the other.
    pub(super) fn advance(&self, before: State, after: State, log: &Path) -> Result<Entry> {
        let content = self.read()?;
        let Some((place, newest)) = content.newest().filter(|_| content.knows(&before)) else {
            return Err(self.refusal());
        };
        // The page that stays is durable and knows the state that the store is in now.
        let place = match before == newest.after {
            true => place.other(),
            false => place,
        };
        if before == newest.after && !content.is_settled() {
            // Somebody was killed about when he committed: his commit is not to be lost after the witness has gone on.
            self.sync_log(log)?;
        }
        let number = newest.number.checked_add(1);
        let number = number.ok_or_else(|| Error::DeviceError("the numbers of a witness have run out".into()))?;
        let entry = Entry { number, before, after };
        self.write(&entry, place).and_then(|file| file.sync_data()).map_err(|error| self.failed(&error, "write"))?;
        Ok(entry)
    }

    /// Takes down that what `told` was about has happened. Not synced: without it the witness knows one state more.
    pub(super) fn settle(&self, told: Entry) -> Result<()> {
        // Others may have gone on since.
        if self.read()?.newest().is_some_and(|(_, newest)| newest == told) {
            let written = self.write(&told.settled(), Place::Settled);
            written.map_err(|error| self.failed(&error, "write"))?;
        }
        Ok(())
    }

    pub(super) fn read(&self) -> Result<Content> {
        let read = || {
            let file = open_file(&self.path, FileAccess::Read)?;
            let entry = |place: Place| {
                let mut page = [0; ENTRY];
                match file.read_exact_at(&mut page, place.offset()) {
                    Ok(()) => Ok(Entry::decode(&page)),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                    Err(error) => Err(error),
                }
            };
            let [first, second, settled] = [Place::First, Place::Second, Place::Settled].map(entry);
            Ok(Content { first: first?, second: second?, settled: settled? })
        };
        read().map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => {
                let path = self.path.display();
                let why = "the token's file is a restored one, or was made without a witness, or the witness is lost";
                Error::DeviceError(format!("there is no witness {path}: {why}; {NEXT}").into())
            }
            _ => self.failed(&error, "read"),
        })
    }

    fn write(&self, entry: &Entry, place: Place) -> io::Result<File> {
        let file = open_file(&self.path, FileAccess::Write)?;
        file.write_all_at(&entry.encode(), place.offset())?;
        Ok(file)
    }

    fn sync_log(&self, log: &Path) -> Result<()> {
        match open_file(log, FileAccess::Read).and_then(|file| file.sync_data()) {
            // Somebody has moved all of it into the file, and synced that.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            synced => synced.map_err(|error| failure::of_system(&error, "sync", log)),
        }
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The token is in no state that the witness knows.
    pub(super) fn refusal(&self) -> Error {
        let path = self.path.display();
        let why = "it was put back to an older state, or edited, or a program wrote to it that knew of no witness";
        Error::DeviceError(format!("the token is not in the state that its witness {path} knows: {why}; {NEXT}").into())
    }

    /// A witness on read-only media makes no token read-only.
    fn failed(&self, error: &io::Error, doing: &str) -> Error {
        match failure::of_system(error, doing, &self.path) {
            Error::TokenWriteProtected => {
                Error::DeviceError(format!("the witness {} cannot be written: {error}", self.path.display()).into())
            }
            other => other,
        }
    }
}

/// What tells one state of the token from every other.
pub(super) type State = [u8; 32];

const NEXT: &str = "if that was meant, `keystead token accept` takes the token as it is";

/// What a witness says.
#[derive(PartialEq, Eq)]
pub(super) struct Content {
    first: Option<Entry>,
    second: Option<Entry>,
    settled: Option<Entry>,
}

impl Content {
    fn newest(&self) -> Option<(Place, Entry)> {
        let [first, second] =
            [(Place::First, self.first), (Place::Second, self.second)].map(|(place, entry)| Some((place, entry?)));
        [first, second].into_iter().flatten().max_by_key(|(_, entry)| entry.number)
    }

    /// Whether the last commit that was begun is known to have come about.
    fn is_settled(&self) -> bool {
        self.newest().is_some_and(|(_, newest)| newest == newest.settled() || self.settled == Some(newest.settled()))
    }

    /// Whether a token may be in this state.
    pub(super) fn knows(&self, state: &State) -> bool {
        let newest = self.newest();
        newest.is_some_and(|(_, newest)| newest.after == *state || newest.before == *state && !self.is_settled())
    }
}

/// Where in the file an entry is. Each has a page of its own, so that one that is cut off spoils no other.
#[derive(Clone, Copy)]
enum Place {
    First,
    Second,
    Settled,
}

impl Place {
    fn offset(self) -> u64 {
        match self {
            Self::First => 0,
            Self::Second => 4096,
            Self::Settled => 8192,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            _ => Self::First,
        }
    }
}

/// The length of the file.
const FILE: usize = 3 * 4096;

/// A commit: the token is before it or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) before: State,
    pub(super) after: State,
}

/// The length of an entry.
const ENTRY: usize = 120;

impl Entry {
    const MAGIC: &[u8; 8] = b"kswitnes";
    const FORMAT: u64 = 1;

    /// What is written once the commit has come about.
    fn settled(self) -> Self {
        Self { before: self.after, ..self }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let (format, number) = (Self::FORMAT.to_le_bytes(), self.number.to_le_bytes());
        let mut bytes = [&Self::MAGIC[..], &format, &number, &self.before, &self.after].concat();
        bytes.extend_from_slice(&sha256(&[&bytes]));
        bytes
    }

    /// Nothing where none was written whole.
    fn decode(page: &[u8; ENTRY]) -> Option<Self> {
        let (_, rest) = page.split_first_chunk::<16>()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (before, rest) = rest.split_first_chunk()?;
        let (after, _) = rest.split_first_chunk()?;
        let entry = Self { number: u64::from_le_bytes(*number), before: *before, after: *after };
        (entry.encode() == page).then_some(entry)
    }
}
