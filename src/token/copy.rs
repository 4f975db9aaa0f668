//! A token that does not lie in a store, as one in a backup: what it says, and whether it is as it was sealed.

use super::row::{Label, TokenRecord};
use crate::error::{Error, Result};
use crate::object::{Object, is_tombstone};
use crate::seal::{self, HostKey, MasterKey, Role, Seal};
use crate::store::{Item, Row};

/// The token row of a copy.
pub struct TokenCopy(TokenRecord);

/// The keys of a copy, which tell whether its rows are genuine.
pub struct Seals(Seal);

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

    /// The keys, by the user's PIN, and the host key, where the PIN was set under one. A wrong PIN is counted nowhere, and a locked one opens: who has a copy can try what he
    /// likes.
    ///
    /// # Errors
    /// [`Error::PinIncorrect`], [`Error::UserPinNotInitialized`], [`Error::DeviceError`] when the PIN's row is damaged, or needs another
    /// host key.
    pub fn unlock(&self, pin: &[u8], host: Option<&HostKey>) -> Result<Seals> {
        let user = self.0.user.as_ref().ok_or(Error::UserPinNotInitialized)?;
        let master = MasterKey::unlock(&user.row, Role::User, pin, &self.0.id, host)?.ok_or(Error::PinIncorrect)?;
        Seal::new(&master, &self.0.id).map(Seals)
    }
}

impl Seals {
    /// Opens an object or a tombstone, key material too, and reads what is in it.
    ///
    /// # Errors
    /// [`Error::ObjectDamaged`], naming it.
    pub fn check(&self, item: &Item) -> Result<()> {
        match item {
            Item::Token { .. } => Ok(()),
            Item::Object { row, .. } => {
                let opened = self.open(row)?;
                Object::from_record(row.id, row.version, &opened.body)?;
                opened.material.map_or(Ok(()), |material| material.check(&self.0))
            }
            Item::Tombstone { row, .. } => match is_tombstone(&self.open(row)?.body) {
                true => Ok(()),
                false => Err(damaged(row, "what is left of it says something else")),
            },
        }
    }

    fn open(&self, row: &Row) -> Result<seal::Opened> {
        seal::open(Some(&self.0), row.id, row.version, &row.terms, &row.record)?
            .ok_or_else(|| damaged(row, "it does not open"))
    }
}

fn damaged(row: &Row, why: &str) -> Error {
    Error::ObjectDamaged(format!("object {} is damaged: {why}", row.id).into())
}
