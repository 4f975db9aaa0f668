//! Bundles that somebody has been at.

use super::super::{BundleReader, How, Imported, export, import};
use super::{Sibling, alone, siblings};
use crate::error::{Error, Result};

pub fn bundle(from: &Sibling) -> Vec<u8> {
    let mut bundle = Vec::new();
    export(&mut from.replica(), &mut bundle, 1_700_000_000, &mut |_, _| ()).unwrap();
    bundle
}

pub fn read(bundle: &[u8], to: &Sibling) -> Result<Imported> {
    let (mut reader, mut replica) = BundleReader::begin(bundle, |header| match header.domain == to.domain {
        true => Ok(to.replica()),
        false => Err(Error::DomainRefused("not a member".into())),
    })?;
    import(&mut reader, &mut replica, How::Commit, &mut |_, _| ())
}

/// The frames, each with its length.
pub fn frames(bundle: &[u8]) -> Vec<Vec<u8>> {
    let (mut frames, mut rest) = (Vec::new(), bundle);
    while let Some((length, _)) = rest.split_first_chunk() {
        let (frame, next) = rest.split_at(4 + u32::from_be_bytes(*length) as usize);
        frames.push(frame.to_vec());
        rest = next;
    }
    frames
}

#[test]
fn a_bundle_is_taken_as_often_as_one_likes() {
    let [a, b] = siblings();
    let ids = a.three();
    a.destroy(ids[1]);
    let bundle = bundle(&a);
    let first = read(&bundle, &b).unwrap();
    assert_eq!((first.report.forth.created, first.report.forth.buried, first.cut), (2, 1, None));
    let again = read(&bundle, &b).unwrap();
    assert_eq!((again.report.equal, again.cut), (3, None));
    assert_eq!(b.label(ids[0]).as_deref(), Some("one"));
    assert!(matches!(read(&bundle, &alone()), Err(Error::DomainRefused(_))));
}

#[test]
fn a_changed_byte_anywhere_is_noticed() {
    let [a, b] = siblings();
    a.three();
    let good = bundle(&a);
    let mut taken = 0;
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 0x11;
        match read(&changed, &b) {
            Ok(imported) => assert!(imported.cut.is_some(), "byte {at}"),
            Err(error) => assert!(matches!(error, Error::Sync(_) | Error::DomainRefused(_)), "byte {at}: {error}"),
        }
        assert!(b.keys() >= taken && b.keys() <= 3);
        taken = b.keys();
    }
}

#[test]
fn objects_that_are_missing_moved_or_doubled_are_noticed_at_the_end() {
    let [a, b] = siblings();
    a.three();
    let good = frames(&bundle(&a));
    assert_eq!(good.len(), 6);
    let other = frames(&bundle(&a));
    let with = |change: fn(&mut Vec<Vec<u8>>, &[Vec<u8>])| {
        let mut frames = good.clone();
        change(&mut frames, &other);
        read(&frames.concat(), &b).map(|imported| imported.cut)
    };
    let noticed = |outcome: Result<Option<Error>>| matches!(outcome, Ok(Some(Error::Sync(_))) | Err(Error::Sync(_)));
    assert_eq!(with(|_, _| ()), Ok(None));
    assert!(noticed(with(|frames, _| drop(frames.remove(3)))));
    assert!(noticed(with(|frames, _| frames.swap(2, 3))));
    assert!(noticed(with(|frames, _| frames.insert(3, frames[3].clone()))));
    // Genuine parts of another bundle of the same token.
    assert!(noticed(with(|frames, other| frames[3] = other[3].clone())));
    assert!(noticed(with(|frames, other| frames[5] = other[5].clone())));
    assert!(noticed(with(|frames, other| frames[1] = other[1].clone())));
    assert!(noticed(with(|frames, other| frames[0] = other[0].clone())));
    for length in 0..6 {
        assert!(noticed(read(&good[..length].concat(), &b).map(|imported| imported.cut)), "{length} frames");
    }
    assert!(noticed(with(|frames, _| frames.push(vec![0; 4]))));
}

#[test]
fn an_endless_bundle_ends_where_it_says_that_it_does() {
    let [a, b] = siblings();
    a.key("one");
    let good = frames(&bundle(&a));
    let endless = [good[..2].concat(), good[2].repeat(1000)].concat();
    let imported = read(&endless, &b).unwrap();
    assert!(matches!(imported.cut, Some(Error::Sync(_))));
    assert_eq!((imported.report.forth.created, imported.report.equal), (1, 0));
}
