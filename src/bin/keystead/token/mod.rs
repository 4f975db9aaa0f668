//! `keystead token`

mod accept;
mod change;
pub mod choose;
mod fill;
mod init;
pub mod show;

use std::path::PathBuf;

use crate::failure::Result;
use crate::output::Form;

pub use change::Done;
pub use show::label_of;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Makes a token and sets its two PINs
    #[command(after_help = init::AFTER_HELP)]
    Init(init::Args),

    /// Lists the tokens
    #[command(after_help = show::AFTER_HELP_LIST)]
    List,

    /// Shows all about one token
    #[command(after_help = show::AFTER_HELP_SHOW)]
    Show {
        /// The token
        #[arg(value_name = choose::NAME)]
        token: String,
    },

    /// Changes a PIN
    #[command(after_help = change::AFTER_HELP_CHANGE_PIN)]
    ChangePin(change::ChangePin),

    /// Lets the SO set a new user PIN; the keys stay
    #[command(after_help = change::AFTER_HELP_UNLOCK)]
    Unlock(change::Unlock),

    /// Has the witness outside the store take a token as it is
    #[command(after_help = accept::AFTER_HELP)]
    Accept(accept::Args),
    /// Makes many keys in a token, to try out a store of that size
    #[command(after_help = fill::AFTER_HELP)]
    Fill(fill::Args),

    /// Destroys a token with every key in it
    #[command(after_help = change::AFTER_HELP_DESTROY)]
    Destroy(change::Destroy),
}

/// `keystead token ...`
pub fn run(command: Command, store: Option<PathBuf>, form: Form) -> Result<()> {
    match command {
        Command::Init(args) => init::run(&args, store, form),
        Command::List => show::list(store, form),
        Command::Show { token } => show::show(&token, store, form),
        Command::ChangePin(args) => change::change_pin(&args, store, form),
        Command::Unlock(args) => change::unlock(&args, store, form),
        Command::Accept(args) => accept::run(&args, store, form),
        Command::Fill(args) => fill::run(&args, store, form),
        Command::Destroy(args) => change::destroy(&args, store, form),
    }
}
