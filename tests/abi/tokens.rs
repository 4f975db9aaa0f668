//! Tokens: what they say of themselves, and how they are made, made again and kept on read-only media.

use std::collections::HashSet;
use std::fs;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    processes_initialise_at_once_and_one_wins,
    texts_are_padded_with_blanks,
    label_is_32_bytes_without_an_end,
    flags_of_a_new_token,
    counts_of_sessions_are_true,
    sizes_that_are_unknown_say_so,
    every_mechanism_answers,
    mechanisms_do_not_change,
    init_token_refuses_bad_arguments,
    init_token_on_a_live_token_wants_the_so_pin,
    init_token_wipes_what_was_there,
    init_token_minds_sessions_of_this_process_only,
    read_only_store_serves_reads,
    a_removed_token_is_gone_for_who_has_it_open,
];
pub const PEERS: &[Test] = &tests![initialise_with_own_pin, hold_a_session];

/// Each process saw a blank slot. The losers neither make the winner's token anew nor count a wrong PIN in it; one that came
/// so late that it saw the token already is refused for its PIN.
fn processes_initialise_at_once_and_one_wins() {
    for round in 0..rounds(3, 50) {
        let home = Home::new();
        let module = Module::load();
        ok!(module.initialize());
        let mut peers: Vec<_> =
            (0..6).map(|number| peer!(initialise_with_own_pin, format!("own-so-pin-{number}"))).collect();
        peers.iter_mut().for_each(|peer| assert_eq!(peer.hear(), "ready"));
        peers.iter_mut().for_each(|peer| peer.say("go"));
        let outcomes: Vec<_> = peers.into_iter().map(Peer::finish).collect();
        let winners: Vec<_> = (0..6).filter(|number| outcomes[*number] == "CKR_OK").collect();
        assert_eq!(winners.len(), 1, "round {round}: {outcomes:?}");
        let refused = ["CKR_PIN_INCORRECT", "CKR_FUNCTION_FAILED"];
        let losers = outcomes.iter().filter(|outcome| refused.contains(&outcome.as_str())).count();
        assert_eq!(losers, 5, "round {round}: {outcomes:?}");
        assert_eq!(home.token_files().len(), 1, "round {round}");
        let slot = Token::find(&module, LABEL);
        assert_eq!(ok!(module.slots(true)).len(), 2);
        ok!(ok!(module.read_write(slot)).login(CKU_SO, &format!("own-so-pin-{}", winners[0])), "round {round}");
        ok!(module.finalize());
    }
}

fn texts_are_padded_with_blanks() {
    let token = Token::new();
    for slot in ok!(token.module.slots(true)) {
        let (slot_info, info) = (ok!(token.module.slot_info(slot)), ok!(token.module.token_info(slot)));
        let texts: [&[u8]; 6] = [
            &slot_info.slotDescription,
            &slot_info.manufacturerID,
            &info.label,
            &info.manufacturerID,
            &info.model,
            &info.serialNumber,
        ];
        for text in texts {
            let text = std::str::from_utf8(text).expect("UTF-8");
            assert!(!text.contains('\0') && text.trim_end() == text.trim(), "{text:?}");
        }
        assert_eq!(info.manufacturerID, *b"Keystead                        ");
        assert_eq!(info.model, *b"Keystead        ");
    }
    let label = ok!(token.module.token_info(token.slot)).label;
    assert_eq!(label, *b"suite                           ");
}

fn label_is_32_bytes_without_an_end() {
    let _home = Home::new();
    let module = Module::load();
    ok!(module.initialize());
    for label in ["exactly thirty-two bytes of text", "thirty-two bytes that end in ü ü"] {
        assert!(label.len() == 32 || label.len() == 34);
        let label = &label[label.len() - 32..];
        let slot = *ok!(module.slots(true)).last().unwrap();
        // What follows the 32 bytes in the caller's memory is not looked at.
        let mut memory = format!("{label}XXXXXXXX").into_bytes();
        let pin = SO_PIN.as_ptr().cast_mut();
        ok!(call!(module.list, C_InitToken(slot, pin, SO_PIN.len() as CK_ULONG, memory.as_mut_ptr())));
        assert_eq!(ok!(module.token_info(slot)).label, label.as_bytes());
    }
}

