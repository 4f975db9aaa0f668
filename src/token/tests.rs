//! What the store holds of objects that a later version wrote, and of objects that are gone.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use cryptoki_sys::*;

mod portable;

use super::batch::Batch;
use super::*;
use crate::handle::Handle;
use crate::object::{self, Draft, Given, New, Object, Template, Way};
use crate::seal::{self, Verified};
use crate::store::faulty::{Fault, Faulty};
use crate::store::memory::MemoryFolder;
use crate::store::{ObjectId, Row};

const PINS: Pins = Pins { min: 4, max: 255, user_tries: 10, so_tries: 10, memory_kib: 8, passes: 1, lanes: 1 };
const PIN: &[u8] = b"1234";
const USER: Caller = Caller { login: Login::User, read_write: true, today: None };
const PUBLIC: Caller = Caller { login: Login::Public, ..USER };

const BEGINNING: Beginning<'_> = Beginning { so_pin: b"4321", label: [b' '; 32], maskable: false, host_key: None };

/// A token in memory with one session, and the user logged in.
fn token() -> Arc<Token> {
    token_with(Log::default())
}

fn token_with(log: Log) -> Arc<Token> {
    token_in(&MemoryFolder::new(), log)
}

fn token_in(folder: &dyn Folder, log: Log) -> Arc<Token> {
    assert!(Token::create(folder, 0, &PINS, &BEGINNING).unwrap());
    let token = Token::open(folder.open(0).unwrap(), &PINS.into(), log, None).unwrap();
    token.open_session(true).unwrap();
    token.login(Login::So, b"4321").unwrap();
    token.init_user_pin(PIN).unwrap();
    token.logout(|| ()).unwrap();
    token.login(Login::User, PIN).unwrap();
    token
}

/// A token object: of a class, private or not.
fn made(class: u64, private: bool) -> New {
    made_with(class, private, 7)
}

/// The same; a key has 32 times this byte as its value.
fn made_with(class: u64, private: bool, value: u8) -> New {
    let (class, aes, length) = (class.to_ne_bytes(), CKK_AES.to_ne_bytes(), [value; 32]);
    let private = [u8::from(private)];
    let mut given = vec![
        Given::new(CKA_CLASS, &class),
        Given::new(CKA_TOKEN, &[1]),
        Given::new(CKA_PRIVATE, &private),
        Given::new(CKA_LABEL, b"before"),
    ];
    if class == CKO_SECRET_KEY.to_ne_bytes() {
        given.extend([Given::new(CKA_KEY_TYPE, &aes), Given::new(CKA_VALUE, &length)]);
    }
    Draft::new(Template::parse(&given, Way::Create).unwrap(), Basis::of(Login::User)).finish().unwrap()
}

impl Token {
    /// Puts an object in as a later version writes it: with one field more, whose encoded number and value these are.
    fn insert_later(&self, (object, material): New, field: &[u8]) -> (ObjectId, Handle) {
        let mut record = [object.to_record().as_slice(), field].concat();
        // Four fields, and one more.
        assert_eq!(record[0], 0xa4);
        record[0] = 0xa5;
        let later = Object::from_record(object.id, 1, &record).unwrap();
        assert_eq!(later.to_record(), record, "byte for byte");
        let row = self.sealed(&later, material.as_ref(), self.seal().as_deref()).unwrap();
        assert!(matches!(self.store.commit(vec![Change::Insert(row)]).unwrap(), Commit::Done { .. }));
        let handle = self.all(&USER)[0];
        (object.id, handle)
    }

    fn all(&self, caller: &Caller) -> Vec<Handle> {
        let mut candidates = self.find(caller, object::Search::new(&[])).unwrap();
        let mut found = self.find_more(caller, &mut candidates, 100).unwrap();
        found.retain(|handle| !self.is_built_in(*handle));
        found
    }

