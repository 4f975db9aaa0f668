//! Requests to join a domain, format 1: a public key for one answer, and who asks.
//!
//! The token that asks keeps the private key, a token object of the type `CKK_KEYSTEAD_DOMAIN_REQUEST` whose `CKA_ID` is the fingerprint
//! of the request, until it has accepted an answer or asks anew.

use std::sync::Arc;
use std::time::Duration;

use cryptoki_sys::{CKA_ID, CKA_LABEL, CKA_UNWRAP};

use super::domain::{inside, refused};
use super::form::{Form, Reading};
use super::{Fingerprint, armour};
use crate::crypto::hash::sha256;
use crate::crypto::hpke::{PrivateKey, PublicKey, SEED};
use crate::crypto::random;
use crate::error::{Error, Result};
use crate::key::{Caller, KeyType};
use crate::object::fields::{encoded, encoded_bytes, encoded_text};
use crate::seal::TokenId;
use crate::system;
use crate::token::Token;

/// A request, which is no secret.
pub struct Request {
    /// The token that asks.
    pub asking: Party,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// When it stops being good for anything, in seconds since 1970.
    pub expires: u64,
    pub(super) token: TokenId,
    pub(super) key: PublicKey,
    pub(super) bytes: Vec<u8>,
}

/// A token, as another is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The serial number.
    pub serial: String,
    /// The label.
    pub label: String,
}

/// How long a request is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime(u64);

impl Request {
    /// Asks: the token keeps the private key, and forgets that of an earlier request, which nobody can answer any more.
    pub fn make(token: &Arc<Token>, caller: &Caller, lifetime: Lifetime) -> Result<Self> {
        Self::made_at(system::seconds_since_1970(), token, caller, lifetime)
    }

    pub(super) fn made_at(created: u64, token: &Arc<Token>, caller: &Caller, lifetime: Lifetime) -> Result<Self> {
        let seed = random::secret(SEED)?;
        let key = PrivateKey::from_seed(&seed).map_err(|_| Error::GeneralError("a seed has another length".into()))?;
        let asking = Party::of(token)?;
        let mut fields = FORM.fields();
        fields.insert(TOKEN, encoded_bytes(&token.id().0));
        fields.insert(SERIAL, encoded_text(&asking.serial));
        fields.insert(LABEL, encoded_text(&asking.label));
        fields.insert(KEY, encoded_bytes(&key.public()));
        fields.insert(CREATED, encoded(created));
        fields.insert(EXPIRES, encoded(created.saturating_add(lifetime.0)));
        let request = Self::read(fields.encode()).map_err(|error| Error::GeneralError(error.into()))?;
        let fingerprint = request.fingerprint();
        let given = [(CKA_ID, fingerprint.bytes()), (CKA_LABEL, KEPT_AS), (CKA_UNWRAP, &[1])];
        let kept = inside(KeyType::DomainRequest, &given, seed, token.basis(caller))?;
        token.exchange_inside(caller, None, Some(&kept), || token.inside(caller, KeyType::DomainRequest))?;
        Ok(request)
    }

    /// Takes back what the token has asked: nobody can answer it any more.
    ///
    /// # Errors
    /// [`Error::DomainRefused`] if it waits for no answer.
    pub fn withdraw(token: &Arc<Token>, caller: &Caller) -> Result<()> {
        token.exchange_inside(caller, None, None, || match token.inside(caller, KeyType::DomainRequest)? {
            waiting if waiting.is_empty() => Err(refused("the token waits for no answer")),
            waiting => Ok(waiting),
        })
    }

    /// Reads the text of a request.
    ///
    /// # Errors
    /// [`Error::DomainRefused`] with a sentence for people.
    pub fn parse(text: &[u8]) -> Result<Self> {
        armour::unwrap(ARMOUR, text).and_then(Self::read).map_err(refused)
    }

    /// As text.
    pub fn text(&self) -> Result<String> {
        armour::wrap(ARMOUR, &self.bytes)
    }

