//! Several processes on one token, some of them killed.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::super::SqliteFolder;
use super::support::{Birth, Place, assert_intact, child, plays, process, sql, with_connection};
use crate::error::Error;
use crate::store::suite::{done, id, row, terms, token};
use crate::store::{Change, Commit, Folder, ObjectId, Row, Store};

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
#[ignore = "the process that other tests start"]
fn another_process() {
    let folder = SqliteFolder::new(PathBuf::from(std::env::var_os("KEYSTEAD_TEST_FOLDER").unwrap()));
    let path = PathBuf::from(std::env::var_os("KEYSTEAD_TEST_FOLDER").unwrap());
    match std::env::var("KEYSTEAD_TEST_ROLE").unwrap().as_str() {
        "commit until killed" => commit_until_killed(&*folder.open(0).unwrap()),
        "increment" => increment(&*folder.open(0).unwrap()),
        "create" => {
            if folder.create(0, b"token").unwrap() {
                eprintln!("created");
            }
            assert_eq!(folder.open(0).unwrap().token().unwrap().bytes, b"token");
        }
        "file size limit" => file_size_limit(&*folder.open(0).unwrap()),
        "umask 000" => create_under_umask(&folder, &path, 0),
        "umask 777" => create_under_umask(&folder, &path, 0o777),
        "raw clone" => raw_clone(&folder),
        "descriptors" => descriptors(&folder, &path),
        "hold the write lock" => with_connection(&path.join("slot-00000000.db"), |line| {
            line.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            eprintln!("held");
            // Until the other end goes away, or for the time of a test.
            let _ = std::io::stdin().read_line(&mut String::new());
        }),
        "read media" => super::media::read_media(&*folder.read_only().open(0).unwrap()),
        "try to write" => {
            let store = folder.patience(Duration::from_millis(100)).open(0).unwrap();
            done(&*store, vec![Change::Insert(row(1, 1, b""))]);
        }
        role => panic!("no such role: {role}"),
    }
}

const INCREMENTS: u64 = 60;

fn increment(store: &dyn Store) {
    for _ in 0..INCREMENTS {
        loop {
            let expected = store.version(id(1)).unwrap().unwrap();
            let change = Change::Update { expected, row: row(1, expected + 1, &expected.to_le_bytes()) };
            if matches!(store.commit(vec![change]).unwrap(), Commit::Done { .. }) {
                break;
            }
        }
    }
}

fn commit_until_killed(store: &dyn Store) {
    let pid = u64::from(std::process::id());
    let mut pipe = std::io::stderr();
    for number in (0_u64..).step_by(2) {
        let name = |number: u64| {
            let mut name = [0; 16];
            name[..8].copy_from_slice(&pid.to_be_bytes());
            name[8..].copy_from_slice(&number.to_be_bytes());
            ObjectId(name)
        };
        let insert = |number| Change::Insert(Row { id: name(number), terms: terms(&[(1, 2)]), ..row(0, 1, &[9; 700]) });
        done(store, vec![insert(number), insert(number + 1)]);
        writeln!(pipe, "{}", name(number)).unwrap();
    }
}

fn file_size_limit(store: &dyn Store) {
    let limit = |soft: libc::rlim_t| {
        let limit = libc::rlimit { rlim_cur: soft, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: sets a limit of this process, which exists for this.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &limit) }, 0);
    };
    limit(400_000);
    let insert = |number| Change::Insert(row(number, 1, &[number; 20_000]));
    let mut kept = 0;
    let error = loop {
        match store.commit(vec![insert(kept)]) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 100, "the limit was never met");
    };
    assert!(matches!(error, Error::DeviceMemory(_)), "{error:?}");
    assert!(kept > 3);
    // Rolled back, reads go on, and it goes on being full, not broken.
    assert_eq!(store.list(None, 1000).unwrap().len(), usize::from(kept));
    assert!(matches!(store.commit(vec![insert(kept)]), Err(Error::DeviceMemory(_))));
    assert_eq!(store.read(id(0)).unwrap().unwrap().record, [0; 20_000]);
    limit(libc::RLIM_INFINITY);
    done(store, vec![insert(200)]);
    assert_eq!(store.list(None, 1000).unwrap().len(), usize::from(kept) + 1);
}

fn create_under_umask(folder: &SqliteFolder, path: &std::path::Path, umask: libc::mode_t) {
    use std::os::unix::fs::MetadataExt;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    // SAFETY: this process exists for this.
    unsafe { libc::umask(umask) };
    let store = token(folder);
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    assert_eq!(std::fs::metadata(path).unwrap().mode() & 0o7777, 0o700);
    let files = super::support::listing(path);
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let token = ["slot-00000000.db", "slot-00000000.db-shm", "slot-00000000.db-wal", "slot-00000000.lock"];
    assert_eq!(names[0], "folder.lock");
    assert_eq!(names[1..], token);
    for (name, (_, mode, ..)) in &files {
        assert_eq!(*mode, 0o600, "{name}");
    }
}

fn raw_clone(folder: &SqliteFolder) {
    let refused = |outcome| assert!(matches!(outcome, Err(Error::DeviceError(_))), "{outcome:?}");
    let unused = child(Birth::RawClone, || assert_eq!(folder.open(0).unwrap().token().unwrap().version, 1));
    assert!(unused, "a child of a parent with nothing open is like any other process");

    let store = folder.open(0).unwrap();
    let used = child(Birth::RawClone, || {
        refused(store.token().map(drop));
        refused(store.commit(vec![Change::Insert(row(1, 1, b""))]).map(drop));
        refused(folder.create(1, b"").map(drop));
        assert!(folder.open(0).is_err());
        // Its own children inherit the same.
        assert!(child(Birth::Fork, || refused(store.token().map(drop))));
        assert!(plays("try to write", &PathBuf::from(std::env::var_os("KEYSTEAD_TEST_FOLDER").unwrap())));
        drop(store);
    });
    assert!(used);
    let store = folder.open(0).unwrap();
    assert_eq!(store.version(id(1)).unwrap(), Some(1), "what the child's child wrote after its exec");
    done(&*store, vec![Change::Insert(row(2, 1, b""))]);
}

fn descriptors(folder: &SqliteFolder, path: &std::path::Path) {
    // SAFETY: this process reads nothing from there.
    unsafe { libc::close(0) };
    let watched = std::sync::atomic::AtomicBool::new(true);
    let mut seen = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for slot in 0..20 {
                assert!(folder.create(slot, b"").unwrap());
                let store = folder.open(slot).unwrap();
                done(&*store, vec![Change::Insert(row(1, 1, b""))]);
            }
            watched.store(false, std::sync::atomic::Ordering::Release);
        });
        while watched.load(std::sync::atomic::Ordering::Acquire) {
            for entry in std::fs::read_dir("/proc/self/fd").unwrap().flatten() {
                let number = entry.file_name().into_string().unwrap();
                let Ok(target) = std::fs::read_link(entry.path()) else { continue };
                let Ok(facts) = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")) else { continue };
                // The number may have gone to another file between the two looks.
                if !target.starts_with(path) || std::fs::read_link(entry.path()).ok() != Some(target.clone()) {
                    continue;
                }
                let flags = facts.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
                let flags = i32::from_str_radix(flags, 8).unwrap();
                assert!(flags & libc::O_CLOEXEC != 0, "{number} {target:?}");
                assert!(target.extension().is_none_or(|kind| kind == "tmp") || number.parse::<i32>().unwrap() > 2);
                seen += 1;
            }
        }
    });
    assert!(seen > 0);
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
