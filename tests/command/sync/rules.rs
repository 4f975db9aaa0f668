//! What moves, what does not, and what is said of it.

use cryptoki_sys::*;
use keystead::object::attribute::CKA_KEYSTEAD_MASKABLE;
use serde_json::json;

use super::{Siblings, counts};
use crate::home::{bad, good, says, text};

#[test]
fn an_object_becomes_the_same_object_in_the_other_token() {
    let siblings = Siblings::new(&["A", "B"]);
    let a = siblings.member(0);
    a.key("aes");
    a.pair("pair");
    a.data("data", true, b"what it says");
    let report = siblings.report(&["A", "B"]);
    assert_eq!((&report["moved"], &report["equal"]), (&counts(4, 0, 0), &json!(0)));
    assert!(report.get("moved_back").is_none());
    assert_eq!((&report["from"]["name"], &report["to"]["name"]), (&json!("A"), &json!("B")));

    let b = siblings.member(1);
    assert_eq!(b.decrypt("aes", &a.encrypt("aes", b"secret")).unwrap(), b"secret");
    assert_eq!(a.decrypt("aes", &b.encrypt("aes", b"back")).unwrap(), b"back");
    b.verify("pair", b"message", &a.sign("pair", b"message")).unwrap();
    a.verify("pair", b"message", &b.sign("pair", b"message")).unwrap();
    b.verify("pair", b"another", &a.sign("pair", b"message")).unwrap_err();
    assert_eq!(b.attribute(b.only("data"), CKA_VALUE), b"what it says");
    let (here, there) = (a.only("aes"), b.only("aes"));
    for number in [CKA_UNIQUE_ID, CKA_LOCAL, CKA_NEVER_EXTRACTABLE, CKA_ALWAYS_SENSITIVE, CKA_KEY_GEN_MECHANISM] {
        assert_eq!(a.attribute(here, number), b.attribute(there, number));
    }
    assert_eq!(b.attribute(there, CKA_LOCAL), [1]);

    let again = siblings.report(&["A", "B"]);
    assert_eq!((&again["moved"], &again["equal"]), (&counts(0, 0, 0), &json!(4)));
    assert_eq!(siblings.alike("A", "B"), Some(4));
}

#[test]
fn what_was_changed_and_destroyed_moves_too() {
    let siblings = Siblings::new(&["A", "B"]);
    let a = siblings.member(0);
    a.keys(&["stays", "changes", "goes"]);
    siblings.report(&["A", "B"]);
    let b = siblings.member(1);
    let sealed = b.encrypt("changes", b"before");
    a.rename("changes", "changed");
    a.destroy("goes");
    // It is never in B.
    a.key("short");
    a.destroy("short");
    let dry = siblings.report(&["A", "B", "--dry-run"]);
    assert_eq!(b.find("changes").len(), 1, "a dry run changes nothing");
    let report = siblings.report(&["A", "B"]);
    let mut expected = counts(0, 1, 1);
    expected["tombstones"] = json!(1);
    assert_eq!((&report["moved"], &report["equal"]), (&expected, &json!(1)));
    assert_eq!((&dry["moved"], &dry["dry_run"], &report["dry_run"]), (&expected, &json!(true), &json!(false)));
    assert_eq!(b.decrypt("changed", &sealed).unwrap(), b"before");
    assert!(b.find("goes").is_empty() && b.find("changes").is_empty());
    assert_eq!(siblings.alike("A", "B"), Some(4));
}

