//! A key and some messages, for the suites about ciphers.

use cryptoki_sys::*;

use super::{Mechanism, Session, Token};

/// A token, a session and an AES key.
pub struct Bench {
    /// The token.
    pub token: Token,
    /// A read-write session of the user.
    pub session: Session,
    /// An AES key of 256 bits, a session object.
    pub key: CK_OBJECT_HANDLE,
}

/// A message and its encrypted form.
pub struct Case {
    /// How.
    pub mechanism: Mechanism,
    /// The message.
    pub text: Vec<u8>,
    /// What it becomes.
    pub sealed: Vec<u8>,
}

impl Bench {
    /// A token of its own.
    pub fn new() -> Bench {
        let token = Token::new();
        let session = token.user();
        let key = ok!(session.aes_key(32, template![]));
        Bench { token, session, key }
    }

    /// Messages of telling lengths under each cipher.
    pub fn cases(&self) -> Vec<Case> {
        let of = |mechanism: Mechanism, length| {
            let text = message(length);
            let sealed = ok!(self.session.encrypt(&mechanism, self.key, &text));
            Case { mechanism, text, sealed }
        };
        let mut cases = vec![of(cbc(), 96), of(ecb(), 96)];
        for length in [1, 15, 16, 17, 64, 90] {
            cases.extend([of(cbc_pad(), length), of(ctr(), length), of(gcm(), length)]);
        }
        cases
    }
}

/// ECB.
pub fn ecb() -> Mechanism {
    Mechanism::plain(CKM_AES_ECB)
}

/// CTR from a fixed block.
pub fn ctr() -> Mechanism {
    Mechanism::ctr(128, &[7; 16])
}

/// CBC with a fixed IV.
pub fn cbc() -> Mechanism {
    Mechanism::with(CKM_AES_CBC, &[7; 16])
}

/// CBC-PAD with a fixed IV.
pub fn cbc_pad() -> Mechanism {
    Mechanism::with(CKM_AES_CBC_PAD, &[7; 16])
}

/// GCM with a fixed IV, associated data and a full tag.
pub fn gcm() -> Mechanism {
    Mechanism::gcm(&[9; 12], b"associated", 128)
}

/// Bytes without a pattern of their own length.
pub fn message(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * 151 + place / 256 + 3) as u8).collect()
}
