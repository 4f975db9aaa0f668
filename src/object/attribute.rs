//! The attribute table: one row per attribute of a class. Create, generate, unwrap, get and find read these rows.

use cryptoki_sys::*;

use super::draft::Draft;
use crate::key::{Class, KeyType};

/// One attribute of one class, or of all.
pub struct Attribute {
    /// The standard's number.
    pub number: u64,
    /// The standard's name.
    pub name: &'static str,
    /// What values look like.
    pub kind: Kind,
    /// What a template of [`Way::Create`](super::Way::Create) does with it.
    pub create: Role,
    /// What a template of [`Way::Generate`](super::Way::Generate) does with it.
    pub generate: Role,
    /// What a template of [`Way::Unwrap`](super::Way::Unwrap) does with it.
    pub unwrap: Role,
    /// The value where a template is silent.
    pub default: Default,
    /// How it may change later.
    pub change: Change,
    /// Whether the value is secret: kept as key material, shown only where the standard calls it readable.
    pub secret: bool,
}

/// What the values of an attribute look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `CK_BBOOL`: one byte, 0 or 1.
    Bool,
    /// `CK_DATE`: eight ASCII digits, or nothing.
    Date,
    /// `CK_ULONG`
    Number,
    /// An array of `CK_MECHANISM_TYPE`.
    Numbers,
    /// Bytes, at most so many.
    Bytes(usize),
}

/// What a way of making objects does with an attribute in its template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It may not be given.
    Forbidden,
    /// It may be given.
    Optional,
    /// It must be given.
    Required,
}

/// How the value of an attribute may change once the object is there. PKCS#11 3.2, section 4.1.2 and the footnotes of the
/// tables of chapter 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Not at all.
    Never,
    /// In a copy only.
    InCopy,
    /// To any value.
    Free,
    /// From false to true.
    Up,
    /// From true to false.
    Down,
    /// To true by the SO only.
    UpBySo,
}

/// The value of an attribute where a template is silent.
#[derive(Clone, Copy)]
pub enum Default {
    /// The object does not have the attribute.
    Absent,
    /// The object has it, with no bytes.
    Empty,
    /// A boolean.
    Bool(bool),
    /// A boolean that depends on the rest of the object.
    Rule(fn(&Draft) -> bool),
    /// The library sets it, from what it knows.
    Set,
}

/// The row of an attribute for objects of a class.
pub fn of_class(class: Class, number: u64) -> Option<&'static Attribute> {
    rows(class).find(|row| row.number == number)
}

/// All rows of a class.
pub fn rows(class: Class) -> impl Iterator<Item = &'static Attribute> {
    let (first, second): (&[Attribute], &[Attribute]) = match class {
        Class::Data => (DATA, &[]),
        Class::SecretKey => (KEY, SECRET_KEY),
    };
    STORAGE.iter().chain(first).chain(second)
}

/// The name of an attribute that any class has, also classes that this token does not keep.
pub fn name(number: u64) -> Option<&'static str> {
    let tables = [STORAGE, DATA, KEY, SECRET_KEY];
    let own = tables.into_iter().flatten().find(|row| row.number == number).map(|row| row.name);
    own.or_else(|| ELSEWHERE.iter().find(|(elsewhere, _)| *elsewhere == number).map(|(_, name)| *name))
}

/// The longest value, in bytes, that an attribute of this number has in any class: nothing longer is looked at.
pub fn longest(number: u64) -> usize {
    if number == CKA_VALUE { DATA_VALUE } else { NAME }
}

use self::Change::{Down, Free, InCopy, Never, Up, UpBySo};
use self::Default::{Absent, Bool, Empty, Rule, Set};
use self::Role::{Forbidden, Optional, Required};

/// The longest label, id, application or value of a data object, in bytes.
const NAME: usize = 64 * 1024;
const DATA_VALUE: usize = 16 * 1024 * 1024;

const fn row(
    number: u64,
    name: &'static str,
    kind: Kind,
    [create, generate, unwrap]: [Role; 3],
    default: Default,
    change: Change,
) -> Attribute {
    Attribute { number, name, kind, create, generate, unwrap, default, change, secret: false }
}

const ANY: [Role; 3] = [Optional; 3];
const NONE: [Role; 3] = [Forbidden; 3];

/// Storage objects. PKCS#11 3.2, section 4.4.
const STORAGE: &[Attribute] = &[
    row(CKA_CLASS, "CKA_CLASS", Kind::Number, [Required, Optional, Required], Set, Never),
    row(CKA_TOKEN, "CKA_TOKEN", Kind::Bool, ANY, Bool(false), InCopy),
    row(CKA_PRIVATE, "CKA_PRIVATE", Kind::Bool, ANY, Rule(Draft::is_private_by_default), InCopy),
    row(CKA_MODIFIABLE, "CKA_MODIFIABLE", Kind::Bool, ANY, Bool(true), InCopy),
    row(CKA_LABEL, "CKA_LABEL", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_COPYABLE, "CKA_COPYABLE", Kind::Bool, ANY, Bool(true), Down),
    row(CKA_DESTROYABLE, "CKA_DESTROYABLE", Kind::Bool, ANY, Bool(true), InCopy),
    row(CKA_UNIQUE_ID, "CKA_UNIQUE_ID", Kind::Bytes(NAME), NONE, Set, Never),
];

