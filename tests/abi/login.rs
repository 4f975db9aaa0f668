//! Login and logout, and what they do to sessions, objects and operations. PINs are in the file of that name.
//!
//! Left aside, each with its reason:
//! - context-specific login and `CKA_ALWAYS_AUTHENTICATE`: private keys come with RSA and EC;
//! - `CKR_SESSION_READ_ONLY_EXISTS` against NSS's way of setting a PIN: with the NSS client;
//! - the time of login in a loop of sessions (libp11): with the benchmarks; that it works is tested here;
//! - 64 workers with a wrong PIN at start: a rule for delays comes with the policies; the count is tested here;
//! - a guess whose process is killed during the hash: the count follows the hash, which the documentation says;
//! - crypto that routes into the host's OpenSSL: with the provider as a client.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    five_states,
    login_changes_every_session_of_the_process,
    login_is_no_business_of_other_processes,
    so_and_read_only_sessions_exclude_each_other,
    so_sees_and_makes_no_private_objects,
    second_login_is_not_a_guess,
    user_types_are_checked,
    users_have_no_names,
    racing_logins_succeed_once,
    closing_the_last_session_logs_out,
    closing_all_sessions_logs_out_of_that_token_only,
    login_works_at_once_after_closing_all_sessions,
    logout_without_login_is_an_error,
    private_session_objects_die_at_logout,
    logout_ends_operations_of_private_keys,
    logout_makes_private_handles_invalid_for_ever,
    reinitialised_by_another_process_sessions_are_gone,
    pin_changed_by_another_process,
];
pub const PEERS: &[Test] = &tests![tell_the_state, make_again, change_pin];

fn five_states() {
    let token = Token::new();
    let (module, slot) = (token.module, token.slot);
    let read_only = ok!(module.read_only(slot));
    let read_write = ok!(module.read_write(slot));
    let states = || (ok!(read_only.state()), ok!(read_write.state()));
    assert_eq!(states(), (CKS_RO_PUBLIC_SESSION, CKS_RW_PUBLIC_SESSION));
    ok!(read_only.login(CKU_USER, USER_PIN));
    assert_eq!(states(), (CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS));
    ok!(read_write.logout());
    assert_eq!(states(), (CKS_RO_PUBLIC_SESSION, CKS_RW_PUBLIC_SESSION));
    ok!(read_only.close());
    ok!(read_write.login(CKU_SO, SO_PIN));
    let info = ok!(read_write.info());
    assert_eq!(info.state, CKS_RW_SO_FUNCTIONS);
    assert_eq!((info.slotID, info.flags, info.ulDeviceError), (slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, 0));
}

fn login_changes_every_session_of_the_process() {
    let token = Token::new();
    let sessions: Vec<_> = (0..10).map(|_| token.session()).collect();
    let other_slot = Token::make(&token.module, "other");
    let other = ok!(token.module.read_write(other_slot));
    ok!(sessions[3].login(CKU_USER, USER_PIN));
    assert!(sessions.iter().all(|session| session.state() == Ok(CKS_RW_USER_FUNCTIONS)));
    assert_eq!(ok!(other.state()), CKS_RW_PUBLIC_SESSION, "another token");
    assert_eq!(ok!(token.session().state()), CKS_RW_USER_FUNCTIONS, "a session opened after the login");
    std::thread::scope(|scope| {
        scope.spawn(|| ok!(sessions[5].logout()));
    });
    assert!(sessions.iter().all(|session| session.state() == Ok(CKS_RW_PUBLIC_SESSION)));
}

fn login_is_no_business_of_other_processes() {
    let token = Token::new();
    let session = token.user();
    let mut peer = peer!(tell_the_state);
    assert_eq!(peer.hear(), CKS_RW_PUBLIC_SESSION.to_string());
    peer.say("log in");
    assert_eq!(peer.hear(), CKS_RW_USER_FUNCTIONS.to_string());
    ok!(session.logout());
    peer.say("still?");
    assert_eq!(peer.hear(), CKS_RW_USER_FUNCTIONS.to_string());
    peer.finish();
}

