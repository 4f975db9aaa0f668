//! Which token is meant.

use keystead::token::TokenState;

use super::show::label_of;
use crate::failure::{Exit, Failure, Result};
use crate::store::{Slot, Store};
use crate::uri::Uri;

/// What a token can be called on the command line.
pub const NAME: &str = "SLOT|LABEL|SERIAL|URI";

/// The slot of the token that is meant, and what is in it.
pub fn choose(wanted: &str, store: &Store) -> Result<(u32, Slot)> {
    // Of thousands of tokens only the one is opened.
    if let Some(slot) = wanted.parse().ok().filter(|slot| store.module.slots().list(true).contains(slot))
        && let content @ (Slot::Token(_) | Slot::Closed(_)) = store.slot(slot)
    {
        return Ok((slot, content));
    }
    let mut tokens = store.slots();
    tokens.retain(|(_, content)| !matches!(content, Slot::Blank));
    if tokens.is_empty() {
        return Err(none_yet(store));
    }
    if Uri::is_one(wanted) {
        return match Uri::parse(wanted)? {
            uri if uri.names_object() => Err(Failure::new(format!("{wanted} names an object, not a token"))),
            uri => of_uri(&uri, wanted, tokens),
        };
    }
    let serial = |state: &TokenState| state.serial == wanted.as_bytes();
    if let Some(at) = tokens.iter().position(|(_, content)| is(content, serial)) {
        return Ok(tokens.swap_remove(at));
    }
    tokens.retain(|(_, content)| is(content, |state| label_of(state) == wanted));
    only(tokens, wanted)
}

/// The same, of a token that can be opened.
pub fn choose_open(wanted: &str, store: &Store) -> Result<(u32, Box<TokenState>)> {
    opened(choose(wanted, store)?)
}

/// The token that a URI means, or the only one there is where it says nothing of tokens.
pub fn choose_by_uri(uri: &Uri, text: &str, store: &Store) -> Result<(u32, Box<TokenState>)> {
    let mut tokens = store.slots();
    tokens.retain(|(_, content)| !matches!(content, Slot::Blank));
    if tokens.is_empty() {
        return Err(none_yet(store));
    }
    opened(of_uri(uri, text, tokens)?)
}

/// The only token there is.
pub fn choose_only(store: &Store) -> Result<(u32, Box<TokenState>)> {
    // At most one of them is blank.
    let several = store.module.slots().list(true).len() > 2;
    let mut tokens = if several { Vec::new() } else { store.slots() };
    tokens.retain(|(_, content)| !matches!(content, Slot::Blank));
    match (tokens.pop(), several || !tokens.is_empty()) {
        (Some(token), false) => opened(token),
        (None, false) => Err(none_yet(store)),
        (_, true) => {
            let failure = Failure::new("there are several tokens");
            Err(failure.with_next(format!("say which one with --token {NAME}")))
        }
    }
}

/// There is no token, and what to do about it.
pub fn none_yet(store: &Store) -> Failure {
    let failure = Failure::new(format!("there is no token yet in {}", store.folder().display()));
    failure.with_exit(Exit::NotFound).with_next("make one with `keystead token init --label NAME`")
}

fn of_uri(uri: &Uri, text: &str, mut tokens: Vec<(u32, Slot)>) -> Result<(u32, Slot)> {
    tokens.retain(|(slot, content)| {
        let label = |state: &TokenState| uri.fits_token(*slot, label_of(state).as_bytes(), &state.serial);
        is(content, label) || matches!(content, Slot::Closed(_)) && uri.is_slot_only(*slot)
    });
    only(tokens, text)
}

fn only(mut tokens: Vec<(u32, Slot)>, wanted: &str) -> Result<(u32, Slot)> {
    let slots: Vec<String> = tokens.iter().map(|(slot, _)| slot.to_string()).collect();
    match (tokens.pop(), tokens.len()) {
        (Some(token), 0) => Ok(token),
        (None, _) => {
            let failure = Failure::new(format!("no slot, serial number or label is {wanted:?}"));
            Err(failure.with_exit(Exit::NotFound).with_next("`keystead token list` shows what there is"))
        }
        (Some(_), _) => {
            let failure = Failure::new(format!("{} tokens have the label {wanted:?}", slots.len()));
            Err(failure.with_next(format!("name one by its slot: {}", slots.join(", "))))
        }
    }
}

fn is(content: &Slot, fits: impl Fn(&TokenState) -> bool) -> bool {
    matches!(content, Slot::Token(state) if fits(state))
}

fn opened((slot, content): (u32, Slot)) -> Result<(u32, Box<TokenState>)> {
    match content {
        Slot::Token(state) => Ok((slot, state)),
        Slot::Closed(reason) => Err(Failure::of(format!("slot {slot}"), reason)),
        Slot::Blank => Err(Failure::new(format!("the token of slot {slot} is gone again"))),
    }
}
