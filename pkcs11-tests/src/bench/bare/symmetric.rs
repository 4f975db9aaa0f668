//! Secret keys and digests.

use std::ptr;

use aws_lc_sys::*;

use super::{Context, done};
use crate::bench::turn::Work;
use crate::failure::{Failure, Result};

const KEY: [u8; 32] = [3; 32];

pub(super) fn gcm(length: usize) -> Result<Work> {
    // SAFETY: the key is valid for its length.
    let context = Context::new(unsafe { EVP_AEAD_CTX_new(EVP_aead_aes_256_gcm(), KEY.as_ptr(), KEY.len(), 16) })?;
    let mut counter = 0u64;
    let mut iv = [0u8; 12];
    let input = vec![7; length];
    let mut output: Vec<u8> = vec![0; length + 16];
    Ok(Box::new(move |count| {
        for _ in 0..count {
            counter += 1;
            if let Some(low) = iv.last_chunk_mut() {
                *low = counter.to_be_bytes();
            }
            let mut written = 0;
            let (into, room) = (output.as_mut_ptr(), output.len());
            // SAFETY: all buffers are valid for their lengths.
            done(unsafe {
                EVP_AEAD_CTX_seal(
                    context.get(),
                    into,
                    &mut written,
                    room,
                    iv.as_ptr(),
                    iv.len(),
                    input.as_ptr(),
                    length,
                    ptr::null(),
                    0,
                )
            })?;
        }
        Ok(())
    }))
}

pub(super) fn ctr(length: usize) -> Result<Work> {
    // SAFETY: a new context, which is freed with the process.
    let context = Context::new(unsafe { EVP_CIPHER_CTX_new() })?;
    // SAFETY: the key has the cipher's length.
    done(unsafe {
        EVP_EncryptInit_ex(context.get(), EVP_aes_256_ctr(), ptr::null_mut(), KEY.as_ptr(), [1; 16].as_ptr())
    })?;
    let input = vec![7; length];
    let mut output: Vec<u8> = vec![0; length];
    let length = i32::try_from(length).map_err(|_| Failure::new("too long"))?;
    Ok(Box::new(move |count| {
        for _ in 0..count {
            let mut written = 0;
            let iv = [1; 16];
            // SAFETY: all buffers are valid for their lengths; the key stays.
            done(unsafe {
                EVP_EncryptInit_ex(context.get(), ptr::null(), ptr::null_mut(), ptr::null(), iv.as_ptr())
                    & EVP_EncryptUpdate(context.get(), output.as_mut_ptr(), &mut written, input.as_ptr(), length)
            })?;
        }
        Ok(())
    }))
}

pub(super) fn hmac(length: usize) -> Result<Work> {
    // SAFETY: a new context, and a key that is valid for its length.
    let context = Context::new(unsafe { HMAC_CTX_new() })?;
    // SAFETY: as above.
    done(unsafe { HMAC_Init_ex(context.get(), KEY.as_ptr().cast(), KEY.len(), EVP_sha256(), ptr::null_mut()) })?;
    let input: Vec<u8> = vec![7; length];
    let mut mac = [0; 32];
    Ok(Box::new(move |count| {
        for _ in 0..count {
            let mut written = 0;
            // SAFETY: all buffers are valid for their lengths; without a key the last one is taken again.
            done(unsafe {
                HMAC_Init_ex(context.get(), ptr::null(), 0, ptr::null(), ptr::null_mut())
                    & HMAC_Update(context.get(), input.as_ptr(), length)
                    & HMAC_Final(context.get(), mac.as_mut_ptr(), &mut written)
            })?;
        }
        Ok(())
    }))
}

pub(super) fn cmac(length: usize) -> Result<Work> {
    // SAFETY: a new context, and a key that has the cipher's length.
    let context = Context::new(unsafe { CMAC_CTX_new() })?;
    // SAFETY: as above.
    done(unsafe { CMAC_Init(context.get(), KEY.as_ptr().cast(), KEY.len(), EVP_aes_256_cbc(), ptr::null_mut()) })?;
    let input: Vec<u8> = vec![7; length];
    let mut mac = [0; 16];
    Ok(Box::new(move |count| {
        for _ in 0..count {
            let mut written = 0;
            // SAFETY: all buffers are valid for their lengths.
            done(unsafe {
                CMAC_Reset(context.get())
                    & CMAC_Update(context.get(), input.as_ptr(), length)
                    & CMAC_Final(context.get(), mac.as_mut_ptr(), &mut written)
            })?;
        }
        Ok(())
    }))
}

pub(super) fn sha256(length: usize) -> Work {
    let input: Vec<u8> = vec![7; length];
    let mut hash = [0; 32];
    Box::new(move |count| {
        for _ in 0..count {
            // SAFETY: the input is valid for its length, and the hash has 32 bytes.
            unsafe { SHA256(input.as_ptr(), length, hash.as_mut_ptr()) };
        }
        Ok(())
    })
}

pub(super) fn wrap() -> Result<Work> {
    let key = schedule(true)?;
    let mut wrapped = [0; 40];
    Ok(Box::new(move |count| {
        for _ in 0..count {
            // SAFETY: the buffers have the lengths that RFC 3394 gives; NULL is the standard's IV.
            done((unsafe { AES_wrap_key(&key, ptr::null(), wrapped.as_mut_ptr(), KEY.as_ptr(), 32) } == 40).into())?;
        }
        Ok(())
    }))
}

pub(super) fn unwrap() -> Result<Work> {
    let (seal, open) = (schedule(true)?, schedule(false)?);
    let (mut wrapped, mut value) = ([0; 40], [0; 32]);
    // SAFETY: the buffers have the lengths that RFC 3394 gives; NULL is the standard's IV.
    done((unsafe { AES_wrap_key(&seal, ptr::null(), wrapped.as_mut_ptr(), KEY.as_ptr(), 32) } == 40).into())?;
    Ok(Box::new(move |count| {
        for _ in 0..count {
            // SAFETY: as above.
            let length = unsafe { AES_unwrap_key(&open, ptr::null(), value.as_mut_ptr(), wrapped.as_ptr(), 40) };
            done((length == 32).into())?;
        }
        Ok(())
    }))
}

fn schedule(encrypt: bool) -> Result<AES_KEY> {
    let mut key = AES_KEY { rd_key: [0; 60], rounds: 0 };
    // SAFETY: the key has 256 bits.
    let set = unsafe {
        match encrypt {
            true => AES_set_encrypt_key(KEY.as_ptr(), 256, &mut key),
            false => AES_set_decrypt_key(KEY.as_ptr(), 256, &mut key),
        }
    };
    done((set == 0).into()).map(|()| key)
}

pub(super) fn random() -> Work {
    let mut output = [0; 32];
    Box::new(move |count| {
        // SAFETY: the buffer is valid for its length.
        (0..count).try_for_each(|_| done(unsafe { RAND_bytes(output.as_mut_ptr(), 32) }))
    })
}
