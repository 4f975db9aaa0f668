//! Tokens that are removed: whole before, gone after, nothing of them left behind.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use super::super::SqliteFolder;
use super::super::survey::Survey;
use super::support::{Place, listing};
use crate::error::Error;
use crate::store::suite::{done, row, token};
use crate::store::{Change, Folder};

#[test]
fn nothing_is_left_of_a_removed_token() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b"sealed"))]);
    assert!(place.file("db-wal").exists() && place.file("db-shm").exists());
    // What an upgrade keeps until it has succeeded, and may leave behind where it has not.
    for copy in ["db-format--1", "db-format-0", "db-format-99", "db-format.tmp"] {
        fs::write(place.file(copy), b"sealed").unwrap();
    }
    assert_eq!(place.folder().remove(0, None), Ok(true));
    // Who still has it open makes no new file where it was.
    assert_eq!(store.commit(vec![Change::Insert(row(2, 1, b"late"))]), Err(Error::TokenRemoved));
    drop(store);
    assert_eq!(listing(&place.path()).into_keys().collect::<Vec<_>>(), ["folder.lock"]);
    // The number is kept where no file speaks of it.
    assert_eq!(place.again().next_slot(), Ok(1));
}

#[test]
fn what_a_killed_remover_left_is_removed_by_the_next_maker_or_remover() {
    for steps in 0..4 {
        for next_makes in [true, false] {
            let place = Place::new();
            assert!(place.folder().create(0, b"other", b"").unwrap());
            assert!(place.folder().create(1, b"removed", b"").unwrap());
            let file = |suffix: &str| place.path().join(format!("slot-00000001.{suffix}"));
            let written = vec![Change::Insert(row(1, 1, b"sealed"))];
            done(&*place.folder().open(1).unwrap(), written);
            // The moment, and then so many of the steps that follow it.
            fs::rename(file("db"), file("gone")).unwrap();
            for suffix in ["db-wal", "db-shm", "lock"].iter().take(steps) {
                fs::remove_file(file(suffix)).unwrap();
            }
            assert_eq!(place.folder().slots().unwrap(), [0], "there is no such token any more");
            assert_eq!(place.folder().next_slot().unwrap(), 2);
            if next_makes {
                assert!(!place.folder().create(1, b"again", b"").unwrap());
                assert!(place.folder().create(2, b"next", b"").unwrap());
            } else {
                assert_eq!(place.folder().remove(0, None), Ok(true));
            }
            assert!(listing(&place.path()).keys().all(|name| !name.starts_with("slot-00000001")), "after {steps}");
        }
    }
}

/// Somebody made them anew at the moment of the removal, or a maker was killed before its last step.
#[test]
fn what_belongs_to_no_token_is_removed_and_what_may_come_to_one_is_not() {
    let place = Place::new();
    for slot in 0..3 {
        assert!(place.folder().create(slot, b"", b"").unwrap());
    }
    let file = |slot: u32, suffix: &str| place.path().join(format!("slot-{slot:08x}.{suffix}"));
    fs::remove_file(file(1, "db")).unwrap();
    for (slot, suffix) in [(1, "db-wal"), (1, "db-shm"), (1, "db-journal"), (7, "lock"), (0, "db-wal")] {
        fs::write(file(slot, suffix), b"").unwrap();
    }
    assert_eq!(place.folder().remove(2, None), Ok(true));
    let left = listing(&place.path()).into_keys().collect::<Vec<_>>();
    let kept = ["folder.lock", "slot-00000000.db", "slot-00000000.db-wal", "slot-00000000.lock", "slot-00000007.lock"];
    assert_eq!(left, kept, "of 7 nobody has said that it was used");
    // Where the number is lost, traces are all that tells of it.
    fs::write(place.path().join("folder.lock"), b"").unwrap();
    assert!(place.folder().create(8, b"", b"").unwrap());
    assert!(file(7, "lock").exists());
    assert!(place.folder().create(9, b"", b"").unwrap());
    assert!(!file(7, "lock").exists());
}

#[test]
fn a_number_that_was_lost_is_set_aside_before_its_last_trace_goes() {
    let place = Place::new();
    assert!(place.folder().create(6, b"", b"").unwrap());
    fs::write(place.path().join("folder.lock"), b"").unwrap();
    assert_eq!(place.folder().remove(6, None), Ok(true));
    assert_eq!(place.folder().next_slot(), Ok(7));
}

