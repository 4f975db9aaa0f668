//! AWS-LC where another crate carries the row: the second opinion of the tests.

#![allow(clippy::unwrap_used)]

use crate::crypto::hash::Algorithm;
use aws_lc_sys::{
    AES_KEY, AES_set_decrypt_key, AES_set_encrypt_key, AES_unwrap_key, AES_unwrap_key_padded, AES_wrap_key,
    AES_wrap_key_padded, EVP_sha224, EVP_sha256, EVP_sha384, EVP_sha512, EVP_sha512_224, EVP_sha512_256, HMAC,
};
use std::ptr;

pub fn hmac(algorithm: Algorithm, key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = vec![0; 64];
    let mut length = 0;
    // SAFETY: all pointers come from slices with their lengths, and 64 bytes are enough for every SHA-2.
    unsafe {
        let hash = match algorithm {
            Algorithm::Sha224 => EVP_sha224(),
            Algorithm::Sha256 => EVP_sha256(),
            Algorithm::Sha384 => EVP_sha384(),
            Algorithm::Sha512 => EVP_sha512(),
            Algorithm::Sha512_224 => EVP_sha512_224(),
            Algorithm::Sha512_256 => EVP_sha512_256(),
        };
        HMAC(hash, key.as_ptr().cast(), key.len(), data.as_ptr(), data.len(), mac.as_mut_ptr(), &mut length);
    }
    mac.truncate(length.try_into().unwrap());
    mac
}

pub fn wrap(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let mut wrapped = vec![0; data.len() + 8];
    // SAFETY: the output is 8 bytes longer than the input, NULL is the standard's IV.
    let length =
        unsafe { AES_wrap_key(&encrypting(key), ptr::null(), wrapped.as_mut_ptr(), data.as_ptr(), data.len()) };
    (usize::try_from(length) == Ok(wrapped.len())).then_some(wrapped)
}

pub fn unwrap(key: &[u8], wrapped: &[u8]) -> Option<Vec<u8>> {
    let mut data = vec![0; wrapped.len()];
    // SAFETY: the output has room for what is 8 bytes shorter than the input.
    let length =
        unsafe { AES_unwrap_key(&decrypting(key), ptr::null(), data.as_mut_ptr(), wrapped.as_ptr(), wrapped.len()) };
    data.truncate(usize::try_from(length).ok()?);
    Some(data)
}

pub fn wrap_padded(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let mut wrapped = vec![0; data.len() + 15];
    let mut length = 0;
    // SAFETY: the room is passed along.
    let done = unsafe {
        AES_wrap_key_padded(
            &encrypting(key),
            wrapped.as_mut_ptr(),
            &mut length,
            wrapped.len(),
            data.as_ptr(),
            data.len(),
        )
    };
    wrapped.truncate(length);
    (done == 1).then_some(wrapped)
}

pub fn unwrap_padded(key: &[u8], wrapped: &[u8]) -> Option<Vec<u8>> {
    let mut data = vec![0; wrapped.len()];
    let mut length = 0;
    // SAFETY: the room is passed along.
    let done = unsafe {
        AES_unwrap_key_padded(
            &decrypting(key),
            data.as_mut_ptr(),
            &mut length,
            data.len(),
            wrapped.as_ptr(),
            wrapped.len(),
        )
    };
    data.truncate(length);
    (done == 1).then_some(data)
}

fn encrypting(key: &[u8]) -> AES_KEY {
    let mut schedule = AES_KEY { rd_key: [0; 60], rounds: 0 };
    // SAFETY: `key` is readable for its length.
    assert_eq!(unsafe { AES_set_encrypt_key(key.as_ptr(), bits(key), &mut schedule) }, 0);
    schedule
}

fn decrypting(key: &[u8]) -> AES_KEY {
    let mut schedule = AES_KEY { rd_key: [0; 60], rounds: 0 };
    // SAFETY: `key` is readable for its length.
    assert_eq!(unsafe { AES_set_decrypt_key(key.as_ptr(), bits(key), &mut schedule) }, 0);
    schedule
}

fn bits(key: &[u8]) -> u32 {
    u32::try_from(key.len()).unwrap() * 8
}
