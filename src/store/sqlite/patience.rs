//! Bounded waiting. No lock is asked for in a way that cannot time out.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

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
    /// Whose turn it is meanwhile, where that is known.
    holder: Option<u32>,
    /// The state word under which the call came in.
    word: Word,
}

impl<'a> Patience<'a> {
    /// `path` is what the call waits for; it names the file in the error.
    pub(super) fn new(path: &'a Path, total: Duration) -> Self {
        Self { path, total, begun: Instant::now(), turns: 0, holder: None, word: fork::word() }
    }

    /// Sleeps a little, longer from time to time and never as long as the neighbour.
    ///
    /// # Errors
    /// [`Error::DeviceError`] when the time is used up, [`Error::NotInitialized`] once the library is finalised.
    pub(super) fn wait(&mut self) -> Result<()> {
        let step = FIRST_STEP.saturating_mul(1 << self.turns.min(STEPS));
        self.turns = self.turns.saturating_add(1);
        let noise = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().subsec_nanos();
        let jitter = step.saturating_mul(noise % 1024) / 1024;
        self.rest(step.saturating_add(jitter))
    }

    /// Sleeps that long, or as long as the call may still wait.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub(super) fn rest(&self, time: Duration) -> Result<()> {
        std::thread::sleep(time.min(self.left()?));
        Ok(())
    }

    /// Which process holds up the call, for the error.
    pub(super) fn held_by(&mut self, holder: Option<u32>) {
        self.holder = holder;
    }

    /// How much longer the call may wait.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub(super) fn left(&self) -> Result<Duration> {
        // `C_Finalize` waits for calls under way, and must not have to wait for whoever holds the lock.
        if self.word.state() == State::Running && fork::word() != self.word {
            return Err(Error::NotInitialized);
        }
        let left = self.total.checked_sub(self.begun.elapsed()).filter(|left| !left.is_zero());
        left.ok_or_else(|| self.exhausted())
    }

    fn exhausted(&self) -> Error {
        let (path, seconds) = (self.path.display(), self.total.as_secs_f32());
        let holder = match self.holder {
            Some(process) => format!("process {process}"),
            None => "another process or another program".into(),
        };
        let reason = format!("{path} stayed locked for {seconds} s: {holder} holds it");
        Error::DeviceError(reason.into())
    }
}

/// Sleeps grow from this, doubling [`STEPS`] times: 0.2 ms to 6.4 ms, and up to as much again.
const FIRST_STEP: Duration = Duration::from_micros(200);
const STEPS: u32 = 5;
