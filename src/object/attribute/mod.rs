//! The attribute table: one row per attribute of a class, or of a class and a key type. Create, generate, unwrap, derive,
//! copy, change, get and find read these rows. To add an attribute, add a row to its class's file.

mod certificate;
mod elsewhere;
mod pair;
mod secret_key;
mod storage;
mod vendor;

pub use vendor::CKA_KEYSTEAD_MASKABLE;

use cryptoki_sys::*;

use super::draft::Draft;
use super::{curve, nested};
use crate::key::{Class, KeyType};

/// One attribute of one class, or of some, or of all.
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
    /// What a template of [`Way::Unwrap`](super::Way::Unwrap) does with it. One of [`Way::Derive`](super::Way::Derive) does
    /// the same, but nothing is required there.
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
    /// A big integer: big-endian, with or without zeros in front, at most so many bytes.
    Integer(usize),
    /// A template: see [`nested`](super::nested).
    Template,
    /// The parameters of a curve, DER. PKCS#11 3.2, section 6.3.
    Curve,
    /// A point of a curve in a DER `OCTET STRING`; the bare point is taken too. PKCS#11 3.2, section 6.3.
    Point,
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
    /// A number.
    Number(u64),
    /// A boolean that depends on the rest of the object.
    Rule(fn(&Draft) -> bool),
    /// The library sets it, from what it knows.
    Set,
}

/// The row of an attribute for objects of a class and, for keys, of a type.
pub fn of(class: Class, key_type: Option<KeyType>, number: u64) -> Option<&'static Attribute> {
    rows(class, key_type).find(|row| row.number == number)
}

/// All rows of a class and, for keys, of a type.
pub fn rows(class: Class, key_type: Option<KeyType>) -> impl Iterator<Item = &'static Attribute> {
    let tables: [&[Attribute]; 4] = match class {
        Class::Data => [storage::DATA, &[], &[], &[]],
        Class::Certificate => [certificate::CERTIFICATE, certificate::X_509, &[], &[]],
        Class::SecretKey => [storage::KEY, secret_key::SECRET_KEY, vendor::KEY, &[]],
        Class::PublicKey => [storage::KEY, pair::PUBLIC_KEY, pair::of_public(key_type), &[]],
        Class::PrivateKey => [storage::KEY, pair::PRIVATE_KEY, pair::of_private(key_type), vendor::KEY],
    };
    storage::STORAGE.iter().chain(tables.into_iter().flatten())
}

/// A row of an attribute, whatever class has it: its values have one form in all classes, but not one limit.
pub fn of_any_class(number: u64) -> Option<&'static Attribute> {
    TABLES.iter().copied().flatten().find(|row| row.number == number)
}

/// The form for a caller of a canonical value, whatever class has it.
pub fn native(number: u64, canonical: &[u8]) -> Vec<u8> {
    of_any_class(number).map_or_else(|| canonical.to_vec(), |row| row.native(canonical))
}

/// Whether a class has an attribute of this number with a value that stays inside.
pub fn is_secret(number: u64) -> bool {
    TABLES.iter().copied().flatten().any(|row| row.number == number && row.secret)
}

/// The name of an attribute that any class has, also classes that this token does not keep.
pub fn name(number: u64) -> Option<&'static str> {
    let own = of_any_class(number).map(|row| row.name);
    own.or_else(|| elsewhere::NAMES.iter().find(|(elsewhere, _)| *elsewhere == number).map(|(_, name)| *name))
}

/// The longest value, in bytes, that an attribute of this number has in any class: nothing longer is looked at.
pub fn longest(number: u64) -> usize {
    if number == CKA_VALUE { storage::DATA_VALUE } else { NAME }
}

const TABLES: &[&[Attribute]] = &[
    storage::STORAGE,
    storage::DATA,
    storage::KEY,
    certificate::CERTIFICATE,
    certificate::X_509,
    secret_key::SECRET_KEY,
    pair::PUBLIC_KEY,
    pair::PRIVATE_KEY,
    pair::RSA_PUBLIC,
    pair::RSA_PRIVATE,
    pair::EC_PUBLIC,
    pair::EC_PRIVATE,
    vendor::KEY,
];

/// The longest label, id, name or application, in bytes.
const NAME: usize = 64 * 1024;

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

/// A row of which only the library may show the value, and only where the standard calls it readable.
const fn secret(number: u64, name: &'static str, kind: Kind, create: Role) -> Attribute {
    let roles = [create, Role::Forbidden, Role::Forbidden];
    Attribute { secret: true, ..row(number, name, kind, roles, Default::Absent, Change::Never) }
}

const ANY: [Role; 3] = [Role::Optional; 3];
const NONE: [Role; 3] = [Role::Forbidden; 3];

impl Attribute {
    /// The canonical form of a value that a caller gave, or `None` if it has not the form of the attribute's kind.
    pub fn canonical(&self, given: &[u8]) -> Option<Vec<u8>> {
        let given = if self.kind == Kind::Curve { curve::canonical(given) } else { given };
        self.is_well_formed(given).then(|| self.turn_numbers(given))
    }

    /// Whether a value, canonical or not, has the form of the attribute's kind.
    pub fn is_well_formed(&self, value: &[u8]) -> bool {
        match self.kind {
            Kind::Bool => matches!(value, [0 | 1]),
            Kind::Date => value.is_empty() || (value.len() == 8 && value.iter().all(u8::is_ascii_digit)),
            Kind::Number => value.len() == 8,
            Kind::Numbers => value.len().is_multiple_of(8) && value.len() <= NAME,
            Kind::Bytes(longest) | Kind::Integer(longest) => value.len() <= longest,
            Kind::Template => nested::read(value).is_some(),
            Kind::Curve => value.len() <= NAME,
            Kind::Point => (1..=NAME).contains(&value.len()),
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
        let types: Vec<_> = KeyType::PAIRS.iter().map(|key_type| Some(*key_type)).chain([None]).collect();
        for (class, key_type) in Class::ALL.iter().flat_map(|class| types.iter().map(move |of| (*class, *of))) {
            for row in rows(class, key_type) {
                let same = rows(class, key_type).filter(|other| other.number == row.number).count();
                assert_eq!(same, 1, "{}", row.name);
            }
        }
    }

    #[test]
    fn values_have_the_form_of_their_kind() {
        let form =
            |number, value: &[u8]| of(Class::SecretKey, None, number).is_some_and(|r| r.canonical(value).is_some());
        assert!(form(CKA_TOKEN, &[1]) && !form(CKA_TOKEN, &[2]) && !form(CKA_TOKEN, &[1; 8]) && !form(CKA_TOKEN, &[]));
        assert!(form(CKA_VALUE_LEN, &[0; 8]) && !form(CKA_VALUE_LEN, &[0; 4]));
        assert!(form(CKA_START_DATE, b"") && form(CKA_START_DATE, b"20261124") && !form(CKA_START_DATE, b"2026112x"));
        assert!(form(CKA_ALLOWED_MECHANISMS, &[0; 16]) && !form(CKA_ALLOWED_MECHANISMS, &[0; 15]));
    }
}
