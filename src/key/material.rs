//! The secret of a key, and its five doors.

use super::facts::Facts;
use super::grant::Grant;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The value of a key: of a secret key its bytes, of a private key its `PrivateKeyInfo` (RFC 5208), and of a public key its
/// `SubjectPublicKeyInfo`, so that all keys are used in one way. It comes out of here through five doors, each of which says what it is for; a test lists who
/// calls them.
pub struct KeyMaterial {
    id: [u8; 16],
    secret: Secret,
}

impl KeyMaterial {
    /// The value of the key with this object id.
    pub fn new(id: [u8; 16], secret: Secret) -> Self {
        Self { id, secret }
    }

    /// The length of the value in bytes, which is not a secret.
    pub fn length(&self) -> usize {
        self.secret.len()
    }

    /// Door one: the value, to work with inside a mechanism.
    pub fn for_use(&self, grant: &Grant) -> Result<&Secret> {
        if grant.covers_use_of(&self.id) { Ok(&self.secret) } else { Err(Self::wrong_grant()) }
    }

    /// Door two: the value, to leave wrapped under the key that the grant names.
    pub fn for_wrapping(&self, grant: &Grant) -> Result<&Secret> {
        if grant.covers_release_of(&self.id) { Ok(&self.secret) } else { Err(Self::wrong_grant()) }
    }

    /// Door three: the value as an attribute, only for what the standard calls readable.
    pub fn for_reading(&self, facts: &Facts) -> Result<&Secret> {
        if facts.id == self.id && facts.is_readable() {
            Ok(&self.secret)
        } else {
            Err(Error::AttributeSensitive("CKA_VALUE"))
        }
    }

    /// Door four: the value, to be sealed into the store.
    pub fn for_sealing(&self) -> &Secret {
        &self.secret
    }

    /// Door five: the value, to be given to a token that joins a domain, or to open what was given.
    pub fn for_passing(&self, grant: &Grant) -> Result<&Secret> {
        if grant.covers_passing_of(&self.id) { Ok(&self.secret) } else { Err(Self::wrong_grant()) }
    }

    /// Whether both have the same value, in a time that depends on the lengths alone.
    pub fn is_same(&self, other: &Self) -> bool {
        self.secret == other.secret
    }

    /// The value for a copy of the key, which stays inside.
    pub fn copy_for(&self, id: [u8; 16]) -> Self {
        Self { id, secret: self.secret.duplicate() }
    }

    fn wrong_grant() -> Error {
        Error::GeneralError("a grant was shown to another key than its own".into())
    }
}
