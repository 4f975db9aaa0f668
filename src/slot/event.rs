//! Slot events: a token that another process has made or removed. PKCS#11 3.2, section 5.5.4.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::Slots;
use crate::error::{Error, Result};

/// What was seen of the folder, and what nobody has been told yet.
#[derive(Default)]
pub(super) struct Events {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The tokens at the last look; none before the first.
    seen: Option<BTreeSet<u32>>,
    waiting: VecDeque<u32>,
    ended: bool,
}

/// How often the folder is looked at while somebody waits. Nothing runs when nobody does.
const PAUSE: Duration = Duration::from_millis(500);

impl Slots {
    /// `C_WaitForSlotEvent`: the next slot in which a token has appeared or disappeared since the library was initialised.
    ///
    /// # Errors
    /// [`Error::NoEvent`] if there is none and the caller does not wait; [`Error::NotInitialized`] when `C_Finalize` ends the
    /// wait.
    pub fn wait_for_event(&self, block: bool) -> Result<u32> {
        loop {
            let now = self.tokens();
            let mut state = self.events.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.ended {
                return Err(Error::NotInitialized);
            }
            state.compare(now);
            if let Some(slot) = state.waiting.pop_front() {
                return Ok(slot);
            }
            if !block {
                return Err(Error::NoEvent);
            }
            drop(self.events.changed.wait_timeout(state, PAUSE).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Ends every wait, now and later.
    pub(super) fn end_events(&self) {
        self.events.state.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.events.changed.notify_all();
    }

    /// The first look, or a look after a change of our own: what is there now is no event.
    pub(super) fn expect_tokens(&self) {
        let now = self.tokens();
        self.events.state.lock().unwrap_or_else(PoisonError::into_inner).seen = Some(now);
    }

    /// The slots with tokens now; a folder that cannot be read has none.
    fn tokens(&self) -> BTreeSet<u32> {
        self.folder.as_ref().ok().and_then(|folder| folder.slots().ok()).unwrap_or_default().into_iter().collect()
    }
}

impl State {
    fn compare(&mut self, now: BTreeSet<u32>) {
        if let Some(seen) = &self.seen {
            self.waiting.extend(now.symmetric_difference(seen));
        }
        self.seen = Some(now);
    }
}