    /// What both sides compare: SHA-256 of the request.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new(&sha256(&[&self.bytes]))
    }

    /// Refuses a request that is good for nothing any more.
    /// Clocks may differ by so much, in seconds.
    const AHEAD: u64 = 24 * 60 * 60;

    pub(super) fn check_date(&self) -> Result<()> {
        let now = system::seconds_since_1970();
        if self.created > now.saturating_add(Self::AHEAD) {
            return Err(refused("the request says that it was made in the future: one of the two clocks is wrong"));
        }
        if now < self.expires { Ok(()) } else { Err(refused("the request has expired: the other token asks anew")) }
    }

    pub(super) fn read(bytes: Vec<u8>) -> Result<Self, String> {
        let mut reading = FORM.read(&bytes)?;
        let token = TokenId(reading.array(TOKEN)?);
        let asking = Party::read(&mut reading, SERIAL, LABEL)?;
        let key = PublicKey::from_bytes(&reading.bytes(KEY)?).map_err(|_| "it has no public key of X-Wing")?;
        let (created, expires) = (reading.number(CREATED)?, reading.number(EXPIRES)?);
        reading.end()?;
        if !expires.checked_sub(created).is_some_and(|seconds| (1..=Lifetime::LONGEST).contains(&seconds)) {
            return Err("it is damaged: no request is good for that long".into());
        }
        Ok(Self { asking, created, expires, token, key, bytes })
    }
}

impl Party {
    pub(super) fn of(token: &Token) -> Result<Self> {
        let state = token.state()?;
        let shown = |character: char| if deceives(character) { char::REPLACEMENT_CHARACTER } else { character };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().chars().map(shown).collect();
        Ok(Self { serial: text(&state.serial), label: text(&state.label) })
    }

    pub(super) fn read(reading: &mut Reading, serial: u64, label: u64) -> Result<Self, String> {
        Ok(Self {
            serial: told(reading.text(serial)?, SERIAL_LENGTH)?,
            label: told(reading.text(label)?, LABEL_LENGTH)?,
        })
    }
}

/// A text that people are shown before they say yes, so that it must not look like anything else that they are shown.
fn told(text: String, characters: usize) -> Result<String, String> {
    if text.chars().count() > characters {
        return Err("it is damaged: no token is called so".into());
    }
    if text.chars().any(deceives) {
        Err("it names a token so that it would deceive who reads it".into())
    } else {
        Ok(text)
    }
}

/// Whether a character moves others about, or the cursor of a terminal.
fn deceives(character: char) -> bool {
    // Those are what turns the direction of writing. Unicode Standard Annex #9, section 2.
    character.is_control()
        || matches!(character, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The longest names of tokens: `CK_TOKEN_INFO`, PKCS#11 3.2, section 3.2.
const SERIAL_LENGTH: usize = 16;
const LABEL_LENGTH: usize = 32;

impl Lifetime {
    /// A week.
    pub const DEFAULT: Self = Self(7 * 24 * 60 * 60);

    /// A year, in seconds.
    const LONGEST: u64 = 366 * 24 * 60 * 60;

    /// From a second to a year; others are none.
    pub fn new(duration: Duration) -> Option<Self> {
        Some(Self(duration.as_secs())).filter(|lifetime| (1..=Self::LONGEST).contains(&lifetime.0))
    }
}

const FORM: Form = Form { kind: "keystead domain request", name: "keystead domain request", format: 1 };
const ARMOUR: &str = "KEYSTEAD DOMAIN REQUEST";

/// The numbers of the fields.
const TOKEN: u64 = 4;
const SERIAL: u64 = 6;
const LABEL: u64 = 8;
const KEY: u64 = 10;
const CREATED: u64 = 12;
const EXPIRES: u64 = 14;

/// The `CKA_LABEL` of what the token keeps.
const KEPT_AS: &[u8] = b"request to join a domain";
