//! `keystead domain leave`

use std::path::PathBuf;

use super::list::Listed;
use super::{Member, Which};
use crate::ask::Asked;
use crate::failure::Result;
use crate::output::Form;
use crate::pin::UserSource;
use crate::store::Store;

pub const AFTER_HELP: &str = "\
Destroys the key of the domain in this token. Keys that came with the domain stay; what is masked in it cannot be opened here any more, \
and what left this token stays where it is. To come back, the token asks another token of the domain: if this was the last one, nobody can.

Examples:
  keystead domain leave production
  keystead domain leave production --token Second --yes";

#[derive(clap::Args)]
pub struct Args {
    /// The domain, by its name or its id
    #[arg(value_name = "NAME|ID")]
    domain: String,

    /// Does not ask
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    pin: UserSource,
}

/// `keystead domain leave`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let token = args.which.choose(&store)?;
    let member = Member::log_in(&store, token, &args.pin.pin().existing()?)?;
    let domain = member.domain(Some(&args.domain))?;
    let (label, name) = (member.label(), &domain.name);
    let asked = Asked {
        what: format!(
            "the token {label:?} would leave the domain {name:?}, and only another token of it could let it in again"
        ),
        warning: format!(
            "The token {label:?} will leave the domain {name:?}. Its keys stay, but nothing that is masked in the domain opens here any \
             more, and only another token of it can let this one in again."
        ),
        answer: name,
        described: "the name of the domain",
    };
    asked.unless(args.yes)?;
    store.module.sessions().leave_domain(member.session, domain.id)?;
    Listed::of(&member, &domain).print(form)
}
