//! Signatures that give their message back. PKCS#11 3.2, sections 6.1.6 and 6.1.8.

use super::sign::{Bare, Pkcs1};
use super::{modulus_length, public};
use crate::crypto::{InOut, Rejected};
use crate::error::{Error, Result};
use crate::mechanism::prepared::Keyed;
use crate::mechanism::signature::Scheme;

/// A signature in the making, or one to be opened. The message comes whole.
pub struct Recovering {
    padding: Padding,
    length: usize,
}

/// What is between the message and the number that is signed.
#[derive(Clone, Copy)]
pub(super) enum Padding {
    /// RFC 8017, section 9.2, over anything.
    Pkcs1,
    /// Zeros in front, which recovery does not take off.
    Zeros,
}

impl Recovering {
    pub(super) fn begin(keyed: &Keyed, padding: Padding) -> Self {
        Self { padding, length: modulus_length(keyed) }
    }

    /// The length of the signature in bytes.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Signs the message, the input of `io`.
    pub fn sign(&self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        let mut signature = vec![0; self.length];
        match self.padding {
            Padding::Pkcs1 => Pkcs1(None).sign(keyed, io.input(), &mut signature),
            Padding::Zeros => Bare.sign(keyed, io.input(), &mut signature),
        }?;
        io.write(&signature)
    }

    /// The message of a signature, if it holds. The length outranks the value. PKCS#11 3.2, section 5.1.6.
    pub fn recover(&self, keyed: &Keyed, signature: &[u8]) -> Result<Vec<u8>> {
        if signature.len() != self.length {
            return Err(Error::SignatureLenRange);
        }
        let key = public(keyed)?;
        let recovered = match self.padding {
            Padding::Pkcs1 => key.recover_pkcs1(signature),
            Padding::Zeros => {
                let mut message = vec![0; self.length];
                key.raw(signature, &mut message).map(|()| message)
            }
        };
        recovered.map_err(|Rejected| Error::SignatureInvalid)
    }
}
