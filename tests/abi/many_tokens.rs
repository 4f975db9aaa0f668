//! Ten thousand tokens and few descriptors: all are listed, none is opened before it is asked for, none is lost.

use std::fs;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] =
    &tests![ten_thousand_tokens_need_few_descriptors, without_descriptors_there_is_a_code_and_no_lost_slot];

/// So many slots that are looked into, each with a file of its own.
const FILES: u32 = 300;

/// A home with so many tokens, which are copies of one. Beyond [`FILES`] they are one file of many names, as nobody opens them.
fn crowd(tokens: u32) -> (Home, Module) {
    let token = Token::new();
    ok!(token.module.finalize());
    token.is_alone();
    let first = token.home.database();
    let path = |slot: u32| token.home.store().join(format!("slot-{slot:08x}.db"));
    for slot in 1..tokens {
        if slot < FILES {
            fs::copy(&first, path(slot)).unwrap();
        } else {
            fs::hard_link(path(FILES - 1), path(slot)).unwrap();
        }
    }
    (token.home, token.module)
}

impl Token {
    /// Moves all that was written into the database itself, so that a copy of that file is the token.
    fn is_alone(&self) {
        let database = rusqlite::Connection::open(self.home.database()).unwrap();
        let busy = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        assert_eq!(busy.unwrap(), 0);
    }
}

fn open_files(home: &Home) -> usize {
    descriptors().iter().filter(|(_, target)| target.starts_with(home.store())).count()
}

fn ten_thousand_tokens_need_few_descriptors() {
    let (home, module) = crowd(10_000);
    limit(libc::RLIMIT_NOFILE, 256);
    ok!(module.initialize());
    let slots = ok!(module.slots(true));
    // And the blank one.
    assert_eq!(slots.len(), 10_001);
    assert_eq!(open_files(&home), 0, "nobody has asked for any of them");
    // More than there are descriptors for.
    for slot in &slots[..FILES as usize] {
        assert_eq!(ok!(module.token_info(*slot)).label, *b"suite                           ", "slot {slot}");
    }
    for slot in &slots[..FILES as usize] {
        let session = ok!(module.read_write(*slot));
        ok!(session.login(CKU_USER, USER_PIN));
        ok!(session.aes_key(16, template![CKA_TOKEN => true]));
        ok!(session.close());
    }
    assert!(open_files(&home) < 256);
    assert_eq!(ok!(module.slots(true)).len(), 10_001);
    ok!(module.finalize());
    assert_eq!(open_files(&home), 0);
}

/// Sessions with more tokens than there are descriptors for; then there are none at all.
fn without_descriptors_there_is_a_code_and_no_lost_slot() {
    let (_home, module) = crowd(60);
    limit(libc::RLIMIT_NOFILE, 100);
    ok!(module.initialize());
    let sessions: Vec<_> = (0..60).map(|slot| ok!(module.read_write(slot))).collect();
    for session in &sessions {
        ok!(session.login(CKU_USER, USER_PIN));
        ok!(session.aes_key(16, template![CKA_TOKEN => true]));
    }
    for session in &sessions {
        assert_eq!(ok!(session.objects(&template![])).len(), 1);
    }
    ok!(sessions[59].close());
    // A fork closes every connection, and then the host is quicker.
    Forked::start(Vec::new).join();
    let files: Vec<_> = std::iter::from_fn(|| fs::File::open("/dev/null").ok()).collect();
    fails!(sessions[0].find(&template![]), CKR_HOST_MEMORY);
    fails!(sessions[0].aes_key(16, template![CKA_TOKEN => true]), CKR_HOST_MEMORY);
    fails!(module.read_write(59), CKR_HOST_MEMORY);
    fails!(module.token_info(59), CKR_HOST_MEMORY);
    fails!(module.token_info(3), CKR_HOST_MEMORY);
    ok!(sessions[0].info());
    drop(files);
    assert_eq!(ok!(module.slots(true)).len(), 61, "it is listed all the same");
    assert_eq!(ok!(sessions[0].objects(&template![])).len(), 1);
    let session = ok!(module.read_write(59));
    ok!(session.login(CKU_USER, USER_PIN));
    assert_eq!(ok!(session.objects(&template![])).len(), 1);
}
