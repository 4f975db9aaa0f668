//! The command, run as a program.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use keystead::config::{Config, Settings};
use keystead::error::{Error, Result};
use keystead::key::Login;
use keystead::module::Module;
use keystead::object::{Given, Search};
use serde_json::Value;
use tempfile::TempDir;

const SO_PIN: &str = "officer's";
const PIN: &str = "user's";

/// A folder for one test: a configuration with cheap PINs, its store, and whatever else the test puts there.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self::with_settings("")
    }

    fn with_settings(more: &str) -> Self {
        let home = Self(TempDir::new().unwrap());
        let store = home.store();
        let conf = format!("store = {store:?}\n[pin]\nmemory-kib = 64\npasses = 1\n{more}\n");
        fs::write(home.path("keystead.toml"), conf).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// The command with nothing in its environment that the test does not know, and no terminal.
    fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
        command.args(words).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.0.path()).env("KEYSTEAD_CONF", self.path("keystead.toml"));
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// What it prints when it succeeds, with not a word on standard error.
    fn good(&self, words: &[&str]) -> String {
        good(&self.run(words))
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.good(&[words, &["--json"]].concat())).unwrap()
    }

    /// The sentence that it ends with when it fails.
    fn bad(&self, words: &[&str]) -> String {
        bad(&self.run(words))
    }

    /// Makes a token with the usual PINs.
    fn token(&self, label: &str) {
        let output = self.init(label).output().unwrap();
        good(&output);
    }

    fn init(&self, label: &str) -> Command {
        let mut command = self.command(&["token", "init", "--label", label]);
        command.env("KEYSTEAD_SO_PIN", SO_PIN).env("KEYSTEAD_PIN", PIN);
        command
    }

    /// The library on the same store.
    fn module(&self) -> Module {
        Module::open(Config::for_store(self.store(), Settings::default())).unwrap()
    }

    /// What a program gets that logs in.
    fn login(&self, slot: u64, who: Login, pin: &str) -> Result<()> {
        let module = self.module();
        let session = module.open_session(slot, true)?;
        module.sessions().login(session, who, pin.as_bytes())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn good(output: &Output) -> String {
    assert_eq!(text(&output.stderr), "", "{}", text(&output.stdout));
    assert_eq!(output.status.code(), Some(0));
    text(&output.stdout)
}

fn bad(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let sentence = text(&output.stderr);
    assert!(sentence.starts_with("keystead: ") && sentence.trim_end().lines().count() == 1, "{sentence}");
    sentence
}

#[track_caller]
fn says(sentence: &str, words: &[&str]) {
    for word in words {
        assert!(sentence.contains(word), "no {word:?} in: {sentence}");
    }
}

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
    for name in ["0", "Büro 1", serial] {
        let shown = home.json(&["token", "show", name]);
        assert_eq!(shown, listed[0], "{name}");
        assert_eq!(shown["serial"], serial);
        assert_eq!((&shown["user_pin"], &shown["so_pin"]), (&Value::from("set"), &Value::from("set")));
        assert_eq!((&shown["write_protected"], &shown["format"]), (&Value::from(false), &Value::from(0)));
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
        "sessions\t0 in this process, 0 read-write",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "no line {line:?} in:\n{shown}");
    }
    says(&shown, &["format\t0, not frozen", "login required"]);
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
fn a_command_line_that_makes_no_sense_is_code_2() {
    let home = Home::new();
    let init = ["token", "init", "--label", "A"];
    let lines: [&[&str]; 16] = [
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
    let lines: [&[&str]; 7] = [
        &[],
        &["token", "init"],
        &["token", "list"],
        &["token", "show"],
        &["mechanism", "list"],
        &["demo"],
        &["completions"],
    ];
    for line in lines {
        says(&home.good(&[line, &["--help"]].concat()), &["Usage: keystead", "Examples:"]);
    }
    assert_eq!(home.good(&["--version"]), format!("keystead {}\n", env!("CARGO_PKG_VERSION")));
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

fn field(line: &str, number: usize) -> String {
    line.split('\t').nth(number).unwrap().to_owned()
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
    let given = given.map(|(number, value)| Given { number, value });
    module.sessions().create(session, &given).unwrap();
}

fn count_data(home: &Home) -> usize {
    let module = home.module();
    let session = module.open_session(0, false).unwrap();
    module.sessions().find_init(session, &Search::new(&[])).unwrap();
    module.sessions().find_next(session, 10).unwrap().len()
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

#[test]
fn mechanisms_are_those_of_the_table() {
    let home = Home::new();
    let plain = home.good(&["mechanism", "list"]);
    let json = home.json(&["mechanism", "list"]);
    assert_eq!(plain.lines().count(), keystead::mechanism::all().count());
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
    assert_eq!(gcm["does"], serde_json::json!(["encrypt", "decrypt"]));
}

#[test]
fn completions_are_scripts_that_know_the_commands() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = home.good(&["completions", shell]);
        says(&script, &["mechanism", "so-pin-file", "completions"]);
        assert!(!script.contains("other-process"), "{shell}");
    }
    fs::write(home.path("script"), home.good(&["completions", "bash"])).unwrap();
    let checked = Command::new("bash").arg("-n").arg(home.path("script")).output().unwrap();
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
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

#[test]
fn the_demo_holds_and_leaves_nothing() {
    let home = Home::new();
    let temporary = home.path("tmp");
    fs::create_dir(&temporary).unwrap();
    let told = good(&home.command(&["demo"]).env("TMPDIR", &temporary).output().unwrap());
    let checks = told.lines().filter(|line| line.starts_with("  ok ")).count();
    assert!(checks >= 30, "{told}");
    assert_eq!(told.lines().last().unwrap(), format!("All {checks} checks held."));
    for step in 1..=7 {
        assert!(told.contains(&format!("\n{step}. ")), "{told}");
    }
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(!home.store().exists());

    good(&home.command(&["demo", "--keep"]).env("TMPDIR", &temporary).output().unwrap());
    let kept = fs::read_dir(&temporary).unwrap().next().unwrap().unwrap().path();
    assert_eq!(mode(&kept), 0o700);
    for (side, label) in [("a", "Demo A"), ("b", "Demo B")] {
        let shown = home.json(&["--store", kept.join(side).to_str().unwrap(), "token", "show", "0"]);
        assert_eq!((&shown["label"], &shown["state"]), (&label.into(), &"ready".into()));
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_demo_says_what_to_install() {
    let home = Home::new();
    let temporary = home.path("tmp");
    fs::create_dir(&temporary).unwrap();
    let output = home.command(&["demo"]).env("PATH", "/absent").env("TMPDIR", &temporary).output().unwrap();
    says(&bad(&output), &["openssl command is missing", "apt install openssl"]);
    assert!(!text(&output.stdout).contains("checks held"));
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
}

#[test]
fn a_demo_whose_openssl_gets_it_wrong_fails() {
    let home = Home::new();
    let openssl = home.path("openssl");
    fs::write(&openssl, "#!/bin/sh\necho something else\n").unwrap();
    fs::set_permissions(&openssl, fs::Permissions::from_mode(0o700)).unwrap();
    let output = home.command(&["demo"]).env("PATH", home.0.path()).output().unwrap();
    says(&bad(&output), &["step 6", "does not hold"]);
    assert!(!text(&output.stdout).contains("checks held"));
}
