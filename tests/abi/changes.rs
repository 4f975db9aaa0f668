//! Changing objects by `C_SetAttributeValue`: what may change, in which direction, and all or nothing.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    names_and_uses_change,
    changes_reach_other_processes_and_stay,
    protections_go_one_way,
    a_protection_is_not_undone_by_another_change_at_the_same_moment,
    what_the_object_is_stays,
    the_numbers_of_a_pair_stay,
    a_bad_row_changes_nothing,
    unmodifiable_and_uncopyable_objects_refuse,
    history_remembers_what_a_key_was,
    trust_is_given_by_the_so,
    read_only_sessions_change_session_objects_alone,
    public_token_objects_change_only_under_a_login,
];
pub const PEERS: &[Test] = &tests![changes];

fn names_and_uses_change() {
    let token = Token::new();
    let session = token.user();
    for on_token in [false, true] {
        let key = ok!(session.aes_key(32, template![CKA_TOKEN => on_token, CKA_LABEL => "before", CKA_ID => &[1]]));
        let sealed = ok!(session.encrypt(&cbc_pad(), key, b"text"));
        ok!(session.set(key, &template![CKA_LABEL => "after", CKA_ID => &[2], CKA_START_DATE => "20260101"]));
        assert_eq!(ok!(session.value(key, CKA_LABEL)), b"after");
        assert_eq!(ok!(session.value(key, CKA_START_DATE)), b"20260101");
        assert!(ok!(session.find(&template![CKA_LABEL => "before"])).is_empty());
        assert!(ok!(session.find(&template![CKA_ID => &[1]])).is_empty());
        assert_eq!(ok!(session.find(&template![CKA_LABEL => "after", CKA_ID => &[2]])), [key]);
        assert_eq!(ok!(session.decrypt(&cbc_pad(), key, &sealed)), b"text");
        ok!(session.set(key, &template![CKA_ENCRYPT => false]));
        fails!(Encrypt::init(&session, &cbc(), key), CKR_KEY_FUNCTION_NOT_PERMITTED);
        ok!(session.set(key, &template![CKA_ENCRYPT => true]));
        ok!(session.encrypt(&cbc(), key, &[0; 16]));
        ok!(session.destroy(key));
    }
    let data = ok!(session.create(&template![CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_VALUE => "one"]));
    ok!(session.set(data, &template![CKA_VALUE => "two", CKA_APPLICATION => "tests"]));
    assert_eq!(ok!(session.value(data, CKA_VALUE)), b"two");
}

fn changes_reach_other_processes_and_stay() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "before"]));
    let mut peer = peer!(changes);
    assert_eq!(peer.hear(), "changed");
    assert_eq!(ok!(session.value(key, CKA_LABEL)), b"by the peer");
    fails!(Encrypt::init(&session, &cbc(), key), CKR_KEY_FUNCTION_NOT_PERMITTED);
    ok!(session.set(key, &template![CKA_LABEL => "by the test"]));
    peer.say("look");
    assert_eq!(peer.hear(), "by the test");
    peer.finish();
    ok!(token.restart());
    let session = token.user();
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "by the test", CKA_ENCRYPT => false])).len(), 1);
}

fn changes() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    let key = ok!(session.find(&template![CKA_LABEL => "before"]))[0];
    ok!(session.set(key, &template![CKA_LABEL => "by the peer", CKA_ENCRYPT => false]));
    say("changed");
    hear();
    say(String::from_utf8_lossy(&ok!(session.value(key, CKA_LABEL))));
}

