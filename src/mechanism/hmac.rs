//! HMAC with SHA-1, SHA-2 and SHA-3, whole and cut. PKCS#11 3.2, sections 6.19 to 6.29; FIPS 198-1.

use cryptoki_sys::*;

use super::mac::Mac;
use super::parameter::Shape;
use super::{Does, Keys, Mechanism, NOTHING, Signing, Unit, begin};
use crate::crypto::hash::Algorithm;
use crate::key::KeyType;

/// The whole MAC.
macro_rules! whole {
    ($number:ident, $hash:ident) => {
        Mechanism {
            number: $number,
            name: stringify!($number),
            parameter: Shape::None,
            keys: secrets(&[KeyType::GenericSecret, KeyType::Hmac(Algorithm::$hash)]),
            does: Does { sign: begin!(|_, _| Ok(Signing::Mac(Mac::hmac(Algorithm::$hash)))), ..NOTHING },
        }
    };
}

/// The MAC cut to the length that the parameter says.
macro_rules! general {
    ($number:ident, $hash:ident) => {
        Mechanism {
            parameter: Shape::Number,
            does: Does {
                sign: begin!(|_, length| Mac::hmac(Algorithm::$hash).cut(length).map(Signing::Mac)),
                ..NOTHING
            },
            ..whole!($number, $hash)
        }
    };
}

pub(super) const ROWS: &[Mechanism] = &[
    whole!(CKM_SHA_1_HMAC, Sha1),
    general!(CKM_SHA_1_HMAC_GENERAL, Sha1),
    whole!(CKM_SHA224_HMAC, Sha224),
    general!(CKM_SHA224_HMAC_GENERAL, Sha224),
    whole!(CKM_SHA256_HMAC, Sha256),
    general!(CKM_SHA256_HMAC_GENERAL, Sha256),
    whole!(CKM_SHA384_HMAC, Sha384),
    general!(CKM_SHA384_HMAC_GENERAL, Sha384),
    whole!(CKM_SHA512_HMAC, Sha512),
    general!(CKM_SHA512_HMAC_GENERAL, Sha512),
    whole!(CKM_SHA512_224_HMAC, Sha512_224),
    general!(CKM_SHA512_224_HMAC_GENERAL, Sha512_224),
    whole!(CKM_SHA512_256_HMAC, Sha512_256),
    general!(CKM_SHA512_256_HMAC_GENERAL, Sha512_256),
    whole!(CKM_SHA3_224_HMAC, Sha3_224),
    general!(CKM_SHA3_224_HMAC_GENERAL, Sha3_224),
    whole!(CKM_SHA3_256_HMAC, Sha3_256),
    general!(CKM_SHA3_256_HMAC_GENERAL, Sha3_256),
    whole!(CKM_SHA3_384_HMAC, Sha3_384),
    general!(CKM_SHA3_384_HMAC_GENERAL, Sha3_384),
    whole!(CKM_SHA3_512_HMAC, Sha3_512),
    general!(CKM_SHA3_512_HMAC_GENERAL, Sha3_512),
];

/// Keys of any length. In bits, as clients expect; the shortest one they are told of is 8, for one byte.
const fn secrets(types: &'static [KeyType]) -> Option<Keys> {
    Some(Keys { types, sizes: 1..=KeyType::LONGEST, unit: Unit::BitsOfBytes, flags: 0 })
}
