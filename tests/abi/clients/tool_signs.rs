//! pkcs11-tool: every mechanism of signing that it knows and Keystead has, with keys that openssl has made and the token
//! holds too. Each signs and verifies for the other, and refuses another text.

use super::*;

pub const TESTS: &[Test] = &tests![rsa_signatures, pss_signatures, ecdsa_signatures, edwards_signatures];

/// A way of signing: the mechanism and its options as pkcs11-tool calls them, the same for `openssl pkeyutl`, and what is
/// signed.
struct Form<'a> {
    tool: &'a [&'a str],
    openssl: &'a [&'a str],
    input: Vec<u8>,
}

fn rsa_signatures() {
    let tool = token();
    let key = Key::imported(&tool, RSA_2048, "01");
    for length in [1, 20, 245] {
        let filling = vec![0xff; 256 - 3 - length];
        key.signs_the_block("RSA-PKCS", &message(length), &[&[0, 1][..], &filling, &[0], &message(length)].concat());
    }
    for length in [1, 100, 255] {
        // Shorter ones are numbers too.
        key.signs_the_block("RSA-X-509", &message(length), &[vec![0; 256 - length], message(length)].concat());
    }
    for (mechanism, digest) in [
        ("SHA1-RSA-PKCS", "sha1"),
        ("SHA224-RSA-PKCS", "sha224"),
        ("SHA256-RSA-PKCS", "sha256"),
        ("SHA384-RSA-PKCS", "sha384"),
        ("SHA512-RSA-PKCS", "sha512"),
    ] {
        key.hashes_and_signs(&[mechanism], digest, &[]);
    }
}

fn pss_signatures() {
    let tool = token();
    let key = Key::imported(&tool, RSA_2048, "01");
    const HASHES: [(&str, &str, usize); 5] = [
        ("SHA-1", "sha1", 20),
        ("SHA224", "sha224", 28),
        ("SHA256", "sha256", 32),
        ("SHA384", "sha384", 48),
        ("SHA512", "sha512", 64),
    ];
    for (hash, digest, length) in HASHES {
        let mechanism = format!("{}-RSA-PKCS-PSS", hash.replace("SHA-1", "SHA1"));
        let longest = 256 - 2 - length;
        for salt in [0, 10, length, longest] {
            let salt = salt.to_string();
            let salt_openssl = format!("rsa_pss_saltlen:{salt}");
            let pss = ["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", &salt_openssl];
            key.hashes_and_signs(&[&mechanism, "--salt-len", &salt], digest, &pss);
            let of_digest = format!("digest:{digest}");
            let prehashed = [&pss[..], &["-pkeyopt", &of_digest]].concat();
            let form = ["RSA-PKCS-PSS", "--hash-algorithm", hash, "--salt-len", &salt];
            key.signs_and_verifies(&Form { tool: &form, openssl: &prehashed, input: message(length) });
        }
    }
    if Module::is_softhsm() {
        return report("SoftHSM2 has no other mask generation than that of the hash");
    }
    for (mgf, digest) in [("MGF1-SHA1", "sha1"), ("MGF1-SHA512", "sha512")] {
        let mgf_openssl = format!("rsa_mgf1_md:{digest}");
        let pss = ["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:32", "-pkeyopt", &mgf_openssl];
        key.hashes_and_signs(&["SHA256-RSA-PKCS-PSS", "--mgf", mgf], "sha256", &pss);
    }
}

fn ecdsa_signatures() {
    let tool = token();
    let hashes = ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"];
    let hashing = hashes.map(|hash| (format!("ECDSA-{hash}"), hash.to_lowercase()));
    let hashing: Vec<_> = hashing.into_iter().filter(|(mechanism, _)| tool.offers(mechanism)).collect();
    if hashing.is_empty() {
        report("SoftHSM2 has no ECDSA that hashes");
    }
    for (curve, id) in [("P-256", "01"), ("P-384", "02"), ("P-521", "03"), ("secp256k1", "04")] {
        let curve = format!("ec_paramgen_curve:{curve}");
        let key = Key::imported(&tool, &["-algorithm", "EC", "-pkeyopt", &curve], id);
        for length in [20, 28, 32, 48, 64] {
            key.signs_and_verifies(&Form { tool: &["ECDSA"], openssl: &[], input: message(length) });
        }
        for (mechanism, digest) in &hashing {
            key.hashes_and_signs(&[mechanism], digest, &[]);
        }
    }
}

