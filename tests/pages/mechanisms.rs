//! `docs/mechanisms.md`: its last table is written from the mechanism table, and what stands before it, by hand, names what is there.

use std::collections::BTreeSet;
use std::fmt::Write;

use cryptoki_sys::*;
use keystead::config::Settings;
use keystead::mechanism::{Mechanism, Mechanisms, Shape, Unit};

/// What the table begins behind.
const HEADING: &str = "## All mechanisms\n";

/// The page as it is, with its table as it should be.
pub fn page(written: &str) -> String {
    let (prose, _) = written.split_once(HEADING).expect("the page has the heading of its table");
    let mut page = format!("{prose}{HEADING}\n{INTRODUCTION}\n");
    page.push_str("| mechanism | parameter | keys | sizes | does |\n| --- | --- | --- | --- | --- |\n");
    for row in Mechanisms::new(&Settings::default()).all() {
        let (name, parameter) = (row.name, parameter(row.parameter));
        writeln!(page, "| `{name}` | {parameter} | {} | {} | {} |", keys(row), sizes(row), does(row)).unwrap();
    }
    page
}

const INTRODUCTION: &str = "\
Written from the table in `src/mechanism` (`make docs`); a test fails when it is not what the table says. Sizes are those of
`C_GetMechanismInfo`, under the default configuration.
";

/// Every mechanism is in the table of families, and every name there is one.
pub fn check_families(written: &str) {
    let table = Mechanisms::new(&Settings::default());
    let named = |row: &Mechanism| row.name.trim_start_matches("CKM_");
    let known: BTreeSet<&str> = table.all().iter().map(|row| named(row)).collect();
    let wrap: BTreeSet<&str> = table.all().iter().filter(|row| row.does.wrap.is_some()).map(|row| named(row)).collect();
    let mut seen = BTreeSet::new();
    let families = written.lines().skip_while(|line| !line.starts_with("| family")).skip(2);
    for line in families.take_while(|line| line.starts_with('|')) {
        let mut family = BTreeSet::new();
        for name in line.split('`').skip(1).step_by(2) {
            let fits = |known: &&&str| match name.split_once('*') {
                Some((front, back)) => known.starts_with(front) && known.ends_with(back),
                None => **known == name,
            };
            let found: Vec<&str> = known.iter().filter(fits).copied().collect();
            assert!(!found.is_empty(), "docs/mechanisms.md: there is no mechanism {name}");
            family.extend(found);
        }
        if line.starts_with("| wrapping") {
            assert_eq!(family, wrap, "docs/mechanisms.md: what wraps");
        }
        seen.extend(family);
    }
    let missing: Vec<_> = known.difference(&seen).collect();
    assert!(missing.is_empty(), "docs/mechanisms.md: in no family: {missing:?}");
}

fn parameter(shape: Shape) -> &'static str {
    match shape {
        Shape::None => "none",
        Shape::Bytes => "bytes",
        Shape::Counter => "`CK_AES_CTR_PARAMS`",
        Shape::Gcm => "`CK_GCM_PARAMS`, `CK_GCM_WRAP_PARAMS`",
        Shape::Number => "`CK_ULONG`",
        Shape::Pss => "`CK_RSA_PKCS_PSS_PARAMS`",
        Shape::Oaep => "`CK_RSA_PKCS_OAEP_PARAMS`",
        Shape::RsaAes => "`CK_RSA_AES_KEY_WRAP_PARAMS`",
        Shape::Ecdh => "`CK_ECDH1_DERIVE_PARAMS`",
        Shape::Eddsa => "`CK_EDDSA_PARAMS` or none",
    }
}

fn keys(row: &Mechanism) -> String {
    let types = row.keys.as_ref().map(|keys| keys.types).unwrap_or_default();
    types.iter().map(|key_type| format!("`{}`", super::key_type_name(*key_type))).collect::<Vec<_>>().join(", ")
}

fn sizes(row: &Mechanism) -> String {
    let Some(keys) = &row.keys else { return String::new() };
    let unit = if keys.unit == Unit::Bytes { "bytes" } else { "bits" };
    match row.key_sizes() {
        (least, most) if least == most => format!("{least} {unit}"),
        (least, most) => format!("{least} to {most} {unit}"),
    }
}

fn does(row: &Mechanism) -> String {
    let words = DOES.iter().filter(|(flag, _)| row.flags() & flag != 0).map(|(_, word)| *word);
    words.collect::<Vec<_>>().join(", ")
}

const DOES: [(CK_FLAGS, &str); 9] = [
    (CKF_GENERATE, "generates"),
    (CKF_GENERATE_KEY_PAIR, "generates pairs"),
    (CKF_ENCRYPT, "encrypts"),
    (CKF_WRAP, "wraps"),
    (CKF_SIGN, "signs"),
    (CKF_SIGN_RECOVER, "recovers"),
    (CKF_DIGEST, "digests"),
    (CKF_DERIVE, "derives"),
    (CKF_EC_COMPRESS, "takes compressed points"),
];
