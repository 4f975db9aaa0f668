//! Signatures that give their message back. PKCS#11 3.2, sections 5.13.5, 5.13.6, 5.15.5, 5.15.6, 6.1.6 and 6.1.8.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    messages_come_back,
    what_is_signed_is_what_sign_signs,
    a_signature_that_does_not_hold_is_no_matter_of_room,
    rooms_are_told_what_suffices,
    messages_that_are_too_long_are_named_so,
    the_message_may_go_where_the_signature_is,
    every_outcome_ends_it,
    keys_need_the_attribute,
    mechanisms_that_cannot_are_refused,
    init_without_a_mechanism_and_session_cancel_end_it,
    logout_ends_it,
    a_key_that_asks_for_the_pin_is_asked_for,
];

fn messages_come_back() {
    let keys = Keys::new();
    for length in [0, 1, 100, 245] {
        let signature = ok!(keys.sign(CKM_RSA_PKCS, &message(length)));
        assert_eq!(ok!(keys.recover(CKM_RSA_PKCS, &signature)), message(length));
    }
    for length in [0, 1, 100, 255] {
        let signature = ok!(keys.sign(CKM_RSA_X_509, &message(length)));
        let filled = [vec![0; 256 - length], message(length)].concat();
        assert_eq!(ok!(keys.recover(CKM_RSA_X_509, &signature)), filled, "as long as the modulus");
    }
}

fn what_is_signed_is_what_sign_signs() {
    let keys = Keys::new();
    for mechanism in [CKM_RSA_PKCS, CKM_RSA_X_509] {
        let text = message(100);
        let expected = ok!(keys.session.sign(&Mechanism::plain(mechanism), keys.private, &text));
        assert_eq!(ok!(keys.sign(mechanism, &text)), expected);
    }
}

/// Neither in too small a buffer nor in a question for the length.
fn a_signature_that_does_not_hold_is_no_matter_of_room() {
    let keys = Keys::new();
    let mut signature = ok!(keys.sign(CKM_RSA_PKCS, b"text"));
    signature[100] ^= 1;
    let above = vec![0xff; 256];
    let lengths = [vec![], vec![1], signature[1..].to_vec(), [&signature[..], &[0]].concat()];
    for room in [Some(0), Some(1), Some(300), None] {
        for bad in [&signature, &above] {
            let mut buffer = room.map(|room| vec![GUARD; room]);
            ok!(keys.verify_init(CKM_RSA_PKCS));
            fails!(keys.session.verify_recover(bad, buffer.as_deref_mut()).0, CKR_SIGNATURE_INVALID);
            assert!(buffer.is_none_or(|buffer| buffer.iter().all(|byte| *byte == GUARD)));
            fails!(keys.session.verify_recover(bad, None).0, CKR_OPERATION_NOT_INITIALIZED);
        }
        for bad in &lengths {
            let mut buffer = room.map(|room| vec![GUARD; room]);
            ok!(keys.verify_init(CKM_RSA_PKCS));
            fails!(keys.session.verify_recover(bad, buffer.as_deref_mut()).0, CKR_SIGNATURE_LEN_RANGE);
        }
    }
    fails!(keys.recover(CKM_RSA_X_509, &above), CKR_SIGNATURE_INVALID);
}

fn rooms_are_told_what_suffices() {
    let keys = Keys::new();
    let signature = ok!(keys.sign(CKM_RSA_PKCS, &message(40)));
    ok!(keys.sign_init(CKM_RSA_PKCS));
    ok!(keys.verify_init(CKM_RSA_PKCS));
    for room in [None, Some(0), Some(39)] {
        let mut buffer = room.map(|room| vec![GUARD; room]);
        let (outcome, told) = keys.session.sign_recover(&message(40), buffer.as_deref_mut());
        assert_eq!((outcome.is_ok(), told), (room.is_none(), 256));
        let (outcome, told) = keys.session.verify_recover(&signature, buffer.as_deref_mut());
        assert_eq!((outcome.is_ok(), told), (room.is_none(), 40));
        assert!(buffer.is_none_or(|buffer| buffer.iter().all(|byte| *byte == GUARD)));
    }
    let mut room = [GUARD; 300];
    let (outcome, told) = keys.session.sign_recover(&message(40), Some(&mut room));
    ok!(outcome);
    assert_eq!((told, &room[..256], &room[256..]), (256, &signature[..], [GUARD; 44].as_slice()));
    let mut room = [GUARD; 48];
    let (outcome, told) = keys.session.verify_recover(&signature, Some(&mut room));
    ok!(outcome);
    assert_eq!((told, &room[..40], &room[40..]), (40, &message(40)[..], [GUARD; 8].as_slice()));
}

