//! Two operations at once, and operations of a session as a whole.

use std::ptr::null_mut;

use cryptoki_sys::*;

use super::{Result, Session};

/// The four functions for two operations.
#[derive(Clone, Copy, Debug)]
pub enum Dual {
    /// `C_DigestEncryptUpdate`
    DigestEncrypt,
    /// `C_DecryptDigestUpdate`
    DecryptDigest,
    /// `C_SignEncryptUpdate`
    SignEncrypt,
    /// `C_DecryptVerifyUpdate`
    DecryptVerify,
}

impl Session {
    /// One of the four into this buffer, or the size query; the length that the module told.
    pub fn dual(&self, which: Dual, part: &[u8], output: Option<&mut [u8]>) -> (Result, usize) {
        let (to, room) = output.map_or((null_mut(), 0), |output| (output.as_mut_ptr(), output.len()));
        self.dual_raw(which, (part.as_ptr().cast_mut(), part.len()), to, room)
    }

    /// One of the four of the first bytes of a buffer into the same buffer.
    pub fn dual_in_place(&self, which: Dual, buffer: &mut [u8], length: usize) -> (Result, usize) {
        let (at, room) = (buffer.as_mut_ptr(), buffer.len());
        self.dual_raw(which, (at, length), at, room)
    }

    /// One of the four of NULL with a length.
    pub fn dual_null(&self, which: Dual, output: &mut [u8]) -> Result {
        let (to, room) = (output.as_mut_ptr(), output.len());
        self.dual_raw(which, (null_mut(), 16), to, room).0
    }

    fn dual_raw(&self, which: Dual, (from, length): (*mut u8, usize), to: *mut u8, room: usize) -> (Result, usize) {
        let (list, handle, length, mut room) = (self.module.list, self.handle, length as CK_ULONG, room as CK_ULONG);
        let outcome = match which {
            Dual::DigestEncrypt => call!(list, C_DigestEncryptUpdate(handle, from, length, to, &mut room)),
            Dual::DecryptDigest => call!(list, C_DecryptDigestUpdate(handle, from, length, to, &mut room)),
            Dual::SignEncrypt => call!(list, C_SignEncryptUpdate(handle, from, length, to, &mut room)),
            Dual::DecryptVerify => call!(list, C_DecryptVerifyUpdate(handle, from, length, to, &mut room)),
        };
        (outcome, room as usize)
    }

    /// `C_GetOperationState`, both calls.
    pub fn operation_state(&self) -> Result<Vec<u8>> {
        let (outcome, length) = self.operation_state_into(None);
        outcome?;
        let mut state = vec![0; length];
        self.operation_state_into(Some(&mut state)).0.map(|()| state)
    }

    /// `C_GetOperationState` into this buffer, or the size query; the length that the module told.
    pub fn operation_state_into(&self, output: Option<&mut [u8]>) -> (Result, usize) {
        let (to, room) = output.map_or((null_mut(), 0), |output| (output.as_mut_ptr(), output.len()));
        let mut room = room as CK_ULONG;
        (call!(self.module.list, C_GetOperationState(self.handle, to, &mut room)), room as usize)
    }

    /// `C_SetOperationState` with these two keys.
    pub fn set_operation_state(&self, state: &[u8], keys: [CK_OBJECT_HANDLE; 2]) -> Result {
        let (from, length) = (state.as_ptr().cast_mut(), state.len() as CK_ULONG);
        call!(self.module.list, C_SetOperationState(self.handle, from, length, keys[0], keys[1]))
    }

    /// `C_SetOperationState` of NULL with a length.
    pub fn set_operation_state_null(&self, length: CK_ULONG) -> Result {
        call!(self.module.list, C_SetOperationState(self.handle, null_mut(), length, 0, 0))
    }

    /// `C_LoginUser`.
    pub fn login_user(&self, user: CK_USER_TYPE, pin: &str, name: &str) -> Result {
        let (pin_at, pin_length) = (pin.as_ptr().cast_mut(), pin.len() as CK_ULONG);
        let (name_at, name_length) = (name.as_ptr().cast_mut(), name.len() as CK_ULONG);
        call!(self.module.three(), C_LoginUser(self.handle, user, pin_at, pin_length, name_at, name_length))
    }
}
