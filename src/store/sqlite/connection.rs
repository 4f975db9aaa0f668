//! How a connection to a token's file is opened.

use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::failure::{self, Attempt, Failure};
use super::gate::{Counted, Visit};
use super::whole::{self, Items};
use super::witness::Present;
use super::{schema, system};
use crate::error::Error;

/// A connection that is checked, set up and counted.
pub(super) struct OpenConnection {
    // The order of the fields: closed first, counted as closed second.
    pub(super) connection: Connection,
    _counted: Counted,
    /// On media taken to be immutable: what must not have changed.
    pub(super) media: Option<MediaState>,
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Commits.
    Write,
    /// Queries only, on a file that others may write.
    Read,
    /// Queries only, and nothing on the disk may be touched: no new file, no lock file, no index of the WAL.
    ReadOnlyMedia,
}

/// Opens the token's file for the purpose and refuses what is not a token of this format.
pub(super) fn open(visit: &Visit, path: &Path, purpose: Purpose) -> Attempt<OpenConnection> {
    open_checked(visit, path, purpose, schema::check)
}

/// Opens a token's file of whatever format, to upgrade it.
pub(super) fn open_older(visit: &Visit, path: &Path) -> Attempt<OpenConnection> {
    open_checked(visit, path, Purpose::Write, schema::check_ours)
}

fn open_checked(
    visit: &Visit,
    path: &Path,
    purpose: Purpose,
    check: fn(&Connection, &Path, bool) -> Attempt<()>,
) -> Attempt<OpenConnection> {
    let counted = visit.count_connection();
    install_system_calls()?;
    let media = match purpose {
        Purpose::ReadOnlyMedia => Some(MediaState::look(path)?).filter(|media| media.wal_is_empty()),
        Purpose::Write | Purpose::Read => None,
    };
    let connection = match purpose {
        Purpose::Write | Purpose::Read => Connection::open_with_flags(path, FLAGS | OpenFlags::SQLITE_OPEN_READ_WRITE),
        Purpose::ReadOnlyMedia => {
            // Without `readonly_shm` SQLite would make an index of the WAL wherever it may.
            let how = if media.is_some() { "immutable=1" } else { "mode=ro&readonly_shm=1" };
            let flags = FLAGS | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(uri(path, how), flags)
        }
    };
    let connection = connection.map_err(|error| failure::of_opening(&error, path))?;
    let checked = set_up(&connection, purpose)
        .map_err(|error| failure::of_sqlite(&error, &connection, path))
        .and_then(|()| check(&connection, path, media.is_some()));
    match checked {
        // What SQLite says when there is a WAL to read but no index of it, and none may be made.
        Err(Failure::Final(Error::DeviceError(_) | Error::TokenWriteProtected))
            if purpose == Purpose::ReadOnlyMedia && media.is_none() =>
        {
            let (path, wal) = (path.display(), beside(path, "-wal"));
            let remedy = "open the token once where it can be written";
            let reason =
                format!("{path} cannot be read on read-only media, as {} holds changes; {remedy}", wal.display());
            Err(Error::DeviceError(reason.into()).into())
        }
        checked => checked.map(|()| OpenConnection { connection, _counted: counted, media }),
    }
}

/// Does `work` with the token row's bytes while nobody can commit.
pub(super) fn unchanging(visit: &Visit, path: &Path, work: impl FnOnce(&[u8]) -> Result<(), Error>) -> Attempt<()> {
    let open = open(visit, path, Purpose::Write)?;
    let failed = |error| failure::of_sqlite(&error, &open.connection, path);
    let transaction = Transaction::new_unchecked(&open.connection, TransactionBehavior::Immediate).map_err(failed)?;
    let row: Vec<u8> = transaction.query_row("SELECT bytes FROM token", [], |row| row.get(0)).map_err(failed)?;
    Ok(work(&row)?)
}

