//! Ciphers whose input and output are the same memory, and ciphers into memory with a guard behind it.

use std::ptr::null_mut;

use cryptoki_sys::*;

use super::{Result, Session};

/// Byte that fills what a call must not touch.
pub const GUARD: u8 = 0xc3;

impl Session {
    /// `C_Encrypt` of the first `length` bytes of the buffer into the same buffer; the length that the module told.
    pub fn encrypt_in_place(&self, buffer: &mut [u8], length: usize) -> (Result, usize) {
        let (at, mut room) = (buffer.as_mut_ptr(), buffer.len() as CK_ULONG);
        let outcome = call!(self.module.list, C_Encrypt(self.handle, at, length as CK_ULONG, at, &mut room));
        (outcome, room as usize)
    }

    /// `C_Decrypt` likewise.
    pub fn decrypt_in_place(&self, buffer: &mut [u8], length: usize) -> (Result, usize) {
        let (at, mut room) = (buffer.as_mut_ptr(), buffer.len() as CK_ULONG);
        let outcome = call!(self.module.list, C_Decrypt(self.handle, at, length as CK_ULONG, at, &mut room));
        (outcome, room as usize)
    }

    /// `C_EncryptUpdate` from one place of a buffer to another, which may overlap.
    pub fn encrypt_within(&self, buffer: &mut [u8], from: usize, length: usize, to: usize) -> (Result, usize) {
        let (input, output) = (buffer[from..].as_ptr().cast_mut(), buffer[to..].as_mut_ptr());
        let mut room = (buffer.len() - to) as CK_ULONG;
        let size = length as CK_ULONG;
        let outcome = call!(self.module.list, C_EncryptUpdate(self.handle, input, size, output, &mut room));
        (outcome, room as usize)
    }

    /// `C_DecryptUpdate` likewise.
    pub fn decrypt_within(&self, buffer: &mut [u8], from: usize, length: usize, to: usize) -> (Result, usize) {
        let (input, output) = (buffer[from..].as_ptr().cast_mut(), buffer[to..].as_mut_ptr());
        let mut room = (buffer.len() - to) as CK_ULONG;
        let size = length as CK_ULONG;
        let outcome = call!(self.module.list, C_DecryptUpdate(self.handle, input, size, output, &mut room));
        (outcome, room as usize)
    }

    /// `C_Encrypt` of NULL with length 0.
    pub fn encrypt_nothing(&self, output: &mut [u8]) -> (Result, usize) {
        let mut room = output.len() as CK_ULONG;
        let outcome = call!(self.module.list, C_Encrypt(self.handle, null_mut(), 0, output.as_mut_ptr(), &mut room));
        (outcome, room as usize)
    }

    /// `C_Encrypt` of NULL with a length that is not 0.
    pub fn encrypt_null(&self, length: CK_ULONG, output: &mut [u8]) -> Result {
        let mut room = output.len() as CK_ULONG;
        call!(self.module.list, C_Encrypt(self.handle, null_mut(), length, output.as_mut_ptr(), &mut room))
    }

    /// `C_DecryptUpdate` of NULL with a length that is not 0.
    pub fn decrypt_update_null(&self, length: CK_ULONG, output: &mut [u8]) -> Result {
        let mut room = output.len() as CK_ULONG;
        call!(self.module.list, C_DecryptUpdate(self.handle, null_mut(), length, output.as_mut_ptr(), &mut room))
    }

    /// `C_Encrypt` without a place for the length.
    pub fn encrypt_lengthless(&self, output: &mut [u8]) -> Result {
        let input = output.as_ptr().cast_mut();
        let size = output.len() as CK_ULONG;
        call!(self.module.list, C_Encrypt(self.handle, input, size, output.as_mut_ptr(), null_mut()))
    }

    /// `C_EncryptInit` with a NULL mechanism.
    pub fn cancel_by_null(&self) -> Result {
        call!(self.module.list, C_EncryptInit(self.handle, null_mut(), 0))
    }

    /// `C_DigestKey`.
    pub fn digest_key(&self, key: CK_OBJECT_HANDLE) -> Result {
        call!(self.module.list, C_DigestKey(self.handle, key))
    }
}