    /// The record of an object as the store has it now.
    fn record_of(&self, id: ObjectId) -> Vec<u8> {
        let Row { version, terms, record, .. } = self.store.read(id).unwrap().unwrap();
        seal::open(self.seal().as_deref(), id, version, &terms, &record).unwrap().unwrap().body.to_vec()
    }
}

/// Field 1001, a map with a text in it, and the same as 1000.
const OPTIONAL: &[u8] = b"\x19\x03\xe9\xa1\x00\x63new";
const CRITICAL: &[u8] = b"\x19\x03\xe8\xa1\x00\x63new";

#[test]
fn an_optional_field_of_a_later_version_outlives_changes_and_copies() {
    for class in [CKO_DATA, CKO_SECRET_KEY] {
        for private in [false, true] {
            let token = token();
            let (id, handle) = token.insert_later(made(class, private), OPTIONAL);
            for label in [b"after", b"again"] {
                token.change(&USER, handle, &[Given::new(CKA_LABEL, label)]).unwrap();
                let record = token.record_of(id);
                assert!(record.ends_with(OPTIONAL) && record.windows(5).any(|part| part == label));
            }
            let copy = token.copy(&USER, handle, &[]).unwrap();
            let copied = copy.0.id;
            let [copy] = token.insert(&USER, Handle::NONE, [copy]).unwrap();
            assert!(token.record_of(copied).ends_with(OPTIONAL));
            for handle in [handle, copy] {
                let opened = token.opened(&USER, handle).unwrap();
                assert!(!opened.object().is_of_later_version());
                assert_eq!(token.prepared(&opened).is_ok(), class == CKO_SECRET_KEY);
                token.destroy(&USER, handle).unwrap();
            }
        }
    }
}

/// Use is refused by `permit`, whose tests say so; here is all else.
#[test]
fn a_critical_field_of_a_later_version_blocks_use_and_change_and_nothing_else() {
    for class in [CKO_DATA, CKO_SECRET_KEY] {
        for private in [false, true] {
            let token = token();
            let (id, handle) = token.insert_later(made(class, private), CRITICAL);
            let [other] = token.insert(&USER, Handle::NONE, [made(class, private)]).unwrap();
            let view = token.view(&USER, handle).unwrap();
            assert_eq!(view.attribute(CKA_LABEL).unwrap().as_slice(), b"before");
            assert_eq!(token.all(&USER).len(), 2);
            let label = [Given::new(CKA_LABEL, b"after")];
            assert_eq!(token.change(&USER, handle, &label), Err(Error::LaterVersion));
            assert_eq!(token.copy(&USER, handle, &label).err(), Some(Error::LaterVersion));
            let opened = token.opened(&USER, handle).unwrap();
            assert!(opened.facts().is_none_or(|facts| facts.of_later_version));
            assert!(token.record_of(id).ends_with(CRITICAL), "nothing of it has changed");
            token.change(&USER, other, &label).unwrap();
            token.destroy(&USER, handle).unwrap();
            assert_eq!(token.all(&USER), [other]);
        }
    }
}

#[test]
fn what_is_destroyed_leaves_an_authenticated_tombstone_with_nothing_of_it() {
    for class in [CKO_DATA, CKO_SECRET_KEY] {
        for private in [false, true] {
            let token = token();
            let new = made(class, private);
            let id = new.0.id;
            let [handle] = token.insert(&USER, Handle::NONE, [new]).unwrap();
            token.change(&USER, handle, &[Given::new(CKA_LABEL, b"after")]).unwrap();
            assert_eq!(token.store.tombstone(id), Ok(None));
            token.destroy(&USER, handle).unwrap();
            let grave = token.store.tombstone(id).unwrap().unwrap();
            assert_eq!((grave.version, grave.terms), (3, Default::default()));
            assert!(grave.record.len() < 64, "{} bytes", grave.record.len());
            let open = |version| seal::open(token.seal().as_deref(), id, version, &grave.terms, &grave.record);
            let opened = open(3).unwrap().unwrap();
            assert!(opened.verified == Verified::Yes && opened.material.is_none());
            assert!(object::is_tombstone(&opened.body));
            assert!(open(2).is_err() && open(4).is_err(), "it is bound to its version");
            // It is no object, wherever it is put.
            assert!(token.all(&USER).is_empty());
            assert!(Object::from_record(id, 3, &opened.body).is_err());
            let (other, material) = made(class, private);
            let taken = Row { id, ..token.sealed(&other, material.as_ref(), token.seal().as_deref()).unwrap() };
            assert_eq!(
                token.store.commit(vec![Change::Insert(taken)]),
                Ok(Commit::Conflict),
                "its id is nobody else's"
            );
        }
    }
}

