//! Wrong PINs that the store would not take down.
//!
//! A full disk, or a limit that the caller sets himself, would otherwise make guessing free: a right PIN needs nothing written.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::seal::Role;

/// How many of each role's wrong PINs this process has not written down yet.
#[derive(Default)]
pub(super) struct Guesses {
    so: Mutex<u32>,
    user: Mutex<u32>,
    /// Held by the one who tries a PIN where nothing can be written.
    turn: Mutex<()>,
}

impl Guesses {
    /// A wrong PIN could not be written down.
    pub(super) fn owe(&self, role: Role) {
        let mut owed = hold(self.of(role));
        *owed = owed.saturating_add(1);
    }

    /// Writes down what is owed, by `write`, which is told how many. Others wait for that. To be called before a PIN is hashed.
    ///
    /// # Errors
    /// Those of `write`; then all is owed as before.
    pub(super) fn settle(&self, role: Role, write: impl FnOnce(u32) -> Result<()>) -> Result<()> {
        let mut owed = hold(self.of(role));
        if *owed > 0 {
            write(*owed)?;
            *owed = 0;
        }
        Ok(())
    }

    /// The PIN is another one: what was guessed of the old one no longer counts.
    pub(super) fn forget(&self, role: Role) {
        *hold(self.of(role)) = 0;
    }

    /// Waits until nobody else tries a PIN, until it is dropped.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        hold(&self.turn)
    }

    fn of(&self, role: Role) -> &Mutex<u32> {
        match role {
            Role::So => &self.so,
            Role::User => &self.user,
        }
    }
}

fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
