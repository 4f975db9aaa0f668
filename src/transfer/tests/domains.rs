//! The kit: requests and grants that an independent script makes from `docs/formats.md`, each with what must come of it, in
//! `tests/domains/index.txt`. And what a token does with them that no file shows.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::super::domain::{FINGERPRINT, fingerprint};
use super::super::*;
use crate::config::Pins;
use crate::crypto::kdf::hkdf_sha256;
use crate::error::Error;
use crate::key::{Caller, KeyType, Login};
use crate::log::Log;
use crate::object::fields::{Fields, encoded_text};
use crate::secret::Secret;
use crate::store::faulty::{Fault, Faulty};
use crate::store::memory::MemoryFolder;
use crate::store::{Folder, Store};
use crate::system;
use crate::token::{Beginning, Token};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/domains")
}

/// What the good files of the kit hold, and the key that opens them.
fn values() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder().join("values.txt")).unwrap();
    let pairs = text.lines().map(|line| line.split_once(" = ").unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn bytes(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn outcome(name: &str, text: &[u8], values: &BTreeMap<String, String>) -> &'static str {
    if name.ends_with(".request") {
        return if Request::parse(text).is_ok() { "request" } else { "refused" };
    }
    let Ok(answer) = Answer::parse(text) else { return "refused" };
    match answer.open_with(&Secret::new(bytes(&values["seed"]))) {
        Err(Error::DomainRefused(_)) => "sealed",
        Err(_) => "another error",
        Ok((key, name)) => {
            assert!(key == Secret::new(bytes(&values["domain-key"])) && name.as_str() == "production");
            "grant"
        }
    }
}

#[test]
fn every_request_and_grant_of_the_kit_is_what_the_index_says() {
    let index = std::fs::read_to_string(folder().join("index.txt")).unwrap();
    let values = values();
    let mut named = BTreeSet::from(["index.txt", "values.txt", "make.py"].map(str::to_owned));
    for line in index.lines() {
        let mut words = line.split_whitespace();
        let (expected, name) = (words.next().unwrap(), words.next().unwrap());
        let text = std::fs::read(folder().join(name)).unwrap();
        assert_eq!(outcome(name, &text, &values), expected, "{name}");
        named.insert(name.to_owned());
    }
    let there = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(there.collect::<BTreeSet<_>>(), named);
}

#[test]
fn what_is_shown_of_a_request_and_of_a_domain_is_what_the_page_says() {
    let values = values();
    let request = Request::parse(&std::fs::read(folder().join("good.request")).unwrap()).unwrap();
    assert_eq!(request.fingerprint().to_string(), values["request-fingerprint"]);
    let asking = Party { serial: "0123456789abcdef".into(), label: "Second".into() };
    assert_eq!((request.asking, request.created, request.expires), (asking, 1_800_000_000, 1_800_604_800));
    let key = Secret::new(bytes(&values["domain-key"]));
    let derived = hkdf_sha256(&key, &[], &[FINGERPRINT], 32).unwrap();
    assert_eq!(fingerprint(&derived).unwrap().to_string(), values["domain-fingerprint"]);
}

const PINS: Pins = Pins { min: 4, max: 255, user_tries: 10, so_tries: 10, memory_kib: 8, passes: 1, lanes: 1 };
const SO_PIN: &[u8] = b"so pin";
const PIN: &[u8] = b"user pin";
const USER: Caller = Caller { login: Login::User, read_write: true, today: None };
const HOUR: Duration = Duration::from_secs(3600);

/// A folder in memory with a token.
fn made() -> MemoryFolder {
    let folder = MemoryFolder::new();
    let beginning = Beginning { so_pin: SO_PIN, label: [b' '; 32], maskable: false, host_key: None };
    assert!(Token::create(&folder, 0, &PINS, &beginning).unwrap());
    let token = Token::open(folder.open(0).unwrap(), &PINS.into(), Log::default(), None).unwrap();
    token.open_session(true).unwrap();
    token.login(Login::So, SO_PIN).unwrap();
    token.init_user_pin(PIN).unwrap();
    folder
}

/// The token in a store, with one session, and the user logged in.
fn opened(store: Arc<dyn Store>) -> Arc<Token> {
    let token = Token::open(store, &PINS.into(), Log::default(), None).unwrap();
    token.open_session(true).unwrap();
    token.login(Login::User, PIN).unwrap();
    token
}

fn token() -> Arc<Token> {
    opened(made().open(0).unwrap())
}

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn refusal<T>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(Error::DomainRefused(sentence)) => sentence.into(),
        Err(error) => format!("another error: {error}"),
        Ok(_) => "no refusal".into(),
    }
}

