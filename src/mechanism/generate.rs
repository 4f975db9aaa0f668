//! Making secret keys. PKCS#11 3.2, sections 6.8.2 and 6.10.2, and those of the hashes, whose keys are for their HMAC.

use cryptoki_sys::*;

use super::parameter::Shape;
use super::{AES, Does, Keys, Mechanism, NOTHING, Unit};
use crate::crypto::hash::Algorithm;
use crate::key::KeyType;

/// Keys of any length, in bits.
macro_rules! secrets {
    ($number:ident, $key_type:expr) => {
        Mechanism {
            number: $number,
            name: stringify!($number),
            parameter: Shape::None,
            keys: Some(Keys { types: &[$key_type], sizes: 1..=KeyType::LONGEST, unit: Unit::BitsOfBytes, flags: 0 }),
            does: Does { generate: Some($key_type), ..NOTHING },
        }
    };
}

pub(super) const ROWS: &[Mechanism] = &[
    Mechanism {
        number: CKM_AES_KEY_GEN,
        name: "CKM_AES_KEY_GEN",
        parameter: Shape::None,
        keys: AES,
        does: Does { generate: Some(KeyType::Aes), ..NOTHING },
    },
    secrets!(CKM_GENERIC_SECRET_KEY_GEN, KeyType::GenericSecret),
    secrets!(CKM_SHA_1_KEY_GEN, KeyType::Hmac(Algorithm::Sha1)),
    secrets!(CKM_SHA224_KEY_GEN, KeyType::Hmac(Algorithm::Sha224)),
    secrets!(CKM_SHA256_KEY_GEN, KeyType::Hmac(Algorithm::Sha256)),
    secrets!(CKM_SHA384_KEY_GEN, KeyType::Hmac(Algorithm::Sha384)),
    secrets!(CKM_SHA512_KEY_GEN, KeyType::Hmac(Algorithm::Sha512)),
    secrets!(CKM_SHA512_224_KEY_GEN, KeyType::Hmac(Algorithm::Sha512_224)),
    secrets!(CKM_SHA512_256_KEY_GEN, KeyType::Hmac(Algorithm::Sha512_256)),
    secrets!(CKM_SHA3_224_KEY_GEN, KeyType::Hmac(Algorithm::Sha3_224)),
    secrets!(CKM_SHA3_256_KEY_GEN, KeyType::Hmac(Algorithm::Sha3_256)),
    secrets!(CKM_SHA3_384_KEY_GEN, KeyType::Hmac(Algorithm::Sha3_384)),
    secrets!(CKM_SHA3_512_KEY_GEN, KeyType::Hmac(Algorithm::Sha3_512)),
];
