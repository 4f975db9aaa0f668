//! Tokens of older formats, made by taking away what a step of these tests adds again.

use std::fs;

use super::super::SqliteFolder;
use super::super::upgrade::{Step, copy_path};
use super::support::*;
use crate::error::Error;
use crate::store::suite::{done, id, row, token};
use crate::store::{Change, Folder};

/// From a format that never was, by way of another, to this one.
const STEPS: &[Step] = &[Step { from: -1, work: add_index }, Step { from: 0, work: add_digest }];
const FAILS: &[Step] = &[Step { from: -1, work: add_index }, Step { from: 0, work: fail }];
const DIES: &[Step] = &[Step { from: -1, work: add_index }, Step { from: 0, work: die }];
const GAP: &[Step] = &[Step { from: -1, work: add_index }];

fn add_index(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    connection.execute_batch("CREATE INDEX objects_term6 ON objects (term6, id) WHERE term6 IS NOT NULL")
}

fn add_digest(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    connection.execute_batch("ALTER TABLE token ADD COLUMN digest BLOB NOT NULL DEFAULT x'07'")
}

fn fail(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    connection.execute_batch("DELETE FROM objects; SELECT nothing FROM nowhere")
}

fn die(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    connection.execute_batch("DELETE FROM objects")?;
    std::process::abort()
}

/// A token of format -1 with two objects.
fn older() -> Place {
    let place = Place::new();
    done(&*token(place.folder()), vec![Change::Insert(row(1, 4, b"one")), Change::Insert(row(2, 5, &[2; 9000]))]);
    with_connection(&place.file("db"), |open| {
        let sql = "DROP INDEX objects_term6; ALTER TABLE token DROP COLUMN digest; PRAGMA user_version = -1";
        open.connection.execute_batch(sql).unwrap();
        // The log never holds an older format than the file.
        open.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    });
    place
}

fn files(place: &Place) -> Vec<String> {
    listing(&place.path()).into_keys().filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect()
}

fn is_whole(folder: &SqliteFolder) {
    let store = folder.open(0).unwrap();
    assert_eq!(store.list(None, 9).unwrap(), [1, 2].map(id));
    assert_eq!(store.read(id(1)).unwrap(), Some(row(1, 4, b"one")));
    assert_eq!(store.token().unwrap().digest, [7]);
    done(&*store, vec![Change::Update { expected: 4, row: row(1, 4, b"one") }]);
}

fn format_in(place: &Place) -> i64 {
    let database = rusqlite::Connection::open(place.file("db")).unwrap();
    database.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

const FILES: [&str; 3] = ["folder.lock", "slot-00000000.db", "slot-00000000.lock"];

#[test]
fn an_older_token_is_upgraded_and_nothing_stays_beside_it() {
    let place = older();
    is_whole(&place.again().with_steps(STEPS));
    assert_eq!((files(&place), format_in(&place)), (FILES.map(String::from).to_vec(), 1));
    is_whole(&place.again());
    assert_intact(&place.file("db"));
}

#[test]
fn without_all_steps_an_older_token_is_refused_and_left_alone() {
    for steps in [&[], GAP] {
        let place = older();
        for folder in [place.again().with_steps(steps), place.again().with_steps(STEPS).read_only()] {
            let refused = folder.open(0).map(drop);
            assert!(
                matches!(&refused, Err(Error::TokenNotRecognized(why)) if why.contains("format -1")),
                "{refused:?}"
            );
        }
        assert_eq!((files(&place), format_in(&place)), (FILES.map(String::from).to_vec(), -1));
    }
}

#[test]
fn an_upgrade_that_fails_leaves_the_old_token_and_its_copy() {
    let place = older();
    let copy = copy_path(&place.file("db"), -1);
    let failed = place.again().with_steps(FAILS).open(0).map(drop);
    assert!(matches!(failed, Err(Error::TokenNotRecognized(_))), "{failed:?}");
    assert_eq!(format_in(&place), -1);
    assert_eq!(place.folder().slots().unwrap(), [0], "the copy is no token");
    let mode = listing(&place.path())[copy.file_name().unwrap().to_str().unwrap()].1;
    assert_eq!(mode, 0o600);
    // The copy is a whole token of the old format.
    let other = older();
    for suffix in ["db-wal", "db-shm"] {
        fs::remove_file(other.file(suffix)).unwrap();
    }
    fs::copy(&copy, other.file("db")).unwrap();
    is_whole(&other.again().with_steps(STEPS));
    is_whole(&place.again().with_steps(STEPS));
    assert!(!copy.exists());
}

#[test]
fn a_killed_upgrade_is_made_again() {
    let place = older();
    assert!(!plays("upgrade and die", &place.path()));
    assert!(copy_path(&place.file("db"), -1).exists());
    is_whole(&place.again().with_steps(STEPS));
    assert_eq!(files(&place), FILES);
}

/// See `roles`.
pub fn upgrades_and_dies(folder: std::path::PathBuf) {
    let _ = SqliteFolder::new(folder).with_steps(DIES).open(0);
}

/// Killed after the commit, or while the copy was being made.
#[test]
fn what_a_killed_upgrade_has_left_is_removed() {
    let place = older();
    is_whole(&place.again().with_steps(STEPS));
    fs::write(copy_path(&place.file("db"), -1), b"left").unwrap();
    fs::write(place.file("db-format.tmp"), b"left").unwrap();
    is_whole(&place.again().with_steps(STEPS));
    assert_eq!(files(&place), FILES);
    let place = older();
    fs::write(place.file("db-format.tmp"), b"left").unwrap();
    is_whole(&place.again().with_steps(STEPS));
    assert_eq!(files(&place), FILES);
}

#[test]
fn of_many_who_open_it_at_once_one_upgrades() {
    let place = older();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope
                .spawn(|| assert_eq!(place.again().with_steps(STEPS).open(0).unwrap().list(None, 9).unwrap().len(), 2));
        }
    });
    assert_eq!(files(&place), FILES);
}

