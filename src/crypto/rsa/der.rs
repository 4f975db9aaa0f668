//! The keys in SubjectPublicKeyInfo and in PrivateKeyInfo.

use super::RsaComponents;
use crate::crypto::Rejected;
use crate::crypto::der::{PrivateKeyInfo, PublicKeyInfo};
use crate::crypto::ffi::der::{Tag, element, unsigned};

/// rsaEncryption: RFC 8017, appendix A. The contents of the OBJECT IDENTIFIER 1.2.840.113549.1.1.1.
const ALGORITHM: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Its parameters: NULL.
const PARAMETERS: &[u8] = &[5, 0];

/// n and e of an RSAPublicKey (RFC 8017, appendix A.1.1) in a SubjectPublicKeyInfo.
pub fn public_key(spki: &[u8]) -> Result<(&[u8], &[u8]), Rejected> {
    let info = PublicKeyInfo::read(spki)?;
    let mut rest = info.public_key;
    let mut key = element(&mut rest, Tag::SEQUENCE)?;
    let (n, e) = (unsigned(&mut key)?, unsigned(&mut key)?);
    let whole = key.is_empty() && rest.is_empty();
    if whole && info.algorithm == ALGORITHM && info.parameters == PARAMETERS { Ok((n, e)) } else { Err(Rejected) }
}

/// The numbers of an RSAPrivateKey (RFC 8017, appendix A.1.2) with two primes in a PrivateKeyInfo. A zero is not taken for an
/// absent number, as some do: it is a number like any, and a wrong one.
pub fn private_key(pkcs8: &[u8]) -> Result<RsaComponents<'_>, Rejected> {
    let info = PrivateKeyInfo::read(pkcs8)?;
    let mut rest = info.private_key;
    let mut key = element(&mut rest, Tag::SEQUENCE)?;
    let is_of_two_primes = element(&mut key, Tag::INTEGER)? == [0];
    let mut number = || unsigned(&mut key);
    let components = RsaComponents {
        modulus: number()?,
        public_exponent: number()?,
        private_exponent: number()?,
        prime1: number()?,
        prime2: number()?,
        exponent1: number()?,
        exponent2: number()?,
        coefficient: number()?,
    };
    let whole = key.is_empty() && rest.is_empty() && is_of_two_primes;
    let is_rsa = info.algorithm == ALGORITHM && info.parameters == PARAMETERS && info.public_key.is_none();
    if whole && is_rsa { Ok(components) } else { Err(Rejected) }
}