fn flags_of_a_new_token() {
    let _home = Home::new();
    let module = Module::load();
    ok!(module.initialize());
    let slot = ok!(module.slots(true))[0];
    ok!(module.init_token(slot, SO_PIN, LABEL));
    let flags = || ok!(module.token_info(slot)).flags;
    let set = CKF_RNG | CKF_LOGIN_REQUIRED | CKF_TOKEN_INITIALIZED | CKF_DUAL_CRYPTO_OPERATIONS;
    let clear = CKF_WRITE_PROTECTED
        | CKF_USER_PIN_INITIALIZED
        | CKF_PROTECTED_AUTHENTICATION_PATH
        | CKF_USER_PIN_COUNT_LOW
        | CKF_USER_PIN_FINAL_TRY
        | CKF_USER_PIN_LOCKED
        | CKF_USER_PIN_TO_BE_CHANGED
        | CKF_SO_PIN_COUNT_LOW
        | CKF_SO_PIN_FINAL_TRY
        | CKF_SO_PIN_LOCKED
        | CKF_SO_PIN_TO_BE_CHANGED;
    assert_eq!(flags() & (set | clear), set, "{:#x}", flags());
    assert_eq!(ok!(module.slot_info(slot)).flags & (CKF_REMOVABLE_DEVICE | CKF_TOKEN_PRESENT), CKF_TOKEN_PRESENT);

    let session = ok!(module.read_write(slot));
    fails!(session.login(CKU_USER, USER_PIN), CKR_USER_PIN_NOT_INITIALIZED);
    ok!(session.random(16));
    ok!(session.login(CKU_SO, SO_PIN));
    ok!(session.init_pin(USER_PIN));
    assert_eq!(flags() & (set | clear), set | CKF_USER_PIN_INITIALIZED);
}

fn counts_of_sessions_are_true() {
    let token = Token::new();
    let module = token.module;
    let other = Token::make(&module, "other");
    let counts = |slot| {
        let info = ok!(module.token_info(slot));
        assert!(info.ulMaxSessionCount < 1 << 31 && info.ulMaxRwSessionCount < 1 << 31, "infinite is 0");
        assert!(info.ulMaxSessionCount == 0 || info.ulMaxSessionCount >= 10_000);
        (info.ulSessionCount, info.ulRwSessionCount)
    };
    assert_eq!(counts(token.slot), (0, 0));
    let first = ok!(module.read_only(token.slot));
    let second = ok!(module.read_write(token.slot));
    ok!(module.read_write(other));
    assert_eq!((counts(token.slot), counts(other)), ((2, 1), (1, 1)));
    ok!(second.close());
    assert_eq!(counts(token.slot), (1, 0));
    ok!(module.close_all(token.slot));
    assert_eq!((counts(token.slot), counts(other)), ((0, 0), (1, 1)));
    fails!(first.info(), CKR_SESSION_HANDLE_INVALID);
}

fn sizes_that_are_unknown_say_so() {
    let token = Token::with(Config { pin_min: 6, pin_max: 40, ..Config::default() });
    let info = ok!(token.module.token_info(token.slot));
    for size in [info.ulTotalPublicMemory, info.ulFreePublicMemory, info.ulTotalPrivateMemory, info.ulFreePrivateMemory]
    {
        assert_eq!(size, CK_UNAVAILABLE_INFORMATION);
    }
    assert_eq!((info.ulMinPinLen, info.ulMaxPinLen), (6, 40));
}

