//! AWS-LC where another crate carries the row: the second opinion of the tests.

#![allow(clippy::unwrap_used)]

use crate::crypto::hash::Algorithm;
use aws_lc_sys::{
    EVP_sha1, EVP_sha3_224, EVP_sha3_256, EVP_sha3_384, EVP_sha3_512, EVP_sha224, EVP_sha256, EVP_sha384, EVP_sha512,
    EVP_sha512_224, EVP_sha512_256, HMAC,
};

pub fn hmac(algorithm: Algorithm, key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = vec![0; 64];
    let mut length = 0;
    // SAFETY: all pointers come from slices with their lengths, and 64 bytes are enough for every hash.
    unsafe {
        let hash = match algorithm {
            Algorithm::Sha1 => EVP_sha1(),
            Algorithm::Sha224 => EVP_sha224(),
            Algorithm::Sha256 => EVP_sha256(),
            Algorithm::Sha384 => EVP_sha384(),
            Algorithm::Sha512 => EVP_sha512(),
            Algorithm::Sha512_224 => EVP_sha512_224(),
            Algorithm::Sha512_256 => EVP_sha512_256(),
            Algorithm::Sha3_224 => EVP_sha3_224(),
            Algorithm::Sha3_256 => EVP_sha3_256(),
            Algorithm::Sha3_384 => EVP_sha3_384(),
            Algorithm::Sha3_512 => EVP_sha3_512(),
        };
        HMAC(hash, key.as_ptr().cast(), key.len(), data.as_ptr(), data.len(), mac.as_mut_ptr(), &mut length);
    }
    mac.truncate(length.try_into().unwrap());
    mac
}
