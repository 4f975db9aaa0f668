//! HMAC over SHA-1, SHA-2 and SHA-3: FIPS 198-1, RFC 2104.

use super::hash::{Algorithm, Hash, Output};
use zeroize::Zeroize;

/// A prepared key, which begins any number of MACs. Holds the two hash states after the padded key, not the key.
pub struct HmacKey {
    inner: Hash,
    outer: Hash,
}

impl HmacKey {
    /// Takes a key of any length; one longer than a block is hashed first.
    pub fn new(algorithm: Algorithm, key: &[u8]) -> Self {
        if key.len() > algorithm.block_len() {
            let mut hash = Hash::new(algorithm);
            hash.update(key);
            return Self::new(algorithm, hash.finish().as_ref());
        }
        Self { inner: padded(algorithm, key, 0x36), outer: padded(algorithm, key, 0x5c) }
    }

    /// The MAC of a whole message.
    pub fn whole(&self, data: &[u8]) -> Output {
        let mut mac = self.begin();
        mac.update(data);
        mac.finish()
    }

    /// Begins a MAC.
    pub fn begin(&self) -> Hmac {
        Hmac { inner: self.inner.clone(), outer: self.outer.clone() }
    }
}

/// A MAC under way.
pub struct Hmac {
    inner: Hash,
    outer: Hash,
}

impl Hmac {
    /// Adds `data`.
    pub fn update(&mut self, data: &[u8]) {
        self.inner.update(data);
    }

    /// The whole MAC; shorter ones are its first bytes.
    pub fn finish(mut self) -> Output {
        self.outer.update(self.inner.finish().as_ref());
        self.outer.finish()
    }
}

/// The state after one block: the key, filled up with zeros, each byte changed by `pad`.
fn padded(algorithm: Algorithm, key: &[u8], pad: u8) -> Hash {
    let mut block = [pad; Algorithm::LONGEST_BLOCK];
    for (byte, key) in block.iter_mut().zip(key) {
        *byte ^= key;
    }
    let mut hash = Hash::new(algorithm);
    hash.update(block.get(..algorithm.block_len()).unwrap_or(&block));
    block.zeroize();
    hash
}
