//! The private key.

use super::{
    Failure, GENERATED_BITS, GENERATED_STEP, LONGEST_GENERATED_EXPONENT, Oaep, PKCS1_OVERHEAD, Pss, RsaComponent,
    RsaComponents, RsaPublicKey, der, implicit, import, stripped,
};
use crate::crypto::Rejected;
use crate::crypto::ffi::bn::Number;
use crate::crypto::ffi::rsa::PrivateKey;
use crate::crypto::hash::Algorithm;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// A private key, with all numbers of the Chinese remainder theorem.
///
/// Every operation is blinded, and its result is verified with the public exponent before it is given out: see `ffi::rsa`.
pub struct RsaPrivateKey {
    key: PrivateKey,
    public: RsaPublicKey,
}

impl RsaPrivateKey {
    /// A new key: FIPS 186-5, appendix A.1.3. The size is one of [`GENERATED_BITS`]; the exponent is big-endian, odd, at least 3 and
    /// no longer than [`LONGEST_GENERATED_EXPONENT`].
    ///
    /// # Errors
    /// `Rejected` for another size or exponent.
    pub fn generate(bits: usize, exponent: &[u8]) -> Result<Self, Failure> {
        let exponent = stripped(exponent);
        if !GENERATED_BITS.contains(&bits)
            || !bits.is_multiple_of(GENERATED_STEP)
            || exponent.len() > LONGEST_GENERATED_EXPONENT / 8
        {
            return Err(Failure::Rejected);
        }
        let exponent = Number::new(exponent).ok_or(Failure::Fault)?;
        if !exponent.is_odd() || exponent.bits() < 2 {
            return Err(Failure::Rejected);
        }
        let bits_of_it = i32::try_from(bits).map_err(|_| Failure::Rejected)?;
        let key = PrivateKey::generate(bits_of_it, &exponent).ok_or(Failure::Fault)?;
        let key = Self::own(key).map_err(|_| Failure::Fault)?;
        if key.public.bits() == bits { Ok(key) } else { Err(Failure::Fault) }
    }

    /// The key of these numbers, which are completed where they may be absent, and have to be consistent: n = pq, ed = 1 modulo
    /// p - 1 and q - 1, and those of the Chinese remainder theorem are what they should be. That the primes are prime is seen
    /// from a first operation that verifies.
    pub fn from_components(components: &RsaComponents<'_>) -> Result<Self, Rejected> {
        let numbers = import::complete(components)?;
        let key = Self::own(PrivateKey::new(&numbers).ok_or(Rejected)?)?;
        let mut two = Secret::zeroed(key.len());
        *two.expose_mut().last_mut().ok_or(Rejected)? = 2;
        key.key.raw(two.expose(), Secret::zeroed(key.len()).expose_mut()).map_err(|_| Rejected)?;
        Ok(key)
    }

