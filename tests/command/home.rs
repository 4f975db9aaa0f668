//! A folder for one test, and the command run in it.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use keystead::config::{Config, Settings};
use keystead::error::Result;
use keystead::key::Login;
use keystead::module::Module;
use serde_json::Value;
use tempfile::TempDir;

pub const SO_PIN: &str = "officer's";
pub const PIN: &str = "user's";
pub const PASSPHRASE: &str = "a phrase";

/// A folder for one test: a configuration with cheap PINs, its store, and whatever else the test puts there.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self::with_settings("")
    }

    pub fn with_settings(more: &str) -> Self {
        let home = Self(TempDir::new().unwrap());
        let store = home.store();
        let conf = format!("store = {store:?}\n[pin]\nmemory-kib = 64\npasses = 1\n{more}\n");
        fs::write(home.path("keystead.toml"), conf).unwrap();
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// The command with nothing in its environment that the test does not know, and no terminal.
    pub fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
        command.args(words).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.0.path()).env("KEYSTEAD_CONF", self.path("keystead.toml"));
        command
    }

    /// The same with the user's PIN in its environment, and the passphrase of encrypted keys.
    pub fn user<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        let mut command = self.command(words);
        command.env("KEYSTEAD_PIN", PIN).env("KEYSTEAD_KEY_PASSPHRASE", PASSPHRASE);
        command
    }

    /// What it prints for the user when it succeeds, whatever it notes besides.
    #[track_caller]
    pub fn done(&self, words: &[&str]) -> String {
        noted(&self.user(words).output().unwrap()).0
    }

    #[track_caller]
    pub fn done_json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.done(&[words, &["--json"]].concat())).unwrap()
    }

    /// The sentence that it ends with when it fails for the user.
    #[track_caller]
    pub fn refused(&self, words: &[&str]) -> String {
        bad(&self.user(words).output().unwrap())
    }

    /// The path of a file in it as a word of a command line.
    pub fn word(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// What it prints when it succeeds, with not a word on standard error.
    pub fn good(&self, words: &[&str]) -> String {
        good(&self.run(words))
    }

    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.good(&[words, &["--json"]].concat())).unwrap()
    }

    /// The sentence that it ends with when it fails.
    pub fn bad(&self, words: &[&str]) -> String {
        bad(&self.run(words))
    }

    /// Makes a token with the usual PINs.
    pub fn token(&self, label: &str) {
        let output = self.init(label).output().unwrap();
        good(&output);
    }

    pub fn init(&self, label: &str) -> Command {
        let mut command = self.command(&["token", "init", "--label", label]);
        command.env("KEYSTEAD_SO_PIN", SO_PIN).env("KEYSTEAD_PIN", PIN);
        command
    }

    /// The library on the same store.
    pub fn module(&self) -> Module {
        Module::open(Config::for_store(self.store(), Settings::default())).unwrap()
    }

    /// What a program gets that logs in.
    pub fn login(&self, slot: u64, who: Login, pin: &str) -> Result<()> {
        let module = self.module();
        let session = module.open_session(slot, true)?;
        module.sessions().login(session, who, pin.as_bytes())
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub fn good(output: &Output) -> String {
    assert_eq!(text(&output.stderr), "", "{}", text(&output.stdout));
    assert_eq!(output.status.code(), Some(0));
    text(&output.stdout)
}

/// What it printed on success, and the notes beside it.
#[track_caller]
pub fn noted(output: &Output) -> (String, String) {
    let notes = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{notes}");
    assert!(notes.lines().all(|note| note.starts_with("keystead: ")), "{notes}");
    (text(&output.stdout), notes)
}

/// Another program, which has to succeed; what it printed.
#[track_caller]
pub fn other(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; `make test` installs what it needs"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", text(&output.stderr));
    output.stdout
}

/// The sentence that a command ends with that failed, for whatever reason. `exits` looks at the codes.
pub fn bad(output: &Output) -> String {
    assert!(matches!(output.status.code(), Some(1 | 3..=5)), "{output:?}");
    let sentence = text(&output.stderr);
    assert!(sentence.starts_with("keystead: ") && sentence.trim_end().lines().count() == 1, "{sentence}");
    sentence
}

#[track_caller]
pub fn says(sentence: &str, words: &[&str]) {
    for word in words {
        assert!(sentence.contains(word), "no {word:?} in: {sentence}");
    }
}

/// A word of a plain listing's line.
pub fn field(line: &str, number: usize) -> String {
    line.split('\t').nth(number).unwrap().to_owned()
}
