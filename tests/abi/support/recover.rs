//! Signatures that give their message back. `signs` says which of the two it is: the signing or the recovering.

use std::ptr::null_mut;

use cryptoki_sys::*;

use super::{Mechanism, Result, Session};

impl Session {
    /// `C_SignRecoverInit`, `C_VerifyRecoverInit`.
    pub fn recover_init(&self, signs: bool, mechanism: &Mechanism, key: CK_OBJECT_HANDLE) -> Result {
        let mut mechanism = mechanism.raw();
        match signs {
            true => call!(self.module.list, C_SignRecoverInit(self.handle, &mut mechanism, key)),
            false => call!(self.module.list, C_VerifyRecoverInit(self.handle, &mut mechanism, key)),
        }
    }

    /// The same with a NULL mechanism.
    pub fn recover_init_null(&self, signs: bool) -> Result {
        match signs {
            true => call!(self.module.list, C_SignRecoverInit(self.handle, null_mut(), 0)),
            false => call!(self.module.list, C_VerifyRecoverInit(self.handle, null_mut(), 0)),
        }
    }

    /// `C_SignRecover` into this buffer, or the size query; the length that the module told.
    pub fn sign_recover(&self, data: &[u8], output: Option<&mut [u8]>) -> (Result, usize) {
        let (to, room) = output.map_or((null_mut(), 0), |output| (output.as_mut_ptr(), output.len()));
        self.recover_raw(true, (data.as_ptr().cast_mut(), data.len()), to, room)
    }

    /// `C_VerifyRecover` likewise.
    pub fn verify_recover(&self, signature: &[u8], output: Option<&mut [u8]>) -> (Result, usize) {
        let (to, room) = output.map_or((null_mut(), 0), |output| (output.as_mut_ptr(), output.len()));
        self.recover_raw(false, (signature.as_ptr().cast_mut(), signature.len()), to, room)
    }

    /// One of the two from the first bytes of a buffer into the same buffer.
    pub fn recover_in_place(&self, signs: bool, buffer: &mut [u8], length: usize) -> (Result, usize) {
        let (at, room) = (buffer.as_mut_ptr(), buffer.len());
        self.recover_raw(signs, (at, length), at, room)
    }

    /// One of the two of NULL with a length.
    pub fn recover_null(&self, signs: bool, output: &mut [u8]) -> Result {
        self.recover_raw(signs, (null_mut(), 256), output.as_mut_ptr(), output.len()).0
    }

    fn recover_raw(&self, signs: bool, (from, length): (*mut u8, usize), to: *mut u8, room: usize) -> (Result, usize) {
        let (list, handle, length, mut room) = (self.module.list, self.handle, length as CK_ULONG, room as CK_ULONG);
        let outcome = match signs {
            true => call!(list, C_SignRecover(handle, from, length, to, &mut room)),
            false => call!(list, C_VerifyRecover(handle, from, length, to, &mut room)),
        };
        (outcome, room as usize)
    }
}
