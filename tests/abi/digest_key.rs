//! `C_DigestKey`: the value of a secret key goes into a digest. PKCS#11 3.2, section 5.12.4.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    the_digest_is_that_of_the_value,
    keys_and_data_come_in_any_order,
    what_is_no_key_is_refused_and_ends_the_digest,
    allowed_mechanisms_bind_it,
    login_and_visibility_bind_it,
    one_call_does_not_finish_what_a_key_began,
];

/// Sensitive and unextractable keys too, of every type and whatever they may be used for.
fn the_digest_is_that_of_the_value() {
    let token = Token::new();
    let session = token.user();
    let value = message(32);
    let useless = template![CKA_SIGN => false, CKA_VERIFY => false, CKA_SENSITIVE => true, CKA_EXTRACTABLE => false];
    for hash in &HASHES {
        let expected = ok!(session.digest(hash.digest, &value));
        for key_type in [CKK_AES, CKK_GENERIC_SECRET, hash.key_type] {
            for on_token in [false, true] {
                let key = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => key_type, CKA_VALUE => &value];
                let key = ok!(session.create(&key.and(useless.clone()).with(CKA_TOKEN, on_token)));
                ok!(Digest::init(&session, &Mechanism::plain(hash.digest), 0));
                ok!(session.digest_key(key));
                assert_eq!(last(&session), expected, "{}", hash.openssl);
                fails!(session.value(key, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
                ok!(session.destroy(key));
            }
        }
    }
}

fn keys_and_data_come_in_any_order() {
    let token = Token::new();
    let session = token.user();
    let (first, second) = (secret(&session, b"first", template![]), secret(&session, b"second", template![]));
    ok!(begin(&session));
    ok!(session.digest_key(first));
    ok!(Digest::update(&session, b" and ", None).0);
    ok!(session.digest_key(second));
    ok!(session.digest_key(first));
    ok!(Digest::update(&session, b"!", None).0);
    assert_eq!(last(&session), ok!(session.digest(CKM_SHA256, b"first and secondfirst!")));
}

/// Who went on without the key would have the digest of something else.
fn what_is_no_key_is_refused_and_ends_the_digest() {
    let token = Token::new();
    let session = token.user();
    let key = secret(&session, b"value", template![]);
    fails!(session.digest_key(key), CKR_OPERATION_NOT_INITIALIZED);
    let dead = secret(&session, b"value", template![]);
    ok!(session.destroy(dead));
    let data = ok!(session.create(&template![CKA_CLASS => CKO_DATA]));
    let (public, private) = ok!(RsaKey::of_bits(2048).import(&session));
    for pair in [public, private] {
        ok!(begin(&session));
        fails!(session.digest_key(pair), CKR_KEY_INDIGESTIBLE);
        fails!(Digest::last(&session, Some(&mut [0; 64])).0, CKR_OPERATION_NOT_INITIALIZED);
    }
    for none in [0, dead, data, CK_ULONG::MAX] {
        ok!(begin(&session));
        ok!(session.digest_key(key));
        fails!(session.digest_key(none), CKR_KEY_HANDLE_INVALID);
        fails!(session.digest_key(key), CKR_OPERATION_NOT_INITIALIZED);
        fails!(Digest::last(&session, Some(&mut [0; 64])).0, CKR_OPERATION_NOT_INITIALIZED);
    }
}

fn allowed_mechanisms_bind_it() {
    let token = Token::new();
    let session = token.user();
    let bound = secret(&session, b"value", template![CKA_ALLOWED_MECHANISMS => CKM_SHA512]);
    ok!(begin(&session));
    fails!(session.digest_key(bound), CKR_KEY_INDIGESTIBLE);
    ok!(Digest::init(&session, &Mechanism::plain(CKM_SHA512), 0));
    ok!(session.digest_key(bound));
    assert_eq!(last(&session), ok!(session.digest(CKM_SHA512, b"value")));
}

/// A private key is not there without a login, a public one on the token is sealed; and logout ends what they went into.
fn login_and_visibility_bind_it() {
    let token = Token::new();
    let (session, other) = (token.user(), token.session());
    let private = secret(&session, b"private", template![CKA_TOKEN => true, CKA_PRIVATE => true]);
    let public = secret(&session, b"public", template![CKA_TOKEN => true, CKA_PRIVATE => false]);
    let open = secret(&session, b"open", template![CKA_PRIVATE => false]);
    ok!(begin(&session));
    ok!(session.digest_key(private));
    ok!(begin(&other));
    ok!(other.digest_key(open));
    ok!(session.logout());
    fails!(Digest::last(&session, Some(&mut [0; 64])).0, CKR_OPERATION_NOT_INITIALIZED);
    assert_eq!(last(&other), ok!(session.digest(CKM_SHA256, b"open")), "what needs no login goes on");
    let expected = [(private, CKR_KEY_HANDLE_INVALID), (public, CKR_USER_NOT_LOGGED_IN)];
    for (key, code) in expected {
        ok!(begin(&session));
        assert_eq!(session.digest_key(key), Err(Rv(code)));
    }
    ok!(begin(&session));
    ok!(session.digest_key(open));
}

fn one_call_does_not_finish_what_a_key_began() {
    let token = Token::new();
    let session = token.user();
    let key = secret(&session, b"value", template![]);
    ok!(begin(&session));
    ok!(session.digest_key(key));
    fails!(Digest::whole(&session, b"more", Some(&mut [0; 64])).0, CKR_OPERATION_ACTIVE);
    fails!(Digest::last(&session, Some(&mut [0; 64])).0, CKR_OPERATION_NOT_INITIALIZED);
}

fn begin(session: &Session) -> Result {
    Digest::init(session, &Mechanism::plain(CKM_SHA256), 0)
}

fn last(session: &Session) -> Vec<u8> {
    let mut digest = vec![0; 64];
    let (outcome, length) = Digest::last(session, Some(&mut digest));
    ok!(outcome);
    digest.truncate(length);
    digest
}

fn secret(session: &Session, value: &[u8], more: Template) -> CK_OBJECT_HANDLE {
    let key = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET, CKA_VALUE => value];
    ok!(session.create(&key.and(more)))
}
