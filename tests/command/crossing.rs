//! Wrapped keys that cross to the openssl command and to SoftHSM2, and back.

use std::fs;
use std::process::Command;

use crate::home::{Home, noted, other, text};
use crate::wrapping::told;

const KEK: [u8; 32] = *b"a wrapping key that both sides k";
const VALUE: [u8; 16] = *b"sixteen bytes...";

/// A token with a wrapping key and a key that the test knows too.
fn home() -> Home {
    let home = Home::new();
    home.token("A");
    fs::write(home.path("kek"), KEK).unwrap();
    fs::write(home.path("value"), VALUE).unwrap();
    home.done(&["key", "import", &home.word("kek"), "--type", "aes", "--label", "kek", "--usage", "wrap,unwrap"]);
    home.done(&["key", "import", &home.word("value"), "--type", "aes", "--label", "data", "--extractable"]);
    home
}

fn wrap(home: &Home, how: &[&str]) -> String {
    let out = home.word("ours");
    let words = ["key", "wrap", "data", "--form", "raw", "--out", &out, "--force"];
    home.done(&[&words[..], how].concat());
    out
}

/// What was unwrapped is the key that the test knows.
fn unwraps(home: &Home, file: &str, how: &[&str]) {
    let made = home.done_json(&[&["key", "unwrap", file, "--type", "aes"], how].concat());
    assert_eq!(told(home, made[0]["unique_id"].as_str().unwrap()), told(home, "data"), "{how:?}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn enc(direction: &str, cipher: &str, iv: &str, file: &str, out: &str) {
    other("openssl", &["enc", direction, cipher, "-K", &hex(&KEK), "-iv", iv, "-in", file, "-out", out]);
}

#[test]
fn openssl_opens_what_an_aes_key_has_wrapped_and_wraps_what_it_opens() {
    let home = home();
    let (theirs, opened) = (home.word("theirs"), home.word("opened"));
    let iv = "000102030405060708090a0b0c0d0e0f";
    for (mechanism, cipher, iv, said) in [
        ("aes-kw", "-id-aes256-wrap", "a6a6a6a6a6a6a6a6", &[][..]),
        ("aes-kwp", "-id-aes256-wrap-pad", "a65959a6", &[]),
        ("aes-kw-pad", "-id-aes256-wrap-pad", "a65959a6", &[]),
        ("aes-cbc-pad", "-aes-256-cbc", iv, &["--iv", iv]),
    ] {
        let how = [&["--with", "kek", "--mechanism", mechanism], said].concat();
        enc("-d", cipher, iv, &wrap(&home, &how), &opened);
        assert_eq!(fs::read(&opened).unwrap(), VALUE, "{mechanism}");
        enc("-e", cipher, iv, &home.word("value"), &theirs);
        unwraps(&home, &theirs, &how);
    }
}

/// Inside is their PKCS#8.
#[test]
fn private_keys_cross_to_openssl_and_back() {
    let home = home();
    let word = |name: &str| home.word(name);
    let iv = "000102030405060708090a0b0c0d0e0f";
    for (of, how) in
        [("rsa", &["RSA"][..]), ("ec", &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]), ("ed25519", &["ED25519"])]
    {
        let key = word("key.der");
        other("openssl", &[&["genpkey", "-out", &word("key.pem"), "-algorithm"], how].concat());
        other("openssl", &["pkcs8", "-topk8", "-nocrypt", "-in", &word("key.pem"), "-outform", "DER", "-out", &key]);
        let read = |file: &str| other("openssl", &["pkey", "-inform", "DER", "-in", file, "-pubout"]);
        let public = text(&read(&key));
        for (mechanism, cipher, iv, said) in [
            ("aes-kwp", "-id-aes256-wrap-pad", "a65959a6", &[][..]),
            ("aes-cbc-pad", "-aes-256-cbc", iv, &["--iv", iv]),
        ] {
            enc("-e", cipher, iv, &key, &word("theirs"));
            let how = [&["--with", "kek", "--mechanism", mechanism], said].concat();
            let made = home.done_json(&[&["key", "unwrap", &word("theirs"), "--type", of], &how[..]].concat());
            let made = made[0]["unique_id"].as_str().unwrap();
            assert_eq!(home.done(&["key", "export-public", made, "--login"]), public, "{of}, {mechanism}");
            home.done(&[&["key", "wrap", made, "--form", "raw", "--force", "--out", &word("ours")], &how[..]].concat());
            enc("-d", cipher, iv, &word("ours"), &word("opened"));
            assert_eq!(text(&read(&word("opened"))), public, "{of}, {mechanism}, back");
        }
    }
}

const OAEP: [&str; 2] = ["-pkeyopt", "rsa_padding_mode:oaep"];

