//! Digests and MACs: in parts as in whole, and what was signed verifies, and nothing else does.

use std::ptr;

use cryptoki_sys::*;

use crate::arena::{self, Place};
use crate::library::{call, session};
use crate::mechanism::Message;
use crate::parameter::Parameter;

/// A digest in whole and in parts.
pub fn digest(parameter: &Parameter, message: &Message<'_>) {
    let begin = || call!(C_DigestInit(session(), &mut parameter.mechanism())) == CKR_OK;
    if !begin() {
        return;
    }
    let whole: arena::Call<'_> = &|data, length, into, room| call!(C_Digest(session(), data, length, into, room));
    let finish: arena::Call<'_> = &|_, _, into, room| call!(C_DigestFinal(session(), into, room));
    let apart = arena::announced(whole, message.bytes, Place::Apart, true).expect("a digest of anything");
    assert!(begin());
    assert_eq!(arena::announced(whole, message.bytes, message.place, false).as_ref(), Ok(&apart));
    assert!(begin());
    for part in message.parts() {
        assert_eq!(call!(C_DigestUpdate(session(), part.as_ptr().cast_mut(), part.len() as CK_ULONG)), CKR_OK);
    }
    assert_eq!(arena::announced(finish, &[], Place::Apart, true), Ok(apart));
}

/// A MAC in whole and in parts, made and verified.
pub fn sign(parameter: &Parameter, key: CK_OBJECT_HANDLE, message: &Message<'_>) {
    let begin = || call!(C_SignInit(session(), &mut parameter.mechanism(), key)) == CKR_OK;
    let may_verify = verifies(parameter, key);
    if !begin() {
        assert!(!may_verify, "what verifies also signs");
        return;
    }
    assert!(may_verify, "what signs also verifies");
    let whole: arena::Call<'_> = &|data, length, into, room| call!(C_Sign(session(), data, length, into, room));
    let finish: arena::Call<'_> = &|_, _, into, room| call!(C_SignFinal(session(), into, room));
    let mac = arena::announced(whole, message.bytes, Place::Apart, true).expect("a MAC of anything");
    assert!(begin());
    assert_eq!(arena::announced(whole, message.bytes, message.place, false).as_ref(), Ok(&mac));
    assert!(begin());
    for part in message.parts() {
        assert_eq!(call!(C_SignUpdate(session(), part.as_ptr().cast_mut(), part.len() as CK_ULONG)), CKR_OK);
    }
    assert_eq!(arena::announced(finish, &[], Place::Apart, true).as_ref(), Ok(&mac));

    assert_eq!(verify(parameter, key, message, &mac), CKR_OK);
    let mut changed = mac.clone();
    if let Some(byte) = changed.get_mut(message.bytes.len() % mac.len()) {
        *byte ^= 0x10;
    }
    assert_eq!(verify(parameter, key, message, &changed), CKR_SIGNATURE_INVALID);
    assert_eq!(verify(parameter, key, message, &mac[1..]), CKR_SIGNATURE_LEN_RANGE);
}

/// Whether `C_VerifyInit` takes it; then it is ended at once.
fn verifies(parameter: &Parameter, key: CK_OBJECT_HANDLE) -> bool {
    let begun = call!(C_VerifyInit(session(), &mut parameter.mechanism(), key)) == CKR_OK;
    if begun {
        assert_eq!(call!(C_VerifyInit(session(), ptr::null_mut(), 0)), CKR_OK);
    }
    begun
}

/// The verdict, the same in whole and in parts.
fn verify(parameter: &Parameter, key: CK_OBJECT_HANDLE, message: &Message<'_>, mac: &[u8]) -> CK_RV {
    let begin = || assert_eq!(call!(C_VerifyInit(session(), &mut parameter.mechanism(), key)), CKR_OK);
    let (at, length) = (mac.as_ptr().cast_mut(), mac.len() as CK_ULONG);
    begin();
    let data = message.bytes;
    let whole = call!(C_Verify(session(), data.as_ptr().cast_mut(), data.len() as CK_ULONG, at, length));
    begin();
    for part in message.parts() {
        assert_eq!(call!(C_VerifyUpdate(session(), part.as_ptr().cast_mut(), part.len() as CK_ULONG)), CKR_OK);
    }
    assert_eq!(call!(C_VerifyFinal(session(), at, length)), whole);
    whole
}
