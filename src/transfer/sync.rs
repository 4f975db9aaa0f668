//! Two sides brought to the same state: what differs is found, moved in batches, and taken in by the one rule of merging.
//!
//! Nothing is remembered between two runs. Whatever ended one, the next compares again and goes on with what is still different.

use super::compare::{Comparison, Difference, MOST, compare};
use super::digest::State;
use super::masked::Masked;
use super::peer::{How, Outcome, Peer, Withheld, nonsense};
use crate::error::{Error, Result};
use crate::store::ObjectId;

/// Which way objects move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ways {
    /// From the first side to the second.
    One,
    /// Both ways.
    Both,
}

/// What was done, or would be.
#[derive(Debug, Default)]
pub struct Report {
    /// Objects and tombstones that both sides had alike.
    pub equal: u64,
    /// What the second side took from the first.
    pub forth: Moved,
    /// What the first side took from the second.
    pub back: Moved,
    /// The second side has later versions of so many, and keeps them.
    pub older: u64,
    /// The second side has destroyed so many, and they stay so there.
    pub stay_destroyed: u64,
    /// So many went away, or were no longer to leave, between the comparison and their turn.
    pub gone: u64,
    /// The same id names two keys.
    pub conflicts: Vec<ObjectId>,
    /// Changed on both sides to the same version; one of the two holds.
    pub ties: Vec<ObjectId>,
    /// Not taken in, and why.
    pub refused: Vec<(ObjectId, Box<str>)>,
}

/// What one side took in.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// New objects.
    pub created: u64,
    /// Objects that it had, in another version.
    pub updated: u64,
    /// Objects that it had, and that were destroyed on the other side.
    pub destroyed: u64,
    /// Tombstones of objects that it never had.
    pub buried: u64,
}

/// How far it is: so many of so many objects.
pub type Told<'a> = &'a mut dyn FnMut(u64, u64);

/// Synchronises.
///
/// # Errors
/// Those of the sides; what was taken in before stays.
pub fn sync(from: &mut dyn Peer, to: &mut dyn Peer, ways: Ways, how: How, told: Told<'_>) -> Result<Report> {
    if from.about()?.domain != to.about()?.domain {
        return Err(Error::Sync("the two tokens are not in one domain".into()));
    }
    let Comparison { differences, equal } = compare(from, to)?;
    let mut report = Report { equal, ..Report::default() };
    let Sorted { forth, mut back } = report.sort(&differences);
    let total = (forth.len() as u64).saturating_add(if ways == Ways::Both { back.len() as u64 } else { 0 });
    let mut moving = Moving { how, done: 0, total, told };
    let mut foreseen = 0_u64;
    moving.all(from, to, &forth, &mut |id, outcome| {
        match &outcome {
            // Tried only, what the second side would have in the end cannot be fetched from it.
            Some(Outcome::Updated(true) | Outcome::Tied(true)) if how == How::Try => {
                foreseen = foreseen.saturating_add(1)
            }
            Some(outcome) if outcome.goes_back() => back.push(id),
            _ => {}
        }
        report.take(Way::Forth, id, outcome);
    })?;
    if ways == Ways::Both {
        back.sort_unstable();
        moving.total = moving.done.saturating_add(back.len() as u64);
        // What the second side has later, or has destroyed, comes over now.
        (report.older, report.stay_destroyed, report.back.updated) = (0, 0, foreseen);
        moving.all(to, from, &back, &mut |id, outcome| report.take(Way::Back, id, outcome))?;
    }
    Ok(report)
}

/// All that a side holds back, ascending.
///
/// # Errors
/// Those of the side; [`Error::Sync`] if it goes on and on.
pub fn withheld(peer: &mut dyn Peer) -> Result<Vec<(ObjectId, Withheld)>> {
    let mut all: Vec<(ObjectId, Withheld)> = Vec::new();
    loop {
        let last = all.last().map(|(id, _)| *id);
        let more = peer.withheld(last)?;
        if more.is_empty() {
            return Ok(all);
        }
        let ascending = more.is_sorted_by(|(one, _), (next, _)| one < next);
        let later = more.first().map(|(id, _)| *id) > last;
        if !ascending || !later || all.len() as u64 > MOST {
            return Err(nonsense("what it holds back has no end"));
        }
        all.extend(more);
    }
}

