//! `CKA_CHECK_VALUE`: on every key however it was made, and true. PKCS#11 3.2, sections 4.6.2, 4.10 and 6.8.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    every_aes_key_has_the_encryption_of_zeros,
    generic_secrets_have_a_hash_of_their_value,
    certificates_have_a_hash_of_their_value,
    a_given_check_value_must_be_true,
    a_check_value_only_goes_away,
];

/// The first bytes of a block of zeros under AES with this value.
fn of_aes(session: &Session, value: &[u8]) -> Vec<u8> {
    let key = ok!(session.aes_key_of(value, template![CKA_ENCRYPT => true]));
    ok!(session.encrypt(&Mechanism::plain(CKM_AES_ECB), key, &[0; 16]))[..3].to_vec()
}

fn hashed(session: &Session, value: &[u8]) -> Vec<u8> {
    ok!(session.digest(CKM_SHA_1, value))[..3].to_vec()
}

/// Created, generated, unwrapped, derived, copied; also where the key does not encrypt, and where its value is hidden.
fn every_aes_key_has_the_encryption_of_zeros() {
    let token = Token::new();
    let session = token.user();
    let known = |key: CK_OBJECT_HANDLE, value: &[u8]| {
        assert_eq!(ok!(session.value(key, CKA_CHECK_VALUE)), of_aes(&session, value));
    };
    // FIPS 197, appendix B's key; the other figure is that of OpenSSL.
    let value = unhex("2b7e151628aed2a6abf7158809cf4f3c");
    let hidden = ok!(session.aes_key_of(&value, template![CKA_ENCRYPT => false, CKA_SENSITIVE => true]));
    assert_eq!(hex(&ok!(session.value(hidden, CKA_CHECK_VALUE))), "7df76b");
    known(hidden, &value);
    known(ok!(session.copy(hidden, &template![CKA_TOKEN => true])), &value);
    let open = template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true, CKA_ENCRYPT => false];
    for length in [16, 24, 32] {
        let generated = ok!(session.aes_key(length, open.clone()));
        known(generated, &ok!(session.value(generated, CKA_VALUE)));
    }
    let wrapping = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let kek = ok!(session.aes_key(32, template![CKA_WRAP => true, CKA_UNWRAP => true]));
    let carried = ok!(session.aes_key_of(&value, open.clone()));
    let wrapped = ok!(session.wrap(&wrapping, kek, carried));
    let class = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES];
    known(ok!(session.unwrap(&wrapping, kek, &wrapped, &class)), &value);
    let curve = template![CKA_EC_PARAMS => X25519];
    let (public, private) = ok!(session.pair(CKM_EC_MONTGOMERY_KEY_PAIR_GEN, &curve, &template![CKA_DERIVE => true]));
    let ecdh = Mechanism::ecdh_plain(&octets(&ok!(session.value(public, CKA_EC_POINT))));
    let derived = ok!(session.derive(&ecdh, private, &class.and(open).with(CKA_VALUE_LEN, 32)));
    known(derived, &ok!(session.value(derived, CKA_VALUE)));
}

fn secret(value: &[u8]) -> Template {
    template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET, CKA_VALUE => value]
}

fn certificate(value: &[u8]) -> Template {
    template![CKA_CLASS => CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE => CKC_X_509, CKA_SUBJECT => "subject",
              CKA_VALUE => value]
}

fn generic_secrets_have_a_hash_of_their_value() {
    let token = Token::new();
    let session = token.user();
    for value in [&b"a"[..], &[7; 100]] {
        let key = ok!(session.create(&secret(value)));
        assert_eq!(ok!(session.value(key, CKA_CHECK_VALUE)), hashed(&session, value));
    }
    let hmac = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_SHA256_HMAC, CKA_VALUE => "key"];
    assert_eq!(ok!(session.value(ok!(session.create(&hmac)), CKA_CHECK_VALUE)), hashed(&session, b"key"));
}

fn certificates_have_a_hash_of_their_value() {
    let token = Token::new();
    let session = token.user();
    let object = ok!(session.create(&certificate(b"value")));
    assert_eq!(ok!(session.value(object, CKA_CHECK_VALUE)), hashed(&session, b"value"));
}

fn a_given_check_value_must_be_true() {
    let token = Token::new();
    let session = token.user();
    let aes = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES, CKA_VALUE => &[9; 16]];
    let cases = [
        (aes, of_aes(&session, &[9; 16])),
        (secret(b"value"), hashed(&session, b"value")),
        (certificate(b"value"), hashed(&session, b"value")),
    ];
    for (template, right) in cases {
        let given = |value: &[u8]| session.create(&template.clone().with(CKA_CHECK_VALUE, value));
        assert_eq!(ok!(session.value(ok!(given(&right)), CKA_CHECK_VALUE)), right);
        let wrong = [right[0], right[1], right[2] ^ 1];
        for wrong in [&wrong[..], &right[..2], &[&right[..], &[0]].concat()] {
            fails!(given(wrong), CKR_ATTRIBUTE_VALUE_INVALID, "{wrong:02x?}");
        }
        let none = ok!(given(b""));
        assert!(!matches!(session.value(none, CKA_CHECK_VALUE), Ok(value) if !value.is_empty()), "it asked for none");
    }
    // What nobody can know beforehand, but that there shall be none can be said.
    fails!(session.aes_key(16, template![CKA_CHECK_VALUE => &[0; 4]]), CKR_ATTRIBUTE_VALUE_INVALID);
    let none = ok!(session.aes_key(16, template![CKA_CHECK_VALUE => b""]));
    assert!(!matches!(session.value(none, CKA_CHECK_VALUE), Ok(value) if !value.is_empty()));
}

fn a_check_value_only_goes_away() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key_of(&[9; 16], template![]));
    let right = of_aes(&session, &[9; 16]);
    fails!(session.set(key, &template![CKA_CHECK_VALUE => &[1, 2, 3]]), CKR_ATTRIBUTE_READ_ONLY);
    fails!(session.copy(key, &template![CKA_CHECK_VALUE => &[1, 2, 3]]), CKR_ATTRIBUTE_READ_ONLY);
    assert_eq!(ok!(session.value(key, CKA_CHECK_VALUE)), right);
    ok!(session.set(key, &template![CKA_CHECK_VALUE => b""]));
    assert!(!matches!(session.value(key, CKA_CHECK_VALUE), Ok(value) if !value.is_empty()));
    fails!(session.set(key, &template![CKA_CHECK_VALUE => &right]), CKR_ATTRIBUTE_READ_ONLY);
}
