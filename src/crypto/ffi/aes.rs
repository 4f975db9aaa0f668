//! AES blocks and CBC.

use crate::crypto::{InOut, Rejected};
use crate::error::Result;
use aws_lc_sys::{
    AES_DECRYPT, AES_ENCRYPT, AES_KEY, AES_cbc_encrypt, AES_decrypt, AES_encrypt, AES_set_decrypt_key,
    AES_set_encrypt_key,
};
use zeroize::Zeroize;

/// The key schedules of one AES key, boxed so that moving the value leaves no copy behind.
pub struct Schedules(Box<Pair>);

struct Pair {
    encrypt: AES_KEY,
    decrypt: AES_KEY,
}

impl Schedules {
    /// Expands a key of 16, 24 or 32 bytes for both directions.
    pub fn new(key: &[u8]) -> Result<Self, Rejected> {
        let bits = match key.len() {
            16 => 128,
            24 => 192,
            32 => 256,
            _ => return Err(Rejected),
        };
        let empty = AES_KEY { rd_key: [0; 60], rounds: 0 };
        let mut pair = Box::new(Pair { encrypt: empty, decrypt: empty });
        // SAFETY: `key` is readable for `bits`, and the schedules are writable.
        let set = unsafe {
            AES_set_encrypt_key(key.as_ptr(), bits, &mut pair.encrypt) == 0
                && AES_set_decrypt_key(key.as_ptr(), bits, &mut pair.decrypt) == 0
        };
        if set { Ok(Self(pair)) } else { Err(Rejected) }
    }

    pub fn encrypt_block(&self, block: &mut [u8; 16]) {
        let block = block.as_mut_ptr();
        // SAFETY: AES_encrypt reads 16 bytes before it writes as many; the two may be the same.
        unsafe { AES_encrypt(block, block, &self.0.encrypt) };
    }

    pub fn decrypt_block(&self, block: &mut [u8; 16]) {
        let block = block.as_mut_ptr();
        // SAFETY: as for `encrypt_block`.
        unsafe { AES_decrypt(block, block, &self.0.decrypt) };
    }

    /// CBC over the next `length` bytes, whole blocks; `iv` becomes what the following bytes need.
    pub fn cbc_encrypt(&self, iv: &mut [u8; 16], io: &mut InOut, length: usize) -> Result<()> {
        let (input, output) = io.claim(length)?;
        // SAFETY: `claim` gave `length` bytes of both sides, equal or disjoint, as this function takes them.
        unsafe { AES_cbc_encrypt(input, output, length, &self.0.encrypt, iv.as_mut_ptr(), AES_ENCRYPT) };
        Ok(())
    }

    /// See [`cbc_encrypt`](Self::cbc_encrypt).
    pub fn cbc_decrypt(&self, iv: &mut [u8; 16], io: &mut InOut, length: usize) -> Result<()> {
        let (input, output) = io.claim(length)?;
        // SAFETY: as for `cbc_encrypt`.
        unsafe { AES_cbc_encrypt(input, output, length, &self.0.decrypt, iv.as_mut_ptr(), AES_DECRYPT) };
        Ok(())
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.encrypt.rd_key.zeroize();
        self.decrypt.rd_key.zeroize();
    }
}
