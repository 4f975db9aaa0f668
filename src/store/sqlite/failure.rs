//! What SQLite's and the system's error codes mean to a caller.

use std::fs::File;
use std::io;
use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use super::system;
use crate::error::Error;

/// The outcome of an attempt.
pub(super) type Attempt<T> = Result<T, Failure>;

/// Why an attempt did not succeed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Somebody holds a lock, or the file changed under the attempt: the same again may succeed.
    Again,
    /// The host has closed descriptors that SQLite had open: after [`abandon`](super::gate::abandon) the same again may
    /// succeed.
    Lost,
    /// It will not.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// The meaning of SQLite's `error` on a connection to the file at `path`.
pub(super) fn of_sqlite(error: &rusqlite::Error, connection: &Connection, path: &Path) -> Failure {
    of_code(error, system::system_errno(connection), path)
}

/// The meaning of SQLite's `error` when no connection to the file at `path` came about.
pub(super) fn of_opening(error: &rusqlite::Error, path: &Path) -> Failure {
    // The system's reason is gone with the connection. With OFD locks, opening and closing the file costs nobody a lock.
    let errno = match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => File::open(path).err().and_then(|error| error.raw_os_error()),
        _ => None,
    };
    of_code(error, errno.unwrap_or(0), path)
}

fn of_code(error: &rusqlite::Error, errno: i32, path: &Path) -> Failure {
    use ErrorCode::*;
    let reason = || format!("{}: {error}", path.display()).into();
    let Some(code) = error.sqlite_error_code() else {
        // A value of the wrong type or length, or the token row missing.
        return Failure::Final(Error::DeviceError(format!("{} is damaged: {error}", path.display()).into()));
    };
    Failure::Final(match code {
        // `SQLITE_PROTOCOL`: SQLite's own short waits for a place among the readers were used up.
        DatabaseBusy | DatabaseLocked | FileLockingProtocolFailed => return Failure::Again,
        DatabaseCorrupt | NotADatabase => Error::DeviceError(format!("{} is damaged: {error}", path.display()).into()),
        DiskFull => Error::DeviceMemory(reason()),
        OutOfMemory => Error::HostMemory("SQLite"),
        ReadOnly => Error::TokenWriteProtected,
        CannotOpen | SystemIoFailure => of_errno(errno, reason()),
        _ => Error::DeviceError(reason()),
    })
}

/// The meaning of the system's `error` while doing something (`"create"`) to the file at `path`.
pub(super) fn of_system(error: &io::Error, doing: &str, path: &Path) -> Error {
    let user = system::user();
    let reason = format!("uid {user} cannot {doing} {}: {error}", path.display()).into();
    match error.raw_os_error() {
        Some(errno) => of_errno(errno, reason),
        None => Error::DeviceError(reason),
    }
}

fn of_errno(errno: i32, reason: Box<str>) -> Error {
    match errno {
        libc::ENOSPC | libc::EDQUOT | libc::EFBIG => Error::DeviceMemory(reason),
        libc::EMFILE | libc::ENFILE => Error::HostMemory("file descriptors for the store"),
        libc::ENOMEM => Error::HostMemory("the store"),
        libc::EROFS => Error::TokenWriteProtected,
        _ => Error::DeviceError(reason),
    }
}
