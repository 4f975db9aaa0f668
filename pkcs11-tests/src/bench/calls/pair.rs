//! Key pairs.

use std::ptr;

use cryptoki_sys::*;

use super::super::operation::{Act, Pair};
use super::{LONGEST_SIGNATURE, Maker, destroy, has, sign, with_parameter};
use crate::failure::Result;
use crate::module::{Session, attribute, bytes, check, plain};

/// The work of a pair. Fails where the module lacks a mechanism.
pub(super) fn maker(session: &Session, pair: Pair, act: Act) -> Result<Maker> {
    has(session, pair.generation())?;
    match act {
        Act::Generate => Ok(generate(pair)),
        Act::Decrypt => decrypt(has(session, CKM_RSA_PKCS_OAEP)?, pair),
        Act::Derive => derive(has(session, CKM_ECDH1_DERIVE)?, pair),
        Act::Sign => {
            let [_, private] = generated(has(session, pair.signature())?, pair, act)?;
            Ok(sign(pair.signature(), private, pair.message_length()))
        }
        Act::Verify => verify(has(session, pair.signature())?, pair),
    }
}

impl Pair {
    fn generation(self) -> CK_MECHANISM_TYPE {
        match self {
            Self::Rsa(_) => CKM_RSA_PKCS_KEY_PAIR_GEN,
            Self::P256 | Self::P384 => CKM_EC_KEY_PAIR_GEN,
            Self::Ed25519 => CKM_EC_EDWARDS_KEY_PAIR_GEN,
        }
    }

    fn signature(self) -> CK_MECHANISM_TYPE {
        match self {
            Self::Rsa(_) => CKM_SHA256_RSA_PKCS,
            Self::P256 | Self::P384 => CKM_ECDSA,
            Self::Ed25519 => CKM_EDDSA,
        }
    }

    /// `CKA_EC_PARAMS`: the curve's object identifier.
    fn curve(self) -> &'static [u8] {
        match self {
            Self::Rsa(_) => &[],
            Self::P256 => &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
            Self::Ed25519 => &[0x06, 0x03, 0x2b, 0x65, 0x70],
        }
    }
}

/// A pair of session keys that may do `act`, the public one first.
fn generated(session: &Session, pair: Pair, act: Act) -> Result<[CK_OBJECT_HANDLE; 2]> {
    let mut yes = CK_TRUE;
    let (public_use, private_use) = match act {
        Act::Sign | Act::Verify | Act::Generate => (Some(CKA_VERIFY), CKA_SIGN),
        Act::Decrypt => (Some(CKA_ENCRYPT), CKA_DECRYPT),
        Act::Derive => (None, CKA_DERIVE),
    };
    let (mut exponent, mut curve) = ([1, 0, 1], pair.curve().to_vec());
    let mut bits: CK_ULONG = if let Pair::Rsa(bits) = pair { bits as CK_ULONG } else { 0 };
    let mut public = match pair {
        Pair::Rsa(_) => vec![attribute(CKA_MODULUS_BITS, &mut bits), bytes(CKA_PUBLIC_EXPONENT, &mut exponent)],
        _ => vec![bytes(CKA_EC_PARAMS, &mut curve)],
    };
    public.extend(public_use.map(|number| attribute(number, &mut yes)));
    session.generate_pair(pair.generation(), &mut public, &mut [attribute(private_use, &mut yes)])
}

fn generate(pair: Pair) -> Maker {
    Box::new(move |session| {
        Box::new(move |count| {
            (0..count).try_for_each(|_| {
                let [public, private] = generated(&session, pair, Act::Generate)?;
                destroy(&session, public)?;
                destroy(&session, private)
            })
        })
    })
}

fn verify(session: &Session, pair: Pair) -> Result<Maker> {
    let [public, private] = generated(session, pair, Act::Verify)?;
    let length = pair.message_length();
    let message = vec![7; length];
    let signature = signed(session, pair.signature(), private, &message)?;
    Ok(Box::new(move |session| {
        let table = &session.module.table;
        let (init, verify, session) = (table.verify_init, table.verify, session.handle);
        let (mut message, mut signature) = (message.clone(), signature.clone());
        Box::new(move |count| {
            for _ in 0..count {
                let mut mechanism = plain(pair.signature());
                let (message, signature) = (message.as_mut_slice(), signature.as_mut_slice());
                let (length, signature_length) = (message.len() as CK_ULONG, signature.len() as CK_ULONG);
                // SAFETY: mechanism and buffers are valid for their lengths.
                unsafe {
                    check("C_VerifyInit", init(session, &mut mechanism, public))?;
                    let (message, signature) = (message.as_mut_ptr(), signature.as_mut_ptr());
                    check("C_Verify", verify(session, message, length, signature, signature_length))?;
                }
            }
            Ok(())
        })
    }))
}

