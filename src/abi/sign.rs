//! Functions for signatures and MACs. PKCS#11 3.2, sections 5.13 and 5.15.

use cryptoki_sys::*;

use super::mechanism;
use super::memory::{self, NOTHING};
use crate::error::Result;
use crate::handle::Handle;
use crate::module::Module;
use crate::session::{Length, Output, Sessions, SignPurpose};

use SignPurpose::{Sign, Verify};

entry!(fn C_SignInit(session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, key: CK_OBJECT_HANDLE) |module| {
    init(module, session, Sign, mechanism, key)
});

entry!(fn C_Sign(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    into: *mut CK_BYTE,
    into_length: *mut CK_ULONG,
) |module| {
    finish(module, session, Sessions::sign_whole, (data, length), (into, into_length))
});

entry!(fn C_SignUpdate(session: CK_SESSION_HANDLE, part: *mut CK_BYTE, length: CK_ULONG) |module| {
    update(module, session, Sign, part, length)
});

entry!(fn C_SignFinal(session: CK_SESSION_HANDLE, into: *mut CK_BYTE, into_length: *mut CK_ULONG) |module| {
    finish(module, session, Sessions::sign_final, NOTHING, (into, into_length))
});

entry!(fn C_VerifyInit(session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, key: CK_OBJECT_HANDLE) |module| {
    init(module, session, Verify, mechanism, key)
});

entry!(fn C_Verify(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: CK_ULONG,
) |module| {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    let given = memory::bytes(data, length).and_then(|data| Ok((data, memory::bytes(signature, signature_length)?)));
    let (data, signature) = given.inspect_err(|_| drop(sessions.sign_cancel(session, Verify)))?;
    sessions.verify(session, Some(data), signature)
});

entry!(fn C_VerifyUpdate(session: CK_SESSION_HANDLE, part: *mut CK_BYTE, length: CK_ULONG) |module| {
    update(module, session, Verify, part, length)
});

entry!(fn C_VerifyFinal(session: CK_SESSION_HANDLE, signature: *mut CK_BYTE, length: CK_ULONG) |module| {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    let signature = memory::bytes(signature, length).inspect_err(|_| drop(sessions.sign_cancel(session, Verify)))?;
    sessions.verify(session, None, signature)
});

/// Init; with a NULL mechanism, the end of whatever is active. PKCS#11 3.2, section 5.13.1.
unsafe fn init(
    module: &Module,
    session: CK_SESSION_HANDLE,
    purpose: SignPurpose,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> Result<()> {
    let (sessions, session, key) = (module.sessions(), Handle::from_raw(session), Handle::from_raw(key));
    let cancel = || sessions.sign_cancel(session, purpose);
    // SAFETY: the caller's contract.
    unsafe {
        mechanism::init(module, mechanism, cancel, |mechanism, parameter| {
            sessions.sign_init(session, purpose, mechanism, parameter, key)
        })
    }
}

unsafe fn update(
    module: &Module,
    session: CK_SESSION_HANDLE,
    purpose: SignPurpose,
    part: *mut CK_BYTE,
    length: CK_ULONG,
) -> Result<()> {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    // SAFETY: the caller's contract.
    let part = unsafe { memory::bytes(part, length) };
    let part = part.inspect_err(|_| drop(sessions.sign_cancel(session, purpose)))?;
    sessions.sign_update(session, purpose, part)
}

unsafe fn finish(
    module: &Module,
    session: CK_SESSION_HANDLE,
    finish: fn(&Sessions, Handle, &mut Output<'_>) -> Result<Length>,
    data: (*const CK_BYTE, CK_ULONG),
    into: (*mut CK_BYTE, *mut CK_ULONG),
) -> Result<()> {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    let cancel = || sessions.sign_cancel(session, Sign);
    // SAFETY: the caller's contract.
    unsafe { memory::answer(data, into, cancel, |place| finish(sessions, session, &mut place.output())) }
}
