//! A host that closes all descriptors, as daemons do, and has their numbers for files and sockets of its own.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::super::SqliteFolder;
use super::support::{Place, assert_intact, plays};
use crate::store::suite::{done, id, row, token};
use crate::store::{Change, Folder};
use crate::system;

#[test]
fn a_host_that_closes_all_descriptors_loses_nothing_of_its_own() {
    let place = Place::new();
    token(place.folder());
    assert!(plays("daemon", &place.path()));
    let store = place.folder().open(0).unwrap();
    assert_eq!(store.list(None, 100).unwrap().len(), 3 * ROUNDS + 1);
    assert_intact(&place.file("db"));
}

const ROUNDS: usize = 4;

pub fn daemon(folder: &SqliteFolder, path: &Path) {
    let hosts = path.with_file_name("of the host");
    std::fs::create_dir(&hosts).unwrap();
    let (store, other) = (folder.open(0).unwrap(), folder.open(0).unwrap());
    done(&*store, vec![Change::Insert(row(0xff, 1, b""))]);
    for round in 0..ROUNDS {
        // Readers and writers of both are open.
        for store in [&store, &other] {
            let name = if std::ptr::eq(store, &other) { 0x40 } else { 0x20 };
            done(&**store, vec![Change::Insert(row(name + u8::try_from(round).unwrap(), 1, b""))]);
            store.token().unwrap();
        }
        let last = highest_descriptor();
        // SAFETY: a process that exists for this, and keeps no file of its own.
        assert_eq!(unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) }, 0);
        let took = Host::take_over(&hosts, last);

        // Whatever comes first finds out.
        let insert = || done(&*store, vec![Change::Insert(row(u8::try_from(round).unwrap(), 1, b""))]);
        match round {
            0 => insert(),
            1 => assert_eq!(store.version(id(0xff)).unwrap(), Some(1)),
            2 => assert_eq!(other.list(None, 100).unwrap().len(), 3 * round + 3),
            _ => {
                let third = folder.open(0).unwrap();
                took.is_untouched();
                assert_eq!(third.version(id(0xff)).unwrap(), Some(1));
            }
        }
        if round > 0 {
            insert();
        }
        assert_eq!(other.version(id(u8::try_from(round).unwrap())).unwrap(), Some(1));
        assert!(other.revision().unwrap() >= u64::try_from(3 * round + 3).unwrap());
        took.is_untouched();
    }
    drop((store, other));
}

fn highest_descriptor() -> i32 {
    let numbers = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    numbers.map(|entry| entry.file_name().to_str().unwrap().parse::<i32>().unwrap()).max().unwrap()
}

/// What the host has under the numbers that were ours.
struct Host {
    files: Vec<(File, (u64, u64))>,
    sockets: Vec<(UnixStream, UnixStream)>,
}

impl Host {
    fn take_over(folder: &Path, last: i32) -> Self {
        let mut host = Self { files: Vec::new(), sockets: Vec::new() };
        for number in 0.. {
            let path = folder.join(number.to_string());
            std::fs::write(&path, [0x5a; 100]).unwrap();
            let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
            let identity = system::identity(&file).unwrap();
            let sockets = UnixStream::pair().unwrap();
            let reached = sockets.1.as_raw_fd() > last;
            host.files.push((file, identity));
            host.sockets.push(sockets);
            if reached {
                return host;
            }
        }
        host
    }

    fn is_untouched(&self) {
        for (file, identity) in &self.files {
            assert_eq!(system::identity(file).unwrap(), *identity);
            let mut content = [0; 101];
            let length = file.read_at(&mut content, 0).unwrap();
            assert_eq!(content[..length], [0x5a; 100]);
            assert!(!is_locked(file), "a lock on a file of the host's");
        }
        for (one, other) in &self.sockets {
            for mut end in [one, other] {
                end.set_nonblocking(true).unwrap();
                assert_eq!(
                    end.read(&mut [0]).unwrap_err().kind(),
                    ErrorKind::WouldBlock,
                    "nothing written, not closed"
                );
            }
        }
    }
}

/// Whether somebody has locked any byte of the file.
fn is_locked(file: &File) -> bool {
    let again = File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
    // SAFETY: zeroes are a valid `flock`, and mean all bytes of the file.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as libc::c_short;
    // SAFETY: the descriptor is open, and the kernel writes into the struct.
    assert_eq!(unsafe { libc::fcntl(again.as_raw_fd(), libc::F_OFD_GETLK, &mut lock) }, 0);
    lock.l_type != libc::F_UNLCK as libc::c_short
}
