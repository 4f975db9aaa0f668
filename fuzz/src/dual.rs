//! Two operations at once: the cipher gives what it gives alone, and the digest is that of what was passed on.

use std::ptr;

use cryptoki_sys::*;

use crate::arena::{self, Place};
use crate::library::{call, session};
use crate::mechanism::Message;
use crate::parameter::Parameter;

/// A cipher with a digest, there and back.
pub fn digested(parameter: &Parameter, key: CK_OBJECT_HANDLE, message: &Message<'_>) {
    let encrypt = || call!(C_EncryptInit(session(), &mut parameter.mechanism(), key)) == CKR_OK;
    if !encrypt() {
        return;
    }
    let update: arena::Call<'_> =
        &|data, length, into, room| call!(C_DigestEncryptUpdate(session(), data, length, into, room));
    let finish: arena::Call<'_> = &|_, _, into, room| call!(C_EncryptFinal(session(), into, room));
    let Some((updated, last)) = both(update, finish, message, message.bytes) else {
        cancel();
        return;
    };
    let sealed = [updated, last].concat();
    assert!(encrypt());
    let whole: arena::Call<'_> = &|data, length, into, room| call!(C_Encrypt(session(), data, length, into, room));
    assert_eq!(arena::announced(whole, message.bytes, Place::Apart, false), Ok(sealed.clone()), "another ciphertext");

    assert_eq!(call!(C_DecryptInit(session(), &mut parameter.mechanism(), key)), CKR_OK);
    let update: arena::Call<'_> =
        &|data, length, into, room| call!(C_DecryptDigestUpdate(session(), data, length, into, room));
    let finish: arena::Call<'_> = &|_, _, into, room| call!(C_DecryptFinal(session(), into, room));
    let there = message.with(&sealed);
    let (updated, last) = both(update, finish, &there, &[]).expect("what was encrypted is decrypted");
    assert_eq!([updated, last].concat(), message.bytes);
}

/// Runs the cipher that has begun beside SHA-256: what its Updates gave, and its Final. None if it takes no parts or not these.
/// The digest gets `plain`; where there is none, what the Updates gave.
fn both(
    update: arena::Call<'_>,
    finish: arena::Call<'_>,
    message: &Message<'_>,
    plain: &[u8],
) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut sha = CK_MECHANISM { mechanism: CKM_SHA256, pParameter: ptr::null_mut(), ulParameterLen: 0 };
    assert_eq!(call!(C_DigestInit(session(), &mut sha)), CKR_OK, "a digest beside a cipher");
    let mut updated = Vec::new();
    for part in message.parts() {
        updated.extend(arena::announced(update, part, Place::Apart, true).ok()?);
    }
    let last = arena::announced(finish, &[], Place::Apart, true).ok()?;
    let digest: arena::Call<'_> = &|_, _, into, room| call!(C_DigestFinal(session(), into, room));
    let got = arena::announced(digest, &[], Place::Apart, false);
    let passed_on = if plain.is_empty() { &updated } else { plain };
    assert_eq!(call!(C_DigestInit(session(), &mut sha)), CKR_OK);
    let whole: arena::Call<'_> = &|data, length, into, room| call!(C_Digest(session(), data, length, into, room));
    assert_eq!(arena::announced(whole, passed_on, Place::Apart, false), got, "another digest");
    Some((updated, last))
}

/// Ends what is left of both.
fn cancel() {
    assert_eq!(call!(C_SessionCancel(session(), CKF_ENCRYPT | CKF_DIGEST)), CKR_OK);
}
