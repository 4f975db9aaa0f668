//! PINs: who may set them, how long they are, and what wrong ones do.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    user_changes_the_own_pin,
    so_changes_the_own_pin,
    pin_is_changed_without_login,
    only_the_so_sets_the_first_pin,
    lengths_of_new_pins_are_checked,
    lengths_are_configured,
    pins_are_bytes,
    wrong_pin_of_any_length_is_incorrect,
    missing_pin_is_a_bad_argument,
    wrong_pin_changes_no_state,
    counts_are_seen_by_all_and_cleared_by_success,
    user_is_locked_after_the_last_try,
    so_is_locked_after_the_last_try,
    counts_survive_a_restart,
    wrong_old_pins_count,
    ten_processes_guess_at_once,
    killed_guessers_are_counted_no_less_than_they_learned,
    new_pin_opens_what_the_old_one_sealed,
    so_sets_a_new_pin_and_objects_stay,
];
pub const PEERS: &[Test] = &tests![guess_once, tell_the_flags];

const USER_FLAGS: CK_FLAGS = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED;
const SO_FLAGS: CK_FLAGS = CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY | CKF_SO_PIN_LOCKED;

fn user_changes_the_own_pin() {
    let token = Token::new();
    let session = token.user();
    fails!(session.set_pin("wrong", "new-pin"), CKR_PIN_INCORRECT);
    ok!(session.set_pin(USER_PIN, "new-pin"));
    assert_eq!(ok!(session.state()), CKS_RW_USER_FUNCTIONS);
    ok!(session.logout());
    fails!(session.login(CKU_USER, USER_PIN), CKR_PIN_INCORRECT);
    ok!(session.login(CKU_USER, "new-pin"));
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN), "the SO's is another");
}

fn so_changes_the_own_pin() {
    let token = Token::new();
    let session = token.session();
    ok!(session.login(CKU_SO, SO_PIN));
    fails!(session.set_pin(USER_PIN, "new-so-pin"), CKR_PIN_INCORRECT);
    ok!(session.set_pin(SO_PIN, "new-so-pin"));
    ok!(session.logout());
    fails!(session.login(CKU_SO, SO_PIN), CKR_PIN_INCORRECT);
    ok!(session.login(CKU_SO, "new-so-pin"));
    ok!(session.logout());
    ok!(session.login(CKU_USER, USER_PIN));
    ok!(session.close());
    fails!(token.module.init_token(token.slot, SO_PIN, LABEL), CKR_PIN_INCORRECT);
    ok!(token.module.init_token(token.slot, "new-so-pin", LABEL));
}

/// In a public session `C_SetPIN` is about the user's PIN.
fn pin_is_changed_without_login() {
    let token = Token::new();
    let session = token.session();
    fails!(session.set_pin(SO_PIN, "new-pin"), CKR_PIN_INCORRECT);
    ok!(session.set_pin(USER_PIN, "new-pin"));
    assert_eq!(ok!(session.state()), CKS_RW_PUBLIC_SESSION);
    ok!(session.login(CKU_USER, "new-pin"));
}

fn only_the_so_sets_the_first_pin() {
    let token = Token::new();
    let session = token.session();
    fails!(session.init_pin("new-pin"), CKR_USER_NOT_LOGGED_IN);
    ok!(session.login(CKU_USER, USER_PIN));
    fails!(session.init_pin("new-pin"), CKR_USER_NOT_LOGGED_IN);
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    ok!(session.init_pin("new-pin"));
    let null = std::ptr::null_mut;
    fails!(call!(token.module.list, C_InitPIN(session.handle, null(), 8)), CKR_ARGUMENTS_BAD);
    fails!(call!(token.module.list, C_InitPIN(session.handle, null(), 0)), CKR_ARGUMENTS_BAD);
    ok!(session.logout());
    ok!(session.login(CKU_USER, "new-pin"));
}

fn lengths_of_new_pins_are_checked() {
    let token = Token::new();
    lengths(&token, 4, 255);
}

fn lengths_are_configured() {
    let token = Token::with(Config { pin_min: 8, pin_max: 20, ..Config::default() });
    lengths(&token, 8, 20);
}

