//! `keystead token change-pin` and `keystead token unlock`

use std::fs;
use std::io::Write;
use std::process::Stdio;

use keystead::error::Error;
use keystead::key::Login;

use crate::home::{Home, PIN, SO_PIN, bad, good, says};

#[test]
fn a_pin_is_changed_by_who_knows_it() {
    let home = Home::new();
    home.token("A");
    home.token("B");
    let change = |words: &[&str]| home.command(&[&["token", "change-pin"], words].concat());
    good(&change(&["A"]).env("KEYSTEAD_PIN", PIN).env("KEYSTEAD_NEW_PIN", "user's new").output().unwrap());
    assert_eq!(home.login(0, Login::User, PIN), Err(Error::PinIncorrect));
    assert_eq!(home.login(0, Login::User, "user's new"), Ok(()));
    assert_eq!(home.login(0, Login::So, SO_PIN), Ok(()));
    assert_eq!(home.login(1, Login::User, PIN), Ok(()));

    fs::write(home.path("old"), format!("{SO_PIN}\n")).unwrap();
    let old = home.path("old");
    let mut piped = change(&["pkcs11:token=A", "--so", "--json", "--new-pin-file", "-", "--old-pin-file"]);
    piped.arg(old).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"officer's new\n").unwrap();
    let printed = good(&child.wait_with_output().unwrap());
    assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).unwrap()["slot"], 0);
    assert_eq!(home.login(0, Login::So, "officer's new"), Ok(()));
    assert_eq!(home.login(0, Login::User, "user's new"), Ok(()));
    assert_eq!(home.login(1, Login::So, SO_PIN), Ok(()));
}

#[test]
fn a_wrong_pin_changes_nothing_and_says_how_many_tries_are_left() {
    let home = Home::with_settings("user-tries = 3\nso-tries = 2");
    home.token("A");
    let change = |pin: &str, so: bool| {
        let mut command = home.command(&["token", "change-pin", "A"]);
        command.args(so.then_some("--so")).env("KEYSTEAD_NEW_PIN", "new one");
        command.env(if so { "KEYSTEAD_SO_PIN" } else { "KEYSTEAD_PIN" }, pin);
        bad(&command.output().unwrap())
    };
    says(&change("guess", false), &["user PIN is wrong", "counted", "2 tries are left"]);
    says(&change("guess", false), &["one try is left"]);
    says(&change("guess", false), &["the PIN is locked now"]);
    says(&change(PIN, false), &["user PIN is locked", "keystead token unlock"]);
    says(&change("guess", true), &["SO PIN is wrong", "one try is left"]);
    assert_eq!(home.json(&["token", "show", "A"])["so_pin"], "last-try");
    says(&change("guess", true), &["the PIN is locked now"]);
    says(&change(SO_PIN, true), &["SO PIN is locked", "--without-pin"]);
}

#[test]
fn what_is_missing_is_said() {
    let home = Home::new();
    says(&home.bad(&["token", "change-pin", "A"]), &["no token yet"]);
    home.token("A");
    for what in ["change-pin", "unlock", "destroy"] {
        says(&home.bad(&["token", what, "B", "--json"]), &["\"B\"", "keystead token list"]);
        says(&home.bad(&["token", what, "pkcs11:token=B"]), &["pkcs11:token=B"]);
        says(&home.bad(&["token", what, "pkcs11:tokens=A"]), &["tokens=A"]);
        says(&home.bad(&["token", what, "pkcs11:object=A"]), &["an object, not a token"]);
    }
    says(&home.bad(&["token", "change-pin", "A"]), &["no terminal", "user PIN", "--old-pin-file", "KEYSTEAD_PIN"]);
    let no_new = home.command(&["token", "change-pin", "A"]).env("KEYSTEAD_PIN", PIN).output().unwrap();
    says(&bad(&no_new), &["no terminal", "--new-pin-file", "KEYSTEAD_NEW_PIN"]);
    says(&home.bad(&["token", "unlock", "A"]), &["no terminal", "SO PIN", "--so-pin-file"]);
    let short =
        home.command(&["token", "change-pin", "A"]).env("KEYSTEAD_PIN", PIN).env("KEYSTEAD_NEW_PIN", "x").output();
    says(&bad(&short.unwrap()), &["user PIN", "1 bytes", "4 to 255"]);
    assert_eq!(home.login(0, Login::User, PIN), Ok(()));
}

#[test]
fn the_so_unlocks_what_the_user_has_locked() {
    let home = Home::with_settings("user-tries = 2");
    home.token("A");
    let unlock = |so_pin: &str, pin: &str| {
        let mut command = home.command(&["token", "unlock", "0"]);
        command.env("KEYSTEAD_SO_PIN", so_pin).env("KEYSTEAD_PIN", pin).output().unwrap()
    };
    for left in ["one try is left", "locked now"] {
        let mut change = home.command(&["token", "change-pin", "A"]);
        change.env("KEYSTEAD_PIN", "guess").env("KEYSTEAD_NEW_PIN", "new one");
        says(&bad(&change.output().unwrap()), &[left]);
    }
    assert_eq!(home.json(&["token", "show", "0"])["user_pin"], "locked");
    says(&bad(&unlock("guess", "another")), &["SO PIN is wrong", "9 tries are left"]);
    says(&good(&unlock(SO_PIN, "another")), &["user PIN is the new one", "keys are as they were"]);
    assert_eq!(home.json(&["token", "show", "0"])["user_pin"], "set");
    assert_eq!(home.login(0, Login::User, "another"), Ok(()));

    // One that was never set.
    home.module().slots().init_token(0, SO_PIN.as_bytes(), [b'A'; 32]).unwrap();
    let mut change = home.command(&["token", "change-pin", "0"]);
    change.env("KEYSTEAD_PIN", PIN).env("KEYSTEAD_NEW_PIN", "new one");
    says(&bad(&change.output().unwrap()), &["no user PIN yet", "keystead token unlock"]);
    good(&unlock(SO_PIN, PIN));
    assert_eq!(home.login(0, Login::User, PIN), Ok(()));
}
