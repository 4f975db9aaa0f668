//! Which file systems a token may lie on.
//!
//! SQLite's locks and the mapped index of the log hold among the processes of one machine only. On a file system that other
//! machines or another kernel share, two may write at once and neither knows; so those are refused, by the number that
//! `statfs` gives them. Local ones pass, and so does what is not known here: a new local file system is likelier than
//! a new way to share one.

use std::path::Path;

use super::system;
use crate::error::{Error, Result};

/// How a folder's file system is asked for; tests answer for it.
pub(super) type Asked = fn(&Path) -> Option<u64>;

/// What the system says of the path, or of what exists above it.
pub(super) fn of_system(path: &Path) -> Option<u64> {
    path.ancestors().find_map(system::file_system)
}

/// Refuses a file system that is shared beyond this machine.
///
/// # Errors
/// [`Error::DeviceError`] with path and reason.
pub(super) fn check(path: &Path, asked: Asked) -> Result<()> {
    let Some(number) = asked(path) else { return Ok(()) };
    match SHARED.iter().find(|(shared, _)| *shared == number) {
        None => Ok(()),
        Some((_, name)) => {
            let path = path.display();
            let reason = "its locks and mapped files do not hold for everybody who may write to it; use a local disk";
            Err(Error::DeviceError(format!("{path} lies on {name}: {reason}").into()))
        }
    }
}

/// `statfs(2)` and the kernel's `magic.h`; the last three from their own sources.
const SHARED: [(u64, &str); 13] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x0102_1997, "9p"),
    // Also virtiofs, sshfs, and whatever else a program makes up.
    (0x6573_5546, "FUSE"),
    (0x00c3_6400, "Ceph"),
    (0x7375_7245, "Coda"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x786f_4256, "a folder shared by VirtualBox"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
];
