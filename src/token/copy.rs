//! A token that does not lie in a store, as one in a backup: what it says, and whether it is as it was sealed.

use super::edited;
use super::row::{Label, Pin, TokenRecord};
use super::verify::Finding;
use crate::error::{Error, Result};
use crate::object::{self, Object, is_tombstone};
use crate::seal::{self, Counted, Digest, HostKey, MasterKey, Role, RowHash, Seal, Verified};
use crate::store::{Item, Row};

/// The token row of a copy.
pub struct TokenCopy(TokenRecord);

/// The keys of a copy, which tell whether its rows are genuine, and what has been told of them so far.
pub struct Seals {
    pub(super) seal: Seal,
    /// Of all that was found to be genuine.
    digest: Digest,
    /// As the copy has it.
    sealed: Vec<u8>,
}

impl TokenCopy {
    /// Reads a token row.
    ///
    /// # Errors
    /// [`Error::TokenNotRecognized`] when it is none that this library knows.
    pub fn read(row: &[u8]) -> Result<Self> {
        TokenRecord::decode(row).map(Self)
    }

    /// The label, blank-padded.
    pub fn label(&self) -> &Label {
        &self.0.label
    }

    /// The serial number.
    pub fn serial(&self) -> &[u8; 16] {
        &self.0.serial
    }

    /// Whether the user has a PIN.
    pub fn has_user_pin(&self) -> bool {
        self.0.user.is_some()
    }

    /// The keys, by the PIN of this role, and the host key, where the PIN was set under one. A wrong PIN is counted nowhere, and a
    /// locked one opens: who has a copy can try what he likes.
    ///
    /// # Errors
    /// [`Error::PinIncorrect`], [`Error::UserPinNotInitialized`], [`Error::DeviceError`] when the PIN's row is damaged, or needs another
    /// host key.
    pub fn unlock(&self, role: Role, pin: &[u8], host: Option<&HostKey>) -> Result<Seals> {
        let held = self.pin(role).ok_or(Error::UserPinNotInitialized)?;
        let master = MasterKey::unlock(&held.row, role, pin, &self.0.id, host)?.ok_or(Error::PinIncorrect)?;
        let seal = Seal::new(&master, &self.0.id)?;
        Ok(Seals { seal, digest: Digest::default(), sealed: Vec::new() })
    }

    pub(super) fn record(&self) -> &TokenRecord {
        &self.0
    }

    pub(super) fn pin(&self, role: Role) -> Option<&Pin> {
        self.0.pin(role)
    }
}

impl Seals {
    /// Opens what is in an item, key material too, and looks whether it is found by what it says and by nothing else. All items of the
    /// token are shown to this, each once, before [`missing`](Self::missing) is asked.
    ///
    /// # Errors
    /// [`Error::ObjectDamaged`], naming it; [`Error::DeviceError`] when the token row was edited.
    pub fn check(&mut self, item: &Item) -> Result<()> {
        let (counted, row) = match item {
            Item::Token { row, .. } => {
                self.sealed.clone_from(&row.digest);
                let record = TokenRecord::decode(&row.bytes)?;
                return if self.is_genuine(&record) { Ok(()) } else { Err(edited()) };
            }
            Item::Object { row, .. } => (Counted::Object, row),
            Item::Tombstone { row, .. } => (Counted::Tombstone, row),
        };
        if self.judge(counted, row)? == Verified::Yes {
            self.digest.add(&self.seal, counted, row.id, row.version, &RowHash::of(&row.record));
        }
        Ok(())
    }

    /// Whether something is missing, or was put back as it was before; none if not.
    pub fn missing(&self) -> Option<Finding> {
        match Digest::open(&self.seal, &self.sealed) {
            None => Some(Finding::DigestEdited),
            Some(sealed) => (sealed != self.digest).then_some(Finding::DigestDiffers),
        }
    }

    /// Whether a login stands behind an object or a tombstone.
    ///
    /// # Errors
    /// [`Error::ObjectDamaged`], naming it, when anything is not as it was sealed.
    pub(super) fn judge(&self, what: Counted, row: &Row) -> Result<Verified> {
        let opened = seal::open(Some(&self.seal), row.id, row.version, &row.terms, &row.record)?;
        let opened = opened.ok_or_else(|| damaged(row, "it does not open"))?;
        if what == Counted::Tombstone {
            let sound = is_tombstone(&opened.body) && opened.material.is_none();
            return if sound {
                Ok(opened.verified)
            } else {
                Err(damaged(row, "what is left of it says something else"))
            };
        }
        let object = Object::from_record(row.id, row.version, &opened.body)?;
        if opened.verified != Verified::Yes && !object.shows_its_key() {
            return Err(damaged(row, "it shows another key than it holds"));
        }
        match &opened.material {
            Some(material) => material.check(&self.seal)?,
            None if object.class.is_secret() => return Err(damaged(row, "it is a key without a value")),
            None => {}
        }
        match object::terms(&object, Some(&self.seal)) == row.terms {
            true => Ok(opened.verified),
            false => Err(damaged(row, "it is not found by what it is called")),
        }
    }

    /// Whether a token row says what it said when a login's keys were last used on it.
    pub(super) fn is_genuine(&self, record: &TokenRecord) -> bool {
        self.seal.is_token_row(&record.facts(), &record.mac)
    }
}

fn damaged(row: &Row, why: &str) -> Error {
    Error::ObjectDamaged(format!("object {} is damaged: {why}", row.id).into())
}
