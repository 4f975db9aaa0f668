//! What two tokens compare before anything travels: an item for each object, and for each range of ids a tally of its items.
//! Both are MACs under keys of the domain, so that they say nothing to who has not its key.

use cryptoki_sys::CKA_PUBLIC_KEY_INFO;

use crate::crypto::hash::Algorithm;
use crate::crypto::hmac::HmacKey;
use crate::crypto::sum::Sum;
use crate::error::Result;
use crate::key::Class;
use crate::mechanism::Keyed;
use crate::object::Object;
use crate::secret::Secret;
use crate::store::ObjectId;

use super::masked::Content;

/// A MAC, cut to this length.
pub type Tag = [u8; 16];

/// One object, as much of it as is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Which.
    pub id: ObjectId,
    /// What is there of it.
    pub state: State,
}

/// What is there of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The object.
    Object {
        /// Its version.
        version: u64,
        /// Of all that it is.
        content: Tag,
        /// Of what never changes about it: class, type and the value of the key.
        identity: Tag,
    },
    /// It was destroyed, whenever.
    Tombstone,
}

/// How many items are in a range, and the sum of their MACs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// How many items.
    pub count: u64,
    /// The sum of the MACs of all.
    pub sum: Sum,
}

/// An item, and its whole MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The item.
    pub item: Item,
    /// What it adds to a tally.
    pub sum: Sum,
}

/// The keys of a domain that items are made with.
pub struct DigestKeys {
    content: HmacKey,
    identity: HmacKey,
}

impl DigestKeys {
    /// Derives them.
    pub fn new(keyed: &Keyed<'_>) -> Result<Self> {
        let derive = |label| keyed.derived(&[], label).map(|key| HmacKey::new(Algorithm::Sha256, key.expose()));
        Ok(Self { content: derive(b"keystead 1 sync content")?, identity: derive(b"keystead 1 sync identity")? })
    }

    /// The item of an object.
    pub fn object(&self, object: &Object, content: &Content) -> Counted {
        let mut mac = self.content.begin();
        mac.update(&object.id.0);
        mac.update(&[OBJECT]);
        mac.update(&object.version.to_be_bytes());
        // The length keeps the two apart.
        mac.update(&(content.record.len() as u64).to_be_bytes());
        mac.update(&content.record);
        mac.update(content.material.as_ref().map_or(&[], Secret::expose));
        let sum = Sum::of(&mut mac);
        let state =
            State::Object { version: object.version, content: tag(&sum), identity: self.identity(object, content) };
        Counted { item: Item { id: object.id, state }, sum }
    }

    /// The item of a destroyed object.
    pub fn tombstone(&self, id: ObjectId) -> Counted {
        let mut mac = self.content.begin();
        mac.update(&id.0);
        mac.update(&[TOMBSTONE]);
        Counted { item: Item { id, state: State::Tombstone }, sum: Sum::of(&mut mac) }
    }

    fn identity(&self, object: &Object, content: &Content) -> Tag {
        let mut mac = self.identity.begin();
        mac.update(&object.id.0);
        mac.update(&object.class.number().to_be_bytes());
        mac.update(&object.of().map_or(u64::MAX, |of| of.number()).to_be_bytes());
        let public = object.value(CKA_PUBLIC_KEY_INFO).filter(|_| object.class == Class::PublicKey);
        mac.update(content.material.as_ref().map(Secret::expose).or(public).unwrap_or_default());
        tag(&Sum::of(&mut mac))
    }
}

impl Tally {
    /// Of nothing.
    pub const NOTHING: Self = Self { count: 0, sum: Sum::ZERO };

    /// Of both together.
    pub fn plus(&self, other: &Self) -> Self {
        Self { count: self.count.saturating_add(other.count), sum: self.sum.plus(&other.sum) }
    }
}

impl Counted {
    /// Of it alone.
    pub fn tally(&self) -> Tally {
        Tally { count: 1, sum: self.sum }
    }
}

const OBJECT: u8 = 0;
const TOMBSTONE: u8 = 1;

fn tag(sum: &Sum) -> Tag {
    sum.0.first_chunk().copied().unwrap_or_default()
}
