//! Digest functions. PKCS#11 3.2, section 5.12.

use std::ptr;

use cryptoki_sys::*;

use super::mechanism;
use super::memory::{self, Place};
use crate::handle::Handle;

entry!(fn C_DigestInit(session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM) |module| {
    if mechanism.is_null() {
        return module.sessions().digest_cancel(Handle::from_raw(session));
    }
    module.sessions().digest_init(Handle::from_raw(session), mechanism::read(module, mechanism)?.0)
});

entry!(fn C_Digest(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    into: *mut CK_BYTE,
    into_length: *mut CK_ULONG,
) |module| {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    let place = Place::new((data, length), (into, into_length));
    let place = place.inspect_err(|_| drop(sessions.digest_cancel(session)))?;
    memory::write_length(sessions.digest_whole(session, &mut place.output())?, into_length)
});

entry!(fn C_DigestUpdate(session: CK_SESSION_HANDLE, part: *mut CK_BYTE, length: CK_ULONG) |module| {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    let part = memory::bytes(part, length).inspect_err(|_| drop(sessions.digest_cancel(session)))?;
    sessions.digest_update(session, part)
});

entry!(fn C_DigestKey(session: CK_SESSION_HANDLE, key: CK_OBJECT_HANDLE) |module| {
    module.sessions().digest_key(Handle::from_raw(session), Handle::from_raw(key))
});

entry!(fn C_DigestFinal(session: CK_SESSION_HANDLE, into: *mut CK_BYTE, into_length: *mut CK_ULONG) |module| {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    let place = Place::new((ptr::null(), 0), (into, into_length));
    let place = place.inspect_err(|_| drop(sessions.digest_cancel(session)))?;
    memory::write_length(sessions.digest_final(session, &mut place.output())?, into_length)
});
