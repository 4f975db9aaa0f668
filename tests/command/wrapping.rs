//! `keystead key wrap`, `unwrap` and `rewrap`

use std::fs;

use serde_json::{Value, json};

use crate::home::{Home, noted, other, says, text};

/// A token with an AES key and an RSA pair that wrap, and keys to be wrapped.
pub fn home() -> Home {
    let home = Home::new();
    home.token("A");
    let make = |words: &str| home.done(&[&["key", "generate"], &words.split(' ').collect::<Vec<_>>()[..]].concat());
    make("--type aes --label kek --id 01 --usage wrap,unwrap");
    make("--type rsa:2048 --label partner --id 02 --usage wrap,unwrap");
    make("--type aes --label data --id 03 --extractable --usage encrypt,decrypt");
    make("--type hmac-sha256:20 --label mac --id 04 --extractable");
    make("--type ec --label signing --id 05 --extractable");
    home
}

/// What tells a key from others: the check value of a secret key, the public key of a private one.
pub fn told(home: &Home, name: &str) -> Value {
    let shown = home.done_json(&["key", "show", name, "--login"]);
    let told = [&shown["CKA_CHECK_VALUE"], &shown["CKA_PUBLIC_KEY_INFO"]];
    told.into_iter().find(|value| value.as_str().is_some_and(|text| !text.is_empty())).unwrap().clone()
}

fn id(made: &Value) -> &str {
    made[0]["unique_id"].as_str().unwrap()
}

const SIGNING: &str = "pkcs11:object=signing;type=private";

#[test]
fn every_mechanism_carries_the_keys_that_it_can_and_back() {
    let home = home();
    let file = home.word("wrapped");
    let aes = ["aes-kw", "aes-kwp", "aes-kw-pad", "aes-kw-pkcs7", "aes-gcm", "aes-cbc-pad"];
    let all = aes.iter().map(|mechanism| ("kek", *mechanism)).chain([("partner", "rsa-oaep"), ("partner", "rsa-aes")]);
    for (with, mechanism) in all {
        for (key, of) in [("data", "aes"), ("mac", "hmac-sha256:20"), (SIGNING, "ec")] {
            let how = ["--mechanism", mechanism, "--out", &file, "--force"];
            let wrap = [&["key", "wrap", key, "--with", with][..], &how].concat();
            if (key, mechanism) == (SIGNING, "rsa-oaep") {
                says(&home.refused(&wrap), &["cannot be wrapped", "rsa-aes", "--double"]);
                continue;
            }
            home.done(&wrap);
            let made = home.done_json(&["key", "unwrap", &file, "--label", "again"]);
            assert_eq!(told(&home, id(&made)), told(&home, key), "{mechanism}: {key}, text");

            let report = home.done_json(&[&wrap[..], &["--form", "raw"]].concat());
            let iv = report["iv"].as_str().map(|iv| vec!["--iv", iv]).unwrap_or_default();
            assert_eq!(!iv.is_empty(), ["aes-gcm", "aes-cbc-pad"].contains(&mechanism));
            let unwrap = ["key", "unwrap", &file, "--with", with, "--mechanism", mechanism, "--type", of];
            let made = home.done_json(&[&unwrap[..], &iv].concat());
            assert_eq!(told(&home, id(&made)), told(&home, key), "{mechanism}: {key}, raw");
        }
    }
}

#[test]
fn without_a_mechanism_the_fitting_one_is_taken() {
    let home = home();
    for (with, mechanism) in [("kek", "CKM_AES_KEY_WRAP_KWP"), ("partner", "CKM_RSA_AES_KEY_WRAP")] {
        says(&home.done(&["key", "wrap", SIGNING, "--with", with]), &[&format!("name = \"{mechanism}\"")]);
    }
    // A key for signatures wraps nothing.
    says(&home.refused(&["key", "wrap", "data", "--with", "mac"]), &["wrap nothing", "--with"]);
    says(&home.refused(&["key", "wrap", "data", "--with", "kek", "--mechanism", "rsa-oaep"]), &["RSA pair"]);
    says(&home.refused(&["key", "wrap", "data", "--with", "signing"]), &["wrap nothing"]);
}

