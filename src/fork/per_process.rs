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
        let (_, owned) = self.load();
        owned.filter(|owned| owned.process == super::process()).map(|owned| &owned.value)
    }

    /// What the nearest ancestor left that made a value, as long as this process has made none. Nothing may wait for a
    /// lock inside it.
    pub fn inherited(&self) -> Option<&'static T> {
        let (_, owned) = self.load();
        owned.filter(|owned| owned.process != super::process()).map(|owned| &owned.value)
    }

    /// This process's value, made now if there is none. Two threads at once may both call `make`; one value is kept.
    pub fn get_or_init(&self, make: impl Fn() -> T) -> &'static T {
        let process = super::process();
        loop {
            // One load for both: a value that came in between two would be overwritten.
            let (old, owned) = self.load();
            if let Some(owned) = owned.filter(|owned| owned.process == process) {
                return &owned.value;
            }
            let fresh = Box::into_raw(Box::new(Owned { process, value: make() }));
            if self.current.compare_exchange(old, fresh, Ordering::AcqRel, Ordering::Acquire).is_err() {
                // SAFETY: `fresh` came from `Box::into_raw` above and lost the race, so nobody else has seen it.
                drop(unsafe { Box::from_raw(fresh) });
            }
        }
    }

    fn load(&self) -> (*mut Owned<T>, Option<&'static Owned<T>>) {
        let pointer = self.current.load(Ordering::Acquire);
        // SAFETY: the pointer is null or was leaked from a box above and is never freed.
        (pointer, unsafe { pointer.as_ref() })
    }
}

impl<T: Send + Sync> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
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
