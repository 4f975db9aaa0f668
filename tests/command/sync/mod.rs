//! `keystead sync`: tokens of one domain, and what programs do in them.

mod bundles;
mod kills;
mod pipes;
mod rules;

use std::process::{Command, Output};

use cryptoki_sys::*;
use keystead::crypto::InOut;
use keystead::error::Result;
use keystead::handle::Handle;
use keystead::key::Login;
use keystead::mechanism::Parameter;
use keystead::module::Module;
use keystead::object::attribute::CKA_KEYSTEAD_MASKABLE;
use keystead::object::{Given, Search};
use keystead::session::{Direction, Length, Output as Into, SignPurpose};
use serde_json::Value;

use crate::home::{Home, PIN, SO_PIN, good, text};

/// Tokens of one domain, in slots from 0 on.
pub struct Siblings(pub Home);

impl Siblings {
    pub fn new(labels: &[&str]) -> Self {
        let siblings = Self(Home::new());
        labels.iter().for_each(|label| siblings.0.token(label));
        let (first, others) = labels.split_first().unwrap();
        good(&siblings.command(&["domain", "create", "--name", "production", "--token", first]).output().unwrap());
        for other in others {
            good(&siblings.command(&["domain", "join", "--token", other, "--from", first]).output().unwrap());
        }
        siblings
    }

    /// The command with all PINs.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = self.0.command(words);
        command.env("KEYSTEAD_SO_PIN", SO_PIN).env("KEYSTEAD_FROM_SO_PIN", SO_PIN);
        command.env("KEYSTEAD_PIN", PIN).env("KEYSTEAD_FROM_PIN", PIN);
        command
    }

    pub fn sync(&self, words: &[&str]) -> Output {
        self.command(&[&["sync"], words].concat()).output().unwrap()
    }

    /// The report, whether everything could move or not.
    pub fn report(&self, words: &[&str]) -> Value {
        let output = self.sync(&[words, &["--json"]].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let code = if report["complete"] == true { 0 } else { 3 };
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        report
    }

    /// Whether nothing would move either way, and how many objects are alike.
    pub fn alike(&self, one: &str, other: &str) -> Option<u64> {
        let report = self.report(&[one, other, "--both", "--dry-run"]);
        let nothing = counts(0, 0, 0);
        let still = report["moved"] == nothing && report["moved_back"] == nothing;
        (still && report["complete"] == true).then(|| report["equal"].as_u64().unwrap())
    }

    /// A program with the user logged in to a token.
    pub fn member(&self, slot: u64) -> Member {
        let module = self.0.module();
        let session = module.open_session(slot, true).unwrap();
        module.sessions().login(session, Login::User, PIN.as_bytes()).unwrap();
        Member { module, session }
    }
}

/// What a report says to have moved, with no tombstones of what was never there.
pub fn counts(new: u64, updated: u64, destroyed: u64) -> Value {
    serde_json::json!({ "new": new, "updated": updated, "destroyed": destroyed, "tombstones": 0 })
}

pub struct Member {
    pub module: Module,
    pub session: Handle,
}

impl Member {
    /// Makes an AES key that may travel but never leaves in another form.
    pub fn key(&self, label: &str) -> Handle {
        self.key_with(label, &[(CKA_KEYSTEAD_MASKABLE, &[1])])
    }

    /// The same, several.
    pub fn keys(&self, labels: &[&str]) {
        for label in labels {
            self.key(label);
        }
    }

    pub fn key_with(&self, label: &str, more: &[(u64, &[u8])]) -> Handle {
        let length = 32_u64.to_ne_bytes();
        let own = [(CKA_TOKEN, &[1][..]), (CKA_LABEL, label.as_bytes()), (CKA_VALUE_LEN, &length)];
        let given: Vec<_> = own.iter().chain(more).map(|(number, value)| Given::new(*number, value)).collect();
        let mechanism = self.module.mechanisms().find(CKM_AES_KEY_GEN).unwrap();
        self.module.sessions().generate(self.session, mechanism, &given).unwrap()
    }

    /// Makes a P-256 pair: public and private key.
    pub fn pair(&self, label: &str) -> [Handle; 2] {
        // P-256 by its identifier.
        let curve = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
        let public =
            [(CKA_TOKEN, &[1][..]), (CKA_LABEL, label.as_bytes()), (CKA_EC_PARAMS, &curve), (CKA_VERIFY, &[1])];
        let private =
            [(CKA_TOKEN, &[1][..]), (CKA_LABEL, label.as_bytes()), (CKA_SIGN, &[1]), (CKA_KEYSTEAD_MASKABLE, &[1])];
        let (public, private) = (public.map(given), private.map(given));
        let mechanism = self.module.mechanisms().find(CKM_EC_KEY_PAIR_GEN).unwrap();
        self.module.sessions().generate_pair(self.session, mechanism, [&public, &private]).unwrap()
    }

