//! Copying objects by `C_CopyObject`: what a copy shares with its original, and what it may not lower.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    copies_are_objects_of_their_own,
    copies_lower_no_protection,
    copies_may_say_more_than_set,
    templates_of_copies_are_judged,
    a_private_copy_needs_the_user,
    copies_cross_between_session_and_token,
    changed_and_copied_keys_stay_sealed,
];

fn copies_are_objects_of_their_own() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_LABEL => "original", CKA_ID => &[1, 2]]));
    let sealed = ok!(session.encrypt(&cbc_pad(), key, b"text"));
    let copy = ok!(session.copy(key, &template![CKA_LABEL => "copy"]));
    assert_ne!(copy, key);
    assert_ne!(ok!(session.value(copy, CKA_UNIQUE_ID)), ok!(session.value(key, CKA_UNIQUE_ID)));
    assert_eq!(ok!(session.value(copy, CKA_LABEL)), b"copy");
    assert_eq!(ok!(session.value(key, CKA_LABEL)), b"original");
    for attribute in [CKA_ID, CKA_KEY_TYPE, CKA_VALUE_LEN, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_ENCRYPT, CKA_PRIVATE] {
        assert_eq!(ok!(session.value(copy, attribute)), ok!(session.value(key, attribute)), "{attribute:#x}");
    }
    ok!(session.destroy(key));
    assert_eq!(ok!(session.decrypt(&cbc_pad(), copy, &sealed)), b"text");
    let data = ok!(session.create(&template![CKA_CLASS => CKO_DATA, CKA_VALUE => "text"]));
    assert_eq!(ok!(session.value(ok!(session.copy(data, &template![])), CKA_VALUE)), b"text");
    fails!(session.copy(key, &template![]), CKR_OBJECT_HANDLE_INVALID);
}

fn copies_lower_no_protection() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_WRAP_WITH_TRUSTED => true]));
    let refused = [
        template![CKA_SENSITIVE => false],
        template![CKA_EXTRACTABLE => true],
        template![CKA_WRAP_WITH_TRUSTED => false],
        template![CKA_PRIVATE => false],
        template![CKA_CLASS => CKO_DATA],
        template![CKA_KEY_TYPE => CKK_GENERIC_SECRET],
        template![CKA_VALUE => &[0; 32]],
        template![CKA_LOCAL => true],
        template![CKA_UNIQUE_ID => "mine"],
        template![CKA_NEVER_EXTRACTABLE => true],
        template![CKA_ALWAYS_SENSITIVE => true],
        template![CKA_KEY_GEN_MECHANISM => CKM_AES_KEY_GEN],
        template![CKA_VALUE_LEN => 32],
    ];
    let before = ok!(session.find(&template![])).len();
    for (place, template) in refused.iter().enumerate() {
        fails!(session.copy(key, template), CKR_ATTRIBUTE_READ_ONLY, "template {place}");
    }
    assert_eq!(ok!(session.find(&template![])).len(), before);
}

/// PKCS#11 3.2, section 4.1.3: what Set must not touch, and protections upwards.
fn copies_may_say_more_than_set() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]));
    let changes = [
        (CKA_TOKEN, true),
        (CKA_MODIFIABLE, false),
        (CKA_DESTROYABLE, false),
        (CKA_COPYABLE, false),
        (CKA_SENSITIVE, true),
        (CKA_EXTRACTABLE, false),
        (CKA_WRAP_WITH_TRUSTED, true),
        (CKA_ENCRYPT, false),
    ];
    for (attribute, value) in changes {
        let copy = ok!(session.copy(key, &template![attribute => value]), "{attribute:#x}");
        assert_eq!(ok!(session.flag(copy, attribute)), value, "{attribute:#x}");
        assert_eq!(ok!(session.flag(key, attribute)), !value, "{attribute:#x} of the original");
        assert!(ok!(session.flag(copy, CKA_LOCAL)));
    }
    let hidden = ok!(session.copy(key, &template![CKA_SENSITIVE => true, CKA_EXTRACTABLE => false]));
    fails!(session.value(hidden, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
    assert!(!ok!(session.flag(hidden, CKA_ALWAYS_SENSITIVE)) && !ok!(session.flag(hidden, CKA_NEVER_EXTRACTABLE)));
}

fn templates_of_copies_are_judged() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![]));
    let before = ok!(session.find(&template![])).len();
    for malformed in [
        template![CKA_TOKEN => &[1, 0, 0, 0, 0, 0, 0, 0]],
        template![CKA_ENCRYPT => &[2]],
        template![CKA_SENSITIVE => b""],
        template![CKA_END_DATE => "2026"],
        template![CKA_CLASS => &[4]],
    ] {
        fails!(session.copy(key, &malformed), CKR_ATTRIBUTE_VALUE_INVALID);
    }
    fails!(session.copy(key, &template![0x7654_3210 => &[1]]), CKR_ATTRIBUTE_TYPE_INVALID);
    fails!(session.copy(key, &template![CKA_MODULUS => &[1]]), CKR_TEMPLATE_INCONSISTENT);
    fails!(session.copy(key, &template![CKA_LABEL => "a", CKA_LABEL => "b"]), CKR_TEMPLATE_INCONSISTENT);
    assert_eq!(ok!(session.find(&template![])).len(), before);
    ok!(session.copy(key, &template![CKA_LABEL => "a", CKA_LABEL => "a"]));
    ok!(session.copy_null(key, 0), "the plain copy");
    fails!(session.copy_null(key, 1), CKR_ARGUMENTS_BAD);
    fails!(session.set_null(key, 1), CKR_ARGUMENTS_BAD);
}

