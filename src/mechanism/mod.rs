//! The mechanism table: one row per mechanism, one file per family.
//!
//! The list, the information, the check in every `*Init` and the constructors of operations are all read from these
//! rows. To add a mechanism, add a row to its family's file.

mod aead;
mod aes;
mod counter;
mod digest;
mod ec;
mod ecdh;
mod edwards;
mod generate;
mod hmac;
mod mac;
mod mask;
mod operation;
mod parameter;
mod prepared;
mod rsa;
mod signature;
mod wrap;
mod wrap_cipher;
mod wrap_data;

pub use aead::generated_iv;
pub use digest::Digesting;
pub use mask::{CKM_KEYSTEAD_MASK, MASK};
pub use operation::{Cipher, Ciphering};
pub use parameter::{Oaep, Parameter, Shape};
pub use prepared::{Keyed, PreparedKey};
pub use rsa::Recovering;
pub use signature::Signing;

use std::ops::RangeInclusive;

use cryptoki_sys::*;

use crate::config::Settings;
use crate::crypto::PrivateKey;
use crate::crypto::hash::Algorithm;
use crate::error::{Error, Result};
use crate::key::{Fit, KeyType, Purpose};
use crate::object::Attributes;
use crate::secret::Secret;

/// One mechanism.
pub struct Mechanism {
    /// The standard's number.
    pub number: u64,
    /// The standard's name.
    pub name: &'static str,
    /// What its parameter looks like.
    pub parameter: Shape,
    /// The keys it takes or makes; none for digests.
    pub keys: Option<Keys>,
    /// What it does.
    pub does: Does,
}

/// The keys that a mechanism takes or makes.
pub struct Keys {
    /// Their types.
    pub types: &'static [KeyType],
    /// Their sizes, as the gate has them: see [`Facts::size`](crate::key::Facts::size).
    pub sizes: RangeInclusive<usize>,
    /// The unit in which the mechanism's information gives the sizes.
    pub unit: Unit,
    /// What the mechanism's information says of the keys besides: `CKF_EC_*`.
    pub flags: u64,
}

/// The unit in which a mechanism gives the size of its keys. PKCS#11 3.2, section 6, tables of each mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bits of the modulus or of the curve, as they are.
    Bits,
    /// Bytes of the value, as they are.
    Bytes,
    /// Bits of the value: eight times its bytes.
    BitsOfBytes,
}

/// What a mechanism does: a constructor for each kind of operation that it offers.
pub struct Does {
    /// `C_EncryptInit`
    pub encrypt: Option<Begin<Ciphering>>,
    /// `C_DecryptInit`
    pub decrypt: Option<Begin<Ciphering>>,
    /// `C_SignInit` and `C_VerifyInit`
    pub sign: Option<Begin<Signing>>,
    /// `C_SignRecoverInit` and `C_VerifyRecoverInit`
    pub recover: Option<Begin<Recovering>>,
    /// `C_DigestInit`
    pub digest: Option<Algorithm>,
    /// `C_GenerateKey`: the type of key it makes
    pub generate: Option<KeyType>,
    /// `C_GenerateKeyPair`
    pub generate_pair: Option<Pair>,
    /// `C_WrapKey` and `C_UnwrapKey`
    pub wrap: Option<Wrapping>,
    /// `C_WrapKey` and `C_UnwrapKey` of masked objects, which are made a floor above
    pub mask: bool,
    /// `C_DeriveKey`: the value of the new key, of so many bytes if that was said, else of the natural length
    pub derive: Option<Derive>,
}

/// The pairs that a mechanism makes.
pub struct Pair {
    /// Their type.
    pub key_type: KeyType,
    /// Makes one as the template of the public key asks for.
    pub generate: fn(&Attributes) -> Result<PrivateKey>,
}

