//! `keystead domain`

mod accept;
mod create;
mod grant;
mod join;
mod leave;
mod list;
mod parcel;
mod request;

use std::path::PathBuf;

use keystead::handle::Handle;
use keystead::secret::Secret;
use keystead::session::Membership;
use keystead::token::{SoApproval, TokenState};
use keystead::transfer::{DomainName, Fingerprint};

use crate::failure::{Exit, Failure, Result};
use crate::login::{refused, session};
use crate::output::Form;
use crate::pin::Role;
use crate::store::Store;
use crate::token::choose::{NAME, choose_only, choose_open};
use crate::token::label_of;

pub const AFTER_HELP: &str = "\
Examples:
  keystead domain create --name production --token A
  keystead domain join --token B --from A
  keystead domain list --token B";

#[derive(clap::Subcommand)]
pub enum Command {
    /// Makes a domain, of which the token is the first
    #[command(after_help = create::AFTER_HELP)]
    Create(create::Args),

    /// Asks to join a domain, in a file for one of its tokens
    #[command(after_help = request::AFTER_HELP)]
    Request(request::Args),

    /// Lets the token that asks into a domain, in a file for it
    #[command(after_help = grant::AFTER_HELP)]
    Grant(grant::Args),

    /// Joins the domain that an answer lets the token into
    #[command(after_help = accept::AFTER_HELP)]
    Accept(accept::Args),

    /// Joins a domain that another token here is in, all in one step
    #[command(after_help = join::AFTER_HELP)]
    Join(join::Args),

    /// Lists the domains that a token is in
    #[command(after_help = list::AFTER_HELP)]
    List(list::Args),

    /// Leaves a domain; keys that came with it stay
    #[command(after_help = leave::AFTER_HELP)]
    Leave(leave::Args),
}

/// `keystead domain ...`
pub fn run(command: Command, store: Option<PathBuf>, form: Form) -> Result<()> {
    match command {
        Command::Create(args) => create::run(&args, store, form),
        Command::Request(args) => request::run(&args, store, form),
        Command::Grant(args) => grant::run(&args, store, form),
        Command::Accept(args) => accept::run(&args, store, form),
        Command::Join(args) => join::run(&args, store, form),
        Command::List(args) => list::run(&args, store, form),
        Command::Leave(args) => leave::run(&args, store, form),
    }
}

/// The token that it is about.
#[derive(clap::Args)]
struct Which {
    /// The token; not needed where there is one only
    #[arg(long, value_name = NAME)]
    token: Option<String>,
}

impl Which {
    fn choose(&self, store: &Store) -> Result<(u32, Box<TokenState>)> {
        match &self.token {
            Some(token) => choose_open(token, store),
            None => choose_only(store),
        }
    }
}

/// A token with its user logged in.
struct Member<'a> {
    store: &'a Store,
    slot: u32,
    state: Box<TokenState>,
    session: Handle,
}

impl<'a> Member<'a> {
    fn log_in(store: &'a Store, (slot, state): (u32, Box<TokenState>), user_pin: &Secret) -> Result<Self> {
        let session = session(store, slot, Role::User, user_pin)?;
        Ok(Self { store, slot, state, session })
    }

    /// The consent of the token's SO.
    fn approve(&self, so_pin: &Secret) -> Result<SoApproval> {
        let approval = self.store.module.sessions().approve(self.session, so_pin.expose());
        approval.map_err(|error| refused(error, Role::So, self.slot, self.store))
    }

    fn label(&self) -> String {
        label_of(&self.state)
    }

    fn domains(&self) -> Result<Vec<Membership>> {
        Ok(self.store.module.sessions().domains(self.session)?)
    }

    /// The domain that is called so, by its name or its id; without a name the only one.
    fn domain(&self, wanted: Option<&str>) -> Result<Membership> {
        let mut domains = self.domains()?;
        if let Some(wanted) = wanted {
            domains.retain(|domain| domain.name == wanted || domain.id.to_string() == wanted);
        }
        let token = self.label();
        let list = format!("`keystead domain list --token {}` shows them", self.slot);
        match (domains.pop(), domains.is_empty(), wanted) {
            (Some(domain), true, _) => Ok(domain),
            (Some(_), false, None) => Err(Failure::new(format!("the token {token:?} is in several domains"))
                .with_next(format!("say which one with --domain; {list}"))),
            (Some(_), false, Some(wanted)) => Err(Failure::new(format!("several domains are called {wanted:?}"))
                .with_next(format!("name one by its id; {list}"))),
            (None, _, Some(wanted)) => {
                let failure = Failure::new(format!("the token {token:?} is in no domain called {wanted:?}"));
                Err(failure.with_exit(Exit::NotFound).with_next(list))
            }
            (None, _, None) => Err(Failure::new(format!("the token {token:?} is in no domain"))
                .with_next("`keystead domain create` makes one")),
        }
    }
}

/// Refuses what does not have the fingerprint that somebody was told.
fn compare(what: &str, found: &Fingerprint, expected: &str) -> Result<()> {
    if found.is(expected) {
        return Ok(());
    }
    let failure = Failure::new(format!("the {what} has the fingerprint {found}, and not the one that was given"));
    Err(failure.with_next("find out on both sides which one is right: somebody may have exchanged it"))
}

/// A name for a domain, as `clap` takes it.
fn name(text: &str) -> Result<DomainName, String> {
    DomainName::parse(text)
}
