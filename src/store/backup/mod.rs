//! A backup: whole tokens in a sequence of CBOR items. `docs/formats.md` has the page.
//!
//! What the rows of the tokens say stays sealed as it was. Around the sequence belongs something that hides and authenticates
//! it, which is not of this room.

mod entry;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{Reader, unreadable};
pub use write::{Writer, unwritable};

use super::Item;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// When it was made, in seconds since the beginning of 1970, UTC.
    pub made: u64,
    /// The version of the library that made it.
    pub library: String,
    /// The number that the next token of the folder would have got.
    pub next_slot: u32,
}

/// What there is of a token: objects, and what is left of destroyed ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    objects: u64,
    tombstones: u64,
}

impl Counts {
    fn add(&mut self, item: &Item) {
        match item {
            Item::Token { .. } => {}
            Item::Object { .. } => self.objects = self.objects.saturating_add(1),
            Item::Tombstone { .. } => self.tombstones = self.tombstones.saturating_add(1),
        }
    }
}
