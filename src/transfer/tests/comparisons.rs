//! What a comparison finds, and what it does not believe.

use std::collections::{BTreeMap, BTreeSet};

use super::super::DomainId;
use super::super::compare::compare;
use super::super::digest::{Counted, Item, State, Tally};
use super::super::inventory::Inventory;
use super::super::peer::{About, How, Outcome, Peer, Withheld};
use super::super::range::Range;
use crate::crypto::hash::Algorithm;
use crate::crypto::hmac::HmacKey;
use crate::crypto::sum::Sum;
use crate::error::{Error, Result};
use crate::store::ObjectId;

type Tells = fn(&Range, Tally) -> Tally;
type Lists = fn(&mut Vec<Item>);

/// A side that only lists, and can be made to lie.
struct Lister {
    inventory: Inventory,
    tallies: Tells,
    items: Lists,
    /// How many ranges it was asked about.
    asked: usize,
}

impl Lister {
    fn new(items: &BTreeMap<u128, u64>) -> Self {
        let items = items.iter().map(|(id, version)| counted(*id, *version)).collect();
        Self { inventory: Inventory::new(items), tallies: |_, tally| tally, items: |_| (), asked: 0 }
    }
}

/// An object of some version; of version 0 a tombstone.
fn counted(id: u128, version: u64) -> Counted {
    let mut mac = HmacKey::new(Algorithm::Sha256, b"key").begin();
    mac.update(&id.to_be_bytes());
    mac.update(&version.to_be_bytes());
    let content = [version.to_le_bytes(), [0; 8]].concat().try_into().unwrap();
    let state = match version {
        0 => State::Tombstone,
        _ => State::Object { version, content, identity: [0; 16] },
    };
    Counted { item: Item { id: ObjectId(id.to_be_bytes()), state }, sum: Sum::of(&mut mac) }
}

impl Peer for Lister {
    fn about(&mut self) -> Result<About> {
        Ok(About { domain: DomainId([0; 16]), serial: [0; 16], items: 0 })
    }

    fn tallies(&mut self, ranges: &[Range]) -> Result<Vec<Tally>> {
        self.asked += ranges.len();
        Ok(ranges.iter().map(|range| (self.tallies)(range, self.inventory.tally(range))).collect())
    }

    fn items(&mut self, ranges: &[Range]) -> Result<Vec<Item>> {
        let mut items = ranges.iter().flat_map(|range| self.inventory.items(range)).collect();
        (self.items)(&mut items);
        Ok(items)
    }

    fn fetch(&mut self, _: &[ObjectId]) -> Result<Vec<Option<Vec<u8>>>> {
        unreachable!()
    }

    fn put(&mut self, _: Vec<Vec<u8>>, _: How) -> Result<Vec<Outcome>> {
        unreachable!()
    }

    fn withheld(&mut self, _: Option<ObjectId>) -> Result<Vec<(ObjectId, Withheld)>> {
        unreachable!()
    }
}

/// Numbers that look random, the same each time.
struct Numbers(u64);

impl Numbers {
    /// Below this.
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    /// Ids that are close to each other, or far apart.
    fn id(&mut self) -> u128 {
        let far = u128::from(self.next(1 << 31)) << 96 | u128::from(self.next(1 << 31)) << 60;
        if self.next(2) == 0 { far } else { 0xabcd << 112 | u128::from(self.next(5000)) }
    }
}

#[test]
fn what_differs_is_found_and_nothing_else() {
    for seed in 1..60 {
        let mut numbers = Numbers(seed);
        let count = [0, 1, 5, 100, 3000][usize::try_from(seed).unwrap() % 5];
        let ours: BTreeMap<u128, u64> = (0..count).map(|_| (numbers.id(), numbers.next(4))).collect();
        let mut theirs = ours.clone();
        for _ in 0..numbers.next(50) {
            match numbers.next(3) {
                0 => drop(theirs.insert(numbers.id(), numbers.next(4))),
                1 => drop(theirs.pop_first()),
                _ => theirs.values_mut().rev().take(1).for_each(|version| *version += 1),
            }
        }
        let ids: BTreeSet<u128> = ours.keys().chain(theirs.keys()).copied().collect();
        let different: Vec<u128> = ids.iter().copied().filter(|id| ours.get(id) != theirs.get(id)).collect();
        let found = compare(&mut Lister::new(&ours), &mut Lister::new(&theirs)).unwrap();
        let named = |id: &u128| ObjectId(id.to_be_bytes());
        let found_ids: Vec<_> = found.differences.iter().map(|difference| difference.id).collect();
        assert_eq!(found_ids, different.iter().map(named).collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(found.equal, (ids.len() - different.len()) as u64, "seed {seed}");
        for (id, difference) in different.iter().zip(&found.differences) {
            let state = |items: &BTreeMap<u128, u64>| items.get(id).map(|version| counted(*id, *version).item.state);
            assert_eq!((difference.from, difference.to), (state(&ours), state(&theirs)), "seed {seed}");
        }
    }
}

#[test]
fn equal_sides_are_asked_once_and_near_ones_a_little() {
    let mut numbers = Numbers(7);
    let ours: BTreeMap<u128, u64> = (0..10_000).map(|_| (numbers.id() << 1, 1)).collect();
    let mut same = Lister::new(&ours);
    compare(&mut Lister::new(&ours), &mut same).unwrap();
    assert_eq!(same.asked, 1);
    let mut theirs = ours.clone();
    *theirs.values_mut().nth(4321).unwrap() += 1;
    let mut near = Lister::new(&theirs);
    assert_eq!(compare(&mut Lister::new(&ours), &mut near).unwrap().differences.len(), 1);
    assert!(near.asked <= 1 + 16 * 32, "{} ranges", near.asked);
}

#[test]
fn a_side_that_contradicts_itself_is_not_believed() {
    let items: BTreeMap<u128, u64> = (0..2000).map(|number: u128| (number << 115, 1)).collect();
    let honest = Lister::new(&items).inventory;
    assert_eq!(honest.tally(&Range::ALL).count, 2000);
    let liars: [(Tells, Lists); 9] = [
        // Everywhere the same endless number of objects.
        (|_, tally| Tally { count: u64::MAX, ..tally }, |_| ()),
        (|_, tally| Tally { count: 3_000_000, ..tally }, |_| ()),
        // Parts that are more, or less, than the whole.
        (|range, tally| Tally { count: tally.count + u64::from(range.digits() == 1), ..tally }, |_| ()),
        (|range, tally| if range.digits() == 2 { Tally::NOTHING } else { tally }, |_| ()),
        // Other items than were counted.
        (|_, tally| tally, |items| items.truncate(items.len().saturating_sub(1))),
        (|_, tally| tally, |items| items.extend(items.last().copied())),
        (|_, tally| tally, |items| items.reverse()),
        (|_, tally| tally, |items| items.iter_mut().for_each(|item| item.id = ObjectId([0xff; 16]))),
        (|_, tally| tally, Vec::clear),
    ];
    for (number, (tallies, lie)) in liars.into_iter().enumerate() {
        let mut others = items.clone();
        others.values_mut().for_each(|version| *version += 1);
        let mut liar = Lister { tallies, items: lie, ..Lister::new(&others) };
        let mut own = Lister::new(&items);
        assert!(matches!(compare(&mut own, &mut liar), Err(Error::Sync(_))), "liar {number}");
        assert!(matches!(compare(&mut liar, &mut own), Err(Error::Sync(_))), "liar {number}");
    }
}
