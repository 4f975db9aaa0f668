//! What is owed to the store's files: that what was replaced or destroyed is not left in them.

use std::sync::atomic::{AtomicU8, Ordering};

use super::Token;

/// A [`Store::scrub`](crate::store::Store::scrub) that has to be made, and how soon.
#[derive(Default)]
pub(super) struct Owed(AtomicU8);

/// Objects were destroyed: when the last session or the token is closed, so that no call has to wait for it.
const AT_THE_END: u8 = 1;
/// A PIN or the whole token was replaced, and the store was busy: after the next change of an object.
const SOON: u8 = 2;

impl Token {
    /// A PIN, or everything, was replaced: what it was before goes now. It would still open the token if it were put back.
    pub(super) fn scrub_now(&self) {
        self.owed.0.fetch_max(SOON, Ordering::AcqRel);
        self.scrub_if(SOON, true);
    }

    /// Objects were destroyed.
    pub(super) fn scrub_at_the_end(&self) {
        self.owed.0.fetch_max(AT_THE_END, Ordering::AcqRel);
    }

    /// There was a commit: what could not be done before it may be done now.
    pub(super) fn scrub_if_due(&self) {
        self.scrub_if(SOON, false);
    }

    /// The last session, or the token, is being closed.
    pub(super) fn scrub_what_is_left(&self) {
        self.scrub_if(AT_THE_END, false);
    }

    fn scrub_if(&self, least: u8, urgent: bool) {
        if self.owed.0.load(Ordering::Acquire) < least {
            return;
        }
        // Taken before the store is asked: what comes to be owed meanwhile stays owed.
        let owed = self.owed.0.swap(0, Ordering::AcqRel);
        if owed > 0 && !self.store.scrub(urgent) {
            self.owed.0.fetch_max(owed, Ordering::AcqRel);
        }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.scrub_what_is_left();
    }
}
