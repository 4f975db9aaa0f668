//! `keystead domain create`

use std::path::PathBuf;

use keystead::transfer::DomainName;

use super::list::Listed;
use super::{Member, Which, name};
use crate::failure::Result;
use crate::output::Form;
use crate::pin::Sources;
use crate::store::Store;

pub const AFTER_HELP: &str = "\
The token makes the key of the domain, which never leaves it but for tokens that its SO and its user let in. Both PINs are needed.

Examples:
  keystead domain create --name production
  keystead domain create --name production --token Test --so-pin-file so.pin --user-pin-file user.pin";

#[derive(clap::Args)]
pub struct Args {
    /// What this token calls the domain
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: DomainName,

    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    pins: Sources,
}

/// `keystead domain create`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let token = args.which.choose(&store)?;
    let (so_pin, user_pin) = (args.pins.so().existing()?, args.pins.user().existing()?);
    let member = Member::log_in(&store, token, &user_pin)?;
    let approval = member.approve(&so_pin)?;
    let domain = store.module.sessions().create_domain(member.session, &approval, &args.name)?;
    Listed::of(&member, &domain).print(form)
}