/// `openssl pkeyutl` with RSA-OAEP.
fn pkeyutl(how: &[&str], hash: &str, file: &str, out: &str) {
    let (md, mask) = (format!("rsa_oaep_md:{hash}"), format!("rsa_mgf1_md:{hash}"));
    let hashes = ["-pkeyopt", &md, "-pkeyopt", &mask, "-in", file, "-out", out];
    other("openssl", &[&["pkeyutl"], how, &OAEP, &hashes].concat());
}

/// Of RSA-AES the front is an AES key by OAEP, and what is behind it a key by RFC 5649 under that one.
#[test]
fn openssl_opens_what_an_rsa_key_has_wrapped_and_wraps_what_it_opens() {
    let home = home();
    let word = |name: &str| home.word(name);
    other("openssl", &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &word("rsa.pem")]);
    other("openssl", &["pkey", "-in", &word("rsa.pem"), "-pubout", "-out", &word("public.pem")]);
    home.done(&["key", "import", &word("rsa.pem"), "--label", "pair", "--usage", "wrap,unwrap"]);
    let private = ["-decrypt", "-inkey", &word("rsa.pem")];
    let public = ["-encrypt", "-pubin", "-inkey", &word("public.pem")];
    for hash in ["sha1", "sha256", "sha512"] {
        let how = ["--with", "pair", "--hash", hash, "--mechanism", "rsa-oaep"];
        pkeyutl(&private, hash, &wrap(&home, &how), &word("opened"));
        assert_eq!(fs::read(word("opened")).unwrap(), VALUE, "{hash}");
        pkeyutl(&public, hash, &word("value"), &word("theirs"));
        unwraps(&home, &word("theirs"), &how);

        let how = ["--with", "pair", "--hash", hash, "--mechanism", "rsa-aes"];
        let ours = fs::read(wrap(&home, &how)).unwrap();
        fs::write(word("front"), &ours[..256]).unwrap();
        fs::write(word("behind"), &ours[256..]).unwrap();
        pkeyutl(&private, hash, &word("front"), &word("between"));
        let between = hex(&fs::read(word("between")).unwrap());
        let open = ["enc", "-d", "-id-aes256-wrap-pad", "-K", &between, "-iv", "a65959a6", "-in", &word("behind")];
        assert_eq!(other("openssl", &open), VALUE, "{hash}");
        pkeyutl(&public, hash, &word("kek"), &word("front"));
        enc("-e", "-id-aes256-wrap-pad", "a65959a6", &word("value"), &word("behind"));
        let theirs = [fs::read(word("front")).unwrap(), fs::read(word("behind")).unwrap()].concat();
        fs::write(word("theirs"), theirs).unwrap();
        unwraps(&home, &word("theirs"), &how);
    }
}

/// The two blocks of a file that is wrapped twice are what OAEP and RFC 5649 make.
#[test]
fn openssl_opens_what_is_wrapped_twice() {
    let home = home();
    let word = |name: &str| home.word(name);
    other("openssl", &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &word("rsa.pem")]);
    home.done(&["key", "import", &word("rsa.pem"), "--label", "pair", "--usage", "wrap,unwrap"]);
    let file = home.done(&["key", "wrap", "data", "--with", "pair", "--double"]);
    for (label, name) in [("WRAPPED TRANSPORT KEY", "front"), ("WRAPPED KEY", "behind")] {
        let at = file.find(&format!("-----BEGIN {label}-----")).unwrap();
        let end = file[at..].find("-----END ").unwrap();
        let lines: Vec<&str> = file[at..at + end].lines().skip(1).collect();
        fs::write(word("base64"), lines.join("\n") + "\n").unwrap();
        other("openssl", &["base64", "-d", "-in", &word("base64"), "-out", &word(name)]);
    }
    pkeyutl(&["-decrypt", "-inkey", &word("rsa.pem")], "sha256", &word("front"), &word("between"));
    let between = hex(&fs::read(word("between")).unwrap());
    let open = ["enc", "-d", "-id-aes256-wrap-pad", "-K", &between, "-iv", "a65959a6", "-in", &word("behind")];
    assert_eq!(other("openssl", &open), VALUE);
}

/// SoftHSM2 with a token of its own in the home, worked on by pkcs11-tool.
struct SoftHsm<'a>(&'a Home);

impl<'a> SoftHsm<'a> {
    fn new(home: &'a Home) -> Self {
        fs::create_dir(home.path("tokens")).unwrap();
        fs::write(home.path("softhsm2.conf"), format!("directories.tokendir = {}\n", home.word("tokens"))).unwrap();
        let made = Self(home);
        made.run("softhsm2-util", &["--init-token", "--free", "--label", "S", "--pin", "1234", "--so-pin", "1234"]);
        made
    }

