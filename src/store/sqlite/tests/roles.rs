//! What the processes do that other tests start, by the name of the role.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::SqliteFolder;
use super::support::{Birth, child, listing, plays, with_connection};
use crate::error::Error;
use crate::store::suite::{done, id, row, terms, token};
use crate::store::{Change, Commit, Folder, ObjectId, Row, Store};

#[test]
#[ignore = "the process that other tests start"]
fn another_process() {
    let folder = SqliteFolder::new(PathBuf::from(std::env::var_os("KEYSTEAD_TEST_FOLDER").unwrap()));
    let path = PathBuf::from(std::env::var_os("KEYSTEAD_TEST_FOLDER").unwrap());
    match std::env::var("KEYSTEAD_TEST_ROLE").unwrap().as_str() {
        "commit until killed" => commit_until_killed(&*folder.open(0).unwrap()),
        "increment" => increment(&*folder.open(0).unwrap()),
        "increment once" => {
            let sql = "UPDATE token SET revision = revision + 1 RETURNING 1";
            assert_eq!(super::support::sql(&path.join("slot-00000000.db"), sql), "1");
        }
        "tell each revision" => tell_each_revision(&*folder.open(0).unwrap()),
        "notice in a raw clone" => super::notice::in_a_raw_clone(path.join("slot-00000000.db")),
        "daemon" => super::daemon::daemon(&folder, &path),
        "create" => {
            if folder.create(0, b"token", b"").unwrap() {
                eprintln!("created");
            }
            assert_eq!(folder.open(0).unwrap().token().unwrap().bytes, b"token");
        }
        "upgrade and die" => super::upgrade::upgrades_and_dies(path),
        "file size limit" => file_size_limit(&*folder.open(0).unwrap()),
        "few descriptors" => few_descriptors(&folder),
        "unreadable to another user" => {
            let user = become_another_user();
            assert_eq!(folder.slots().unwrap(), [0]);
            let Err(Error::TokenNotRecognized(reason)) = folder.open(0).map(drop) else { panic!() };
            assert!(reason.starts_with(&format!("uid {user} lacks the right to read ")), "{reason}");
            assert!(reason.ends_with("with mode 0000"), "{reason}");
        }
        "read-only to another user" => {
            let root = std::fs::metadata("/proc/self").unwrap();
            become_another_user();
            let store = folder.open(0).unwrap();
            assert_eq!(store.token().unwrap().bytes, b"token");
            // Who is not root could not become anybody else, and is the owner.
            assert_eq!(store.writable(), root.uid() != 0);
            if root.uid() == 0 {
                assert_eq!(store.commit(vec![Change::Clear]), Err(Error::TokenWriteProtected));
                let Err(Error::DeviceError(reason)) = folder.create(1, b"", b"") else { panic!() };
                assert!(reason.starts_with(&format!("uid {ANOTHER_USER} cannot ")), "{reason}");
            }
        }
        "umask 000" => create_under_umask(&folder, &path, 0),
        "umask 777" => create_under_umask(&folder, &path, 0o777),
        "raw clone" => raw_clone(&folder),
        "descriptors" => descriptors(&folder, &path),
        "hold the write lock" => with_connection(&path.join("slot-00000000.db"), |open| {
            open.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            eprintln!("held");
            // Until the other end goes away, or for the time of a test.
            let _ = std::io::stdin().read_line(&mut String::new());
        }),
        "have the turn" => super::queue::have_the_turn(&path.join("slot-00000000.lock")),
        "fork with the turn" => super::queue::fork_with_the_turn(&path.join("slot-00000000.lock"), Birth::Fork),
        "clone with the turn" => super::queue::fork_with_the_turn(&path.join("slot-00000000.lock"), Birth::RawClone),
        "stop in a commit" => super::queue::stop_in_a_commit(&path.join("slot-00000000.lock")),
        "read media" => super::media::read_media(&*folder.read_only().open(0).unwrap()),
        "try to write" => {
            let store = folder.patience(Duration::from_millis(100)).open(0).unwrap();
            done(&*store, vec![Change::Insert(row(1, 1, b""))]);
        }
        role => panic!("no such role: {role}"),
    }
}

