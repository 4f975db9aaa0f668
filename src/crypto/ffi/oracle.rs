//! AWS-LC where another crate carries the row: the second opinion of the tests.

#![allow(clippy::unwrap_used)]

use crate::crypto::hash::Algorithm;
use aws_lc_sys::{EVP_sha3_224, EVP_sha3_256, EVP_sha3_384, EVP_sha3_512, HMAC};

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
