//! pkcs11-tool: what openssl has encrypted to a key in the token is decrypted there, keys are wrapped, and secrets agreed.
//!
//! Left aside, with the reason: encrypting by RSA, wrapping by OAEP and deriving by X25519, which 0.23 cannot.

use super::*;

pub const TESTS: &[Test] = &tests![
    decrypts_what_openssl_encrypted,
    decrypts_oaep,
    refuses_damaged_ciphertexts,
    wraps_and_unwraps_by_rsa,
    agrees_on_a_secret,
    agrees_on_a_secret_with_generated_keys,
];

fn decrypts_what_openssl_encrypted() {
    let tool = token();
    let (_, imported) = imported_pair(&tool, RSA_2048, "01");
    tool.key_pair("rsa:2048", "02");
    for (id, public) in [("01", imported), ("02", tool.public_key("02"))] {
        for length in [1, 32, 245] {
            let key = Sealed { tool: &tool, id, public: &public, text: message(length) };
            key.opens(&["RSA-PKCS"], &["rsa_padding_mode:pkcs1"]);
        }
        let text = [&[0], &message(255)[..]].concat();
        Sealed { tool: &tool, id, public: &public, text }.opens(&["RSA-X-509"], &["rsa_padding_mode:none"]);
    }
}

fn decrypts_oaep() {
    let tool = token();
    let (_, public) = imported_pair(&tool, RSA_2048, "01");
    for (hash, digest, length) in [
        ("SHA-1", "sha1", 20),
        ("SHA224", "sha224", 28),
        ("SHA256", "sha256", 32),
        ("SHA384", "sha384", 48),
        ("SHA512", "sha512", 64),
    ] {
        if Module::is_softhsm() && hash != "SHA-1" {
            report(format_args!("SoftHSM2 has no OAEP with {hash}"));
            continue;
        }
        let md = format!("rsa_oaep_md:{digest}");
        for size in [1, 32, 256 - 2 - 2 * length] {
            let key = Sealed { tool: &tool, id: "01", public: &public, text: message(size) };
            key.opens(&["RSA-PKCS-OAEP", "--hash-algorithm", hash], &["rsa_padding_mode:oaep", &md]);
        }
        // Another hash for the mask.
        if !Module::is_softhsm() {
            let key = Sealed { tool: &tool, id: "01", public: &public, text: message(20) };
            let how = ["RSA-PKCS-OAEP", "--hash-algorithm", hash, "--mgf", "MGF1-SHA1"];
            key.opens(&how, &["rsa_padding_mode:oaep", &md, "rsa_mgf1_md:sha1"]);
        }
    }
}

fn refuses_damaged_ciphertexts() {
    let tool = token();
    let (_, public) = imported_pair(&tool, RSA_2048, "01");
    for (how, openssl) in [
        (&["RSA-PKCS"][..], &["rsa_padding_mode:pkcs1"][..]),
        (&["RSA-PKCS-OAEP", "--hash-algorithm", "SHA-1"], &["rsa_padding_mode:oaep"]),
    ] {
        let key = Sealed { tool: &tool, id: "01", public: &public, text: message(32) };
        let mut sealed = key.sealed(openssl);
        sealed[100] ^= 1;
        tool.file("sealed", &sealed);
        tool.user_fails(&key.decrypt(how, &tool.path("sealed"), &tool.path("opened")), "CKR_");
        assert!(tool.read("opened").is_empty(), "no byte of it is told");
    }
}

