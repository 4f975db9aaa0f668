//! AES key wrap: RFC 3394 (KW) and RFC 5649 (KWP), each with its standard initial value.

use super::Rejected;
use crate::secret::Secret;
use aes_kw::{KeyInit, KwAes128, KwAes192, KwAes256, KwpAes128, KwpAes192, KwpAes256};

/// A prepared key-encryption key, wiped when dropped.
pub struct WrapKey(Box<Cipher>);

enum Cipher {
    Aes128(KwAes128, KwpAes128),
    Aes192(KwAes192, KwpAes192),
    Aes256(KwAes256, KwpAes256),
}

impl WrapKey {
    /// Takes a key of 16, 24 or 32 bytes and rejects any other length.
    pub fn new(key: &[u8]) -> Result<Self, Rejected> {
        let cipher = if let Ok(key) = key.try_into() {
            Cipher::Aes128(KwAes128::new(key), KwpAes128::new(key))
        } else if let Ok(key) = key.try_into() {
            Cipher::Aes192(KwAes192::new(key), KwpAes192::new(key))
        } else if let Ok(key) = key.try_into() {
            Cipher::Aes256(KwAes256::new(key), KwpAes256::new(key))
        } else {
            return Err(Rejected);
        };
        Ok(Self(Box::new(cipher)))
    }

    /// KW: RFC 3394, section 2.2.1. Takes whole semiblocks of 8 bytes, at least two; the result is 8 bytes longer.
    pub fn wrap(&self, data: &[u8]) -> Result<Vec<u8>, Rejected> {
        if data.len() < 2 * SEMIBLOCK || !data.len().is_multiple_of(SEMIBLOCK) {
            return Err(Rejected);
        }
        let mut wrapped = vec![0; data.len().checked_add(SEMIBLOCK).ok_or(Rejected)?];
        match &*self.0 {
            Cipher::Aes128(kw, _) => kw.wrap_key(data, &mut wrapped),
            Cipher::Aes192(kw, _) => kw.wrap_key(data, &mut wrapped),
            Cipher::Aes256(kw, _) => kw.wrap_key(data, &mut wrapped),
        }
        .map_err(|_| Rejected)?;
        Ok(wrapped)
    }

    /// KW: RFC 3394, section 2.2.2. Rejects impossible lengths, and what was not wrapped by this key.
    pub fn unwrap(&self, wrapped: &[u8]) -> Result<Secret, Rejected> {
        if wrapped.len() < 3 * SEMIBLOCK || !wrapped.len().is_multiple_of(SEMIBLOCK) {
            return Err(Rejected);
        }
        let mut data = Secret::zeroed(wrapped.len().saturating_sub(SEMIBLOCK));
        match &*self.0 {
            Cipher::Aes128(kw, _) => kw.unwrap_key(wrapped, data.expose_mut()),
            Cipher::Aes192(kw, _) => kw.unwrap_key(wrapped, data.expose_mut()),
            Cipher::Aes256(kw, _) => kw.unwrap_key(wrapped, data.expose_mut()),
        }
        .map_err(|_| Rejected)?;
        Ok(data)
    }

    /// KWP: RFC 5649, section 4.1. Takes 1 byte to 2^32 - 1; the result is padded to semiblocks and 8 bytes longer.
    pub fn wrap_padded(&self, data: &[u8]) -> Result<Vec<u8>, Rejected> {
        if data.is_empty() || u32::try_from(data.len()).is_err() {
            return Err(Rejected);
        }
        let padded = data.len().checked_next_multiple_of(SEMIBLOCK).ok_or(Rejected)?;
        // The crate leaves the padding as it finds it: zero.
        let mut wrapped = vec![0; padded.checked_add(SEMIBLOCK).ok_or(Rejected)?];
        match &*self.0 {
            Cipher::Aes128(_, kwp) => kwp.wrap_key(data, &mut wrapped),
            Cipher::Aes192(_, kwp) => kwp.wrap_key(data, &mut wrapped),
            Cipher::Aes256(_, kwp) => kwp.wrap_key(data, &mut wrapped),
        }
        .map_err(|_| Rejected)?;
        Ok(wrapped)
    }

    /// KWP: RFC 5649, section 4.2. Rejects impossible lengths, and what was not wrapped by this key: constant, length and
    /// padding are all checked.
    pub fn unwrap_padded(&self, wrapped: &[u8]) -> Result<Secret, Rejected> {
        if wrapped.len() < 2 * SEMIBLOCK || !wrapped.len().is_multiple_of(SEMIBLOCK) {
            return Err(Rejected);
        }
        let mut padded = Secret::zeroed(wrapped.len().saturating_sub(SEMIBLOCK));
        let data = match &*self.0 {
            Cipher::Aes128(_, kwp) => kwp.unwrap_key(wrapped, padded.expose_mut()),
            Cipher::Aes192(_, kwp) => kwp.unwrap_key(wrapped, padded.expose_mut()),
            Cipher::Aes256(_, kwp) => kwp.unwrap_key(wrapped, padded.expose_mut()),
        };
        data.map(Secret::from_slice).map_err(|_| Rejected)
    }
}

/// RFC 3394 counts in semiblocks of 64 bits.
const SEMIBLOCK: usize = 8;
