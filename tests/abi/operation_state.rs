//! Digests saved and gone on with: `C_GetOperationState` and `C_SetOperationState`. PKCS#11 3.2, sections 5.6.6 and 5.6.7.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    a_digest_goes_on_where_it_was_saved,
    a_digest_that_ate_a_key_shows_nothing_of_it,
    rooms_are_told_what_suffices,
    what_cannot_be_saved_says_so,
    what_was_not_saved_here_is_refused,
    a_state_ends_with_its_login,
    keys_are_not_needed,
    setting_ends_what_ran,
    a_refused_state_ends_nothing,
];

fn a_digest_goes_on_where_it_was_saved() {
    let token = Token::new();
    let (session, other) = (token.user(), token.session());
    for hash in &HASHES {
        // Around a block of each, and none at all.
        for first in [0, 1, 55, 63, 64, 65, 71, 72, 103, 104, 127, 128, 135, 136, 143, 144, 145, 300] {
            let text = message(first + 200);
            ok!(Digest::init(&session, &Mechanism::plain(hash.digest), 0));
            if first > 0 {
                ok!(Digest::update(&session, &text[..first], None).0);
            }
            let state = ok!(session.operation_state());
            for end in [first, first + 1, first + 200] {
                ok!(other.set_operation_state(&state, [0, 0]), "{}", hash.openssl);
                ok!(Digest::update(&other, &text[first..end], None).0);
                let expected = Digest::run(&token.session(), &Mechanism::plain(hash.digest), 0, &text[..end]);
                assert_eq!(digested(&other), ok!(expected), "{} {first} to {end}", hash.openssl);
            }
            ok!(Digest::update(&session, &text[first..], None).0);
            assert_eq!(digested(&session), ok!(session.digest(hash.digest, &text)), "the one that was saved goes on");
        }
        ok!(Digest::init(&session, &Mechanism::plain(hash.digest), 0));
        let state = ok!(session.operation_state());
        ok!(session.set_operation_state(&state, [0, 0]));
        let mut room = [0; 64];
        let (outcome, length) = Digest::whole(&session, b"whole", Some(&mut room));
        ok!(outcome, "nothing has gone in");
        assert_eq!(room[..length], ok!(session.digest(hash.digest, b"whole")));
    }
}

/// Two states of one digest share no byte but by chance, and none has the key.
fn a_digest_that_ate_a_key_shows_nothing_of_it() {
    let token = Token::new();
    let session = token.user();
    let value = message(40);
    let key = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET, CKA_VALUE => &value];
    let key = ok!(session.create(&key.with(CKA_SENSITIVE, true)));
    for mechanism in [CKM_SHA256, CKM_SHA512, CKM_SHA3_256] {
        ok!(Digest::init(&session, &Mechanism::plain(mechanism), 0));
        ok!(session.digest_key(key));
        let states = [ok!(session.operation_state()), ok!(session.operation_state())];
        for state in &states {
            assert!(!value.windows(4).any(|part| contains(state, part)));
        }
        let same = states[0].iter().zip(&states[1]).filter(|(one, other)| one == other).count();
        assert!(same < states[0].len() / 8, "{same} of {}", states[0].len());
        ok!(session.set_operation_state(&states[0], [0, 0]));
        assert_eq!(digested(&session), ok!(session.digest(mechanism, &value)));
    }
}

fn rooms_are_told_what_suffices() {
    let token = Token::new();
    let session = token.user();
    ok!(Digest::init(&session, &Mechanism::plain(CKM_SHA384), 0));
    ok!(Digest::update(&session, b"text", None).0);
    let (outcome, needed) = session.operation_state_into(None);
    ok!(outcome);
    for room in [0, 1, needed - 1] {
        let mut buffer = vec![GUARD; room];
        let (outcome, told) = session.operation_state_into(Some(&mut buffer));
        fails!(outcome, CKR_BUFFER_TOO_SMALL);
        assert_eq!((told, buffer), (needed, vec![GUARD; room]));
    }
    let mut buffer = vec![GUARD; needed + 8];
    let (outcome, told) = session.operation_state_into(Some(&mut buffer));
    ok!(outcome);
    assert_eq!((told, &buffer[needed..]), (needed, [GUARD; 8].as_slice()));
    ok!(session.set_operation_state(&buffer[..needed], [0, 0]));
    assert_eq!(digested(&session), ok!(session.digest(CKM_SHA384, b"text")));
}

fn what_cannot_be_saved_says_so() {
    let Bench { session, key, .. } = &Bench::new();
    fails!(session.operation_state(), CKR_OPERATION_NOT_INITIALIZED);
    ok!(session.find_init(&template![]));
    fails!(session.operation_state(), CKR_OPERATION_NOT_INITIALIZED, "a search is none");
    ok!(session.find_final());
    let cmac = Mechanism::plain(CKM_AES_CMAC);
    for with_digest in [false, true] {
        for kind in [CKF_ENCRYPT, CKF_DECRYPT, CKF_SIGN, CKF_VERIFY] {
            match kind {
                CKF_ENCRYPT => ok!(Encrypt::init(session, &cbc(), *key)),
                CKF_DECRYPT => ok!(Decrypt::init(session, &cbc(), *key)),
                CKF_SIGN => ok!(Sign::init(session, &cmac, *key)),
                _ => ok!(session.verify_init(&cmac, *key)),
            }
            if with_digest {
                ok!(Digest::init(session, &Mechanism::plain(CKM_SHA256), 0));
            }
            fails!(session.operation_state(), CKR_STATE_UNSAVEABLE);
            fails!(session.operation_state_into(None).0, CKR_STATE_UNSAVEABLE);
            ok!(session.cancel(kind));
            assert_eq!(session.operation_state().is_ok(), with_digest, "what was cancelled is in nobody's way");
            ok!(session.cancel(CKF_DIGEST));
        }
    }
}

