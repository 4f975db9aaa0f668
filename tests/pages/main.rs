//! Pages of `docs` that are written from the tables of the library. `make docs` writes them; without that, a page that is no
//! longer what the tables say fails here.

// A test says what it expects by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attributes;
mod constants;
mod mechanisms;

use std::path::{Path, PathBuf};

use keystead::key::KeyType;

#[test]
fn attributes_are_those_of_the_table() {
    compare("attributes.md", &attributes::page());
}

#[test]
fn mechanisms_are_those_of_the_table() {
    let written = std::fs::read_to_string(path("mechanisms.md")).expect("docs/mechanisms.md");
    compare("mechanisms.md", &mechanisms::page(&written));
}

#[test]
fn every_mechanism_is_in_a_family() {
    mechanisms::check_families(&std::fs::read_to_string(path("mechanisms.md")).expect("docs/mechanisms.md"));
}

/// The standard's name of a key type.
fn key_type_name(key_type: KeyType) -> String {
    match key_type {
        KeyType::Hmac(hash) => {
            let hash = format!("{hash:?}").to_uppercase();
            // SHA-1 alone is written with a line below; the families of SHA-3 and SHA-512/t have one inside as they are.
            return format!("CKK_{}_HMAC", if hash == "SHA1" { "SHA_1".into() } else { hash });
        }
        KeyType::Aes => "CKK_AES",
        KeyType::GenericSecret => "CKK_GENERIC_SECRET",
        KeyType::Rsa => "CKK_RSA",
        KeyType::Ec => "CKK_EC",
        KeyType::EcEdwards => "CKK_EC_EDWARDS",
        KeyType::EcMontgomery => "CKK_EC_MONTGOMERY",
        KeyType::Dsa => "CKK_DSA",
        KeyType::Dh => "CKK_DH",
        KeyType::X942Dh => "CKK_X9_42_DH",
        KeyType::SecurId => "CKK_SECURID",
        KeyType::Hotp => "CKK_HOTP",
        KeyType::Acti => "CKK_ACTI",
        KeyType::Domain => "CKK_KEYSTEAD_DOMAIN",
        KeyType::DomainRequest => "CKK_KEYSTEAD_DOMAIN_REQUEST",
    }
    .into()
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}

/// Compares a page with what it should be, or writes it where `KEYSTEAD_WRITE_DOCS` is set.
fn compare(name: &str, page: &str) {
    let path = path(name);
    if std::env::var_os("KEYSTEAD_WRITE_DOCS").is_some() {
        std::fs::write(&path, page).expect("docs can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differ = written.lines().zip(page.lines()).find(|(old, new)| old != new);
    assert!(written == page, "docs/{name} is stale: `make docs` writes it. The first difference: {differ:?}");
}
