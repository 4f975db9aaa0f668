//! The recipes for keys that stay, done as they are printed.

use std::fs;
use std::process::Command;

use cryptoki_sys::*;

use super::IV;
use super::key::New;
use super::old::{OLD_PIN, Old, Report, library, openssl, ran};
use crate::home::PIN;

const NEW_IV: &str = "0f0e0d0c0b0a09080706050403020100";

/// Does the lines of an object's recipe that are commands and have a word in them, with these words in place of others.
fn follow(old: &Old, report: &Report, [class, label]: [&str; 2], with: &str, words: &[(&str, &str)]) {
    let recipe = report.of(class, label)["recipe"].as_array().unwrap();
    let lines = recipe.iter().map(|line| line.as_str().unwrap());
    let lines = lines.filter(|line| line.starts_with("pkcs11-tool") || line.starts_with("PKCS11_MODULE_PATH="));
    let mut done = 0;
    for line in lines.filter(|line| line.contains(with)) {
        let mut line = line.replace("libkeystead.so", library().to_str().unwrap());
        line = line.replace("--token-label Old --login", &format!("--token-label Old --login --pin {OLD_PIN}"));
        line = line.replace("--token-label New --login", &format!("--token-label New --login --pin {PIN:?}"));
        for (word, value) in words {
            line = line.replace(word, value);
        }
        let mut shell = old.around(Command::new("bash"));
        shell.env("KEYSTEAD_CONF", old.home.path("keystead.toml")).args(["-o", "pipefail", "-c", &line]);
        ran(&mut shell);
        done += 1;
    }
    assert!(done > 0, "{recipe:?}");
}

#[test]
fn what_a_key_that_stays_has_encrypted_comes_under_a_new_one() {
    let old = Old::new();
    old.tool(&["--keygen", "--key-type", "AES:32", "--id", "01", "--label", "locked", "--sensitive"]);
    let text = old.file("text", b"a text");
    let sealed = old.tool(&["--encrypt", "-m", "AES-CBC-PAD", "--iv", IV, "--id", "01", "-i", &text]).stdout;
    let (sealed, fresh) = (old.file("sealed", &sealed), old.home.path("fresh").to_str().unwrap().to_owned());
    let report = old.partly(&[]);
    let key = ["secret-key", "locked"];
    follow(&old, &report, key, "--usage-decrypt", &[]);
    let words = [("OLD_IV", IV), ("NEW_IV", NEW_IV), ("OLD_FILE", &*sealed), ("NEW_FILE", &*fresh)];
    follow(&old, &report, key, "--decrypt", &words);
    let iv: Vec<u8> = (0..16).rev().collect();
    let new = New::of(&old.home);
    assert_eq!(new.decrypt(&iv, "locked 2", &fs::read(&fresh).unwrap()), b"a text");
}

#[test]
fn what_a_key_that_stays_has_wrapped_is_unwrapped_and_moves() {
    let old = Old::new();
    old.tool(&["--keygen", "--key-type", "AES:32", "--id", "01", "--label", "locked", "--sensitive"]);
    old.tool(&["--keygen", "--key-type", "AES:32", "--id", "02", "--label", "inner", "--extractable"]);
    let wrapped = old.home.path("wrapped").to_str().unwrap().to_owned();
    let by = ["--wrap", "-m", "AES-KEY-WRAP", "--id", "01", "--application-id", "02", "-o", &wrapped];
    old.tool(&by);
    old.tool(&["--delete-object", "--type", "secrkey", "--id", "02"]);
    let words = [
        ("WRAPPED_FILE", &*wrapped),
        ("label ID", "label 02"),
        ("application-id ID", "application-id 02"),
        ("NAME", "inner"),
    ];
    follow(&old, &old.partly(&[]), ["secret-key", "locked"], "--unwrap", &words);
    assert_eq!(old.partly(&[]).fate("secret-key", "inner").0, "moved");
}

