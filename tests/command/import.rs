//! `keystead key import` and `export-public`, with the openssl command and ssh-keygen

use std::fs;

use der::asn1::{AnyRef, UintRef};
use der::{Decode, Reader};
use jose_jwk::{Key, Rsa, RsaOptional, RsaPrivate};
use serde_json::{Value, json};

use crate::home::{Home, PASSPHRASE, bad, noted, other, says, text};

fn home() -> Home {
    let home = Home::new();
    home.token("A");
    home
}

/// Private keys of every kind, made by openssl.
const KINDS: [(&str, &[&str]); 8] = [
    ("rsa", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ("p256", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    ("p384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ("p521", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ("k256", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
    ("brainpool", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"]),
    ("ed25519", &["-algorithm", "ED25519"]),
    ("x25519", &["-algorithm", "X25519"]),
];

fn genpkey(home: &Home, how: &[&str]) -> String {
    let file = home.word("key.pem");
    other("openssl", &[&["genpkey", "-out", &file], how].concat());
    file
}

fn phrase() -> String {
    format!("pass:{PASSPHRASE}")
}

#[test]
fn private_keys_of_openssl_arrive_and_leave_as_they_are() {
    let home = home();
    let (file, out) = (home.word("key.pem"), home.word("out"));
    for (name, how) in KINDS {
        genpkey(&home, how);
        home.done(&["key", "import", &file, "--label", name, "--id", "0a", "--extractable"]);
        let public = text(&other("openssl", &["pkey", "-in", &file, "-pubout"]));
        assert_eq!(home.done(&["key", "export-public", name]), public, "{name}");
        let private = format!("pkcs11:object={name};type=private");
        assert_eq!(home.done(&["key", "export-public", &private, "--login"]), public, "{name}, of the private half");
        home.done(&["key", "wrap", &private, "--form", "pkcs8", "--out", &out, "--force"]);
        let back = other("openssl", &["pkey", "-in", &out, "-passin", &phrase(), "-outform", "DER"]);
        let before = other("openssl", &["pkey", "-in", &file, "-outform", "DER"]);
        assert_eq!(back, before, "{name}, back");
    }
}

#[test]
fn every_form_of_a_private_key_is_seen() {
    let home = home();
    for (name, how, traditional) in [("rsa", KINDS[0].1, "rsa"), ("p256", KINDS[1].1, "ec")] {
        let (file, form) = (genpkey(&home, how), home.word("form"));
        let expected = text(&other("openssl", &["pkey", "-in", &file, "-pubout"]));
        let pkcs8 = ["pkcs8", "-topk8", "-in", &file, "-out", &form];
        let (phrase, der) = (phrase(), ["-outform", "DER"]);
        let encrypted = [&pkcs8[..], &["-passout", &phrase]].concat();
        let older = if traditional == "rsa" { &["rsa", "-traditional"][..] } else { &["ec"] };
        let older = [older, &["-in", &file, "-out", &form]].concat();
        for (number, convert) in [
            [&pkcs8[..], &["-nocrypt"]].concat(),
            [&pkcs8[..], &["-nocrypt"], &der].concat(),
            encrypted.clone(),
            [&encrypted[..], &der].concat(),
            [&encrypted[..], &["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"]].concat(),
            [&encrypted[..], &["-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA512"]].concat(),
            [&encrypted[..], &["-scrypt"]].concat(),
            older.clone(),
            [&older[..], &der].concat(),
        ]
        .iter()
        .enumerate()
        {
            other("openssl", convert);
            let label = format!("{name} {number}");
            let made = home.done_json(&["key", "import", &form, "--label", &label]);
            assert_eq!(home.done(&["key", "export-public", &label]), expected, "{convert:?}");
            assert_eq!(made[1]["flags"], json!(["private", "sensitive"]), "not extractable");
        }
    }
}

#[test]
fn what_openssl_writes_before_a_key_is_passed_over() {
    let home = home();
    let file = home.word("key.pem");
    other("openssl", &["ecparam", "-name", "prime256v1", "-genkey", "-out", &file]);
    says(&fs::read_to_string(&file).unwrap(), &["BEGIN EC PARAMETERS", "BEGIN EC PRIVATE KEY"]);
    assert_eq!(home.done_json(&["key", "import", &file, "--no-public"]).as_array().unwrap().len(), 1);
}

#[test]
fn the_file_of_a_key_in_the_clear_is_pointed_out() {
    let home = home();
    let file = genpkey(&home, KINDS[1].1);
    let notes = |words: &[&str]| noted(&home.user(words).output().unwrap()).1;
    says(&notes(&["key", "import", &file]), &["key.pem", "in the clear", "destroy"]);
    let form = home.word("form");
    other("openssl", &["pkcs8", "-topk8", "-in", &file, "-out", &form, "-passout", &phrase()]);
    assert_eq!(notes(&["key", "import", &form]), "");
    other("openssl", &["pkey", "-in", &file, "-pubout", "-out", &form]);
    assert_eq!(notes(&["key", "import", &form]), "");
}

#[test]
fn public_keys_and_certificates_become_objects() {
    let home = home();
    let (file, form) = (genpkey(&home, KINDS[0].1), home.word("form"));
    other("openssl", &["pkey", "-in", &file, "-pubout", "-outform", "DER", "-out", &form]);
    let made = home.done_json(&["key", "import", &form, "--label", "partner", "--usage", "wrap"]);
    assert_eq!((&made[0]["class"], &made[0]["usage"]), (&json!("public-key"), &json!(["wrap"])));
    for encoding in ["PEM", "DER"] {
        let request = ["req", "-x509", "-key", &file, "-subj", "/CN=someone", "-days", "2", "-outform", encoding];
        other("openssl", &[&request[..], &["-out", &form]].concat());
        let made = home.done_json(&["key", "import", &form, "--label", encoding, "--id", "0c"]);
        assert_eq!(
            (&made[0]["class"], &made[0]["type"], &made[0]["id"]),
            (&json!("certificate"), &json!("X.509"), &json!("0c"))
        );
        let shown = home.done_json(&["key", "show", encoding, "--class", "certificate"]);
        let subject = shown["CKA_SUBJECT"].as_str().unwrap();
        assert!(subject.starts_with("30") && shown["CKA_ISSUER"] == subject, "{shown:#}");
        assert!(shown["CKA_SERIAL_NUMBER"].as_str().unwrap().starts_with("02"), "{shown:#}");
        let public = text(&other("openssl", &["pkey", "-in", &file, "-pubout"]));
        assert_eq!(home.done(&["key", "export-public", encoding, "--class", "certificate"]), public);
    }
}

#[test]
fn bytes_become_the_secret_key_that_was_said() {
    let home = home();
    fs::write(home.path("bytes"), [0x57; 32]).unwrap();
    let bytes = home.word("bytes");
    let made = home.done_json(&["key", "import", &bytes, "--type", "aes", "--label", "data", "--usage", "encrypt"]);
    assert_eq!((&made[0]["bits"], &made[0]["usage"]), (&json!(256), &json!(["encrypt"])));
    assert_eq!(made[0]["flags"], json!(["private", "sensitive"]));
    let mac = home.done_json(&["key", "import", &bytes, "--type", "hmac-sha256"]);
    assert_eq!(mac[0]["type"], "HMAC-SHA-256");
    says(&home.refused(&["key", "import", &bytes]), &["no PEM", "--type"]);
    fs::write(home.path("bytes"), [0x57; 31]).unwrap();
    says(&home.refused(&["key", "import", &bytes, "--type", "aes"]), &["impossible length"]);
    let of_pair = home.user(&["key", "import", &bytes, "--type", "rsa"]).output().unwrap();
    assert_eq!(of_pair.status.code(), Some(2));
}

/// RFC 7517, appendix A.2, RFC 8037, appendix A.1, and RFC 7748, section 6.1 (Alice).
const JWKS: [&str; 3] = [
    r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
        "use":"enc","kid":"1"}"#,
    r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    r#"{"kty":"OKP","crv":"X25519","d":"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo",
        "x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"}"#,
];

fn export_jwk(home: &Home, label: &str) -> Value {
    serde_json::from_str(&home.done(&["key", "export-public", label, "--form", "jwk"])).unwrap()
}

#[test]
fn jwks_come_in_and_public_ones_go_out() {
    let home = home();
    for (number, jwk) in JWKS.iter().enumerate() {
        fs::write(home.path("jwk"), jwk).unwrap();
        let label = number.to_string();
        let made = home.done_json(&["key", "import", &home.word("jwk"), "--label", &label]);
        assert_eq!(made.as_array().unwrap().len(), 2);
        let (jwk, out) = (serde_json::from_str::<Value>(jwk).unwrap(), export_jwk(&home, &label));
        for member in ["kty", "crv", "x", "y"] {
            assert_eq!(out.get(member), jwk.get(member));
        }
        assert_eq!(out.get("d"), None);
        // And back as a public key.
        fs::write(home.path("jwk"), out.to_string()).unwrap();
        assert_eq!(home.done_json(&["key", "import", &home.word("jwk")]).as_array().unwrap().len(), 1);
    }
    fs::write(home.path("jwk"), r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODw","alg":"A128KW"}"#).unwrap();
    let made = home.done_json(&["key", "import", &home.word("jwk"), "--type", "aes"]);
    assert_eq!((&made[0]["type"], &made[0]["bits"]), (&json!("AES"), &json!(128)));
    let made = home.done_json(&["key", "import", &home.word("jwk")]);
    assert_eq!(made[0]["type"], "generic");
}

#[test]
fn an_rsa_key_comes_as_a_jwk() {
    let home = home();
    let file = genpkey(&home, KINDS[0].1);
    let der = other("openssl", &["rsa", "-in", &file, "-traditional", "-outform", "DER"]);
    let numbers: der::Result<Vec<Vec<u8>>> = AnyRef::from_der(&der)
        .unwrap()
        .sequence(|reader| (0..9).map(|_| Ok(reader.decode::<UintRef<'_>>()?.as_bytes().to_vec())).collect());
    let [_, n, e, d, p, q, dp, dq, qi]: [Vec<u8>; 9] = numbers.unwrap().try_into().unwrap();
    let opt = RsaOptional { p: p.into(), q: q.into(), dp: dp.into(), dq: dq.into(), qi: qi.into(), oth: Vec::new() };
    for (label, opt) in [("whole", Some(opt)), ("short", None)] {
        let private = RsaPrivate { d: d.clone().into(), opt };
        let key = Key::Rsa(Rsa { n: n.clone().into(), e: e.clone().into(), prv: Some(private) });
        fs::write(home.path("jwk"), serde_json::to_string(&key).unwrap()).unwrap();
        home.done(&["key", "import", &home.word("jwk"), "--label", label, "--extractable"]);
        let private = format!("pkcs11:object={label};type=private");
        home.done(&["key", "wrap", &private, "--form", "pkcs8", "--out", &home.word("out"), "--force"]);
        let back = other(
            "openssl",
            &["rsa", "-in", &home.word("out"), "-passin", &phrase(), "-traditional", "-outform", "DER"],
        );
        assert_eq!(back, der, "{label}");
    }
    assert_eq!(export_jwk(&home, "whole")["e"], "AQAB");
}

#[test]
fn public_keys_go_out_as_openssl_and_openssh_read_them() {
    let home = home();
    for (name, how) in KINDS {
        let file = genpkey(&home, how);
        home.done(&["key", "import", &file, "--label", name]);
        let der = home.word("out");
        home.done(&["key", "export-public", name, "--form", "der", "--out", &der, "--force"]);
        assert_eq!(fs::read(&der).unwrap(), other("openssl", &["pkey", "-in", &file, "-pubout", "-outform", "DER"]));
        if ["k256", "brainpool", "x25519"].contains(&name) {
            says(&home.refused(&["key", "export-public", name, "--form", "ssh"]), &["SSH", "--form pem"]);
            continue;
        }
        let line = home.done(&["key", "export-public", name, "--form", "ssh"]);
        says(&line, &[&format!(" {name}\n")]);
        fs::write(home.path("ssh"), &line).unwrap();
        if name != "ed25519" {
            let pem = text(&other("ssh-keygen", &["-e", "-m", "PKCS8", "-f", &home.word("ssh")]));
            assert_eq!(pem, home.done(&["key", "export-public", name]), "{name}");
        }
        says(&text(&other("ssh-keygen", &["-l", "-f", &home.word("ssh")])), &["SHA256:"]);
    }
    says(&home.refused(&["key", "export-public", "brainpool", "--form", "jwk"]), &["JWK", "brainpoolP256r1"]);
}

#[test]
fn what_is_no_key_is_refused_and_nothing_is_made() {
    let home = home();
    let (file, form) = (genpkey(&home, KINDS[1].1), home.word("form"));
    let pem = fs::read_to_string(&file).unwrap();
    let import = |content: &str| {
        fs::write(&form, content).unwrap();
        home.refused(&["key", "import", &form])
    };
    says(&import(""), &["no PEM", "--type"]);
    says(&import(&format!("{pem}{pem}")), &["2 blocks", "cut out"]);
    says(&import("-----BEGIN CERTIFICATE REQUEST-----\n"), &["0 blocks", "PRIVATE KEY"]);
    says(&import(&pem.replace('M', "N")), &["PRIVATE KEY"]);
    says(&import("{\"kty\":\"EC\"}"), &["no JWK"]);
    let other_public = JWKS[1].replace("11qY", "12qY");
    says(&import(&other_public), &["JWK"]);
    says(&import(&JWKS[1].replace("Ed25519", "Ed448")), &["curve", "Ed25519"]);
    let sentence = import(&JWKS[0].replace("\"d\":\"", "\"d\":\"?"));
    assert!(!sentence.contains("870MB6"), "{sentence}");
    for (how, words) in [
        (&["-v1", "PBE-SHA1-3DES"][..], &["PBES2", "openssl pkcs8 -topk8"][..]),
        (&["-v2", "des3"], &["PBES2", "openssl pkcs8 -topk8"]),
    ] {
        other("openssl", &[&["pkcs8", "-topk8", "-in", &file, "-out", &form, "-passout", &phrase()], how].concat());
        says(&home.refused(&["key", "import", &form]), words);
    }
    other("openssl", &["ec", "-in", &file, "-aes128", "-passout", &phrase(), "-out", &form]);
    says(&home.refused(&["key", "import", &form]), &["EC PRIVATE KEY", "openssl pkcs8 -topk8"]);
    other("openssl", &["pkcs8", "-topk8", "-in", &file, "-out", &form, "-passout", "pass:another"]);
    says(&home.refused(&["key", "import", &form]), &["passphrase is wrong"]);
    let nobody = home.command(&["key", "import", &form]).output().unwrap();
    says(&bad(&nobody), &["passphrase", "--passphrase-file", "KEYSTEAD_KEY_PASSPHRASE"]);
    says(&home.refused(&["key", "import", &home.word("nothing")]), &["nothing", "No such file"]);
    assert_eq!(home.done_json(&["key", "list", "--login"]), json!([]));
}

#[test]
fn the_passphrase_comes_from_a_file_too() {
    let home = home();
    let (file, form, phrase) = (genpkey(&home, KINDS[1].1), home.word("form"), home.word("phrase"));
    fs::write(&phrase, "from a file\nnot this line\n").unwrap();
    other("openssl", &["pkcs8", "-topk8", "-in", &file, "-out", &form, "-passout", "pass:from a file"]);
    home.done(&["key", "import", &form, "--label", "pair", "--extractable", "--passphrase-file", &phrase]);
    let out = home.word("out");
    let private = "pkcs11:object=pair;type=private";
    home.done(&["key", "wrap", private, "--form", "pkcs8", "--out", &out, "--passphrase-file", &phrase]);
    other("openssl", &["pkey", "-in", &out, "-noout", "-passin", "pass:from a file"]);
    let variable = ["key", "import", &out, "--passphrase-env", "PHRASE"];
    noted(&home.user(&variable).env("PHRASE", "from a file").output().unwrap());
    says(&home.refused(&variable), &["PHRASE", "not set"]);
}

#[test]
fn no_value_is_ever_printed() {
    let home = home();
    fs::write(home.path("bytes"), [0x57; 32]).unwrap();
    let bytes = home.word("bytes");
    home.done(&["key", "import", &bytes, "--type", "aes", "--label", "kek", "--usage", "wrap,unwrap"]);
    let free = ["--extractable", "--sensitive=false"];
    for line in [
        &[&["key", "import", &bytes, "--type", "aes", "--label", "data"][..], &free].concat()[..],
        &["key", "list", "--login", "--json"],
        &["key", "show", "data", "--login"],
        &["key", "wrap", "data", "--with", "kek"],
        &[
            "key",
            "wrap",
            "data",
            "--with",
            "kek",
            "--mechanism",
            "aes-gcm",
            "--form",
            "raw",
            "--out",
            &home.word("raw"),
        ],
    ] {
        let (printed, notes) = noted(&home.user(line).output().unwrap());
        for value in ["575757", "V1dXV1", "WWWWWW"] {
            assert!(!printed.contains(value) && !notes.contains(value), "{line:?}: {printed}{notes}");
        }
    }
}
