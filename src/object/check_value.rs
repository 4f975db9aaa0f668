//! `CKA_CHECK_VALUE`: three bytes by which people compare keys. PKCS#11 3.2, sections 4.6.2 and 4.11.

use cryptoki_sys::CKA_CHECK_VALUE;

use super::Attributes;
use crate::crypto::InOut;
use crate::crypto::ecb::EcbKey;
use crate::crypto::hash::{Algorithm, Hash};
use crate::error::{Error, Result};
use crate::key::KeyType;
use crate::secret::Secret;

/// Of a secret key of this type, with these attributes: the first bytes of a block of zeros encrypted with it; where the type does not
/// encrypt, of the SHA-1 of its value. None if they say that there is none.
pub(super) fn of_secret_key(key_type: Option<KeyType>, open: &Attributes, value: &Secret) -> Result<Option<Vec<u8>>> {
    match key_type {
        Some(KeyType::Aes) => agreed(open, || encrypted_zeros(value)),
        _ => agreed(open, || Ok(hashed(value.expose()))),
    }
}

/// Of a certificate with this value: the first bytes of its SHA-1. None if there is no value, or the template asks for none.
pub(super) fn of_value(open: &Attributes, value: &[u8]) -> Result<Option<Vec<u8>>> {
    if value.is_empty() { Ok(None) } else { agreed(open, || Ok(hashed(value))) }
}

/// What was given must be true; given empty, there shall be none.
fn agreed(open: &Attributes, compute: impl FnOnce() -> Result<[u8; 3]>) -> Result<Option<Vec<u8>>> {
    let given = open.get(&CKA_CHECK_VALUE);
    if given.is_some_and(Vec::is_empty) {
        return Ok(None);
    }
    let computed = compute()?;
    match given {
        Some(given) if given != &computed => Err(Error::AttributeValueInvalid("CKA_CHECK_VALUE")),
        _ => Ok(Some(computed.to_vec())),
    }
}

fn encrypted_zeros(value: &Secret) -> Result<[u8; 3]> {
    let key = EcbKey::new(value.expose()).map_err(|_| Error::AttributeValueInvalid("CKA_VALUE"))?;
    let mut block = [0; 16];
    key.encrypt(&mut InOut::from_slices(&[0; 16], &mut block), 16)?;
    Ok(first(&block))
}

fn hashed(value: &[u8]) -> [u8; 3] {
    first(Hash::whole(Algorithm::Sha1, value).as_ref())
}

fn first(bytes: &[u8]) -> [u8; 3] {
    bytes.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The zero block of AES-128 under the zero key: NIST's AESAVS, GFSbox and KeySbox tables begin with it.
    #[test]
    fn known_answers() {
        assert_eq!(encrypted_zeros(&Secret::zeroed(16)).unwrap(), [0x66, 0xe9, 0x4b]);
        // FIPS 180-4's example "abc".
        assert_eq!(hashed(b"abc"), [0xa9, 0x99, 0x3e]);
    }

    #[test]
    fn what_was_given_must_be_true() {
        let given = |value: &[u8]| Attributes::from([(CKA_CHECK_VALUE, value.to_vec())]);
        let check = |open: &Attributes| of_value(open, b"abc");
        assert_eq!(check(&Attributes::new()).unwrap(), Some(vec![0xa9, 0x99, 0x3e]));
        assert_eq!(check(&given(&[0xa9, 0x99, 0x3e])).unwrap(), Some(vec![0xa9, 0x99, 0x3e]));
        assert_eq!(check(&given(&[])).unwrap(), None);
        assert_eq!(check(&given(&[0xa9, 0x99, 0x3f])).unwrap_err(), Error::AttributeValueInvalid("CKA_CHECK_VALUE"));
    }
}
