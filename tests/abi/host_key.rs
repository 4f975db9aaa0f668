//! A token whose PINs need a key of the host.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    a_stolen_store_does_not_open_with_the_right_pin,
    changing_a_pin_moves_it_under_the_host_key_and_back,
    without_the_host_key_that_is_to_be_used_no_pin_is_set,
    a_credential_of_systemd_serves_as_host_key,
];

/// Writes a key into the home and says where.
fn key(home: &Home, name: &str, byte: u8) -> String {
    let path = home.path().join(name);
    fs::write(&path, [byte; 32]).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn config(host_key: Option<String>) -> Config {
    Config { host_key, ..Config::default() }
}

/// The token with another configuration, as a new process has it.
fn with(token: &Token, host_key: Option<String>) -> Session {
    ok!(token.module.finalize());
    token.home.configure(&config(host_key));
    ok!(token.module.initialize());
    token.session()
}

fn new(name: &str) -> (Token, String) {
    let home = Home::new();
    let place = key(&home, name, 1);
    home.configure(&config(Some(place.clone())));
    (Token::new_in(home), place)
}

fn a_stolen_store_does_not_open_with_the_right_pin() {
    let (token, place) = new("key");
    let log = token.home.log_to_file();
    let session = token.user();
    let made = ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "mine", CKA_ENCRYPT => true]));
    let sealed = ok!(session.encrypt(&ecb(), made, &[0; 16]));
    let another = key(&token.home, "another", 2);
    for (host_key, why) in [(None, "none is configured"), (Some(another), "is another")] {
        let session = with(&token, host_key);
        // More often than a PIN may be wrong: nothing counts.
        for _ in 0..11 {
            fails!(session.login(CKU_USER, USER_PIN), CKR_DEVICE_ERROR);
            fails!(session.login(CKU_USER, "wrong-pin"), CKR_DEVICE_ERROR);
            fails!(session.login(CKU_SO, SO_PIN), CKR_DEVICE_ERROR);
        }
        assert!(fs::read_to_string(&log).unwrap().contains(why), "{why}");
    }
    let session = with(&token, Some(place));
    assert_eq!(token.flags() & (CKF_USER_PIN_COUNT_LOW | CKF_SO_PIN_COUNT_LOW), 0);
    fails!(session.login(CKU_USER, "wrong-pin"), CKR_PIN_INCORRECT);
    ok!(session.login(CKU_USER, USER_PIN));
    let found = ok!(session.find(&template![CKA_LABEL => "mine"]));
    assert_eq!(ok!(session.encrypt(&ecb(), found[0], &[0; 16])), sealed);
}

fn changing_a_pin_moves_it_under_the_host_key_and_back() {
    let token = Token::new();
    let place = key(&token.home, "key", 1);
    let session = with(&token, Some(place.clone()));
    ok!(session.login(CKU_USER, USER_PIN), "it was set before there was a host key");
    ok!(session.set_pin(USER_PIN, "under the host key"));
    let session = with(&token, None);
    fails!(session.login(CKU_USER, "under the host key"), CKR_DEVICE_ERROR);
    // The SO's was not changed, and sets the user's anew without a host key.
    ok!(session.login(CKU_SO, SO_PIN));
    ok!(session.init_pin("without"));
    ok!(session.logout());
    ok!(session.login(CKU_USER, "without"));
    let session = with(&token, Some(place));
    ok!(session.login(CKU_USER, "without"));
}

fn without_the_host_key_that_is_to_be_used_no_pin_is_set() {
    let token = Token::new();
    let place = key(&token.home, "key", 1);
    fs::set_permissions(&place, Permissions::from_mode(0o644)).unwrap();
    let log = token.home.log_to_file();
    let session = with(&token, Some(place));
    assert!(fs::read_to_string(&log).unwrap().contains("others than its owner"));
    ok!(session.login(CKU_USER, USER_PIN), "it needs none");
    fails!(session.set_pin(USER_PIN, "another-pin"), CKR_DEVICE_ERROR);
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    fails!(session.init_pin("another-pin"), CKR_DEVICE_ERROR);
    ok!(session.logout());
    ok!(session.login(CKU_USER, USER_PIN));
    ok!(session.close());
    fails!(token.module.init_token(token.slot, SO_PIN, LABEL), CKR_DEVICE_ERROR);
}

fn a_credential_of_systemd_serves_as_host_key() {
    let (token, place) = new("hsm");
    let session = with(&token, Some("credential:hsm".into()));
    fails!(session.login(CKU_USER, USER_PIN), CKR_DEVICE_ERROR);
    set_variable("CREDENTIALS_DIRECTORY", token.home.path().to_str());
    let session = with(&token, Some("credential:hsm".into()));
    ok!(session.login(CKU_USER, USER_PIN));
    let session = with(&token, Some(place));
    ok!(session.login(CKU_USER, USER_PIN));
}
