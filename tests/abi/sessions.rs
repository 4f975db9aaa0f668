//! Sessions: opening and closing, handles, counts, randomness, and what is active in them.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    open_session_wants_a_serial_session,
    open_session_takes_a_notification,
    read_only_session_writes_no_token_object,
    handles_are_never_reused,
    handles_of_an_earlier_life_are_invalid,
    ten_thousand_sessions,
    session_info_asks_no_store,
    session_objects_die_with_their_session,
    random_needs_no_login,
    seed_is_taken_or_refused_politely,
    cancel_with_nothing_active_is_fine,
    cancel_ends_what_its_flags_name,
    init_without_a_mechanism_cancels,
    search_blocks_only_searches,
];

fn open_session_wants_a_serial_session() {
    let token = Token::new();
    fails!(token.module.open(token.slot, 0), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    fails!(token.module.open(token.slot, CKF_RW_SESSION), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    let (nothing, nowhere) = (std::ptr::null_mut(), std::ptr::null_mut());
    let open = call!(token.module.list, C_OpenSession(token.slot, CKF_SERIAL_SESSION, nothing, None, nowhere));
    fails!(open, CKR_ARGUMENTS_BAD);
    assert_eq!(ok!(token.module.token_info(token.slot)).ulSessionCount, 0);
}

/// NSS and OpenSSL's provider pass one; no removal can happen here, so it is never called.
fn open_session_takes_a_notification() {
    static CALLED: AtomicU32 = AtomicU32::new(0);
    extern "C" fn notify(_: CK_SESSION_HANDLE, _: CK_NOTIFICATION, _: *mut std::ffi::c_void) -> CK_RV {
        CALLED.fetch_add(1, Ordering::SeqCst);
        CKR_OK
    }
    let token = Token::new();
    let (mut handle, mut application) = (0, 0_u8);
    let flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    let context = (&raw mut application).cast();
    ok!(call!(token.module.list, C_OpenSession(token.slot, flags, context, Some(notify), &mut handle)));
    let session = Session::new(token.module, handle);
    ok!(session.login(CKU_USER, USER_PIN));
    ok!(session.aes_key(16, template![]));
    ok!(session.close());
    assert_eq!(CALLED.load(Ordering::SeqCst), 0);
}

fn read_only_session_writes_no_token_object() {
    let token = Token::new();
    let writer = token.user();
    let kept = template![CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => false, CKA_LABEL => "kept"];
    let kept = ok!(writer.create(&kept));
    let reader = ok!(token.module.read_only(token.slot));
    fails!(reader.aes_key(16, template![CKA_TOKEN => true]), CKR_SESSION_READ_ONLY);
    let data = |on_token: bool| template![CKA_CLASS => CKO_DATA, CKA_TOKEN => on_token];
    fails!(reader.create(&data(true)), CKR_SESSION_READ_ONLY);
    fails!(reader.destroy(kept), CKR_SESSION_READ_ONLY);
    fails!(reader.set_pin(USER_PIN, "another-pin"), CKR_SESSION_READ_ONLY);
    ok!(reader.create(&data(false)));
    let own = ok!(reader.aes_key(16, template![CKA_TOKEN => false]));
    ok!(reader.destroy(own));
    assert_eq!(ok!(writer.find(&template![CKA_LABEL => "kept"])), [kept]);
}

fn handles_are_never_reused() {
    let token = Token::new();
    let mut seen = HashSet::new();
    for round in 0..rounds(10_000, 1_000_000) {
        let session = ok!(token.module.read_only(token.slot));
        assert_ne!(session.handle, 0);
        assert!(seen.insert(session.handle), "round {round}: {:#x} again", session.handle);
        ok!(session.close());
        fails!(session.info(), CKR_SESSION_HANDLE_INVALID);
        fails!(session.close(), CKR_SESSION_HANDLE_INVALID);
    }
    for handle in [0, CK_SESSION_HANDLE::MAX] {
        fails!(Session::new(token.module, handle).info(), CKR_SESSION_HANDLE_INVALID);
    }
}

/// After `C_Finalize`, or in a forked child, programs replay the handles that they remember.
fn handles_of_an_earlier_life_are_invalid() {
    let token = Token::new();
    let old: Vec<_> = (0..8).map(|_| token.session()).collect();
    let all_differ = || {
        let fresh: Vec<_> = (0..8).map(|_| token.session()).collect();
        for session in &old {
            assert!(fresh.iter().all(|new| new.handle != session.handle), "{:#x} is reused", session.handle);
            fails!(session.info(), CKR_SESSION_HANDLE_INVALID);
        }
    };
    Forked::start(|| {
        ok!(token.module.initialize());
        all_differ();
        Vec::new()
    })
    .join();
    ok!(token.restart());
    all_differ();
}

fn ten_thousand_sessions() {
    let token = Token::new();
    let first = token.user();
    let sessions: Vec<_> = (0..10_000).map(|_| token.session()).collect();
    let handles: HashSet<_> = sessions.iter().map(|session| session.handle).collect();
    assert_eq!(handles.len(), 10_000);
    let info = ok!(token.module.token_info(token.slot));
    assert_eq!((info.ulSessionCount, info.ulRwSessionCount), (10_001, 10_001));
    let key = ok!(first.aes_key(16, template![CKA_ENCRYPT => true]));
    for session in &sessions {
        ok!(Encrypt::init(session, &Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]), key));
    }
    for session in sessions.iter().rev() {
        ok!(Encrypt::whole(session, b"every one of them works", Some(&mut [0; 64])).0);
    }
    ok!(first.logout());
    assert!(sessions.iter().all(|session| session.state() == Ok(CKS_RW_PUBLIC_SESSION)));
    ok!(token.module.close_all(token.slot));
    assert_eq!(ok!(token.module.token_info(token.slot)).ulSessionCount, 0);
}

