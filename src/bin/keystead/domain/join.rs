//! `keystead domain join`

use std::path::PathBuf;
use std::time::Duration;

use keystead::transfer::{DomainName, Lifetime};

use super::list::Listed;
use super::{Member, Which, name};
use crate::failure::{Failure, Result};
use crate::output::Form;
use crate::pin::{FromSources, Sources};
use crate::store::Store;
use crate::token::choose::{NAME, choose_open};

pub const AFTER_HELP: &str = "\
Request, grant and accept in one step, for who has both tokens and all four PINs. No file is written, and there is nothing to compare.

Examples:
  keystead domain join --token Second --from First
  keystead --store /srv/new domain join --from First --from-store /srv/tokens --domain production";

#[derive(clap::Args)]
pub struct Args {
    /// The other token, which is in the domain
    #[arg(long, value_name = NAME)]
    from: String,

    /// The folder of the other token, where it is another one
    #[arg(long, value_name = "DIR")]
    from_store: Option<PathBuf>,

    /// The domain, by its name or its id; not needed where the other token is in one only
    #[arg(long, value_name = "NAME|ID")]
    domain: Option<String>,

    /// What this token calls the domain [default: what the other one calls it]
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<DomainName>,

    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    pins: Sources,

    #[command(flatten)]
    from_pins: FromSources,
}

/// So long do the three steps have.
const WHILE: Duration = Duration::from_secs(60 * 60);

/// `keystead domain join`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let token = args.which.choose(&store)?;
    let other_store = args.from_store.clone().map(|folder| Store::open(Some(folder))).transpose()?;
    let other_store = other_store.as_ref().unwrap_or(&store);
    let other = choose_open(&args.from, other_store)?;
    if token.1.serial == other.1.serial {
        return Err(Failure::new("both names mean the same token").with_next("name the token that joins with --token"));
    }
    let (so_pin, user_pin) = (args.pins.so().existing()?, args.pins.user().existing()?);
    let (other_so_pin, other_user_pin) = (args.from_pins.so().existing()?, args.from_pins.user().existing()?);
    let member = Member::log_in(&store, token, &user_pin)?;
    let granting = Member::log_in(other_store, other, &other_user_pin)?;
    let domain = granting.domain(args.domain.as_deref())?;
    let (consent, other_consent) = (member.approve(&so_pin)?, granting.approve(&other_so_pin)?);

    let sessions = store.module.sessions();
    let lifetime = Lifetime::new(WHILE).unwrap_or(Lifetime::DEFAULT);
    let request = sessions.request_domain(member.session, lifetime)?;
    let joined = || {
        let granted = other_store.module.sessions();
        let answer = granted.grant_domain(granting.session, &other_consent, domain.id, &request)?;
        let invitation = sessions.open_answer(member.session, &answer)?;
        let name = args.name.clone().unwrap_or_else(|| invitation.name.clone());
        sessions.join_domain(member.session, &consent, invitation, &name)
    };
    match joined() {
        Ok(joined) => Listed::of(&member, &joined).print(form),
        Err(error) => {
            // Nobody is to answer it any more. If that fails too, the first failure is the one to tell of.
            let _ = sessions.withdraw_request(member.session);
            Err(error.into())
        }
    }
}