#[test]
fn both_ways_make_both_equal() {
    let siblings = Siblings::new(&["A", "B"]);
    let (a, b) = (siblings.member(0), siblings.member(1));
    a.keys(&["one", "two", "three", "four"]);
    siblings.report(&["A", "B"]);
    a.key("of a");
    b.key("of b");
    a.rename("one", "one by a");
    b.rename("two", "two by b");
    a.destroy("three");
    b.destroy("four");
    let one_way = siblings.report(&["A", "B", "--dry-run"]);
    assert_eq!((&one_way["older"], &one_way["stay_destroyed"]), (&json!(1), &json!(1)));
    let foreseen = siblings.report(&["A", "B", "--both", "--dry-run"]);
    let report = siblings.report(&["A", "B", "--both"]);
    assert_eq!((&report["moved"], &report["moved_back"]), (&counts(1, 1, 1), &counts(1, 1, 1)));
    assert_eq!((&report["older"], &report["stay_destroyed"]), (&json!(0), &json!(0)));
    for part in ["moved", "moved_back"] {
        assert_eq!(foreseen[part], report[part]);
    }
    for member in [&a, &b] {
        for label in ["of a", "of b", "one by a", "two by b"] {
            member.only(label);
        }
        assert!(member.find("three").is_empty() && member.find("four").is_empty());
    }
    assert_eq!(siblings.alike("A", "B"), Some(6));
}

#[test]
fn three_tokens_in_a_ring_end_equal() {
    let siblings = Siblings::new(&["A", "B", "C"]);
    let members = [0, 1, 2].map(|slot| siblings.member(slot));
    let ring = || {
        for (from, to) in [("A", "B"), ("B", "C"), ("C", "A"), ("A", "B"), ("B", "C")] {
            siblings.report(&[from, to]);
        }
    };
    for (at, member) in members.iter().enumerate() {
        for what in ["kept", "changed", "destroyed"] {
            member.key(&format!("{what} of {at}"));
        }
        member.pair(&format!("pair of {at}"));
    }
    ring();
    let sealed: Vec<_> = (0..3).map(|at| members[at].encrypt(&format!("kept of {at}"), b"before")).collect();
    // Each changes and destroys what another has made, and makes something itself.
    for (at, member) in members.iter().enumerate() {
        let other = (at + 1) % 3;
        member.rename(&format!("changed of {other}"), &format!("renamed by {at}"));
        member.destroy(&format!("destroyed of {other}"));
        member.key(&format!("late of {at}"));
    }
    ring();
    for (one, other) in [("A", "B"), ("B", "C"), ("C", "A")] {
        // Of each: a kept, a changed and a late key, a pair, a tombstone.
        assert_eq!(siblings.alike(one, other), Some(3 * 6));
    }
    for member in &members {
        for at in 0..3 {
            assert_eq!(member.decrypt(&format!("kept of {at}"), &sealed[at]).unwrap(), b"before");
            let signature = members[at].sign(&format!("pair of {at}"), b"message");
            member.verify(&format!("pair of {at}"), b"message", &signature).unwrap();
            let late = members[at].encrypt(&format!("late of {at}"), b"late");
            assert_eq!(member.decrypt(&format!("late of {at}"), &late).unwrap(), b"late");
            member.only(&format!("renamed by {at}"));
            assert!(member.find(&format!("destroyed of {at}")).is_empty());
        }
    }
}

#[test]
fn a_change_on_both_sides_is_a_tie_that_all_decide_alike() {
    let siblings = Siblings::new(&["A", "B", "C"]);
    let (a, b) = (siblings.member(0), siblings.member(1));
    a.key("key");
    siblings.report(&["A", "B"]);
    siblings.report(&["A", "C"]);
    a.rename("key", "by a");
    b.rename("key", "by b");
    let report = siblings.report(&["A", "B", "--both"]);
    assert_eq!(report["ties"].as_array().unwrap().len(), 1);
    assert_eq!((&report["complete"], &report["moved_back"]), (&json!(true), &counts(0, 1, 0)));
    let label = report["ties"][0]["label"].as_str().unwrap().to_owned();
    assert!(["by a", "by b"].contains(&&*label), "{label}");
    assert_eq!((a.find(&label).len(), b.find(&label).len()), (1, 1));
    assert_eq!(siblings.alike("A", "B"), Some(1));
    assert_eq!(siblings.report(&["B", "C"])["moved"], counts(0, 1, 0));
    assert_eq!(siblings.alike("A", "C"), Some(1));
}

