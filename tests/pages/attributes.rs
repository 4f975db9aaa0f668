//! `docs/attributes.md`: every attribute of every class, from its row.

use std::fmt::Write;

use keystead::key::{CertificateType, Class, FeatureType, Type};
use keystead::object::attribute::{self, Attribute, Change, Default, ELSEWHERE, Kind, Role, WITHOUT_ROWS};

/// The page.
pub fn page() -> String {
    let mut page = INTRODUCTION.to_string();
    for (class, name, remark) in CLASSES {
        writeln!(page, "\n## {name}\n").unwrap();
        if !remark.is_empty() {
            writeln!(page, "{remark}\n").unwrap();
        }
        let types = class.types();
        let common: Vec<_> = attribute::rows(*class, None).collect();
        table(&mut page, *class, &common);
        for (types, rows) in by_rows(*class, &types, &common) {
            let names: Vec<_> = types.iter().map(|of| format!("`{}`", type_name(*of))).collect();
            if rows.is_empty() {
                writeln!(page, "\n{}: nothing besides.", names.join(", ")).unwrap();
            } else {
                writeln!(page, "\n{}, besides:\n", names.join(", ")).unwrap();
                table(&mut page, *class, &rows);
            }
        }
    }
    elsewhere(&mut page);
    page
}

const INTRODUCTION: &str = "\
# Attributes

Every attribute of PKCS#11 2.40 to 3.2, class by class, as the token treats it. This page is written from the table in
`src/object/attribute` (`make docs`), and a test fails when it is not what the table says.

**create**, **generate**, **unwrap**, **derive**: whether a template of `C_CreateObject`, `C_GenerateKey` and `C_GenerateKeyPair`,
`C_UnwrapKey`, `C_DeriveKey` must give the attribute, may, or must not (-: `CKR_ATTRIBUTE_READ_ONLY`).
**default**: the value where the template is silent; \"the token's\" where the token sets it from what it knows, \"none\" where the
object then has no such attribute. **set**, **copy**: how `C_SetAttributeValue` and `C_CopyObject` may change it. What is **inside**
is kept with the key's value, and shown only by a key that is not sensitive and extractable.

An attribute of another class or type is `CKR_TEMPLATE_INCONSISTENT`, one that nobody knows `CKR_ATTRIBUTE_TYPE_INVALID`.

Two defaults are not the standard's, which has FALSE: `CKA_SENSITIVE` is TRUE, since most keys are never meant to be shown; and a private
key of an EC or Montgomery curve may derive, since clients derive with keys of which they said nothing.

A copy lowers no protection: what is private, sensitive, unextractable or uncopyable stays so. Dates hold a key only under
`[keys] dates`, and whoever may change or copy the key may change them: make it neither modifiable nor copyable.
";

