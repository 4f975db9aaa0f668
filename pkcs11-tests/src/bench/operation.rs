//! What is measured, and how a module does it: Init and operation in one, with session keys that all threads share and
//! a session for each thread.

use std::ptr;

use cryptoki_sys::*;

use super::turn::Work;
use crate::failure::{Failure, Result};
use crate::module::{Module, Session, attribute, check, plain};

/// One thing to measure. The numbers are bytes of input.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// AES-256-GCM with a counted IV of 12 bytes and a tag of 16.
    Gcm(usize),
    /// AES-256-CTR.
    Ctr(usize),
    /// HMAC-SHA-256 with a key of 32 bytes.
    Hmac(usize),
    /// CMAC with AES-256.
    Cmac(usize),
    /// SHA-256.
    Sha256(usize),
    /// AES-256 key wrap (RFC 3394) of a key of 32 bytes.
    Wrap,
    /// The inverse, and the destruction of the key that it makes.
    Unwrap,
    /// An AES-256 session key is made and destroyed.
    Generate,
    /// A session is opened and closed.
    Session,
    /// 32 random bytes.
    Random,
}

impl Operation {
    /// All of them, in the order of the table.
    pub const ALL: &[Self] = &[
        Self::Gcm(64),
        Self::Gcm(1 << 10),
        Self::Gcm(16 << 10),
        Self::Gcm(1 << 20),
        Self::Ctr(1 << 20),
        Self::Hmac(64),
        Self::Cmac(64),
        Self::Sha256(64),
        Self::Wrap,
        Self::Unwrap,
        Self::Generate,
        Self::Session,
        Self::Random,
    ];

    /// The name in the table.
    pub fn name(self) -> String {
        let (name, length) = match self {
            Self::Gcm(length) => ("gcm", length),
            Self::Ctr(length) => ("ctr", length),
            Self::Hmac(length) => ("hmac-sha256", length),
            Self::Cmac(length) => ("cmac", length),
            Self::Sha256(length) => ("sha256", length),
            Self::Wrap => ("kw-wrap", 32),
            Self::Unwrap => ("kw-unwrap", 32),
            Self::Generate => return "aes-generate".to_owned(),
            Self::Session => return "session".to_owned(),
            Self::Random => ("random", 32),
        };
        match length {
            length if length >= 1 << 20 => format!("{name}-{}M", length >> 20),
            length if length >= 1 << 10 => format!("{name}-{}K", length >> 10),
            length => format!("{name}-{length}"),
        }
    }

    /// Makes keys, and a session with its work for each thread. Fails where the module lacks the mechanism.
    pub fn prepare(self, session: &Session, threads: usize) -> Result<Vec<Work>> {
        let shared = self.keys(session)?;
        let of_thread = |_| Ok(self.work(session.module.open_session(session.slot)?, &shared));
        (0..threads).map(of_thread).collect()
    }

    fn keys(self, session: &Session) -> Result<Keys> {
        const AES: CK_MECHANISM_TYPE = CKM_AES_KEY_GEN;
        let one = |key| Keys { key, target: 0, wrapped: Vec::new() };
        match self {
            Self::Gcm(_) => has(session, CKM_AES_GCM)?.generate(AES, &[CKA_ENCRYPT]).map(one),
            Self::Ctr(_) => has(session, CKM_AES_CTR)?.generate(AES, &[CKA_ENCRYPT]).map(one),
            Self::Cmac(_) => has(session, CKM_AES_CMAC)?.generate(AES, &[CKA_SIGN]).map(one),
            Self::Hmac(_) => has(session, CKM_SHA256_HMAC)?.generate(CKM_GENERIC_SECRET_KEY_GEN, &[CKA_SIGN]).map(one),
            Self::Wrap | Self::Unwrap => {
                let session = has(session, CKM_AES_KEY_WRAP)?;
                let key = session.generate(AES, &[CKA_WRAP, CKA_UNWRAP])?;
                let target = session.generate(AES, &[CKA_EXTRACTABLE])?;
                let wrapped = wrap(&session.module, session.handle, key, target)?;
                Ok(Keys { key, target, wrapped })
            }
            Self::Sha256(_) => has(session, CKM_SHA256).map(|_| one(0)),
            Self::Generate => has(session, AES).map(|_| one(0)),
            Self::Session | Self::Random => Ok(one(0)),
        }
    }

