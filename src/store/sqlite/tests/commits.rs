//! Threads that commit at once: one leads, each gets a verdict of its own.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::super::commits::{Commits, Outcome};
use super::super::patience::Patience;
use super::processes::Holder;
use super::support::{Place, assert_intact, commits_in_wal};
use crate::error::{Error, Result};
use crate::store::suite::{done, id, row, token};
use crate::store::{Change, Commit};

/// Eight threads wait for a lock that another process has. When they get it they share one transaction or two, and those
/// whose change does not hold spoil it for nobody.
#[test]
fn who_waits_together_is_committed_together_and_judged_alone() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(0xff, 1, b""))]);
    let before = commits_in_wal(&place);
    let holder = Holder::start(&place);
    let verdicts: Vec<Commit> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number: u8| {
                let store = &store;
                // Of the even ones all insert the same, and something else before.
                let rows = if number.is_multiple_of(2) { vec![number, 0x77] } else { vec![number] };
                let changes = rows.into_iter().map(|number| Change::Insert(row(number, 1, &[number; 100]))).collect();
                scope.spawn(move || store.commit(changes).unwrap())
            })
            .collect();
        std::thread::sleep(Duration::from_millis(100));
        drop(holder);
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(commits_in_wal(&place) - before <= 2, "{} transactions", commits_in_wal(&place) - before);
    let conflicts = verdicts.iter().filter(|verdict| **verdict == Commit::Conflict).count();
    assert_eq!(conflicts, 3, "{verdicts:?}");
    let mut revisions: Vec<u64> = verdicts
        .iter()
        .filter_map(|verdict| match verdict {
            Commit::Done { revision } => Some(*revision),
            Commit::Conflict => None,
        })
        .collect();
    revisions.sort_unstable();
    assert_eq!(revisions, [2, 3, 4, 5, 6], "each commit counts, and no conflict does");
    for (number, verdict) in (0..8).zip(verdicts) {
        let there = store.version(id(number)).unwrap().is_some();
        assert_eq!(there, verdict != Commit::Conflict, "{number}");
    }
    assert_eq!(store.revision().unwrap(), 6);
    assert_intact(&place.file("db"));
}

#[test]
fn a_transaction_of_conflicts_writes_nothing() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    let before = commits_in_wal(&place);
    let holder = Holder::start(&place);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                assert_eq!(store.commit(vec![Change::Insert(row(1, 1, b""))]).unwrap(), Commit::Conflict);
            });
        }
        std::thread::sleep(Duration::from_millis(50));
        drop(holder);
    });
    assert_eq!(commits_in_wal(&place), before);
    assert_eq!(store.revision().unwrap(), 1);
}

fn nothing() -> Vec<Change> {
    vec![Change::Clear]
}

fn patience(time: Duration) -> Patience<'static> {
    Patience::new("a file".as_ref(), time)
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_leader_that_panics_leaves_nobody_waiting() {
    let commits = Commits::default();
    let (leads, waits) = (Barrier::new(2), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let leader = scope.spawn(|| {
            let request = commits.bring(nothing());
            let Ok(Outcome::Lead(mut leader)) = commits.wait(&request, &patience(LONG)) else { panic!() };
            leads.wait();
            while leader.waiting() < 3 {
                std::thread::yield_now();
            }
            leader.take();
            // The default hook would print it.
            std::panic::resume_unwind(Box::new("on purpose"));
        });
        leads.wait();
        for _ in 0..2 {
            scope.spawn(|| {
                let request = commits.bring(nothing());
                match commits.wait(&request, &patience(LONG)).unwrap() {
                    Outcome::Told(Err(Error::DeviceError(_))) => waits.fetch_add(1, Ordering::SeqCst),
                    _ => panic!("nobody knows what became of it"),
                };
            });
        }
        assert!(leader.join().is_err());
    });
    assert_eq!(waits.into_inner(), 2);
    // The next one leads.
    let request = commits.bring(nothing());
    assert!(matches!(commits.wait(&request, &patience(LONG)), Ok(Outcome::Lead(_))));
}