#[test]
fn what_stays_inside_is_held_back_and_said() {
    let siblings = Siblings::new(&["A", "B"]);
    let a = siblings.member(0);
    a.key("travels");
    a.key_with("stays", &[(CKA_KEYSTEAD_MASKABLE, &[0])]);
    // Nobody asked, and it is not extractable.
    a.key_with("stays too", &[]);
    let output = siblings.sync(&["A", "B"]);
    assert_eq!(output.status.code(), Some(3));
    says(&text(&output.stderr), &["2 held back", "docs/sync.md"]);
    says(&text(&output.stdout), &["held back\t2: CKA_KEYSTEAD_MASKABLE is false", "moved\t1 new"]);
    let report = siblings.report(&["A", "B"]);
    let held_back = report["held_back"].as_array().unwrap();
    let mut labels: Vec<_> = held_back.iter().map(|held| held["label"].as_str().unwrap()).collect();
    labels.sort_unstable();
    assert_eq!(labels, ["stays", "stays too"]);
    let b = siblings.member(1);
    assert!(b.find("stays").is_empty() && b.find("stays too").is_empty());
    // Said afterwards, it goes no further; what is there stays there.
    a.change(a.only("travels"), CKA_KEYSTEAD_MASKABLE, &[0]).unwrap();
    assert_eq!(siblings.report(&["A", "B"])["held_back"].as_array().unwrap().len(), 3);
    b.only("travels");
}

#[test]
fn no_earlier_state_frees_a_key() {
    let siblings = Siblings::new(&["A", "B"]);
    let (a, b) = (siblings.member(0), siblings.member(1));
    a.key_with("key", &[(CKA_KEYSTEAD_MASKABLE, &[1]), (CKA_EXTRACTABLE, &[1])]);
    siblings.report(&["A", "B"]);
    // A says so once; B changes something else more often.
    a.change(a.only("key"), CKA_EXTRACTABLE, &[0]).unwrap();
    ["one", "two", "key"].iter().fold("key", |from, to| {
        b.rename(from, to);
        to
    });
    let report = siblings.report(&["A", "B", "--both"]);
    assert_eq!((&report["moved"], &report["moved_back"]), (&counts(0, 1, 0), &counts(0, 1, 0)));
    for member in [&a, &b] {
        assert_eq!(member.attribute(member.only("key"), CKA_EXTRACTABLE), [0]);
    }
    assert_eq!(siblings.alike("A", "B"), Some(1));
}

#[test]
fn sides_that_cannot_be_synchronised_are_refused_with_the_next_step() {
    let siblings = Siblings::new(&["A", "B"]);
    siblings.0.token("stranger");
    let refused = |words: &[&str]| text(&siblings.sync(words).stderr);
    says(&bad(&siblings.sync(&["A", "A"])), &["same token"]);
    says(&refused(&["A", "stranger"]), &["in no domain", "together", "keystead domain join"]);
    says(&refused(&["A", "B", "--domain", "other"]), &["in no domain", "other"]);
    says(&refused(&["A", "nobody"]), &["nobody"]);
    for words in [&["a.keystead", "-"][..], &["exec:true", "b.keystead"], &["A", "b.keystead", "--both"], &["A"]] {
        assert_eq!(siblings.sync(words).status.code(), Some(2), "{words:?}");
    }
    good(&siblings.sync(&["A", "pkcs11:token=B"]));
    let mut wrong = siblings.command(&["sync", "A", "B"]);
    let output = wrong.env("KEYSTEAD_FROM_PIN", "guess").output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    says(&text(&output.stderr), &["user PIN is wrong"]);
}

#[test]
fn two_domains_at_once_want_a_name() {
    let siblings = Siblings::new(&["A", "B"]);
    good(&siblings.command(&["domain", "create", "--name", "second", "--token", "A"]).output().unwrap());
    let join = ["domain", "join", "--token", "B", "--from", "A", "--domain", "second", "--name", "other name"];
    good(&siblings.command(&join).output().unwrap());
    siblings.member(0).key("key");
    says(&bad(&siblings.sync(&["A", "B"])), &["production", "second", "--domain"]);
    // Either side's name will do.
    for name in ["second", "other name", "production"] {
        siblings.report(&["A", "B", "--domain", name]);
    }
    assert_eq!(siblings.report(&["A", "B", "--domain", "second"])["equal"], json!(1));
}
