//! `keystead key generate`

use serde_json::{Value, json};

use crate::home::{Home, says};

fn home() -> Home {
    let home = Home::new();
    home.token("A");
    home
}

fn show(home: &Home, unique_id: &Value) -> Value {
    home.done_json(&["key", "show", unique_id.as_str().unwrap(), "--login"])
}

#[test]
fn keys_are_made_as_they_are_asked_for() {
    let home = home();
    for (asked, of, key, value) in [
        ("aes", "AES", "bits", json!(256)),
        ("aes:128", "AES", "bits", json!(128)),
        ("generic:20", "generic", "bits", json!(160)),
        ("hmac-sha512:64", "HMAC-SHA-512", "bits", json!(512)),
    ] {
        let made = home.done_json(&["key", "generate", "--type", asked, "--label", "one", "--id", "0a"]);
        assert_eq!(made.as_array().unwrap().len(), 1);
        assert_eq!((&made[0]["class"], &made[0]["type"], &made[0][key]), (&json!("secret-key"), &json!(of), &value));
        let shown = show(&home, &made[0]["unique_id"]);
        for (attribute, value) in
            [("CKA_TOKEN", true), ("CKA_SENSITIVE", true), ("CKA_EXTRACTABLE", false), ("CKA_LOCAL", true)]
        {
            assert_eq!(shown[attribute], value, "{asked}: {attribute}");
        }
    }
    for (asked, of, key, value) in [
        ("rsa:2048", "RSA", "bits", json!(2048)),
        ("ec", "EC", "curve", json!("secp256r1")),
        ("ec:p-384", "EC", "curve", json!("secp384r1")),
        ("ec:brainpoolP256r1", "EC", "curve", json!("brainpoolP256r1")),
        ("ed25519", "Edwards", "curve", json!("Ed25519")),
        ("x25519", "Montgomery", "curve", json!("X25519")),
    ] {
        let made = home.done_json(&["key", "generate", "--type", asked, "--label", "pair", "--id", "0b"]);
        let classes: Vec<_> = made.as_array().unwrap().iter().map(|half| half["class"].as_str().unwrap()).collect();
        assert_eq!(classes, ["public-key", "private-key"]);
        for half in made.as_array().unwrap() {
            assert_eq!(
                (&half["type"], &half[key], &half["label"], &half["id"]),
                (&json!(of), &value, &json!("pair"), &json!("0b"))
            );
        }
    }
}

#[test]
fn what_is_made_is_found_by_its_uri() {
    let home = home();
    let made = home.done_json(&["key", "generate", "--type", "ec", "--label", "ein schlüssel;", "--id", "0aff"]);
    let uri = made[1]["uri"].as_str().unwrap();
    says(uri, &["pkcs11:token=A;serial=", ";object=ein%20schl%C3%BCssel%3B;id=%0A%FF;type=private"]);
    assert_eq!(show(&home, &made[1]["uri"])["CKA_UNIQUE_ID"], made[1]["unique_id"]);
    let line = home.done(&["key", "generate", "--type", "aes", "--label", "plain"]);
    assert_eq!(line.lines().count(), 1);
    says(&line, &["secret-key\tAES\t256 bits\tplain\t-\t", "\tpkcs11:token=A;"]);
}

#[test]
fn use_and_flags_are_those_that_were_said() {
    let home = home();
    let wraps = home.done_json(&["key", "generate", "--type", "aes", "--usage", "wrap,unwrap"]);
    assert_eq!(wraps[0]["usage"], json!(["wrap", "unwrap"]));
    let free = ["--extractable", "--sensitive=false", "--private=false", "--modifiable=false", "--maskable=false"];
    let free = home.done_json(&[&["key", "generate", "--type", "aes"][..], &free].concat());
    assert_eq!(free[0]["flags"], json!(["extractable", "not modifiable"]));
    let pair =
        home.done_json(&["key", "generate", "--type", "rsa:2048", "--usage", "sign,wrap", "--always-authenticate"]);
    assert_eq!((&pair[0]["usage"], &pair[1]["usage"]), (&json!(["verify", "wrap"]), &json!(["sign", "unwrap"])));
    assert_eq!(show(&home, &pair[1]["unique_id"])["CKA_ALWAYS_AUTHENTICATE"], true);
    let trusted = home.done_json(&["key", "generate", "--type", "aes", "--extractable", "--wrap-with-trusted"]);
    assert_eq!(show(&home, &trusted[0]["unique_id"])["CKA_WRAP_WITH_TRUSTED"], true);
}

#[test]
fn what_cannot_be_made_is_a_sentence() {
    let home = home();
    says(&home.refused(&["key", "generate", "--type", "rsa:1000"]), &["CKA_MODULUS_BITS"]);
    says(&home.refused(&["key", "generate", "--type", "generic:0"]), &["CKA_VALUE_LEN"]);
    says(&home.bad(&["key", "generate", "--type", "aes"]), &["user PIN", "--user-pin-file"]);
    assert_eq!(home.done_json(&["key", "list", "--login"]), json!([]));
}