/// Data objects. PKCS#11 3.2, section 4.5.
const DATA: &[Attribute] = &[
    row(CKA_APPLICATION, "CKA_APPLICATION", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_OBJECT_ID, "CKA_OBJECT_ID", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_VALUE, "CKA_VALUE", Kind::Bytes(DATA_VALUE), ANY, Empty, Free),
];

/// Keys of every class. PKCS#11 3.2, section 4.8.
const KEY: &[Attribute] = &[
    row(CKA_KEY_TYPE, "CKA_KEY_TYPE", Kind::Number, [Required, Optional, Required], Set, Never),
    row(CKA_ID, "CKA_ID", Kind::Bytes(NAME), ANY, Empty, Free),
    row(CKA_START_DATE, "CKA_START_DATE", Kind::Date, ANY, Empty, Free),
    row(CKA_END_DATE, "CKA_END_DATE", Kind::Date, ANY, Empty, Free),
    row(CKA_DERIVE, "CKA_DERIVE", Kind::Bool, ANY, Bool(false), Free),
    row(CKA_LOCAL, "CKA_LOCAL", Kind::Bool, NONE, Set, Never),
    row(CKA_KEY_GEN_MECHANISM, "CKA_KEY_GEN_MECHANISM", Kind::Number, NONE, Set, Never),
    row(CKA_ALLOWED_MECHANISMS, "CKA_ALLOWED_MECHANISMS", Kind::Numbers, ANY, Absent, Never),
];

