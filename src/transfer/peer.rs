//! One side of a synchronisation: a token here, or one behind a pipe.

use std::fmt;

use super::DomainId;
use super::digest::{Item, Tally};
use super::range::Range;
use crate::error::{Error, Result};
use crate::store::ObjectId;

/// What a side can be asked. What it has is that of one moment, the first question's.
pub trait Peer {
    /// Who it is.
    fn about(&mut self) -> Result<About>;

    /// The tallies of ranges, in their order.
    fn tallies(&mut self, ranges: &[Range]) -> Result<Vec<Tally>>;

    /// The items in ranges, in their order and ascending.
    fn items(&mut self, ranges: &[Range]) -> Result<Vec<Item>>;

    /// The masked objects of these ids, as they are now: of the first of them, as many as it likes to send at once. None for one that
    /// is not there any more, or may not leave any more.
    fn fetch(&mut self, ids: &[ObjectId]) -> Result<Vec<Option<Vec<u8>>>>;

    /// Takes masked objects in, each whole or not at all, and says what became of each.
    fn put(&mut self, objects: Vec<Vec<u8>>, how: How) -> Result<Vec<Outcome>>;

    /// What stays where it is and why: the first of them after an id, ascending; nothing if there are no more.
    fn withheld(&mut self, after: Option<ObjectId>) -> Result<Vec<(ObjectId, Withheld)>>;
}

/// Who a side is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The domain in which it speaks.
    pub domain: DomainId,
    /// The token's serial number.
    pub serial: [u8; 16],
    /// How many items it has.
    pub items: u64,
}

/// Whether it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is done.
    Commit,
    /// Only what would become of it is said.
    Try,
}

/// What became of an object that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was not here, and is now.
    Created,
    /// It has taken the place of an earlier version. If the second is true, what is here now is not all as it arrived: of the attributes that go one
    /// way the stricter were kept.
    Updated(Differs),
    /// It was destroyed, as it was where it came from.
    Destroyed,
    /// It was never here, and is not to come here any more.
    Buried,
    /// It was here already, all the same.
    Equal,
    /// What is here is later, and stays.
    Older,
    /// It was destroyed here, and stays so.
    StaysDestroyed,
    /// Both sides changed it to the same version. Which one holds was decided by their hashes.
    Tied(Differs),
    /// The same id names another key here. Both stay as they are.
    Conflict,
    /// It could not be taken in; the sentence says why.
    Refused(Box<str>),
}

/// Whether what is here now is not what arrived, so that the other side has to hear of it.
pub type Differs = bool;

/// Why an object does not leave its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Withheld {
    /// `CKA_KEYSTEAD_MASKABLE` is false.
    NotMaskable,
    /// No login stands behind it.
    Unverified,
    /// A later version of the library wrote something about it that one has to understand.
    LaterVersion,
    /// It is damaged.
    Damaged,
}

impl Withheld {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NotMaskable, Self::Unverified, Self::LaterVersion, Self::Damaged];
}

impl Outcome {
    /// Whether the other side would change if it took what is here now.
    pub fn goes_back(&self) -> bool {
        match self {
            Self::Updated(differs) | Self::Tied(differs) => *differs,
            Self::Older | Self::StaysDestroyed => true,
            _ => false,
        }
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotMaskable => "CKA_KEYSTEAD_MASKABLE is false",
            Self::Unverified => "no login stands behind it",
            Self::LaterVersion => "a later version of Keystead wrote something about it that must be understood",
            Self::Damaged => "it is damaged",
        })
    }
}

/// What another side says makes no sense.
pub(super) fn nonsense(what: &str) -> Error {
    Error::Sync(format!("the other side is no Keystead that can be believed: {what}").into())
}
