//! `keystead backup`

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use keystead::error::Error;
use keystead::store::backup::{Header, Writer, unwritable};

use super::envelope::Lock;
use super::passphrase::PassphraseSource;
use super::report::{Report, TokenLine};
use crate::failure::{Failure, Result};
use crate::file::Output;
use crate::output::Form;
use crate::progress::Progress;
use crate::store::Store;
use crate::token::choose::{NAME, choose, none_yet};

#[derive(clap::Args)]
pub struct Args {
    /// The new file; - is standard output
    #[arg(required = true)]
    file: Option<PathBuf>,

    /// Takes this token only, by slot, label, serial number or URI; may be given several times
    #[arg(long, value_name = NAME)]
    token: Vec<String>,

    /// Encrypts to the holder of this key and not to a passphrase; may be given several times
    #[arg(long, value_name = "age1...", conflicts_with_all = ["passphrase_file", "passphrase_env"])]
    recipient: Vec<String>,

    #[command(flatten)]
    passphrase: PassphraseSource,

    /// Replaces the file if it is there already
    #[arg(long)]
    force: bool,
}

/// `keystead backup`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    // Missing beside a subcommand only.
    let Some(file) = &args.file else { crate::misused("FILE is missing") };
    let to_stdout = file.as_os_str() == "-";
    if to_stdout && form == Form::Json {
        crate::misused("standard output is for the backup: leave --json out");
    }
    if to_stdout && io::stdout().is_terminal() {
        return Err(Failure::new("a backup is nothing for a terminal").with_next("name a file, or use a pipe"));
    }
    let store = Store::open(store)?;
    let slots = slots(args, &store)?;
    let output = Output::new(file, args.force)?;
    let lock = match args.recipient.is_empty() {
        true => Lock::passphrase(&args.passphrase.new_one()?)?,
        false => Lock::recipients(&args.recipient)?,
    };

    let folder = store.module.slots().folder()?;
    let made = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let next_slot = folder.next_slot()?;
    let header = Header { made, library: env!("CARGO_PKG_VERSION").into(), next_slot };
    let mut report = Report::new(file, &header);
    let mut progress = Progress::new("objects saved");
    let mut writer = Writer::begin(lock.close(output)?, &header)?;
    for slot in slots {
        let mut line = TokenLine::of(slot);
        let written = folder.open(slot).and_then(|token| {
            writer.token(slot, &*token, &mut |item| {
                progress.tick();
                line.add(item).map(drop)
            })
        });
        written.map_err(|error| unreadable(slot, &error))?;
        report.tokens.push(line);
    }
    writer.end()?.finish().map_err(|error| unwritable(&error))?.place()?;
    drop(progress);
    if to_stdout { Ok(()) } else { report.print(form) }
}

/// The tokens that are meant, by ascending slot, each once.
fn slots(args: &Args, store: &Store) -> Result<Vec<u32>> {
    let mut slots = match args.token.is_empty() {
        true => store.module.slots().folder()?.slots()?,
        false => args.token.iter().map(|token| choose(token, store).map(|(slot, _)| slot)).collect::<Result<_>>()?,
    };
    slots.sort_unstable();
    slots.dedup();
    if slots.is_empty() { Err(none_yet(store)) } else { Ok(slots) }
}

fn unreadable(slot: u32, error: &Error) -> Failure {
    match error {
        Error::Backup(sentence) => Failure::new(&**sentence),
        _ => Failure::of(format!("slot {slot}"), error)
            .with_next("no backup was made; --token names those that can be saved"),
    }
}
