//! Keys of one-time passwords: what they have besides what secret keys have. PKCS#11 3.2, section 6.53. They are kept, and
//! no mechanism here uses them.

use cryptoki_sys::*;

use super::Change::Never;
use super::Default::{Bool, Empty, Number};
use super::{ANY, Attribute, KeyType, Kind, NAME, row};

/// What keys of a type have besides.
pub(super) fn of(key_type: Option<KeyType>) -> &'static [Attribute] {
    match key_type {
        Some(KeyType::SecurId) => SECURID,
        Some(KeyType::Hotp) => HOTP,
        Some(KeyType::Acti) => ACTI,
        _ => &[],
    }
}

/// Of every type. PKCS#11 3.2, section 6.53.5.
pub(super) const OTP_KEY: &[Attribute] = &[
    row(CKA_OTP_FORMAT, "CKA_OTP_FORMAT", Kind::Choice(CK_OTP_FORMAT_BINARY), ANY, DECIMAL, Never),
    row(CKA_OTP_LENGTH, "CKA_OTP_LENGTH", Kind::Number, ANY, Number(6), Never),
    row(CKA_OTP_USER_FRIENDLY_MODE, "CKA_OTP_USER_FRIENDLY_MODE", Kind::Bool, ANY, Bool(false), Never),
    row(CKA_OTP_CHALLENGE_REQUIREMENT, "CKA_OTP_CHALLENGE_REQUIREMENT", REQUIREMENT, ANY, IGNORED, Never),
    row(CKA_OTP_TIME_REQUIREMENT, "CKA_OTP_TIME_REQUIREMENT", REQUIREMENT, ANY, IGNORED, Never),
    row(CKA_OTP_COUNTER_REQUIREMENT, "CKA_OTP_COUNTER_REQUIREMENT", REQUIREMENT, ANY, IGNORED, Never),
    row(CKA_OTP_PIN_REQUIREMENT, "CKA_OTP_PIN_REQUIREMENT", REQUIREMENT, ANY, IGNORED, Never),
    row(CKA_OTP_TIME, "CKA_OTP_TIME", Kind::Digits(14), ANY, Empty, Never),
    row(CKA_OTP_USER_IDENTIFIER, "CKA_OTP_USER_IDENTIFIER", Kind::Bytes(NAME), ANY, Empty, Never),
    row(CKA_OTP_SERVICE_IDENTIFIER, "CKA_OTP_SERVICE_IDENTIFIER", Kind::Bytes(NAME), ANY, Empty, Never),
    row(CKA_OTP_SERVICE_LOGO, "CKA_OTP_SERVICE_LOGO", Kind::Bytes(NAME), ANY, Empty, Never),
    row(CKA_OTP_SERVICE_LOGO_TYPE, "CKA_OTP_SERVICE_LOGO_TYPE", Kind::Bytes(NAME), ANY, Empty, Never),
];

/// `CKK_SECURID`
pub(super) const SECURID: &[Attribute] = &[
    row(CKA_OTP_COUNTER, "CKA_OTP_COUNTER", Kind::Bytes(NAME), ANY, Empty, Never),
    row(CKA_OTP_TIME_INTERVAL, "CKA_OTP_TIME_INTERVAL", Kind::Number, ANY, Number(60), Never),
];

/// `CKK_HOTP`: the counter is a big-endian number of 8 bytes.
pub(super) const HOTP: &[Attribute] = &[row(CKA_OTP_COUNTER, "CKA_OTP_COUNTER", Kind::Exactly(8), ANY, Empty, Never)];

/// `CKK_ACTI`: the counter is a big-endian number of 8 bytes.
pub(super) const ACTI: &[Attribute] = &[row(CKA_OTP_COUNTER, "CKA_OTP_COUNTER", Kind::Exactly(8), ANY, Empty, Never)];

const REQUIREMENT: Kind = Kind::Choice(CK_OTP_PARAM_MANDATORY);
const IGNORED: super::Default = Number(CK_OTP_PARAM_IGNORED);
const DECIMAL: super::Default = Number(CK_OTP_FORMAT_DECIMAL);
