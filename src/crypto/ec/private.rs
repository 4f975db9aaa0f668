//! Private keys.

use super::{Curve, EcPublicKey, ID_EC_PUBLIC_KEY};
use crate::crypto::der::{EcPrivateKeyInfo, PrivateKeyInfo};
use crate::crypto::ffi::ec::Key;
use crate::crypto::{Rejected, random};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// A private key, with its public key.
pub struct EcPrivateKey(Key);

impl EcPrivateKey {
    /// A new key: FIPS 186-5, appendix A.2.2, with the operating system's randomness.
    ///
    /// Errors: those of [`random::fill`].
    pub fn generate(curve: Curve) -> Result<Self> {
        // A candidate has as many bits as the order, and is above it less often than not (brainpoolP384r1: 45 in 100).
        for _ in 0..TRIES {
            let mut scalar = random::secret(curve.bytes())?;
            if let Some(first) = scalar.expose_mut().first_mut() {
                *first &= u8::MAX >> (8 * curve.bytes()).saturating_sub(curve.bits());
            }
            if let Ok(key) = Self::from_scalar(curve, scalar.expose()) {
                return Ok(key);
            }
        }
        Err(Error::FunctionFailed("no randomness: the operating system's makes no key".into()))
    }

    /// Takes a scalar, a big-endian number from 1 to the order less 1, of any length up to [`LONGEST_SCALAR`].
    pub fn from_scalar(curve: Curve, scalar: &[u8]) -> Result<Self, Rejected> {
        if scalar.len() > LONGEST_SCALAR {
            return Err(Rejected);
        }
        Key::from_scalar(curve, scalar).map(Self)
    }

    /// Reads a private key as RFC 5915 has it, in a PrivateKeyInfo (RFC 5208) or OneAsymmetricKey (RFC 5958). The curve
    /// has to be named; where it is named again inside it has to be the same, and a public key that comes along has to
    /// belong to the private one.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Rejected> {
        let info = PrivateKeyInfo::read(der)?;
        let inner = EcPrivateKeyInfo::read(info.private_key)?;
        let curve = Curve::from_oid(info.parameters).ok_or(Rejected)?;
        let named_again = inner.parameters.is_none_or(|parameters| parameters == info.parameters);
        if info.algorithm != ID_EC_PUBLIC_KEY || !named_again {
            return Err(Rejected);
        }
        let key = Self::from_scalar(curve, inner.private_key)?;
        for public in [info.public_key, inner.public_key].into_iter().flatten() {
            if !key.0.has_point_of(&Key::from_point(curve, public)?) {
                return Err(Rejected);
            }
        }
        Ok(key)
    }

    /// A PrivateKeyInfo (RFC 5208) with the key as RFC 5915 has it, the public key inside; the curve is named once.
    ///
    /// Errors: [`Error::HostMemory`].
    pub fn to_pkcs8(&self) -> Result<Secret> {
        self.0.to_pkcs8().ok_or(Error::HostMemory("a private key"))
    }

    /// The curve.
    pub fn curve(&self) -> Curve {
        self.0.curve()
    }

    /// The scalar, big-endian, [`Curve::bytes`] long.
    ///
    /// Errors: [`Error::HostMemory`].
    pub fn scalar(&self) -> Result<Secret> {
        self.0.scalar().ok_or(Error::HostMemory("a private key"))
    }

    /// The public key.
    ///
    /// Errors: [`Error::HostMemory`].
    pub fn public(&self) -> Result<EcPublicKey> {
        self.0.public().map(EcPublicKey)
    }

    /// Signs a digest of any length with ECDSA: FIPS 186-5, section 6.4.1. Of a digest longer than the order in bits,
    /// the leftmost bits count. `signature` becomes r and s, big-endian, and has to have twice [`Curve::bytes`].
    ///
    /// The nonce is AWS-LC's, hedged: a SHA-512 of private key and digest goes into its generator beside fresh
    /// randomness (ECDSA_do_sign in crypto/fipsmodule/ecdsa/ecdsa.c), so that a nonce shared by two digests would need
    /// more than a generator that repeats itself.
    ///
    /// Errors: [`Error::HostMemory`], [`Error::BufferTooSmall`].
    pub fn sign(&self, digest: &[u8], signature: &mut [u8]) -> Result<()> {
        match signature.split_at_mut_checked(self.curve().bytes()) {
            Some((r, s)) if r.len() == s.len() => self.0.sign(digest, r, s),
            _ => Err(Error::BufferTooSmall),
        }
    }

    /// The secret shared with `peer`, the x coordinate of the common point: SP 800-56A, section 5.7.1.2. It has
    /// [`Curve::bytes`] bytes, zeros in front included. Rejects a key of another curve.
    pub fn agree(&self, peer: &EcPublicKey) -> Result<Secret, Rejected> {
        self.0.agree(&peer.0)
    }
}

/// What is taken for a scalar, in bytes: others put any number of zeros in front.
pub const LONGEST_SCALAR: usize = 1024;

/// The chance that all of them fail is below 2^-128, if there is randomness.
const TRIES: usize = 128;
