//! What sessions do to each other, on a token in memory. These tests run with the order of locks asserted.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod domain_keys;
mod faults;
mod find;
mod masked;
mod pairs;

use std::sync::Arc;
use std::thread;

use cryptoki_sys::*;

use super::*;
use crate::config::{Pins, Settings};
use crate::log::Log;
use crate::mechanism::{Mechanism, Mechanisms, Parameter};
use crate::object::{Given, Search};
use crate::store::memory::MemoryFolder;
use crate::store::sqlite::SqliteFolder;
use crate::store::{Folder, Store};
use crate::token::Beginning;

const PINS: Pins = Pins { min: 4, max: 255, user_tries: 10, so_tries: 10, memory_kib: 8, passes: 1, lanes: 1 };
const SO_PIN: &[u8] = b"so pin";
const PIN: &[u8] = b"user pin";
const BEGINNING: Beginning<'_> = Beginning { so_pin: SO_PIN, label: [b' '; 32], maskable: false, host_key: None };

fn mechanism(number: u64) -> Result<&'static Mechanism> {
    Mechanisms::new(&Settings::default()).find(number)
}

struct Fixture {
    folder: MemoryFolder,
    sessions: Sessions,
    token: Arc<Token>,
}

impl Fixture {
    fn new() -> Self {
        Self::over(|store| store)
    }

    /// On a store that `wrap` puts over the one in memory.
    fn over(wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>) -> Self {
        let folder = MemoryFolder::new();
        assert!(Token::create(&folder, 0, &PINS, &BEGINNING).unwrap());
        let token = Token::open(wrap(folder.open(0).unwrap()), &PINS.into(), Log::default(), None).unwrap();
        let fixture = Self { folder, sessions: Sessions::new(), token };
        fixture.set_pin();
        fixture
    }

    fn set_pin(&self) {
        let session = self.open();
        self.sessions.login(session, Login::So, SO_PIN).unwrap();
        self.sessions.init_pin(session, PIN).unwrap();
        self.sessions.close(session).unwrap();
    }

    fn open(&self) -> Handle {
        self.sessions.open(0, Arc::clone(&self.token), true).unwrap()
    }

    fn generate(&self, session: Handle, more: &[(u64, &[u8])]) -> Result<Handle> {
        let length = 32_u64.to_ne_bytes();
        let all = [(CKA_VALUE_LEN, length.as_slice())];
        let given: Vec<_> = all.iter().chain(more).map(|(number, value)| Given::new(*number, value)).collect();
        self.sessions.generate(session, mechanism(CKM_AES_KEY_GEN).unwrap(), &given)
    }

    /// A search among what was made here.
    fn find(&self, session: Handle, given: &[Given<'_>]) -> Result<Vec<Handle>> {
        self.sessions.find_init(session, Search::new(given))?;
        let found = self.sessions.find_next(session, 1_000);
        self.sessions.find_final(session)?;
        found.map(|found| found.into_iter().filter(|handle| !self.token.is_built_in(*handle)).collect())
    }

    fn encrypt(&self, session: Handle, key: Handle) -> Result<Length> {
        let parameter = Parameter::Gcm { iv: &[7; 12], aad: &[], tag_bits: 128 };
        let gcm = mechanism(CKM_AES_GCM).unwrap();
        self.sessions.crypt_init(session, Direction::Encrypt, gcm, &parameter, key)?;
        let mut into = [0; 64];
        let output = &mut Output::Buffer(InOut::from_slices(&[1; 20], &mut into));
        self.sessions.crypt_whole(session, Direction::Encrypt, output)
    }
}

#[test]
fn logout_ends_operations_of_private_keys_in_every_session() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.open(), fixture.open());
    fixture.sessions.login(one, Login::User, PIN).unwrap();
    let key = fixture.generate(one, &[]).unwrap();
    let cmac = mechanism(CKM_AES_CMAC).unwrap();
    fixture.sessions.sign_init(two, SignPurpose::Sign, cmac, &Parameter::None, key).unwrap();
    fixture.sessions.logout(one).unwrap();
    let ended = fixture.sessions.sign_update(two, SignPurpose::Sign, b"more");
    assert_eq!(ended, Err(Error::OperationNotInitialized));
    fixture.sessions.login(two, Login::User, PIN).unwrap();
    assert_eq!(fixture.encrypt(two, key), Err(Error::KeyHandleInvalid), "a private session key dies at logout");
}

