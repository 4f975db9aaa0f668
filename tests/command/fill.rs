//! `keystead token fill`

use std::collections::BTreeSet;

use crate::home::{Home, PIN, bad, field, good, says};

#[test]
fn so_many_keys_are_made_each_with_a_label_of_its_own() {
    let home = Home::new();
    home.token("Large");
    let fill = |words: &[&str], pin: &str| {
        let mut command = home.command(&[&["token", "fill", "Large"], words].concat());
        command.env("KEYSTEAD_PIN", pin).output().unwrap()
    };
    let report: serde_json::Value = serde_json::from_str(&good(&fill(&["--objects", "100", "--json"], PIN))).unwrap();
    assert_eq!((&report["slot"], &report["objects"]), (&0.into(), &100.into()));
    let listed = good(&home.command(&["key", "list", "--login"]).env("KEYSTEAD_PIN", PIN).output().unwrap());
    let labels: BTreeSet<String> = listed.lines().map(|line| field(line, 3)).collect();
    assert_eq!(labels, (0..100).map(|number| format!("filled {number}")).collect());
    assert!(listed.lines().all(|line| line.contains("AES") && line.contains("sensitive")), "{listed}");
    says(&bad(&fill(&["--objects", "1"], "guess")), &["user PIN is wrong"]);
    assert_eq!(fill(&["--objects", "1", "--threads", "0"], PIN).status.code(), Some(2));
}
