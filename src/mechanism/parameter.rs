//! A mechanism's parameter, read from the caller's memory and not judged yet.

use crate::error::{Error, Result};

/// What a mechanism's parameter looks like, so that `abi` knows how to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// There is none.
    None,
    /// Bytes, as an initialisation vector.
    Bytes,
    /// `CK_GCM_PARAMS`
    Gcm,
}

/// A parameter of one of the [`Shape`]s. It borrows from the caller for the length of one call.
#[derive(Debug, Clone, Copy)]
pub enum Parameter<'a> {
    /// None was given.
    None,
    /// Bytes.
    Bytes(&'a [u8]),
    /// `CK_GCM_PARAMS`. PKCS#11 3.2, section 6.13.3. `ulIvBits` is not here: headers and text of 2.40 disagree about it.
    Gcm {
        /// The initialisation vector.
        iv: &'a [u8],
        /// The associated data.
        aad: &'a [u8],
        /// The length of the tag in bits.
        tag_bits: u64,
    },
}

impl<'a> Parameter<'a> {
    /// An initialisation vector of exactly `N` bytes.
    pub(super) fn iv<const N: usize>(&self) -> Result<[u8; N]> {
        match self {
            Parameter::Bytes(bytes) => {
                (*bytes).try_into().map_err(|_| Error::MechanismParamInvalid("the length of the IV"))
            }
            _ => Err(Error::MechanismParamInvalid("an IV is needed")),
        }
    }

    /// No parameter, or the one value that the mechanism would use anyway.
    pub(super) fn none_or(&self, standard: &[u8]) -> Result<()> {
        match self {
            Parameter::None => Ok(()),
            Parameter::Bytes(bytes) if *bytes == standard => Ok(()),
            _ => Err(Error::MechanismParamInvalid("only the standard's own IV is supported")),
        }
    }
}
