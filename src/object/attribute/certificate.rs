//! Certificates. PKCS#11 3.2, section 4.6.

use cryptoki_sys::*;

use super::Change::{BySo, Free, Never};
use super::Default::{Bool, Empty, Number, Set};
use super::Role::{Forbidden, Optional, Required};
use super::{ANY, Attribute, CertificateType, Kind, NAME, Role, Type, row};

/// What certificates of a type have besides.
pub(super) fn of(of: Option<Type>) -> &'static [Attribute] {
    match of {
        Some(Type::Certificate(CertificateType::X509)) => X_509,
        Some(Type::Certificate(CertificateType::X509Attribute)) => X_509_ATTRIBUTE,
        Some(Type::Certificate(CertificateType::Wtls)) => WTLS,
        _ => &[],
    }
}

/// Of every type. PKCS#11 3.2, section 4.6.2.
pub(super) const CERTIFICATE: &[Attribute] = &[
    row(CKA_CERTIFICATE_TYPE, "CKA_CERTIFICATE_TYPE", Kind::Number, CREATE, Set, Never),
    row(CKA_TRUSTED, "CKA_TRUSTED", Kind::Bool, ANY, Bool(false), BySo),
    row(CKA_CERTIFICATE_CATEGORY, "CKA_CERTIFICATE_CATEGORY", Kind::Choice(3), ANY, Number(0), Never),
    row(CKA_CHECK_VALUE, "CKA_CHECK_VALUE", Kind::Bytes(3), ANY, Set, Never),
    row(CKA_START_DATE, "CKA_START_DATE", Kind::Date, ANY, Empty, Never),
    row(CKA_END_DATE, "CKA_END_DATE", Kind::Date, ANY, Empty, Never),
    row(CKA_PUBLIC_KEY_INFO, "CKA_PUBLIC_KEY_INFO", Kind::Bytes(NAME), ANY, Empty, Never),
];

/// X.509 public-key certificates. PKCS#11 3.2, section 4.6.3.
pub(super) const X_509: &[Attribute] = &[
    row(CKA_SUBJECT, "CKA_SUBJECT", Kind::Bytes(NAME), CREATE, Set, Never),
    row(CKA_ID, "CKA_ID", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_ISSUER, "CKA_ISSUER", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_SERIAL_NUMBER, "CKA_SERIAL_NUMBER", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_VALUE, "CKA_VALUE", Kind::Bytes(LONGEST), ANY, Empty, Never),
    row(CKA_URL, "CKA_URL", Kind::Bytes(NAME), ANY, Empty, Never),
    row(CKA_HASH_OF_SUBJECT_PUBLIC_KEY, "CKA_HASH_OF_SUBJECT_PUBLIC_KEY", HASH, ANY, Empty, Never),
    row(CKA_HASH_OF_ISSUER_PUBLIC_KEY, "CKA_HASH_OF_ISSUER_PUBLIC_KEY", HASH, ANY, Empty, Never),
    row(CKA_JAVA_MIDP_SECURITY_DOMAIN, "CKA_JAVA_MIDP_SECURITY_DOMAIN", Kind::Choice(3), ANY, Number(0), Never),
    row(CKA_NAME_HASH_ALGORITHM, "CKA_NAME_HASH_ALGORITHM", Kind::Number, ANY, Number(CKM_SHA_1), Never),
];

/// WTLS public-key certificates. PKCS#11 3.2, section 4.6.4.
pub(super) const WTLS: &[Attribute] = &[
    row(CKA_SUBJECT, "CKA_SUBJECT", Kind::Bytes(NAME), CREATE, Set, Never),
    row(CKA_ISSUER, "CKA_ISSUER", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_VALUE, "CKA_VALUE", Kind::Bytes(LONGEST), ANY, Empty, Never),
    row(CKA_URL, "CKA_URL", Kind::Bytes(NAME), ANY, Empty, Never),
    row(CKA_HASH_OF_SUBJECT_PUBLIC_KEY, "CKA_HASH_OF_SUBJECT_PUBLIC_KEY", HASH, ANY, Empty, Never),
    row(CKA_HASH_OF_ISSUER_PUBLIC_KEY, "CKA_HASH_OF_ISSUER_PUBLIC_KEY", HASH, ANY, Empty, Never),
    row(CKA_NAME_HASH_ALGORITHM, "CKA_NAME_HASH_ALGORITHM", Kind::Number, ANY, Number(CKM_SHA_1), Never),
];

/// X.509 attribute certificates. PKCS#11 3.2, section 4.6.5.
pub(super) const X_509_ATTRIBUTE: &[Attribute] = &[
    row(CKA_OWNER, "CKA_OWNER", Kind::Bytes(NAME), CREATE, Set, Never),
    row(CKA_AC_ISSUER, "CKA_AC_ISSUER", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_SERIAL_NUMBER, "CKA_SERIAL_NUMBER", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_ATTR_TYPES, "CKA_ATTR_TYPES", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_VALUE, "CKA_VALUE", Kind::Bytes(LONGEST), CREATE, Set, Never),
];

const CREATE: [Role; 3] = [Required, Optional, Forbidden];

/// No hash is longer.
const HASH: Kind = Kind::Bytes(64);

/// The longest certificate, in bytes.
const LONGEST: usize = 1024 * 1024;
