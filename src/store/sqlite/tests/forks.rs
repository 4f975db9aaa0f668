//! Forks of a process that has tokens open.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::super::connection::{self, Purpose};
use super::super::gate::Visit;
use super::processes::Holder;
use super::support::{Birth, Place, assert_intact, child};
use crate::error::Error;
use crate::store::suite::{done, id, row, token};
use crate::store::{Change, Folder, ObjectId, Row};

#[test]
fn a_forked_child_has_the_store_and_leaves_the_parent_alone() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    let inherited = store.clone();
    assert!(child(Birth::Fork, || {
        // The inherited value opens a connection of the child's own, and so does a new one.
        assert_eq!(inherited.version(id(1)).unwrap(), Some(1));
        done(&*inherited, vec![Change::Insert(row(2, 1, b""))]);
        drop(inherited);
        let own = place.folder().open(0).unwrap();
        done(&*own, vec![Change::Insert(row(3, 1, b""))]);
        assert_eq!(own.revision().unwrap(), 3);
        assert!(child(Birth::Fork, || done(&*own, vec![Change::Insert(row(4, 1, b""))])));
        drop(store.clone());
    }));
    assert_eq!(store.revision().unwrap(), 4);
    done(&*store, vec![Change::Insert(row(5, 1, b""))]);
    assert_eq!(store.list(None, 10).unwrap(), [1, 2, 3, 4, 5].map(id));
    assert_intact(&place.file("db"));
}

#[test]
fn forks_under_load_lose_nothing_and_hang_nobody() {
    const FORKS: u8 = 40;
    let place = Place::new();
    let store = token(place.folder());
    let (busy, commits) = (AtomicBool::new(true), AtomicU64::new(0));
    let insert = |who: u8, number: u64| {
        let mut name = [who; 16];
        name[..8].copy_from_slice(&number.to_be_bytes());
        done(&*store, vec![Change::Insert(Row { id: ObjectId(name), ..row(0, 1, &[who; 300]) })]);
    };
    std::thread::scope(|scope| {
        for who in 0..2 {
            let (insert, busy, commits) = (&insert, &busy, &commits);
            scope.spawn(move || {
                for number in (0..).take_while(|_| busy.load(Ordering::Relaxed)) {
                    insert(who, number);
                    commits.fetch_add(1, Ordering::Relaxed);
                }
            });
            scope.spawn(|| {
                while busy.load(Ordering::Relaxed) {
                    store.list(None, 50).unwrap();
                    store.revision().unwrap();
                    place.folder().open(0).unwrap().token().unwrap();
                }
            });
        }
        for fork in 0..FORKS {
            let done = child(Birth::Fork, || (0..3).for_each(|number| insert(100 + fork, number)));
            // Before any assertion: the other threads look at this.
            if !done || fork + 1 == FORKS {
                busy.store(false, Ordering::Relaxed);
            }
            assert!(done, "fork {fork}");
        }
    });
    let expected = commits.load(Ordering::Relaxed) + 3 * u64::from(FORKS);
    assert_eq!(u64::try_from(store.list(None, usize::MAX).unwrap().len()).unwrap(), expected);
    assert_eq!(store.revision().unwrap(), expected);
    assert_intact(&place.file("db"));
}

#[test]
fn fork_does_not_wait_for_a_lock_that_others_hold() {
    let place = Place::new();
    let store = token(&place.again().patience(Duration::from_secs(3)));
    let _holder = Holder::start(&place);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| store.commit(vec![Change::Insert(row(1, 1, b""))]));
        std::thread::sleep(Duration::from_millis(50));
        for _ in 0..5 {
            let begun = Instant::now();
            assert!(child(Birth::Fork, || ()));
            // 100 ms are asked for; the machine may be busy.
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        }
        assert!(!waiting.is_finished());
        assert!(matches!(waiting.join().unwrap(), Err(Error::DeviceError(_))));
    });
}

#[test]
fn a_fork_inside_a_call_does_not_hang_and_its_child_is_refused() {
    let place = Place::new();
    let store = token(place.folder());
    {
        // As a signal handler that interrupts a call and forks.
        let visit = Visit::enter().unwrap();
        let _open = connection::open(&visit, &place.file("db"), Purpose::Read).unwrap();
        assert!(child(Birth::Fork, || {
            assert!(matches!(store.token(), Err(Error::DeviceError(_))));
            assert!(matches!(Visit::enter().err(), Some(Error::DeviceError(_))));
        }));
    }
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    assert!(child(Birth::Fork, || done(&*store, vec![Change::Insert(row(2, 1, b""))])));
    assert_eq!(store.list(None, 10).unwrap(), [1, 2].map(id));
}

#[test]
fn no_descriptor_of_a_token_is_inherited() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    let held = || {
        let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        descriptors
            .filter(|entry| std::fs::read_link(entry.path()).is_ok_and(|to| to.starts_with(place.path())))
            .count()
    };
    assert!(child(Birth::Fork, || assert_eq!(held(), 0)));
    store.token().unwrap();
    // Another test's fork may close them again at any moment.
    assert!((0..100).any(|_| store.token().is_ok() && held() > 0));
}
