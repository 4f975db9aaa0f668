//! Whole tokens, out of files and into them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::files::checkpoint;
use super::support::{Place, assert_intact, listing, sql};
use crate::error::{Error, Result};
use crate::store::suite::{done, id, items, row, token};
use crate::store::{Change, Folder, Item, ObjectId, Row, TokenRow};

#[test]
fn a_token_of_many_rows_is_restored_whole() {
    let place = Place::new();
    let many = 10_000_u32;
    let mut number = 0;
    let mut next = || -> Result<Option<Item>> {
        number += 1;
        Ok(match number {
            1 => Some(token_row()),
            _ if number > many => None,
            _ => Some(Item::Object { row: numbered(number), revision: 3 }),
        })
    };
    assert!(place.folder().restore(0, &mut next).unwrap());
    let files: Vec<String> = listing(&place.path()).into_keys().collect();
    assert_eq!(files, ["folder.lock", "slot-00000000.db", "slot-00000000.lock"]);
    assert_intact(&place.file("db"));
    let shown = items(&*place.folder().open(0).unwrap());
    assert_eq!(shown.len(), many as usize);
    assert_eq!(shown.last(), Some(&Item::Object { row: numbered(many), revision: 3 }));
}

#[test]
fn a_restore_that_fails_late_leaves_no_file_and_no_number() {
    let place = Place::new();
    place.folder().create(0, b"", b"").unwrap();
    let names = || listing(&place.path()).into_keys().collect::<Vec<_>>();
    let before = names();
    let mut number = 0;
    let mut fails = || {
        number += 1;
        match number {
            1 => Ok(Some(token_row())),
            // After a transaction or two, with a log beside the file.
            9_000 => Err(Error::HostMemory("the test")),
            _ => Ok(Some(Item::Object { row: numbered(number), revision: 1 })),
        }
    };
    assert_eq!(place.folder().restore(7, &mut fails), Err(Error::HostMemory("the test")));
    assert_eq!(names(), before);
    assert_eq!(place.folder().next_slot().unwrap(), 1);
    assert!(place.folder().create(1, b"", b"").unwrap());
}

#[test]
fn a_restored_token_is_another_file() {
    let place = Place::new();
    let shown = items(&*token(place.folder()));
    let mut again = shown.clone().into_iter();
    assert!(place.folder().restore(1, &mut || Ok(again.next())).unwrap());
    assert_eq!(items(&*place.folder().open(1).unwrap()), shown);
    let number = |slot| sql(&place.path().join(format!("slot-0000000{slot}.db")), "SELECT hex(file) FROM token");
    assert_ne!(number(0), number(1));
}

#[test]
fn a_restored_token_has_the_tables_and_indexes_of_any_other() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b"x"))]);
    let mut again = items(&*store).into_iter();
    assert!(place.folder().restore(1, &mut || Ok(again.next())).unwrap());
    let schema = |slot| {
        let all = "SELECT group_concat(type || name || coalesce(sql, '-'), ';' ORDER BY name) FROM sqlite_schema";
        sql(&place.path().join(format!("slot-0000000{slot}.db")), all)
    };
    assert!(schema(0).contains("objects_term0"));
    assert_eq!(schema(0), schema(1));
}

#[test]
fn a_token_on_media_is_shown_and_nothing_is_made_there() {
    for checkpointed in [true, false] {
        let place = Place::new();
        let store = token(place.folder());
        done(&*store, vec![Change::Insert(row(1, 1, b"kept"))]);
        let expected = items(&*store);
        drop(store);
        if checkpointed {
            checkpoint(&place);
        }
        fs::set_permissions(place.path(), Permissions::from_mode(0o555)).unwrap();
        let before = listing(&place.path());
        assert_eq!(items(&*place.again().open(0).unwrap()), expected);
        assert_eq!(listing(&place.path()), before);
        assert_eq!(place.again().read_only().set_aside(9), Err(Error::TokenWriteProtected));
    }
}

/// What has been shown cannot be shown once more.
#[test]
fn media_that_changes_under_a_snapshot_is_an_error() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b"old"))]);
    checkpoint(&place);
    let media = place.again().read_only().open(0).unwrap();
    let mut seen = 0;
    let shown = media.snapshot(&mut |_| {
        seen += 1;
        let change = Change::Insert(row(1 + seen, 1, b"new"));
        std::thread::scope(|scope| scope.spawn(|| done(&*store, vec![change])).join().unwrap());
        Ok(())
    });
    let Err(Error::DeviceError(reason)) = shown else { panic!("{shown:?}") };
    assert!(reason.contains("changed while it was read"), "{reason}");
    assert_eq!(seen, 2);
    assert_eq!(store.list(None, 9).unwrap(), [1, 2, 3].map(id));
}

fn token_row() -> Item {
    Item::Token { row: TokenRow { version: 2, bytes: b"token".into(), digest: b"digest".into() }, revision: 9 }
}

fn numbered(number: u32) -> Row {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    Row { id: ObjectId(id), ..row(0, number.into(), &[7; 100]) }
}
