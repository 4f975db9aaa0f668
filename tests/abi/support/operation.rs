//! Operations: encrypt, decrypt, digest, sign, verify; in one call or in parts.

use std::ptr::null_mut;

use cryptoki_sys::*;

use super::{Mechanism, Result, Session};

/// An operation that turns input into output: `Encrypt`, `Decrypt`, `Digest`, `Sign`.
pub trait Operation {
    /// `C_XxxInit`; a digest ignores the key.
    fn init(session: &Session, mechanism: &Mechanism, key: CK_OBJECT_HANDLE) -> Result;

    /// `C_Xxx` into this buffer, or the size query; the length that the module told.
    fn whole(session: &Session, input: &[u8], output: Option<&mut [u8]>) -> (Result, usize);

    /// `C_XxxUpdate` likewise; operations without output per part say 0.
    fn update(session: &Session, input: &[u8], output: Option<&mut [u8]>) -> (Result, usize);

    /// `C_XxxFinal` likewise.
    fn last(session: &Session, output: Option<&mut [u8]>) -> (Result, usize);

    /// Init and the whole, into a buffer that is surely large enough.
    fn run(session: &Session, mechanism: &Mechanism, key: CK_OBJECT_HANDLE, input: &[u8]) -> Result<Vec<u8>> {
        Self::init(session, mechanism, key)?;
        filled(input.len(), |output| Self::whole(session, input, Some(output)))
    }

    /// Init, an update for each part, and the end.
    fn parts<'a>(
        session: &Session,
        mechanism: &Mechanism,
        key: CK_OBJECT_HANDLE,
        input: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<u8>> {
        Self::init(session, mechanism, key)?;
        let (mut all, mut held) = (Vec::new(), 0);
        for part in input {
            held += part.len();
            all.extend(filled(held, |output| Self::update(session, part, Some(output)))?);
        }
        all.extend(filled(held, |output| Self::last(session, Some(output)))?);
        Ok(all)
    }
}

/// `C_Encrypt...`
pub struct Encrypt;
/// `C_Decrypt...`
pub struct Decrypt;
/// `C_Digest...`
pub struct Digest;
/// `C_Sign...`
pub struct Sign;

macro_rules! cipher {
    ($name:ident, $init:ident, $whole:ident, $update:ident, $last:ident) => {
        impl Operation for $name {
            fn init(session: &Session, mechanism: &Mechanism, key: CK_OBJECT_HANDLE) -> Result {
                let mut mechanism = mechanism.raw();
                call!(session.module.list, $init(session.handle, &mut mechanism, key))
            }
            fn whole(session: &Session, input: &[u8], output: Option<&mut [u8]>) -> (Result, usize) {
                let (from, size) = (input.as_ptr().cast_mut(), input.len() as CK_ULONG);
                into(output, |out, room| call!(session.module.list, $whole(session.handle, from, size, out, room)))
            }
            fn update(session: &Session, input: &[u8], output: Option<&mut [u8]>) -> (Result, usize) {
                let (from, size) = (input.as_ptr().cast_mut(), input.len() as CK_ULONG);
                into(output, |out, room| call!(session.module.list, $update(session.handle, from, size, out, room)))
            }
            fn last(session: &Session, output: Option<&mut [u8]>) -> (Result, usize) {
                into(output, |out, room| call!(session.module.list, $last(session.handle, out, room)))
            }
        }
    };
}

cipher!(Encrypt, C_EncryptInit, C_Encrypt, C_EncryptUpdate, C_EncryptFinal);
cipher!(Decrypt, C_DecryptInit, C_Decrypt, C_DecryptUpdate, C_DecryptFinal);

impl Operation for Digest {
    fn init(session: &Session, mechanism: &Mechanism, _key: CK_OBJECT_HANDLE) -> Result {
        let mut mechanism = mechanism.raw();
        call!(session.module.list, C_DigestInit(session.handle, &mut mechanism))
    }
    fn whole(session: &Session, input: &[u8], output: Option<&mut [u8]>) -> (Result, usize) {
        let (from, size) = (input.as_ptr().cast_mut(), input.len() as CK_ULONG);
        into(output, |out, room| call!(session.module.list, C_Digest(session.handle, from, size, out, room)))
    }
    fn update(session: &Session, input: &[u8], _output: Option<&mut [u8]>) -> (Result, usize) {
        let (from, size) = (input.as_ptr().cast_mut(), input.len() as CK_ULONG);
        (call!(session.module.list, C_DigestUpdate(session.handle, from, size)), 0)
    }
    fn last(session: &Session, output: Option<&mut [u8]>) -> (Result, usize) {
        into(output, |out, room| call!(session.module.list, C_DigestFinal(session.handle, out, room)))
    }
}

