//! One suite for every engine, written against the traits: `every_engine!(folder)` makes a test of each promise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;

use super::{Change, Check, Commit, Folder, Item, ObjectId, Row, Store, TERMS, Term, TokenRow};
use crate::error::Error;

/// The tests of this file on a new, empty folder each; `$folder` makes one and may keep something alive beside it.
macro_rules! every_engine {
    ($folder:expr) => {
        $crate::store::suite::every_engine!($folder =>
            a_new_folder_is_empty_and_usable, a_created_token_is_listed_and_read, a_number_is_never_used_twice,
            two_racing_creates_have_one_winner, a_missing_token_is_not_recognized, a_removed_token_is_gone_for_everybody, a_token_is_removed_if_a_check_holds, an_object_is_read_as_written,
            an_update_replaces_everything, a_deleted_object_leaves_a_tombstone_and_nothing_else, a_tombstone_goes_with_its_token, a_tombstone_comes_without_its_object, ids_are_listed_in_pages,
            objects_are_found_by_term_in_pages, an_unknown_column_is_refused, a_batch_is_applied_in_order,
            a_conflict_leaves_nothing, the_token_row_is_changed_by_version, clear_removes_every_object,
            every_commit_counts_and_an_empty_one_does_not, changes_are_told_since_a_revision,
            two_openings_see_each_other, concurrent_increments_are_all_kept,
            a_batch_is_seen_whole_or_not_at_all, tombstones_are_listed_in_pages,
            steps_of_the_digest_follow_each_other, a_step_that_fails_undoes_its_commit_alone, a_check_sees_the_token_row_of_its_own_commit,
            concurrent_steps_are_all_kept, large_and_extreme_values_survive,
            a_snapshot_restores_the_same_token, a_snapshot_is_of_one_moment, a_snapshot_ends_with_the_first_error,
            a_failed_restore_leaves_no_token, numbers_can_be_set_aside
        );
    };
    ($folder:expr => $($test:ident),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                $crate::store::suite::$test(&$folder);
            }
        )*
    };
}
pub(super) use every_engine;

pub fn a_new_folder_is_empty_and_usable(folder: &dyn Folder) {
    folder.usable().unwrap();
    assert!(folder.slots().unwrap().is_empty());
    assert_eq!(folder.next_slot().unwrap(), 0);
    assert_eq!(folder.next_slot().unwrap(), 0);
}

pub fn a_created_token_is_listed_and_read(folder: &dyn Folder) {
    assert!(folder.create(0, b"first", b"").unwrap());
    assert!(folder.create(1, b"second", b"").unwrap());
    assert_eq!(folder.slots().unwrap(), [0, 1]);
    assert_eq!(folder.next_slot().unwrap(), 2);
    let store = folder.open(1).unwrap();
    let token = store.token().unwrap();
    assert_eq!((token.version, token.bytes.as_slice()), (1, &b"second"[..]));
    assert_eq!(store.revision().unwrap(), 0);
    assert!(store.writable());
    assert_eq!(store.list(None, 10).unwrap(), []);
    folder.usable().unwrap();
}

pub fn a_number_is_never_used_twice(folder: &dyn Folder) {
    assert!(folder.create(3, b"a", b"").unwrap());
    assert!(!folder.create(3, b"b", b"").unwrap());
    assert!(!folder.create(2, b"c", b"").unwrap());
    assert_eq!(folder.next_slot().unwrap(), 4);
    assert_eq!(folder.slots().unwrap(), [3]);
    assert_eq!(folder.open(3).unwrap().token().unwrap().bytes, b"a");
    assert!(matches!(folder.create(u32::MAX, b"d", b""), Err(Error::DeviceMemory(_))));
}

pub fn two_racing_creates_have_one_winner(folder: &dyn Folder) {
    for slot in 0..4 {
        let start = std::sync::Barrier::new(4);
        let create = |name: u8| {
            start.wait();
            folder.create(slot, &[name], b"").unwrap().then_some(name)
        };
        let winners: Vec<u8> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..4).map(|name| scope.spawn(move || create(name))).collect();
            racers.into_iter().filter_map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(winners.len(), 1);
        assert_eq!(folder.open(slot).unwrap().token().unwrap().bytes, winners);
    }
}

pub fn a_token_is_removed_if_a_check_holds(folder: &dyn Folder) {
    let store = token(folder);
    let is = |expected: &'static [u8]| -> Check {
        Arc::new(move |row| if row == expected { Ok(()) } else { Err(Error::PinIncorrect) })
    };
    done(&*store, vec![Change::Token { expected: 1, bytes: b"changed".into() }, Change::Insert(row(1, 1, b""))]);
    assert_eq!(folder.remove(0, Some(&is(b"token"))), Err(Error::PinIncorrect));
    assert_eq!((folder.slots().unwrap(), store.list(None, 9).unwrap()), (vec![0], vec![id(1)]));
    done(&*store, vec![Change::Insert(row(2, 1, b""))]);
    assert_eq!(folder.remove(0, Some(&is(b"changed"))), Ok(true));
    assert_eq!(folder.remove(0, Some(&is(b"changed"))), Ok(false));
    let late = store.commit(vec![Change::Insert(row(3, 1, b""))]);
    assert_eq!((folder.slots().unwrap(), late), (vec![], Err(Error::TokenRemoved)));
}

