//! The state of a digest: it goes on where it was, and nothing else passes for one.

use std::ptr;

use cryptoki_sys::*;

use crate::arena::{self, Place};
use crate::library::{call, session};
use crate::mechanism::Message;
use crate::parameter::Parameter;

/// A digest that is saved in the middle of a message.
pub fn digest(parameter: &Parameter, message: &Message<'_>) {
    let restore =
        |state: &[u8]| call!(C_SetOperationState(session(), state.as_ptr().cast_mut(), state.len() as CK_ULONG, 0, 0));
    assert_ne!(restore(message.bytes), CKR_OK, "anything passes for a state");
    if call!(C_DigestInit(session(), &mut parameter.mechanism())) != CKR_OK {
        return;
    }
    let update = |part: &[u8]| {
        assert_eq!(call!(C_DigestUpdate(session(), part.as_ptr().cast_mut(), part.len() as CK_ULONG)), CKR_OK);
    };
    let finish: arena::Call<'_> = &|_, _, into, room| call!(C_DigestFinal(session(), into, room));
    let parts = message.parts();
    let (first, rest) = parts.split_first().expect("at least one part");
    update(first);
    let save: arena::Call<'_> = &|_, _, into, room| call!(C_GetOperationState(session(), into, room));
    let state = arena::announced(save, &[], Place::Apart, true).expect("the state of a digest");
    rest.iter().for_each(|part| update(part));
    let digest = arena::announced(finish, &[], Place::Apart, false);
    assert_eq!(restore(&state), CKR_OK);
    rest.iter().for_each(|part| update(part));
    assert_eq!(arena::announced(finish, &[], Place::Apart, false), digest, "another digest after a pause");
    let mut changed = state.clone();
    let at = message.bytes.len() % changed.len();
    changed[at] ^= 0x10;
    assert_eq!(restore(&changed), CKR_SAVED_STATE_INVALID);
    assert_eq!(restore(&state[1..]), CKR_SAVED_STATE_INVALID);
    assert_eq!(call!(C_DigestInit(session(), ptr::null_mut())), CKR_OK, "a cancellation");
}
