//! `keystead token list` and `keystead token show`

use std::path::PathBuf;

use keystead::error::Error;
use keystead::store::sqlite;
use keystead::token::{Label, TokenState, Tries};
use serde::Serialize;

use super::choose::{choose_open, none_yet};
use crate::failure::Result;
use crate::output::{Form, Word};
use crate::store::{Slot, Store};
use crate::uri::of_token;

pub const AFTER_HELP_LIST: &str = "\
A token that cannot be opened is listed with the reason.

Examples:
  keystead token list
  keystead token list --json | jq -r '.[].serial'

Without a terminal, or in a pipe: a line each, with tabs between slot, label, serial number and state.";

pub const AFTER_HELP_SHOW: &str = "\
What is a slot's number is taken for one, then serial numbers are tried, then labels. A URI of RFC 7512 says which it is.

Examples:
  keystead token show 0
  keystead token show Test
  keystead token show --json 3f0c64a1d2b87e95
  keystead token show 'pkcs11:token=Test'";

/// `keystead token list`
pub fn list(store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let tokens: Vec<Described> =
        store.slots().iter().filter_map(|(slot, content)| Described::of(*slot, content, &store)).collect();
    form.list(&["slot", "label", "serial", "state"], &tokens, Described::row)?;
    if tokens.is_empty() {
        none_yet(&store).say();
    }
    Ok(())
}

/// `keystead token show`
pub fn show(wanted: &str, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let (slot, state) = choose_open(wanted, &store)?;
    let token = Described::token(slot, &state, &store);
    form.record(&token, &token.at_length())
}

/// A token, or the reason why it cannot be opened, as it is printed.
#[derive(Serialize)]
pub struct Described {
    slot: u32,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(flatten)]
    details: Option<Details>,
    store: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What only an open token can tell.
#[derive(Serialize)]
struct Details {
    user_pin: Pin,
    so_pin: Pin,
    write_protected: bool,
    /// What unextractable keys are unless they say otherwise.
    maskable: bool,
    flags: Vec<&'static str>,
    /// Of this process.
    sessions: u64,
    read_write_sessions: u64,
    format: i64,
}

/// What a token is good for at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ready,
    NoUserPin,
    UserPinLocked,
    CannotBeOpened,
}

/// A PIN and how far wrong ones have got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Pin {
    NotSet,
    Set,
    SomeWrong,
    LastTry,
    Locked,
}

impl Described {
    /// What stands in a slot; nothing for a blank one.
    fn of(slot: u32, content: &Slot, store: &Store) -> Option<Self> {
        match content {
            Slot::Blank => None,
            Slot::Token(state) => Some(Self::token(slot, state, store)),
            Slot::Closed(reason) => Some(Self::closed(slot, reason, store)),
        }
    }

    /// An open token.
    pub fn token(slot: u32, token: &TokenState, store: &Store) -> Self {
        let user_pin = if token.user_pin_set { Pin::of(token.user) } else { Pin::NotSet };
        let state = match user_pin {
            Pin::NotSet => State::NoUserPin,
            Pin::Locked => State::UserPinLocked,
            _ => State::Ready,
        };
        let (sessions, read_write_sessions) = token.sessions;
        let details = Details {
            user_pin,
            so_pin: Pin::of(token.so),
            write_protected: token.write_protected,
            maskable: token.maskable,
            flags: flags(token),
            sessions,
            read_write_sessions,
            format: sqlite::FORMAT,
        };
        let serial = String::from_utf8_lossy(&token.serial).into_owned();
        let (label, store) = (label_of(token), store.folder().to_owned());
        let uri = Some(of_token(&label, &token.serial));
        Self { slot, state, label: Some(label), serial: Some(serial), uri, details: Some(details), store, error: None }
    }

    fn closed(slot: u32, reason: &Error, store: &Store) -> Self {
        let (state, store) = (State::CannotBeOpened, store.folder().to_owned());
        let error = Some(reason.to_string());
        Self { slot, state, label: None, serial: None, uri: None, details: None, store, error }
    }

