//! What only a token that somebody has been at can show.

use cryptoki_sys::*;

use super::super::framed;
use super::super::peer::Outcome;
use super::super::{Domain, How, Peer, Ways, Withheld, sync, withheld};
use super::{PIN, siblings};
use crate::error::Error;
use crate::handle::Handle;
use crate::key::{KeyMaterial, Login};
use crate::object::{Draft, Given, Template, Way};
use crate::secret::Secret;

#[test]
fn two_keys_of_one_id_both_stay_and_are_told() {
    let [a, b] = siblings();
    let (object, _) = a.made("key");
    let id = object.id;
    for (sibling, value) in [(&a, 1), (&b, 2)] {
        let material = KeyMaterial::new(id.0, Secret::from_slice(&[value; 32]));
        sibling.token.insert(&sibling.caller, Handle::NONE, [(object.clone(), Some(material))]).unwrap();
    }
    a.rename(id, "changed");
    for _ in 0..2 {
        let mut sides = (a.replica(), b.replica());
        let report = sync(&mut sides.0, &mut sides.1, Ways::Both, How::Commit, &mut |_, _| ()).unwrap();
        assert_eq!((report.conflicts, report.forth.updated, report.back.updated), (vec![id], 0, 0));
        assert_eq!((a.label(id).as_deref(), b.label(id).as_deref()), (Some("changed"), Some("key")));
    }
    // Sent all the same, it is not taken.
    let sent = a.replica().fetch(&[id]).unwrap().into_iter().flatten().collect();
    let outcomes = b.replica().put(sent, How::Commit).unwrap();
    assert!(matches!(outcomes[..], [Outcome::Conflict | Outcome::Refused(_)]), "{outcomes:?}");
    assert_eq!(b.label(id).as_deref(), Some("key"));
}

#[test]
fn what_no_login_stands_behind_does_not_travel() {
    let [a, b] = siblings();
    let key = a.key("key");
    a.token.logout(|| ()).unwrap();
    let class = CKO_DATA.to_ne_bytes();
    let given = [Given::new(CKA_CLASS, &class), Given::new(CKA_TOKEN, &[1]), Given::new(CKA_PRIVATE, &[0])];
    let anybody = a.token.caller(true);
    let data = |_| {
        let template = Template::parse(&given, Way::Create).unwrap();
        let new = Draft::new(template, a.token.basis(&anybody)).finish().unwrap();
        let id = new.0.id;
        let [handle] = a.token.insert(&anybody, Handle::NONE, [new]).unwrap();
        (id, handle)
    };
    let [(kept, _), (gone, handle)] = [0, 1].map(data);
    a.token.destroy(&anybody, handle).unwrap();
    a.token.login(Login::User, PIN).unwrap();
    let mut source = a.replica();
    let report = sync(&mut source, &mut b.replica(), Ways::One, How::Commit, &mut |_, _| ()).unwrap();
    assert_eq!((report.forth.created, report.forth.buried), (1, 0));
    let mut expected = vec![(kept, Withheld::Unverified), (gone, Withheld::Unverified)];
    expected.sort_unstable();
    assert_eq!(withheld(&mut source).unwrap(), expected);
    assert!(b.label(key).is_some() && b.keys() == 1);
}

#[test]
fn what_a_domain_rests_on_is_nobody_elses_business() {
    let [a, b] = siblings();
    // The second token has destroyed its request when it joined.
    assert_eq!(b.token.destroyed_ids(None, 10).unwrap().len(), 1);
    let mut sides = (b.replica(), a.replica());
    let report = sync(&mut sides.0, &mut sides.1, Ways::Both, How::Commit, &mut |_, _| ()).unwrap();
    assert_eq!((report.equal, report.forth, report.back), Default::default());
    assert!(withheld(&mut sides.0).unwrap().is_empty());
    assert!(a.token.destroyed_ids(None, 10).unwrap().is_empty());
}

#[test]
fn who_has_left_a_domain_is_out_of_a_conversation_that_has_begun() {
    let [a, b] = siblings();
    let key = a.key("key");
    let (mut source, mut target) = (a.replica(), b.replica());
    let sent: Vec<_> = source.fetch(&[key]).unwrap().into_iter().flatten().collect();
    for (sibling, side) in [(&a, &mut source), (&b, &mut target)] {
        side.about().unwrap();
        Domain::leave(&sibling.token, &sibling.caller, sibling.domain).unwrap();
    }
    assert!(matches!(source.fetch(&[key]), Err(Error::DomainRefused(_))));
    assert!(matches!(target.put(sent, How::Commit), Err(Error::DomainRefused(_))));
    assert!(b.token.ids(None, 10).unwrap().is_empty());
}

/// A value of 16 MiB, the largest, goes into a frame; and nothing else goes beside it.
#[test]
fn the_largest_object_travels_alone() {
    let [a, _] = siblings();
    let key = a.key("key");
    let (class, value) = (CKO_DATA.to_ne_bytes(), vec![7; 16 << 20]);
    let given = [(CKA_CLASS, &class[..]), (CKA_TOKEN, &[1]), (CKA_PRIVATE, &[1]), (CKA_VALUE, &value)];
    let given = given.map(|(number, value)| Given::new(number, value));
    let template = Template::parse(&given, Way::Create).unwrap();
    let new = Draft::new(template, a.token.basis(&a.caller)).finish().unwrap();
    let large = new.0.id;
    a.token.insert(&a.caller, Handle::NONE, [new]).unwrap();
    let mut source = a.replica();
    assert_eq!(source.fetch(&[key, large]).unwrap().len(), 1);
    let sent = source.fetch(&[large, key]).unwrap();
    let [Some(masked)] = &sent[..] else { panic!("{} objects", sent.len()) };
    let body = [masked.as_slice(), &[0; 64]].concat();
    assert!(framed::write(&mut std::io::sink(), &body, &[]).is_ok());
}
