//! What cannot be moved, or not in the usual way.

use std::fs;

use crate::home::{Home, bad, says, text};
use crate::migrate::old::Old;

/// Numbers of the mechanisms that wrap by AES.
const AES_WRAPS: &str = "2109 210a 210b 1085";

#[test]
fn what_is_not_extractable_stays_with_a_recipe() {
    let old = Old::new();
    old.tool(&["--keygen", "--key-type", "AES:32", "--id", "01", "--label", "locked", "--sensitive"]);
    old.tool(&["--keypairgen", "--key-type", "EC:secp384r1", "--id", "02", "--label", "pair"]);
    let report = old.partly(&[]);
    for (class, label) in [("secret-key", "locked"), ("private-key", "pair")] {
        let object = report.of(class, label);
        assert_eq!((&object["outcome"], object.get("to")), (&"stays".into(), None));
        says(object["reason"].as_str().unwrap(), &["CKA_EXTRACTABLE is false"]);
        assert!(object["recipe"].as_array().unwrap().len() >= 4, "{object}");
    }
    assert_eq!(report.fate("public-key", "pair").0, "moved");
}

#[test]
fn a_key_type_that_is_not_here_stays() {
    let old = Old::new();
    let value = old.file("value", &[0x2a; 24]);
    let des = ["--write-object", &value, "--type", "secrkey", "--key-type", "DES3:24", "--id", "01", "--label", "des"];
    old.tool(&des);
    let report = old.partly(&[]);
    let object = report.of("secret-key", "des");
    says(object["reason"].as_str().unwrap(), &["no objects of this class or type"]);
    says(object["recipe"][0].as_str().unwrap(), &["decrypted there and encrypted here"]);
}

/// SoftHSM2 2.6.1 wraps no Edwards keys: they are read where they are shown, and stay where they are not.
#[test]
fn what_is_not_wrapped_is_read() {
    let old = Old::new().reluctant(&[("RELUCTANT_MAKES", "open")]);
    old.tool(&["--keypairgen", "--key-type", "EC:edwards25519", "--id", "01", "--label", "ed", "--extractable"]);
    assert_eq!(old.moved(&[]).fate("private-key", "ed"), ("moved", "read", "signature"));
    let old = Old::new();
    old.tool(&["--keypairgen", "--key-type", "EC:edwards25519", "--id", "01", "--label", "ed", "--extractable"]);
    let report = old.partly(&[]);
    says(report.of("private-key", "ed")["reason"].as_str().unwrap(), &["C_WrapKey answers CKR_KEY_NOT_WRAPPABLE"]);
}

#[test]
fn where_no_key_can_be_brought_in_one_is_made_there_and_sent_under_rsa() {
    let old = Old::new().reluctant(&[("RELUCTANT_TAKES", "no")]);
    old.tool(&["--keygen", "--key-type", "AES:32", "--id", "01", "--label", "key", "--sensitive", "--extractable"]);
    old.tool(&["--keypairgen", "--key-type", "rsa:2048", "--id", "02", "--label", "pair", "--extractable"]);
    let report = old.moved(&[]);
    assert_eq!(report.fate("secret-key", "key"), ("moved", "CKM_AES_KEY_WRAP_PAD", "cipher"));
    assert_eq!(report.fate("private-key", "pair"), ("moved", "CKM_AES_KEY_WRAP_PAD", "signature"));
    temporary_keys_are_gone(&old, 2);
}

#[test]
fn secret_keys_go_under_rsa_where_there_is_no_other_way() {
    let old = Old::new().reluctant(&[("RELUCTANT_HIDES", AES_WRAPS)]);
    old.tool(&["--keygen", "--key-type", "AES:32", "--id", "01", "--label", "key", "--sensitive", "--extractable"]);
    old.tool(&["--keypairgen", "--key-type", "EC:prime256v1", "--id", "02", "--label", "pair", "--extractable"]);
    let report = old.partly(&[]);
    assert_eq!(report.fate("secret-key", "key"), ("moved", "CKM_RSA_PKCS_OAEP", "cipher"));
    says(
        report.of("private-key", "pair")["reason"].as_str().unwrap(),
        &["not shown", "neither AES key wrap nor CBC-PAD"],
    );
    temporary_keys_are_gone(&old, 1);
}

#[test]
fn the_temporary_keys_are_destroyed() {
    let old = Old::new().reluctant(&[]);
    old.tool(&["--keygen", "--key-type", "AES:32", "--id", "01", "--label", "key", "--sensitive", "--extractable"]);
    old.moved(&[]);
    temporary_keys_are_gone(&old, 1);
}

/// So many session objects were made in the source, and each was destroyed.
#[track_caller]
fn temporary_keys_are_gone(old: &Old, count: usize) {
    let log = fs::read_to_string(old.home.path("log")).unwrap();
    let named = |what: &str| -> Vec<String> {
        let mut named: Vec<_> = log.lines().filter_map(|line| line.strip_prefix(what)).map(str::to_owned).collect();
        named.sort();
        named
    };
    assert_eq!(named("made ").len(), count, "{log}");
    assert_eq!(named("made "), named("destroyed "), "{log}");
}

#[test]
fn what_arrives_changed_is_not_kept() {
    let old = Old::new().reluctant(&[("RELUCTANT_HIDES", "2109 210a 210b 1085 9"), ("RELUCTANT_SHOWS", "other")]);
    old.tool(&["--keygen", "--key-type", "AES:32", "--id", "01", "--label", "key", "--extractable"]);
    let report = old.partly(&[]);
    says(report.of("secret-key", "key")["reason"].as_str().unwrap(), &["is not what was sent"]);
    assert_eq!(text(&old.home.run(&["key", "list", "--class", "secret-key"]).stdout), "");
}

#[test]
fn a_module_or_a_token_that_is_not_there_is_said_so() {
    let old = Old::new();
    let migrate = |module: &str, token: &str| {
        let mut command = old.around(old.home.command(&["migrate", "--module", module, "--token", token]));
        command.env("KEYSTEAD_FROM_PIN", "1").env("KEYSTEAD_PIN", "1").output().unwrap()
    };
    says(&bad(&migrate("/absent.so", "Old")), &["/absent.so", "p11-kit list-modules"]);
    let other = if cfg!(target_env = "gnu") { "libc.so.6" } else { "libc.so" };
    let library = old.home.path(other);
    fs::write(&library, "no library").unwrap();
    says(&bad(&migrate(library.to_str().unwrap(), "Old")), &["the module", other]);
    let output = migrate(old.module.to_str().unwrap(), "Older");
    assert_eq!(output.status.code(), Some(5));
    says(&bad(&output), &["no such token", "it has \"Old\""]);
}

#[test]
fn a_wrong_name_or_pin_has_its_code() {
    let old = Old::new();
    old.tool(&["--keygen", "--key-type", "AES:32", "--id", "01", "--label", "key", "--extractable"]);
    let wrong = old.migrate(&[]).env("KEYSTEAD_FROM_PIN", "0000").output().unwrap();
    assert_eq!(wrong.status.code(), Some(4));
    says(&bad(&wrong), &["the PIN of the token \"Old\" is wrong"]);
    let wrong = old.migrate(&[]).env("KEYSTEAD_PIN", "guess").output().unwrap();
    assert_eq!(wrong.status.code(), Some(4));
    says(&bad(&wrong), &["user PIN is wrong", "9 tries are left"]);
    let old = Old { home: Home::new(), ..old };
    assert_eq!(old.migrate(&[]).output().unwrap().status.code(), Some(5), "no token New");
}