/// Such a tombstone could be anybody's, and will not travel.
#[test]
fn what_is_destroyed_without_a_login_leaves_an_unverified_tombstone() {
    let token = token();
    token.logout(|| ()).unwrap();
    let (object, _) = made(CKO_DATA, false);
    let id = object.id;
    let [handle] = token.insert(&PUBLIC, Handle::NONE, [(object, None)]).unwrap();
    token.destroy(&PUBLIC, handle).unwrap();
    token.login(Login::User, PIN).unwrap();
    let grave = token.store.tombstone(id).unwrap().unwrap();
    let opened = seal::open(token.seal().as_deref(), id, 2, &grave.terms, &grave.record).unwrap().unwrap();
    assert!(opened.verified == Verified::No && object::is_tombstone(&opened.body));
}

/// Handles are set aside before the commit: a key that nobody could name would be in the store for ever.
#[test]
fn nothing_is_stored_for_which_no_handle_is_left() {
    for left in [0, 1] {
        let token = token();
        token.leave_handles(left);
        let outcome = token.insert(&USER, Handle::NONE, [made(CKO_DATA, true), made(CKO_SECRET_KEY, true)]);
        assert!(matches!(outcome, Err(Error::HostMemory(_))));
        assert_eq!(token.store.list(None, 9), Ok(vec![]));
        let outcome = token.insert(&USER, Handle::NONE, [made(CKO_DATA, true)]);
        assert_eq!(outcome.is_ok(), left == 1, "the one that is left was given back");
    }
}

/// A store that fails at the commit: the handles that were set aside are given back, and name nothing.
#[test]
fn a_commit_that_fails_leaves_no_handle() {
    let token = token();
    let (object, material) = made(CKO_DATA, true);
    let id = object.id;
    let row = token.sealed(&object, material.as_ref(), token.seal().as_deref()).unwrap();
    assert!(matches!(token.store.commit(vec![Change::Insert(row)]).unwrap(), Commit::Done { .. }));
    let mut on_session = made(CKO_DATA, true);
    on_session.0 = on_session.0.copied(&[Given::new(CKA_TOKEN, &[0])], Login::User).unwrap();
    let outcome = token.insert(&USER, Handle::NONE, [on_session, (object, material)]);
    assert!(matches!(outcome, Err(Error::GeneralError(_))), "the id is there already");
    assert!(!token.has_handle(id));
    assert_eq!(token.all(&USER).len(), 1, "the one that was there");
}

/// A logout on another thread, between the look at the object and the write: what a login wrote is not written without one.
#[test]
fn what_a_login_wrote_is_not_replaced_without_one() {
    let token = token();
    let [handle] = token.insert(&USER, Handle::NONE, [made(CKO_DATA, false)]).unwrap();
    let opened = token.opened(&USER, handle).unwrap();
    token.logout(|| ()).unwrap();
    let (object, _) = made(CKO_DATA, false);
    let row = || token.sealed(&object, None, None).unwrap();
    let mut batch = Batch::new(&token);
    assert_eq!(batch.update(&opened, row()), Err(Error::UserNotLoggedIn));
    assert_eq!(batch.delete(&opened, row()), Err(Error::UserNotLoggedIn));
    // What was opened before a login, and could not be judged then.
    let unknown = token.opened(&PUBLIC, token.all(&PUBLIC)[0]).unwrap();
    assert!(unknown.waits_for_login());
    token.login(Login::User, PIN).unwrap();
    assert_eq!(Batch::new(&token).update(&unknown, row()), Err(Error::UserNotLoggedIn));
}