pub fn a_missing_token_is_not_recognized(folder: &dyn Folder) {
    assert!(matches!(folder.open(0), Err(Error::TokenNotRecognized(_))));
    assert!(folder.create(0, b"", b"").unwrap());
    assert!(matches!(folder.open(1), Err(Error::TokenNotRecognized(_))));
    assert_eq!(folder.slots().unwrap(), [0]);
}

pub fn a_removed_token_is_gone_for_everybody(folder: &dyn Folder) {
    assert_eq!(folder.remove(0, None), Ok(false));
    for (slot, name) in [(0, b"a"), (1, b"b"), (2, b"c")] {
        assert!(folder.create(slot, name, b"").unwrap());
    }
    assert_eq!((folder.owns(1), folder.owns(2)), (Ok(()), Ok(())));
    let (removed, kept) = (folder.open(2).unwrap(), folder.open(1).unwrap());
    done(&*removed, vec![Change::Insert(row(1, 1, b"lost"))]);
    assert_eq!(folder.remove(2, None), Ok(true));
    assert_eq!(folder.remove(2, None), Ok(false));
    assert_eq!(removed.commit(vec![Change::Insert(row(2, 1, b"late"))]), Err(Error::TokenRemoved));
    assert!(matches!(folder.open(2), Err(Error::TokenNotRecognized(_))));
    // The number is not used again, though nothing is left that speaks of it.
    assert_eq!((folder.slots().unwrap(), folder.next_slot().unwrap()), (vec![0, 1], 3));
    assert!(!folder.create(2, b"d", b"").unwrap());
    assert!(folder.create(3, b"d", b"").unwrap());
    assert_eq!(kept.token().unwrap().bytes, b"b");
    done(&*kept, vec![Change::Insert(row(1, 1, b"kept"))]);
    // Readers may look a moment later than writers.
    let begun = std::time::Instant::now();
    while removed.token().is_ok() {
        assert!(begun.elapsed().as_secs() < 30);
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(removed.read(id(1)), Err(Error::TokenRemoved));
}

pub fn an_object_is_read_as_written(folder: &dyn Folder) {
    let store = token(folder);
    let row = Row { terms: terms(&[(0, 7), (5, 9)]), ..row(1, 40, b"record") };
    assert_eq!(store.read(id(1)).unwrap(), None);
    assert_eq!(store.version(id(1)).unwrap(), None);
    done(&*store, vec![Change::Insert(row.clone())]);
    assert_eq!(store.read(id(1)).unwrap(), Some(row));
    assert_eq!(store.version(id(1)).unwrap(), Some(40));
    assert_eq!(store.read(id(2)).unwrap(), None);
}

pub fn an_update_replaces_everything(folder: &dyn Folder) {
    let store = token(folder);
    done(&*store, vec![Change::Insert(Row { terms: terms(&[(0, 1), (1, 2)]), ..row(1, 1, b"old") })]);
    let new = Row { terms: terms(&[(0, 3), (6, 4)]), ..row(1, 2, b"new and longer") };
    done(&*store, vec![Change::Update { expected: 1, row: new.clone() }]);
    assert_eq!(store.read(id(1)).unwrap(), Some(new));
    assert_eq!(store.find(0, &term(1), None, 10).unwrap(), []);
    assert_eq!(store.find(1, &term(2), None, 10).unwrap(), []);
    assert_eq!(store.find(0, &term(3), None, 10).unwrap(), [id(1)]);
    assert_eq!(store.find(6, &term(4), None, 10).unwrap(), [id(1)]);
}

pub fn a_deleted_object_leaves_a_tombstone_and_nothing_else(folder: &dyn Folder) {
    let store = token(folder);
    done(&*store, vec![Change::Insert(Row { terms: terms(&[(2, 1)]), ..row(1, 1, b"x") })]);
    done(&*store, vec![Change::Delete { id: id(1), expected: 1, tombstone: b"grave".into() }]);
    assert_eq!(store.read(id(1)).unwrap(), None);
    assert_eq!(store.find(2, &term(1), None, 10).unwrap(), []);
    assert_eq!(store.list(None, 10).unwrap(), []);
    assert_eq!(store.version(id(1)).unwrap(), None);
    assert_eq!(store.tombstone(id(1)).unwrap(), Some(row(1, 2, b"grave")));
    assert_eq!(store.tombstone(id(2)).unwrap(), None);
    assert_eq!(store.changed_since(1).unwrap(), [id(1)]);
    // Nobody gets its id, or comes back to life.
    for change in [
        Change::Insert(row(1, 5, b"again")),
        Change::Update { expected: 1, row: row(1, 2, b"x") },
        Change::Update { expected: 2, row: row(1, 3, b"x") },
        Change::Delete { id: id(1), expected: 2, tombstone: b"other".into() },
    ] {
        assert_eq!(store.commit(vec![change]).unwrap(), Commit::Conflict);
        assert_eq!(store.tombstone(id(1)).unwrap(), Some(row(1, 2, b"grave")));
    }
}

pub fn a_tombstone_goes_with_its_token(folder: &dyn Folder) {
    let store = token(folder);
    done(&*store, vec![Change::Insert(row(1, 1, b"x")), Change::Insert(row(2, 1, b"x"))]);
    done(&*store, vec![Change::Delete { id: id(1), expected: 1, tombstone: b"grave".into() }]);
    done(&*store, vec![Change::Clear]);
    assert_eq!(store.tombstone(id(1)).unwrap(), None);
    assert_eq!(store.tombstone(id(2)).unwrap(), None, "cleared and not destroyed");
    assert_eq!(store.changed_since(1).unwrap(), [1, 2].map(id));
    done(&*store, vec![Change::Insert(row(1, 1, b"another life"))]);
    assert_eq!(store.read(id(1)).unwrap(), Some(row(1, 1, b"another life")));
}

pub fn a_tombstone_comes_without_its_object(folder: &dyn Folder) {
    let store = token(folder);
    done(&*store, vec![Change::Insert(row(1, 1, b"x")), Change::Insert(row(2, 1, b"x"))]);
    done(&*store, vec![Change::Delete { id: id(1), expected: 1, tombstone: b"grave".into() }]);
    done(&*store, vec![Change::Bury(row(3, 7, b"other grave"))]);
    assert_eq!(store.tombstone(id(3)).unwrap(), Some(row(3, 7, b"other grave")));
    assert_eq!(store.tombstones(None, 10).unwrap(), [1, 3].map(id));
    assert_eq!(store.changed_since(2).unwrap(), [id(3)]);
    // Nobody comes to life behind it, and it takes no other's place.
    for number in 1..=3 {
        assert_eq!(store.commit(vec![Change::Bury(row(number, 9, b"late"))]).unwrap(), Commit::Conflict);
    }
    assert_eq!(store.commit(vec![Change::Insert(row(3, 9, b"x"))]).unwrap(), Commit::Conflict);
    assert_eq!(store.read(id(2)).unwrap(), Some(row(2, 1, b"x")));
    assert_eq!(store.tombstone(id(1)).unwrap(), Some(row(1, 2, b"grave")));
    done(&*store, vec![Change::Clear]);
    done(&*store, vec![Change::Bury(row(2, 9, b"new"))]);
    assert_eq!(store.tombstone(id(2)).unwrap(), Some(row(2, 9, b"new")));
}

pub fn ids_are_listed_in_pages(folder: &dyn Folder) {
    let store = token(folder);
    done(&*store, [5, 1, 4, 2, 3].map(|n| Change::Insert(row(n, 1, b""))).into());
    assert_eq!(store.list(None, 10).unwrap(), [1, 2, 3, 4, 5].map(id));
    assert_eq!(store.list(None, 2).unwrap(), [1, 2].map(id));
    assert_eq!(store.list(Some(id(2)), 2).unwrap(), [3, 4].map(id));
    assert_eq!(store.list(Some(id(4)), 2).unwrap(), [id(5)]);
    assert_eq!(store.list(Some(id(5)), 2).unwrap(), []);
    assert_eq!(store.list(None, 0).unwrap(), []);
    assert_eq!(store.list(None, usize::MAX).unwrap().len(), 5);
}

pub fn objects_are_found_by_term_in_pages(folder: &dyn Folder) {
    let store = token(folder);
    for column in 0..TERMS {
        let numbers = [5, 1, 4, 2, 3].map(|n| n + 10 * u8::try_from(column).unwrap());
        let insert = |n: u8| Change::Insert(Row { terms: terms(&[(column, 1 + n % 2)]), ..row(n, 1, b"") });
        done(&*store, numbers.map(insert).into());
        let base = 10 * u8::try_from(column).unwrap();
        assert_eq!(store.find(column, &term(2), None, 10).unwrap(), [1, 3, 5].map(|n| id(base + n)));
        assert_eq!(store.find(column, &term(1), None, 10).unwrap(), [2, 4].map(|n| id(base + n)));
        assert_eq!(store.find(column, &term(2), None, 2).unwrap(), [1, 3].map(|n| id(base + n)));
        assert_eq!(store.find(column, &term(2), Some(id(base + 3)), 2).unwrap(), [id(base + 5)]);
        assert_eq!(store.find(column, &term(3), None, 10).unwrap(), []);
    }
}

pub fn an_unknown_column_is_refused(folder: &dyn Folder) {
    assert!(matches!(token(folder).find(TERMS, &term(1), None, 1), Err(Error::GeneralError(_))));
}

pub fn a_batch_is_applied_in_order(folder: &dyn Folder) {
    let store = token(folder);
    let batch = vec![
        Change::Insert(row(1, 1, b"a")),
        Change::Update { expected: 1, row: row(1, 2, b"b") },
        Change::Insert(row(2, 1, b"c")),
        Change::Delete { id: id(2), expected: 1, tombstone: vec![] },
        Change::Token { expected: 1, bytes: b"t2".into() },
        Change::Token { expected: 2, bytes: b"t3".into() },
    ];
    assert_eq!(store.commit(batch).unwrap(), Commit::Done { revision: 1 });
    assert_eq!(store.read(id(1)).unwrap(), Some(row(1, 2, b"b")));
    assert_eq!(store.list(None, 10).unwrap(), [id(1)]);
    let token = store.token().unwrap();
    assert_eq!((token.version, token.bytes.as_slice()), (3, &b"t3"[..]));
}

pub fn a_conflict_leaves_nothing(folder: &dyn Folder) {
    let store = token(folder);
    done(&*store, vec![Change::Insert(row(1, 4, b"kept"))]);
    let conflicts = [
        Change::Insert(row(1, 9, b"x")),
        Change::Update { expected: 3, row: row(1, 9, b"x") },
        Change::Update { expected: 4, row: row(3, 9, b"x") },
        Change::Delete { id: id(1), expected: 5, tombstone: vec![] },
        Change::Delete { id: id(3), expected: 0, tombstone: vec![] },
        Change::Token { expected: 2, bytes: b"x".into() },
        Change::Token { expected: 0, bytes: b"x".into() },
    ];
    for conflict in conflicts {
        let before = [
            Change::Token { expected: 1, bytes: b"y".into() },
            Change::Update { expected: 4, row: row(1, 4, b"y") },
            Change::Insert(row(2, 1, b"y")),
        ];
        // The conflict comes last, after changes that would hold.
        let mut batch: Vec<_> = before.into();
        if matches!(conflict, Change::Token { .. }) {
            batch.remove(0);
        }
        batch.push(conflict);
        assert_eq!(store.commit(batch).unwrap(), Commit::Conflict);
        assert_eq!(store.read(id(1)).unwrap(), Some(row(1, 4, b"kept")));
        assert_eq!(store.list(None, 10).unwrap(), [id(1)]);
        assert_eq!(store.token().unwrap().version, 1);
        assert_eq!(store.revision().unwrap(), 1);
        assert_eq!(store.changed_since(1).unwrap(), []);
    }
}

pub fn the_token_row_is_changed_by_version(folder: &dyn Folder) {
    let store = token(folder);
    done(&*store, vec![Change::Token { expected: 1, bytes: b"two".into() }]);
    assert_eq!(store.token().unwrap().version, 2);
    assert_eq!(store.commit(vec![Change::Token { expected: 1, bytes: b"late".into() }]).unwrap(), Commit::Conflict);
    assert_eq!(store.token().unwrap().bytes, b"two");
    assert_eq!(store.changed_since(0).unwrap(), []);
}

pub fn clear_removes_every_object(folder: &dyn Folder) {
    let store = token(folder);
    done(&*store, (1..=3).map(|n| Change::Insert(Row { terms: terms(&[(0, 1)]), ..row(n, 1, b"") })).collect());
    let batch = vec![Change::Clear, Change::Insert(row(2, 8, b"new")), Change::Token { expected: 1, bytes: vec![] }];
    assert_eq!(store.commit(batch).unwrap(), Commit::Done { revision: 2 });
    assert_eq!(store.list(None, 10).unwrap(), [id(2)]);
    assert_eq!(store.find(0, &term(1), None, 10).unwrap(), []);
    assert_eq!(store.read(id(2)).unwrap(), Some(row(2, 8, b"new")));
    assert_eq!(store.changed_since(1).unwrap(), [1, 2, 3].map(id));
}

pub fn every_commit_counts_and_an_empty_one_does_not(folder: &dyn Folder) {
    let store = token(folder);
    assert_eq!(store.commit(vec![]).unwrap(), Commit::Done { revision: 0 });
    for n in 1..=5 {
        let revision = u64::from(n);
        assert_eq!(store.commit(vec![Change::Insert(row(n, 1, b""))]).unwrap(), Commit::Done { revision });
        assert_eq!(store.revision().unwrap(), revision);
        assert_eq!(store.revision().unwrap(), revision);
    }
    assert_eq!(store.commit(vec![]).unwrap(), Commit::Done { revision: 5 });
}

pub fn changes_are_told_since_a_revision(folder: &dyn Folder) {
    let store = token(folder);
    done(&*store, vec![Change::Insert(row(2, 1, b"")), Change::Insert(row(1, 1, b""))]);
    done(&*store, vec![Change::Update { expected: 1, row: row(1, 2, b"") }]);
    done(&*store, vec![Change::Delete { id: id(2), expected: 1, tombstone: vec![] }]);
    assert_eq!(store.changed_since(0).unwrap(), [1, 2].map(id));
    assert_eq!(store.changed_since(1).unwrap(), [1, 2].map(id));
    assert_eq!(store.changed_since(2).unwrap(), [id(2)]);
    assert_eq!(store.changed_since(3).unwrap(), []);
    assert_eq!(store.changed_since(u64::MAX).unwrap(), []);
}

pub fn two_openings_see_each_other(folder: &dyn Folder) {
    let one = token(folder);
    let other = folder.open(0).unwrap();
    assert_eq!(other.revision().unwrap(), 0);
    done(&*one, vec![Change::Insert(row(1, 1, b"one"))]);
    assert_eq!(other.revision().unwrap(), 1);
    assert_eq!(other.read(id(1)).unwrap(), Some(row(1, 1, b"one")));
    done(&*other, vec![Change::Update { expected: 1, row: row(1, 2, b"other") }]);
    assert_eq!(one.revision().unwrap(), 2);
    assert_eq!(one.read(id(1)).unwrap(), Some(row(1, 2, b"other")));
    drop(other);
    assert_eq!(one.version(id(1)).unwrap(), Some(2));
}

pub fn concurrent_increments_are_all_kept(folder: &dyn Folder) {
    const THREADS: u64 = 4;
    const TIMES: u64 = 25;
    let store = token(folder);
    done(&*store, vec![Change::Insert(row(1, 0, b""))]);
    let increment = || loop {
        let expected = store.version(id(1)).unwrap().unwrap();
        let change = Change::Update { expected, row: row(1, expected + 1, b"") };
        if matches!(store.commit(vec![change]).unwrap(), Commit::Done { .. }) {
            return;
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..TIMES).for_each(|_| increment()));
        }
    });
    assert_eq!(store.version(id(1)).unwrap(), Some(THREADS * TIMES));
    assert_eq!(store.revision().unwrap(), 1 + THREADS * TIMES);
}