    /// A row of the list.
    fn row(&self) -> Vec<Word> {
        let or_dash = |text: &Option<String>| Word::plain(text.as_deref().unwrap_or("-"));
        let state = match &self.error {
            Some(reason) => Word::alarming(reason),
            None => self.state.word(),
        };
        vec![Word::plain(self.slot.to_string()), or_dash(&self.label), or_dash(&self.serial), state]
    }

    /// What somebody wants to know who has just made the token.
    pub fn briefly(&self) -> Vec<(&'static str, Word)> {
        vec![
            ("slot", Word::plain(self.slot.to_string())),
            ("label", Word::plain(self.label.as_deref().unwrap_or_default())),
            ("serial", Word::plain(self.serial.as_deref().unwrap_or_default())),
            ("store", Word::plain(self.store.to_string_lossy())),
        ]
    }

    /// Everything.
    fn at_length(&self) -> Vec<(&'static str, Word)> {
        let mut rows = self.briefly();
        rows.insert(3, ("state", self.state.word()));
        let Some(details) = &self.details else {
            return rows;
        };
        let protected = if details.write_protected { Word::alarming("yes") } else { Word::plain("no") };
        let maskable = if details.maskable { "may travel masked unless they say otherwise" } else { "stay inside" };
        let sessions = format!("{} in this process, {} read-write", details.sessions, details.read_write_sessions);
        rows.extend([
            ("user PIN", details.user_pin.word()),
            ("SO PIN", details.so_pin.word()),
            ("write-protected", protected),
            ("unextractable keys", Word::plain(maskable)),
            ("flags", Word::plain(details.flags.join(", "))),
            ("sessions", Word::plain(sessions)),
            ("format", Word::plain(details.format.to_string())),
            ("uri", Word::plain(self.uri.as_deref().unwrap_or_default())),
        ]);
        rows
    }
}

/// A token's label without its padding.
pub fn label_of(token: &TokenState) -> String {
    unpadded(&token.label)
}

/// A label as people write it.
pub fn unpadded(label: &Label) -> String {
    String::from_utf8_lossy(label).trim_end_matches(' ').to_owned()
}

/// `CK_TOKEN_INFO.flags` in words.
fn flags(token: &TokenState) -> Vec<&'static str> {
    let flags = [
        (true, "initialised"),
        (true, "login required"),
        (true, "random numbers"),
        (token.user_pin_set, "user PIN initialised"),
        (token.write_protected, "write-protected"),
        (token.user.low, "user PIN count low"),
        (token.user.last, "user PIN final try"),
        (token.user.locked, "user PIN locked"),
        (token.so.low, "SO PIN count low"),
        (token.so.last, "SO PIN final try"),
        (token.so.locked, "SO PIN locked"),
    ];
    flags.into_iter().filter(|(holds, _)| *holds).map(|(_, flag)| flag).collect()
}

impl State {
    fn word(self) -> Word {
        match self {
            Self::Ready => Word::plain("ready"),
            Self::NoUserPin => Word::alarming("no user PIN"),
            Self::UserPinLocked => Word::alarming("user PIN locked"),
            Self::CannotBeOpened => Word::alarming("cannot be opened"),
        }
    }
}

impl Pin {
    fn of(tries: Tries) -> Self {
        match tries {
            Tries { locked: true, .. } => Self::Locked,
            Tries { last: true, .. } => Self::LastTry,
            Tries { low: true, .. } => Self::SomeWrong,
            Tries { .. } => Self::Set,
        }
    }

    fn word(self) -> Word {
        match self {
            Self::NotSet => Word::alarming("not set"),
            Self::Set => Word::plain("set, all tries left"),
            Self::SomeWrong => Word::plain("set, wrong ones were tried"),
            Self::LastTry => Word::alarming("set, one try left"),
            Self::Locked => Word::alarming("locked after too many wrong ones"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_about_a_pin_is_said() {
        let tries = |low, last, locked| Pin::of(Tries { low, last, locked, left: 1 });
        assert_eq!(tries(false, false, false), Pin::Set);
        assert_eq!(tries(true, false, false), Pin::SomeWrong);
        assert_eq!(tries(true, true, false), Pin::LastTry);
        assert_eq!(tries(true, false, true), Pin::Locked);
        // With a limit of one the first try is the last one.
        assert_eq!(tries(false, true, false), Pin::LastTry);
    }
}
