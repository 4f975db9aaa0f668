#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::images::PAGE;
use super::*;
use crate::store::sqlite::tests::support::{Place as Folder, sql, with_connection};
use crate::store::suite::{done, items, token};
use crate::store::{Change, ObjectId, Row, TokenRow};

/// A token with short and long rows, changed ones, and enough tombstones for inner pages of their index. Its log is as long as it became.
struct Token {
    folder: Folder,
    /// A copy of file and log, which may be damaged.
    copy: PathBuf,
    all: BTreeMap<Key, Item>,
}

/// Token row, object or tombstone, by id.
type Key = (u8, Option<ObjectId>);

const OBJECTS: u32 = 60;

impl Token {
    fn new() -> Self {
        let folder = Folder::new();
        let store = token(folder.folder());
        let row = |number: u32, version: u64, length: usize| {
            let seed = number.to_be_bytes();
            let id = ObjectId(std::array::from_fn(|place| seed[place % 4].wrapping_mul(31) ^ place as u8));
            let term = number.is_multiple_of(2).then_some([number as u8; 16]);
            let terms = std::array::from_fn(|column| term.filter(|_| column % 3 == 0));
            Row { id, version, terms, record: noise(number.into(), length) }
        };
        for number in 0..OBJECTS {
            let length = if number % 10 == 0 { 30_000 } else { 300 };
            done(&*store, vec![Change::Insert(row(number, 1, length))]);
        }
        with_connection(&folder.file("db"), |open| {
            open.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        });
        for number in (0..OBJECTS).step_by(3) {
            let row = row(number, u64::from(number) << 40, 700);
            done(&*store, vec![Change::Update { expected: 1, row }]);
        }
        for number in (1..OBJECTS).step_by(3) {
            let tombstone = noise(number.into(), 600);
            done(&*store, vec![Change::Delete { id: row(number, 1, 0).id, expected: 1, tombstone }]);
        }
        let all = items(&*store).into_iter().map(|item| (key(&item), item)).collect();
        drop(store);
        let copy = folder.path().join("copy.db");
        Self { folder, copy, all }
    }

    /// File and log as they are.
    fn bytes(&self) -> [Vec<u8>; 2] {
        ["db", "db-wal"].map(|suffix| fs::read(self.folder.file(suffix)).unwrap())
    }

    /// What is found in a file and a log.
    fn found(&self, file: &[u8], log: Option<&[u8]>) -> Vec<Found> {
        fs::write(&self.copy, file).unwrap();
        let beside = self.folder.path().join("copy.db-wal");
        match log {
            Some(log) => fs::write(beside, log).unwrap(),
            None => drop(fs::remove_file(beside)),
        }
        let carving = Carving::open(&self.copy).unwrap();
        let mut all = Vec::new();
        let shown = carving.each(&mut |found| {
            assert_eq!(carving.again(found.place)?.as_ref(), Some(&found.item));
            all.push(found);
            Ok(())
        });
        shown.unwrap();
        all
    }

    /// How many of the rows that are there are not found, damaged or old as they may be.
    fn missing(&self, file: &[u8], log: Option<&[u8]>) -> usize {
        let found = self.found(file, log);
        self.all.values().filter(|item| !found.iter().any(|found| found.item == **item)).count()
    }
}

fn key(item: &Item) -> Key {
    match item {
        Item::Token { .. } => (0, None),
        Item::Object { row, .. } => (1, Some(row.id)),
        Item::Tombstone { row, .. } => (2, Some(row.id)),
    }
}

/// Bytes that repeat nowhere.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn what_is_current_and_listed_is_what_sqlite_reads() {
    let token = Token::new();
    let [file, log] = token.bytes();
    assert!(log.len() > 100 * PAGE && file.len() > 60 * PAGE, "{} {}", log.len(), file.len());
    let current = |found: Vec<Found>| -> BTreeMap<Key, Item> {
        let counting = found.into_iter().filter(|found| found.is_current && found.is_listed);
        let pairs: Vec<_> = counting.map(|found| (key(&found.item), found.item)).collect();
        let count = pairs.len();
        let all = BTreeMap::from_iter(pairs);
        assert_eq!(all.len(), count, "each once");
        all
    };
    assert_eq!(current(token.found(&file, Some(&log))), token.all);
    // The same when all of it is in the file.
    assert_eq!(sql(&token.folder.file("db"), "PRAGMA wal_checkpoint(TRUNCATE)"), "0");
    let [file, log] = token.bytes();
    assert!(log.is_empty());
    assert_eq!(current(token.found(&file, None)), token.all);
}

#[test]
fn what_was_never_committed_is_not_shown() {
    let token = Token::new();
    let [file, log] = token.bytes();
    // Without its last frame the last transaction never was: nobody sees the last tombstone.
    let frame = PAGE + 24;
    let shown = token.found(&file, Some(&log[..log.len() - frame]));
    let highest = |item: &Item| match item {
        Item::Token { revision, .. } | Item::Object { revision, .. } | Item::Tombstone { revision, .. } => *revision,
    };
    let last = token.all.values().map(highest).max().unwrap();
    let is_last = |found: &&Found| highest(&found.item) == last;
    assert_eq!(shown.iter().filter(is_last).count(), 0);
    assert!(shown.iter().any(|found| found.is_current && highest(&found.item) == last - 1));
    // Where the last frame is damaged it may have been: shown, and not as what is there now.
    let mut damaged = log.clone();
    let place = log.len() - 100;
    damaged[place] ^= 1;
    let shown = token.found(&file, Some(&damaged));
    let of_last: Vec<&Found> = shown.iter().filter(is_last).collect();
    assert!(!of_last.is_empty() && of_last.iter().all(|found| !found.is_current));
}

