//! Locks with a rank: the order in which they may be taken, asserted in debug and test builds, and where the feature
//! `lock-order` asks for it, as `make soak` does.
//!
//! A thread may take a lock only if its rank is higher than that of every lock it holds. Two locks of one rank are never
//! held together, so never two sessions and never two objects. The locks are the standard library's futex locks: a
//! forked child never meets a parking table that some other thread of its parent held.

use std::ops::{Deref, DerefMut};
use std::sync::{self, PoisonError};

/// The slots of a module, and what is in one of them.
pub const SLOTS: u8 = 0;
/// The token's login state.
pub const LOGIN: u8 = 1;
/// One session.
pub const SESSION: u8 = 2;
/// The catalog's map from object ids to handles.
pub const CATALOG: u8 = 3;
/// One object of the catalog.
pub const OBJECT: u8 = 4;

/// A mutual exclusion of rank `RANK`. A panic while it was held does not poison it: the entry wrapper has turned the panic
/// into a code, and every holder leaves its value whole between two statements.
pub struct Mutex<const RANK: u8, T>(sync::Mutex<T>);

impl<const RANK: u8, T> Mutex<RANK, T> {
    /// A free lock over `value`.
    pub const fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    /// Waits for the lock.
    pub fn lock(&self) -> Guard<'_, RANK, T> {
        order::enter(RANK);
        Guard(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The lock, held until this is dropped.
pub struct Guard<'a, const RANK: u8, T>(sync::MutexGuard<'a, T>);

impl<const RANK: u8, T> Deref for Guard<'_, RANK, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<const RANK: u8, T> DerefMut for Guard<'_, RANK, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<const RANK: u8, T> Drop for Guard<'_, RANK, T> {
    fn drop(&mut self) {
        order::leave(RANK);
    }
}

#[cfg(any(test, debug_assertions, feature = "lock-order"))]
mod order {
    use std::cell::Cell;

    thread_local! {
        /// One bit for each rank that this thread holds.
        static HELD: Cell<u32> = const { Cell::new(0) };
    }

    pub(super) fn enter(rank: u8) {
        let held = HELD.get();
        assert!(held >> rank == 0, "lock of rank {rank} taken while holding {held:#b}");
        HELD.set(held | 1 << rank);
    }

    pub(super) fn leave(rank: u8) {
        HELD.set(HELD.get() & !(1 << rank));
    }
}

#[cfg(not(any(test, debug_assertions, feature = "lock-order")))]
mod order {
    pub(super) fn enter(_: u8) {}

    pub(super) fn leave(_: u8) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_ascend() {
        let session = Mutex::<SESSION, _>::new(());
        let catalog = Mutex::<CATALOG, _>::new(());
        let _session = session.lock();
        let _catalog = catalog.lock();
    }

    #[test]
    #[should_panic(expected = "rank 2 taken while holding")]
    fn two_sessions_are_never_held_together() {
        let one = Mutex::<SESSION, _>::new(());
        let other = Mutex::<SESSION, _>::new(());
        let _one = one.lock();
        let _other = other.lock();
    }
}
