//! Bundles in files and pipes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use cryptoki_sys::CKA_KEY_TYPE;
use serde_json::json;

use super::pipes::{nothing_of, with_known_keys};
use super::{Siblings, counts};
use crate::home::{bad, good, says, text};

#[test]
fn a_bundle_brings_a_token_to_another_and_nothing_can_be_read_in_it() {
    let (siblings, secrets) = with_known_keys();
    let secrets: Vec<&[u8]> = secrets.iter().map(Vec::as_slice).collect();
    let a = siblings.member(0);
    a.pair("pair");
    a.key("gone");
    a.destroy("gone");
    let file = siblings.0.path("a.keystead");
    let name = file.to_str().unwrap();
    let written = siblings.report(&["A", name]);
    // 20 keys, a pair and a tombstone.
    assert_eq!(written["moved"], counts(23, 0, 0));
    let bytes = fs::read(&file).unwrap();
    nothing_of(&secrets, &bytes);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    says(&bad(&siblings.sync(&["A", name])), &["is there already", "--force"]);
    siblings.report(&["A", name, "--force"]);

    let b = siblings.member(1);
    let mut expected = counts(22, 0, 0);
    expected["tombstones"] = json!(1);
    assert_eq!(siblings.report(&[name, "B", "--dry-run"])["moved"], expected);
    assert!(b.find("pair").is_empty());
    let read = siblings.report(&[name, "B"]);
    assert_eq!((&read["moved"], &read["from"]["serial"]), (&expected, &written["from"]["serial"]));
    assert_eq!(siblings.report(&[&format!("file:{name}"), "B"])["equal"], json!(23));
    assert_eq!(siblings.alike("A", "B"), Some(23));
    a.verify("pair", b"message", &b.sign("pair", b"message")).unwrap();

    // What was destroyed since does not come back by it.
    b.destroy("pair");
    let late = siblings.report(&[name, "B"]);
    assert_eq!((&late["moved"], &late["stay_destroyed"]), (&counts(0, 0, 0), &json!(2)));
    assert!(b.find("pair").is_empty());
}

#[test]
fn a_bundle_goes_through_a_pipe() {
    let siblings = Siblings::new(&["A", "B"]);
    let a = siblings.member(0);
    a.keys(&["one", "two", "three"]);
    let mut from = siblings.command(&["sync", "A", "-"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut to = siblings.command(&["sync", "-", "B", "--json"]);
    let output = to.stdin(from.stdout.take().unwrap()).output().unwrap();
    assert!(from.wait().unwrap().success());
    let report: serde_json::Value = serde_json::from_str(&good(&output)).unwrap();
    assert_eq!(report["moved"], counts(3, 0, 0));
    for words in [&["A", "-", "--json"][..], &["-", "B", "--user-pin-file", "-"]] {
        assert_eq!(siblings.sync(words).status.code(), Some(2), "{words:?}");
    }
}

#[test]
fn a_bundle_that_is_not_whole_is_told_from_one_that_is() {
    let siblings = Siblings::new(&["A", "B"]);
    let a = siblings.member(0);
    // More than a batch.
    for number in 0..300 {
        a.key(&format!("key {number}"));
    }
    let file = siblings.0.path("a.keystead");
    let name = file.to_str().unwrap();
    siblings.report(&["A", name]);
    let bytes = fs::read(&file).unwrap();
    let refused = |bytes: &[u8], words: &[&str]| {
        fs::write(&file, bytes).unwrap();
        let output = siblings.sync(&[name, "B"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        says(&text(&output.stderr), words);
        text(&output.stdout)
    };
    let b = siblings.member(1);
    let came = || b.search(&[(CKA_KEY_TYPE, &cryptoki_sys::CKK_AES.to_ne_bytes())]).len();
    // Nothing that can be believed.
    refused(b"", &["ends too early"]);
    refused(b"Not a bundle, but somebody's shopping list", &["no bundle"]);
    refused(&bytes[..100], &["ends too early"]);
    let mut changed = bytes.clone();
    // A byte of its header.
    changed[70] ^= 1;
    refused(&changed, &["bundle"]);
    assert_eq!(came(), 0);
    // What came before the cut is here, and is told.
    let told = refused(&bytes[..bytes.len() / 2], &["ends too early", "what came whole before that stays"]);
    let some = came();
    assert!((100..200).contains(&some), "{some}");
    says(&told, &[&format!("moved\t{some} new")]);
    // All of it, and still not the end; or more than the end.
    refused(&bytes[..bytes.len() - 1], &["ends too early"]);
    refused(&[&bytes[..], b"more"].concat(), &["something follows its end"]);
    assert_eq!(came(), 300);
    fs::write(&file, &bytes).unwrap();
    assert_eq!(siblings.report(&[name, "B"])["equal"], json!(300));
}

#[test]
fn a_bundle_of_another_domain_is_refused() {
    let (siblings, other) = (Siblings::new(&["A"]), Siblings::new(&["X"]));
    other.member(0).key("key");
    let file = other.0.path("x.keystead");
    let name = file.to_str().unwrap();
    other.report(&["X", name]);
    says(&bad(&siblings.sync(&[name, "A"])), &["domain"]);
    assert!(siblings.member(0).find("key").is_empty());
}

#[test]
fn a_reader_made_from_the_page_alone_comes_to_the_same() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bundles/read.py");
    match Command::new("python3").arg(script).output() {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(error) => println!("SKIPPED: there is no python3: {error}"),
    }
}
