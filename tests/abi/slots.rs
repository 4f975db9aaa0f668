//! Slots and tokens.
//!
//! Left aside: what clients do about lists longer than they read (GnuTLS stops at 48), about hidden decrypt-only
//! mechanisms and about labels that begin with "NSS" (Java) belongs to the client suites; sizes of RSA and EC keys belong to the
//! issues that bring them.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    folder_without_tokens_shows_one_blank_token,
    blank_token_opens_no_session,
    initialising_keeps_the_slot,
    user_pin_is_set_on_the_old_slot_number_at_once,
    blank_is_listed_only_if_asked_for_and_last,
    slot_ids_are_small_distinct_and_stable,
    list_grows_only_at_a_call_with_null,
    filling_call_needs_no_call_before,
    short_list_tells_the_length,
    token_of_another_process_appears,
    damaged_tokens_keep_their_slots,
    token_of_a_newer_format_is_refused_by_name,
    token_without_read_permission_keeps_its_slot,
    no_usable_folder_is_no_slots,
    unreadable_configuration_is_no_slots,
    processes_initialise_at_once_and_one_wins,
    texts_are_padded_with_blanks,
    label_is_32_bytes_without_an_end,
    flags_of_a_new_token,
    counts_of_sessions_are_true,
    sizes_that_are_unknown_say_so,
    every_mechanism_answers,
    mechanisms_do_not_change,
    unknown_slots_are_invalid,
    init_token_refuses_bad_arguments,
    init_token_on_a_live_token_wants_the_so_pin,
    init_token_wipes_what_was_there,
    init_token_minds_sessions_of_this_process_only,
    read_only_store_serves_reads,
];
pub const PEERS: &[Test] = &tests![list_slots, make_token, initialise_with_own_pin, hold_a_session];

fn folder_without_tokens_shows_one_blank_token() {
    for show_blank in [false, true] {
        let home = Home::with(Config { show_blank, ..Config::default() });
        let module = Module::load();
        ok!(module.initialize());
        for with_token in [false, true] {
            assert_eq!(ok!(module.slots(with_token)).len(), 1);
        }
        let slot = ok!(module.slots(true))[0];
        assert_ne!(ok!(module.slot_info(slot)).flags & CKF_TOKEN_PRESENT, 0);
        let info = ok!(module.token_info(slot));
        assert_eq!(info.flags & (CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_USER_PIN_LOCKED), 0);
        assert_ne!(info.serialNumber, [b' '; 16]);
        assert!(!home.store().exists(), "nothing is made before the first C_InitToken");
        ok!(module.finalize());
        assert!(!home.store().exists(), "nor by C_Finalize");
    }
}

fn blank_token_opens_no_session() {
    let _home = Home::new();
    let module = Module::load();
    ok!(module.initialize());
    let slot = ok!(module.slots(true))[0];
    fails!(module.read_only(slot), CKR_TOKEN_NOT_RECOGNIZED);
    fails!(module.read_write(slot), CKR_TOKEN_NOT_RECOGNIZED);
    ok!(module.mechanisms(slot));
    ok!(module.close_all(slot));
}

fn initialising_keeps_the_slot() {
    let _home = Home::new();
    let module = Module::load();
    ok!(module.initialize());
    let slot = ok!(module.slots(true))[0];
    ok!(module.init_token(slot, SO_PIN, LABEL));
    let serial = ok!(module.token_info(slot)).serialNumber;
    assert_eq!(Token::find(&module, LABEL), slot);
    assert_eq!(ok!(module.slots(true))[0], slot);
    ok!(module.finalize());
    ok!(module.initialize());
    assert_eq!(Token::find(&module, LABEL), slot, "after a restart");
    assert_eq!(ok!(module.token_info(slot)).serialNumber, serial, "after a restart");
    assert_eq!(
        peer!(list_slots).finish(),
        format!("{slot} {LABEL}\n{}", ok!(module.slots(true))[1]),
        "another process"
    );
}

