//! The two halves of a key pair, of whatever family.

use super::Rejected;
use super::ec::{EcPrivateKey, EcPublicKey};
use super::edwards::{Ed25519PrivateKey, Ed25519PublicKey};
use super::montgomery::{X25519PrivateKey, X25519PublicKey};
use super::rsa::{RsaPrivateKey, RsaPublicKey};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// A private key, parsed and ready.
// Made once for each key and kept in a box there.
#[allow(clippy::large_enum_variant)]
pub enum PrivateKey {
    /// RSA.
    Rsa(RsaPrivateKey),
    /// On a Weierstrass curve.
    Ec(EcPrivateKey),
    /// Ed25519.
    Ed25519(Ed25519PrivateKey),
    /// X25519.
    X25519(X25519PrivateKey),
}

/// A public key, parsed and ready.
pub enum PublicKey {
    /// RSA.
    Rsa(RsaPublicKey),
    /// On a Weierstrass curve.
    Ec(EcPublicKey),
    /// Ed25519.
    Ed25519(Ed25519PublicKey),
    /// X25519.
    X25519(X25519PublicKey),
}

impl PrivateKey {
    /// Reads a `PrivateKeyInfo`. RFC 5208, section 5; RFC 5958, section 2.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Rejected> {
        let rsa = || RsaPrivateKey::from_pkcs8(der).map(Self::Rsa);
        let ec = |_| EcPrivateKey::from_pkcs8(der).map(Self::Ec);
        let edwards = |_| Ed25519PrivateKey::from_pkcs8(der).map(Self::Ed25519);
        let montgomery = |_| X25519PrivateKey::from_pkcs8(der).map(Self::X25519);
        rsa().or_else(ec).or_else(edwards).or_else(montgomery)
    }

    /// The key as a `PrivateKeyInfo`.
    pub fn to_pkcs8(&self) -> Result<Secret> {
        match self {
            Self::Rsa(key) => key.to_pkcs8(),
            Self::Ec(key) => key.to_pkcs8(),
            Self::Ed25519(key) => Ok(key.to_pkcs8()),
            Self::X25519(key) => Ok(key.to_pkcs8()),
        }
    }

    /// The other half.
    pub fn public(&self) -> Result<PublicKey> {
        Ok(match self {
            Self::Rsa(key) => PublicKey::Rsa(rsa_public(key)?),
            Self::Ec(key) => PublicKey::Ec(key.public()?),
            Self::Ed25519(key) => PublicKey::Ed25519(key.public()),
            Self::X25519(key) => PublicKey::X25519(key.public()),
        })
    }
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo`. RFC 5280, section 4.1.
    pub fn from_spki(der: &[u8]) -> Result<Self, Rejected> {
        let rsa = || RsaPublicKey::from_spki(der).map(Self::Rsa);
        let ec = |_| EcPublicKey::from_spki(der).map(Self::Ec);
        let edwards = |_| Ed25519PublicKey::from_spki(der).map(Self::Ed25519);
        let montgomery = |_| X25519PublicKey::from_spki(der).map(Self::X25519);
        rsa().or_else(ec).or_else(edwards).or_else(montgomery)
    }

    /// The key as a `SubjectPublicKeyInfo`.
    pub fn to_spki(&self) -> Result<Vec<u8>> {
        match self {
            Self::Rsa(key) => key.to_spki(),
            Self::Ec(key) => key.to_spki(),
            Self::Ed25519(key) => Ok(key.to_spki()),
            Self::X25519(key) => Ok(key.to_spki()),
        }
    }
}

/// A public key of its own, for it holds what AWS-LC parsed.
fn rsa_public(key: &RsaPrivateKey) -> Result<RsaPublicKey> {
    let (modulus, exponent) = (key.public().modulus(), key.public().exponent());
    let key = RsaPublicKey::from_components(modulus, exponent);
    key.map_err(|Rejected| Error::GeneralError("an RSA key's public half is rejected".into()))
}
