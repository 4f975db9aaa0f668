//! A place of its own for each test: a folder for tokens and a configuration that points to it.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::set_variable;

/// A temporary folder with a store and a configuration, gone with the value.
pub struct Home {
    folder: TempDir,
}

/// What a test says otherwise than the defaults, which are those of a careful administrator but for the cheap PIN hash.
pub struct Config {
    /// The shortest PIN, in bytes.
    pub pin_min: u32,
    /// The longest PIN, in bytes.
    pub pin_max: u32,
    /// Wrong PINs of the user until it is locked.
    pub user_tries: u32,
    /// Wrong PINs of the SO until it is locked.
    pub so_tries: u32,
    /// Memory of the PIN hash in KiB.
    pub memory_kib: u32,
    /// Whether a blank token is listed beside others.
    pub show_blank: bool,
    /// What `CKM_AES_KEY_WRAP_PAD` wraps by.
    pub key_wrap_pad: &'static str,
    /// How keys of Edwards and Montgomery curves show their point.
    pub edwards_points: &'static str,
    /// What the dates of keys mean.
    pub dates: &'static str,
    /// Whether RSA keys from 1024 bits work.
    pub rsa_1024: bool,
    /// Whether unextractable keys of tokens made from now on are maskable.
    pub maskable: bool,
    /// Where the host key lies.
    pub host_key: Option<String>,
    /// The folder of witnesses.
    pub witness: Option<PathBuf>,
    /// Milliseconds for which a call waits for a lock.
    pub wait_ms: u32,
    /// Where tokens are; nothing means the home's own folder.
    pub store: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            pin_min: 4,
            pin_max: 255,
            user_tries: 10,
            so_tries: 10,
            memory_kib: 64,
            show_blank: true,
            key_wrap_pad: "rfc5649",
            edwards_points: "der",
            dates: "inform",
            rsa_1024: false,
            maskable: false,
            host_key: None,
            witness: None,
            wait_ms: 30_000,
            store: None,
        }
    }
}

impl Home {
    /// A home with the default configuration, which this process uses from now on.
    pub fn new() -> Home {
        Home::with(Config::default())
    }

    /// A home with this configuration, which this process uses from now on.
    pub fn with(config: Config) -> Home {
        let home = Home { folder: tempfile::tempdir().expect("a temporary folder") };
        home.configure(&config);
        home.enter();
        home
    }

    /// Makes this process, and the peers that it starts, use this home at their next `C_Initialize`.
    pub fn enter(&self) {
        set_variable("KEYSTEAD_CONF", self.configuration().to_str());
        set_variable("SOFTHSM2_CONF", self.path().join("softhsm2.conf").to_str());
    }

    /// Makes the module write its log into a file of this home from the next `C_Initialize` on.
    pub fn log_to_file(&self) -> PathBuf {
        let file = self.path().join("log");
        set_variable("KEYSTEAD_LOG", Some(&format!("{},info", file.display())));
        file
    }

    /// Writes another configuration into this home.
    pub fn configure(&self, config: &Config) {
        let store = config.store.clone().unwrap_or_else(|| self.store());
        let Config {
            pin_min,
            pin_max,
            user_tries,
            so_tries,
            memory_kib,
            show_blank,
            key_wrap_pad,
            edwards_points,
            dates,
            rsa_1024,
            maskable,
            host_key,
            witness,
            wait_ms,
            ..
        } = config;
        let host_key = host_key.as_ref().map(|place| format!("host-key = {place:?}\n")).unwrap_or_default();
        let witness = witness.as_ref().map(|folder| format!("witness = {folder:?}\n")).unwrap_or_default();
        let text = format!(
            "store = {store:?}\n\n[pin]\nmin = {pin_min}\nmax = {pin_max}\nuser-tries = {user_tries}\n\
             so-tries = {so_tries}\nmemory-kib = {memory_kib}\npasses = 1\nlanes = 1\n\n[slots]\nshow-blank = {show_blank}\n\n\
             [wrapping]\nkey-wrap-pad = {key_wrap_pad:?}\n\n[mechanisms]\nrsa-1024 = {rsa_1024}\n\n\
             [objects]\nedwards-points = {edwards_points:?}\n\n[keys]\ndates = {dates:?}\n\n\
             [token]\nmaskable = {maskable}\n{host_key}{witness}\n[locks]\nwait-ms = {wait_ms}\n"
        );
        fs::write(self.configuration(), text).expect("the configuration");
        self.configure_softhsm();
    }

    /// The home itself.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration file.
    pub fn configuration(&self) -> PathBuf {
        self.path().join("keystead.toml")
    }

    /// The folder of tokens; the module makes it.
    pub fn store(&self) -> PathBuf {
        self.path().join("tokens")
    }

    /// The tokens' files, in the order of their slots.
    pub fn token_files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.store()).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "db"));
        files.sort();
        files
    }

    /// The database of the only token that was made here.
    pub fn database(&self) -> PathBuf {
        let files = fs::read_dir(self.store()).expect("the store").flatten().map(|entry| entry.path());
        let mut databases = files.filter(|path| path.extension().is_some_and(|kind| kind == "db"));
        let database = databases.next().expect("a database");
        assert!(databases.next().is_none(), "one database");
        database
    }

    /// The suites themselves are checked against SoftHSM2, which has another configuration.
    fn configure_softhsm(&self) {
        let tokens = self.path().join("softhsm");
        fs::create_dir_all(&tokens).expect("a folder");
        let text =
            format!("directories.tokendir = {}\nlog.level = ERROR\nlibrary.reset_on_fork = true\n", tokens.display());
        fs::write(self.path().join("softhsm2.conf"), text).expect("SoftHSM2's configuration");
    }
}
