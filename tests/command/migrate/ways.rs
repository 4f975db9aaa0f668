//! Every form of wrapping, each with a module that has it.

use super::old::{Nss, Old, Report, leave_our_own, library, ran, two_stores};
use crate::home::{Home, PIN, good};

/// Forms of AES key wrap, and CBC-PAD, by their numbers.
const AES_WRAPS: &str = "2109 210a 210b 210c 1085";

#[test]
fn both_forms_of_the_pad_mechanism_are_understood() {
    // SoftHSM2 means RFC 5649 by it, NSS padding by PKCS #7.
    let old = Old::new();
    old.tool(&["--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "pair", "--extractable"]);
    assert_eq!(old.moved(&[]).fate("private-key", "pair"), ("moved", "CKM_AES_KEY_WRAP_PAD", "signature"));
    let report = with_a_pair().migrate_without("210b");
    assert_eq!(report.fate("private-key", ""), ("moved", "CKM_AES_KEY_WRAP_PAD", "signature"));
}

#[test]
fn cbc_pad_carries_private_keys() {
    let report = with_a_pair().migrate_without("2109 210a 210b");
    assert_eq!(report.fate("private-key", ""), ("moved", "CKM_AES_CBC_PAD", "signature"));
}

fn with_a_pair() -> Nss {
    let nss = Nss::new();
    let noise = nss.home.path("noise").to_str().unwrap().to_owned();
    let made = ["-S", "-n", "site", "-s", "CN=site", "-x", "-t", ",,", "-m", "1", "-z", &noise];
    nss.tool("certutil", &[&made[..], &["-k", "ec", "-q", "nistp256"]].concat());
    nss
}

#[test]
fn a_token_of_our_own_is_left_like_any_other() {
    let home = with_every_type();
    let report = moved(&home, "");
    for label in ["rsa", "ec", "ed"] {
        assert_eq!(report.fate("private-key", label), ("moved", "CKM_AES_KEY_WRAP_KWP", "signature"), "{label}");
    }
    // It signs nothing: its public key is compared with that of the object beside it.
    assert_eq!(report.fate("private-key", "x"), ("moved", "CKM_AES_KEY_WRAP_KWP", "public key"));
}

#[test]
fn rsa_with_an_aes_key_in_between_carries_every_type() {
    let home = with_every_type();
    let report = moved(&home, AES_WRAPS);
    for label in ["rsa", "ec", "ed"] {
        assert_eq!(report.fate("private-key", label), ("moved", "CKM_RSA_AES_KEY_WRAP", "signature"), "{label}");
    }
    assert_eq!(report.fate("secret-key", "aes"), ("moved", "CKM_RSA_AES_KEY_WRAP", "cipher"));
}

/// A token `Old` of our own with a key of each type, and an empty token `New`.
fn with_every_type() -> Home {
    let home = two_stores();
    let old = home.path("old").to_str().unwrap().to_owned();
    for (id, label, key_type) in [
        ("01", "rsa", "rsa:2048"),
        ("02", "ec", "EC:secp384r1"),
        ("03", "ed", "EC:edwards25519"),
        ("04", "x", "EC:curve25519"),
    ] {
        make_key(&old, &["--keypairgen", "--key-type", key_type, "--id", id, "--label", label, "--extractable"]);
    }
    make_key(&old, &["--keygen", "--key-type", "AES:32", "--id", "05", "--label", "aes", "--extractable"]);
    home
}

fn make_key(store: &str, arguments: &[&str]) {
    let mut tool = std::process::Command::new("pkcs11-tool");
    tool.arg("--module").arg(library()).args(["--token-label", "Old", "--login", "--pin", PIN]);
    ran(tool.args(arguments).env("KEYSTEAD_STORE", store));
}

/// Everything moved by the library behind a module that hides mechanisms.
fn moved(home: &Home, hidden: &str) -> Report {
    let output = leave_our_own(home).env("RELUCTANT_HIDES", hidden).output().unwrap();
    Report(serde_json::from_str(&good(&output)).unwrap())
}