/// Another process makes the token anew between the sealing and the commit.
#[test]
fn what_was_sealed_for_a_token_does_not_get_into_the_next_one() {
    for private in [true, false] {
        let folder = MemoryFolder::new();
        let token = token_in(&folder, Log::default());
        if !private {
            token.logout(|| ()).unwrap();
        }
        let mut batch = Batch::new(&token);
        let (object, material) = made(CKO_DATA, private);
        batch.insert(token.sealed(&object, material.as_ref(), batch.seal()).unwrap());
        let other = Token::open(folder.open(0).unwrap(), &PINS.into(), Log::default(), None).unwrap();
        other.reinitialise(&BEGINNING).unwrap();
        let digest = other.store.token().unwrap().digest;
        assert_eq!(token.commit(batch), Err(Error::TokenReplaced));
        assert_eq!((token.store.list(None, 9), token.store.token().unwrap().digest), (Ok(vec![]), digest));
        assert!(token.is_replaced());
    }
}

/// Another process is faster, while this one hashes the SO's PIN or waits for a lock.
#[test]
fn a_pin_that_was_right_a_moment_ago_does_away_with_nothing() {
    let folder = MemoryFolder::new();
    let token = token_in(&folder, Log::default());
    let open = || Token::open(folder.open(0).unwrap(), &PINS.into(), Log::default(), None).unwrap();
    let (mine, other) = (open(), open());
    let change = |old, new| {
        other.open_session(true).unwrap();
        other.login(Login::So, old).unwrap();
        other.set_pin(old, new).unwrap();
        other.close_session(true, || ());
    };
    let opening = mine.check_pin(Role::So, b"4321").unwrap();
    change(b"4321", b"8765");
    let before = token.store.token();
    assert_eq!(mine.replace_opened(&opening, &BEGINNING), Err(Error::PinIncorrect));
    assert_eq!(token.store.token(), before);
    let removed = mine.remove(b"8765", |check| {
        change(b"8765", b"4321");
        folder.remove(0, Some(check)).map(drop)
    });
    assert_eq!(removed, Err(Error::PinIncorrect));
    let removed = mine.remove(b"4321", |check| {
        other.reinitialise(&BEGINNING).unwrap();
        folder.remove(0, Some(check)).map(drop)
    });
    assert_eq!((removed, folder.slots()), (Err(Error::TokenReplaced), Ok(vec![0])));
    let removed = open().remove(b"4321", |check| folder.remove(0, Some(check)).map(drop));
    assert_eq!((removed, folder.slots()), (Ok(()), Ok(vec![])));
}

/// A full disk, or a limit of the caller's own: no PIN gets a verdict until the wrong one before it is written down.
#[test]
fn a_wrong_pin_that_cannot_be_counted_is_the_last_until_it_is() {
    let folder = MemoryFolder::new();
    drop(token_in(&folder, Log::default()));
    let store = Faulty::over(folder.open(0).unwrap());
    let token = Token::open(Arc::clone(&store) as Arc<dyn Store>, &PINS.into(), Log::default(), None).unwrap();
    token.open_session(true).unwrap();
    let full = || Err(Fault::Full.error());
    store.fail_commits(Some(Fault::Full));
    assert_eq!(token.login(Login::User, b"wrong"), full());
    for pin in [PIN, b"wrong"] {
        assert_eq!(token.login(Login::User, pin), full());
    }
    assert_eq!(token.check_pin(Role::So, b"4321").map(drop), Ok(()), "what nobody guessed at is as before");
    assert_eq!(token.state().unwrap().user.left, 10);
    store.fail_commits(None);
    assert_eq!(token.login(Login::User, b"wrong"), Err(Error::PinIncorrect));
    assert_eq!(token.state().unwrap().user.left, 8, "the one that was owed counts too");
    token.login(Login::User, PIN).unwrap();
    assert_eq!(token.state().unwrap().user.left, 10);
}

