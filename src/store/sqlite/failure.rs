//! What SQLite's and the system's error codes mean to a caller.

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
    /// It will not.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// The meaning of SQLite's `error` about the file at `path`; `connection` as far as there is one.
pub(super) fn of_sqlite(error: &rusqlite::Error, connection: Option<&Connection>, path: &Path) -> Failure {
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
        CannotOpen | SystemIoFailure => match connection.map(system::system_errno) {
            Some(errno) if errno != 0 => of_errno(errno, reason()),
            _ => Error::DeviceError(reason()),
        },
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
