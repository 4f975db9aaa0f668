//! `keystead token list` and `keystead token show`

use std::fs;

use keystead::config::{Config, Settings};
use keystead::error::Error;
use keystead::key::Login;
use keystead::module::Module;
use serde_json::Value;

use crate::home::{Home, PIN, SO_PIN, bad, field, good, says, text};

#[test]
fn a_token_is_made_listed_and_shown() {
    let home = Home::new();
    fs::write(home.path("so"), format!("{SO_PIN}\n")).unwrap();
    fs::write(home.path("user"), format!("{PIN}\nsecond line\n")).unwrap();
    let (so, user) = (home.path("so"), home.path("user"));
    let made = home.json(&[
        "token",
        "init",
        "--label",
        "Büro 1",
        "--so-pin-file",
        so.to_str().unwrap(),
        "--user-pin-file",
        user.to_str().unwrap(),
    ]);
    let serial = made["serial"].as_str().unwrap();
    assert_eq!((&made["slot"], &made["label"]), (&Value::from(0), &Value::from("Büro 1")));
    assert_eq!(home.login(0, Login::So, SO_PIN), Ok(()));
    assert_eq!(home.login(0, Login::User, PIN), Ok(()));

    assert_eq!(home.good(&["token", "list"]), format!("0\tBüro 1\t{serial}\tready\n"));
    let listed = home.json(&["token", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let uri = format!("pkcs11:token=B%C3%BCro%201;serial={serial}");
    for name in ["0", "Büro 1", serial, &uri] {
        let shown = home.json(&["token", "show", name]);
        assert_eq!(shown, listed[0], "{name}");
        assert_eq!((&shown["serial"], &shown["uri"]), (&Value::from(serial), &Value::from(&*uri)));
        assert_eq!((&shown["user_pin"], &shown["so_pin"]), (&Value::from("set"), &Value::from("set")));
        assert_eq!((&shown["write_protected"], &shown["format"]), (&Value::from(false), &Value::from(1)));
        assert_eq!(shown["maskable"], Value::from(false));
        assert_eq!(shown["store"], home.store().to_str().unwrap());
    }
    let shown = home.good(&["token", "show", "0"]);
    for line in [
        "slot\t0",
        "label\tBüro 1",
        &format!("serial\t{serial}"),
        "state\tready",
        &format!("store\t{}", home.store().display()),
        "user PIN\tset, all tries left",
        "write-protected\tno",
        "unextractable keys\tstay inside",
        "sessions\t0 in this process, 0 read-write",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "no line {line:?} in:\n{shown}");
    }
    says(&shown, &["format\t1", "login required"]);
}

#[test]
fn an_empty_store_is_no_failure_of_a_listing() {
    let home = Home::new();
    for (words, printed) in [(&["token", "list"][..], ""), (&["token", "list", "--json"], "[]\n")] {
        let output = home.run(words);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), printed.to_owned()));
        says(&text(&output.stderr), &[home.store().to_str().unwrap(), "keystead token init --label NAME"]);
    }
    says(&home.bad(&["token", "show", "A"]), &["no token yet", "keystead token init --label NAME"]);
    assert!(!home.store().exists());
    home.token("A");
    says(&home.bad(&["token", "show", "B"]), &["\"B\"", "keystead token list"]);
}

#[test]
fn a_store_that_cannot_be_used_says_why() {
    let home = Home::new();
    fs::write(home.path("file"), "").unwrap();
    for store in [home.path("file"), "/proc/nowhere".into()] {
        let store = store.to_str().unwrap();
        for words in [&["token", "list"][..], &["token", "show", "0"], &["token", "init", "--label", "A"]] {
            let output = home.init("A").args(["--store", store]).output().unwrap();
            says(&bad(&output), &[store, "--store DIR"]);
            says(&home.bad(&[&["--store", store], words].concat()), &[store, "--store DIR"]);
        }
    }
    fs::write(home.path("keystead.toml"), "[pin]\nminimum = 6\n").unwrap();
    says(&home.bad(&["token", "list"]), &["keystead.toml, line 2", "`minimum`", "--store DIR"]);
}

#[test]
fn the_option_wins_over_environment_and_configuration() {
    let home = Home::new();
    let there = home.path("a folder with blanks");
    let init = home.init("There").arg("--store").arg(&there).env("KEYSTEAD_STORE", home.path("env")).output().unwrap();
    good(&init);
    assert!(there.join("slot-00000000.db").exists() && !home.store().exists() && !home.path("env").exists());
    let listed = home.command(&["token", "list"]).env("KEYSTEAD_STORE", &there).output().unwrap();
    assert!(good(&listed).starts_with("0\tThere\t"));
}

#[test]
fn the_state_of_pins_is_told() {
    let home = Home::with_settings("user-tries = 3");
    home.token("A");
    let tries_of_the_file = || {
        let mut settings = Settings::default();
        settings.pin.user_tries = 3;
        let module = Module::open(Config::for_store(home.store(), settings)).unwrap();
        let session = module.open_session(0, true).unwrap();
        module.sessions().login(session, Login::User, b"wrong")
    };
    for (pin, state, words) in [
        ("some-wrong", "ready", "user PIN count low"),
        ("last-try", "ready", "user PIN final try"),
        ("locked", "user-pin-locked", "user PIN locked"),
    ] {
        assert_eq!(tries_of_the_file(), Err(Error::PinIncorrect));
        let shown = home.json(&["token", "show", "A"]);
        assert_eq!((&shown["user_pin"], &shown["state"]), (&pin.into(), &state.into()));
        says(&home.good(&["token", "show", "A"]), &[words]);
    }
    assert_eq!(field(home.good(&["token", "list"]).trim_end(), 3), "user PIN locked");
}

#[test]
fn a_token_that_cannot_be_opened_is_listed_with_its_reason() {
    let home = Home::new();
    home.token("Good");
    home.token("Bad");
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(home.store().join(format!("slot-00000001.db{suffix}")));
    }
    fs::write(home.store().join("slot-00000001.db"), "this is no database, however long one looks at it").unwrap();
    let listed = home.json(&["token", "list"]);
    assert_eq!((&listed[0]["label"], &listed[0]["state"]), (&"Good".into(), &"ready".into()));
    assert_eq!((&listed[1]["slot"], &listed[1]["state"]), (&1.into(), &"cannot-be-opened".into()));
    says(listed[1]["error"].as_str().unwrap(), &["cannot be opened", "slot-00000001.db"]);
    says(&home.good(&["token", "list"]), &["0\tGood\t", "1\t-\t-\tthe token cannot be opened"]);
    says(&home.bad(&["token", "show", "1"]), &["slot 1", "cannot be opened"]);
    says(&bad(&home.init("New").args(["--slot", "1", "--yes"]).output().unwrap()), &["slot 1", "cannot be opened"]);
    home.good(&["token", "show", "Good"]);
}

#[test]
fn a_label_cannot_speak_to_the_terminal() {
    let home = Home::new();
    home.token("A");
    // Other programs may give a token any label.
    let mut label = [b' '; 32];
    label[..4].copy_from_slice(b"\x1b[2J");
    home.module().slots().init_token(0, SO_PIN.as_bytes(), label).unwrap();
    for words in [&["token", "list"][..], &["token", "show", "0"]] {
        let printed = home.good(words);
        assert!(!printed.contains('\x1b'), "{printed:?}");
        says(&printed, &["\\u{1b}[2J"]);
    }
    assert_eq!(home.json(&["token", "show", "0"])["label"], "\x1b[2J");
    assert_eq!(home.json(&["token", "show", "0"])["state"], "no-user-pin");
}