/// PKCS#11 3.2, footnotes 10 to 12 of section 4.
fn protections_go_one_way() {
    let token = Token::new();
    let session = token.user();
    for (attribute, from, to) in [
        (CKA_SENSITIVE, false, true),
        (CKA_WRAP_WITH_TRUSTED, false, true),
        (CKA_EXTRACTABLE, true, false),
        (CKA_COPYABLE, true, false),
    ] {
        for on_token in [false, true] {
            let key = ok!(session.aes_key(32, template![CKA_TOKEN => on_token, attribute => from]));
            ok!(session.set(key, &template![attribute => from]), "as it is");
            ok!(session.set(key, &template![attribute => to]));
            assert_eq!(ok!(session.flag(key, attribute)), to);
            fails!(session.set(key, &template![attribute => from]), CKR_ATTRIBUTE_READ_ONLY, "{attribute:#x}");
            assert_eq!(ok!(session.flag(key, attribute)), to);
        }
    }
    let kek = ok!(session.aes_key(32, template![CKA_WRAP => true]));
    let key = ok!(session.aes_key(32, template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]));
    ok!(session.value(key, CKA_VALUE));
    ok!(session.wrap(&Mechanism::plain(CKM_AES_KEY_WRAP), kek, key));
    ok!(session.set(key, &template![CKA_EXTRACTABLE => false]));
    fails!(session.value(key, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
    fails!(session.wrap(&Mechanism::plain(CKM_AES_KEY_WRAP), kek, key), CKR_KEY_UNEXTRACTABLE);
}

/// Whoever renames a session object at that moment has read what it was before.
fn a_protection_is_not_undone_by_another_change_at_the_same_moment() {
    let token = Token::new();
    let session = token.user();
    let other = token.session();
    for round in 0..300 {
        let key = ok!(session.aes_key(16, template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]));
        std::thread::scope(|scope| {
            let renames =
                scope.spawn(|| (0..8).for_each(|name: u8| ok!(other.set(key, &template![CKA_LABEL => &[name]]))));
            ok!(session.set(key, &template![CKA_SENSITIVE => true]));
            ok!(session.set(key, &template![CKA_EXTRACTABLE => false]));
            renames.join().unwrap();
        });
        assert!(ok!(session.flag(key, CKA_SENSITIVE)) && !ok!(session.flag(key, CKA_EXTRACTABLE)), "round {round}");
        assert_eq!(ok!(session.value(key, CKA_LABEL)), [7], "round {round}");
        ok!(session.destroy(key));
    }
}

fn what_the_object_is_stays() {
    let token = Token::new();
    let session = token.user();
    for on_token in [false, true] {
        let key = ok!(session.aes_key(32, template![CKA_TOKEN => on_token]));
        let fixed = [
            template![CKA_TOKEN => !on_token],
            template![CKA_PRIVATE => false],
            template![CKA_MODIFIABLE => false],
            template![CKA_DESTROYABLE => false],
            template![CKA_CLASS => CKO_DATA],
            template![CKA_KEY_TYPE => CKK_GENERIC_SECRET],
            template![CKA_VALUE => &[0; 32]],
            template![CKA_VALUE_LEN => 16],
            template![CKA_LOCAL => false],
            template![CKA_KEY_GEN_MECHANISM => CKM_AES_KEY_GEN],
            template![CKA_ALWAYS_SENSITIVE => true],
            template![CKA_NEVER_EXTRACTABLE => true],
            template![CKA_UNIQUE_ID => "mine"],
            template![CKA_TRUSTED => true],
        ];
        for (place, template) in fixed.iter().enumerate() {
            fails!(session.set(key, template), CKR_ATTRIBUTE_READ_ONLY, "template {place}");
        }
        fails!(session.set(key, &template![CKA_LABEL => "a", CKA_LABEL => "b"]), CKR_TEMPLATE_INCONSISTENT);
        for value in [&[2][..], &[], &[1, 0, 0, 0, 0, 0, 0, 0]] {
            fails!(session.set(key, &template![CKA_ENCRYPT => value]), CKR_ATTRIBUTE_VALUE_INVALID);
        }
        fails!(session.set(key, &template![CKA_MODULUS => &[2]]), CKR_TEMPLATE_INCONSISTENT);
        fails!(session.set(key, &template![0x7654_3210 => &[2]]), CKR_ATTRIBUTE_TYPE_INVALID);
    }
    fails!(session.set(0, &template![CKA_LABEL => "a"]), CKR_OBJECT_HANDLE_INVALID);
}

