//! A commit is seen by the next call, whoever makes it and however he ends; and nothing is asked while there is none.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::super::gate::Visit;
use super::super::patience::PATIENCE;
use super::super::token::SqliteToken;
use super::support::{Birth, Place, assert_intact, child, plays, process, sql};
use crate::store::suite::{done, id, row, token};
use crate::store::{Change, Store};

fn opened(place: &Place) -> SqliteToken {
    SqliteToken::open(place.file("db"), true, PATIENCE, None).unwrap()
}

/// Asks, and then finds the answer without asking; the clock may strike in between.
fn is_known(store: &SqliteToken) -> bool {
    (0..20).any(|_| Some(store.revision().unwrap()) == store.notice.revision())
}

fn truth(place: &Place) -> u64 {
    sql(&place.file("db"), "SELECT revision FROM token").parse().unwrap()
}

#[test]
fn a_commit_is_seen_whoever_makes_it() {
    let place = Place::new();
    let other = token(place.folder());
    let store = opened(&place);
    let path = place.file("db");
    let commits: [&dyn Fn(); 6] = [
        &|| done(&store, vec![Change::Insert(row(2, 1, b""))]),
        &|| done(&*other, vec![Change::Insert(row(3, 1, b""))]),
        &|| assert!(plays("try to write", &place.path())),
        // A program that knows nothing of us.
        &|| assert_eq!(sql(&path, "UPDATE token SET revision = revision + 1 RETURNING 'done'"), "done"),
        &|| assert!(child(Birth::Fork, || done(&*other, vec![Change::Insert(row(4, 1, b""))]))),
        &|| assert!(child(Birth::Fork, || done(&store, vec![Change::Insert(row(5, 1, b""))]))),
    ];
    for (number, commit) in (1..).zip(commits) {
        assert!(is_known(&store), "before commit {number}");
        commit();
        assert_eq!(store.notice.revision(), None, "after commit {number}");
        assert_eq!(store.revision().unwrap(), number);
    }
    assert!(is_known(&store));
}

#[test]
fn the_files_are_looked_at_ten_times_a_second() {
    let place = Place::new();
    token(place.folder());
    let store = opened(&place);
    assert!(is_known(&store));
    std::thread::sleep(Duration::from_millis(120));
    assert_eq!(store.notice.revision(), None);
    assert!(is_known(&store));
}

#[test]
fn nothing_is_known_while_no_connection_is_open() {
    let place = Place::new();
    let other = token(place.folder());
    let store = opened(&place);
    drop(other);
    for removed in [false, true] {
        assert!(is_known(&store));
        let before = truth(&place);
        assert!(child(Birth::Fork, || ()));
        assert_eq!(store.notice.header(), None, "all connections are closed by now");
        if removed {
            // What the last one to close does unless it is told otherwise: a new index begins, with a header of its own.
            let visit = Visit::enter().unwrap();
            visit.pool(0, &store.notice);
            let connection = rusqlite::Connection::open(place.file("db")).unwrap();
            connection.query_row("SELECT revision FROM token", [], |_| Ok(())).unwrap();
            connection.close().unwrap();
            assert!(!place.file("db-shm").exists());
        }
        assert!(plays("increment once", &place.path()));
        assert_eq!(store.revision().unwrap(), before + 1);
    }
    assert!(is_known(&store));
    assert_intact(&place.file("db"));
}

#[test]
fn a_checkpoint_hides_no_commit() {
    let place = Place::new();
    token(place.folder());
    let store = opened(&place);
    for number in 1..10 {
        assert!(is_known(&store));
        assert_eq!(sql(&place.file("db"), "PRAGMA wal_checkpoint(TRUNCATE)"), "0");
        assert_eq!(store.revision().unwrap(), number - 1);
        assert!(is_known(&store));
        assert!(plays("increment once", &place.path()));
        assert_eq!(store.revision().unwrap(), number);
    }
}

/// Two processes commit, and tell the revision of each commit after it. Whoever asks after having heard knows of it.
#[test]
fn no_commit_of_another_process_is_missed() {
    let place = Place::new();
    token(place.folder());
    let store = opened(&place);
    let busy = AtomicBool::new(true);
    std::thread::scope(|scope| {
        // Others ask all the time, so that answers are remembered while commits happen.
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = 0;
                while busy.load(Ordering::Relaxed) {
                    let revision = store.revision().unwrap();
                    assert!(revision >= last, "{revision} after {last}");
                    last = revision;
                }
            });
        }
        let listen = || {
            let mut writer = process("tell each revision", &place.path()).stderr(Stdio::piped()).spawn().unwrap();
            let lines = BufReader::new(writer.stderr.take().unwrap()).lines();
            let told: Vec<(u64, u64)> =
                lines.map(|line| (line.unwrap().parse().unwrap(), store.revision().unwrap())).collect();
            assert!(writer.wait().unwrap().success());
            told
        };
        let listeners = [scope.spawn(listen), scope.spawn(listen)];
        let told = listeners.map(|listener| listener.join());
        busy.store(false, Ordering::Relaxed);
        for (told, asked) in told.into_iter().flat_map(Result::unwrap) {
            assert!(asked >= told, "heard of {told}, and was told {asked}");
        }
    });
    assert_eq!(store.revision().unwrap(), 2 * super::roles::TOLD);
    assert_eq!(truth(&place), 2 * super::roles::TOLD);
}

#[test]
fn a_writer_killed_in_a_commit_leaves_the_truth() {
    let place = Place::new();
    token(place.folder());
    let store = opened(&place);
    for round in 0..15 {
        let mut writer = process("commit until killed", &place.path()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(writer.stderr.take().unwrap()).lines();
        lines.next().unwrap().unwrap();
        let until = Instant::now() + Duration::from_micros(900 * round);
        while Instant::now() < until {
            store.revision().unwrap();
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        // A commit of which nobody was told shows when somebody repairs the index that the writer left half-written.
        let before = store.revision().unwrap();
        let revision = truth(&place);
        assert!(revision == before || revision == before + 1, "round {round}: {before}, then {revision}");
        assert_eq!(store.revision().unwrap(), revision, "round {round}");
        done(&store, vec![Change::Insert(row(u8::try_from(round).unwrap(), 1, b""))]);
        assert_eq!(store.revision().unwrap(), revision + 1);
        assert!(is_known(&store));
    }
}

#[test]
fn a_child_of_raw_clone_knows_nothing() {
    let place = Place::new();
    token(place.folder());
    assert!(plays("notice in a raw clone", &place.path()));
}

pub fn in_a_raw_clone(path: std::path::PathBuf) {
    let store = SqliteToken::open(path, true, PATIENCE, None).unwrap();
    assert!(is_known(&store));
    assert!(child(Birth::RawClone, || {
        assert_eq!(store.notice.revision(), None);
        assert!(store.revision().is_err());
    }));
    assert_eq!(store.version(id(1)).unwrap(), None);
    assert!(is_known(&store));
}