fn every_mechanism_answers() {
    let token = Token::new();
    let list = ok!(token.module.mechanisms(token.slot));
    assert_eq!(list.iter().collect::<HashSet<_>>().len(), list.len(), "none is listed twice");
    for number in &list {
        let info = ok!(token.module.mechanism_info(token.slot, *number), "mechanism {number:#x}");
        assert!(info.ulMinKeySize <= info.ulMaxKeySize, "mechanism {number:#x}");
        assert!(info.ulMaxKeySize < 1 << 28, "mechanism {number:#x}: eight times its size must fit 31 bits");
        assert_ne!(info.flags, 0, "mechanism {number:#x}");
    }
    let expected = [
        (CKM_AES_KEY_GEN, CKF_GENERATE),
        (CKM_AES_ECB, CKF_ENCRYPT | CKF_DECRYPT),
        (CKM_AES_CTR, CKF_ENCRYPT | CKF_DECRYPT),
        (CKM_AES_CBC, CKF_ENCRYPT | CKF_DECRYPT),
        (CKM_AES_CBC_PAD, CKF_ENCRYPT | CKF_DECRYPT),
        (CKM_AES_GCM, CKF_ENCRYPT | CKF_DECRYPT),
        (CKM_AES_CMAC, CKF_SIGN | CKF_VERIFY),
        (CKM_AES_KEY_WRAP, CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP),
        (CKM_AES_KEY_WRAP_KWP, CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP),
        (CKM_GENERIC_SECRET_KEY_GEN, CKF_GENERATE),
    ];
    let hashes = hashes().iter().flat_map(|hash| [(hash.digest, CKF_DIGEST), (hash.hmac, CKF_SIGN | CKF_VERIFY)]);
    for (number, flags) in expected.into_iter().chain(hashes) {
        let info = ok!(token.module.mechanism_info(token.slot, number), "mechanism {number:#x}");
        assert_eq!(info.flags & flags, flags, "mechanism {number:#x}");
        assert!(list.contains(&number), "mechanism {number:#x}");
    }
    for number in [CKM_AES_KEY_GEN, CKM_AES_CBC, CKM_AES_GCM, CKM_AES_KEY_WRAP] {
        let info = ok!(token.module.mechanism_info(token.slot, number));
        assert_eq!((info.ulMinKeySize, info.ulMaxKeySize), (16, 32), "sizes of AES are bytes: {number:#x}");
    }
    let generic = ok!(token.module.mechanism_info(token.slot, CKM_GENERIC_SECRET_KEY_GEN));
    assert!(generic.ulMinKeySize >= 8, "sizes of generic secrets are bits");
    for number in [CKM_VENDOR_DEFINED, CKM_RC4, 0x7fff_ffff] {
        fails!(token.module.mechanism_info(token.slot, number), CKR_MECHANISM_INVALID);
    }
}

fn mechanisms_do_not_change() {
    let token = Token::new();
    let before = ok!(token.module.mechanisms(token.slot));
    let session = token.user();
    assert_eq!(ok!(token.module.mechanisms(token.slot)), before, "after login");
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    assert_eq!(ok!(token.module.mechanisms(token.slot)), before, "for the SO");
    ok!(token.restart());
    assert_eq!(ok!(token.module.mechanisms(token.slot)), before, "after a restart");
}

fn init_token_refuses_bad_arguments() {
    let home = Home::with(Config { pin_max: 32, ..Config::default() });
    let module = Module::load();
    ok!(module.initialize());
    let slot = ok!(module.slots(true))[0];
    let pin = || SO_PIN.as_ptr().cast_mut();
    let mut label = [b' '; 32];
    let null = std::ptr::null_mut;
    fails!(call!(module.list, C_InitToken(slot, pin(), 8, null())), CKR_ARGUMENTS_BAD);
    fails!(call!(module.list, C_InitToken(slot, null(), 8, label.as_mut_ptr())), CKR_ARGUMENTS_BAD);
    fails!(call!(module.list, C_InitToken(slot, null(), 0, label.as_mut_ptr())), CKR_ARGUMENTS_BAD);
    for pin in ["", "123", "123456789 123456789 123456789 123"] {
        fails!(module.init_token(slot, pin, LABEL), CKR_PIN_LEN_RANGE, "{pin:?}");
    }
    assert!(home.token_files().is_empty());
    ok!(module.init_token(slot, "1234", LABEL));
}

fn init_token_on_a_live_token_wants_the_so_pin() {
    let token = Token::new();
    let serial = ok!(token.module.token_info(token.slot)).serialNumber;
    fails!(token.module.init_token(token.slot, "wrong", "taken over"), CKR_PIN_INCORRECT);
    fails!(token.module.init_token(token.slot, USER_PIN, "taken over"), CKR_PIN_INCORRECT);
    assert_ne!(token.flags() & CKF_SO_PIN_COUNT_LOW, 0, "such guesses count");
    assert_eq!(Token::find(&token.module, LABEL), token.slot);
    ok!(token.module.init_token(token.slot, SO_PIN, "made again"));
    assert_eq!(Token::find(&token.module, "made again"), token.slot);
    assert_eq!(ok!(token.module.token_info(token.slot)).serialNumber, serial, "saved URIs name it");
    assert_eq!(token.flags() & (CKF_SO_PIN_COUNT_LOW | CKF_USER_PIN_INITIALIZED), 0);
}

fn init_token_wipes_what_was_there() {
    let token = Token::new();
    let session = token.user();
    ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "private", CKA_PRIVATE => true]));
    ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "public", CKA_PRIVATE => false]));
    ok!(session.close());
    ok!(token.module.init_token(token.slot, SO_PIN, LABEL));
    let session = token.session();
    fails!(session.login(CKU_USER, USER_PIN), CKR_USER_PIN_NOT_INITIALIZED);
    assert!(ok!(session.objects(&template![])).is_empty());
    ok!(session.login(CKU_SO, SO_PIN));
    ok!(session.init_pin(USER_PIN));
    ok!(session.logout());
    ok!(session.login(CKU_USER, USER_PIN));
    assert!(ok!(session.objects(&template![])).is_empty());
}

