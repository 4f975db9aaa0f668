//! The connections to one token's file: one that commits and a few that read, so that no reader waits for a writer's
//! fsync. All of it is touched inside the gate only, except the waiting for a turn to commit.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};

use rusqlite::Connection;

use super::super::hold;
use super::commits::Commits;
use super::connection::{self, MediaState, OpenConnection, Purpose, beside};
use super::failure::{self, Attempt, Failure};
use super::gate::Visit;
use super::notice::Notice;
use super::queue::Queue;
use super::schema;
use super::system::{self, FileSizeSignal};
use crate::error::Error;

/// How many threads read one token at the same moment; each costs two descriptors once it has been needed.
const READERS: usize = 4;

/// One store's connections, opened when needed.
pub(super) struct Pool {
    /// The store's number in this process.
    number: u64,
    /// What the threads of this process want to commit.
    pub(super) commits: Commits,
    /// Where this process waits for its turn among others.
    pub(super) queue: Queue,
    writer: Mutex<Option<OpenConnection>>,
    readers: [Mutex<Option<Reader>>; READERS],
    /// Device and inode of the file that the connections belong to.
    identity: Mutex<Option<(u64, u64)>>,
    /// The number of the file that was opened first. Another token's file in the same place is not this store, even where
    /// device and inode are used again.
    file_number: OnceLock<[u8; 16]>,
    /// Holds as long as connections are open.
    notice: Arc<Notice>,
}

/// A reading connection and what it remembers.
pub(super) struct Reader {
    open: OpenConnection,
    /// SQLite's `data_version` and the store's revision that was read after it.
    pub(super) seen: Option<(i64, u64)>,
    /// Somebody has upgraded the file: who opens it anew sees to what.
    pub(super) outdated: bool,
}

impl Reader {
    pub(super) fn connection(&self) -> &Connection {
        &self.open.connection
    }
}

impl Pool {
    /// No connections. The notice is the one of the store that these belong to.
    pub(super) fn new(number: u64, notice: Arc<Notice>) -> Self {
        let (commits, queue, writer, readers, identity, file_number) = Default::default();
        Self { number, commits, queue, writer, readers, identity, file_number, notice }
    }

    /// Runs a query on a free reading connection.
    pub(super) fn read<T>(
        &self,
        visit: &Visit,
        path: &Path,
        purpose: Purpose,
        query: impl FnOnce(&mut Reader) -> rusqlite::Result<T>,
    ) -> Attempt<T> {
        self.follow(visit, path, false)?;
        let mut place = self.reader();
        if place.is_none() {
            *place = Some(Reader { open: self.connect(visit, path, purpose)?, seen: None, outdated: false });
        }
        let Some(reader) = place.as_mut() else { return Err(Failure::Again) };
        if reader.open.media.is_none() {
            self.notice.map(&beside(path, "-shm"));
        }
        let outcome = query(reader).map_err(|error| failure::of_sqlite(&error, reader.connection(), path));
        // Media taken to be immutable, and somebody wrote: what was read may be old or torn.
        let moved = match &reader.open.media {
            Some(media) => *media != MediaState::look(path)?,
            None => false,
        };
        let again = moved || reader.outdated;
        if again || matches!(outcome, Err(Failure::Final(_))) {
            self.notice.lapse();
            *place = None;
        }
        if again { Err(Failure::Again) } else { outcome }
    }

    /// Runs a transaction on the committing connection. One that comes to nothing, since the file is of another format by now, is tried
    /// again on a new connection, which says so.
    pub(super) fn write<T>(
        &self,
        visit: &Visit,
        path: &Path,
        transaction: impl FnOnce(&mut Connection) -> rusqlite::Result<Option<T>>,
    ) -> Attempt<T> {
        self.follow(visit, path, true)?;
        let mut place = hold(&self.writer);
        let _signal = FileSizeSignal::block();
        if place.is_none() {
            *place = Some(self.connect(visit, path, Purpose::Write)?);
        }
        let Some(open) = place.as_mut() else { return Err(Failure::Again) };
        let outcome = transaction(&mut open.connection);
        let outcome = outcome.map_err(|error| failure::of_sqlite(&error, &open.connection, path));
        if matches!(outcome, Ok(None) | Err(Failure::Final(_))) {
            self.notice.lapse();
            *place = None;
        }
        outcome?.ok_or(Failure::Again)
    }

