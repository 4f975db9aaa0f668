//! Functions for two operations at once. PKCS#11 3.2, section 5.17.

use cryptoki_sys::*;

use super::memory;
use crate::error::Result;
use crate::handle::Handle;
use crate::module::Module;
use crate::session::Pair;

/// The four, which differ in the two operations alone.
macro_rules! dual {
    ($($name:ident: $pair:ident),* $(,)?) => {$(
        entry!(fn $name(
            session: CK_SESSION_HANDLE,
            part: *mut CK_BYTE,
            length: CK_ULONG,
            into: *mut CK_BYTE,
            into_length: *mut CK_ULONG,
        ) |module| {
            update(module, session, Pair::$pair, (part, length), (into, into_length))
        });
    )*};
}

dual! {
    C_DigestEncryptUpdate: DigestEncrypt,
    C_DecryptDigestUpdate: DecryptDigest,
    C_SignEncryptUpdate: SignEncrypt,
    C_DecryptVerifyUpdate: DecryptVerify,
}

unsafe fn update(
    module: &Module,
    session: CK_SESSION_HANDLE,
    pair: Pair,
    part: (*const CK_BYTE, CK_ULONG),
    into: (*mut CK_BYTE, *mut CK_ULONG),
) -> Result<()> {
    let (sessions, session) = (module.sessions(), Handle::from_raw(session));
    let cancel = || sessions.dual_cancel(session, pair);
    // SAFETY: the caller's contract.
    unsafe { memory::answer(part, into, cancel, |place| sessions.dual_update(session, pair, &mut place.output())) }
}
