//! `keystead key list`, `show` and `destroy`

use cryptoki_sys::*;
use keystead::key::Login;
use keystead::module::Module;
use keystead::object::Given;
use serde_json::{Value, json};

use crate::home::{Home, PIN, bad, field, good, says};

/// A token with one key of each kind: an AES key, a pair of an elliptic curve, a public data object, and an RSA pair.
fn home() -> Home {
    let home = Home::new();
    home.token("A");
    let module = home.module();
    let session = module.open_session(0, true).unwrap();
    let sessions = module.sessions();
    sessions.login(session, Login::User, PIN.as_bytes()).unwrap();
    let mechanism = |number| module.mechanisms().find(number).unwrap();
    let aes = [
        (CKA_TOKEN, vec![1]),
        (CKA_LABEL, "schlüssel".into()),
        (CKA_ID, vec![1]),
        (CKA_VALUE_LEN, 32_u64.to_ne_bytes().to_vec()),
    ];
    sessions.generate(session, mechanism(CKM_AES_KEY_GEN), &given(&aes)).unwrap();
    let p256 = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let half = |extra: Vec<(u64, Vec<u8>)>| {
        [vec![(CKA_TOKEN, vec![1]), (CKA_LABEL, b"pair".to_vec()), (CKA_ID, vec![0xab, 2])], extra].concat()
    };
    let (public, private) = (half(vec![(CKA_EC_PARAMS, p256.to_vec())]), half(vec![]));
    let pair = [given(&public), given(&private)];
    sessions.generate_pair(session, mechanism(CKM_EC_KEY_PAIR_GEN), [&pair[0], &pair[1]]).unwrap();
    let data = [(CKA_CLASS, CKO_DATA.to_ne_bytes().to_vec()), (CKA_TOKEN, vec![1]), (CKA_LABEL, b"pair".to_vec())];
    sessions.create(session, &given(&data)).unwrap();
    let bits = 2048_u64.to_ne_bytes().to_vec();
    let rsa = [(CKA_TOKEN, vec![1]), (CKA_LABEL, b"rsa".to_vec()), (CKA_MODULUS_BITS, bits)];
    let pair = [given(&rsa), given(&rsa[..2])];
    sessions.generate_pair(session, mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN), [&pair[0], &pair[1]]).unwrap();
    home
}

fn given(attributes: &[(u64, Vec<u8>)]) -> Vec<Given<'_>> {
    attributes.iter().map(|(number, value)| Given::new(*number, value)).collect()
}

fn json(home: &Home, words: &[&str]) -> Value {
    serde_json::from_str(&good(&home.user(&[words, &["--json"]].concat()).output().unwrap())).unwrap()
}

/// Every token shows so many objects of its own.
const PROFILES: usize = 3;

#[test]
fn keys_are_listed_with_what_they_are_and_may() {
    let home = home();
    let all = json(&home, &["key", "list", "--login"]);
    let of = |class: &str, label: &str| {
        let mut found = all.as_array().unwrap().iter().filter(|key| key["class"] == class && key["label"] == label);
        let key = found.next().unwrap_or_else(|| panic!("no {class} {label} in {all:#}")).clone();
        assert!(found.next().is_none());
        key
    };
    assert_eq!(all.as_array().unwrap().len(), 5, "no data objects among the keys: {all:#}");
    let aes = of("secret-key", "schlüssel");
    assert_eq!((&aes["type"], &aes["bits"], &aes["id"]), (&json!("AES"), &json!(256), &json!("01")));
    assert_eq!(aes["usage"], json!(["encrypt", "decrypt", "sign", "verify"]));
    assert_eq!(aes["flags"], json!(["private", "sensitive"]));
    assert_eq!(aes["unique_id"].as_str().unwrap().len(), 32);
    let private = of("private-key", "pair");
    assert_eq!(
        (&private["type"], &private["curve"], &private["id"]),
        (&json!("EC"), &json!("secp256r1"), &json!("ab02"))
    );
    assert!(of("public-key", "pair")["usage"].as_array().unwrap().contains(&json!("verify")));
    assert_eq!(
        (of("public-key", "rsa")["bits"].clone(), of("private-key", "rsa")["bits"].clone()),
        (json!(2048), json!(2048))
    );

    let plain = good(&home.user(&["key", "list", "--login"]).output().unwrap());
    assert_eq!(plain.lines().count(), 5);
    let line = plain.lines().find(|line| line.contains("schlüssel")).unwrap();
    let words: Vec<String> = (0..7).map(|number| field(line, number)).collect();
    assert_eq!(words[..5], ["secret-key", "AES", "256 bits", "schlüssel", "01"]);
    assert_eq!(words[5..], ["encrypt, decrypt, sign, verify", "private, sensitive"]);

    assert_eq!(json(&home, &["key", "list", "--login", "--class", "any"]).as_array().unwrap().len(), 6 + PROFILES);
    assert_eq!(json(&home, &["key", "list", "--login", "--class", "private-key"]).as_array().unwrap().len(), 2);
    assert_eq!(json(&home, &["key", "list", "pair", "--login"]).as_array().unwrap().len(), 2);
    assert_eq!(json(&home, &["key", "list", "pkcs11:id=%AB%02;type=public"]).as_array().unwrap().len(), 1);
}