    /// Closes every connection.
    pub(super) fn close(&self) {
        self.notice.lapse();
        *hold(&self.writer) = None;
        self.readers.iter().for_each(|reader| *hold(reader) = None);
        *hold(&self.identity) = None;
    }

    /// Closes every connection, if there are any and nobody is using one. Waits for nobody.
    pub(super) fn close_idle(&self) -> bool {
        let (Ok(mut writer), [Ok(a), Ok(b), Ok(c), Ok(d)]) =
            (self.writer.try_lock(), self.readers.each_ref().map(Mutex::try_lock))
        else {
            return false;
        };
        let mut readers = [a, b, c, d];
        let any = writer.is_some() || readers.iter().any(|reader| reader.is_some());
        self.notice.lapse();
        *writer = None;
        readers.iter_mut().for_each(|reader| **reader = None);
        *hold(&self.identity) = None;
        any
    }

    /// Closes the connections when the path leads to another file by now: the folder was restored or made anew, and a
    /// commit to the old file would be lost. Readers look ten times a second, writers always.
    ///
    /// Before that, looks whether the connections are still connected to anything.
    fn follow(&self, visit: &Visit, path: &Path, always: bool) -> Attempt<()> {
        let look = always || self.notice.is_due();
        if !visit.descriptors().are_ours(self.number, look) {
            return Err(Failure::Lost);
        }
        if !look {
            return Ok(());
        }
        let known = *hold(&self.identity);
        // Out of reach after `chroot`, say: an error each time, not only every tenth of a second.
        if let Some(known) = known
            && known != identify(path)?
        {
            self.close();
        }
        self.notice.look();
        Ok(())
    }

    fn connect(&self, visit: &Visit, path: &Path, purpose: Purpose) -> Attempt<OpenConnection> {
        let identity = identify(path)?;
        if !visit.descriptors().are_all_ours() {
            return Err(Failure::Lost);
        }
        let _signal = FileSizeSignal::block();
        let open = || visit.descriptors().opening(self.number, || connection::open(visit, path, purpose));
        let open = match open() {
            // Who works with thousands of tokens does not do so with all of them at once.
            Err(Failure::Final(Error::HostMemory(_))) if visit.close_idle() => open()?,
            opened => opened?,
        };
        // Replaced while we opened it: which of the two files it is cannot be told.
        if identity != identify(path)? || hold(&self.identity).is_some_and(|known| known != identity) {
            return Err(Failure::Again);
        }
        let number = schema::file_number(&open.connection);
        let number = number.map_err(|error| failure::of_sqlite(&error, &open.connection, path))?;
        if *self.file_number.get_or_init(|| number) != number {
            return Err(Error::TokenReplaced.into());
        }
        *hold(&self.identity) = Some(identity);
        Ok(open)
    }

    fn reader(&self) -> MutexGuard<'_, Option<Reader>> {
        for reader in &self.readers {
            match reader.try_lock() {
                Ok(reader) => return reader,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        // All are reading: wait for one of them, which one is as good as random.
        let [first, second, third, fourth] = &self.readers;
        match system::coarse_clock() % 4 {
            0 => hold(first),
            1 => hold(second),
            2 => hold(third),
            _ => hold(fourth),
        }
    }
}

fn identify(path: &Path) -> Attempt<(u64, u64)> {
    let file = fs::symlink_metadata(path).map_err(|error| match path.parent() {
        // The folder is there and the token is not. Where neither is, nobody knows what has become of the token.
        Some(folder) if error.kind() == io::ErrorKind::NotFound && folder.is_dir() => Error::TokenRemoved,
        _ => failure::of_system(&error, "look at", path),
    })?;
    // SQLite would follow a link.
    if !file.is_file() {
        return Err(Error::DeviceError(format!("{} is not a file", path.display()).into()).into());
    }
    Ok((file.dev(), file.ino()))
}
