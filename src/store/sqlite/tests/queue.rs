//! The queue of processes: first come, first served, whoever dies, stops, or spoils the file.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::super::patience::{PATIENCE, Patience};
use super::super::queue::Queue;
use super::super::system;
use super::support::{Birth, Place, assert_intact, process, with_connection};
use crate::error::Error;
use crate::store::suite::{done, row, token};
use crate::store::{Change, Folder};

/// The time of one wait in the queue that the test's own process stands in.
fn waited(queue: &Queue, lock: &Path) -> Duration {
    let begun = Instant::now();
    drop(queue.wait(lock, &mut Patience::new(lock, PATIENCE)).unwrap());
    begun.elapsed()
}

/// The next number, as the file says it.
fn drawn(lock: &Path) -> u64 {
    let mut number = [0; 8];
    fs::File::open(lock).unwrap().read_exact_at(&mut number, 8).unwrap();
    u64::from_le_bytes(number)
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A token's place, its lock file, and a first wait so that the file says a number.
fn place() -> (Place, PathBuf) {
    let place = Place::new();
    token(place.folder());
    let lock = place.file("lock");
    waited(&Queue::default(), &lock);
    (place, lock)
}

/// Lets eight stand up one after the other while somebody has the turn, and `disturb` at a moment when all stand; each then
/// says his name in his turn.
fn order_of_eight(lock: &Path, disturb: impl FnOnce()) -> Vec<u64> {
    let first = Queue::default().wait(lock, &mut Patience::new(lock, PATIENCE)).unwrap();
    let order = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for name in 0..8 {
            let before = drawn(lock);
            let order = &order;
            scope.spawn(move || {
                let turn = Queue::default().wait(lock, &mut Patience::new(lock, PATIENCE)).unwrap();
                order.lock().unwrap().push(before);
                drop(turn);
            });
            until("a number is drawn", || drawn(lock) > before);
            assert_eq!(order.lock().unwrap().len(), 0, "{name}: somebody else has the turn");
        }
        disturb();
        drop(first);
    });
    order.into_inner().unwrap()
}

#[test]
fn who_comes_first_is_served_first() {
    let (_place, lock) = place();
    let order = order_of_eight(&lock, || ());
    assert!(order.is_sorted() && order.len() == 8, "{order:?}");
}

#[test]
fn a_file_cut_off_while_all_wait_costs_nothing() {
    let (place, lock) = place();
    let next = drawn(&lock);
    let order = order_of_eight(&lock, || {
        fs::File::options().write(true).open(&lock).unwrap().set_len(0).unwrap();
        // Who comes now draws a number behind those that are locked.
        let newcomer = Queue::default();
        let (lock, newcomer) = (lock.clone(), &newcomer);
        let mut patience = Patience::new(&lock, Duration::from_millis(50));
        assert!(matches!(newcomer.wait(&lock, &mut patience), Err(Error::DeviceError(_))));
        assert_eq!(drawn(&lock), next + 10);
    });
    assert!(order.is_sorted() && order.len() == 8, "{order:?}");
    done(&*place.folder().open(0).unwrap(), vec![Change::Insert(row(1, 1, b""))]);
}

#[test]
fn a_damaged_file_costs_nothing() {
    let (place, lock) = place();
    let store = place.folder().open(0).unwrap();
    let mut number = 0;
    let largest = [&b"kstqueue"[..], &(u64::MAX - 1).to_le_bytes(), &1_u64.to_le_bytes()].concat();
    for damage in [&b""[..], b"kstqueue", &[0xff; 5000], &largest] {
        fs::write(&lock, damage).unwrap();
        for _ in 0..3 {
            number += 1;
            done(&*store, vec![Change::Insert(row(number, 1, b""))]);
        }
        assert!(drawn(&lock) < 10, "{damage:?}");
    }
    // Gone, or something that is no file.
    fs::remove_file(&lock).unwrap();
    done(&*store, vec![Change::Insert(row(100, 1, b""))]);
    assert_eq!(fs::metadata(&lock).unwrap().mode() & 0o7777, 0o600);
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    done(&*store, vec![Change::Insert(row(101, 1, b""))]);
    assert_intact(&place.file("db"));
}

#[test]
fn who_waits_in_a_removed_file_waits_for_nobody() {
    let (_place, lock) = place();
    let queue = Queue::default();
    let first = queue.wait(&lock, &mut Patience::new(&lock, PATIENCE)).unwrap();
    fs::remove_file(&lock).unwrap();
    assert!(waited(&queue, &lock) < Duration::from_millis(500));
    drop(first);
    assert!(lock.exists());
}

#[test]
fn killed_members_hold_nobody_up() {
    let (place, lock) = place();
    let mut first = Member::start("have the turn", &place);
    assert_eq!(first.hear(), "turn");
    let waiting = [(); 3].map(|()| {
        let before = drawn(&lock);
        let member = Member::start("have the turn", &place);
        until("it stands in the queue", || drawn(&lock) > before);
        member
    });
    let [second, third, mut fourth] = waiting;
    drop(third);
    drop(second);
    drop(first);
    assert_eq!(fourth.hear(), "turn");
    drop(fourth);
    assert!(waited(&Queue::default(), &lock) < Duration::from_millis(500));
}

/// A child keeps no place of its parent's, who is killed.
#[test]
fn a_child_that_outlives_its_killed_parent_stands_nowhere() {
    let (place, lock) = place();
    let mut parent = Member::start("fork with the turn", &place);
    let child: libc::pid_t = parent.hear().parse().unwrap();
    drop(parent);
    // SAFETY: asks whether the process is there.
    assert_eq!(unsafe { libc::kill(child, 0) }, 0);
    assert!(waited(&Queue::default(), &lock) < Duration::from_millis(500));
    end(child);
}

