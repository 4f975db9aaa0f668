//! Several processes on one token, some of them killed.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::roles::{INCREMENTS, increment};
use super::support::{Place, assert_intact, plays, process, sql};
use crate::error::Error;
use crate::store::suite::{done, id, row, token};
use crate::store::{Change, Folder, ObjectId};

#[test]
fn acknowledged_rows_survive_sigkill() {
    let place = Place::new();
    let store = token(place.folder());
    let mut acknowledged = Vec::new();
    for round in 0..5 {
        let mut writer = process("commit until killed", &place.path()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(writer.stderr.take().unwrap()).lines();
        for line in lines.by_ref().take(10 + 7 * round) {
            acknowledged.push(line.unwrap());
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        acknowledged.extend(lines.map_while(Result::ok));
        // Whole or not at all: each commit is a pair.
        let found = store.list(None, usize::MAX).unwrap();
        assert_eq!(found.len() % 2, 0);
        assert_eq!(store.revision().unwrap() * 2, u64::try_from(found.len()).unwrap());
    }
    assert!(acknowledged.len() >= 10 + 17 + 24 + 31 + 38);
    let found: Vec<String> = store.list(None, usize::MAX).unwrap().iter().map(ObjectId::to_string).collect();
    for line in &acknowledged {
        assert!(found.contains(line), "{line} was acknowledged and is lost");
    }
    assert_intact(&place.file("db"));
}

#[test]
fn increments_of_several_processes_are_all_kept() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 0, b""))]);
    let mut others: Vec<_> = (0..3).map(|_| process("increment", &place.path()).spawn().unwrap()).collect();
    increment(&*store);
    assert!(others.iter_mut().all(|other| other.wait().unwrap().success()));
    assert_eq!(store.version(id(1)).unwrap(), Some(4 * INCREMENTS));
    assert_eq!(store.revision().unwrap(), 1 + 4 * INCREMENTS);
    assert_intact(&place.file("db"));
}

#[test]
fn one_process_of_several_creates_and_all_open() {
    let place = Place::new();
    let mut others: Vec<_> =
        (0..8).map(|_| process("create", &place.path()).stderr(Stdio::piped()).spawn().unwrap()).collect();
    assert!(others.iter_mut().all(|other| other.wait().unwrap().success()));
    let created = others.into_iter().map(|other| std::io::read_to_string(other.stderr.unwrap()).unwrap());
    assert_eq!(created.filter(|said| said.contains("created")).count(), 1);
    assert_eq!(place.folder().slots().unwrap(), [0]);
    assert_intact(&place.file("db"));
}

#[test]
fn a_file_size_limit_is_a_full_store_and_no_signal() {
    let place = Place::new();
    token(place.folder());
    assert!(plays("file size limit", &place.path()));
    let store = place.folder().open(0).unwrap();
    assert_eq!(store.version(id(200)).unwrap(), Some(1));
    assert_intact(&place.file("db"));
}

#[test]
fn no_descriptor_left_is_no_lost_token() {
    let place = Place::new();
    token(place.folder());
    assert!(plays("few descriptors", &place.path()));
    assert_intact(&place.file("db"));
}

#[test]
fn missing_rights_are_named() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.folder().create(0, b"token", b"").unwrap();
    let set_mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    place.path().ancestors().take(3).for_each(|folder| set_mode(folder, 0o755));
    set_mode(&place.file("db"), 0);
    assert!(plays("unreadable to another user", &place.path()));
    set_mode(&place.file("db"), 0o644);
    assert!(plays("read-only to another user", &place.path()));
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    for umask in ["umask 000", "umask 777"] {
        let place = Place::new();
        assert!(plays(umask, &place.path()));
    }
}

#[test]
fn a_child_of_raw_clone_is_refused_until_it_execs() {
    let place = Place::new();
    token(place.folder());
    assert!(plays("raw clone", &place.path()));
}

#[test]
fn descriptors_are_closed_on_exec_and_are_not_standard_streams() {
    let place = Place::new();
    assert!(plays("descriptors", &place.path()));
}

#[test]
fn a_held_lock_ends_in_an_error_within_the_bound() {
    let place = Place::new();
    let store = token(&place.again().patience(Duration::from_millis(300)));
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    let holder = Holder::start(&place);

    let begun = Instant::now();
    let error = store.commit(vec![Change::Insert(row(2, 1, b""))]).unwrap_err();
    assert!(begun.elapsed() >= Duration::from_millis(300) && begun.elapsed() < Duration::from_secs(5));
    let Error::DeviceError(reason) = &error else { panic!("{error:?}") };
    assert!(reason.contains("slot-00000000.db stayed locked for 0.3 s"), "{reason}");
    assert_eq!(store.list(None, 10).unwrap(), [id(1)]);
    assert_eq!(sql(&place.file("db"), "SELECT revision FROM token"), "1");

    // Killed with the lock held: the next writer needs nothing from it.
    drop(holder);
    done(&*store, vec![Change::Insert(row(2, 1, b""))]);
    assert_intact(&place.file("db"));
}

/// A process that holds the token's write lock until it is dropped.
pub struct Holder(std::process::Child);

impl Holder {
    pub fn start(place: &Place) -> Self {
        let mut command = process("hold the write lock", &place.path());
        let mut holder = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(holder.stderr.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "held\n");
        Self(holder)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
