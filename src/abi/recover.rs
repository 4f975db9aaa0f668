//! Functions for signatures that give their message back. PKCS#11 3.2, sections 5.13.5, 5.13.6, 5.15.5 and 5.15.6.

use cryptoki_sys::*;

use super::mechanism;
use super::memory;
use crate::error::Result;
use crate::handle::Handle;
use crate::module::Module;
use crate::session::SignPurpose;

use SignPurpose::{Sign, Verify};

entry!(fn C_SignRecoverInit(session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, key: CK_OBJECT_HANDLE) |module| {
    init(module, session, Sign, mechanism, key)
});

entry!(fn C_SignRecover(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    into: *mut CK_BYTE,
    into_length: *mut CK_ULONG,
) |module| {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    let cancel = || sessions.recover_cancel(session, Sign);
    memory::answer((data, length), (into, into_length), cancel, |place| {
        sessions.sign_recover(session, &mut place.output())
    })
});

entry!(fn C_VerifyRecoverInit(session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, key: CK_OBJECT_HANDLE) |module| {
    init(module, session, Verify, mechanism, key)
});

entry!(fn C_VerifyRecover(
    session: CK_SESSION_HANDLE,
    signature: *mut CK_BYTE,
    length: CK_ULONG,
    into: *mut CK_BYTE,
    into_length: *mut CK_ULONG,
) |module| {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    let cancel = || sessions.recover_cancel(session, Verify);
    memory::answer((signature, length), (into, into_length), cancel, |place| {
        sessions.verify_recover(session, &mut place.in_out(), into.is_null())
    })
});

/// Init; with a NULL mechanism, the end of whatever is active. PKCS#11 3.2, sections 5.13.5 and 5.15.5.
unsafe fn init(
    module: &Module,
    session: CK_SESSION_HANDLE,
    purpose: SignPurpose,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> Result<()> {
    let (sessions, session, key) = (module.sessions(), Handle::from_raw(session), Handle::from_raw(key));
    let cancel = || sessions.recover_cancel(session, purpose);
    // SAFETY: the caller's contract.
    unsafe {
        mechanism::init(module, mechanism, cancel, |mechanism, parameter| {
            sessions.recover_init(session, purpose, mechanism, parameter, key)
        })
    }
}