    fn run(&self, program: &str, words: &[&str]) -> String {
        let output =
            Command::new(program).args(words).env("SOFTHSM2_CONF", self.0.path("softhsm2.conf")).output().unwrap();
        assert!(output.status.success(), "{program} {words:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    fn tool(&self, words: &[&str]) -> String {
        let places = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];
        let module = places.into_iter().find(|place| fs::exists(place).unwrap());
        let module = module.unwrap_or_else(|| panic!("no SoftHSM2; `make test` installs it"));
        self.run(
            "pkcs11-tool",
            &[&["--module", module, "--token-label", "S", "--login", "--pin", "1234"], words].concat(),
        )
    }
}

#[test]
fn aes_keys_cross_to_softhsm_and_back() {
    let home = home();
    let softhsm = SoftHsm::new(&home);
    let word = |name: &str| home.word(name);
    let kek =
        ["--write-object", &word("kek"), "--type", "secrkey", "--key-type", "AES:32", "--id", "aa", "--usage-wrap"];
    softhsm.tool(&kek);
    // A form that a later SoftHSM2 brings is missed here: AES key wrap, padded or not, PKCS #1 and OAEP.
    let list = softhsm.tool(&["--list-mechanisms"]);
    assert_eq!(list.lines().filter(|line| line.contains("unwrap")).count(), 4, "{list}");
    // CKM_AES_KEY_WRAP_PAD has no name in pkcs11-tool.
    for (number, (ours, theirs)) in
        [("aes-kw", "AES-KEY-WRAP"), ("aes-kwp", "0x210A"), ("aes-kw-pad", "0x210A")].into_iter().enumerate()
    {
        let how = ["--with", "kek", "--mechanism", ours];
        let id = format!("0{number}");
        let wrapped = wrap(&home, &how);
        let unwrap = ["--unwrap", "-m", theirs, "--id", "aa", "-i", &wrapped, "--key-type", "AES:"];
        softhsm.tool(&[&unwrap[..], &["--application-id", &id, "--extractable"]].concat());
        softhsm.tool(&["--wrap", "-m", theirs, "--id", "aa", "--application-id", &id, "-o", &word("theirs")]);
        unwraps(&home, &word("theirs"), &how);
    }
}

/// Its OAEP is that of SHA-1 alone.
#[test]
fn what_a_key_of_softhsm_is_to_open_is_wrapped_for_it() {
    let home = home();
    let softhsm = SoftHsm::new(&home);
    softhsm.tool(&["--keypairgen", "--key-type", "RSA:2048", "--id", "bb"]);
    softhsm.tool(&["--read-object", "--type", "pubkey", "--id", "bb", "-o", &home.word("public")]);
    home.done(&["key", "import", &home.word("public"), "--label", "theirs"]);
    let wrapped = wrap(&home, &["--with", "theirs", "--mechanism", "rsa-oaep", "--hash", "sha1"]);
    let open = ["--decrypt", "-m", "RSA-PKCS-OAEP", "--hash-algorithm", "SHA-1", "--mgf", "MGF1-SHA1", "--id", "bb"];
    softhsm.tool(&[&open[..], &["-i", &wrapped, "-o", &home.word("opened")]].concat());
    assert_eq!(fs::read(home.path("opened")).unwrap(), VALUE);
}

#[test]
fn private_keys_cross_to_softhsm_under_a_passphrase() {
    let home = home();
    let softhsm = SoftHsm::new(&home);
    for (number, of) in ["rsa:2048", "ec"].into_iter().enumerate() {
        let (label, id) = (format!("pair {number}"), format!("d{number}"));
        home.done(&["key", "generate", "--type", of, "--label", &label, "--extractable"]);
        let (private, out) = (format!("pkcs11:object=pair%20{number};type=private"), home.word("pkcs8"));
        home.done(&["key", "wrap", &private, "--form", "pkcs8", "--out", &out, "--force"]);
        let import = ["--import", &out, "--file-pin", crate::home::PASSPHRASE, "--token", "S", "--pin", "1234"];
        softhsm.run("softhsm2-util", &[&import[..], &["--label", &label, "--id", &id]].concat());
        softhsm.tool(&["--read-object", "--type", "pubkey", "--id", &id, "-o", &home.word("public")]);
        let ours = noted(&home.user(&["key", "export-public", &label]).output().unwrap()).0;
        let theirs = other("openssl", &["pkey", "-pubin", "-inform", "DER", "-in", &home.word("public"), "-pubout"]);
        assert_eq!(text(&theirs), ours, "{of}");
    }
}
