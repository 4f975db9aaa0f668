//! `keystead token change-pin`, `unlock` and `destroy`

use std::path::PathBuf;

use keystead::error::Error;
use keystead::slot::Authority;
use serde::Serialize;

use super::choose::{NAME, choose, choose_open};
use super::show::label_of;
use crate::ask::Asked;
use crate::failure::{Failure, Result};
use crate::login::{self, refused};
use crate::output::{Form, Word};
use crate::pin::{ChangeSources, Role, SoSource, Sources};
use crate::store::{Slot, Store};

pub const AFTER_HELP_CHANGE_PIN: &str = "\
The old PIN must be right, and a wrong one is counted. Keys stay as they are. Each PIN comes from its option, else from its \
default variable, else from a prompt; it is never an argument.

Examples:
  keystead token change-pin Test
  keystead token change-pin Test --so
  keystead token change-pin Test --old-pin-file old --new-pin-file new";

pub const AFTER_HELP_UNLOCK: &str = "\
The SO sets a new user PIN, whether the old one is locked, forgotten or was never set. The keys stay, and are used with the new PIN; \
the old one is good for nothing from then on.

Examples:
  keystead token unlock Test
  keystead token unlock Test --so-pin-file so.pin --user-pin-file user.pin";

pub const AFTER_HELP_DESTROY: &str = "\
The token and every key in it are gone for good, and its slot number is never used again. Programs that have it open get an error. It \
needs the SO PIN; where that is locked or lost, --without-pin lets the owner of the token's files do it. Removed is not overwritten: \
the sealed bytes may stay on the disk, in snapshots and backups, where the PINs protect them.

Examples:
  keystead token destroy Test
  keystead token destroy 3 --yes --so-pin-file so.pin
  keystead token destroy Test --without-pin";

#[derive(clap::Args)]
pub struct ChangePin {
    /// The token
    #[arg(value_name = NAME)]
    token: String,

    /// Changes the SO's PIN, not the user's
    #[arg(long)]
    so: bool,

    #[command(flatten)]
    pins: ChangeSources,
}

#[derive(clap::Args)]
pub struct Unlock {
    /// The token
    #[arg(value_name = NAME)]
    token: String,

    #[command(flatten)]
    pins: Sources,
}

#[derive(clap::Args)]
pub struct Destroy {
    /// The token
    #[arg(value_name = NAME)]
    token: String,

    /// Does not ask before keys are destroyed
    #[arg(long)]
    yes: bool,

    /// Needs no PIN, but only the owner of the token's files may do it
    #[arg(long, conflicts_with_all = ["so_pin_file", "so_pin_env"])]
    without_pin: bool,

    #[command(flatten)]
    pin: SoSource,
}

/// `keystead token change-pin`
pub fn change_pin(args: &ChangePin, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let (slot, state) = choose_open(&args.token, &store)?;
    let role = if args.so { Role::So } else { Role::User };
    if role == Role::User && !state.user_pin_set {
        return Err(refused(Error::UserPinNotInitialized, role, slot, &store));
    }
    let old = args.pins.old(role).existing()?;
    let new = args.pins.new_one(role).new_pin(store.module.slots().pins())?;
    let sessions = store.module.sessions();
    // Whoever is logged in changes his own; nobody changes the user's.
    let session = match role {
        Role::So => login::session(&store, slot, role, &old)?,
        Role::User => store.module.open_session(slot.into(), true)?,
    };
    let set = sessions.set_pin(session, old.expose(), new.expose());
    set.map_err(|error| refused(error, role, slot, &store))?;
    let done = match role {
        Role::So => "the SO PIN is the new one",
        Role::User => "the user PIN is the new one",
    };
    Done { slot, label: label_of(&state), done }.print(form)
}

/// `keystead token unlock`
pub fn unlock(args: &Unlock, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let (slot, state) = choose_open(&args.token, &store)?;
    let so = args.pins.so().existing()?;
    let user = args.pins.user().new_pin(store.module.slots().pins())?;
    let session = login::session(&store, slot, Role::So, &so)?;
    store.module.sessions().init_pin(session, user.expose())?;
    let done = "the user PIN is the new one, with all tries left; the keys are as they were";
    Done { slot, label: label_of(&state), done }.print(form)
}

/// `keystead token destroy`
pub fn destroy(args: &Destroy, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let (slot, content) = choose(&args.token, &store)?;
    let label = match content {
        Slot::Token(state) => label_of(&state),
        Slot::Closed(reason) if !args.without_pin => {
            let failure = Failure::of(format!("slot {slot}"), reason);
            return Err(failure.with_next("--without-pin lets the owner of its files remove it all the same"));
        }
        Slot::Closed(_) | Slot::Blank => String::new(),
    };
    let number = slot.to_string();
    let typeable = !label.trim().is_empty() && !label.chars().any(char::is_control);
    let asked = Asked {
        what: format!("slot {slot} holds the token {label:?}, which would be destroyed with every key in it"),
        warning: format!("The token {label:?} in slot {slot} and every key in it will be destroyed for good."),
        answer: if typeable { &label } else { &number },
        described: if typeable { "its label" } else { "the number of its slot" },
    };
    asked.unless(args.yes)?;
    let slots = store.module.slots();
    if args.without_pin {
        slots.destroy_token(slot.into(), Authority::Owner).map_err(|error| match error {
            Error::FunctionFailed(reason) => {
                Failure::new(reason).with_next("its owner can do this, and anybody with the SO PIN")
            }
            other => Failure::of(format!("slot {slot}"), other),
        })?;
    } else {
        let pin = args.pin.pin().existing()?;
        let destroyed = slots.destroy_token(slot.into(), Authority::SoPin(pin.expose()));
        destroyed.map_err(|error| refused(error, Role::So, slot, &store))?;
    }
    Done { slot, label, done: "the token is destroyed; its sealed bytes may stay on the disk and in backups" }
        .print(form)
}

/// What was done.
#[derive(Serialize)]
pub struct Done {
    pub slot: u32,
    pub label: String,
    pub done: &'static str,
}

impl Done {
    pub fn print(&self, form: Form) -> Result<()> {
        let words = [
            ("slot", Word::plain(self.slot.to_string())),
            ("label", Word::plain(&self.label)),
            ("done", Word::plain(self.done)),
        ];
        form.record(self, &words)
    }
}
