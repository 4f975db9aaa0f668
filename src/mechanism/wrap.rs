//! AES key wrap: RFC 3394 and RFC 5649, for keys and, by `C_Encrypt`, for data. PKCS#11 3.2, section 6.16.

use cryptoki_sys::{CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP};

use super::operation::{Cipher, Ciphering};
use super::parameter::{Parameter, Shape};
use super::prepared::Keyed;
use super::{AES, Does, Mechanism, NOTHING, Wrapping};
use crate::crypto::InOut;
use crate::error::{Error, Result};
use crate::key::KeyType;
use crate::secret::Secret;

pub(super) const ROWS: &[Mechanism] = &[
    Mechanism {
        number: CKM_AES_KEY_WRAP,
        name: "CKM_AES_KEY_WRAP",
        parameter: Shape::Bytes,
        keys: AES,
        does: Does {
            encrypt: Some(|_, parameter| Form::Plain.begin(parameter, |form| Ciphering::KeyWrap(KeyWrapping(form)))),
            decrypt: Some(|_, parameter| {
                Form::Plain.begin(parameter, |form| Ciphering::KeyUnwrap(KeyUnwrapping(form)))
            }),
            wrap: Some(Wrapping { wrapped_length: plain_length, wrap: wrap_plain, unwrap: unwrap_plain }),
            ..NOTHING
        },
    },
    Mechanism {
        number: CKM_AES_KEY_WRAP_KWP,
        name: "CKM_AES_KEY_WRAP_KWP",
        parameter: Shape::Bytes,
        keys: AES,
        does: Does {
            encrypt: Some(|_, parameter| Form::Padded.begin(parameter, |form| Ciphering::KeyWrap(KeyWrapping(form)))),
            decrypt: Some(|_, parameter| {
                Form::Padded.begin(parameter, |form| Ciphering::KeyUnwrap(KeyUnwrapping(form)))
            }),
            wrap: Some(Wrapping { wrapped_length: padded_length, wrap: wrap_padded, unwrap: unwrap_padded }),
            ..NOTHING
        },
    },
];

/// The two published forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// RFC 3394
    Plain,
    /// RFC 5649
    Padded,
}

/// The unit of both forms, in bytes.
const SEMIBLOCK: usize = 8;
/// The longest data that `C_Encrypt` takes: far above any key.
const LONGEST_DATA: usize = 1 << 20;

impl Form {
    fn begin(self, parameter: &Parameter<'_>, make: fn(Self) -> Ciphering) -> Result<Ciphering> {
        self.check(parameter)?;
        Ok(make(self))
    }

    /// The initial value may be given if it is the standard's own.
    fn check(self, parameter: &Parameter<'_>) -> Result<()> {
        match self {
            // RFC 3394, section 2.2.3.1.
            Self::Plain => parameter.none_or(&[0xa6; 8]),
            // RFC 5649, section 3: the constant in front of the length.
            Self::Padded => parameter.none_or(&[0xa6, 0x59, 0x59, 0xa6]),
        }
    }
}

/// The whole semiblocks of a padded value, and one for the initial value.
fn semiblocks(length: usize) -> usize {
    length.div_ceil(SEMIBLOCK).saturating_add(1).saturating_mul(SEMIBLOCK)
}

/// RFC 3394 carries two semiblocks or more; a shorter key would be padded beyond recognition.
fn plain_length(length: usize) -> Result<usize> {
    if length > SEMIBLOCK { Ok(semiblocks(length)) } else { Err(Error::KeySizeRange) }
}

fn padded_length(length: usize) -> Result<usize> {
    Ok(semiblocks(length))
}

/// A value of any length is filled up with zeros, as PKCS#11 3.2, section 6.16.3, says.
fn wrap_plain(keyed: &Keyed, parameter: &Parameter<'_>, value: &Secret) -> Result<Vec<u8>> {
    Form::Plain.check(parameter)?;
    let length = plain_length(value.len())?.saturating_sub(SEMIBLOCK);
    let mut padded = Secret::zeroed(length);
    padded.expose_mut().iter_mut().zip(value.expose()).for_each(|(to, from)| *to = *from);
    keyed.wrap()?.wrap(padded.expose()).map_err(|_| Error::KeySizeRange)
}

fn wrap_padded(keyed: &Keyed, parameter: &Parameter<'_>, value: &Secret) -> Result<Vec<u8>> {
    Form::Padded.check(parameter)?;
    keyed.wrap()?.wrap_padded(value.expose()).map_err(|_| Error::KeySizeRange)
}