fn lengths(token: &Token, min: usize, max: usize) {
    let pin = |length: usize| "p".repeat(length);
    let session = token.user();
    for length in [0, 1, min - 1, max + 1, 10_000] {
        fails!(session.set_pin(USER_PIN, &pin(length)), CKR_PIN_LEN_RANGE, "{length} bytes");
    }
    ok!(session.set_pin(USER_PIN, &pin(min)));
    ok!(session.set_pin(&pin(min), &pin(max)));
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    for length in [0, min - 1, max + 1] {
        fails!(session.init_pin(&pin(length)), CKR_PIN_LEN_RANGE, "{length} bytes");
        fails!(session.set_pin(SO_PIN, &pin(length)), CKR_PIN_LEN_RANGE, "{length} bytes");
    }
    ok!(session.set_pin(SO_PIN, &pin(max)));
    ok!(session.logout());
    ok!(session.login(CKU_USER, &pin(max)), "what was refused changed nothing");
    assert_eq!(token.flags() & (USER_FLAGS | SO_FLAGS), 0, "nor did it count");
}

fn pins_are_bytes() {
    let token = Token::new();
    let session = token.user();
    // The second of each pair is what a careless reading makes of the first.
    let pins = [
        ("pass\0word", "pass"),
        ("  blanks  ", "blanks"),
        ("Schlüssel-ß-€", "Schl?ssel-?-?"),
        ("\u{1}\u{2}\u{3}\u{4}", "\u{1}\u{2}\u{3}\u{4}\0"),
    ];
    let mut old = USER_PIN;
    for (pin, misread) in pins {
        ok!(session.set_pin(old, pin));
        ok!(session.logout());
        fails!(session.login(CKU_USER, misread), CKR_PIN_INCORRECT, "{pin:?}");
        ok!(session.login(CKU_USER, pin), "{pin:?}");
        old = pin;
    }
}

/// NSS and GnuTLS ask the person again on this code only.
fn wrong_pin_of_any_length_is_incorrect() {
    let token = Token::with(Config { user_tries: 1_000, so_tries: 1_000, ..Config::default() });
    let session = token.session();
    for length in [0, 1, 3, 4, 255, 256, 1_000, 100_000] {
        let pin = vec![b'w'; length];
        fails!(session.login_bytes(CKU_USER, &pin), CKR_PIN_INCORRECT, "{length} bytes");
        fails!(session.login_bytes(CKU_SO, &pin), CKR_PIN_INCORRECT, "{length} bytes");
    }
    for (number, byte) in USER_PIN.bytes().enumerate() {
        let mut pin = USER_PIN.as_bytes().to_vec();
        pin[number] = byte ^ 1;
        fails!(session.login_bytes(CKU_USER, &pin), CKR_PIN_INCORRECT);
        fails!(session.login_bytes(CKU_USER, &USER_PIN.as_bytes()[..number]), CKR_PIN_INCORRECT);
    }
    fails!(session.login_bytes(CKU_USER, &[0xff; 20]), CKR_PIN_INCORRECT);
    ok!(session.login(CKU_USER, USER_PIN));
}

/// There is no other way to enter a PIN, and nothing was guessed.
fn missing_pin_is_a_bad_argument() {
    let token = Token::new();
    let session = token.session();
    for user in [CKU_USER, CKU_SO] {
        for length in [0, 8] {
            fails!(session.login_null(user, length), CKR_ARGUMENTS_BAD, "length {length}");
        }
    }
    let (null, pin, length) = (std::ptr::null_mut, USER_PIN.as_ptr().cast_mut(), USER_PIN.len() as CK_ULONG);
    fails!(call!(token.module.list, C_SetPIN(session.handle, null(), length, pin, length)), CKR_ARGUMENTS_BAD);
    fails!(call!(token.module.list, C_SetPIN(session.handle, pin, length, null(), length)), CKR_ARGUMENTS_BAD);
    assert_eq!(token.flags() & (USER_FLAGS | SO_FLAGS), 0);
}

fn wrong_pin_changes_no_state() {
    let token = Token::new();
    let (first, second) = (token.session(), ok!(token.module.read_only(token.slot)));
    fails!(second.login(CKU_USER, "wrong"), CKR_PIN_INCORRECT);
    assert_eq!((first.state(), second.state()), (Ok(CKS_RW_PUBLIC_SESSION), Ok(CKS_RO_PUBLIC_SESSION)));
    fails!(first.aes_key(16, template![CKA_TOKEN => true]), CKR_USER_NOT_LOGGED_IN);
    ok!(first.login(CKU_USER, USER_PIN));
}

