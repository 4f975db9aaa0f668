//! Encryption and decryption functions. PKCS#11 3.2, sections 5.8 and 5.10.

use cryptoki_sys::*;

use super::mechanism;
use super::memory::{self, NOTHING};
use crate::error::Result;
use crate::handle::Handle;
use crate::module::Module;
use crate::session::{Direction, Length, Output, Sessions};

use Direction::{Decrypt, Encrypt};

entry!(fn C_EncryptInit(session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, key: CK_OBJECT_HANDLE) |module| {
    init(module, session, Encrypt, mechanism, key)
});

entry!(fn C_Encrypt(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    into: *mut CK_BYTE,
    into_length: *mut CK_ULONG,
) |module| {
    step(module, session, Encrypt, Sessions::crypt_whole, (data, length), (into, into_length))
});

entry!(fn C_EncryptUpdate(
    session: CK_SESSION_HANDLE,
    part: *mut CK_BYTE,
    length: CK_ULONG,
    into: *mut CK_BYTE,
    into_length: *mut CK_ULONG,
) |module| {
    step(module, session, Encrypt, Sessions::crypt_update, (part, length), (into, into_length))
});

entry!(fn C_EncryptFinal(session: CK_SESSION_HANDLE, into: *mut CK_BYTE, into_length: *mut CK_ULONG) |module| {
    step(module, session, Encrypt, Sessions::crypt_final, NOTHING, (into, into_length))
});

entry!(fn C_DecryptInit(session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, key: CK_OBJECT_HANDLE) |module| {
    init(module, session, Decrypt, mechanism, key)
});

entry!(fn C_Decrypt(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    into: *mut CK_BYTE,
    into_length: *mut CK_ULONG,
) |module| {
    step(module, session, Decrypt, Sessions::crypt_whole, (data, length), (into, into_length))
});

entry!(fn C_DecryptUpdate(
    session: CK_SESSION_HANDLE,
    part: *mut CK_BYTE,
    length: CK_ULONG,
    into: *mut CK_BYTE,
    into_length: *mut CK_ULONG,
) |module| {
    step(module, session, Decrypt, Sessions::crypt_update, (part, length), (into, into_length))
});

entry!(fn C_DecryptFinal(session: CK_SESSION_HANDLE, into: *mut CK_BYTE, into_length: *mut CK_ULONG) |module| {
    step(module, session, Decrypt, Sessions::crypt_final, NOTHING, (into, into_length))
});

/// Init; with a NULL mechanism, the end of whatever is active. PKCS#11 3.2, section 5.8.1.
unsafe fn init(
    module: &Module,
    session: CK_SESSION_HANDLE,
    direction: Direction,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> Result<()> {
    let (sessions, session, key) = (module.sessions(), Handle::from_raw(session), Handle::from_raw(key));
    let cancel = || sessions.crypt_cancel(session, direction);
    // SAFETY: the caller's contract.
    unsafe {
        mechanism::init(module, mechanism, cancel, |mechanism, parameter| {
            sessions.crypt_init(session, direction, mechanism, parameter, key)
        })
    }
}

type Step = fn(&Sessions, Handle, Direction, &mut Output<'_>) -> Result<Length>;

/// One step of the operation.
unsafe fn step(
    module: &Module,
    session: CK_SESSION_HANDLE,
    direction: Direction,
    step: Step,
    input: (*const CK_BYTE, CK_ULONG),
    into: (*mut CK_BYTE, *mut CK_ULONG),
) -> Result<()> {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    let cancel = || sessions.crypt_cancel(session, direction);
    // SAFETY: the caller's contract.
    unsafe { memory::answer(input, into, cancel, |place| step(sessions, session, direction, &mut place.output())) }
}
