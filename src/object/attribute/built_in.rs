//! Objects that say what a token is, which nobody but the library could make: profiles, mechanisms, validations and hardware
//! features. Of these this token has profiles; the other rows serve whoever names one of their attributes.

use cryptoki_sys::*;

use super::Change::Never;
use super::Default::{Bool, Empty, Set};
use super::{Attribute, FeatureType, Kind, NAME, NONE, Type, row};

/// What those have in common that are storage objects: for everybody to see, and for nobody to change. PKCS#11 3.2, section 4.4.
pub(super) const STORAGE: &[Attribute] = &[
    row(CKA_TOKEN, "CKA_TOKEN", Kind::Bool, NONE, Bool(true), Never),
    row(CKA_PRIVATE, "CKA_PRIVATE", Kind::Bool, NONE, Bool(false), Never),
    row(CKA_MODIFIABLE, "CKA_MODIFIABLE", Kind::Bool, NONE, Bool(false), Never),
    row(CKA_LABEL, "CKA_LABEL", Kind::Bytes(NAME), NONE, Empty, Never),
    row(CKA_COPYABLE, "CKA_COPYABLE", Kind::Bool, NONE, Bool(false), Never),
    row(CKA_DESTROYABLE, "CKA_DESTROYABLE", Kind::Bool, NONE, Bool(false), Never),
];

/// Profiles. PKCS#11 3.2, section 4.14. They have what stored objects have besides, for the profiles ask for it by name.
pub(super) const PROFILE: &[Attribute] = &[row(CKA_PROFILE_ID, "CKA_PROFILE_ID", Kind::Number, NONE, Set, Never)];

/// Mechanisms. PKCS#11 3.2, sections 4.13 and 6.44.
pub(super) const MECHANISM: &[Attribute] = &[
    row(CKA_MECHANISM_TYPE, "CKA_MECHANISM_TYPE", Kind::Number, NONE, Set, Never),
    row(CKA_REQUIRED_CMS_ATTRIBUTES, "CKA_REQUIRED_CMS_ATTRIBUTES", Kind::Bytes(NAME), NONE, Set, Never),
    row(CKA_DEFAULT_CMS_ATTRIBUTES, "CKA_DEFAULT_CMS_ATTRIBUTES", Kind::Bytes(NAME), NONE, Set, Never),
    row(CKA_SUPPORTED_CMS_ATTRIBUTES, "CKA_SUPPORTED_CMS_ATTRIBUTES", Kind::Bytes(NAME), NONE, Set, Never),
];

/// Validations. PKCS#11 3.2, section 4.15.
pub(super) const VALIDATION: &[Attribute] = &[
    row(CKA_VALIDATION_TYPE, "CKA_VALIDATION_TYPE", Kind::Number, NONE, Set, Never),
    row(CKA_VALIDATION_VERSION, "CKA_VALIDATION_VERSION", Kind::Exactly(2), NONE, Set, Never),
    row(CKA_VALIDATION_LEVEL, "CKA_VALIDATION_LEVEL", Kind::Number, NONE, Set, Never),
    row(CKA_VALIDATION_MODULE_ID, "CKA_VALIDATION_MODULE_ID", Kind::Bytes(NAME), NONE, Set, Never),
    row(CKA_VALIDATION_FLAG, "CKA_VALIDATION_FLAG", Kind::Number, NONE, Set, Never),
    row(CKA_VALIDATION_AUTHORITY_TYPE, "CKA_VALIDATION_AUTHORITY_TYPE", Kind::Number, NONE, Set, Never),
    row(CKA_VALIDATION_COUNTRY, "CKA_VALIDATION_COUNTRY", Kind::Bytes(NAME), NONE, Empty, Never),
    row(
        CKA_VALIDATION_CERTIFICATE_IDENTIFIER,
        "CKA_VALIDATION_CERTIFICATE_IDENTIFIER",
        Kind::Bytes(NAME),
        NONE,
        Empty,
        Never,
    ),
    row(CKA_VALIDATION_CERTIFICATE_URI, "CKA_VALIDATION_CERTIFICATE_URI", Kind::Bytes(NAME), NONE, Empty, Never),
    row(CKA_VALIDATION_VENDOR_URI, "CKA_VALIDATION_VENDOR_URI", Kind::Bytes(NAME), NONE, Empty, Never),
    row(CKA_VALIDATION_PROFILE, "CKA_VALIDATION_PROFILE", Kind::Bytes(NAME), NONE, Empty, Never),
];

/// Hardware features. PKCS#11 3.2, section 4.3.
pub(super) const FEATURE: &[Attribute] =
    &[row(CKA_HW_FEATURE_TYPE, "CKA_HW_FEATURE_TYPE", Kind::Number, NONE, Set, Never)];

/// What hardware features of a type have besides.
pub(super) fn of(of: Option<Type>) -> &'static [Attribute] {
    match of {
        Some(Type::HwFeature(FeatureType::MonotonicCounter)) => COUNTER,
        Some(Type::HwFeature(FeatureType::Clock)) => CLOCK,
        Some(Type::HwFeature(FeatureType::UserInterface)) => INTERFACE,
        _ => &[],
    }
}

pub(super) const COUNTER: &[Attribute] = &[
    row(CKA_RESET_ON_INIT, "CKA_RESET_ON_INIT", Kind::Bool, NONE, Set, Never),
    row(CKA_HAS_RESET, "CKA_HAS_RESET", Kind::Bool, NONE, Set, Never),
    row(CKA_VALUE, "CKA_VALUE", Kind::Bytes(NAME), NONE, Set, Never),
];

pub(super) const CLOCK: &[Attribute] = &[row(CKA_VALUE, "CKA_VALUE", Kind::Digits(16), NONE, Set, Never)];

pub(super) const INTERFACE: &[Attribute] = &[
    row(CKA_PIXEL_X, "CKA_PIXEL_X", Kind::Number, NONE, Set, Never),
    row(CKA_PIXEL_Y, "CKA_PIXEL_Y", Kind::Number, NONE, Set, Never),
    row(CKA_RESOLUTION, "CKA_RESOLUTION", Kind::Number, NONE, Set, Never),
    row(CKA_CHAR_ROWS, "CKA_CHAR_ROWS", Kind::Number, NONE, Set, Never),
    row(CKA_CHAR_COLUMNS, "CKA_CHAR_COLUMNS", Kind::Number, NONE, Set, Never),
    row(CKA_COLOR, "CKA_COLOR", Kind::Bool, NONE, Set, Never),
    row(CKA_BITS_PER_PIXEL, "CKA_BITS_PER_PIXEL", Kind::Number, NONE, Set, Never),
    row(CKA_CHAR_SETS, "CKA_CHAR_SETS", Kind::Bytes(NAME), NONE, Set, Never),
    row(CKA_ENCODING_METHODS, "CKA_ENCODING_METHODS", Kind::Bytes(NAME), NONE, Set, Never),
    row(CKA_MIME_TYPES, "CKA_MIME_TYPES", Kind::Bytes(NAME), NONE, Set, Never),
];