/// OpenSSL's provider asks before each use of a session.
fn session_info_asks_no_store() {
    let token = Token::new();
    let session = token.user();
    let elsewhere = token.home.path().join("moved");
    std::fs::rename(token.home.store(), &elsewhere).unwrap();
    for _ in 0..1_000 {
        assert_eq!(ok!(session.state()), CKS_RW_USER_FUNCTIONS);
    }
    std::fs::rename(&elsewhere, token.home.store()).unwrap();
    let start = Instant::now();
    for _ in 0..100_000 {
        ok!(session.info());
    }
    assert!(start.elapsed() < Duration::from_secs(1), "100,000 calls took {:?}", start.elapsed());
}

fn session_objects_die_with_their_session() {
    let token = Token::new();
    let (first, second) = (token.user(), token.session());
    let key = ok!(first.aes_key(16, template![CKA_LABEL => "of the first", CKA_ENCRYPT => true]));
    let data = ok!(first.create(&template![CKA_CLASS => CKO_DATA, CKA_PRIVATE => false]));
    assert_eq!(ok!(second.find(&template![CKA_LABEL => "of the first"])), [key], "all sessions see it");
    ok!(second.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]), key, b"data"));
    ok!(first.close());
    assert!(ok!(second.objects(&template![])).is_empty());
    fails!(second.value(data, CKA_CLASS), CKR_OBJECT_HANDLE_INVALID);
    fails!(second.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]), key, b"data"), CKR_KEY_HANDLE_INVALID);
}

fn random_needs_no_login() {
    let token = Token::new();
    let session = ok!(token.module.read_only(token.slot));
    let mut seen = HashSet::new();
    for length in [16, 17, 100, 4096, 1 << 20] {
        let bytes = ok!(session.random(length));
        assert!(seen.insert(bytes[..16].to_vec()));
        assert!(bytes[length - 16..].iter().any(|byte| *byte != 0), "the end is filled too");
    }
    ok!(session.random(0));
    let null = std::ptr::null_mut;
    fails!(call!(token.module.list, C_GenerateRandom(session.handle, null(), 16)), CKR_ARGUMENTS_BAD);
}

/// NSS seeds every token that it loads.
fn seed_is_taken_or_refused_politely() {
    let token = Token::new();
    let session = ok!(token.module.read_only(token.slot));
    if let Err(code) = session.seed(&[1; 32]) {
        assert_eq!(code, Rv(CKR_RANDOM_SEED_NOT_SUPPORTED));
    }
    assert_ne!(ok!(session.random(32)), ok!(session.random(32)));
}

fn cancel_with_nothing_active_is_fine() {
    let token = Token::new();
    let session = token.session();
    for flags in [0, CKF_ENCRYPT, CKF_ENCRYPT | CKF_DECRYPT | CKF_DIGEST | CKF_SIGN | CKF_VERIFY | CKF_FIND_OBJECTS] {
        ok!(session.cancel(flags), "flags {flags:#x}");
    }
    fails!(Session::new(token.module, 0).cancel(CKF_ENCRYPT), CKR_SESSION_HANDLE_INVALID);
}

