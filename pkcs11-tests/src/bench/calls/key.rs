//! Secret keys that are made, wrapped and unwrapped.

use cryptoki_sys::*;

use super::made::{Making, encrypted_block, has_value};
use super::{Maker, equal, has};
use crate::bench::bare::{KEY, wrap as bare};
use crate::bench::turn::Work;
use crate::failure::{Failure, Result};
use crate::module::{Session, attribute, check, plain};

pub(super) fn wrap(session: &Session) -> Result<Maker> {
    let key = wrapping_key(session)?;
    let target = session.create_secret(CKK_AES, &bare::TARGET, &[CKA_EXTRACTABLE])?;
    Ok(Box::new(move |session| Ok(Box::new(Wrap { session, key, target, wrapped: [0; 40] }))))
}

struct Wrap {
    session: Session,
    key: CK_OBJECT_HANDLE,
    target: CK_OBJECT_HANDLE,
    wrapped: [u8; 40],
}

impl Work for Wrap {
    fn repeat(&mut self, count: u64) -> Result<()> {
        let (wrap, session) = (self.session.module.table.wrap_key, self.session.handle);
        for _ in 0..count {
            let (mut mechanism, mut length) = (plain(CKM_AES_KEY_WRAP), self.wrapped.len() as CK_ULONG);
            let into = self.wrapped.as_mut_ptr();
            // SAFETY: mechanism and buffer are valid for their lengths.
            let code = unsafe { wrap(session, &mut mechanism, self.key, self.target, into, &mut length) };
            check("C_WrapKey", code)?;
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        equal("the wrapped key", Some(&self.wrapped), &bare::wrapped()?)
    }
}

pub(super) fn unwrap(session: &Session) -> Result<Maker> {
    let key = wrapping_key(session)?;
    Ok(Box::new(move |session| {
        let wrapped = bare::wrapped()?;
        let make = move |session: &Session| unwrapped(session, key, wrapped).map(|key| [key]);
        let check = |session: &Session, [key]: [_; 1]| has_value(session, key, &bare::TARGET);
        Ok(Box::new(Making { session, last: None, make, check }))
    }))
}

fn unwrapped(session: &Session, key: CK_OBJECT_HANDLE, mut wrapped: [u8; 40]) -> Result<CK_OBJECT_HANDLE> {
    let mut mechanism = plain(CKM_AES_KEY_WRAP);
    let (mut class, mut key_type, mut yes) = (CKO_SECRET_KEY, CKK_AES, CK_TRUE);
    let mut template =
        [attribute(CKA_CLASS, &mut class), attribute(CKA_KEY_TYPE, &mut key_type), attribute(CKA_ENCRYPT, &mut yes)];
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
    check("C_UnwrapKey", code).map(|()| unwrapped)
}

fn wrapping_key(session: &Session) -> Result<CK_OBJECT_HANDLE> {
    has(session, CKM_AES_KEY_WRAP)?.create_secret(CKK_AES, &KEY, &[CKA_WRAP, CKA_UNWRAP])
}

pub(super) fn generate(session: &Session) -> Result<Maker> {
    has(session, CKM_AES_KEY_GEN)?;
    Ok(Box::new(|session| {
        let make = |session: &Session| session.generate(CKM_AES_KEY_GEN, &[CKA_ENCRYPT]).map(|key| [key]);
        let mut before = [0; 16];
        let check = move |session: &Session, [key]: [_; 1]| {
            let block = encrypted_block(session, key)?;
            // A key that encrypts zeros to zeros, or as the key before it did, is none.
            let is_new = block != before && block != [0; 16];
            before = block;
            if is_new { Ok(()) } else { Err(Failure::wrong_result("the key is not a new one")) }
        };
        Ok(Box::new(Making { session, last: None, make, check }))
    }))
}