fn messages_that_are_too_long_are_named_so() {
    let keys = Keys::new();
    fails!(keys.sign(CKM_RSA_PKCS, &message(246)), CKR_DATA_LEN_RANGE);
    fails!(keys.sign(CKM_RSA_X_509, &message(257)), CKR_DATA_LEN_RANGE);
    fails!(keys.sign(CKM_RSA_X_509, &[0xff; 256]), CKR_DATA_INVALID);
}

fn the_message_may_go_where_the_signature_is() {
    let keys = Keys::new();
    let mut buffer = [message(100), vec![0; 156]].concat();
    let signature = ok!(keys.sign(CKM_RSA_PKCS, &message(100)));
    ok!(keys.sign_init(CKM_RSA_PKCS));
    assert_eq!(keys.session.recover_in_place(true, &mut buffer, 100), (Ok(()), 256));
    assert_eq!(buffer, signature);
    ok!(keys.verify_init(CKM_RSA_PKCS));
    assert_eq!(keys.session.recover_in_place(false, &mut buffer, 256), (Ok(()), 100));
    assert_eq!(buffer[..100], message(100));
}

fn every_outcome_ends_it() {
    let keys = Keys::new();
    let (session, room) = (&keys.session, &mut [0; 300]);
    ok!(keys.sign_init(CKM_RSA_PKCS));
    fails!(keys.sign_init(CKM_RSA_PKCS), CKR_OPERATION_ACTIVE);
    ok!(session.sign_recover(b"text", Some(room)).0);
    fails!(session.sign_recover(b"text", Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
    ok!(keys.sign_init(CKM_RSA_PKCS));
    fails!(session.sign_recover(&message(246), Some(room)).0, CKR_DATA_LEN_RANGE);
    ok!(keys.sign_init(CKM_RSA_PKCS));
    fails!(session.recover_null(true, room), CKR_ARGUMENTS_BAD);
    ok!(keys.sign_init(CKM_RSA_PKCS));
    ok!(keys.verify_init(CKM_RSA_PKCS));
    fails!(keys.verify_init(CKM_RSA_PKCS), CKR_OPERATION_ACTIVE);
    fails!(session.recover_null(false, room), CKR_ARGUMENTS_BAD);
    ok!(keys.verify_init(CKM_RSA_PKCS));
}

/// `CKA_SIGN` and `CKA_VERIFY` are not enough, and not needed.
fn keys_need_the_attribute() {
    let token = Token::new();
    let session = token.user();
    let key = RsaKey::of_bits(2048);
    let (public, private) = ok!(key.import(&session));
    let mechanism = Mechanism::plain(CKM_RSA_PKCS);
    fails!(session.recover_init(true, &mechanism, private), CKR_KEY_FUNCTION_NOT_PERMITTED);
    fails!(session.recover_init(false, &mechanism, public), CKR_KEY_FUNCTION_NOT_PERMITTED);
    let only = template![CKA_SIGN => false, CKA_SIGN_RECOVER => true];
    let private = ok!(session.create(&key.private().and(only)));
    let public = ok!(session.create(&key.public().and(template![CKA_VERIFY => false, CKA_VERIFY_RECOVER => true])));
    ok!(session.recover_init(true, &mechanism, private));
    ok!(session.recover_init(false, &mechanism, public));
    ok!(session.cancel(CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER));
    fails!(session.recover_init(true, &mechanism, public), CKR_KEY_TYPE_INCONSISTENT);
    fails!(session.recover_init(false, &mechanism, private), CKR_KEY_TYPE_INCONSISTENT);
    let aes = ok!(session.aes_key(16, template![]));
    fails!(session.recover_init(true, &mechanism, aes), CKR_KEY_TYPE_INCONSISTENT);
    fails!(session.recover_init(true, &mechanism, 0), CKR_KEY_HANDLE_INVALID);
    let bound = template![CKA_SIGN_RECOVER => true, CKA_ALLOWED_MECHANISMS => CKM_RSA_X_509];
    let bound = ok!(session.create(&key.private().and(bound)));
    fails!(session.recover_init(true, &mechanism, bound), CKR_MECHANISM_INVALID);
}

fn mechanisms_that_cannot_are_refused() {
    let keys = Keys::new();
    let token = keys.session;
    let slot = ok!(token.info()).slotID;
    for mechanism in ok!(token.module.mechanisms(slot)) {
        let can = [CKM_RSA_PKCS, CKM_RSA_X_509].contains(&mechanism);
        let flags = ok!(token.module.mechanism_info(slot, mechanism)).flags & (CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER);
        assert_eq!(flags, if can { CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER } else { 0 }, "{mechanism:#x}");
        if !can {
            fails!(keys.sign_init(mechanism), CKR_MECHANISM_INVALID);
            fails!(keys.verify_init(mechanism), CKR_MECHANISM_INVALID);
        }
    }
    let with_parameter = Mechanism::with(CKM_RSA_PKCS, &[0; 16]);
    fails!(keys.session.recover_init(true, &with_parameter, keys.private), CKR_MECHANISM_PARAM_INVALID);
}

fn init_without_a_mechanism_and_session_cancel_end_it() {
    let keys = Keys::new();
    let session = &keys.session;
    for is_null in [false, true] {
        for _ in 0..2 {
            ok!(keys.sign_init(CKM_RSA_PKCS));
            ok!(keys.verify_init(CKM_RSA_PKCS));
            ok!(session.cancel(CKF_SIGN | CKF_VERIFY));
            fails!(keys.sign_init(CKM_RSA_PKCS), CKR_OPERATION_ACTIVE);
            if is_null {
                ok!(session.recover_init_null(true));
                ok!(session.recover_init_null(true), "nothing active");
                ok!(session.recover_init_null(false));
            } else {
                ok!(session.cancel(CKF_SIGN_RECOVER));
                fails!(keys.verify_init(CKM_RSA_PKCS), CKR_OPERATION_ACTIVE);
                ok!(session.cancel(CKF_VERIFY_RECOVER));
            }
        }
    }
}

fn logout_ends_it() {
    let keys = Keys::new();
    ok!(keys.sign_init(CKM_RSA_PKCS));
    ok!(keys.session.logout());
    fails!(keys.session.sign_recover(b"text", None).0, CKR_OPERATION_NOT_INITIALIZED);
}

fn a_key_that_asks_for_the_pin_is_asked_for() {
    let token = Token::new();
    let session = token.user();
    let asks = template![CKA_SIGN_RECOVER => true, CKA_PRIVATE => true, CKA_ALWAYS_AUTHENTICATE => true];
    let key = ok!(session.create(&RsaKey::of_bits(2048).private().and(asks)));
    ok!(session.recover_init(true, &Mechanism::plain(CKM_RSA_PKCS), key));
    let mut room = [0; 256];
    fails!(session.sign_recover(b"text", Some(&mut room)).0, CKR_USER_NOT_LOGGED_IN);
    ok!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN));
    ok!(session.sign_recover(b"text", Some(&mut room)).0);
    fails!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN), CKR_OPERATION_NOT_INITIALIZED);
}