fn a_private_copy_needs_the_user() {
    let token = Token::new();
    let session = token.session();
    let key = ok!(session.aes_key(32, template![CKA_LABEL => "public"]));
    fails!(session.copy(key, &template![CKA_PRIVATE => true]), CKR_USER_NOT_LOGGED_IN);
    ok!(session.login(CKU_SO, SO_PIN));
    fails!(session.copy(key, &template![CKA_PRIVATE => true]), CKR_USER_NOT_LOGGED_IN);
    ok!(session.logout());
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "public"])), [key]);
    ok!(session.login(CKU_USER, USER_PIN));
    ok!(session.copy(key, &template![CKA_PRIVATE => true]));
}

fn copies_cross_between_session_and_token() {
    let token = Token::new();
    let session = token.user();
    let own = ok!(session.aes_key(32, template![CKA_LABEL => "own"]));
    let sealed = ok!(session.encrypt(&cbc_pad(), own, b"text"));
    let kept = ok!(session.copy(own, &template![CKA_TOKEN => true, CKA_LABEL => "kept"]));
    assert!(ok!(session.flag(kept, CKA_TOKEN)) && !ok!(session.flag(own, CKA_TOKEN)));
    ok!(token.restart());
    let session = token.user();
    let kept = ok!(session.find(&template![CKA_LABEL => "kept"]))[0];
    assert_eq!(ok!(session.decrypt(&cbc_pad(), kept, &sealed)), b"text");
    let back = ok!(session.copy(kept, &template![CKA_TOKEN => false]));
    ok!(session.destroy(kept));
    assert_eq!(ok!(session.decrypt(&cbc_pad(), back, &sealed)), b"text");
}

fn changed_and_copied_keys_stay_sealed() {
    let token = Token::new();
    let session = token.user();
    let value = ok!(session.random(32));
    for private in [false, true] {
        let key = ok!(session.aes_key_of(&value, template![CKA_PRIVATE => private, CKA_TOKEN => true]));
        ok!(session.set(key, &template![CKA_LABEL => if private { "secret name" } else { "plain name" }]));
        let copy = ok!(session.copy(key, &template![CKA_PRIVATE => true, CKA_LABEL => "another secret name"]));
        ok!(session.set(copy, &template![CKA_ENCRYPT => false]));
        let public = session.copy(key, &template![CKA_PRIVATE => false, CKA_LABEL => "another plain name"]);
        // What is private stays so.
        match private {
            true => fails!(public, CKR_ATTRIBUTE_READ_ONLY),
            false => drop(ok!(public)),
        }
    }
    for finalised in [false, true] {
        if finalised {
            ok!(token.module.finalize());
        }
        let all = files(&token.home.store());
        let holds = |bytes: &[u8]| all.iter().any(|(_, file)| contains(file, bytes));
        for secret in [value.as_slice(), hex(&value).as_bytes(), b"secret name", b"another secret name"] {
            assert!(!holds(secret), "{}", hex(secret));
        }
        assert!(holds(b"plain name") && holds(b"another plain name"), "the search itself works");
    }
}
