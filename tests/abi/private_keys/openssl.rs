//! A private key in the hands of openssl.

use cryptoki_sys::*;

use super::kind::{Kind, text};
use crate::support::*;

/// A private key that openssl has.
pub struct Openssl {
    folder: tempfile::TempDir,
}

impl Openssl {
    /// The key must be sound.
    pub fn new(pkcs8: &[u8]) -> Openssl {
        let openssl = Openssl { folder: tempfile::tempdir().expect("a temporary folder") };
        std::fs::write(openssl.path("private"), pkcs8).expect("a file");
        let [private, public] = ["private", "public"].map(|name| openssl.path(name));
        run("openssl", &["pkey", "-inform", "DER", "-in", &private, "-check", "-noout"], &[]);
        run("openssl", &["pkey", "-inform", "DER", "-in", &private, "-pubout", "-out", &public], &[]);
        std::fs::write(openssl.path("text"), text()).expect("a file");
        openssl
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    /// Its public key.
    pub fn public(&self) -> Vec<u8> {
        std::fs::read(self.path("public")).expect("a public key")
    }

    /// The signature, in hexadecimal, is this key's.
    pub fn verifies(&self, kind: &Kind, signature: &str) {
        let signature = unhex(signature);
        let der = if kind.key_type == CKK_EC { sequence_of(&signature) } else { signature };
        std::fs::write(self.path("signature"), der).expect("a file");
        let [public, text, signature] = ["public", "text", "signature"].map(|name| self.path(name));
        let files = ["-pubin", "-inkey", &public, "-in", &text, "-sigfile", &signature];
        run("openssl", &[&["pkeyutl", "-verify"], kind.pkeyutl, &files].concat(), &[]);
    }

    /// The secret of this private key and the other's public key.
    pub fn agrees_with(&self, other: &Openssl) -> Vec<u8> {
        let [private, public] = [self.path("private"), other.path("public")];
        run("openssl", &["pkeyutl", "-derive", "-keyform", "DER", "-inkey", &private, "-peerkey", &public], &[])
    }

    /// A signature as PKCS#11 has it, in hexadecimal.
    pub fn signs(&self, kind: &Kind) -> String {
        let [private, text] = ["private", "text"].map(|name| self.path(name));
        let files = ["-keyform", "DER", "-inkey", &private, "-in", &text];
        let signature = run("openssl", &[&["pkeyutl", "-sign"], kind.pkeyutl, &files].concat(), &[]);
        if kind.key_type != CKK_EC {
            return hex(&signature);
        }
        let width = match kind.name {
            "p-521" => 66,
            "p-384" => 48,
            _ => 32,
        };
        hex(&numbers_of(&signature).map(|number| [vec![0; width - number.len()], number].concat()).concat())
    }
}

/// An ECDSA signature as openssl wants it: a sequence of two integers. Short forms of length alone, but for the outermost.
fn sequence_of(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let sign = if number[zeros] >= 0x80 { &[0][..] } else { &[] };
        let value = [sign, &number[zeros..]].concat();
        [&[0x02, value.len() as u8], &value[..]].concat()
    };
    let body = [integer(r), integer(s)].concat();
    let head = if body.len() < 0x80 { vec![0x30, body.len() as u8] } else { vec![0x30, 0x81, body.len() as u8] };
    [head, body].concat()
}

/// The two integers of a sequence, without zeros in front.
fn numbers_of(sequence: &[u8]) -> [Vec<u8>; 2] {
    let body = if sequence[1] == 0x81 { &sequence[3..] } else { &sequence[2..] };
    let (first, second) = body.split_at(2 + usize::from(body[1]));
    [first, second].map(|integer| integer[2..].iter().copied().skip_while(|byte| *byte == 0).collect())
}