/// `pkcs11-tool --init-token --init-pin` does so.
fn user_pin_is_set_on_the_old_slot_number_at_once() {
    for show_blank in [false, true] {
        let _home = Home::with(Config { show_blank, ..Config::default() });
        let module = Module::load();
        ok!(module.initialize());
        let slot = ok!(module.slots(false))[0];
        ok!(module.init_token(slot, SO_PIN, LABEL));
        let session = ok!(module.read_write(slot));
        ok!(session.login(CKU_SO, SO_PIN));
        ok!(session.init_pin(USER_PIN));
        ok!(session.logout());
        ok!(session.login(CKU_USER, USER_PIN));
        ok!(module.finalize());
    }
}

fn blank_is_listed_only_if_asked_for_and_last() {
    let token = Token::with(Config { show_blank: false, ..Config::default() });
    let module = token.module;
    assert_eq!(ok!(module.slots(true)), [token.slot]);
    assert_eq!(ok!(module.slots(false)), [token.slot]);
    token.home.configure(&Config { show_blank: true, ..Config::default() });
    ok!(token.restart());
    let slots = ok!(module.slots(true));
    assert_eq!((slots.len(), slots[0]), (2, token.slot));
    let (live, blank) = (ok!(module.token_info(slots[0])), ok!(module.token_info(slots[1])));
    assert_eq!(blank.flags & CKF_TOKEN_INITIALIZED, 0);
    assert_ne!(ok!(module.slot_info(slots[1])).flags & CKF_TOKEN_PRESENT, 0);
    assert!(blank.serialNumber != live.serialNumber && blank.serialNumber != [b' '; 16]);
    Token::make(&module, "second");
    let slots = ok!(module.slots(true));
    assert_eq!(slots.len(), 3);
    assert_eq!(ok!(module.token_info(slots[2])).flags & CKF_TOKEN_INITIALIZED, 0, "the blank one is last");
}

fn slot_ids_are_small_distinct_and_stable() {
    let token = Token::new();
    let module = token.module;
    let made: Vec<_> = (0..5).map(|number| Token::make(&module, &format!("token {number}"))).collect();
    let slots = ok!(module.slots(true));
    assert_eq!(slots.len(), 7, "six tokens and a blank one");
    assert!(slots.iter().all(|slot| *slot < 1 << 31), "{slots:?}");
    assert_eq!(slots.iter().collect::<HashSet<_>>().len(), 7, "{slots:?}");
    assert_eq!(slots[1..6], made);
    ok!(token.restart());
    assert_eq!(ok!(module.slots(true)), slots);
    let elsewhere = peer!(list_slots).finish();
    let expected: Vec<_> = slots.iter().map(|slot| slot.to_string()).collect();
    assert_eq!(elsewhere.lines().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>(), expected);
    let child = Forked::start(|| {
        ok!(module.initialize());
        ok!(module.slots(true)).iter().flat_map(|slot| slot.to_ne_bytes()).collect()
    });
    assert_eq!(child.join(), slots.iter().flat_map(|slot| slot.to_ne_bytes()).collect::<Vec<_>>());
}

fn list_grows_only_at_a_call_with_null() {
    let token = Token::new();
    let before = ok!(token.module.slots(true));
    let count = ok!(token.module.slot_count(true));
    peer!(make_token, "later").finish();
    for _ in 0..3 {
        assert_eq!(ok!(token.module.slots_filled(true, 64)), before, "no call with NULL since");
        assert_eq!(ok!(token.module.slots_filled(true, count)), before);
    }
    assert_eq!(ok!(token.module.slot_count(true)), count + 1);
    assert_eq!(ok!(token.module.slots_filled(true, count + 1)).len(), count + 1);
}

fn filling_call_needs_no_call_before() {
    let token = Token::new();
    ok!(token.restart());
    let slots = ok!(token.module.slots_filled(true, 48));
    assert_eq!((slots.len(), slots[0]), (2, token.slot));
}

fn short_list_tells_the_length() {
    let token = Token::new();
    let (mut one, mut count) = ([7; 2], 1);
    fails!(call!(token.module.list, C_GetSlotList(1, one.as_mut_ptr(), &mut count)), CKR_BUFFER_TOO_SMALL);
    assert_eq!((one, count), ([7; 2], 2));
    let slot = token.slot;
    let (mut short, mut count) = ([0; 1], 1);
    fails!(call!(token.module.list, C_GetMechanismList(slot, short.as_mut_ptr(), &mut count)), CKR_BUFFER_TOO_SMALL);
    assert_eq!(count as usize, ok!(token.module.mechanisms(slot)).len());
}

