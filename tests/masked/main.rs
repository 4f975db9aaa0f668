//! The kit: masked objects that `masked.py` beside this file makes from `docs/formats.md` alone, each with what must come of it, in
//! `index.txt`; and what the library masks, read by that script.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use cryptoki_sys::*;
use keystead::config::Pins;
use keystead::crypto::hash::sha256;
use keystead::error::Error;
use keystead::handle::Handle;
use keystead::key::{Caller, Class, KeyMaterial, KeyType, Login};
use keystead::log::Log;
use keystead::mechanism::CKM_KEYSTEAD_MASK;
use keystead::object::attribute::CKA_KEYSTEAD_MASKABLE;
use keystead::object::{Arrival, Basis, Draft, Given, New, Object, Template, Way};
use keystead::secret::Secret;
use keystead::store::Folder;
use keystead::store::memory::MemoryFolder;
use keystead::token::{Beginning, Token};
use keystead::transfer::{self, Domain, DomainId};

const PINS: Pins = Pins { min: 4, max: 255, user_tries: 10, so_tries: 10, memory_kib: 8, passes: 1, lanes: 1 };
const USER: Caller = Caller { login: Login::User, read_write: true, today: None };

/// As in the script.
const DOMAIN: [u8; 16] = [0x0a; 16];
const DOMAIN_KEY: [u8; 32] = [0x0d; 32];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/masked")
}

fn made(way: Way, given: &[(u64, &[u8])]) -> Draft {
    let given: Vec<_> = given.iter().map(|(number, value)| Given::new(*number, value)).collect();
    Draft::new(Template::parse(&given, way).unwrap(), Basis::of(Login::User))
}

/// A token in memory that is in the domain of the script, its user logged in.
fn token() -> (Arc<Token>, Domain) {
    let folder = MemoryFolder::new();
    let beginning = Beginning { so_pin: b"4321", label: [b' '; 32], maskable: false, host_key: None };
    assert!(Token::create(&folder, 0, &PINS, &beginning).unwrap());
    let token = Token::open(folder.open(0).unwrap(), &PINS.into(), Log::default(), None).unwrap();
    token.open_session(true).unwrap();
    token.login(Login::So, b"4321").unwrap();
    token.init_user_pin(b"1234").unwrap();
    token.logout(|| ()).unwrap();
    token.login(Login::User, b"1234").unwrap();
    let mechanisms = CKM_KEYSTEAD_MASK.to_ne_bytes();
    let given: [(u64, &[u8]); 6] = [
        (CKA_TOKEN, &[1]),
        (CKA_PRIVATE, &[1]),
        (CKA_ID, &DOMAIN),
        (CKA_WRAP, &[1]),
        (CKA_UNWRAP, &[1]),
        (CKA_ALLOWED_MECHANISMS, &mechanisms),
    ];
    let key = made(Way::Inside(KeyType::Domain), &given).finish_secret(Secret::from_slice(&DOMAIN_KEY)).unwrap();
    token.insert(&USER, Handle::NONE, [key]).unwrap();
    let domain = Domain::find(&token, &USER, DomainId(DOMAIN)).unwrap();
    (token, domain)
}

fn object(object: &Object, material: Option<&KeyMaterial>) -> String {
    let value = material.map(|material| material.for_sealing().expose()).unwrap_or_default();
    let hash: String = sha256(&[&object.to_record(), value]).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("object {} {} {hash}", object.id, object.version)
}

/// What comes of a masked object, in the words of the index.
fn outcome(domain: &Domain, masked: &[u8]) -> String {
    let why = match transfer::unmask(&USER, domain, masked) {
        Ok(Arrival::Object(arrived, material)) => return object(&arrived, material.as_ref()),
        Ok(Arrival::Tombstone { id, version }) => return format!("tombstone {id} {version}"),
        Err(Error::MaskedInvalid(why)) => why,
        Err(error) => return format!("an error of another kind: {error}"),
    };
    let sentences = [
        ("it is no masked object", "foreign"),
        ("it has format", "format"),
        ("a later version of Keystead made it", "later"),
        ("it is damaged", "damaged"),
        (" is damaged: ", "damaged"),
        ("it is masked for the domain", "domain"),
        ("is not as it was masked", "forged"),
    ];
    let known = sentences.iter().find(|(part, _)| why.contains(part));
    known.map_or("refused", |(_, outcome)| outcome).into()
}