/// pkcs11-tool writes no such key, so this one is the token's; the reverse is in `private_keys`.
fn edwards_signatures() {
    let tool = token();
    tool.key_pair("EC:edwards25519", "01");
    let key = Key { tool: &tool, id: "01".to_owned(), private: None, public: tool.public_key("01") };
    for length in [1, 100, 1000] {
        key.signs_and_verifies(&Form { tool: &["EDDSA"], openssl: &["-rawin"], input: message(length) });
    }
}

/// A key pair in the token, and what openssl has of it.
struct Key<'a> {
    tool: &'a Tool,
    id: String,
    private: Option<String>,
    public: String,
}

impl<'a> Key<'a> {
    fn imported(tool: &'a Tool, algorithm: &[&str], id: &str) -> Key<'a> {
        let (private, public) = imported_pair(tool, algorithm, id);
        Key { tool, id: id.to_owned(), private: Some(private), public }
    }

    /// Texts of a mechanism that hashes: short, and too long for pkcs11-tool to sign them in one call.
    fn hashes_and_signs(&self, tool: &[&str], digest: &str, openssl: &[&str]) {
        let openssl = [&["-rawin", "-digest", digest], openssl].concat();
        for length in [100, 3000] {
            self.signs_and_verifies(&Form { tool, openssl: &openssl, input: message(length) });
        }
    }

    fn signs_and_verifies(&self, form: &Form) {
        let input = self.tool.file("input", &form.input);
        let mut another = form.input.clone();
        // Short curves do not take the last bytes of a hash.
        another[0] ^= 1;
        let another = self.tool.file("another", &another);
        let [ours, theirs] = ["ours", "theirs"].map(|name| self.tool.path(name));
        let how = [&["--id", &self.id, "--signature-format", "openssl", "-m"], form.tool].concat();
        self.tool.user(&[&how[..], &["--sign", "--input-file", &input, "--output-file", &ours]].concat(), "");
        self.openssl_verifies(form, &input, &ours, true);
        self.openssl_verifies(form, &another, &ours, false);
        let mut signatures = vec![&ours];
        if let Some(private) = &self.private {
            let files = ["-inkey", private, "-in", &input, "-out", &theirs];
            openssl(&[&["pkeyutl", "-sign"], form.openssl, &files].concat());
            signatures.push(&theirs);
        }
        for signature in signatures {
            for (text, expected) in [(&input, "Signature is valid"), (&another, "Invalid signature")] {
                let verify = ["--verify", "--input-file", text, "--signature-file", signature];
                self.tool.user(&[&how[..], &verify].concat(), expected);
            }
        }
    }

    /// A way that signs the same each time: the block is raised to the private exponent, by openssl too.
    fn signs_the_block(&self, mechanism: &str, text: &[u8], block: &[u8]) {
        let [text, block] = [self.tool.file("text", text), self.tool.file("block", block)];
        let [ours, theirs] = ["ours", "theirs"].map(|name| self.tool.path(name));
        let how = ["--id", &self.id, "-m", mechanism, "--input-file", &text];
        self.tool.user(&[&how[..], &["--sign", "--output-file", &ours]].concat(), "");
        let private = self.private.as_ref().expect("a key of openssl's");
        let raw = ["-pkeyopt", "rsa_padding_mode:none", "-in", &block, "-out", &theirs];
        openssl(&[&["pkeyutl", "-decrypt", "-inkey", private], &raw[..]].concat());
        assert_eq!(self.tool.read("ours"), self.tool.read("theirs"), "{mechanism}");
        let verify = [&how[..], &["--verify", "--signature-file", &theirs]].concat();
        self.tool.user(&verify, "Signature is valid");
        let mut changed = self.tool.read("text");
        changed[0] ^= 1;
        self.tool.file("text", &changed);
        self.tool.user(&verify, "Invalid signature");
    }

    fn openssl_verifies(&self, form: &Form, text: &str, signature: &str, expected: bool) {
        let files = ["-pubin", "-inkey", &self.public, "-in", text, "-sigfile", signature];
        let verify = [&["pkeyutl", "-verify"], form.openssl, &files].concat();
        assert!(openssl_agrees(&verify) == expected, "{:?}, {} bytes: not {expected}", form.tool, form.input.len());
    }
}
