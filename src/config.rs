//! The configuration: where tokens are kept, and what may be set about them.
//!
//! The first place that says something wins, and nothing is merged: the string in `pReserved` of `C_Initialize`
//! (`store=... conf=...`), `$KEYSTEAD_STORE`, the first configuration file that exists (`$KEYSTEAD_CONF`, the user's,
//! the system's), the default. A process with more rights than its user ignores the environment.

mod host_key;

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::log::Log;
use crate::secret::Secret;
use crate::system;

/// Everything a module is told when it is opened.
#[derive(Clone, Default)]
pub struct Config {
    /// The folder of tokens, absolute; none where no place could be determined, and then there are no slots.
    pub store: Option<PathBuf>,
    /// Why there is no store, where there is none.
    pub no_store: Option<Box<str>>,
    /// The file that was read, or was to be.
    pub file: Option<PathBuf>,
    /// What may be set in a file.
    pub settings: Settings,
    /// The host key that the settings name, or why it cannot be had.
    pub host_key: Option<Arc<HostKey>>,
    /// Where lines for people go.
    pub log: Log,
}

/// A host key, or why it cannot be had.
pub type HostKey = std::result::Result<Secret, Box<str>>;

/// What a configuration file may say. Unknown keys are refused, so that a misspelt one is not silently without effect.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    store: Option<PathBuf>,
    /// `[pin]`
    pub pin: Pins,
    /// `[slots]`
    pub slots: Slots,
    /// `[token]`
    pub token: NewTokens,
    /// `[objects]`
    pub objects: Objects,
    /// `[keys]`
    pub keys: Keys,
    /// `[wrapping]`
    pub wrapping: Wrapping,
    /// `[mechanisms]`
    pub mechanisms: Mechanisms,
    /// `[locks]`
    pub locks: Locks,
    /// `[files]`
    pub files: Files,
}

/// Lengths, tries and the cost of hashing PINs.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Pins {
    /// The shortest new PIN, in bytes.
    pub min: usize,
    /// The longest new PIN, in bytes.
    pub max: usize,
    /// Wrong PINs after which the user is locked out until the SO sets a new PIN.
    pub user_tries: u32,
    /// Wrong PINs after which the SO is locked out for good.
    pub so_tries: u32,
    /// Memory for Argon2id, in KiB. RFC 9106, section 3.1.
    pub memory_kib: u32,
    /// Passes of Argon2id.
    pub passes: u32,
    /// Lanes of Argon2id.
    pub lanes: u32,
}

impl Default for Pins {
    fn default() -> Self {
        Self { min: 4, max: 255, user_tries: 10, so_tries: 10, memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

/// What the slot list shows.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Slots {
    /// Whether a slot with a blank token is listed, last, beside tokens that exist. In a folder without tokens it
    /// always is.
    pub show_blank: bool,
}

/// What tokens are told when they are initialised, or a PIN is set; those that exist stay as they are. And what knows their states.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct NewTokens {
    /// Whether unextractable keys that say nothing of `CKA_KEYSTEAD_MASKABLE` may travel as masked objects.
    pub maskable: bool,
    /// Where the key of the host lies that every PIN is to need which is set from now on: an absolute path, or `credential:NAME`.
    pub host_key: Option<String>,
    /// The folder outside the store in which a witness of each token is kept, absolute; it has to exist.
    pub witness: Option<PathBuf>,
}

/// What objects show where programs disagree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Objects {
    /// The form in which keys of Edwards and Montgomery curves show their point. They take both.
    pub edwards_points: EdwardsPoints,
}

/// `CKA_EC_POINT` of keys of Edwards and Montgomery curves: PKCS#11 changed its mind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EdwardsPoints {
    /// In a DER `OCTET STRING`, as 3.0 has it, and as libp11, GnuTLS and OpenSC read it.
    #[default]
    Der,
    /// The bytes alone, as 3.1 and 3.2 have it.
    Raw,
}

/// What keys are held to beyond the standard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Keys {
    /// What `CKA_START_DATE` and `CKA_END_DATE` mean.
    pub dates: KeyDates,
}

