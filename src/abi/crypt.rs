//! Encryption and decryption functions. PKCS#11 3.2, sections 5.8 and 5.10.

use cryptoki_sys::*;

use super::mechanism;
use super::memory::{self, Place};
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

/// The input of a Final call.
const NOTHING: (*mut CK_BYTE, CK_ULONG) = (std::ptr::null_mut(), 0);

/// Init; with a NULL mechanism, the end of whatever is active. PKCS#11 3.2, section 5.8.1.
unsafe fn init(
    module: &Module,
    session: CK_SESSION_HANDLE,
    direction: Direction,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> Result<()> {
    let session = Handle::from_raw(session);
    if mechanism.is_null() {
        return module.sessions().crypt_cancel(session, direction);
    }
    // SAFETY: the caller's contract.
    let (mechanism, parameter) = unsafe { mechanism::read(module, mechanism) }?;
    module.sessions().crypt_init(session, direction, mechanism, &parameter, Handle::from_raw(key))
}

type Step = fn(&Sessions, Handle, Direction, &mut Output<'_>) -> Result<Length>;

/// One step of the operation. Arguments that cannot be used end it, like every other error.
unsafe fn step(
    module: &Module,
    session: CK_SESSION_HANDLE,
    direction: Direction,
    step: Step,
    (input, length): (*mut CK_BYTE, CK_ULONG),
    (into, into_length): (*mut CK_BYTE, *mut CK_ULONG),
) -> Result<()> {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    // SAFETY: the caller's contract.
    let place = unsafe { Place::new((input, length), (into, into_length)) };
    let place = place.inspect_err(|_| drop(sessions.crypt_cancel(session, direction)))?;
    // SAFETY: the caller's contract.
    let length = step(sessions, session, direction, &mut unsafe { place.output() })?;
    // SAFETY: the caller's contract.
    unsafe { memory::write_length(length, into_length) }
}
