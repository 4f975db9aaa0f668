//! Answers to requests, format 1: the key of a domain, sealed for the token that asks and bound to its request.

use std::sync::Arc;

use cryptoki_sys::{CK_UNAVAILABLE_INFORMATION, CKA_ID};
use minicbor::{Decoder, Encoder};
use zeroize::Zeroizing;

use super::domain::{FINGERPRINT, fingerprint, key_object, refused};
use super::form::Form;
use super::request::{Party, Request};
use super::{Domain, DomainId, DomainName, Fingerprint, armour};
use crate::crypto::hpke::{PrivateKey, SEED, Sealed};
use crate::crypto::kdf::hkdf_sha256;
use crate::error::{Error, Result};
use crate::key::{Caller, Fit, KeyType, Purpose, Use, permit};
use crate::mechanism::Keyed;
use crate::object::fields::{encoded_bytes, encoded_text};
use crate::secret::Secret;
use crate::token::{Opened, SoApproval, Token};

/// An answer. Nothing that it says on its outside is to be believed before [`open`](Self::open) has said so.
pub struct Answer {
    /// The request that it answers.
    pub request: Request,
    domain: DomainId,
    granting: Party,
    sealed: Sealed,
    bytes: Vec<u8>,
    /// All but what is sealed, as it is bound.
    bound: Vec<u8>,
}

/// What an answer holds, for the token that it was made for: nobody has accepted it yet.
pub struct Invitation {
    /// The domain.
    pub domain: DomainId,
    /// What the granting token calls it.
    pub name: DomainName,
    /// What all tokens of the domain show for it.
    pub fingerprint: Fingerprint,
    /// The token that granted.
    pub granting: Party,
    key: Secret,
    request: Fingerprint,
}

impl Answer {
    /// Lets the token that asks into a domain, with the consent of this token's SO.
    ///
    /// # Errors
    /// [`Error::DomainRefused`] with a sentence for people.
    pub fn make(
        token: &Token,
        caller: &Caller,
        approval: &SoApproval,
        domain: &Domain,
        request: &Request,
    ) -> Result<Self> {
        token.honours(approval)?;
        if request.token == *token.id() {
            return Err(refused("the request is this token's own: another token of the domain answers it"));
        }
        request.check_date()?;
        let granting = Party::of(token)?;
        let mut fields = FORM.fields();
        fields.insert(REQUEST, encoded_bytes(&request.bytes));
        fields.insert(DOMAIN, encoded_bytes(&domain.id().0));
        fields.insert(SERIAL, encoded_text(&granting.serial));
        fields.insert(LABEL, encoded_text(&granting.label));
        let bound = fields.encode();
        let sealed = domain.with(caller, Purpose::Share, None, |keyed| {
            request.key.seal(PURPOSE, &bound, &encode(keyed.passed()?, domain.name()))
        })?;
        fields.insert(ENCAPSULATED, encoded_bytes(&sealed.encapsulated));
        fields.insert(SEALED, encoded_bytes(&sealed.ciphertext));
        Self::read(fields.encode()).map_err(|error| Error::GeneralError(error.into()))
    }

    /// Reads the text of an answer.
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

    /// What it holds, if it answers the request that the token waits for an answer to. Nothing changes yet.
    ///
    /// # Errors
    /// [`Error::DomainRefused`] with a sentence for people; [`Error::UserNotLoggedIn`].
    pub fn open(&self, token: &Token, caller: &Caller) -> Result<Invitation> {
        self.check_address(token)?;
        self.request.check_date()?;
        let request = self.request.fingerprint();
        let kept = kept(token, caller, &request)?;
        let key = token.prepared(&kept)?;
        let asked = Use { purpose: Purpose::Join, fit: fit(), key: key.facts(), other: None };
        let grant = permit(caller, &asked)?;
        let (key, name) = self.open_with(Keyed::new(&key, &grant).passed()?)?;
        let fingerprint = fingerprint(&hkdf_sha256(&key, &[], &[FINGERPRINT], 32)?)?;
        let granting = self.granting.clone();
        Ok(Invitation { domain: self.domain, name, fingerprint, granting, key, request })
    }

    /// The domain key and the name of the domain, by the key of the request.
    pub(super) fn open_with(&self, seed: &Secret) -> Result<(Secret, DomainName)> {
        let private = PrivateKey::from_seed(seed);
        let plain = private.and_then(|private| private.open(PURPOSE, &self.bound, &self.sealed));
        let plain =
            plain.map_err(|_| refused("the answer is not as it was made: let it be sent again, or ask anew"))?;
        decode(&plain).map_err(|error| refused(format!("the answer is damaged: {error}")))
    }

