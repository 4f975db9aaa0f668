//! The digest of what a token holds: finds rows that were removed, brought back, or put back as they were before.

use super::Seal;
use super::binding;
use super::object::{decrypt, encrypt};
use crate::crypto::hash::sha256;
use crate::crypto::sum::Sum;
use crate::error::Result;
use crate::store::ObjectId;

/// A keyed additive hash over everything in a token that a login stands behind: the sum, modulo 2^256, of an HMAC-SHA-256
/// of each. It depends on no order, and a change is one addition or subtraction.
///
/// It is never stored in the clear: the difference of two sums shows the HMAC of what came between, and of enough such
/// numbers another set with the same sum can be put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest(pub Sum);

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// An object that a login wrote.
    Object = 0,
    /// A tombstone that a login wrote.
    Tombstone = 1,
}

/// SHA-256 of a row as the store has it: two histories of one object have different rows of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowHash(pub [u8; 32]);

impl RowHash {
    /// Of the sealed record.
    pub fn of(record: &[u8]) -> Self {
        Self(sha256(&[record]))
    }
}

impl Digest {
    /// Counts something in.
    pub fn add(&mut self, seal: &Seal, what: Counted, id: ObjectId, version: u64, row: &RowHash) {
        self.0 = self.0.plus(&term(seal, what, id, version, row));
    }

    /// Counts out what was counted in.
    pub fn remove(&mut self, seal: &Seal, what: Counted, id: ObjectId, version: u64, row: &RowHash) {
        self.0 = self.0.plus(&term(seal, what, id, version, row).negative());
    }

    /// The sum of both; what was counted out of one may have been counted into the other.
    pub fn plus(&self, other: &Self) -> Self {
        Self(self.0.plus(&other.0))
    }

    /// The digest for the store.
    pub fn seal(&self, seal: &Seal) -> Result<Vec<u8>> {
        encrypt(&seal.digest_seal, &binding::of_digest(&seal.token), &self.0.0)
    }

    /// The digest that the store has; `None` if it is not as it was sealed for this token.
    pub fn open(seal: &Seal, sealed: &[u8]) -> Option<Self> {
        let plain = decrypt(&seal.digest_seal, &binding::of_digest(&seal.token), sealed)?;
        plain.as_slice().try_into().ok().map(|sum| Self(Sum(sum)))
    }
}

fn term(seal: &Seal, what: Counted, id: ObjectId, version: u64, row: &RowHash) -> Sum {
    let mut mac = seal.digest.begin();
    mac.update(&id.0);
    mac.update(&version.to_be_bytes());
    mac.update(&[what as u8]);
    mac.update(&row.0);
    Sum::of(&mut mac)
}
