//! `CKA_KEYSTEAD_MASKABLE`: decided when a key is made, and never raised later.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    a_key_may_leave_masked_if_it_may_leave_at_all_or_the_token_says_so,
    a_template_may_say_it,
    nothing_frees_a_key_that_was_made_unmaskable,
    only_keys_with_a_value_that_stays_inside_have_it,
    the_token_keeps_what_it_was_initialised_with,
];

/// As in `include/keystead.h`.
const CKA_KEYSTEAD_MASKABLE: CK_ATTRIBUTE_TYPE = 0xCB53_0001;

fn masking() -> Config {
    Config { maskable: true, ..Config::default() }
}

fn a_key_may_leave_masked_if_it_may_leave_at_all_or_the_token_says_so() {
    for (config, by_token) in [(Config::default(), false), (masking(), true)] {
        let token = Token::with(config);
        let session = token.user();
        for on_token in [false, true] {
            for extractable in [false, true] {
                let key = ok!(session.aes_key(32, template![CKA_TOKEN => on_token, CKA_EXTRACTABLE => extractable]));
                assert_eq!(ok!(session.flag(key, CKA_KEYSTEAD_MASKABLE)), extractable || by_token);
            }
        }
        ok!(token.module.finalize());
    }
}

fn a_template_may_say_it() {
    let token = Token::new();
    let session = token.user();
    let wraps = template![CKA_WRAP => true, CKA_UNWRAP => true, CKA_DERIVE => true];
    let kek = ok!(session.aes_key(32, wraps));
    let carried = ok!(session.aes_key(16, template![CKA_EXTRACTABLE => true]));
    let kwp = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let wrapped = ok!(session.wrap(&kwp, kek, carried));
    let named = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES];
    for said in [false, true] {
        let template = template![CKA_EXTRACTABLE => !said, CKA_KEYSTEAD_MASKABLE => said];
        let keys = [
            ok!(session.aes_key(32, template.clone())),
            ok!(session.aes_key_of(&[1; 16], template.clone())),
            ok!(session.unwrap(&kwp, kek, &wrapped, &named.clone().and(template.clone()))),
            ok!(session.copy(carried, &template![CKA_KEYSTEAD_MASKABLE => said])),
        ];
        for (place, key) in keys.into_iter().enumerate() {
            assert_eq!(ok!(session.flag(key, CKA_KEYSTEAD_MASKABLE)), said, "way {place}");
        }
        let found = ok!(session.find(&template![CKA_KEYSTEAD_MASKABLE => said]));
        assert!(found.contains(&keys[0]) && found.contains(&keys[3]));
    }
    fails!(session.aes_key(32, template![CKA_KEYSTEAD_MASKABLE => &[2]]), CKR_ATTRIBUTE_VALUE_INVALID);
    fails!(session.aes_key(32, template![CKA_KEYSTEAD_MASKABLE => 1]), CKR_ATTRIBUTE_VALUE_INVALID);
}

/// Not a change, not a copy, not a token that is initialised otherwise, not a login of the SO.
fn nothing_frees_a_key_that_was_made_unmaskable() {
    let token = Token::with(masking());
    let session = token.user();
    let raise = template![CKA_KEYSTEAD_MASKABLE => true];
    for on_token in [false, true] {
        let place = template![CKA_TOKEN => on_token, CKA_PRIVATE => false, CKA_LABEL => "stays"];
        let key = ok!(session.aes_key(32, place.clone().with(CKA_KEYSTEAD_MASKABLE, false)));
        fails!(session.set(key, &raise), CKR_ATTRIBUTE_READ_ONLY);
        fails!(session.copy(key, &raise), CKR_ATTRIBUTE_READ_ONLY);
        ok!(session.set(key, &template![CKA_KEYSTEAD_MASKABLE => false]), "as it is");
        let copy = ok!(session.copy(key, &template![CKA_LABEL => "copy"]));
        assert!(!ok!(session.flag(copy, CKA_KEYSTEAD_MASKABLE)));
        let lowered = ok!(session.aes_key(32, place.with(CKA_KEYSTEAD_MASKABLE, true)));
        ok!(session.set(lowered, &template![CKA_KEYSTEAD_MASKABLE => false]));
        fails!(session.set(lowered, &raise), CKR_ATTRIBUTE_READ_ONLY);
    }
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    for key in ok!(session.find(&template![CKA_LABEL => "stays", CKA_TOKEN => true])) {
        assert!(!ok!(session.flag(key, CKA_KEYSTEAD_MASKABLE)));
        fails!(session.set(key, &raise), CKR_ATTRIBUTE_READ_ONLY);
    }
}

fn only_keys_with_a_value_that_stays_inside_have_it() {
    let token = Token::new();
    let session = token.user();
    let data = template![CKA_CLASS => CKO_DATA];
    fails!(session.create(&data.clone().with(CKA_KEYSTEAD_MASKABLE, true)), CKR_TEMPLATE_INCONSISTENT);
    let data = ok!(session.create(&data));
    fails!(session.value(data, CKA_KEYSTEAD_MASKABLE), CKR_ATTRIBUTE_TYPE_INVALID);
    let given = template![CKA_EC_PARAMS => ED25519];
    let edwards = CKM_EC_EDWARDS_KEY_PAIR_GEN;
    let (public, private) = ok!(session.pair(edwards, &given, &template![]));
    fails!(session.value(public, CKA_KEYSTEAD_MASKABLE), CKR_ATTRIBUTE_TYPE_INVALID);
    assert!(!ok!(session.flag(private, CKA_KEYSTEAD_MASKABLE)));
    let said = template![CKA_KEYSTEAD_MASKABLE => true];
    let (_, private) = ok!(session.pair(edwards, &given, &said));
    assert!(ok!(session.flag(private, CKA_KEYSTEAD_MASKABLE)));
}

/// The setting is for tokens that are initialised under it. What a token was told stays, until it is initialised anew.
fn the_token_keeps_what_it_was_initialised_with() {
    let token = Token::new();
    let made = |session: &Session| ok!(session.flag(ok!(session.aes_key(32, template![])), CKA_KEYSTEAD_MASKABLE));
    assert!(!made(&token.user()));
    token.home.configure(&masking());
    ok!(token.restart());
    assert!(!made(&token.user()), "the token was told otherwise");
    ok!(token.module.close_all(token.slot));
    ok!(token.module.init_token(token.slot, SO_PIN, LABEL));
    let session = ok!(token.module.read_write(token.slot));
    ok!(session.login(CKU_SO, SO_PIN));
    ok!(session.init_pin(USER_PIN));
    ok!(session.logout());
    token.home.configure(&Config::default());
    ok!(token.restart());
    assert!(made(&token.user()));
}
