//! A mechanism's parameter, read from the caller's memory and not judged yet.

use crate::error::{Error, Result};

/// What a mechanism's parameter looks like, so that `abi` knows how to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// There is none.
    None,
    /// Bytes, as an initialisation vector.
    Bytes,
    /// `CK_AES_CTR_PARAMS`
    Counter,
    /// `CK_GCM_PARAMS`, or `CK_GCM_WRAP_PARAMS`
    Gcm,
    /// One `CK_ULONG`, by value, as `CK_MAC_GENERAL_PARAMS`.
    Number,
    /// `CK_RSA_PKCS_PSS_PARAMS`
    Pss,
    /// `CK_RSA_PKCS_OAEP_PARAMS`
    Oaep,
    /// `CK_RSA_AES_KEY_WRAP_PARAMS`
    RsaAes,
    /// `CK_ECDH1_DERIVE_PARAMS`
    Ecdh,
    /// `CK_EDDSA_PARAMS`
    Eddsa,
}

/// A parameter of one of the [`Shape`]s. It borrows from the caller for the length of one call.
#[derive(Debug, Clone, Copy)]
pub enum Parameter<'a> {
    /// None was given.
    None,
    /// Bytes.
    Bytes(&'a [u8]),
    /// `CK_AES_CTR_PARAMS`. PKCS#11 3.2, section 6.11.2.
    Counter {
        /// How many bits at the end of the block count.
        bits: u64,
        /// The first counter block.
        block: [u8; 16],
    },
    /// `CK_GCM_PARAMS`. PKCS#11 3.2, section 6.13.3. `ulIvBits` is not here: headers and text of 2.40 disagree about it.
    Gcm {
        /// The initialisation vector.
        iv: &'a [u8],
        /// The associated data.
        aad: &'a [u8],
        /// The length of the tag in bits.
        tag_bits: u64,
    },
    /// `CK_GCM_WRAP_PARAMS`, or `CK_GCM_MESSAGE_PARAMS` and what stands beside it: for wrapping alone. PKCS#11 3.2, section 6.13.3.
    GcmWrap {
        /// `CKG_*`: who makes the initialisation vector.
        generator: u64,
        /// How many bits at its front stay the caller's, where the token makes it.
        fixed_bits: u64,
        /// The initialisation vector.
        iv: &'a [u8],
        /// The associated data.
        aad: &'a [u8],
        /// The length of the tag in bits.
        tag_bits: u64,
    },
    /// One number.
    Number(u64),
    /// `CK_RSA_PKCS_PSS_PARAMS`. PKCS#11 3.2, section 6.1.10.
    Pss {
        /// The number of a hash mechanism.
        hash: u64,
        /// `CKG_MGF1_*`
        mgf: u64,
        /// The length of the salt in bytes.
        salt: u64,
    },
    /// `CK_RSA_PKCS_OAEP_PARAMS`. PKCS#11 3.2, section 6.1.7.
    Oaep(Oaep<'a>),
    /// `CK_RSA_AES_KEY_WRAP_PARAMS`. PKCS#11 3.2, section 6.1.20.
    RsaAes {
        /// The size of the AES key between the two, in bits.
        aes_bits: u64,
        /// How that key is wrapped.
        oaep: Oaep<'a>,
    },
    /// `CK_ECDH1_DERIVE_PARAMS`. PKCS#11 3.2, section 6.3.17.
    Ecdh {
        /// `CKD_*`
        kdf: u64,
        /// What both sides know besides.
        shared: &'a [u8],
        /// The other side's point.
        point: &'a [u8],
    },
    /// `CK_EDDSA_PARAMS`. PKCS#11 3.2, section 6.3.15.
    Eddsa {
        /// Whether the message is hashed before it is signed.
        prehashed: bool,
        /// The context.
        context: &'a [u8],
    },
}

/// `CK_RSA_PKCS_OAEP_PARAMS`. PKCS#11 3.2, section 6.1.7.
#[derive(Debug, Clone, Copy)]
pub struct Oaep<'a> {
    /// The number of a hash mechanism.
    pub hash: u64,
    /// `CKG_MGF1_*`
    pub mgf: u64,
    /// `CKZ_*`: where the label comes from.
    pub source: u64,
    /// The label.
    pub label: &'a [u8],
}

impl<'a> Parameter<'a> {
    /// `CK_GCM_PARAMS` with this initialisation vector in the place of the caller's.
    pub fn with_iv<'b>(&self, iv: &'b [u8]) -> Parameter<'b>
    where
        'a: 'b,
    {
        match *self {
            Parameter::GcmWrap { aad, tag_bits, .. } => Parameter::Gcm { iv, aad, tag_bits },
            other => other,
        }
    }

    /// An initialisation vector of exactly `N` bytes.
    pub(super) fn iv<const N: usize>(&self) -> Result<[u8; N]> {
        match self {
            Parameter::Bytes(bytes) => {
                (*bytes).try_into().map_err(|_| Error::MechanismParamInvalid("the length of the IV"))
            }
            _ => Err(Error::MechanismParamInvalid("an IV is needed")),
        }
    }

    /// An initialisation vector of exactly `N` bytes, or the standard's own where none is given.
    pub(super) fn iv_or<const N: usize>(&self, standard: [u8; N]) -> Result<[u8; N]> {
        if matches!(self, Parameter::None) { Ok(standard) } else { self.iv() }
    }

    /// No parameter, or one of the values that the mechanism would use anyway.
    pub(super) fn none_or(&self, standard: &[&[u8]]) -> Result<()> {
        match self {
            Parameter::None => Ok(()),
            Parameter::Bytes(bytes) if standard.contains(bytes) => Ok(()),
            _ => Err(Error::MechanismParamInvalid("only the standard's own IV is supported")),
        }
    }

    /// The length in bytes of a MAC that is cut: 1 to `whole`. PKCS#11 3.2, section 6.15.3 and the like.
    pub(super) fn mac_length(&self, whole: usize) -> Result<usize> {
        let Parameter::Number(length) = *self else {
            return Err(Error::MechanismParamInvalid("CK_MAC_GENERAL_PARAMS is needed"));
        };
        match usize::try_from(length) {
            Ok(length) if (1..=whole).contains(&length) => Ok(length),
            _ => Err(Error::MechanismParamInvalid("the length of the MAC is not from 1 to that of the whole")),
        }
    }
}

/// A copy of something as long as the caller likes: no memory for it is an answer, not the end of the host.
pub(super) fn copy(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).map_err(|_| Error::HostMemory("a copy of a mechanism's parameter"))?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}
