//! Attributes that no object here has.

use cryptoki_sys::*;

/// Attributes of classes, and rows, that this token does not have: known, so that a template with one is inconsistent and
/// not of unknown type. PKCS#11 3.2, sections 4.6 to 4.14.
pub(super) const NAMES: &[(u64, &str)] = &[
    (CKA_OWNER, "CKA_OWNER"),
    (CKA_AC_ISSUER, "CKA_AC_ISSUER"),
    (CKA_ATTR_TYPES, "CKA_ATTR_TYPES"),
    (CKA_PRIME, "CKA_PRIME"),
    (CKA_SUBPRIME, "CKA_SUBPRIME"),
    (CKA_BASE, "CKA_BASE"),
    (CKA_PRIME_BITS, "CKA_PRIME_BITS"),
    (CKA_SUBPRIME_BITS, "CKA_SUBPRIME_BITS"),
    (CKA_VALUE_BITS, "CKA_VALUE_BITS"),
    (CKA_PARAMETER_SET, "CKA_PARAMETER_SET"),
    (CKA_SEED, "CKA_SEED"),
    (CKA_ENCAPSULATE, "CKA_ENCAPSULATE"),
    (CKA_DECAPSULATE, "CKA_DECAPSULATE"),
    (CKA_ENCAPSULATE_TEMPLATE, "CKA_ENCAPSULATE_TEMPLATE"),
    (CKA_DECAPSULATE_TEMPLATE, "CKA_DECAPSULATE_TEMPLATE"),
];