pub fn a_batch_is_seen_whole_or_not_at_all(folder: &dyn Folder) {
    let store = token(folder);
    let writer = folder.open(0).unwrap();
    done(&*store, vec![Change::Insert(Row { terms: terms(&[(0, 1)]), ..row(1, 1, b"") })]);
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || {
            for n in 0..60 {
                // The term moves from one object to the next: exactly one object has it at any moment.
                let (from, to) = (1 + n, 2 + n);
                let gone = Change::Delete { id: id(from), expected: 1, tombstone: vec![] };
                let come = Change::Insert(Row { terms: terms(&[(0, 1)]), ..row(to, 1, b"") });
                done(&*writer, vec![gone, come]);
            }
        });
        while !writing.is_finished() {
            assert_eq!(store.find(0, &term(1), None, 10).unwrap().len(), 1);
            assert_eq!(store.list(None, 10).unwrap().len(), 1);
        }
        writing.join().unwrap();
    });
}

pub fn tombstones_are_listed_in_pages(folder: &dyn Folder) {
    let store = token(folder);
    done(&*store, (1..=6).map(|n| Change::Insert(row(n, 1, b""))).collect());
    let gone = |n| Change::Delete { id: id(n), expected: 1, tombstone: b"grave".into() };
    done(&*store, [5, 2, 3].map(gone).into());
    assert_eq!(store.tombstones(None, 10).unwrap(), [2, 3, 5].map(id));
    assert_eq!(store.tombstones(None, 2).unwrap(), [2, 3].map(id));
    assert_eq!(store.tombstones(Some(id(3)), 2).unwrap(), [id(5)]);
    assert_eq!(store.tombstones(Some(id(5)), 2).unwrap(), []);
    done(&*store, vec![Change::Clear]);
    assert_eq!(store.tombstones(None, 10).unwrap(), []);
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

pub fn steps_of_the_digest_follow_each_other(folder: &dyn Folder) {
    assert!(folder.create(0, b"token", b"0").unwrap());
    let store = folder.open(0).unwrap();
    assert_eq!(store.token().unwrap().digest, b"0");
    done(&*store, vec![append(b'1'), Change::Insert(row(1, 1, b"")), append(b'2')]);
    let token = store.token().unwrap();
    assert_eq!((token.version, token.bytes.as_slice(), token.digest.as_slice()), (1, &b"token"[..], &b"012"[..]));
    // What leaves it as it is, is a commit like any other.
    done(&*store, vec![Change::Digest(Arc::new(|now| Ok(now.to_vec())))]);
    assert_eq!((store.revision().unwrap(), store.token().unwrap().digest), (2, b"012".to_vec()));
    // Neither the token row's bytes nor the end of all objects has to do with it.
    done(&*store, vec![Change::Token { expected: 1, bytes: b"new".into() }, Change::Clear]);
    assert_eq!(store.token().unwrap().digest, b"012");
    assert_eq!(
        store.commit(vec![append(b'3'), Change::Insert(row(1, 1, b"")), Change::Insert(row(1, 1, b""))]),
        Ok(Commit::Conflict)
    );
    assert_eq!(store.token().unwrap().digest, b"012");
    assert_eq!(folder.open(0).unwrap().token().unwrap().digest, b"012");
}

pub fn a_check_sees_the_token_row_of_its_own_commit(folder: &dyn Folder) {
    let store = token(folder);
    let is = |expected: &'static [u8]| {
        Change::Check(Arc::new(move |row| if row == expected { Ok(()) } else { Err(Error::TokenReplaced) }))
    };
    let before: &[u8] = store.token().unwrap().bytes.leak();
    done(&*store, vec![is(before), Change::Insert(row(1, 1, b""))]);
    let version = store.token().unwrap().version;
    let other = store.commit(vec![Change::Insert(row(2, 1, b"")), append(b'1'), is(b"another")]);
    assert_eq!(other, Err(Error::TokenReplaced));
    done(&*store, vec![is(before), Change::Token { expected: version, bytes: b"another".into() }, is(b"another")]);
    let late = store.commit(vec![is(before), Change::Insert(row(2, 1, b""))]);
    assert_eq!(late, Err(Error::TokenReplaced));
    assert_eq!((store.list(None, 9).unwrap(), store.revision().unwrap()), (vec![id(1)], 2));
    assert_eq!((store.token().unwrap().version, store.token().unwrap().digest), (version + 1, vec![]));
}

