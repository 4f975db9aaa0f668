//! An end for what is tried again because somebody else was faster.

use crate::error::{Error, Result};

/// How often one call has tried.
#[derive(Default)]
pub(super) struct Again(u32);

impl Again {
    /// To be called at each conflict, before the next look at the store.
    ///
    /// # Errors
    /// [`Error::DeviceError`] after so many that nobody can have been faster each time: what the store reads it does not find when it
    /// writes.
    pub(super) fn once_more(&mut self) -> Result<()> {
        self.0 = self.0.saturating_add(1);
        if self.0 < MOST {
            return Ok(());
        }
        let reason = format!(
            "{MOST} times in a row the token was changed by somebody else, or its store is damaged: `keystead doctor --verify` checks it"
        );
        Err(Error::DeviceError(reason.into()))
    }
}

/// Each conflict that is none of damage is somebody's commit, and the queue lets everybody in turn.
const MOST: u32 = 1000;
