//! `CKA_ALWAYS_AUTHENTICATE`: a login with `CKU_CONTEXT_SPECIFIC` for each use of the key. PKCS#11 3.2, sections 4.10, 5.6.8,
//! 5.10 and 5.13.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    every_use_asks_for_a_login_of_its_own,
    the_login_comes_after_init,
    a_wrong_pin_leaves_the_operation_waiting,
    wrong_pins_count,
    other_keys_ask_for_none,
    the_attribute_is_for_private_objects,
    the_attribute_stays,
    the_state_of_the_session_stays,
    no_public_half_asks,
    one_login_is_for_one_operation,
    other_uses_than_these_have_no_login,
    no_copy_is_public,
];

fn every_use_asks_for_a_login_of_its_own() {
    let keys = Keys::new();
    let session = &keys.session;
    for round in 0..2 {
        for (mechanism, private, public) in keys.signing() {
            ok!(Sign::init(session, &mechanism, private), "{round}");
            fails!(Sign::whole(session, b"message", Some(&mut [0; 300])).0, CKR_USER_NOT_LOGGED_IN, "{round}");
            ok!(session.cancel(CKF_SIGN));
            ok!(Sign::init(session, &mechanism, private), "{round}");
            ok!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN), "{round}");
            let mut made = [0; 300];
            let (outcome, length) = Sign::whole(session, b"message", Some(&mut made));
            assert_eq!(outcome, Ok(()));
            ok!(session.verify(&mechanism, public, b"message", &made[..length]));
        }
        let sealed = ok!(session.encrypt(&Mechanism::plain(CKM_RSA_PKCS), keys.rsa.0, b"text"));
        ok!(Decrypt::init(session, &Mechanism::plain(CKM_RSA_PKCS), keys.rsa.1));
        let mut opened = [0; 256];
        fails!(Decrypt::whole(session, &sealed, Some(&mut opened)).0, CKR_USER_NOT_LOGGED_IN);
        ok!(session.cancel(CKF_DECRYPT));
        ok!(Decrypt::init(session, &Mechanism::plain(CKM_RSA_PKCS), keys.rsa.1));
        ok!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN));
        assert_eq!(Decrypt::whole(session, &sealed, Some(&mut opened)), (Ok(()), 4));
        assert_eq!(&opened[..4], b"text");
    }
}

/// Of two that wait, the one that began last.
fn one_login_is_for_one_operation() {
    let keys = Keys::new();
    let session = &keys.session;
    let pkcs1 = Mechanism::plain(CKM_RSA_PKCS);
    let sealed = ok!(session.encrypt(&pkcs1, keys.rsa.0, b"text"));
    ok!(Sign::init(session, &pkcs1, keys.rsa.1));
    ok!(Decrypt::init(session, &pkcs1, keys.rsa.1));
    ok!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN));
    fails!(Sign::whole(session, b"message", Some(&mut [0; 300])).0, CKR_USER_NOT_LOGGED_IN);
    assert_eq!(Decrypt::whole(session, &sealed, Some(&mut [0; 256])), (Ok(()), 4));
    ok!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN));
    ok!(Sign::whole(session, b"message", Some(&mut [0; 300])).0);
}

/// Unwrapping could decrypt and derivation could agree, and neither has a moment at which the PIN can be given.
fn other_uses_than_these_have_no_login() {
    let keys = Keys::new();
    let session = &keys.session;
    let pkcs1 = Mechanism::plain(CKM_RSA_PKCS);
    let sealed = ok!(session.encrypt(&pkcs1, keys.rsa.0, b"0123456789abcdef"));
    let secret = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET, CKA_VALUE_LEN => 16];
    fails!(session.unwrap(&pkcs1, keys.rsa.1, &sealed, &secret), CKR_USER_NOT_LOGGED_IN);
}

