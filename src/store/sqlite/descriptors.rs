//! The descriptors that SQLite has open, and whether they are still ours.
//!
//! A daemon closes all descriptors after it has loaded its modules, and gets their numbers for its own files and sockets.
//! SQLite would write pages into those ("How To Corrupt An SQLite Database File", section 2.2), and its locks fell with the descriptors. So
//! the device and inode of each are remembered when it is opened, and compared before SQLite works with it. What is no longer ours is
//! neither used nor closed.

use std::collections::BTreeMap;
use std::ffi::{c_char, c_int};
use std::fs::File;
use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd, RawFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::hold;
use super::gate;
use crate::system;

/// What SQLite has open in this process.
pub(super) struct Descriptors {
    /// Device and inode, by the number of the store and the descriptor.
    open: Mutex<BTreeMap<(u64, RawFd), (u64, u64)>>,
    /// Held while a store opens, so that what is opened is known to be its own.
    turn: Mutex<()>,
    opening: AtomicU64,
}

/// The number of no store: a token in the making.
pub(super) const NO_STORE: u64 = u64::MAX;

impl Descriptors {
    pub(super) fn new() -> Self {
        Self { open: Mutex::default(), turn: Mutex::new(()), opening: AtomicU64::new(NO_STORE) }
    }

    /// Opens something of a store. All that SQLite ever opens for a connection, it opens at once.
    pub(super) fn opening<T>(&self, store: u64, open: impl FnOnce() -> T) -> T {
        let _turn = hold(&self.turn);
        self.opening.store(store, Ordering::Relaxed);
        let opened = open();
        self.opening.store(NO_STORE, Ordering::Relaxed);
        opened
    }

    /// Whether a store's descriptors are what they were; with `all` each of them is looked at, else one: who closes
    /// descriptors closes all that he does not know.
    pub(super) fn are_ours(&self, store: u64, all: bool) -> bool {
        let open = hold(&self.open);
        let mut descriptors = open.range((store, 0)..=(store, RawFd::MAX));
        let ours = |(&(_, descriptor), identity): (&(u64, RawFd), &_)| is(descriptor, *identity);
        if all { descriptors.all(ours) } else { descriptors.next().is_none_or(ours) }
    }

    /// Whether those of all stores are. A new connection shares what SQLite has open to the same file for others.
    pub(super) fn are_all_ours(&self) -> bool {
        hold(&self.open).iter().all(|(&(_, descriptor), identity)| is(descriptor, *identity))
    }
}

/// SQLite's `open`.
///
/// # Safety
/// That of `open(2)`.
pub(super) unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    // SAFETY: the caller's contract.
    let descriptor = unsafe { libc::open(path, flags, mode) };
    if descriptor < 0 {
        return descriptor;
    }
    // SAFETY: the kernel has just made the descriptor, and nobody else owns it.
    let file = unsafe { File::from_raw_fd(descriptor) };
    let Ok(file) = system::above_standard_streams(file.into()) else { return -1 };
    let identity = system::identity(&file);
    let descriptor = file.into_raw_fd();
    if let (Some(ours), Ok(identity)) = (gate::descriptors(), identity) {
        hold(&ours.open).insert((ours.opening.load(Ordering::Relaxed), descriptor), identity);
    }
    descriptor
}

/// SQLite's `close`.
pub(super) extern "C" fn close(descriptor: c_int) -> c_int {
    if let Some(ours) = gate::descriptors() {
        let mut open = hold(&ours.open);
        let place = open.keys().find(|(_, known)| *known == descriptor).copied();
        // Forgotten before it is closed: another thread may get the number at once.
        if let Some(identity) = place.and_then(|place| open.remove(&place))
            && !is(descriptor, identity)
        {
            return 0;
        }
    }
    // SAFETY: the descriptor is SQLite's, by what was just seen.
    unsafe { libc::close(descriptor) }
}

/// Whether the descriptor is open to this device and inode.
fn is(descriptor: RawFd, identity: (u64, u64)) -> bool {
    // SAFETY: not -1. Whether it is open at all is what is asked.
    let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
    system::identity(descriptor).is_ok_and(|now| now == identity)
}