#[test]
fn every_masked_object_is_what_the_index_says() {
    let (_token, domain) = token();
    let index = std::fs::read_to_string(folder().join("index.txt")).unwrap();
    assert!(index.lines().count() > 50);
    for line in index.lines() {
        let (name, rest) = line.split_once(": ").unwrap();
        let (expected, _) = rest.split_once(" (").unwrap();
        let masked = std::fs::read(folder().join(name)).unwrap();
        assert_eq!(outcome(&domain, &masked), expected, "{name}");
    }
}

#[test]
fn no_part_and_no_flipped_bit_of_a_masked_object_is_one() {
    let (_token, domain) = token();
    let mut masked = std::fs::read(folder().join("secret-key.masked")).unwrap();
    for length in 0..masked.len() {
        assert_eq!(outcome(&domain, &masked[..length]), "foreign", "{length} bytes");
    }
    for place in 0..masked.len() {
        for bit in 0..8 {
            masked[place] ^= 1 << bit;
            let outcome = outcome(&domain, &masked);
            assert!(!outcome.contains(' '), "bit {bit} of byte {place}: {outcome}");
            masked[place] ^= 1 << bit;
        }
    }
}

/// The script reads its own kit as the index has it, and what the library masks as it was.
#[test]
fn another_reader_agrees() {
    let Some(python) = python() else { return };
    let (token, domain) = token();
    let generate = Way::Generate(Class::SecretKey, KeyType::Aes, CKM_AES_KEY_GEN);
    let place: [(u64, &[u8]); 3] = [(CKA_TOKEN, &[1]), (CKA_KEYSTEAD_MASKABLE, &[1]), (CKA_LABEL, b"key")];
    let data = CKO_DATA.to_ne_bytes();
    let objects: [New; 2] = [
        made(generate, &place).finish_secret(Secret::from_slice(&[7; 32])).unwrap(),
        made(Way::Create, &[(CKA_CLASS, &data), (CKA_TOKEN, &[1]), (CKA_VALUE, &[1; 300])]).finish().unwrap(),
    ];
    let kept = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    let mut files = Vec::new();
    for new in objects {
        expected.push(object(&new.0, new.1.as_ref()));
        let [handle] = token.insert(&USER, Handle::NONE, [new]).unwrap();
        let opened = token.opened(&USER, handle).unwrap();
        files.push(kept.path().join(files.len().to_string()));
        let masked = transfer::mask(&token, &USER, &domain, &opened).unwrap();
        std::fs::write(files.last().unwrap(), masked).unwrap();
    }
    let read = Command::new(python).arg(folder().join("masked.py")).arg("read").args(&files).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    assert_eq!(String::from_utf8(read.stdout).unwrap().lines().collect::<Vec<_>>(), expected);
}

/// The folder is what the script makes.
#[test]
fn the_files_are_those_of_the_script() {
    let Some(python) = python() else { return };
    let copy = tempfile::tempdir().unwrap();
    let script = copy.path().join("masked.py");
    std::fs::copy(folder().join("masked.py"), &script).unwrap();
    assert!(Command::new(python).arg(&script).arg("write").status().unwrap().success());
    let names = |folder: &Path| {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = files.filter(|name| name != "main.rs" && name != "__pycache__").collect();
        names.sort();
        names
    };
    assert_eq!(names(copy.path()), names(&folder()));
    for name in names(&folder()) {
        let [made, kept] = [copy.path(), &folder()].map(|folder| std::fs::read(folder.join(&name)).unwrap());
        assert!(made == kept, "{name} is not what masked.py makes");
    }
}

/// A Python that has `cryptography`: the first in PATH may be another than the system's.
fn python() -> Option<&'static str> {
    let has_it = |python: &&str| {
        Command::new(python).args(["-c", "import cryptography"]).output().is_ok_and(|output| output.status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(has_it);
    if found.is_none() {
        println!("SKIPPED: there is no Python with the package cryptography");
    }
    found
}