pub fn a_step_that_fails_undoes_its_commit_alone(folder: &dyn Folder) {
    let store = token(folder);
    let failing = || Change::Digest(Arc::new(|_| Err(Error::HostMemory("of the step"))));
    let commit = |changes| store.commit(changes);
    assert_eq!(
        commit(vec![Change::Insert(row(1, 1, b"")), append(b'1'), failing()]),
        Err(Error::HostMemory("of the step"))
    );
    assert_eq!((store.list(None, 9).unwrap(), store.token().unwrap().digest), (vec![], vec![]));
    assert_eq!(store.revision().unwrap(), 0);
    // Among others that are served with it.
    std::thread::scope(|scope| {
        for n in 1..=40 {
            let (commit, failing) = (&commit, &failing);
            scope.spawn(move || {
                let mut changes = vec![Change::Insert(row(n, 1, b"")), append(n)];
                changes.extend((n % 4 == 0).then(failing));
                assert_eq!(commit(changes).is_err(), n % 4 == 0);
            });
        }
    });
    let mut digest = store.token().unwrap().digest;
    digest.sort_unstable();
    let kept: Vec<u8> = (1..=40).filter(|n| n % 4 != 0).collect();
    assert_eq!((&digest, store.list(None, 99).unwrap()), (&kept, kept.iter().map(|n| id(*n)).collect()));
}