fn what_was_not_saved_here_is_refused() {
    let token = Token::new();
    let (session, read_only) = (token.user(), ok!(token.module.read_only(token.slot)));
    ok!(Digest::init(&session, &Mechanism::plain(CKM_SHA256), 0));
    ok!(Digest::update(&session, b"text", None).0);
    let state = ok!(session.operation_state());
    let garbled = (0..state.len()).map(|at| {
        let mut garbled = state.clone();
        garbled[at] ^= 0x10;
        garbled
    });
    let cut = (0..state.len()).map(|length| state[..length].to_vec());
    for bad in garbled.chain(cut).chain([[&state[..], &[0]].concat(), vec![0; 1000]]) {
        fails!(session.set_operation_state(&bad, [0, 0]), CKR_SAVED_STATE_INVALID);
    }
    fails!(session.set_operation_state_null(16), CKR_ARGUMENTS_BAD);
    fails!(read_only.set_operation_state(&state, [0, 0]), CKR_SAVED_STATE_INVALID, "another state of the session");
    let second = Token::make(&token.module, "another");
    let elsewhere = ok!(token.module.read_write(second));
    ok!(elsewhere.login(CKU_USER, USER_PIN));
    fails!(elsewhere.set_operation_state(&state, [0, 0]), CKR_SAVED_STATE_INVALID, "another token");
    ok!(session.set_operation_state(&state, [0, 0]));
    ok!(token.restart());
    let session = token.user();
    fails!(session.set_operation_state(&state, [0, 0]), CKR_SAVED_STATE_INVALID, "another life of the library");
}

fn a_state_ends_with_its_login() {
    let token = Token::new();
    let session = token.user();
    ok!(Digest::init(&session, &Mechanism::plain(CKM_SHA256), 0));
    let state = ok!(session.operation_state());
    ok!(session.logout());
    fails!(session.set_operation_state(&state, [0, 0]), CKR_SAVED_STATE_INVALID);
    ok!(session.login(CKU_USER, USER_PIN));
    fails!(session.set_operation_state(&state, [0, 0]), CKR_SAVED_STATE_INVALID);
}

fn keys_are_not_needed() {
    let Bench { session, key, .. } = &Bench::new();
    ok!(Digest::init(session, &Mechanism::plain(CKM_SHA256), 0));
    let state = ok!(session.operation_state());
    for keys in [[*key, 0], [0, *key], [*key, *key], [0, CK_ULONG::MAX]] {
        fails!(session.set_operation_state(&state, keys), CKR_KEY_NOT_NEEDED);
    }
    fails!(session.set_operation_state(&state[1..], [*key, 0]), CKR_SAVED_STATE_INVALID);
}

fn setting_ends_what_ran() {
    let Bench { session, key, .. } = &Bench::new();
    let cmac = Mechanism::plain(CKM_AES_CMAC);
    ok!(Digest::init(session, &Mechanism::plain(CKM_SHA256), 0));
    ok!(Digest::update(session, b"first", None).0);
    let state = ok!(session.operation_state());
    ok!(Digest::update(session, b"second", None).0);
    ok!(Encrypt::init(session, &cbc(), *key));
    ok!(Decrypt::init(session, &cbc(), *key));
    ok!(Sign::init(session, &cmac, *key));
    ok!(session.verify_init(&cmac, *key));
    ok!(session.find_init(&template![]));
    ok!(session.set_operation_state(&state, [0, 0]));
    let room = &mut [0; 64];
    fails!(Encrypt::last(session, Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
    fails!(Decrypt::last(session, Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
    fails!(Sign::last(session, Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
    fails!(session.verify_final(&[0; 16]), CKR_OPERATION_NOT_INITIALIZED);
    fails!(session.find_next(1), CKR_OPERATION_NOT_INITIALIZED);
    assert_eq!(digested(session), ok!(session.digest(CKM_SHA256, b"first")));
}

fn a_refused_state_ends_nothing() {
    let Bench { session, key, .. } = &Bench::new();
    ok!(Digest::init(session, &Mechanism::plain(CKM_SHA256), 0));
    let state = ok!(session.operation_state());
    ok!(Digest::update(session, b"text", None).0);
    ok!(Encrypt::init(session, &ctr(), *key));
    fails!(session.set_operation_state(&state[1..], [0, 0]), CKR_SAVED_STATE_INVALID);
    fails!(session.set_operation_state(&state, [*key, 0]), CKR_KEY_NOT_NEEDED);
    ok!(Encrypt::last(session, Some(&mut [0; 64])).0);
    assert_eq!(digested(session), ok!(session.digest(CKM_SHA256, b"text")));
}

fn digested(session: &Session) -> Vec<u8> {
    let mut digest = vec![0; 64];
    let (outcome, length) = Digest::last(session, Some(&mut digest));
    ok!(outcome);
    digest.truncate(length);
    digest
}
