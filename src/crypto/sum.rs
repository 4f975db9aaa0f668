//! The arithmetic of keyed additive hashes: a set is hashed as the sum of the MACs of its members, so that it depends on no order
//! and each change is one addition or subtraction.

use super::hmac::Hmac;

/// A number modulo 2^256, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum(pub [u8; 32]);

impl Sum {
    /// Of nothing.
    pub const ZERO: Self = Self([0; 32]);

    /// Of one member: its HMAC-SHA-256.
    pub fn of(mac: &mut Hmac) -> Self {
        Self(mac.finish().as_ref().first_chunk().copied().unwrap_or_default())
    }

    /// The sum of both.
    pub fn plus(&self, other: &Self) -> Self {
        let (mut sum, mut carry) = (*self, false);
        for (limb, more) in sum.0.as_chunks_mut::<8>().0.iter_mut().zip(other.0.as_chunks::<8>().0) {
            let (added, over) = u64::from_le_bytes(*limb).overflowing_add(u64::from_le_bytes(*more));
            let (added, again) = added.overflowing_add(u64::from(carry));
            *limb = added.to_le_bytes();
            carry = over | again;
        }
        sum
    }

    /// What is to be added to have nothing: the two's complement.
    pub fn negative(&self) -> Self {
        let mut one = Self::default();
        if let Some(lowest) = one.0.first_mut() {
            *lowest = 1;
        }
        Self(self.0.map(|byte| !byte)).plus(&one)
    }
}
