//! pkcs11-tool, as 0.23 of Debian 12 has it: key pairs, certificates, and both written and read.
//!
//! Left aside, with the reason: reading private keys, which it does not do, and writing Edwards and Montgomery keys, whose
//! types it does not take.

use super::*;

pub const TESTS: &[Test] = &tests![
    generates_rsa_pairs,
    generates_ec_pairs,
    generates_edwards_and_montgomery_pairs,
    writes_keys_of_openssl,
    writes_and_reads_certificates,
    finds_a_private_key_after_login_only,
    changes_id_and_label,
    deletes_pairs,
    refuses_other_mechanisms_than_allowed,
    asks_for_the_pin_at_each_use,
];

fn generates_rsa_pairs() {
    let tool = token();
    for (bits, id) in [("2048", "01"), ("3072", "02"), ("4096", "03")] {
        let said = tool.key_pair(&format!("rsa:{bits}"), id);
        assert!(said.contains("Private Key Object; RSA"), "{said}");
        assert!(said.contains(&format!("Public Key Object; RSA {bits} bits")), "{said}");
        assert!(said.contains("sensitive, always sensitive, never extractable, local"), "{said}");
        let shown = says("openssl", &["pkey", "-pubin", "-in", &tool.public_key(id), "-noout", "-text"]);
        assert!(shown.contains(&format!("Public-Key: ({bits} bit)")) && shown.contains("65537"), "{shown}");
        pair_fits(&tool, "RSA-PKCS", id);
    }
}

/// Every curve that pkcs11-tool and Keystead both have.
fn generates_ec_pairs() {
    let tool = token();
    for (number, (curve, name)) in CURVES.iter().enumerate() {
        let id = format!("{number:02x}");
        let said = tool.key_pair(&format!("EC:{curve}"), &id);
        assert!(said.contains("sign, ") && said.contains("derive"), "{said}");
        let shown = says("openssl", &["pkey", "-pubin", "-in", &tool.public_key(&id), "-noout", "-text"]);
        assert!(shown.contains(&format!("ASN1 OID: {name}")), "{shown}");
        pair_fits(&tool, "ECDSA", &id);
    }
}

/// pkcs11-tool names these curves by their names, not by their identifiers.
fn generates_edwards_and_montgomery_pairs() {
    let tool = token();
    tool.key_pair("EC:edwards25519", "01");
    let public = tool.public_key("01");
    assert!(says("openssl", &["pkey", "-pubin", "-in", &public, "-noout", "-text"]).contains("ED25519"));
    let [text, signature] = [tool.file("text", &message(100)), tool.path("signature")];
    tool.user(&["--sign", "-m", "EDDSA", "--id", "01", "--input-file", &text, "--output-file", &signature], "");
    let verify = ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", &public, "-in", &text, "-sigfile", &signature];
    assert!(openssl_agrees(&verify));
    tool.file("text", &message(99));
    assert!(!openssl_agrees(&verify));
    if tool.offers("EC-MONTGOMERY-KEY-PAIR-GEN") {
        let said = tool.key_pair("EC:curve25519", "02");
        assert!(said.contains("EC_MONTGOMERY"), "{said}");
    }
}

fn writes_keys_of_openssl() {
    let tool = token();
    let forms: [(&[&str], &str); 4] = [
        (RSA_2048, "RSA-PKCS"),
        (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "ECDSA"),
        (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "ECDSA"),
        (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "ECDSA"),
    ];
    for (number, (algorithm, mechanism)) in forms.into_iter().enumerate() {
        let id = format!("{number:02x}");
        let (private, public) = imported_pair(&tool, algorithm, &id);
        // What the token gives back is what was written.
        let der = |arguments: &[&str]| openssl(&[&["pkey", "-outform", "DER"], arguments].concat());
        let given = der(&["-pubin", "-pubout", "-in", &tool.public_key(&id)]);
        assert!(given == der(&["-pubin", "-pubout", "-in", &public]), "{algorithm:?}");
        let said = tool.user(&["--list-objects", "--type", "privkey", "--id", &id], "Private Key Object");
        assert!(said.contains("sensitive") && !said.contains("always sensitive") && !said.contains("local"), "{said}");
        // Both encodings are taken.
        let der_file = tool.path("der");
        openssl(&["pkey", "-in", &private, "-outform", "DER", "-out", &der_file]);
        let again = format!("{:02x}", number + 16);
        tool.user(
            &["--write-object", &der_file, "--type", "privkey", "--id", &again, "--usage-sign"],
            "Created private",
        );
        for id in [id, again] {
            signature_is_of(&tool, mechanism, &id, &public);
        }
    }
}

