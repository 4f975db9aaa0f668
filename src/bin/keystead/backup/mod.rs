//! `keystead backup`, `keystead backup verify` and `keystead restore`

mod create;
mod envelope;
pub mod passphrase;
mod report;
mod restore;
mod verify;

use std::path::PathBuf;

use crate::failure::Result;
use crate::output::Form;

pub use restore::{AFTER_HELP as AFTER_HELP_RESTORE, Args as RestoreArgs, run as run_restore};

pub const AFTER_HELP: &str = "\
Programs may go on using the tokens: of each, the backup shows one moment. It is encrypted as age does \
(age-encryption.org), to a passphrase or to recipients, and what is in it stays sealed under the PINs of the tokens.

Examples:
  keystead backup keys.backup
  keystead backup keys.backup --recipient age1...
  keystead backup - --recipient age1... | ssh elsewhere 'cat > keys.backup'
  keystead backup verify keys.backup --seals

A file whose name is \"verify\" is ./verify.";

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    create: create::Args,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Opens a backup and checks everything in it, without restoring
    #[command(after_help = verify::AFTER_HELP)]
    Verify(verify::Args),
}

/// `keystead backup ...`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    match &args.command {
        Some(Command::Verify(_)) if store.is_some() => crate::misused("a backup is checked without a store"),
        Some(Command::Verify(args)) => verify::run(args, form),
        None => create::run(&args.create, store, form),
    }
}
