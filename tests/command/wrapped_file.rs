//! The text file of a wrapped key: it is enough, and what was done to it is noticed where that can be.

use std::fs;

use serde_json::json;

use crate::home::{Home, says};
use crate::wrapping::{home, told};

/// The file of the key `data` under `kek` by a mechanism.
fn wrapped(home: &Home, mechanism: &str) -> String {
    home.done(&["key", "wrap", "data", "--with", "kek", "--mechanism", mechanism])
}

fn unwrap(home: &Home, file: &str) -> String {
    fs::write(home.path("wrapped"), file).unwrap();
    home.refused(&["key", "unwrap", &home.word("wrapped")])
}

#[test]
fn a_key_is_unwrapped_from_its_file_alone() {
    let home = home();
    let file = home.word("data.wrapped");
    home.done(&["key", "wrap", "data", "--with", "kek", "--out", &file]);
    let text = fs::read_to_string(&file).unwrap();
    says(
        &text,
        &["# A wrapped key.", "format = 1", "[wrapping-key]", "label = \"kek\"", "id = \"01\"", "check-value = "],
    );
    says(&text, &["[mechanism]", "name = \"CKM_AES_KEY_WRAP_KWP\"", "[attributes]", "CKA_LABEL = \"data\""]);
    let before = home.done_json(&["key", "show", "data", "--login"]);
    home.done(&["key", "destroy", "data", "--yes"]);
    home.done(&["key", "unwrap", &file]);
    let after = home.done_json(&["key", "show", "data", "--login"]);
    for (name, value) in before.as_object().unwrap() {
        let lost =
            ["CKA_UNIQUE_ID", "CKA_LOCAL", "CKA_KEY_GEN_MECHANISM", "CKA_ALWAYS_SENSITIVE"].contains(&name.as_str());
        assert_eq!(after[name] != *value, lost, "{name}: {value} before, {} after", after[name]);
    }
}

#[test]
fn options_go_before_what_the_file_proposes() {
    let home = home();
    let file = home.word("data.wrapped");
    home.done(&["key", "wrap", "data", "--with", "kek", "--out", &file]);
    let words = ["--label", "other", "--id", "77", "--usage", "sign", "--extractable=false"];
    let made = home.done_json(&[&["key", "unwrap", &file][..], &words].concat());
    assert_eq!(
        (&made[0]["label"], &made[0]["id"], &made[0]["usage"]),
        (&json!("other"), &json!("77"), &json!(["sign"]))
    );
    assert!(!made[0]["flags"].as_array().unwrap().contains(&json!("extractable")));
    for words in [&["--mechanism", "aes-kw"][..], &["--type", "aes"], &["--iv", "00"]] {
        says(&home.refused(&[&["key", "unwrap", &file], words].concat()), &["the file itself says"]);
    }
}

#[test]
fn the_wrapping_key_is_found_by_its_value_and_then_by_its_name() {
    let home = home();
    let file = home.word("data.wrapped");
    home.done(&["key", "wrap", "data", "--with", "kek", "--out", &file]);
    // Another key of the same name is not it.
    home.done(&["key", "generate", "--type", "aes", "--label", "kek", "--id", "01", "--usage", "wrap,unwrap"]);
    home.done(&["key", "unwrap", &file, "--label", "again"]);
    assert_eq!(told(&home, "again"), told(&home, "data"));
    // Another token has none.
    home.token("B");
    let none = home.refused(&["key", "unwrap", &file, "--token", "B"]);
    says(&none, &["no key that unwraps this", "\"kek\"", "check value", "--token", "--with"]);
    // One that is named is taken, whatever the file says.
    home.done(&["key", "generate", "--token", "B", "--type", "aes", "--label", "wrong", "--usage", "unwrap"]);
    says(&home.refused(&["key", "unwrap", &file, "--token", "B", "--with", "wrong"]), &["damaged", "another"]);
}

#[test]
fn a_pair_is_found_by_its_public_key() {
    let home = home();
    let file = home.word("data.wrapped");
    home.done(&["key", "wrap", "data", "--with", "partner", "--out", &file]);
    says(
        &fs::read_to_string(&file).unwrap(),
        &["type = \"RSA\"", "public-key-sha256 = ", "hash = \"sha256\"", "aes-bits = 256"],
    );
    home.done(&["key", "generate", "--type", "rsa:2048", "--label", "partner", "--id", "02", "--usage", "wrap,unwrap"]);
    home.done(&["key", "unwrap", &file, "--label", "again"]);
    assert_eq!(told(&home, "again"), told(&home, "data"));
}