#[test]
fn a_domain_key_and_the_key_of_a_request_are_what_nobody_can_change_copy_or_take_out() {
    let token = token();
    let approval = token.approve(SO_PIN).unwrap();
    Domain::create(&token, &USER, &approval, &name("production")).unwrap();
    Request::make(&token, &USER, Lifetime::DEFAULT).unwrap();
    for key_type in KeyType::INSIDE {
        let keys = token.inside(&USER, *key_type).unwrap();
        let object = keys[0].object();
        let facts = object.facts().unwrap();
        let standing = object.standing(true);
        assert!(facts.token && facts.private && facts.sensitive && !facts.extractable && !facts.maskable);
        assert!(facts.always_sensitive && facts.never_extractable && !facts.trusted);
        assert!(!standing.modifiable && !standing.copyable && standing.destroyable);
        assert_eq!(keys.len(), 1);
    }
}

#[test]
fn an_answer_is_accepted_once_and_the_key_of_the_request_is_gone_then() {
    let (one, two) = (token(), token());
    let (first, second) = (one.approve(SO_PIN).unwrap(), two.approve(SO_PIN).unwrap());
    let domain = Domain::create(&one, &USER, &first, &name("production")).unwrap();
    let request = Request::make(&two, &USER, Lifetime::new(HOUR).unwrap()).unwrap();
    let answers = [0; 2].map(|_| Answer::make(&one, &USER, &first, &domain, &request).unwrap());
    let invitations = answers.each_ref().map(|answer| answer.open(&two, &USER).unwrap());
    assert!(invitations.iter().all(|one| one.fingerprint == domain.fingerprint(&USER).unwrap()));
    let [accepted, again] = invitations;
    let joined = accepted.accept(&two, &USER, &second, &name("elsewhere")).unwrap();
    assert_eq!((joined.id(), joined.name()), (domain.id(), "elsewhere"));
    assert_eq!(joined.fingerprint(&USER), domain.fingerprint(&USER));
    assert!(two.inside(&USER, KeyType::DomainRequest).unwrap().is_empty());
    let sentence = refusal(again.accept(&two, &USER, &second, &name("third")));
    assert!(sentence.contains("already"), "{sentence}");
    let sentence = refusal(answers[1].open(&two, &USER));
    assert!(sentence.contains("answered already"), "{sentence}");
    assert_eq!(Domain::all(&two, &USER).unwrap().len(), 1);
}

#[test]
fn who_is_killed_while_accepting_has_joined_or_still_waits() {
    let one = token();
    let consent = one.approve(SO_PIN).unwrap();
    let domain = Domain::create(&one, &USER, &consent, &name("production")).unwrap();
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        let mut joined = BTreeSet::new();
        for nth in 1.. {
            let folder = made();
            let faulty = Faulty::over(folder.open(0).unwrap());
            let two = opened(Arc::clone(&faulty) as Arc<dyn Store>);
            let request = Request::make(&two, &USER, Lifetime::DEFAULT).unwrap();
            let answer = Answer::make(&one, &USER, &consent, &domain, &request).unwrap();
            let (approval, invitation) = (two.approve(SO_PIN).unwrap(), answer.open(&two, &USER).unwrap());
            faulty.fail(nth, fault);
            let outcome = invitation.accept(&two, &USER, &approval, &name("production"));
            let again = opened(folder.open(0).unwrap());
            let is_in = Domain::all(&again, &USER).unwrap().len();
            assert_eq!(is_in + again.inside(&USER, KeyType::DomainRequest).unwrap().len(), 1, "{fault:?} {nth}");
            joined.insert(is_in);
            if outcome.is_ok() {
                break;
            }
        }
        assert_eq!(joined, BTreeSet::from([0, 1]), "{fault:?}");
    }
}

#[test]
fn what_is_late_is_neither_answered_nor_accepted() {
    let (one, two) = (token(), token());
    let approval = one.approve(SO_PIN).unwrap();
    let domain = Domain::create(&one, &USER, &approval, &name("production")).unwrap();
    let lifetime = Lifetime::new(HOUR).unwrap();
    let made = system::seconds_since_1970() - HOUR.as_secs();
    let mut request = Request::made_at(made, &two, &USER, lifetime).unwrap();
    let sentence = refusal(Answer::make(&one, &USER, &approval, &domain, &request));
    assert!(sentence.contains("has expired"), "{sentence}");
    // As if the clock of the granting side were wrong.
    request.expires += HOUR.as_secs();
    let answer = Answer::make(&one, &USER, &approval, &domain, &request).unwrap();
    let sentence = refusal(answer.open(&two, &USER));
    assert!(sentence.contains("has expired"), "{sentence}");
}

