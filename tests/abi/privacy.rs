//! What is seen and what works before a login, and what is left after a logout.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    private_objects_are_not_there_before_login,
    private_objects_go_at_logout_and_come_back,
    private_session_objects_are_gone_after_logout,
    operations_of_private_keys_end_at_logout,
    private_objects_are_made_by_the_user_alone,
    the_so_sees_no_private_object,
    public_token_keys_are_listed_but_not_used_before_login,
    token_keys_are_made_by_the_user_alone,
    token_keys_are_not_the_so_s,
    session_keys_work_without_login,
    public_data_is_kept_without_login,
    hidden_values_are_found_by_no_search,
];

fn private_objects_are_not_there_before_login() {
    let token = Token::new();
    let session = token.user();
    let template = template![CKA_TOKEN => true, CKA_LABEL => "private"];
    ok!(session.aes_key(32, template.clone()));
    ok!(session.create(&template.with(CKA_CLASS, CKO_DATA).with(CKA_PRIVATE, true).with(CKA_VALUE, "text")));
    ok!(token.restart());
    let session = token.session();
    for wanted in [template![], template![CKA_LABEL => "private"], template![CKA_CLASS => CKO_SECRET_KEY]] {
        assert!(ok!(session.objects(&wanted)).is_empty());
    }
    ok!(session.login(CKU_USER, USER_PIN));
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "private"])).len(), 2);
}

fn private_objects_go_at_logout_and_come_back() {
    let token = Token::new();
    let (session, other) = (token.user(), token.session());
    let key = ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "k"]));
    let sealed = ok!(session.encrypt(&cbc_pad(), key, b"text"));
    ok!(other.logout());
    for session in [session, other] {
        assert!(ok!(session.objects(&template![])).is_empty());
        fails!(session.value(key, CKA_LABEL), CKR_OBJECT_HANDLE_INVALID);
        fails!(Encrypt::init(&session, &cbc(), key), CKR_KEY_HANDLE_INVALID);
        fails!(session.destroy(key), CKR_OBJECT_HANDLE_INVALID);
    }
    ok!(session.login(CKU_USER, USER_PIN));
    fails!(session.value(key, CKA_LABEL), CKR_OBJECT_HANDLE_INVALID, "the old handle stays dead");
    let again = ok!(session.find(&template![CKA_LABEL => "k"]))[0];
    assert_eq!(ok!(session.decrypt(&cbc_pad(), again, &sealed)), b"text");
}

fn private_session_objects_are_gone_after_logout() {
    let token = Token::new();
    let session = token.user();
    let private = ok!(session.aes_key(32, template![CKA_LABEL => "k"]));
    let public = ok!(session.aes_key(32, template![CKA_LABEL => "k", CKA_PRIVATE => false]));
    ok!(session.logout());
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "k"])), [public]);
    ok!(session.encrypt(&cbc(), public, &[0; 16]));
    ok!(session.login(CKU_USER, USER_PIN));
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "k"])), [public]);
    fails!(session.value(private, CKA_LABEL), CKR_OBJECT_HANDLE_INVALID);
}

fn operations_of_private_keys_end_at_logout() {
    let token = Token::new();
    let (session, other) = (token.user(), token.session());
    let key = ok!(session.aes_key(32, template![]));
    let mac = Mechanism::plain(CKM_AES_CMAC);
    ok!(Encrypt::init(&session, &cbc(), key));
    ok!(Encrypt::update(&session, &[0; 16], Some(&mut [0; 16])).0);
    ok!(Sign::init(&other, &mac, key));
    ok!(session.logout());
    let mut room = [GUARD; 32];
    fails!(Encrypt::update(&session, &[0; 16], Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
    fails!(Sign::whole(&other, b"text", Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
    assert_eq!(room, [GUARD; 32]);
}

/// By each way of making one.
fn private_objects_are_made_by_the_user_alone() {
    let token = Token::new();
    let session = token.session();
    for on_token in [false, true] {
        let template = template![CKA_PRIVATE => true, CKA_TOKEN => on_token];
        makes_nothing(&session, &template);
        ok!(session.login(CKU_SO, SO_PIN));
        makes_nothing(&session, &template);
        ok!(session.logout());
    }
    assert!(ok!(session.find(&template![CKA_LABEL => "refused"])).is_empty());
}

/// Created, generated and unwrapped.
fn makes_nothing(session: &Session, template: &Template) {
    let named = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES, CKA_LABEL => "refused"];
    let template = template.clone();
    fails!(session.aes_key(32, template.clone()), CKR_USER_NOT_LOGGED_IN);
    fails!(session.create(&named.clone().and(template.clone()).with(CKA_VALUE, &[1; 16])), CKR_USER_NOT_LOGGED_IN);
    let kek = ok!(session.aes_key(32, template![CKA_WRAP => true, CKA_UNWRAP => true]));
    let carried = ok!(session.aes_key(16, template![CKA_EXTRACTABLE => true]));
    let wrapping = Mechanism::plain(CKM_AES_KEY_WRAP);
    let wrapped = ok!(session.wrap(&wrapping, kek, carried));
    fails!(session.unwrap(&wrapping, kek, &wrapped, &named.and(template)), CKR_USER_NOT_LOGGED_IN);
    for key in [kek, carried] {
        ok!(session.destroy(key));
    }
}

fn the_so_sees_no_private_object() {
    let token = Token::new();
    let session = token.user();
    ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "users"]));
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    assert!(ok!(session.objects(&template![])).is_empty());
}

