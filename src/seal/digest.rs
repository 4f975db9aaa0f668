//! The digest of a token's objects: finds rows that were removed or rolled back.

use super::Seal;
use crate::store::ObjectId;

/// A keyed additive hash over (id, version) of every object: the sum, modulo 2^256, of HMAC-SHA-256 values. It does not
/// depend on order, and one change of the store is one addition or subtraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Adds an object.
    pub fn add(&mut self, seal: &Seal, id: ObjectId, version: u64) {
        self.combine(seal, id, version, |a, b, carry| {
            let (sum, over) = a.overflowing_add(b);
            let (sum, more) = sum.overflowing_add(u64::from(carry));
            (sum, over | more)
        });
    }

    /// Takes an object away that was added before.
    pub fn remove(&mut self, seal: &Seal, id: ObjectId, version: u64) {
        self.combine(seal, id, version, |a, b, borrow| {
            let (rest, under) = a.overflowing_sub(b);
            let (rest, more) = rest.overflowing_sub(u64::from(borrow));
            (rest, under | more)
        });
    }

    /// The numbers are little-endian.
    fn combine(&mut self, seal: &Seal, id: ObjectId, version: u64, step: impl Fn(u64, u64, bool) -> (u64, bool)) {
        let mut mac = seal.digest.begin();
        mac.update(&id.0);
        mac.update(&version.to_be_bytes());
        let mac = mac.finish();
        let mut carry = false;
        for (limb, term) in self.0.as_chunks_mut::<8>().0.iter_mut().zip(mac.as_ref().as_chunks::<8>().0) {
            let (result, over) = step(u64::from_le_bytes(*limb), u64::from_le_bytes(*term), carry);
            *limb = result.to_le_bytes();
            carry = over;
        }
    }
}
