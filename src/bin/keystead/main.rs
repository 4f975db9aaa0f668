//! `keystead`, the command: makes, shows and saves tokens, makes and moves keys, lists mechanisms, and demonstrates what the
//! library is for.
//!
//! It opens a [`Module`](keystead::module::Module) of its own and calls what the library's entry points call, so it can
//! do nothing that a program cannot.

mod ask;
mod backup;
mod beside;
mod completions;
mod demo;
mod doctor;
mod domain;
mod failure;
mod file;
mod key;
mod login;
mod man;
mod mechanism;
mod migrate;
mod output;
mod pin;
mod progress;
mod store;
mod sync;
mod token;
mod uri;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use failure::Result;
use output::Form;

/// PKCS#11 tokens whose keys never leave them in the clear
#[derive(Parser)]
#[command(name = "keystead", version, after_help = AFTER_HELP)]
struct Cli {
    /// The folder of tokens; without it, the one that programs find (environment, configuration, default)
    #[arg(long, global = true, value_name = "DIR")]
    store: Option<PathBuf>,

    /// Lists and reports in JSON, for other programs
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  keystead demo
  keystead token init --label Test
  keystead token list
  keystead --store /srv/tokens token show Test
  keystead backup keys.backup
  keystead key list --login
  keystead migrate --module /usr/lib/softhsm/libsofthsm2.so
  keystead key generate --type aes:256 --label data
  keystead doctor

Exit codes:
  0  done
  1  it failed; one sentence on standard error says why, and what to do
  2  the command line makes no sense
  3  done, but not all of it, or not all is well: what is left is listed
  4  nobody is logged in: the PIN is wrong, locked, not set or missing
  5  no token or object is called so";

#[derive(Subcommand)]
enum Command {
    /// Makes tokens, shows them, sets their PINs and destroys them
    #[command(subcommand, after_help = token::AFTER_HELP)]
    Token(token::Command),

    /// Makes, lists, moves and destroys the keys in a token, and other objects
    #[command(subcommand, after_help = key::AFTER_HELP)]
    Key(key::Command),

    /// Makes domains, in which keys move between tokens, joins and leaves them
    #[command(subcommand, after_help = domain::AFTER_HELP)]
    Domain(domain::Command),

    /// Saves tokens to an encrypted file
    #[command(after_help = backup::AFTER_HELP)]
    Backup(backup::Args),

    /// Makes the folder of tokens anew from a backup
    #[command(after_help = backup::AFTER_HELP_RESTORE)]
    Restore(backup::RestoreArgs),

    /// Saves what still opens out of a damaged token
    #[command(subcommand, after_help = store::AFTER_HELP)]
    Store(store::Command),

    /// Moves what another PKCS#11 module gives away into a token
    #[command(after_help = migrate::AFTER_HELP)]
    Migrate(migrate::Args),
    /// Brings the tokens of a domain to the same state
    #[command(after_help = sync::AFTER_HELP)]
    Sync(sync::Args),

    /// What the tokens can do
    #[command(subcommand, after_help = mechanism::AFTER_HELP)]
    Mechanism(mechanism::Command),

    /// Looks for what is wrong with the store and around it, and says what to do
    Doctor(doctor::Args),

    /// Tells the whole story with throw-away tokens, and checks every step
    Demo(demo::Args),

    /// Prints the completions for a shell
    Completions(completions::Args),

    /// Prints a manual page, or writes them all
    Man(man::Args),

    /// The second process of the demo
    #[command(name = demo::OTHER, hide = true)]
    DemoOther(demo::OtherArgs),
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(Cli { store, json, command }: Cli) -> Result<()> {
    let form = Form::choose(json);
    match command {
        Command::Token(command) => token::run(command, store, form),
        Command::Key(command) => key::run(command, store, form),
        Command::Domain(command) => domain::run(command, store, form),
        Command::Backup(args) => backup::run(&args, store, form),
        Command::Restore(args) => backup::run_restore(&args, store, form),
        Command::Store(command) => store::run(&command, store, form),
        Command::Migrate(args) => migrate::run(&args, store, form),
        Command::Sync(args) => sync::run(&args, store, form),
        Command::Mechanism(command) => mechanism::run(command, form),
        Command::Doctor(args) => doctor::run(&args, store, form),
        Command::Demo(_) | Command::Completions(_) | Command::Man(_) if json => {
            misused("--json is for listings and reports")
        }
        Command::Demo(_) if store.is_some() => misused("the demo makes two stores of its own: leave --store out"),
        Command::Demo(args) => demo::run(&args),
        Command::Completions(args) => completions::run(&args, &Cli::command()),
        Command::Man(args) => man::run(&args, Cli::command()),
        Command::DemoOther(args) => demo::run_other(&args),
    }
}

/// Ends as `clap` does on a command line that makes no sense.
fn misused(why: &str) -> ! {
    Cli::command().error(ErrorKind::ArgumentConflict, why).exit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_of_commands_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_option_takes_a_pin() {
        let parse =
            |words: &[&str]| Cli::try_parse_from([&["keystead", "token", "init", "--label", "A"], words].concat());
        assert!(parse(&[]).is_ok());
        assert!(parse(&["--so-pin-file", "-"]).is_ok());
        for words in [&["--so-pin", "1234"][..], &["--pin=1234"], &["--user-pin", "1234"], &["1234"]] {
            let refused = parse(words).err().map(|error| error.kind());
            assert_eq!(refused, Some(ErrorKind::UnknownArgument), "{words:?}");
        }
    }
}
