//! Where the passphrase of an encrypted private key comes from. Never the argument list, as with PINs.

use std::path::PathBuf;

use keystead::secret::Secret;

use crate::backup::passphrase;
use crate::failure::Result;
use crate::pin::Wanted;

/// The options that name sources of the passphrase.
#[derive(clap::Args)]
pub struct PassphraseSource {
    /// Takes the passphrase of an encrypted private key from the first line of FILE
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,

    /// Takes it from the environment variable VAR [default: KEYSTEAD_KEY_PASSPHRASE, if it is set]
    #[arg(long, value_name = "VAR", conflicts_with = "passphrase_file")]
    passphrase_env: Option<String>,
}

impl PassphraseSource {
    /// The passphrase of a key that is encrypted.
    pub fn existing(&self) -> Result<Secret> {
        self.wanted().existing()
    }

    /// The passphrase for a key that is to be; from a terminal, typed twice.
    pub fn new_one(&self) -> Result<Secret> {
        passphrase::new_one(self.wanted())
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            name: passphrase::NAME,
            option: "--passphrase-file",
            default: "KEYSTEAD_KEY_PASSPHRASE",
            file: self.passphrase_file.as_deref(),
            variable: self.passphrase_env.as_deref(),
        }
    }
}