pub const INCREMENTS: u64 = 60;

pub fn increment(store: &dyn Store) {
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

pub const TOLD: u64 = 150;

fn tell_each_revision(store: &dyn Store) {
    let mut pipe = std::io::stderr();
    for number in 0..TOLD {
        let insert = Change::Insert(Row { id: own_id(number), ..row(0, 1, b"") });
        let Commit::Done { revision } = store.commit(vec![insert]).unwrap() else { panic!() };
        pipe.write_all(format!("{revision}\n").as_bytes()).unwrap();
    }
}

/// An id that no other process makes.
fn own_id(number: u64) -> ObjectId {
    let mut name = [0; 16];
    name[..8].copy_from_slice(&u64::from(std::process::id()).to_be_bytes());
    name[8..].copy_from_slice(&number.to_be_bytes());
    ObjectId(name)
}

fn commit_until_killed(store: &dyn Store) {
    let mut pipe = std::io::stderr();
    for number in (0_u64..).step_by(2) {
        let insert =
            |number| Change::Insert(Row { id: own_id(number), terms: terms(&[(1, 2)]), ..row(0, 1, &[9; 700]) });
        done(store, vec![insert(number), insert(number + 1)]);
        // One write, so that no kill leaves half a line.
        pipe.write_all(format!("{}\n", own_id(number)).as_bytes()).unwrap();
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

fn few_descriptors(folder: &SqliteFolder) {
    let limit = |soft: u64| {
        let limit = libc::rlimit { rlim_cur: soft, rlim_max: 4096 };
        // SAFETY: sets a limit of this process, which exists for this.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    };
    let used = u64::try_from(std::fs::read_dir("/proc/self/fd").unwrap().count()).unwrap() - 1;
    // One more each time, until the whole of it succeeds.
    let mut failures = 0;
    for more in 0.. {
        limit(used + more);
        let outcome = folder.open(0).and_then(|store| {
            let number = u8::try_from(more).unwrap();
            store.commit(vec![Change::Insert(row(number, 1, b""))])?;
            store.read(id(number))
        });
        match outcome {
            Ok(found) => {
                assert!(found.is_some());
                break;
            }
            Err(Error::HostMemory(_)) => failures += 1,
            Err(error) => panic!("with {more} descriptors: {error:?}"),
        }
    }
    assert!(failures >= 3, "{failures}");
    limit(4096);
    done(&*folder.open(0).unwrap(), vec![Change::Insert(row(0xff, 1, b""))]);
}

/// Root becomes somebody without rights; anybody else stays who he is.
fn become_another_user() -> libc::uid_t {
    // SAFETY: changes the user of this process, which exists for this.
    unsafe {
        if libc::geteuid() == 0 {
            assert_eq!(libc::seteuid(ANOTHER_USER), 0);
        }
        libc::geteuid()
    }
}

const ANOTHER_USER: libc::uid_t = 65_534;

fn create_under_umask(folder: &SqliteFolder, path: &Path, umask: libc::mode_t) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    // SAFETY: this process exists for this.
    unsafe { libc::umask(umask) };
    let store = token(folder);
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    assert_eq!(std::fs::metadata(path).unwrap().mode() & 0o7777, 0o700);
    let files = listing(path);
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
        refused(folder.create(1, b"", b"").map(drop));
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

fn descriptors(folder: &SqliteFolder, path: &Path) {
    // SAFETY: this process reads nothing from there.
    unsafe { libc::close(0) };
    let watched = std::sync::atomic::AtomicBool::new(true);
    let mut seen = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for slot in 0..20 {
                assert!(folder.create(slot, b"", b"").unwrap());
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
                assert!(number.parse::<i32>().unwrap() > 2 || !stays(&entry.path(), &target), "{number} {target:?}");
                seen += 1;
            }
        }
    });
    assert!(seen > 0);
}

/// Whether a descriptor still is what it was after many looks: one that is being opened is a low one for a moment.
fn stays(descriptor: &Path, target: &Path) -> bool {
    (0..20).all(|_| {
        std::thread::sleep(Duration::from_millis(1));
        std::fs::read_link(descriptor).is_ok_and(|now| now == target)
    })
}