fn so_and_read_only_sessions_exclude_each_other() {
    let token = Token::new();
    let writer = token.session();
    let reader = ok!(token.module.read_only(token.slot));
    fails!(writer.login(CKU_SO, SO_PIN), CKR_SESSION_READ_ONLY_EXISTS);
    fails!(reader.login(CKU_SO, SO_PIN), CKR_SESSION_READ_ONLY_EXISTS | CKR_SESSION_READ_ONLY);
    ok!(reader.login(CKU_USER, USER_PIN), "never for the user");
    ok!(reader.logout());
    ok!(reader.close());
    ok!(writer.login(CKU_SO, SO_PIN));
    fails!(token.module.read_only(token.slot), CKR_SESSION_READ_WRITE_SO_EXISTS);
    ok!(token.module.read_write(token.slot));
    ok!(writer.logout());
    ok!(token.module.read_only(token.slot));
}

fn so_sees_and_makes_no_private_objects() {
    let token = Token::new();
    let session = token.user();
    let data = |private: bool| template![CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => private];
    ok!(session.create(&data(true).with(CKA_LABEL, "private")));
    ok!(session.create(&data(false).with(CKA_LABEL, "public")));
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    assert_eq!(ok!(session.objects(&template![])).len(), 1);
    assert!(ok!(session.find(&template![CKA_LABEL => "private"])).is_empty());
    fails!(session.create(&data(true)), CKR_USER_NOT_LOGGED_IN);
    fails!(session.create(&data(true).with(CKA_TOKEN, false)), CKR_USER_NOT_LOGGED_IN | CKR_TEMPLATE_INCONSISTENT);
}

fn second_login_is_not_a_guess() {
    let token = Token::new();
    let (first, second) = (token.user(), token.session());
    for session in [first, second] {
        fails!(session.login(CKU_USER, USER_PIN), CKR_USER_ALREADY_LOGGED_IN);
        fails!(session.login(CKU_USER, "wrong pin"), CKR_USER_ALREADY_LOGGED_IN);
        fails!(session.login(CKU_SO, SO_PIN), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
        fails!(session.login(CKU_SO, "wrong pin"), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
    }
    assert_eq!(token.flags() & (CKF_USER_PIN_COUNT_LOW | CKF_SO_PIN_COUNT_LOW), 0);
    ok!(first.logout());
    ok!(first.login(CKU_SO, SO_PIN));
    fails!(second.login(CKU_SO, SO_PIN), CKR_USER_ALREADY_LOGGED_IN);
    fails!(second.login(CKU_USER, USER_PIN), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
}

fn user_types_are_checked() {
    let token = Token::new();
    let session = token.session();
    fails!(session.login(3, USER_PIN), CKR_USER_TYPE_INVALID);
    fails!(session.login(CK_USER_TYPE::MAX, USER_PIN), CKR_USER_TYPE_INVALID);
    fails!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN), CKR_OPERATION_NOT_INITIALIZED);
    ok!(session.login(CKU_USER, USER_PIN));
    fails!(session.login(CKU_CONTEXT_SPECIFIC, USER_PIN), CKR_OPERATION_NOT_INITIALIZED);
    assert_eq!(ok!(session.state()), CKS_RW_USER_FUNCTIONS);
}

/// `C_LoginUser` with an empty name is `C_Login`; with another it is no guess at the PIN of somebody else. PKCS#11 3.2, section
/// 5.6.9.
fn users_have_no_names() {
    let token = Token::new();
    let session = token.session();
    let before = token.flags();
    for user in [CKU_USER, CKU_SO, CKU_CONTEXT_SPECIFIC] {
        fails!(session.login_user(user, "wrong", "alice"), CKR_USER_TYPE_INVALID);
    }
    fails!(session.login_user(CKU_USER, USER_PIN, "alice"), CKR_USER_TYPE_INVALID);
    assert_eq!((token.flags(), session.state()), (before, Ok(CKS_RW_PUBLIC_SESSION)));
    fails!(session.login_user(9, USER_PIN, ""), CKR_USER_TYPE_INVALID);
    fails!(session.login_user(CKU_USER, "wrong", ""), CKR_PIN_INCORRECT);
    assert_ne!(token.flags() & CKF_USER_PIN_COUNT_LOW, 0);
    fails!(session.login_user(CKU_CONTEXT_SPECIFIC, USER_PIN, ""), CKR_OPERATION_NOT_INITIALIZED);
    ok!(session.login_user(CKU_USER, USER_PIN, ""));
    assert_eq!(session.state(), Ok(CKS_RW_USER_FUNCTIONS));
    fails!(session.login_user(CKU_USER, USER_PIN, ""), CKR_USER_ALREADY_LOGGED_IN);
    fails!(session.login_user(CKU_SO, SO_PIN, ""), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
    fails!(Session::new(token.module, 0).login_user(CKU_USER, USER_PIN, "alice"), CKR_SESSION_HANDLE_INVALID);
}

fn racing_logins_succeed_once() {
    let token = Token::new();
    for round in 0..rounds(30, 1_000) {
        let sessions: Vec<_> = (0..8).map(|_| token.session()).collect();
        let (barrier, succeeded) = (Barrier::new(8), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for session in &sessions {
                scope.spawn(|| {
                    barrier.wait();
                    match session.login(CKU_USER, USER_PIN) {
                        Ok(()) => _ = succeeded.fetch_add(1, Ordering::SeqCst),
                        refused => fails!(refused, CKR_USER_ALREADY_LOGGED_IN, "round {round}"),
                    }
                    assert_eq!(ok!(session.state()), CKS_RW_USER_FUNCTIONS, "round {round}");
                });
            }
        });
        assert_eq!(succeeded.into_inner(), 1, "round {round}");
        assert_eq!(token.flags() & CKF_USER_PIN_COUNT_LOW, 0, "round {round}");
        // Two threads that log out at once, on two sessions, do not wait for each other for ever.
        std::thread::scope(|scope| {
            let logouts: Vec<_> = sessions.iter().take(2).map(|session| scope.spawn(|| session.logout())).collect();
            let outcomes: Vec<_> = logouts.into_iter().map(|logout| logout.join().unwrap()).collect();
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "round {round}: {outcomes:?}");
        });
        ok!(token.module.close_all(token.slot));
    }
}