#[test]
fn destroying_a_key_ends_its_operations_elsewhere() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.open(), fixture.open());
    fixture.sessions.login(one, Login::User, PIN).unwrap();
    for token in [[0], [1]] {
        let key = fixture.generate(one, &[(CKA_TOKEN, &token)]).unwrap();
        let cmac = mechanism(CKM_AES_CMAC).unwrap();
        fixture.sessions.sign_init(two, SignPurpose::Sign, cmac, &Parameter::None, key).unwrap();
        fixture.sessions.destroy(one, key).unwrap();
        let ended = fixture.sessions.sign_update(two, SignPurpose::Sign, b"more");
        assert_eq!(ended, Err(Error::OperationNotInitialized));
        assert_eq!(fixture.encrypt(two, key), Err(Error::KeyHandleInvalid));
        // Also of a key that was changed meanwhile, more than once, and used or not in between.
        for used in [false, true] {
            let key = fixture.generate(one, &[(CKA_TOKEN, &token)]).unwrap();
            fixture.sessions.sign_init(two, SignPurpose::Sign, cmac, &Parameter::None, key).unwrap();
            for name in [b"first", b"after"] {
                fixture.sessions.change(one, key, &[Given::new(CKA_LABEL, name)]).unwrap();
                if used {
                    fixture.encrypt(one, key).unwrap();
                }
            }
            fixture.sessions.sign_update(two, SignPurpose::Sign, b"goes on").unwrap();
            fixture.sessions.destroy(one, key).unwrap();
            let ended = fixture.sessions.sign_update(two, SignPurpose::Sign, b"more");
            assert_eq!(ended, Err(Error::OperationNotInitialized));
        }
    }
}

#[test]
fn the_state_of_a_session_is_told_while_it_works() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.open(), fixture.open());
    let state = |handle| fixture.sessions.info(handle).map(|info| info.state);
    let told = fixture.sessions.with(one, |_| Ok(state(one)));
    assert_eq!(told, Ok(Ok(cryptoki_sys::CKS_RW_PUBLIC_SESSION)));
    fixture.sessions.login(two, Login::User, PIN).unwrap();
    let told = fixture.sessions.with(one, |_| Ok(state(one)));
    assert_eq!(told, Ok(Ok(cryptoki_sys::CKS_RW_USER_FUNCTIONS)));
    fixture.sessions.close(one).unwrap();
    assert_eq!(state(one), Err(Error::SessionHandleInvalid));
}

#[test]
fn a_reinitialised_token_is_noticed_at_the_next_look() {
    let fixture = Fixture::new();
    let session = fixture.open();
    fixture.sessions.login(session, Login::User, PIN).unwrap();
    let key = fixture.generate(session, &[(CKA_TOKEN, &[1])]).unwrap();
    let elsewhere = Token::open(fixture.folder.open(0).unwrap(), &PINS.into(), Log::default(), None).unwrap();
    elsewhere.reinitialise(&BEGINNING).unwrap();
    assert_eq!(fixture.token.reinitialise(&BEGINNING), Err(Error::SessionExists));
    assert_eq!(fixture.encrypt(session, key), Err(Error::TokenReplaced));
    assert_eq!(fixture.sessions.find_init(session, Search::new(&[])), Err(Error::TokenReplaced));
    assert_eq!(fixture.sessions.login(session, Login::User, PIN), Err(Error::TokenReplaced));
}

#[test]
fn the_key_of_the_last_operation_is_not_used_after_its_login() {
    let fixture = Fixture::new();
    let session = fixture.open();
    fixture.sessions.login(session, Login::User, PIN).unwrap();
    let key = fixture.generate(session, &[(CKA_TOKEN, &[1]), (CKA_PRIVATE, &[0])]).unwrap();
    fixture.encrypt(session, key).unwrap();
    fixture.encrypt(session, key).unwrap();
    fixture.sessions.logout(session).unwrap();
    assert_eq!(fixture.encrypt(session, key), Err(Error::UserNotLoggedIn));
    fixture.sessions.login(session, Login::User, PIN).unwrap();
    assert_eq!(fixture.encrypt(session, key), Ok(Length::Written(36)));
}

/// Every call that ends something, against every call that uses something, at once: none may dead-lock or panic, and each
/// answers with success or with one of the codes that such a race allows.
#[test]
fn ends_and_uses_race_without_a_dead_lock() {
    let fixture = Fixture::new();
    let keep_open = fixture.open();
    let allowed = |outcome: Result<()>| match outcome {
        Ok(()) => (),
        Err(
            Error::UserNotLoggedIn
            | Error::UserAlreadyLoggedIn
            | Error::SessionHandleInvalid
            | Error::KeyHandleInvalid
            | Error::ObjectHandleInvalid
            | Error::OperationNotInitialized,
        ) => (),
        Err(other) => panic!("{other}"),
    };
    thread::scope(|scope| {
        for worker in 0..8 {
            let fixture = &fixture;
            scope.spawn(move || {
                for round in 0..60 {
                    let session = fixture.open();
                    allowed(fixture.sessions.login(session, Login::User, PIN));
                    let flags: &[(u64, &[u8])] = &[(CKA_TOKEN, &[1]), (CKA_PRIVATE, &[1])];
                    let key = fixture.generate(session, if round % 4 == 0 { flags } else { &[] });
                    if let Ok(key) = key {
                        allowed(fixture.encrypt(session, key).map(drop));
                        allowed(fixture.sessions.find_init(session, Search::new(&[])));
                        allowed(fixture.sessions.find_next(session, 10).map(drop));
                        allowed(fixture.sessions.view(session, key).map(drop));
                        allowed(fixture.sessions.destroy(session, key));
                    }
                    match (worker + round) % 3 {
                        0 => allowed(fixture.sessions.logout(session)),
                        1 if worker == 0 => fixture.sessions.close_slot(0),
                        _ => allowed(fixture.sessions.close(session)),
                    }
                }
            });
        }
    });
    fixture.sessions.end();
    assert!(fixture.sessions.info(keep_open).is_err());
    assert!(!fixture.token.is_in_use());
    assert_eq!(fixture.token.logged_in(), Login::Public, "the last session to close logs out");
}

