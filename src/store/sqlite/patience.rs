//! Bounded waiting. No lock is asked for in a way that cannot time out.

use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::super::hold;
use crate::error::{Error, Result};
use crate::fork::{self, State, Word};

/// How long a call waits for others to let go of a lock before it gives up, if nothing else was asked for.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The waiting of one call.
pub(super) struct Patience<'a> {
    path: &'a Path,
    total: Duration,
    begun: Instant,
    turns: u32,
    /// The state word under which the call came in.
    word: Word,
}

impl<'a> Patience<'a> {
    /// `path` is what the call waits for; it names the file in the error.
    pub(super) fn new(path: &'a Path, total: Duration) -> Self {
        Self { path, total, begun: Instant::now(), turns: 0, word: fork::word() }
    }

    /// Sleeps a little, longer from time to time and never as long as the neighbour.
    ///
    /// # Errors
    /// [`Error::DeviceError`] when the time is used up, [`Error::NotInitialized`] once the library is finalised.
    pub(super) fn wait(&mut self) -> Result<()> {
        let left = self.left()?;
        let step = FIRST_STEP.saturating_mul(1 << self.turns.min(STEPS));
        self.turns = self.turns.saturating_add(1);
        let noise = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().subsec_nanos();
        let jitter = step.saturating_mul(noise % 1024) / 1024;
        std::thread::sleep(step.saturating_add(jitter).min(left));
        Ok(())
    }

    /// How much longer the call may wait.
    fn left(&self) -> Result<Duration> {
        // `C_Finalize` waits for calls under way, and must not have to wait for whoever holds the lock.
        if self.word.state() == State::Running && fork::word() != self.word {
            return Err(Error::NotInitialized);
        }
        let left = self.total.checked_sub(self.begun.elapsed()).filter(|left| !left.is_zero());
        left.ok_or_else(|| self.exhausted())
    }

    fn exhausted(&self) -> Error {
        let (path, seconds) = (self.path.display(), self.total.as_secs_f32());
        let reason = format!("{path} stayed locked for {seconds} s: another process or another program holds it");
        Error::DeviceError(reason.into())
    }
}

/// Sleeps grow from this, doubling [`STEPS`] times: 0.2 ms to 6.4 ms, and up to as much again.
const FIRST_STEP: Duration = Duration::from_micros(200);
const STEPS: u32 = 5;

/// A thread that waits for its turn looks up so often.
const LONGEST_STEP: Duration = Duration::from_millis(20);

/// Whose turn it is among the threads of this process.
#[derive(Default)]
pub(super) struct Turn {
    taken: Mutex<bool>,
    free: Condvar,
}

impl Turn {
    /// Waits for the turn and has it for as long as the answer lives.
    ///
    /// # Errors
    /// As [`Patience::wait`].
    pub(super) fn take(&self, patience: &Patience<'_>) -> Result<Taken<'_>> {
        let mut taken = hold(&self.taken);
        while *taken {
            let step = patience.left()?.min(LONGEST_STEP);
            (taken, _) = self.free.wait_timeout(taken, step).unwrap_or_else(PoisonError::into_inner);
        }
        *taken = true;
        Ok(Taken(self))
    }
}

/// The turn, given back when dropped.
pub(super) struct Taken<'a>(&'a Turn);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *hold(&self.0.taken) = false;
        self.0.free.notify_one();
    }
}
