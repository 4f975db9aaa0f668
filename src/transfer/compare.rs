//! Finding what differs between two sides, without looking at what does not: a range whose tallies agree is done.

use super::digest::{Item, State, Tally};
use super::peer::{Peer, nonsense};
use super::range::Range;
use crate::error::{Error, Result};
use crate::store::ObjectId;

/// What two sides have of one object, where they do not have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub id: ObjectId,
    /// What one side has.
    pub from: Option<State>,
    /// What the other has.
    pub to: Option<State>,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Ascending.
    pub differences: Vec<Difference>,
    /// How many objects and tombstones both sides have alike.
    pub equal: u64,
}

/// Compares everything.
///
/// # Errors
/// Those of the sides; [`Error::Sync`] if one contradicts itself.
pub fn compare(from: &mut dyn Peer, to: &mut dyn Peer) -> Result<Comparison> {
    let mut found = Comparison::default();
    let whole = both(from, to, &[Range::ALL])?;
    if whole.iter().any(|pair| pair.from.count.max(pair.to.count) > MOST) {
        return Err(Error::Sync(
            format!("a side has more than {MOST} objects, which is more than are compared").into(),
        ));
    }
    let mut open: Vec<(Range, Pair)> = whole.into_iter().map(|pair| (Range::ALL, pair)).collect();
    // Depth first, so that no more than some ranges of each depth are open at a time.
    while !open.is_empty() {
        let part = open.split_off(open.len().saturating_sub(RANGES));
        let mut leaves = Vec::new();
        let mut parents = Vec::new();
        for (range, pair) in part {
            match pair {
                Pair { from, to } if from == to => found.equal = found.equal.saturating_add(from.count),
                Pair { from, to } if from.count.max(to.count) <= LEAF => leaves.push((range, pair)),
                _ => parents.push((range, pair)),
            }
        }
        items(from, to, &leaves, &mut found)?;
        open.extend(parts(from, to, &parents)?);
    }
    found.differences.sort_unstable_by_key(|difference| difference.id);
    Ok(found)
}

/// What both sides say of one range.
#[derive(Clone, Copy)]
struct Pair {
    from: Tally,
    to: Tally,
}

/// With more objects on a side nothing is compared: what differs is held in memory, some 100 bytes for each.
pub const MOST: u64 = 4_000_000;

/// So many ranges are asked for at a time; each has sixteen parts.
const RANGES: usize = 64;

/// Of a range with no more than so many items the items are asked for.
const LEAF: u64 = 32;

fn both(from: &mut dyn Peer, to: &mut dyn Peer, ranges: &[Range]) -> Result<Vec<Pair>> {
    let pairs = asked(from, ranges)?.into_iter().zip(asked(to, ranges)?);
    Ok(pairs.map(|(from, to)| Pair { from, to }).collect())
}

fn asked(peer: &mut dyn Peer, ranges: &[Range]) -> Result<Vec<Tally>> {
    let tallies = peer.tallies(ranges)?;
    if tallies.len() == ranges.len() { Ok(tallies) } else { Err(nonsense("another number of ranges")) }
}

/// The parts of ranges. A side whose parts are not the whole could go on for ever.
fn parts(from: &mut dyn Peer, to: &mut dyn Peer, parents: &[(Range, Pair)]) -> Result<Vec<(Range, Pair)>> {
    if parents.is_empty() {
        return Ok(Vec::new());
    }
    let ranges: Vec<Range> = parents.iter().flat_map(|(parent, _)| parent.parts()).collect();
    let pairs = both(from, to, &ranges)?;
    let parts: Vec<(Range, Pair)> = ranges.into_iter().zip(pairs).collect();
    let mut rest = parts.iter();
    for (parent, whole) in parents {
        let own = rest.by_ref().take(parent.parts().count());
        let sum = own.fold(Pair::NOTHING, |sum, (_, part)| sum.plus(part));
        if (sum.from, sum.to) != (whole.from, whole.to) {
            return Err(nonsense("the parts of a range are not the range"));
        }
    }
    Ok(parts)
}

fn items(from: &mut dyn Peer, to: &mut dyn Peer, leaves: &[(Range, Pair)], found: &mut Comparison) -> Result<()> {
    if leaves.is_empty() {
        return Ok(());
    }
    let ranges: Vec<Range> = leaves.iter().map(|(range, _)| *range).collect();
    let (mut ours, mut theirs) = (from.items(&ranges)?.into_iter(), to.items(&ranges)?.into_iter());
    for (range, pair) in leaves {
        let ours = in_range(&mut ours, range, pair.from.count)?;
        let theirs = in_range(&mut theirs, range, pair.to.count)?;
        found.merge(&ours, &theirs);
    }
    match (ours.next(), theirs.next()) {
        (None, None) => Ok(()),
        _ => Err(nonsense("more objects than were counted")),
    }
}

/// The next items, which have to be so many and in the range.
fn in_range(items: &mut impl Iterator<Item = Item>, range: &Range, count: u64) -> Result<Vec<Item>> {
    let items: Vec<Item> = items.take(usize::try_from(count).unwrap_or(usize::MAX)).collect();
    let ascending = items.is_sorted_by(|one, next| one.id < next.id);
    if items.len() as u64 == count && ascending && items.iter().all(|item| range.contains(item.id)) {
        Ok(items)
    } else {
        Err(nonsense("the objects of a range are not in it"))
    }
}

impl Pair {
    const NOTHING: Self = Self { from: Tally::NOTHING, to: Tally::NOTHING };

    fn plus(&self, other: &Self) -> Self {
        Self { from: self.from.plus(&other.from), to: self.to.plus(&other.to) }
    }
}

impl Comparison {
    /// Walks two ascending lists.
    fn merge(&mut self, ours: &[Item], theirs: &[Item]) {
        let (mut ours, mut theirs) = (ours.iter().peekable(), theirs.iter().peekable());
        loop {
            let next = ours.peek().into_iter().chain(theirs.peek()).map(|item| item.id).min();
            let Some(id) = next else { return };
            let from = ours.next_if(|item| item.id == id).map(|item| item.state);
            let to = theirs.next_if(|item| item.id == id).map(|item| item.state);
            if from == to {
                self.equal = self.equal.saturating_add(1);
            } else {
                self.differences.push(Difference { id, from, to });
            }
        }
    }
}