fn token_of_another_process_appears() {
    let token = Token::new();
    let session = token.user();
    peer!(make_token, "from elsewhere").finish();
    let slot = Token::find(&token.module, "from elsewhere");
    assert_ne!(slot, token.slot);
    let other = ok!(token.module.read_write(slot));
    ok!(other.login(CKU_USER, USER_PIN));
    assert_eq!(ok!(session.state()), CKS_RW_USER_FUNCTIONS, "the login of the first token is its own");
}

fn damaged_tokens_keep_their_slots() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 3] = [
        ("emptied", |file| fs::write(file, b"").unwrap()),
        ("overwritten", |file| fs::write(file, vec![0x5a; 65_536]).unwrap()),
        ("cut", |file| {
            fs::OpenOptions::new().write(true).open(file).unwrap().set_len(5_000).unwrap();
            // The write-ahead log would make the file whole again.
            let _ = fs::remove_file(file.with_extension("db-wal"));
        }),
    ];
    for (what, damage) in damages {
        let token = Token::new();
        let module = token.module;
        Token::make(&module, "second");
        let slots = ok!(module.slots(true));
        ok!(module.finalize());
        let file = &token_files(&token.home.store())[0];
        damage(file);
        // What the log beside the file holds would mend it.
        for companion in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{companion}", file.display()));
        }
        ok!(module.initialize());
        assert_eq!(ok!(module.slots(true)), slots, "{what}");
        ok!(module.slot_info(slots[0]), "{what}");
        fails!(module.token_info(slots[0]), CKR_TOKEN_NOT_RECOGNIZED, "{what}");
        fails!(module.read_only(slots[0]), CKR_TOKEN_NOT_RECOGNIZED, "{what}");
        let session = ok!(module.read_write(slots[1]), "{what}");
        ok!(session.login(CKU_USER, USER_PIN), "{what}");
        ok!(module.finalize());
    }
}

/// The version is SQLite's `user_version`, four bytes at offset 60 of the file.
fn token_of_a_newer_format_is_refused_by_name() {
    let token = Token::new();
    ok!(token.module.finalize());
    let file = &token_files(&token.home.store())[0];
    let mut bytes = fs::read(file).unwrap();
    bytes[60..64].copy_from_slice(&4711_u32.to_be_bytes());
    fs::write(file, bytes).unwrap();
    let log = token.home.log_to_file();
    ok!(token.module.initialize());
    assert_eq!(ok!(token.module.slots(true))[0], token.slot);
    fails!(token.module.token_info(token.slot), CKR_TOKEN_NOT_RECOGNIZED);
    fails!(token.module.read_only(token.slot), CKR_TOKEN_NOT_RECOGNIZED);
    let said = fs::read_to_string(&log).unwrap_or_default();
    assert!(said.contains("4711"), "the log names the version: {said:?}");
}

fn token_without_read_permission_keeps_its_slot() {
    let token = Token::new();
    let module = token.module;
    Token::make(&module, "second");
    let slots = ok!(module.slots(true));
    ok!(module.finalize());
    open_to_all(&token.home);
    set_mode(&token_files(&token.home.store())[0], 0o000);
    Forked::start(|| {
        become_nobody();
        ok!(module.initialize());
        assert_eq!(ok!(module.slots(true))[..2], slots[..2]);
        fails!(module.token_info(slots[0]), CKR_TOKEN_NOT_RECOGNIZED);
        ok!(module.token_info(slots[1]));
        Vec::new()
    })
    .join();
}

fn no_usable_folder_is_no_slots() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for store in [file.path().to_owned(), file.path().join("below/a/file"), "/proc/no/such/folder".into()] {
        no_slots(&store);
    }
    let forbidden = tempfile::tempdir().unwrap();
    set_mode(forbidden.path(), 0o555);
    Forked::start(|| {
        become_nobody();
        no_slots(&forbidden.path().join("tokens"));
        Vec::new()
    })
    .join();
}

