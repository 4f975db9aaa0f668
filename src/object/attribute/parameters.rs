//! Domain parameters. PKCS#11 3.2, section 4.12; for their types sections 6.2 and 6.4.

use cryptoki_sys::*;

use super::Change::Never;
use super::Default::Set;
use super::Role::{Forbidden, Optional, Required};
use super::{Attribute, CREATE, KeyType, Kind, NONE, Role, row};

/// What domain parameters of a type have besides.
pub(super) fn of(key_type: Option<KeyType>) -> &'static [Attribute] {
    match key_type {
        Some(KeyType::Dsa) => DSA,
        Some(KeyType::Dh) => DH,
        Some(KeyType::X942Dh) => X9_42_DH,
        _ => &[],
    }
}

/// Of every type.
pub(super) const PARAMETERS: &[Attribute] = &[
    row(CKA_KEY_TYPE, "CKA_KEY_TYPE", Kind::Number, [Required, Optional, Forbidden], Set, Never),
    row(CKA_LOCAL, "CKA_LOCAL", Kind::Bool, NONE, Set, Never),
];

/// `CKK_DSA`. PKCS#11 3.2, section 6.2.6.
pub(super) const DSA: &[Attribute] = &[
    row(CKA_PRIME, "CKA_PRIME", INTEGER, CREATE, Set, Never),
    row(CKA_SUBPRIME, "CKA_SUBPRIME", INTEGER, CREATE, Set, Never),
    row(CKA_BASE, "CKA_BASE", INTEGER, CREATE, Set, Never),
    row(CKA_PRIME_BITS, "CKA_PRIME_BITS", Kind::Number, GENERATE, Set, Never),
    row(CKA_SUBPRIME_BITS, "CKA_SUBPRIME_BITS", Kind::Number, [Forbidden, Optional, Forbidden], Set, Never),
];

/// `CKK_DH`. PKCS#11 3.2, section 6.4.4.
pub(super) const DH: &[Attribute] = &[
    row(CKA_PRIME, "CKA_PRIME", INTEGER, CREATE, Set, Never),
    row(CKA_BASE, "CKA_BASE", INTEGER, CREATE, Set, Never),
    row(CKA_PRIME_BITS, "CKA_PRIME_BITS", Kind::Number, GENERATE, Set, Never),
];

/// `CKK_X9_42_DH`. PKCS#11 3.2, section 6.4.7.
pub(super) const X9_42_DH: &[Attribute] = &[
    row(CKA_PRIME, "CKA_PRIME", INTEGER, CREATE, Set, Never),
    row(CKA_BASE, "CKA_BASE", INTEGER, CREATE, Set, Never),
    row(CKA_SUBPRIME, "CKA_SUBPRIME", INTEGER, CREATE, Set, Never),
    row(CKA_PRIME_BITS, "CKA_PRIME_BITS", Kind::Number, GENERATE, Set, Never),
    row(CKA_SUBPRIME_BITS, "CKA_SUBPRIME_BITS", Kind::Number, GENERATE, Set, Never),
];

const GENERATE: [Role; 3] = [Forbidden, Required, Forbidden];

/// Twice the longest prime: zeros may stand in front.
pub(super) const INTEGER: Kind = Kind::Integer(2048);
