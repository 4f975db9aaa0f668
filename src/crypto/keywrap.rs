//! AES key wrap: RFC 3394 (KW) with any initial value, RFC 5649 (KWP) with its own, and KW over PKCS#7 padding.

use super::{Rejected, ffi};
use crate::secret::Secret;
use subtle::{ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};

/// RFC 3394 counts in semiblocks of 64 bits.
pub const SEMIBLOCK: usize = 8;

/// The initial value of KW: RFC 3394, section 2.2.3.1.
pub const IV: [u8; SEMIBLOCK] = [0xa6; SEMIBLOCK];

/// A prepared key-encryption key, wiped when dropped.
pub struct WrapKey(ffi::aes::Schedules);

impl WrapKey {
    /// Takes a key of 16, 24 or 32 bytes and rejects any other length.
    pub fn new(key: &[u8]) -> Result<Self, Rejected> {
        ffi::aes::Schedules::new(key).map(Self)
    }

    /// KW: RFC 3394, section 2.2.1. Takes whole semiblocks of 8 bytes, at least two; the result is 8 bytes longer.
    pub fn wrap(&self, iv: &[u8; SEMIBLOCK], data: &[u8]) -> Result<Vec<u8>, Rejected> {
        self.0.wrap(iv, data).ok_or(Rejected)
    }

    /// KW: RFC 3394, section 2.2.2. Rejects impossible lengths, and what was not wrapped by this key with this initial
    /// value.
    pub fn unwrap(&self, iv: &[u8; SEMIBLOCK], wrapped: &[u8]) -> Result<Secret, Rejected> {
        self.0.unwrap(iv, wrapped).ok_or(Rejected)
    }

    /// KWP: RFC 5649, section 4.1. Takes 1 byte to 2^32 - 1; the result is padded to semiblocks and 8 bytes longer.
    pub fn wrap_padded(&self, data: &[u8]) -> Result<Vec<u8>, Rejected> {
        self.0.wrap_padded(data).ok_or(Rejected)
    }

    /// KWP: RFC 5649, section 4.2. Rejects impossible lengths, and what was not wrapped by this key: constant, length and
    /// padding are all checked, in the same time whichever of them is wrong.
    pub fn unwrap_padded(&self, wrapped: &[u8]) -> Result<Secret, Rejected> {
        if !wrapped.len().is_multiple_of(SEMIBLOCK) {
            return Err(Rejected);
        }
        let (padded, length) = self.0.unwrap_padded(wrapped).ok_or(Rejected)?;
        padded.expose().get(..length).map(Secret::from_slice).ok_or(Rejected)
    }

    /// KW over data that is padded to semiblocks as RFC 5652, section 6.3, says: always, by 1 to 8 bytes. Takes 8 bytes
    /// or more, for KW takes two semiblocks or more.
    pub fn wrap_pkcs7(&self, iv: &[u8; SEMIBLOCK], data: &[u8]) -> Result<Vec<u8>, Rejected> {
        let padding = SEMIBLOCK.saturating_sub(data.len() % SEMIBLOCK);
        let mut padded = Secret::zeroed(data.len().checked_add(padding).ok_or(Rejected)?);
        let (text, end) = padded.expose_mut().split_at_mut_checked(data.len()).ok_or(Rejected)?;
        text.copy_from_slice(data);
        end.fill(padding as u8);
        self.wrap(iv, padded.expose())
    }

    /// The inverse of [`wrap_pkcs7`](Self::wrap_pkcs7). The padding is judged in the same time whatever it is.
    pub fn unwrap_pkcs7(&self, iv: &[u8; SEMIBLOCK], wrapped: &[u8]) -> Result<Secret, Rejected> {
        let padded = self.unwrap(iv, wrapped)?;
        let end = padded.expose().last_chunk::<SEMIBLOCK>().ok_or(Rejected)?;
        let padding = end.last().copied().unwrap_or_default();
        let mut good = padding.ct_gt(&0) & padding.ct_lt(&(SEMIBLOCK as u8 + 1));
        for (place, byte) in (1..=SEMIBLOCK as u8).rev().zip(end) {
            good &= place.ct_gt(&padding) | byte.ct_eq(&padding);
        }
        if !bool::from(good) {
            return Err(Rejected);
        }
        let length = padded.len().saturating_sub(usize::from(padding));
        padded.expose().get(..length).map(Secret::from_slice).ok_or(Rejected)
    }
}
