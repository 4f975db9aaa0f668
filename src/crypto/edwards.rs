//! Ed25519 (RFC 8032), in its three forms.

use super::Rejected;
use super::der::{PrivateKeyInfo, PublicKeyInfo, octet_string};
use super::ffi::bn::Number;
use super::ffi::curve25519::{Ed25519Pair, ed25519_verify};
use super::{empty_context, random};
use crate::error::{Error, Result};
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
        let seed = seed.expose().first_chunk().ok_or(Error::HostMemory("a seed"))?;
        Ok(Self::from_seed(seed))
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
    /// Takes an encoded point: RFC 8032, section 5.1.2. Rejects what decodes to none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Rejected> {
        let bytes = bytes.try_into().map_err(|_| Rejected)?;
        if is_point(&bytes) == Some(true) { Ok(Self(bytes)) } else { Err(Rejected) }
    }

    /// The encoded point.
    pub fn to_bytes(&self) -> [u8; KEY_LEN] {
        self.0
    }

    /// Reads a SubjectPublicKeyInfo: RFC 8410, section 4.
    pub fn from_spki(der: &[u8]) -> Result<Self, Rejected> {
        Self::from_bytes(&public_key(der, &ID_ED25519)?)
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

/// Whether there is such a point, that is, x squared is a square: RFC 8032, section 5.1.3. `None` if there is no memory.
fn is_point(encoded: &[u8; KEY_LEN]) -> Option<bool> {
    let mut y = *encoded;
    y.reverse();
    let [first, ..] = &mut y;
    let x_is_odd = *first & 0x80 != 0;
    *first &= 0x7f;
    let (y, prime, d) = (Number::new(&y)?, Number::new(&PRIME)?, Number::new(&D)?);
    if y >= prime {
        return Some(false);
    }
    let y_squared = y.times(&y)?.divided_by(&prime)?.1;
    // x squared is u / v, which is a square if and only if u v is.
    let u = if y_squared.is_zero() { prime.minus_word(1)? } else { y_squared.minus_word(1)? };
    let v = d.times(&y_squared)?.plus_one()?;
    if u.is_zero() {
        return Some(!x_is_odd);
    }
    // Euler's criterion.
    Some(u.times(&v)?.power_modulo(&prime.half()?, &prime)? == Number::small(1)?)
}

/// 2^255 - 19.
const PRIME: [u8; KEY_LEN] = {
    let mut prime = [0xff; KEY_LEN];
    [prime[0], prime[KEY_LEN - 1]] = [0x7f, 0xed];
    prime
};

/// The curve's constant, -121665 / 121666: RFC 8032, section 5.1.
const D: [u8; KEY_LEN] = [
    0x52, 0x03, 0x6c, 0xee, 0x2b, 0x6f, 0xfe, 0x73, 0x8c, 0xc7, 0x40, 0x79, 0x77, 0x79, 0xe8, 0x98, 0x00, 0x70, 0x0a,
    0x4d, 0x41, 0x41, 0xd8, 0xab, 0x75, 0xeb, 0x4d, 0xca, 0x13, 0x59, 0x78, 0xa3,
];

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