#[test]
fn a_login_does_not_outlive_the_last_session() {
    let fixture = Fixture::new();
    // The session was closed while the PIN was hashed.
    assert_eq!(fixture.token.login(Login::So, SO_PIN), Err(Error::SessionHandleInvalid));
    assert_eq!(fixture.token.logged_in(), Login::Public);
}

#[test]
fn a_search_shows_nothing_after_logout() {
    let fixture = Fixture::new();
    let session = fixture.open();
    fixture.sessions.login(session, Login::User, PIN).unwrap();
    fixture.generate(session, &[(CKA_TOKEN, &[1])]).unwrap();
    fixture.sessions.find_init(session, Search::new(&[])).unwrap();
    fixture.sessions.logout(session).unwrap();
    assert_eq!(fixture.sessions.find_next(session, 10), Ok(Vec::new()));
    assert_eq!(fixture.sessions.find_final(session), Ok(()));
}

#[test]
fn an_empty_id_is_found() {
    let fixture = Fixture::new();
    let session = fixture.open();
    fixture.sessions.login(session, Login::User, PIN).unwrap();
    for token in [[0], [1]] {
        fixture.generate(session, &[(CKA_TOKEN, &token)]).unwrap();
        fixture.generate(session, &[(CKA_TOKEN, &token), (CKA_ID, b"id")]).unwrap();
    }
    assert_eq!(fixture.find(session, &[Given::new(CKA_ID, b"")]).unwrap().len(), 2);
}

#[test]
fn a_changed_key_is_not_taken_for_what_it_was() {
    let fixture = Fixture::new();
    let session = fixture.open();
    fixture.sessions.login(session, Login::User, PIN).unwrap();
    for token in [[0], [1]] {
        let key = fixture.generate(session, &[(CKA_TOKEN, &token)]).unwrap();
        fixture.encrypt(session, key).unwrap();
        fixture.sessions.change(session, key, &[Given::new(CKA_ENCRYPT, &[0])]).unwrap();
        assert_eq!(fixture.encrypt(session, key), Err(Error::KeyFunctionNotPermitted("CKA_ENCRYPT")));
        let copy = fixture.sessions.copy(session, key, &[Given::new(CKA_ENCRYPT, &[1])]).unwrap();
        assert_eq!(fixture.encrypt(session, copy), Ok(Length::Written(36)));
        fixture.sessions.destroy(session, key).unwrap();
        assert_eq!(fixture.encrypt(session, copy), Ok(Length::Written(36)), "the copy is a key of its own");
    }
}

#[test]
fn session_objects_go_with_the_session_that_made_them() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.open(), fixture.open());
    let (of_one, of_two) = (fixture.generate(one, &[]).unwrap(), fixture.generate(two, &[]).unwrap());
    let copy = fixture.sessions.copy(one, of_two, &[]).unwrap();
    fixture.sessions.close(one).unwrap();
    assert_eq!(fixture.find(two, &[]), Ok(vec![of_two]), "not {of_one:?}, nor the copy {copy:?}");
}

#[test]
fn another_token_in_the_place_of_the_file_is_not_this_one() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let fixtures = folders.each_ref().map(|folder| {
        let folder = SqliteFolder::new(folder.path().into());
        assert!(Token::create(&folder, 0, &PINS, &BEGINNING).unwrap());
        let token = Token::open(folder.open(0).unwrap(), &PINS.into(), Log::default(), None).unwrap();
        let fixture = Fixture { folder: MemoryFolder::new(), sessions: Sessions::new(), token };
        fixture.set_pin();
        fixture
    });
    let [fixture, other] = fixtures;
    drop(other);
    let session = fixture.open();
    fixture.sessions.login(session, Login::User, PIN).unwrap();
    // Both tokens were made alike, so their versions and revisions are the same.
    for file in ["slot-00000000.db-wal", "slot-00000000.db-shm", "slot-00000000.db"] {
        let [here, there] = folders.each_ref().map(|folder| folder.path().join(file));
        let _ = std::fs::rename(there, here);
    }
    assert_eq!(fixture.generate(session, &[(CKA_TOKEN, &[1])]), Err(Error::TokenReplaced));
}
