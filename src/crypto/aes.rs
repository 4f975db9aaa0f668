//! AES blocks, CBC without padding, and CTR.

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

    /// CTR (NIST SP 800-38A, section 6.5) over the next `length` bytes, in either direction. `stream` goes on where it
    /// was, in the middle of a block too.
    ///
    /// Errors, with nothing done: [`Error::DataLenRange`] when the counter has no block left for it,
    /// [`Error::GeneralError`] when there is less input, [`Error::BufferTooSmall`] when there is less room.
    pub fn ctr(&self, stream: &mut CounterStream, io: &mut InOut, length: usize) -> Result<()> {
        let left = stream.after(length).ok_or(Error::DataLenRange)?;
        self.0.ctr(&mut stream.keystream, io, length)?;
        stream.left = left;
        Ok(())
    }
}

/// Where a message in CTR mode stands; wiped when dropped.
pub struct CounterStream {
    keystream: ffi::aes::Keystream,
    /// The bytes that the counter has numbers for; more than there can be is as good as no end.
    left: u128,
}

impl CounterStream {
    /// Begins at `block`, of which the last `counter_bits` (1 to 128, else rejected) are the counter. It is big-endian, and
    /// its last number is all ones: what comes before it in the block never changes. PKCS#11 3.2, section 6.11.2.
    pub fn new(block: [u8; BLOCK], counter_bits: u32) -> Result<Self, Rejected> {
        let shift = 128u32.checked_sub(counter_bits).filter(|_| counter_bits > 0).ok_or(Rejected)?;
        let last = u128::MAX >> shift;
        let first = u128::from_be_bytes(block) & last;
        let after_first = last.saturating_sub(first);
        let left = after_first.saturating_add(1).saturating_mul(BLOCK as u128);
        Ok(Self { keystream: ffi::aes::Keystream::new(block), left })
    }

    /// Whether there are numbers for so many bytes more.
    pub fn reaches(&self, length: usize) -> bool {
        self.after(length).is_some()
    }

    fn after(&self, length: usize) -> Option<u128> {
        self.left.checked_sub(length as u128)
    }
}

fn whole_blocks(length: usize) -> Result<()> {
    if length.is_multiple_of(BLOCK) { Ok(()) } else { Err(Error::GeneralError("CBC takes whole blocks".into())) }
}
