//! A token with very many objects: what is found without loading it, and what that costs in memory. In a process of its own,
//! for it looks at how much the process has.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::HashSet;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use cryptoki_sys::*;
use keystead::config::Settings;
use keystead::handle::Handle;
use keystead::key::{Caller, Login};
use keystead::log::Log;
use keystead::object::{Basis, Draft, Given, New, Search, Template, Way};
use keystead::session::Sessions;
use keystead::store::Folder;
use keystead::store::sqlite::SqliteFolder;
use keystead::token::{Beginning, Token};

/// 100,000 objects; 1,000,000 in `make soak`.
fn count() -> usize {
    if std::env::var_os("KEYSTEAD_SOAK").is_some() { 1_000_000 } else { 100_000 }
}

/// How many share a label.
const GROUP: usize = 1_000;
/// How many go in one commit.
const BATCH: usize = 500;
/// Every token shows so many objects of its own.
const PROFILES: usize = 3;
const PIN: &[u8] = b"1234";
/// Says to the same program that it is to make the objects, in this folder.
const FILL: &str = "KEYSTEAD_TEST_FILL";

#[test]
fn very_many_objects_are_found_without_loading_them() {
    let count = count();
    if let Some(folder) = std::env::var_os(FILL) {
        return fill(&SqliteFolder::new(folder.into()), count);
    }
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    // In another process: what it needs and gives back would hide what the search needs.
    let myself = std::env::current_exe().unwrap();
    let filled = Command::new(myself).arg("--quiet").env(FILL, folder.path().join("tokens")).status().unwrap();
    assert!(filled.success());
    let folder = SqliteFolder::new(folder.path().join("tokens"));
    eprintln!("{count} objects made in {:.1} s", start.elapsed().as_secs_f64());

    let token = Token::open(folder.open(0).unwrap(), &settings(), Log::default(), None).unwrap();
    let sessions = Sessions::new();
    let session = sessions.open(0, Arc::clone(&token), true).unwrap();
    sessions.login(session, Login::User, PIN).unwrap();
    let mut book = Book::open();

    // One group of many: by an index, and little is opened.
    let found = all(&sessions, session, &[Given::new(CKA_LABEL, b"group 7")]);
    assert_eq!(found.len(), GROUP);
    book.says("a group found", 8_000);

    // Everybody has the class and nobody the application: all rows are read, and none is kept.
    let data = CKO_DATA.to_ne_bytes();
    let wanted = [Given::new(CKA_CLASS, &data), Given::new(CKA_APPLICATION, b"nobody's")];
    assert!(all(&sessions, session, &wanted).is_empty());
    // The ids take 16 bytes each while the search lasts, and twice as much while they are gathered.
    book.says("nothing found", count * 64 / 1024 + 8_000);

    // Two indexed attributes that nobody has together: nothing is opened.
    let certificate = CKO_CERTIFICATE.to_ne_bytes();
    let wanted = [Given::new(CKA_CLASS, &data), Given::new(CKA_LABEL, b"group 8"), Given::new(CKA_ID, b"")];
    assert!(all(&sessions, session, &wanted).is_empty(), "data has no such attribute");
    assert!(all(&sessions, session, &[Given::new(CKA_CLASS, &certificate)]).is_empty());

    // All of them: a handle each.
    let found = all(&sessions, session, &[]);
    assert_eq!(found.len(), count + PROFILES);
    assert_eq!(found.iter().collect::<HashSet<_>>().len(), found.len(), "each once");
    drop(found);
    book.says("everything found", count * 320 / 1024 + 8_000);
    sessions.end();
}

/// A search to its end, as clients do it.
fn all(sessions: &Sessions, session: Handle, wanted: &[Given<'_>]) -> Vec<Handle> {
    sessions.find_init(session, Search::new(wanted)).unwrap();
    let mut found = Vec::new();
    loop {
        let more = sessions.find_next(session, 128).unwrap();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    sessions.find_final(session).unwrap();
    found
}

/// What the process has in memory, against what it had.
struct Book {
    had: usize,
    since: Instant,
}

impl Book {
    fn open() -> Self {
        Self { had: resident(), since: Instant::now() }
    }

    /// At most so many KiB more than at the beginning.
    fn says(&mut self, what: &str, most: usize) {
        let more = resident().saturating_sub(self.had);
        eprintln!("{what}: {more} KiB more, of {most} allowed; {:.2} s", self.since.elapsed().as_secs_f64());
        assert!(more <= most, "{what}: {more} KiB more, {most} allowed");
        self.since = Instant::now();
    }
}

/// `VmRSS` of this process in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    (settings.pin.memory_kib, settings.pin.passes) = (64, 1);
    settings
}

/// Makes the token and so many data objects, every second one private, [`GROUP`] with each label.
fn fill(folder: &SqliteFolder, count: usize) {
    let settings = settings();
    let beginning = Beginning { so_pin: b"4321", label: [b' '; 32], maskable: false, host_key: None };
    assert!(Token::create(folder, 0, &settings.pin, &beginning).unwrap());
    let token = Token::open(folder.open(0).unwrap(), &settings, Log::default(), None).unwrap();
    token.open_session(true).unwrap();
    token.login(Login::So, b"4321").unwrap();
    token.init_user_pin(PIN).unwrap();
    token.logout(|| ()).unwrap();
    token.login(Login::User, PIN).unwrap();
    let caller = Caller { login: Login::User, read_write: true, today: None };
    for batch in 0..count / BATCH {
        let made: Vec<New> = (0..BATCH).map(|place| data(batch * BATCH + place, count / GROUP)).collect();
        let made: [New; BATCH] = made.try_into().unwrap_or_else(|_| unreachable!("it has that length"));
        token.insert(&caller, Handle::NONE, made).unwrap();
    }
    token.close_session(true, || ());
}

fn data(number: usize, groups: usize) -> New {
    let class = CKO_DATA.to_ne_bytes();
    let label = format!("group {}", number % groups);
    let private = [u8::from(number.is_multiple_of(2))];
    let given = [
        Given::new(CKA_CLASS, &class),
        Given::new(CKA_TOKEN, &[1]),
        Given::new(CKA_PRIVATE, &private),
        Given::new(CKA_LABEL, label.as_bytes()),
        Given::new(CKA_VALUE, b"some text that is as long as a key"),
    ];
    Draft::new(Template::parse(&given, Way::Create).unwrap(), Basis::of(Login::User)).finish().unwrap()
}
