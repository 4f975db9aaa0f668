//! `keystead token init`

use std::io::Write;
use std::process::Stdio;

use cryptoki_sys::{CKA_CLASS, CKO_DATA};
use keystead::error::Error;
use keystead::key::Login;
use keystead::object::{Given, Search};

use crate::home::{Home, PIN, SO_PIN, bad, field, good, says};

#[test]
fn without_a_pin_nothing_is_made() {
    let home = Home::new();
    let init = ["token", "init", "--label", "A"];
    says(&home.bad(&init), &["no terminal", "SO PIN", "--so-pin-file", "KEYSTEAD_SO_PIN"]);
    let only_so = home.command(&init).env("KEYSTEAD_SO_PIN", SO_PIN).output().unwrap();
    says(&bad(&only_so), &["no terminal", "user PIN", "--user-pin-file", "KEYSTEAD_PIN"]);
    let unset = [&init[..], &["--so-pin-env", "NOT_SET"]].concat();
    says(&home.bad(&unset), &["NOT_SET", "not set"]);
    let absent = [&init[..], &["--so-pin-file", "/absent"]].concat();
    says(&home.bad(&absent), &["SO PIN", "/absent", "No such file"]);
    let short = home.command(&init).env("KEYSTEAD_SO_PIN", SO_PIN).env("KEYSTEAD_PIN", "123").output().unwrap();
    says(&bad(&short), &["user PIN", "3 bytes", "4 to 255"]);
    assert!(!home.store().exists());
}

#[test]
fn pins_come_from_the_environment_or_standard_input() {
    let home = Home::new();
    home.token("defaults");
    let named = home
        .command(&["token", "init", "--label", "named", "--so-pin-env", "THEIRS", "--user-pin-env", "OURS"])
        // An option wins over the default variables.
        .envs([("THEIRS", "12345678"), ("OURS", "87654321"), ("KEYSTEAD_SO_PIN", "unused"), ("KEYSTEAD_PIN", "unused")])
        .output()
        .unwrap();
    good(&named);
    let mut piped = home.command(&["token", "init", "--label", "x", "--so-pin-file", "-", "--user-pin-file", "-"]);
    let mut child = piped.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"first line\r\nsecond line\nthird").unwrap();
    good(&child.wait_with_output().unwrap());
    for (slot, so_pin, pin) in [(0, SO_PIN, PIN), (1, "12345678", "87654321"), (2, "first line", "second line")] {
        assert_eq!(home.login(slot, Login::So, so_pin), Ok(()));
        assert_eq!(home.login(slot, Login::User, pin), Ok(()));
    }
}

#[test]
fn further_tokens_get_slots_of_their_own() {
    let home = Home::new();
    home.token("A");
    home.token("B");
    home.token("B");
    let listed = home.json(&["token", "list"]);
    let column = |name: &str| listed.as_array().unwrap().iter().map(|token| token[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("slot"), [0, 1, 2]);
    assert_eq!(column("label"), ["A", "B", "B"]);
    let mut serials = column("serial").iter().map(|serial| serial.to_string()).collect::<Vec<_>>();
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), 3);
    says(&home.bad(&["token", "show", "B"]), &["2 tokens", "1, 2"]);
    assert_eq!(home.json(&["token", "show", "2"])["slot"], 2);
    // What programs see: no blank slot beside the tokens.
    assert_eq!(home.module().slots().list(true), [0, 1, 2]);
}

#[test]
fn tokens_made_at_once_all_come_to_be() {
    let home = Home::new();
    let mut labels: Vec<String> = (0..6).map(|number| format!("Token {number}")).collect();
    let children: Vec<_> = labels.iter().map(|label| home.init(label).stdout(Stdio::null()).spawn().unwrap()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let mut listed: Vec<String> = home.good(&["token", "list"]).lines().map(|line| field(line, 1)).collect();
    listed.sort();
    labels.sort();
    assert_eq!(listed, labels);
}

#[test]
fn a_token_is_made_anew_only_by_its_so_and_on_purpose() {
    let home = Home::new();
    home.token("Old");
    let serial = home.json(&["token", "show", "0"])["serial"].clone();
    put_data(&home);
    assert_eq!(count_data(&home), 1);

    says(&bad(&home.init("New").args(["--slot", "0"]).output().unwrap()), &["\"Old\"", "destroyed", "--yes"]);
    let wrong = home.init("New").args(["--slot", "0", "--yes"]).env("KEYSTEAD_SO_PIN", "guess").output().unwrap();
    says(&bad(&wrong), &["SO PIN is wrong", "counted"]);
    assert_eq!(home.json(&["token", "show", "0"])["so_pin"], "some-wrong");
    says(&bad(&home.init("New").args(["--slot", "7", "--yes"]).output().unwrap()), &["no slot 7"]);
    assert_eq!((count_data(&home), home.json(&["token", "show", "0"])["label"].clone()), (1, "Old".into()));

    let anew = home.init("New").args(["--slot", "0", "--yes"]).env("KEYSTEAD_PIN", "another").output().unwrap();
    good(&anew);
    let shown = home.json(&["token", "show", "0"]);
    assert_eq!((&shown["label"], &shown["serial"], &shown["so_pin"]), (&"New".into(), &serial, &"set".into()));
    assert_eq!(count_data(&home), 0);
    assert_eq!(home.login(0, Login::User, PIN), Err(Error::PinIncorrect));
    assert_eq!(home.login(0, Login::User, "another"), Ok(()));
    assert_eq!(home.json(&["token", "list"]).as_array().unwrap().len(), 1);
}

/// Puts a public data object into slot 0.
fn put_data(home: &Home) {
    let module = home.module();
    let session = module.open_session(0, true).unwrap();
    let class = cryptoki_sys::CKO_DATA.to_ne_bytes();
    let given = [(cryptoki_sys::CKA_CLASS, &class[..]), (cryptoki_sys::CKA_TOKEN, &[1])];
    let given = given.map(|(number, value)| Given::new(number, value));
    module.sessions().create(session, &given).unwrap();
}

fn count_data(home: &Home) -> usize {
    let module = home.module();
    let session = module.open_session(0, false).unwrap();
    let class = CKO_DATA.to_ne_bytes();
    let data = Given::new(CKA_CLASS, &class);
    module.sessions().find_init(session, Search::new(&[data])).unwrap();
    module.sessions().find_next(session, 10).unwrap().len()
}