fn wraps_and_unwraps_by_rsa() {
    let tool = token();
    let (private, public) = imported_pair(&tool, RSA_2048, "01");
    let (opened, wrapped) = (tool.path("opened"), tool.path("wrapped"));
    for (length, id) in [(16, "10"), (32, "11")] {
        let key_type = format!("AES:{length}");
        let make = ["--keygen", "--key-type", &key_type, "--id", id, "--label", "aes", "--extractable"];
        tool.user(&make, "Key generated");
        let wrap = ["--wrap", "-m", "RSA-PKCS", "--id", "01", "--application-id", id, "--output-file", &wrapped];
        tool.user(&wrap, "Key wrapped");
        openssl(&["pkeyutl", "-decrypt", "-inkey", &private, "-in", &wrapped, "-out", &opened]);
        tool.user(&["--read-object", "--type", "secrkey", "--id", id, "--output-file", &tool.path("value")], "");
        assert_eq!(tool.read("opened"), tool.read("value"));

        let value = tool.file("value", &message(length));
        openssl(&["pkeyutl", "-encrypt", "-pubin", "-inkey", &public, "-in", &value, "-out", &wrapped]);
        // Without a length and with it, where it is of use.
        for (again, key_type) in [("0a", "AES:"), ("0b", &key_type)] {
            if Module::is_softhsm() && again == "0b" {
                continue;
            }
            let again = format!("{again}{id}");
            let unwrap =
                ["--unwrap", "-m", "RSA-PKCS", "--id", "01", "--application-id", &again, "--key-type", key_type];
            tool.user(&[&unwrap[..], &["--input-file", &wrapped, "--extractable"]].concat(), "Key unwrapped");
            tool.user(&["--read-object", "--type", "secrkey", "--id", &again, "--output-file", &opened], "");
            assert_eq!(tool.read("opened"), message(length));
        }
    }
}

fn agrees_on_a_secret() {
    let tool = token();
    for (number, (curve, _)) in CURVES.iter().enumerate() {
        let id = format!("{number:02x}");
        let (_, public) = imported_pair(&tool, &["-algorithm", "EC", "-pkeyopt", curve], &id);
        agrees(&tool, &id, curve, &public);
    }
}

fn agrees_on_a_secret_with_generated_keys() {
    let tool = token();
    for (number, (curve, key_type)) in CURVES.iter().enumerate() {
        let id = format!("{number:02x}");
        tool.key_pair(key_type, &id);
        agrees(&tool, &id, curve, &tool.public_key(&id));
    }
}

/// The token with its private key and openssl's public key, and openssl the other way round.
fn agrees(tool: &Tool, id: &str, curve: &str, public: &str) {
    let [peer, peer_public] = ["peer", "peer-public"].map(|name| tool.path(name));
    openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", &peer]);
    openssl(&["pkey", "-in", &peer, "-pubout", "-outform", "DER", "-out", &peer_public]);
    let expected = openssl(&["pkeyutl", "-derive", "-inkey", &peer, "-peerkey", public]);
    for form in [&[][..], &["--derive-pass-der"]] {
        let derive = ["--derive", "-m", "ECDH1-DERIVE", "--id", id, "--input-file", &peer_public];
        tool.user(&[&derive[..], &["--output-file", &tool.path("secret")], form].concat(), "");
        assert_eq!(tool.read("secret"), expected, "{curve} {form:?}");
    }
}

/// As openssl and as pkcs11-tool call them.
const CURVES: [(&str, &str); 3] = [
    ("ec_paramgen_curve:P-256", "EC:prime256v1"),
    ("ec_paramgen_curve:P-384", "EC:secp384r1"),
    ("ec_paramgen_curve:P-521", "EC:secp521r1"),
];

/// A text encrypted to a key in the token.
struct Sealed<'a> {
    tool: &'a Tool,
    id: &'a str,
    public: &'a str,
    text: Vec<u8>,
}

impl Sealed<'_> {
    fn opens(&self, how: &[&str], openssl: &[&str]) {
        let sealed = self.tool.file("sealed", &self.sealed(openssl));
        self.tool.user(&self.decrypt(how, &sealed, &self.tool.path("opened")), "");
        assert_eq!(self.tool.read("opened"), self.text, "{how:?}, key {}", self.id);
    }

    /// The ciphertext, by openssl.
    fn sealed(&self, options: &[&str]) -> Vec<u8> {
        let text = self.tool.file("text", &self.text);
        let options: Vec<&str> = options.iter().flat_map(|option| ["-pkeyopt", option]).collect();
        let files = ["-pubin", "-inkey", self.public, "-in", &text];
        openssl(&[&["pkeyutl", "-encrypt"], &options[..], &files].concat())
    }

    fn decrypt<'b>(&'b self, how: &[&'b str], input: &'b str, output: &'b str) -> Vec<&'b str> {
        [&["--decrypt", "--id", self.id, "--input-file", input, "--output-file", output, "-m"], how].concat()
    }
}
