//! Key wrap.

use std::ptr;

use aws_lc_sys::*;

use super::{KEY, done, repeated};
use crate::bench::turn::Work;
use crate::failure::Result;

/// The value of the key that is wrapped.
pub const TARGET: [u8; 32] = [5; 32];

/// [`TARGET`], wrapped by [`KEY`].
pub fn wrapped() -> Result<[u8; 40]> {
    let (key, mut wrapped) = (schedule(&KEY, true)?, [0; 40]);
    wrap_into(&key, &mut wrapped).map(|()| wrapped)
}

/// A block of zeros, encrypted by a key of this value: what tells whether a key is the one that it should be.
pub fn encrypted_block(value: &[u8; 32]) -> Result<[u8; 16]> {
    let (key, mut block) = (schedule(value, true)?, [0; 16]);
    // SAFETY: input and output have one block each.
    unsafe { AES_encrypt([0; 16].as_ptr(), block.as_mut_ptr(), &key) };
    Ok(block)
}

pub(super) fn wrap() -> Result<Box<dyn Work>> {
    let (key, mut wrapped) = (schedule(&KEY, true)?, [0; 40]);
    Ok(repeated(move || wrap_into(&key, &mut wrapped)))
}

pub(super) fn unwrap() -> Result<Box<dyn Work>> {
    let (key, wrapped, mut value) = (schedule(&KEY, false)?, wrapped()?, [0; 32]);
    Ok(repeated(move || {
        // SAFETY: the buffers have the lengths that RFC 3394 gives; NULL is the standard's IV.
        let length = unsafe { AES_unwrap_key(&key, ptr::null(), value.as_mut_ptr(), wrapped.as_ptr(), 40) };
        done((length == 32).into())
    }))
}

fn wrap_into(key: &AES_KEY, wrapped: &mut [u8; 40]) -> Result<()> {
    // SAFETY: the buffers have the lengths that RFC 3394 gives; NULL is the standard's IV.
    done((unsafe { AES_wrap_key(key, ptr::null(), wrapped.as_mut_ptr(), TARGET.as_ptr(), 32) } == 40).into())
}

fn schedule(value: &[u8; 32], encrypt: bool) -> Result<AES_KEY> {
    let mut key = AES_KEY { rd_key: [0; 60], rounds: 0 };
    // SAFETY: the key has 256 bits.
    let set = unsafe {
        match encrypt {
            true => AES_set_encrypt_key(value.as_ptr(), 256, &mut key),
            false => AES_set_decrypt_key(value.as_ptr(), 256, &mut key),
        }
    };
    done((set == 0).into()).map(|()| key)
}