fn no_slots(store: &Path) {
    let home = Home::with(Config { store: Some(store.to_owned()), ..Config::default() });
    let log = home.log_to_file();
    let module = Module::load();
    ok!(module.initialize());
    for with_token in [false, true] {
        assert!(ok!(module.slots(with_token)).is_empty(), "{}", store.display());
    }
    fails!(module.init_token(0, SO_PIN, LABEL), CKR_SLOT_ID_INVALID);
    let said = fs::read_to_string(&log).unwrap_or_default();
    assert!(said.contains(store.to_str().unwrap()), "a line in the log names {}: {said:?}", store.display());
    ok!(module.finalize());
}

/// A module that is registered for every user of a machine is in nobody's way.
fn unreadable_configuration_is_no_slots() {
    let home = Home::new();
    let module = Module::load();
    fs::write(home.configuration(), "pin = nonsense [").unwrap();
    ok!(module.initialize());
    assert!(ok!(module.slots(true)).is_empty());
    ok!(module.finalize());
    home.enter();
    home.configure(&Config::default());
    ok!(module.initialize());
    assert_eq!(ok!(module.slots(true)).len(), 1);
}

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
        let refusals = ["CKR_FUNCTION_FAILED", "CKR_PIN_INCORRECT"];
        let losers = outcomes.iter().filter(|outcome| refusals.contains(&outcome.as_str())).count();
        assert_eq!(losers, 5, "round {round}: {outcomes:?}");
        assert_eq!(token_files(&home.store()).len(), 1, "round {round}");
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
    let set = CKF_RNG | CKF_LOGIN_REQUIRED | CKF_TOKEN_INITIALIZED;
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
        (CKM_AES_CBC, CKF_ENCRYPT | CKF_DECRYPT),
        (CKM_AES_CBC_PAD, CKF_ENCRYPT | CKF_DECRYPT),
        (CKM_AES_GCM, CKF_ENCRYPT | CKF_DECRYPT),
        (CKM_AES_CMAC, CKF_SIGN | CKF_VERIFY),
        (CKM_AES_KEY_WRAP, CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP),
        (CKM_AES_KEY_WRAP_KWP, CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP),
        (CKM_GENERIC_SECRET_KEY_GEN, CKF_GENERATE),
    ];
    let hashes = HASHES.iter().flat_map(|(digest, hmac)| [(*digest, CKF_DIGEST), (*hmac, CKF_SIGN | CKF_VERIFY)]);
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

fn unknown_slots_are_invalid() {
    let token = Token::new();
    let module = token.module;
    for slot in [token.slot + 1000, (1 << 31) - 1, CK_SLOT_ID::MAX] {
        fails!(module.slot_info(slot), CKR_SLOT_ID_INVALID);
        fails!(module.token_info(slot), CKR_SLOT_ID_INVALID);
        fails!(module.mechanisms(slot), CKR_SLOT_ID_INVALID);
        fails!(module.mechanism_info(slot, CKM_AES_CBC), CKR_SLOT_ID_INVALID);
        fails!(module.read_write(slot), CKR_SLOT_ID_INVALID);
        fails!(module.close_all(slot), CKR_SLOT_ID_INVALID);
        fails!(module.init_token(slot, SO_PIN, LABEL), CKR_SLOT_ID_INVALID);
    }
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
    assert!(token_files(&home.store()).is_empty());
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
    assert!(ok!(session.find(&template![])).is_empty());
    ok!(session.login(CKU_SO, SO_PIN));
    ok!(session.init_pin(USER_PIN));
    ok!(session.logout());
    ok!(session.login(CKU_USER, USER_PIN));
    assert!(ok!(session.find(&template![])).is_empty());
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

fn list_slots() {
    let module = Module::load();
    ok!(module.initialize());
    for slot in ok!(module.slots(true)) {
        let label = ok!(module.token_info(slot)).label;
        say(format!("{slot} {}", String::from_utf8_lossy(&label).trim_end()));
    }
}

fn make_token() {
    let module = Module::load();
    ok!(module.initialize());
    Token::make(&module, &arguments()[0]);
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

/// The tokens' files, in the order of their slots.
fn token_files(store: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(store) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "db"));
    files.sort();
    files
}
