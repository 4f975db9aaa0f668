//! `keystead completions`

use std::io::{self, Write};

use clap::ValueEnum;
use clap_complete::Shell;

use crate::failure::Result;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  keystead completions bash > ~/.local/share/bash-completion/completions/keystead
  keystead completions zsh > ~/.zfunc/_keystead
  keystead completions fish > ~/.config/fish/completions/keystead.fish")]
pub struct Args {
    /// The shell
    shell: Known,
}

/// The shells that this is tried with.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

/// Prints the completions for the tree of commands.
pub fn run(args: &Args, tree: &clap::Command) -> Result<()> {
    let shell = match args.shell {
        Known::Bash => Shell::Bash,
        Known::Zsh => Shell::Zsh,
        Known::Fish => Shell::Fish,
    };
    // The generators also offer what is hidden.
    let shown = tree.get_subcommands().filter(|subcommand| !subcommand.is_hide_set());
    let bare = clap::Command::new("keystead").version(env!("CARGO_PKG_VERSION"));
    let mut tree = bare.args(tree.get_arguments()).subcommands(shown);
    // The generator panics when its writer fails, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut tree, "keystead", &mut script);
    Ok(io::stdout().write_all(&script)?)
}