fn cancel_ends_what_its_flags_name() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(16, template![CKA_ENCRYPT => true, CKA_DECRYPT => true, CKA_SIGN => true]));
    let mode = || Mechanism::with(CKM_AES_CBC, &[0; 16]);
    let room = &mut [0; 64];
    let start = || {
        ok!(Encrypt::init(&session, &mode(), key));
        ok!(Decrypt::init(&session, &mode(), key));
        ok!(Digest::init(&session, &Mechanism::plain(CKM_SHA256), 0));
        ok!(Sign::init(&session, &Mechanism::plain(CKM_AES_CMAC), key));
        ok!(session.find_init(&template![]));
    };
    start();
    ok!(session.cancel(0));
    fails!(Encrypt::init(&session, &mode(), key), CKR_OPERATION_ACTIVE, "flags 0 change nothing");
    ok!(session.cancel(CKF_ENCRYPT));
    fails!(Encrypt::last(&session, Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
    ok!(Decrypt::last(&session, Some(room)).0, "the half that was not named");
    ok!(session.cancel(CKF_DIGEST | CKF_SIGN | CKF_FIND_OBJECTS));
    fails!(Digest::last(&session, Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
    fails!(Sign::last(&session, Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
    fails!(session.find_next(1), CKR_OPERATION_NOT_INITIALIZED);
    start();
    let messages = CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY;
    let idle = CKF_VERIFY | CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER | CKF_GENERATE | CKF_WRAP | CKF_DERIVE | messages;
    ok!(session.cancel(idle), "flags of what does not run");
    ok!(Encrypt::last(&session, Some(room)).0);
    ok!(Decrypt::last(&session, Some(room)).0);
    ok!(Digest::last(&session, Some(room)).0);
    ok!(Sign::last(&session, Some(room)).0);
    ok!(session.find_final());
    start();
    ok!(session.cancel(CK_FLAGS::MAX));
    start();
    fails!(Session::new(token.module, 0).cancel(0), CKR_SESSION_HANDLE_INVALID);
}

fn init_without_a_mechanism_cancels() {
    let token = Token::new();
    let session = token.user();
    let key =
        ok!(session
            .aes_key(16, template![CKA_ENCRYPT => true, CKA_DECRYPT => true, CKA_SIGN => true, CKA_VERIFY => true]));
    let mode = || Mechanism::with(CKM_AES_CBC, &[0; 16]);
    let mac = || Mechanism::plain(CKM_AES_CMAC);
    let (list, handle, null) = (token.module.list, session.handle, std::ptr::null_mut);
    for round in 0..2 {
        ok!(Encrypt::init(&session, &mode(), key), "round {round}");
        ok!(Decrypt::init(&session, &mode(), key), "round {round}");
        ok!(Digest::init(&session, &Mechanism::plain(CKM_SHA256), 0), "round {round}");
        ok!(Sign::init(&session, &mac(), key), "round {round}");
        ok!(session.verify_init(&mac(), key), "round {round}");
        // The second time nothing is active.
        for _ in 0..2 {
            ok!(call!(list, C_EncryptInit(handle, null(), key)));
            ok!(call!(list, C_DecryptInit(handle, null(), key)));
            ok!(call!(list, C_DigestInit(handle, null())));
            ok!(call!(list, C_SignInit(handle, null(), key)));
            ok!(call!(list, C_VerifyInit(handle, null(), key)));
        }
        let room = &mut [0; 64];
        fails!(Encrypt::last(&session, Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
        fails!(Digest::last(&session, Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
    }
}

/// python-pkcs11 and rust-cryptoki use each object while the search goes on.
fn search_blocks_only_searches() {
    let token = Token::new();
    let session = token.user();
    for id in 0..3_u8 {
        ok!(session.aes_key(16, template![CKA_TOKEN => true, CKA_ID => &[id], CKA_ENCRYPT => true]));
    }
    fails!(session.find_next(1), CKR_OPERATION_NOT_INITIALIZED);
    fails!(session.find_final(), CKR_OPERATION_NOT_INITIALIZED);
    ok!(session.find_init(&template![CKA_CLASS => CKO_SECRET_KEY]));
    fails!(session.find_init(&template![]), CKR_OPERATION_ACTIVE);
    let mut ids = HashSet::new();
    while let [key] = ok!(session.find_next(1))[..] {
        ids.insert(ok!(session.value(key, CKA_ID)));
        ok!(session.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]), key, b"data"));
        ok!(session.digest(CKM_SHA256, b"data"));
        ok!(session.create(&template![CKA_CLASS => CKO_DATA]));
    }
    assert_eq!(ids.len(), 3);
    assert!(ok!(session.find_next(1)).is_empty());
    ok!(session.find_final());
    ok!(session.find_init(&template![]));
}
