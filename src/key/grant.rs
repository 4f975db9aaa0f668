//! The answer "yes" of the gate, as a value that only the gate can make.

use super::gate::Purpose;

/// Leave to use one key, and, if the purpose is wrapping, to let one other key out under it.
#[derive(Debug)]
pub struct Grant {
    key: [u8; 16],
    other: Option<[u8; 16]>,
    purpose: Purpose,
}

impl Grant {
    /// Made by the gate alone.
    pub(super) fn new(purpose: Purpose, key: [u8; 16], other: Option<[u8; 16]>) -> Self {
        Self { key, other, purpose }
    }

    /// Whether the key of this id is the one that does the work.
    pub(super) fn covers_use_of(&self, id: &[u8; 16]) -> bool {
        self.key == *id
    }

    /// Whether the key of this id may itself be given to another token, or opens what another has given.
    pub(super) fn covers_passing_of(&self, id: &[u8; 16]) -> bool {
        matches!(self.purpose, Purpose::Share | Purpose::Join) && self.covers_use_of(id)
    }

    /// Whether the key of this id is the one that may leave wrapped.
    pub(super) fn covers_release_of(&self, id: &[u8; 16]) -> bool {
        matches!(self.purpose, Purpose::Wrap | Purpose::Mask) && self.other.as_ref() == Some(id)
    }
}
