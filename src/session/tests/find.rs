//! Searches while others write, and what they leave alone.

use super::*;
use crate::store::{Change, Commit, ObjectId};

fn label(text: &str) -> Given<'_> {
    Given::new(CKA_LABEL, text.as_bytes())
}

impl Fixture {
    fn user(&self) -> Handle {
        let session = self.open();
        self.sessions.login(session, Login::User, PIN).unwrap();
        session
    }

    fn named(&self, session: Handle, on_token: u8, name: &str) -> Handle {
        self.generate(session, &[(CKA_TOKEN, &[on_token]), (CKA_LABEL, name.as_bytes())]).unwrap()
    }

    /// The rest of a search, in steps of `room`.
    fn rest(&self, session: Handle, room: usize) -> Vec<Handle> {
        let mut found = Vec::new();
        loop {
            let more = self.sessions.find_next(session, room).unwrap();
            assert!(more.len() <= room);
            if more.is_empty() {
                self.sessions.find_final(session).unwrap();
                found.retain(|handle| !self.token.is_built_in(*handle));
                return found;
            }
            found.extend(more);
        }
    }
}

#[test]
fn what_was_there_and_still_is_is_found_once_and_what_has_gone_is_not() {
    let fixture = Fixture::new();
    let (session, other) = (fixture.user(), fixture.open());
    for wanted in [vec![], vec![label("wanted")]] {
        for room in [1, 3, 100] {
            let mine: Vec<_> = (0..9_u8).map(|n| fixture.named(session, n % 2, "wanted")).collect();
            fixture.sessions.find_init(session, Search::new(&wanted)).unwrap();
            fixture.sessions.destroy(other, mine[2]).unwrap();
            fixture.sessions.destroy(other, mine[3]).unwrap();
            let first = fixture.sessions.find_next(session, 2).unwrap();
            assert_eq!(first.len(), 2);
            // Of what is left, one of either kind goes, one changes, one more comes.
            let taken = |one: &Handle| first.contains(one) || [mine[2], mine[3], mine[8]].contains(one);
            let left: Vec<_> = mine.iter().copied().filter(|one| !taken(one)).collect();
            let gone = [left[1], left[2]];
            gone.iter().for_each(|one| fixture.sessions.destroy(other, *one).unwrap());
            fixture.sessions.change(other, mine[8], &[Given::new(CKA_ID, b"changed")]).unwrap();
            let late = fixture.named(other, 1, "wanted");
            let mut found = fixture.rest(session, room);
            found.extend(first);
            let distinct: std::collections::BTreeSet<_> = found.iter().copied().collect();
            assert_eq!(distinct.len(), found.len(), "none twice");
            for (place, one) in mine.iter().enumerate() {
                let stays = place != 2 && place != 3 && !gone.contains(one);
                assert_eq!(distinct.contains(one), stays, "{place} of {wanted:?} in steps of {room}");
            }
            for one in mine.iter().chain([&late]) {
                let _ = fixture.sessions.destroy(session, *one);
            }
        }
    }
    assert_eq!(fixture.folder.open(0).unwrap().list(None, 1), Ok(Vec::new()));
}

/// What a search hands out is opened when it is read, be it of the few that stay opened or not.
#[test]
fn more_objects_than_stay_opened_are_all_of_use() {
    let fixture = Fixture::new();
    let session = fixture.user();
    for number in 0..2_000_u16 {
        fixture.named(session, 1, &number.to_string());
    }
    fixture.sessions.logout(session).unwrap();
    fixture.sessions.login(session, Login::User, PIN).unwrap();
    fixture.sessions.find_init(session, Search::new(&[])).unwrap();
    let found = fixture.rest(session, 64);
    assert_eq!(found.len(), 2_000);
    for key in [found[0], found[1_999]] {
        fixture.encrypt(session, key).unwrap();
    }
    let opened = || found.iter().filter(|handle| fixture.token.holds_opened(**handle)).count();
    assert_eq!(opened(), 257, "the first 256, and the one that was used");
    let cmac = mechanism(CKM_AES_CMAC).unwrap();
    fixture.sessions.sign_init(session, SignPurpose::Sign, cmac, &Parameter::None, found[0]).unwrap();
    for _ in 0..5 {
        fixture.sessions.find_init(session, Search::new(&[])).unwrap();
        assert_eq!(fixture.rest(session, 64), found, "the same handles again");
    }
    for handle in &found {
        fixture.sessions.view(session, *handle).unwrap();
    }
    assert_eq!(opened(), 1_026, "what was read last, and the two whose key was used");
    assert!(fixture.token.holds_opened(found[0]), "its key is in use");
    let other = fixture.open();
    fixture.sessions.destroy(other, found[0]).unwrap();
    let ended = fixture.sessions.sign_update(session, SignPurpose::Sign, b"more");
    assert_eq!(ended, Err(Error::OperationNotInitialized), "destroying it still ends what uses it");
}

/// The terms beside a row say that it cannot match: it is not opened, so that its damage is not even noticed.
#[test]
fn rows_whose_terms_do_not_fit_are_not_opened() {
    let place = tempfile::tempdir().unwrap();
    let log = place.path().join("log");
    let folder = MemoryFolder::new();
    assert!(Token::create(&folder, 0, &PINS, &BEGINNING).unwrap());
    let store = folder.open(0).unwrap();
    let token = Token::open(Arc::clone(&store), &PINS.into(), Log::default()).unwrap();
    let fixture = Fixture { folder, sessions: Sessions::new(), token };
    fixture.set_pin();
    let session = fixture.user();
    let data = CKO_DATA.to_ne_bytes();
    for private in [[0], [1]] {
        fixture.generate(session, &[(CKA_TOKEN, &[1]), (CKA_PRIVATE, &private), (CKA_LABEL, b"same")]).unwrap();
        let given = [
            Given::new(CKA_CLASS, &data),
            Given::new(CKA_TOKEN, &[1]),
            Given::new(CKA_PRIVATE, &private),
            label("same"),
        ];
        fixture.sessions.create(session, &given).unwrap();
    }
    // Opened anew: no handles yet.
    let log_of = Log::from_setting(&format!("{},error", log.display()));
    let token = Token::open(Arc::clone(&store), &PINS.into(), log_of).unwrap();
    let fixture = Fixture { token, sessions: Sessions::new(), ..fixture };
    let session = fixture.user();
    let data_only = [Given::new(CKA_CLASS, &data), label("same")];
    let is_data: Vec<_> = fixture.find(session, &data_only).unwrap();
    assert_eq!(is_data.len(), 2);
    fixture.damage_what_is_not_opened(&*store);
    assert_eq!(fixture.find(session, &data_only), Ok(is_data.clone()));
    assert_eq!(std::fs::read_to_string(&log).unwrap_or_default(), "");
    assert_eq!(fixture.find(session, &[label("same")]), Ok(is_data));
    let said = std::fs::read_to_string(&log).unwrap();
    assert_eq!(said.matches("left out of a search").count(), 2, "{said}");
}

impl Fixture {
    /// Flips a bit in every row that no handle names.
    fn damage_what_is_not_opened(&self, store: &dyn Store) {
        let ids: Vec<ObjectId> = store.list(None, 100).unwrap();
        for id in ids.into_iter().filter(|id| !self.token.has_handle(*id)) {
            let mut row = store.read(id).unwrap().unwrap();
            row.record[24] ^= 1;
            let change = Change::Update { expected: row.version, row };
            assert!(matches!(store.commit(vec![change]).unwrap(), Commit::Done { .. }));
        }
    }
}
