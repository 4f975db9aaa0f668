//! Signatures with recovery: what was signed comes back, and nothing comes out of a signature that was changed.

use std::sync::OnceLock;

use cryptoki_sys::*;

use crate::arena::{self, Place};
use crate::keys::attribute;
use crate::library::{call, session};
use crate::mechanism::Message;
use crate::parameter::Parameter;

/// A message, signed and recovered; and recovered from as if it were a signature.
pub fn recover(parameter: &Parameter, message: &Message<'_>) {
    let (public, private) = *pair();
    let sign = || call!(C_SignRecoverInit(session(), &mut parameter.mechanism(), private));
    let verify = || call!(C_VerifyRecoverInit(session(), &mut parameter.mechanism(), public));
    let signs: arena::Call<'_> = &|data, length, into, room| call!(C_SignRecover(session(), data, length, into, room));
    let recovers: arena::Call<'_> =
        &|data, length, into, room| call!(C_VerifyRecover(session(), data, length, into, room));
    if verify() != CKR_OK {
        assert_ne!(sign(), CKR_OK, "what signs also recovers");
        return;
    }
    // Raw RSA takes any number below the modulus.
    let foreign = arena::announced(recovers, message.bytes, Place::Apart, true);
    assert!(foreign.is_err() || parameter.number() == CKM_RSA_X_509, "anything passes for a signature");
    assert_eq!(sign(), CKR_OK);
    let Ok(signature) = arena::announced(signs, message.bytes, Place::Apart, true) else { return };
    assert_eq!(signature.len(), 256);
    assert_eq!(verify(), CKR_OK);
    let back = arena::announced(recovers, &signature, message.place, true).expect("what was signed is recovered");
    assert!(back.ends_with(message.bytes), "another message");
    assert!(back[..back.len() - message.bytes.len()].iter().all(|byte| *byte == 0));
    assert_eq!(verify(), CKR_OK);
    let short = arena::announced(recovers, &signature[1..], Place::Apart, false);
    assert_eq!(short, Err(CKR_SIGNATURE_LEN_RANGE));
}

/// A pair of 2048 bits that does this and nothing else.
fn pair() -> &'static (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE) {
    static PAIR: OnceLock<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)> = OnceLock::new();
    PAIR.get_or_init(|| {
        let (mut bits, mut yes, mut public, mut private) = (2048 as CK_ULONG, CK_TRUE, 0, 0);
        let mut of_public = [
            attribute(CKA_MODULUS_BITS, (&raw mut bits).cast(), size_of::<CK_ULONG>()),
            attribute(CKA_VERIFY_RECOVER, &raw mut yes, 1),
        ];
        let mut of_private = [attribute(CKA_SIGN_RECOVER, &raw mut yes, 1)];
        let mut mechanism = Parameter::none(CKM_RSA_PKCS_KEY_PAIR_GEN).mechanism();
        let (one, other) = (of_public.as_mut_ptr(), of_private.as_mut_ptr());
        let made = call!(C_GenerateKeyPair(session(), &mut mechanism, one, 2, other, 1, &mut public, &mut private));
        assert_eq!(made, CKR_OK);
        (public, private)
    })
}
