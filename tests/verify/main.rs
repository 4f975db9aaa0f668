//! A check of a whole token, `Token::verify`, after somebody has been at its file with SQLite's own means.

// A test says what it expects by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;

use cryptoki_sys::*;
use keystead::config::Pins;
use keystead::error::Error;
use keystead::handle::Handle;
use keystead::key::{Caller, Login};
use keystead::log::Log;
use keystead::object::{Basis, Draft, Given, New, Search, Template, Way};
use keystead::store::sqlite::SqliteFolder;
use keystead::store::{Folder, ObjectId};
use keystead::token::{Beginning, Finding, Token, Verdict};
use rusqlite::types::Value;

const PINS: Pins = Pins { min: 4, max: 255, user_tries: 10, so_tries: 10, memory_kib: 8, passes: 1, lanes: 1 };
const USER: Caller = Caller { login: Login::User, read_write: true, today: None };
const PUBLIC: Caller = Caller { login: Login::Public, read_write: true, today: None };
const BEGINNING: Beginning<'_> = Beginning { so_pin: b"so-pin", label: [b'l'; 32], maskable: false, host_key: None };

/// Every token shows so many objects of its own.
const PROFILES: usize = 3;

/// A token in a file, opened once, with the user logged in.
struct Place {
    token: Arc<Token>,
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let folder = SqliteFolder::new(directory.path().join("tokens"));
        assert!(Token::create(&folder, 0, &PINS, &BEGINNING).unwrap());
        let token = Token::open(folder.open(0).unwrap(), &PINS.into(), Log::default(), None).unwrap();
        token.open_session(true).unwrap();
        token.login(Login::So, b"so-pin").unwrap();
        token.init_user_pin(b"user-pin").unwrap();
        token.logout(|| ()).unwrap();
        let place = Self { token, directory };
        place.login();
        place
    }

    fn login(&self) {
        self.token.login(Login::User, b"user-pin").unwrap();
    }

    /// The token as another process has it.
    fn elsewhere(&self) -> Arc<Token> {
        let folder = SqliteFolder::new(self.directory.path().join("tokens"));
        let token = Token::open(folder.open(0).unwrap(), &PINS.into(), Log::default(), None).unwrap();
        token.open_session(true).unwrap();
        token
    }

    fn sql(&self, statement: &str, parameters: impl rusqlite::Params) -> usize {
        self.database().execute(statement, parameters).unwrap()
    }

    fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.directory.path().join("tokens/slot-00000000.db")).unwrap()
    }

    fn make(&self, caller: &Caller, class: u64, private: bool) -> (ObjectId, Handle) {
        let new = object(class, private, caller.login);
        let id = new.0.id;
        let [handle] = self.token.insert(caller, Handle::NONE, [new]).unwrap();
        (id, handle)
    }

    fn key(&self) -> (ObjectId, Handle) {
        self.make(&USER, CKO_SECRET_KEY, true)
    }

    fn rename(&self, handle: Handle, label: &[u8]) {
        self.token.change(&USER, handle, &[Given::new(CKA_LABEL, label)]).unwrap();
    }

    fn all(&self) -> usize {
        let mut candidates = self.token.find(&USER, Search::new(&[])).unwrap();
        self.token.find_more(&USER, &mut candidates, 100).unwrap().len() - PROFILES
    }

    /// What a check finds, by somebody who has nothing opened.
    fn verdict(&self) -> Verdict {
        let token = self.elsewhere();
        token.login(Login::User, b"user-pin").unwrap();
        token.verify(&mut |_| ()).unwrap()
    }

    fn findings(&self) -> Vec<Finding> {
        self.verdict().findings
    }
}

fn object(class: u64, private: bool, login: Login) -> New {
    let (numbers, value, private) = ([class, CKK_AES].map(u64::to_ne_bytes), [7; 32], [u8::from(private)]);
    let mut given = vec![
        Given::new(CKA_CLASS, &numbers[0]),
        Given::new(CKA_TOKEN, &[1]),
        Given::new(CKA_PRIVATE, &private),
        Given::new(CKA_LABEL, b"before"),
    ];
    if class == CKO_SECRET_KEY {
        given.extend([Given::new(CKA_KEY_TYPE, &numbers[1]), Given::new(CKA_VALUE, &value)]);
    }
    Draft::new(Template::parse(&given, Way::Create).unwrap(), Basis::of(login)).finish().unwrap()
}

