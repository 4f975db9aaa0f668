//! `keystead domain`

use std::process::Output;

use keystead::key::Login;
use serde_json::Value;

use crate::home::{Home, PIN, SO_PIN, bad, good, says};

/// What everybody types for the token `token`, with all four PINs where they are needed.
fn run(home: &Home, words: &[&str]) -> Output {
    let mut command = home.command(&[&["domain"], words].concat());
    command.env("KEYSTEAD_SO_PIN", SO_PIN).env("KEYSTEAD_PIN", PIN);
    command.env("KEYSTEAD_FROM_SO_PIN", SO_PIN).env("KEYSTEAD_FROM_PIN", PIN);
    command.output().unwrap()
}

fn json(home: &Home, words: &[&str]) -> Value {
    serde_json::from_str(&good(&run(home, &[words, &["--json"]].concat()))).unwrap()
}

fn two_tokens() -> Home {
    let home = Home::new();
    home.token("First");
    home.token("Second");
    home
}

#[test]
fn two_tokens_of_one_folder_share_a_domain_after_one_step() {
    let home = two_tokens();
    let made = json(&home, &["create", "--token", "First", "--name", "production"]);
    assert_eq!((&made["token"], &made["name"]), (&"First".into(), &"production".into()));
    let joined = json(&home, &["join", "--token", "Second", "--from", "First"]);
    assert_eq!(joined["token"], "Second");
    for same in ["name", "id", "fingerprint"] {
        assert_eq!(made[same], joined[same]);
    }
    let listed = json(&home, &["list", "--token", "Second"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["fingerprint"], made["fingerprint"]);
    says(&bad(&run(&home, &["join", "--token", "Second", "--from", "First"])), &["is in the domain", "already"]);
    assert_eq!(left_over(&home, "Second"), "", "what the failed step asked is withdrawn");
}

/// The requests that a token still waits for an answer to.
fn left_over(home: &Home, token: &str) -> String {
    let mut command = home.command(&["key", "list", "request to join a domain", "--token", token, "--login"]);
    good(&command.env("KEYSTEAD_PIN", PIN).output().unwrap())
}

#[test]
fn two_tokens_of_two_folders_share_a_domain_after_one_step() {
    let (one, two) = (Home::new(), Home::new());
    one.token("First");
    two.token("Second");
    let made = json(&one, &["create", "--name", "production"]);
    let folder = one.store();
    let from = ["join", "--from", "First", "--from-store", folder.to_str().unwrap(), "--name", "elsewhere"];
    let joined = json(&two, &from);
    assert_eq!((&joined["name"], &joined["id"]), (&"elsewhere".into(), &made["id"]));
}

#[test]
fn nobody_is_in_a_domain_without_the_consent_of_both_officers() {
    let home = two_tokens();
    let create = |so_pin: &str| {
        let mut command = home.command(&["domain", "create", "--token", "First", "--name", "production"]);
        command.env("KEYSTEAD_SO_PIN", so_pin).env("KEYSTEAD_PIN", PIN).output().unwrap()
    };
    says(&bad(&create("guess")), &["SO PIN is wrong", "9 tries are left"]);
    good(&create(SO_PIN));
    for (variable, words) in [("KEYSTEAD_SO_PIN", "SO PIN is wrong"), ("KEYSTEAD_FROM_SO_PIN", "SO PIN is wrong")] {
        let mut command = home.command(&["domain", "join", "--token", "Second", "--from", "First"]);
        command.env("KEYSTEAD_SO_PIN", SO_PIN).env("KEYSTEAD_PIN", PIN);
        command.env("KEYSTEAD_FROM_SO_PIN", SO_PIN).env("KEYSTEAD_FROM_PIN", PIN);
        says(&bad(&command.env(variable, "guess").output().unwrap()), &[words, "9 tries are left"]);
        assert_eq!(left_over(&home, "Second"), "");
    }
    // The right one sets the count back, and the SO is not logged in by it.
    good(&run(&home, &["join", "--token", "Second", "--from", "First"]));
    assert!(home.login(0, Login::So, SO_PIN).is_ok() && home.login(1, Login::User, PIN).is_ok());
}
