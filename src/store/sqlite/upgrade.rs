//! Tokens of older formats: each is brought to this library's format when it is opened, in one transaction, with a copy beside it
//! until that has succeeded.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, Transaction, TransactionBehavior};

use super::connection::{self, beside};
use super::failure::{self, Attempt};
use super::folder::sync;
use super::gate::Visit;
use super::new_file::{self, Rights};
use super::patience::Patience;
use super::schema::{self, FORMAT};
use super::system::FileSizeSignal;
use super::token::patiently;
use crate::error::{Error, Result};

/// What makes the tables of one format those of the next. Rows are sealed: no step can change what is in them.
pub(super) struct Step {
    /// The format that it begins with; it ends with the one after.
    pub(super) from: i64,
    /// What it does, inside the transaction.
    pub(super) work: fn(&Connection) -> rusqlite::Result<()>,
}

/// From format 1 on. Format 0 was never frozen, and no step begins with it.
pub(super) const STEPS: &[Step] = &[];

/// Brings the token's file to [`FORMAT`] if it is of an older one and there are steps from there. A file of any other format is
/// left alone: who opens it says what is wrong. To be called before the file is used, where it can be written. It takes long where
/// the file is large, and a `fork` of this process waits.
///
/// # Errors
/// Those of the store. Then the file is as it was, and its copy stays.
pub(super) fn upgrade(path: &Path, steps: &[Step], patience: Duration) -> Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    // The header may be older than what the log holds, and never newer.
    match header_format(path) {
        Some(from) if from < FORMAT || (from == FORMAT && copies(path).any(|copy| copy.exists())) => {
            patiently(Patience::new(path, patience), || attempt(path, steps))
        }
        _ => Ok(()),
    }
}

fn attempt(path: &Path, steps: &[Step]) -> Attempt<()> {
    let visit = Visit::enter()?;
    let _signal = FileSizeSignal::block();
    let open = connection::open_older(&visit, path)?;
    let failed = |error| failure::of_sqlite(&error, &open.connection, path);
    // Nobody else commits from here on, so that the copy is what the steps begin with.
    let begin = || Transaction::new_unchecked(&open.connection, TransactionBehavior::Immediate).map_err(failed);
    let transaction = begin()?;
    let from = schema::format(&transaction).map_err(failed)?;
    let way: Vec<&Step> = (from..FORMAT).map_while(|at| steps.iter().find(|step| step.from == at)).collect();
    if from < FORMAT {
        if i64::try_from(way.len()) != Ok(FORMAT.saturating_sub(from)) {
            return Ok(());
        }
        copy(&visit, path, from)?;
        for step in way {
            (step.work)(&transaction).map_err(failed)?;
            transaction.pragma_update(None, "user_version", step.from.saturating_add(1)).map_err(failed)?;
        }
        let sound: String = transaction.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failed)?;
        if sound != "ok" {
            let reason =
                format!("the upgrade of {} was undone, as the file was damaged after it: {sound}", path.display());
            return Err(Error::DeviceError(reason.into()).into());
        }
        transaction.commit().map_err(failed)?;
    } else {
        drop(transaction);
    }
    // Under the lock again: a later library's own upgrade may have begun since, and its copies are its own.
    let transaction = begin()?;
    if schema::format(&transaction).map_err(failed)? == FORMAT {
        clear_away(path)?;
    }
    Ok(())
}

/// A whole token beside the file, under a name that nobody takes for one. To use it, rename it to the file's name, with `-wal` and `-shm`
/// removed.
fn copy(visit: &Visit, path: &Path, format: i64) -> Attempt<()> {
    let made = beside(path, MADE);
    let failed = |error: io::Error| failure::of_system(&error, "copy", path);
    remove(&made)?;
    // SQLite would give others the right to read it.
    Rights::like(path).and_then(|rights| new_file::create(&made, rights)).map_err(failed)?;
    let open = connection::open_older(visit, path)?;
    let name = Name(made.as_os_str());
    let copied = open.connection.execute("VACUUM INTO ?1", [name]);
    copied.map_err(|error| failure::of_sqlite(&error, &open.connection, path))?;
    connection::make_wal(visit, &made)?;
    sync(&made)?;
    fs::rename(&made, copy_path(path, format)).map_err(failed)?;
    Ok(sync_folder(path)?)
}

/// Every name that this library gives to copies of a token.
fn copies(path: &Path) -> impl Iterator<Item = PathBuf> {
    (OLDEST..FORMAT).map(|format| copy_path(path, format)).chain([beside(path, MADE)])
}

/// Removes copies of before an upgrade that has succeeded.
fn clear_away(path: &Path) -> Result<()> {
    let mut removed = false;
    for copy in copies(path) {
        removed |= remove(&copy)?;
    }
    if removed { sync_folder(path) } else { Ok(()) }
}

/// False: it was not there.
fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failure::of_system(&error, "remove", path)),
    }
}

fn sync_folder(path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), sync)
}

/// The oldest format that a step begins with; the tests have older ones still.
const OLDEST: i64 = if cfg!(test) { -1 } else { 1 };

/// What the name of a copy adds to the token's, by whatever library.
pub(super) const COPY: &str = "-format";

/// A copy that is not whole yet.
const MADE: &str = "-format.tmp";

/// The token as it was in this format.
pub(super) fn copy_path(path: &Path, format: i64) -> PathBuf {
    beside(path, &format!("-format-{format}"))
}

/// The `user_version` in the file's header, <https://www.sqlite.org/fileformat.html>, section 1.3.
fn header_format(path: &Path) -> Option<i64> {
    let mut header = [0; 64];
    File::open(path).and_then(|mut file| file.read_exact(&mut header)).ok()?;
    let version = header.strip_prefix(b"SQLite format 3\0")?.last_chunk()?;
    Some(i32::from_be_bytes(*version).into())
}

/// A path as SQLite takes it: bytes, whatever they are.
struct Name<'a>(&'a OsStr);

impl ToSql for Name<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0.as_bytes())))
    }
}