#[test]
fn a_damaged_page_costs_its_own_rows_only() {
    let token = Token::new();
    let [file, log] = token.bytes();
    assert_eq!(token.missing(&file, Some(&log)), 0);
    // A byte costs one row at most, whatever it meant: a header, a pointer, a count. A pointer to an overflow page may stand in it, too.
    for place in (0..file.len()).step_by(1531) {
        let mut damaged = file.clone();
        damaged[place] ^= 0x55;
        assert!(token.missing(&damaged, Some(&log)) <= 1, "byte {place} of the file");
    }
    for place in (0..log.len()).step_by(7919) {
        let mut damaged = log.clone();
        damaged[place] ^= 0x55;
        assert!(token.missing(&file, Some(&damaged)) <= 1, "byte {place} of the log");
    }
    // Headers of both files, whole.
    let (mut headless, mut log_headless) = (file.clone(), log.clone());
    headless[..200].fill(0);
    log_headless[..32].fill(0);
    assert_eq!(token.missing(&headless, Some(&log_headless)), 0);
    // The header of each page but those of overflow, whose first byte is 0: what is left of the rows is found by what it looks like.
    for page in headless.chunks_mut(PAGE).filter(|page| page[0] != 0) {
        page[..8].fill(0xee);
    }
    assert_eq!(token.missing(&headless, Some(&log)), 0);
}

#[test]
fn a_file_cut_off_is_read_to_its_end() {
    let token = Token::new();
    assert_eq!(sql(&token.folder.file("db"), "PRAGMA wal_checkpoint(TRUNCATE)"), "0");
    let [file, _] = token.bytes();
    let missing: Vec<usize> = (0..=4).map(|part| token.missing(&file[..file.len() * part / 4], None)).collect();
    assert!(missing.is_sorted_by(|more, less| more >= less), "{missing:?}");
    assert_eq!((missing[0], missing[4]), (token.all.len(), 0));
    assert!(missing[2] < token.all.len());
}

/// 300 rounds; 20,000 in `make soak`.
#[test]
fn nothing_that_a_file_says_is_believed_too_much() {
    let token = Token::new();
    let [file, log] = token.bytes();
    let soak = std::env::var_os("KEYSTEAD_SOAK").is_some();
    for round in 0..if soak { 20_000 } else { 300 } {
        let dice = noise(round, 4096);
        let number = |at: usize| usize::from(u16::from_be_bytes([dice[at], dice[at + 1]])) * 64;
        let (mut damaged, mut damaged_log) = (file.clone(), log.clone());
        for at in (0..64).step_by(4) {
            let (place, log_place) = (number(at) % damaged.len(), number(at + 2) % damaged_log.len());
            let end = (place + 200).min(damaged.len());
            // A part of another place, random bytes, or the same byte again and again.
            let from = log_place % (damaged.len() - 200);
            match dice[at + 100] % 3 {
                0 => damaged.copy_within(from..from + end - place, place),
                1 => damaged[place..end].copy_from_slice(&dice[200..200 + end - place]),
                _ => damaged[place..end].fill(dice[at + 101]),
            }
            damaged_log[log_place] = dice[at + 102];
        }
        damaged.truncate(damaged.len() - usize::from(dice[0]));
        token.found(&damaged, Some(&damaged_log));
        token.found(&dice, Some(&noise(round + 1, 9000)));
    }
}

#[test]
fn a_chain_that_bites_its_tail_ends() {
    // A row of 40,000 bytes whose overflow page is its own next.
    let mut file = vec![0; 3 * PAGE];
    let types = [44, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0x84, 0xf1, 0x0c];
    let page = &mut file[PAGE..2 * PAGE];
    page[100] = 14;
    page[101..114].copy_from_slice(&types);
    let shape = Shape::at(&page[100..]).unwrap();
    let local = shape.table.local(shape.length, PAGE);
    page[100 + local..104 + local].copy_from_slice(&3_u32.to_be_bytes());
    file[2 * PAGE..2 * PAGE + 4].copy_from_slice(&3_u32.to_be_bytes());
    let token = Token::new();
    assert!(token.found(&file, None).is_empty(), "longer than the file");
    file.resize(20 * PAGE, 0);
    let found = token.found(&file, None);
    assert!(matches!(&found[..], [Found { item: Item::Object { row, .. }, .. }] if row.record.len() == 40_000));
}

#[test]
fn who_writes_meanwhile_is_noticed() {
    let token = Token::new();
    let path = token.folder.file("db");
    let carving = Carving::open(&path).unwrap();
    let store = crate::store::Folder::open(token.folder.folder(), 0).unwrap();
    let TokenRow { version, bytes, .. } = store.token().unwrap();
    done(&*store, vec![Change::Token { expected: version, bytes }]);
    assert!(matches!(carving.each(&mut |_| Ok(())), Err(Error::DeviceError(why)) if why.contains("being written to")));
}
