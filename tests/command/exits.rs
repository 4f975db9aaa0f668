//! The codes that the command ends with. docs/exit-codes.md

use std::fs;

use crate::home::{Home, PIN, SO_PIN, bad, good, says};

const FAILED: i32 = 1;
const NO_SENSE: i32 = 2;
const NOT_ALL: i32 = 3;
const NO_LOGIN: i32 = 4;
const NOT_FOUND: i32 = 5;

/// The code, and the sentence beside it.
#[track_caller]
fn ends(home: &Home, words: &[&str], pin: Option<&str>, code: i32) -> String {
    let mut command = home.command(words);
    if let Some(pin) = pin {
        command.env("KEYSTEAD_PIN", pin);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    bad(&output)
}

#[test]
fn what_is_done_is_code_0_and_an_empty_list_is_too() {
    let home = Home::new();
    assert_eq!(home.run(&["token", "list"]).status.code(), Some(0));
    home.token("A");
    assert_eq!(good(&home.command(&["key", "list", "--login"]).env("KEYSTEAD_PIN", PIN).output().unwrap()), "");
}

#[test]
fn a_failure_is_code_1() {
    let home = Home::new();
    fs::write(home.store(), "no folder").unwrap();
    ends(&home, &["token", "list"], None, FAILED);
    let home = Home::new();
    home.token("A");
    home.token("A");
    says(&ends(&home, &["token", "show", "A"], None, FAILED), &["2 tokens"]);
    ends(&home, &["key", "destroy", "pkcs11:pin-value=1", "--yes"], Some(PIN), FAILED);
}

#[test]
fn nonsense_is_code_2() {
    assert_eq!(Home::new().run(&["token", "lists"]).status.code(), Some(NO_SENSE));
}

#[test]
fn what_the_doctor_finds_is_code_3() {
    let home = Home::new();
    home.token("A");
    let file = home.store().join("slot-00000000.db");
    fs::write(&file, "no database").unwrap();
    let output = home.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(NOT_ALL), "{output:?}");
    says(&bad(&output), &["error"]);
}

#[test]
fn a_pin_that_is_wrong_locked_not_set_or_missing_is_code_4() {
    let home = Home::with_settings("user-tries = 2");
    home.token("A");
    let list = &["key", "list", "--login"];
    says(&ends(&home, list, None, NO_LOGIN), &["no terminal"]);
    says(&ends(&home, list, Some(""), NO_LOGIN), &["empty"]);
    says(&ends(&home, &["key", "list", "--user-pin-env", "ABSENT"], None, NO_LOGIN), &["not set"]);
    says(&ends(&home, &["key", "list", "--user-pin-file", "/absent"], None, NO_LOGIN), &["/absent"]);
    says(&ends(&home, list, Some("guess"), NO_LOGIN), &["wrong", "one try is left"]);
    says(&ends(&home, list, Some("guess"), NO_LOGIN), &["wrong", "locked now"]);
    says(&ends(&home, list, Some(PIN), NO_LOGIN), &["locked", "token unlock"]);
    let home = Home::new();
    let module = {
        let mut config = keystead::config::Config::for_store(home.store(), Default::default());
        config.settings.slots.show_blank = true;
        keystead::module::Module::open(config).unwrap()
    };
    module.slots().init_token(0, SO_PIN.as_bytes(), [b'A'; 32]).unwrap();
    says(&ends(&home, list, Some(PIN), NO_LOGIN), &["no user PIN yet"]);
}

#[test]
fn a_name_of_nothing_is_code_5() {
    let home = Home::new();
    ends(&home, &["key", "list"], None, NOT_FOUND);
    ends(&home, &["token", "show", "A"], None, NOT_FOUND);
    home.token("A");
    ends(&home, &["token", "show", "B"], None, NOT_FOUND);
    ends(&home, &["token", "show", "7"], None, NOT_FOUND);
    ends(&home, &["token", "show", "pkcs11:token=B"], None, NOT_FOUND);
    ends(&home, &["key", "list", "--token", "B"], None, NOT_FOUND);
    ends(&home, &["key", "show", "nothing"], None, NOT_FOUND);
    ends(&home, &["key", "destroy", "nothing", "--yes"], Some(PIN), NOT_FOUND);
    ends(&home, &["token", "init", "--label", "B", "--slot", "9"], None, NOT_FOUND);
    ends(&home, &["store", "salvage", "7", "/absent/folder"], None, NOT_FOUND);
}

/// The page, `--help` and this file speak of the same codes.
#[test]
fn the_page_and_the_help_have_every_code() {
    let page = include_str!("../../docs/exit-codes.md");
    let help = Home::new().good(&["--help"]);
    for code in [0, FAILED, NO_SENSE, NOT_ALL, NO_LOGIN, NOT_FOUND] {
        assert_eq!(page.lines().filter(|line| line.starts_with(&format!("| {code} |"))).count(), 1, "{code}");
        assert_eq!(help.lines().filter(|line| line.starts_with(&format!("  {code}  "))).count(), 1, "{code}");
    }
}