/// No handler runs in the child of a raw clone, so it keeps the descriptor: nobody waits for it for long, and nobody twice.
#[test]
fn a_raw_clone_that_outlives_its_killed_parent_is_passed() {
    let (place, lock) = place();
    let mut parent = Member::start("clone with the turn", &place);
    let child: libc::pid_t = parent.hear().parse().unwrap();
    drop(parent);
    let queue = Queue::default();
    assert!(waited(&queue, &lock) > Duration::from_millis(500), "it holds the lock");
    assert!(waited(&queue, &lock) < Duration::from_millis(500), "it was passed");
    end(child);
    assert!(waited(&Queue::default(), &lock) < Duration::from_millis(500));
}

/// Stopped before its commit, or in the middle of drawing a number.
#[test]
fn a_stopped_member_is_passed_after_a_second() {
    let (place, lock) = place();
    let store = place.folder().open(0).unwrap();
    let mut stopped = Member::start("have the turn", &place);
    assert_eq!(stopped.hear(), "turn");
    stopped.stop();
    let begun = Instant::now();
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let begun = Instant::now();
    (2..10).for_each(|number| done(&*store, vec![Change::Insert(row(number, 1, b""))]));
    assert!(begun.elapsed() < Duration::from_secs(1), "who was passed is not waited for again");

    let header = fs::File::options().read(true).write(true).open(&lock).unwrap();
    assert!(system::try_lock(&header).unwrap());
    let begun = Instant::now();
    done(&*store, vec![Change::Insert(row(10, 1, b""))]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop((stopped, header));
    assert_intact(&place.file("db"));
}

/// Stopped in the middle of its commit: nobody can go on, and the error says who it is.
#[test]
fn who_gives_up_names_the_process_that_holds_the_lock() {
    let (place, _) = place();
    let mut stopped = Member::start("stop in a commit", &place);
    let said = stopped.hear();
    assert_eq!(said, format!("{} commits", stopped.0.id()));
    for bound in [300, 2_500] {
        let store = place.again().patience(Duration::from_millis(bound)).open(0).unwrap();
        let begun = Instant::now();
        let outcome = store.commit(vec![Change::Insert(row(1, 1, b""))]);
        assert!(begun.elapsed() >= Duration::from_millis(bound) && begun.elapsed() < Duration::from_secs(10));
        let Err(Error::DeviceError(reason)) = outcome else { panic!("{outcome:?}") };
        assert!(reason.ends_with(&format!("process {} holds it", stopped.0.id())), "{reason}");
    }
    // Its lock falls with it.
    drop(stopped);
    done(&*place.again().open(0).unwrap(), vec![Change::Insert(row(1, 1, b""))]);
    assert_intact(&place.file("db"));
}

/// The other process: has the turn until its input ends.
pub fn have_the_turn(lock: &Path) {
    let _turn = Queue::default().wait(lock, &mut Patience::new(lock, PATIENCE)).unwrap();
    eprintln!("turn");
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// The other process: has the turn, makes a child that lives on, says its number and waits to be killed.
pub fn fork_with_the_turn(lock: &Path, birth: Birth) {
    let _turn = Queue::default().wait(lock, &mut Patience::new(lock, PATIENCE)).unwrap();
    let child = match birth {
        // SAFETY: the child does nothing but wait.
        Birth::Fork => unsafe { libc::fork() },
        // SAFETY: as above.
        Birth::RawClone => unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) as libc::pid_t },
    };
    if child == 0 {
        // SAFETY: ends this child by itself if the test does not, and leaves its parent's streams.
        unsafe {
            libc::syscall(libc::SYS_close_range, 0, 2, 0);
            libc::alarm(60);
            loop {
                libc::pause();
            }
        }
    }
    eprintln!("{child}");
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// The other process: stops while it has the turn and SQLite's lock.
pub fn stop_in_a_commit(lock: &Path) {
    let _turn = Queue::default().wait(lock, &mut Patience::new(lock, PATIENCE)).unwrap();
    with_connection(&lock.with_extension("db"), |open| {
        open.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        eprintln!("{} commits", std::process::id());
        // SAFETY: stops this process.
        unsafe { libc::raise(libc::SIGSTOP) };
    });
}

fn end(process: libc::pid_t) {
    // SAFETY: a process that a member of this test made.
    unsafe { libc::kill(process, libc::SIGKILL) };
}

/// A process in a role, killed when dropped.
struct Member(Child, BufReader<std::process::ChildStderr>);

impl Member {
    fn start(role: &str, place: &Place) -> Self {
        let mut command = process(role, &place.path());
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self(child, said)
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "{:?}", self.0.wait());
        line.trim_end().to_owned()
    }

    fn stop(&mut self) {
        self.0.stdin.as_mut().unwrap().flush().unwrap();
        // SAFETY: the child is ours and not waited for.
        assert_eq!(unsafe { libc::kill(self.0.id() as libc::pid_t, libc::SIGSTOP) }, 0);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Emptying the log takes SQLite's lock past the queue.
#[test]
fn what_is_not_urgent_gives_way_to_whoever_wants_to_commit() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b"old"))]);
    let lock = place.file("lock");
    let turn = Queue::default().wait(&lock, &mut Patience::new(&lock, PATIENCE)).unwrap();
    let log = || fs::metadata(place.file("db-wal")).unwrap().len();
    assert!(!store.scrub(false) && log() > 0);
    assert!(store.scrub(true) && log() == 0);
    drop(turn);
    done(&*store, vec![Change::Insert(row(2, 1, b"new"))]);
    assert!(log() > 0);
    assert!(store.scrub(false) && log() == 0);
}