/// A pair of 2048 bits that may recover and whatever it may by default.
struct Keys {
    _token: Token,
    session: Session,
    public: CK_OBJECT_HANDLE,
    private: CK_OBJECT_HANDLE,
}

impl Keys {
    fn new() -> Keys {
        let token = Token::new();
        let (session, key) = (token.user(), RsaKey::of_bits(2048));
        let public = ok!(session.create(&key.public().with(CKA_VERIFY_RECOVER, true)));
        let private = ok!(session.create(&key.private().with(CKA_SIGN_RECOVER, true)));
        Keys { _token: token, session, public, private }
    }

    fn sign_init(&self, mechanism: CK_MECHANISM_TYPE) -> Result {
        self.session.recover_init(true, &Mechanism::plain(mechanism), self.private)
    }

    fn verify_init(&self, mechanism: CK_MECHANISM_TYPE) -> Result {
        self.session.recover_init(false, &Mechanism::plain(mechanism), self.public)
    }

    fn sign(&self, mechanism: CK_MECHANISM_TYPE, text: &[u8]) -> Result<Vec<u8>> {
        self.sign_init(mechanism)?;
        let mut room = vec![0; 512];
        let (outcome, length) = self.session.sign_recover(text, Some(&mut room));
        room.truncate(length);
        outcome.map(|()| room)
    }

    fn recover(&self, mechanism: CK_MECHANISM_TYPE, signature: &[u8]) -> Result<Vec<u8>> {
        self.verify_init(mechanism)?;
        let mut room = vec![0; 512];
        let (outcome, length) = self.session.verify_recover(signature, Some(&mut room));
        room.truncate(length);
        outcome.map(|()| room)
    }
}