/// Makes the value of a derived key.
pub type Derive = fn(&Keyed, &Parameter<'_>, Option<usize>) -> Result<Secret>;

/// Begins an operation with a key and the mechanism's parameter, where its state is to stay: a large value that is passed
/// up through results costs more than making it.
pub type Begin<T> = fn(&Keyed, &Parameter<'_>, &mut Option<T>) -> Result<()>;

/// A [`Begin`] from a closure that returns the state.
macro_rules! begin {
    ($begin:expr) => {
        Some(|keyed, parameter, place| $crate::mechanism::put(place, keyed, parameter, $begin))
    };
}
use begin;

#[inline(always)]
fn put<T>(
    place: &mut Option<T>,
    keyed: &Keyed,
    parameter: &Parameter<'_>,
    begin: impl FnOnce(&Keyed, &Parameter<'_>) -> Result<T>,
) -> Result<()> {
    *place = Some(begin(keyed, parameter)?);
    Ok(())
}

/// How a mechanism wraps and unwraps values: of a secret key its bytes, of a private key its `PrivateKeyInfo`.
pub struct Wrapping {
    /// Whether the wrapped form says how long the value is. Where it does not, a key whose type leaves its length open
    /// needs `CKA_VALUE_LEN`.
    pub tells_length: bool,
    /// Whether it carries private keys too.
    pub private_keys: bool,
    /// The length in bytes of the wrapped form of a value of so many bytes.
    pub wrapped_length: fn(&Keyed, &Parameter<'_>, usize) -> Result<usize>,
    /// Wraps a value.
    pub wrap: fn(&Keyed, &Parameter<'_>, &Secret) -> Result<Vec<u8>>,
    /// Unwraps a value.
    pub unwrap: fn(&Keyed, &Parameter<'_>, &[u8], &Wanted) -> Result<Secret>,
}

/// The key that something wrapped is to become, as far as the template describes it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// `CKA_KEY_TYPE`, which also says whether it is a secret or a private key.
    pub key_type: KeyType,
    /// `CKA_VALUE_LEN`, where it was given.
    pub length: Option<usize>,
}

impl Wanted {
    /// Whether a value of so many bytes can be the key.
    fn takes(&self, length: usize) -> bool {
        let fits_type = self.key_type.comes_in_pairs() || self.key_type.takes_length(length);
        fits_type && self.length.is_none_or(|wanted| wanted == length)
    }

    /// The value, if it can be the key: for mechanisms that give nothing away by saying that it is only the length.
    fn checked(&self, value: Secret) -> Result<Secret> {
        if self.takes(value.len()) { Ok(value) } else { Err(Error::WrappedKeyLenRange) }
    }
}

/// The mechanisms of one module: the table as its configuration has it.
pub struct Mechanisms {
    rows: Vec<&'static Mechanism>,
    /// The same by number, for every Init looks one up: each in the first free place from the one of its number.
    by_number: [Option<&'static Mechanism>; PLACES],
}

impl Mechanisms {
    /// The table.
    pub fn new(settings: &Settings) -> Self {
        let wraps = wrap::rows(settings.wrapping.key_wrap_pad);
        let rsa = rsa::rows(settings.mechanisms.rsa_1024);
        let secrets = [generate::ROWS, aes::ROWS, counter::ROWS, aead::ROWS, wraps, mask::ROWS, mac::ROWS, hmac::ROWS];
        let pairs = [rsa, ec::ROWS, edwards::ROWS, ecdh::ROWS];
        let rows: Vec<_> = secrets.into_iter().chain(pairs).chain([digest::ROWS]).flatten().collect();
        let mut by_number = [None; PLACES];
        for row in &rows {
            if let Some(place) = by_number.iter_mut().skip(place(row.number)).find(|place| place.is_none()) {
                *place = Some(*row);
            }
        }
        Self { rows, by_number }
    }

    /// The mechanism of this number.
    #[inline(always)]
    pub fn find(&self, number: u64) -> Result<&'static Mechanism> {
        let found = self.by_number.iter().skip(place(number)).map_while(|place| *place);
        match found.into_iter().find(|mechanism| mechanism.number == number) {
            Some(mechanism) => Ok(mechanism),
            None => Err(Error::MechanismInvalid(number)),
        }
    }

    /// All mechanisms, in the order in which they are listed.
    pub fn all(&self) -> &[&'static Mechanism] {
        &self.rows
    }
}

/// Several times the rows, so that most have their own place; and room for those that the last places have no room for.
const PLACES: usize = 256 + 32;

/// The place of a number: its upper bits after a multiplication that mixes it. Knuth, TAOCP 3, section 6.4.
fn place(number: u64) -> usize {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize
}

impl Mechanism {
    /// The keys for which the gate may let this mechanism work.
    #[inline(always)]
    pub fn fit(&self, purpose: Purpose) -> Result<Fit<'_>> {
        if purpose == Purpose::Digest && self.does.digest.is_some() {
            // PKCS#11 3.2, section 5.12.4: any secret key.
            return Ok(Fit { mechanism: self.number, key_types: KeyType::SECRET, sizes: 1..=KeyType::LONGEST });
        }
        let does = match purpose {
            Purpose::Encrypt => self.does.encrypt.is_some(),
            Purpose::Decrypt => self.does.decrypt.is_some(),
            Purpose::Sign | Purpose::Verify => self.does.sign.is_some(),
            Purpose::SignRecover | Purpose::VerifyRecover => self.does.recover.is_some(),
            Purpose::Wrap | Purpose::Unwrap => self.does.wrap.is_some(),
            Purpose::Mask | Purpose::Unmask | Purpose::Share => self.does.mask,
            Purpose::Derive => self.does.derive.is_some(),
            Purpose::Digest | Purpose::Join => false,
        };
        match &self.keys {
            Some(keys) if does => Ok(Fit { mechanism: self.number, key_types: keys.types, sizes: keys.sizes.clone() }),
            _ => Err(Error::MechanismInvalid(self.number)),
        }
    }

    /// `CK_MECHANISM_INFO.flags`. PKCS#11 3.2, section 3.5. CKF_HW is clear: this is software.
    pub fn flags(&self) -> u64 {
        let Does { encrypt, decrypt, sign, recover, digest, generate, generate_pair, wrap, mask, derive } = &self.does;
        let flags = [
            (encrypt.is_some(), CKF_ENCRYPT),
            (decrypt.is_some(), CKF_DECRYPT),
            (sign.is_some(), CKF_SIGN | CKF_VERIFY),
            (recover.is_some(), CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER),
            (digest.is_some(), CKF_DIGEST),
            (generate.is_some(), CKF_GENERATE),
            (generate_pair.is_some(), CKF_GENERATE_KEY_PAIR),
            (wrap.is_some() || *mask, CKF_WRAP | CKF_UNWRAP),
            (derive.is_some(), CKF_DERIVE),
        ];
        let of_keys = self.keys.as_ref().map_or(0, |keys| keys.flags);
        flags.into_iter().filter(|(does, _)| *does).fold(of_keys, |all, (_, flag)| all | flag)
    }

    /// The shortest and longest key in the mechanism's own unit; 0 and 0 where there is no key.
    pub fn key_sizes(&self) -> (u64, u64) {
        let Some(keys) = &self.keys else {
            return (0, 0);
        };
        let scale = match keys.unit {
            Unit::BitsOfBytes => 8,
            Unit::Bits | Unit::Bytes => 1,
        };
        (*keys.sizes.start() as u64 * scale, *keys.sizes.end() as u64 * scale)
    }
}

/// A row that does nothing yet, for the families to fill in.
pub(crate) const NOTHING: Does = Does {
    encrypt: None,
    decrypt: None,
    sign: None,
    recover: None,
    digest: None,
    generate: None,
    generate_pair: None,
    wrap: None,
    mask: false,
    derive: None,
};

/// AES keys of 128, 192 and 256 bits. PKCS#11 3.2, section 6.10: sizes in bytes.
const AES: Option<Keys> = Some(Keys { types: &[KeyType::Aes], sizes: 16..=32, unit: Unit::Bytes, flags: 0 });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_stands_twice_and_every_row_does_something() {
        let table = Mechanisms::new(&Settings::default());
        for row in table.all() {
            assert_eq!(table.all().iter().filter(|other| other.number == row.number).count(), 1, "{}", row.name);
            assert_eq!(table.find(row.number).map(|found| found.name), Ok(row.name));
            assert_ne!(row.flags(), 0, "{}", row.name);
            let (shortest, longest) = row.key_sizes();
            // Java multiplies by eight in 32 bits and checks.
            assert!(shortest <= longest && longest * 8 <= i32::MAX as u64, "{}", row.name);
        }
    }
}
