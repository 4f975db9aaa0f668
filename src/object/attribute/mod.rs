//! The attribute table: one row per attribute of a class, or of a class and a type within it. Create, generate, unwrap,
//! derive, copy, change, get and find read these rows, and `docs/attributes.md` is written from them. To add an attribute, add
//! a row to its class's file.

mod built_in;
mod certificate;
mod elsewhere;
mod kind;
mod otp;
mod pair;
mod parameters;
mod secret_key;
mod storage;
mod trust;
mod vendor;

pub use elsewhere::{ELSEWHERE, Elsewhere, WITHOUT_ROWS};
pub use kind::Kind;
pub use trust::trusts;
pub use vendor::CKA_KEYSTEAD_MASKABLE;

use cryptoki_sys::*;

use super::draft::Draft;
use crate::key::{CertificateType, Class, FeatureType, KeyType, Type};

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
    /// In a copy only, from false to true.
    UpInCopy,
    /// To any value.
    Free,
    /// From false to true.
    Up,
    /// From true to false.
    Down,
    /// To no bytes, which takes it away.
    Away,
    /// By the SO only.
    BySo,
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
    /// A boolean that depends on the rest of the object, and on what in words.
    Rule(fn(&Draft) -> bool, &'static str),
    /// The library sets it, from what it knows.
    Set,
}

/// The row of an attribute for objects of a class and a type within it.
pub fn of(class: Class, of: Option<Type>, number: u64) -> Option<&'static Attribute> {
    rows(class, of).find(|row| row.number == number)
}

/// All rows of a class and a type within it.
pub fn rows(class: Class, of: Option<Type>) -> impl Iterator<Item = &'static Attribute> {
    let key_type = of.and_then(Type::key);
    let tables: [&[Attribute]; 6] = match class {
        Class::Data => [storage::STORAGE, storage::DATA, &[], &[], &[], &[]],
        Class::Certificate => [storage::STORAGE, certificate::CERTIFICATE, certificate::of(of), &[], &[], &[]],
        Class::SecretKey => [storage::STORAGE, storage::KEY, secret_key::SECRET_KEY, &[], &[], vendor::KEY],
        Class::PublicKey => [storage::STORAGE, storage::KEY, pair::PUBLIC_KEY, pair::of_public(key_type), &[], &[]],
        Class::PrivateKey => {
            [storage::STORAGE, storage::KEY, pair::PRIVATE_KEY, pair::of_private(key_type), &[], vendor::KEY]
        }
        Class::OtpKey => [storage::STORAGE, storage::KEY, secret_key::SECRET_KEY, otp::OTP_KEY, otp::of(key_type), &[]],
        Class::DomainParameters => [storage::STORAGE, parameters::PARAMETERS, parameters::of(key_type), &[], &[], &[]],
        Class::Trust => [storage::STORAGE, trust::TRUST, &[], &[], &[], &[]],
        Class::Profile => [built_in::STORAGE, built_in::PROFILE, &[], &[], &[], &[]],
        Class::Mechanism => [built_in::MECHANISM, &[], &[], &[], &[], &[]],
        Class::Validation => [built_in::STORAGE, built_in::VALIDATION, &[], &[], &[], &[]],
        Class::HwFeature => [built_in::FEATURE, built_in::of(of), &[], &[], &[], &[]],
    };
    storage::COMMON.iter().chain(tables.into_iter().flatten())
}

/// A row of an attribute, whatever class has it: its values have one form in all classes, but not one limit.
pub fn of_any_class(number: u64) -> Option<&'static Attribute> {
    all().find(|row| row.number == number)
}

/// The form for a caller of a canonical value, whatever class has it.
pub fn native(number: u64, canonical: &[u8]) -> Vec<u8> {
    of_any_class(number).map_or_else(|| canonical.to_vec(), |row| row.native(canonical))
}

/// Whether a class has an attribute of this number with a value that stays inside.
pub fn is_secret(number: u64) -> bool {
    all().any(|row| row.number == number && row.secret)
}

/// The name of an attribute of the standard or of ours, also of what this token does not keep.
pub fn name(number: u64) -> Option<&'static str> {
    let row = of_any_class(number).map(|row| row.name);
    row.or_else(|| WITHOUT_ROWS.iter().find(|(elsewhere, _)| *elsewhere == number).map(|(_, name)| *name))
}

/// The longest value, in bytes, that an attribute of this number has in any class: nothing longer is looked at.
pub fn longest(number: u64) -> usize {
    if number == CKA_VALUE { storage::DATA_VALUE } else { NAME }
}

/// Every row: those of objects that are kept, and those of keys that only other tokens keep.
fn all() -> impl Iterator<Item = &'static Attribute> {
    let elsewhere = ELSEWHERE.iter().flat_map(|keys| keys.halves);
    TABLES.iter().copied().chain(elsewhere).flatten()
}

