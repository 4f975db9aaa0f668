//! What all objects have, all that are stored, all keys, and data objects.

use cryptoki_sys::*;

use super::Change::{Down, Free, InCopy, Never, UpInCopy};
use super::Default::{Absent, Bool, Empty, Number, Rule, Set};
use super::Role::{Optional, Required};
use super::{ANY, Attribute, Kind, NAME, NONE, row};
use crate::object::Draft;

/// The longest value of a data object, in bytes.
pub(super) const DATA_VALUE: usize = 16 * 1024 * 1024;

/// All objects. PKCS#11 3.2, section 4.2.
pub(super) const COMMON: &[Attribute] = &[
    row(CKA_CLASS, "CKA_CLASS", Kind::Number, [Required, Optional, Required], Set, Never),
    row(CKA_UNIQUE_ID, "CKA_UNIQUE_ID", Kind::Bytes(NAME), NONE, Set, Never),
];

/// Storage objects. PKCS#11 3.2, section 4.4.
pub(super) const STORAGE: &[Attribute] = &[
    row(CKA_TOKEN, "CKA_TOKEN", Kind::Bool, ANY, Bool(false), InCopy),
    row(
        CKA_PRIVATE,
        "CKA_PRIVATE",
        Kind::Bool,
        ANY,
        Rule(Draft::is_private_by_default, "keys: TRUE if the user is logged in; else FALSE"),
        UpInCopy,
    ),
    row(CKA_MODIFIABLE, "CKA_MODIFIABLE", Kind::Bool, ANY, Bool(true), InCopy),
    row(CKA_LABEL, "CKA_LABEL", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_COPYABLE, "CKA_COPYABLE", Kind::Bool, ANY, Bool(true), Down),
    row(CKA_DESTROYABLE, "CKA_DESTROYABLE", Kind::Bool, ANY, Bool(true), InCopy),
];

/// Data objects. PKCS#11 3.2, section 4.5.
pub(super) const DATA: &[Attribute] = &[
    row(CKA_APPLICATION, "CKA_APPLICATION", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_OBJECT_ID, "CKA_OBJECT_ID", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_VALUE, "CKA_VALUE", Kind::Bytes(DATA_VALUE), ANY, Empty, Free),
];

/// Keys of every class. PKCS#11 3.2, section 4.8.
pub(super) const KEY: &[Attribute] = &[
    row(CKA_KEY_TYPE, "CKA_KEY_TYPE", Kind::Number, [Required, Optional, Required], Set, Never),
    row(CKA_ID, "CKA_ID", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_START_DATE, "CKA_START_DATE", Kind::Date, ANY, Empty, Free),
    row(CKA_END_DATE, "CKA_END_DATE", Kind::Date, ANY, Empty, Free),
    row(
        CKA_DERIVE,
        "CKA_DERIVE",
        Kind::Bool,
        ANY,
        Rule(Draft::derives_by_default, "TRUE for private keys of EC and Montgomery curves"),
        Free,
    ),
    row(CKA_LOCAL, "CKA_LOCAL", Kind::Bool, NONE, Set, Never),
    row(CKA_KEY_GEN_MECHANISM, "CKA_KEY_GEN_MECHANISM", Kind::Number, NONE, Set, Never),
    row(CKA_ALLOWED_MECHANISMS, "CKA_ALLOWED_MECHANISMS", Kind::Numbers, ANY, Absent, Never),
    // No validation of this module exists that a key could be made consistent with.
    row(CKA_OBJECT_VALIDATION_FLAGS, "CKA_OBJECT_VALIDATION_FLAGS", Kind::Number, NONE, Number(0), Never),
];
