//! A key of the host, which goes into what PINs open.

use std::sync::Arc;

use super::{KEY, TokenId};
use crate::crypto::kdf::hkdf_sha256;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// A secret that lies outside the store, so that the store alone is worth nothing to a thief, whatever the PIN. One that is to be
/// used and cannot be had is one, too: no PIN is set without it meanwhile.
///
/// Errors of all that needs it: [`Error::DeviceError`] with the reason.
pub struct HostKey(Arc<std::result::Result<Secret, Box<str>>>);

impl HostKey {
    /// At least 32 random bytes, or why there are none.
    pub fn new(key: Arc<std::result::Result<Secret, Box<str>>>) -> Self {
        Self(key)
    }

    /// Which key it is, as a PIN row of this token says it. Tells nothing of the key, nor of other tokens.
    pub(super) fn id(&self, token: &TokenId) -> Result<[u8; 16]> {
        let id = hkdf_sha256(self.key()?, &token.0, &[b"keystead 1 host key id"], KEY)?;
        Ok(id.expose().first_chunk().copied().unwrap_or_default())
    }

    /// The one that a PIN row asks for, if it is the one that there is.
    pub(super) fn asked_for<'a>(given: Option<&'a Self>, id: &[u8; 16], token: &TokenId) -> Result<&'a Self> {
        let refuse = |why: &str| Err(Error::DeviceError(format!("the PIN was set under a host key, and {why}").into()));
        let Some(given) = given else { return refuse("none is configured") };
        if given.id(token)? != *id {
            return refuse("the one that is configured is another");
        }
        Ok(given)
    }

    /// The hashed PIN and the key behind it.
    pub(super) fn behind(&self, hashed: &Secret) -> Result<Secret> {
        let (hashed, key) = (hashed.expose(), self.key()?.expose());
        let mut both = Secret::zeroed(hashed.len().saturating_add(key.len()));
        let bytes = hashed.iter().chain(key);
        both.expose_mut().iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        Ok(both)
    }

    fn key(&self) -> Result<&Secret> {
        self.0.as_ref().as_ref().map_err(|why| Error::DeviceError(why.clone()))
    }
}
