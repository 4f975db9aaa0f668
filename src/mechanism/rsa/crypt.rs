//! Encryption, of one block. PKCS#11 3.2, sections 6.1.5 to 6.1.8.

use super::{hashes, modulus_length, private, public};
use crate::crypto::hash::Algorithm;
use crate::crypto::rsa::{Failure, Oaep, PKCS1_OVERHEAD, RsaPrivateKey, RsaPublicKey};
use crate::crypto::{InOut, Rejected};
use crate::error::{Error, Result};
use crate::mechanism::operation::{Cipher, Ciphering};
use crate::mechanism::parameter::{self, Parameter};
use crate::mechanism::prepared::Keyed;
use crate::secret::Secret;

/// Encryption with a public key.
pub struct RsaEncrypting(Block);

/// Decryption with a private key.
pub struct RsaDecrypting(Block);

impl RsaEncrypting {
    pub(super) fn begin(keyed: &Keyed, padding: Padding) -> Ciphering {
        Ciphering::RsaEncrypt(Self(Block { padding, length: modulus_length(keyed) }))
    }
}

impl RsaDecrypting {
    pub(super) fn begin(keyed: &Keyed, padding: Padding) -> Ciphering {
        Ciphering::RsaDecrypt(Self(Block { padding, length: modulus_length(keyed) }))
    }
}

impl Cipher for RsaEncrypting {
    fn whole_length(&self, input: usize) -> Result<usize> {
        let Block { padding, length } = &self.0;
        if input <= padding.longest(*length) { Ok(*length) } else { Err(Error::DataLenRange) }
    }

    fn whole(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        self.whole_length(io.len())?;
        // The length has been judged, so what is left to be wrong is a number that is not below the modulus.
        let sealed = self.0.padding.seal(public(keyed)?, io.input());
        io.write(&sealed.map_err(|Rejected| Error::DataInvalid)?)
    }
}

impl Cipher for RsaDecrypting {
    fn whole_length(&self, input: usize) -> Result<usize> {
        let Block { padding, length } = &self.0;
        if input == *length { Ok(padding.longest(*length)) } else { Err(Error::EncryptedDataLenRange) }
    }

    fn judges_room(&self) -> bool {
        self.0.padding != Padding::Zeros
    }

    fn whole(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        self.whole_length(io.len())?;
        let opened = self.0.padding.open(private(keyed)?, io.input());
        io.write(opened.map_err(|failure| failure.or(Error::EncryptedDataInvalid))?.expose())
    }
}

/// What is encrypted: a number as long as the modulus, in bytes.
struct Block {
    padding: Padding,
    length: usize,
}

/// What is done to a message so that it is as long as the modulus.
#[derive(PartialEq, Eq)]
pub(super) enum Padding {
    /// RSAES-PKCS1-v1_5.
    Pkcs1,
    /// RSAES-OAEP.
    Oaep { hash: Algorithm, mgf: Algorithm, label: Vec<u8> },
    /// Zeros in front, which decryption does not take off.
    Zeros,
}

impl Padding {
    /// OAEP as the parameter says.
    pub(super) fn oaep(keyed: &Keyed, parameter: &Parameter<'_>) -> Result<Self> {
        match parameter {
            Parameter::Oaep(oaep) => Self::read_oaep(keyed, oaep),
            _ => Err(Error::MechanismParamInvalid("CK_RSA_PKCS_OAEP_PARAMS is needed")),
        }
    }

    /// PKCS#11 3.2, section 6.1.7. Older clients name no source of a label where they have none.
    pub(super) fn read_oaep(keyed: &Keyed, given: &parameter::Oaep<'_>) -> Result<Self> {
        let parameter::Oaep { hash, mgf, source, label } = *given;
        let (hash, mgf) = (hashes::hash(hash)?, hashes::mgf(mgf)?);
        let specified = source == cryptoki_sys::CKZ_DATA_SPECIFIED || (source == 0 && label.is_empty());
        if !specified {
            return Err(Error::MechanismParamInvalid("source is not CKZ_DATA_SPECIFIED"));
        }
        if Oaep::longest_message(hash, modulus_length(keyed)).is_none() {
            return Err(Error::MechanismParamInvalid("hashAlg is too long for the modulus"));
        }
        Ok(Self::Oaep { hash, mgf, label: parameter::copy(label)? })
    }

    /// The longest message in bytes for a modulus of so many.
    pub(super) fn longest(&self, length: usize) -> usize {
        match self {
            Self::Pkcs1 => length.saturating_sub(PKCS1_OVERHEAD),
            Self::Oaep { hash, .. } => Oaep::longest_message(*hash, length).unwrap_or_default(),
            Self::Zeros => length,
        }
    }

    /// The encrypted message. Rejected are messages that are too long, and numbers not below the modulus.
    pub(super) fn seal(&self, key: &RsaPublicKey, message: &[u8]) -> Result<Vec<u8>, Rejected> {
        let mut sealed = vec![0; key.len()];
        match self {
            Self::Pkcs1 => key.encrypt_pkcs1(message, &mut sealed)?,
            Self::Oaep { hash, mgf, label } => {
                key.encrypt_oaep(&Oaep { hash: *hash, mgf: *mgf, label }, message, &mut sealed)?;
            }
            Self::Zeros => {
                let number = filled_up(message, key.len()).ok_or(Rejected)?;
                key.raw(number.expose(), &mut sealed)?;
            }
        }
        Ok(sealed)
    }

    /// The decrypted message. Whatever is wrong with what was inside, it is rejected after the same time.
    pub(super) fn open(&self, key: &RsaPrivateKey, sealed: &[u8]) -> Result<Secret, Failure> {
        let mut opened = Secret::zeroed(key.len());
        let into = opened.expose_mut();
        let length = match self {
            Self::Pkcs1 => key.decrypt_pkcs1(sealed, into)?,
            Self::Oaep { hash, mgf, label } => {
                key.decrypt_oaep(&Oaep { hash: *hash, mgf: *mgf, label }, sealed, into)?
            }
            Self::Zeros => key.raw(sealed, into).map(|()| key.len())?,
        };
        opened.expose().get(..length).map(Secret::from_slice).ok_or(Failure::Fault)
    }
}

/// A number with zeros in front, if it is not longer. It may be a secret one.
pub(super) fn filled_up(number: &[u8], length: usize) -> Option<Secret> {
    let mut filled = Secret::zeroed(length);
    let (_, end) = filled.expose_mut().split_at_mut_checked(length.checked_sub(number.len())?)?;
    end.copy_from_slice(number);
    Some(filled)
}