#[test]
fn who_is_out_of_patience_is_not_committed_later() {
    let commits = Commits::default();
    let request = commits.bring(nothing());
    let Ok(Outcome::Lead(mut leader)) = commits.wait(&request, &patience(LONG)) else { panic!() };
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let gave_up = scope.spawn(|| {
            let request = commits.bring(nothing());
            commits.wait(&request, &patience(Duration::from_millis(100))).map(drop)
        });
        assert!(matches!(gave_up.join().unwrap(), Err(Error::DeviceError(_))));
    });
    assert!(begun.elapsed() >= Duration::from_millis(100));
    assert_eq!(leader.take().len(), 1, "the leader's own");
}

#[test]
fn of_several_that_fail_together_each_is_tried_alone() {
    let commits = Commits::default();
    let (own, other, third) = (commits.bring(nothing()), commits.bring(nothing()), commits.bring(nothing()));
    let full = || Error::DeviceMemory("full".into());
    {
        let Ok(Outcome::Lead(mut leader)) = commits.wait(&own, &patience(LONG)) else { panic!() };
        assert!(!leader.failed(&full()), "nobody was taken");
        assert_eq!(leader.take().len(), 3);
        assert!(leader.failed(&full()));
        assert_eq!(leader.own_verdict(), None);
        assert_eq!(leader.take().len(), 1);
        leader.tell(vec![Ok(Commit::Done { revision: 7 })]);
        assert_eq!(leader.own_verdict(), Some(Ok(Commit::Done { revision: 7 })));
    }
    {
        let Ok(Outcome::Lead(mut leader)) = commits.wait(&other, &patience(LONG)) else { panic!() };
        assert_eq!(leader.take().len(), 1);
        assert!(leader.failed(&full()));
    }
    assert!(matches!(commits.wait(&other, &patience(LONG)), Ok(Outcome::Told(Err(Error::DeviceMemory(_))))));

    // At the last step nobody knows what is on the disk: it is not tried again.
    let fourth = commits.bring(nothing());
    let Ok(Outcome::Lead(mut leader)) = commits.wait(&third, &patience(LONG)) else { panic!() };
    assert_eq!(leader.take().len(), 1, "the third of those that failed together");
    leader.give_back();
    assert_eq!(leader.take().len(), 2);
    leader.writes();
    assert!(leader.failed(&full()));
    drop(leader);
    let told: Vec<Result<Outcome<'_>>> = [third, fourth].iter().map(|one| commits.wait(one, &patience(LONG))).collect();
    assert!(told.iter().all(|told| matches!(told, Ok(Outcome::Told(Err(Error::DeviceMemory(_)))))));
}

#[test]
fn one_transaction_is_bounded() {
    let commits = Commits::default();
    let large = |bytes| vec![Change::Token { expected: 1, bytes: vec![0; bytes] }];
    let first = commits.bring(nothing());
    let requests: Vec<_> = (0..200).map(|_| commits.bring(nothing())).collect();
    let Ok(Outcome::Lead(mut leader)) = commits.wait(&first, &patience(LONG)) else { panic!() };
    assert_eq!(leader.take().len(), 64);
    leader.tell(vec![Ok(Commit::Conflict); 64]);
    drop(leader);
    drop(requests);
    let commits = Commits::default();
    let first = commits.bring(large(600_000));
    let requests: Vec<_> = (0..3).map(|_| commits.bring(large(600_000))).collect();
    let Ok(Outcome::Lead(mut leader)) = commits.wait(&first, &patience(LONG)) else { panic!() };
    assert_eq!(leader.take().len(), 2);
    leader.give_back();
    drop(requests);
}

/// As where an index is damaged: what is there twice cannot be changed once.
#[test]
fn rows_that_are_there_twice_are_damage_and_no_conflict() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b"one"))]);
    let raw = rusqlite::Connection::open(place.file("db")).unwrap();
    raw.execute_batch(
        "CREATE TABLE twice AS SELECT * FROM objects; DROP TABLE objects; ALTER TABLE twice RENAME TO objects;
         INSERT INTO objects SELECT * FROM objects;",
    )
    .unwrap();
    let outcome = store.commit(vec![Change::Delete { id: id(1), expected: 1, tombstone: vec![] }]);
    assert!(matches!(&outcome, Err(Error::DeviceError(why)) if why.contains("damaged")), "{outcome:?}");
    let outcome = store.commit(vec![Change::Update { expected: 1, row: row(1, 2, b"two") }]);
    assert!(matches!(&outcome, Err(Error::DeviceError(why)) if why.contains("damaged")), "{outcome:?}");
    let kept: i64 = raw.query_row("SELECT count(*) FROM objects", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 2);
}
