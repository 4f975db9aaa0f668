//! CMAC over AES: NIST SP 800-38B.

use super::aes::BLOCK;
use super::{Rejected, ffi};
use zeroize::Zeroize;

/// A prepared AES key, which makes any number of MACs; wiped when dropped.
pub struct CmacKey {
    key: ffi::aes::Schedules,
    /// What is added to a last block that is whole, and to one that was filled up: section 6.1.
    subkeys: [[u8; BLOCK]; 2],
}

impl CmacKey {
    /// Takes a key of 16, 24 or 32 bytes and rejects any other length.
    pub fn new(key: &[u8]) -> Result<Self, Rejected> {
        let key = ffi::aes::Schedules::new(key)?;
        let mut zeros = [0; BLOCK];
        key.encrypt_block(&mut zeros);
        let first = doubled(zeros);
        Ok(Self { key, subkeys: [first, doubled(first)] })
    }

    /// The MAC of a whole message.
    pub fn whole(&self, data: &[u8]) -> [u8; Cmac::LENGTH] {
        let mut mac = Cmac::default();
        mac.update(self, data);
        mac.finish(self)
    }
}

impl Drop for CmacKey {
    fn drop(&mut self) {
        self.subkeys.as_flattened_mut().zeroize();
    }
}

/// A MAC under way, to be given the same key each time; wiped when dropped.
#[derive(Default)]
pub struct Cmac {
    chain: [u8; BLOCK],
    /// The end of the message so far: never empty once there was any, for the last block is another one.
    held: [u8; BLOCK],
    length: usize,
}

impl Cmac {
    /// The length of the whole MAC in bytes.
    pub const LENGTH: usize = BLOCK;

    /// Adds `data`.
    pub fn update(&mut self, key: &CmacKey, data: &[u8]) {
        let missing = BLOCK.saturating_sub(self.length);
        let Some((filling, rest)) = data.split_at_checked(missing).filter(|(_, rest)| !rest.is_empty()) else {
            return self.hold(data);
        };
        if self.length > 0 {
            self.hold(filling);
            key.key.cbc_mac(&mut self.chain, &[self.held]);
            self.length = 0;
            return self.update(key, rest);
        }
        let (blocks, rest) = data.as_chunks();
        let (blocks, rest) = match (blocks.split_last(), rest) {
            (Some((last, blocks)), []) => (blocks, last.as_slice()),
            _ => (blocks, rest),
        };
        key.key.cbc_mac(&mut self.chain, blocks);
        self.hold(rest);
    }

    /// The whole MAC, after which the state is of no more use; shorter MACs are its first bytes.
    pub fn finish(&mut self, key: &CmacKey) -> [u8; Cmac::LENGTH] {
        let [whole, filled_up] = &key.subkeys;
        let subkey = if self.length == BLOCK { whole } else { filled_up };
        if let Some((end, zeros)) = self.held.get_mut(self.length..).and_then(<[u8]>::split_first_mut) {
            *end = 0x80;
            zeros.fill(0);
        }
        add(&mut self.chain, &self.held);
        add(&mut self.chain, subkey);
        key.key.encrypt_block(&mut self.chain);
        self.chain
    }

    /// Appends to what is held, which has room for it.
    fn hold(&mut self, data: &[u8]) {
        let free = self.held.iter_mut().skip(self.length);
        free.zip(data).for_each(|(held, byte)| *held = *byte);
        self.length = self.length.saturating_add(data.len());
    }
}

impl Drop for Cmac {
    fn drop(&mut self) {
        self.chain.as_mut_slice().zeroize();
        self.held.as_mut_slice().zeroize();
    }
}

/// Twice the block in the field of SP 800-38B, section 6.1.
fn doubled(block: [u8; BLOCK]) -> [u8; BLOCK] {
    let number = u128::from_be_bytes(block);
    let carry = (number >> 127).wrapping_neg() & 0x87;
    (number << 1 ^ carry).to_be_bytes()
}

fn add(to: &mut [u8; BLOCK], block: &[u8; BLOCK]) {
    *to = (u128::from_ne_bytes(*to) ^ u128::from_ne_bytes(*block)).to_ne_bytes();
}