#[test]
fn without_a_login_private_objects_are_not_seen() {
    let home = home();
    // The variable alone is no login: it is asked for by --login.
    let public = json(&home, &["key", "list", "--class", "any"]);
    let seen: Vec<_> = public.as_array().unwrap().iter().map(|key| key["class"].as_str().unwrap()).collect();
    assert!(seen.contains(&"data") && !seen.contains(&"private-key") && !seen.contains(&"secret-key"), "{seen:?}");
    says(&home.bad(&["key", "list", "--login"]), &["no terminal", "user PIN", "--user-pin-file", "KEYSTEAD_PIN"]);
    let wrong = home.command(&["key", "list", "--login"]).env("KEYSTEAD_PIN", "guess").output().unwrap();
    says(&bad(&wrong), &["user PIN is wrong", "9 tries are left"]);
    says(&home.bad(&["key", "show", "schlüssel"]), &["\"schlüssel\"", "--login"]);
}

#[test]
fn the_token_has_to_be_said_where_there_are_several() {
    let home = Home::new();
    says(&home.bad(&["key", "list"]), &["no token yet"]);
    home.token("A");
    let output = home.run(&["key", "list", "--json"]);
    assert_eq!((output.status.code(), crate::home::text(&output.stdout)), (Some(0), "[]\n".into()));
    says(&crate::home::text(&output.stderr), &["--login"]);
    home.token("B");
    says(&home.bad(&["key", "list"]), &["several tokens", "--token"]);
    says(&home.bad(&["key", "list", "--token", "C"]), &["\"C\""]);
    assert_eq!(json(&home, &["key", "list", "--token", "B", "--login"]), json!([]));
    assert_eq!(json(&home, &["key", "list", "pkcs11:token=B", "--login"]), json!([]));
    says(&home.bad(&["key", "list", "pkcs11:token=C"]), &["pkcs11:token=C"]);
    says(&home.bad(&["key", "list", "pkcs11:pin-value=1"]), &["is not understood"]);
    home.token("C");
    says(&home.bad(&["key", "list"]), &["several tokens", "--token"]);
}

#[test]
fn every_attribute_is_shown_by_name_and_no_value_of_a_key() {
    let home = home();
    let readable = json(&home, &["key", "list", "schlüssel", "--login"])[0]["unique_id"].as_str().unwrap().to_owned();
    for name in [&readable, "01", "schlüssel", "pkcs11:token=A;object=schl%C3%BCssel"] {
        let shown = json(&home, &["key", "show", name, "--login"]);
        assert_eq!((&shown["CKA_CLASS"], &shown["CKA_KEY_TYPE"]), (&json!("secret-key"), &json!("AES")));
        assert_eq!((&shown["CKA_LABEL"], &shown["CKA_ID"]), (&json!("schlüssel"), &json!("01")));
        assert_eq!((&shown["CKA_VALUE"], &shown["CKA_VALUE_LEN"]), (&Value::Null, &json!(32)));
        assert_eq!(shown["CKA_KEY_GEN_MECHANISM"], "CKM_AES_KEY_GEN");
        assert_eq!((&shown["CKA_SENSITIVE"], &shown["CKA_EXTRACTABLE"]), (&json!(true), &json!(false)));
        assert_eq!(shown["CKA_UNIQUE_ID"], readable.as_str());
        assert_eq!(shown.get("CKA_WRAP_TEMPLATE"), None, "what it does not have");
        assert_eq!(shown["CKA_KEYSTEAD_MASKABLE"], false);
    }
    let lines = good(&home.user(&["key", "show", "01", "--login"]).output().unwrap());
    assert!(lines.lines().any(|line| line == "CKA_VALUE\t(never shown)"), "{lines}");
    assert!(lines.lines().any(|line| line == "CKA_WRAP\tfalse"), "{lines}");
    says(&bad(&home.user(&["key", "show", "pair", "--login"]).output().unwrap()), &["2 objects", "--class"]);
    let private = json(&home, &["key", "show", "pair", "--class", "private-key", "--login"]);
    assert_eq!(private["CKA_EC_PARAMS"], "secp256r1");
    says(&bad(&home.user(&["key", "show", "nothing", "--login"]).output().unwrap()), &["\"nothing\""]);
}

