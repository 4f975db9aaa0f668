//! The queue in which the processes that want to commit wait for their turn, first come, first served.
//!
//! SQLite lets whoever asks at the right moment have its lock, and in a crowd some ask at the wrong one for seconds. So
//! each draws a number from the token's lock file, locks the byte of that number, and waits until no lower one is
//! locked. The locks are OFD locks: the kernel drops those of a process that dies, wherever it stood.
//!
//! The queue orders; SQLite's own lock decides. So whatever is wrong with the file (it cannot be opened or written, it
//! was cut off, somebody in the queue was stopped) costs the order and never a commit.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::gate::Visit;
use super::new_file::{self, Rights};
use super::patience::Patience;
use super::system::{self, FileSizeSignal};
use crate::error::Result;
use crate::fork;
use crate::system::{FileAccess, open_file};

/// The queue for one token, as one process knows it.
#[derive(Default)]
pub(super) struct Queue {
    /// Whoever has this number or a lower one has not moved for so long that nobody waits for him any more.
    passed: AtomicU64,
}

/// Whether a process has the turn to commit, or waits for it, and which as far as the file tells.
pub(super) fn whose_turn(path: &Path) -> Option<Option<u32>> {
    let file = open_file(path, FileAccess::Read).ok()?;
    let number = system::first_lock(&file, NUMBERS, MOST)?.saturating_sub(NUMBERS);
    let member = Member::read(&file, number).filter(|member| member.number == number);
    Some(member.map(|member| member.process))
}

impl Queue {
    /// Waits for the turn and has it until the answer is dropped. Neither may happen inside the gate.
    ///
    /// # Errors
    /// As [`Patience::rest`]; the error names the process whose turn it is.
    pub(super) fn wait(&self, path: &Path, patience: &mut Patience<'_>) -> Result<Place> {
        loop {
            let Some(mut place) = Place::open(path)? else { return Ok(Place::nowhere()) };
            if !place.lock_header(patience)? {
                return Ok(Place::nowhere());
            }
            // Somebody cleaned the folder between our opening and our locking: this is a queue that nobody else stands in.
            if !place.is_at(path) {
                patience.rest(STEP)?;
                continue;
            }
            let drawn = place.draw();
            place.unlock_header();
            if !drawn {
                return Ok(Place::nowhere());
            }
            self.stand(&place, patience)?;
            return Ok(place);
        }
    }

    fn stand(&self, place: &Place, patience: &mut Patience<'_>) -> Result<()> {
        let (mut first, mut since) = (None, Instant::now());
        loop {
            // Numbers begin anew where the file was lost.
            let passed = Some(self.passed.load(Ordering::Relaxed)).filter(|passed| *passed < place.number);
            let Some(ahead) = place.first_from(passed.map_or(0, |passed| passed.saturating_add(1))) else {
                // Who was passed may be the one whom SQLite makes us wait for.
                let stopped = passed.and_then(|_| place.first_from(0));
                patience.held_by(stopped.and_then(|number| place.process_of(number)));
                return Ok(());
            };
            if first != Some(ahead) {
                (first, since) = (Some(ahead), Instant::now());
                patience.held_by(place.process_of(ahead));
            } else if since.elapsed() > STOPPED {
                self.passed.store(ahead, Ordering::Relaxed);
                return Ok(());
            }
            let before = u32::try_from(place.number.saturating_sub(ahead)).unwrap_or(u32::MAX);
            patience.rest(STEP.saturating_mul(before).min(LONGEST_STEP))?;
        }
    }
}

/// Who is the first of the queue sleeps so long before he looks again; each behind him so much longer.
const STEP: Duration = Duration::from_micros(50);
const LONGEST_STEP: Duration = Duration::from_millis(10);

/// Who does not move for so long is passed: he was stopped, or his commit is a large one, and then SQLite makes us wait.
const STOPPED: Duration = Duration::from_secs(1);

/// A place in the queue, given up when dropped. One that is nowhere is before nobody and behind nobody.
pub(super) struct Place {
    file: Option<File>,
    /// Device and inode.
    identity: (u64, u64),
    number: u64,
    /// A child that was forked out of the wait has no place.
    process: u64,
}

impl Place {
    fn nowhere() -> Self {
        Self { file: None, identity: (0, 0), number: 0, process: fork::process() }
    }

