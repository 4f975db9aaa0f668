//! Keys on Weierstrass curves.

use std::ptr;

use aws_lc_sys::{
    BIGNUM, BN_bin2bn, BN_bn2bin_padded, BN_free, EC_GROUP, EC_KEY, EC_KEY_free, EC_KEY_get0_private_key,
    EC_KEY_get0_public_key, EC_KEY_new, EC_KEY_set_group, EC_KEY_set_private_key, EC_KEY_set_public_key, EC_POINT,
    EC_POINT_cmp, EC_POINT_free, EC_POINT_mul, EC_POINT_new, EC_POINT_oct2point, EC_POINT_point2oct,
    EC_group_brainpoolP224r1, EC_group_brainpoolP256r1, EC_group_brainpoolP320r1, EC_group_brainpoolP384r1,
    EC_group_brainpoolP512r1, EC_group_p224, EC_group_p256, EC_group_p384, EC_group_p521, EC_group_secp256k1,
    ECDH_compute_key, ECDSA_SIG, ECDSA_SIG_free, ECDSA_SIG_get0, ECDSA_SIG_new, ECDSA_SIG_set0, ECDSA_do_sign,
    ECDSA_do_verify, EVP_PKEY_free, EVP_PKEY_new, EVP_PKEY_set1_EC_KEY, EVP_marshal_private_key,
    EVP_marshal_public_key, point_conversion_form_t,
};

use super::stack::forgotten;
use super::{Owned, der, thread};
use crate::crypto::Rejected;
use crate::crypto::ec::Curve;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// A public key, which is a point of the curve and not infinity, or a key pair.
pub struct Key {
    curve: Curve,
    key: Owned<EC_KEY>,
}

impl Key {
    /// A public key from its uncompressed or compressed point: SEC 1, section 2.3.4.
    pub fn from_point(curve: Curve, encoded: &[u8]) -> Result<Self, Rejected> {
        let uncompressed = match encoded.first() {
            Some(4) => true,
            Some(2 | 3) => false,
            _ => return Err(Rejected),
        };
        let mut point = point(curve)?;
        let mut decode = || {
            // SAFETY: `encoded` is readable for its length, and the point belongs to the group.
            unsafe {
                EC_POINT_oct2point(group(curve), point.as_mut_ptr(), encoded.as_ptr(), encoded.len(), ptr::null_mut())
            }
        };
        // A square root modulo the prime of P-224 is found by chance (crypto/fipsmodule/bn/sqrt.c).
        let decoded = if uncompressed { decode() } else { thread::drawing(decode) };
        if decoded != 1 {
            return Err(Rejected);
        }
        let mut key = key(curve)?;
        // SAFETY: both belong to the group; the key takes a copy of the point, and no infinity.
        let set = unsafe { EC_KEY_set_public_key(key.as_mut_ptr(), point.as_ptr()) };
        if set == 1 { Ok(Self { curve, key }) } else { Err(Rejected) }
    }

    /// A key pair from its scalar, a big-endian number from 1 to the order less 1.
    pub fn from_scalar(curve: Curve, scalar: &[u8]) -> Result<Self, Rejected> {
        let (scalar, mut point, mut key) = (number(scalar)?, point(curve)?, key(curve)?);
        // SAFETY: all belong to the group. The scalar is known to be in range before it is multiplied, in constant time;
        // the key takes copies of both.
        let set = forgotten(|| unsafe {
            EC_KEY_set_private_key(key.as_mut_ptr(), scalar.as_ptr()) == 1
                && EC_POINT_mul(
                    group(curve),
                    point.as_mut_ptr(),
                    scalar.as_ptr(),
                    ptr::null(),
                    ptr::null(),
                    ptr::null_mut(),
                ) == 1
                && EC_KEY_set_public_key(key.as_mut_ptr(), point.as_ptr()) == 1
        });
        if set { Ok(Self { curve, key }) } else { Err(Rejected) }
    }

    /// The public half.
    pub fn public(&self) -> Result<Self> {
        let mut key = key(self.curve).map_err(|_| Error::HostMemory("a key"))?;
        // SAFETY: the new key takes a copy of the point, which belongs to the same group.
        let set = unsafe { EC_KEY_set_public_key(key.as_mut_ptr(), self.public_point()) };
        if set == 1 { Ok(Self { curve: self.curve, key }) } else { Err(Error::HostMemory("a key")) }
    }

