//! A side that is in the domain and lies all the same, or says again what it said once.

use super::super::digest::{Item, Tally};
use super::super::peer::{About, Outcome, Peer, Withheld};
use super::super::range::Range;
use super::super::{How, Replica, Ways, sync};
use super::siblings;
use crate::error::{Error, Result};
use crate::store::ObjectId;

/// What is sent for each id that was asked for.
type Sent = Vec<Option<Vec<u8>>>;

/// A side that answers for another one, but for what it is asked to send.
struct Liar {
    honest: Replica,
    sends: fn(&[ObjectId], Sent) -> Sent,
    says: fn(Vec<Outcome>) -> Vec<Outcome>,
}

impl Peer for Liar {
    fn about(&mut self) -> Result<About> {
        self.honest.about()
    }

    fn tallies(&mut self, ranges: &[Range]) -> Result<Vec<Tally>> {
        self.honest.tallies(ranges)
    }

    fn items(&mut self, ranges: &[Range]) -> Result<Vec<Item>> {
        self.honest.items(ranges)
    }

    fn fetch(&mut self, ids: &[ObjectId]) -> Result<Sent> {
        Ok((self.sends)(ids, self.honest.fetch(ids)?))
    }

    fn put(&mut self, objects: Vec<Vec<u8>>, how: How) -> Result<Vec<Outcome>> {
        Ok((self.says)(self.honest.put(objects, how)?))
    }

    fn withheld(&mut self, after: Option<ObjectId>) -> Result<Vec<(ObjectId, Withheld)>> {
        self.honest.withheld(after)
    }
}

#[test]
fn what_was_not_asked_for_is_not_taken() {
    let [a, b] = siblings();
    a.three();
    let liars: [fn(&[ObjectId], Sent) -> Sent; 4] = [
        |_, mut sent| {
            sent.reverse();
            sent
        },
        |_, _| Vec::new(),
        |_, mut sent| {
            sent.push(None);
            sent
        },
        |_, sent| sent.into_iter().map(|_| Some(b"something".to_vec())).collect(),
    ];
    for sends in liars {
        let mut liar = Liar { honest: a.replica(), sends, says: |outcomes| outcomes };
        let outcome = sync(&mut liar, &mut b.replica(), Ways::One, How::Commit, &mut |_, _| ());
        assert!(matches!(outcome, Err(Error::Sync(_) | Error::MaskedInvalid(_))));
        assert_eq!(b.keys(), 0);
    }
    let mut silent = Liar { honest: b.replica(), sends: |_, sent| sent, says: |_| Vec::new() };
    assert!(sync(&mut a.replica(), &mut silent, Ways::One, How::Commit, &mut |_, _| ()).is_err());
}

#[test]
fn what_was_changed_is_refused_and_keeps_nothing_else_out() {
    let [a, b] = siblings();
    a.three();
    let sends = |_: &[ObjectId], mut sent: Sent| {
        let object = sent[1].as_mut().unwrap();
        *object.last_mut().unwrap() ^= 1;
        sent
    };
    let mut liar = Liar { honest: a.replica(), sends, says: |outcomes| outcomes };
    let report = sync(&mut liar, &mut b.replica(), Ways::One, How::Commit, &mut |_, _| ()).unwrap();
    assert_eq!((report.forth.created, report.refused.len(), b.keys()), (2, 1, 2));
}

#[test]
fn what_was_said_once_does_not_hold_again() {
    let [a, b] = siblings();
    let (kept, gone) = (a.key("first"), a.key("gone"));
    let mut once = a.replica();
    let old: Vec<Vec<u8>> = once.fetch(&[kept, gone]).unwrap().into_iter().flatten().collect();
    assert_eq!(b.replica().put(old.clone(), How::Commit).unwrap(), [Outcome::Created, Outcome::Created]);
    b.rename(kept, "second");
    b.destroy(gone);
    for how in [How::Try, How::Commit] {
        assert_eq!(b.replica().put(old.clone(), how).unwrap(), [Outcome::Older, Outcome::StaysDestroyed]);
    }
    assert_eq!((b.label(kept).as_deref(), b.label(gone)), (Some("second"), None));
    // One of the token's own, from before.
    let own: Vec<Vec<u8>> = b.replica().fetch(&[kept]).unwrap().into_iter().flatten().collect();
    b.rename(kept, "third");
    assert_eq!(b.replica().put(own, How::Commit).unwrap(), [Outcome::Older]);
    assert_eq!(b.label(kept).as_deref(), Some("third"));
}

#[test]
fn an_object_that_goes_away_meanwhile_is_counted_and_nothing_more() {
    let [a, b] = siblings();
    let ids = a.three();
    let mut source = a.replica();
    source.about().unwrap();
    a.destroy(ids[1]);
    let report = sync(&mut source, &mut b.replica(), Ways::One, How::Commit, &mut |_, _| ()).unwrap();
    // What is sent is what is there when its turn comes: of this one its end.
    assert_eq!((report.forth.created, report.forth.buried, report.gone), (2, 1, 0));
    let gone = Liar {
        honest: a.replica(),
        sends: |_, sent| sent.into_iter().map(|_| None).collect(),
        says: |outcomes| outcomes,
    };
    a.rename(ids[0], "other");
    let mut gone = Liar { honest: a.replica(), ..gone };
    assert_eq!(sync(&mut gone, &mut b.replica(), Ways::One, How::Commit, &mut |_, _| ()).unwrap().gone, 1);
}
