//! `keystead domain accept`

use std::path::PathBuf;

use keystead::error::Error;
use keystead::transfer::{Answer, DomainName};

use super::list::Listed;
use super::parcel::read;
use super::{Member, Which, compare, name};
use crate::ask::Asked;
use crate::failure::{Failure, Result};
use crate::output::Form;
use crate::pin::Sources;
use crate::store::Store;

pub const AFTER_HELP: &str = "\
Anybody who saw the request can have answered it. So compare the fingerprint of the domain with whoever granted, by telephone or face to \
face, before you say yes; a script says with --fingerprint which one it expects. Both PINs of this token are needed. One answer is accepted \
for each request.

Examples:
  keystead domain accept join.grant
  keystead domain accept join.grant --token Second --name 'production of the others'
  keystead domain accept join.grant --fingerprint '0a1b 2c3d ...'";

#[derive(clap::Args)]
pub struct Args {
    /// The answer; - is standard input
    #[arg(value_name = "GRANT")]
    grant: PathBuf,

    /// What this token calls the domain [default: what the granting token calls it]
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<DomainName>,

    /// The fingerprint that the domain must have; then nothing is asked
    #[arg(long, value_name = "FINGERPRINT")]
    fingerprint: Option<String>,

    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    pins: Sources,
}

/// `keystead domain accept`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    if args.grant.as_os_str() == "-" && args.pins.use_standard_input() {
        crate::misused("standard input cannot be both the answer and a PIN");
    }
    let store = Store::open(store)?;
    let token = args.which.choose(&store)?;
    let of_file = |error: Error| Failure::from(error).within(args.grant.display());
    let answer = Answer::parse(&read(&args.grant)?).map_err(of_file)?;
    let (so_pin, user_pin) = (args.pins.so().existing()?, args.pins.user().existing()?);
    let member = Member::log_in(&store, token, &user_pin)?;
    let sessions = store.module.sessions();
    let invitation = sessions.open_answer(member.session, &answer).map_err(of_file)?;
    if let Some(expected) = &args.fingerprint {
        compare("domain", &invitation.fingerprint, expected)?;
    }
    let name = args.name.clone().unwrap_or_else(|| invitation.name.clone());
    let (label, serial, fingerprint) =
        (&invitation.granting.label, &invitation.granting.serial, &invitation.fingerprint);
    let says = format!("token that says to be {label:?} with the serial number {serial} lets this one into");
    let domain = invitation.name.as_str();
    let asked = Asked {
        what: format!("a {says} {domain:?}, which has the fingerprint {fingerprint}"),
        warning: format!(
            "A {says} {domain:?}. All its tokens could open the keys that are masked here.\nThe fingerprint of the domain:\n\n    \
             {fingerprint}\n\nDoes the other side see the same?"
        ),
        answer: "yes",
        described: "\"yes\"",
    };
    asked.unless_said(args.fingerprint.is_some(), "--fingerprint")?;
    let approval = member.approve(&so_pin)?;
    let joined = sessions.join_domain(member.session, &approval, invitation, &name)?;
    Listed::of(&member, &joined).print(form)
}