/// A row of `objects` as it is now, to be put back later.
fn saved(place: &Place, id: ObjectId) -> Vec<Value> {
    let database = place.database();
    let mut statement = database.prepare("SELECT * FROM objects WHERE id = ?1").unwrap();
    let columns = statement.column_count();
    statement.query_row([id.0], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap()
}

fn put_back(place: &Place, row: Vec<Value>) {
    let places = vec!["?"; row.len()].join(", ");
    let sql = format!("INSERT OR REPLACE INTO objects VALUES ({places})");
    assert_eq!(place.sql(&sql, rusqlite::params_from_iter(row)), 1);
}

fn label_of(place: &Place, handle: Handle) -> Vec<u8> {
    place.token.view(&USER, handle).unwrap().attribute(CKA_LABEL).unwrap().to_vec()
}

#[test]
fn whatever_was_done_by_the_library_is_in_order() {
    let place = Place::new();
    assert_eq!(place.findings(), []);
    for class in [CKO_DATA, CKO_SECRET_KEY] {
        for private in [false, true] {
            let (_, kept) = place.make(&USER, class, private);
            let (_, gone) = place.make(&USER, class, private);
            place.rename(kept, b"after");
            assert_eq!(place.findings(), []);
            place.rename(gone, b"after");
            place.token.destroy(&USER, gone).unwrap();
            let copy = place.token.copy(&USER, kept, &[]).unwrap();
            place.token.insert(&USER, Handle::NONE, [copy, object(class, private, Login::User)]).unwrap();
            assert_eq!(place.findings(), []);
        }
    }
    place.token.logout(|| ()).unwrap();
    // Without a login: nothing counts that nobody stands behind, until somebody who is logged in changes it.
    let [kept, changed, destroyed, gone] = [(); 4].map(|()| place.make(&PUBLIC, CKO_DATA, false).1);
    place.token.change(&PUBLIC, kept, &[Given::new(CKA_LABEL, b"after")]).unwrap();
    place.token.destroy(&PUBLIC, gone).unwrap();
    let verdict = place.verdict();
    assert_eq!((verdict.findings, verdict.objects, verdict.tombstones), (vec![], 15, 5));
    assert_eq!((verdict.unverified, verdict.unverified_tombstones), (3, 1));
    place.login();
    place.rename(changed, b"a login's own");
    place.token.destroy(&USER, destroyed).unwrap();
    let verdict = place.verdict();
    assert_eq!((verdict.findings, verdict.unverified, verdict.unverified_tombstones), (vec![], 1, 1));
    // PINs have nothing to do with it.
    place.token.set_pin(b"user-pin", b"other").unwrap();
    place.token.set_pin(b"other", b"user-pin").unwrap();
    assert_eq!(place.elsewhere().login(Login::User, b"wrong"), Err(Error::PinIncorrect));
    assert_eq!(place.findings(), []);
}

#[test]
fn a_token_that_is_initialised_anew_begins_anew() {
    let place = Place::new();
    let (_, gone) = place.key();
    place.key();
    place.token.destroy(&USER, gone).unwrap();
    place.token.close_session(true, || ());
    place.token.reinitialise(&BEGINNING).unwrap();
    let token = place.elsewhere();
    token.login(Login::So, b"so-pin").unwrap();
    let verdict = token.verify(&mut |_| ()).unwrap();
    assert_eq!((verdict.findings, verdict.objects, verdict.tombstones), (vec![], 0, 0));
}

#[test]
fn a_check_needs_a_login_and_tells_how_far_it_is() {
    let place = Place::new();
    assert_eq!(place.elsewhere().verify(&mut |_| ()).map(drop), Err(Error::UserNotLoggedIn));
    for _ in 0..300 {
        place.key();
    }
    let mut told = Vec::new();
    place.token.verify(&mut |rows| told.push(rows)).unwrap();
    assert_eq!(told, [256, 300]);
}

#[test]
fn others_may_write_while_a_token_is_checked() {
    let place = Place::new();
    let writers: Vec<_> = (0..3).map(|_| place.elsewhere()).collect();
    writers.iter().for_each(|writer| writer.login(Login::User, b"user-pin").unwrap());
    std::thread::scope(|scope| {
        for writer in &writers {
            scope.spawn(move || {
                for round in 0..60 {
                    let [handle] =
                        writer.insert(&USER, Handle::NONE, [object(CKO_SECRET_KEY, true, Login::User)]).unwrap();
                    writer.change(&USER, handle, &[Given::new(CKA_LABEL, b"after")]).unwrap();
                    if round % 2 == 0 {
                        writer.destroy(&USER, handle).unwrap();
                    }
                }
            });
        }
        for _ in 0..5 {
            assert_eq!(place.findings(), []);
        }
    });
    let verdict = place.verdict();
    assert_eq!((verdict.findings, verdict.objects, verdict.tombstones), (vec![], 90, 90));
}

#[test]
fn a_row_that_was_deleted_is_missed() {
    let place = Place::new();
    let [(gone, _), _] = [place.key(), place.key()];
    assert_eq!(place.sql("DELETE FROM objects WHERE id = ?1", [gone.0]), 1);
    assert_eq!(place.findings(), [Finding::DigestDiffers]);
    // Nothing that is done later hides it.
    let (_, later) = place.key();
    place.token.destroy(&USER, later).unwrap();
    assert_eq!(place.findings(), [Finding::DigestDiffers]);
}

/// It authenticates: every row is as somebody sealed it.
#[test]
fn a_row_put_back_as_it_was_is_found() {
    let place = Place::new();
    let (id, handle) = place.key();
    let old = saved(&place, id);
    place.rename(handle, b"after");
    put_back(&place, old);
    assert_eq!(place.findings(), [Finding::DigestDiffers]);
    place.key();
    assert_eq!(label_of(&place, handle), b"before");
}

/// The file is copied, both copies are worked with, and a row of one is put into the other.
#[test]
fn a_row_of_another_history_is_found() {
    let place = Place::new();
    let (id, handle) = place.key();
    let digest = || place.database().query_row("SELECT digest FROM token", [], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let (copied, digest) = (saved(&place, id), digest());
    place.rename(handle, b"one");
    let one = saved(&place, id);
    put_back(&place, copied);
    place.sql("UPDATE token SET digest = ?1, revision = revision + 1", [&digest]);
    assert_eq!(place.findings(), []);
    let token = place.elsewhere();
    token.login(Login::User, b"user-pin").unwrap();
    let mut found = token.find(&USER, Search::new(&[Given::new(CKA_LABEL, b"before")])).unwrap();
    let other = token.find_more(&USER, &mut found, 1).unwrap()[0];
    token.change(&USER, other, &[Given::new(CKA_LABEL, b"other")]).unwrap();
    assert_eq!(place.findings(), []);
    put_back(&place, one);
    assert_eq!(place.findings(), [Finding::DigestDiffers]);
}

#[test]
fn a_destroyed_object_that_was_put_back_is_found() {
    let place = Place::new();
    let (id, handle) = place.key();
    let old = saved(&place, id);
    place.token.destroy(&USER, handle).unwrap();
    put_back(&place, old);
    assert_eq!(place.findings(), [Finding::PutBack(id)]);
    assert_eq!(place.all(), 0);
    // Without its tombstone it lives again, and is found out all the same.
    assert_eq!(place.sql("DELETE FROM deletions WHERE id = ?1", [id.0]), 1);
    place.key();
    assert_eq!(place.all(), 2);
    assert_eq!(place.findings(), [Finding::DigestDiffers]);
}

#[test]
fn a_tombstone_that_was_removed_or_edited_is_found() {
    let place = Place::new();
    let [(removed, one), (edited, other)] = [place.key(), place.key()];
    [one, other].into_iter().for_each(|handle| place.token.destroy(&USER, handle).unwrap());
    assert_eq!(place.sql("UPDATE deletions SET version = 7 WHERE id = ?1", [edited.0]), 1);
    let findings = place.findings();
    assert!(
        matches!(&findings[..], [Finding::DigestDiffers, Finding::Damaged(id, _)] if *id == edited),
        "{findings:?}"
    );
    assert_eq!(place.sql("UPDATE deletions SET version = 2 WHERE id = ?1", [edited.0]), 1);
    assert_eq!(place.findings(), []);
    assert_eq!(place.sql("DELETE FROM deletions WHERE id = ?1", [removed.0]), 1);
    assert_eq!(place.findings(), [Finding::DigestDiffers]);
}

#[test]
fn two_rows_swapped_are_both_damaged_and_hurt_no_other() {
    for what in ["record", "id"] {
        let place = Place::new();
        let mut swapped = [place.key().0, place.key().0];
        place.key();
        match what {
            "record" => {
                let records = swapped.map(|id| saved(&place, id).pop().unwrap());
                for (id, record) in swapped.iter().rev().zip(records) {
                    let sql = "UPDATE objects SET record = ?2 WHERE id = ?1";
                    assert_eq!(place.sql(sql, rusqlite::params![id.0, record]), 1);
                }
            }
            _ => {
                for (from, to) in [(swapped[0].0, [0; 16]), (swapped[1].0, swapped[0].0), ([0; 16], swapped[1].0)] {
                    assert_eq!(place.sql("UPDATE objects SET id = ?2 WHERE id = ?1", [from, to]), 1);
                }
            }
        }
        swapped.sort();
        let findings = place.findings();
        let damaged = findings.iter().filter_map(|finding| match finding {
            Finding::Damaged(id, why) if why.contains(&id.to_string()) => Some(*id),
            _ => None,
        });
        let damaged: Vec<_> = damaged.collect();
        assert_eq!((damaged, findings.len()), (swapped.to_vec(), 3), "{findings:?}");
        assert_eq!(findings[0], Finding::DigestDiffers);
    }
}

#[test]
fn an_edited_digest_is_found_and_left_as_it_is() {
    let place = Place::new();
    place.key();
    let digest = || place.database().query_row("SELECT digest FROM token", [], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let (old, mut edited) = (digest(), digest());
    edited[20] ^= 1;
    for edited in [edited, old[..59].to_vec(), vec![]] {
        place.sql("UPDATE token SET digest = ?1", [&edited]);
        place.key();
        assert_eq!(digest(), edited, "who checks the token is to see it");
        assert_eq!(place.findings(), [Finding::DigestEdited]);
    }
    // An old one is genuine; only what is there differs from it.
    place.sql("UPDATE token SET digest = ?1", [&old]);
    assert_eq!(place.findings(), [Finding::DigestDiffers]);
    assert_eq!(place.all(), 4);
}

#[test]
fn terms_that_are_not_those_of_the_attributes_are_found() {
    let place = Place::new();
    place.token.logout(|| ()).unwrap();
    let (id, _) = place.make(&PUBLIC, CKO_DATA, false);
    assert_eq!(place.sql("UPDATE objects SET term0 = zeroblob(16) WHERE id = ?1", [id.0]), 1);
    assert_eq!(place.findings(), [Finding::Terms(id)]);
    place.login();
    let (sealed, _) = place.key();
    assert_eq!(place.sql("UPDATE objects SET term0 = NULL WHERE id = ?1", [sealed.0]), 1);
    let findings = place.findings();
    assert!(findings.iter().any(|finding| matches!(finding, Finding::Damaged(id, _) if *id == sealed)), "{findings:?}");
    assert_eq!(findings.len(), 3, "the digest counts what the damaged one was");
}

#[test]
fn a_damaged_value_is_found_beside_an_intact_body() {
    let place = Place::new();
    let (id, _) = place.make(&USER, CKO_SECRET_KEY, false);
    let record = saved(&place, id).pop().unwrap();
    let Value::Blob(mut record) = record else { panic!("{record:?}") };
    // The last byte before the MAC is the last of the material's tag: the MAC does not hold, nor would the value open.
    let at = record.len() - 36;
    record[at] ^= 1;
    assert_eq!(place.sql("UPDATE objects SET record = ?2 WHERE id = ?1", rusqlite::params![id.0, record]), 1);
    assert!(matches!(&place.findings()[..], [Finding::DigestDiffers, Finding::Damaged(found, _)] if *found == id));
}

#[test]
fn a_damaged_index_is_found() {
    let place = Place::new();
    let ids: Vec<_> = (0..20).map(|_| place.key().0).collect();
    let database = place.database();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'objects_term0'";
    let page: usize = database.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap() as usize;
    drop(database);
    let path = place.directory.path().join("tokens/slot-00000000.db");
    let mut file = std::fs::read(&path).unwrap();
    let page = &mut file[(page - 1) * 4096..page * 4096];
    let at = page.windows(16).position(|part| part == ids[7].0).unwrap();
    page[at] ^= 1;
    std::fs::write(&path, file).unwrap();
    let findings = place.findings();
    assert!(
        !findings.is_empty() && findings.iter().all(|finding| matches!(finding, Finding::Store(_))),
        "{findings:?}"
    );
}

#[test]
fn an_edited_token_row_is_found_and_opens_for_nobody() {
    for (from, to) in [(&[b'l'; 32][..], &[b'm'; 32][..]), (b"lllll", b"llamb")] {
        let place = Place::new();
        let bytes: Vec<u8> = place.database().query_row("SELECT bytes FROM token", [], |row| row.get(0)).unwrap();
        let at = bytes.windows(from.len()).position(|part| part == from).unwrap();
        let edited = [&bytes[..at], to, &bytes[at + to.len()..]].concat();
        place.sql("UPDATE token SET bytes = ?1, revision = revision + 1", [&edited]);
        // By who was logged in before.
        assert_eq!(place.token.verify(&mut |_| ()).unwrap().findings, [Finding::TokenRow]);
        let token = place.elsewhere();
        for (who, pin) in [(Login::User, &b"user-pin"[..]), (Login::So, b"so-pin")] {
            assert!(matches!(token.login(who, pin), Err(Error::DeviceError(why)) if why.contains("label")));
            assert_eq!(token.login(who, b"wrong"), Err(Error::PinIncorrect));
        }
        token.close_session(true, || ());
        assert!(matches!(token.reinitialise(&BEGINNING), Err(Error::DeviceError(_))));
        place.sql("UPDATE token SET bytes = ?1, revision = revision + 1", [&bytes]);
        assert_eq!(place.findings(), []);
    }
}

/// The default of `CKA_KEYSTEAD_MASKABLE` that was read before the login is not believed after it.
#[test]
fn an_edit_that_was_undone_before_the_login_has_no_effect() {
    let place = Place::new();
    let bytes: Vec<u8> = place.database().query_row("SELECT bytes FROM token", [], |row| row.get(0)).unwrap();
    // Field 12, true, before field 14; one field more in the map.
    let at = bytes.len() - 35;
    assert_eq!(bytes[at..at + 3], [0x0e, 0x58, 0x20]);
    let mut edited = [&bytes[..at], &[0x0c, 0xf5], &bytes[at..]].concat();
    edited[0] += 1;
    place.sql("UPDATE token SET bytes = ?1", [&edited]);
    let token = place.elsewhere();
    assert!(token.basis(&PUBLIC).maskable);
    assert!(matches!(token.login(Login::User, b"user-pin"), Err(Error::DeviceError(_))));
    place.sql("UPDATE token SET bytes = ?1", [&bytes]);
    token.login(Login::User, b"user-pin").unwrap();
    assert!(!token.basis(&USER).maskable);
}

/// The store in `tests/stores`, whose objects another test uses one by one.
#[test]
fn the_store_of_format_1_is_in_order() {
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores/1");
    let directory = tempfile::tempdir().unwrap();
    for file in ["slot-00000000.db", "slot-00000000.lock", "folder.lock"] {
        std::fs::copy(from.join(file), directory.path().join(file)).unwrap();
    }
    let folder = SqliteFolder::new(directory.path().into());
    let token = Token::open(folder.open(0).unwrap(), &PINS.into(), Log::default(), None).unwrap();
    token.open_session(true).unwrap();
    token.login(Login::User, b"user-pin-1357").unwrap();
    let verdict = token.verify(&mut |_| ()).unwrap();
    assert_eq!((verdict.findings, verdict.objects, verdict.tombstones), (vec![], 21, 4));
    assert_eq!((verdict.unverified, verdict.unverified_tombstones), (2, 1));
}
