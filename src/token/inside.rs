//! Keys that only the library makes: of domains, and of a request to join one. They have no handles here, and are read and
//! replaced by what they are.

use std::sync::Arc;

use cryptoki_sys::CKA_KEY_TYPE;

use super::Token;
use super::again::Again;
use super::batch::Batch;
use super::objects::end_of;
use super::opened::Opened;
use super::pins::SoApproval;
use crate::error::{Error, Result};
use crate::key::{Act, Caller, KeyType, Login, admit};
use crate::object::{Given, New, Search};
use crate::store::{Check, Commit};

impl Token {
    /// All such keys of one type, by ascending id. One that is damaged is left out, with a line in the log.
    ///
    /// # Errors
    /// [`Error::UserNotLoggedIn`]
    pub fn inside(&self, caller: &Caller, key_type: KeyType) -> Result<Vec<Opened>> {
        if caller.login != Login::User {
            return Err(Error::UserNotLoggedIn);
        }
        self.revision()?;
        let number = key_type.number().to_ne_bytes();
        let mut found = self.read_matching(caller, Search::new(&[Given::new(CKA_KEY_TYPE, &number)]))?;
        // What is public anybody can have written.
        found.retain(|opened| opened.object().is_private());
        Ok(found)
    }

    /// Puts a new one in and takes away those that `old` finds, all of it or nothing, if what the SO has consented to may still be
    /// done. Where somebody else was faster, `old` looks again.
    pub fn exchange_inside(
        self: &Arc<Self>,
        caller: &Caller,
        approval: Option<&SoApproval>,
        new: Option<&New>,
        old: impl Fn() -> Result<Vec<Opened>>,
    ) -> Result<()> {
        let mut again = Again::default();
        loop {
            let mut batch = Batch::new(self);
            if let Some(SoApproval(opening)) = approval.cloned() {
                let token = Arc::clone(self);
                let check: Check = Arc::new(move |row| token.still_opens(&opening, &token.decoded(row)?));
                batch.only_if(check);
            }
            for opened in old()? {
                admit(caller, Act::Destroy, &opened.object().standing(opened.is_sealed()))?;
                let tombstone = end_of(opened.object(), batch.seal())?;
                batch.delete(&opened, tombstone)?;
            }
            if let Some((object, material)) = new {
                admit(caller, Act::Create, &object.standing(material.is_some()))?;
                let row = self.sealed(object, material.as_ref(), batch.seal())?;
                batch.insert(row);
            }
            if let Commit::Done { .. } = self.commit(batch)? {
                return Ok(());
            }
            again.once_more()?;
        }
    }
}