fn counts_are_seen_by_all_and_cleared_by_success() {
    let token = Token::with(Config { user_tries: 3, so_tries: 3, ..Config::default() });
    let session = token.session();
    let mut peer = peer!(tell_the_flags);
    let mut everywhere = || {
        let here = token.flags() & (USER_FLAGS | SO_FLAGS);
        peer.say("flags?");
        assert_eq!(peer.hear(), here.to_string(), "another process sees the same");
        here
    };
    assert_eq!(everywhere(), 0);
    fails!(session.login(CKU_USER, "wrong"), CKR_PIN_INCORRECT);
    assert_eq!(everywhere(), CKF_USER_PIN_COUNT_LOW);
    fails!(session.login(CKU_USER, "wrong"), CKR_PIN_INCORRECT);
    assert_eq!(everywhere(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
    fails!(session.login(CKU_SO, "wrong"), CKR_PIN_INCORRECT);
    assert_eq!(everywhere(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_SO_PIN_COUNT_LOW);
    ok!(session.login(CKU_USER, USER_PIN));
    assert_eq!(everywhere(), CKF_SO_PIN_COUNT_LOW, "a success clears the user's alone");
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    assert_eq!(everywhere(), 0);
}

fn user_is_locked_after_the_last_try() {
    let token = Token::with(Config { user_tries: 3, ..Config::default() });
    let session = token.session();
    for _ in 0..2 {
        fails!(session.login(CKU_USER, "wrong"), CKR_PIN_INCORRECT);
    }
    fails!(session.login(CKU_USER, "wrong"), CKR_PIN_INCORRECT | CKR_PIN_LOCKED);
    assert_ne!(token.flags() & CKF_USER_PIN_LOCKED, 0);
    for pin in [USER_PIN, "wrong"] {
        fails!(session.login(CKU_USER, pin), CKR_PIN_LOCKED);
        fails!(session.set_pin(pin, "another-pin"), CKR_PIN_LOCKED);
    }
    ok!(session.login(CKU_SO, SO_PIN));
    assert_ne!(token.flags() & CKF_USER_PIN_LOCKED, 0, "the SO's login does not open it");
    ok!(session.init_pin("new-pin"));
    assert_eq!(token.flags() & USER_FLAGS, 0);
    ok!(session.logout());
    fails!(session.login(CKU_USER, USER_PIN), CKR_PIN_INCORRECT);
    ok!(session.login(CKU_USER, "new-pin"));
}

/// For good: the owner of the files can only destroy the token.
fn so_is_locked_after_the_last_try() {
    let token = Token::with(Config { so_tries: 3, ..Config::default() });
    fails!(token.module.init_token(token.slot, "wrong", LABEL), CKR_PIN_INCORRECT);
    let session = token.session();
    fails!(session.login(CKU_SO, "wrong"), CKR_PIN_INCORRECT);
    assert_eq!(token.flags() & SO_FLAGS, CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY);
    fails!(session.login(CKU_SO, "wrong"), CKR_PIN_INCORRECT | CKR_PIN_LOCKED);
    fails!(session.login(CKU_SO, SO_PIN), CKR_PIN_LOCKED);
    ok!(session.close());
    fails!(token.module.init_token(token.slot, SO_PIN, LABEL), CKR_PIN_LOCKED);
    assert_ne!(token.flags() & CKF_SO_PIN_LOCKED, 0);
    ok!(token.user().close(), "the user works on");
}

fn counts_survive_a_restart() {
    let token = Token::with(Config { user_tries: 4, ..Config::default() });
    for flags in [CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY] {
        fails!(token.session().login(CKU_USER, "wrong"), CKR_PIN_INCORRECT);
        ok!(token.restart());
        assert_eq!(token.flags() & USER_FLAGS, flags);
    }
    assert!(peer!(guess_once, "wrong").finish().starts_with("CKR_PIN_"));
    ok!(token.restart());
    fails!(token.session().login(CKU_USER, USER_PIN), CKR_PIN_LOCKED);
}

fn wrong_old_pins_count() {
    let token = Token::with(Config { user_tries: 2, ..Config::default() });
    let session = token.user();
    fails!(session.set_pin("wrong", "another-pin"), CKR_PIN_INCORRECT);
    assert_eq!(token.flags() & USER_FLAGS, CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
    ok!(session.set_pin(USER_PIN, "another-pin"));
    assert_eq!(token.flags() & USER_FLAGS, 0, "a right one clears the count");
    fails!(session.set_pin("wrong", "third-pin"), CKR_PIN_INCORRECT);
    fails!(session.set_pin("wrong", "third-pin"), CKR_PIN_INCORRECT | CKR_PIN_LOCKED);
    fails!(session.set_pin("another-pin", "third-pin"), CKR_PIN_LOCKED);
}

/// Ten wrong PINs at once are ten: one try of eleven is left, none of ten.
fn ten_processes_guess_at_once() {
    for (tries, expected) in [(11, CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY), (10, CKF_USER_PIN_LOCKED)] {
        let token = Token::with(Config { user_tries: tries, memory_kib: 4 * 1024, ..Config::default() });
        let mut peers: Vec<_> = (0..10).map(|_| peer!(guess_once, "wrong", "wait")).collect();
        peers.iter_mut().for_each(|peer| assert_eq!(peer.hear(), "ready"));
        peers.iter_mut().for_each(|peer| peer.say("go"));
        for peer in peers {
            let outcome = peer.finish();
            assert!(["CKR_PIN_INCORRECT", "CKR_PIN_LOCKED"].contains(&outcome.as_str()), "{outcome}");
        }
        assert_eq!(token.flags() & expected, expected, "of {tries} tries: {:#x}", token.flags());
        let login = token.session().login(CKU_USER, USER_PIN);
        match tries {
            11 => ok!(login),
            _ => fails!(login, CKR_PIN_LOCKED),
        }
        ok!(token.module.finalize());
    }
}

/// Half of ten guessers are killed somewhere in the guess. Who was told that the PIN is wrong is counted; who was not may be.
fn killed_guessers_are_counted_no_less_than_they_learned() {
    const TRIES: u32 = 30;
    for round in 0..rounds(4, 60) {
        let token = Token::with(Config { user_tries: TRIES, memory_kib: 4 * 1024, ..Config::default() });
        let moments = ok!(token.session().random(5));
        let mut peers: Vec<_> = (0..10).map(|_| peer!(guess_once, "wrong", "wait")).collect();
        peers.iter_mut().for_each(|peer| assert_eq!(peer.hear(), "ready"));
        peers.iter_mut().for_each(|peer| peer.say("go"));
        let stay = peers.split_off(5);
        let mut told = 0;
        for (peer, moment) in peers.into_iter().zip(moments) {
            std::thread::sleep(std::time::Duration::from_micros(60 * u64::from(moment)));
            told += peer.kill_and_hear().len() as u32;
        }
        for peer in stay {
            assert_eq!(peer.finish(), "CKR_PIN_INCORRECT");
            told += 1;
        }
        let session = token.session();
        let mut left = 0;
        while token.flags() & CKF_USER_PIN_LOCKED == 0 {
            fails!(session.login(CKU_USER, "wrong"), CKR_PIN_INCORRECT | CKR_PIN_LOCKED);
            left += 1;
        }
        let counted = TRIES - left;
        assert!((told..=10).contains(&counted), "round {round}: {counted} counted, {told} told");
        ok!(token.module.finalize());
    }
}

fn new_pin_opens_what_the_old_one_sealed() {
    let token = Token::new();
    let session = token.user();
    let usage = template![CKA_TOKEN => true, CKA_LABEL => "kept", CKA_ENCRYPT => true, CKA_DECRYPT => true];
    let key = ok!(session.aes_key(32, usage));
    let mode = || Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]);
    let sealed = ok!(session.encrypt(&mode(), key, b"data"));
    // An operation that began before survives the change.
    ok!(Encrypt::init(&session, &mode(), key));
    ok!(session.set_pin(USER_PIN, "another-pin"));
    ok!(Encrypt::whole(&session, b"data", Some(&mut [0; 32])).0);
    ok!(token.restart());
    let session = token.session();
    ok!(session.login(CKU_USER, "another-pin"));
    let key = ok!(session.find(&template![CKA_LABEL => "kept"]))[0];
    assert_eq!(ok!(session.decrypt(&mode(), key, &sealed)), b"data");
}

fn so_sets_a_new_pin_and_objects_stay() {
    let token = Token::new();
    let session = token.user();
    ok!(session.create(&template![CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true, CKA_VALUE => "kept"]));
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    ok!(session.init_pin("forgotten no more"));
    ok!(token.restart());
    let session = token.session();
    ok!(session.login(CKU_USER, "forgotten no more"));
    let found = ok!(session.find(&template![CKA_CLASS => CKO_DATA]));
    assert_eq!(ok!(session.value(found[0], CKA_VALUE)), b"kept");
}

fn guess_once() {
    let arguments = arguments();
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    if arguments.len() > 1 {
        say("ready");
        hear();
    }
    say(session.login(CKU_USER, &arguments[0]).expect_err("the PIN is wrong"));
}

fn tell_the_flags() {
    let (module, slot) = Token::in_peer();
    while !hear().is_empty() {
        say(ok!(module.token_info(slot)).flags & (USER_FLAGS | SO_FLAGS));
    }
}
