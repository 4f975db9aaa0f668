//! `keystead migrate`

mod attributes;
mod key;
pub mod old;
mod recipes;
mod refusals;
mod ways;

use std::fs;

use cryptoki_sys::*;
use serde_json::{Value, json};

use crate::home::{PIN, bad, good, says, text};
use key::New;
use old::{Nss, Old, Report, openssl};

const IV: &str = "000102030405060708090a0b0c0d0e0f";

/// What SoftHSM2 gives away: one of each kind.
fn filled() -> Old {
    let old = Old::new();
    old.tool(&[
        "--keygen",
        "--key-type",
        "AES:32",
        "--id",
        "01",
        "--label",
        "sensitive",
        "--sensitive",
        "--extractable",
    ]);
    old.tool(&["--keygen", "--key-type", "AES:16", "--id", "02", "--label", "readable", "--extractable"]);
    old.tool(&["--keygen", "--key-type", "GENERIC:33", "--id", "03", "--label", "mac", "--sensitive", "--extractable"]);
    old.tool(&["--keypairgen", "--key-type", "rsa:2048", "--id", "04", "--label", "rsa", "--extractable"]);
    old.tool(&["--keypairgen", "--key-type", "EC:prime256v1", "--id", "05", "--label", "ec", "--extractable"]);
    let data = old.file("data", b"what is in it");
    old.tool(&["--write-object", &data, "--type", "data", "--label", "data", "--application-label", "program"]);
    old.tool(&["--write-object", &certificate(&old), "--type", "cert", "--id", "04", "--label", "certificate"]);
    old
}

fn certificate(old: &Old) -> String {
    let [key, file] =
        ["certificate.key", "certificate.der"].map(|name| old.home.path(name).to_str().unwrap().to_owned());
    let subject = ["-subj", "/CN=moved", "-days", "30", "-outform", "DER"];
    let request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &file];
    openssl(&[&request[..], &subject].concat());
    file
}

#[test]
fn everything_that_softhsm_gives_away_is_moved() {
    let old = filled();
    let before = old.objects();
    let report = old.moved(&[]);
    assert_eq!(report.objects().len(), 9);
    for (class, label, how, proof) in [
        ("secret-key", "sensitive", "CKM_AES_KEY_WRAP_PAD", "cipher"),
        ("secret-key", "readable", "CKM_AES_KEY_WRAP_PAD", "cipher"),
        // SoftHSM2 fills a value up with zeros before it wraps it; only this form takes them away again.
        ("secret-key", "mac", "CKM_AES_KEY_WRAP", "MAC"),
        ("private-key", "rsa", "CKM_AES_KEY_WRAP_PAD", "signature"),
        ("private-key", "ec", "CKM_AES_KEY_WRAP_PAD", "signature"),
        ("public-key", "rsa", "read", "public key"),
        ("public-key", "ec", "read", "public key"),
        ("certificate", "certificate", "read", "value"),
        ("data", "data", "read", "value"),
    ] {
        assert_eq!(report.fate(class, label), ("moved", how, proof), "{class} {label}");
    }
    let rsa = report.of("private-key", "rsa");
    assert_eq!((&rsa["type"], &rsa["id"]), (&json!("RSA"), &json!("04")));
    says(rsa["from"].as_str().unwrap(), &["pkcs11:token=Old;", ";object=rsa;id=%04;type=private"]);
    says(rsa["to"].as_str().unwrap(), &["pkcs11:token=New;", ";object=rsa;id=%04;type=private"]);
    assert_eq!((&report.0["token"], &report.0["to_token"]), (&json!("Old"), &json!("New")));
    assert!(before.len() >= 9 && before == old.objects(), "nothing is changed in the token that is left");
}

#[test]
fn what_has_moved_works() {
    let old = filled();
    let sealed = ["--encrypt", "-m", "AES-CBC-PAD", "--iv", IV, "--id", "01", "-i", &old.file("text", b"a text")];
    let sealed = old.tool(&sealed).stdout;
    let mac = old.tool(&["--sign", "-m", "SHA256-HMAC", "--id", "03", "-i", &old.file("text", b"a text")]).stdout;
    for (id, name) in [("04", "rsa.pub"), ("05", "ec.pub")] {
        let file = old.home.path(name);
        old.tool(&["--read-object", "--type", "pubkey", "--id", id, "-o", file.to_str().unwrap()]);
    }
    old.moved(&[]);

    let new = New::of(&old.home);
    let iv: Vec<u8> = (0..16).collect();
    assert_eq!(new.decrypt(&iv, "sensitive", &sealed), b"a text");
    assert_eq!(new.sign(CKM_SHA256_HMAC, "mac", b"a text"), mac);
    let verify = |key: &str, signature: &[u8]| {
        let (text, signature) = (old.file("text", b"another text"), old.file("signature", signature));
        let key = old.home.path(key).to_str().unwrap().to_owned();
        let said = openssl(&["dgst", "-sha256", "-verify", &key, "-keyform", "DER", "-signature", &signature, &text]);
        assert_eq!(said, b"Verified OK\n");
    };
    verify("rsa.pub", &new.sign(CKM_SHA256_RSA_PKCS, "rsa", b"another text"));
    verify("ec.pub", &key::der(&new.sign(CKM_ECDSA_SHA256, "ec", b"another text")));
    assert_eq!(new.value(CKO_CERTIFICATE, "certificate"), fs::read(old.home.path("certificate.der")).unwrap());
    assert_eq!(new.value(CKO_DATA, "data"), b"what is in it");
}