/// What is owed locks like any other.
#[test]
fn wrong_pins_that_are_counted_late_lock() {
    let folder = MemoryFolder::new();
    drop(token_in(&folder, Log::default()));
    let store = Faulty::over(folder.open(0).unwrap());
    let pins = Pins { user_tries: 1, ..PINS };
    let token = Token::open(Arc::clone(&store) as Arc<dyn Store>, &pins.into(), Log::default(), None).unwrap();
    token.open_session(true).unwrap();
    store.fail_commits(Some(Fault::Io));
    assert_eq!(token.login(Login::User, b"wrong"), Err(Fault::Io.error()));
    store.fail_commits(None);
    assert_eq!(token.login(Login::User, PIN), Err(Error::PinLocked));
    token.login(Login::So, b"4321").unwrap();
    token.init_user_pin(PIN).unwrap();
    token.logout(|| ()).unwrap();
    token.login(Login::User, PIN).unwrap();
}

/// A store that reads what it does not find when it writes.
#[test]
fn what_never_succeeds_has_an_end() {
    let folder = MemoryFolder::new();
    drop(token_in(&folder, Log::default()));
    let store = Faulty::over(folder.open(0).unwrap());
    let token = Token::open(Arc::clone(&store) as Arc<dyn Store>, &PINS.into(), Log::default(), None).unwrap();
    let ends = |outcome: Result<()>| match outcome {
        Err(Error::DeviceError(why)) => assert!(why.contains("doctor"), "{why}"),
        other => panic!("{other:?}"),
    };
    token.open_session(true).unwrap();
    token.login(Login::User, PIN).unwrap();
    let [handle] = token.insert(&USER, Handle::NONE, [made(CKO_DATA, true)]).unwrap();
    store.conflict(true);
    ends(token.change(&USER, handle, &[Given::new(CKA_LABEL, b"after")]));
    ends(token.destroy(&USER, handle));
    ends(token.set_pin(PIN, b"another"));
    ends(token.authenticate(b"wrong"));
    store.conflict(false);
    token.destroy(&USER, handle).unwrap();
    token.close_session(true, || ());
    store.conflict(true);
    ends(token.reinitialise(&BEGINNING));
}

#[test]
fn a_digest_that_was_edited_is_told_once_and_stops_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let token = token_with(Log::from_setting(&format!("{},error", path.display())));
    let edit = Change::Digest(Arc::new(|_| Ok(b"edited".to_vec())));
    assert!(matches!(token.store.commit(vec![edit]).unwrap(), Commit::Done { .. }));
    for _ in 0..3 {
        let [handle] = token.insert(&USER, Handle::NONE, [made(CKO_SECRET_KEY, true)]).unwrap();
        token.destroy(&USER, handle).unwrap();
    }
    assert_eq!(token.store.token().unwrap().digest, b"edited");
    let log = std::fs::read_to_string(&path).unwrap();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("digest"), "{log}");
}

/// Two sessions change the same session object: who read it before the other's change must look again.
#[test]
fn a_session_object_is_replaced_only_by_who_has_read_it() {
    let token = token();
    let class = CKO_DATA.to_ne_bytes();
    let template = Template::parse(&[Given::new(CKA_CLASS, &class)], Way::Create).unwrap();
    let new = Draft::new(template, Basis::of(Login::User)).finish().unwrap();
    let [handle] = token.insert(&USER, Handle::NONE, [new]).unwrap();
    let read = token.opened(&USER, handle).unwrap();
    token.change(&USER, handle, &[Given::new(CKA_LABEL, b"first")]).unwrap();
    let late = read.object().changed(&[Given::new(CKA_APPLICATION, b"late")], Login::User).unwrap();
    assert!(!token.catalog.replace(handle, Some(&read), Opened::in_memory(late, None)));
    let object = token.opened(&USER, handle).unwrap();
    assert_eq!(object.object().value(CKA_LABEL), Some(b"first".as_slice()));
}
