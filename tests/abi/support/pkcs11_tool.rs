//! pkcs11-tool, and the token that it has made in a home of its own. Other programs work on that token too.

use super::{Home, LABEL, Module, SO_PIN, USER_PIN, output, unhex};

/// pkcs11-tool in a home of its own.
pub struct Tool {
    /// Where its token and its files are.
    pub home: Home,
}

impl Tool {
    /// In a home without a token.
    pub fn new() -> Tool {
        Tool { home: Home::new() }
    }

    /// With a token, made by pkcs11-tool.
    pub fn with_token() -> Tool {
        let tool = Tool::new();
        tool.make_token(LABEL);
        tool
    }

    /// Makes a token in the first slot, which is blank.
    pub fn make_token(&self, label: &str) {
        let token = ["--init-token", "--slot-index", "0", "--label", label, "--so-pin", SO_PIN];
        let pin = ["--init-pin", "--login", "--login-type", "so", "--new-pin", USER_PIN];
        self.succeeds(&[&token[..], &pin].concat(), "User PIN successfully initialized");
    }

    /// Ends with exit code 0 and says this; all that it said.
    pub fn succeeds(&self, arguments: &[&str], expected: &str) -> String {
        let (code, said) = self.call(arguments);
        assert!(code == Some(0) && said.contains(expected), "{arguments:?}: {code:?}, wanted {expected:?}\n{said}");
        said
    }

    /// Ends with another exit code and says this.
    pub fn fails(&self, arguments: &[&str], expected: &str) {
        let (code, said) = self.call(arguments);
        let failed = code.is_some_and(|code| code != 0);
        assert!(failed && said.contains(expected), "{arguments:?}: {code:?}, wanted {expected:?}\n{said}");
    }

    /// With the user logged in.
    pub fn user(&self, arguments: &[&str], expected: &str) -> String {
        self.succeeds(&[&["--token-label", LABEL, "--login", "--pin", USER_PIN][..], arguments].concat(), expected)
    }

    /// With the user logged in.
    pub fn user_fails(&self, arguments: &[&str], expected: &str) {
        self.fails(&[&["--token-label", LABEL, "--login", "--pin", USER_PIN][..], arguments].concat(), expected);
    }

    /// With the user logged in; all that it said, however it ended.
    pub fn user_says(&self, arguments: &[&str]) -> String {
        self.call(&[&["--token-label", LABEL, "--login", "--pin", USER_PIN][..], arguments].concat()).1
    }

    /// A key pair made in the token, with that id, the label `key-ID`, and the usage that pkcs11-tool thinks fit.
    pub fn key_pair(&self, key_type: &str, id: &str) -> String {
        let label = format!("key-{id}");
        self.user(&["--keypairgen", "--key-type", key_type, "--id", id, "--label", &label], "Key pair generated")
    }

    /// The public key of that id as the token gives it, in a file that openssl reads.
    pub fn public_key(&self, id: &str) -> String {
        let file = self.path(&format!("public-{id}"));
        let read = ["--read-object", "--type", "pubkey", "--id", id, "--output-file", &file];
        // 0.23 stops with this at any key of 384 bits, but shows its curve and its point.
        if !self.user_says(&read).contains("cannot create EVP_PKEY") {
            self.user(&read, "");
            return file;
        }
        let listed = self.user(&["--list-objects", "--type", "pubkey"], "EC_POINT");
        let of_id =
            |object: &&str| object.lines().any(|line| line.trim().strip_prefix("ID:").map(str::trim) == Some(id));
        let shown = listed.split("Public Key Object").find(of_id).expect("a key of that id");
        let field = |name: &str| shown.lines().find_map(|line| line.trim().strip_prefix(name)).expect("a field");
        let curve = unhex(field("EC_PARAMS:").split('(').next().unwrap_or_default());
        let point = unhex(field("EC_POINT:"));
        let tagged = |tag: u8, value: &[u8]| [&[tag, value.len() as u8], value].concat();
        let algorithm = tagged(0x30, &[unhex("06072a8648ce3d0201"), curve].concat());
        let key = tagged(0x03, &[&[0], &point[2..]].concat());
        self.file(&format!("public-{id}"), &tagged(0x30, &[algorithm, key].concat()))
    }

    /// Whether the token has the mechanism. Keystead must have every one that is asked for.
    pub fn offers(&self, mechanism: &str) -> bool {
        let list = self.succeeds(&["--token-label", LABEL, "--list-mechanisms"], "Supported mechanisms");
        let found = list.lines().any(|line| line.trim().split(',').next() == Some(mechanism));
        assert!(found || Module::is_softhsm(), "{mechanism} is missing:\n{list}");
        found
    }

    fn call(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let module = Module::path();
        let module = ["--module", module.to_str().expect("a path in UTF-8")];
        let output = output("pkcs11-tool", &[&module[..], arguments].concat(), &[]);
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said.into_owned())
    }

    /// The path of a file of this name in the home.
    pub fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    /// Writes a file; its path.
    pub fn file(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.path(name), bytes).expect("a file in the home");
        self.path(name)
    }

    /// A file that a program wrote.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}
