//! AWS-LC where another crate carries the row: the second opinion of the tests.

#![allow(clippy::unwrap_used)]

use std::ptr;

use super::Owned;
use super::ec::group;
use crate::crypto::ec::Curve;
use crate::crypto::hash::Algorithm;
use aws_lc_sys::{
    BN_bn2bin_padded, EC_GROUP_get_degree, EC_GROUP_get0_order, EC_GROUP_order_bits, ECDSA_SIG_free,
    ECDSA_SIG_from_bytes, ECDSA_SIG_get0, EVP_sha3_224, EVP_sha3_256, EVP_sha3_384, EVP_sha3_512, HMAC,
};

/// HMAC with SHA-3; nothing for the other hash functions.
pub fn hmac(algorithm: Algorithm, key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let mut mac = vec![0; 64];
    let mut length = 0;
    // SAFETY: all pointers come from slices with their lengths, and 64 bytes are enough for every hash.
    unsafe {
        let hash = match algorithm {
            Algorithm::Sha3_224 => EVP_sha3_224(),
            Algorithm::Sha3_256 => EVP_sha3_256(),
            Algorithm::Sha3_384 => EVP_sha3_384(),
            Algorithm::Sha3_512 => EVP_sha3_512(),
            _ => return None,
        };
        HMAC(hash, key.as_ptr().cast(), key.len(), data.as_ptr(), data.len(), mac.as_mut_ptr(), &mut length);
    }
    mac.truncate(length.try_into().unwrap());
    Some(mac)
}

/// The lengths in bits of the field and of the order.
pub fn curve_bits(curve: Curve) -> [usize; 2] {
    // SAFETY: the group lives for ever.
    unsafe {
        let order = EC_GROUP_order_bits(group(curve)).try_into().unwrap();
        [EC_GROUP_get_degree(group(curve)).try_into().unwrap(), order]
    }
}

/// The order, as long as a scalar.
pub fn order(curve: Curve) -> Vec<u8> {
    let mut order = vec![0; curve.bytes()];
    // SAFETY: the group lives for ever, and the room is passed along.
    assert_eq!(unsafe { BN_bn2bin_padded(order.as_mut_ptr(), order.len(), EC_GROUP_get0_order(group(curve))) }, 1);
    order
}

/// r and s of a signature in DER, each of `length` bytes; nothing if it is not DER, or they are longer.
pub fn ecdsa_signature(der: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut signature = vec![0; 2 * length];
    let (r, s) = signature.split_at_mut(length);
    let (mut r_number, mut s_number) = (ptr::null(), ptr::null());
    // SAFETY: `der` is readable for its length, and the rooms are passed along.
    let done = unsafe {
        let parsed = Owned::new(ECDSA_SIG_from_bytes(der.as_ptr(), der.len()), ECDSA_SIG_free)?;
        ECDSA_SIG_get0(parsed.as_ptr(), &mut r_number, &mut s_number);
        BN_bn2bin_padded(r.as_mut_ptr(), length, r_number) == 1
            && BN_bn2bin_padded(s.as_mut_ptr(), length, s_number) == 1
    };
    done.then_some(signature)
}
