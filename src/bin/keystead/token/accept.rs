//! `keystead token accept`

use std::path::PathBuf;

use keystead::error::Error;
use keystead::slot::Found;

use super::change::Done;
use super::choose::{NAME, choose_open};
use super::show::label_of;
use crate::ask::Asked;
use crate::failure::{Failure, Result};
use crate::output::Form;
use crate::store::Store;

pub const AFTER_HELP: &str = "\
Where the configuration names a folder for witnesses ([token] witness), a token is only logged in to if its witness knows the state that \
it is in. This has the witness take the token as it is: one that was restored from a backup on purpose, or that was made before there were \
witnesses. First find out why it is another state; after this, nobody can tell any more. It needs no PIN, but the right to write to \
the folder of witnesses and to the token.

Examples:
  keystead token accept Test
  keystead token accept 3 --yes";

#[derive(clap::Args)]
pub struct Args {
    /// The token
    #[arg(value_name = NAME)]
    token: String,

    /// Does not ask
    #[arg(long)]
    yes: bool,
}

/// `keystead token accept`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let (slot, state) = choose_open(&args.token, &store)?;
    let label = label_of(&state);
    let failed = |error: Error| Failure::of(format!("slot {slot}"), error);
    let Found::Token(token) = store.module.slots().find(slot.into()).map_err(failed)? else {
        return Err(failed(Error::SlotIdInvalid));
    };
    let doubt = token.vouched().err().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let number = slot.to_string();
    let asked = Asked {
        what: format!("the witness would take the token {label:?} in slot {slot} as it is{doubt}"),
        warning: format!("The witness will take the token {label:?} in slot {slot} as it is{doubt}."),
        answer: &number,
        described: "the number of its slot",
    };
    asked.unless(args.yes)?;
    token.accept().map_err(failed)?;
    Done { slot, label, done: "the witness knows the token as it is now" }.print(form)
}