/// The classes in the order of the standard, with what is to be said of each.
const CLASSES: &[(Class, &str, &str)] = &[
    (Class::Data, "Data, `CKO_DATA`", ""),
    (Class::Certificate, "Certificates, `CKO_CERTIFICATE`", "A certificate that is trusted is changed by the SO alone."),
    (
        Class::Trust,
        "Trust, `CKO_TRUST`",
        "More than `CKT_NOT_TRUSTED` needs the hash of the certificate: `CKR_TEMPLATE_INCOMPLETE`. The standard leaves trust
objects to every user, and so does the token.",
    ),
    (
        Class::PublicKey,
        "Public keys, `CKO_PUBLIC_KEY`",
        "Points and public key information are checked when the key is made. Points are taken in a DER `OCTET STRING` or bare, and shown in
one; keys of Edwards and Montgomery curves show the bare point, as 3.1 and 3.2 have it, with `[objects] edwards-points = \"raw\"` in the
configuration.",
    ),
    (Class::PrivateKey, "Private keys, `CKO_PRIVATE_KEY`", ""),
    (
        Class::SecretKey,
        "Secret keys, `CKO_SECRET_KEY`",
        "`CKA_START_DATE` and `CKA_END_DATE` are kept, here and for all keys, and restrict nothing: the standard leaves that to
programs. With `[keys] dates = \"enforce\"` in the configuration, a use before the first day, in UTC, is
`CKR_KEY_FUNCTION_NOT_PERMITTED`, and so is one after the last day that makes something new: encryption, signature, MAC, wrapping,
derivation, digest. What the key made is still decrypted, verified and unwrapped. An operation that has begun goes on.",
    ),
    (
        Class::OtpKey,
        "Keys of one-time passwords, `CKO_OTP_KEY`",
        "They are kept, with their value sealed; no mechanism here uses them, and they are not wrapped.",
    ),
    (
        Class::DomainParameters,
        "Domain parameters, `CKO_DOMAIN_PARAMETERS`",
        "Numbers that are no parameters at first sight are `CKR_DOMAIN_PARAMS_INVALID`. Whether a prime is one is not asked.",
    ),
    (
        Class::Profile,
        "Profiles, `CKO_PROFILE`",
        "What the token conforms to, as PKCS#11 Profiles 3.2 has it: `CKP_BASELINE_PROVIDER`, `CKP_EXTENDED_PROVIDER` and
`CKP_PUBLIC_CERTIFICATES_TOKEN`. They are there before login, on every token, and in no store. They are the token's to make, as are
all classes below: to create one is `CKR_ATTRIBUTE_VALUE_INVALID`, to change, copy or destroy one `CKR_ACTION_PROHIBITED`.",
    ),
    (Class::Mechanism, "Mechanisms, `CKO_MECHANISM`", "The token has none: `C_GetMechanismInfo` says everything."),
    (Class::Validation, "Validations, `CKO_VALIDATION`", "The token has none: nobody has validated it."),
    (Class::HwFeature, "Hardware features, `CKO_HW_FEATURE`", "The token has none: it is no hardware."),
];

