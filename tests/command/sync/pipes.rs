//! A token behind a command, and whoever else may sit there.

use std::fs;
use std::process::Output;

use cryptoki_sys::*;
use keystead::object::Given;
use keystead::object::attribute::CKA_KEYSTEAD_MASKABLE;
use serde_json::json;

use super::{Member, Siblings, counts};
use crate::home::{Home, PIN, SO_PIN, bad, good, says, text};

const SERVE: &str = concat!("exec:", env!("CARGO_BIN_EXE_keystead"), " sync --serve");

/// Puts a key of this value in.
fn known(member: &Member, label: &str, value: &[u8]) {
    let (class, key_type) = (CKO_SECRET_KEY.to_ne_bytes(), CKK_AES.to_ne_bytes());
    let all = [
        (CKA_CLASS, &class[..]),
        (CKA_KEY_TYPE, &key_type),
        (CKA_TOKEN, &[1]),
        (CKA_LABEL, label.as_bytes()),
        (CKA_KEYSTEAD_MASKABLE, &[1]),
        (CKA_VALUE, value),
    ];
    member.module.sessions().create(member.session, &all.map(|(number, value)| Given::new(number, value))).unwrap();
}

/// That nothing of this stands in what travelled.
pub fn nothing_of(secrets: &[&[u8]], travelled: &[u8]) {
    assert!(travelled.len() > 1000, "something travelled");
    for secret in secrets {
        // Half of a value is too much, too.
        let part = &secret[..secret.len().min(8)];
        assert!(!travelled.windows(part.len()).any(|window| window == part), "{:?}", String::from_utf8_lossy(part));
    }
}

/// Tokens with keys of known values, and the values, labels and PINs.
pub fn with_known_keys() -> (Siblings, Vec<Vec<u8>>) {
    let siblings = Siblings::new(&["A", "B"]);
    let a = siblings.member(0);
    let mut secrets: Vec<Vec<u8>> = [PIN, SO_PIN].map(|pin| pin.as_bytes().to_vec()).into();
    for number in 0..20_u8 {
        let value: Vec<u8> =
            (0..32_u8).map(|at| number.wrapping_mul(37).wrapping_add(at.wrapping_mul(29)) ^ 3).collect();
        let label = format!("a name that nobody is to read {number}");
        known(&a, &label, &value);
        secrets.extend([value, label.into_bytes()]);
    }
    (siblings, secrets)
}

#[test]
fn tokens_are_synchronised_through_a_pipe_and_nothing_can_be_read_in_it() {
    let (siblings, secrets) = with_known_keys();
    let secrets: Vec<&[u8]> = secrets.iter().map(Vec::as_slice).collect();
    let (up, down) = (siblings.0.path("up"), siblings.0.path("down"));
    let exe = env!("CARGO_BIN_EXE_keystead");
    let tapped = format!("exec:tee {} | {exe} sync --serve B | tee {}", up.display(), down.display());
    let report = siblings.report(&["A", &tapped]);
    assert_eq!((&report["moved"], &report["to"]["serial"].is_string()), (&counts(20, 0, 0), &true));
    nothing_of(&secrets, &fs::read(&up).unwrap());
    assert_eq!(siblings.alike("A", "B"), Some(20));

    let (a, b) = (siblings.member(0), siblings.member(1));
    let sealed = a.encrypt("a name that nobody is to read 0", b"text");
    assert_eq!(b.decrypt("a name that nobody is to read 0", &sealed).unwrap(), b"text");
    // Back, with a change on each side; then the other way round.
    b.key("of b");
    a.rename("a name that nobody is to read 1", "another name");
    let report = siblings.report(&["A", &tapped, "--both"]);
    assert_eq!((&report["moved"], &report["moved_back"]), (&counts(0, 1, 0), &counts(1, 0, 0)));
    nothing_of(&secrets, &fs::read(&down).unwrap());
    b.destroy("of b");
    assert_eq!(siblings.report(&[&format!("{SERVE} B"), "A"])["moved"], counts(0, 0, 1));
    assert_eq!(siblings.alike("A", "B"), Some(21));
}