/// Makes a token of `items` in the file at `path`, which is empty and known to nobody else. What has become of it.
pub(super) fn create(visit: &Visit, path: &Path, items: &mut Items<'_>) -> Result<Present, Error> {
    let _counted = visit.count_connection();
    let mut attempt = || {
        install_system_calls()?;
        let connection = Connection::open_with_flags(path, FLAGS | OpenFlags::SQLITE_OPEN_READ_WRITE);
        let mut connection = connection.map_err(|error| failure::of_opening(&error, path))?;
        let outcome = set_up(&connection, Purpose::Write).and_then(|()| {
            // The last close moves the WAL into the file and removes it, this once.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map(drop)
        });
        let sqlite = |error, connection: &Connection| failure::of_sqlite(&error, connection, path);
        outcome.map_err(|error| sqlite(error, &connection))?;
        whole::fill(&mut connection, path, items)?;
        let present = Present::read(&connection).map_err(|error| sqlite(error, &connection))?;
        connection.close().map_err(|(connection, error)| sqlite(error, &connection))?;
        Ok(present)
    };
    attempt().map_err(|failure| match failure {
        Failure::Again | Failure::Lost => {
            Error::DeviceError(format!("somebody else has opened {}", path.display()).into())
        }
        Failure::Final(error) => error,
    })
}

/// Makes a WAL file of a file that nobody else has open, with nothing beside it.
pub(super) fn make_wal(visit: &Visit, path: &Path) -> Attempt<()> {
    let _counted = visit.count_connection();
    let connection = Connection::open_with_flags(path, FLAGS | OpenFlags::SQLITE_OPEN_READ_WRITE);
    let connection = connection.map_err(|error| failure::of_opening(&error, path))?;
    let set = connection.pragma_update(None, "journal_mode", "wal");
    set.map_err(|error| failure::of_sqlite(&error, &connection, path))?;
    connection.close().map_err(|(connection, error)| failure::of_sqlite(&error, &connection, path))
}

/// A file's neighbour: `slot-00000000.db` and `-wal` make `slot-00000000.db-wal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// What is looked at to see whether a file taken to be immutable has changed after all.
#[derive(PartialEq, Eq)]
pub(super) struct MediaState {
    file: Stamp,
    wal: Option<Stamp>,
}

#[derive(PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl MediaState {
    pub(super) fn look(path: &Path) -> Result<Self, Error> {
        let file = fs::metadata(path).map_err(|error| failure::of_system(&error, "look at", path))?;
        let wal = fs::metadata(beside(path, "-wal")).ok();
        Ok(Self { file: Stamp::of(&file), wal: wal.as_ref().map(Stamp::of) })
    }

    fn wal_is_empty(&self) -> bool {
        self.wal.as_ref().is_none_or(|wal| wal.length == 0)
    }
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        let modified = (file.mtime(), file.mtime_nsec());
        Self { device: file.dev(), inode: file.ino(), length: file.len(), modified }
    }
}

/// No mutex of SQLite's: a connection is used by one thread at a time. No creation: we create files ourselves, 0600.
const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;

fn install_system_calls() -> Result<(), Error> {
    match system::install_system_calls() {
        true => Ok(()),
        false => Err(Error::GeneralError("SQLite does not let its system calls be replaced".into())),
    }
}

fn set_up(connection: &Connection, purpose: Purpose) -> rusqlite::Result<()> {
    // First of all, because everything below may read the file. Waiting is done outside the gate, never inside SQLite.
    connection.busy_timeout(Duration::ZERO)?;
    for (setting, on) in [
        // Nobody ever deletes `-wal` or `-shm` under another.
        (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        // The format has neither: who wrote them into the file is no friend.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(
        "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;
         PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;",
    )?;
    match purpose {
        // KiB: a batch of thousands of objects touches many pages of the indexes, and what does not fit is written twice.
        Purpose::Write => connection.execute_batch("PRAGMA cache_size = -16384;"),
        Purpose::Read | Purpose::ReadOnlyMedia => connection.execute_batch("PRAGMA query_only = ON;"),
    }
}

/// More than there are different statements.
const STATEMENTS: usize = 32;

/// The file as a URI with SQLite's own parameters, see <https://www.sqlite.org/uri.html>.
fn uri(path: &Path, parameters: &str) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri.push('?');
    uri.push_str(parameters);
    uri
}