    pub fn curve(&self) -> Curve {
        self.curve
    }

    /// The point, uncompressed.
    pub fn point(&self) -> Result<Vec<u8>> {
        let mut encoded = vec![0; self.curve.point_len()];
        // SAFETY: the point belongs to the group, and the room of the output is passed along.
        let length = unsafe {
            EC_POINT_point2oct(
                group(self.curve),
                self.public_point(),
                point_conversion_form_t::POINT_CONVERSION_UNCOMPRESSED,
                encoded.as_mut_ptr(),
                encoded.len(),
                ptr::null_mut(),
            )
        };
        if length == encoded.len() { Ok(encoded) } else { Err(Error::HostMemory("a point")) }
    }

    /// Whether the public keys are the same.
    pub fn has_point_of(&self, other: &Self) -> bool {
        // SAFETY: both points belong to the group.
        let differs =
            || unsafe { EC_POINT_cmp(group(self.curve), self.public_point(), other.public_point(), ptr::null_mut()) };
        self.curve == other.curve && differs() == 0
    }

    /// The scalar, as long as the order; nothing of a public key.
    pub fn scalar(&self) -> Option<Secret> {
        let mut scalar = Secret::zeroed(self.curve.bytes());
        let bytes = scalar.expose_mut();
        // SAFETY: the number is the key's or NULL, and the room of the output is passed along.
        let done = unsafe {
            let number = EC_KEY_get0_private_key(self.key.as_ptr());
            !number.is_null() && BN_bn2bin_padded(bytes.as_mut_ptr(), bytes.len(), number) == 1
        };
        done.then_some(scalar)
    }

    /// Signs this digest: `r` and `s`, each filled with its number.
    pub fn sign(&self, digest: &[u8], r: &mut [u8], s: &mut [u8]) -> Result<()> {
        let failed = || Error::HostMemory("a signature");
        // SAFETY: `digest` is readable for its length, and ECDSA_SIG_free releases the signature.
        let sign = || unsafe {
            Owned::<ECDSA_SIG>::new(ECDSA_do_sign(digest.as_ptr(), digest.len(), self.key.as_ptr()), ECDSA_SIG_free)
        };
        let signature = forgotten(|| thread::drawing(sign)).ok_or_else(failed)?;
        let (mut r_number, mut s_number) = (ptr::null(), ptr::null());
        // SAFETY: the numbers belong to the signature, and the room of the outputs is passed along.
        let written = unsafe {
            ECDSA_SIG_get0(signature.as_ptr(), &mut r_number, &mut s_number);
            BN_bn2bin_padded(r.as_mut_ptr(), r.len(), r_number) == 1
                && BN_bn2bin_padded(s.as_mut_ptr(), s.len(), s_number) == 1
        };
        if written { Ok(()) } else { Err(failed()) }
    }

    /// Whether `r` and `s` sign this digest.
    pub fn verify(&self, digest: &[u8], r: &[u8], s: &[u8]) -> Result<(), Rejected> {
        let (r, s) = (number(r)?, number(s)?);
        // SAFETY: a fresh signature, which ECDSA_SIG_free releases.
        let mut signature = unsafe { Owned::new(ECDSA_SIG_new(), ECDSA_SIG_free) }.ok_or(Rejected)?;
        // SAFETY: the signature takes both numbers over; it cannot fail, having two.
        if unsafe { ECDSA_SIG_set0(signature.as_mut_ptr(), r.into_raw(), s.into_raw()) } != 1 {
            return Err(Rejected);
        }
        // SAFETY: `digest` is readable for its length.
        let holds =
            unsafe { ECDSA_do_verify(digest.as_ptr(), digest.len(), signature.as_ptr(), self.key.as_ptr()) == 1 };
        if holds { Ok(()) } else { Err(Rejected) }
    }

