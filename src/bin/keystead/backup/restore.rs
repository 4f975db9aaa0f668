//! `keystead restore`

use std::path::PathBuf;

use keystead::slot::Slots;

use super::envelope;
use super::passphrase::KeySource;
use super::report::{Report, TokenLine};
use crate::beside::{Beside, refuse_if_occupied};
use crate::failure::{Failure, Result};
use crate::output::Form;
use crate::progress::Progress;
use crate::store;

pub const AFTER_HELP: &str = "\
Slots, labels, PINs and their tries, objects with their ids, and what is known of destroyed ones are as they were. The \
folder comes to be with all tokens or not at all; one with anything in it is left alone.

Examples:
  keystead restore keys.backup
  keystead --store /srv/tokens restore keys.backup --identity key.txt";

#[derive(clap::Args)]
pub struct Args {
    /// The backup; - is standard input
    file: PathBuf,

    #[command(flatten)]
    key: KeySource,
}

const ELSEWHERE: &str = "restore to another folder with --store DIR";

/// `keystead restore`
pub fn run(args: &Args, place: Option<PathBuf>, form: Form) -> Result<()> {
    let mut config = store::config(place)?;
    let place = store::place(&config)?;
    refuse_if_occupied(&place, ELSEWHERE)?;
    let mut reader = envelope::open(&args.file, &args.key)?;
    let mut report = Report::new(&args.file, reader.header());

    let beside = Beside::new(&place, ELSEWHERE)?;
    config.store = Some(beside.folder());
    let slots = Slots::new(config);
    let folder = slots.folder()?;
    let mut progress = Progress::new("objects restored");
    while let Some(slot) = reader.next_token()? {
        let mut line = TokenLine::of(slot);
        let restored = folder.restore(slot, &mut || {
            let item = reader.next_item()?;
            item.as_ref().map_or(Ok(None), |item| line.add(item))?;
            progress.tick();
            Ok(item)
        });
        match restored {
            Ok(true) => report.tokens.push(line),
            Ok(false) => return Err(Failure::new(format!("the number of slot {slot} cannot be used"))),
            Err(error) => return Err(Failure::from(error).with_next("nothing was restored")),
        }
    }
    folder.set_aside(reader.header().next_slot)?;
    drop(progress);
    beside.place(&place)?;
    report.print(form)
}
