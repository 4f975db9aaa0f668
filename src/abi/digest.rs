//! Digest functions. PKCS#11 3.2, section 5.12.

use cryptoki_sys::*;

use super::mechanism;
use super::memory::{self, NOTHING};
use crate::handle::Handle;

entry!(fn C_DigestInit(session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM) |module| {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    let cancel = || sessions.digest_cancel(session);
    mechanism::init(module, mechanism, cancel, |mechanism, _| sessions.digest_init(session, mechanism))
});

entry!(fn C_Digest(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    into: *mut CK_BYTE,
    into_length: *mut CK_ULONG,
) |module| {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    let cancel = || sessions.digest_cancel(session);
    memory::answer((data, length), (into, into_length), cancel, |place| {
        sessions.digest_whole(session, &mut place.output())
    })
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
    let cancel = || sessions.digest_cancel(session);
    memory::answer(NOTHING, (into, into_length), cancel, |place| sessions.digest_final(session, &mut place.output()))
});
