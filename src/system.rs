//! The few questions to the operating system that the standard library does not ask.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The effective user id.
pub fn effective_user() -> u32 {
    // SAFETY: `geteuid` takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Seconds since 1970 by the clock of the calendar, as coarse as `time(2)`: it costs next to nothing. A clock before 1970 says 0.
pub fn seconds_since_1970() -> u64 {
    // SAFETY: `time` may be given no place for its answer.
    u64::try_from(unsafe { libc::time(std::ptr::null_mut()) }).unwrap_or(0)
}

/// What the kernel limits for a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Open descriptors.
    Descriptors,
    /// Bytes of memory that stay out of swap space.
    LockedMemory,
}

impl Limit {
    /// As far as this process can go now; nothing where there is no limit.
    pub fn of_process(self) -> io::Result<Option<u64>> {
        let resource = match self {
            Self::Descriptors => libc::RLIMIT_NOFILE,
            Self::LockedMemory => libc::RLIMIT_MEMLOCK,
        };
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the kernel writes one `rlimit` to where one is.
        if unsafe { libc::getrlimit(resource, &mut limit) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok((limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur))
    }
}

/// The bytes that who is not root may still write to the file system that the path lies on.
pub fn free_space(path: &Path) -> io::Result<u64> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut about = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path is a NUL-terminated string that lives through the call, and there is room for one `statvfs`.
    if unsafe { libc::statvfs(path.as_ptr(), about.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the kernel has filled it.
    let about = unsafe { about.assume_init() };
    Ok(about.f_bavail.saturating_mul(about.f_frsize))
}

/// Whether the process runs with more rights than the user who started it (setuid, setgid, capabilities): then the
/// environment is not to be trusted (`getauxval(3)`, `AT_SECURE`).
pub fn is_privileged() -> bool {
    // SAFETY: `getauxval` reads a vector that the kernel made at exec.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Opens a file that is there. What is no regular file is refused at once: a FIFO would keep the call until somebody opens its other end.
/// Above the standard streams.
pub fn open_file(path: &Path, access: FileAccess) -> io::Result<File> {
    let link = if access == FileAccess::ReadThroughLink { 0 } else { libc::O_NOFOLLOW };
    let mut options = OpenOptions::new();
    options.read(true).write(access == FileAccess::Write).custom_flags(libc::O_NONBLOCK | link);
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    above_standard_streams(file.into()).map(File::from)
}

/// How [`open_file`] opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileAccess {
    /// To be read, and no symbolic link.
    Read,
    /// To be read, whatever links lead to it.
    ReadThroughLink,
    /// To be read and written, and no symbolic link.
    Write,
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

/// Something open that is kept from one call to the next. The host may close any descriptor, as daemons do that close all
/// of them, and have its number for something else; what is kept is then neither used nor closed.
pub struct Kept<T: AsFd> {
    open: ManuallyDrop<T>,
    identity: (u64, u64),
}

impl<T: AsFd> Kept<T> {
    /// Remembers what the descriptor is open to.
    pub fn new(open: T) -> io::Result<Self> {
        let identity = identity(&open)?;
        Ok(Self { open: ManuallyDrop::new(open), identity })
    }

    /// What is kept, unless the host has closed it.
    pub fn still_open(&self) -> Option<&T> {
        let now = identity(&*self.open).ok();
        (now == Some(self.identity)).then_some(&self.open)
    }
}

impl<T: AsFd> Drop for Kept<T> {
    fn drop(&mut self) {
        if self.still_open().is_some() {
            // SAFETY: the value is dropped here, once, and not used again.
            unsafe { ManuallyDrop::drop(&mut self.open) };
        }
    }
}

/// Device and inode of what a descriptor is open to.
pub fn identity(descriptor: impl AsFd) -> io::Result<(u64, u64)> {
    let mut about = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the kernel writes one `stat` to where there is room for one.
    if unsafe { libc::fstat(descriptor.as_fd().as_raw_fd(), about.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the kernel has filled it.
    let about = unsafe { about.assume_init() };
    Ok((about.st_dev, about.st_ino))
}

/// Writes to the standard error stream without the standard library's lock on it, which a thread that a forked child does
/// not have may have held.
pub fn write_to_stderr(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        // SAFETY: the bytes live through the call; a stream that is closed is an error like others.
        let written = unsafe { libc::write(libc::STDERR_FILENO, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(written) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => (),
                error => return Err(error),
            },
        }
    }
    Ok(())
}

/// In tests: what a host does that closes the descriptor and opens `file`, which gets the same number.
#[cfg(test)]
pub fn replace_descriptor(file: &std::fs::File, number: i32) {
    // SAFETY: the number is that of a `Kept`, which is about to be found out.
    assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), number) }, number);
}
