//! `keystead domain list`

use std::path::PathBuf;

use keystead::session::Membership;
use serde::Serialize;

use super::{Member, Which};
use crate::failure::{Failure, Result};
use crate::output::{Form, Word};
use crate::pin::UserSource;
use crate::store::Store;

pub const AFTER_HELP: &str = "\
The fingerprint of a domain is the same in all its tokens.

Examples:
  keystead domain list
  keystead domain list --token Test --json | jq -r '.[].fingerprint'

Without a terminal, or in a pipe: a line each, with tabs between name, id and fingerprint.";

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    pin: UserSource,
}

/// `keystead domain list`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let token = args.which.choose(&store)?;
    let member = Member::log_in(&store, token, &args.pin.pin().existing()?)?;
    let listed: Vec<Listed> = member.domains()?.iter().map(|domain| Listed::of(&member, domain)).collect();
    form.list(&["name", "id", "fingerprint"], &listed, Listed::row)?;
    if listed.is_empty() {
        let failure = Failure::new(format!("the token {:?} is in no domain", member.label()));
        failure.with_next("`keystead domain create` makes one, `keystead domain request` asks to join one").say();
    }
    Ok(())
}

/// A domain that a token is in, as it is printed.
#[derive(Serialize)]
pub struct Listed {
    slot: u32,
    token: String,
    name: String,
    id: String,
    fingerprint: String,
}

impl Listed {
    pub(super) fn of(member: &Member<'_>, domain: &Membership) -> Self {
        Self {
            slot: member.slot,
            token: member.label(),
            name: domain.name.clone(),
            id: domain.id.to_string(),
            fingerprint: domain.fingerprint.to_string(),
        }
    }

    /// Prints it alone.
    pub(super) fn print(&self, form: Form) -> Result<()> {
        let words = [
            ("slot", Word::plain(self.slot.to_string())),
            ("token", Word::plain(&self.token)),
            ("domain", Word::plain(&self.name)),
            ("id", Word::plain(&self.id)),
            ("fingerprint", Word::plain(&self.fingerprint)),
        ];
        form.record(self, &words)
    }

    fn row(&self) -> Vec<Word> {
        [&self.name, &self.id, &self.fingerprint].map(Word::plain).into()
    }
}
