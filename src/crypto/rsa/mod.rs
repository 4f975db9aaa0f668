//! RSA: RFC 8017, with the key checks of FIPS 186-5 and SP 800-56B.
//!
//! A key is parsed once and then used by any number of threads at once. Where a result has the length of the modulus, the
//! output is given with exactly that length.

mod der;
mod implicit;
pub(super) mod import;
mod private;
mod public;

pub use private::RsaPrivateKey;
pub use public::RsaPublicKey;

use super::Rejected;
use super::ffi::rsa::{Failed, Hashes};
use super::hash::Algorithm;
use crate::error::Error;
use std::ops::RangeInclusive;

/// The sizes of the moduli that keys may have, in bits. Those below 2048 are too short for new signatures (FIPS 186-5), but
/// are in use.
pub const BITS: RangeInclusive<usize> = 1024..=8 * super::ffi::rsa::LONGEST;

/// The sizes of generated keys in bits, all multiples of [`GENERATED_STEP`]: AWS-LC makes the primes of whole words.
pub const GENERATED_BITS: RangeInclusive<usize> = 2048..=*BITS.end();

/// See [`GENERATED_BITS`].
pub const GENERATED_STEP: usize = 128;

/// The longest public exponent in bits: FIPS 186-5, appendix A.1.1. The shortest exponent is 3, which is what RFC 8017 asks for.
pub const LONGEST_EXPONENT: usize = 256;

/// The longest public exponent that keys are generated with, in bits: more is more than Windows and Go take.
pub const LONGEST_GENERATED_EXPONENT: usize = 32;

/// How much longer than the message a modulus has to be for the paddings of PKCS #1 v1.5, in bytes: RFC 8017, section 7.2.1.
pub const PKCS1_OVERHEAD: usize = 11;

/// The numbers of a key by their names in RFC 8017, appendix A.1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RsaComponent {
    /// n.
    Modulus,
    /// e.
    PublicExponent,
    /// d.
    PrivateExponent,
    /// p.
    Prime1,
    /// q.
    Prime2,
    /// d mod (p - 1).
    Exponent1,
    /// d mod (q - 1).
    Exponent2,
    /// The inverse of q mod p.
    Coefficient,
}

/// The numbers that a private key is made of, as big-endian bytes; zeroes may lead, and an empty number is an absent one.
#[derive(Default, Clone, Copy)]
pub struct RsaComponents<'a> {
    /// n.
    pub modulus: &'a [u8],
    /// e. Found if absent, from the primes; without these only if it is a usual one.
    pub public_exponent: &'a [u8],
    /// d.
    pub private_exponent: &'a [u8],
    /// p. Both primes are given or none; they are recovered then.
    pub prime1: &'a [u8],
    /// q.
    pub prime2: &'a [u8],
    /// d mod (p - 1). Computed if absent, as are the following two.
    pub exponent1: &'a [u8],
    /// d mod (q - 1).
    pub exponent2: &'a [u8],
    /// The inverse of q mod p.
    pub coefficient: &'a [u8],
}

/// How RSASSA-PSS is done: RFC 8017, section 8.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pss {
    /// The hash function of the digest.
    pub hash: Algorithm,
    /// The hash function of the mask.
    pub mgf: Algorithm,
    /// The length of the salt in bytes: 0 to that of [`longest_salt`](Self::longest_salt).
    pub salt: usize,
}

impl Pss {
    /// The longest salt in bytes for a modulus of so many bits; `None` if not even an empty one fits. RFC 8017, section 9.1.1.
    pub fn longest_salt(hash: Algorithm, bits: usize) -> Option<usize> {
        bits.checked_sub(1)?.div_ceil(8).checked_sub(hash.output_len())?.checked_sub(2)
    }

    /// The functions and the length of the salt, if it fits.
    fn fitting(&self, bits: usize) -> Option<(Hashes, i32)> {
        let longest = Self::longest_salt(self.hash, bits)?;
        let salt = i32::try_from(self.salt).ok()?;
        (self.salt <= longest).then_some((Hashes { hash: self.hash, mgf: self.mgf }, salt))
    }
}

/// How RSAES-OAEP is done: RFC 8017, section 7.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oaep<'a> {
    /// The hash function of the label.
    pub hash: Algorithm,
    /// The hash function of the mask.
    pub mgf: Algorithm,
    /// The label, which is not in the ciphertext.
    pub label: &'a [u8],
}

impl Oaep<'_> {
    /// The longest message in bytes for a modulus of so many bytes; `None` if not even an empty one fits. RFC 8017, section 7.1.1.
    pub fn longest_message(hash: Algorithm, length: usize) -> Option<usize> {
        length.checked_sub(hash.output_len().checked_mul(2)?)?.checked_sub(2)
    }

    fn hashes(&self) -> Hashes {
        Hashes { hash: self.hash, mgf: self.mgf }
    }
}

/// Why an operation with a private key gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The input does not fit the key, or is not padded as it should be.
    Rejected,
    /// Not the input's fault: there was no memory, or the result did not verify and so was not given out.
    Fault,
}

impl Failure {
    /// What the caller is told: `rejected` if it was the input.
    pub fn or(self, rejected: Error) -> Error {
        match self {
            Self::Rejected => rejected,
            Self::Fault => Error::FunctionFailed("the RSA computation failed or did not verify".into()),
        }
    }
}

impl From<Rejected> for Failure {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Padding => Self::Rejected,
            Failed::Fault => Self::Fault,
        }
    }
}

/// `bytes` without leading zeroes.
fn stripped(bytes: &[u8]) -> &[u8] {
    let zeroes = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeroes..).unwrap_or_default()
}