/// `CKA_VALUE_LEN` cuts off what filled the last semiblock up, and no more.
fn unwrap_plain(keyed: &Keyed, parameter: &Parameter<'_>, wrapped: &[u8], length: Option<usize>) -> Result<Secret> {
    Form::Plain.check(parameter)?;
    if !wrapped.len().is_multiple_of(SEMIBLOCK) || !(3 * SEMIBLOCK..=LONGEST_WRAPPED).contains(&wrapped.len()) {
        return Err(Error::WrappedKeyLenRange);
    }
    let value = keyed.wrap()?.unwrap(wrapped).map_err(|_| Error::WrappedKeyInvalid)?;
    let Some(length) = length else {
        return Ok(value);
    };
    if length > value.len() || length.div_ceil(SEMIBLOCK) * SEMIBLOCK != value.len() {
        return Err(Error::WrappedKeyLenRange);
    }
    let (kept, filling) = value.expose().split_at_checked(length).ok_or(Error::WrappedKeyLenRange)?;
    if filling.iter().fold(0, |all, byte| all | byte) != 0 {
        return Err(Error::WrappedKeyLenRange);
    }
    Ok(Secret::from_slice(kept))
}

fn unwrap_padded(keyed: &Keyed, parameter: &Parameter<'_>, wrapped: &[u8], length: Option<usize>) -> Result<Secret> {
    Form::Padded.check(parameter)?;
    if !wrapped.len().is_multiple_of(SEMIBLOCK) || !(2 * SEMIBLOCK..=LONGEST_WRAPPED).contains(&wrapped.len()) {
        return Err(Error::WrappedKeyLenRange);
    }
    let value = keyed.wrap()?.unwrap_padded(wrapped).map_err(|_| Error::WrappedKeyInvalid)?;
    match length {
        Some(length) if length != value.len() => Err(Error::WrappedKeyLenRange),
        _ => Ok(value),
    }
}

/// The wrapped form of the longest key.
const LONGEST_WRAPPED: usize = KeyType::LONGEST + SEMIBLOCK;

/// Key wrap as an encryption of data, in one part. RFC 3394 takes whole semiblocks only.
pub struct KeyWrapping(Form);

impl Cipher for KeyWrapping {
    fn whole_length(&self, input: usize) -> Result<usize> {
        let fits = match self.0 {
            Form::Plain => input.is_multiple_of(SEMIBLOCK) && input >= 2 * SEMIBLOCK,
            Form::Padded => input >= 1,
        };
        if fits && input <= LONGEST_DATA { Ok(semiblocks(input)) } else { Err(Error::DataLenRange) }
    }

    fn whole(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        self.whole_length(io.len())?;
        let wrapped = match self.0 {
            Form::Plain => keyed.wrap()?.wrap(io.input()),
            Form::Padded => keyed.wrap()?.wrap_padded(io.input()),
        };
        io.write(&wrapped.map_err(|_| Error::DataLenRange)?)
    }

    fn update_length(&self, _: usize) -> Result<usize> {
        one_part_only()
    }

    fn update(&mut self, _: &Keyed, _: &mut InOut<'_>) -> Result<()> {
        one_part_only().map(drop)
    }

    fn finish_length(&self) -> Result<usize> {
        one_part_only()
    }

    fn finish(&mut self, _: &Keyed, _: &mut InOut<'_>) -> Result<()> {
        one_part_only().map(drop)
    }
}

/// Key unwrap as a decryption of data, in one part.
pub struct KeyUnwrapping(Form);

impl Cipher for KeyUnwrapping {
    fn whole_length(&self, input: usize) -> Result<usize> {
        let shortest = match self.0 {
            Form::Plain => 3 * SEMIBLOCK,
            Form::Padded => 2 * SEMIBLOCK,
        };
        if !input.is_multiple_of(SEMIBLOCK) || !(shortest..=semiblocks(LONGEST_DATA)).contains(&input) {
            return Err(Error::EncryptedDataLenRange);
        }
        Ok(input.saturating_sub(SEMIBLOCK))
    }

    fn may_give_less(&self) -> bool {
        self.0 == Form::Padded
    }

    fn whole(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        self.whole_length(io.len())?;
        let data = match self.0 {
            Form::Plain => keyed.wrap()?.unwrap(io.input()),
            Form::Padded => keyed.wrap()?.unwrap_padded(io.input()),
        };
        let data = data.map_err(|_| Error::EncryptedDataInvalid)?;
        io.write(data.expose())
    }

    fn update_length(&self, _: usize) -> Result<usize> {
        one_part_only()
    }

    fn update(&mut self, _: &Keyed, _: &mut InOut<'_>) -> Result<()> {
        one_part_only().map(drop)
    }

    fn finish_length(&self) -> Result<usize> {
        one_part_only()
    }

    fn finish(&mut self, _: &Keyed, _: &mut InOut<'_>) -> Result<()> {
        one_part_only().map(drop)
    }
}

/// PKCS#11 3.2, section 6.16: these mechanisms are single-part, so no operation in parts was ever initialised.
fn one_part_only() -> Result<usize> {
    Err(Error::OperationNotInitialized)
}
