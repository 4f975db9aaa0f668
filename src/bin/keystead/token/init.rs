//! `keystead token init`

use std::path::PathBuf;

use keystead::error::Error;
use keystead::key::Login;
use keystead::secret::Secret;
use keystead::token::{Label, TokenState};

use super::show::{Described, label_of};
use crate::ask::Asked;
use crate::failure::{Exit, Failure, Result};
use crate::login::refused;
use crate::output::Form;
use crate::pin::{Role, Sources};
use crate::store::{Slot, Store};

pub const AFTER_HELP: &str = "\
Each PIN comes from its option, else from its default variable, else from a prompt. It is never an argument: every \
user of the machine can read those.

Examples:
  keystead token init --label Test
  keystead token init --label Test --so-pin-file so.pin --user-pin-file user.pin
  cat two-lines | keystead token init --label Test --so-pin-file - --user-pin-file -
  keystead token init --label Test --slot 0    (anew; the keys in it are destroyed)";

#[derive(clap::Args)]
pub struct Args {
    /// The token's name, at most 32 bytes
    #[arg(long, value_name = "NAME", value_parser = padded)]
    label: Label,

    /// Makes the token in this slot anew: all its keys are destroyed. The SO PIN must be right and stays
    #[arg(long, value_name = "N")]
    slot: Option<u32>,

    /// Does not ask before keys are destroyed
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    pins: Sources,
}

/// `keystead token init`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open_with_blank(store)?;
    let slots = store.slots();
    let blank = slots.iter().find(|(_, content)| matches!(content, Slot::Blank)).map(|(id, _)| *id);
    let slot = match args.slot {
        None => make(args, &store)?,
        Some(wanted) if blank == Some(wanted) => make(args, &store)?,
        Some(wanted) => match slots.into_iter().find(|(id, _)| *id == wanted) {
            Some((id, Slot::Token(state))) => remake(args, &store, id, &state)?,
            Some((id, Slot::Closed(reason))) => return Err(Failure::of(format!("slot {id}"), reason)),
            Some((_, Slot::Blank)) | None => {
                let failure = Failure::new(format!("there is no slot {wanted} in {}", store.folder().display()));
                let next = "leave --slot out: a new token gets the next number that was never used";
                return Err(failure.with_exit(Exit::NotFound).with_next(next));
            }
        },
    };
    match store.slot(slot) {
        Slot::Token(state) => {
            let made = Described::token(slot, &state, &store);
            form.record(&made, &made.briefly())
        }
        Slot::Closed(reason) => Err(Failure::of(format!("slot {slot}"), reason)),
        Slot::Blank => Err(Failure::new(format!("the token of slot {slot} is gone again"))),
    }
}

/// Makes a token in the next slot.
fn make(args: &Args, store: &Store) -> Result<u32> {
    let pins = *store.module.slots().pins();
    let so_pin = args.pins.so().new_pin(&pins)?;
    let user_pin = args.pins.user().new_pin(&pins)?;
    loop {
        let blank = store.slots().into_iter().find(|(_, content)| matches!(content, Slot::Blank));
        let (slot, _) = blank.ok_or_else(|| {
            let failure = Failure::new(format!("no token can be made in {}", store.folder().display()));
            failure.with_next("KEYSTEAD_LOG=stderr says why")
        })?;
        match store.module.slots().init_token(slot.into(), so_pin.expose(), args.label) {
            Ok(()) => return set_user_pin(store, slot, &so_pin, &user_pin),
            // Somebody else made a token there first: the next slot is ours.
            Err(Error::FunctionFailed(_)) if store.slots().iter().any(|(id, content)| is_taken(slot, *id, content)) => {
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_taken(slot: u32, id: u32, content: &Slot) -> bool {
    id == slot && !matches!(content, Slot::Blank)
}

/// Makes an existing token anew.
fn remake(args: &Args, store: &Store, slot: u32, state: &TokenState) -> Result<u32> {
    let label = label_of(state);
    let asked = Asked {
        what: format!("slot {slot} holds the token {label:?}, whose keys would be destroyed"),
        warning: format!("The token {label:?} in slot {slot} and every key in it will be destroyed for good."),
        answer: "yes",
        described: "\"yes\"",
    };
    asked.unless(args.yes)?;
    let pins = *store.module.slots().pins();
    let so_pin = args.pins.so().existing()?;
    let user_pin = args.pins.user().new_pin(&pins)?;
    store
        .module
        .slots()
        .init_token(slot.into(), so_pin.expose(), args.label)
        .map_err(|error| refused(error, Role::So, slot, store))?;
    set_user_pin(store, slot, &so_pin, &user_pin)
}

/// What a program does after `C_InitToken`: the SO logs in and sets the user's PIN.
fn set_user_pin(store: &Store, slot: u32, so_pin: &Secret, user_pin: &Secret) -> Result<u32> {
    let sessions = store.module.sessions();
    let set = || {
        let session = store.module.open_session(slot.into(), true)?;
        let set = sessions
            .login(session, Login::So, so_pin.expose())
            .and_then(|()| sessions.init_pin(session, user_pin.expose()));
        sessions.close(session).and(set)
    };
    set().map(|()| slot).map_err(|error| {
        let failure = Failure::new(format!("the token of slot {slot} was made but has no user PIN: {error}"));
        failure.with_next(format!("make it anew with --slot {slot}"))
    })
}

/// A label as `C_InitToken` takes it: UTF-8, blank-padded.
fn padded(text: &str) -> Result<Label, String> {
    if text.trim().is_empty() {
        return Err("a token needs a name".into());
    }
    if text.chars().any(char::is_control) {
        return Err("control characters are not allowed".into());
    }
    let mut label = [b' '; 32];
    let room = label.get_mut(..text.len()).ok_or_else(|| format!("{} bytes, and 32 are allowed", text.len()))?;
    room.copy_from_slice(text.as_bytes());
    Ok(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_padded_and_never_cut() {
        assert_eq!(padded("Test"), Ok(*b"Test                            "));
        assert_eq!(padded(&"x".repeat(32)), Ok([b'x'; 32]));
        assert!(padded(&"x".repeat(33)).is_err());
        assert!(padded(&"ä".repeat(17)).is_err() && padded(&"ä".repeat(16)).is_ok());
        assert!(padded("").is_err() && padded("  ").is_err() && padded("a\u{1b}b").is_err());
    }
}
