//! The master key of a token, and how a PIN holds it.

use super::{KEY, PinRow, TokenId};
use crate::crypto::kdf::{Argon2Cost, argon2id, hkdf_sha256};
use crate::crypto::keywrap::WrapKey;
use crate::crypto::random;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Whose PIN it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The security officer.
    So,
    /// The user.
    User,
}

/// A token's master key, from which all others are derived. Made once, at initialisation; both roles hold it, so an SO
/// can become the user.
pub struct MasterKey(Secret);

impl MasterKey {
    /// A fresh random one of 256 bits.
    pub fn generate() -> Result<Self> {
        random::secret(KEY).map(Self)
    }

    /// Locks the master key under a PIN, with a fresh salt. Takes as long as `cost` says.
    ///
    /// Errors: [`Error::GeneralError`] for a cost that is not valid, [`Error::HostMemory`] where it cannot be had.
    pub fn lock(&self, role: Role, pin: &[u8], token: &TokenId, cost: Argon2Cost) -> Result<PinRow> {
        let salt = random::bytes()?;
        let kek = key_encryption_key(role, pin, token, &salt, cost)?;
        let wrapped = kek.wrap_padded(self.0.expose()).map_err(|_| Error::GeneralError("key wrap failed".into()))?;
        Ok(PinRow { salt, cost, wrapped })
    }

    /// Unlocks the master key with a PIN; `None` when it is wrong, or the row is another role's or token's, or was
    /// tampered with: no one can tell these apart.
    ///
    /// Errors: [`Error::DeviceError`] when the row is damaged so that no PIN can fit, [`Error::HostMemory`].
    pub fn unlock(row: &PinRow, role: Role, pin: &[u8], token: &TokenId) -> Result<Option<Self>> {
        if !row.cost.is_valid() || row.wrapped.len() != KEY + 8 {
            return Err(Error::DeviceError("a PIN row is damaged".into()));
        }
        let kek = key_encryption_key(role, pin, token, &row.salt, row.cost)?;
        let master = kek.unwrap_padded(&row.wrapped).ok();
        Ok(master.filter(|master| master.len() == KEY).map(Self))
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.0
    }
}

/// The PIN, made expensive to guess, bound to token and role.
fn key_encryption_key(role: Role, pin: &[u8], token: &TokenId, salt: &[u8], cost: Argon2Cost) -> Result<WrapKey> {
    let label: &[u8] = match role {
        Role::So => b"keystead 1 kek so",
        Role::User => b"keystead 1 kek user",
    };
    let hashed = argon2id(pin, salt, cost)?;
    let kek = hkdf_sha256(&hashed, &token.0, &[label], KEY)?;
    WrapKey::new(kek.expose()).map_err(|_| Error::GeneralError("HKDF gave a key of another length".into()))
}
