//! A witness outside the store: what is put back is found out, and what is killed is not mistaken for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    a_folder_that_was_put_back_is_refused_by_name,
    counts_of_wrong_pins_that_were_set_back_are_found_out,
    a_wrong_pin_alone_cannot_be_taken_back,
    without_a_witness_nothing_of_this_is_noticed,
    killed_writers_are_not_mistaken_for_who_puts_back,
    two_processes_write_and_log_in_under_one_witness,
    a_missing_witness_is_a_clear_code,
    a_witness_that_cannot_be_written_stops_writers_only,
    a_full_disk_of_witnesses_stops_no_commit,
    a_read_only_store_is_held_to_its_witness,
];
pub const PEERS: &[Test] = &tests![writer];

fn witnesses(home: &Home) -> PathBuf {
    home.path().join("witnesses")
}

/// A token with a witness, or the same home without one.
fn token(with: bool) -> Token {
    let home = Home::new();
    fs::create_dir(witnesses(&home)).unwrap();
    configure(&home, with);
    Token::new_in(home)
}

fn configure(home: &Home, with: bool) {
    home.configure(&Config { witness: with.then(|| witnesses(home)), ..Config::default() });
}

fn witness(token: &Token) -> PathBuf {
    fs::read_dir(witnesses(&token.home)).unwrap().next().unwrap().unwrap().path()
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(from).unwrap().flatten() {
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn database(token: &Token) -> rusqlite::Connection {
    rusqlite::Connection::open(token.home.database()).unwrap()
}

/// Nobody logs in by whatever PIN, none is counted, nothing is written, and what is public is read.
fn is_refused(token: &Token, why: &str) {
    let log = token.home.log_to_file();
    ok!(token.restart());
    let flags = token.flags();
    let session = token.session();
    for _ in 0..11 {
        for pin in [USER_PIN, "wrong-pin"] {
            fails!(session.login(CKU_USER, pin), CKR_DEVICE_ERROR);
        }
        fails!(session.login(CKU_SO, SO_PIN), CKR_DEVICE_ERROR);
    }
    assert_eq!(token.flags(), flags, "nothing was counted");
    fails!(session.create(&public()), CKR_DEVICE_ERROR);
    fails!(session.set_pin(USER_PIN, "another-pin"), CKR_DEVICE_ERROR);
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "public"])).len(), 1);
    ok!(session.close());
    fails!(token.module.init_token(token.slot, SO_PIN, "new"), CKR_DEVICE_ERROR);
    let said = fs::read_to_string(log).unwrap();
    assert!(said.contains(why) && said.contains("keystead token accept"), "{said}");
}

fn public() -> Template {
    template![CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => false, CKA_LABEL => "public"]
}

fn public_object(session: &Session) {
    ok!(session.create(&public()));
}

fn a_folder_that_was_put_back_is_refused_by_name() {
    let token = token(true);
    let session = token.user();
    public_object(&session);
    ok!(token.module.finalize());
    let aside = token.home.path().join("aside");
    copy(&token.home.store(), &aside);
    ok!(token.module.initialize());
    ok!(token.user().aes_key(32, token_key("lost")));
    ok!(token.module.finalize());
    copy(&aside, &token.home.store());
    ok!(token.module.initialize());
    is_refused(&token, "put back to an older state");
}

/// The bytes of the token row with another count of the user's wrong PINs: the first unsigned in the array of field 10.
fn with_count(bytes: &[u8], count: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = bytes.windows(2).rposition(|part| part == [0x0a, 0x82]).unwrap();
    bytes[at + 2] = count;
    bytes
}

fn set_back_the_count(token: &Token) {
    let database = database(token);
    let bytes: Vec<u8> = database.query_row("SELECT bytes FROM token", [], |row| row.get(0)).unwrap();
    let count = with_count(&bytes, 0);
    assert_ne!(bytes, count);
    assert_eq!(database.execute("UPDATE token SET bytes = ?1", [count]).unwrap(), 1);
}

fn counts_of_wrong_pins_that_were_set_back_are_found_out() {
    let token = token(true);
    let session = token.user();
    public_object(&session);
    ok!(session.logout());
    for _ in 0..3 {
        fails!(session.login(CKU_USER, "wrong-pin"), CKR_PIN_INCORRECT);
    }
    ok!(session.close());
    ok!(token.module.finalize());
    set_back_the_count(&token);
    ok!(token.module.initialize());
    is_refused(&token, "or edited");
}

/// One commit is enough: the state before it is past as soon as its caller has been told.
fn a_wrong_pin_alone_cannot_be_taken_back() {
    let token = token(true);
    let session = token.user();
    public_object(&session);
    ok!(token.module.finalize());
    let aside = token.home.path().join("aside");
    copy(&token.home.store(), &aside);
    ok!(token.module.initialize());
    fails!(token.session().login(CKU_USER, "wrong-pin"), CKR_PIN_INCORRECT);
    ok!(token.module.finalize());
    copy(&aside, &token.home.store());
    ok!(token.module.initialize());
    is_refused(&token, "put back to an older state");
}

/// `docs/security.md` says so.
fn without_a_witness_nothing_of_this_is_noticed() {
    let token = token(false);
    ok!(token.module.finalize());
    let aside = token.home.path().join("aside");
    copy(&token.home.store(), &aside);
    ok!(token.module.initialize());
    for _ in 0..3 {
        fails!(token.session().login(CKU_USER, "wrong-pin"), CKR_PIN_INCORRECT);
    }
    ok!(token.module.finalize());
    set_back_the_count(&token);
    ok!(token.module.initialize());
    assert_eq!(token.flags() & CKF_USER_PIN_COUNT_LOW, 0);
    ok!(token.user().aes_key(32, token_key("lost")));
    ok!(token.module.finalize());
    copy(&aside, &token.home.store());
    ok!(token.module.initialize());
    ok!(token.user().aes_key(32, token_key("after")));
    assert!(fs::read_dir(witnesses(&token.home)).unwrap().next().is_none());
}

