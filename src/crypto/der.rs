//! The DER structures that public and private keys of every kind come in.

use super::Rejected;
use super::ffi::der::{Tag, element};

/// SubjectPublicKeyInfo: RFC 5280, section 4.1.
pub struct PublicKeyInfo<'a> {
    /// The contents of the algorithm's OBJECT IDENTIFIER.
    pub algorithm: &'a [u8],
    /// The algorithm's parameters as they are encoded, or nothing.
    pub parameters: &'a [u8],
    /// The bytes of the public key.
    pub public_key: &'a [u8],
}

impl<'a> PublicKeyInfo<'a> {
    /// Reads exactly one.
    pub fn read(mut der: &'a [u8]) -> Result<Self, Rejected> {
        let mut info = element(&mut der, Tag::SEQUENCE)?;
        let (algorithm, parameters) = algorithm_identifier(&mut info)?;
        let public_key = octets(element(&mut info, Tag::BIT_STRING)?)?;
        if info.is_empty() && der.is_empty() { Ok(Self { algorithm, parameters, public_key }) } else { Err(Rejected) }
    }
}

/// PrivateKeyInfo: RFC 5208, section 5; and OneAsymmetricKey: RFC 5958, section 2.
pub struct PrivateKeyInfo<'a> {
    /// The contents of the algorithm's OBJECT IDENTIFIER.
    pub algorithm: &'a [u8],
    /// The algorithm's parameters as they are encoded, or nothing.
    pub parameters: &'a [u8],
    /// What the algorithm says a private key is.
    pub private_key: &'a [u8],
    /// The bytes of the public key, where it comes along (since RFC 5958).
    pub public_key: Option<&'a [u8]>,
}

impl<'a> PrivateKeyInfo<'a> {
    /// Reads exactly one, of version 1 or 2. Attributes are passed over.
    pub fn read(mut der: &'a [u8]) -> Result<Self, Rejected> {
        let mut info = element(&mut der, Tag::SEQUENCE)?;
        let version = element(&mut info, Tag::INTEGER)?;
        let (algorithm, parameters) = algorithm_identifier(&mut info)?;
        let private_key = element(&mut info, Tag::OCTET_STRING)?;
        let _attributes = element(&mut info, Tag::constructed(0));
        let public_key = match version {
            [0] => None,
            [1] if info.is_empty() => None,
            [1] => Some(octets(element(&mut info, Tag::primitive(1))?)?),
            _ => return Err(Rejected),
        };
        let whole = info.is_empty() && der.is_empty();
        if whole { Ok(Self { algorithm, parameters, private_key, public_key }) } else { Err(Rejected) }
    }
}

/// The length in bytes of the SEQUENCE in front, with its header, whatever comes behind it.
pub fn sequence_length(der: &[u8]) -> Result<usize, Rejected> {
    let mut rest = der;
    element(&mut rest, Tag::SEQUENCE)?;
    der.len().checked_sub(rest.len()).ok_or(Rejected)
}

/// The contents of an OCTET STRING, which is all there is.
pub fn octet_string(mut der: &[u8]) -> Result<&[u8], Rejected> {
    let contents = element(&mut der, Tag::OCTET_STRING)?;
    if der.is_empty() { Ok(contents) } else { Err(Rejected) }
}

/// ECPrivateKey: RFC 5915, section 3.
pub(super) struct EcPrivateKeyInfo<'a> {
    pub private_key: &'a [u8],
    pub parameters: Option<&'a [u8]>,
    pub public_key: Option<&'a [u8]>,
}

impl<'a> EcPrivateKeyInfo<'a> {
    /// Reads exactly one.
    pub fn read(mut der: &'a [u8]) -> Result<Self, Rejected> {
        let mut key = element(&mut der, Tag::SEQUENCE)?;
        if element(&mut key, Tag::INTEGER)? != [1] {
            return Err(Rejected);
        }
        let private_key = element(&mut key, Tag::OCTET_STRING)?;
        let parameters = element(&mut key, Tag::constructed(0)).ok();
        let public_key = match element(&mut key, Tag::constructed(1)) {
            Ok(mut bits) => Some(octets(element(&mut bits, Tag::BIT_STRING)?)?),
            Err(Rejected) => None,
        };
        if key.is_empty() && der.is_empty() { Ok(Self { private_key, parameters, public_key }) } else { Err(Rejected) }
    }
}

/// AlgorithmIdentifier: RFC 5280, section 4.1.1.2.
fn algorithm_identifier<'a>(rest: &mut &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Rejected> {
    let mut identifier = element(rest, Tag::SEQUENCE)?;
    Ok((element(&mut identifier, Tag::OBJECT_IDENTIFIER)?, identifier))
}

/// The contents of a BIT STRING of whole octets.
fn octets(bits: &[u8]) -> Result<&[u8], Rejected> {
    match bits {
        [0, octets @ ..] => Ok(octets),
        _ => Err(Rejected),
    }
}
