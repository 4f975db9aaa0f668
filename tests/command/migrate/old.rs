//! The tokens that are left: one of SoftHSM2, a database of NSS, and a module that stands before the former.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::home::{Home, PIN, good, text};

pub const OLD_PIN: &str = "4321";
pub const OLD_SO_PIN: &str = "87654321";

/// A token called `Old` of SoftHSM2, beside a home with a token called `New`.
pub struct Old {
    pub home: Home,
    pub module: PathBuf,
    /// Of the module that stands before SoftHSM2.
    pub variables: Vec<(&'static str, String)>,
}

impl Old {
    pub fn new() -> Self {
        let home = Home::new();
        home.token("New");
        let tokens = home.path("softhsm");
        fs::create_dir(&tokens).unwrap();
        let conf = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
        fs::write(home.path("softhsm2.conf"), conf).unwrap();
        let old = Self { home, module: softhsm(), variables: Vec::new() };
        let init = ["--init-token", "--free", "--label", "Old", "--so-pin", OLD_SO_PIN, "--pin", OLD_PIN];
        ran(old.around(Command::new("softhsm2-util")).args(init));
        old
    }

    /// Puts a module before SoftHSM2 that gives less away; what, the variables say.
    pub fn reluctant(mut self, variables: &[(&'static str, &str)]) -> Self {
        self.module = reluctant(&self.home);
        self.variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.variables.push(("RELUCTANT_MODULE", softhsm().to_str().unwrap().to_owned()));
        self.variables.push(("RELUCTANT_LOG", self.home.path("log").to_str().unwrap().to_owned()));
        self
    }

    /// pkcs11-tool on the token, its user logged in.
    pub fn tool(&self, arguments: &[&str]) -> Output {
        let mut tool = self.around(Command::new("pkcs11-tool"));
        tool.arg("--module").arg(&self.module).args(["--token-label", "Old", "--login", "--pin", OLD_PIN]);
        ran(tool.args(arguments))
    }

    /// The migration to the token called `New`.
    pub fn migrate(&self, words: &[&str]) -> Command {
        let module = self.module.to_str().unwrap();
        let all = [&["migrate", "--module", module, "--token", "Old", "--to", "New"], words].concat();
        let mut command = self.around(self.home.command(&all));
        command.env("KEYSTEAD_FROM_PIN", OLD_PIN).env("KEYSTEAD_PIN", PIN);
        command
    }

    /// The report of a migration in which everything moves.
    pub fn moved(&self, words: &[&str]) -> Report {
        let output = self.migrate(&[words, &["--json"]].concat()).output().unwrap();
        Report(serde_json::from_str(&good(&output)).unwrap())
    }

    /// The report of a migration in which something stays.
    pub fn partly(&self, words: &[&str]) -> Report {
        let output = self.migrate(&[words, &["--json"]].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(text(&output.stderr).contains("stay in the token \"Old\""), "{output:?}");
        Report(serde_json::from_slice(&output.stdout).unwrap())
    }

    /// A file of the home with these bytes.
    pub fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.home.path(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The bytes of the token's objects, by file. Those of the token itself change with a login.
    pub fn objects(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let token = fs::read_dir(self.home.path("softhsm")).unwrap().next().unwrap().unwrap().path();
        let files = fs::read_dir(token).unwrap().map(|entry| entry.unwrap().path());
        let objects = files.filter(|path| path.extension().is_some_and(|extension| extension == "object"));
        let objects = objects.filter(|path| !path.ends_with("token.object"));
        let mut objects: Vec<_> = objects.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        objects.sort();
        objects
    }

    pub fn around(&self, mut command: Command) -> Command {
        command.env("SOFTHSM2_CONF", self.home.path("softhsm2.conf"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// What a migration prints with `--json`.
pub struct Report(pub Value);

impl Report {
    pub fn objects(&self) -> &[Value] {
        self.0["objects"].as_array().unwrap()
    }

    /// The object of a class and a label.
    #[track_caller]
    pub fn of(&self, class: &str, label: &str) -> &Value {
        let found = self.objects().iter().find(|object| object["class"] == class && object["label"] == label);
        found.unwrap_or_else(|| panic!("no {class} {label:?} in {:#}", self.0))
    }

    /// Its outcome, how it came, and what shows that it is the same.
    #[track_caller]
    pub fn fate(&self, class: &str, label: &str) -> (&str, &str, &str) {
        let object = self.of(class, label);
        let word = |name: &str| object[name].as_str().unwrap_or("-");
        (word("outcome"), word("how"), word("proof"))
    }
}

/// A database of NSS with a password, which is [`OLD_PIN`].
pub struct Nss {
    pub home: Home,
}

impl Nss {
    pub fn new() -> Self {
        let home = Home::new();
        home.token("New");
        fs::create_dir(home.path("nss")).unwrap();
        fs::write(home.path("password"), OLD_PIN).unwrap();
        fs::write(home.path("noise"), [7; 64]).unwrap();
        let nss = Self { home };
        nss.tool("certutil", &["-N"]);
        nss
    }

    pub fn database(&self) -> String {
        format!("sql:{}", self.home.path("nss").display())
    }

    /// One of NSS's tools on the database.
    pub fn tool(&self, program: &str, arguments: &[&str]) -> Output {
        let option = if program == "pk12util" { "-k" } else { "-f" };
        let mut tool = Command::new(program);
        tool.args(arguments).args(["-d", &self.database(), option]).arg(self.home.path("password"));
        ran(&mut tool)
    }

    /// The migration to the token called `New`.
    pub fn migrate(&self, words: &[&str]) -> Output {
        self.migrate_by(&softokn(), words).output().unwrap()
    }

    /// The same, by a module that hides mechanisms of these numbers, in hexadecimal digits.
    pub fn migrate_without(&self, hidden: &str) -> Report {
        let mut command = self.migrate_by(&reluctant(&self.home), &["--token", "NSS Certificate DB", "--json"]);
        command.env("RELUCTANT_MODULE", softokn()).env("RELUCTANT_HIDES", hidden);
        Report(serde_json::from_slice(&command.output().unwrap().stdout).unwrap())
    }

    fn migrate_by(&self, module: &Path, words: &[&str]) -> Command {
        let init =
            format!("configdir='{}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=readOnly", self.database());
        let named = ["migrate", "--module", module.to_str().unwrap(), "--module-init", &init, "--to", "New"];
        let mut command = self.home.command(&[&named, words].concat());
        command.env("KEYSTEAD_FROM_PIN", OLD_PIN).env("KEYSTEAD_PIN", PIN);
        command
    }
}

/// Two stores of our own: one at `old` with a token called `Old`, and that of the home with one called `New`.
pub fn two_stores() -> Home {
    let home = Home::new();
    let old = home.path("old").to_str().unwrap().to_owned();
    let make = ["--store", &old, "token", "init", "--label", "Old"];
    good(&home.command(&make).env("KEYSTEAD_SO_PIN", PIN).env("KEYSTEAD_PIN", PIN).output().unwrap());
    home.token("New");
    home
}

/// The migration from one to the other, by the library as programs load it.
pub fn leave_our_own(home: &Home) -> Command {
    let mut command = leave_for_people(home);
    command.arg("--json");
    command
}

/// The same, as people see it.
pub fn leave_for_people(home: &Home) -> Command {
    let (module, init) = (reluctant(home), format!("store={}", home.path("old").display()));
    let words = ["migrate", "--module", module.to_str().unwrap(), "--module-init", &init, "--to", "New"];
    let mut command = home.command(&words);
    command.env("RELUCTANT_MODULE", library()).env("KEYSTEAD_FROM_PIN", PIN).env("KEYSTEAD_PIN", PIN);
    command
}

/// The module that stands before another and gives less away.
fn reluctant(home: &Home) -> PathBuf {
    let file = home.path("reluctant.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Werror", "-shared", "-fPIC", "-o"]).arg(&file);
    ran(compiler.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/reluctant.c")).arg("-ldl"));
    file
}

/// Our library, as `make build` leaves it.
pub fn library() -> PathBuf {
    let library = Path::new(env!("CARGO_BIN_EXE_keystead")).with_file_name("libkeystead.so");
    assert!(library.exists(), "`make build` makes the library");
    library
}

/// Runs a program that must succeed.
#[track_caller]
pub fn ran(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

/// What OpenSSL prints.
#[track_caller]
pub fn openssl<S: AsRef<OsStr>>(arguments: &[S]) -> Vec<u8> {
    ran(Command::new("openssl").args(arguments)).stdout
}

fn softhsm() -> PathBuf {
    first(&["/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/lib64/pkcs11", "/usr/local/lib/softhsm"], "libsofthsm2.so")
}

fn softokn() -> PathBuf {
    let multiarch = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    first(&[&multiarch, "/usr/lib64", "/usr/lib"], "libsoftokn3.so")
}

fn first(folders: &[&str], name: &str) -> PathBuf {
    let found = folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("no {name}; see tests/install-tools"))
}
