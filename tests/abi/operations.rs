//! The life of an operation: what ends it, what does not, and the codes of bad input.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    wrong_lengths_and_padding_have_their_codes,
    every_outcome_ends_the_operation,
    arguments_that_are_wrong_end_the_operation,
    an_active_operation_is_not_replaced,
    one_call_does_not_finish_parts,
    one_call_does_not_finish_parts_of_a_digest_or_signature,
    a_second_init_of_any_kind_is_refused,
    nothing_is_a_message,
    null_mechanism_cancels,
    sessions_do_not_share_operations,
    a_destroyed_key_ends_its_operations,
];

fn wrong_lengths_and_padding_have_their_codes() {
    let Bench { session, key, .. } = &Bench::new();
    for length in [1, 15, 17, 31] {
        for mechanism in [&ecb(), &cbc()] {
            fails!(session.encrypt(mechanism, *key, &message(length)), CKR_DATA_LEN_RANGE);
            fails!(Encrypt::parts(session, mechanism, *key, [message(length).as_slice()]), CKR_DATA_LEN_RANGE);
        }
        for mechanism in [&ecb(), &cbc(), &cbc_pad()] {
            fails!(session.decrypt(mechanism, *key, &message(length)), CKR_ENCRYPTED_DATA_LEN_RANGE);
            let parts = Decrypt::parts(session, mechanism, *key, [message(length).as_slice()]);
            fails!(parts, CKR_ENCRYPTED_DATA_LEN_RANGE);
        }
    }
    fails!(session.decrypt(&cbc_pad(), *key, &[]), CKR_ENCRYPTED_DATA_LEN_RANGE);
    // RFC 5652, section 6.3: 1 to 16 bytes, all the same.
    let wrong_ends: [&[u8]; 5] = [&[0], &[17], &[2, 1, 2], &[3, 2, 3, 3], &[255]];
    for end in wrong_ends {
        let mut text = message(32 - end.len());
        text.extend(end);
        let sealed = ok!(session.encrypt(&cbc(), *key, &text));
        fails!(session.decrypt(&cbc_pad(), *key, &sealed), CKR_ENCRYPTED_DATA_INVALID, "{end:?}");
        let parts = Decrypt::parts(session, &cbc_pad(), *key, sealed.chunks(16));
        fails!(parts, CKR_ENCRYPTED_DATA_INVALID, "{end:?}");
    }
}

