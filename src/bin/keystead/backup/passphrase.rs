//! Where the passphrase of a backup comes from, and the keys that open one. Never the argument list, as with PINs.

use std::path::{Path, PathBuf};

use keystead::secret::Secret;

use crate::failure::{Failure, Result};
use crate::pin::Wanted;

/// The options that name sources of a passphrase.
#[derive(clap::Args)]
pub struct PassphraseSource {
    /// Takes the passphrase from the first line of FILE; - is standard input
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,

    /// Takes the passphrase from the environment variable VAR [default: KEYSTEAD_BACKUP_PASSPHRASE, if it is set]
    #[arg(long, value_name = "VAR", conflicts_with = "passphrase_file")]
    passphrase_env: Option<String>,
}

/// The options that name what opens a backup.
#[derive(clap::Args)]
pub struct KeySource {
    /// Opens a backup for a recipient with the keys in FILE, as age-keygen writes it; may be given several times
    #[arg(long, value_name = "FILE", conflicts_with_all = ["passphrase_file", "passphrase_env"])]
    pub identity: Vec<PathBuf>,

    #[command(flatten)]
    pub passphrase: PassphraseSource,
}

impl PassphraseSource {
    /// The passphrase of a backup that is there.
    pub fn existing(&self) -> Result<Secret> {
        self.wanted().existing()
    }

    /// The passphrase of a new backup; from a terminal, typed twice.
    pub fn new_one(&self) -> Result<Secret> {
        new_one(self.wanted())
    }

    /// Whether standard input is to hold the passphrase.
    pub fn is_standard_input(&self) -> bool {
        self.passphrase_file.as_deref() == Some(Path::new("-"))
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            name: NAME,
            option: "--passphrase-file",
            default: "KEYSTEAD_BACKUP_PASSPHRASE",
            file: self.passphrase_file.as_deref(),
            variable: self.passphrase_env.as_deref(),
        }
    }
}

/// In sentences.
pub const NAME: &str = "passphrase";

/// A new passphrase; from a terminal, typed twice.
pub fn new_one(wanted: Wanted<'_>) -> Result<Secret> {
    wanted.new_one(|passphrase| match passphrase.is_empty() {
        true => Err(Failure::new(format!("the {NAME} is empty"))),
        false => Ok(()),
    })
}
