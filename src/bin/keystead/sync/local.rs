//! A token here: opened, logged in to, and its domain chosen.

use std::path::PathBuf;

use keystead::error::Error;
use keystead::handle::Handle;
use keystead::session::Membership;
use keystead::transfer::{DomainId, Replica};

use super::report::Side;
use crate::failure::{Exit, Failure, Result};
use crate::login::session;
use crate::pin::{Role, Wanted};
use crate::store::Store;
use crate::token::choose::choose_open;
use crate::token::label_of;

/// A token with the user logged in. The login ends with this.
pub struct Local {
    store: Store,
    session: Handle,
    label: String,
    /// The serial number.
    pub serial: String,
    domains: Vec<Membership>,
}

impl Local {
    /// Opens a token and logs in. `several`: another token's PIN is asked for as well.
    pub fn open(name: &str, store: Option<PathBuf>, pin: Wanted<'_>, several: bool) -> Result<Self> {
        let store = Store::open(store)?;
        let (slot, state) = choose_open(name, &store)?;
        let label = label_of(&state).to_owned();
        let pin = Wanted { name: Role::User.name(), ..pin };
        let pin = if several { pin.existing_of(&format!("Token {label:?}"))? } else { pin.existing()? };
        let session = session(&store, slot, Role::User, &pin)?;
        let domains = store.module.sessions().domains(session)?;
        Ok(Self { store, session, label, serial: String::from_utf8_lossy(&state.serial).into_owned(), domains })
    }

    /// The only domain that this token is in, or the one that is named, together with `other` if that is a token here, too.
    pub fn domain(&self, other: Option<&Self>, name: Option<&str>) -> Result<DomainId> {
        let named = |domain: &Membership| name.is_none_or(|name| domain.name == name || domain.id.to_string() == name);
        let fits = |own: &&Membership| match other {
            None => named(own),
            Some(other) => other.domains.iter().any(|others| others.id == own.id && (named(own) || named(others))),
        };
        let found: Vec<&Membership> = self.domains.iter().filter(fits).collect();
        match (found.as_slice(), name) {
            ([domain], _) => Ok(domain.id),
            ([], _) => Err(self.no_domain(other, name)),
            ([..], None) => {
                let names: Vec<_> = found.iter().map(|domain| format!("{:?}", domain.name)).collect();
                let failure = Failure::new(format!("the domain may be any of {}", names.join(", ")));
                Err(failure.with_next("say which one with --domain NAME"))
            }
            ([..], Some(name)) => {
                let failure = Failure::new(format!("several domains are called {name:?}"));
                Err(failure.with_next("name it by its id: `keystead domain list` shows them"))
            }
        }
    }

    /// The token as a side of a synchronisation.
    pub fn replica(&self, domain: DomainId) -> Result<Replica> {
        Ok(self.member(domain)?)
    }

    /// The same, in a domain that somebody else names.
    pub fn member(&self, domain: DomainId) -> Result<Replica, Error> {
        self.store.module.sessions().replica(self.session, domain)
    }

    /// For people.
    pub fn side(&self) -> Side {
        Side { name: self.label.clone(), serial: Some(self.serial.clone()) }
    }

    fn no_domain(&self, other: Option<&Self>, name: Option<&str>) -> Failure {
        let called = name.map(|name| format!(" called {name:?}")).unwrap_or_default();
        let what = match other {
            None => format!("token {:?} is in no domain{called}", self.label),
            Some(other) => format!("tokens {:?} and {:?} are in no domain{called} together", self.label, other.label),
        };
        let failure = Failure::new(what).with_next("`keystead domain join` lets a token into another's");
        failure.with_exit(Exit::NotFound)
    }
}
