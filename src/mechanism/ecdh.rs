//! Secrets shared by two key pairs, on Weierstrass curves and on Curve25519. PKCS#11 3.2, sections 6.3.10 and 6.3.17 to
//! 6.3.20; SP 800-56A; RFC 7748.

use cryptoki_sys::*;

use super::ec::{FLAGS, SIZES, params};
use super::parameter::{Parameter, Shape};
use super::prepared::Keyed;
use super::{Does, Keys, Mechanism, NOTHING, Pair, Unit};
use crate::crypto::ec::EcPublicKey;
use crate::crypto::hash::Algorithm;
use crate::crypto::kdf::{one_step, x963};
use crate::crypto::montgomery::{X25519PrivateKey, X25519PublicKey};
use crate::crypto::{PrivateKey, Rejected};
use crate::error::{Error, Result};
use crate::key::KeyType;
use crate::object::{Attributes, curve};
use crate::secret::Secret;

pub(super) const ROWS: &[Mechanism] = &[
    Mechanism {
        number: CKM_EC_MONTGOMERY_KEY_PAIR_GEN,
        name: "CKM_EC_MONTGOMERY_KEY_PAIR_GEN",
        parameter: Shape::None,
        keys: Some(Keys { types: &[KeyType::EcMontgomery], sizes: 255..=255, unit: Unit::Bits, flags: FLAGS }),
        does: Does { generate_pair: Some(Pair { key_type: KeyType::EcMontgomery, generate }), ..NOTHING },
    },
    agreement(CKM_ECDH1_DERIVE, "CKM_ECDH1_DERIVE"),
    // The cofactor of every Weierstrass curve here is 1, and X25519 multiplies by its own in any case.
    agreement(CKM_ECDH1_COFACTOR_DERIVE, "CKM_ECDH1_COFACTOR_DERIVE"),
];

const fn agreement(number: u64, name: &'static str) -> Mechanism {
    let types = &[KeyType::Ec, KeyType::EcMontgomery];
    let keys = Some(Keys { types, sizes: SIZES, unit: Unit::Bits, flags: FLAGS });
    Mechanism { number, name, parameter: Shape::Ecdh, keys, does: Does { derive: Some(derive), ..NOTHING } }
}

fn generate(public: &Attributes) -> Result<PrivateKey> {
    curve::check_montgomery(params(public)?)?;
    X25519PrivateKey::generate().map(PrivateKey::X25519)
}

fn derive(keyed: &Keyed, parameter: &Parameter<'_>, length: Option<usize>) -> Result<Secret> {
    let Parameter::Ecdh { kdf, shared, point } = *parameter else {
        return Err(Error::MechanismParamInvalid("CK_ECDH1_DERIVE_PARAMS is needed"));
    };
    let kdf = Kdf::from_number(kdf).ok_or(Error::MechanismParamInvalid("kdf is none that is known here"))?;
    if kdf == Kdf::Null && !shared.is_empty() {
        return Err(Error::MechanismParamInvalid("shared data are for a key derivation function"));
    }
    if point.is_empty() {
        return Err(Error::MechanismParamInvalid("the other side's public key is missing"));
    }
    let secret = agree(keyed.private()?, point)?;
    let length = length.unwrap_or(secret.len());
    let too_long = |Rejected| Error::AttributeValueInvalid("CKA_VALUE_LEN");
    match kdf {
        Kdf::Null => tail(&secret, length).map_err(too_long),
        Kdf::X963(hash) => x963(hash, &secret, shared, length).map_err(too_long),
        Kdf::OneStep(hash) => one_step(hash, &secret, shared, length).map_err(too_long),
    }
}

/// The other side's point comes bare or in an `OCTET STRING`. PKCS#11 3.2, section 6.3.17.
fn agree(key: &PrivateKey, point: &[u8]) -> Result<Secret> {
    let secret = match key {
        PrivateKey::Ec(key) => curve::read_point(point, |point| EcPublicKey::from_point(key.curve(), point))
            .and_then(|peer| key.agree(&peer)),
        PrivateKey::X25519(key) => {
            curve::read_point(point, X25519PublicKey::from_bytes).and_then(|peer| key.agree(&peer))
        }
        _ => return Err(Error::KeyTypeInconsistent),
    };
    secret.map_err(|Rejected| Error::PublicKeyInvalid)
}

/// What is cut off a secret is cut off in front. PKCS#11 3.2, section 6.3.17.
fn tail(secret: &Secret, length: usize) -> Result<Secret, Rejected> {
    let cut = secret.len().checked_sub(length).ok_or(Rejected)?;
    secret.expose().get(cut..).map(Secret::from_slice).ok_or(Rejected)
}

/// `CKD_*`: what makes a key of the secret. PKCS#11 3.2, section 6.3.16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kdf {
    /// Nothing: the secret is the key.
    Null,
    /// ANSI X9.63.
    X963(Algorithm),
    /// SP 800-56A.
    OneStep(Algorithm),
}

impl Kdf {
    fn from_number(number: u64) -> Option<Self> {
        KDFS.iter().find(|(of, _)| *of == number).map(|(_, kdf)| *kdf)
    }
}

const KDFS: &[(u64, Kdf)] = &[
    (CKD_NULL, Kdf::Null),
    (CKD_SHA1_KDF, Kdf::X963(Algorithm::Sha1)),
    (CKD_SHA224_KDF, Kdf::X963(Algorithm::Sha224)),
    (CKD_SHA256_KDF, Kdf::X963(Algorithm::Sha256)),
    (CKD_SHA384_KDF, Kdf::X963(Algorithm::Sha384)),
    (CKD_SHA512_KDF, Kdf::X963(Algorithm::Sha512)),
    (CKD_SHA3_224_KDF, Kdf::X963(Algorithm::Sha3_224)),
    (CKD_SHA3_256_KDF, Kdf::X963(Algorithm::Sha3_256)),
    (CKD_SHA3_384_KDF, Kdf::X963(Algorithm::Sha3_384)),
    (CKD_SHA3_512_KDF, Kdf::X963(Algorithm::Sha3_512)),
    (CKD_SHA1_KDF_SP800, Kdf::OneStep(Algorithm::Sha1)),
    (CKD_SHA224_KDF_SP800, Kdf::OneStep(Algorithm::Sha224)),
    (CKD_SHA256_KDF_SP800, Kdf::OneStep(Algorithm::Sha256)),
    (CKD_SHA384_KDF_SP800, Kdf::OneStep(Algorithm::Sha384)),
    (CKD_SHA512_KDF_SP800, Kdf::OneStep(Algorithm::Sha512)),
    (CKD_SHA3_224_KDF_SP800, Kdf::OneStep(Algorithm::Sha3_224)),
    (CKD_SHA3_256_KDF_SP800, Kdf::OneStep(Algorithm::Sha3_256)),
    (CKD_SHA3_384_KDF_SP800, Kdf::OneStep(Algorithm::Sha3_384)),
    (CKD_SHA3_512_KDF_SP800, Kdf::OneStep(Algorithm::Sha3_512)),
];