fn closing_the_last_session_logs_out() {
    let token = Token::new();
    let (first, second) = (token.user(), token.session());
    ok!(first.close());
    assert_eq!(ok!(second.state()), CKS_RW_USER_FUNCTIONS, "another session lives");
    ok!(second.close());
    let third = token.session();
    assert_eq!(ok!(third.state()), CKS_RW_PUBLIC_SESSION);
    ok!(third.login(CKU_USER, USER_PIN));
}

fn closing_all_sessions_logs_out_of_that_token_only() {
    let token = Token::new();
    let other_slot = Token::make(&token.module, "other");
    let other = ok!(token.module.read_write(other_slot));
    ok!(other.login(CKU_USER, USER_PIN));
    let (first, second) = (token.user(), token.session());
    ok!(token.module.close_all(token.slot));
    for session in [first, second] {
        fails!(session.info(), CKR_SESSION_HANDLE_INVALID);
        fails!(session.close(), CKR_SESSION_HANDLE_INVALID);
        fails!(session.random(8), CKR_SESSION_HANDLE_INVALID);
    }
    assert_eq!(ok!(other.state()), CKS_RW_USER_FUNCTIONS);
    assert_eq!(ok!(token.session().state()), CKS_RW_PUBLIC_SESSION);
}

/// libp11 makes keys so.
fn login_works_at_once_after_closing_all_sessions() {
    let token = Token::new();
    for round in 0..20 {
        let session = token.user();
        ok!(session.aes_key(16, template![CKA_TOKEN => true]), "round {round}");
        ok!(token.module.close_all(token.slot));
    }
}

fn logout_without_login_is_an_error() {
    let token = Token::new();
    let session = token.session();
    fails!(session.logout(), CKR_USER_NOT_LOGGED_IN);
    ok!(session.login(CKU_USER, USER_PIN));
    ok!(session.logout());
    fails!(session.logout(), CKR_USER_NOT_LOGGED_IN);
}

fn private_session_objects_die_at_logout() {
    let token = Token::new();
    let session = token.user();
    let data = |private: bool| template![CKA_CLASS => CKO_DATA, CKA_PRIVATE => private];
    let private = ok!(session.create(&data(true)));
    let public = ok!(session.create(&data(false)));
    ok!(session.logout());
    assert_eq!(ok!(session.objects(&template![])), [public]);
    ok!(session.login(CKU_USER, USER_PIN));
    assert_eq!(ok!(session.objects(&template![])), [public], "they do not come back");
    fails!(session.value(private, CKA_CLASS), CKR_OBJECT_HANDLE_INVALID);
}

