//! An object that has been opened: its attributes in the clear, its value sealed until a key is made of it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use cryptoki_sys::CKA_PUBLIC_KEY_INFO;
use once_cell::sync::OnceCell;
use zeroize::Zeroizing;

use crate::config::{EdwardsPoints, Objects};
use crate::error::{Error, Result};
use crate::key::{Caller, Class, Facts, KeyMaterial, Login};
use crate::mechanism::PreparedKey;
use crate::object::attribute::Kind;
use crate::object::{Attributes, Object, attribute};
use crate::seal::{self, RowHash, Seal, SealedMaterial, Verified};
use crate::secret::Secret;

/// An object, opened.
pub struct Opened {
    object: Object,
    facts: Option<Facts>,
    /// Whether a login of this token wrote it.
    verified: Verified,
    /// What the digest counts of it, if a login wrote it.
    counted: Option<RowHash>,
    sealed: Option<SealedMaterial>,
    key: OnceCell<Arc<PreparedKey>>,
    /// Keys of the object before it changed, which operations may still hold. A leaf.
    former: Mutex<Vec<Weak<PreparedKey>>>,
}

/// An object as one caller may read it.
pub struct View {
    caller: Caller,
    opened: Arc<Opened>,
    shows: Objects,
}

impl Opened {
    /// A session object, with its value if it is a key.
    pub(super) fn in_memory(object: Object, material: Option<KeyMaterial>) -> Self {
        let facts = object.facts();
        let key = OnceCell::new();
        if let (Some(facts), Some(material)) = (&facts, material) {
            let _ = key.set(Arc::new(PreparedKey::new(facts.clone(), material)));
        }
        Self { object, facts, verified: Verified::Yes, counted: None, sealed: None, key, former: Mutex::default() }
    }

    /// A token object, as it was read.
    pub(super) fn from_store(object: Object, opened: seal::Opened) -> Self {
        let seal::Opened { verified, counted, material: sealed, .. } = opened;
        // Whoever can write to the store can have made it, and gives no trust.
        let object = if verified == Verified::No { object.without_trust() } else { object };
        let facts = object.facts().map(|facts| Facts { verified: verified == Verified::Yes, ..facts });
        Self { object, facts, verified, counted, sealed, key: OnceCell::new(), former: Mutex::default() }
    }

    /// The object.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// What the gate needs to know, if this is a key.
    pub fn facts(&self) -> Option<&Facts> {
        self.facts.as_ref()
    }

    /// Whether a login of this token is known to have written it.
    pub fn is_verified(&self) -> bool {
        self.verified == Verified::Yes
    }

    /// Whether a login of this token wrote it, as far as can be told.
    pub(super) fn verified(&self) -> Verified {
        self.verified
    }

    /// What the digest counts of it, if a login wrote it.
    pub(super) fn counted(&self) -> Option<&RowHash> {
        self.counted.as_ref()
    }

    /// Whether changing or removing it needs the token's keys: see [`Standing::sealed`](crate::key::Standing::sealed).
    pub(super) fn is_sealed(&self) -> bool {
        self.sealed.is_some() || self.verified != Verified::No
    }

    /// Whether a login could now tell if it is genuine, and none could when it was opened.
    pub(super) fn waits_for_login(&self) -> bool {
        self.verified == Verified::Unknown
    }

    /// Whether it has a value that stays inside, in memory or sealed.
    pub fn has_material(&self) -> bool {
        self.object.class.is_secret()
    }

    /// The key, made ready for mechanisms. The value of a token key is unsealed for it; a public key's is an attribute.
    pub(super) fn prepared(&self, seal: impl FnOnce() -> Option<Arc<Seal>>) -> Result<Arc<PreparedKey>> {
        let key = self.key.get_or_try_init(|| {
            let facts = self.facts.as_ref().ok_or(Error::KeyTypeInconsistent)?;
            let value = match (&self.sealed, self.object.value(CKA_PUBLIC_KEY_INFO)) {
                (Some(sealed), _) => sealed.unseal(&*seal().ok_or(Error::UserNotLoggedIn)?)?,
                (None, Some(public)) if facts.class == Class::PublicKey => Secret::from_slice(public),
                _ => return Err(Error::KeyTypeInconsistent),
            };
            Ok(Arc::new(PreparedKey::new(facts.clone(), KeyMaterial::new(facts.id, value))))
        });
        key.cloned()
    }

