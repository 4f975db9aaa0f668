//! What the caller keeps for this process and can neither read nor change.

use super::{KEY, TokenId};
use crate::crypto::gcm::{GcmKey, TAG};
use crate::crypto::{InOut, random};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// A random key that lives as long as the library is initialised: AES-256-GCM with a random nonce of 96 bits in front.
/// NIST SP 800-38D, section 8.2.2.
pub struct TransientKey(GcmKey);

/// Where what is sealed is good: in a token, under one login, in one kind of session.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// The token.
    pub token: TokenId,
    /// A number that is another one after each login and logout.
    pub login: u64,
    /// Whether the session is read-write.
    pub read_write: bool,
}

impl TransientKey {
    /// A new one.
    pub fn new() -> Result<Self> {
        let key = random::secret(KEY)?;
        GcmKey::new(key.expose()).map(Self).map_err(|_| Error::HostMemory("a cipher context"))
    }

    /// The length in bytes of what so many bytes become.
    pub fn sealed_length(length: usize) -> usize {
        length.saturating_add(NONCE + TAG)
    }

    /// Seals bytes for a scope.
    pub fn seal(&self, scope: &Scope, plain: &[u8]) -> Result<Vec<u8>> {
        let nonce = random::bytes::<NONCE>()?;
        let mut sealed = vec![0; Self::sealed_length(plain.len())];
        let (front, rest) = sealed.split_at_mut(NONCE);
        front.copy_from_slice(&nonce);
        self.0.seal(&nonce, &scope.bind(), TAG, &mut InOut::from_slices(plain, rest))?;
        Ok(sealed)
    }

    /// The bytes again; `None` for anything that was not sealed by this key for this scope.
    pub fn open(&self, scope: &Scope, sealed: &[u8]) -> Option<Secret> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
        let mut plain = Secret::zeroed(sealed.len().checked_sub(TAG)?);
        self.0.open(nonce, &scope.bind(), TAG, &mut InOut::from_slices(sealed, plain.expose_mut())).ok()?;
        Some(plain)
    }
}

const NONCE: usize = 12;

impl Scope {
    /// The bytes that are bound; each has one length.
    fn bind(&self) -> Vec<u8> {
        [b"keystead transient".as_slice(), &self.token.0, &self.login.to_be_bytes(), &[self.read_write.into()]].concat()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn only_what_was_sealed_for_the_scope_opens() {
        let (key, other) = (TransientKey::new().unwrap(), TransientKey::new().unwrap());
        let scope = Scope { token: TokenId([1; 16]), login: 7, read_write: true };
        let sealed = key.seal(&scope, b"plain").unwrap();
        assert_eq!(sealed.len(), TransientKey::sealed_length(5));
        assert_eq!(key.open(&scope, &sealed).unwrap().expose(), b"plain");
        assert_ne!(key.seal(&scope, b"plain").unwrap(), sealed);
        assert!(other.open(&scope, &sealed).is_none());
        let scopes = [
            Scope { token: TokenId([2; 16]), ..scope },
            Scope { login: 8, ..scope },
            Scope { read_write: false, ..scope },
        ];
        assert!(scopes.iter().all(|other| key.open(other, &sealed).is_none()));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(&scope, &changed).is_none() && key.open(&scope, &sealed[..at]).is_none());
        }
    }
}