pub fn concurrent_steps_are_all_kept(folder: &dyn Folder) {
    let (one, other) = (token(folder), folder.open(0).unwrap());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = if thread % 2 == 0 { &one } else { &other };
            scope.spawn(move || (0..25).for_each(|n| done(&**store, vec![append(25 * thread + n)])));
        }
    });
    let mut digest = one.token().unwrap().digest;
    digest.sort_unstable();
    assert_eq!(digest, (0..100).collect::<Vec<u8>>());
    assert_eq!(one.revision().unwrap(), 100, "no step was a conflict");
}

/// A digest that remembers its steps.
fn append(step: u8) -> Change {
    Change::Digest(Arc::new(move |now| Ok([now, &[step]].concat())))
}

pub fn large_and_extreme_values_survive(folder: &dyn Folder) {
    let store = token(folder);
    let large = Row { terms: [Some([0xff; 16]); TERMS], ..row(0xff, u64::MAX, &vec![0xa5; 300_000]) };
    let empty = Row { id: ObjectId([0; 16]), version: 0, terms: [Some([0; 16]); TERMS], record: vec![] };
    done(&*store, vec![Change::Insert(large.clone()), Change::Insert(empty.clone())]);
    assert_eq!(store.read(large.id).unwrap(), Some(large.clone()));
    assert_eq!(store.version(large.id).unwrap(), Some(u64::MAX));
    assert_eq!(store.read(empty.id).unwrap(), Some(empty.clone()));
    assert_eq!(store.list(None, 10).unwrap(), [empty.id, large.id]);
    assert_eq!(store.list(Some(empty.id), 10).unwrap(), [large.id]);
    done(&*store, vec![Change::Token { expected: 1, bytes: vec![7; 100_000] }]);
    assert_eq!(store.token().unwrap().bytes, vec![7; 100_000]);
    done(&*store, vec![Change::Delete { id: large.id, expected: u64::MAX, tombstone: vec![] }]);
    assert_eq!(store.list(None, 10).unwrap(), [empty.id]);
}