#[test]
fn macs_of_a_key_that_stays_are_made_anew() {
    let old = Old::new();
    old.tool(&["--keygen", "--key-type", "GENERIC:32", "--id", "01", "--label", "locked", "--sensitive"]);
    let text = old.file("text", b"a text");
    let mac = old.tool(&["--sign", "-m", "SHA256-HMAC", "--id", "01", "-i", &text]).stdout;
    let (mac, fresh) = (old.file("mac", &mac), old.home.path("fresh").to_str().unwrap().to_owned());
    let report = old.partly(&[]);
    let key = ["secret-key", "locked"];
    follow(&old, &report, key, "--usage-sign", &[]);
    let words = [("OLD_MAC", &*mac), ("NEW_MAC", &*fresh), ("-i FILE", &*format!("-i {text}"))];
    follow(&old, &report, key, "--verify", &words);
    assert_eq!(New::of(&old.home).sign(CKM_SHA256_HMAC, "locked 2", b"a text"), fs::read(&fresh).unwrap());
}

#[test]
fn what_is_encrypted_to_a_pair_that_stays_comes_to_a_new_pair() {
    let old = Old::new();
    old.tool(&["--keypairgen", "--key-type", "rsa:2048", "--id", "01", "--label", "locked"]);
    let [public, sealed, fresh] =
        ["public", "sealed", "fresh"].map(|name| old.home.path(name).to_str().unwrap().to_owned());
    old.tool(&["--read-object", "--type", "pubkey", "--id", "01", "-o", &public]);
    let text = old.file("text", b"a text");
    openssl(&["pkeyutl", "-encrypt", "-pubin", "-inkey", &public, "-keyform", "DER", "-in", &text, "-out", &sealed]);
    let report = old.partly(&[]);
    let key = ["private-key", "locked"];
    let words = [("OLD_FILE", &*sealed), ("NEW_FILE", &*fresh), ("NEW_KEY", &*public)];
    follow(&old, &report, key, "--usage-decrypt", &words);
    follow(&old, &report, key, "--read-object", &words);
    follow(&old, &report, key, "--decrypt", &words);
    let new = New::of(&old.home);
    assert_eq!(new.decrypt_oaep("locked 3", &fs::read(&fresh).unwrap()), b"a text");
}

#[test]
fn a_signing_key_that_stays_certifies_its_successor() {
    let old = Old::new();
    old.tool(&["--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "locked"]);
    let report = old.partly(&[]);
    let key = ["private-key", "locked"];
    let [request, before, after] =
        ["request", "old.pem", "new.pem"].map(|name| old.home.path(name).to_str().unwrap().to_owned());
    let [old_pin, new_pin] = [OLD_PIN, "user%27s"].map(|pin| format!(";type=private?pin-value={pin}'"));
    // The certificate that is trusted, made by the old key.
    let mut trusted = old.around(Command::new("openssl"));
    let uri = format!("pkcs11:token=Old;object=locked;type=private?pin-value={OLD_PIN}");
    trusted.args(["req", "-new", "-x509", "-engine", "pkcs11", "-keyform", "engine", "-key", &uri, "-subj", "/CN=old"]);
    ran(trusted.args(["-days", "30", "-out", &before]).env("PKCS11_MODULE_PATH", &old.module));

    follow(&old, &report, key, "--usage-sign", &[]);
    let words = [("SUBJECT", "/CN=new"), ("REQUEST", &*request), (";type=private'", &*new_pin)];
    follow(&old, &report, key, "openssl req", &words);
    let words = [
        ("REQUEST", &*request),
        ("OLD_CERTIFICATE", &*before),
        ("NEW_CERTIFICATE", &*after),
        (";type=private'", &*old_pin),
    ];
    follow(&old, &report, key, "openssl x509", &words);
    assert!(openssl(&["verify", "-CAfile", &before, &after]).ends_with(b": OK\n"));
}
