//! A value that every process makes for itself.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A process-wide value that a forked child never shares with its parent: the child finds none and makes its own, so no
/// lock that another thread of the parent held at the fork is ever waited for. What the parent made stays in the
/// child's memory, untouched and unused.
pub struct PerProcess<T: 'static> {
    current: AtomicPtr<Owned<T>>,
}

struct Owned<T> {
    process: u64,
    value: T,
}

impl<T: Send + Sync> PerProcess<T> {
    /// An empty cell.
    pub const fn new() -> Self {
        Self { current: AtomicPtr::new(ptr::null_mut()) }
    }

    /// This process's value, if one was made.
    pub fn get(&self) -> Option<&'static T> {
        let process = super::process();
        // SAFETY: the pointer is null or was leaked from a box below and is never freed.
        let owned = unsafe { self.current.load(Ordering::Acquire).as_ref() }?;
        (owned.process == process).then_some(&owned.value)
    }

    /// This process's value, made now if there is none. Two threads at once may both call `make`; one value is kept.
    pub fn get_or_init(&self, make: impl Fn() -> T) -> &'static T {
        loop {
            if let Some(value) = self.get() {
                return value;
            }
            let old = self.current.load(Ordering::Acquire);
            let fresh = Box::into_raw(Box::new(Owned { process: super::process(), value: make() }));
            if self.current.compare_exchange(old, fresh, Ordering::AcqRel, Ordering::Acquire).is_err() {
                // SAFETY: `fresh` came from `Box::into_raw` above and lost the race, so nobody else has seen it.
                drop(unsafe { Box::from_raw(fresh) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_for_a_process() {
        static CELL: PerProcess<u32> = PerProcess::new();
        assert!(CELL.get().is_none());
        assert_eq!(*CELL.get_or_init(|| 7), 7);
        assert_eq!(*CELL.get_or_init(|| 8), 7);
    }
}
