//! Java through SunPKCS11: keytool makes keys and certificates in the token, jarsigner signs by them. What they made is
//! checked without the token, by jarsigner and by openssl.

use super::*;

pub const TESTS: &[Test] =
    &tests![keytool_and_jarsigner_by_rsa, keytool_and_jarsigner_by_ec, keytool_finds_what_others_made];

fn keytool_and_jarsigner_by_rsa() {
    signs_a_jar(&["-keyalg", "RSA", "-keysize", "2048"], "RSA", "2048 bit");
}

fn keytool_and_jarsigner_by_ec() {
    signs_a_jar(&["-keyalg", "EC", "-groupname", "secp256r1"], "EC", "256 bit");
}

fn signs_a_jar(key: &[&str], extension: &str, size: &str) {
    let tool = token();
    let java = Java::new(&tool);
    let signer = ["-alias", "signer", "-dname", "CN=signer", "-validity", "365"];
    java.on_token("keytool", &[&["-genkeypair"], key, &signer].concat());
    let listed = java.on_token("keytool", &["-list"]);
    assert!(
        listed.contains("Your keystore contains 1 entry") && listed.contains("signer, PrivateKeyEntry"),
        "{listed}"
    );

    let certificate = tool.path("certificate");
    java.on_token("keytool", &["-exportcert", "-rfc", "-alias", "signer", "-file", &certificate]);
    assert!(says("openssl", &["verify", "-check_ss_sig", "-CAfile", &certificate, &certificate]).contains("OK"));
    let shown = says("openssl", &["x509", "-in", &certificate, "-noout", "-text"]);
    assert!(shown.contains("CN = signer") && shown.contains(size), "{shown}");
    java.signs_what_others_verify(&tool, "signer", extension, &certificate);

    java.on_token("keytool", &["-delete", "-alias", "signer"]);
    assert!(java.on_token("keytool", &["-list"]).contains("Your keystore contains 0 entries"));
}

/// Keys and certificates written by pkcs11-tool; the entry's alias is the certificate's label.
fn keytool_finds_what_others_made() {
    let tool = token();
    let java = Java::new(&tool);
    for (algorithm, id, extension) in
        [(RSA_2048, "01", "RSA"), (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "02", "EC")]
    {
        let (private, _) = imported_pair(&tool, algorithm, id);
        let certificate = tool.path("certificate");
        openssl(&["req", "-new", "-x509", "-key", &private, "-subj", "/CN=import", "-days", "1", "-out", &certificate]);
        let alias = format!("import{id}");
        tool.user(&["--write-object", &certificate, "--type", "cert", "--id", id, "--label", &alias], "Created");
        let listed = java.on_token("keytool", &["-list"]);
        assert!(listed.contains(&format!("{alias}, PrivateKeyEntry")), "{listed}");
        java.signs_what_others_verify(&tool, &alias, extension, &certificate);
    }
}

/// The JVM starts fast and does not compile much.
const FAST: &[&str] = &["-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"];

/// SunPKCS11 configured for the token of a home.
struct Java {
    configuration: String,
}

impl Java {
    fn new(tool: &Tool) -> Java {
        let text = format!("name = Tested\nlibrary = {}\nslotListIndex = 0\n", Module::path().display());
        // jar takes what it finds in the working folder and puts it there.
        std::env::set_current_dir(tool.home.path()).unwrap();
        Java { configuration: tool.file("java.cfg", text.as_bytes()) }
    }

    /// A program of Java with the token as its key store; what it said.
    fn on_token(&self, program: &str, arguments: &[&str]) -> String {
        let store = ["-keystore", "NONE", "-storetype", "PKCS11", "-storepass", USER_PIN];
        let provider = ["-providerClass", "sun.security.pkcs11.SunPKCS11", "-providerArg", &self.configuration];
        // keytool wants its command first, jarsigner its operands last.
        let (first, rest) = arguments.split_at(usize::from(program == "keytool"));
        says(program, &[FAST, first, &store, &provider, rest].concat())
    }

    /// A jar signed by the token, verified by jarsigner and openssl without it.
    fn signs_what_others_verify(&self, tool: &Tool, alias: &str, extension: &str, certificate: &str) {
        tool.file("content", &message(1000));
        says("jar", &[FAST, &["cf", "unsigned.jar", "content"]].concat());
        self.on_token("jarsigner", &["-sigfile", "TESTED", "-signedjar", "signed.jar", "unsigned.jar", alias]);
        let verified = |jar: &str| says("jarsigner", &[FAST, &["-verify", jar]].concat());
        assert!(verified("signed.jar").contains("jar verified."), "{}", verified("signed.jar"));
        assert!(verified("unsigned.jar").contains("jar is unsigned"));

        says("jar", &[FAST, &["xf", "signed.jar"]].concat());
        let block = format!("META-INF/TESTED.{extension}");
        let verify = ["cms", "-verify", "-binary", "-inform", "DER", "-in", &block, "-purpose", "any"];
        let verify = [&verify[..], &["-CAfile", certificate, "-out", "out", "-content"]].concat();
        assert!(openssl_agrees(&[&verify[..], &["META-INF/TESTED.SF"]].concat()));
        assert!(!openssl_agrees(&[&verify[..], &["content"]].concat()), "of another content");
    }
}
