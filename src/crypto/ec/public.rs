//! Public keys.

use super::{Curve, ID_EC_PUBLIC_KEY};
use crate::crypto::Rejected;
use crate::crypto::der::PublicKeyInfo;
use crate::crypto::ffi::ec::Key;
use crate::error::{Error, Result};

/// A public key: a point that is on its curve, and not infinity.
pub struct EcPublicKey(pub(super) Key);

impl EcPublicKey {
    /// Reads a point: SEC 1, section 2.3.4, uncompressed or compressed. The hybrid form is rejected.
    pub fn from_point(curve: Curve, point: &[u8]) -> Result<Self, Rejected> {
        Key::from_point(curve, point).map(Self)
    }

    /// Reads a SubjectPublicKeyInfo: RFC 5480. The curve has to be named.
    pub fn from_spki(der: &[u8]) -> Result<Self, Rejected> {
        let info = PublicKeyInfo::read(der)?;
        let curve = Curve::from_oid(info.parameters).ok_or(Rejected)?;
        if info.algorithm != ID_EC_PUBLIC_KEY {
            return Err(Rejected);
        }
        Self::from_point(curve, info.public_key)
    }

    /// The SubjectPublicKeyInfo: RFC 5480, with the point uncompressed.
    ///
    /// Errors: [`Error::HostMemory`].
    pub fn to_spki(&self) -> Result<Vec<u8>> {
        let der = self.0.to_spki().ok_or(Error::HostMemory("a public key"))?;
        Ok(der.expose().to_vec())
    }

    /// The curve.
    pub fn curve(&self) -> Curve {
        self.0.curve()
    }

    /// The point, uncompressed.
    ///
    /// Errors: [`Error::HostMemory`].
    pub fn point(&self) -> Result<Vec<u8>> {
        self.0.point()
    }

    /// Verifies an ECDSA signature: FIPS 186-5, section 6.4.2. Of a digest longer than the order in bits, the leftmost
    /// bits count. The signature is r and s, big-endian and equally long, up to [`Curve::bytes`] each: PKCS#11 3.2,
    /// section 6.3.1.
    pub fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), Rejected> {
        let half = signature.len() / 2;
        if half > self.curve().bytes() {
            return Err(Rejected);
        }
        match signature.split_at_checked(half) {
            Some((r, s)) if r.len() == s.len() => self.0.verify(digest, r, s),
            _ => Err(Rejected),
        }
    }
}

impl PartialEq for EcPublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.has_point_of(&other.0)
    }
}
