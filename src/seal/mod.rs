//! How a record becomes bytes that nobody can read, forge or swap. `docs/formats.md` specifies every byte.
//!
//! A token has one random master key, which each role's PIN holds ([`PinRow`]). [`Seal`] is what a login makes of it.
//! This room knows no record: an object is an id, a version, private or public, bytes, key material and index terms.
//! Key material is sealed whatever the visibility; the rest of a public object is plain, and authenticated if a login
//! wrote it.

mod binding;
mod digest;
mod host_key;
mod master;
mod object;
mod pin_row;
mod row;
mod transient;

pub use digest::{Counted, Digest, RowHash};
pub use host_key::HostKey;
pub use master::{MasterKey, Role};
pub use object::{Opened, Plain, SealedMaterial, Verified, open, seal, visibility};
pub use pin_row::PinRow;
pub use transient::{Scope, TransientKey};

use crate::crypto::equal;
use crate::crypto::gcm::GcmKey;
use crate::crypto::hash::{Algorithm, Hash};
use crate::crypto::hmac::HmacKey;
use crate::crypto::kdf::hkdf_sha256;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::store::{ObjectId, Term};

/// A token's random id, made anew at each initialisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenId(pub [u8; 16]);

/// Who sees an object: whoever is logged in, or everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Only with a login; sealed whole.
    Private = 0,
    /// Everybody; plain, but for key material.
    Public = 1,
}

/// The keys that a login gives: all that is needed to seal, open, index and check a token's objects.
pub struct Seal {
    token: TokenId,
    object_root: Secret,
    index: HmacKey,
    digest: HmacKey,
    digest_seal: GcmKey,
    mac: HmacKey,
    token_row: HmacKey,
}

impl Seal {
    /// Derives the keys of `token` from its master key.
    pub fn new(master: &MasterKey, token: &TokenId) -> Result<Self> {
        let derive = |label: &[u8]| hkdf_sha256(master.secret(), &token.0, &[label], KEY);
        let mac_key = |label| derive(label).map(|key| HmacKey::new(Algorithm::Sha256, key.expose()));
        Ok(Self {
            token: *token,
            object_root: derive(b"keystead 1 object")?,
            index: mac_key(b"keystead 1 index")?,
            digest: mac_key(b"keystead 1 digest")?,
            digest_seal: gcm_key(&derive(b"keystead 1 digest seal")?)?,
            mac: mac_key(b"keystead 1 mac")?,
            token_row: mac_key(b"keystead 1 token row")?,
        })
    }

    /// The index term of a private object's value: equal values of a column give equal terms, and without a login
    /// nobody can tell which. `column` is below [`TERMS`](crate::store::TERMS).
    pub fn blind(&self, column: u8, value: &[u8]) -> Term {
        let mut mac = self.index.begin();
        mac.update(&[column]);
        mac.update(value);
        truncated(mac.finish().as_ref())
    }

    /// The key of one object: [`HKDF`](hkdf_sha256) from the root, with the id.
    fn object_key(&self, id: ObjectId) -> Result<GcmKey> {
        let key = hkdf_sha256(&self.object_root, &self.token.0, &[b"keystead 1 object key", &id.0], KEY)?;
        gcm_key(&key)
    }

    /// What the token row says of itself, authenticated: see [`TokenFacts`].
    pub fn mac_of_token_row(&self, facts: &TokenFacts) -> [u8; 32] {
        let mut mac = self.token_row.begin();
        mac.update(&binding::of_token_row(&self.token, facts));
        mac.finish().as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// Whether the token row says what it said when a login's keys were last used on it.
    pub fn is_token_row(&self, facts: &TokenFacts, mac: &[u8; 32]) -> bool {
        equal(&self.mac_of_token_row(facts), mac)
    }
}

/// What a token row says for good, beside the token's id: all that is plain in it, except how often a wrong PIN was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenFacts<'a> {
    /// The label, blank-padded.
    pub label: &'a [u8; 32],
    /// The serial number.
    pub serial: &'a [u8; 16],
    /// Whether unextractable keys are maskable unless they say otherwise.
    pub maskable: bool,
}

fn gcm_key(key: &Secret) -> Result<GcmKey> {
    GcmKey::new(key.expose()).map_err(|_| Error::HostMemory("a cipher context"))
}

/// The index term of a public object's value, which anybody can compute.
pub fn plain_term(column: u8, value: &[u8]) -> Term {
    let mut hash = Hash::new(Algorithm::Sha256);
    hash.update(b"keystead 1 term");
    hash.update(&[column]);
    hash.update(value);
    truncated(hash.finish().as_ref())
}

/// The length of every key here in bytes.
const KEY: usize = 32;

/// The format of everything here: the only one that was ever frozen.
const FORMAT: u8 = 1;

fn truncated(whole: &[u8]) -> Term {
    whole.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
