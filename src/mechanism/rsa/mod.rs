//! RSA. PKCS#11 3.2, section 6.1; RFC 8017.

mod crypt;
mod generate;
mod hashes;
mod recover;
mod sign;
mod wrap;

pub use crypt::{RsaDecrypting, RsaEncrypting};
pub use recover::Recovering;

use cryptoki_sys::*;

use super::parameter::Shape;
use super::prepared::Keyed;
use super::{Does, Keys, Mechanism, NOTHING, Unit, begin};
use crate::crypto::hash::Algorithm;
use crate::crypto::rsa::{BITS, GENERATED_BITS, RsaPrivateKey, RsaPublicKey};
use crate::crypto::{PrivateKey, PublicKey};
use crate::error::{Error, Result};
use crate::key::KeyType;
use crypt::Padding;

/// The rows: which keys are long enough to be used, depends.
pub(super) fn rows(from_1024: bool) -> &'static [Mechanism] {
    if from_1024 { FROM_1024 } else { FROM_2048 }
}

const FROM_1024: &[Mechanism] = &rows_from(1024);
const FROM_2048: &[Mechanism] = &rows_from(2048);

/// Signatures of the message's hash: in the way of PKCS #1 v1.5 and in that of PSS.
macro_rules! of_hash {
    ($shortest:ident, $pkcs1:ident, $pss:ident, $hash:ident) => {
        [
            Mechanism {
                number: $pkcs1,
                name: stringify!($pkcs1),
                parameter: Shape::None,
                keys: keys($shortest),
                does: Does { sign: begin!(|keyed, _| Ok(sign::pkcs1_of_hash(keyed, Algorithm::$hash))), ..NOTHING },
            },
            Mechanism {
                number: $pss,
                name: stringify!($pss),
                parameter: Shape::Pss,
                keys: keys($shortest),
                does: Does {
                    sign: begin!(|keyed, parameter| sign::pss_of_hash(keyed, parameter, Algorithm::$hash)),
                    ..NOTHING
                },
            },
        ]
    };
}

/// All rows, for moduli of so many bits and more.
const fn rows_from(shortest: usize) -> [Mechanism; 24] {
    let [sha1, sha1_pss] = of_hash!(shortest, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS, Sha1);
    let [sha224, sha224_pss] = of_hash!(shortest, CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS, Sha224);
    let [sha256, sha256_pss] = of_hash!(shortest, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS, Sha256);
    let [sha384, sha384_pss] = of_hash!(shortest, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS, Sha384);
    let [sha512, sha512_pss] = of_hash!(shortest, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS, Sha512);
    let [sha3_224, sha3_224_pss] = of_hash!(shortest, CKM_SHA3_224_RSA_PKCS, CKM_SHA3_224_RSA_PKCS_PSS, Sha3_224);
    let [sha3_256, sha3_256_pss] = of_hash!(shortest, CKM_SHA3_256_RSA_PKCS, CKM_SHA3_256_RSA_PKCS_PSS, Sha3_256);
    let [sha3_384, sha3_384_pss] = of_hash!(shortest, CKM_SHA3_384_RSA_PKCS, CKM_SHA3_384_RSA_PKCS_PSS, Sha3_384);
    let [sha3_512, sha3_512_pss] = of_hash!(shortest, CKM_SHA3_512_RSA_PKCS, CKM_SHA3_512_RSA_PKCS_PSS, Sha3_512);
    [
        Mechanism {
            number: CKM_RSA_PKCS_KEY_PAIR_GEN,
            name: "CKM_RSA_PKCS_KEY_PAIR_GEN",
            parameter: Shape::None,
            keys: keys(*GENERATED_BITS.start()),
            does: Does { generate_pair: Some(generate::PAIR), ..NOTHING },
        },
        Mechanism {
            number: CKM_RSA_PKCS,
            name: "CKM_RSA_PKCS",
            parameter: Shape::None,
            keys: keys(shortest),
            does: Does {
                encrypt: begin!(|keyed, _| Ok(RsaEncrypting::begin(keyed, Padding::Pkcs1))),
                decrypt: begin!(|keyed, _| Ok(RsaDecrypting::begin(keyed, Padding::Pkcs1))),
                sign: begin!(|keyed, _| Ok(sign::pkcs1(keyed))),
                recover: begin!(|keyed, _| Ok(Recovering::begin(keyed, recover::Padding::Pkcs1))),
                wrap: Some(wrap::PKCS1),
                ..NOTHING
            },
        },
        Mechanism {
            number: CKM_RSA_X_509,
            name: "CKM_RSA_X_509",
            parameter: Shape::None,
            keys: keys(shortest),
            does: Does {
                encrypt: begin!(|keyed, _| Ok(RsaEncrypting::begin(keyed, Padding::Zeros))),
                decrypt: begin!(|keyed, _| Ok(RsaDecrypting::begin(keyed, Padding::Zeros))),
                sign: begin!(|keyed, _| Ok(sign::bare(keyed))),
                recover: begin!(|keyed, _| Ok(Recovering::begin(keyed, recover::Padding::Zeros))),
                ..NOTHING
            },
        },
        Mechanism {
            number: CKM_RSA_PKCS_OAEP,
            name: "CKM_RSA_PKCS_OAEP",
            parameter: Shape::Oaep,
            keys: keys(shortest),
            does: Does {
                encrypt: begin!(|keyed, parameter| {
                    Ok(RsaEncrypting::begin(keyed, Padding::oaep(keyed, parameter)?))
                }),
                decrypt: begin!(|keyed, parameter| {
                    Ok(RsaDecrypting::begin(keyed, Padding::oaep(keyed, parameter)?))
                }),
                wrap: Some(wrap::OAEP),
                ..NOTHING
            },
        },
        Mechanism {
            number: CKM_RSA_AES_KEY_WRAP,
            name: "CKM_RSA_AES_KEY_WRAP",
            parameter: Shape::RsaAes,
            keys: keys(shortest),
            does: Does { wrap: Some(wrap::RSA_AES), ..NOTHING },
        },
        Mechanism {
            number: CKM_RSA_PKCS_PSS,
            name: "CKM_RSA_PKCS_PSS",
            parameter: Shape::Pss,
            keys: keys(shortest),
            does: Does { sign: begin!(sign::pss), ..NOTHING },
        },
        sha1,
        sha224,
        sha256,
        sha384,
        sha512,
        sha3_224,
        sha3_256,
        sha3_384,
        sha3_512,
        sha1_pss,
        sha224_pss,
        sha256_pss,
        sha384_pss,
        sha512_pss,
        sha3_224_pss,
        sha3_256_pss,
        sha3_384_pss,
        sha3_512_pss,
    ]
}

/// Sizes in bits.
const fn keys(shortest: usize) -> Option<Keys> {
    Some(Keys { types: &[KeyType::Rsa], sizes: shortest..=*BITS.end(), unit: Unit::Bits, flags: 0 })
}

/// The length of the modulus in bytes, which is that of ciphertexts and signatures.
fn modulus_length(keyed: &Keyed) -> usize {
    keyed.size().div_ceil(8)
}

fn private<'k>(keyed: &Keyed<'k>) -> Result<&'k RsaPrivateKey> {
    match keyed.private()? {
        PrivateKey::Rsa(key) => Ok(key),
        _ => Err(Error::KeyTypeInconsistent),
    }
}

fn public<'k>(keyed: &Keyed<'k>) -> Result<&'k RsaPublicKey> {
    match keyed.public()? {
        PublicKey::Rsa(key) => Ok(key),
        _ => Err(Error::KeyTypeInconsistent),
    }
}
