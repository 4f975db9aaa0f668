//! Signatures. PKCS#11 3.2, sections 6.1.5 and 6.1.8 to 6.1.13.

use super::{hashes, modulus_length, private, public};
use crate::crypto::Rejected;
use crate::crypto::hash::Algorithm;
use crate::crypto::rsa::{PKCS1_OVERHEAD, Pss};
use crate::error::{Error, Result};
use crate::mechanism::Signing;
use crate::mechanism::parameter::Parameter;
use crate::mechanism::prepared::Keyed;
use crate::mechanism::rsa::crypt::filled_up;
use crate::mechanism::signature::{Scheme, Signature};

/// `CKM_RSA_PKCS`: the message is all that is signed, a `DigestInfo` if the caller makes one. The standard has it whole; OpenSC's
/// own test gives it in parts.
pub(super) fn pkcs1(keyed: &Keyed) -> Signing {
    Signature::of_message(Pkcs1(None), modulus_length(keyed))
}

/// `CKM_SHA256_RSA_PKCS` and the like.
pub(super) fn pkcs1_of_hash(keyed: &Keyed, hash: Algorithm) -> Signing {
    Signature::of_hash(Pkcs1(Some(hash)), modulus_length(keyed), hash)
}

/// `CKM_RSA_PKCS_PSS`: the message is a hash already.
pub(super) fn pss(keyed: &Keyed, parameter: &Parameter<'_>) -> Result<Signing> {
    let pss = read_pss(keyed, parameter)?;
    Ok(Signature::of_whole(pss, modulus_length(keyed), pss.hash.output_len()))
}

/// `CKM_SHA256_RSA_PKCS_PSS` and the like.
pub(super) fn pss_of_hash(keyed: &Keyed, parameter: &Parameter<'_>, hash: Algorithm) -> Result<Signing> {
    let pss = read_pss(keyed, parameter)?;
    if pss.hash != hash {
        return Err(Error::MechanismParamInvalid("hashAlg is not that of the mechanism"));
    }
    Ok(Signature::of_hash(pss, modulus_length(keyed), hash))
}

/// `CKM_RSA_X_509`: the message is a number, and so is what is signed. In parts too, as above.
pub(super) fn bare(keyed: &Keyed) -> Signing {
    Signature::of_message(Bare, modulus_length(keyed))
}

/// PKCS#11 3.2, section 6.1.10. The salt has to find room: RFC 8017, section 9.1.1.
fn read_pss(keyed: &Keyed, parameter: &Parameter<'_>) -> Result<Pss> {
    let Parameter::Pss { hash, mgf, salt } = *parameter else {
        return Err(Error::MechanismParamInvalid("CK_RSA_PKCS_PSS_PARAMS is needed"));
    };
    let (hash, mgf) = (hashes::hash(hash)?, hashes::mgf(mgf)?);
    let longest = Pss::longest_salt(hash, keyed.size());
    match usize::try_from(salt) {
        Ok(salt) if longest.is_some_and(|longest| salt <= longest) => Ok(Pss { hash, mgf, salt }),
        _ => Err(Error::MechanismParamInvalid("sLen is more than the modulus has room for")),
    }
}

/// RSASSA-PKCS1-v1_5 with a hash function, or over anything.
pub(super) struct Pkcs1(pub(super) Option<Algorithm>);

impl Scheme for Pkcs1 {
    fn sign(&self, keyed: &Keyed, message: &[u8], signature: &mut [u8]) -> Result<()> {
        let signed = private(keyed)?.sign_pkcs1(self.0, message, signature);
        signed.map_err(|failure| failure.or(Error::DataLenRange))
    }

    fn verify(&self, keyed: &Keyed, message: &[u8], signature: &[u8]) -> Result<()> {
        if message.len() > signature.len().saturating_sub(PKCS1_OVERHEAD) {
            return Err(Error::DataLenRange);
        }
        holds(public(keyed)?.verify_pkcs1(self.0, message, signature))
    }
}

impl Scheme for Pss {
    fn sign(&self, keyed: &Keyed, message: &[u8], signature: &mut [u8]) -> Result<()> {
        let signed = private(keyed)?.sign_pss(self, message, signature);
        signed.map_err(|failure| failure.or(Error::DataLenRange))
    }

    fn verify(&self, keyed: &Keyed, message: &[u8], signature: &[u8]) -> Result<()> {
        if message.len() != self.hash.output_len() {
            return Err(Error::DataLenRange);
        }
        holds(public(keyed)?.verify_pss(self, message, signature))
    }
}

/// RSASP1 and RSAVP1 alone. RFC 8017, section 5.2.
pub(super) struct Bare;

impl Scheme for Bare {
    fn sign(&self, keyed: &Keyed, message: &[u8], signature: &mut [u8]) -> Result<()> {
        let number = filled_up(message, signature.len()).ok_or(Error::DataLenRange)?;
        let signed = private(keyed)?.raw(number.expose(), signature);
        signed.map_err(|failure| failure.or(Error::DataInvalid))
    }

    fn verify(&self, keyed: &Keyed, message: &[u8], signature: &[u8]) -> Result<()> {
        let number = filled_up(message, signature.len()).ok_or(Error::DataLenRange)?;
        let mut signed = vec![0; signature.len()];
        holds(public(keyed)?.raw(signature, &mut signed))?;
        if signed == number.expose() { Ok(()) } else { Err(Error::SignatureInvalid) }
    }
}

fn holds(verified: Result<(), Rejected>) -> Result<()> {
    verified.map_err(|Rejected| Error::SignatureInvalid)
}