fn killed_writers_are_not_mistaken_for_who_puts_back() {
    let token = token(true);
    let session = token.session();
    let mut acknowledged = 0;
    for round in 0..rounds(20, 200) {
        let mut killed = [peer!(writer), peer!(writer)];
        killed.iter_mut().for_each(|peer| assert_eq!(peer.hear(), "made"));
        let bytes = ok!(session.random(2));
        std::thread::sleep(Duration::from_micros(u64::from(u16::from_le_bytes([bytes[0], bytes[1]])) / 2));
        let [one, other] = killed;
        acknowledged += 2 + one.kill_and_hear().len();
        // With the other at work, and then with nobody.
        ok!(session.login(CKU_USER, USER_PIN), "round {round}");
        ok!(session.aes_key(32, token_key("between")), "round {round}");
        acknowledged += 1 + other.kill_and_hear().len();
        ok!(session.logout());
        ok!(session.login(CKU_USER, USER_PIN), "round {round}");
        ok!(session.aes_key(32, token_key("after")), "round {round}");
        ok!(session.logout());
        acknowledged += 1;
    }
    ok!(session.login(CKU_USER, USER_PIN));
    assert!(ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY])).len() >= acknowledged);
    token.is_sound();
}

fn two_processes_write_and_log_in_under_one_witness() {
    let token = token(true);
    let mut peers = [peer!(writer, "20"), peer!(writer, "20")];
    let session = token.session();
    for _ in 0..20 {
        fails!(session.login(CKU_USER, "wrong-pin"), CKR_PIN_INCORRECT);
        ok!(session.login(CKU_USER, USER_PIN));
        ok!(session.aes_key(32, token_key("made")));
        ok!(session.logout());
    }
    for peer in &mut peers {
        (0..20).for_each(|_| assert_eq!(peer.hear(), "made"));
    }
    peers.into_iter().for_each(|peer| drop(peer.finish()));
    ok!(session.login(CKU_USER, USER_PIN));
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "made"])).len(), 60);
}

fn a_missing_witness_is_a_clear_code() {
    let token = token(true);
    public_object(&token.user());
    fs::remove_file(witness(&token)).unwrap();
    is_refused(&token, "there is no witness");
    // The configuration decides, not the token.
    ok!(token.module.finalize());
    configure(&token.home, false);
    ok!(token.module.initialize());
    ok!(token.user().aes_key(32, token_key("without")));
}

fn on_small_disk() -> Token {
    let home = Home::new();
    fs::create_dir(witnesses(&home)).unwrap();
    if !mount_in_memory(&witnesses(&home), 256) {
        skip("only root can mount a small file system");
    }
    configure(&home, true);
    Token::new_in(home)
}

fn a_witness_that_cannot_be_written_stops_writers_only() {
    let token = on_small_disk();
    let log = token.home.log_to_file();
    ok!(token.restart());
    let session = token.user();
    ok!(session.aes_key(32, token_key("before")));
    assert!(remount_read_only(&witnesses(&token.home)));
    fails!(session.aes_key(32, token_key("lost")), CKR_DEVICE_ERROR);
    works(&session, ok!(session.find(&template![CKA_LABEL => "before"]))[0]);
    ok!(session.logout());
    ok!(session.login(CKU_USER, USER_PIN));
    ok!(session.logout());
    // A wrong PIN that cannot be counted is the last one that is tried.
    fails!(session.login(CKU_USER, "wrong-pin"), CKR_DEVICE_ERROR);
    fails!(session.login(CKU_USER, USER_PIN), CKR_DEVICE_ERROR);
    let said = fs::read_to_string(log).unwrap();
    assert!(said.contains("cannot be written"), "{said}");
}

fn a_full_disk_of_witnesses_stops_no_commit() {
    let token = on_small_disk();
    let filler = witnesses(&token.home).join("filler");
    assert!(fs::write(&filler, vec![7; 1 << 20]).is_err());
    let session = token.user();
    ok!(session.aes_key(32, token_key("on the full disk")));
    ok!(session.close());
    // Room is needed where a witness begins.
    let blank = *ok!(token.module.slots(true)).last().unwrap();
    fails!(token.module.init_token(blank, SO_PIN, "second"), CKR_DEVICE_MEMORY);
    fs::remove_file(filler).unwrap();
    ok!(token.module.init_token(blank, SO_PIN, "second"));
}

fn a_read_only_store_is_held_to_its_witness() {
    let token = token(true);
    public_object(&token.user());
    ok!(token.module.finalize());
    set_mode(&token.home.store(), 0o500);
    ok!(token.module.initialize());
    assert_ne!(token.flags() & CKF_WRITE_PROTECTED, 0);
    let session = ok!(token.module.read_only(token.slot));
    ok!(session.login(CKU_USER, USER_PIN));
    ok!(session.logout());
    fs::remove_file(witness(&token)).unwrap();
    fails!(session.login(CKU_USER, USER_PIN), CKR_DEVICE_ERROR);
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "public"])).len(), 1);
    set_mode(&token.home.store(), 0o700);
}

/// Makes so many token keys, or keys until it is killed, and tells of each.
fn writer() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    let count = arguments().first().map_or(usize::MAX, |count| count.parse().unwrap());
    for _ in 0..count {
        ok!(session.aes_key(32, token_key("made")));
        say("made");
    }
}
