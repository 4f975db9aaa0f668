//! Key pairs take long to make, and nobody waits for them.

use std::time::{Duration, Instant};

use super::*;
use crate::crypto::PrivateKey;
use crate::crypto::edwards::Ed25519PrivateKey;
use crate::key::KeyType;
use crate::mechanism::{Does, NOTHING, Pair, Shape};
use crate::object::Attributes;

/// A pair that takes its time begun in a thread, `meanwhile` while it is made; what became of it, and what `meanwhile` took.
fn while_a_pair_is_made(
    fixture: &Fixture,
    session: Handle,
    meanwhile: impl FnOnce(),
) -> (Result<[Handle; 2]>, Duration) {
    let generate_pair = Some(Pair { key_type: KeyType::EcEdwards, generate: slow_pair });
    let does = Does { generate_pair, ..NOTHING };
    let number = CKM_EC_EDWARDS_KEY_PAIR_GEN;
    let slow = Mechanism { number, name: "slow", parameter: Shape::None, keys: None, does };
    thread::scope(|scope| {
        let public = [Given::new(CKA_EC_PARAMS, b"\x06\x03\x2b\x65\x70")];
        let generating = scope.spawn(move || fixture.sessions.generate_pair(session, &slow, [&public, &[]]));
        thread::sleep(SLOW / 4);
        let start = Instant::now();
        meanwhile();
        let took = start.elapsed();
        (generating.join().unwrap(), took)
    })
}

fn slow_pair(_: &Attributes) -> Result<PrivateKey> {
    thread::sleep(SLOW);
    Ed25519PrivateKey::generate().map(PrivateKey::Ed25519)
}

/// So long that nobody has to hurry who does not wait for it.
const SLOW: Duration = Duration::from_millis(600);

#[test]
fn a_pair_that_is_being_made_is_discarded_when_its_session_or_login_ends() {
    let user = |fixture: &Fixture| {
        let session = fixture.open();
        fixture.sessions.login(session, Login::User, PIN).unwrap();
        session
    };
    let fixture = Fixture::new();
    let (session, other) = (user(&fixture), fixture.open());
    let (made, took) = while_a_pair_is_made(&fixture, session, || fixture.sessions.logout(other).unwrap());
    assert_eq!(made, Err(Error::UserNotLoggedIn));
    assert!(took < SLOW / 2, "the logout took {took:?}");

    fixture.sessions.login(session, Login::User, PIN).unwrap();
    let again = || {
        fixture.sessions.logout(other).unwrap();
        fixture.sessions.login(other, Login::User, PIN).unwrap();
    };
    let (made, _) = while_a_pair_is_made(&fixture, session, again);
    assert_eq!(made, Err(Error::UserNotLoggedIn), "it is another login");

    let (made, took) = while_a_pair_is_made(&fixture, session, || fixture.sessions.close(session).unwrap());
    assert_eq!(made, Err(Error::SessionHandleInvalid));
    assert!(took < SLOW / 2, "closing took {took:?}");
    assert!(fixture.find(other, &[]).unwrap().is_empty(), "nothing of it is left");
}

/// Begun without a login, it needs none; and the session is of use meanwhile.
#[test]
fn a_login_while_a_pair_is_being_made_does_it_no_harm() {
    let fixture = Fixture::new();
    let session = fixture.open();
    let (made, took) = while_a_pair_is_made(&fixture, session, || {
        fixture.sessions.login(session, Login::User, PIN).unwrap();
        let key = fixture.generate(session, &[]).unwrap();
        fixture.encrypt(session, key).unwrap();
    });
    let [_, private] = made.unwrap();
    assert!(took < SLOW / 2, "the session was busy for {took:?}");
    let private = fixture.sessions.view(session, private).unwrap();
    assert_eq!(private.attribute(CKA_PRIVATE).unwrap().as_slice(), [0]);
}