#[test]
fn a_token_that_cannot_be_opened_is_removed_too_but_not_on_read_only_media() {
    let place = Place::new();
    assert!(place.folder().create(0, b"", b"").unwrap());
    fs::write(place.file("db"), b"damaged").unwrap();
    assert_eq!(place.again().read_only().remove(0, None), Err(Error::TokenWriteProtected));
    assert_eq!(place.folder().remove(0, None), Ok(true));
    assert_eq!(SqliteFolder::new("/nowhere".into()).remove(0, None), Ok(false));
}

/// A link could lead root to anybody's file; a folder may well be one.
#[test]
fn a_token_behind_a_link_is_refused_and_one_in_a_linked_folder_is_not() {
    let (place, other) = (Place::new(), Place::new());
    let store = token(place.folder());
    token(other.folder());
    let linked = place.path().parent().unwrap().join("linked");
    symlink(place.path(), &linked).unwrap();
    let folder = SqliteFolder::new(linked);
    done(&*folder.open(0).unwrap(), vec![Change::Insert(row(1, 1, b""))]);
    fs::remove_file(place.file("db")).unwrap();
    symlink(other.file("db"), place.file("db")).unwrap();
    let outcome = store.commit(vec![Change::Insert(row(2, 1, b""))]);
    assert!(matches!(&outcome, Err(Error::DeviceError(why)) if why.contains("not a file")), "{outcome:?}");
    let outcome = folder.open(0).map(drop);
    assert!(matches!(&outcome, Err(Error::TokenNotRecognized(why)) if why.contains("not a file")), "{outcome:?}");
}

/// Opening a FIFO waits until somebody opens its other end.
#[test]
fn a_fifo_in_the_place_of_a_file_holds_nobody_up() {
    let place = Place::new();
    let store = token(place.folder());
    let replaced = |file: &std::path::Path| {
        fs::remove_file(file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(file).status().unwrap().success());
    };
    replaced(&place.file("lock"));
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    replaced(&place.path().join("folder.lock"));
    for refused in [place.folder().next_slot().map(drop), place.folder().create(1, b"", b"").map(drop)] {
        assert!(matches!(&refused, Err(Error::DeviceError(why)) if why.contains("not a file")), "{refused:?}");
    }
    let survey = Survey::of(&place.path()).unwrap();
    assert!(!survey.is_locked() && survey.turns().next().is_none());
}

#[test]
fn files_of_a_group_are_the_groups_whatever_the_umask_says() {
    let place = Place::new();
    let folder = place.again().shared_with_group(true);
    assert!(folder.create(0, b"", b"").unwrap());
    let store = folder.open(0).unwrap();
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    fs::remove_file(place.file("lock")).unwrap();
    done(&*store, vec![Change::Insert(row(2, 1, b""))]);
    assert_eq!(mode(&place.path()), 0o2770);
    assert_eq!(mode(place.path().parent().unwrap()), 0o2750, "the group passes, and makes nothing there");
    let modes: Vec<_> = listing(&place.path()).into_iter().map(|(name, (_, mode, ..))| (name, mode)).collect();
    assert_eq!(modes.len(), 5, "{modes:?}");
    assert!(modes.iter().all(|(_, mode)| *mode == 0o660), "{modes:?}");
    // Said of new tokens: one that is there stays as it is.
    assert!(place.folder().create(1, b"", b"").unwrap());
    assert_eq!(mode(&place.path().join("slot-00000001.db")), 0o600);
}

/// nginx and Apache read their keys as root and use them as somebody else.
#[test]
fn what_root_makes_in_somebody_elses_folder_is_his() {
    const SOMEBODY: u32 = 65_534;
    let place = Place::new();
    fs::create_dir_all(place.path()).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o700)).unwrap();
    if chown(place.path(), Some(SOMEBODY), Some(SOMEBODY)).is_err() {
        // Only root can be tried.
        return;
    }
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    fs::remove_file(place.file("lock")).unwrap();
    done(&*store, vec![Change::Insert(row(2, 1, b""))]);
    for entry in fs::read_dir(place.path()).unwrap() {
        let entry = entry.unwrap();
        let about = entry.metadata().unwrap();
        let name = entry.file_name();
        assert_eq!((about.uid(), about.gid(), about.mode() & 0o777), (SOMEBODY, SOMEBODY, 0o600), "{name:?}");
    }
    assert!(place.file("db-wal").exists() && place.file("db-shm").exists() && place.file("lock").exists());
}

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}
