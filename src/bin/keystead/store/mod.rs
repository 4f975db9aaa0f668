//! The store that a subcommand works on, and `keystead store`.

mod salvage;

use std::path::{Path, PathBuf};

use keystead::config::Config;
use keystead::error::Error;
use keystead::module::Module;
use keystead::token::TokenState;

use crate::failure::{Failure, Result};
use crate::output::Form;

pub const AFTER_HELP: &str = "\
Examples:
  keystead store salvage 0 ~/saved";

#[derive(clap::Subcommand)]
pub enum Command {
    /// Saves what still opens out of a damaged token's file, into a new folder
    #[command(after_help = salvage::AFTER_HELP)]
    Salvage(salvage::Args),
}

/// `keystead store ...`
pub fn run(command: &Command, store: Option<PathBuf>, form: Form) -> Result<()> {
    match command {
        Command::Salvage(args) => salvage::run(args, store, form),
    }
}

/// A folder of tokens, opened as a program would.
pub struct Store {
    /// The module on it.
    pub module: Module,
    folder: PathBuf,
}

/// What stands in one slot.
pub enum Slot {
    /// A token can be made here.
    Blank,
    /// A token.
    Token(Box<TokenState>),
    /// A token that cannot be opened, and why.
    Closed(Error),
}

impl Store {
    /// Opens the folder `DIR` of `--store`, else the one of the configuration.
    pub fn open(given: Option<PathBuf>) -> Result<Self> {
        Self::with(config(given)?)
    }

    /// The same, with a slot in which the next token can be made.
    pub fn open_with_blank(given: Option<PathBuf>) -> Result<Self> {
        let mut config = config(given)?;
        config.settings.slots.show_blank = true;
        Self::with(config)
    }

    /// The same, by a configuration.
    pub fn with(config: Config) -> Result<Self> {
        let folder = place(&config)?;
        let module = Module::open(config)?;
        match module.slots().usable() {
            Ok(()) => Ok(Self { module, folder }),
            Err(Error::DeviceError(reason)) => Err(Failure::new(reason).with_next(NAME_ANOTHER)),
            Err(other) => Err(Failure::from(other).with_next(NAME_ANOTHER)),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The slots as they are now, each with its content.
    pub fn slots(&self) -> Vec<(u32, Slot)> {
        let ids = self.module.slots().list(true);
        ids.into_iter().map(|id| (id, self.slot(id))).collect()
    }

    /// What is in a listed slot.
    pub fn slot(&self, id: u32) -> Slot {
        match self.module.slots().state(id.into()) {
            Ok(Some(state)) => Slot::Token(Box::new(state)),
            Ok(None) => Slot::Blank,
            Err(reason) => Slot::Closed(reason),
        }
    }
}

const NAME_ANOTHER: &str = "name another folder with --store DIR, KEYSTEAD_STORE or in the configuration file";

/// Where the folder is or would be, whatever is there.
pub fn place(config: &Config) -> Result<PathBuf> {
    match &config.no_store {
        None => Ok(config.store.clone().unwrap_or_default()),
        Some(reason) => {
            let failure = Failure::new(format!("there is no store: {reason}"));
            Err(failure.with_next("put that right, or name a folder with --store DIR or KEYSTEAD_STORE"))
        }
    }
}

/// The configuration of the folder `DIR` of `--store`, else the one that programs find.
pub fn config(given: Option<PathBuf>) -> Result<Config> {
    match given {
        Some(folder) => Ok(Config::load_for(folder)),
        None => Ok(Config::load(None)?),
    }
}
