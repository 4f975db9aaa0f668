//! Domains: tokens that share a domain key, and with it their maskable objects.
//!
//! The domain key is a token object like others, a secret key of the type `CKK_KEYSTEAD_DOMAIN`, so that it is sealed, saved and
//! destroyed like others: to destroy it is to leave the domain. Its `CKA_ID` is the id of the domain, its `CKA_LABEL` the name that this token gives
//! to it.

use std::fmt;
use std::sync::Arc;

use cryptoki_sys::*;

use crate::crypto::random;
use crate::error::{Error, Result};
use crate::key::{Caller, Facts, KeyType, Other, Purpose, Use, permit};
use crate::mechanism::{CKM_KEYSTEAD_MASK, Keyed, MASK, PreparedKey};
use crate::object::attribute::CKA_KEYSTEAD_MASKABLE;
use crate::object::{Basis, Draft, Given, New, Template, Way};
use crate::secret::Secret;
use crate::token::{Opened, Token};

/// The random id of a domain, the same in all its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DomainId(pub [u8; 16]);

/// A domain that a token is in, by its key.
pub struct Domain {
    id: DomainId,
    name: String,
    key: Arc<PreparedKey>,
}

impl Domain {
    /// The domain of which an object is the key.
    ///
    /// # Errors
    /// [`Error::KeyTypeInconsistent`] if it is none; [`Error::UserNotLoggedIn`].
    pub fn of(token: &Token, opened: &Opened) -> Result<Self> {
        let object = opened.object();
        let id = object.value(CKA_ID).and_then(|id| id.try_into().ok());
        match (object.key_type(), id) {
            (Some(KeyType::Domain), Some(id)) => {
                let name = String::from_utf8_lossy(object.value(CKA_LABEL).unwrap_or_default()).into_owned();
                Ok(Self { id: DomainId(id), name, key: token.prepared(opened)? })
            }
            _ => Err(Error::KeyTypeInconsistent),
        }
    }

    /// The id.
    pub fn id(&self) -> DomainId {
        self.id
    }

    /// The name that the token gives to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Works with the domain key, if the gate lets this caller mask or unmask with it. `target` is the key that is to leave, where
    /// one is.
    pub fn with<T>(
        &self,
        caller: &Caller,
        purpose: Purpose,
        target: Option<&Facts>,
        work: impl FnOnce(&Keyed<'_>) -> Result<T>,
    ) -> Result<T> {
        let other = target.map(|key| Other { key, fits: true });
        let asked = Use { purpose, fit: MASK.fit(purpose)?, key: self.key.facts(), other };
        let grant = permit(caller, &asked)?;
        work(&Keyed::new(&self.key, &grant))
    }
}

/// The id of a new domain.
pub fn new_id() -> Result<DomainId> {
    random::bytes().map(DomainId)
}

/// The key of a domain as a new object of a token: it can mask and unmask, and nothing else; it never leaves, and nothing about it
/// changes.
pub fn key_object(id: DomainId, name: &str, key: Secret, basis: Basis) -> Result<New> {
    let mechanisms = CKM_KEYSTEAD_MASK.to_ne_bytes();
    let given = [
        (CKA_LABEL, name.as_bytes()),
        (CKA_ID, &id.0),
        (CKA_WRAP, &[1]),
        (CKA_UNWRAP, &[1]),
        (CKA_ALLOWED_MECHANISMS, &mechanisms),
    ];
    inside(KeyType::Domain, &given, key, basis)
}

/// A key that only the library makes.
pub(super) fn inside(key_type: KeyType, given: &[(u64, &[u8])], key: Secret, basis: Basis) -> Result<New> {
    const ALWAYS: [(u64, &[u8]); 9] = [
        (CKA_TOKEN, &[1]),
        (CKA_PRIVATE, &[1]),
        (CKA_SENSITIVE, &[1]),
        (CKA_EXTRACTABLE, &[0]),
        (CKA_KEYSTEAD_MASKABLE, &[0]),
        (CKA_MODIFIABLE, &[0]),
        (CKA_COPYABLE, &[0]),
        (CKA_SIGN, &[0]),
        (CKA_VERIFY, &[0]),
    ];
    let given: Vec<_> = ALWAYS.iter().chain(given).map(|(number, value)| Given::new(*number, value)).collect();
    Draft::new(Template::parse(&given, Way::Inside(key_type))?, basis).finish_secret(key)
}

impl fmt::Display for DomainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
