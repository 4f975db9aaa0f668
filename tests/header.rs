//! `include/keystead.h` is clean as C99 and as C++, needs nothing but itself, and says the numbers that the library uses.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::Command;

use keystead::key::{CKK_KEYSTEAD_DOMAIN, CKK_KEYSTEAD_DOMAIN_REQUEST};
use keystead::mechanism::CKM_KEYSTEAD_MASK;
use keystead::object::attribute::CKA_KEYSTEAD_MASKABLE;

const NUMBERS: [(&str, u64); 4] = [
    ("CKA_KEYSTEAD_MASKABLE", CKA_KEYSTEAD_MASKABLE),
    ("CKM_KEYSTEAD_MASK", CKM_KEYSTEAD_MASK),
    ("CKK_KEYSTEAD_DOMAIN", CKK_KEYSTEAD_DOMAIN),
    ("CKK_KEYSTEAD_DOMAIN_REQUEST", CKK_KEYSTEAD_DOMAIN_REQUEST),
];

#[test]
fn the_header_compiles_alone_and_its_numbers_are_the_librarys() {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let folder = tempfile::tempdir().unwrap();
    // What fails to compile where a number differs: an array of negative length.
    let checks: String = NUMBERS
        .iter()
        .map(|(name, number)| format!("typedef char is_{name}[{name} == {number}UL ? 1 : -1];\n"))
        .collect();
    let source = format!("#include \"keystead.h\"\n#include \"keystead.h\"\n{checks}int main(void) {{ return 0; }}\n");
    for (compiler, standard, name) in [("cc", "-std=c99", "host.c"), ("c++", "-std=c++11", "host.cc")] {
        let file = folder.path().join(name);
        std::fs::write(&file, &source).unwrap();
        let flags = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", standard, "-I"];
        let output = Command::new(compiler).args(flags).arg(&include).arg(&file).output().expect("a compiler");
        assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// None is left out above.
#[test]
fn every_number_of_the_header_is_compared() {
    let text = include_str!("../include/keystead.h");
    let defined = text.lines().filter_map(|line| line.strip_prefix("#define CK")?.split(' ').next());
    let defined: Vec<String> = defined.map(|name| format!("CK{name}")).collect();
    assert_eq!(defined, NUMBERS.map(|(name, _)| name));
}