impl Operation for Sign {
    fn init(session: &Session, mechanism: &Mechanism, key: CK_OBJECT_HANDLE) -> Result {
        let mut mechanism = mechanism.raw();
        call!(session.module.list, C_SignInit(session.handle, &mut mechanism, key))
    }
    fn whole(session: &Session, input: &[u8], output: Option<&mut [u8]>) -> (Result, usize) {
        let (from, size) = (input.as_ptr().cast_mut(), input.len() as CK_ULONG);
        into(output, |out, room| call!(session.module.list, C_Sign(session.handle, from, size, out, room)))
    }
    fn update(session: &Session, input: &[u8], _output: Option<&mut [u8]>) -> (Result, usize) {
        let (from, size) = (input.as_ptr().cast_mut(), input.len() as CK_ULONG);
        (call!(session.module.list, C_SignUpdate(session.handle, from, size)), 0)
    }
    fn last(session: &Session, output: Option<&mut [u8]>) -> (Result, usize) {
        into(output, |out, room| call!(session.module.list, C_SignFinal(session.handle, out, room)))
    }
}

impl Session {
    /// Encrypts in one call.
    pub fn encrypt(&self, mechanism: &Mechanism, key: CK_OBJECT_HANDLE, data: &[u8]) -> Result<Vec<u8>> {
        Encrypt::run(self, mechanism, key, data)
    }

    /// Decrypts in one call.
    pub fn decrypt(&self, mechanism: &Mechanism, key: CK_OBJECT_HANDLE, data: &[u8]) -> Result<Vec<u8>> {
        Decrypt::run(self, mechanism, key, data)
    }

    /// Signs in one call.
    pub fn sign(&self, mechanism: &Mechanism, key: CK_OBJECT_HANDLE, data: &[u8]) -> Result<Vec<u8>> {
        Sign::run(self, mechanism, key, data)
    }

    /// Digests in one call.
    pub fn digest(&self, mechanism: CK_MECHANISM_TYPE, data: &[u8]) -> Result<Vec<u8>> {
        Digest::run(self, &Mechanism::plain(mechanism), 0, data)
    }

    /// `C_VerifyInit`.
    pub fn verify_init(&self, mechanism: &Mechanism, key: CK_OBJECT_HANDLE) -> Result {
        let mut mechanism = mechanism.raw();
        call!(self.module.list, C_VerifyInit(self.handle, &mut mechanism, key))
    }

    /// Verifies in one call.
    pub fn verify(&self, mechanism: &Mechanism, key: CK_OBJECT_HANDLE, data: &[u8], signature: &[u8]) -> Result {
        self.verify_init(mechanism, key)?;
        self.verify_whole(data, signature)
    }

    /// `C_Verify`.
    pub fn verify_whole(&self, data: &[u8], signature: &[u8]) -> Result {
        let (from, size) = (data.as_ptr().cast_mut(), data.len() as CK_ULONG);
        let (mac, length) = (signature.as_ptr().cast_mut(), signature.len() as CK_ULONG);
        call!(self.module.list, C_Verify(self.handle, from, size, mac, length))
    }

    /// `C_VerifyUpdate`.
    pub fn verify_update(&self, data: &[u8]) -> Result {
        call!(self.module.list, C_VerifyUpdate(self.handle, data.as_ptr().cast_mut(), data.len() as CK_ULONG))
    }

    /// `C_VerifyFinal`.
    pub fn verify_final(&self, signature: &[u8]) -> Result {
        let (mac, length) = (signature.as_ptr().cast_mut(), signature.len() as CK_ULONG);
        call!(self.module.list, C_VerifyFinal(self.handle, mac, length))
    }
}

/// That of RSA with 8192 bits; longer than a cipher adds.
const LONGEST_SIGNATURE: usize = 1024;

/// What a call wrote into a buffer that holds any answer to that much input.
fn filled(input: usize, call: impl FnOnce(&mut [u8]) -> (Result, usize)) -> Result<Vec<u8>> {
    let mut output = vec![0; input + LONGEST_SIGNATURE];
    let (outcome, length) = call(&mut output);
    outcome?;
    output.truncate(length);
    Ok(output)
}

/// Calls with a buffer, or with NULL for the size; gives the outcome and the length told.
fn into(output: Option<&mut [u8]>, call: impl FnOnce(*mut u8, *mut CK_ULONG) -> Result) -> (Result, usize) {
    let (pointer, room) = output.map_or((null_mut(), 0), |output| (output.as_mut_ptr(), output.len()));
    let mut length = room as CK_ULONG;
    let outcome = call(pointer, &mut length);
    (outcome, length as usize)
}
