//! Objects that are read and taken in by their ids.

use super::*;
use crate::key::KeyMaterial;
use crate::object::Arrival;
use crate::secret::Secret;

/// A secret key with this value, as it is in the token where it was made.
fn key(value: u8) -> (Object, Secret) {
    let (object, _) = made_with(CKO_SECRET_KEY, true, value);
    (object, Secret::from_slice(&[value; 32]))
}

fn arrival((object, value): &(Object, Secret)) -> Arrival {
    Arrival::read(object.id, object.version, &object.to_record(), Some(value.duplicate())).unwrap()
}

fn public() -> Object {
    made(CKO_DATA, false).0
}

fn arrives(object: &Object) -> Arrival {
    Arrival::read(object.id, object.version, &object.to_record(), None).unwrap()
}

fn changed(object: &Object, label: &[u8]) -> Object {
    object.changed(&[Given::new(CKA_LABEL, label)], Login::User).unwrap()
}

impl Token {
    fn held(&self, id: ObjectId) -> (Object, Option<KeyMaterial>) {
        let Portable::Object(opened) = self.portable(id).unwrap() else { panic!("{id} is not there") };
        let material = opened.has_material().then(|| self.prepared(&opened).unwrap().material().copy_for(id.0));
        (opened.object().clone(), material)
    }

    fn is_sound(&self) {
        let verdict = self.verify(&mut |_| ()).unwrap();
        assert_eq!((verdict.findings, verdict.unverified, verdict.unverified_tombstones), (vec![], 0, 0));
    }
}

#[test]
fn what_arrives_is_here_as_it_was_there() {
    let token = token();
    let (key, data) = (key(7), public());
    let before = token.revision().unwrap();
    let arrivals = [arrival(&key), arrives(&data), Arrival::Tombstone { id: ObjectId([9; 16]), version: 4 }];
    assert_eq!(token.adopt(&USER, &arrivals).unwrap(), [Outcome::New, Outcome::New, Outcome::New]);
    assert_eq!(token.revision().unwrap(), before + 1, "one commit");
    let (object, material) = token.held(key.0.id);
    assert_eq!((object, material.is_some()), (key.0.clone(), true));
    assert!(material.unwrap().is_same(&KeyMaterial::new([0; 16], key.1.duplicate())));
    assert_eq!(token.held(data.id).0, data);
    assert!(matches!(token.portable(ObjectId([9; 16])), Ok(Portable::Tombstone { version: 4, verified: true, .. })));
    assert!(matches!(token.portable(ObjectId([8; 16])), Ok(Portable::Nothing)));
    assert_eq!(token.adopt(&USER, &arrivals).unwrap(), [Outcome::Same, Outcome::Same, Outcome::Same]);
    assert_eq!(token.revision().unwrap(), before + 1, "nothing was to be done");
    let mut ids = [key.0.id, data.id];
    ids.sort_unstable();
    assert_eq!(token.ids(None, 10).unwrap(), ids);
    assert_eq!(token.ids(Some(ids[0]), 10).unwrap(), ids[1..]);
    assert_eq!(token.destroyed_ids(None, 10).unwrap(), [ObjectId([9; 16])]);
    token.is_sound();
}

#[test]
fn handles_show_what_has_come() {
    let token = token();
    let (object, value) = key(7);
    token.adopt(&USER, &[arrival(&(object.clone(), value.duplicate()))]).unwrap();
    let handle = token.all(&USER)[0];
    let prepared = token.prepared(&token.opened(&USER, handle).unwrap()).unwrap();
    let later = changed(&object, b"after");
    let outcome = token.adopt(&USER, &[arrival(&(later, value.duplicate()))]).unwrap();
    assert_eq!(outcome, [Outcome::Changed { decided: false, as_arrived: true }]);
    let label = token.view(&USER, handle).unwrap().attribute(CKA_LABEL).unwrap();
    assert_eq!(label.as_slice(), b"after");
    assert!(prepared.is_alive() && !prepared.is_current(), "operations go on, new ones look it up");
    assert_eq!(token.adopt(&USER, &[arrival(&(object.clone(), value.duplicate()))]).unwrap(), [Outcome::Earlier]);
    let end = Arrival::Tombstone { id: object.id, version: 1 };
    assert_eq!(token.adopt(&USER, &[end]).unwrap(), [Outcome::Destroyed]);
    assert_eq!(token.opened(&USER, handle).err(), Some(Error::ObjectHandleInvalid));
    assert!(!prepared.is_alive());
    assert_eq!(token.adopt(&USER, &[arrival(&(object, value))]).unwrap(), [Outcome::StaysDestroyed]);
    token.is_sound();
}

