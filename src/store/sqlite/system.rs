//! What only `unsafe` can ask of libc and SQLite.

use std::ffi::{CStr, CString, c_char, c_int};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;

use rusqlite::{Connection, ffi};

use super::descriptors;

/// Makes SQLite lock with OFD locks (see `ofd.c`), and open and close as `descriptors` does. To be called before a file is
/// opened; again is harmless. False: this SQLite has no such calls, so that its locks cannot be trusted.
pub(super) fn install_system_calls() -> bool {
    // SAFETY: SQLite's table holds functions without their types, and calls each by the type that these have.
    let open = unsafe {
        type Open = unsafe extern "C" fn(*const c_char, c_int, c_int) -> c_int;
        std::mem::transmute::<Open, Untyped>(descriptors::open)
    };
    // SAFETY: as above.
    let close = unsafe { std::mem::transmute::<extern "C" fn(c_int) -> c_int, Untyped>(descriptors::close) };
    [(c"fcntl", keystead_ofd_fcntl as Untyped), (c"open", open), (c"close", close)]
        .into_iter()
        .all(|(name, function)| set_system_call(name, function))
}

/// Works while SQLite takes and releases no lock. To be called with nobody else inside the gate.
pub(super) fn without_locks(work: impl FnOnce()) {
    let replaced = set_system_call(c"fcntl", keystead_no_fcntl);
    work();
    if replaced {
        set_system_call(c"fcntl", keystead_ofd_fcntl);
    }
}

/// A function in SQLite's table.
type Untyped = unsafe extern "C" fn();

fn set_system_call(name: &CStr, function: Untyped) -> bool {
    // SAFETY: NULL asks for the default VFS, which SQLite never frees.
    let Some(vfs) = (unsafe { ffi::sqlite3_vfs_find(std::ptr::null()).as_mut() }) else { return false };
    let Some(set) = vfs.xSetSystemCall else { return false };
    // SAFETY: the callers here give functions of the signature that SQLite calls the entry of that name by; the VFS lives
    // for ever, and the name is compared only.
    unsafe { set(vfs, name.as_ptr(), Some(function)) == ffi::SQLITE_OK }
}

/// The system's error number of the connection's last failure.
pub(super) fn system_errno(connection: &Connection) -> i32 {
    // SAFETY: the handle is that of a live connection and is used in this call only.
    unsafe { ffi::sqlite3_system_errno(connection.handle()) }
}

/// Takes an exclusive OFD lock on the file's first byte. False: somebody else has it.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    try_lock_at(file, 0)
}

/// Takes an exclusive OFD lock on the byte at `offset`, which need not exist. False: somebody else has it.
pub(super) fn try_lock_at(file: &File, offset: u64) -> io::Result<bool> {
    match ofd_lock(file, libc::F_WRLCK, offset, 1) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Releases the lock of the first byte for every copy of the descriptor, a forked child's too.
pub(super) fn unlock(file: &File) {
    unlock_at(file, 0);
}

/// Releases the lock of one byte likewise.
pub(super) fn unlock_at(file: &File, offset: u64) {
    // Closing the descriptor does the same a moment later, unless a child holds a copy.
    let _ = ofd_lock(file, libc::F_UNLCK, offset, 1);
}

/// Releases every lock of the descriptor likewise.
pub(super) fn unlock_all(file: &File) {
    let _ = ofd_lock(file, libc::F_UNLCK, 0, 0);
}

/// The first byte of a lock that somebody else has on the bytes from `from` to before `to`. Of several locks any may be told; the
/// kernel looks at the oldest first.
pub(super) fn first_lock(file: &File, from: u64, to: u64) -> Option<u64> {
    let length = to.checked_sub(from).filter(|length| *length > 0)?;
    let mut lock = ofd_range(libc::F_WRLCK, from, length).ok()?;
    // SAFETY: the descriptor is open for as long as `file` lives, and the kernel writes one `flock` to where one is.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &mut lock) }).ok()?;
    let found = i32::from(lock.l_type) != libc::F_UNLCK;
    found.then(|| u64::try_from(lock.l_start).unwrap_or(0).max(from))
}

fn ofd_lock(file: &File, kind: i32, from: u64, length: u64) -> io::Result<()> {
    let lock = ofd_range(kind, from, length)?;
    // SAFETY: the descriptor is open for as long as `file` lives, and the kernel only reads the struct.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &lock) })
}

/// What the kernel is asked about: `length` bytes, or with 0 all from `from` on.
fn ofd_range(kind: i32, from: u64, length: u64) -> io::Result<libc::flock> {
    // SAFETY: `flock` is a plain struct for which zeroes are valid; an OFD lock wants `l_pid` 0.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind.try_into().map_err(io::Error::other)?;
    lock.l_whence = libc::SEEK_SET.try_into().map_err(io::Error::other)?;
    lock.l_start = from.try_into().map_err(io::Error::other)?;
    lock.l_len = length.try_into().map_err(io::Error::other)?;
    Ok(lock)
}

/// Closes a descriptor that a forked child has from its parent.
pub(super) fn close_inherited(descriptor: RawFd) {
    // SAFETY: the parent had it open at the fork, and nobody in the child uses it.
    unsafe { libc::close(descriptor) };
}

/// The first page of a file, mapped to be read; what others write into the file shows in it.
pub(super) struct MappedPage(NonNull<u8>);

/// As much as is mapped, in bytes; no page is smaller.
const PAGE: usize = 4096;

impl MappedPage {
    /// Nothing where the system has no room, or cannot map this file.
    pub(super) fn of(file: &File) -> Option<Self> {
        // SAFETY: a new mapping at an address that the kernel chooses; the descriptor is open for as long as `file` lives.
        let address =
            unsafe { libc::mmap(std::ptr::null_mut(), PAGE, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        if address == libc::MAP_FAILED { None } else { NonNull::new(address.cast()).map(Self) }
    }

    /// Where it begins, aligned to a page. Not to be written to, and to be read by atomic loads only.
    pub(super) fn start(&self) -> *mut u8 {
        self.0.as_ptr()
    }
}

impl Drop for MappedPage {
    fn drop(&mut self) {
        // SAFETY: address and length are those of the mapping that `of` made, and nobody has it any more.
        unsafe { libc::munmap(self.0.as_ptr().cast(), PAGE) };
    }
}

// SAFETY: the mapping belongs to the process, not to a thread, and is only read.
unsafe impl Send for MappedPage {}
// SAFETY: as above.
unsafe impl Sync for MappedPage {}

/// Whether the effective user may use `path` so; `rights` is `libc::R_OK`, `W_OK`, `X_OK` or several.
pub(super) fn permits(path: &Path, rights: i32) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: the path is a NUL-terminated string that lives through the call.
    unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), rights, libc::AT_EACCESS) == 0 }
}

