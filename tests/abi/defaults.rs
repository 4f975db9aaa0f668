//! What an object is where its template is silent, and the history that only the token writes: the design's tables.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    generated_keys_have_the_defaults,
    created_keys_have_the_defaults,
    unwrapped_keys_have_the_defaults,
    generic_secrets_have_the_defaults,
    data_objects_have_the_defaults,
    what_the_template_says_counts,
    a_key_asked_to_wrap_or_unwrap_does_not_encrypt,
    private_by_default_is_for_users_alone,
    history_is_that_of_the_key,
    history_survives_a_restart,
];

/// Secret keys, as the user makes them: the column of the design's table, without what depends on how a key was made.
const SECRET_KEY: [(CK_ATTRIBUTE_TYPE, bool); 13] = [
    (CKA_TOKEN, false),
    (CKA_PRIVATE, true),
    (CKA_SENSITIVE, true),
    (CKA_SIGN, true),
    (CKA_VERIFY, true),
    (CKA_WRAP, false),
    (CKA_UNWRAP, false),
    (CKA_DERIVE, false),
    (CKA_MODIFIABLE, true),
    (CKA_COPYABLE, true),
    (CKA_DESTROYABLE, true),
    (CKA_TRUSTED, false),
    (CKA_WRAP_WITH_TRUSTED, false),
];

const EMPTY: [CK_ATTRIBUTE_TYPE; 4] = [CKA_LABEL, CKA_ID, CKA_START_DATE, CKA_END_DATE];

fn generated_keys_have_the_defaults() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![]));
    has_the_defaults(&session, key, &[(CKA_EXTRACTABLE, false), (CKA_ENCRYPT, true), (CKA_DECRYPT, true)]);
    assert_eq!(ok!(session.number(key, CKA_CLASS)), CKO_SECRET_KEY);
    assert_eq!(ok!(session.number(key, CKA_KEY_TYPE)), CKK_AES);
    assert_eq!(ok!(session.number(key, CKA_VALUE_LEN)), 32);
}

fn created_keys_have_the_defaults() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key_of(&[3; 24], template![]));
    has_the_defaults(&session, key, &[(CKA_EXTRACTABLE, false), (CKA_ENCRYPT, true), (CKA_DECRYPT, true)]);
    assert_eq!(ok!(session.number(key, CKA_VALUE_LEN)), 24);
}

fn unwrapped_keys_have_the_defaults() {
    let token = Token::new();
    let session = token.user();
    let key = unwrapped(&session, template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES]);
    has_the_defaults(&session, key, &[(CKA_EXTRACTABLE, true), (CKA_ENCRYPT, true), (CKA_DECRYPT, true)]);
    assert_eq!(ok!(session.number(key, CKA_VALUE_LEN)), 32);
}

fn generic_secrets_have_the_defaults() {
    let token = Token::new();
    let session = token.user();
    let made = [
        ok!(session.generate(&Mechanism::plain(CKM_GENERIC_SECRET_KEY_GEN), &template![CKA_VALUE_LEN => 32])),
        ok!(session.create(&generic().with(CKA_VALUE, &[1; 32]))),
    ];
    for key in made {
        has_the_defaults(&session, key, &[(CKA_EXTRACTABLE, false), (CKA_ENCRYPT, false), (CKA_DECRYPT, false)]);
        assert_eq!(ok!(session.number(key, CKA_KEY_TYPE)), CKK_GENERIC_SECRET);
        assert_eq!(ok!(session.number(key, CKA_VALUE_LEN)), 32);
    }
    let key = unwrapped(&session, generic());
    has_the_defaults(&session, key, &[(CKA_EXTRACTABLE, true), (CKA_ENCRYPT, false), (CKA_DECRYPT, false)]);
}