/// Secret keys. PKCS#11 3.2, section 4.10, and for the value and its length the sections of each key type in chapter 6.
const SECRET_KEY: &[Attribute] = &[
    row(CKA_SENSITIVE, "CKA_SENSITIVE", Kind::Bool, ANY, Bool(true), Up),
    row(CKA_ENCRYPT, "CKA_ENCRYPT", Kind::Bool, ANY, Rule(Draft::encrypts_by_default), Free),
    row(CKA_DECRYPT, "CKA_DECRYPT", Kind::Bool, ANY, Rule(Draft::encrypts_by_default), Free),
    row(CKA_SIGN, "CKA_SIGN", Kind::Bool, ANY, Bool(true), Free),
    row(CKA_VERIFY, "CKA_VERIFY", Kind::Bool, ANY, Bool(true), Free),
    row(CKA_WRAP, "CKA_WRAP", Kind::Bool, ANY, Bool(false), Free),
    row(CKA_UNWRAP, "CKA_UNWRAP", Kind::Bool, ANY, Bool(false), Free),
    row(CKA_EXTRACTABLE, "CKA_EXTRACTABLE", Kind::Bool, ANY, Rule(Draft::is_extractable_by_default), Down),
    row(CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE", Kind::Bool, NONE, Set, Never),
    row(CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", Kind::Bool, NONE, Set, Never),
    row(CKA_WRAP_WITH_TRUSTED, "CKA_WRAP_WITH_TRUSTED", Kind::Bool, ANY, Bool(false), Up),
    row(CKA_TRUSTED, "CKA_TRUSTED", Kind::Bool, ANY, Bool(false), UpBySo),
    Attribute {
        secret: true,
        ..row(CKA_VALUE, "CKA_VALUE", Kind::Bytes(KeyType::LONGEST), [Required, Forbidden, Forbidden], Absent, Never)
    },
    row(CKA_VALUE_LEN, "CKA_VALUE_LEN", Kind::Number, [Forbidden, Optional, Optional], Set, Never),
];

/// Attributes of classes, and rows, that this token does not have: known, so that a template with one is inconsistent and
/// not of unknown type. PKCS#11 3.2, sections 4.6 to 4.14.
const ELSEWHERE: &[(u64, &str)] = &[
    (CKA_CERTIFICATE_TYPE, "CKA_CERTIFICATE_TYPE"),
    (CKA_ISSUER, "CKA_ISSUER"),
    (CKA_SERIAL_NUMBER, "CKA_SERIAL_NUMBER"),
    (CKA_SUBJECT, "CKA_SUBJECT"),
    (CKA_CHECK_VALUE, "CKA_CHECK_VALUE"),
    (CKA_MODULUS, "CKA_MODULUS"),
    (CKA_MODULUS_BITS, "CKA_MODULUS_BITS"),
    (CKA_PUBLIC_EXPONENT, "CKA_PUBLIC_EXPONENT"),
    (CKA_PRIVATE_EXPONENT, "CKA_PRIVATE_EXPONENT"),
    (CKA_EC_PARAMS, "CKA_EC_PARAMS"),
    (CKA_EC_POINT, "CKA_EC_POINT"),
    (CKA_SIGN_RECOVER, "CKA_SIGN_RECOVER"),
    (CKA_VERIFY_RECOVER, "CKA_VERIFY_RECOVER"),
    (CKA_ALWAYS_AUTHENTICATE, "CKA_ALWAYS_AUTHENTICATE"),
    (CKA_PUBLIC_KEY_INFO, "CKA_PUBLIC_KEY_INFO"),
    (CKA_WRAP_TEMPLATE, "CKA_WRAP_TEMPLATE"),
    (CKA_UNWRAP_TEMPLATE, "CKA_UNWRAP_TEMPLATE"),
    (CKA_DERIVE_TEMPLATE, "CKA_DERIVE_TEMPLATE"),
    (CKA_OWNER, "CKA_OWNER"),
    (CKA_AC_ISSUER, "CKA_AC_ISSUER"),
    (CKA_ATTR_TYPES, "CKA_ATTR_TYPES"),
    (CKA_CERTIFICATE_CATEGORY, "CKA_CERTIFICATE_CATEGORY"),
    (CKA_JAVA_MIDP_SECURITY_DOMAIN, "CKA_JAVA_MIDP_SECURITY_DOMAIN"),
    (CKA_URL, "CKA_URL"),
    (CKA_HASH_OF_SUBJECT_PUBLIC_KEY, "CKA_HASH_OF_SUBJECT_PUBLIC_KEY"),
    (CKA_HASH_OF_ISSUER_PUBLIC_KEY, "CKA_HASH_OF_ISSUER_PUBLIC_KEY"),
    (CKA_NAME_HASH_ALGORITHM, "CKA_NAME_HASH_ALGORITHM"),
    (CKA_PRIME_1, "CKA_PRIME_1"),
    (CKA_PRIME_2, "CKA_PRIME_2"),
    (CKA_EXPONENT_1, "CKA_EXPONENT_1"),
    (CKA_EXPONENT_2, "CKA_EXPONENT_2"),
    (CKA_COEFFICIENT, "CKA_COEFFICIENT"),
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

impl Attribute {
    /// The canonical form of a value that a caller gave, or `None` if it has not the form of the attribute's kind.
    pub fn canonical(&self, given: &[u8]) -> Option<Vec<u8>> {
        self.is_well_formed(given).then(|| self.turn_numbers(given))
    }

    /// Whether a value, canonical or not, has the form of the attribute's kind.
    pub fn is_well_formed(&self, value: &[u8]) -> bool {
        match self.kind {
            Kind::Bool => matches!(value, [0 | 1]),
            Kind::Date => value.is_empty() || (value.len() == 8 && value.iter().all(u8::is_ascii_digit)),
            Kind::Number => value.len() == 8,
            Kind::Numbers => value.len().is_multiple_of(8) && value.len() <= NAME,
            Kind::Bytes(longest) => value.len() <= longest,
        }
    }

    /// The form for a caller of a canonical value.
    pub fn native(&self, canonical: &[u8]) -> Vec<u8> {
        self.turn_numbers(canonical)
    }

    /// Between the machine's byte order and little-endian: the same on every machine we know, and its own inverse.
    fn turn_numbers(&self, value: &[u8]) -> Vec<u8> {
        match self.kind {
            Kind::Number | Kind::Numbers => {
                let (words, _) = value.as_chunks::<8>();
                words.iter().flat_map(|word| u64::from_ne_bytes(*word).to_le_bytes()).collect()
            }
            _ => value.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_class_has_an_attribute_twice() {
        for class in [Class::Data, Class::SecretKey] {
            for row in rows(class) {
                assert_eq!(rows(class).filter(|other| other.number == row.number).count(), 1, "{}", row.name);
            }
        }
    }

    #[test]
    fn values_have_the_form_of_their_kind() {
        let form =
            |number, value: &[u8]| of_class(Class::SecretKey, number).is_some_and(|r| r.canonical(value).is_some());
        assert!(form(CKA_TOKEN, &[1]) && !form(CKA_TOKEN, &[2]) && !form(CKA_TOKEN, &[1; 8]) && !form(CKA_TOKEN, &[]));
        assert!(form(CKA_VALUE_LEN, &[0; 8]) && !form(CKA_VALUE_LEN, &[0; 4]));
        assert!(form(CKA_START_DATE, b"") && form(CKA_START_DATE, b"20261124") && !form(CKA_START_DATE, b"2026112x"));
        assert!(form(CKA_ALLOWED_MECHANISMS, &[0; 16]) && !form(CKA_ALLOWED_MECHANISMS, &[0; 15]));
    }
}