    /// The value of a key that has been made ready, where the standard lets it be read: that of a token key by the user alone.
    pub(super) fn readable_value(&self, caller: &Caller) -> Option<&Secret> {
        if self.object.is_token() && caller.login != Login::User {
            return None;
        }
        let facts = self.facts.as_ref().filter(|facts| facts.class.is_secret())?;
        self.key.get()?.material().for_reading(facts).ok()
    }

    /// Whether its key was made ready, so that operations may hold it.
    pub(super) fn has_key(&self) -> bool {
        self.key.get().is_some() || !self.former().is_empty()
    }

    /// Whether this is the same object, in the same version and as well known.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        (self.object.version, self.verified) == (other.object.version, other.verified)
    }

    /// Takes the place of what the object was before it changed: operations with the old key go on until this one ends.
    pub(super) fn succeed(&self, old: &Self) {
        old.supersede_key();
        let mut former = std::mem::take(&mut *old.former());
        former.extend(old.key.get().map(Arc::downgrade));
        former.retain(|key| key.strong_count() > 0);
        self.former().append(&mut former);
    }

    /// Ends the operations that hold the key, or one that it had before it changed.
    pub(super) fn kill_key(&self) {
        if let Some(key) = self.key.get() {
            key.kill();
        }
        for key in self.former().iter().filter_map(Weak::upgrade) {
            key.kill();
        }
    }

    fn former(&self) -> std::sync::MutexGuard<'_, Vec<Weak<PreparedKey>>> {
        self.former.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the key has changed: operations go on, new ones look it up again.
    pub(super) fn supersede_key(&self) {
        if let Some(key) = self.key.get() {
            key.supersede();
        }
    }
}

impl View {
    pub(super) fn of(caller: Caller, opened: Arc<Opened>, shows: Objects) -> Self {
        Self { caller, opened, shows }
    }

    /// The value of an attribute, in the form for a caller. PKCS#11 3.2, section 5.7.5.
    pub fn attribute(&self, number: u64) -> Result<Zeroizing<Vec<u8>>> {
        let object = &self.opened.object;
        let row = object.row(number).ok_or(Error::AttributeTypeInvalid(number))?;
        if row.secret {
            let value = self.opened.readable_value(&self.caller).ok_or(Error::AttributeSensitive(row.name))?;
            let value = object.secret(value, number).ok_or(Error::AttributeTypeInvalid(number))?;
            return Ok(Zeroizing::new(value.expose().to_vec()));
        }
        let value = object.value(number).ok_or(Error::AttributeTypeInvalid(number))?;
        let bare = row.kind == Kind::Point && self.shows.edwards_points == EdwardsPoints::Raw;
        let value = if bare { object.bare_point().unwrap_or(value) } else { value };
        Ok(Zeroizing::new(row.native(value)))
    }

    /// The template in an attribute, each value in the form for a caller.
    pub fn template(&self, number: u64) -> Result<Attributes> {
        self.opened.object.value(number).ok_or(Error::AttributeTypeInvalid(number))?;
        let inside = self.opened.object.template(number).into_iter();
        Ok(inside.map(|(number, value)| (number, attribute::native(number, &value))).collect())
    }

    /// `C_GetObjectSize`: about the bytes that the object takes in the store, without what sealing adds.
    pub fn size(&self) -> usize {
        let sealed = self.opened.sealed.as_ref().map(SealedMaterial::length);
        let value = sealed.or_else(|| Some(self.opened.key.get()?.material().length())).unwrap_or(0);
        self.opened.object.to_record().len().saturating_add(value)
    }
}