    /// Stores data, private or not.
    pub fn data(&self, label: &str, private: bool, value: &[u8]) -> Handle {
        let class = CKO_DATA.to_ne_bytes();
        let private = [u8::from(private)];
        let all = [
            (CKA_CLASS, &class[..]),
            (CKA_TOKEN, &[1]),
            (CKA_PRIVATE, &private),
            (CKA_LABEL, label.as_bytes()),
            (CKA_VALUE, value),
        ];
        self.module.sessions().create(self.session, &all.map(given)).unwrap()
    }

    pub fn find(&self, label: &str) -> Vec<Handle> {
        self.search(&[(CKA_LABEL, label.as_bytes())])
    }

    pub fn search(&self, terms: &[(u64, &[u8])]) -> Vec<Handle> {
        let terms: Vec<_> = terms.iter().map(|(number, value)| Given::new(*number, value)).collect();
        let sessions = self.module.sessions();
        sessions.find_init(self.session, Search::new(&terms)).unwrap();
        let found = sessions.find_next(self.session, 100_000).unwrap();
        sessions.find_final(self.session).unwrap();
        found
    }

    /// The only object that is called so.
    #[track_caller]
    pub fn only(&self, label: &str) -> Handle {
        let found = self.find(label);
        assert_eq!(found.len(), 1, "{label}");
        found[0]
    }

    pub fn attribute(&self, object: Handle, number: u64) -> Vec<u8> {
        let view = self.module.sessions().view(self.session, object).unwrap();
        view.attribute(number).unwrap().to_vec()
    }

    pub fn change(&self, object: Handle, number: u64, value: &[u8]) -> Result<()> {
        self.module.sessions().change(self.session, object, &[Given::new(number, value)])
    }

    pub fn rename(&self, from: &str, to: &str) {
        self.change(self.only(from), CKA_LABEL, to.as_bytes()).unwrap();
    }

    pub fn destroy(&self, label: &str) {
        for object in self.find(label) {
            self.module.sessions().destroy(self.session, object).unwrap();
        }
    }

    pub fn encrypt(&self, label: &str, plain: &[u8]) -> Vec<u8> {
        self.crypt(Direction::Encrypt, self.only(label), plain).unwrap()
    }

    pub fn decrypt(&self, label: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        self.crypt(Direction::Decrypt, self.only(label), sealed)
    }

    fn crypt(&self, direction: Direction, key: Handle, input: &[u8]) -> Result<Vec<u8>> {
        let parameter = Parameter::Gcm { iv: &[7; 12], aad: b"sync", tag_bits: 128 };
        let gcm = self.module.mechanisms().find(CKM_AES_GCM)?;
        let sessions = self.module.sessions();
        sessions.crypt_init(self.session, direction, gcm, &parameter, key)?;
        let mut into = vec![0; input.len() + 64];
        let length = {
            let output = &mut Into::Buffer(InOut::from_slices(input, &mut into));
            sessions.crypt_whole(self.session, direction, output)?
        };
        let Length::Written(length) = length else { panic!("{length:?}") };
        into.truncate(length);
        Ok(into)
    }

    /// Signs with the private key of a pair.
    pub fn sign(&self, label: &str, message: &[u8]) -> Vec<u8> {
        let key = self.one_of(label, CKO_PRIVATE_KEY);
        let ecdsa = self.module.mechanisms().find(CKM_ECDSA_SHA256).unwrap();
        let sessions = self.module.sessions();
        sessions.sign_init(self.session, SignPurpose::Sign, ecdsa, &Parameter::None, key).unwrap();
        let mut into = [0; 64];
        sessions.sign_whole(self.session, &mut Into::Buffer(InOut::from_slices(message, &mut into))).unwrap();
        into.to_vec()
    }

    /// Verifies with the public key of a pair.
    pub fn verify(&self, label: &str, message: &[u8], signature: &[u8]) -> Result<()> {
        let key = self.one_of(label, CKO_PUBLIC_KEY);
        let ecdsa = self.module.mechanisms().find(CKM_ECDSA_SHA256).unwrap();
        let sessions = self.module.sessions();
        sessions.sign_init(self.session, SignPurpose::Verify, ecdsa, &Parameter::None, key)?;
        sessions.verify(self.session, Some(message), signature)
    }

    fn one_of(&self, label: &str, class: u64) -> Handle {
        let found = self.search(&[(CKA_LABEL, label.as_bytes()), (CKA_CLASS, &class.to_ne_bytes())]);
        assert_eq!(found.len(), 1, "{label}");
        found[0]
    }
}

fn given<'a>((number, value): (u64, &'a [u8])) -> Given<'a> {
    Given::new(number, value)
}
