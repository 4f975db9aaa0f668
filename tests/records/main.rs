//! The kit: records and rows that an independent script makes from `docs/formats.md`, each with what must come of it, in
//! `index.txt`. The script is `make.py` beside this file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cryptoki_sys::CKA_LABEL;
use keystead::error::Error;
use keystead::key::Login;
use keystead::object::{Given, Object, is_tombstone};
use keystead::seal::{self, MasterKey, PinRow, Role, Seal, TokenId, Verified};
use keystead::store::{ObjectId, Terms};

struct Piece {
    outcome: String,
    name: String,
    bytes: Vec<u8>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records")
}

/// The pieces of the kit whose names end so.
fn kit(ending: &str) -> Vec<Piece> {
    let index = std::fs::read_to_string(folder().join("index.txt")).unwrap();
    let lines = index.lines().map(|line| line.split_whitespace());
    let pieces = lines.map(|mut words| {
        let (outcome, name) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let bytes = std::fs::read(folder().join(&name)).unwrap();
        Piece { outcome, name, bytes }
    });
    let pieces: Vec<_> = pieces.filter(|piece| piece.name.ends_with(ending)).collect();
    assert!(pieces.len() > 10);
    pieces
}

fn read(record: &[u8]) -> Result<Object, Error> {
    Object::from_record(ObjectId([7; 16]), 1, record)
}

fn outcome(record: &[u8]) -> &'static str {
    match (is_tombstone(record), read(record)) {
        (true, Err(_)) => "tombstone",
        (true, Ok(_)) => "both a tombstone and an object",
        (false, Ok(object)) if object.is_of_later_version() => "later",
        (false, Ok(_)) => "object",
        (false, Err(Error::ObjectDamaged(_))) => "damaged",
        (false, Err(_)) => "an error that is not about damage",
    }
}

#[test]
fn every_record_is_what_the_index_says() {
    for Piece { outcome: expected, name, bytes } in kit(".record") {
        assert_eq!(outcome(&bytes), expected, "{name}");
        let Ok(object) = read(&bytes) else { continue };
        assert!(object.to_record() == bytes, "{name} is not written as it was read");
    }
}

/// What a later version added and need not be understood stays where it is, byte for byte.
#[test]
fn a_change_keeps_what_nobody_here_knows() {
    for Piece { name, bytes, .. } in kit(".record").into_iter().filter(|piece| piece.outcome == "object") {
        let object = read(&bytes).unwrap();
        let named = object.changed(&[Given::new(CKA_LABEL, b"other")], Login::User).unwrap();
        assert_ne!(named.to_record(), bytes, "{name}");
        let label = object.value(CKA_LABEL).unwrap_or_default().to_vec();
        let back = named.changed(&[Given::new(CKA_LABEL, &label)], Login::User).unwrap();
        let had_one = object.value(CKA_LABEL).is_some();
        assert!(!had_one || back.to_record() == bytes, "{name} is another after it was changed back");
    }
}

/// A record that was cut off anywhere is damaged, and so is one with a byte behind its end.
#[test]
fn no_part_of_a_record_is_one() {
    for Piece { name, bytes, .. } in kit(".record").into_iter().filter(|piece| piece.outcome != "damaged") {
        for length in 0..bytes.len() {
            assert_eq!(outcome(&bytes[..length]), "damaged", "{length} bytes of {name}");
        }
        for more in [0, 0xf6, 0xff] {
            assert_eq!(outcome(&[bytes.as_slice(), &[more]].concat()), "damaged", "{name}");
        }
    }
}

/// Whatever a flipped bit makes of a record: if it is read at all, it is written again as it stands.
#[test]
fn no_flipped_bit_makes_a_record_that_is_read_in_part() {
    for Piece { name, mut bytes, .. } in kit(".record").into_iter().filter(|piece| piece.bytes.len() < 1_000) {
        for place in 0..bytes.len() {
            for bit in 0..8 {
                bytes[place] ^= 1 << bit;
                if let Ok(object) = read(&bytes) {
                    assert!(object.to_record() == bytes, "{name}, bit {bit} of byte {place}");
                }
                bytes[place] ^= 1 << bit;
            }
        }
    }
}

/// The keys of the page's examples.
fn login() -> (TokenId, Seal) {
    let token = TokenId(std::array::from_fn(|place| 0x10 + place as u8));
    let pin_row = "a600010150606162636465666768696a6b6c6d6e6f02184003010401055828453dac43d0bb4b73935a36804c59fa3de06236446\
                   b0c5f3a86675f44231026da105f3a75b19c3f40";
    let pin_row: Vec<u8> =
        (0..pin_row.len()).step_by(2).map(|at| u8::from_str_radix(&pin_row[at..at + 2], 16).unwrap()).collect();
    let pin_row: PinRow = minicbor::decode(&pin_row).unwrap();
    let master = MasterKey::unlock(&pin_row, Role::User, b"123456", &token).unwrap().unwrap();
    (token, Seal::new(&master, &token).unwrap())
}

#[test]
fn every_row_is_what_the_index_says() {
    let (_, login) = login();
    let id = ObjectId(std::array::from_fn(|place| 0x20 + place as u8));
    let mut terms = Terms::default();
    terms[0] = Some(seal::plain_term(0, b"label"));
    for Piece { outcome: expected, name, bytes } in kit(".row") {
        let opened = seal::open(Some(&login), id, 300, &terms, &bytes);
        let outcome = match &opened {
            Ok(Some(opened)) if opened.verified == Verified::Yes => "verified",
            Ok(Some(opened)) if opened.verified == Verified::No => "unverified",
            Ok(_) => "unknown",
            Err(Error::ObjectDamaged(_)) => "damaged",
            Err(_) => "an error that is not about damage",
        };
        assert_eq!(outcome, expected, "{name}");
        if let Ok(Some(opened)) = opened {
            read(&opened.body).unwrap();
        }
        // What is left of a row with too much behind it may be a good one.
        let lengths = if expected == "damaged" { 0..0 } else { 0..bytes.len() };
        for length in lengths {
            assert!(seal::open(Some(&login), id, 300, &terms, &bytes[..length]).is_err(), "{length} bytes of {name}");
        }
    }
}

/// The folder is what the script makes.
#[test]
fn the_files_are_those_of_the_script() {
    let copy = tempfile::tempdir().unwrap();
    let script = copy.path().join("make.py");
    std::fs::copy(folder().join("make.py"), &script).unwrap();
    let made =
        std::process::Command::new("python3").arg(&script).status().expect("python3, which `make test` installs");
    assert!(made.success());
    let names = |folder: &Path| -> BTreeSet<String> {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        files.filter(|name| !["main.rs", "examples.py"].contains(&name.as_str())).collect()
    };
    assert_eq!(names(copy.path()), names(&folder()));
    for name in names(&folder()) {
        let [made, kept] = [copy.path(), &folder()].map(|folder| std::fs::read(folder.join(&name)).unwrap());
        assert!(made == kept, "{name} is not what make.py makes");
    }
}