#[test]
fn a_key_under_a_transport_key_is_one_file() {
    let home = home();
    for key in ["data", "mac", SIGNING] {
        let file = home.done(&["key", "wrap", key, "--with", "partner", "--double"]);
        says(&file, &["BEGIN WRAPPED TRANSPORT KEY", "BEGIN WRAPPED KEY", "CKM_RSA_PKCS_OAEP", "CKM_AES_KEY_WRAP_KWP"]);
        fs::write(home.path("double"), file).unwrap();
        let made = home.done_json(&["key", "unwrap", &home.word("double"), "--label", "again"]);
        assert_eq!(told(&home, id(&made)), told(&home, key));
    }
    let left = home.done_json(&["key", "list", "--login"]);
    assert_eq!(left.as_array().unwrap().len(), 7 + 3, "no transport key is left: {left:#}");
    let raw = home.user(&["key", "wrap", "data", "--with", "partner", "--double", "--form", "raw"]).output().unwrap();
    assert_eq!(raw.status.code(), Some(2));
    says(&text(&raw.stderr), &["--mechanism rsa-aes"]);
}

#[test]
fn what_plain_wrapping_loses_is_said() {
    let home = home();
    let notes = |words: &[&str]| noted(&home.user(words).output().unwrap()).1;
    let lost = ["CKA_LOCAL", "CKA_ALWAYS_SENSITIVE", "CKA_NEVER_EXTRACTABLE", "unique id", "keystead sync"];
    says(&notes(&["key", "wrap", "data", "--with", "kek"]), &lost);
    let raw = notes(&["key", "wrap", "data", "--with", "kek", "--form", "raw", "--out", &home.word("raw")]);
    says(&raw, &[&lost[..], &["all its attributes"]].concat());
    // And it is lost.
    let made = home.done_json(&["key", "unwrap", &home.word("raw"), "--with", "kek", "--type", "aes"]);
    let (before, after) =
        (home.done_json(&["key", "show", "data", "--login"]), home.done_json(&["key", "show", id(&made), "--login"]));
    assert_eq!((&before["CKA_LOCAL"], &after["CKA_LOCAL"]), (&json!(true), &json!(false)));
    assert_eq!((&before["CKA_ALWAYS_SENSITIVE"], &after["CKA_ALWAYS_SENSITIVE"]), (&json!(true), &json!(false)));
    assert_ne!(before["CKA_UNIQUE_ID"], after["CKA_UNIQUE_ID"]);
    assert_eq!(after["CKA_LABEL"], "");
}

#[test]
fn a_key_that_may_not_leave_stays_and_the_next_step_is_said() {
    let home = home();
    let out = home.word("out");
    let wrap = |key, with| home.refused(&["key", "wrap", key, "--with", with, "--out", &out]);
    says(&wrap("kek", "partner"), &["not extractable", "--extractable", "keystead sync"]);
    says(&wrap("data", "nothing"), &["\"nothing\""]);
    says(&wrap("partner", "kek"), &["not extractable"]);
    home.done(&["key", "generate", "--type", "aes", "--label", "encrypts"]);
    says(&wrap("data", "encrypts"), &["CKA_WRAP", "--usage wrap,unwrap"]);
    home.done(&["key", "generate", "--type", "aes", "--label", "careful", "--extractable", "--wrap-with-trusted"]);
    says(&wrap("careful", "kek"), &["CKA_WRAP_WITH_TRUSTED", "the SO"]);
    assert!(!home.path("out").exists());
}

