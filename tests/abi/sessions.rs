//! Sessions and login.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![user_logs_in, peers_guess, forked_child_works];
pub const PEERS: &[Test] = &tests![guess];

fn user_logs_in() {
    let token = Token::new();
    let session = token.user();
    fails!(session.login(CKU_USER, USER_PIN), CKR_USER_ALREADY_LOGGED_IN);
    let key =
        ok!(session
            .aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "k", CKA_ENCRYPT => true, CKA_DECRYPT => true]));
    let data = session.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[7; 16]), key, b"hello").unwrap();
    assert_eq!(ok!(session.decrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[7; 16]), key, &data)), b"hello");
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "k"])), [key]);
}

fn peers_guess() {
    let token = Token::new();
    let mut peer = peer!(guess, "wrong");
    assert_eq!(peer.hear(), "CKR_PIN_INCORRECT");
    peer.say("go");
    assert_eq!(peer.finish(), "gone");
    drop(token);
}

fn guess() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    say(session.login(CKU_USER, &arguments()[0]).unwrap_err());
    assert_eq!(hear(), "go");
    say("gone");
}

fn forked_child_works() {
    let token = Token::new();
    let child = Forked::start(|| format!("{:?}", token.module.info().err()).into_bytes());
    println!("{}", String::from_utf8_lossy(&child.join()));
    skip("only a trial");
}