fn no_copy_is_public() {
    let keys = Keys::new();
    fails!(keys.session.copy(keys.rsa.1, &template![CKA_PRIVATE => false]), CKR_ATTRIBUTE_READ_ONLY);
    ok!(keys.session.copy(keys.rsa.1, &template![]));
}

/// A message in parts needs it before the first of them.
fn the_login_comes_after_init() {
    let keys = Keys::new();
    let session = &keys.session;
    fails!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN), CKR_OPERATION_NOT_INITIALIZED);
    let mechanism = Mechanism::plain(CKM_ECDSA_SHA256);
    ok!(Sign::init(session, &mechanism, keys.ec.1));
    fails!(Sign::update(session, b"message", None).0, CKR_USER_NOT_LOGGED_IN);
    ok!(session.cancel(CKF_SIGN));
    ok!(Sign::init(session, &mechanism, keys.ec.1));
    ok!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN));
    ok!(Sign::update(session, b"mess", None).0);
    ok!(Sign::update(session, b"age", None).0);
    let mut made = [0; 64];
    // One login for one operation, its size queries too.
    assert_eq!(Sign::last(session, None), (Ok(()), 64));
    assert_eq!(Sign::last(session, Some(&mut made)), (Ok(()), 64));
    ok!(session.verify(&mechanism, keys.ec.0, b"message", &made));
    fails!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN), CKR_OPERATION_NOT_INITIALIZED, "it has ended");
}

fn a_wrong_pin_leaves_the_operation_waiting() {
    let keys = Keys::new();
    let session = &keys.session;
    ok!(Sign::init(session, &Mechanism::plain(CKM_ECDSA), keys.ec.1));
    fails!(session.login(CKU_CONTEXT_SPECIFIC, "not the PIN"), CKR_PIN_INCORRECT);
    fails!(session.login(CKU_CONTEXT_SPECIFIC, SO_PIN), CKR_PIN_INCORRECT, "the user's is asked for");
    ok!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN));
    let mut made = [0; 64];
    assert_eq!(Sign::whole(session, &[1; 32], Some(&mut made)), (Ok(()), 64));
}

fn wrong_pins_count() {
    let keys = Keys::new();
    let session = &keys.session;
    ok!(Sign::init(session, &Mechanism::plain(CKM_ECDSA), keys.ec.1));
    for _ in 0..10 {
        fails!(session.login(CKU_CONTEXT_SPECIFIC, "not the PIN"), CKR_PIN_INCORRECT | CKR_PIN_LOCKED);
    }
    fails!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN), CKR_PIN_LOCKED);
    assert_ne!(keys.token.flags() & CKF_USER_PIN_LOCKED, 0);
}

fn other_keys_ask_for_none() {
    let keys = Keys::new();
    let session = &keys.session;
    let (_, plain) = Curve::named("P-256").pair(session);
    ok!(Sign::init(session, &Mechanism::plain(CKM_ECDSA), plain));
    fails!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN), CKR_OPERATION_NOT_INITIALIZED);
    assert_eq!(Sign::whole(session, &[1; 32], Some(&mut [0; 64])), (Ok(()), 64));
    assert!(!ok!(session.flag(plain, CKA_ALWAYS_AUTHENTICATE)));
    // Another operation of the session that waits does not open this one.
    ok!(Sign::init(session, &Mechanism::plain(CKM_ECDSA), keys.ec.1));
    let other = keys.token.session();
    fails!(other.login(CKU_CONTEXT_SPECIFIC, USER_PIN), CKR_OPERATION_NOT_INITIALIZED, "in another session");
    fails!(Sign::whole(session, &[1; 32], Some(&mut [0; 64])).0, CKR_USER_NOT_LOGGED_IN);
}