#[test]
fn attributes_stay_as_they_were() {
    let old = Old::new();
    let key =
        ["--keygen", "--key-type", "AES:32", "--id", "0102", "--label", "schlüssel", "--sensitive", "--extractable"];
    old.tool(&[&key[..], &["--usage-decrypt", "--private"]].concat());
    let open = ["--keygen", "--key-type", "AES:32", "--label", "open", "--extractable", "--usage-sign"];
    old.tool(&open);
    old.moved(&[]);
    let shown = |name: &str| -> Value {
        let mut command = old.home.command(&["key", "show", name, "--login", "--json"]);
        serde_json::from_str(&good(&command.env("KEYSTEAD_PIN", PIN).output().unwrap())).unwrap()
    };
    let listed = |name: &str| old.tool(&["--list-objects", "--type", "secrkey", "--label", name]);
    let key = shown("schlüssel");
    assert_eq!((&key["CKA_LABEL"], &key["CKA_ID"]), (&json!("schlüssel"), &json!("0102")));
    for (attribute, value) in [
        ("CKA_PRIVATE", true),
        ("CKA_SENSITIVE", true),
        ("CKA_EXTRACTABLE", true),
        ("CKA_ENCRYPT", true),
        ("CKA_DECRYPT", true),
        ("CKA_LOCAL", false),
        ("CKA_ALWAYS_SENSITIVE", false),
        ("CKA_NEVER_EXTRACTABLE", false),
    ] {
        assert_eq!(key[attribute], json!(value), "{attribute}");
    }
    let key = shown("open");
    for (attribute, word) in [("CKA_VERIFY", "verify"), ("CKA_WRAP", "wrap"), ("CKA_DERIVE", "derive")] {
        let usage = text(&listed("open").stdout);
        let usage = usage.lines().find(|line| line.contains("Usage:")).unwrap().replace(':', ",").replace(' ', "");
        assert_eq!(key[attribute], json!(usage.split(',').any(|used| used == word)), "{attribute}: {usage}");
    }
    assert_eq!((&key["CKA_SENSITIVE"], &key["CKA_PRIVATE"]), (&json!(false), &json!(false)));
}

#[test]
fn a_second_run_moves_nothing_twice() {
    let old = filled();
    old.moved(&[]);
    let again = old.moved(&[]);
    assert_eq!(again.objects().len(), 9);
    assert!(again.objects().iter().all(|object| object["outcome"] == "present"), "{:#}", again.0);
    let count = || old.home.json(&["key", "list", "--class", "any"]).as_array().unwrap().len();
    let everything = count();
    let mut destroy = old.home.command(&["key", "destroy", "sensitive", "--yes"]);
    good(&destroy.env("KEYSTEAD_PIN", PIN).output().unwrap());
    let third = old.moved(&[]);
    let moved: Vec<_> = third.objects().iter().filter(|object| object["outcome"] == "moved").collect();
    assert_eq!((moved.len(), &moved[0]["label"]), (1, &json!("sensitive")));
    assert_eq!(count(), everything);
}

