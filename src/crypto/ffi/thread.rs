//! What AWS-LC keeps for each thread: its errors.
//!
//! When a thread has its first error, and when such a thread ends, AWS-LC takes a lock of the process that nobody resets in
//! a child. A child that was forked at that moment would wait for ever at an error of its own: the first ciphertext that
//! does not authenticate. So both is done here, inside a gate that `fork` waits for.

use std::cell::Cell;

use aws_lc_sys::{AWSLC_thread_local_clear, ERR_clear_error, RAND_bytes};

use crate::crypto::random;
use crate::error::Result;
use crate::fork::{Gate, Inside};

/// Has AWS-LC keep all that it will ever keep for this thread, and drop it when the thread ends. Nothing after the first
/// time.
pub fn settle() {
    // A thread that is ending already has AWS-LC do as it likes.
    let _ = SETTLED.try_with(|_| ());
}

/// Has AWS-LC seed its generator for this thread, which sets up what it needs for the process, before the host locks
/// itself in: without the operating system's randomness AWS-LC would end the process. Again in a child.
///
/// Errors: [`Error::FunctionFailed`](crate::error::Error::FunctionFailed) when the operating system has none to give.
pub fn first_draw() -> Result<()> {
    let mut byte = random::bytes::<1>()?;
    // SAFETY: there is room for the one byte.
    drawing(|| unsafe { RAND_bytes(byte.as_mut_ptr(), byte.len()) });
    Ok(())
}

/// Runs what may draw randomness inside AWS-LC, whose generator has locks of the same kind. It must not take long: `fork`
/// waits for it.
pub fn drawing<T>(work: impl FnOnce() -> T) -> T {
    settle();
    let _inside = THREADS.enter();
    work()
}

/// Like [`drawing`], for what takes long: between its steps `work` calls [`Turns::next`], where a `fork` gets its turn.
pub fn drawing_in_turns<T>(work: impl FnOnce(&Turns) -> T) -> T {
    settle();
    work(&Turns(Cell::new(Some(THREADS.enter()))))
}

/// The turns of what takes long.
pub struct Turns(Cell<Option<Inside>>);

impl Turns {
    /// Lets a `fork` that waits go first.
    pub fn next(&self) {
        self.end();
        self.0.set(Some(THREADS.enter()));
    }

    /// Nothing is drawn from here on, so no `fork` needs to wait.
    pub fn end(&self) {
        drop(self.0.take());
    }
}

thread_local! {
    static SETTLED: Settled = Settled::new();
}

struct Settled;

impl Settled {
    fn new() -> Self {
        // Where the system has no room for handlers of `fork`, nothing can be done about it here.
        let _ = THREADS.register();
        let _inside = THREADS.enter();
        // SAFETY: takes nothing; it makes the list of errors in order to clear it.
        unsafe { ERR_clear_error() };
        Self
    }
}

impl Drop for Settled {
    fn drop(&mut self) {
        let _inside = THREADS.enter();
        // SAFETY: takes nothing, and frees what this thread alone uses. What AWS-LC may be asked for later, it makes anew.
        unsafe { AWSLC_thread_local_clear() };
    }
}

/// Guards AWS-LC's lock.
static THREADS: Gate = Gate::new(|| (), || ());

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// Between two turns passes next to no time: who waits has to be let in, or it would not get in for long.
    #[test]
    fn a_fork_gets_the_next_turn() {
        let (waits, done) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            drawing_in_turns(|turns| {
                scope.spawn(|| {
                    waits.store(true, Ordering::Relaxed);
                    THREADS.alone(|| done.store(true, Ordering::Relaxed));
                });
                while !waits.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(20));
                }
                thread::sleep(Duration::from_millis(20));
                assert!(!done.load(Ordering::Relaxed), "in the middle of a turn");
                let mut taken = 0;
                while !done.load(Ordering::Relaxed) && taken < 100 {
                    turns.next();
                    thread::sleep(Duration::from_millis(5));
                    taken += 1;
                }
                assert!(taken < 10, "{taken} turns");
            });
        });
    }

    #[test]
    fn after_the_end_no_fork_waits() {
        drawing_in_turns(|turns| {
            turns.end();
            thread::scope(|scope| scope.spawn(|| THREADS.alone(|| ())).join()).ok();
            turns.next();
        });
    }
}