fn has_the_defaults(session: &Session, key: CK_OBJECT_HANDLE, others: &[(CK_ATTRIBUTE_TYPE, bool)]) {
    for (attribute, value) in SECRET_KEY.iter().chain(others) {
        assert_eq!(ok!(session.flag(key, *attribute), "{attribute:#x}"), *value, "{attribute:#x}");
    }
    for attribute in EMPTY {
        assert!(ok!(session.value(key, attribute), "{attribute:#x}").is_empty(), "{attribute:#x}");
    }
    assert!(!ok!(session.value(key, CKA_UNIQUE_ID)).is_empty());
    fails!(session.value(key, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
    fails!(session.value(key, CKA_ALLOWED_MECHANISMS), CKR_ATTRIBUTE_TYPE_INVALID);
    fails!(session.value(key, CKA_MODULUS), CKR_ATTRIBUTE_TYPE_INVALID);
}

fn data_objects_have_the_defaults() {
    let token = Token::new();
    for session in [token.session(), token.user()] {
        let data = ok!(session.create(&template![CKA_CLASS => CKO_DATA]));
        for (attribute, value) in [
            (CKA_TOKEN, false),
            (CKA_PRIVATE, false),
            (CKA_MODIFIABLE, true),
            (CKA_COPYABLE, true),
            (CKA_DESTROYABLE, true),
        ] {
            assert_eq!(ok!(session.flag(data, attribute), "{attribute:#x}"), value, "{attribute:#x}");
        }
        for attribute in [CKA_LABEL, CKA_APPLICATION, CKA_OBJECT_ID, CKA_VALUE] {
            assert!(ok!(session.value(data, attribute), "{attribute:#x}").is_empty(), "{attribute:#x}");
        }
        assert_eq!(ok!(session.number(data, CKA_CLASS)), CKO_DATA);
        fails!(session.value(data, CKA_SENSITIVE), CKR_ATTRIBUTE_TYPE_INVALID);
        fails!(session.value(data, CKA_KEY_TYPE), CKR_ATTRIBUTE_TYPE_INVALID);
    }
}

/// Each flag the other way round than its default.
fn what_the_template_says_counts() {
    let token = Token::new();
    let session = token.user();
    // CKA_TRUSTED is for the SO; the other two have tests of their own and would hide the object or keep it.
    let special = [CKA_TRUSTED, CKA_DESTROYABLE, CKA_PRIVATE];
    let others = [(CKA_EXTRACTABLE, false), (CKA_ENCRYPT, true), (CKA_DECRYPT, true)];
    for (attribute, value) in SECRET_KEY.iter().chain(&others).filter(|(attribute, _)| !special.contains(attribute)) {
        let key = ok!(session.aes_key(16, template![*attribute => !value]), "{attribute:#x}");
        assert_eq!(ok!(session.flag(key, *attribute)), !value, "{attribute:#x}");
        let key = ok!(session.aes_key_of(&[1; 16], template![*attribute => !value]), "{attribute:#x}");
        assert_eq!(ok!(session.flag(key, *attribute)), !value, "{attribute:#x}");
    }
    let texts: [(CK_ATTRIBUTE_TYPE, &[u8]); 4] = [
        (CKA_LABEL, "Schlüssel".as_bytes()),
        (CKA_ID, &[0, 255]),
        (CKA_START_DATE, b"20260101"),
        (CKA_END_DATE, b"20991231"),
    ];
    for (attribute, value) in texts {
        let key = ok!(session.aes_key(16, template![attribute => value]));
        assert_eq!(ok!(session.value(key, attribute)), value);
    }
    let open = template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
    let key = ok!(session.aes_key_of(&[3; 16], open));
    assert_eq!(ok!(session.value(key, CKA_VALUE)), [3; 16]);
    for hidden in [template![CKA_SENSITIVE => false], template![CKA_EXTRACTABLE => true]] {
        let key = ok!(session.aes_key_of(&[3; 16], hidden));
        fails!(session.value(key, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE, "hidden where either says so");
    }
}

fn a_key_asked_to_wrap_or_unwrap_does_not_encrypt() {
    let token = Token::new();
    let session = token.user();
    for asked in [CKA_WRAP, CKA_UNWRAP] {
        let key = ok!(session.aes_key(32, template![asked => true]));
        for attribute in [CKA_ENCRYPT, CKA_DECRYPT] {
            assert!(!ok!(session.flag(key, attribute)));
        }
        fails!(Encrypt::init(&session, &cbc(), key), CKR_KEY_FUNCTION_NOT_PERMITTED);
        fails!(Decrypt::init(&session, &cbc(), key), CKR_KEY_FUNCTION_NOT_PERMITTED);
        let both = ok!(session.aes_key(32, template![asked => true, CKA_ENCRYPT => true]));
        ok!(session.encrypt(&cbc(), both, &[0; 16]), "said outright, it may");
    }
}

fn private_by_default_is_for_users_alone() {
    let token = Token::new();
    let session = token.session();
    let before = ok!(session.aes_key(32, template![]));
    assert!(!ok!(session.flag(before, CKA_PRIVATE)));
    ok!(session.login(CKU_SO, SO_PIN));
    let by_so = ok!(session.aes_key(32, template![]));
    assert!(!ok!(session.flag(by_so, CKA_PRIVATE)));
    ok!(session.logout());
    ok!(session.login(CKU_USER, USER_PIN));
    let by_user = ok!(session.aes_key(32, template![]));
    assert!(ok!(session.flag(by_user, CKA_PRIVATE)));
}

/// PKCS#11 3.2, sections 4.8 and 4.10.
fn history_is_that_of_the_key() {
    let token = Token::new();
    let session = token.user();
    for sensitive in [false, true] {
        for extractable in [false, true] {
            let said = template![CKA_SENSITIVE => sensitive, CKA_EXTRACTABLE => extractable];
            let generated = ok!(session.aes_key(32, said.clone()));
            history(&session, generated, CKM_AES_KEY_GEN, sensitive, !extractable);
            let created = ok!(session.aes_key_of(&[1; 32], said.clone()));
            history(&session, created, CK_UNAVAILABLE_INFORMATION, false, false);
            let unwrapped =
                unwrapped(&session, template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES].and(said));
            history(&session, unwrapped, CK_UNAVAILABLE_INFORMATION, false, false);
        }
    }
    let secret = session.generate(&Mechanism::plain(CKM_GENERIC_SECRET_KEY_GEN), &template![CKA_VALUE_LEN => 5]);
    history(&session, ok!(secret), CKM_GENERIC_SECRET_KEY_GEN, true, true);
}

fn history(session: &Session, key: CK_OBJECT_HANDLE, mechanism: CK_MECHANISM_TYPE, sensitive: bool, kept: bool) {
    let local = mechanism != CK_UNAVAILABLE_INFORMATION;
    assert_eq!(ok!(session.flag(key, CKA_LOCAL)), local);
    assert_eq!(ok!(session.number(key, CKA_KEY_GEN_MECHANISM)), mechanism);
    assert_eq!(ok!(session.flag(key, CKA_ALWAYS_SENSITIVE)), sensitive);
    assert_eq!(ok!(session.flag(key, CKA_NEVER_EXTRACTABLE)), kept);
}

fn history_survives_a_restart() {
    let token = Token::new();
    let session = token.user();
    let stays = template![CKA_TOKEN => true];
    ok!(session.aes_key(32, stays.clone().with(CKA_LABEL, "generated")));
    ok!(session.aes_key_of(&[1; 32], stays.with(CKA_LABEL, "created")));
    ok!(token.restart());
    let session = token.user();
    let generated = ok!(session.find(&template![CKA_LABEL => "generated"]))[0];
    history(&session, generated, CKM_AES_KEY_GEN, true, true);
    let created = ok!(session.find(&template![CKA_LABEL => "created"]))[0];
    history(&session, created, CK_UNAVAILABLE_INFORMATION, false, false);
}

/// A key of 32 bytes that comes back into the token with this template.
fn unwrapped(session: &Session, template: Template) -> CK_OBJECT_HANDLE {
    let wrapping = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let kek = ok!(session.aes_key(32, template![CKA_WRAP => true, CKA_UNWRAP => true]));
    let carried = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true]));
    let wrapped = ok!(session.wrap(&wrapping, kek, carried));
    ok!(session.unwrap(&wrapping, kek, &wrapped, &template))
}

fn generic() -> Template {
    template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET]
}
