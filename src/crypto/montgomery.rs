//! X25519 (RFC 7748).

use super::edwards::{private_key, public_key, to_pkcs8, to_spki};
use super::ffi::curve25519::{x25519, x25519_public};
use super::{Rejected, random};
use crate::error::Result;
use crate::secret::Secret;

/// The length of keys of both kinds and of a shared secret in bytes.
pub const KEY_LEN: usize = 32;

/// A private key.
pub struct X25519PrivateKey(Secret);

impl X25519PrivateKey {
    /// A new key.
    ///
    /// Errors: those of [`random::fill`].
    pub fn generate() -> Result<Self> {
        random::secret(KEY_LEN).map(Self)
    }

    /// Takes any 32 bytes: RFC 7748, section 5, says how they are made a scalar.
    pub fn from_bytes(bytes: &[u8; KEY_LEN]) -> Self {
        Self(Secret::from_slice(bytes))
    }

    /// Reads a private key as RFC 8410, section 7, has it; a public key that comes along has to belong to it.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Rejected> {
        let (bytes, public) = private_key(der, &ID_X25519)?;
        let key = Self::from_bytes(bytes);
        if public.is_none_or(|public| public == key.public().0) { Ok(key) } else { Err(Rejected) }
    }

    /// A PrivateKeyInfo, without the public key: RFC 8410, section 7.
    pub fn to_pkcs8(&self) -> Secret {
        to_pkcs8(&ID_X25519, self.0.expose())
    }

    /// The bytes, as they were given.
    pub fn bytes(&self) -> &[u8] {
        self.0.expose()
    }

    /// The public key.
    pub fn public(&self) -> X25519PublicKey {
        X25519PublicKey(x25519_public(self.array()))
    }

    /// The secret shared with `peer`. Rejects a peer of small order, with whom everybody shares zero: RFC 7748,
    /// section 6.1.
    pub fn agree(&self, peer: &X25519PublicKey) -> Result<Secret, Rejected> {
        x25519(self.array(), &peer.0)
    }

    fn array(&self) -> &[u8; KEY_LEN] {
        self.0.expose().first_chunk().unwrap_or(&[0; KEY_LEN])
    }
}

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub struct X25519PublicKey([u8; KEY_LEN]);

impl X25519PublicKey {
    /// Takes any 32 bytes: each is a u coordinate of the curve or its twist.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Rejected> {
        bytes.try_into().map(Self).map_err(|_| Rejected)
    }

    /// The u coordinate, as it was given.
    pub fn to_bytes(&self) -> [u8; KEY_LEN] {
        self.0
    }

    /// Reads a SubjectPublicKeyInfo: RFC 8410, section 4.
    pub fn from_spki(der: &[u8]) -> Result<Self, Rejected> {
        public_key(der, &ID_X25519).map(Self)
    }

    /// The SubjectPublicKeyInfo: RFC 8410, section 4.
    pub fn to_spki(&self) -> Vec<u8> {
        to_spki(&ID_X25519, &self.0)
    }
}

/// The contents of id-X25519: RFC 8410, section 3.
const ID_X25519: [u8; 3] = [0x2b, 0x65, 0x6e];
