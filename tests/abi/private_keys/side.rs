//! Whoever holds keys: a token and what is done with it, asked for in lines.

use cryptoki_sys::*;

use super::kind::{Kind, text};
use crate::support::*;

/// This process with the module under test, and a peer.
pub struct Pair {
    /// This process's side.
    pub ours: Side,
    peer: Peer,
}

impl Pair {
    /// With that peer.
    pub fn with(peer: Peer) -> Pair {
        Pair { ours: Side::new(), peer }
    }

    /// What the peer answers.
    pub fn theirs(&mut self, line: &str) -> String {
        self.peer.say(line);
        self.peer.hear()
    }

    /// A key of each side goes to the other and back. The form's name here and there.
    pub fn travels(&mut self, kind: &Kind, here: &str, there: &str) {
        let name = kind.name;
        let (sign, at) = (format!("sign {name}"), format!("{name}, {here}"));

        assert_eq!(self.ours.answer(&format!("make {name}")), "made");
        let signature = self.ours.answer(&sign);
        let wrapped = self.ours.answer(&format!("wrap {here}"));
        assert_eq!(self.theirs(&format!("unwrap {there} {name} {wrapped}")), "unwrapped", "{at}");
        let theirs = self.theirs(&sign);
        assert!(!kind.repeats || theirs == signature, "{at}: they sign otherwise");
        assert_eq!(self.ours.answer(&format!("verify {name} {theirs}")), "verified", "{at}");
        let back = self.theirs(&format!("wrap {there}"));
        assert_eq!(self.ours.answer(&format!("unwrap {here} {name} {back}")), "unwrapped", "{at}, and back");
        let ours = self.ours.answer(&sign);
        assert_eq!(self.ours.answer(&format!("verify {name} {ours}")), "verified", "{at}, and back");

        assert_eq!(self.theirs(&format!("make {name}")), "made");
        let wrapped = self.theirs(&format!("wrap {there}"));
        assert_eq!(self.ours.answer(&format!("unwrap {here} {name} {wrapped}")), "unwrapped", "{at}, theirs");
        let ours = self.ours.answer(&sign);
        assert_eq!(self.theirs(&format!("verify {name} {ours}")), "verified", "{at}, theirs");
    }
}

/// A token with the wrapping key, and the key pair that is worked with.
pub struct Side {
    _token: Token,
    /// A session with the user logged in.
    pub session: Session,
    /// The wrapping key.
    pub kek: CK_OBJECT_HANDLE,
    public: CK_OBJECT_HANDLE,
    /// The private key.
    pub key: CK_OBJECT_HANDLE,
}

impl Side {
    /// A new token.
    pub fn new() -> Side {
        let token = Token::new();
        let session = token.user();
        let kek = ok!(session.aes_key_of(&KEK, template![CKA_WRAP => true, CKA_UNWRAP => true]));
        Side { _token: token, session, kek, public: 0, key: 0 }
    }

    /// The ways of wrapping. Keystead must have all of them; SoftHSM2 has one.
    pub fn forms(&self) -> Vec<&'static str> {
        if Module::is_softhsm() { vec!["pad"] } else { vec!["pad", "kwp", "cbc-pad", "gcm"] }
    }

    /// Those that openssl has too, its names for them, and the IVs that it wants.
    pub fn openssl_forms(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        OPENSSL_FORMS.into_iter().filter(|form| self.forms().contains(&form.0)).collect()
    }

    /// Does what the line says; what came of it, or the code.
    pub fn answer(&mut self, line: &str) -> String {
        self.done(line).unwrap_or_else(|code| code.to_string())
    }

    fn done(&mut self, line: &str) -> Result<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let session = self.session;
        match words[..] {
            ["make", kind] => {
                let kind = Kind::named(kind);
                let private = kind.private().and(template![CKA_EXTRACTABLE => true]);
                (self.public, self.key) = session.pair(kind.generate, &kind.public(), &private)?;
                Ok("made".to_owned())
            }
            ["wrap", name] => session.wrap(&form(name), self.kek, self.key).map(|wrapped| hex(&wrapped)),
            ["unwrap", name, kind, wrapped] => {
                let kind = Kind::named(kind);
                let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => kind.key_type];
                let template = class.and(kind.private()).and(template![CKA_EXTRACTABLE => true]);
                self.key = session.unwrap(&form(name), self.kek, &unhex(wrapped), &template)?;
                Ok("unwrapped".to_owned())
            }
            ["sign", kind] => {
                let mechanism = Mechanism::plain(Kind::named(kind).sign);
                let mut output = vec![0; 512];
                Sign::init(&session, &mechanism, self.key)?;
                let (outcome, length) = Sign::whole(&session, &text(), Some(&mut output));
                outcome.map(|()| hex(&output[..length]))
            }
            ["verify", kind, signature] => {
                let mechanism = Mechanism::plain(Kind::named(kind).sign);
                let verdict = session.verify(&mechanism, self.public, &text(), &unhex(signature));
                verdict.map(|()| "verified".to_owned())
            }
            _ => panic!("what is {line:?}?"),
        }
    }

    /// The bytes that it answers.
    pub fn bytes(&mut self, line: &str) -> Vec<u8> {
        let answer = self.answer(line);
        assert!(!answer.starts_with("CKR_"), "{line}: {answer}");
        unhex(&answer)
    }

    /// What must not be unwrapped: it has its code, and leaves no object.
    pub fn refuses(&mut self, line: &str) {
        let before = ok!(self.session.find(&template![])).len();
        let answer = self.answer(line);
        let codes = ["CKR_WRAPPED_KEY_INVALID", "CKR_WRAPPED_KEY_LEN_RANGE"];
        assert!(
            codes.contains(&answer.as_str()) || Module::is_softhsm() && answer.starts_with("CKR_"),
            "{line}: {answer}"
        );
        assert_eq!(ok!(self.session.find(&template![])).len(), before, "{line}");
    }
}

/// In a peer: answers each line with one.
pub fn serve() {
    let mut side = Side::new();
    loop {
        let line = hear();
        if line.is_empty() {
            return;
        }
        say(side.answer(&line));
    }
}

/// The mechanism of that name.
pub fn form(name: &str) -> Mechanism {
    match name {
        "pad" => Mechanism::plain(CKM_AES_KEY_WRAP_PAD),
        "kwp" => Mechanism::plain(CKM_AES_KEY_WRAP_KWP),
        "cbc-pad" => Mechanism::with(CKM_AES_CBC_PAD, &IV),
        "gcm" => Mechanism::gcm(&[0x31; 12], b"private keys", 128),
        _ => panic!("what is {name}?"),
    }
}

/// The wrapping key that all know.
pub const KEK: [u8; 32] = [0x4b; 32];
const IV: [u8; 16] = [0x49; 16];

/// A way of wrapping, openssl's name for it, and the IV that it wants.
pub const PAD: (&str, &str, &str) = ("pad", "id-aes256-wrap-pad", "a65959a6");
const OPENSSL_FORMS: [(&str, &str, &str); 2] = [PAD, ("cbc-pad", "aes-256-cbc", "49494949494949494949494949494949")];