    /// Opens the lock file, making it if it is missing. Nothing where that cannot be.
    fn open(path: &Path) -> Result<Option<Self>> {
        // Inside the gate, so that no child is forked between our opening the file and our saying so.
        let visit = Visit::enter()?;
        let file = match open_file(path, FileAccess::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Not for a token that is gone: that would leave a file that nobody ever removes.
                let rights = Rights::like(&path.with_extension("db"));
                let made = rights.and_then(|rights| new_file::create(path, rights));
                made.and_then(|()| open_file(path, FileAccess::Write))
            }
            opened => opened,
        };
        let Ok(file) = file else { return Ok(None) };
        let Ok(identity) = crate::system::identity(&file) else { return Ok(None) };
        visit.close_in_children(file.as_raw_fd());
        Ok(Some(Self { file: Some(file), identity, number: 0, process: fork::process() }))
    }

    /// The header's lock is held for a few system calls. False: by somebody who was stopped in the middle of them.
    fn lock_header(&self, patience: &mut Patience<'_>) -> Result<bool> {
        let begun = Instant::now();
        while !self.try_lock(HEADER) {
            if begun.elapsed() > STOPPED {
                return Ok(false);
            }
            patience.rest(STEP)?;
        }
        Ok(true)
    }

    fn unlock_header(&self) {
        if let Some(file) = &self.file {
            system::unlock_at(file, HEADER);
        }
    }

    fn try_lock(&self, at: u64) -> bool {
        self.file.as_ref().is_some_and(|file| system::try_lock_at(file, at).unwrap_or(false))
    }

    fn is_at(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|named| (named.dev(), named.ino()) == self.identity)
    }

    /// Draws a number and locks its byte; to be called with the header locked. False: the file cannot be written.
    fn draw(&mut self) -> bool {
        let Some(file) = &self.file else { return false };
        let _signal = FileSizeSignal::block();
        let mut number = Header::read(file).map_or_else(|| self.after_the_last(), |header| header.0);
        // A file that was put back from a copy may say a number that somebody stands at.
        let most = number.saturating_add(MEMBERS);
        while !self.try_lock(NUMBERS.saturating_add(number)) {
            number = number.saturating_add(1);
            if number > most {
                return false;
            }
        }
        let written = Member { number, process: std::process::id() }.write(file);
        let written = written.and_then(|()| Header(number.saturating_add(1)).write(file));
        self.number = number;
        written.is_ok()
    }

    /// The number after those that are locked, where the file has forgotten it.
    fn after_the_last(&self) -> u64 {
        let mut next = 0;
        let locked = |from| self.file.as_ref().and_then(|file| system::first_lock(file, from, MOST));
        while let Some(at) = locked(NUMBERS.saturating_add(next)) {
            next = at.saturating_sub(NUMBERS).saturating_add(1);
        }
        next
    }

    /// The number of somebody who stands before us and not before `from`: as a rule the one who came first.
    fn first_from(&self, from: u64) -> Option<u64> {
        let (from, to) = (NUMBERS.saturating_add(from), NUMBERS.saturating_add(self.number));
        let at = self.file.as_ref().and_then(|file| system::first_lock(file, from, to))?;
        Some(at.saturating_sub(NUMBERS))
    }

    /// The id of the process that drew the number, as it knew itself.
    fn process_of(&self, number: u64) -> Option<u32> {
        let member = Member::read(self.file.as_ref()?, number)?;
        (member.number == number).then_some(member.process)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(file) = self.file.take() else { return };
        let here = self.process == fork::process();
        let visit = if here { Visit::enter().ok() } else { None };
        visit.iter().for_each(|visit| visit.closes(file.as_raw_fd()));
        // The child of a fork has closed its copy already, and a host may have closed ours: the number is somebody else's then.
        if here && crate::system::identity(&file).is_ok_and(|identity| identity == self.identity) {
            // For every copy of the descriptor, also one that a child of raw `clone` has.
            system::unlock_all(&file);
        } else {
            let _ = file.into_raw_fd();
        }
    }
}

/// The next number, in the first 24 bytes of the file: a magic, the number and its complement, both little-endian.
struct Header(u64);

impl Header {
    const MAGIC: &[u8; 8] = b"kstqueue";

    /// Nothing where the file says nothing valid.
    fn read(file: &File) -> Option<Self> {
        let mut bytes = [0; 24];
        file.read_exact_at(&mut bytes, 0).ok()?;
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let number = u64::from_le_bytes(*number);
        (magic == Self::MAGIC && rest == (!number).to_le_bytes() && number < LARGEST).then_some(Self(number))
    }

    fn write(&self, file: &File) -> io::Result<()> {
        let parts = Self::MAGIC.iter().copied().chain(self.0.to_le_bytes()).chain((!self.0).to_le_bytes());
        let mut bytes = [0; 24];
        bytes.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
        file.write_all_at(&bytes, 0)
    }
}

/// Who drew a number: 12 bytes at a place that the number gives, the number and the process, both little-endian. For the log.
struct Member {
    number: u64,
    process: u32,
}

impl Member {
    fn read(file: &File, number: u64) -> Option<Self> {
        let mut bytes = [0; 12];
        file.read_exact_at(&mut bytes, Self::place(number)).ok()?;
        let (number, process) = bytes.split_first_chunk::<8>()?;
        let process = u32::from_le_bytes(process.try_into().ok()?);
        Some(Self { number: u64::from_le_bytes(*number), process })
    }

    fn write(&self, file: &File) -> io::Result<()> {
        let parts = self.number.to_le_bytes().into_iter().chain(self.process.to_le_bytes());
        let mut bytes = [0; 12];
        bytes.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
        file.write_all_at(&bytes, Self::place(self.number))
    }

    fn place(number: u64) -> u64 {
        32 + 16 * (number % MEMBERS)
    }
}

/// How many members are known by their process.
const MEMBERS: u64 = 254;

/// The byte whose lock guards the next number.
const HEADER: u64 = 0;

/// Where the bytes of the numbers begin: far behind what is ever written.
const NUMBERS: u64 = 1 << 32;

/// No number is as large: a file that says so was not written by us.
const LARGEST: u64 = 1 << 61;

/// Behind the bytes of all numbers.
const MOST: u64 = NUMBERS + 2 * LARGEST;
