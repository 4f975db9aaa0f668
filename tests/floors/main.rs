//! The house keeps its floors: what a room may use, where globals, `unsafe` and foreign crates may be, and who opens the
//! doors to key material. Read from the sources, so that a wish to make an exception has to be written here.

// A test says what it expects by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod sources;

use std::collections::BTreeSet;

use sources::Source;

/// The rooms of each floor, the ground floor first. A room may use every room below its own floor.
const FLOORS: [&[&str]; 6] = [
    &["crypto", "store", "fork", "config", "error", "secret", "log", "handle", "lock", "system"],
    &["key", "seal"],
    &["object", "mechanism"],
    &["token", "transfer"],
    &["module", "slot", "session"],
    &["abi", "bin"],
];

/// What a room may use on its own floor.
const BESIDE: [(&str, &[&str]); 8] = [
    ("module", &["slot", "session"]),
    ("session", &["slot"]),
    ("transfer", &["token"]),
    ("mechanism", &["object"]),
    ("crypto", &["secret", "fork"]),
    // The hash, for the witness.
    ("store", &["secret", "fork", "system", "crypto"]),
    ("log", &["system"]),
    ("config", &["system", "secret"]),
];

/// What every room may use.
const FOR_ALL: [&str; 4] = ["error", "log", "lock", "handle"];

/// The gate is pure decision: no store, no locks.
const NEVER: [(&str, &[&str]); 2] = [("key", &["store", "lock", "fork", "config"]), ("seal", &["lock", "config"])];

/// Crates that belong to certain rooms.
const CRATES: [(&str, &[&str]); 29] = [
    ("aes", &["crypto"]),
    ("aes_kw", &["crypto"]),
    ("age", &["bin"]),
    ("argon2", &["crypto"]),
    ("aws_lc_rs", &["crypto"]),
    ("aws_lc_sys", &["crypto"]),
    ("clap", &["bin"]),
    ("clap_complete", &["bin"]),
    ("clap_mangen", &["bin"]),
    ("cmac", &["crypto"]),
    ("comfy_table", &["bin"]),
    // Rooms that know PKCS#11.
    ("cryptoki_sys", &["key", "object", "mechanism", "token", "transfer", "module", "slot", "session", "abi", "bin"]),
    ("ed25519_dalek", &["crypto"]),
    ("hpke", &["crypto"]),
    ("jose_jwk", &["bin"]),
    ("pem_rfc7468", &["transfer", "bin"]),
    ("pkcs8", &["bin"]),
    ("rand", &["crypto"]),
    ("rpassword", &["bin"]),
    ("rusqlite", &["store"]),
    ("scrypt", &["bin"]),
    ("sec1", &["bin"]),
    ("serde", &["config", "bin"]),
    ("serde_json", &["bin"]),
    ("sha1", &["crypto"]),
    ("sha2", &["crypto"]),
    ("sha3", &["crypto"]),
    ("ssh_key", &["bin"]),
    ("toml", &["config", "bin"]),
];

/// Every `static` outside `abi`, each with its reason.
const STATICS: [(&str, &str, &str); 11] = [
    ("src/crypto/random.rs", "GENERATOR", "each thread's generator of bytes that are handed out"),
    ("src/fork/mod.rs", "PAGE", "the page of the state word, one a process"),
    ("src/fork/gate.rs", "GATES", "`pthread_atfork` takes no argument"),
    ("src/fork/gate.rs", "HANDLERS", "`pthread_atfork` is for ever, so it is called once"),
    ("src/fork/gate.rs", "INSIDE", "tells a fork from inside a call, by thread"),
    ("src/fork/gate.rs", "SHUT", "holds the gates from before a fork until after it, by thread"),
    ("src/crypto/ffi/thread.rs", "THREADS", "the gate before AWS-LC's lock, which is the process's"),
    ("src/crypto/ffi/thread.rs", "SETTLED", "what AWS-LC keeps for a thread ends with it"),
    ("src/lock.rs", "HELD", "the ranks that a thread holds, in builds with assertions only"),
    ("src/store/sqlite/gate.rs", "GATE", "the gate before SQLite, whose state is the process's"),
    ("src/store/sqlite/gate.rs", "REGISTRY", "the connections that a fork closes"),
];

/// Where `unsafe` is, each with its reason.
const UNSAFE: [(&str, &str); 10] = [
    ("src/abi/", "the caller's pointers"),
    ("src/crypto/ffi/", "AWS-LC"),
    ("src/crypto/in_out.rs", "the caller's buffers, which may overlap"),
    ("src/fork/", "the page of the state word"),
    ("src/store/sqlite/system.rs", "SQLite's system calls and those of the store"),
    ("src/store/sqlite/descriptors.rs", "SQLite's way to open and close"),
    ("src/store/sqlite/notice.rs", "the mapped header of the WAL's index"),
    ("src/bin/keystead/migrate/foreign/", "the functions of another module"),
    ("src/system.rs", "questions to the operating system"),
    ("src/secret.rs", "the pool of locked pages"),
];

/// Who opens the five doors of `key::material`, and who makes material of material.
const DOORS: [(&str, &[&str]); 6] = [
    ("for_use", &["src/mechanism/prepared.rs"]),
    ("for_wrapping", &["src/mechanism/prepared.rs"]),
    ("for_passing", &["src/mechanism/prepared.rs"]),
    ("for_reading", &["src/token/opened.rs"]),
    ("for_sealing", &["src/token/objects.rs"]),
    ("copy_for", &["src/token/objects.rs"]),
];