fn signed(session: &Session, mechanism: CK_MECHANISM_TYPE, key: CK_OBJECT_HANDLE, message: &[u8]) -> Result<Vec<u8>> {
    let table = &session.module.table;
    let (mut mechanism, mut message) = (plain(mechanism), message.to_vec());
    let mut signature = vec![0; LONGEST_SIGNATURE];
    let mut written = signature.len() as CK_ULONG;
    // SAFETY: mechanism and buffers are valid for their lengths.
    unsafe {
        check("C_SignInit", (table.sign_init)(session.handle, &mut mechanism, key))?;
        let (from, length, into) = (message.as_mut_ptr(), message.len() as CK_ULONG, signature.as_mut_ptr());
        check("C_Sign", (table.sign)(session.handle, from, length, into, &mut written))?;
    }
    signature.truncate(written as usize);
    Ok(signature)
}

fn decrypt(session: &Session, pair: Pair) -> Result<Maker> {
    let [public, private] = generated(session, pair, Act::Decrypt)?;
    let ciphertext = encrypted(session, public)?;
    Ok(Box::new(move |session| {
        let table = &session.module.table;
        let (init, decrypt, session) = (table.decrypt_init, table.decrypt, session.handle);
        let mut ciphertext = ciphertext.clone();
        let mut output = vec![0; ciphertext.len()];
        Box::new(move |count| {
            for _ in 0..count {
                let mut parameter = oaep();
                let mut mechanism = with_parameter(CKM_RSA_PKCS_OAEP, &mut parameter);
                let mut written = output.len() as CK_ULONG;
                let length = ciphertext.len() as CK_ULONG;
                // SAFETY: mechanism and buffers are valid for their lengths.
                unsafe {
                    check("C_DecryptInit", init(session, &mut mechanism, private))?;
                    let (from, into) = (ciphertext.as_mut_ptr(), output.as_mut_ptr());
                    check("C_Decrypt", decrypt(session, from, length, into, &mut written))?;
                }
            }
            Ok(())
        })
    }))
}

/// 32 bytes, encrypted with OAEP.
fn encrypted(session: &Session, key: CK_OBJECT_HANDLE) -> Result<Vec<u8>> {
    let table = &session.module.table;
    let mut parameter = oaep();
    let mut mechanism = with_parameter(CKM_RSA_PKCS_OAEP, &mut parameter);
    let (mut message, mut ciphertext) = ([7; 32], vec![0; LONGEST_SIGNATURE]);
    let mut written = ciphertext.len() as CK_ULONG;
    // SAFETY: mechanism and buffers are valid for their lengths.
    unsafe {
        check("C_EncryptInit", (table.encrypt_init)(session.handle, &mut mechanism, key))?;
        let (from, into) = (message.as_mut_ptr(), ciphertext.as_mut_ptr());
        check("C_Encrypt", (table.encrypt)(session.handle, from, 32, into, &mut written))?;
    }
    ciphertext.truncate(written as usize);
    Ok(ciphertext)
}

fn oaep() -> CK_RSA_PKCS_OAEP_PARAMS {
    CK_RSA_PKCS_OAEP_PARAMS {
        hashAlg: CKM_SHA_1,
        mgf: CKG_MGF1_SHA1,
        source: CKZ_DATA_SPECIFIED,
        pSourceData: ptr::null_mut(),
        ulSourceDataLen: 0,
    }
}

fn derive(session: &Session, pair: Pair) -> Result<Maker> {
    let [_, private] = generated(session, pair, Act::Derive)?;
    let [other, _] = generated(session, pair, Act::Derive)?;
    let point = session.attribute(other, CKA_EC_POINT)?;
    Ok(Box::new(move |session| {
        let mut point = point.clone();
        Box::new(move |count| {
            for _ in 0..count {
                let mut parameter = CK_ECDH1_DERIVE_PARAMS {
                    kdf: CKD_NULL,
                    ulSharedDataLen: 0,
                    pSharedData: ptr::null_mut(),
                    ulPublicDataLen: point.len() as CK_ULONG,
                    pPublicData: point.as_mut_ptr(),
                };
                let mut mechanism = with_parameter(CKM_ECDH1_DERIVE, &mut parameter);
                let (mut class, mut key_type, mut length) = (CKO_SECRET_KEY, CKK_AES, 32 as CK_ULONG);
                let mut template = [
                    attribute(CKA_CLASS, &mut class),
                    attribute(CKA_KEY_TYPE, &mut key_type),
                    attribute(CKA_VALUE_LEN, &mut length),
                ];
                let mut derived = 0;
                // SAFETY: mechanism, its parameter and template are valid for their lengths.
                let code = unsafe {
                    (session.module.table.derive_key)(
                        session.handle,
                        &mut mechanism,
                        private,
                        template.as_mut_ptr(),
                        template.len() as CK_ULONG,
                        &mut derived,
                    )
                };
                check("C_DeriveKey", code)?;
                destroy(&session, derived)?;
            }
            Ok(())
        })
    }))
}
