//! The public keys of modules, and the other side of a key agreement.

use std::ptr;

use aws_lc_sys::*;

use super::pair::{LONGEST, ec, empty, sha256};
use super::{Context, done};
use crate::bench::operation::Pair;
use crate::failure::{Failure, Result};

/// The public key of a pair that a module has.
pub struct Public(Key);

enum Key {
    Rsa(Context<RSA>),
    Ec(Context<EC_KEY>),
    Ed25519([u8; 32]),
}

impl Public {
    /// An RSA key from `CKA_MODULUS` and `CKA_PUBLIC_EXPONENT`.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self> {
        // SAFETY: both numbers are valid for their lengths; the new key has copies of its own.
        let key = unsafe { RSA_new_public_key(number(modulus)?.get(), number(exponent)?.get()) };
        if key.is_null() { Err(Failure::wrong_result("the modulus is none")) } else { Ok(Self(Key::Rsa(Context(key)))) }
    }

    /// A key from `CKA_EC_POINT`, of which some modules make an OCTET STRING and others not.
    pub fn point(pair: Pair, point: &[u8]) -> Result<Self> {
        let inside = match point {
            [OCTET_STRING, length, inside @ ..] if usize::from(*length) == inside.len() => inside,
            _ => point,
        };
        // The first byte of an uncompressed point is that of an OCTET STRING.
        let raw = if point.len() == point_length(pair) { point } else { inside };
        if pair == Pair::Ed25519 {
            let key = raw.try_into().map_err(|_| Failure::wrong_result("the public key has not 32 bytes"))?;
            return Ok(Self(Key::Ed25519(key)));
        }
        let key = empty(pair)?;
        // SAFETY: the point is valid for its length; the key has a copy of it.
        let taken = unsafe {
            let group = EC_KEY_get0_group(key.get());
            let decoded = Context::new(EC_POINT_new(group))?;
            let taken = EC_POINT_oct2point(group, decoded.get(), raw.as_ptr(), raw.len(), ptr::null_mut())
                & EC_KEY_set_public_key(key.get(), decoded.get());
            EC_POINT_free(decoded.get());
            taken
        };
        done(taken).map_err(|_| Failure::wrong_result("the public key is no point of its curve"))?;
        Ok(Self(Key::Ec(key)))
    }

    /// Whether a signature is right.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        // SAFETY: message and signature are valid for their lengths, and the keys are valid.
        let is_right = unsafe {
            match &self.0 {
                Key::Rsa(key) => {
                    let (digest, from) = (sha256(message), signature.as_ptr());
                    RSA_verify(NID_sha256, digest.as_ptr(), digest.len(), from, signature.len(), key.get())
                }
                Key::Ec(key) => {
                    let signature = decoded(signature)?;
                    let is_right = ECDSA_do_verify(message.as_ptr(), message.len(), signature.get(), key.get());
                    ECDSA_SIG_free(signature.get());
                    is_right
                }
                Key::Ed25519(key) if signature.len() == 64 => {
                    ED25519_verify(message.as_ptr(), message.len(), signature.as_ptr(), key.as_ptr())
                }
                Key::Ed25519(_) => 0,
            }
        };
        done(is_right).map_err(|_| Failure::wrong_result("a signature does not verify"))
    }

    /// The message, encrypted with RSA-OAEP and SHA-1.
    pub fn encrypt(&self, message: &[u8]) -> Result<Vec<u8>> {
        let Key::Rsa(key) = &self.0 else { return Err(Failure::new("such a key cannot do that")) };
        let (mut ciphertext, mut length) = (vec![0; LONGEST], 0);
        let (into, from, size) = (ciphertext.as_mut_ptr(), message.as_ptr(), message.len());
        // SAFETY: message and buffer are valid for their lengths.
        done(unsafe { RSA_encrypt(key.get(), &mut length, into, LONGEST, from, size, RSA_PKCS1_OAEP_PADDING) })?;
        ciphertext.truncate(length);
        Ok(ciphertext)
    }
}

/// The other side of a key agreement.
pub struct Peer(Context<EC_KEY>);

impl Peer {
    /// A side with a new key.
    pub fn new(pair: Pair) -> Result<Self> {
        Ok(Self(ec(pair)?))
    }

    /// Its public key as an OCTET STRING, which every module takes.
    pub fn point(&self) -> Vec<u8> {
        let mut encoded = vec![0; LONGEST];
        let (form, into) = (point_conversion_form_t::POINT_CONVERSION_UNCOMPRESSED, encoded.as_mut_ptr());
        // SAFETY: group and point live as long as the key, and the buffer is valid for its length.
        let length = unsafe {
            let (group, point) = (EC_KEY_get0_group(self.0.get()), EC_KEY_get0_public_key(self.0.get()));
            EC_POINT_point2oct(group, point, form, into, encoded.len(), ptr::null_mut())
        };
        encoded.truncate(length);
        [OCTET_STRING, u8::try_from(length).unwrap_or_default()].into_iter().chain(encoded).collect()
    }

    /// The first 32 bytes of the secret that it shares with the owner of this key.
    pub fn secret(&self, other: &Public) -> Result<[u8; 32]> {
        let Key::Ec(other) = &other.0 else { return Err(Failure::new("such a key cannot do that")) };
        let mut secret = [0; 32];
        // SAFETY: the buffer is valid for its length, and the keys are valid.
        let written = unsafe {
            let point = EC_KEY_get0_public_key(other.get());
            ECDH_compute_key(secret.as_mut_ptr().cast(), secret.len(), point, self.0.get(), None)
        };
        done((written == 32).into()).map(|()| secret)
    }
}

const OCTET_STRING: u8 = 4;

/// How long a point is that is no OCTET STRING.
fn point_length(pair: Pair) -> usize {
    match pair {
        Pair::P256 => 65,
        Pair::P384 => 97,
        Pair::Ed25519 | Pair::Rsa(_) => 32,
    }
}

/// A number from its big-endian bytes.
fn number(bytes: &[u8]) -> Result<Context<BIGNUM>> {
    // SAFETY: the bytes are valid for their length, and a new number is made.
    Context::new(unsafe { BN_bin2bn(bytes.as_ptr(), bytes.len(), ptr::null_mut()) })
}

/// An ECDSA signature of two numbers of equal length.
fn decoded(signature: &[u8]) -> Result<Context<ECDSA_SIG>> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let (r, s) = (number(r)?, number(s)?);
    // SAFETY: the new signature owns both numbers from then on.
    unsafe {
        let decoded = Context::new(ECDSA_SIG_new())?;
        done(ECDSA_SIG_set0(decoded.get(), r.get(), s.get())).map(|()| decoded)
    }
}
