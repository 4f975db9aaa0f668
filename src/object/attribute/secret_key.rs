//! Secret keys. PKCS#11 3.2, section 4.11, and for the value and its length the sections of each key type in chapter 6.

use cryptoki_sys::*;

use super::Change::{Away, BySo, Down, Free, Never, Up};
use super::Default::{Absent, Bool, Rule, Set};
use super::Role::{Forbidden, Optional, Required};
use super::{ANY, Attribute, Kind, NONE, row, secret};
use crate::key::KeyType;
use crate::object::Draft;

pub(super) const SECRET_KEY: &[Attribute] = &[
    row(CKA_SENSITIVE, "CKA_SENSITIVE", Kind::Bool, ANY, Bool(true), Up),
    row(
        CKA_ENCRYPT,
        "CKA_ENCRYPT",
        Kind::Bool,
        ANY,
        Rule(Draft::encrypts_by_default, "AES: TRUE unless it wraps or unwraps; else FALSE"),
        Free,
    ),
    row(
        CKA_DECRYPT,
        "CKA_DECRYPT",
        Kind::Bool,
        ANY,
        Rule(Draft::encrypts_by_default, "AES: TRUE unless it wraps or unwraps; else FALSE"),
        Free,
    ),
    row(CKA_SIGN, "CKA_SIGN", Kind::Bool, ANY, Bool(true), Free),
    row(CKA_VERIFY, "CKA_VERIFY", Kind::Bool, ANY, Bool(true), Free),
    row(CKA_WRAP, "CKA_WRAP", Kind::Bool, ANY, Bool(false), Free),
    row(CKA_UNWRAP, "CKA_UNWRAP", Kind::Bool, ANY, Bool(false), Free),
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
    row(CKA_TRUSTED, "CKA_TRUSTED", Kind::Bool, ANY, Bool(false), BySo),
    row(CKA_CHECK_VALUE, "CKA_CHECK_VALUE", Kind::Bytes(3), ANY, Set, Away),
    row(CKA_WRAP_TEMPLATE, "CKA_WRAP_TEMPLATE", Kind::Template, ANY, Absent, Never),
    row(CKA_UNWRAP_TEMPLATE, "CKA_UNWRAP_TEMPLATE", Kind::Template, ANY, Absent, Never),
    row(CKA_DERIVE_TEMPLATE, "CKA_DERIVE_TEMPLATE", Kind::Template, ANY, Absent, Never),
    secret(CKA_VALUE, "CKA_VALUE", Kind::Bytes(KeyType::LONGEST), Required),
    row(CKA_VALUE_LEN, "CKA_VALUE_LEN", Kind::Number, [Forbidden, Optional, Optional], Set, Never),
];
