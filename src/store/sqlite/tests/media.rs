//! Media that cannot be written: reads go on, nothing on them changes.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use super::super::file_system::{self, Asked};
use super::files::checkpoint;
use super::support::{Place, listing, process};
use crate::error::Error;
use crate::store::suite::{done, id, row, token};
use crate::store::{Change, Folder, Store};

#[test]
fn modes_without_write_bits_mean_read_only_even_to_root() {
    for protected in [Path::new("."), Path::new("slot-00000000.db")] {
        for checkpointed in [false, true] {
            let place = Place::new();
            let store = token(place.folder());
            done(&*store, vec![Change::Insert(row(1, 1, b"kept"))]);
            drop(store);
            if checkpointed {
                checkpoint(&place);
            }
            let path = place.path().join(protected);
            let mode = if path.is_dir() { 0o555 } else { 0o400 };
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let before = listing(&place.path());

            let store = place.folder().open(0).unwrap();
            assert!(!store.writable());
            assert_eq!(store.read(id(1)).unwrap(), Some(row(1, 1, b"kept")));
            assert_eq!(store.revision().unwrap(), 1);
            assert_eq!(
                store.commit(vec![Change::Delete { id: id(1), expected: 1, tombstone: vec![] }]),
                Err(Error::TokenWriteProtected)
            );
            assert_eq!(store.commit(vec![]), Err(Error::TokenWriteProtected));
            drop(store);
            assert_eq!(listing(&place.path()), before);
            fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
        }
    }
}

#[test]
fn a_token_without_wal_is_read_from_media_without_making_one() {
    let place = Place::new();
    place.folder().create(0, b"as made", b"").unwrap();
    let before = listing(&place.path());
    let folder = place.again().read_only();
    let store = folder.open(0).unwrap();
    assert_eq!(store.token().unwrap().bytes, b"as made");
    assert_eq!(store.list(None, 10).unwrap(), []);
    drop(store);
    assert_eq!(listing(&place.path()), before);
    assert_eq!(folder.create(1, b"", b""), Err(Error::TokenWriteProtected));
}

#[test]
fn a_reader_without_rights_sees_what_a_writer_commits() {
    let place = Place::new();
    place.folder().create(0, b"", b"").unwrap();
    // A process of its own: within one, SQLite's connections share the mapped index of the WAL and its rights.
    let mut reader = process("read media", &place.path()).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut answers = BufReader::new(reader.stderr.take().unwrap()).lines();
    assert_eq!(answers.next().unwrap().unwrap(), "0 sees 0");
    let writer = place.folder().open(0).unwrap();
    // From a file without WAL, through one with a WAL in use, to one that was checkpointed, and on.
    for number in 1..=6 {
        done(&*writer, vec![Change::Insert(row(number, 1, &[number; 5000]))]);
        reader.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        assert_eq!(answers.next().unwrap().unwrap(), format!("{number} sees {number}"));
        if number % 2 == 0 {
            checkpoint(&place);
        }
    }
    drop(reader.stdin.take());
    assert!(reader.wait().unwrap().success());
}

/// The other process: at each line that comes in, says the revision and how many objects it reads.
pub fn read_media(store: &dyn Store) {
    let mut lines = std::io::stdin().lines();
    loop {
        let found = store.list(None, 10).unwrap();
        for id in &found {
            assert_eq!(store.read(*id).unwrap().unwrap().record, [id.0[0]; 5000]);
        }
        eprintln!("{} sees {}", store.revision().unwrap(), found.len());
        if lines.next().is_none() {
            return;
        }
    }
}

#[test]
fn the_wal_of_a_killed_writer_is_read_from_media() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b"in the WAL"))]);
    drop(store);
    // Nobody has the token open, and the WAL was never moved into the file: what a kill leaves.
    let store = place.again().read_only().open(0).unwrap();
    assert_eq!(store.read(id(1)).unwrap(), Some(row(1, 1, b"in the WAL")));
}

#[test]
fn a_wal_that_cannot_be_read_is_refused_with_the_remedy() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b"in the WAL"))]);
    drop(store);
    fs::remove_file(place.file("db-shm")).unwrap();
    let before = listing(&place.path());
    match place.again().read_only().open(0).map(|_| ()) {
        Err(Error::TokenNotRecognized(reason)) => {
            assert!(reason.contains("slot-00000000.db-wal holds changes; open the token once"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(listing(&place.path()), before);
    let store = place.folder().open(0).unwrap();
    assert_eq!(store.version(id(1)).unwrap(), Some(1));
}

/// By the numbers of `statfs`: shared ones are refused with path and name, local and unknown ones pass.
#[test]
fn a_shared_file_system_is_refused_by_name() {
    let place = Place::new();
    token(place.folder());
    let shared: [(&str, Asked); 6] = [
        ("NFS", |_| Some(0x6969)),
        ("CIFS", |_| Some(0xff53_4d42)),
        ("SMB2", |_| Some(0xfe53_4d42)),
        ("9p", |_| Some(0x0102_1997)),
        ("FUSE", |_| Some(0x6573_5546)),
        ("Ceph", |_| Some(0x00c3_6400)),
    ];
    for (name, asked) in shared {
        let folder = place.again().on(asked);
        let says = |error: &Error| {
            let said = error.to_string();
            assert!(said.contains(&format!(" lies on {name}: ")) && said.contains("tokens #1?%"), "{said}");
        };
        let unusable = folder.usable().unwrap_err();
        assert!(matches!(unusable, Error::DeviceError(_)));
        says(&unusable);
        let refused = folder.open(0).map(drop).unwrap_err();
        assert!(matches!(refused, Error::TokenNotRecognized(_)));
        says(&refused);
        says(&folder.create(1, b"", b"").unwrap_err());
        assert_eq!(folder.slots().unwrap(), [0], "it keeps its slot");
    }
    let local: [Asked; 6] = [
        |_| Some(0xef53),      // ext4
        |_| Some(0x5846_5342), // XFS
        |_| Some(0x9123_683e), // Btrfs
        |_| Some(0x794c_7630), // overlayfs
        |_| Some(0x0102_1994), // tmpfs
        |_| None,
    ];
    for asked in local {
        let folder = place.again().on(asked);
        folder.usable().unwrap();
        assert!(folder.open(0).unwrap().writable());
    }
}

/// What the system says of a path that does not exist yet is what it says of the folder above.
#[test]
fn the_file_system_is_asked_for_above_what_is_missing() {
    assert_eq!(file_system::of_system(Path::new("/proc/none/such")), Some(0x9fa0));
    let place = Place::new();
    assert!(file_system::of_system(&place.path()).is_some());
}
