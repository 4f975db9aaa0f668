//! Slots and tokens.
//!
//! Left aside: what clients do about lists longer than they read (GnuTLS stops at 48), about hidden decrypt-only
//! mechanisms and about labels that begin with "NSS" (Java) belongs to the client suites; sizes of RSA and EC keys belong to the
//! issues that bring them.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

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
    unknown_slots_are_invalid,
];
pub const PEERS: &[Test] = &tests![list_slots, make_token];

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
        ("cut", |file| fs::OpenOptions::new().write(true).open(file).unwrap().set_len(5_000).unwrap()),
    ];
    for (what, damage) in damages {
        let token = Token::new();
        let module = token.module;
        Token::make(&module, "second");
        let slots = ok!(module.slots(true));
        ok!(module.finalize());
        let file = &token.home.token_files()[0];
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
    let file = &token.home.token_files()[0];
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
    set_mode(&token.home.token_files()[0], 0o000);
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