    /// The key in a PrivateKeyInfo, without a public key, with the algorithm rsaEncryption: RFC 5958, and RFC 8017, appendix A.1.2. Strictly
    /// DER, two primes, all numbers consistent; attributes are passed over.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, Rejected> {
        Self::from_components(&der::private_key(pkcs8)?)
    }

    /// The key as a PrivateKeyInfo.
    pub fn to_pkcs8(&self) -> Result<Secret> {
        self.key.to_pkcs8().ok_or(Error::HostMemory("a private key"))
    }

    /// One of its numbers, big-endian, without leading zeroes.
    pub fn component(&self, component: RsaComponent) -> Secret {
        self.key.number(component)
    }

    /// The public key of the pair.
    pub fn public(&self) -> &RsaPublicKey {
        &self.public
    }

    /// The length of the modulus in bits.
    pub fn bits(&self) -> usize {
        self.public.bits()
    }

    /// The length of the modulus in bytes, which is that of ciphertexts and signatures.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.public.len()
    }

    /// RSADP and RSASP1: RFC 8017, sections 5.1.2 and 5.2.1. The input is as long as the modulus and below it.
    pub fn raw(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failure> {
        self.fits(output)?;
        match self.kind(input)? {
            // AWS-LC takes none of these.
            Kind::Fixed => output.copy_from_slice(input),
            Kind::Other => self.key.raw(input, output)?,
        }
        Ok(())
    }

    /// RSASSA-PKCS1-v1_5: RFC 8017, section 8.2.1. With a hash function `input` is its digest; without one it is all that is to
    /// be signed, and at least [`PKCS1_OVERHEAD`] bytes shorter than the modulus.
    pub fn sign_pkcs1(&self, hash: Option<Algorithm>, input: &[u8], output: &mut [u8]) -> Result<(), Failure> {
        self.fits(output)?;
        match hash {
            Some(hash) if input.len() == hash.output_len() => Ok(self.key.sign_pkcs1(hash, input, output)?),
            None if input.len() <= self.longest_message() => Ok(self.key.sign_pkcs1_message(input, output)?),
            _ => Err(Failure::Rejected),
        }
    }

    /// RSASSA-PSS: RFC 8017, section 8.1.1.
    pub fn sign_pss(&self, pss: &Pss, digest: &[u8], output: &mut [u8]) -> Result<(), Failure> {
        self.fits(output)?;
        let (hashes, salt) = pss.fitting(self.bits()).ok_or(Failure::Rejected)?;
        if digest.len() != pss.hash.output_len() {
            return Err(Failure::Rejected);
        }
        Ok(self.key.sign_pss(hashes, salt, digest, output)?)
    }

    /// RSAES-PKCS1-v1_5: RFC 8017, section 7.2.2. The length of the message, which is written to `output`, a buffer as long as the
    /// modulus. Whatever is wrong with the padding, the answer and the time are the same, and nothing is written. But that it is
    /// wrong is an answer already, of which an attacker with many questions makes a decryption.
    pub fn decrypt_pkcs1(&self, input: &[u8], output: &mut [u8]) -> Result<usize, Failure> {
        self.fits(output)?;
        match self.kind(input)? {
            // No padding begins like these.
            Kind::Fixed => Err(Failure::Rejected),
            Kind::Other => Ok(self.key.decrypt_pkcs1(input, output)?),
        }
    }

    /// Like [`decrypt_pkcs1`](Self::decrypt_pkcs1) for a message of a known length. Wrong padding, or a message of another
    /// length, gives pseudorandom bytes of that length, always the same ones for a ciphertext: nobody learns that it was wrong.
    ///
    /// # Errors
    /// `Rejected` for an input of another length than the modulus or not below it, and for a message too long for the modulus.
    pub fn decrypt_pkcs1_implicit(&self, input: &[u8], length: usize) -> Result<Secret, Failure> {
        if length > self.longest_message() {
            return Err(Failure::Rejected);
        }
        let mut encoded = Secret::zeroed(self.len());
        self.raw(input, encoded.expose_mut())?;
        let exponent = self.component(RsaComponent::PrivateExponent);
        implicit::message(&exponent, input, &encoded, length).ok_or(Failure::Rejected)
    }

    /// RSAES-OAEP: RFC 8017, section 7.1.2. The length of the message, which is written to `output`, a buffer as long as the modulus.
    /// Whatever is wrong, the answer and the time are the same, and nothing is written.
    pub fn decrypt_oaep(&self, oaep: &Oaep<'_>, input: &[u8], output: &mut [u8]) -> Result<usize, Failure> {
        self.fits(output)?;
        Oaep::longest_message(oaep.hash, self.len()).ok_or(Failure::Rejected)?;
        match self.kind(input)? {
            // Nobody encrypts to one of these but on purpose, by a label made for it.
            Kind::Fixed => Err(Failure::Rejected),
            Kind::Other => Ok(self.key.decrypt_oaep(oaep.hashes(), oaep.label, input, output)?),
        }
    }

    fn own(key: PrivateKey) -> Result<Self, Rejected> {
        let (n, e) = (key.number(RsaComponent::Modulus), key.number(RsaComponent::PublicExponent));
        let public = RsaPublicKey::from_components(n.expose(), e.expose())?;
        Ok(Self { key, public })
    }

    fn longest_message(&self) -> usize {
        self.len().saturating_sub(PKCS1_OVERHEAD)
    }

    fn fits(&self, bytes: &[u8]) -> Result<(), Rejected> {
        if bytes.len() == self.len() { Ok(()) } else { Err(Rejected) }
    }

    /// Looks at a ciphertext or what is to be signed, neither of which is a secret.
    fn kind(&self, input: &[u8]) -> Result<Kind, Rejected> {
        self.fits(input)?;
        let modulus = self.public.modulus();
        if input >= modulus {
            return Err(Rejected);
        }
        // n is odd, so n - 1 differs from it in the last byte alone, by one.
        let (Some((last, front)), Some((end, beginning))) = (input.split_last(), modulus.split_last()) else {
            return Err(Rejected);
        };
        let is_small = *last <= 1 && front.iter().all(|byte| *byte == 0);
        let is_greatest = front == beginning && Some(*last) == end.checked_sub(1);
        Ok(if is_small || is_greatest { Kind::Fixed } else { Kind::Other })
    }
}

enum Kind {
    /// 0, 1 and n - 1, which stay what they are in any power of an odd exponent.
    Fixed,
    /// Any other.
    Other,
}
