//! AES blocks and CBC without padding.

use super::{InOut, Rejected, ffi};
use crate::error::{Error, Result};

/// The length of an AES block in bytes.
pub const BLOCK: usize = 16;

/// An AES key (FIPS 197), expanded once for both directions; wiped when dropped.
pub struct AesKey(ffi::aes::Schedules);

impl AesKey {
    /// Takes a key of 16, 24 or 32 bytes and rejects any other length.
    pub fn new(key: &[u8]) -> Result<Self, Rejected> {
        ffi::aes::Schedules::new(key).map(Self)
    }

    /// Encrypts one block.
    pub fn encrypt_block(&self, block: &mut [u8; BLOCK]) {
        self.0.encrypt_block(block);
    }

    /// Decrypts one block.
    pub fn decrypt_block(&self, block: &mut [u8; BLOCK]) {
        self.0.decrypt_block(block);
    }

    /// CBC (NIST SP 800-38A, section 6.2) over the next `length` bytes, whole blocks. `iv` becomes the last block of
    /// ciphertext, so that the next call goes on.
    ///
    /// Errors, with nothing done: [`Error::GeneralError`] when `length` is not whole blocks or more than there is,
    /// [`Error::BufferTooSmall`] when there is less room.
    pub fn cbc_encrypt(&self, iv: &mut [u8; BLOCK], io: &mut InOut, length: usize) -> Result<()> {
        whole_blocks(length)?;
        self.0.cbc_encrypt(iv, io, length)
    }

    /// The inverse of [`cbc_encrypt`](Self::cbc_encrypt), with the same errors.
    pub fn cbc_decrypt(&self, iv: &mut [u8; BLOCK], io: &mut InOut, length: usize) -> Result<()> {
        whole_blocks(length)?;
        self.0.cbc_decrypt(iv, io, length)
    }
}

fn whole_blocks(length: usize) -> Result<()> {
    if length.is_multiple_of(BLOCK) { Ok(()) } else { Err(Error::GeneralError("CBC takes whole blocks".into())) }
}