pub fn a_snapshot_restores_the_same_token(folder: &dyn Folder) {
    let store = token(folder);
    let full = Row { terms: [Some([0xff; 16]); TERMS], ..row(7, u64::MAX, &vec![0xa5; 300_000]) };
    done(&*store, vec![Change::Insert(full), Change::Insert(Row { terms: terms(&[(1, 4)]), ..row(3, 1, b"") })]);
    done(&*store, vec![Change::Insert(row(5, 8, b"x")), Change::Insert(row(1, 2, b"y"))]);
    done(&*store, vec![Change::Delete { id: id(5), expected: 8, tombstone: b"grave".into() }]);
    done(&*store, vec![Change::Token { expected: 1, bytes: vec![7; 100_000] }]);
    let shown = items(&*store);
    let ids: Vec<_> = shown.iter().map(item_id).collect();
    assert_eq!(ids, [None, Some(id(1)), Some(id(3)), Some(id(7)), Some(id(5))]);
    assert!(matches!(&shown[0], Item::Token { row: TokenRow { version: 2, .. }, revision: 4 }));
    assert!(matches!(&shown[1], Item::Object { revision: 2, .. }));
    assert!(matches!(&shown[4], Item::Tombstone { row: Row { version: 9, .. }, revision: 3 }));

    assert!(restore(folder, 4, &shown).unwrap());
    assert_eq!((folder.slots().unwrap(), folder.next_slot().unwrap()), (vec![0, 4], 5));
    let restored = folder.open(4).unwrap();
    assert_eq!(items(&*restored), shown);
    // It is used like any other.
    assert_eq!(restored.revision().unwrap(), 4);
    assert_eq!(restored.changed_since(2).unwrap(), [id(5)]);
    assert_eq!(restored.find(1, &term(4), None, 10).unwrap(), [id(3)]);
    assert_eq!(restored.tombstone(id(5)).unwrap(), store.tombstone(id(5)).unwrap());
    assert_eq!(restored.commit(vec![Change::Insert(row(5, 1, b"again"))]).unwrap(), Commit::Conflict);
    let change = Change::Update { expected: u64::MAX, row: row(7, 0, b"new") };
    assert_eq!(restored.commit(vec![change]).unwrap(), Commit::Done { revision: 5 });
    assert_eq!(items(&*store), shown, "the first token is another one");

    // What an initialisation has cleared is not shown.
    done(&*store, vec![Change::Clear, Change::Insert(row(5, 1, b"another life"))]);
    assert_eq!(items(&*store).iter().map(item_id).collect::<Vec<_>>(), [None, Some(id(5))]);
}