    /// The x coordinate of this key's scalar times the peer's point.
    pub fn agree(&self, peer: &Self) -> Result<Secret, Rejected> {
        let mut shared = Secret::zeroed(self.curve.bytes());
        let bytes = shared.expose_mut();
        // SAFETY: the room of the output is passed along; points of other groups and keys without a scalar are refused.
        let length = forgotten(|| unsafe {
            ECDH_compute_key(bytes.as_mut_ptr().cast(), bytes.len(), peer.public_point(), self.key.as_ptr(), None)
        });
        if usize::try_from(length) == Ok(shared.len()) { Ok(shared) } else { Err(Rejected) }
    }

    /// SubjectPublicKeyInfo of the public key: RFC 5480, with an uncompressed point.
    pub fn to_spki(&self) -> Option<Secret> {
        // SAFETY: `written` gives a writer.
        self.as_pkey(|pkey| der::written(|writer| unsafe { EVP_marshal_public_key(writer, pkey) }))
    }

    /// PrivateKeyInfo of a key pair: RFC 5208 and RFC 5915, with the public key.
    pub fn to_pkcs8(&self) -> Option<Secret> {
        // SAFETY: `written` gives a writer.
        self.as_pkey(|pkey| der::written(|writer| unsafe { EVP_marshal_private_key(writer, pkey) }))
    }

    fn as_pkey<T>(&self, work: impl FnOnce(*const aws_lc_sys::EVP_PKEY) -> Option<T>) -> Option<T> {
        // SAFETY: a fresh container, which EVP_PKEY_free releases. It counts one more reference to the key, atomically,
        // and writes nothing else to it.
        let pkey = unsafe {
            let mut pkey = Owned::new(EVP_PKEY_new(), EVP_PKEY_free)?;
            (EVP_PKEY_set1_EC_KEY(pkey.as_mut_ptr(), self.key.as_ptr().cast_mut()) == 1).then_some(pkey)?
        };
        work(pkey.as_ptr())
    }

    fn public_point(&self) -> *const EC_POINT {
        // SAFETY: every key is made with a point.
        unsafe { EC_KEY_get0_public_key(self.key.as_ptr()) }
    }
}

/// The parameters of a curve, which AWS-LC keeps for ever.
pub(super) fn group(curve: Curve) -> *const EC_GROUP {
    // SAFETY: these return tables that live for ever.
    unsafe {
        match curve {
            Curve::P224 => EC_group_p224(),
            Curve::P256 => EC_group_p256(),
            Curve::P384 => EC_group_p384(),
            Curve::P521 => EC_group_p521(),
            Curve::Secp256k1 => EC_group_secp256k1(),
            Curve::BrainpoolP224r1 => EC_group_brainpoolP224r1(),
            Curve::BrainpoolP256r1 => EC_group_brainpoolP256r1(),
            Curve::BrainpoolP320r1 => EC_group_brainpoolP320r1(),
            Curve::BrainpoolP384r1 => EC_group_brainpoolP384r1(),
            Curve::BrainpoolP512r1 => EC_group_brainpoolP512r1(),
        }
    }
}

/// A key of this curve without point and scalar.
fn key(curve: Curve) -> Result<Owned<EC_KEY>, Rejected> {
    // SAFETY: a fresh key, which EC_KEY_free releases, of a group that lives for ever.
    unsafe {
        let mut key = Owned::new(EC_KEY_new(), EC_KEY_free).ok_or(Rejected)?;
        if EC_KEY_set_group(key.as_mut_ptr(), group(curve)) == 1 { Ok(key) } else { Err(Rejected) }
    }
}

/// A point of this curve: infinity, to begin with.
fn point(curve: Curve) -> Result<Owned<EC_POINT>, Rejected> {
    // SAFETY: a fresh point, which EC_POINT_free releases.
    unsafe { Owned::new(EC_POINT_new(group(curve)), EC_POINT_free) }.ok_or(Rejected)
}

/// A big-endian number.
fn number(bytes: &[u8]) -> Result<Owned<BIGNUM>, Rejected> {
    // SAFETY: `bytes` is readable for its length; BN_free releases the number.
    unsafe { Owned::new(BN_bin2bn(bytes.as_ptr(), bytes.len(), ptr::null_mut()), BN_free) }.ok_or(Rejected)
}
