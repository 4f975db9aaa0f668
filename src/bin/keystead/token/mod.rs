//! `keystead token`

mod init;
pub mod show;

use std::path::PathBuf;

use crate::failure::Result;
use crate::output::Form;

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
        /// The number of its slot, its label or its serial number
        #[arg(value_name = "SLOT|LABEL|SERIAL")]
        token: String,
    },
}

/// `keystead token ...`
pub fn run(command: Command, store: Option<PathBuf>, form: Form) -> Result<()> {
    match command {
        Command::Init(args) => init::run(&args, store, form),
        Command::List => show::list(store, form),
        Command::Show { token } => show::show(&token, store, form),
    }
}
