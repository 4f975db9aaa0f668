//! Which token is meant.

use keystead::token::TokenState;

use super::show::label_of;
use crate::failure::{Failure, Result};
use crate::store::{Slot, Store};
use crate::uri::Uri;

/// What a token can be called on the command line.
pub const NAME: &str = "SLOT|LABEL|SERIAL|URI";

/// The slot of the token that is meant, and what is in it.
pub fn choose(wanted: &str, store: &Store) -> Result<(u32, Slot)> {
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
    if let Ok(number) = wanted.parse::<u32>()
        && let Some(at) = tokens.iter().position(|(slot, _)| *slot == number)
    {
        return Ok(tokens.swap_remove(at));
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
    let mut tokens = store.slots();
    tokens.retain(|(_, content)| !matches!(content, Slot::Blank));
    match (tokens.pop(), tokens.len()) {
        (None, _) => Err(none_yet(store)),
        (Some(token), 0) => opened(token),
        (Some(_), others) => {
            let failure = Failure::new(format!("there are {} tokens", others.saturating_add(1)));
            Err(failure.with_next(format!("say which one with --token {NAME}")))
        }
    }
}

/// There is no token, and what to do about it.
pub fn none_yet(store: &Store) -> Failure {
    let failure = Failure::new(format!("there is no token yet in {}", store.folder().display()));
    failure.with_next("make one with `keystead token init --label NAME`")
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
            Err(failure.with_next("`keystead token list` shows what there is"))
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