/// The number of the file system that the path lies on, `statfs(2)`. Nothing where the path cannot be asked about.
pub(super) fn file_system(path: &Path) -> Option<u64> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: all-zero bytes are a valid `statfs`.
    let mut about: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path is a NUL-terminated string that lives through the call, and the kernel writes one `statfs`.
    let known = unsafe { libc::statfs(path.as_ptr(), &mut about) } == 0;
    // 32 bits, whatever the type is here; some have the highest one set.
    known.then_some((about.f_type & 0xffff_ffff).cast_unsigned())
}

/// Whether a path lies in a file system that the kernel makes up, where nobody can create a folder.
pub(super) fn is_made_up(path: &Path) -> bool {
    let made_up = [libc::PROC_SUPER_MAGIC, libc::SYSFS_MAGIC].map(i64::cast_unsigned);
    file_system(path).is_some_and(|number| made_up.contains(&number))
}

/// The effective user id.
pub(super) fn user() -> u32 {
    // SAFETY: the call reads a number and cannot fail.
    unsafe { libc::geteuid() }
}

/// The coarse monotonic clock in milliseconds: a few nanoseconds to read, a few milliseconds exact.
pub(super) fn coarse_clock() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one `timespec` to where one is.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &mut time) };
    (time.tv_sec.cast_unsigned()).wrapping_mul(1000).wrapping_add(time.tv_nsec.cast_unsigned() / 1_000_000)
}

/// While it lives, a write beyond the limit of file sizes fails with `EFBIG` in this thread and does not kill the host.
pub(super) struct FileSizeSignal {
    before: libc::sigset_t,
    pending_before: bool,
}

impl FileSizeSignal {
    /// Blocks `SIGXFSZ` in this thread.
    pub(super) fn block() -> Self {
        let (signal, mut before) = (file_size_signal(), file_size_signal());
        let pending_before = pending();
        // SAFETY: both sets are initialised and live through the call.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &signal, &mut before) };
        Self { before, pending_before }
    }
}

impl Drop for FileSizeSignal {
    fn drop(&mut self) {
        let signal = file_size_signal();
        let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // Ours is eaten; one that was waiting before we came is the host's.
        while !self.pending_before && pending() {
            // SAFETY: the set and the time live through the call; NULL asks for no details.
            if unsafe { libc::sigtimedwait(&signal, std::ptr::null_mut(), &at_once) } < 0
                && io::Error::last_os_error().raw_os_error() != Some(libc::EINTR)
            {
                break;
            }
        }
        // SAFETY: `before` is what the call in `block` stored.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut()) };
    }
}

fn file_size_signal() -> libc::sigset_t {
    // SAFETY: a signal set of zeroes is valid memory for `sigemptyset` to initialise.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is ours, and the signal's number is the system's own.
    unsafe {
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGXFSZ);
    }
    set
}

fn pending() -> bool {
    let mut set = file_size_signal();
    // SAFETY: the set is initialised and lives through both calls.
    unsafe { libc::sigpending(&mut set) == 0 && libc::sigismember(&set, libc::SIGXFSZ) == 1 }
}

fn check(outcome: i32) -> io::Result<()> {
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

unsafe extern "C" {
    // In truth `int (int, int, ...)`; SQLite's table holds functions without their types.
    fn keystead_ofd_fcntl();
    fn keystead_no_fcntl();
}