/// A key of `CKA_PRIVATE` false, as pkcs11-tool makes it: its name is public, its value is sealed all the same.
fn public_token_keys_are_listed_but_not_used_before_login() {
    let token = Token::new();
    let session = token.user();
    let template = template![CKA_TOKEN => true, CKA_PRIVATE => false, CKA_LABEL => "public"];
    ok!(session.aes_key(32, template.clone().with(CKA_WRAP, true).with(CKA_ENCRYPT, true)));
    ok!(token.restart());
    let session = token.session();
    let key = ok!(session.find(&template))[0];
    assert_eq!(ok!(session.value(key, CKA_LABEL)), b"public");
    assert_eq!(ok!(session.number(key, CKA_VALUE_LEN)), 32);
    fails!(Encrypt::init(&session, &cbc(), key), CKR_USER_NOT_LOGGED_IN);
    fails!(Sign::init(&session, &Mechanism::plain(CKM_AES_CMAC), key), CKR_USER_NOT_LOGGED_IN);
    let own = ok!(session.aes_key(16, template![CKA_EXTRACTABLE => true]));
    fails!(session.wrap(&Mechanism::plain(CKM_AES_KEY_WRAP), key, own), CKR_USER_NOT_LOGGED_IN);
    fails!(session.destroy(key), CKR_USER_NOT_LOGGED_IN, "a verified public object is removed only with a login");
    ok!(session.login(CKU_SO, SO_PIN));
    fails!(Encrypt::init(&session, &cbc(), key), CKR_USER_NOT_LOGGED_IN);
    ok!(session.logout());
    ok!(session.login(CKU_USER, USER_PIN));
    ok!(session.encrypt(&cbc(), key, &[0; 16]));
    ok!(Encrypt::init(&session, &cbc(), key));
    ok!(session.logout());
    let after = Encrypt::whole(&session, &[0; 16], Some(&mut [0; 16])).0;
    fails!(after, CKR_OPERATION_NOT_INITIALIZED, "the key's material went with the login");
    fails!(Encrypt::init(&session, &cbc(), key), CKR_USER_NOT_LOGGED_IN);
}

fn token_keys_are_made_by_the_user_alone() {
    let token = Token::new();
    let session = token.session();
    makes_nothing(&session, &template![CKA_TOKEN => true]);
    makes_nothing(&session, &template![CKA_TOKEN => true, CKA_PRIVATE => false]);
    ok!(session.login(CKU_USER, USER_PIN));
    ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_PRIVATE => false]));
}

/// Nor by a copy, which would be a session key of his.
fn token_keys_are_not_the_so_s() {
    let token = Token::new();
    let session = token.user();
    let readable = template![CKA_TOKEN => true, CKA_PRIVATE => false, CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
                             CKA_LABEL => "key"];
    let value = [5; 16];
    let key = ok!(session.aes_key_of(&value, readable));
    assert_eq!(ok!(session.value(key, CKA_VALUE)), value);
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    let key = ok!(session.find(&template![CKA_LABEL => "key"]))[0];
    fails!(session.value(key, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
    assert!(ok!(session.find(&template![CKA_VALUE => &value])).is_empty());
    fails!(session.copy(key, &template![CKA_TOKEN => false]), CKR_USER_NOT_LOGGED_IN);
    ok!(session.set(key, &template![CKA_LABEL => "renamed"]));
    fails!(session.value(key, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE, "a change prepares the key");
}

fn session_keys_work_without_login() {
    let token = Token::new();
    let session = ok!(token.module.read_only(token.slot));
    let key = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true]));
    let sealed = ok!(session.encrypt(&gcm(), key, b"text"));
    let kek = ok!(session.aes_key_of(&[1; 32], template![CKA_WRAP => true, CKA_UNWRAP => true]));
    let wrapping = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let wrapped = ok!(session.wrap(&wrapping, kek, key));
    let named = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES];
    let back = ok!(session.unwrap(&wrapping, kek, &wrapped, &named));
    assert_eq!(ok!(session.decrypt(&gcm(), back, &sealed)), b"text");
}

/// Written without a login it is unverified, but it is there.
fn public_data_is_kept_without_login() {
    let token = Token::new();
    let session = token.session();
    let data = template![CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_LABEL => "open", CKA_VALUE => "text"];
    ok!(session.create(&data));
    ok!(token.restart());
    let session = token.session();
    let found = ok!(session.find(&data));
    assert_eq!(found.len(), 1);
    assert_eq!(ok!(session.value(found[0], CKA_VALUE)), b"text");
    ok!(session.destroy(found[0]));
    assert!(ok!(session.find(&data)).is_empty());
}

/// A search on a hidden value that matched would be a guessing machine.
fn hidden_values_are_found_by_no_search() {
    let token = Token::new();
    let session = token.user();
    for on_token in [false, true] {
        for private in [false, true] {
            let place = template![CKA_TOKEN => on_token, CKA_PRIVATE => private];
            let value = ok!(session.random(32));
            ok!(session.aes_key_of(&value, place.clone()));
            ok!(session.aes_key_of(&value, place.clone().with(CKA_SENSITIVE, false)));
            ok!(session.aes_key_of(&value, place.with(CKA_EXTRACTABLE, true)));
            assert!(ok!(session.find(&template![CKA_VALUE => &value])).is_empty());
        }
    }
}
