//! A session: login, PINs, randomness. Objects and operations are in the files beside it.

use std::ptr::null_mut;

use cryptoki_sys::*;

use super::{Module, Result};

/// A session handle and its module. Nothing closes it but `close`.
#[derive(Clone, Copy)]
pub struct Session {
    /// The module that it belongs to.
    pub module: Module,
    /// Its handle.
    pub handle: CK_SESSION_HANDLE,
}

impl Session {
    /// A session of that handle, whether it exists or not.
    pub fn new(module: Module, handle: CK_SESSION_HANDLE) -> Session {
        Session { module, handle }
    }

    /// `C_CloseSession`.
    pub fn close(&self) -> Result {
        call!(self.module.list, C_CloseSession(self.handle))
    }

    /// `C_GetSessionInfo`.
    pub fn info(&self) -> Result<CK_SESSION_INFO> {
        let mut info = CK_SESSION_INFO::default();
        call!(self.module.list, C_GetSessionInfo(self.handle, &mut info)).map(|()| info)
    }

    /// The state alone.
    pub fn state(&self) -> Result<CK_STATE> {
        self.info().map(|info| info.state)
    }

    /// `C_Login`.
    pub fn login(&self, user: CK_USER_TYPE, pin: &str) -> Result {
        self.login_bytes(user, pin.as_bytes())
    }

    /// `C_Login` with a PIN that need not be text.
    pub fn login_bytes(&self, user: CK_USER_TYPE, pin: &[u8]) -> Result {
        call!(self.module.list, C_Login(self.handle, user, pin.as_ptr().cast_mut(), pin.len() as CK_ULONG))
    }

    /// `C_Login` with a NULL PIN of this length.
    pub fn login_null(&self, user: CK_USER_TYPE, length: CK_ULONG) -> Result {
        call!(self.module.list, C_Login(self.handle, user, null_mut(), length))
    }

    /// `C_Logout`.
    pub fn logout(&self) -> Result {
        call!(self.module.list, C_Logout(self.handle))
    }

    /// `C_InitPIN`.
    pub fn init_pin(&self, pin: &str) -> Result {
        call!(self.module.list, C_InitPIN(self.handle, pin.as_ptr().cast_mut(), pin.len() as CK_ULONG))
    }

    /// `C_SetPIN`.
    pub fn set_pin(&self, old: &str, new: &str) -> Result {
        let (old, old_length) = (old.as_ptr().cast_mut(), old.len() as CK_ULONG);
        let (new, new_length) = (new.as_ptr().cast_mut(), new.len() as CK_ULONG);
        call!(self.module.list, C_SetPIN(self.handle, old, old_length, new, new_length))
    }

    /// `C_GenerateRandom`.
    pub fn random(&self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        call!(self.module.list, C_GenerateRandom(self.handle, bytes.as_mut_ptr(), length as CK_ULONG)).map(|()| bytes)
    }

    /// `C_SeedRandom`.
    pub fn seed(&self, seed: &[u8]) -> Result {
        call!(self.module.list, C_SeedRandom(self.handle, seed.as_ptr().cast_mut(), seed.len() as CK_ULONG))
    }

    /// `C_SessionCancel`.
    pub fn cancel(&self, flags: CK_FLAGS) -> Result {
        call!(self.module.three(), C_SessionCancel(self.handle, flags))
    }
}
