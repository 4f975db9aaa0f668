//! The master key of a token, and how a PIN holds it.

use super::{HostKey, KEY, PinRow, TokenId};
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

    /// Locks the master key under a PIN, and a host key if there is one, with a fresh salt. Takes as long as `cost` says.
    ///
    /// Errors: [`Error::GeneralError`] for a cost that is not valid, [`Error::HostMemory`] where it cannot be had, and those of
    /// [`HostKey`].
    pub fn lock(
        &self,
        role: Role,
        pin: &[u8],
        token: &TokenId,
        cost: Argon2Cost,
        host: Option<&HostKey>,
    ) -> Result<PinRow> {
        let salt = random::bytes()?;
        let host_key = host.map(|host| host.id(token)).transpose()?;
        let kek = key_encryption_key(role, pin, token, &salt, cost, host)?;
        let wrapped = kek.wrap_padded(self.0.expose()).map_err(|_| Error::GeneralError("key wrap failed".into()))?;
        Ok(PinRow { salt, cost, wrapped, host_key })
    }

    /// Unlocks the master key with a PIN; `None` when it is wrong, or the row is another role's or token's, or was
    /// tampered with: no one can tell these apart.
    ///
    /// Errors: [`Error::DeviceError`] when no PIN can fit, since the row is damaged or the host key that it asks for is not the one
    /// that is given; [`Error::HostMemory`].
    pub fn unlock(
        row: &PinRow,
        role: Role,
        pin: &[u8],
        token: &TokenId,
        host: Option<&HostKey>,
    ) -> Result<Option<Self>> {
        if !row.cost.is_valid() || row.wrapped.len() != KEY + 8 {
            return Err(Error::DeviceError("a PIN row is damaged".into()));
        }
        let host = row.host_key.map(|id| HostKey::asked_for(host, &id, token)).transpose()?;
        let kek = key_encryption_key(role, pin, token, &row.salt, row.cost, host)?;
        let master = kek.unwrap_padded(&row.wrapped).ok();
        Ok(master.filter(|master| master.len() == KEY).map(Self))
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.0
    }
}

/// The PIN, made expensive to guess, bound to token and role; with the host key it cannot be guessed at all without that.
fn key_encryption_key(
    role: Role,
    pin: &[u8],
    token: &TokenId,
    salt: &[u8],
    cost: Argon2Cost,
    host: Option<&HostKey>,
) -> Result<WrapKey> {
    let label: &[u8] = match (role, host) {
        (Role::So, None) => b"keystead 1 kek so",
        (Role::User, None) => b"keystead 1 kek user",
        (Role::So, Some(_)) => b"keystead 1 kek so host",
        (Role::User, Some(_)) => b"keystead 1 kek user host",
    };
    let hashed = argon2id(pin, salt, cost)?;
    let input = match host {
        Some(host) => host.behind(&hashed)?,
        None => hashed,
    };
    let kek = hkdf_sha256(&input, &token.0, &[label], KEY)?;
    WrapKey::new(kek.expose()).map_err(|_| Error::GeneralError("HKDF gave a key of another length".into()))
}
