//! `keystead token accept`, and what the doctor says of witnesses.

use std::fs;

use serde_json::Value;

use crate::home::{Home, bad, good, says};

fn home() -> Home {
    let home = Home::new();
    let conf = fs::read_to_string(home.path("keystead.toml")).unwrap();
    fs::create_dir(home.path("witnesses")).unwrap();
    fs::write(home.path("keystead.toml"), format!("{conf}[token]\nwitness = {:?}\n", home.path("witnesses"))).unwrap();
    home
}

/// The errors of the doctor.
fn errors(home: &Home) -> Vec<String> {
    let output = home.run(&["doctor", "--json"]);
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let errors = findings.iter().filter(|finding| finding["severity"] == "error");
    errors.map(|finding| finding["finding"].as_str().unwrap().to_owned()).collect()
}

/// What a login of the SO comes to, without any other sign of it.
fn unlock(home: &Home) -> std::process::Output {
    let mut command = home.command(&["token", "unlock", "A"]);
    command.env("KEYSTEAD_SO_PIN", crate::home::SO_PIN).env("KEYSTEAD_PIN", "another").output().unwrap()
}

#[test]
fn a_token_without_its_witness_is_accepted_on_purpose() {
    let home = home();
    home.token("A");
    assert_eq!(errors(&home), Vec::<String>::new());
    let witness = fs::read_dir(home.path("witnesses")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(&witness).unwrap();
    let [error] = &errors(&home)[..] else { panic!() };
    says(error, &["slot 0", "there is no witness", "keystead token accept"]);
    says(&bad(&unlock(&home)), &["there is no witness"]);
    says(&home.bad(&["token", "accept", "A"]), &["\"A\"", "there is no witness", "--yes"]);
    assert!(!witness.exists());
    says(&home.good(&["token", "accept", "A", "--yes"]), &["the witness knows the token"]);
    assert!(witness.exists());
    assert_eq!(errors(&home), Vec::<String>::new());
    says(&good(&unlock(&home)), &["user PIN is the new one"]);
}

#[test]
fn a_token_written_without_the_witness_is_accepted_on_purpose() {
    let home = home();
    home.token("A");
    // `--store` reads no configuration.
    let store = home.store();
    let mut past = home.command(&["--store", store.to_str().unwrap(), "token", "unlock", "A"]);
    good(&past.env("KEYSTEAD_SO_PIN", crate::home::SO_PIN).env("KEYSTEAD_PIN", "another").output().unwrap());
    let [error] = &errors(&home)[..] else { panic!() };
    says(error, &["knew of no witness"]);
    good(&home.run(&["token", "accept", "0", "--yes"]));
    assert_eq!(errors(&home), Vec::<String>::new());
}

#[test]
fn where_no_witness_is_configured_there_is_nothing_to_accept() {
    let home = Home::new();
    home.token("A");
    says(&home.bad(&["token", "accept", "A", "--yes"]), &["no witness is configured", "[token] witness"]);
}

#[test]
fn the_doctor_looks_at_the_folder_of_witnesses() {
    let home = home();
    home.token("A");
    fs::rename(home.path("witnesses"), home.path("aside")).unwrap();
    let found = errors(&home);
    assert!(found.iter().any(|error| error.contains("[token] witness") && error.contains("no folder")), "{found:?}");
}

#[test]
fn the_doctor_warns_of_witnesses_inside_the_store() {
    let home = Home::new();
    let conf = fs::read_to_string(home.path("keystead.toml")).unwrap();
    let inside = home.store().join("witnesses");
    fs::write(home.path("keystead.toml"), format!("{conf}[token]\nwitness = {inside:?}\n")).unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&home.run(&["doctor", "--json"]).stdout).unwrap();
    let about = |finding: &&Value| finding["finding"].as_str().unwrap().contains("inside the store");
    assert_eq!(findings.iter().find(about).unwrap()["severity"], "warning", "{findings:#?}");
}