    fn check_address(&self, token: &Token) -> Result<()> {
        if self.request.token == *token.id() {
            return Ok(());
        }
        let Party { serial, label } = &self.request.asking;
        Err(refused(match *serial == Party::of(token)?.serial {
            true => "the token was initialised anew since it asked: it asks once more".into(),
            false => format!("it answers the token {label:?} with the serial number {serial}, and this is another one"),
        }))
    }

    fn read(bytes: Vec<u8>) -> Result<Self, String> {
        let mut reading = FORM.read(&bytes)?;
        let sealed = Sealed { encapsulated: reading.bytes(ENCAPSULATED)?, ciphertext: reading.bytes(SEALED)? };
        let bound = reading.rest(&FORM);
        let request = Request::read(reading.bytes(REQUEST)?)?;
        let domain = DomainId(reading.array(DOMAIN)?);
        let granting = Party::read(&mut reading, SERIAL, LABEL)?;
        reading.end()?;
        Ok(Self { request, domain, granting, sealed, bytes, bound })
    }
}

impl Invitation {
    /// Joins the domain, with the consent of the token's SO, under a name of the token's own: from then on the request is answered.
    ///
    /// # Errors
    /// [`Error::DomainRefused`] with a sentence for people.
    pub fn accept(
        self,
        token: &Arc<Token>,
        caller: &Caller,
        approval: &SoApproval,
        name: &DomainName,
    ) -> Result<Domain> {
        let Self { domain, key, request, .. } = self;
        let key = key_object(domain, name, key, token.basis(caller))?;
        token.exchange_inside(caller, Some(approval), Some(&key), || {
            if Domain::all(token, caller)?.iter().any(|known| known.id() == domain) {
                return Err(refused(format!("the token is in the domain {domain} already")));
            }
            name.is_free(token, caller)?;
            kept(token, caller, &request).map(|kept| vec![kept])
        })?;
        Domain::find(token, caller, domain)
    }
}

/// What the token keeps of a request, as long as it waits for the answer.
fn kept(token: &Token, caller: &Caller, request: &Fingerprint) -> Result<Opened> {
    let waiting = token.inside(caller, KeyType::DomainRequest)?;
    let another = !waiting.is_empty();
    let kept = waiting.into_iter().find(|kept| kept.object().value(CKA_ID) == Some(request.bytes()));
    kept.ok_or_else(|| {
        refused(match another {
            true => "it answers an earlier request: the token has asked anew since",
            false => "the request was answered already, or withdrawn",
        })
    })
}

/// No mechanism that a caller could name does it.
fn fit() -> Fit<'static> {
    Fit { mechanism: CK_UNAVAILABLE_INFORMATION, key_types: &[KeyType::DomainRequest], sizes: SEED..=SEED }
}

/// What is sealed: an array of the domain key and the name of the domain.
fn encode(key: &Secret, name: &str) -> Zeroizing<Vec<u8>> {
    // So long that it never moves and leaves something behind.
    let length = key.len().saturating_add(name.len()).saturating_add(HEADS);
    let mut encoder = Encoder::new(Vec::with_capacity(length));
    // Writing to a vector cannot fail.
    let _ = encoder.array(2).and_then(|encoder| encoder.bytes(key.expose())).and_then(|encoder| encoder.str(name));
    Zeroizing::new(encoder.into_writer())
}

fn decode(plain: &[u8]) -> Result<(Secret, DomainName), String> {
    let read = || {
        let mut decoder = Decoder::new(plain);
        decoder.array()?;
        Ok::<_, minicbor::decode::Error>((Secret::from_slice(decoder.bytes()?), decoder.str()?))
    };
    let (key, name) = read().map_err(|error| error.to_string())?;
    // One form only, and nothing behind it.
    if encode(&key, name).as_slice() != plain {
        return Err("not in the one form that it can have".into());
    }
    if !KeyType::Domain.takes_length(key.len()) {
        return Err("the key of a domain has another length".into());
    }
    DomainName::parse(name).map(|name| (key, name))
}

const FORM: Form = Form { kind: "keystead domain grant", name: "keystead domain grant", format: 1 };
const ARMOUR: &str = "KEYSTEAD DOMAIN GRANT";
const PURPOSE: &[u8] = b"keystead 1 domain grant";

/// The numbers of the fields.
const REQUEST: u64 = 4;
const DOMAIN: u64 = 6;
const SERIAL: u64 = 8;
const LABEL: u64 = 10;
const ENCAPSULATED: u64 = 12;
const SEALED: u64 = 14;

/// More than the heads of the array and its items take.
const HEADS: usize = 16;