/// Another key of the same name is none that is there already.
#[test]
fn another_key_of_the_same_name_does_not_stand_in_the_way() {
    let old = Old::new();
    let make = ["--keygen", "--key-type", "AES:32", "--id", "01", "--label", "key", "--extractable"];
    old.tool(&make);
    old.moved(&[]);
    old.tool(&["--delete-object", "--type", "secrkey", "--id", "01"]);
    old.tool(&make);
    assert_eq!(old.moved(&[]).fate("secret-key", "key").0, "moved");
    assert_eq!(old.home.json(&["key", "list", "key"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_dry_run_moves_nothing_and_makes_no_key() {
    let old = filled().reluctant(&[]);
    let report = old.moved(&["--dry-run"]);
    assert_eq!(report.fate("private-key", "ec"), ("would-move", "CKM_AES_KEY_WRAP_PAD", "-"));
    assert_eq!(report.fate("data", "data").0, "would-move");
    assert!(report.objects().iter().all(|object| object["outcome"] == "would-move"));
    assert_eq!(report.0["dry_run"], true);
    assert!(!old.home.path("log").exists(), "no object was made in the source");
    assert!(!text(&old.home.run(&["key", "list", "--class", "any"]).stdout).contains("data"));
}

#[test]
fn for_people_it_is_a_list_and_the_recipes_stand_apart() {
    let old = filled();
    old.tool(&["--keygen", "--key-type", "AES:32", "--id", "06", "--label", "locked", "--sensitive"]);
    let output = old.migrate(&[]).output().unwrap();
    let lines = text(&output.stdout);
    assert_eq!(lines.lines().count(), 10);
    assert!(
        lines
            .lines()
            .any(|line| line == "private-key\tEC\tec\t05\tmoved\twrapped by CKM_AES_KEY_WRAP_PAD, same signature"),
        "{lines}"
    );
    assert!(
        lines.lines().any(|line| line.starts_with("secret-key\tAES\tlocked\t06\tstays\tCKA_EXTRACTABLE is false")),
        "{lines}"
    );
    let said = text(&output.stderr);
    says(&said, &["object=locked;id=%06;type=secret-key stays\n", "--decrypt -m AES-CBC-PAD", "1 of 10 objects stay"]);
    assert_eq!(output.status.code(), Some(3));
    // No PIN and no value is in any of it.
    assert!(![lines, said].iter().any(|text| text.contains(old::OLD_PIN) || text.contains(PIN)));
}

#[test]
fn pins_come_from_files_too() {
    let old = filled();
    let (from, to) = (old.file("from", b"4321\n"), old.file("to", PIN.as_bytes()));
    let mut command = old.migrate(&["--from-pin-file", &from, "--user-pin-file", &to]);
    good(&command.env_remove("KEYSTEAD_FROM_PIN").env_remove("KEYSTEAD_PIN").output().unwrap());
    let mut command = old.migrate(&["--from-pin-env", "OTHER"]);
    good(&command.env_remove("KEYSTEAD_FROM_PIN").env("OTHER", old::OLD_PIN).output().unwrap());
    let nobody = old.migrate(&[]).env_remove("KEYSTEAD_FROM_PIN").output().unwrap();
    says(&bad(&nobody), &["PIN of the other token", "--from-pin-file", "KEYSTEAD_FROM_PIN"]);
}

#[test]
fn keys_and_certificates_of_nss_are_moved() {
    let nss = Nss::new();
    let noise = nss.home.path("noise").to_str().unwrap().to_owned();
    let made = ["-S", "-n", "site", "-s", "CN=site", "-x", "-t", ",,", "-m", "1", "-z", &noise];
    nss.tool("certutil", &[&made[..], &["-k", "ec", "-q", "nistp256"]].concat());
    let [key, certificate, bundle] =
        ["k.pem", "c.pem", "k.p12"].map(|name| nss.home.path(name).to_str().unwrap().to_owned());
    let request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &certificate];
    openssl(&[&request[..], &["-subj", "/CN=brought", "-days", "30"]].concat());
    let export = ["pkcs12", "-export", "-in", &certificate, "-inkey", &key, "-out", &bundle];
    openssl(&[&export[..], &["-name", "brought", "-passout", "pass:x"]].concat());
    nss.tool("pk12util", &["-i", &bundle, "-W", "x"]);

    says(&bad(&nss.migrate(&[])), &["several", "NSS Certificate DB"]);
    let output = nss.migrate(&["--token", "pkcs11:token=NSS%20Certificate%20DB", "--json"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let report = Report(serde_json::from_slice(&output.stdout).unwrap());
    assert_eq!(report.fate("certificate", "site"), ("moved", "read", "value"));
    assert_eq!(report.fate("certificate", "brought"), ("moved", "read", "value"));
    assert_eq!(report.fate("private-key", "brought"), ("moved", "CKM_AES_KEY_WRAP_KWP", "signature"));
    let stay: Vec<_> = report.objects().iter().filter(|object| object["outcome"] == "stays").collect();
    let classes: Vec<_> = stay.iter().map(|object| object["class"].as_str().unwrap()).collect();
    // What NSS trusts is an object of its own.
    assert!(!classes.is_empty() && classes.iter().all(|class| *class == "0xce534353"), "{:#}", report.0);
    says(stay[0]["recipe"][1].as_str().unwrap(), &["certutil -M", "-h New"]);
    let kinds: Vec<_> = report.objects().iter().map(|object| (&object["class"], &object["type"])).collect();
    assert!(kinds.contains(&(&json!("private-key"), &json!("EC"))), "{kinds:?}");

    let new = New::of(&nss.home);
    let (text, signature) = (nss.home.path("text"), nss.home.path("signature"));
    fs::write(&text, "a text").unwrap();
    fs::write(&signature, new.sign(CKM_SHA256_RSA_PKCS, "brought", b"a text")).unwrap();
    let public = nss.home.path("public").to_str().unwrap().to_owned();
    openssl(&["x509", "-in", &certificate, "-noout", "-pubkey", "-out", &public]);
    let [text, signature] = [text, signature].map(|path| path.to_str().unwrap().to_owned());
    assert_eq!(openssl(&["dgst", "-sha256", "-verify", &public, "-signature", &signature, &text]), b"Verified OK\n");
}
