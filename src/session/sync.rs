//! Tokens that are synchronised, which a program does not ask for but the command.

use super::Sessions;
use crate::error::Result;
use crate::handle::Handle;
use crate::transfer::{Domain, DomainId, Replica};

impl Sessions {
    /// The token of a session as one side of a synchronisation in a domain.
    ///
    /// # Errors
    /// [`Error::DomainRefused`](crate::error::Error::DomainRefused) if the token is not in it;
    /// [`Error::UserNotLoggedIn`](crate::error::Error::UserNotLoggedIn).
    pub fn replica(&self, session: Handle, domain: DomainId) -> Result<Replica> {
        let (token, caller) = self.token_and_caller(session)?;
        let domain = Domain::find(&token, &caller, domain)?;
        Ok(Replica::new(token, caller, domain))
    }
}