fn logout_ends_operations_of_private_keys() {
    let token = Token::new();
    let (first, second) = (token.user(), token.session());
    let usage = template![CKA_PRIVATE => true, CKA_ENCRYPT => true, CKA_DECRYPT => true, CKA_SIGN => true];
    let on_token = ok!(first.aes_key(32, usage.clone().with(CKA_TOKEN, true)));
    let in_session = ok!(first.aes_key(32, usage));
    let mode = Mechanism::with(CKM_AES_CBC, &[0; 16]);
    ok!(Encrypt::init(&first, &mode, on_token));
    ok!(Encrypt::init(&second, &mode, in_session));
    ok!(Decrypt::init(&second, &mode, on_token));
    ok!(Sign::init(&second, &Mechanism::plain(CKM_AES_CMAC), in_session));
    ok!(first.logout());
    let room = &mut [0; 64];
    for session in [first, second] {
        fails!(Encrypt::update(&session, &[0; 16], Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
        fails!(Encrypt::last(&session, Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
    }
    fails!(Decrypt::whole(&second, &[0; 16], Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
    fails!(Sign::whole(&second, &[0; 16], Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
    ok!(first.login(CKU_USER, USER_PIN));
    fails!(Encrypt::last(&first, Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
}

fn logout_makes_private_handles_invalid_for_ever() {
    let token = Token::new();
    let session = token.user();
    let private = template![CKA_TOKEN => true, CKA_PRIVATE => true, CKA_ID => b"private", CKA_ENCRYPT => true];
    let private = ok!(session.aes_key(32, private));
    let public = template![CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => false];
    let public = ok!(session.create(&public));
    let mode = || Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]);
    ok!(session.encrypt(&mode(), private, b"data"));
    let dead = || {
        fails!(session.value(private, CKA_CLASS), CKR_OBJECT_HANDLE_INVALID);
        fails!(session.destroy(private), CKR_OBJECT_HANDLE_INVALID);
        fails!(session.encrypt(&mode(), private, b"data"), CKR_KEY_HANDLE_INVALID);
    };
    ok!(session.logout());
    dead();
    ok!(session.value(public, CKA_CLASS));
    assert!(ok!(session.find(&template![CKA_ID => b"private"])).is_empty());
    ok!(session.login(CKU_USER, USER_PIN));
    dead();
    let found = ok!(session.find(&template![CKA_ID => b"private"]));
    assert_eq!(found.len(), 1);
    ok!(session.encrypt(&mode(), found[0], b"data"));
}

/// NSS and GnuTLS open the session again on just this code.
fn reinitialised_by_another_process_sessions_are_gone() {
    let token = Token::new();
    let (first, second) = (token.user(), ok!(token.module.read_only(token.slot)));
    let usage = template![CKA_TOKEN => true, CKA_LABEL => "old", CKA_ENCRYPT => true];
    let key = ok!(first.aes_key(32, usage));
    let mode = || Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]);
    ok!(first.encrypt(&mode(), key, b"data"));
    peer!(make_again).finish();
    fails!(first.encrypt(&mode(), key, b"data"), CKR_SESSION_HANDLE_INVALID | CKR_SESSION_CLOSED);
    fails!(second.find_init(&template![]), CKR_SESSION_HANDLE_INVALID | CKR_SESSION_CLOSED);
    fails!(first.value(key, CKA_LABEL), CKR_SESSION_HANDLE_INVALID | CKR_SESSION_CLOSED);
    fails!(first.login(CKU_USER, USER_PIN), CKR_SESSION_HANDLE_INVALID | CKR_SESSION_CLOSED);
    let session = token.session();
    assert_eq!(ok!(session.state()), CKS_RW_PUBLIC_SESSION, "the old login does not open the new token");
    ok!(session.login(CKU_USER, USER_PIN));
    assert!(ok!(session.objects(&template![])).is_empty());
    fails!(session.encrypt(&mode(), key, b"data"), CKR_KEY_HANDLE_INVALID);
    ok!(session.aes_key(32, template![CKA_TOKEN => true]));
}

fn pin_changed_by_another_process() {
    let token = Token::new();
    let session = token.user();
    ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "kept"]));
    peer!(change_pin, "another-pin").finish();
    ok!(session.aes_key(32, template![CKA_TOKEN => true]), "who is logged in stays so");
    ok!(session.logout());
    fails!(session.login(CKU_USER, USER_PIN), CKR_PIN_INCORRECT);
    ok!(session.login(CKU_USER, "another-pin"));
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "kept"])).len(), 1);
}

fn tell_the_state() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    say(ok!(session.state()));
    hear();
    ok!(session.login(CKU_USER, USER_PIN));
    say(ok!(session.state()));
    hear();
    say(ok!(session.state()));
}

fn make_again() {
    let (module, slot) = Token::in_peer();
    make_token_again(&module, slot);
}

fn change_pin() {
    let (module, slot) = Token::in_peer();
    ok!(ok!(module.read_write(slot)).set_pin(USER_PIN, &arguments()[0]));
}
