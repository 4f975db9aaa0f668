//! What AWS-LC calls the hash functions.

use std::ffi::c_int;

use aws_lc_sys::{
    EVP_MD, EVP_sha1, EVP_sha3_224, EVP_sha3_256, EVP_sha3_384, EVP_sha3_512, EVP_sha224, EVP_sha256, EVP_sha384,
    EVP_sha512, EVP_sha512_224, EVP_sha512_256, NID_sha1, NID_sha3_224, NID_sha3_256, NID_sha3_384, NID_sha3_512,
    NID_sha224, NID_sha256, NID_sha384, NID_sha512, NID_sha512_224, NID_sha512_256,
};

use crate::crypto::hash::Algorithm;

pub(super) fn md(algorithm: Algorithm) -> *const EVP_MD {
    // SAFETY: each takes nothing and returns a static.
    unsafe {
        match algorithm {
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
        }
    }
}

pub(super) fn nid(algorithm: Algorithm) -> c_int {
    match algorithm {
        Algorithm::Sha1 => NID_sha1,
        Algorithm::Sha224 => NID_sha224,
        Algorithm::Sha256 => NID_sha256,
        Algorithm::Sha384 => NID_sha384,
        Algorithm::Sha512 => NID_sha512,
        Algorithm::Sha512_224 => NID_sha512_224,
        Algorithm::Sha512_256 => NID_sha512_256,
        Algorithm::Sha3_224 => NID_sha3_224,
        Algorithm::Sha3_256 => NID_sha3_256,
        Algorithm::Sha3_384 => NID_sha3_384,
        Algorithm::Sha3_512 => NID_sha3_512,
    }
}