/// What `CKA_START_DATE` and `CKA_END_DATE` mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyDates {
    /// They are kept and shown: PKCS#11 3.2, section 4.8, restricts no use by them.
    #[default]
    Inform,
    /// Before the first day, in UTC, a key does nothing; after the last it makes nothing new.
    Enforce,
}

/// What wrapping mechanisms do where the texts leave it open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Wrapping {
    /// The form in which `CKM_AES_KEY_WRAP_PAD` wraps. It unwraps both.
    pub key_wrap_pad: KeyWrapPad,
}

/// What `CKM_AES_KEY_WRAP_PAD` means: PKCS#11 2.40 has two answers, and so have the modules that speak it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyWrapPad {
    /// RFC 5649, as SoftHSM2, nShield and OpenSSL have it.
    #[default]
    Rfc5649,
    /// RFC 3394 over PKCS#7 padding, as NSS has it.
    Pkcs7,
}

/// Which keys mechanisms take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Mechanisms {
    /// Whether RSA keys from 1024 bits work, not only those from 2048. None is ever made so short.
    #[serde(rename = "rsa-1024")]
    pub rsa_1024: bool,
}

/// Waiting for locks that other programs hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Locks {
    /// After so many milliseconds a call gives up.
    pub wait_ms: u32,
}

/// The files of tokens that are made from now on, and the folder, if it has to be made too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Files {
    /// Who may use them.
    pub mode: Mode,
}

/// The mode of files, whatever the umask says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Mode {
    /// The owner alone; the folder is 0700.
    #[default]
    #[serde(rename = "0600")]
    Owner,
    /// The owner and his group; the folder is 2770, so that the group is the folder's.
    #[serde(rename = "0660")]
    Group,
}

impl Default for Locks {
    fn default() -> Self {
        Self { wait_ms: 30_000 }
    }
}

impl From<Pins> for Settings {
    /// All else as by default.
    fn from(pin: Pins) -> Self {
        Self { pin, ..Self::default() }
    }
}

impl Config {
    /// Reads the configuration. `reserved` is the string that came with `C_Initialize`.
    ///
    /// Fails only if `reserved` is not of the form it must have; everything else that is wrong leaves the module
    /// without a store, with a line in the log, because a module that is registered for every user of a machine must not get
    /// in the way of those who do not use it.
    pub fn load(reserved: Option<&str>) -> Result<Self> {
        Self::find(reserved, &Surroundings::of_process())
    }

    /// The configuration for a store at a known place, all else as by default.
    pub fn for_store(store: PathBuf, settings: Settings) -> Self {
        let host_key = settings.host_key(&Surroundings::of_process());
        Self { store: Some(store), settings, host_key, ..Self::default() }
    }

    /// The configuration that the reserved string `store=PATH` gives, for any path: no file is read.
    pub fn load_for(store: PathBuf) -> Self {
        Self::chosen(Reserved { store: Some(store), conf: None }, &Surroundings::of_process())
    }

    /// The files that are looked for where neither an argument nor the environment says where the configuration is: the
    /// user's and the system's. The first that exists is read.
    pub fn places() -> Vec<PathBuf> {
        Surroundings::of_process().places()
    }

    fn find(reserved: Option<&str>, around: &Surroundings) -> Result<Self> {
        Ok(Self::chosen(Reserved::parse(reserved.unwrap_or_default())?, around))
    }

    fn chosen(given: Reserved, around: &Surroundings) -> Self {
        let log = around.variable("KEYSTEAD_LOG").and_then(|setting| setting.into_string().ok());
        let log = log.map(|setting| Log::from_setting(&setting)).unwrap_or_default();

        let from_variable = around.variable("KEYSTEAD_STORE").map(PathBuf::from);
        let file = match (&given, &from_variable) {
            (Reserved { conf: Some(conf), .. }, _) => Some(conf.clone()),
            (Reserved { store: Some(_), .. }, _) | (_, Some(_)) => None,
            _ => around.first_file(),
        };
        let settings = match file.as_deref().map(Settings::read).transpose() {
            Ok(settings) => settings.unwrap_or_default(),
            Err(reason) => return Self { file, ..Self::without_store(reason.into(), Settings::default(), log) },
        };
        let host_key = settings.host_key(around);
        if let Some(Err(reason)) = host_key.as_deref() {
            log.error(format_args!("{reason}"));
        }
        let chosen = given.store.or(if given.conf.is_some() { None } else { from_variable });
        let store = chosen.or_else(|| settings.store.clone()).or_else(|| around.default_store());
        match store.and_then(|path| around.absolute(path)) {
            Some(store) => Self { store: Some(store), no_store: None, file, settings, host_key, log },
            None => {
                let reason = "neither a setting nor a home folder says where the tokens are";
                Self { file, ..Self::without_store(reason.into(), settings, log) }
            }
        }
    }

