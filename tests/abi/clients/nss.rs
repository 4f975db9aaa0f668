//! NSS: certutil makes self-signed certificates in the token, as Firefox's key manager does; openssl verifies them.

use super::*;

pub const TESTS: &[Test] = &tests![certutil_by_rsa, certutil_by_ec, modutil_shows_the_module];

fn certutil_by_rsa() {
    makes_a_certificate(&["-k", "rsa", "-g", "2048"], "2048 bit");
}

fn certutil_by_ec() {
    makes_a_certificate(&["-k", "ec", "-q", "nistp256"], "256 bit");
}

fn makes_a_certificate(key: &[&str], size: &str) {
    let tool = token();
    let nss = Nss::new(&tool);
    let noise = tool.file("noise", &message(64));
    let make = ["-S", "-n", "site", "-s", "CN=site", "-x", "-t", ",,", "-m", "7", "-v", "12", "-z", &noise];
    nss.certutil(&[&make[..], key].concat());
    let listed = nss.certutil(&["-L"]);
    let nickname = format!("{LABEL}:site");
    // `u`: there is a private key to it.
    assert!(listed.lines().any(|line| line.contains(&nickname) && line.contains("u,u,u")), "{listed}");
    let keys = nss.certutil(&["-K"]);
    assert!(keys.contains(&nickname), "{keys}");
    let pem = tool.file("pem", nss.certutil(&["-L", "-n", &nickname, "-a"]).as_bytes());
    assert!(says("openssl", &["verify", "-check_ss_sig", "-CAfile", &pem, &pem]).contains("OK"));
    let shown = says("openssl", &["x509", "-in", &pem, "-noout", "-text"]);
    assert!(shown.contains("Subject: CN = site") && shown.contains(size), "{shown}");
    // The token has the key and the certificate, with one CKA_ID; pkcs11-tool sees them.
    let objects = tool.user(&["--list-objects"], "Private Key Object");
    assert!(objects.contains("Certificate Object; type = X.509 cert"), "{objects}");
    let ids: Vec<&str> = objects.lines().filter_map(|line| line.trim().strip_prefix("ID:")).map(str::trim).collect();
    assert!(ids.len() >= 2 && ids.iter().all(|id| id.len() == 40 && *id == ids[0]), "{objects}");
    // Without a PIN: that is what the profile for public certificates is for.
    let without_pin = Nss { pin: tool.file("no-pin", b""), ..nss };
    assert!(without_pin.certutil(&["-L", "-n", &nickname, "-a"]).contains("BEGIN CERTIFICATE"));
    let nss = Nss { pin: tool.file("pin", USER_PIN.as_bytes()), ..without_pin };
    nss.certutil(&["-F", "-n", &nickname]);
    assert!(!nss.certutil(&["-L"]).contains(&nickname));
    assert!(!tool.user(&["--list-objects"], "").contains("Certificate Object"));
}

fn modutil_shows_the_module() {
    let tool = token();
    let nss = Nss::new(&tool);
    let shown = says("modutil", &["-dbdir", &nss.database, "-list", "tested"]);
    for expected in ["Status: Enabled", &format!("Token Name: {LABEL}"), "Login Type: Login required"] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
}

/// A database of NSS with the module under test.
struct Nss {
    database: String,
    pin: String,
}

impl Nss {
    fn new(tool: &Tool) -> Nss {
        let folder = tool.path("nss");
        std::fs::create_dir(&folder).unwrap();
        let database = format!("sql:{folder}");
        says("certutil", &["-N", "-d", &database, "--empty-password"]);
        let module = Module::path();
        let module = module.to_str().expect("a path in UTF-8");
        says("modutil", &["-dbdir", &database, "-add", "tested", "-libfile", module, "-force"]);
        Nss { database, pin: tool.file("pin", USER_PIN.as_bytes()) }
    }

    /// certutil on the token; what it said.
    fn certutil(&self, arguments: &[&str]) -> String {
        let (command, rest) = arguments.split_first().expect("a command");
        says("certutil", &[&[*command, "-d", &self.database, "-h", LABEL, "-f", &self.pin], rest].concat())
    }
}
