//! Encryption and decryption: in parts as in whole, in place as apart, and back to what it was.

use cryptoki_sys::*;

use crate::arena::{self, Place};
use crate::library::{call, session};
use crate::mechanism::Message;
use crate::parameter::Parameter;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Encrypt,
    Decrypt,
}

use Direction::{Decrypt, Encrypt};

/// All that can be done with a message in both directions.
pub fn try_all(parameter: &Parameter, key: CK_OBJECT_HANDLE, message: &Message<'_>) {
    if let Some(ciphertext) = every_way(Encrypt, parameter, key, message) {
        let there = message.with(&ciphertext);
        let back = every_way(Decrypt, parameter, key, &there).expect("what was encrypted is decrypted");
        assert_eq!(back, message.bytes);
    }
    every_way(Decrypt, parameter, key, message);
}

/// The result, which is the same in whole and in parts, apart and in place.
fn every_way(
    direction: Direction,
    parameter: &Parameter,
    key: CK_OBJECT_HANDLE,
    message: &Message<'_>,
) -> Option<Vec<u8>> {
    let begin = || match init(direction, parameter, key) {
        CKR_OK => true,
        code => {
            assert_ne!(code, CKR_OPERATION_ACTIVE);
            ended(direction);
            false
        }
    };
    if !begin() {
        return None;
    }
    let apart = whole(direction, message.bytes, Place::Apart, true);
    ended(direction);
    assert!(begin(), "an Init that succeeded once");
    let placed = whole(direction, message.bytes, message.place, false);
    ended(direction);
    assert_eq!(apart, placed, "{:?} is not as apart", message.place);

    for (place, probe) in [(Place::Apart, true), (message.place, false)] {
        assert!(begin());
        let parts = parts(direction, message, place, probe);
        ended(direction);
        match (&apart, &parts) {
            // PKCS#11 3.2, section 6.16: in one part.
            (_, Err(CKR_OPERATION_NOT_INITIALIZED)) => assert!(in_one_part_only(parameter.number())),
            (Ok(whole), Ok(parts)) => assert_eq!(whole, parts, "parts are not the whole"),
            (whole, parts) => assert_eq!(whole.is_ok(), parts.is_ok(), "whole {whole:x?}, parts {parts:x?}"),
        }
    }
    apart.ok()
}

fn in_one_part_only(mechanism: CK_MECHANISM_TYPE) -> bool {
    [CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_PAD, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PKCS7].contains(&mechanism)
}

fn init(direction: Direction, parameter: &Parameter, key: CK_OBJECT_HANDLE) -> CK_RV {
    let mut mechanism = parameter.mechanism();
    match direction {
        Encrypt => call!(C_EncryptInit(session(), &mut mechanism, key)),
        Decrypt => call!(C_DecryptInit(session(), &mut mechanism, key)),
    }
}

fn whole(direction: Direction, message: &[u8], place: Place, probe: bool) -> Result<Vec<u8>, CK_RV> {
    let call: arena::Call<'_> = match direction {
        Encrypt => &|data, length, into, room| call!(C_Encrypt(session(), data, length, into, room)),
        Decrypt => &|data, length, into, room| call!(C_Decrypt(session(), data, length, into, room)),
    };
    arena::announced(call, message, place, probe)
}

fn parts(direction: Direction, message: &Message<'_>, place: Place, probe: bool) -> Result<Vec<u8>, CK_RV> {
    let update: arena::Call<'_> = match direction {
        Encrypt => &|data, length, into, room| call!(C_EncryptUpdate(session(), data, length, into, room)),
        Decrypt => &|data, length, into, room| call!(C_DecryptUpdate(session(), data, length, into, room)),
    };
    let finish: arena::Call<'_> = match direction {
        Encrypt => &|_, _, into, room| call!(C_EncryptFinal(session(), into, room)),
        Decrypt => &|_, _, into, room| call!(C_DecryptFinal(session(), into, room)),
    };
    let mut output = Vec::new();
    for part in message.parts() {
        output.extend(arena::announced(update, part, place, probe)?);
    }
    output.extend(arena::announced(finish, &[], place, probe)?);
    Ok(output)
}

/// Neither a result nor an error leaves anything active.
fn ended(direction: Direction) {
    let (mut byte, mut room) = ([0; 1], 0);
    let code = match direction {
        Encrypt => call!(C_EncryptFinal(session(), byte.as_mut_ptr(), &mut room)),
        Decrypt => call!(C_DecryptFinal(session(), byte.as_mut_ptr(), &mut room)),
    };
    assert_eq!(code, CKR_OPERATION_NOT_INITIALIZED, "something is still active");
}
