//! AES key wrap of keys: RFC 3394, RFC 5649, and RFC 3394 over PKCS#7 padding. PKCS#11 3.2, section 6.16.

use cryptoki_sys::{CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD, CKM_AES_KEY_WRAP_PKCS7};

use super::operation::Ciphering;
use super::parameter::{Parameter, Shape};
use super::prepared::Keyed;
use super::wrap_data::{KeyUnwrapping, KeyWrapping};
use super::{AES, Does, Mechanism, NOTHING, Wanted, Wrapping, begin};
use crate::config::KeyWrapPad;
use crate::crypto::keywrap::{IV, SEMIBLOCK, WrapKey};
use crate::crypto::{Rejected, der};
use crate::error::{Error, Result};
use crate::key::KeyType;
use crate::secret::Secret;

/// The rows: what `CKM_AES_KEY_WRAP_PAD` is, depends.
pub(super) fn rows(pad: KeyWrapPad) -> &'static [Mechanism] {
    match pad {
        KeyWrapPad::Rfc5649 => &[KW, KWP, PKCS7, PAD_AS_KWP],
        KeyWrapPad::Pkcs7 => &[KW, KWP, PKCS7, PAD_AS_PKCS7],
    }
}

macro_rules! row {
    ($number:ident, $form:expr) => {
        Mechanism {
            number: $number,
            name: stringify!($number),
            parameter: Shape::Bytes,
            keys: AES,
            does: Does {
                encrypt: begin!(|_, parameter| Ok(Ciphering::KeyWrap(KeyWrapping(KeyWrap::new($form, parameter)?)))),
                decrypt: begin!(|_, parameter| Ok(Ciphering::KeyUnwrap(KeyUnwrapping(KeyWrap::new(
                    $form, parameter
                )?)))),
                wrap: Some(Wrapping {
                    // RFC 3394 alone fills the last semiblock up with zeros that nobody counts.
                    tells_length: !matches!($form, Form::Plain),
                    private_keys: true,
                    wrapped_length: |_, _, length| wrapped_length($form, length),
                    wrap: |keyed, parameter, value| wrap(KeyWrap::new($form, parameter)?, keyed, value),
                    unwrap: |keyed, parameter, wrapped, wanted| {
                        unwrap(KeyWrap::new($form, parameter)?, keyed, wrapped, wanted)
                    },
                }),
                ..NOTHING
            },
        }
    };
}

const KW: Mechanism = row!(CKM_AES_KEY_WRAP, Form::Plain);
const KWP: Mechanism = row!(CKM_AES_KEY_WRAP_KWP, Form::Padded);
const PKCS7: Mechanism = row!(CKM_AES_KEY_WRAP_PKCS7, Form::Pkcs7);
const PAD_AS_KWP: Mechanism = row!(CKM_AES_KEY_WRAP_PAD, Form::Either(KeyWrapPad::Rfc5649));
const PAD_AS_PKCS7: Mechanism = row!(CKM_AES_KEY_WRAP_PAD, Form::Either(KeyWrapPad::Pkcs7));

/// The published forms, and the mechanism that stands for two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// RFC 3394
    Plain,
    /// RFC 5649
    Padded,
    /// RFC 3394 over PKCS#7 padding to semiblocks
    Pkcs7,
    /// Wraps by this one of the last two, and unwraps both.
    Either(KeyWrapPad),
}

/// One form with its initial value.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyWrap {
    form: Form,
    iv: [u8; SEMIBLOCK],
}

impl Form {
    /// The form in which it wraps.
    fn wraps(self) -> Self {
        match self {
            Self::Either(KeyWrapPad::Rfc5649) => Self::Padded,
            Self::Either(KeyWrapPad::Pkcs7) => Self::Pkcs7,
            form => form,
        }
    }
}

impl KeyWrap {
    /// The form, with the caller's initial value where it takes one. RFC 5649 has no other than its own.
    pub(super) fn new(form: Form, parameter: &Parameter<'_>) -> Result<Self> {
        // RFC 5649, section 3: the constant in front of the length.
        const RFC_5649: [u8; 4] = [0xa6, 0x59, 0x59, 0xa6];
        let iv = match form {
            Form::Plain | Form::Pkcs7 => parameter.iv_or(IV)?,
            Form::Padded => parameter.none_or(&[&RFC_5649]).map(|()| IV)?,
            Form::Either(_) => parameter.none_or(&[&RFC_5649, &IV]).map(|()| IV)?,
        };
        Ok(Self { form, iv })
    }

    /// Whether the length that comes out depends on more than that of the input.
    pub(super) fn hides_length(&self) -> bool {
        self.form != Form::Plain
    }

    /// The length of the wrapped form of so many bytes; none if the form cannot carry them.
    pub(super) fn wrapped_length(&self, length: usize) -> Option<usize> {
        let padded = match self.form.wraps() {
            Form::Plain => Some(length).filter(|length| length.is_multiple_of(SEMIBLOCK)),
            Form::Padded => length.checked_next_multiple_of(SEMIBLOCK),
            _ => length.checked_add(1)?.checked_next_multiple_of(SEMIBLOCK),
        };
        // RFC 3394, section 2: two semiblocks or more. RFC 5649, section 4.1: one byte or more.
        let shortest = if self.form.wraps() == Form::Padded { SEMIBLOCK } else { 2 * SEMIBLOCK };
        padded.filter(|padded| *padded >= shortest)?.checked_add(SEMIBLOCK)
    }