/// PKCS#11 3.2, section 5.8: success and failure alike, but for the size query and the small buffer.
fn every_outcome_ends_the_operation() {
    let Bench { session, key, .. } = &Bench::new();
    let mut room = [0; 64];
    ok!(session.encrypt(&cbc(), *key, &message(16)));
    fails!(Encrypt::whole(session, &message(16), Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
    fails!(Encrypt::update(session, &message(16), Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
    fails!(Encrypt::last(session, Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
    fails!(session.encrypt(&cbc(), *key, &message(15)), CKR_DATA_LEN_RANGE);
    fails!(Encrypt::last(session, Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
    ok!(Decrypt::parts(session, &cbc(), *key, [message(16).as_slice()]));
    fails!(Decrypt::last(session, Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
    fails!(session.decrypt(&cbc(), *key, &message(15)), CKR_ENCRYPTED_DATA_LEN_RANGE);
    fails!(Decrypt::update(session, &message(16), Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
    fails!(Encrypt::init(session, &cbc(), 0), CKR_KEY_HANDLE_INVALID);
    ok!(Encrypt::init(session, &cbc(), *key), "a failed Init leaves nothing active");
}

fn arguments_that_are_wrong_end_the_operation() {
    let Bench { session, key, .. } = &Bench::new();
    let mut room = [0; 64];
    ok!(Encrypt::init(session, &cbc(), *key));
    fails!(session.encrypt_null(16, &mut room), CKR_ARGUMENTS_BAD);
    ok!(Encrypt::init(session, &cbc(), *key));
    fails!(session.encrypt_lengthless(&mut room), CKR_ARGUMENTS_BAD);
    ok!(Encrypt::init(session, &cbc(), *key));
    ok!(Decrypt::init(session, &cbc(), *key));
    fails!(session.decrypt_update_null(16, &mut room), CKR_ARGUMENTS_BAD);
    ok!(Decrypt::init(session, &cbc(), *key));
}

fn an_active_operation_is_not_replaced() {
    let Bench { session, key, .. } = &Bench::new();
    let expected = ok!(session.encrypt(&cbc(), *key, &message(32)));
    let mut room = [0; 64];
    ok!(Encrypt::init(session, &cbc(), *key));
    let (outcome, first) = Encrypt::update(session, &message(32)[..16], Some(&mut room));
    ok!(outcome);
    fails!(Encrypt::init(session, &gcm(), *key), CKR_OPERATION_ACTIVE);
    let rest = Encrypt::update(session, &message(32)[16..], Some(&mut room[first..]));
    ok!(rest.0);
    assert_eq!(room[..32], expected);
    ok!(Encrypt::last(session, Some(&mut [0; 16])).0);
}

/// `C_Encrypt` is no end for what an Update began; it gives nothing, and ends it. PKCS#11 3.2, section 5.8.2.
fn one_call_does_not_finish_parts() {
    let Bench { session, key, .. } = &Bench::new();
    for mechanism in [ecb(), cbc(), cbc_pad(), ctr(), gcm()] {
        let mut room = [GUARD; 64];
        ok!(Encrypt::init(session, &mechanism, *key));
        ok!(Encrypt::update(session, &message(16), Some(&mut [0; 32])).0);
        fails!(Encrypt::whole(session, &message(16), Some(&mut room)).0, CKR_OPERATION_ACTIVE);
        assert_eq!(room, [GUARD; 64]);
        fails!(Encrypt::last(session, Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
        ok!(Decrypt::init(session, &mechanism, *key));
        ok!(Decrypt::update(session, &message(16), Some(&mut [0; 32])).0);
        fails!(Decrypt::whole(session, &message(16), Some(&mut room)).0, CKR_OPERATION_ACTIVE);
        fails!(Decrypt::last(session, Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
    }
}

/// PKCS#11 3.2, sections 5.12.2, 5.13.2 and 5.15.2.
fn one_call_does_not_finish_parts_of_a_digest_or_signature() {
    let Bench { session, key, .. } = &Bench::new();
    let (_, private) = ok!(RsaKey::of_bits(2048).import(session));
    let mut room = [GUARD; 256];
    for mechanism in HASHES.iter().map(|hash| Mechanism::plain(hash.digest)) {
        ok!(Digest::init(session, &mechanism, 0));
        ok!(Digest::update(session, b"part", None).0);
        fails!(Digest::whole(session, b"rest", Some(&mut room)).0, CKR_OPERATION_ACTIVE);
        fails!(Digest::last(session, Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
    }
    for (mechanism, key) in [(CKM_AES_CMAC, *key), (CKM_SHA256_RSA_PKCS, private)] {
        ok!(Sign::init(session, &Mechanism::plain(mechanism), key));
        ok!(Sign::update(session, b"part", None).0);
        fails!(Sign::whole(session, b"rest", Some(&mut room)).0, CKR_OPERATION_ACTIVE);
        fails!(Sign::last(session, Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
    }
    ok!(session.verify_init(&Mechanism::plain(CKM_AES_CMAC), *key));
    ok!(session.verify_update(b"part"));
    fails!(session.verify_whole(b"rest", &[0; 16]), CKR_OPERATION_ACTIVE);
    fails!(session.verify_final(&[0; 16]), CKR_OPERATION_NOT_INITIALIZED);
    assert_eq!(room, [GUARD; 256]);
}

/// And the first goes on.
fn a_second_init_of_any_kind_is_refused() {
    let Bench { session, key, .. } = &Bench::new();
    let (cmac, sha) = (Mechanism::plain(CKM_AES_CMAC), Mechanism::plain(CKM_SHA256));
    let mac = ok!(session.sign(&cmac, *key, b"text"));
    ok!(Decrypt::init(session, &ctr(), *key));
    ok!(Digest::init(session, &sha, 0));
    ok!(Sign::init(session, &cmac, *key));
    ok!(session.verify_init(&cmac, *key));
    fails!(Decrypt::init(session, &ctr(), *key), CKR_OPERATION_ACTIVE);
    fails!(Digest::init(session, &sha, 0), CKR_OPERATION_ACTIVE);
    fails!(Sign::init(session, &cmac, *key), CKR_OPERATION_ACTIVE);
    fails!(session.verify_init(&cmac, *key), CKR_OPERATION_ACTIVE);
    let mut room = [0; 64];
    ok!(Decrypt::whole(session, b"text", Some(&mut room)).0);
    assert_eq!(ok!(session.encrypt(&ctr(), *key, &room[..4])), b"text");
    ok!(Digest::whole(session, b"text", Some(&mut room)).0);
    assert_eq!(room[..32], ok!(session.digest(CKM_SHA256, b"text")));
    ok!(Sign::whole(session, b"text", Some(&mut room)).0);
    assert_eq!(room[..16], mac);
    ok!(session.verify_whole(b"text", &mac));
}

/// NULL with length 0, and no Update at all.
fn nothing_is_a_message() {
    let Bench { session, key, .. } = &Bench::new();
    let secret = session.generate(&Mechanism::plain(CKM_GENERIC_SECRET_KEY_GEN), &template![CKA_VALUE_LEN => 32]);
    let (public, private) = ok!(RsaKey::of_bits(2048).import(session));
    let (ec_public, ec_private) = Curve::named("P-256").pair(session);
    let secret = ok!(secret);
    for (mechanism, signer, verifier) in [
        (CKM_AES_CMAC, *key, *key),
        (CKM_SHA256_HMAC, secret, secret),
        (CKM_SHA3_512_HMAC, secret, secret),
        (CKM_RSA_PKCS, private, public),
        (CKM_SHA256_RSA_PKCS, private, public),
        (CKM_ECDSA_SHA256, ec_private, ec_public),
    ] {
        let mechanism = Mechanism::plain(mechanism);
        ok!(Sign::init(session, &mechanism, signer));
        let mut signature = [0; 256];
        let (outcome, length) = session.sign_nothing(&mut signature);
        ok!(outcome);
        ok!(session.verify(&mechanism, verifier, b"", &signature[..length]));
        ok!(Sign::init(session, &mechanism, signer));
        let (outcome, length) = Sign::last(session, Some(&mut signature));
        ok!(outcome);
        ok!(session.verify_init(&mechanism, verifier));
        ok!(session.verify_final(&signature[..length]));
    }
    for hash in &HASHES {
        ok!(Digest::init(session, &Mechanism::plain(hash.digest), 0));
        let mut digest = [0; 64];
        let (outcome, length) = session.digest_nothing(&mut digest);
        ok!(outcome);
        ok!(Digest::init(session, &Mechanism::plain(hash.digest), 0));
        let mut again = [0; 64];
        ok!(Digest::last(session, Some(&mut again)).0);
        assert_eq!(digest[..length], again[..length]);
        assert_eq!(ok!(session.digest(hash.digest, b"")), digest[..length]);
    }
}

fn null_mechanism_cancels() {
    let Bench { session, key, .. } = &Bench::new();
    ok!(session.cancel_by_null(), "nothing active");
    ok!(Encrypt::init(session, &cbc(), *key));
    ok!(session.cancel_by_null());
    fails!(Encrypt::last(session, Some(&mut [0; 16])).0, CKR_OPERATION_NOT_INITIALIZED);
    ok!(Encrypt::init(session, &cbc(), *key));
}

fn sessions_do_not_share_operations() {
    let Bench { token, session, key } = &Bench::new();
    let other = token.session();
    ok!(Encrypt::init(session, &cbc(), *key));
    fails!(Encrypt::whole(&other, &message(16), Some(&mut [0; 64])).0, CKR_OPERATION_NOT_INITIALIZED);
    ok!(Encrypt::init(&other, &cbc(), *key));
    ok!(other.close());
    ok!(Encrypt::whole(session, &message(16), Some(&mut [0; 64])).0);
}

/// And the next Init finds none active.
fn a_destroyed_key_ends_its_operations() {
    let token = Token::new();
    let (session, other) = (token.user(), token.session());
    let cmac = Mechanism::plain(CKM_AES_CMAC);
    let start = |key| {
        ok!(Encrypt::init(&session, &cbc(), key));
        ok!(Decrypt::init(&session, &cbc(), key));
        ok!(Sign::init(&session, &cmac, key));
        ok!(session.verify_init(&cmac, key));
    };
    for used in [false, true] {
        let key = ok!(session.aes_key(16, template![]));
        start(key);
        ok!(other.destroy(key));
        let room = &mut [0; 64];
        if used {
            fails!(Encrypt::update(&session, &message(16), Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
            fails!(Decrypt::whole(&session, &message(16), Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
            fails!(Sign::last(&session, Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
            fails!(session.verify_final(&[0; 16]), CKR_OPERATION_NOT_INITIALIZED);
        } else {
            fails!(session.operation_state(), CKR_OPERATION_NOT_INITIALIZED);
        }
        let key = ok!(session.aes_key(16, template![]));
        fails!(Encrypt::init(&session, &Mechanism::with(CKM_AES_CBC, b"short"), key), CKR_MECHANISM_PARAM_INVALID);
        fails!(Encrypt::last(&session, Some(room)).0, CKR_OPERATION_NOT_INITIALIZED, "nor by another key");
        start(key);
        ok!(session.cancel(CKF_ENCRYPT | CKF_DECRYPT | CKF_SIGN | CKF_VERIFY));
    }
}