#[test]
fn what_is_not_understood_is_refused_with_a_sentence() {
    let home = home();
    let file = wrapped(&home, "aes-kwp");
    for (from, to, words) in [
        ("format = 1", "format = 2", &["format is 2", "reads 1"][..]),
        ("format = 1", "", &["format"]),
        ("[mechanism]", "colour = \"red\"\n[mechanism]", &["colour"]),
        ("\n[attributes]", "\n[other]\n[attributes]", &["other"]),
        ("CKM_AES_KEY_WRAP_KWP", "CKM_ROT13", &["CKM_ROT13"]),
        ("name = \"CKM_AES_KEY_WRAP_KWP\"", "name = \"CKM_AES_KEY_WRAP_KWP\"\niv = \"00\"", &["other parameters"]),
        ("CKA_SIGN = false", "CKA_SIGN = \"no\"", &["CKA_SIGN", "no such value"]),
        ("CKA_SIGN = false", "CKA_TOKEN = false", &["CKA_TOKEN"]),
        ("CKA_SIGN = false", "CKA_TRUSTED = true", &["CKA_TRUSTED"]),
        ("CKA_SIGN = false", "CKA_NEW = true", &["CKA_NEW"]),
        ("CKA_CLASS = \"secret-key\"", "CKA_CLASS = \"data\"", &["CKA_CLASS"]),
        ("CKA_KEY_TYPE = \"AES\"", "CKA_KEY_TYPE = \"RSA\"", &["CKA_KEY_TYPE"]),
        ("type = \"AES\"", "type = \"DES\"", &["\"DES\""]),
        ("-----END WRAPPED KEY-----", "", &["not understood"]),
        ("-----BEGIN WRAPPED KEY-----", "-----BEGIN WRAPPED KEYS-----", &["not understood"]),
    ] {
        assert!(file.contains(from), "no {from:?} in:\n{file}");
        says(&unwrap(&home, &file.replacen(from, to, 1)), words);
    }
    let gcm = wrapped(&home, "aes-gcm");
    let without_iv: String =
        gcm.lines().filter(|line| !line.starts_with("iv = ")).map(|line| format!("{line}\n")).collect();
    says(&unwrap(&home, &without_iv), &["other parameters"]);
    let block = &file[file.find("-----BEGIN").unwrap()..];
    says(&unwrap(&home, &format!("{file}{block}")), &["blocks"]);
    says(&unwrap(&home, &format!("{file}more")), &["not understood"]);
}

#[test]
fn a_wrapped_key_that_was_changed_is_refused() {
    let home = home();
    for mechanism in ["aes-kw", "aes-kwp", "aes-kw-pad", "aes-kw-pkcs7", "aes-gcm", "aes-cbc-pad"] {
        let file = wrapped(&home, mechanism);
        let at = file.find("-----BEGIN WRAPPED KEY-----\n").unwrap() + 30;
        let other = if &file[at..=at] == "A" { "B" } else { "A" };
        let mut changed = file.clone();
        changed.replace_range(at..=at, other);
        // Under CBC-PAD it is the check value that tells.
        let sentence = unwrap(&home, &changed);
        assert!(sentence.contains("damaged") || sentence.contains("CKA_CHECK_VALUE"), "{mechanism}: {sentence}");
    }
}

/// The others vouch for the key alone, as the file itself says.
#[test]
fn gcm_vouches_for_what_the_file_says() {
    let home = home();
    let changed = |mechanism: &str| {
        let file = wrapped(&home, mechanism);
        says(&file, &["CKA_SENSITIVE = true", "is a proposal"]);
        file.replacen("CKA_SENSITIVE = true", "CKA_SENSITIVE = false", 1)
    };
    says(&unwrap(&home, &changed("aes-gcm")), &["damaged"]);
    fs::write(home.path("wrapped"), changed("aes-kwp")).unwrap();
    let made = home.done_json(&["key", "unwrap", &home.word("wrapped")]);
    assert!(!made[0]["flags"].as_array().unwrap().contains(&json!("sensitive")));
}

/// docs/formats.md says what is in them.
#[test]
fn the_examples_of_the_page_are_unwrapped() {
    let home = Home::new();
    home.token("A");
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wrapped");
    let bytes = |name: &str, from: u8| fs::write(home.path(name), (from..from + 32).collect::<Vec<u8>>()).unwrap();
    bytes("kek", 0);
    bytes("value", 0x40);
    let import = |file: &str, words: &[&str]| home.done(&[&["key", "import", file], words].concat());
    import(&home.word("kek"), &["--type", "aes", "--label", "kek", "--id", "01", "--usage", "wrap,unwrap"]);
    import(&home.word("value"), &["--type", "aes", "--label", "value"]);
    let pair = ["--label", "partner", "--id", "02", "--usage", "wrap,unwrap"];
    import(&format!("{examples}/partner.pem"), &pair);
    let signing = fs::read_to_string(format!("{examples}/signing.pem")).unwrap();
    let mut count = 0;
    for example in fs::read_dir(examples).unwrap() {
        let example = example.unwrap().path();
        if example.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let made = home.done_json(&["key", "unwrap", example.to_str().unwrap()]);
        let unique_id = made[0]["unique_id"].as_str().unwrap();
        match made[0]["class"].as_str().unwrap() {
            "private-key" => assert_eq!(home.done(&["key", "export-public", unique_id, "--login"]), signing),
            _ => assert_eq!(told(&home, unique_id), told(&home, "value")),
        }
        count += 1;
    }
    assert_eq!(count, 10);
}