/// So many objects are asked for at a time, and committed together.
pub const BATCH: usize = 256;

/// What is to move, ascending.
struct Sorted {
    forth: Vec<ObjectId>,
    back: Vec<ObjectId>,
}

/// Which side took something in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The second.
    Forth,
    /// The first.
    Back,
}

impl Report {
    /// What must not move, and which way the rest does. Two versions of one object always go to the second side first, whichever is later: it
    /// may have to take something over from both.
    fn sort(&mut self, differences: &[Difference]) -> Sorted {
        let mut sorted = Sorted { forth: Vec::new(), back: Vec::new() };
        for Difference { id, from, to } in differences.iter().copied() {
            match (from, to) {
                (Some(State::Object { identity, .. }), Some(State::Object { identity: other, .. }))
                    if identity != other =>
                {
                    self.conflicts.push(id);
                }
                (Some(State::Object { .. }), Some(State::Tombstone)) => {
                    self.stay_destroyed = self.stay_destroyed.saturating_add(1);
                    sorted.back.push(id);
                }
                (Some(_), _) => sorted.forth.push(id),
                (None, _) => sorted.back.push(id),
            }
        }
        sorted
    }

    /// Counts what became of an object; nothing if it was not there any more when its turn came.
    pub(super) fn take(&mut self, way: Way, id: ObjectId, outcome: Option<Outcome>) {
        let moved = match way {
            Way::Forth => &mut self.forth,
            Way::Back => &mut self.back,
        };
        let count = match outcome {
            None => &mut self.gone,
            Some(Outcome::Created) => &mut moved.created,
            Some(Outcome::Updated(_)) => &mut moved.updated,
            Some(Outcome::Destroyed) => &mut moved.destroyed,
            Some(Outcome::Buried) => &mut moved.buried,
            Some(Outcome::Equal) => &mut self.equal,
            Some(Outcome::Older) => &mut self.older,
            Some(Outcome::StaysDestroyed) => &mut self.stay_destroyed,
            Some(Outcome::Tied(_)) => return self.ties.push(id),
            Some(Outcome::Conflict) => return self.conflicts.push(id),
            Some(Outcome::Refused(why)) => return self.refused.push((id, why)),
        };
        *count = count.saturating_add(1);
    }
}

/// Objects on their way.
struct Moving<'a> {
    how: How,
    done: u64,
    total: u64,
    told: Told<'a>,
}

/// What became of an object; nothing if it was not there any more when its turn came.
type Each<'a> = &'a mut dyn FnMut(ObjectId, Option<Outcome>);

impl Moving<'_> {
    fn all(&mut self, from: &mut dyn Peer, to: &mut dyn Peer, ids: &[ObjectId], each: Each<'_>) -> Result<()> {
        for mut batch in ids.chunks(BATCH) {
            while !batch.is_empty() {
                let sent = from.fetch(batch)?;
                let (asked, rest) = batch.split_at_checked(sent.len()).unwrap_or((batch, &[]));
                if sent.is_empty() || sent.len() > asked.len() {
                    return Err(nonsense("another number of objects than was asked for"));
                }
                self.some(to, asked, sent, each)?;
                batch = rest;
            }
        }
        Ok(())
    }

    fn some(
        &mut self,
        to: &mut dyn Peer,
        asked: &[ObjectId],
        sent: Vec<Option<Vec<u8>>>,
        each: Each<'_>,
    ) -> Result<()> {
        let (mut ids, mut objects) = (Vec::new(), Vec::new());
        for (id, object) in asked.iter().zip(sent) {
            match object {
                None => each(*id, None),
                Some(object) if Masked::parse(&object)?.object == *id => {
                    ids.push(*id);
                    objects.push(object);
                }
                Some(_) => return Err(nonsense("another object than was asked for")),
            }
        }
        let outcomes = if objects.is_empty() { Vec::new() } else { to.put(objects, self.how)? };
        if outcomes.len() != ids.len() {
            return Err(nonsense("it does not say what became of each object"));
        }
        ids.into_iter().zip(outcomes).for_each(|(id, outcome)| each(id, Some(outcome)));
        self.done = self.done.saturating_add(asked.len() as u64);
        (self.told)(self.done, self.total);
        Ok(())
    }
}