fn init_token_minds_sessions_of_this_process_only() {
    let token = Token::new();
    let session = token.session();
    fails!(token.module.init_token(token.slot, SO_PIN, LABEL), CKR_SESSION_EXISTS);
    ok!(session.info());
    ok!(session.close());
    let mut peer = peer!(hold_a_session);
    assert_eq!(peer.hear(), "open");
    ok!(token.module.init_token(token.slot, SO_PIN, LABEL));
    peer.kill();
    ok!(token.module.init_token(token.slot, SO_PIN, LABEL));
}

/// Opening read-write is allowed, for OpenSSH opens no other session; each write is refused.
fn read_only_store_serves_reads() {
    let token = Token::new();
    let module = token.module;
    let session = token.user();
    let usage = template![CKA_TOKEN => true, CKA_LABEL => "kept", CKA_ENCRYPT => true, CKA_SIGN => true];
    ok!(session.aes_key(32, usage));
    ok!(module.finalize());
    open_to_all(&token.home);
    for file in fs::read_dir(token.home.store()).unwrap().flatten() {
        set_mode(&file.path(), 0o444);
    }
    set_mode(&token.home.store(), 0o555);
    Forked::start(|| {
        become_nobody();
        ok!(module.initialize());
        assert_ne!(token.flags() & CKF_WRITE_PROTECTED, 0);
        let session = token.user();
        let key = ok!(session.find(&template![CKA_LABEL => "kept"]))[0];
        ok!(session.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]), key, b"data"));
        ok!(session.sign(&Mechanism::plain(CKM_AES_CMAC), key, b"data"));
        ok!(session.aes_key(16, template![CKA_TOKEN => false]));
        fails!(session.aes_key(16, template![CKA_TOKEN => true]), CKR_TOKEN_WRITE_PROTECTED);
        fails!(session.set(key, &template![CKA_LABEL => "x"]), CKR_TOKEN_WRITE_PROTECTED | CKR_FUNCTION_NOT_SUPPORTED);
        fails!(session.destroy(key), CKR_TOKEN_WRITE_PROTECTED);
        fails!(session.set_pin(USER_PIN, "another-pin"), CKR_TOKEN_WRITE_PROTECTED);
        ok!(session.close());
        fails!(module.init_token(token.slot, SO_PIN, LABEL), CKR_TOKEN_WRITE_PROTECTED);
        Vec::new()
    })
    .join();
    set_mode(&token.home.store(), 0o755);
}

/// Removing a token closes its sessions; the next look shows an empty place.
fn a_removed_token_is_gone_for_who_has_it_open() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "lost", CKA_ENCRYPT => true]));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keystead"));
    command.args(["token", "destroy", LABEL, "--yes"]).env("KEYSTEAD_SO_PIN", SO_PIN);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");

    fails!(session.aes_key(32, template![CKA_TOKEN => true]), CKR_SESSION_HANDLE_INVALID);
    // Who reads looks a moment later.
    let begun = std::time::Instant::now();
    while session.find(&template![]).is_ok() {
        assert!(begun.elapsed().as_secs() < 30);
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    fails!(session.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]), key, b"data"), CKR_SESSION_HANDLE_INVALID);
    fails!(session.find(&template![]), CKR_SESSION_HANDLE_INVALID);
    fails!(session.logout().and_then(|()| session.login(CKU_USER, USER_PIN)), CKR_SESSION_HANDLE_INVALID);
    fails!(token.module.token_info(token.slot), CKR_TOKEN_NOT_RECOGNIZED);
    ok!(session.close());
    assert!(!ok!(token.module.slots(true)).contains(&token.slot));
    fails!(token.module.token_info(token.slot), CKR_SLOT_ID_INVALID);
    assert!(token.home.token_files().is_empty());
}

fn initialise_with_own_pin() {
    let module = Module::load();
    ok!(module.initialize());
    let slot = ok!(module.slots(true))[0];
    say("ready");
    hear();
    match module.init_token(slot, &arguments()[0], LABEL) {
        Ok(()) => say("CKR_OK"),
        Err(code) => say(code),
    }
}

fn hold_a_session() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    say("open");
    hear();
}