/// One that programs may read is not printed either.
#[test]
fn a_readable_key_is_not_printed() {
    let home = Home::new();
    home.token("A");
    let module = home.module();
    put_readable(&module);
    let shown = good(&home.user(&["key", "show", "open", "--login"]).output().unwrap());
    says(&shown, &["CKA_VALUE\t(not printed; programs may read it)", "CKA_SENSITIVE\tfalse", "not generated here"]);
    assert!(!shown.contains("57575757"), "{shown}");
}

fn put_readable(module: &Module) {
    let session = module.open_session(0, true).unwrap();
    module.sessions().login(session, Login::User, PIN.as_bytes()).unwrap();
    let key = [
        (CKA_CLASS, CKO_SECRET_KEY.to_ne_bytes().to_vec()),
        (CKA_KEY_TYPE, CKK_AES.to_ne_bytes().to_vec()),
        (CKA_TOKEN, vec![1]),
        (CKA_LABEL, b"open".to_vec()),
        (CKA_SENSITIVE, vec![0]),
        (CKA_EXTRACTABLE, vec![1]),
        (CKA_VALUE, vec![0x57; 32]),
    ];
    module.sessions().create(session, &given(&key)).unwrap();
}

#[test]
fn what_is_destroyed_is_one_object_unless_all_are_meant() {
    let home = home();
    let left = || json(&home, &["key", "list", "--login", "--class", "any"]).as_array().unwrap().len() - PROFILES;
    let destroy = |words: &[&str]| home.user(&[&["key", "destroy"], words].concat()).output().unwrap();
    says(&home.bad(&["key", "destroy", "01", "--yes"]), &["no terminal", "user PIN"]);
    says(&bad(&destroy(&["01"])), &["schlüssel", "would be destroyed", "--yes"]);
    says(&bad(&destroy(&["pair", "--yes"])), &["2 objects", "private-key", "public-key", "--all"]);
    says(&bad(&destroy(&["nothing", "--yes"])), &["\"nothing\""]);
    assert_eq!(left(), 6);
    says(&good(&destroy(&["01", "--yes"])), &["secret-key", "schlüssel"]);
    assert_eq!(left(), 5);
    good(&destroy(&["pair", "--yes", "--class", "public-key"]));
    assert_eq!(left(), 4);
    let gone: Value = serde_json::from_str(&good(&destroy(&["rsa", "--yes", "--all", "--json"]))).unwrap();
    assert_eq!((gone.as_array().unwrap().len(), left()), (2, 2));
    good(&destroy(&["pkcs11:type=data", "--yes"]));
    assert_eq!(left(), 1);
}

/// More than is found at a time, and more than a part of a table.
#[test]
fn a_long_list_is_whole() {
    let home = Home::new();
    home.token("A");
    let module = home.module();
    let session = module.open_session(0, true).unwrap();
    for number in 0..600 {
        let label = format!("data {number}").into_bytes();
        let data = [(CKA_CLASS, CKO_DATA.to_ne_bytes().to_vec()), (CKA_TOKEN, vec![1]), (CKA_LABEL, label)];
        module.sessions().create(session, &given(&data)).unwrap();
    }
    let mut labels: Vec<String> =
        good(&home.run(&["key", "list", "--class", "data"])).lines().map(|line| field(line, 3)).collect();
    labels.sort();
    labels.dedup();
    assert_eq!(labels.len(), 600);
    assert_eq!(home.json(&["key", "list", "--class", "data"]).as_array().unwrap().len(), 600);
}