pub fn a_snapshot_is_of_one_moment(folder: &dyn Folder) {
    let store = token(folder);
    let moved = |from: u8, to| {
        let gone = Change::Delete { id: id(from), expected: 1, tombstone: vec![] };
        vec![gone, Change::Insert(row(to, 1, b"")), Change::Token { expected: from.into(), bytes: vec![to] }]
    };
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    let writer = folder.open(0).unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || (1..60).for_each(|from| done(&*writer, moved(from, from + 1))));
        while !writing.is_finished() {
            let shown = items(&*store);
            let Item::Token { row: token, revision } = &shown[0] else { panic!("the token row comes first") };
            // The one object, what was there before it, the token row and the revision tell the same moment.
            let objects: Vec<_> = shown.iter().filter(|item| matches!(item, Item::Object { .. })).collect();
            assert_eq!(objects.len(), 1);
            assert_eq!(item_id(objects[0]), Some(id(u8::try_from(*revision).unwrap())));
            assert_eq!((shown.len() as u64, token.version), (*revision + 1, *revision));
        }
        writing.join().unwrap();
    });
    // And a commit while it is being shown waits for nobody.
    let (mut seen, mut written, other) = (vec![], false, folder.open(0).unwrap());
    store
        .snapshot(&mut |item| {
            if !std::mem::replace(&mut written, true) {
                std::thread::scope(|scope| scope.spawn(|| done(&*other, moved(60, 61))).join().unwrap());
            }
            seen.push(item);
            Ok(())
        })
        .unwrap();
    assert_eq!(seen.iter().filter(|item| item_id(item) == Some(id(60))).count(), 1);
    assert_eq!(seen.iter().filter(|item| item_id(item) == Some(id(61))).count(), 0);
    assert_eq!(store.read(id(61)).unwrap(), Some(row(61, 1, b"")));
}