    /// Whether something so long can have been wrapped in this form.
    pub(super) fn may_be_wrapped(&self, length: usize) -> bool {
        let shortest = match self.form {
            Form::Plain | Form::Pkcs7 => 3 * SEMIBLOCK,
            Form::Padded | Form::Either(_) => 2 * SEMIBLOCK,
        };
        length.is_multiple_of(SEMIBLOCK) && length >= shortest
    }

    pub(super) fn wrap(&self, key: &WrapKey, data: &[u8]) -> Result<Vec<u8>, Rejected> {
        match self.form.wraps() {
            Form::Plain => key.wrap(&self.iv, data),
            Form::Padded => key.wrap_padded(data),
            _ => key.wrap_pkcs7(&self.iv, data),
        }
    }

    /// One answer for every fault. What neither form takes has been tried in both, so it has taken one time as well.
    pub(super) fn unwrap(&self, key: &WrapKey, wrapped: &[u8]) -> Result<Secret, Rejected> {
        match self.form {
            Form::Plain => key.unwrap(&self.iv, wrapped),
            Form::Padded => key.unwrap_padded(wrapped),
            Form::Pkcs7 => key.unwrap_pkcs7(&self.iv, wrapped),
            Form::Either(_) => key.unwrap_padded(wrapped).or_else(|_| key.unwrap_pkcs7(&self.iv, wrapped)),
        }
    }
}

/// A value that RFC 3394 cannot carry as it is, is filled up with zeros: PKCS#11 3.2, section 6.16.3. One of a semiblock
/// or less would be filled up beyond recognition.
fn filled_up(form: Form, length: usize) -> usize {
    if form == Form::Plain && length > SEMIBLOCK { length.next_multiple_of(SEMIBLOCK) } else { length }
}

fn wrapped_length(form: Form, length: usize) -> Result<usize> {
    KeyWrap { form, iv: IV }.wrapped_length(filled_up(form, length)).ok_or(Error::KeySizeRange)
}

fn wrap(how: KeyWrap, keyed: &Keyed, value: &Secret) -> Result<Vec<u8>> {
    let (key, length) = (keyed.wrap()?, filled_up(how.form, value.len()));
    let wrapped = if length == value.len() {
        how.wrap(key, value.expose())
    } else {
        let mut filled = Secret::zeroed(length);
        filled.expose_mut().iter_mut().zip(value.expose()).for_each(|(to, from)| *to = *from);
        how.wrap(key, filled.expose())
    };
    wrapped.map_err(|_| Error::KeySizeRange)
}

fn unwrap(how: KeyWrap, keyed: &Keyed, wrapped: &[u8], wanted: &Wanted) -> Result<Secret> {
    if !how.may_be_wrapped(wrapped.len()) || wrapped.len() > LONGEST_WRAPPED {
        return Err(Error::WrappedKeyLenRange);
    }
    let value = how.unwrap(keyed.wrap()?, wrapped).map_err(|_| Error::WrappedKeyInvalid)?;
    let may_be_filled_up = matches!(how.form, Form::Plain | Form::Either(_));
    match wanted.length {
        // Some modules fill up what they wrap by the form that stands for two, as well.
        None if wanted.key_type.comes_in_pairs() && may_be_filled_up => without_filling(value),
        Some(length) if how.form == Form::Plain => cut(value, length),
        _ => wanted.checked(value),
    }
}

/// A `PrivateKeyInfo` says itself where it ends. PKCS#11 3.2, section 6.16.3.
fn without_filling(value: Secret) -> Result<Secret> {
    let length = der::sequence_length(value.expose()).map_err(|Rejected| Error::WrappedKeyInvalid)?;
    let (kept, filling) = value.expose().split_at_checked(length).ok_or(Error::WrappedKeyInvalid)?;
    if filling.len() >= SEMIBLOCK || filling.iter().any(|byte| *byte != 0) {
        return Err(Error::WrappedKeyInvalid);
    }
    Ok(Secret::from_slice(kept))
}

/// `CKA_VALUE_LEN` cuts off what filled the last semiblock up, and no more.
fn cut(value: Secret, length: usize) -> Result<Secret> {
    if length > value.len() || length.div_ceil(SEMIBLOCK) * SEMIBLOCK != value.len() {
        return Err(Error::WrappedKeyLenRange);
    }
    let (kept, filling) = value.expose().split_at_checked(length).ok_or(Error::WrappedKeyLenRange)?;
    if filling.iter().fold(0, |all, byte| all | byte) != 0 {
        return Err(Error::WrappedKeyLenRange);
    }
    Ok(Secret::from_slice(kept))
}

/// The longest wrapped form of the longest value, in bytes: the `PrivateKeyInfo` of an RSA key of 8192 bits has 4.7 KB.
pub(super) const LONGEST_WRAPPED: usize = 2 * KeyType::LONGEST;