#[test]
fn a_running_library_does_not_write_to_a_newer_format() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    let database = rusqlite::Connection::open(place.file("db")).unwrap();
    database.execute_batch("PRAGMA user_version = 2; UPDATE token SET revision = revision + 1").unwrap();
    let newer = |why: &str| why.contains("format 2") && why.contains("format 1");
    for refused in [store.commit(vec![Change::Insert(row(2, 1, b""))]).map(drop), store.revision().map(drop)] {
        assert!(matches!(&refused, Err(Error::TokenNotRecognized(why)) if newer(why)), "{refused:?}");
    }
    let other = Place::new();
    let store = token(other.folder());
    store.revision().unwrap();
    let database = rusqlite::Connection::open(other.file("db")).unwrap();
    database.execute_batch("PRAGMA user_version = 2; UPDATE token SET revision = revision + 1").unwrap();
    let refused = store.revision().map(drop);
    assert!(matches!(&refused, Err(Error::TokenNotRecognized(why)) if newer(why)), "{refused:?}");
}

/// Before this it was removed without a lock, whatever the format of the file.
#[test]
fn copies_of_a_later_library_are_left_alone() {
    let place = Place::new();
    drop(token(place.folder()));
    let copies = [place.file("db-format.tmp"), copy_path(&place.file("db"), 0)];
    copies.iter().for_each(|copy| fs::write(copy, b"whole").unwrap());
    let library = || place.again().with_steps(STEPS);
    with_connection(&place.file("db"), |open| {
        open.connection.execute_batch("PRAGMA user_version = 2").unwrap();
        open.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    });
    assert!(library().open(0).is_err());
    assert!(copies.iter().all(|copy| copy.exists()), "of a newer format");
    fs::write(place.file("db"), b"no database").unwrap();
    assert!(library().open(0).is_err());
    assert!(copies.iter().all(|copy| copy.exists()), "of no format");
}

#[test]
fn a_later_library_that_upgrades_at_this_moment_keeps_its_copies() {
    let place = Place::new();
    drop(token(place.folder()));
    let copy = place.file("db-format.tmp");
    fs::write(&copy, b"in the making").unwrap();
    let library = place.again().with_steps(STEPS).patience(std::time::Duration::from_millis(50));
    let other = rusqlite::Connection::open(place.file("db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(library.open(0).is_err(), "it has the lock");
    assert!(copy.exists());
    other.execute_batch("ROLLBACK").unwrap();
    drop(library.open(0).unwrap());
    assert!(!copy.exists(), "what a killed upgrade has left");
}
