//! Attributes that no object here has: known, so that a template with one is inconsistent and not of unknown type, and one
//! in a template that is compared has its form.

use cryptoki_sys::*;

use super::Change::{Free, Never};
use super::Default::{Absent, Set};
use super::Role::{self, Forbidden, Required};
use super::parameters::INTEGER;
use super::{AT_CREATION, Attribute, CREATE, Kind, NAME, NONE, row, secret};

/// A key type of which no object is kept here: the rows of its pairs, or of its secret keys, beside those of their class.
pub struct Elsewhere {
    /// The standard's name of the type.
    pub name: &'static str,
    /// Rows of the public keys, and of the private ones.
    pub halves: [&'static [Attribute]; 2],
}

/// All of them that the standard gives attributes of their own.
pub const ELSEWHERE: &[Elsewhere] = &[
    Elsewhere { name: "CKK_DSA", halves: [DSA_PUBLIC, DSA_PRIVATE] },
    Elsewhere { name: "CKK_DH", halves: [DH_PUBLIC, DH_PRIVATE] },
    Elsewhere { name: "CKK_X9_42_DH", halves: [X9_42_DH_PUBLIC, X9_42_DH_PRIVATE] },
    Elsewhere { name: "CKK_ML_KEM", halves: [SET_PUBLIC, SEEDED_PRIVATE] },
    Elsewhere { name: "CKK_ML_DSA", halves: [SET_PUBLIC, SEEDED_PRIVATE] },
    Elsewhere { name: "CKK_SLH_DSA", halves: [SET_PUBLIC, SET_PRIVATE] },
    Elsewhere { name: "CKK_XMSS", halves: [SET_PUBLIC, SET_PRIVATE] },
    Elsewhere { name: "CKK_XMSSMT", halves: [SET_PUBLIC, SET_PRIVATE] },
    Elsewhere { name: "CKK_HSS", halves: [HSS_PUBLIC, HSS_PRIVATE] },
    Elsewhere { name: "CKK_GOSTR3410", halves: [GOST_PUBLIC, GOST_PRIVATE] },
];

/// PKCS#11 3.2, sections 6.2.2 and 6.2.4.
const DSA_PUBLIC: &[Attribute] = &[
    row(CKA_PRIME, "CKA_PRIME", INTEGER, PUBLIC, Set, Never),
    row(CKA_SUBPRIME, "CKA_SUBPRIME", INTEGER, PUBLIC, Set, Never),
    row(CKA_BASE, "CKA_BASE", INTEGER, PUBLIC, Set, Never),
    row(CKA_VALUE, "CKA_VALUE", INTEGER, CREATE, Set, Never),
];

const DSA_PRIVATE: &[Attribute] = &[
    row(CKA_PRIME, "CKA_PRIME", INTEGER, CREATE, Set, Never),
    row(CKA_SUBPRIME, "CKA_SUBPRIME", INTEGER, CREATE, Set, Never),
    row(CKA_BASE, "CKA_BASE", INTEGER, CREATE, Set, Never),
    secret(CKA_VALUE, "CKA_VALUE", INTEGER, Required),
];

/// PKCS#11 3.2, sections 6.4.2 and 6.4.3.
const DH_PUBLIC: &[Attribute] = &[
    row(CKA_PRIME, "CKA_PRIME", INTEGER, PUBLIC, Set, Never),
    row(CKA_BASE, "CKA_BASE", INTEGER, PUBLIC, Set, Never),
    row(CKA_VALUE, "CKA_VALUE", INTEGER, CREATE, Set, Never),
];

const DH_PRIVATE: &[Attribute] = &[
    row(CKA_PRIME, "CKA_PRIME", INTEGER, CREATE, Set, Never),
    row(CKA_BASE, "CKA_BASE", INTEGER, CREATE, Set, Never),
    secret(CKA_VALUE, "CKA_VALUE", INTEGER, Required),
    row(CKA_VALUE_BITS, "CKA_VALUE_BITS", Kind::Number, [Forbidden, Role::Optional, Forbidden], Set, Never),
];

/// PKCS#11 3.2, sections 6.4.5 and 6.4.6.
const X9_42_DH_PUBLIC: &[Attribute] = &[
    row(CKA_PRIME, "CKA_PRIME", INTEGER, PUBLIC, Set, Never),
    row(CKA_BASE, "CKA_BASE", INTEGER, PUBLIC, Set, Never),
    row(CKA_SUBPRIME, "CKA_SUBPRIME", INTEGER, PUBLIC, Set, Never),
    row(CKA_VALUE, "CKA_VALUE", INTEGER, CREATE, Set, Never),
];

const X9_42_DH_PRIVATE: &[Attribute] = &[
    row(CKA_PRIME, "CKA_PRIME", INTEGER, CREATE, Set, Never),
    row(CKA_BASE, "CKA_BASE", INTEGER, CREATE, Set, Never),
    row(CKA_SUBPRIME, "CKA_SUBPRIME", INTEGER, CREATE, Set, Never),
    secret(CKA_VALUE, "CKA_VALUE", INTEGER, Required),
];

/// Types with a parameter set. PKCS#11 3.2, sections 6.66 to 6.69.
const SET_PUBLIC: &[Attribute] = &[
    row(CKA_PARAMETER_SET, "CKA_PARAMETER_SET", Kind::Number, PUBLIC, Set, Never),
    row(CKA_VALUE, "CKA_VALUE", Kind::Bytes(NAME), CREATE, Set, Never),
    row(CKA_PUBLIC_CRC64_VALUE, "CKA_PUBLIC_CRC64_VALUE", Kind::Exactly(8), AT_CREATION, Absent, Never),
];

const SET_PRIVATE: &[Attribute] = &[
    row(CKA_PARAMETER_SET, "CKA_PARAMETER_SET", Kind::Number, CREATE, Set, Never),
    secret(CKA_VALUE, "CKA_VALUE", Kind::Bytes(NAME), Required),
    row(CKA_PUBLIC_CRC64_VALUE, "CKA_PUBLIC_CRC64_VALUE", Kind::Exactly(8), AT_CREATION, Absent, Never),
];

/// The same whose private keys may be kept as their seed.
const SEEDED_PRIVATE: &[Attribute] = &[
    row(CKA_PARAMETER_SET, "CKA_PARAMETER_SET", Kind::Number, CREATE, Set, Never),
    secret(CKA_SEED, "CKA_SEED", Kind::Bytes(64), Role::Optional),
    secret(CKA_VALUE, "CKA_VALUE", Kind::Bytes(NAME), Role::Optional),
    row(CKA_PUBLIC_CRC64_VALUE, "CKA_PUBLIC_CRC64_VALUE", Kind::Exactly(8), AT_CREATION, Absent, Never),
];

/// PKCS#11 3.2, section 6.65.
const HSS_PUBLIC: &[Attribute] = &[
    row(CKA_HSS_LEVELS, "CKA_HSS_LEVELS", Kind::Number, NONE, Set, Never),
    row(CKA_HSS_LMS_TYPE, "CKA_HSS_LMS_TYPE", Kind::Number, NONE, Set, Never),
    row(CKA_HSS_LMOTS_TYPE, "CKA_HSS_LMOTS_TYPE", Kind::Number, NONE, Set, Never),
    row(CKA_VALUE, "CKA_VALUE", Kind::Bytes(NAME), CREATE, Set, Never),
];

const HSS_PRIVATE: &[Attribute] = &[
    row(CKA_HSS_LEVELS, "CKA_HSS_LEVELS", Kind::Number, PUBLIC, Set, Never),
    row(CKA_HSS_LMS_TYPES, "CKA_HSS_LMS_TYPES", Kind::Numbers, PUBLIC, Set, Never),
    row(CKA_HSS_LMOTS_TYPES, "CKA_HSS_LMOTS_TYPES", Kind::Numbers, PUBLIC, Set, Never),
    secret(CKA_VALUE, "CKA_VALUE", Kind::Bytes(NAME), Required),
    row(CKA_HSS_KEYS_REMAINING, "CKA_HSS_KEYS_REMAINING", Kind::Number, NONE, Set, Never),
];

/// PKCS#11 3.2, section 6.57.
const GOST_PUBLIC: &[Attribute] = &[
    row(CKA_VALUE, "CKA_VALUE", Kind::Bytes(NAME), CREATE, Set, Never),
    row(CKA_GOSTR3410_PARAMS, "CKA_GOSTR3410_PARAMS", Kind::Bytes(NAME), PUBLIC, Set, Never),
    row(CKA_GOSTR3411_PARAMS, "CKA_GOSTR3411_PARAMS", Kind::Bytes(NAME), PUBLIC, Set, Free),
    row(CKA_GOST28147_PARAMS, "CKA_GOST28147_PARAMS", Kind::Bytes(NAME), super::ANY, Absent, Free),
];

const GOST_PRIVATE: &[Attribute] = &[
    secret(CKA_VALUE, "CKA_VALUE", Kind::Bytes(NAME), Required),
    row(CKA_GOSTR3410_PARAMS, "CKA_GOSTR3410_PARAMS", Kind::Bytes(NAME), CREATE, Set, Never),
    row(CKA_GOSTR3411_PARAMS, "CKA_GOSTR3411_PARAMS", Kind::Bytes(NAME), CREATE, Set, Free),
    row(CKA_GOST28147_PARAMS, "CKA_GOST28147_PARAMS", Kind::Bytes(NAME), AT_CREATION, Absent, Free),
];

/// Given by who creates a public key and by who generates the pair.
const PUBLIC: [Role; 3] = [Required, Required, Forbidden];

/// Attributes without a row: of the double ratchet (PKCS#11 3.2, section 6.6), whose state is no key that is kept, and two that
/// 2.11 had and no later version has.
pub const WITHOUT_ROWS: &[(u64, &str)] = &[
    (CKA_SECONDARY_AUTH, "CKA_SECONDARY_AUTH"),
    (CKA_AUTH_PIN_FLAGS, "CKA_AUTH_PIN_FLAGS"),
    (CKA_X2RATCHET_BAG, "CKA_X2RATCHET_BAG"),
    (CKA_X2RATCHET_BAGSIZE, "CKA_X2RATCHET_BAGSIZE"),
    (CKA_X2RATCHET_BOBS1STMSG, "CKA_X2RATCHET_BOBS1STMSG"),
    (CKA_X2RATCHET_CKR, "CKA_X2RATCHET_CKR"),
    (CKA_X2RATCHET_CKS, "CKA_X2RATCHET_CKS"),
    (CKA_X2RATCHET_DHP, "CKA_X2RATCHET_DHP"),
    (CKA_X2RATCHET_DHR, "CKA_X2RATCHET_DHR"),
    (CKA_X2RATCHET_DHS, "CKA_X2RATCHET_DHS"),
    (CKA_X2RATCHET_HKR, "CKA_X2RATCHET_HKR"),
    (CKA_X2RATCHET_HKS, "CKA_X2RATCHET_HKS"),
    (CKA_X2RATCHET_ISALICE, "CKA_X2RATCHET_ISALICE"),
    (CKA_X2RATCHET_NHKR, "CKA_X2RATCHET_NHKR"),
    (CKA_X2RATCHET_NHKS, "CKA_X2RATCHET_NHKS"),
    (CKA_X2RATCHET_NR, "CKA_X2RATCHET_NR"),
    (CKA_X2RATCHET_NS, "CKA_X2RATCHET_NS"),
    (CKA_X2RATCHET_PNS, "CKA_X2RATCHET_PNS"),
    (CKA_X2RATCHET_RK, "CKA_X2RATCHET_RK"),
];
