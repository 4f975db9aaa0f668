//! Wrapping under RSA keys: of secret keys in one block, and of any keys by way of an AES key. PKCS#11 3.2, sections 6.1.5,
//! 6.1.7 and 6.1.20.

use super::crypt::Padding;
use super::{modulus_length, private, public};
use crate::crypto::Rejected;
use crate::crypto::keywrap::WrapKey;
use crate::crypto::random;
use crate::error::{Error, Result};
use crate::mechanism::parameter::Parameter;
use crate::mechanism::prepared::Keyed;
use crate::mechanism::wrap::{Form, KeyWrap};
use crate::mechanism::{Wanted, Wrapping};
use crate::secret::Secret;

pub(super) const PKCS1: Wrapping = Wrapping {
    tells_length: true,
    private_keys: false,
    wrapped_length: |keyed, _, length| block_length(&Padding::Pkcs1, keyed, length),
    wrap: |keyed, _, value| block(&Padding::Pkcs1, keyed, value),
    unwrap: |keyed, _, wrapped, wanted| unwrap_pkcs1(keyed, wrapped, wanted),
};

pub(super) const OAEP: Wrapping = Wrapping {
    tells_length: true,
    private_keys: false,
    wrapped_length: |keyed, parameter, length| block_length(&Padding::oaep(keyed, parameter)?, keyed, length),
    wrap: |keyed, parameter, value| block(&Padding::oaep(keyed, parameter)?, keyed, value),
    unwrap: |keyed, parameter, wrapped, wanted| {
        let padding = Padding::oaep(keyed, parameter)?;
        wanted.checked(open(&padding, keyed, wrapped)?)
    },
};

pub(super) const RSA_AES: Wrapping = Wrapping {
    tells_length: true,
    private_keys: true,
    wrapped_length: |keyed, parameter, length| RsaAes::new(keyed, parameter)?.wrapped_length(keyed, length),
    wrap: |keyed, parameter, value| RsaAes::new(keyed, parameter)?.wrap(keyed, value),
    unwrap: |keyed, parameter, wrapped, wanted| wanted.checked(RsaAes::new(keyed, parameter)?.unwrap(keyed, wrapped)?),
};

fn block_length(padding: &Padding, keyed: &Keyed, length: usize) -> Result<usize> {
    let modulus = modulus_length(keyed);
    if length <= padding.longest(modulus) { Ok(modulus) } else { Err(Error::KeySizeRange) }
}

fn block(padding: &Padding, keyed: &Keyed, value: &Secret) -> Result<Vec<u8>> {
    padding.seal(public(keyed)?, value.expose()).map_err(|Rejected| Error::KeySizeRange)
}

fn open(padding: &Padding, keyed: &Keyed, wrapped: &[u8]) -> Result<Secret> {
    if wrapped.len() != modulus_length(keyed) {
        return Err(Error::WrappedKeyLenRange);
    }
    padding.open(private(keyed)?, wrapped).map_err(|failure| failure.or(Error::WrappedKeyInvalid))
}

/// Whoever may ask whether the padding is good, can decrypt. So where the length is known, something wrong gives a key that
/// nobody knows: RFC 3218, section 2.3.2. Where it is not, every fault of the block has one code, that of its length too.
fn unwrap_pkcs1(keyed: &Keyed, wrapped: &[u8], wanted: &Wanted) -> Result<Secret> {
    let modulus = modulus_length(keyed);
    if wrapped.len() != modulus {
        return Err(Error::WrappedKeyLenRange);
    }
    match wanted.length {
        Some(length) if length > Padding::Pkcs1.longest(modulus) => Err(Error::WrappedKeyLenRange),
        Some(length) => {
            let value = private(keyed)?.decrypt_pkcs1_implicit(wrapped, length);
            value.map_err(|failure| failure.or(Error::WrappedKeyInvalid))
        }
        None => {
            let value = open(&Padding::Pkcs1, keyed, wrapped)?;
            if wanted.takes(value.len()) { Ok(value) } else { Err(Error::WrappedKeyInvalid) }
        }
    }
}

/// OAEP of an AES key that is made for it, and behind it the value under this key by RFC 5649.
struct RsaAes {
    /// The length of the AES key in bytes.
    key: usize,
    oaep: Padding,
    form: KeyWrap,
}

impl RsaAes {
    fn new(keyed: &Keyed, parameter: &Parameter<'_>) -> Result<Self> {
        let Parameter::RsaAes { aes_bits, ref oaep } = *parameter else {
            return Err(Error::MechanismParamInvalid("CK_RSA_AES_KEY_WRAP_PARAMS is needed"));
        };
        let key = match aes_bits {
            128 => 16,
            192 => 24,
            256 => 32,
            _ => return Err(Error::MechanismParamInvalid("ulAESKeyBits is none of 128, 192 and 256")),
        };
        let oaep = Padding::read_oaep(keyed, oaep)?;
        if oaep.longest(modulus_length(keyed)) < key {
            return Err(Error::MechanismParamInvalid("ulAESKeyBits is more than the modulus has room for"));
        }
        Ok(Self { key, oaep, form: KeyWrap::new(Form::Padded, &Parameter::None)? })
    }

    fn wrapped_length(&self, keyed: &Keyed, length: usize) -> Result<usize> {
        let behind = self.form.wrapped_length(length);
        behind.and_then(|behind| behind.checked_add(modulus_length(keyed))).ok_or(Error::KeySizeRange)
    }

    fn wrap(&self, keyed: &Keyed, value: &Secret) -> Result<Vec<u8>> {
        let aes = random::secret(self.key)?;
        let mut wrapped = block(&self.oaep, keyed, &aes)?;
        let key = WrapKey::new(aes.expose()).map_err(|Rejected| Error::KeySizeRange)?;
        wrapped.extend(self.form.wrap(&key, value.expose()).map_err(|Rejected| Error::KeySizeRange)?);
        Ok(wrapped)
    }

    fn unwrap(&self, keyed: &Keyed, wrapped: &[u8]) -> Result<Secret> {
        let parts = wrapped.split_at_checked(modulus_length(keyed));
        let (front, behind) = parts.ok_or(Error::WrappedKeyLenRange)?;
        if !self.form.may_be_wrapped(behind.len()) {
            return Err(Error::WrappedKeyLenRange);
        }
        let aes = open(&self.oaep, keyed, front)?;
        let key = WrapKey::new(aes.expose()).ok().filter(|_| aes.len() == self.key).ok_or(Error::WrappedKeyInvalid)?;
        self.form.unwrap(&key, behind).map_err(|Rejected| Error::WrappedKeyInvalid)
    }
}
