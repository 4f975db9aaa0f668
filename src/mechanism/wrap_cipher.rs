//! Wrapping by a cipher: the value is the message. PKCS#11 3.2, sections 6.10.5 and 6.13.3.

use super::operation::Ciphering;
use super::parameter::Parameter;
use super::prepared::Keyed;
use crate::crypto::InOut;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Begins a cipher.
pub(super) type Cipher = fn(&Parameter<'_>) -> Result<Ciphering>;

/// A [`Wrapping`](super::Wrapping) by a cipher, from what begins its two directions. `$judge` gets the value and the
/// [`Wanted`](super::Wanted).
macro_rules! wrapping {
    ($encrypt:expr, $decrypt:expr, $judge:expr) => {
        Some($crate::mechanism::Wrapping {
            tells_length: true,
            private_keys: true,
            wrapped_length: |_, parameter, length| $crate::mechanism::wrap_cipher::length($encrypt, parameter, length),
            wrap: |keyed, parameter, value| $crate::mechanism::wrap_cipher::wrap($encrypt, keyed, parameter, value),
            unwrap: |keyed, parameter, wrapped, wanted| {
                let value = $crate::mechanism::wrap_cipher::unwrap($decrypt, keyed, parameter, wrapped)?;
                ($judge)(value, wanted)
            },
        })
    };
}
pub(super) use wrapping;

pub(super) fn length(encrypt: Cipher, parameter: &Parameter<'_>, length: usize) -> Result<usize> {
    encrypt(parameter)?.cipher().whole_length(length).map_err(|_| Error::KeySizeRange)
}

pub(super) fn wrap(encrypt: Cipher, keyed: &Keyed, parameter: &Parameter<'_>, value: &Secret) -> Result<Vec<u8>> {
    let mut ciphering = encrypt(parameter)?;
    let cipher = ciphering.cipher();
    let mut wrapped = vec![0; cipher.whole_length(value.len()).map_err(|_| Error::KeySizeRange)?];
    let mut io = InOut::from_slices(value.expose(), &mut wrapped);
    cipher.whole(keyed, &mut io)?;
    let written = io.written();
    wrapped.truncate(written);
    Ok(wrapped)
}

/// Whatever is wrong but the length of the whole has one code.
pub(super) fn unwrap(decrypt: Cipher, keyed: &Keyed, parameter: &Parameter<'_>, wrapped: &[u8]) -> Result<Secret> {
    let mut ciphering = decrypt(parameter)?;
    let cipher = ciphering.cipher();
    let room = cipher.whole_length(wrapped.len()).map_err(|_| Error::WrappedKeyLenRange)?;
    if room > LONGEST {
        return Err(Error::WrappedKeyLenRange);
    }
    let mut value = Secret::zeroed(room);
    let mut io = InOut::from_slices(wrapped, value.expose_mut());
    cipher.whole(keyed, &mut io).map_err(|error| match error {
        Error::EncryptedDataInvalid | Error::EncryptedDataLenRange => Error::WrappedKeyInvalid,
        error => error,
    })?;
    let written = io.written();
    value.expose().get(..written).map(Secret::from_slice).ok_or(Error::WrappedKeyInvalid)
}

/// In bytes; see the longest that key wrap takes.
const LONGEST: usize = super::wrap::LONGEST_WRAPPED;
