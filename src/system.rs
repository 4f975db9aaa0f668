//! The few questions to the operating system that the standard library does not ask.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// The effective user id.
pub fn effective_user() -> u32 {
    // SAFETY: `geteuid` takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Whether the process runs with more rights than the user who started it (setuid, setgid, capabilities): then the
/// environment is not to be trusted (`getauxval(3)`, `AT_SECURE`).
pub fn is_privileged() -> bool {
    // SAFETY: `getauxval` reads a vector that the kernel made at exec.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// The same open file with a descriptor that is none of the standard streams, in a host that has closed one of those:
/// whatever the host prints must not land in a file of ours.
pub fn above_standard_streams(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    if descriptor.as_raw_fd() > libc::STDERR_FILENO {
        return Ok(descriptor);
    }
    // SAFETY: the descriptor is open for as long as its owner lives.
    let above = unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_DUPFD_CLOEXEC, libc::STDERR_FILENO + 1) };
    if above < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(above) })
}