#[test]
fn what_cannot_come_in_keeps_nothing_else_out() {
    let token = token();
    let (here, _) = key(7);
    token.adopt(&USER, &[arrival(&key_as(&here, 7))]).unwrap();
    let other = public();
    let outcomes = token.adopt(&USER, &[arrival(&key_as(&here, 8)), arrives(&other)]).unwrap();
    assert_eq!(outcomes, [Outcome::Conflict("CKA_VALUE"), Outcome::New]);
    // Damaged in the store: it stays for the doctor.
    let mut row = token.store.read(other.id).unwrap().unwrap();
    *row.record.last_mut().unwrap() ^= 1;
    token.store.commit(vec![Change::Update { expected: row.version, row }]).unwrap();
    let third = public();
    let outcomes = token.adopt(&USER, &[arrives(&changed(&other, b"x")), arrives(&third)]).unwrap();
    assert!(matches!(outcomes[0], Outcome::Refused(Error::ObjectDamaged(_))));
    assert_eq!(outcomes[1], Outcome::New);
}

/// The same object with another value, and what follows from it.
fn key_as(object: &Object, value: u8) -> (Object, Secret) {
    let check = made_with(CKO_SECRET_KEY, true, value).0.value(CKA_CHECK_VALUE).unwrap().to_vec();
    let plain = object.value(CKA_CHECK_VALUE).unwrap().to_vec();
    let mut record = object.to_record();
    let at = record.windows(3).position(|part| part == plain).unwrap();
    record[at..at + 3].copy_from_slice(&check);
    (Object::from_record(object.id, object.version, &record).unwrap(), Secret::from_slice(&[value; 32]))
}

#[test]
fn an_object_that_comes_twice_comes_in_one_after_the_other() {
    let token = token();
    let data = public();
    let (second, third) = (changed(&data, b"2"), changed(&changed(&data, b"2"), b"3"));
    let outcomes = token.adopt(&USER, &[arrives(&data), arrives(&third), arrives(&second)]).unwrap();
    assert_eq!(outcomes, [Outcome::New, Outcome::Changed { decided: false, as_arrived: true }, Outcome::Earlier]);
    assert_eq!(token.held(data.id).0, third);
    token.is_sound();
}

/// What was written without a login does not become what a login wrote because something of its id arrives.
#[test]
fn nothing_is_merged_with_what_no_login_stands_behind() {
    let token = token();
    token.logout(|| ()).unwrap();
    let data = public();
    token.insert(&PUBLIC, Handle::NONE, [(data.clone(), None)]).unwrap();
    token.login(Login::User, PIN).unwrap();
    for arrived in [data.clone(), changed(&data, b"after")] {
        assert!(matches!(
            token.adopt(&USER, &[arrives(&arrived)]).unwrap()[0],
            Outcome::Refused(Error::ActionProhibited(_))
        ));
        let Portable::Object(opened) = token.portable(data.id).unwrap() else { panic!() };
        assert_eq!((opened.object(), opened.verified()), (&data, Verified::No));
    }
    let end = Arrival::Tombstone { id: data.id, version: 1 };
    assert_eq!(token.adopt(&USER, &[end]).unwrap(), [Outcome::Destroyed]);
}

#[test]
fn only_the_user_takes_in_and_only_where_he_may_write() {
    let token = token();
    let data = public();
    let read_only = Caller { read_write: false, ..USER };
    for (caller, error) in [(PUBLIC, Error::UserNotLoggedIn), (read_only, Error::SessionReadOnly)] {
        assert_eq!(token.adopt(&caller, &[arrives(&data)]).err(), Some(error));
    }
    token.logout(|| ()).unwrap();
    assert_eq!(token.adopt(&USER, &[arrives(&data)]).err(), Some(Error::UserNotLoggedIn), "the login ended meanwhile");
    assert_eq!(token.ids(None, 10).unwrap(), []);
}