/// Who unseals the value of a key that the store holds.
const UNSEALERS: [&str; 1] = ["src/token/opened.rs"];

/// The tour through everything would itself be wrong if it saw nothing.
#[test]
fn sources_are_found() {
    let sources = Source::all();
    assert!(sources.len() > 40, "{} files", sources.len());
    assert!(sources.iter().any(|source| source.room == "store" && source.uses.iter().any(|used| used.room == "error")));
    let reached = sources::reached();
    let orphans = sources::files().into_iter().filter(|file| !reached.contains(file)).collect::<Vec<_>>();
    assert_eq!(orphans, Vec::<String>::new(), "files that no `mod` names");
}

#[test]
fn every_room_has_a_floor() {
    for source in Source::all() {
        assert!(source.room == "lib" || floor(&source.room).is_some(), "{} is in no room of the house", source.file);
    }
}

#[test]
fn arrows_go_down_only() {
    let mut wrong = BTreeSet::new();
    for source in Source::all() {
        for used in &source.uses {
            if !may_use(&source.room, &used.room) {
                wrong.insert(format!("{}:{}: {} uses {}", source.file, used.line, source.room, used.room));
            }
        }
    }
    assert!(wrong.is_empty(), "edges that DESIGN.md does not allow:\n{}", joined(&wrong));
}

#[test]
fn crates_stay_in_their_rooms() {
    let mut wrong = BTreeSet::new();
    for source in Source::all() {
        for (name, rooms) in CRATES {
            if let Some(line) = source.crates.get(name).filter(|_| !rooms.contains(&source.room.as_str())) {
                wrong.insert(format!("{}:{line}: {} uses the crate {name}", source.file, source.room));
            }
        }
    }
    assert!(wrong.is_empty(), "crates outside their rooms:\n{}", joined(&wrong));
}

#[test]
fn globals_are_known() {
    let sources = Source::all();
    let found: BTreeSet<(&str, &str)> = sources
        .iter()
        .filter(|source| source.room != "abi")
        .flat_map(|source| source.statics.iter().map(|name| (source.file.as_str(), name.as_str())))
        .collect();
    let allowed: BTreeSet<(&str, &str)> = STATICS.iter().map(|(file, name, _)| (*file, *name)).collect();
    assert_eq!(found, allowed, "what is process-wide below `abi`, and the list of it here");
}

#[test]
fn unsafe_is_in_its_places() {
    let sources = Source::all();
    let with_unsafe: Vec<&str> =
        sources.iter().filter(|source| source.has_unsafe).map(|source| &*source.file).collect();
    let allowed = |file: &str| UNSAFE.iter().any(|(place, _)| file.starts_with(place));
    let wrong: Vec<_> = with_unsafe.iter().filter(|file| !allowed(file)).collect();
    assert!(wrong.is_empty(), "`unsafe` in {wrong:?}");
    for (place, reason) in UNSAFE {
        let used = with_unsafe.iter().any(|file| file.starts_with(place));
        let planned = ["src/abi/", "src/secret.rs"].contains(&place);
        assert!(used || planned, "{place} has no `unsafe` any more ({reason})");
    }
}

#[test]
fn key_material_leaves_by_known_doors() {
    let sources = Source::all();
    for (door, callers) in DOORS {
        let found: BTreeSet<&str> = sources
            .iter()
            .filter(|source| source.file != "src/key/material.rs" && source.calls.contains(door))
            .map(|source| &*source.file)
            .collect();
        assert_eq!(found, callers.iter().copied().collect(), "callers of KeyMaterial::{door}");
    }
    let material = sources.iter().find(|source| source.file == "src/key/material.rs").expect("the doors are there");
    let doors: BTreeSet<&str> = DOORS.iter().map(|(door, _)| *door).collect();
    let no_doors = ["new", "length", "is_same"];
    let public: BTreeSet<&str> =
        material.public_functions.iter().map(String::as_str).filter(|name| !no_doors.contains(name)).collect();
    assert_eq!(public, doors, "the public functions of key::material");
    let unsealers: BTreeSet<&str> = sources
        .iter()
        .filter(|source| !source.file.starts_with("src/seal/") && source.calls.contains("unseal"))
        .map(|source| &*source.file)
        .collect();
    assert_eq!(unsealers, UNSEALERS.into(), "callers of SealedMaterial::unseal");
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn may_use(room: &str, used: &str) -> bool {
    // `src/lib.rs` is the map of all rooms.
    if room == used || room == "lib" || FOR_ALL.contains(&used) && !listed(&NEVER, room, used) {
        return true;
    }
    if listed(&NEVER, room, used) {
        return false;
    }
    floor(used) < floor(room) && floor(used).is_some() || listed(&BESIDE, room, used)
}

fn listed(list: &[(&str, &[&str])], room: &str, used: &str) -> bool {
    list.iter().any(|(name, rooms)| *name == room && rooms.contains(&used))
}

fn joined(lines: &BTreeSet<String>) -> String {
    lines.iter().map(|line| format!("  {line}\n")).collect()
}