    fn without_store(reason: Box<str>, settings: Settings, log: Log) -> Self {
        log.error(format_args!("no slots: {reason}"));
        Self { no_store: Some(reason), settings, log, ..Self::default() }
    }
}

impl Settings {
    fn host_key(&self, around: &Surroundings) -> Option<Arc<HostKey>> {
        self.token.host_key.as_deref().map(|place| Arc::new(host_key::read(place, around)))
    }

    fn read(path: &Path) -> std::result::Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let settings: Self = toml::from_str(&text).map_err(|error| {
            // The whole error is a drawing of several lines, and a log has one for it.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count().saturating_add(1);
            format!("{}, line {line}: {}", path.display(), error.message().replace('\n', ", "))
        })?;
        let Pins { min, max, user_tries, so_tries, memory_kib, passes, lanes } = settings.pin;
        // RFC 9106, section 3.1: at least eight blocks of 1 KiB for each lane. Above 1 GiB, 64 passes and 64 lanes no
        // reader of the store believes a cost.
        let hashable = (1..=64).contains(&lanes)
            && (1..=64).contains(&passes)
            && (lanes.saturating_mul(8)..=1 << 20).contains(&memory_kib);
        if !hashable || min < 1 || max < min || max > 4096 || user_tries < 1 || so_tries < 1 {
            return Err(format!("{}: a value in [pin] is out of range", path.display()));
        }
        if settings.token.witness.as_ref().is_some_and(|folder| !folder.is_absolute()) {
            return Err(format!("{}: [token] witness is not an absolute path", path.display()));
        }
        Ok(settings)
    }
}

/// The string in `pReserved`: words separated by blanks.
#[derive(Default)]
struct Reserved {
    store: Option<PathBuf>,
    conf: Option<PathBuf>,
}

impl Reserved {
    fn parse(text: &str) -> Result<Self> {
        let mut reserved = Self::default();
        for word in text.split_ascii_whitespace() {
            let place = match word.split_once('=') {
                Some(("store", value)) if !value.is_empty() => reserved.store.replace(value.into()),
                Some(("conf", value)) if !value.is_empty() => reserved.conf.replace(value.into()),
                _ => return Err(Error::ArgumentsBad("pReserved is not of the form \"store=PATH conf=PATH\"")),
            };
            if place.is_some() {
                return Err(Error::ArgumentsBad("pReserved names the same thing twice"));
            }
        }
        Ok(reserved)
    }
}

/// What the process is surrounded by, read once.
struct Surroundings {
    variables: fn(&str) -> Option<OsString>,
    folder: Option<PathBuf>,
    user: u32,
}

impl Surroundings {
    fn of_process() -> Self {
        let variables = if system::is_privileged() { |_: &str| None } else { |name: &str| std::env::var_os(name) };
        Self { variables, folder: std::env::current_dir().ok(), user: system::effective_user() }
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        (self.variables)(name).filter(|value| !value.is_empty())
    }