#[test]
fn a_consent_ends_with_the_pin_and_is_good_for_its_own_token_only() {
    let (one, two) = (token(), token());
    let (consent, of_another) = (one.approve(SO_PIN).unwrap(), two.approve(SO_PIN).unwrap());
    let domain = Domain::create(&one, &USER, &consent, &name("production")).unwrap();
    let request = Request::make(&two, &USER, Lifetime::DEFAULT).unwrap();
    assert!(Answer::make(&one, &USER, &of_another, &domain, &request).is_err());
    assert!(Domain::create(&one, &USER, &of_another, &name("second")).is_err());
    one.logout(|| ()).unwrap();
    one.login(Login::So, SO_PIN).unwrap();
    one.set_pin(SO_PIN, b"another so pin").unwrap();
    one.logout(|| ()).unwrap();
    one.login(Login::User, PIN).unwrap();
    assert_eq!(Answer::make(&one, &USER, &consent, &domain, &request).err(), Some(Error::PinIncorrect));
    assert_eq!(Domain::create(&one, &USER, &consent, &name("second")).err(), Some(Error::PinIncorrect));
    assert_eq!(Domain::all(&one, &USER).unwrap().len(), 1);
}

#[test]
fn without_the_users_login_there_is_no_consent_and_no_domain() {
    let token = token();
    token.logout(|| ()).unwrap();
    assert_eq!(token.approve(SO_PIN).err(), Some(Error::UserNotLoggedIn));
    token.login(Login::So, SO_PIN).unwrap();
    assert_eq!(token.approve(SO_PIN).err(), Some(Error::UserNotLoggedIn));
    let so = Caller { login: Login::So, ..USER };
    assert_eq!(Domain::all(&token, &so).err(), Some(Error::UserNotLoggedIn));
    assert_eq!(Request::make(&token, &so, Lifetime::DEFAULT).err(), Some(Error::UserNotLoggedIn));
}

#[test]
fn wrong_pins_of_the_so_count_as_at_a_login() {
    let token = token();
    for _ in 0..10 {
        assert_eq!(token.approve(b"guess").err(), Some(Error::PinIncorrect));
    }
    assert!(token.state().unwrap().so.locked);
    assert_eq!(token.approve(SO_PIN).err(), Some(Error::PinLocked));
}

/// They are shown to an SO beside the fingerprint that he is to compare.
#[test]
fn a_name_that_would_deceive_who_reads_it_is_refused() {
    let request = Request::make(&token(), &USER, Lifetime::DEFAULT).unwrap();
    let named = |field: u64, text: &str| {
        let mut fields = Fields::decode(&request.bytes).unwrap();
        fields.insert(field, encoded_text(text));
        Request::read(fields.encode())
    };
    const SERIAL: u64 = 6;
    const LABEL: u64 = 8;
    assert!(named(LABEL, "Zweiter, für später").is_ok() && named(LABEL, &"x".repeat(32)).is_ok());
    for (field, text) in
        [(LABEL, "B\u{1b}[8m"), (SERIAL, "one\ntwo"), (LABEL, "\u{202e}evas"), (SERIAL, "0123456789abcdefg")]
    {
        assert!(named(field, text).is_err(), "{text:?}");
    }
    assert!(named(LABEL, &"x".repeat(33)).is_err());
}

#[test]
fn what_was_made_in_the_future_is_not_answered() {
    let (one, two) = (token(), token());
    let approval = one.approve(SO_PIN).unwrap();
    let domain = Domain::create(&one, &USER, &approval, &name("production")).unwrap();
    let made_in = |seconds| {
        let made = system::seconds_since_1970() + seconds;
        let request = Request::made_at(made, &two, &USER, Lifetime::DEFAULT).unwrap();
        Answer::make(&one, &USER, &approval, &domain, &request)
    };
    assert!(made_in(HOUR.as_secs()).is_ok(), "clocks differ");
    let sentence = refusal(made_in(48 * HOUR.as_secs()));
    assert!(sentence.contains("in the future"), "{sentence}");
}
