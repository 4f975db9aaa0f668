//! A token in its domain: how it joins, and what it sends and takes.

use std::io::Read;

use keystead::error::{Error, Result};
use keystead::transfer::{Answer, BundleReader, DomainName, How, Lifetime, Request, export, import};
use serde::{Deserialize, Serialize};

use super::party::Party;

/// What a token took out of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Objects that were new to it.
    pub created: u64,
    /// Objects that it destroyed, since they were destroyed where the bundle was made.
    pub destroyed: u64,
    /// Whether the bundle was whole, and nothing in it was refused.
    pub whole: bool,
}

impl Party {
    /// Makes a domain; its fingerprint.
    pub fn found_domain(&self) -> Result<String> {
        let sessions = self.module.sessions();
        let approval = sessions.approve(self.session, self.so_pin.as_bytes())?;
        Ok(sessions.create_domain(self.session, &approval, &name()?)?.fingerprint.to_string())
    }

    /// Asks to join a domain; the request, as a file of it reads.
    pub fn ask(&self) -> Result<String> {
        self.module.sessions().request_domain(self.session, Lifetime::DEFAULT)?.text()
    }

    /// Lets the token in that asks so; the answer, as a file of it reads.
    pub fn grant(&self, request: &str) -> Result<String> {
        let sessions = self.module.sessions();
        let approval = sessions.approve(self.session, self.so_pin.as_bytes())?;
        let domain = sessions.domains(self.session)?.pop().ok_or(Error::KeyHandleInvalid)?;
        sessions.grant_domain(self.session, &approval, domain.id, &Request::parse(request.as_bytes())?)?.text()
    }

    /// Joins by an answer; the fingerprint of the domain.
    pub fn accept(&self, answer: &str) -> Result<String> {
        let sessions = self.module.sessions();
        let approval = sessions.approve(self.session, self.so_pin.as_bytes())?;
        let invitation = sessions.open_answer(self.session, &Answer::parse(answer.as_bytes())?)?;
        Ok(sessions.join_domain(self.session, &approval, invitation, &name()?)?.fingerprint.to_string())
    }

    /// All that may leave, masked.
    pub fn bundle(&self) -> Result<Vec<u8>> {
        let sessions = self.module.sessions();
        let domain = sessions.domains(self.session)?.pop().ok_or(Error::KeyHandleInvalid)?;
        let mut bundle = Vec::new();
        let made = keystead::system::seconds_since_1970();
        export(&mut sessions.replica(self.session, domain.id)?, &mut bundle, made, &mut |_, _| {})?;
        Ok(bundle)
    }

    /// Takes a bundle in.
    pub fn take(&self, bundle: impl Read) -> Result<Taken> {
        let replica = |domain| self.module.sessions().replica(self.session, domain);
        let (mut reader, mut replica) = BundleReader::begin(bundle, |header| replica(header.domain))?;
        let imported = import(&mut reader, &mut replica, How::Commit, &mut |_, _| {})?;
        let (report, cut) = (imported.report, imported.cut);
        let whole = cut.is_none() && report.refused.is_empty() && report.conflicts.is_empty();
        Ok(Taken { created: report.forth.created, destroyed: report.forth.destroyed, whole })
    }
}

fn name() -> Result<DomainName> {
    DomainName::parse("demo").map_err(|why| Error::GeneralError(why.into()))
}
