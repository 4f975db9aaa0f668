//! What lives how long: operations, handles and objects, when PINs, sessions, processes and tokens come and go.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    an_operation_outlives_a_change_of_pin,
    an_operation_outlives_its_keys_destruction_by_another_process,
    what_another_process_destroyed_is_missed_at_the_next_look,
    what_another_process_made_anew_is_missed_at_the_next_look,
    a_session_takes_its_keys_operations_elsewhere_with_it,
    a_destroyed_object_is_gone_for_every_session_at_once,
];
pub const PEERS: &[Test] = &tests![destroys, makes_the_token_anew];

fn cmac() -> Mechanism {
    Mechanism::plain(CKM_AES_CMAC)
}

/// Ends a signature; whether it could be ended.
fn signed(session: &Session) -> Result {
    Sign::last(session, Some(&mut [0; 16])).0.map(drop)
}

fn begun(session: &Session, key: CK_OBJECT_HANDLE) {
    ok!(Sign::init(session, &cmac(), key));
    ok!(Sign::update(session, b"some", None).0);
}

fn an_operation_outlives_a_change_of_pin() {
    let token = Token::new();
    let (session, other) = (token.user(), token.session());
    let key = ok!(session.aes_key(32, template![CKA_TOKEN => true]));
    begun(&session, key);
    ok!(other.set_pin(USER_PIN, "another pin"));
    ok!(signed(&session));
    ok!(session.sign(&cmac(), key, b"the login lasts too"));
}

fn an_operation_outlives_its_keys_destruction_by_another_process() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "doomed"]));
    begun(&session, key);
    peer!(destroys).finish();
    ok!(Sign::update(&session, b"more", None).0);
    ok!(signed(&session));
    fails!(Sign::init(&session, &cmac(), key), CKR_KEY_HANDLE_INVALID);
}

/// At the next Init, Find, Get, and whatever else begins with a look.
fn what_another_process_destroyed_is_missed_at_the_next_look() {
    let looks: [fn(&Session, CK_OBJECT_HANDLE); 6] = [
        |session, key| fails!(Sign::init(session, &cmac(), key), CKR_KEY_HANDLE_INVALID),
        |session, _| assert!(ok!(session.find(&template![CKA_LABEL => "doomed"])).is_empty()),
        |session, key| fails!(session.value(key, CKA_LABEL), CKR_OBJECT_HANDLE_INVALID),
        |session, key| fails!(session.set(key, &template![CKA_LABEL => "x"]), CKR_OBJECT_HANDLE_INVALID),
        |session, key| fails!(session.copy(key, &template![]), CKR_OBJECT_HANDLE_INVALID),
        |session, key| fails!(session.destroy(key), CKR_OBJECT_HANDLE_INVALID),
    ];
    let token = Token::new();
    let session = token.user();
    for look in looks {
        let key = ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "doomed"]));
        ok!(session.sign(&cmac(), key, b"known and prepared"));
        peer!(destroys).finish();
        look(&session, key);
        fails!(session.value(key, CKA_LABEL), CKR_OBJECT_HANDLE_INVALID);
    }
}

fn destroys() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    for key in ok!(session.find(&template![CKA_LABEL => "doomed"])) {
        ok!(session.destroy(key));
    }
}

fn what_another_process_made_anew_is_missed_at_the_next_look() {
    let looks: [fn(&Session, CK_OBJECT_HANDLE) -> Result; 7] = [
        |session, key| Sign::init(session, &cmac(), key),
        |session, _| session.find_init(&template![]),
        |session, key| session.value(key, CKA_LABEL).map(drop),
        |session, key| session.set(key, &template![CKA_LABEL => "x"]),
        |session, key| session.destroy(key),
        |session, _| session.aes_key(32, template![CKA_TOKEN => true]).map(drop),
        |session, _| session.login(CKU_USER, USER_PIN),
    ];
    for look in looks {
        let token = Token::new();
        let session = token.user();
        let key = ok!(session.aes_key(32, template![CKA_TOKEN => true]));
        ok!(session.sign(&cmac(), key, b"known and prepared"));
        ok!(session.find_init(&template![]));
        let other = token.session();
        peer!(makes_the_token_anew).finish();
        fails!(look(&other, key), CKR_SESSION_HANDLE_INVALID);
        fails!(session.find_next(1), CKR_SESSION_HANDLE_INVALID, "the search that had begun");
        ok!(token.module.close_all(token.slot));
        let session = token.session();
        fails!(session.login(CKU_USER, USER_PIN), CKR_USER_PIN_NOT_INITIALIZED, "it is another token");
        ok!(token.module.finalize());
    }
}

fn makes_the_token_anew() {
    let (module, slot) = Token::in_peer();
    ok!(module.init_token(slot, SO_PIN, LABEL));
}

fn a_session_takes_its_keys_operations_elsewhere_with_it() {
    let token = Token::new();
    let (session, other) = (token.user(), token.session());
    let own = ok!(session.aes_key(32, template![]));
    let kept = ok!(session.aes_key(32, template![CKA_TOKEN => true]));
    for (key, lives) in [(kept, true), (own, false)] {
        begun(&other, key);
        if !lives {
            ok!(session.close());
            fails!(signed(&other), CKR_OPERATION_NOT_INITIALIZED);
        } else {
            ok!(signed(&other));
        }
    }
    ok!(other.sign(&cmac(), kept, b"the login lasts while a session does"));
}

fn a_destroyed_object_is_gone_for_every_session_at_once() {
    let token = Token::new();
    let (session, other) = (token.user(), token.session());
    for on_token in [false, true] {
        let key = ok!(session.aes_key(32, template![CKA_TOKEN => on_token]));
        begun(&other, key);
        ok!(other.find_init(&template![CKA_CLASS => CKO_SECRET_KEY]));
        ok!(session.set(key, &template![CKA_LABEL => "changed"]));
        ok!(session.destroy(key));
        fails!(signed(&other), CKR_OPERATION_NOT_INITIALIZED);
        fails!(other.value(key, CKA_LABEL), CKR_OBJECT_HANDLE_INVALID);
        assert!(ok!(other.find_next(9)).is_empty(), "nor does a search hand it out that began before");
        ok!(other.find_final());
        fails!(Sign::init(&other, &cmac(), key), CKR_KEY_HANDLE_INVALID);
    }
}