    fn work(self, session: Session, keys: &Keys) -> Work {
        let Keys { key, target, wrapped } = keys.clone();
        match self {
            Self::Gcm(length) => gcm(session, key, length),
            Self::Ctr(length) => ctr(session, key, length),
            Self::Hmac(length) => sign(session, CKM_SHA256_HMAC, key, length),
            Self::Cmac(length) => sign(session, CKM_AES_CMAC, key, length),
            Self::Sha256(length) => sha256(session, length),
            Self::Wrap => Box::new(move |count| {
                (0..count).try_for_each(|_| wrap(&session.module, session.handle, key, target).map(drop))
            }),
            Self::Unwrap => unwrap(session, key, wrapped),
            Self::Generate => Box::new(move |count| {
                (0..count).try_for_each(|_| {
                    let key = session.generate(CKM_AES_KEY_GEN, &[CKA_ENCRYPT])?;
                    destroy(&session, key)
                })
            }),
            Self::Session => Box::new(move |count| {
                (0..count).try_for_each(|_| {
                    let opened = session.module.open_session(session.slot)?;
                    // SAFETY: a handle is only a number.
                    check("C_CloseSession", unsafe { (session.module.table.close_session)(opened.handle) })
                })
            }),
            Self::Random => random(session),
        }
    }
}

/// What all threads share.
#[derive(Clone)]
struct Keys {
    key: CK_OBJECT_HANDLE,
    target: CK_OBJECT_HANDLE,
    wrapped: Vec<u8>,
}

/// The session, if its token has the mechanism.
fn has(session: &Session, mechanism: CK_MECHANISM_TYPE) -> Result<&Session> {
    let mut info = CK_MECHANISM_INFO::default();
    // SAFETY: the function writes one structure.
    match unsafe { (session.module.table.mechanism_info)(session.slot, mechanism, &mut info) } {
        CKR_OK => Ok(session),
        _ => Err(Failure::new("the mechanism is not in its list")),
    }
}

fn gcm(session: Session, key: CK_OBJECT_HANDLE, length: usize) -> Work {
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
}

fn ctr(session: Session, key: CK_OBJECT_HANDLE, length: usize) -> Work {
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
}

fn sign(session: Session, mechanism: CK_MECHANISM_TYPE, key: CK_OBJECT_HANDLE, length: usize) -> Work {
    let table = &session.module.table;
    let (init, sign, session) = (table.sign_init, table.sign, session.handle);
    let mut input = vec![7; length];
    let mut output = [0; 32];
    Box::new(move |count| {
        for _ in 0..count {
            let mut mechanism = plain(mechanism);
            let mut written = output.len() as CK_ULONG;
            // SAFETY: mechanism and buffers are valid for their lengths.
            unsafe {
                check("C_SignInit", init(session, &mut mechanism, key))?;
                let into = output.as_mut_ptr();
                check("C_Sign", sign(session, input.as_mut_ptr(), length as CK_ULONG, into, &mut written))?;
            }
        }
        Ok(())
    })
}

fn sha256(session: Session, length: usize) -> Work {
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
}

fn random(session: Session) -> Work {
    let (generate, session) = (session.module.table.generate_random, session.handle);
    let mut output = [0; 32];
    Box::new(move |count| {
        (0..count).try_for_each(|_| {
            // SAFETY: the buffer is valid for its length.
            check("C_GenerateRandom", unsafe { generate(session, output.as_mut_ptr(), 32) })
        })
    })
}

fn wrap(
    module: &Module,
    session: CK_SESSION_HANDLE,
    key: CK_OBJECT_HANDLE,
    target: CK_OBJECT_HANDLE,
) -> Result<Vec<u8>> {
    let mut mechanism = plain(CKM_AES_KEY_WRAP);
    let mut wrapped = vec![0; 40];
    let mut length = 40;
    // SAFETY: mechanism and buffer are valid for their lengths.
    let code =
        unsafe { (module.table.wrap_key)(session, &mut mechanism, key, target, wrapped.as_mut_ptr(), &mut length) };
    check("C_WrapKey", code).map(|()| wrapped)
}

fn unwrap(session: Session, key: CK_OBJECT_HANDLE, mut wrapped: Vec<u8>) -> Work {
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
}

fn destroy(session: &Session, key: CK_OBJECT_HANDLE) -> Result<()> {
    // SAFETY: handles are only numbers.
    check("C_DestroyObject", unsafe { (session.module.table.destroy_object)(session.handle, key) })
}

fn with_parameter<T>(mechanism: CK_MECHANISM_TYPE, parameter: &mut T) -> CK_MECHANISM {
    CK_MECHANISM { mechanism, pParameter: ptr::from_mut(parameter).cast(), ulParameterLen: size_of::<T>() as CK_ULONG }
}
