//! The public key.

use super::{BITS, LONGEST_EXPONENT, Oaep, PKCS1_OVERHEAD, Pss, der, stripped};
use crate::crypto::Rejected;
use crate::crypto::ffi::bn::Number;
use crate::crypto::ffi::rsa::{LONGEST, PublicKey};
use crate::crypto::hash::Algorithm;
use crate::error::{Error, Result};

/// A public key.
pub struct RsaPublicKey {
    key: PublicKey,
    modulus: Box<[u8]>,
    exponent: Box<[u8]>,
    bits: usize,
}

impl RsaPublicKey {
    /// The key of these big-endian numbers; zeroes may lead. The modulus is odd and of a size in [`BITS`], the exponent odd, at
    /// least 3 and no longer than [`LONGEST_EXPONENT`].
    pub fn from_components(modulus: &[u8], exponent: &[u8]) -> Result<Self, Rejected> {
        let (modulus, exponent) = (stripped(modulus), stripped(exponent));
        // What is longer is not even read.
        if modulus.len() > LONGEST || exponent.len() > LONGEST_EXPONENT / 8 {
            return Err(Rejected);
        }
        let (n, e) = (Number::new(modulus).ok_or(Rejected)?, Number::new(exponent).ok_or(Rejected)?);
        let bits = n.bits();
        if !BITS.contains(&bits) || !n.is_odd() || !e.is_odd() || e.bits() < 2 {
            return Err(Rejected);
        }
        let key = PublicKey::new(&n, &e).ok_or(Rejected)?;
        Ok(Self { key, modulus: modulus.into(), exponent: exponent.into(), bits })
    }

    /// The key in a SubjectPublicKeyInfo with the algorithm rsaEncryption: RFC 3279, section 2.3.1. Strictly DER.
    pub fn from_spki(spki: &[u8]) -> Result<Self, Rejected> {
        let (modulus, exponent) = der::public_key(spki)?;
        Self::from_components(modulus, exponent)
    }

    /// The key as a SubjectPublicKeyInfo.
    pub fn to_spki(&self) -> Result<Vec<u8>> {
        let spki = self.key.to_spki().ok_or(Error::HostMemory("a public key"))?;
        Ok(spki.expose().to_vec())
    }

    /// n, big-endian, without leading zeroes.
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// e, big-endian, without leading zeroes.
    pub fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    /// The length of the modulus in bits.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The length of the modulus in bytes, which is that of ciphertexts and signatures.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.modulus.len()
    }

    /// RSAEP and RSAVP1: RFC 8017, sections 5.1.1 and 5.2.2. The input is as long as the modulus and below it.
    pub fn raw(&self, input: &[u8], output: &mut [u8]) -> Result<(), Rejected> {
        accepted(self.fits(output) && self.key.raw(input, output))
    }

    /// RSASSA-PKCS1-v1_5: RFC 8017, section 8.2.2. With a hash function `input` is its digest; without one it is all that was
    /// signed, a DigestInfo or anything else.
    pub fn verify_pkcs1(&self, hash: Option<Algorithm>, input: &[u8], signature: &[u8]) -> Result<(), Rejected> {
        match hash {
            Some(hash) => accepted(self.key.verify_pkcs1(hash, input, signature)),
            None => accepted(self.key.recover_pkcs1(signature, &mut [0; LONGEST]) == Some(input)),
        }
    }

    /// What was signed by RSASSA-PKCS1-v1_5 without a hash function.
    pub fn recover_pkcs1(&self, signature: &[u8]) -> Result<Vec<u8>, Rejected> {
        self.key.recover_pkcs1(signature, &mut [0; LONGEST]).map(<[u8]>::to_vec).ok_or(Rejected)
    }

    /// RSASSA-PSS: RFC 8017, section 8.1.2, with exactly the given length of the salt.
    pub fn verify_pss(&self, pss: &Pss, digest: &[u8], signature: &[u8]) -> Result<(), Rejected> {
        let (hashes, salt) = pss.fitting(self.bits).ok_or(Rejected)?;
        accepted(self.key.verify_pss(hashes, salt, digest, signature))
    }

    /// RSAES-PKCS1-v1_5: RFC 8017, section 7.2.1. The message is at least [`PKCS1_OVERHEAD`] bytes shorter than the modulus.
    pub fn encrypt_pkcs1(&self, message: &[u8], output: &mut [u8]) -> Result<(), Rejected> {
        let longest = self.len().saturating_sub(PKCS1_OVERHEAD);
        accepted(message.len() <= longest && self.fits(output) && self.key.encrypt_pkcs1(message, output))
    }

    /// RSAES-OAEP: RFC 8017, section 7.1.1. The message is no longer than [`Oaep::longest_message`].
    pub fn encrypt_oaep(&self, oaep: &Oaep<'_>, message: &[u8], output: &mut [u8]) -> Result<(), Rejected> {
        let longest = Oaep::longest_message(oaep.hash, self.len()).ok_or(Rejected)?;
        accepted(message.len() <= longest && self.fits(output))?;
        accepted(self.key.encrypt_oaep(oaep.hashes(), oaep.label, message, output))
    }

    fn fits(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.len()
    }
}

fn accepted(is: bool) -> Result<(), Rejected> {
    if is { Ok(()) } else { Err(Rejected) }
}