/// Types with the rows that they have besides, those with the same rows together.
fn by_rows(class: Class, types: &[Type], common: &[&'static Attribute]) -> Vec<(Vec<Type>, Vec<&'static Attribute>)> {
    let mut groups: Vec<(Vec<Type>, Vec<&'static Attribute>)> = Vec::new();
    for of in types {
        let is_besides = |row: &&Attribute| !common.iter().any(|common| std::ptr::eq(*common, *row));
        let rows: Vec<_> = attribute::rows(class, Some(*of)).filter(is_besides).collect();
        let numbers = |rows: &[&Attribute]| rows.iter().map(|row| row.number).collect::<Vec<_>>();
        match groups.iter_mut().find(|(_, known)| numbers(known) == numbers(&rows)) {
            Some((types, _)) => types.push(*of),
            None => groups.push((vec![*of], rows)),
        }
    }
    groups
}

fn table(page: &mut String, class: Class, rows: &[&Attribute]) {
    if class.is_built_in() {
        page.push_str("| attribute | value | it is |\n| --- | --- | --- |\n");
        for row in rows {
            writeln!(page, "| `{}` | {} | {} |", row.name, value(row), default(row)).unwrap();
        }
    } else if class.is_key() {
        page.push_str("| attribute | value | create | generate | unwrap | derive | default | set | copy |\n");
        page.push_str("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
        for row in rows {
            let roles = match class {
                Class::PublicKey => [role(row.create), role(row.generate), "", ""],
                Class::PrivateKey => [role(row.create), role(row.generate), role(row.unwrap), ""],
                Class::OtpKey => [role(row.create), "", "", ""],
                _ => [role(row.create), role(row.generate), role(row.unwrap), derived(row.unwrap)],
            };
            let (set, copy) = changes(row);
            let (name, value, default) = (row.name, value(row), default(row));
            writeln!(page, "| `{name}` | {value} | {} | {default} | {set} | {copy} |", roles.join(" | ")).unwrap();
        }
    } else {
        page.push_str("| attribute | value | create | default | set | copy |\n| --- | --- | --- | --- | --- | --- |\n");
        for row in rows {
            let (set, copy) = changes(row);
            let (name, value, create, default) = (row.name, value(row), role(row.create), default(row));
            writeln!(page, "| `{name}` | {value} | {create} | {default} | {set} | {copy} |").unwrap();
        }
    }
}

fn value(row: &Attribute) -> String {
    let kind = match row.kind {
        Kind::Bool => "`CK_BBOOL`".into(),
        Kind::Date => "`CK_DATE` or nothing".into(),
        Kind::Number => "`CK_ULONG`".into(),
        Kind::Choice(most) => format!("`CK_ULONG`, 0 to {most}"),
        Kind::Numbers => "list of `CK_ULONG`".into(),
        Kind::Digits(count) => format!("{count} digits or nothing"),
        Kind::Bytes(most) => format!("bytes, up to {most}"),
        Kind::Exactly(length) => format!("{length} bytes or nothing"),
        Kind::Integer(most) => format!("big integer, up to {most} bytes"),
        Kind::Template => "template".into(),
        Kind::Curve => "DER: identifier or name of a curve".into(),
        Kind::Point => "point, in a DER `OCTET STRING` or bare".into(),
    };
    if row.secret { format!("{kind}; inside") } else { kind }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Forbidden => "-",
        Role::Optional => "may",
        Role::Required => "must",
    }
}

fn derived(unwrap: Role) -> &'static str {
    if unwrap == Role::Forbidden { "-" } else { "may" }
}

fn default(row: &Attribute) -> String {
    match row.default {
        Default::Absent => "none".into(),
        Default::Empty => "empty".into(),
        Default::Bool(value) => if value { "TRUE" } else { "FALSE" }.into(),
        Default::Number(value) => value.to_string(),
        Default::Rule(_, says) => says.into(),
        Default::Set if row.create == Role::Required => String::new(),
        Default::Set => "the token's".into(),
    }
}

fn changes(row: &Attribute) -> (&'static str, &'static str) {
    match row.change {
        Change::Never => ("-", "-"),
        Change::InCopy => ("-", "yes"),
        Change::UpInCopy => ("-", "to TRUE"),
        Change::Free => ("yes", "yes"),
        Change::Up => ("to TRUE", "to TRUE"),
        Change::Down => ("to FALSE", "to FALSE"),
        Change::Away => ("to nothing", "to nothing"),
        Change::BySo => ("by the SO", "by the SO"),
    }
}

fn elsewhere(page: &mut String) {
    page.push_str("\n## Known, and kept nowhere here\n\n");
    page.push_str("Keys of these types are not kept (`CKR_ATTRIBUTE_VALUE_INVALID` for `CKA_KEY_TYPE`); their attributes are known:\n\n");
    page.push_str("| type | public key | private key |\n| --- | --- | --- |\n");
    for keys in ELSEWHERE {
        let [public, private] = keys.halves.map(|rows| names(rows.iter().map(|row| row.name)));
        writeln!(page, "| `{}` | {public} | {private} |", keys.name).unwrap();
    }
    page.push_str("\nSo are, by name, the attributes of the double ratchet and two that were given up after 2.11:\n");
    writeln!(page, "{}.", names(WITHOUT_ROWS.iter().map(|(_, name)| *name))).unwrap();
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn type_name(of: Type) -> String {
    match of {
        Type::Key(key_type) => super::key_type_name(key_type),
        Type::Certificate(CertificateType::X509) => "CKC_X_509".into(),
        Type::Certificate(CertificateType::X509Attribute) => "CKC_X_509_ATTR_CERT".into(),
        Type::Certificate(CertificateType::Wtls) => "CKC_WTLS".into(),
        Type::HwFeature(FeatureType::MonotonicCounter) => "CKH_MONOTONIC_COUNTER".into(),
        Type::HwFeature(FeatureType::Clock) => "CKH_CLOCK".into(),
        Type::HwFeature(FeatureType::UserInterface) => "CKH_USER_INTERFACE".into(),
    }
}