const TABLES: &[&[Attribute]] = &[
    storage::COMMON,
    storage::STORAGE,
    storage::DATA,
    storage::KEY,
    certificate::CERTIFICATE,
    certificate::X_509,
    certificate::X_509_ATTRIBUTE,
    certificate::WTLS,
    secret_key::SECRET_KEY,
    pair::PUBLIC_KEY,
    pair::PRIVATE_KEY,
    pair::RSA_PUBLIC,
    pair::RSA_PRIVATE,
    pair::EC_PUBLIC,
    pair::EC_PRIVATE,
    vendor::KEY,
    otp::OTP_KEY,
    otp::SECURID,
    otp::HOTP,
    otp::ACTI,
    parameters::PARAMETERS,
    parameters::DSA,
    parameters::DH,
    parameters::X9_42_DH,
    trust::TRUST,
    built_in::STORAGE,
    built_in::PROFILE,
    built_in::MECHANISM,
    built_in::VALIDATION,
    built_in::FEATURE,
    built_in::COUNTER,
    built_in::CLOCK,
    built_in::INTERFACE,
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

/// May be given by who creates the object, and by nobody else.
const AT_CREATION: [Role; 3] = [Role::Optional, Role::Forbidden, Role::Forbidden];
/// Must be given by who creates the object, and may be by nobody else.
const CREATE: [Role; 3] = [Role::Required, Role::Forbidden, Role::Forbidden];

#[cfg(test)]
mod tests {
    use super::*;

    /// Every class with each of its types, or with none.
    fn shapes() -> impl Iterator<Item = (Class, Option<Type>)> {
        Class::ALL.iter().flat_map(|class| {
            let types: Vec<_> = class.types().into_iter().map(Some).collect();
            let types = if types.is_empty() { vec![None] } else { types };
            types.into_iter().map(move |of| (*class, of))
        })
    }

    #[test]
    fn no_class_has_an_attribute_twice() {
        for (class, of) in shapes() {
            for row in rows(class, of) {
                let same = rows(class, of).filter(|other| other.number == row.number).count();
                assert_eq!(same, 1, "{}", row.name);
            }
        }
    }

    /// What is said of an attribute whatever class has it is true of all of them.
    #[test]
    fn an_attribute_has_one_name_and_one_form() {
        let form = |row: &Attribute| {
            match row.kind {
                Kind::Number | Kind::Choice(_) => "number",
                Kind::Bool | Kind::Numbers | Kind::Template | Kind::Curve => return format!("{:?}", row.kind),
                _ => "bytes",
            }
            .to_string()
        };
        for (row, other) in all().flat_map(|row| all().map(move |other| (row, other))) {
            if row.number == other.number {
                assert_eq!((row.name, form(row)), (other.name, form(other)));
            } else {
                assert_ne!(row.name, other.name);
            }
        }
    }

    #[test]
    fn every_row_is_reached_by_its_number() {
        for (class, of) in shapes() {
            assert!(rows(class, of).all(|row| TABLES.iter().copied().flatten().any(|known| std::ptr::eq(known, row))));
        }
        let reached = |row: &Attribute| shapes().any(|(class, of)| rows(class, of).any(|own| std::ptr::eq(own, row)));
        let lost: Vec<_> = TABLES.iter().copied().flatten().filter(|row| !reached(row)).map(|row| row.name).collect();
        assert_eq!(lost, Vec::<&str>::new());
    }

    #[test]
    fn values_have_the_form_of_their_kind() {
        let form =
            |number, value: &[u8]| of(Class::SecretKey, None, number).is_some_and(|r| r.canonical(value).is_some());
        assert!(form(CKA_TOKEN, &[1]) && !form(CKA_TOKEN, &[2]) && !form(CKA_TOKEN, &[1; 8]) && !form(CKA_TOKEN, &[]));
        assert!(form(CKA_VALUE_LEN, &[0; 8]) && !form(CKA_VALUE_LEN, &[0; 4]) && !form(CKA_VALUE_LEN, &[0; 9]));
        assert!(form(CKA_START_DATE, b"") && form(CKA_START_DATE, b"20261124") && !form(CKA_START_DATE, b"2026112x"));
        assert!(form(CKA_ALLOWED_MECHANISMS, &[0; 16]) && !form(CKA_ALLOWED_MECHANISMS, &[0; 15]));
        let trust = |value: u64| {
            of(Class::Trust, None, CKA_TRUST_IPSEC_IKE).is_some_and(|r| r.canonical(&value.to_ne_bytes()).is_some())
        };
        assert!(trust(0) && trust(4) && !trust(5) && !trust(1 << 56));
        let counter = |value: &[u8]| {
            let hotp = Some(Type::Key(KeyType::Hotp));
            of(Class::OtpKey, hotp, CKA_OTP_COUNTER).is_some_and(|row| row.canonical(value).is_some())
        };
        assert!(counter(&[]) && counter(&[0; 8]) && !counter(&[0; 7]));
    }
}
