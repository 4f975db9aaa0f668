//! OpenSSL through the engine of libp11, which an OpenSSL without the engine checks.
//!
//! libp11 0.4.12 of Debian 12 sees no key at all on a token that holds an Edwards key: these tokens have none.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;

pub const TESTS: &[Test] = &tests![
    signs_cms_by_rsa,
    signs_cms_by_ec,
    decrypts_cms_by_rsa,
    serves_tls_by_ec,
    serves_tls_by_rsa,
    signs_requests
];

fn signs_cms_by_rsa() {
    signs_cms("rsa:2048");
}

fn signs_cms_by_ec() {
    signs_cms("EC:prime256v1");
}

fn signs_cms(key_type: &str) {
    let openssl = Engine::with_key(key_type);
    let certificate = openssl.certificate();
    let tool = &openssl.tool;
    let [text, signed, opened] = [tool.file("text", &message(1000)), tool.path("signed"), tool.path("opened")];
    let files = ["-in", &text, "-signer", &certificate, "-out", &signed, "-outform", "DER"];
    openssl.with_engine(&[&["cms", "-sign", "-binary", "-nodetach", "-inkey", KEY], &files[..]].concat());
    let verify = ["cms", "-verify", "-binary", "-inform", "DER", "-in", &signed, "-CAfile", &certificate];
    let verify = [&verify[..], &["-purpose", "any", "-out", &opened]].concat();
    assert!(openssl_agrees(&verify));
    assert_eq!(tool.read("opened"), message(1000));
    let mut changed = tool.read("signed");
    *changed.last_mut().unwrap() ^= 1;
    tool.file("signed", &changed);
    assert!(!openssl_agrees(&verify), "the signature's last byte is another");
}

fn decrypts_cms_by_rsa() {
    let openssl = Engine::with_key("rsa:2048");
    let certificate = openssl.certificate();
    let tool = &openssl.tool;
    let [text, sealed, opened] = [tool.file("text", &message(1000)), tool.path("sealed"), tool.path("opened")];
    for options in [&[][..], &["-keyopt", "rsa_padding_mode:oaep"]] {
        let files = ["-in", &text, "-recip", &certificate, "-out", &sealed, "-outform", "DER"];
        super::openssl(&[&["cms", "-encrypt", "-binary", "-aes-256-cbc"], &files[..], options].concat());
        let files = ["-in", &sealed, "-inform", "DER", "-recip", &certificate, "-out", &opened];
        openssl.with_engine(&[&["cms", "-decrypt", "-binary", "-inkey", KEY], &files[..]].concat());
        assert_eq!(tool.read("opened"), message(1000), "{options:?}");
    }
}

fn serves_tls_by_ec() {
    serves_tls("EC:prime256v1", "ECDSA");
}

fn serves_tls_by_rsa() {
    serves_tls("rsa:2048", "RSA-PSS");
}

/// Connections one after another, with both versions of the protocol.
fn serves_tls(key_type: &str, signature: &str) {
    let openssl = Engine::with_key(key_type);
    let certificate = openssl.certificate();
    let server = Server::start(&openssl, &certificate);
    for version in ["-tls1_2", "-tls1_3", "-tls1_3", "-tls1_2"] {
        let verify = ["-CAfile", &certificate, "-verify_return_error", "-verify_hostname", "localhost"];
        let connect = ["s_client", "-brief", version, "-connect", &server.address];
        let said = says("openssl", &[&connect[..], &verify].concat());
        for expected in ["Verification: OK", &format!("Signature type: {signature}"), "Verified peername: localhost"] {
            assert!(said.contains(expected), "{version}: {expected}\n{said}");
        }
    }
    // Who trusts another certificate does not believe this one.
    let other = openssl.tool.path("other");
    let key = openssl.tool.path("other-key");
    let request =
        ["req", "-x509", "-newkey", "ed25519", "-noenc", "-keyout", &key, "-subj", "/CN=localhost", "-out", &other];
    super::openssl(&request);
    let verify = ["-CAfile", &other, "-verify_return_error"];
    assert!(!openssl_agrees(&[&["s_client", "-brief", "-connect", &server.address], &verify[..]].concat()));
}

fn signs_requests() {
    for key_type in ["rsa:2048", "EC:secp384r1"] {
        let openssl = Engine::with_key(key_type);
        let request = openssl.tool.path("request");
        openssl.with_engine(&["req", "-new", "-key", KEY, "-out", &request]);
        let said = says("openssl", &["req", "-in", &request, "-verify", "-noout", "-subject"]);
        assert!(said.contains("verify OK") && said.contains("CN = localhost"), "{said}");
        let of_request = super::openssl(&["req", "-in", &request, "-noout", "-pubkey"]);
        let public = openssl.tool.public_key("01");
        assert_eq!(of_request, super::openssl(&["pkey", "-pubin", "-in", &public]), "{key_type}");
    }
}

const KEY: &str = "pkcs11:token=suite;object=key-01;type=private";

/// A token with a key pair, and a configuration of OpenSSL with the engine on it.
struct Engine {
    tool: Tool,
    configuration: String,
}

impl Engine {
    fn with_key(key_type: &str) -> Engine {
        let tool = token();
        tool.key_pair(key_type, "01");
        let text = format!(
            "openssl_conf = init\n[init]\nengines = engines\n[engines]\npkcs11 = pkcs11\n\
             [pkcs11]\nengine_id = pkcs11\nMODULE_PATH = {}\nPIN = {USER_PIN}\ninit = 0\n\
             [req]\ndistinguished_name = name\nprompt = no\nx509_extensions = extensions\n\
             [name]\nCN = localhost\n\
             [extensions]\nbasicConstraints = critical,CA:TRUE\nsubjectAltName = DNS:localhost\n",
            Module::path().display()
        );
        let configuration = tool.file("openssl.cnf", text.as_bytes());
        Engine { tool, configuration }
    }

    /// A self-signed certificate of the key, verified.
    fn certificate(&self) -> String {
        let file = self.tool.path("certificate");
        self.with_engine(&["req", "-new", "-x509", "-key", KEY, "-days", "1", "-out", &file]);
        let verify = ["verify", "-check_ss_sig", "-CAfile", &file, &file];
        assert!(says("openssl", &verify).contains("OK"));
        file
    }

    /// A subcommand of openssl whose private key is the engine's.
    fn with_engine(&self, arguments: &[&str]) {
        let output = self.command(arguments).output().expect("openssl");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {}: {}\n{said}", arguments.join(" "), output.status);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("openssl");
        let (name, rest) = arguments.split_first().expect("a subcommand");
        command.arg(name).args(["-engine", "pkcs11", "-keyform", "engine"]).args(rest);
        command.env("OPENSSL_CONF", &self.configuration).stdin(Stdio::null());
        command
    }
}

/// A TLS server on a free port of the loopback; the runner kills it with the test.
struct Server {
    address: String,
    child: Child,
}

impl Server {
    fn start(openssl: &Engine, certificate: &str) -> Server {
        let listen = ["s_server", "-key", KEY, "-cert", certificate, "-accept", "127.0.0.1:0", "-www"];
        let mut child = openssl.command(&listen).stdout(Stdio::piped()).spawn().expect("openssl");
        let output = BufReader::new(child.stdout.take().expect("a pipe was asked for"));
        let mut lines = output.lines().map_while(std::result::Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned));
        Server { address: address.unwrap_or_else(|| panic!("the server ended: {:?}", child.wait())), child }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
