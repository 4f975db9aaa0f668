//! `keystead domain grant`

use std::path::PathBuf;

use keystead::transfer::Request;
use serde::Serialize;

use super::list::Listed;
use super::parcel::{Parcel, read};
use super::request::Told;
use super::{Member, Which, compare};
use crate::ask::Asked;
use crate::failure::{Failure, Result};
use crate::output::Form;
use crate::pin::Sources;
use crate::store::Store;

pub const AFTER_HELP: &str = "\
Whoever holds the token that asks can then open every key that is masked in the domain. So compare the fingerprint of the request with \
its holder, by telephone or face to face, before you say yes; a script says with --fingerprint which one it expects. Both PINs of this \
token are needed. The answer can be opened by the token that asked alone. Tell its holder the fingerprint of the domain in the same way.

Examples:
  keystead domain grant join.request --out join.grant
  keystead domain grant join.request --out join.grant --domain production --token First
  keystead domain grant - --out - --fingerprint '0a1b 2c3d ...' < join.request > join.grant

That a request is answered twice is noticed where the answers arrive: only one is accepted.";

#[derive(clap::Args)]
pub struct Args {
    /// The request; - is standard input
    #[arg(value_name = "REQUEST")]
    request: PathBuf,

    /// The new file; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// The domain, by its name or its id; not needed where the token is in one only
    #[arg(long, value_name = "NAME|ID")]
    domain: Option<String>,

    /// The fingerprint that the request must have; then nothing is asked
    #[arg(long, value_name = "FINGERPRINT")]
    fingerprint: Option<String>,

    /// Replaces the file if it is there already
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    pins: Sources,
}

/// An answer, as it is printed.
#[derive(Serialize)]
struct Granted {
    request: Told,
    domain: Listed,
}

/// `keystead domain grant`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    if args.request.as_os_str() == "-" && args.pins.use_standard_input() {
        crate::misused("standard input cannot be both the request and a PIN");
    }
    let store = Store::open(store)?;
    let token = args.which.choose(&store)?;
    let parcel = Parcel::new(&args.out, args.force, form)?;
    let parsed = Request::parse(&read(&args.request)?);
    let request = parsed.map_err(|error| Failure::from(error).within(args.request.display()))?;
    let told = Told::of(&request);
    if let Some(expected) = &args.fingerprint {
        compare("request", &request.fingerprint(), expected)?;
    }
    let (so_pin, user_pin) = (args.pins.so().existing()?, args.pins.user().existing()?);
    let member = Member::log_in(&store, token, &user_pin)?;
    let domain = member.domain(args.domain.as_deref())?;
    let Told { token: asking, serial, fingerprint, expires, .. } = &told;
    let asks = format!("token {asking:?} with the serial number {serial} asks to join {:?}", domain.name);
    let asked = Asked {
        what: format!("the {asks}, and its request has the fingerprint {fingerprint}"),
        warning: format!(
            "The {asks}, in which it can open every key that is masked.\nThe fingerprint of its request, which expires at \
             {expires}:\n\n    {fingerprint}\n\nDoes its holder see the same?"
        ),
        answer: "yes",
        described: "\"yes\"",
    };
    asked.unless_said(args.fingerprint.is_some(), "--fingerprint")?;
    let approval = member.approve(&so_pin)?;
    let answer = store.module.sessions().grant_domain(member.session, &approval, domain.id, &request)?;
    let words = [
        ("let in", asking.clone()),
        ("its serial", serial.clone()),
        ("fingerprint of the request", fingerprint.clone()),
        ("domain", domain.name.clone()),
        ("fingerprint of the domain", domain.fingerprint.to_string()),
    ];
    let granted = Granted { domain: Listed::of(&member, &domain), request: Told::of(&request) };
    parcel.send(&answer.text()?, &granted, &words)
}
