//! What certificates are trusted for. PKCS#11 3.2, section 4.7.

use cryptoki_sys::*;

use super::Change::{Free, Never};
use super::Default::{Empty, Number, Set};
use super::{ANY, AT_CREATION, Attribute, CREATE, Kind, NAME, row};

pub(super) const TRUST: &[Attribute] = &[
    row(CKA_ISSUER, "CKA_ISSUER", Kind::Bytes(NAME), CREATE, Set, Never),
    row(CKA_SERIAL_NUMBER, "CKA_SERIAL_NUMBER", Kind::Bytes(NAME), CREATE, Set, Never),
    row(CKA_HASH_OF_CERTIFICATE, "CKA_HASH_OF_CERTIFICATE", Kind::Bytes(64), AT_CREATION, Empty, Never),
    row(CKA_NAME_HASH_ALGORITHM, "CKA_NAME_HASH_ALGORITHM", Kind::Number, AT_CREATION, Number(CKM_SHA_1), Never),
    row(CKA_TRUST_SERVER_AUTH, "CKA_TRUST_SERVER_AUTH", TRUSTED, ANY, UNKNOWN, Free),
    row(CKA_TRUST_CLIENT_AUTH, "CKA_TRUST_CLIENT_AUTH", TRUSTED, ANY, UNKNOWN, Free),
    row(CKA_TRUST_CODE_SIGNING, "CKA_TRUST_CODE_SIGNING", TRUSTED, ANY, UNKNOWN, Free),
    row(CKA_TRUST_EMAIL_PROTECTION, "CKA_TRUST_EMAIL_PROTECTION", TRUSTED, ANY, UNKNOWN, Free),
    row(CKA_TRUST_IPSEC_IKE, "CKA_TRUST_IPSEC_IKE", TRUSTED, ANY, UNKNOWN, Free),
    row(CKA_TRUST_TIME_STAMPING, "CKA_TRUST_TIME_STAMPING", TRUSTED, ANY, UNKNOWN, Free),
    row(CKA_TRUST_OCSP_SIGNING, "CKA_TRUST_OCSP_SIGNING", TRUSTED, ANY, UNKNOWN, Free),
];

const TRUSTED: Kind = Kind::Choice(CKT_TRUST_MUST_VERIFY_TRUST as u64);
const UNKNOWN: super::Default = Number(CKT_TRUST_UNKNOWN as u64);

/// The attributes of a trust object that say what a certificate is trusted for.
pub fn trusts() -> impl Iterator<Item = u64> {
    TRUST.iter().filter(|row| row.kind == TRUSTED).map(|row| row.number)
}
