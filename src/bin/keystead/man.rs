//! `keystead man`: manual pages, made of the same words as `--help`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::failure::{Exit, Failure, Result};

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  keystead man | man -l -
  keystead man token init | man -l -
  keystead man --dir ~/.local/share/man/man1")]
pub struct Args {
    /// The page of this subcommand [default: of the whole command]
    #[arg(value_name = "SUBCOMMAND", conflicts_with = "dir")]
    subcommand: Vec<String>,

    /// Writes the pages of all subcommands into DIR, which is made if it is not there
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints a page, or writes all.
pub fn run(args: &Args, tree: clap::Command) -> Result<()> {
    let mut tree = tree.disable_help_subcommand(true);
    tree.build();
    match &args.dir {
        Some(folder) => {
            let failed = |error| Failure::of(folder.display(), error);
            fs::create_dir_all(folder).map_err(failed)?;
            write_all(&tree, folder).map_err(failed)
        }
        None => Ok(io::stdout().write_all(&page(find(&tree, &args.subcommand)?)?)?),
    }
}

fn find<'a>(tree: &'a clap::Command, words: &[String]) -> Result<&'a clap::Command> {
    words.iter().try_fold(tree, |command, word| {
        let failure = || Failure::new(format!("{} has no subcommand {word:?}", command.get_name()));
        command.find_subcommand(word).ok_or_else(|| failure().with_exit(Exit::NotFound))
    })
}

fn write_all(command: &clap::Command, folder: &Path) -> io::Result<()> {
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        write_all(subcommand, folder)?;
    }
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    fs::write(folder.join(format!("{name}.1")), page(command)?)
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let extra = Extra::of(command);
    let man = Man::new(command.clone()).source(concat!("keystead ", env!("CARGO_PKG_VERSION"))).manual("Keystead");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    extra.prose.to_writer(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    extra.lists.to_writer(&mut page)?;
    Ok(page)
}

/// What stands behind the options in `--help`. Its lists are sections of their own: a manual page would else run their lines together.
struct Extra {
    prose: Roff,
    lists: Roff,
}

impl Extra {
    fn of(command: &clap::Command) -> Self {
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let (mut prose, mut lists) = (Roff::new(), Roff::new());
        for paragraph in text.split("\n\n") {
            let (first, rest) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
            match (first.strip_suffix(':'), rest.starts_with("  ")) {
                (Some(heading), true) => list(&mut lists, heading, rest),
                _ => {
                    prose.control("PP", []).text([roman(paragraph)]);
                }
            }
        }
        Self { prose, lists }
    }
}

/// Lines that stay lines.
fn list(roff: &mut Roff, heading: &str, lines: &str) {
    // What manual pages call it.
    let heading = if heading == "Exit codes" { "EXIT STATUS".to_owned() } else { heading.to_uppercase() };
    roff.control("SH", [heading.as_str()]).control("nf", []);
    for line in lines.lines() {
        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    roff.control("fi", []);
}
