//! The commits of one process's threads, of which one at a time leads.
//!
//! Who comes while nobody leads, leads: he waits for the turn of the process, takes what others have brought meanwhile,
//! commits all of it in one transaction, and tells each what became of his. So threads that commit at once share one
//! wait and one write to the disk. When the leader's own request is served, one of those who wait leads.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::super::hold;
use super::patience::Patience;
use crate::error::{Error, Result};
use crate::store::{Change, Commit};

/// What a process's threads want to have committed to one store.
#[derive(Default)]
pub(super) struct Commits {
    state: Mutex<State>,
    /// Somebody was told his verdict, or nobody leads any more, or somebody came.
    moved: Condvar,
}

#[derive(Default)]
struct State {
    leading: bool,
    /// In the order in which they came; the leader's among them.
    waiting: VecDeque<Arc<Request>>,
    /// How many of the first are to be served one by one, since together they failed.
    alone: usize,
    /// How many were served by the last transaction, and how long it took.
    last: (usize, Duration),
}

/// What one call wants to have committed, all or none.
pub(super) struct Request {
    pub(super) changes: Vec<Change>,
    verdict: OnceLock<Result<Commit>>,
}

/// What becomes of a request.
pub(super) enum Outcome<'a> {
    /// It was served.
    Told(Result<Commit>),
    /// Nobody leads: its thread is to.
    Lead(Leader<'a>),
}

impl Commits {
    /// Puts a request behind those that wait.
    pub(super) fn bring(&self, changes: Vec<Change>) -> Arc<Request> {
        let request = Arc::new(Request { changes, verdict: OnceLock::new() });
        hold(&self.state).waiting.push_back(Arc::clone(&request));
        self.moved.notify_all();
        request
    }

    /// Waits until the request is served, or its thread has to lead.
    ///
    /// # Errors
    /// As [`Patience::left`]; then nothing was changed, and the request is forgotten.
    pub(super) fn wait(&self, request: &Arc<Request>, patience: &Patience<'_>) -> Result<Outcome<'_>> {
        let mut state = hold(&self.state);
        loop {
            if let Some(verdict) = request.verdict.get() {
                return Ok(Outcome::Told(verdict.clone()));
            }
            if !state.leading {
                state.leading = true;
                let own = Arc::clone(request);
                return Ok(Outcome::Lead(Leader { commits: self, own, taken: Vec::new(), begun: None, last: false }));
            }
            if let Err(error) = patience.left()
                && state.withdraw(request)
            {
                return Err(error);
            }
            state = self.pause(state, LONGEST_STEP);
        }
    }

    fn pause<'a>(&'a self, state: MutexGuard<'a, State>, step: Duration) -> MutexGuard<'a, State> {
        self.moved.wait_timeout(state, step).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// A thread that waits looks up so often, whether or not it was woken: the library may have been finalised.
const LONGEST_STEP: Duration = Duration::from_millis(20);

impl State {
    /// False: the leader has taken it, and will tell.
    fn withdraw(&mut self, request: &Arc<Request>) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| !Arc::ptr_eq(waiting, request));
        self.waiting.len() < before
    }
}

/// The right to commit for all threads of the process, given up when dropped.
pub(super) struct Leader<'a> {
    commits: &'a Commits,
    own: Arc<Request>,
    /// What the transaction under way holds.
    taken: Vec<Arc<Request>>,
    begun: Option<Instant>,
    /// The transaction is at its last step, after which nobody knows whether it is on the disk.
    last: bool,
}

impl Leader<'_> {
    /// The verdict on the leader's own request.
    pub(super) fn own_verdict(&self) -> Option<Result<Commit>> {
        self.own.verdict.get().cloned()
    }

    /// How many wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        hold(&self.commits.state).waiting.len()
    }

    /// Waits a little for threads that were served together last time: they come back one after the other, and
    /// who came first would write to the disk alone while all others wait for it.
    pub(super) fn gather(&self) {
        let begun = Instant::now();
        let mut state = hold(&self.commits.state);
        let (together, took) = state.last;
        let grace = (took / 2).min(LONGEST_GRACE);
        while state.waiting.len() < together.min(MOST_REQUESTS) {
            let Some(left) = grace.checked_sub(begun.elapsed()) else { return };
            state = self.commits.pause(state, left);
        }
    }

    /// Takes those who came first, as many as one transaction shall hold; to be called when it has begun.
    pub(super) fn take(&mut self) -> &[Arc<Request>] {
        self.begun = Some(Instant::now());
        let mut state = hold(&self.commits.state);
        let most = if state.alone > 0 { 1 } else { MOST_REQUESTS };
        state.alone = state.alone.saturating_sub(1);
        let mut bytes = 0_usize;
        while self.taken.len() < most && bytes < MOST_BYTES {
            let Some(request) = state.waiting.pop_front() else { break };
            bytes = bytes.saturating_add(request.bytes());
            self.taken.push(request);
        }
        &self.taken
    }

    /// All that was taken is about to be written to the disk.
    pub(super) fn writes(&mut self) {
        self.last = true;
    }

    /// Tells those that were taken, in their order.
    pub(super) fn tell(&mut self, verdicts: Vec<Result<Commit>>) {
        let (served, took) = (self.taken.len(), self.begun.map(|begun| begun.elapsed()).unwrap_or_default());
        self.last = false;
        for (request, verdict) in self.taken.drain(..).zip(verdicts) {
            let _ = request.verdict.set(verdict);
        }
        hold(&self.commits.state).last = (served, took);
        self.commits.moved.notify_all();
    }

    /// The transaction failed. Of several that failed before the last step, each is tried alone: one may be what does not
    /// fit. False: nobody had been taken yet.
    pub(super) fn failed(&mut self, error: &Error) -> bool {
        match self.taken.len() {
            0 => return false,
            1 => self.tell(vec![Err(error.clone())]),
            several if self.last => self.tell(vec![Err(error.clone()); several]),
            several => {
                self.give_back();
                hold(&self.commits.state).alone = several;
            }
        }
        true
    }

    /// The transaction did not come about: those that were taken wait on.
    pub(super) fn give_back(&mut self) {
        self.last = false;
        let mut state = hold(&self.commits.state);
        self.taken.drain(..).rev().for_each(|request| state.waiting.push_front(request));
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        if !self.taken.is_empty() {
            // The thread ends by a panic, somewhere between taking and telling.
            let reason = "the thread that committed for this one has failed";
            self.tell(vec![Err(Error::DeviceError(reason.into())); self.taken.len()]);
        }
        let mut state = hold(&self.commits.state);
        state.withdraw(&self.own);
        state.leading = false;
        drop(state);
        self.commits.moved.notify_all();
    }
}

impl Request {
    /// About how much it writes.
    fn bytes(&self) -> usize {
        let bytes = self.changes.iter().map(|change| match change {
            Change::Token { bytes, .. } => bytes.len(),
            Change::Insert(row) | Change::Update { row, .. } | Change::Bury(row) => row.record.len(),
            _ => 0,
        });
        bytes.fold(0, usize::saturating_add)
    }
}

/// One transaction holds at most so many requests, and no more once it has so many bytes: others wait for its end.
const MOST_REQUESTS: usize = 64;
const MOST_BYTES: usize = 1 << 20;

/// Nobody is waited for longer.
const LONGEST_GRACE: Duration = Duration::from_millis(2);