pub fn a_snapshot_ends_with_the_first_error(folder: &dyn Folder) {
    let store = token(folder);
    done(&*store, vec![Change::Insert(row(1, 1, b"")), Change::Insert(row(2, 1, b""))]);
    done(&*store, vec![Change::Delete { id: id(1), expected: 1, tombstone: vec![] }]);
    for stop in 1..=3 {
        let mut seen = 0;
        let shown = store.snapshot(&mut |_| {
            seen += 1;
            if seen == stop { Err(Error::HostMemory("the test")) } else { Ok(()) }
        });
        assert_eq!((shown, seen), (Err(Error::HostMemory("the test")), stop));
    }
    assert_eq!(items(&*store).len(), 3);
}

pub fn a_failed_restore_leaves_no_token(folder: &dyn Folder) {
    let first =
        Item::Token { row: TokenRow { version: 3, bytes: b"token".into(), digest: b"digest".into() }, revision: 9 };
    let object = |number| Item::Object { row: row(number, 1, b""), revision: 1 };
    let tombstone = |number| Item::Tombstone { row: row(number, 1, b""), revision: 1 };
    for wrong in [
        vec![],
        vec![object(1)],
        vec![first.clone(), object(1), first.clone()],
        vec![first.clone(), object(1), object(1)],
        vec![first.clone(), object(1), tombstone(1)],
        vec![first.clone(), tombstone(1), object(1)],
        vec![first.clone(), tombstone(1), tombstone(1)],
    ] {
        assert!(matches!(restore(folder, 2, &wrong), Err(Error::DeviceError(_))), "{wrong:?}");
        assert_eq!((folder.slots().unwrap(), folder.next_slot().unwrap()), (vec![], 0));
    }
    let mut left = vec![object(1), first.clone()];
    let broken = folder.restore(2, &mut || left.pop().map(Some).ok_or(Error::HostMemory("the test")));
    assert_eq!(broken, Err(Error::HostMemory("the test")));
    assert_eq!((folder.slots().unwrap(), folder.next_slot().unwrap()), (vec![], 0));
    assert!(restore(folder, 2, &[first.clone(), object(1), tombstone(2)]).unwrap());
    let unasked = folder.restore(1, &mut || panic!("a number that has been used"));
    assert_eq!(unasked, Ok(false));
    assert_eq!(folder.slots().unwrap(), [2]);
}

pub fn numbers_can_be_set_aside(folder: &dyn Folder) {
    folder.set_aside(0).unwrap();
    assert_eq!(folder.next_slot().unwrap(), 0);
    folder.set_aside(5).unwrap();
    folder.set_aside(3).unwrap();
    assert_eq!((folder.next_slot().unwrap(), folder.slots().unwrap()), (5, vec![]));
    assert_eq!(folder.create(4, b"", b""), Ok(false));
    assert_eq!(folder.create(5, b"", b""), Ok(true));
    assert_eq!(folder.next_slot().unwrap(), 6);
}

/// All that a snapshot shows.
pub fn items(store: &dyn Store) -> Vec<Item> {
    let mut items = vec![];
    let mut keep = |item| {
        items.push(item);
        Ok(())
    };
    store.snapshot(&mut keep).unwrap();
    items
}

fn item_id(item: &Item) -> Option<ObjectId> {
    match item {
        Item::Token { .. } => None,
        Item::Object { row, .. } | Item::Tombstone { row, .. } => Some(row.id),
    }
}

fn restore(folder: &dyn Folder, slot: u32, items: &[Item]) -> Result<bool, Error> {
    let mut left = items.iter().cloned();
    folder.restore(slot, &mut || Ok(left.next()))
}

/// A new token in slot 0 of the folder.
pub fn token(folder: &dyn Folder) -> Arc<dyn Store> {
    assert!(folder.create(0, b"token", b"").unwrap());
    folder.open(0).unwrap()
}

/// Commits what must not conflict.
pub fn done(store: &dyn Store, changes: Vec<Change>) {
    assert!(matches!(store.commit(changes).unwrap(), Commit::Done { .. }));
}

pub fn id(number: u8) -> ObjectId {
    ObjectId([number; 16])
}

pub fn term(number: u8) -> Term {
    [number; 16]
}

pub fn terms(held: &[(usize, u8)]) -> super::Terms {
    let mut terms = [None; TERMS];
    held.iter().for_each(|(column, number)| terms[*column] = Some(term(*number)));
    terms
}

pub fn row(number: u8, version: u64, record: &[u8]) -> Row {
    Row { id: id(number), version, terms: [None; TERMS], record: record.into() }
}
