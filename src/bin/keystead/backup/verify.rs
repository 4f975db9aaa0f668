//! `keystead backup verify`

use std::path::PathBuf;

use keystead::error::Error;
use keystead::seal::{HostKey, Role};
use keystead::token::{Seals, TokenCopy};

use super::envelope;
use super::passphrase::KeySource;
use super::report::{Report, TokenLine};
use crate::failure::{Exit, Failure, Result};
use crate::output::Form;
use crate::pin::UserSource;
use crate::progress::Progress;

pub const AFTER_HELP: &str = "\
Without the user's PIN: whether the backup is whole and as it was written, token rows, order and counts. With it, each \
object is opened too, and whether any was missing in the store is looked at. No wrong PIN is counted: there is no token to count it in.

Examples:
  keystead backup verify keys.backup
  keystead backup verify keys.backup --identity key.txt --json
  keystead backup verify keys.backup --seals";

#[derive(clap::Args)]
pub struct Args {
    /// The backup; - is standard input
    file: PathBuf,

    #[command(flatten)]
    key: KeySource,

    /// Opens every object with the user's PIN, which each token is asked for in turn
    #[arg(long)]
    seals: bool,

    #[command(flatten)]
    pin: UserSource,
}

/// `keystead backup verify`
pub fn run(args: &Args, form: Form) -> Result<()> {
    if args.file.as_os_str() == "-" && args.pin.is_standard_input() {
        crate::misused("standard input cannot be both the backup and the PIN");
    }
    let host = crate::store::config(None)?.host_key.map(HostKey::new);
    let with_seals = args.seals || args.pin.is_named();
    let mut reader = envelope::open(&args.file, &args.key)?;
    let mut report = Report::new(&args.file, reader.header());
    let mut progress = Progress::new("objects checked");
    while let Some(slot) = reader.next_token()? {
        let mut line = TokenLine::of(slot);
        let mut seals = None;
        while let Some(item) = reader.next_item()? {
            let row = line.add(&item)?;
            if let Some(copy) = row.filter(|_| with_seals) {
                progress.pause();
                seals = unlock(args, &line, &copy, host.as_ref())?;
            }
            if let Some(seals) = &mut seals {
                Seals::check(seals, &item).map_err(|error| Failure::of(line.name(), error))?;
            }
            progress.tick();
        }
        if let Some(finding) = seals.as_ref().and_then(Seals::missing) {
            return Err(Failure::of(line.name(), finding));
        }
        line.seals = seals.is_some();
        report.tokens.push(line);
    }
    drop(progress);
    report.print(form)
}

/// The keys of a token; none if nobody has set a PIN, so that there is nothing that needs one.
fn unlock(args: &Args, line: &TokenLine, copy: &TokenCopy, host: Option<&HostKey>) -> Result<Option<Seals>> {
    if !copy.has_user_pin() {
        return Ok(None);
    }
    let pin = args.pin.pin().existing_of(&line.name()).map_err(|failure| failure.within(line.name()))?;
    match copy.unlock(Role::User, pin.expose(), host) {
        Ok(seals) => Ok(Some(seals)),
        Err(Error::PinIncorrect) => {
            let failure = Failure::of(line.name(), "the user PIN does not open the copy in the backup");
            Err(failure.with_exit(Exit::Login).with_next("it may be an earlier PIN that did when the backup was made"))
        }
        Err(error) => Err(Failure::of(line.name(), error)),
    }
}