fn writes_and_reads_certificates() {
    let tool = token();
    for (number, algorithm) in
        [RSA_2048, &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]].iter().enumerate()
    {
        let id = format!("{number:02x}");
        let (private, _) = imported_pair(&tool, algorithm, &id);
        let [pem, der, back] = ["pem", "der", "back"].map(|name| tool.path(name));
        let subject = format!("/C=DE/O=Keystead/CN=certificate {id}");
        openssl(&["req", "-new", "-x509", "-key", &private, "-subj", &subject, "-days", "1", "-out", &pem]);
        openssl(&["x509", "-in", &pem, "-outform", "DER", "-out", &der]);
        for (file, id) in [(&pem, id.clone()), (&der, format!("{:02x}", number + 16))] {
            let label = format!("certificate-{id}");
            let said =
                tool.user(&["--write-object", file, "--type", "cert", "--id", &id, "--label", &label], "Created");
            assert!(
                said.contains("Certificate Object; type = X.509 cert") && said.contains("CN=certificate"),
                "{said}"
            );
            // Before login: a certificate is public.
            tool.succeeds(&["--read-object", "--type", "cert", "--id", &id, "--output-file", &back], "");
            assert_eq!(tool.read("back"), tool.read("der"));
            let listed = tool.succeeds(&["--list-objects", "--type", "cert"], &label);
            assert!(listed.contains(&format!("CN=certificate {number:02x}")), "{listed}");
        }
    }
    // It may be found by what is in it.
    let issuer = openssl(&["x509", "-in", &tool.path("pem"), "-noout", "-issuer", "-nameopt", "RFC2253"]);
    assert!(String::from_utf8_lossy(&issuer).contains("CN=certificate 01"));
    tool.user(&["--delete-object", "--type", "cert", "--id", "01"], "");
    tool.fails(
        &["--read-object", "--type", "cert", "--id", "01", "--output-file", &tool.path("none")],
        "object not found",
    );
}

fn finds_a_private_key_after_login_only() {
    let tool = token();
    tool.key_pair("EC:prime256v1", "01");
    let before = tool.succeeds(&["--list-objects"], "Public Key Object");
    assert!(!before.contains("Private Key Object"), "{before}");
    tool.user(&["--list-objects"], "Private Key Object");
    tool.fails(&["--keypairgen", "--key-type", "EC:prime256v1", "--id", "02"], "CKR_USER_NOT_LOGGED_IN");
}

fn changes_id_and_label() {
    let tool = token();
    tool.key_pair("EC:prime256v1", "01");
    for half in ["privkey", "pubkey"] {
        tool.user(&["--set-id", "0a0b", "--type", half, "--id", "01"], "");
        tool.user(&["--list-objects", "--type", half, "--id", "0a0b"], "0a0b");
    }
    pair_fits(&tool, "ECDSA", "0a0b");
}

fn deletes_pairs() {
    let tool = token();
    tool.key_pair("EC:prime256v1", "01");
    for half in ["privkey", "pubkey"] {
        tool.user(&["--delete-object", "--type", half, "--id", "01"], "");
    }
    assert!(!tool.user(&["--list-objects"], "").contains("Key Object"));
}

fn refuses_other_mechanisms_than_allowed() {
    let tool = token();
    let allowed = ["--allowed-mechanisms", "SHA256-RSA-PKCS,SHA384-RSA-PKCS"];
    tool.user(&[&["--keypairgen", "--key-type", "rsa:2048", "--id", "01"][..], &allowed].concat(), "SHA384-RSA-PKCS");
    let [text, signature] = [tool.file("text", &message(100)), tool.path("signature")];
    let sign = ["--sign", "--id", "01", "--input-file", &text, "--output-file", &signature, "-m"];
    tool.user(&[&sign[..], &["SHA256-RSA-PKCS"]].concat(), "");
    tool.user_fails(&[&sign[..], &["SHA512-RSA-PKCS"]].concat(), "CKR_MECHANISM_INVALID");
}

fn asks_for_the_pin_at_each_use() {
    let tool = token();
    let pair = ["--keypairgen", "--key-type", "rsa:2048", "--id", "01", "--always-auth"];
    let said = tool.user(&pair, "Key pair generated");
    assert!(said.contains("always authenticate"), "{said}");
    // pkcs11-tool logs in for the context whenever the key asks for it; that one cannot do without is not its to test.
    pair_fits(&tool, "SHA256-RSA-PKCS", "01");
}

/// What the private half signs, openssl verifies by the public half that the token gives, and no other text.
fn pair_fits(tool: &Tool, mechanism: &str, id: &str) {
    let public = tool.public_key(id);
    signature_is_of(tool, mechanism, id, &public);
}

fn signature_is_of(tool: &Tool, mechanism: &str, id: &str, public: &str) {
    let [text, signature] = [tool.file("text", &message(32)), tool.path("signature")];
    let sign = ["--sign", "-m", mechanism, "--id", id, "--input-file", &text, "--output-file", &signature];
    tool.user(&[&sign[..], &["--signature-format", "openssl"]].concat(), "");
    let hash: &[&str] = if mechanism.starts_with("SHA256") { &["-rawin", "-digest", "sha256"] } else { &[] };
    let files = ["-pubin", "-inkey", public, "-in", &text, "-sigfile", &signature];
    let verify = [&["pkeyutl", "-verify"], hash, &files].concat();
    assert!(openssl_agrees(&verify), "{mechanism}, key {id}");
    tool.file("text", &another_message(32));
    assert!(!openssl_agrees(&verify), "{mechanism}, key {id}: another text");
}

/// As pkcs11-tool and as openssl call them.
const CURVES: &[(&str, &str)] = &[
    ("secp224r1", "secp224r1"),
    ("prime256v1", "prime256v1"),
    ("secp384r1", "secp384r1"),
    ("secp521r1", "secp521r1"),
    ("secp256k1", "secp256k1"),
    ("brainpoolP256r1", "brainpoolP256r1"),
    ("brainpoolP384r1", "brainpoolP384r1"),
    ("brainpoolP512r1", "brainpoolP512r1"),
];