/// PKCS#11 3.2, table 31, footnote.
fn the_attribute_is_for_private_objects() {
    let keys = Keys::new();
    let public = template![CKA_EC_PARAMS => CURVES[1].params];
    let open = template![CKA_ALWAYS_AUTHENTICATE => true, CKA_PRIVATE => false];
    let outcome = keys.session.pair(CKM_EC_KEY_PAIR_GEN, &public, &open);
    fails!(outcome, CKR_TEMPLATE_INCONSISTENT);
    fails!(keys.session.create(&CURVES[1].private(&[1; 32]).and(open)), CKR_TEMPLATE_INCONSISTENT);
}

fn the_attribute_stays() {
    let keys = Keys::new();
    assert!(ok!(keys.session.flag(keys.ec.1, CKA_ALWAYS_AUTHENTICATE)));
    let outcome = keys.session.set(keys.ec.1, &template![CKA_ALWAYS_AUTHENTICATE => false]);
    fails!(outcome, CKR_ATTRIBUTE_READ_ONLY);
    fails!(keys.session.copy(keys.ec.1, &template![CKA_ALWAYS_AUTHENTICATE => false]), CKR_ATTRIBUTE_READ_ONLY);
    let copy = ok!(keys.session.copy(keys.ec.1, &template![CKA_LABEL => "copy"]));
    ok!(Sign::init(&keys.session, &Mechanism::plain(CKM_ECDSA), copy));
    fails!(Sign::whole(&keys.session, &[1; 32], Some(&mut [0; 64])).0, CKR_USER_NOT_LOGGED_IN);
}

fn the_state_of_the_session_stays() {
    let keys = Keys::new();
    assert_eq!(ok!(keys.session.state()), CKS_RW_USER_FUNCTIONS);
    ok!(Sign::init(&keys.session, &Mechanism::plain(CKM_ECDSA), keys.ec.1));
    ok!(keys.session.login(CKU_CONTEXT_SPECIFIC, USER_PIN));
    assert_eq!(ok!(keys.session.state()), CKS_RW_USER_FUNCTIONS);
    ok!(keys.session.cancel(CKF_SIGN));
    // The login went with the operation.
    ok!(Sign::init(&keys.session, &Mechanism::plain(CKM_ECDSA), keys.ec.1));
    fails!(Sign::whole(&keys.session, &[1; 32], Some(&mut [0; 64])).0, CKR_USER_NOT_LOGGED_IN);
}

fn no_public_half_asks() {
    let keys = Keys::new();
    ok!(keys.session.verify_init(&Mechanism::plain(CKM_ECDSA), keys.ec.0));
    fails!(keys.session.login(CKU_CONTEXT_SPECIFIC, USER_PIN), CKR_OPERATION_NOT_INITIALIZED);
    fails!(keys.session.value(keys.ec.0, CKA_ALWAYS_AUTHENTICATE), CKR_ATTRIBUTE_TYPE_INVALID);
}

/// Pairs, public first, whose private halves ask each time.
struct Keys {
    token: Token,
    session: Session,
    ec: (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE),
    rsa: (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE),
}

impl Keys {
    fn new() -> Keys {
        let token = Token::new();
        let session = token.user();
        let asks = template![CKA_ALWAYS_AUTHENTICATE => true, CKA_PRIVATE => true];
        let curve = template![CKA_EC_PARAMS => Curve::named("P-256").params];
        let ec = ok!(session.pair(CKM_EC_KEY_PAIR_GEN, &curve, &asks));
        let key = RsaKey::of_bits(2048);
        let uses = template![CKA_SIGN => true, CKA_DECRYPT => true];
        let rsa = (ok!(session.create(&key.public())), ok!(session.create(&key.private().and(uses).and(asks))));
        Keys { token, session, ec, rsa }
    }

    fn signing(&self) -> [(Mechanism, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE); 3] {
        [
            (Mechanism::plain(CKM_ECDSA_SHA256), self.ec.1, self.ec.0),
            (Mechanism::plain(CKM_SHA256_RSA_PKCS), self.rsa.1, self.rsa.0),
            (Mechanism::plain(CKM_RSA_PKCS), self.rsa.1, self.rsa.0),
        ]
    }
}