/// With the value that they have, too.
fn the_numbers_of_a_pair_stay() {
    let token = Token::with_rsa_1024();
    let session = token.user();
    let rsa = RsaKey::of_bits(1024);
    let [public, private] = [rsa.public(), rsa.private()].map(|half| ok!(session.create(&half)));
    let (point, scalar) = CURVES[1].pair(&session);
    let numbers = [
        (public, CKA_MODULUS),
        (public, CKA_PUBLIC_EXPONENT),
        (public, CKA_PUBLIC_KEY_INFO),
        (private, CKA_MODULUS),
        (private, CKA_PUBLIC_EXPONENT),
        (point, CKA_EC_PARAMS),
        (point, CKA_EC_POINT),
        (scalar, CKA_EC_PARAMS),
    ];
    for (key, attribute) in numbers {
        let value = ok!(session.value(key, attribute));
        let other = [&value[..value.len() - 1], &[0x55]].concat();
        for value in [value.clone(), other] {
            let change = template![attribute => &value];
            fails!(session.set(key, &change), CKR_ATTRIBUTE_READ_ONLY, "{attribute:#x}");
            fails!(session.copy(key, &change), CKR_ATTRIBUTE_READ_ONLY, "{attribute:#x}");
        }
        assert_eq!(ok!(session.value(key, attribute)), value);
    }
    fails!(session.set(private, &template![CKA_PRIME_1 => &[3]]), CKR_ATTRIBUTE_READ_ONLY);
    fails!(session.set(scalar, &template![CKA_VALUE => &[3; 32]]), CKR_ATTRIBUTE_READ_ONLY);
}

fn a_bad_row_changes_nothing() {
    let token = Token::new();
    let session = token.user();
    for on_token in [false, true] {
        let key =
            ok!(session.aes_key(32, template![CKA_TOKEN => on_token, CKA_LABEL => "stays", CKA_SENSITIVE => false]));
        let good = template![CKA_LABEL => "changed", CKA_SENSITIVE => true, CKA_ENCRYPT => false];
        for bad in [template![CKA_LOCAL => true], template![CKA_DECRYPT => &[7]], template![CKA_EXTRACTABLE => true]] {
            for both in [good.clone().and(bad.clone()), bad.clone().and(good.clone())] {
                assert!(session.set(key, &both).is_err());
                assert_eq!(ok!(session.value(key, CKA_LABEL)), b"stays");
                assert!(!ok!(session.flag(key, CKA_SENSITIVE)) && ok!(session.flag(key, CKA_ENCRYPT)));
            }
        }
    }
}

fn unmodifiable_and_uncopyable_objects_refuse() {
    let token = Token::new();
    let session = token.user();
    for on_token in [false, true] {
        let key = ok!(session.aes_key(32, template![CKA_TOKEN => on_token, CKA_MODIFIABLE => false]));
        fails!(session.set(key, &template![CKA_LABEL => "a"]), CKR_ACTION_PROHIBITED);
        let key = ok!(session.aes_key(32, template![CKA_TOKEN => on_token, CKA_COPYABLE => false]));
        fails!(session.copy(key, &template![]), CKR_ACTION_PROHIBITED);
        fails!(session.copy(key, &template![CKA_LABEL => "a"]), CKR_ACTION_PROHIBITED);
    }
}

fn history_remembers_what_a_key_was() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]));
    ok!(session.set(key, &template![CKA_SENSITIVE => true, CKA_EXTRACTABLE => false]));
    let copy = ok!(session.copy(key, &template![]));
    for key in [key, copy] {
        assert!(!ok!(session.flag(key, CKA_ALWAYS_SENSITIVE)));
        assert!(!ok!(session.flag(key, CKA_NEVER_EXTRACTABLE)));
    }
    let key = ok!(session.aes_key(32, template![]));
    let copy = ok!(session.copy(key, &template![]));
    for attribute in [CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_LOCAL] {
        assert!(ok!(session.flag(copy, attribute)), "{attribute:#x}");
    }
    assert_eq!(ok!(session.number(copy, CKA_KEY_GEN_MECHANISM)), CKM_AES_KEY_GEN);
}

