//! What every subcommand has in common: usage, help, output.

use std::fs;
use std::process::{Command, Stdio};

use crate::home::{Home, PIN, SO_PIN, bad, says, text};

#[test]
fn a_command_line_that_makes_no_sense_is_code_2() {
    let home = Home::new();
    let init = ["token", "init", "--label", "A"];
    let lines: [&[&str]; 36] = [
        &[],
        &["tokens"],
        &["token"],
        &["token", "show"],
        &["token", "init"],
        &["token", "init", "--label", ""],
        &["token", "init", "--label", "thirty-three bytes are one too ma"],
        &["token", "init", "--label", "A", "--slot", "-1"],
        &[&init[..], &["--so-pin-env", "A", "--so-pin-file", "B"]].concat(),
        &["completions", "tcsh"],
        &["token", "accept"],
        &["token", "destroy"],
        &["token", "destroy", "A", "--without-pin", "--so-pin-file", "B"],
        &["token", "destroy", "A", "--so-pin", "123456"],
        &["token", "unlock", "A", "123456"],
        &["token", "change-pin", "A", "--new-pin", "123456"],
        &["token", "change-pin", "A", "--new-pin-file", "B", "--new-pin-env", "C"],
        &["doctor", "A"],
        &["key"],
        &["key", "show"],
        &["key", "destroy", "--all"],
        &["key", "list", "--class", "keys"],
        &["key", "list", "--login", "--pin", "123456"],
        &["key", "generate"],
        &["key", "generate", "--type", "des"],
        &["key", "generate", "--type", "aes:256", "--id", "xyz"],
        &["key", "wrap", "A", "--with", "B", "--mechanism", "rot13"],
        &["key", "unwrap", "A", "--user-pin", "123456"],
        &["key", "import", "A", "--passphrase", "123456"],
        &["key", "export-public", "A", "--form", "xml"],
        &["--json", "demo"],
        &["--store", "/x", "demo"],
        // A PIN is never an argument.
        &[&init[..], &["--so-pin", "123456"]].concat(),
        &[&init[..], &["--user-pin=123456"]].concat(),
        &[&init[..], &["--pin", "123456"]].concat(),
        &[&init[..], &["123456"]].concat(),
    ];
    for line in lines {
        let output = home.command(line).env("KEYSTEAD_SO_PIN", SO_PIN).env("KEYSTEAD_PIN", PIN).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{line:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{line:?}");
    }
    assert!(!home.store().exists());
}

#[test]
fn help_has_examples_and_the_version_is_the_packages() {
    let home = Home::new();
    let lines: [&[&str]; 24] = [
        &[],
        &["backup"],
        &["backup", "verify"],
        &["restore"],
        &["token", "init"],
        &["token", "list"],
        &["token", "show"],
        &["token", "change-pin"],
        &["token", "unlock"],
        &["token", "accept"],
        &["token", "destroy"],
        &["key", "list"],
        &["key", "show"],
        &["key", "destroy"],
        &["key", "generate"],
        &["key", "wrap"],
        &["key", "unwrap"],
        &["key", "rewrap"],
        &["key", "import"],
        &["key", "export-public"],
        &["mechanism", "list"],
        &["doctor"],
        &["demo"],
        &["completions"],
    ];
    for line in lines {
        says(&home.good(&[line, &["--help"]].concat()), &["Usage: keystead", "Examples:"]);
    }
    assert_eq!(home.good(&["--version"]), format!("keystead {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_are_scripts_that_know_the_commands() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = home.good(&["completions", shell]);
        says(
            &script,
            &[
                "mechanism",
                "so-pin-file",
                "completions",
                "change-pin",
                "without-pin",
                "new-pin-file",
                "secret-key",
                "salvage",
                "fill",
                "export-public",
                "rsa-oaep",
            ],
        );
        assert!(!script.contains("other-process"), "{shell}");
    }
    fs::write(home.path("script"), home.good(&["completions", "bash"])).unwrap();
    let checked = Command::new("bash").arg("-n").arg(home.path("script")).output().unwrap();
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
}

#[test]
fn mechanisms_are_those_of_the_table() {
    let home = Home::new();
    let plain = home.good(&["mechanism", "list"]);
    let json = home.json(&["mechanism", "list"]);
    assert_eq!(plain.lines().count(), keystead::mechanism::Mechanisms::new(&Default::default()).all().len());
    assert_eq!(json.as_array().unwrap().len(), plain.lines().count());
    for line in [
        "0x00001080\tCKM_AES_KEY_GEN\t16 to 32 bytes\tgenerate",
        "0x0000210b\tCKM_AES_KEY_WRAP_KWP\t16 to 32 bytes\tencrypt, decrypt, wrap, unwrap",
        "0x00000250\tCKM_SHA256\tno key\tdigest",
    ] {
        assert!(plain.lines().any(|printed| printed == line), "no {line:?} in:\n{plain}");
    }
    let gcm = json.as_array().unwrap().iter().find(|row| row["name"] == "CKM_AES_GCM").unwrap();
    assert_eq!((&gcm["number"], &gcm["keys"]["unit"]), (&"0x00001087".into(), &"bytes".into()));
    assert_eq!(gcm["does"], serde_json::json!(["encrypt", "decrypt", "wrap", "unwrap"]));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let home = Home::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = home.command(&["mechanism", "list"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = home.command(&["mechanism", "list"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    says(&bad(&output), &["cannot be written"]);
}