    /// An absolute folder from the environment that belongs to this user: `sudo` and `su` may leave another's behind.
    fn own_folder(&self, variable: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.variable(variable)?);
        let owner = std::fs::metadata(&path).ok()?.uid();
        (path.is_absolute() && owner == self.user).then_some(path)
    }

    fn under_home(&self, variable: &str, inside_home: &str) -> Option<PathBuf> {
        self.own_folder(variable).or_else(|| Some(self.own_folder("HOME")?.join(inside_home)))
    }

    fn first_file(&self) -> Option<PathBuf> {
        if let Some(named) = self.variable("KEYSTEAD_CONF") {
            return Some(named.into());
        }
        self.places().into_iter().find(|path| path.exists())
    }

    fn places(&self) -> Vec<PathBuf> {
        let users = self.under_home("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("keystead/keystead.toml"));
        users.into_iter().chain([PathBuf::from("/etc/keystead/keystead.toml")]).collect()
    }

    fn default_store(&self) -> Option<PathBuf> {
        match self.under_home("XDG_DATA_HOME", ".local/share") {
            Some(folder) => Some(folder.join("keystead")),
            None => Some("/var/lib/keystead".into()),
        }
    }

    fn absolute(&self, path: PathBuf) -> Option<PathBuf> {
        if path.is_absolute() { Some(path) } else { self.folder.as_ref().map(|folder| folder.join(path)) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn bare(variables: fn(&str) -> Option<OsString>) -> Surroundings {
        Surroundings { variables, folder: Some("/work-folder".into()), user: system::effective_user() }
    }

    #[test]
    fn the_reserved_string_wins_over_the_environment() {
        let around = bare(|name| (name == "KEYSTEAD_STORE").then(|| "/elsewhere".into()));
        let config = Config::find(Some("store=here"), &around).unwrap();
        assert_eq!(config.store.unwrap(), Path::new("/work-folder/here"));
        assert_eq!(Config::find(None, &around).unwrap().store.unwrap(), Path::new("/elsewhere"));
    }

    #[test]
    fn a_reserved_string_of_another_form_is_refused() {
        for text in ["nonsense", "store=", "store=/a store=/b", "store=/a library=/b"] {
            assert!(Config::find(Some(text), &bare(|_| None)).is_err(), "{text}");
        }
    }

    #[test]
    fn without_a_home_the_store_is_the_systems() {
        let config = Config::find(None, &bare(|_| None)).unwrap();
        assert_eq!(config.store.unwrap(), Path::new("/var/lib/keystead"));
        let relative = bare(|name| (name == "HOME").then(|| "relative".into()));
        assert_eq!(Config::find(None, &relative).unwrap().store.unwrap(), Path::new("/var/lib/keystead"));
    }

    #[test]
    fn a_misspelt_key_leaves_no_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("conf");
        for (text, good) in [
            ("[pin]\nmin = 6\n", true),
            ("[pin]\nminimum = 6\n", false),
            ("[pin]\nmin = 0\n", false),
            ("[wrapping]\nkey-wrap-pad = \"pkcs7\"\n", true),
            ("[wrapping]\nkey-wrap-pad = \"pkcs5\"\n", false),
            ("[mechanisms]\nrsa-1024 = true\n", true),
            ("[keys]\ndates = \"enforce\"\n", true),
            ("[keys]\ndates = true\n", false),
            ("[objects]\nedwards-points = \"raw\"\n", true),
            ("[objects]\nedwards-points = \"bare\"\n", false),
            ("[token]\nmaskable = true\n", true),
            ("[token]\nmaskable = 1\n", false),
            ("[token]\nwitness = \"/elsewhere\"\n", true),
            ("[token]\nwitness = \"elsewhere\"\n", false),
            ("[mechanisms]\nrsa-512 = true\n", false),
            ("[locks]\nwait-ms = 100\n", true),
            ("[locks]\nwait-ms = -1\n", false),
            ("[files]\nmode = \"0660\"\n", true),
            ("[files]\nmode = \"0666\"\n", false),
        ] {
            std::fs::write(&path, text).unwrap();
            let config = Config::find(Some(&format!("conf={}", path.display())), &bare(|_| None)).unwrap();
            assert_eq!(config.store.is_some(), good, "{text}");
            let reason = config.no_store.unwrap_or_default();
            assert!(reason.is_empty() == good && !reason.contains('\n'), "{reason}");
            assert_eq!(reason.contains("line 2: unknown field `minimum`"), text.contains("minimum"), "{reason}");
        }
    }
}
