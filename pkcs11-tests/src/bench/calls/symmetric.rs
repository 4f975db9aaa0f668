//! Secret keys and digests.

use std::ptr;

use cryptoki_sys::*;

use super::{Maker, destroy, has, sign, with_parameter};
use crate::failure::Result;
use crate::module::{Session, attribute, check, plain};

const AES: CK_MECHANISM_TYPE = CKM_AES_KEY_GEN;

pub(super) fn gcm(session: &Session, length: usize) -> Result<Maker> {
    let key = has(session, CKM_AES_GCM)?.generate(AES, &[CKA_ENCRYPT])?;
    Ok(Box::new(move |session| {
        let table = &session.module.table;
        let (init, encrypt, session) = (table.encrypt_init, table.encrypt, session.handle);
        let mut counter = 0u64;
        let mut iv = [0u8; 12];
        let mut input = vec![7; length];
        let mut output = vec![0; length + 16];
        Box::new(move |count| {
            for _ in 0..count {
                counter += 1;
                if let Some(low) = iv.last_chunk_mut() {
                    *low = counter.to_be_bytes();
                }
                let mut parameter = CK_GCM_PARAMS {
                    pIv: iv.as_mut_ptr(),
                    ulIvLen: 12,
                    ulIvBits: 96,
                    pAAD: ptr::null_mut(),
                    ulAADLen: 0,
                    ulTagBits: 128,
                };
                let mut mechanism = with_parameter(CKM_AES_GCM, &mut parameter);
                let mut written = output.len() as CK_ULONG;
                // SAFETY: mechanism and buffers are valid for their lengths.
                unsafe {
                    check("C_EncryptInit", init(session, &mut mechanism, key))?;
                    let into = output.as_mut_ptr();
                    check("C_Encrypt", encrypt(session, input.as_mut_ptr(), length as CK_ULONG, into, &mut written))?;
                }
            }
            Ok(())
        })
    }))
}

pub(super) fn ctr(session: &Session, length: usize) -> Result<Maker> {
    let key = has(session, CKM_AES_CTR)?.generate(AES, &[CKA_ENCRYPT])?;
    Ok(Box::new(move |session| {
        let table = &session.module.table;
        let (init, encrypt, session) = (table.encrypt_init, table.encrypt, session.handle);
        let mut input = vec![7; length];
        let mut output = vec![0; length];
        Box::new(move |count| {
            for _ in 0..count {
                let mut parameter = CK_AES_CTR_PARAMS { ulCounterBits: 128, cb: [1; 16] };
                let mut mechanism = with_parameter(CKM_AES_CTR, &mut parameter);
                let mut written = output.len() as CK_ULONG;
                // SAFETY: mechanism and buffers are valid for their lengths.
                unsafe {
                    check("C_EncryptInit", init(session, &mut mechanism, key))?;
                    let into = output.as_mut_ptr();
                    check("C_Encrypt", encrypt(session, input.as_mut_ptr(), length as CK_ULONG, into, &mut written))?;
                }
            }
            Ok(())
        })
    }))
}

pub(super) fn hmac(session: &Session, length: usize) -> Result<Maker> {
    let key = has(session, CKM_SHA256_HMAC)?.generate(CKM_GENERIC_SECRET_KEY_GEN, &[CKA_SIGN])?;
    Ok(sign(CKM_SHA256_HMAC, key, length))
}

pub(super) fn cmac(session: &Session, length: usize) -> Result<Maker> {
    let key = has(session, CKM_AES_CMAC)?.generate(AES, &[CKA_SIGN])?;
    Ok(sign(CKM_AES_CMAC, key, length))
}

pub(super) fn sha256(session: &Session, length: usize) -> Result<Maker> {
    has(session, CKM_SHA256)?;
    Ok(Box::new(move |session| {
        let table = &session.module.table;
        let (init, digest, session) = (table.digest_init, table.digest, session.handle);
        let mut input = vec![7; length];
        let mut output = [0; 32];
        Box::new(move |count| {
            for _ in 0..count {
                let mut mechanism = plain(CKM_SHA256);
                let mut written = output.len() as CK_ULONG;
                // SAFETY: mechanism and buffers are valid for their lengths.
                unsafe {
                    check("C_DigestInit", init(session, &mut mechanism))?;
                    let into = output.as_mut_ptr();
                    check("C_Digest", digest(session, input.as_mut_ptr(), length as CK_ULONG, into, &mut written))?;
                }
            }
            Ok(())
        })
    }))
}

pub(super) fn wrap(session: &Session) -> Result<Maker> {
    let (key, target) = wrapping_keys(session)?;
    Ok(Box::new(move |session| {
        Box::new(move |count| (0..count).try_for_each(|_| wrapped(&session, key, target).map(drop)))
    }))
}

pub(super) fn unwrap(session: &Session) -> Result<Maker> {
    let (key, target) = wrapping_keys(session)?;
    let wrapped = wrapped(session, key, target)?;
    Ok(Box::new(move |session| {
        let mut wrapped = wrapped.clone();
        Box::new(move |count| {
            for _ in 0..count {
                let mut mechanism = plain(CKM_AES_KEY_WRAP);
                let (mut class, mut key_type, mut yes) = (CKO_SECRET_KEY, CKK_AES, CK_TRUE);
                let mut template = [
                    attribute(CKA_CLASS, &mut class),
                    attribute(CKA_KEY_TYPE, &mut key_type),
                    attribute(CKA_ENCRYPT, &mut yes),
                ];
                let mut unwrapped = 0;
                // SAFETY: mechanism, template and input are valid for their lengths.
                let code = unsafe {
                    (session.module.table.unwrap_key)(
                        session.handle,
                        &mut mechanism,
                        key,
                        wrapped.as_mut_ptr(),
                        wrapped.len() as CK_ULONG,
                        template.as_mut_ptr(),
                        template.len() as CK_ULONG,
                        &mut unwrapped,
                    )
                };
                check("C_UnwrapKey", code)?;
                destroy(&session, unwrapped)?;
            }
            Ok(())
        })
    }))
}

pub(super) fn generate(session: &Session) -> Result<Maker> {
    has(session, AES)?;
    Ok(Box::new(move |session| {
        Box::new(move |count| {
            (0..count).try_for_each(|_| {
                let key = session.generate(AES, &[CKA_ENCRYPT])?;
                destroy(&session, key)
            })
        })
    }))
}

/// A key that wraps, and one to be wrapped.
fn wrapping_keys(session: &Session) -> Result<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)> {
    let session = has(session, CKM_AES_KEY_WRAP)?;
    Ok((session.generate(AES, &[CKA_WRAP, CKA_UNWRAP])?, session.generate(AES, &[CKA_EXTRACTABLE])?))
}

fn wrapped(session: &Session, key: CK_OBJECT_HANDLE, target: CK_OBJECT_HANDLE) -> Result<Vec<u8>> {
    let mut mechanism = plain(CKM_AES_KEY_WRAP);
    let mut wrapped = vec![0; 40];
    let mut length = 40;
    let wrap = session.module.table.wrap_key;
    // SAFETY: mechanism and buffer are valid for their lengths.
    let code = unsafe { wrap(session.handle, &mut mechanism, key, target, wrapped.as_mut_ptr(), &mut length) };
    check("C_WrapKey", code).map(|()| wrapped)
}
