//! Key pairs on Weierstrass curves, and ECDSA. PKCS#11 3.2, sections 6.3.8 to 6.3.14; FIPS 186-5.

use cryptoki_sys::*;

use super::parameter::Shape;
use super::prepared::Keyed;
use super::signature::{Scheme, Signature};
use super::{Does, Keys, Mechanism, NOTHING, Pair, Unit, begin};
use crate::crypto::ec::EcPrivateKey;
use crate::crypto::hash::Algorithm;
use crate::crypto::{PrivateKey, PublicKey, Rejected};
use crate::error::{Error, Result};
use crate::key::KeyType;
use crate::object::{Attributes, curve};

/// ECDSA of the message's hash.
macro_rules! hashed {
    ($number:ident, $hash:ident) => {
        Mechanism {
            number: $number,
            name: stringify!($number),
            parameter: Shape::None,
            keys: KEYS,
            does: Does {
                sign: begin!(|keyed, _| Ok(Signature::of_hash(Ecdsa, length(keyed), Algorithm::$hash))),
                ..NOTHING
            },
        }
    };
}

pub(super) const ROWS: &[Mechanism] = &[
    Mechanism {
        number: CKM_EC_KEY_PAIR_GEN,
        name: "CKM_EC_KEY_PAIR_GEN",
        parameter: Shape::None,
        keys: KEYS,
        does: Does { generate_pair: Some(Pair { key_type: KeyType::Ec, generate }), ..NOTHING },
    },
    Mechanism {
        number: CKM_ECDSA,
        name: "CKM_ECDSA",
        parameter: Shape::None,
        keys: KEYS,
        does: Does {
            // A digest of any length: what is longer than the order counts with its leftmost bits.
            sign: begin!(|keyed, _| Ok(Signature::of_whole(Ecdsa, length(keyed), usize::MAX))),
            ..NOTHING
        },
    },
    hashed!(CKM_ECDSA_SHA1, Sha1),
    hashed!(CKM_ECDSA_SHA224, Sha224),
    hashed!(CKM_ECDSA_SHA256, Sha256),
    hashed!(CKM_ECDSA_SHA384, Sha384),
    hashed!(CKM_ECDSA_SHA512, Sha512),
    hashed!(CKM_ECDSA_SHA3_224, Sha3_224),
    hashed!(CKM_ECDSA_SHA3_256, Sha3_256),
    hashed!(CKM_ECDSA_SHA3_384, Sha3_384),
    hashed!(CKM_ECDSA_SHA3_512, Sha3_512),
];

/// Keys on every curve that is here, in bits of the field.
const KEYS: Option<Keys> = Some(Keys { types: &[KeyType::Ec], sizes: SIZES, unit: Unit::Bits, flags: FLAGS });

/// From P-224 to P-521.
pub(super) const SIZES: std::ops::RangeInclusive<usize> = 224..=521;

/// Curves over prime fields, by object identifier or by name; points in both forms. The points of Ed25519 and X25519 have one
/// form only, and it passes for both. PKCS#11 3.2, section 6.3.1.
pub(super) const FLAGS: u64 = CKF_EC_F_P | CKF_EC_OID | CKF_EC_CURVENAME | CKF_EC_UNCOMPRESS | CKF_EC_COMPRESS;

fn generate(public: &Attributes) -> Result<PrivateKey> {
    EcPrivateKey::generate(curve::weierstrass(params(public)?)?).map(PrivateKey::Ec)
}

/// The curve that the template of a public key asks for.
pub(super) fn params(public: &Attributes) -> Result<&[u8]> {
    public.get(&CKA_EC_PARAMS).map(Vec::as_slice).ok_or(Error::TemplateIncomplete("CKA_EC_PARAMS"))
}

/// The length in bytes of the signatures of a key: r and s, each as long as the order, which is as long as the field.
fn length(keyed: &Keyed) -> usize {
    2 * keyed.size().div_ceil(8)
}

struct Ecdsa;

impl Scheme for Ecdsa {
    fn sign(&self, keyed: &Keyed, digest: &[u8], signature: &mut [u8]) -> Result<()> {
        match keyed.private()? {
            PrivateKey::Ec(key) => key.sign(digest, signature),
            _ => Err(Error::KeyTypeInconsistent),
        }
    }

    fn verify(&self, keyed: &Keyed, digest: &[u8], signature: &[u8]) -> Result<()> {
        match keyed.public()? {
            PublicKey::Ec(key) => key.verify(digest, signature).map_err(|Rejected| Error::SignatureInvalid),
            _ => Err(Error::KeyTypeInconsistent),
        }
    }

    /// Others leave zeros in front away, of both numbers alike. PKCS#11 3.2, section 6.3.1.
    fn takes_length(&self, given: usize, made: usize) -> bool {
        given.is_multiple_of(2) && (1..=made).contains(&given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::ec::Curve;

    #[test]
    fn the_sizes_are_those_of_the_curves() {
        let bits = Curve::ALL.map(Curve::bits);
        assert_eq!(bits.iter().min().zip(bits.iter().max()), Some((SIZES.start(), SIZES.end())));
    }
}