#[test]
fn what_stays_on_the_other_side_is_told_from_there() {
    let siblings = Siblings::new(&["A", "B"]);
    siblings.member(1).key_with("stays", &[]);
    let report = siblings.report(&[&format!("{SERVE} B"), "A"]);
    assert_eq!(report["held_back"].as_array().unwrap().len(), 1);
    assert_eq!(report["held_back"][0]["reason"], "CKA_KEYSTEAD_MASKABLE is false");
}

#[test]
fn who_cannot_answer_is_told_from_who_may_not() {
    let siblings = Siblings::new(&["A", "B"]);
    siblings.member(0).key("key");
    let with = |command: &str| text(&siblings.sync(&["A", command]).stderr);
    says(&with("exec:exit 7"), &["before it said anything", "exit status: 7"]);
    for stranger in ["exec:echo Welcome to this machine; cat", "exec:yes", "exec:cat /dev/zero", "exec:cat"] {
        let output = siblings.sync(&["A", stranger]);
        says(&text(&output.stderr), &["keystead: "]);
        assert_eq!(output.status.code(), Some(1), "{stranger}");
    }
    says(&with("exec:echo Welcome to this machine; cat"), &["keystead sync --serve"]);
    says(&with(&format!("{SERVE} nobody")), &["before it said anything", "nobody"]);

    // A token of another domain, and one whose user's PIN is wrong there.
    let other = Siblings::new(&["X"]);
    let serve_x = format!("exec:KEYSTEAD_CONF={} {} X", other.0.path("keystead.toml").display(), &SERVE[5..]);
    says(&with(&serve_x), &["the other side says", "domain"]);
    says(&with(&format!("exec:KEYSTEAD_PIN=guess {} B", &SERVE[5..])), &["user PIN is wrong"]);
    assert!(siblings.member(1).find("key").is_empty());
}

/// What a command answers that a side here did not ask.
fn against(siblings: &Siblings, command: &str) -> Output {
    siblings.sync(&[command, "A"])
}

#[test]
fn what_was_recorded_is_nothing_for_another_conversation() {
    let siblings = Siblings::new(&["A", "B"]);
    let b = siblings.member(1);
    b.key("key");
    let tape = siblings.0.path("tape");
    let recorded = format!("{SERVE} B | tee {}", tape.display());
    assert_eq!(siblings.report(&[&recorded, "A"])["moved"], counts(1, 0, 0));
    b.destroy("key");
    siblings.report(&[&format!("{SERVE} B"), "A"]);
    let a = siblings.member(0);
    assert!(a.find("key").is_empty());
    let replayed = against(&siblings, &format!("exec:cat {}", tape.display()));
    says(&bad(&replayed), &["not from a token of the domain"]);
    assert!(a.find("key").is_empty());

    // Changed on the way.
    b.key("new");
    let output = against(&siblings, &format!("{SERVE} B | dd bs=1 conv=ucase 2>/dev/null"));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(a.find("new").is_empty());
    assert_eq!(siblings.report(&["B", "A"])["moved"], counts(1, 0, 0));
}

#[test]
fn a_side_that_answers_has_its_streams_for_the_other() {
    let home = Home::new();
    home.token("A");
    for words in [&["--json"][..], &["--user-pin-file", "-"], &["--both"], &["--dry-run"], &["B"]] {
        let output = home.run(&[&["sync", "--serve", "A"], words].concat());
        assert_eq!(output.status.code(), Some(2), "{words:?}");
    }
    // Nobody asks.
    let mut serve = home.command(&["sync", "--serve", "A"]);
    says(&bad(&serve.env("KEYSTEAD_PIN", PIN).output().unwrap()), &["before it said anything"]);
}

#[test]
fn tokens_of_two_folders_are_synchronised() {
    let (one, two) = (Siblings::new(&["A"]), Home::new());
    two.token("B");
    let (from, to) = (one.0.store(), two.store());
    let [from, to] = [&from, &to].map(|folder| folder.to_str().unwrap());
    good(&one.command(&["--store", to, "domain", "join", "--from", "A", "--from-store", from]).output().unwrap());
    one.member(0).key("key");
    let report = one.report(&["A", "B", "--from-store", from, "--to-store", to]);
    assert_eq!(report["moved"], counts(1, 0, 0));
    assert_eq!(one.report(&["A", "B", "--to-store", to])["equal"], json!(1));
}
