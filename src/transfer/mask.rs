//! Objects on their way: masked by one token of a domain, taken in by another.

use super::domain::Domain;
use super::masked::{Content, Masked};
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key::{Caller, Purpose};
use crate::object::{Arrival, Given};
use crate::token::{Opened, Outcome, Token};

/// An object, masked for the other tokens of a domain: whole, with its history.
///
/// # Errors
/// Those of the gate; [`Error::KeyNotWrappable`] for a session object, and for one that no login stands behind.
pub fn mask(token: &Token, caller: &Caller, domain: &Domain, target: &Opened) -> Result<Vec<u8>> {
    let (content, object) = (content(token, caller, domain, target)?, target.object());
    domain.with(caller, Purpose::Mask, None, |keyed| content.mask(keyed, domain.id(), object.id, object.version))
}

/// What travels of an object, if it may leave its token.
///
/// # Errors
/// Those of [`mask`].
pub(super) fn content(token: &Token, caller: &Caller, domain: &Domain, target: &Opened) -> Result<Content> {
    let object = target.object();
    if !object.is_token() {
        return Err(Error::KeyNotWrappable("it is a session object, and only token objects are masked"));
    }
    if !target.is_verified() {
        return Err(Error::KeyNotWrappable("no login stands behind it"));
    }
    if object.is_of_later_version() {
        return Err(Error::LaterVersion);
    }
    domain.with(caller, Purpose::Mask, target.facts(), |keyed| {
        let material = match target.has_material() {
            true => Some(keyed.release(&*token.prepared(target)?)?.duplicate()),
            false => None,
        };
        Ok(Content { record: object.to_record().into(), material })
    })
}

/// What a masked object is, if it is as a token of the domain masked it.
///
/// # Errors
/// Those of the gate; [`Error::MaskedInvalid`] with a sentence for people.
pub fn unmask(caller: &Caller, domain: &Domain, masked: &[u8]) -> Result<Arrival> {
    domain.with(caller, Purpose::Unmask, None, |keyed| {
        let masked = Masked::parse(masked)?;
        if masked.domain != domain.id() {
            let why = format!("it is masked for the domain {}, and this is the key of {}", masked.domain, domain.id());
            return Err(Error::MaskedInvalid(why.into()));
        }
        let Content { record, material } = masked.open(keyed)?;
        Arrival::read(masked.object, masked.version, &record, material)
    })
}

/// Takes in a masked object that has what is given, and gives its handle.
///
/// # Errors
/// Those of [`unmask`] and [`Token::adopt`]; [`Error::TemplateInconsistent`] and the like if it has not what is given;
/// [`Error::MaskedInvalid`], with a sentence for people, if what is here stays as it is.
pub fn take_in(token: &Token, caller: &Caller, domain: &Domain, masked: &[u8], given: &[Given<'_>]) -> Result<Handle> {
    let arrival = [unmask(caller, domain, masked)?];
    let [Arrival::Object(object, _)] = &arrival else {
        return Err(Error::MaskedInvalid("it tells the end of an object, and is no object".into()));
    };
    object.has(given)?;
    let outcomes = token.adopt(caller, &arrival)?;
    match outcomes.first().and_then(Outcome::obstacle) {
        Some(why) => Err(Error::MaskedInvalid(format!("object {} stays as it is: {why}", object.id).into())),
        None => token.handle_of(object),
    }
}
