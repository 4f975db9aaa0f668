//! Session management functions. PKCS#11 3.2, section 5.6.

use cryptoki_sys::*;

use super::{info, memory};
use crate::error::Error;
use crate::handle::Handle;
use crate::key::Login;
use crate::session::{Direction, SignPurpose};

entry!(fn C_CloseSession(session: CK_SESSION_HANDLE) |module| module.sessions().close(Handle::from_raw(session)));

entry!(fn C_GetSessionInfo(session: CK_SESSION_HANDLE, into: *mut CK_SESSION_INFO) |module| {
    memory::write(into, info::session(&module.sessions().info(Handle::from_raw(session))?))
});

entry!(fn C_Login(session: CK_SESSION_HANDLE, user: CK_USER_TYPE, pin: *mut CK_UTF8CHAR, length: CK_ULONG) |module| {
    let (session, pin) = (Handle::from_raw(session), memory::pin(pin, length));
    match user {
        CKU_USER => module.sessions().login(session, Login::User, pin?),
        CKU_SO => module.sessions().login(session, Login::So, pin?),
        CKU_CONTEXT_SPECIFIC => module.sessions().authenticate(session, pin?),
        _ => Err(Error::UserTypeInvalid),
    }
});

entry!(fn C_Logout(session: CK_SESSION_HANDLE) |module| module.sessions().logout(Handle::from_raw(session)));

/// PKCS#11 3.2, section 5.6.5. Reached through the tables of 3.0 and later only.
pub(super) unsafe extern "C" fn C_SessionCancel(session: CK_SESSION_HANDLE, flags: CK_FLAGS) -> CK_RV {
    super::instance::call("C_SessionCancel", |module| {
        let (sessions, session) = (module.sessions(), Handle::from_raw(session));
        sessions.info(session)?;
        let asked = |flag: CK_FLAGS| flags & flag != 0;
        if asked(CKF_ENCRYPT) {
            sessions.crypt_cancel(session, Direction::Encrypt)?;
        }
        if asked(CKF_DECRYPT) {
            sessions.crypt_cancel(session, Direction::Decrypt)?;
        }
        if asked(CKF_SIGN) {
            sessions.sign_cancel(session, SignPurpose::Sign)?;
        }
        if asked(CKF_VERIFY) {
            sessions.sign_cancel(session, SignPurpose::Verify)?;
        }
        if asked(CKF_DIGEST) {
            sessions.digest_cancel(session)?;
        }
        if asked(CKF_FIND_OBJECTS) {
            sessions.find_cancel(session)?;
        }
        Ok(())
    })
}
