//! The items of one side as of one moment.

use super::digest::{Counted, Item, State, Tally};
use super::range::Range;

/// All items of a token, some 100 bytes each.
#[derive(Debug, Default)]
pub struct Inventory(Vec<Counted>);

impl Inventory {
    /// Of these, in whatever order. What is among them as an object and as a tombstone was destroyed while they were listed.
    pub fn new(mut items: Vec<Counted>) -> Self {
        items.sort_unstable_by_key(|Counted { item, .. }| (item.id, item.state != State::Tombstone));
        items.dedup_by_key(|counted| counted.item.id);
        Self(items)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The tally of a range.
    pub fn tally(&self, range: &Range) -> Tally {
        self.within(range).iter().fold(Tally::NOTHING, |sum, counted| sum.plus(&counted.tally()))
    }

    /// The items in a range, ascending.
    pub fn items(&self, range: &Range) -> impl Iterator<Item = Item> {
        self.within(range).iter().map(|counted| counted.item)
    }

    fn within(&self, range: &Range) -> &[Counted] {
        let begin = self.0.partition_point(|counted| counted.item.id < range.first());
        let end = self.0.partition_point(|counted| counted.item.id <= range.last());
        self.0.get(begin..end).unwrap_or_default()
    }
}
