//! An operation of one kind, and the key that it works with.

use std::sync::Arc;

use super::Session;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key::{Caller, Fit, Grant, Purpose, Use, permit};
use crate::mechanism::{Begin, Keyed, Mechanism, Parameter, PreparedKey};
use crate::token::{Opened, Token};

/// What a session does of one kind: at most one operation at a time.
pub(super) struct Operation<T> {
    /// The key of the operation that runs, or of the one that ran last. The next Init finds it here, so that two threads
    /// with one key do not fight over its reference count.
    held: Option<Held>,
    /// The operation that runs.
    state: Option<T>,
    in_parts: bool,
    /// The number of the operation, if its key asks for the user's PIN before it goes on. PKCS#11 3.2, section 5.6.8.
    awaits_pin: Option<u64>,
}

/// A running operation for the length of a call.
pub(super) struct Current<'a, T> {
    /// The key, and leave to use it so.
    pub(super) keyed: Keyed<'a>,
    /// How far it has got.
    pub(super) state: &'a mut T,
    /// Whether the message comes in parts.
    pub(super) in_parts: &'a mut bool,
}

struct Held {
    handle: Handle,
    seen: Seen,
    key: Arc<PreparedKey>,
    /// What the last Init was granted.
    grant: Grant,
}

/// What a key that was looked up depends on: the login word and the store's revision.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    login: u64,
    revision: u64,
}

/// What an Init asks for.
pub(super) struct Asked<'a, T> {
    pub(super) purpose: Purpose,
    pub(super) mechanism: &'a Mechanism,
    pub(super) parameter: &'a Parameter<'a>,
    /// How the mechanism begins such an operation, if it has one.
    pub(super) begin: Option<Begin<T>>,
    pub(super) key: Handle,
}

impl<T> Operation<T> {
    /// Nothing runs, and there is no key.
    pub(super) const NONE: Self = Self { held: None, state: None, in_parts: false, awaits_pin: None };

    /// Whether an operation runs; one whose key has been destroyed does not.
    #[inline(always)]
    pub(super) fn is_running(&self) -> bool {
        self.state.is_some() && self.held.as_ref().is_some_and(|held| held.key.is_alive())
    }

    /// The check of every Init, and the beginning of the operation.
    #[inline(always)]
    pub(super) fn begin(&mut self, (token, read_write): (&Token, bool), asked: Asked<'_, T>) -> Result<()> {
        let Asked { purpose, mechanism, parameter, begin, key: handle } = asked;
        if self.is_running() {
            return Err(Error::OperationActive);
        }
        let begin = begin.ok_or(Error::MechanismInvalid(mechanism.number))?;
        // What a destroyed key left behind is not to go on under this one.
        if self.state.is_some() {
            self.state = None;
        }
        let fit = mechanism.fit(purpose)?;
        let seen = Seen { login: token.login_word(), revision: token.revision()? };
        let caller = token.caller(read_write);
        let held = match &mut self.held {
            Some(held) if held.handle == handle && held.seen == seen && held.key.is_current() => {
                held.grant = permit(&caller, &Use { purpose, fit, key: held.key.facts(), other: None })?;
                held
            }
            held => {
                let (_, key, grant) = look_up(token, &caller, purpose, fit, handle)?;
                held.insert(Held { handle, seen, key, grant })
            }
        };
        self.in_parts = false;
        self.awaits_pin = held.key.facts().always_authenticate.then(|| token.number_of_use());
        begin(&Keyed::new(&held.key, &held.grant), parameter, &mut self.state)
    }

    /// The operation, if it runs and its key has not been destroyed under it; one whose key has is over.
    pub(super) fn current(&mut self) -> Result<Current<'_, T>> {
        let Some(held) = self.held.as_ref().filter(|held| held.key.is_alive()) else {
            self.state = None;
            return Err(Error::OperationNotInitialized);
        };
        if self.awaits_pin.is_some() && self.state.is_some() {
            return Err(Error::UserNotLoggedIn);
        }
        match &mut self.state {
            Some(state) => {
                Ok(Current { keyed: Keyed::new(&held.key, &held.grant), state, in_parts: &mut self.in_parts })
            }
            None => Err(Error::OperationNotInitialized),
        }
    }

    /// The number of the operation, if one runs that waits for the user's PIN.
    pub(super) fn awaits_pin(&self) -> Option<u64> {
        self.awaits_pin.filter(|_| self.is_running())
    }

    /// The user has given the PIN for the operation of this number.
    pub(super) fn authenticated(&mut self, number: u64) {
        self.awaits_pin.take_if(|awaits| *awaits == number);
    }

    /// Ends the operation, if one runs.
    pub(super) fn end(&mut self) {
        self.state = None;
    }

    /// Logout: an operation whose key needed the login ends, and no key is kept for the next.
    pub(super) fn end_login(&mut self) {
        if self.held.as_ref().is_some_and(|held| held.key.needs_login()) {
            self.state = None;
        }
        if self.state.is_none() {
            self.held = None;
        }
    }
}

impl Session {
    /// The key behind a handle, as an object and made ready, with leave to use it so: for what is done in one call.
    pub(super) fn key(
        &self,
        purpose: Purpose,
        mechanism: &Mechanism,
        key: Handle,
    ) -> Result<(Arc<Opened>, Arc<PreparedKey>, Grant)> {
        let fit = mechanism.fit(purpose)?;
        self.token.revision()?;
        look_up(&self.token, &self.caller(), purpose, fit, key)
    }
}

#[cold]
fn look_up(
    token: &Token,
    caller: &Caller,
    purpose: Purpose,
    fit: Fit<'_>,
    handle: Handle,
) -> Result<(Arc<Opened>, Arc<PreparedKey>, Grant)> {
    let opened = token.opened(caller, handle).map_err(|error| match error {
        Error::ObjectHandleInvalid => purpose.no_such_key(),
        other => other,
    })?;
    let facts = opened.facts().ok_or(purpose.no_such_key())?;
    let grant = permit(caller, &Use { purpose, fit, key: facts, other: None })?;
    let key = token.prepared(&opened)?;
    Ok((opened, key, grant))
}
