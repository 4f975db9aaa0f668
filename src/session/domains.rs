//! Domains, which a program does not ask for but the command: made, joined and left.
//!
//! None of these holds the session's lock: the SO's PIN is hashed, and the rest asks the token alone.

use std::sync::Arc;

use super::Sessions;
use crate::error::Result;
use crate::handle::Handle;
use crate::key::Caller;
use crate::token::{SoApproval, Token};
use crate::transfer::{Answer, Domain, DomainId, DomainName, Fingerprint, Invitation, Lifetime, Request};

/// A domain that a token is in, as people are told of it.
pub struct Membership {
    /// The domain.
    pub id: DomainId,
    /// What the token calls it.
    pub name: String,
    /// What all tokens of the domain show for it.
    pub fingerprint: Fingerprint,
}

impl Sessions {
    /// The domains that the token is in.
    pub fn domains(&self, session: Handle) -> Result<Vec<Membership>> {
        let (token, caller) = self.token_and_caller(session)?;
        Domain::all(&token, &caller)?.iter().map(|domain| Membership::of(domain, &caller)).collect()
    }

    /// The SO's consent to what the user, who is logged in, is about to do. A wrong PIN counts.
    pub fn approve(&self, session: Handle, so_pin: &[u8]) -> Result<SoApproval> {
        self.token(session)?.approve(so_pin)
    }

    /// Makes a domain of which the token is the first.
    pub fn create_domain(&self, session: Handle, approval: &SoApproval, name: &DomainName) -> Result<Membership> {
        let (token, caller) = self.token_and_caller(session)?;
        Membership::of(&Domain::create(&token, &caller, approval, name)?, &caller)
    }

    /// Asks to join a domain.
    pub fn request_domain(&self, session: Handle, lifetime: Lifetime) -> Result<Request> {
        let (token, caller) = self.token_and_caller(session)?;
        Request::make(&token, &caller, lifetime)
    }

    /// Takes back what the token has asked: nobody can answer it any more.
    pub fn withdraw_request(&self, session: Handle) -> Result<()> {
        let (token, caller) = self.token_and_caller(session)?;
        Request::withdraw(&token, &caller)
    }

    /// Answers a request: lets the token that asks into a domain.
    pub fn grant_domain(
        &self,
        session: Handle,
        approval: &SoApproval,
        domain: DomainId,
        request: &Request,
    ) -> Result<Answer> {
        let (token, caller) = self.token_and_caller(session)?;
        Answer::make(&token, &caller, approval, &Domain::find(&token, &caller, domain)?, request)
    }

    /// What an answer holds; nothing changes yet.
    pub fn open_answer(&self, session: Handle, answer: &Answer) -> Result<Invitation> {
        let (token, caller) = self.token_and_caller(session)?;
        answer.open(&token, &caller)
    }

    /// Joins the domain of an answer, under a name of the token's own.
    pub fn join_domain(
        &self,
        session: Handle,
        approval: &SoApproval,
        invitation: Invitation,
        name: &DomainName,
    ) -> Result<Membership> {
        let (token, caller) = self.token_and_caller(session)?;
        Membership::of(&invitation.accept(&token, &caller, approval, name)?, &caller)
    }

    /// Leaves a domain. What was moved stays.
    pub fn leave_domain(&self, session: Handle, domain: DomainId) -> Result<()> {
        let (token, caller) = self.token_and_caller(session)?;
        Domain::leave(&token, &caller, domain)
    }

    /// The token of a session, and who asks in it.
    pub(super) fn token_and_caller(&self, session: Handle) -> Result<(Arc<Token>, Caller)> {
        self.fixed(session, |fixed| (Arc::clone(&fixed.token), fixed.token.caller(fixed.read_write)))
    }
}

impl Membership {
    fn of(domain: &Domain, caller: &Caller) -> Result<Self> {
        Ok(Self { id: domain.id(), name: domain.name().to_owned(), fingerprint: domain.fingerprint(caller)? })
    }
}
