//! Ed25519 (RFC 8032), in its three forms.

use super::Rejected;
use super::der::{PrivateKeyInfo, PublicKeyInfo, octet_string};
use super::ffi::curve25519::{Ed25519Pair, ed25519_verify};
use super::{empty_context, random};
use crate::error::Result;
use crate::secret::Secret;

/// The length of a seed and of a public key in bytes.
pub const KEY_LEN: usize = 32;

/// The length of a signature in bytes.
pub const SIGNATURE_LEN: usize = 64;

/// Which of the signature schemes of RFC 8032, section 5.1. A signature of one holds in no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form<'a> {
    /// Ed25519.
    Pure,
    /// Ed25519ctx, with a context of up to 255 bytes.
    Context(&'a [u8]),
    /// Ed25519ph, with a context of up to 255 bytes. What is signed is the SHA-512 of the message.
    Prehashed(&'a [u8]),
}

/// A private key, with its public key.
pub struct Ed25519PrivateKey(Ed25519Pair);

impl Ed25519PrivateKey {
    /// A new key.
    ///
    /// Errors: those of [`random::fill`].
    pub fn generate() -> Result<Self> {
        let seed = random::secret(KEY_LEN)?;
        Ok(Self::from_seed(seed.expose().first_chunk().unwrap_or(&[0; KEY_LEN])))
    }

    /// The key of this seed, which is what RFC 8032 calls the private key.
    pub fn from_seed(seed: &[u8; KEY_LEN]) -> Self {
        Self(Ed25519Pair::from_seed(seed))
    }

    /// Reads a private key as RFC 8410, section 7, has it; a public key that comes along has to belong to it.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Rejected> {
        let (seed, public) = private_key(der, &ID_ED25519)?;
        let key = Self::from_seed(seed);
        if public.is_none_or(|public| public == key.0.public()) { Ok(key) } else { Err(Rejected) }
    }

    /// A PrivateKeyInfo, without the public key: RFC 8410, section 7.
    pub fn to_pkcs8(&self) -> Secret {
        to_pkcs8(&ID_ED25519, self.seed())
    }

    /// The seed, of [`KEY_LEN`] bytes.
    pub fn seed(&self) -> &[u8] {
        self.0.seed()
    }

    /// The public key.
    pub fn public(&self) -> Ed25519PublicKey {
        Ed25519PublicKey(self.0.public())
    }

    /// Signs `message`; of [`Form::Prehashed`] that is the SHA-512. Rejects a context or a digest of a wrong length.
    pub fn sign(&self, form: Form, message: &[u8]) -> Result<[u8; SIGNATURE_LEN], Rejected> {
        match form {
            Form::Context([]) => empty_context::sign(self.0.seed(), message),
            _ => self.0.sign(form, message),
        }
    }
}

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub struct Ed25519PublicKey([u8; KEY_LEN]);

impl Ed25519PublicKey {
    /// Takes an encoded point. Whether it is one, [`verify`](Self::verify) will see.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Rejected> {
        bytes.try_into().map(Self).map_err(|_| Rejected)
    }

    /// The encoded point.
    pub fn to_bytes(&self) -> [u8; KEY_LEN] {
        self.0
    }

    /// Reads a SubjectPublicKeyInfo: RFC 8410, section 4.
    pub fn from_spki(der: &[u8]) -> Result<Self, Rejected> {
        public_key(der, &ID_ED25519).map(Self)
    }

    /// The SubjectPublicKeyInfo: RFC 8410, section 4.
    pub fn to_spki(&self) -> Vec<u8> {
        to_spki(&ID_ED25519, &self.0)
    }

    /// Verifies the signature of `message`; of [`Form::Prehashed`] that is the SHA-512.
    pub fn verify(&self, form: Form, message: &[u8], signature: &[u8]) -> Result<(), Rejected> {
        let signature = signature.try_into().map_err(|_| Rejected)?;
        match form {
            Form::Context([]) => empty_context::verify(&self.0, message, signature),
            _ => ed25519_verify(&self.0, form, message, signature),
        }
    }
}

/// The contents of id-Ed25519: RFC 8410, section 3.
const ID_ED25519: [u8; 3] = [0x2b, 0x65, 0x70];

/// Reads a private key of RFC 8410: 32 bytes, and the public key if it comes along.
pub(super) fn private_key<'a>(
    der: &'a [u8],
    algorithm: &[u8; 3],
) -> Result<(&'a [u8; KEY_LEN], Option<&'a [u8]>), Rejected> {
    let info = PrivateKeyInfo::read(der)?;
    if info.algorithm != algorithm || !info.parameters.is_empty() {
        return Err(Rejected);
    }
    let private = octet_string(info.private_key)?.try_into().map_err(|_| Rejected)?;
    Ok((private, info.public_key))
}

/// Reads a public key of RFC 8410.
pub(super) fn public_key(der: &[u8], algorithm: &[u8; 3]) -> Result<[u8; KEY_LEN], Rejected> {
    let info = PublicKeyInfo::read(der)?;
    if info.algorithm != algorithm || !info.parameters.is_empty() {
        return Err(Rejected);
    }
    info.public_key.try_into().map_err(|_| Rejected)
}

/// A private key of RFC 8410: all lengths are known.
pub(super) fn to_pkcs8(&[a, b, c]: &[u8; 3], key: &[u8]) -> Secret {
    let before = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, a, b, c, 0x04, 0x22, 0x04, 0x20];
    Secret::new([&before, key].concat())
}

/// A public key of RFC 8410: all lengths are known.
pub(super) fn to_spki(&[a, b, c]: &[u8; 3], key: &[u8]) -> Vec<u8> {
    let before = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, a, b, c, 0x03, 0x21, 0x00];
    [&before, key].concat()
}
