//! ECB over AES: blocks, each for itself. NIST SP 800-38A, section 6.1.

use super::{InOut, Rejected};
use crate::error::{Error, Result};
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};

/// A prepared AES key that works on many blocks at once; wiped when dropped.
pub struct EcbKey(Box<Cipher>);

enum Cipher {
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

impl EcbKey {
    /// Takes a key of 16, 24 or 32 bytes and rejects any other length.
    pub fn new(key: &[u8]) -> Result<Self, Rejected> {
        let cipher = match key.len() {
            16 => Aes128::new_from_slice(key).map(Cipher::Aes128),
            24 => Aes192::new_from_slice(key).map(Cipher::Aes192),
            _ => Aes256::new_from_slice(key).map(Cipher::Aes256),
        };
        cipher.map(|cipher| Self(Box::new(cipher))).map_err(|_| Rejected)
    }

    /// Encrypts the next `length` bytes, whole blocks.
    ///
    /// Errors, with nothing done: [`Error::GeneralError`] when `length` is not whole blocks or more than there is,
    /// [`Error::BufferTooSmall`] when there is less room.
    pub fn encrypt(&self, io: &mut InOut, length: usize) -> Result<()> {
        whole_blocks(length)?;
        let blocks = io.claim_blocks(length)?;
        match &*self.0 {
            Cipher::Aes128(aes) => aes.encrypt_blocks_inout(blocks),
            Cipher::Aes192(aes) => aes.encrypt_blocks_inout(blocks),
            Cipher::Aes256(aes) => aes.encrypt_blocks_inout(blocks),
        }
        Ok(())
    }

    /// The inverse of [`encrypt`](Self::encrypt), with the same errors.
    pub fn decrypt(&self, io: &mut InOut, length: usize) -> Result<()> {
        whole_blocks(length)?;
        let blocks = io.claim_blocks(length)?;
        match &*self.0 {
            Cipher::Aes128(aes) => aes.decrypt_blocks_inout(blocks),
            Cipher::Aes192(aes) => aes.decrypt_blocks_inout(blocks),
            Cipher::Aes256(aes) => aes.decrypt_blocks_inout(blocks),
        }
        Ok(())
    }
}

fn whole_blocks(length: usize) -> Result<()> {
    if length.is_multiple_of(16) { Ok(()) } else { Err(Error::GeneralError("ECB takes whole blocks".into())) }
}
