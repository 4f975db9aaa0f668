//! Domains: tokens that share a domain key, and with it their maskable objects.
//!
//! The domain key is a token object like others, a secret key of the type `CKK_KEYSTEAD_DOMAIN`, so that it is sealed, saved and
//! destroyed like others: to destroy it is to leave the domain. Its `CKA_ID` is the id of the domain, its `CKA_LABEL` the name that this token gives
//! to it.

use std::fmt;
use std::sync::Arc;

use cryptoki_sys::*;

use super::Fingerprint;
use crate::crypto::random;
use crate::error::{Error, Result};
use crate::key::{Caller, Facts, KeyType, Other, Purpose, Use, permit};
use crate::mechanism::{CKM_KEYSTEAD_MASK, Keyed, MASK, PreparedKey};
use crate::object::attribute::CKA_KEYSTEAD_MASKABLE;
use crate::object::{Basis, Draft, Given, New, Template, Way};
use crate::secret::Secret;
use crate::token::{Opened, SoApproval, Token};

/// The random id of a domain, the same in all its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DomainId(pub [u8; 16]);

/// What a token calls a domain: 1 to 64 bytes, no control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainName(String);

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

    /// All domains that a token is in.
    ///
    /// # Errors
    /// [`Error::UserNotLoggedIn`]
    pub fn all(token: &Token, caller: &Caller) -> Result<Vec<Self>> {
        token.inside(caller, KeyType::Domain)?.iter().map(|opened| Self::of(token, opened)).collect()
    }

    /// The domain of this id.
    ///
    /// # Errors
    /// [`Error::DomainRefused`] if the token is not in it; [`Error::UserNotLoggedIn`].
    pub fn find(token: &Token, caller: &Caller, id: DomainId) -> Result<Self> {
        Self::all(token, caller)?.into_iter().find(|domain| domain.id == id).ok_or_else(|| not_in(id))
    }

    /// Makes a domain of which the token is the first.
    ///
    /// # Errors
    /// [`Error::DomainRefused`] if the token calls another domain so.
    pub fn create(token: &Arc<Token>, caller: &Caller, approval: &SoApproval, name: &DomainName) -> Result<Self> {
        let id = random::bytes().map(DomainId)?;
        let key = key_object(id, name, random::secret(32)?, token.basis(caller))?;
        token
            .exchange_inside(caller, Some(approval), Some(&key), || name.is_free(token, caller).map(|()| Vec::new()))?;
        Self::find(token, caller, id)
    }

    /// Leaves a domain: destroys its key in this token. What was moved stays.
    ///
    /// # Errors
    /// [`Error::DomainRefused`] if the token is not in it.
    pub fn leave(token: &Arc<Token>, caller: &Caller, id: DomainId) -> Result<()> {
        token.exchange_inside(caller, None, None, || {
            let mut keys = token.inside(caller, KeyType::Domain)?;
            keys.retain(|key| key.object().value(CKA_ID) == Some(&id.0));
            if keys.is_empty() { Err(not_in(id)) } else { Ok(keys) }
        })
    }

    /// The id.
    pub fn id(&self) -> DomainId {
        self.id
    }

    /// The name that the token gives to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What all tokens of the domain show for it: derived from its key, of which it tells nothing.
    pub fn fingerprint(&self, caller: &Caller) -> Result<Fingerprint> {
        self.with(caller, Purpose::Mask, None, |keyed| fingerprint(&keyed.derived(&[], FINGERPRINT)?))
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

impl DomainName {
    /// The longest, in bytes.
    pub const LONGEST: usize = 64;

    /// A name, as somebody writes it. The error is a sentence for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            _ if text.trim().is_empty() => Err("a domain needs a name".into()),
            _ if text.len() > Self::LONGEST => Err(format!("{} bytes, and {} are allowed", text.len(), Self::LONGEST)),
            _ if text.chars().any(char::is_control) => Err("control characters are not allowed".into()),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Refuses a name that the token has for a domain already.
    pub(super) fn is_free(&self, token: &Token, caller: &Caller) -> Result<()> {
        let taken = Domain::all(token, caller)?.iter().any(|domain| domain.name == self.0);
        if !taken {
            return Ok(());
        }
        Err(refused(format!("the token calls another domain {:?} already: choose another name", self.0)))
    }
}

/// What leads from a domain key to its fingerprint.
pub(super) const FINGERPRINT: &[u8] = b"keystead 1 domain fingerprint";

/// The fingerprint, of what was derived for it.
pub(super) fn fingerprint(derived: &Secret) -> Result<Fingerprint> {
    let bytes = derived.expose().get(..16).ok_or_else(|| Error::GeneralError("HKDF gave a short key".into()))?;
    Ok(Fingerprint::new(bytes))
}

/// The key of a domain as a new object of a token: it can mask and unmask, and nothing else; it never leaves, and nothing about it
/// changes.
pub(super) fn key_object(id: DomainId, name: &DomainName, key: Secret, basis: Basis) -> Result<New> {
    let mechanisms = CKM_KEYSTEAD_MASK.to_ne_bytes();
    let given = [
        (CKA_LABEL, name.0.as_bytes()),
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

pub(super) fn refused(why: impl Into<String>) -> Error {
    Error::DomainRefused(why.into().into())
}

fn not_in(id: DomainId) -> Error {
    refused(format!("the token is not in the domain {id}"))
}

impl fmt::Display for DomainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
