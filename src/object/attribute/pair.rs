//! Public and private keys. PKCS#11 3.2, sections 4.9 and 4.10; for RSA section 6.1, for elliptic curves section 6.3.

use cryptoki_sys::*;

use super::Change::{BySo, Down, Free, Never, Up};
use super::Default::{Absent, Bool, Empty, Rule, Set};
use super::Role::{Forbidden, Optional, Required};
use super::{ANY, Attribute, CREATE, Kind, NAME, NONE, row, secret};
use crate::key::KeyType;
use crate::object::Draft;

/// What public keys of a type have besides.
pub(super) fn of_public(key_type: Option<KeyType>) -> &'static [Attribute] {
    match key_type {
        Some(KeyType::Rsa) => RSA_PUBLIC,
        Some(KeyType::Ec | KeyType::EcEdwards | KeyType::EcMontgomery) => EC_PUBLIC,
        _ => &[],
    }
}

/// What private keys of a type have besides.
pub(super) fn of_private(key_type: Option<KeyType>) -> &'static [Attribute] {
    match key_type {
        Some(KeyType::Rsa) => RSA_PRIVATE,
        Some(KeyType::Ec | KeyType::EcEdwards | KeyType::EcMontgomery) => EC_PRIVATE,
        _ => &[],
    }
}

pub(super) const PUBLIC_KEY: &[Attribute] = &[
    row(CKA_SUBJECT, "CKA_SUBJECT", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_ENCRYPT, "CKA_ENCRYPT", Kind::Bool, ANY, Rule(Draft::is_rsa, "TRUE for RSA"), Free),
    row(
        CKA_VERIFY,
        "CKA_VERIFY",
        Kind::Bool,
        ANY,
        Rule(Draft::signs_by_default, "TRUE for RSA, EC, Edwards curves"),
        Free,
    ),
    row(CKA_VERIFY_RECOVER, "CKA_VERIFY_RECOVER", Kind::Bool, ANY, Bool(false), Free),
    row(CKA_WRAP, "CKA_WRAP", Kind::Bool, ANY, Rule(Draft::is_rsa, "TRUE for RSA"), Free),
    row(CKA_ENCAPSULATE, "CKA_ENCAPSULATE", Kind::Bool, ANY, Bool(false), Free),
    row(CKA_TRUSTED, "CKA_TRUSTED", Kind::Bool, ANY, Bool(false), BySo),
    row(CKA_WRAP_TEMPLATE, "CKA_WRAP_TEMPLATE", Kind::Template, ANY, Absent, Never),
    row(CKA_ENCAPSULATE_TEMPLATE, "CKA_ENCAPSULATE_TEMPLATE", Kind::Template, ANY, Absent, Never),
    row(CKA_PUBLIC_KEY_INFO, "CKA_PUBLIC_KEY_INFO", Kind::Bytes(NAME), ANY, Set, Never),
];

pub(super) const PRIVATE_KEY: &[Attribute] = &[
    row(CKA_SUBJECT, "CKA_SUBJECT", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_SENSITIVE, "CKA_SENSITIVE", Kind::Bool, ANY, Bool(true), Up),
    row(CKA_DECRYPT, "CKA_DECRYPT", Kind::Bool, ANY, Rule(Draft::is_rsa, "TRUE for RSA"), Free),
    row(CKA_SIGN, "CKA_SIGN", Kind::Bool, ANY, Rule(Draft::signs_by_default, "TRUE for RSA, EC, Edwards curves"), Free),
    row(CKA_SIGN_RECOVER, "CKA_SIGN_RECOVER", Kind::Bool, ANY, Bool(false), Free),
    row(CKA_UNWRAP, "CKA_UNWRAP", Kind::Bool, ANY, Rule(Draft::is_rsa, "TRUE for RSA"), Free),
    row(CKA_DECAPSULATE, "CKA_DECAPSULATE", Kind::Bool, ANY, Bool(false), Free),
    row(
        CKA_EXTRACTABLE,
        "CKA_EXTRACTABLE",
        Kind::Bool,
        ANY,
        Rule(Draft::is_extractable_by_default, "TRUE if unwrapped, else FALSE"),
        Down,
    ),
    row(CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE", Kind::Bool, NONE, Set, Never),
    row(CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", Kind::Bool, NONE, Set, Never),
    row(CKA_WRAP_WITH_TRUSTED, "CKA_WRAP_WITH_TRUSTED", Kind::Bool, ANY, Bool(false), Up),
    row(CKA_UNWRAP_TEMPLATE, "CKA_UNWRAP_TEMPLATE", Kind::Template, ANY, Absent, Never),
    row(CKA_DERIVE_TEMPLATE, "CKA_DERIVE_TEMPLATE", Kind::Template, ANY, Absent, Never),
    row(CKA_DECAPSULATE_TEMPLATE, "CKA_DECAPSULATE_TEMPLATE", Kind::Template, ANY, Absent, Never),
    row(CKA_ALWAYS_AUTHENTICATE, "CKA_ALWAYS_AUTHENTICATE", Kind::Bool, ANY, Bool(false), Never),
    row(CKA_PUBLIC_KEY_INFO, "CKA_PUBLIC_KEY_INFO", Kind::Bytes(NAME), ANY, Set, Never),
];

/// What the halves of an RSA pair have. PKCS#11 3.2, tables 33 and 34.
pub(super) const RSA_PUBLIC: &[Attribute] = &[
    row(CKA_MODULUS, "CKA_MODULUS", INTEGER, CREATE, Set, Never),
    row(CKA_MODULUS_BITS, "CKA_MODULUS_BITS", Kind::Number, [Forbidden, Required, Forbidden], Set, Never),
    row(CKA_PUBLIC_EXPONENT, "CKA_PUBLIC_EXPONENT", INTEGER, [Required, Optional, Forbidden], Set, Never),
];

pub(super) const RSA_PRIVATE: &[Attribute] = &[
    row(CKA_MODULUS, "CKA_MODULUS", INTEGER, CREATE, Set, Never),
    row(CKA_PUBLIC_EXPONENT, "CKA_PUBLIC_EXPONENT", INTEGER, CREATE, Set, Never),
    secret(CKA_PRIVATE_EXPONENT, "CKA_PRIVATE_EXPONENT", INTEGER, Required),
    secret(CKA_PRIME_1, "CKA_PRIME_1", INTEGER, Optional),
    secret(CKA_PRIME_2, "CKA_PRIME_2", INTEGER, Optional),
    secret(CKA_EXPONENT_1, "CKA_EXPONENT_1", INTEGER, Optional),
    secret(CKA_EXPONENT_2, "CKA_EXPONENT_2", INTEGER, Optional),
    secret(CKA_COEFFICIENT, "CKA_COEFFICIENT", INTEGER, Optional),
];

/// What the halves of a pair on a curve have, of whatever form. PKCS#11 3.2, tables 47 to 52.
pub(super) const EC_PUBLIC: &[Attribute] = &[
    row(CKA_EC_PARAMS, "CKA_EC_PARAMS", Kind::Curve, [Required, Required, Forbidden], Absent, Never),
    row(CKA_EC_POINT, "CKA_EC_POINT", Kind::Point, CREATE, Set, Never),
];

pub(super) const EC_PRIVATE: &[Attribute] = &[
    row(CKA_EC_PARAMS, "CKA_EC_PARAMS", Kind::Curve, CREATE, Set, Never),
    secret(CKA_VALUE, "CKA_VALUE", INTEGER, Required),
];

/// Twice the longest RSA modulus: zeros may stand in front.
const INTEGER: Kind = Kind::Integer(2048);