#[test]
fn a_file_is_written_whole_and_not_over_another() {
    let home = home();
    let file = home.word("file");
    fs::write(&file, "precious").unwrap();
    let wrap = ["key", "wrap", "data", "--with", "kek", "--out", &file];
    says(&home.refused(&wrap), &["there already", "--force"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    let report = home.done_json(&[&wrap[..], &["--force"]].concat());
    assert_eq!((&report["key"]["label"], &report["wrapping_key"]["label"]), (&json!("data"), &json!("kek")));
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let both = home.user(&["key", "wrap", "data", "--with", "kek", "--json"]).output().unwrap();
    assert_eq!(both.status.code(), Some(2), "standard output holds one thing");
    says(&text(&both.stderr), &["--out"]);
}

#[test]
fn both_keys_are_in_one_token() {
    let home = home();
    home.token("B");
    home.done(&["key", "generate", "--token", "B", "--type", "aes", "--label", "kek", "--usage", "wrap,unwrap"]);
    let elsewhere = ["key", "wrap", "data", "--token", "A", "--with", "pkcs11:token=B;object=kek"];
    says(&home.refused(&elsewhere), &["\"A\"", "one token"]);
    home.done(&["key", "wrap", "pkcs11:token=A;object=data", "--with", "pkcs11:token=A;object=kek"]);
}

#[test]
fn a_private_key_goes_under_a_passphrase_as_openssl_reads_it() {
    let home = home();
    let phrase = format!("pass:{}", crate::home::PASSPHRASE);
    for form in ["pkcs8", "pkcs8-der"] {
        let file = home.word(form);
        home.done(&["key", "wrap", SIGNING, "--form", form, "--out", &file]);
        let encoding = if form == "pkcs8" { "PEM" } else { "DER" };
        let openssl = ["pkey", "-in", &file, "-inform", encoding, "-passin", &phrase, "-pubout"];
        let public = text(&other("openssl", &openssl));
        assert_eq!(public, home.done(&["key", "export-public", "signing"]));
        // And back, where only the right passphrase opens it.
        let made = home.done_json(&["key", "import", &file, "--label", form]);
        assert_eq!(made.as_array().unwrap().len(), 2);
        let wrong = home.user(&["key", "import", &file]).env("KEYSTEAD_KEY_PASSPHRASE", "another").output().unwrap();
        says(&crate::home::bad(&wrong), &["passphrase is wrong"]);
    }
    says(&home.refused(&["key", "wrap", "data", "--form", "pkcs8"]), &["no such object", "\"data\""]);
    let both = home.user(&["key", "wrap", SIGNING, "--form", "pkcs8", "--with", "kek"]).output().unwrap();
    assert_eq!(both.status.code(), Some(2));
    let none = home.user(&["key", "wrap", SIGNING]).output().unwrap();
    assert_eq!(none.status.code(), Some(2));
    says(&text(&none.stderr), &["--with"]);
}

#[test]
fn wrapped_keys_go_under_another_key_without_becoming_objects() {
    let home = home();
    let (old, new) = (home.word("old"), home.word("new"));
    home.done(&["key", "generate", "--type", "aes", "--label", "next", "--id", "09", "--usage", "wrap,unwrap"]);
    let objects = || home.done_json(&["key", "list", "--login", "--class", "any"]).as_array().unwrap().len();
    let before = objects();
    for (key, how) in
        [("data", &["--with", "next", "--mechanism", "aes-gcm"][..]), (SIGNING, &["--with", "partner", "--double"])]
    {
        home.done(&["key", "wrap", key, "--with", "kek", "--out", &old, "--force"]);
        home.done(&[&["key", "rewrap", &old, "--out", &new, "--force"], how].concat());
        assert_eq!(objects(), before);
        let made = home.done_json(&["key", "unwrap", &new, "--label", "again"]);
        assert_eq!(told(&home, id(&made)), told(&home, key));
        home.done(&["key", "destroy", id(&made), "--yes"]);
    }
    // What it says of the key goes on.
    let lines = |file: &str| {
        let text = fs::read_to_string(file).unwrap();
        text.lines().filter(|line| line.starts_with("CKA_")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&old), lines(&new));
    fs::write(&old, "bytes").unwrap();
    says(&home.refused(&["key", "rewrap", &old, "--with", "next"]), &["no text file", "key unwrap"]);
}

#[test]
fn bytes_that_say_nothing_need_to_be_described() {
    let home = home();
    let file = home.word("raw");
    home.done(&["key", "wrap", "mac", "--with", "kek", "--mechanism", "aes-kw", "--form", "raw", "--out", &file]);
    let unwrap = |words: &[&str]| home.refused(&[&["key", "unwrap", &file], words].concat());
    says(&unwrap(&[]), &["--with", "--type"]);
    says(&unwrap(&["--with", "kek"]), &["--type"]);
    says(
        &unwrap(&["--with", "kek", "--mechanism", "aes-kw", "--type", "hmac-sha256"]),
        &["CKA_VALUE_LEN", "generic:32"],
    );
    says(&unwrap(&["--with", "kek", "--mechanism", "aes-kwp", "--type", "aes"]), &["damaged", "--mechanism"]);
    says(&unwrap(&["--with", "kek", "--mechanism", "aes-gcm", "--type", "aes"]), &["IV", "--iv"]);
    says(&unwrap(&["--with", "kek", "--iv", "00", "--type", "aes"]), &["no IV"]);
    says(&unwrap(&["--with", "partner", "--type", "aes"]), &["impossible length"]);
    assert_eq!(fs::read(home.path("raw")).unwrap().len(), 32, "20 bytes, filled up");
}