/// The SO trusts a wrapping key of the user, and only under that one a careful key leaves.
fn trust_is_given_by_the_so() {
    let token = Token::new();
    let session = token.user();
    let public = template![CKA_TOKEN => true, CKA_PRIVATE => false, CKA_WRAP => true];
    ok!(session.aes_key(32, public.clone().with(CKA_LABEL, "trusted")));
    ok!(session.aes_key(32, public.with(CKA_LABEL, "not trusted")));
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    let wrapping = ok!(session.find(&template![CKA_LABEL => "trusted"]))[0];
    ok!(session.set(wrapping, &template![CKA_TRUSTED => true]));
    ok!(session.logout());
    ok!(session.login(CKU_USER, USER_PIN));
    let careful = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true, CKA_WRAP_WITH_TRUSTED => true]));
    let [trusted, other] = ["trusted", "not trusted"].map(|label| ok!(session.find(&template![CKA_LABEL => label]))[0]);
    assert!(ok!(session.flag(trusted, CKA_TRUSTED)) && !ok!(session.flag(other, CKA_TRUSTED)));
    let form = Mechanism::plain(CKM_AES_KEY_WRAP);
    ok!(session.wrap(&form, trusted, careful));
    fails!(session.wrap(&form, other, careful), CKR_KEY_NOT_WRAPPABLE);
    fails!(session.set(other, &template![CKA_TRUSTED => true]), CKR_ATTRIBUTE_READ_ONLY);
    let copy = ok!(session.copy(trusted, &template![]));
    assert!(!ok!(session.flag(copy, CKA_TRUSTED)), "a user makes no trusted key, not by copying either");
    fails!(session.copy(other, &template![CKA_TRUSTED => true]), CKR_ATTRIBUTE_READ_ONLY);
}

fn read_only_sessions_change_session_objects_alone() {
    let token = Token::new();
    let writer = token.user();
    let kept = ok!(writer.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "kept"]));
    let session = ok!(token.module.read_only(token.slot));
    fails!(session.set(kept, &template![CKA_LABEL => "changed"]), CKR_SESSION_READ_ONLY);
    fails!(session.copy(kept, &template![CKA_LABEL => "copy"]), CKR_SESSION_READ_ONLY);
    let own = ok!(session.copy(kept, &template![CKA_TOKEN => false]));
    ok!(session.set(own, &template![CKA_LABEL => "changed"]));
    fails!(session.copy(own, &template![CKA_TOKEN => true]), CKR_SESSION_READ_ONLY);
    assert_eq!(ok!(session.value(kept, CKA_LABEL)), b"kept");
}

/// Written under a login they are verified, and so is every change.
fn public_token_objects_change_only_under_a_login() {
    let token = Token::new();
    let session = token.user();
    let public = template![CKA_TOKEN => true, CKA_PRIVATE => false, CKA_LABEL => "public"];
    ok!(session.aes_key(32, public.clone()));
    ok!(session.create(&public.clone().with(CKA_CLASS, CKO_DATA)));
    ok!(session.logout());
    let found = ok!(session.find(&public));
    assert_eq!(found.len(), 2);
    for object in found {
        fails!(session.set(object, &template![CKA_LABEL => "changed"]), CKR_USER_NOT_LOGGED_IN);
        assert_eq!(ok!(session.value(object, CKA_LABEL)), b"public");
    }
    let key = ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY]))[0];
    for template in [template![], template![CKA_TOKEN => false]] {
        fails!(session.copy(key, &template), CKR_USER_NOT_LOGGED_IN, "its value is sealed");
    }
    ok!(session.login(CKU_USER, USER_PIN));
    ok!(session.set(key, &template![CKA_LABEL => "changed"]));
    fails!(session.copy(key, &template![CKA_PRIVATE => &[3]]), CKR_ATTRIBUTE_VALUE_INVALID);
    ok!(session.copy(key, &template![CKA_PRIVATE => true]));
}
