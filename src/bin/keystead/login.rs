//! Logs in to a token, and says what a refusal means.

use keystead::error::Error;
use keystead::handle::Handle;
use keystead::key::Login;
use keystead::secret::Secret;

use crate::failure::{Exit, Failure, Result};
use crate::pin::Role;
use crate::store::{Slot, Store};

/// A session with somebody logged in. It ends with the command.
pub fn session(store: &Store, slot: u32, role: Role, pin: &Secret) -> Result<Handle> {
    let who = match role {
        Role::So => Login::So,
        Role::User => Login::User,
    };
    let session = store.module.open_session(slot.into(), true)?;
    let login = store.module.sessions().login(session, who, pin.expose());
    login.map(|()| session).map_err(|error| refused(error, role, slot, store))
}

/// What it means that a PIN was refused.
pub fn refused(error: Error, role: Role, slot: u32, store: &Store) -> Failure {
    let name = role.name();
    let exit = Exit::of(&error);
    let failure = match (error, role) {
        (Error::PinIncorrect, _) => Failure::new(format!("the {name} is wrong{}", counted(role, slot, store))),
        (Error::PinLocked, Role::User) => Failure::new("the user PIN is locked after too many wrong ones")
            .with_next("the SO sets a new one with `keystead token unlock`"),
        (Error::PinLocked, Role::So) => Failure::new("the SO PIN is locked after too many wrong ones").with_next(
            "all that is left is `keystead token destroy --without-pin`, for the owner of the store's files",
        ),
        (Error::UserPinNotInitialized, _) => {
            Failure::new("the token has no user PIN yet").with_next("the SO sets one with `keystead token unlock`")
        }
        (other, _) => Failure::of(format!("slot {slot}"), other),
    };
    failure.with_exit(exit)
}

/// What a wrong PIN has cost.
fn counted(role: Role, slot: u32, store: &Store) -> String {
    let Slot::Token(state) = store.slot(slot) else { return String::new() };
    if state.write_protected {
        return ", and cannot be counted where nothing can be written".into();
    }
    let tries = match role {
        Role::So => state.so,
        Role::User => state.user,
    };
    match tries.left {
        0 => ", and that was counted; the PIN is locked now".into(),
        1 => ", and that was counted; one try is left".into(),
        left => format!(", and that was counted; {left} tries are left"),
    }
}
