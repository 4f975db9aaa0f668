//! Session management functions. PKCS#11 3.2, section 5.6.

use cryptoki_sys::*;

use super::info;
use super::memory::{self, NOTHING};
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key::Login;
use crate::module::Module;

entry!(fn C_CloseSession(session: CK_SESSION_HANDLE) |module| module.sessions().close(Handle::from_raw(session)));

entry!(fn C_GetSessionInfo(session: CK_SESSION_HANDLE, into: *mut CK_SESSION_INFO) |module| {
    memory::write(into, info::session(&module.sessions().info(Handle::from_raw(session))?))
});

entry!(fn C_Login(session: CK_SESSION_HANDLE, user: CK_USER_TYPE, pin: *mut CK_UTF8CHAR, length: CK_ULONG) |module| {
    login(module, session, user, memory::pin(pin, length))
});

entry!(fn C_Logout(session: CK_SESSION_HANDLE) |module| module.sessions().logout(Handle::from_raw(session)));

entry!(
    /// PKCS#11 3.2, section 5.6.9. The users of these tokens have no names: an empty one is `C_Login`, any other is that of no
    /// user, and no guess at a PIN.
    unexported fn C_LoginUser(
        session: CK_SESSION_HANDLE,
        user: CK_USER_TYPE,
        pin: *mut CK_UTF8CHAR,
        length: CK_ULONG,
        name: *mut CK_UTF8CHAR,
        name_length: CK_ULONG,
    ) |module| {
        match memory::bytes(name, name_length)? {
            [] => login(module, session, user, memory::pin(pin, length)),
            _ => memory::pin(pin, length).and(Err(Error::UserTypeInvalid)),
        }
    }
);

entry!(
    /// PKCS#11 3.2, section 5.6.5.
    unexported fn C_SessionCancel(session: CK_SESSION_HANDLE, flags: CK_FLAGS) |module| {
        module.sessions().cancel(Handle::from_raw(session), flags)
    }
);

entry!(fn C_GetOperationState(session: CK_SESSION_HANDLE, into: *mut CK_BYTE, into_length: *mut CK_ULONG) |module| {
    // A state that cannot be told leaves the operations as they are.
    let cancel = || Ok(());
    memory::answer(NOTHING, (into, into_length), cancel, |place| {
        module.sessions().save_operations(Handle::from_raw(session), &mut place.output())
    })
});

entry!(fn C_SetOperationState(
    session: CK_SESSION_HANDLE,
    state: *mut CK_BYTE,
    length: CK_ULONG,
    encryption_key: CK_OBJECT_HANDLE,
    authentication_key: CK_OBJECT_HANDLE,
) |module| {
    let saved = memory::bytes(state, length)?;
    let keys = [encryption_key, authentication_key].map(Handle::from_raw);
    module.sessions().restore_operations(Handle::from_raw(session), module.mechanisms(), saved, keys)
});

fn login(module: &Module, session: CK_SESSION_HANDLE, user: CK_USER_TYPE, pin: Result<&[u8]>) -> Result<()> {
    let session = Handle::from_raw(session);
    match user {
        CKU_USER => module.sessions().login(session, Login::User, pin?),
        CKU_SO => module.sessions().login(session, Login::So, pin?),
        CKU_CONTEXT_SPECIFIC => module.sessions().authenticate(session, pin?),
        _ => Err(Error::UserTypeInvalid),
    }
}
