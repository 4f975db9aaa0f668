//! Ciphers whose input and output are the same memory, and ciphers into memory with a guard behind it.

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
}
