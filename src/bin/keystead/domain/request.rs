//! `keystead domain request`

use std::path::{Path, PathBuf};

use keystead::transfer::{Lifetime, Request};
use serde::Serialize;

use super::parcel::Parcel;
use super::{Member, Which};
use crate::failure::Result;
use crate::output::{Form, time};
use crate::pin::UserSource;
use crate::store::Store;
use crate::token::Done;

pub const AFTER_HELP: &str = "\
The request is no secret, but nobody must exchange it on its way: who answers it compares the fingerprint with you, by telephone or face \
to face. The token keeps what opens the answer. A new request replaces an earlier one, whose answer is not accepted any more.

Examples:
  keystead domain request --out join.request
  keystead domain request --token Second --out join.request --valid-for 2days
  keystead domain request --out - | ssh elsewhere 'cat > join.request'
  keystead domain request --withdraw";

#[derive(clap::Args)]
pub struct Args {
    /// The new file; - is standard output
    #[arg(long, value_name = "FILE", required_unless_present = "withdraw")]
    out: Option<PathBuf>,

    /// How long the request can be answered and the answer accepted
    #[arg(long, value_name = "TIME", default_value = "7days", value_parser = lifetime)]
    valid_for: Lifetime,

    /// Replaces the file if it is there already
    #[arg(long)]
    force: bool,

    /// Takes back what was asked: no answer is accepted any more
    #[arg(long, conflicts_with_all = ["out", "valid_for", "force"])]
    withdraw: bool,

    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    pin: UserSource,
}

/// `keystead domain request`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    match &args.out {
        Some(out) => ask(args, out, store, form),
        None => withdraw(args, store, form),
    }
}

fn ask(args: &Args, out: &Path, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let token = args.which.choose(&store)?;
    let parcel = Parcel::new(out, args.force, form)?;
    let member = Member::log_in(&store, token, &args.pin.pin().existing()?)?;
    let sessions = store.module.sessions();
    let request = sessions.request_domain(member.session, args.valid_for)?;
    let told = Told::of(&request);
    let words = [
        ("token", told.token.clone()),
        ("serial", told.serial.clone()),
        ("expires", told.expires.clone()),
        ("fingerprint of the request", told.fingerprint.clone()),
    ];
    parcel.send(&request.text()?, &told, &words).inspect_err(|_| {
        // Nobody has it. If that fails too, the first failure is the one to tell of.
        let _ = sessions.withdraw_request(member.session);
    })
}

fn withdraw(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let token = args.which.choose(&store)?;
    let member = Member::log_in(&store, token, &args.pin.pin().existing()?)?;
    store.module.sessions().withdraw_request(member.session)?;
    Done { slot: member.slot, label: member.label(), done: "the request is withdrawn" }.print(form)
}

/// A request, as it is printed.
#[derive(Serialize)]
pub struct Told {
    /// The label of the token that asks.
    pub token: String,
    /// Its serial number.
    pub serial: String,
    created: String,
    /// In the form of RFC 3339.
    pub expires: String,
    /// In groups.
    pub fingerprint: String,
}

impl Told {
    /// Of a request.
    pub fn of(request: &Request) -> Self {
        Self {
            token: request.asking.label.clone(),
            serial: request.asking.serial.clone(),
            created: time(request.created),
            expires: time(request.expires),
            fingerprint: request.fingerprint().to_string(),
        }
    }
}

fn lifetime(text: &str) -> Result<Lifetime, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    Lifetime::new(duration).ok_or_else(|| "from a second to a year, as in 12hours or 7days".into())
}
