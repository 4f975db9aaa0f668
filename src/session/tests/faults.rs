//! What a caller is told when the store fails or lies, and what is in it then: what was before, or what was to come.

use super::*;
use crate::store::faulty::{Fault, Faulty};

impl Fixture {
    /// A fixture, and the store under it, which fails on demand.
    fn faulty() -> (Arc<Faulty>, Self) {
        let mut faulty = None;
        let fixture = Self::over(|inner| Arc::clone(faulty.insert(Faulty::over(inner))) as Arc<dyn Store>);
        (faulty.unwrap(), fixture)
    }
}

fn public_data(fixture: &Fixture, session: Handle) -> Handle {
    let class = CKO_DATA.to_ne_bytes();
    let given = [(CKA_CLASS, class.as_slice()), (CKA_TOKEN, &[1]), (CKA_VALUE, b"genuine")];
    let given = given.map(|(number, value)| Given::new(number, value));
    fixture.sessions.create(session, &given).unwrap()
}

#[test]
fn a_store_that_fails_is_not_an_empty_one() {
    let (store, fixture) = Fixture::faulty();
    let session = fixture.open();
    public_data(&fixture, session);
    store.fail_always(Fault::Descriptors);
    let class = CKO_DATA.to_ne_bytes();
    let data = [Given::new(CKA_CLASS, &class)];
    assert!(matches!(fixture.find(session, &data), Err(Error::HostMemory(_))));
    store.heal();
    assert_eq!(fixture.find(session, &[]).unwrap().len(), 1);
    // In the middle of a search: nothing of it is lost.
    for _ in 0..4 {
        public_data(&fixture, session);
    }
    fixture.sessions.find_init(session, Search::new(&data)).unwrap();
    assert_eq!(fixture.sessions.find_next(session, 2).unwrap().len(), 2);
    fixture.token.forget_opened();
    store.fail_always(Fault::Descriptors);
    assert!(matches!(fixture.sessions.find_next(session, 2), Err(Error::HostMemory(_))));
    store.heal();
    assert_eq!(fixture.sessions.find_next(session, 9).unwrap().len(), 3);
}

#[test]
fn a_forgery_believed_before_login_is_refused_after_it() {
    for looked_at_before in [false, true] {
        let (store, fixture) = Fixture::faulty();
        let session = fixture.open();
        fixture.sessions.login(session, Login::User, PIN).unwrap();
        let object = public_data(&fixture, session);
        fixture.sessions.logout(session).unwrap();
        store.forge(|row| {
            let at = row.record.windows(7).position(|bytes| bytes == b"genuine").unwrap();
            row.record.splice(at..at + 7, *b"FORGERY");
        });
        if looked_at_before {
            assert_eq!(fixture.find(session, &[]), Ok(vec![object]), "nobody can tell without a login");
        }
        fixture.sessions.login(session, Login::User, PIN).unwrap();
        assert_eq!(fixture.find(session, &[]), Ok(Vec::new()));
        assert!(matches!(fixture.sessions.view(session, object), Err(Error::ObjectDamaged(_))));
    }
}

/// A call that changes the token, on a fixture with the key `old` and the user or the SO logged in.
struct Act {
    name: &'static str,
    who: Login,
    call: fn(&Fixture, Handle, Handle) -> Result<()>,
}

const ACTS: [Act; 8] = [
    Act { name: "generate", who: Login::User, call: |fixture, session, _| named(fixture, session, b"new").map(drop) },
    Act {
        name: "generate a pair",
        who: Login::User,
        call: |fixture, session, _| {
            // An object identifier: P-256.
            let curve = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
            let half = [Given::new(CKA_TOKEN, &[1]), Given::new(CKA_LABEL, b"new")];
            let public = [&half[..], &[Given::new(CKA_EC_PARAMS, &curve)]].concat();
            let pairs = mechanism(CKM_EC_KEY_PAIR_GEN)?;
            fixture.sessions.generate_pair(session, pairs, [&public, &half]).map(drop)
        },
    },
    Act {
        name: "create",
        who: Login::User,
        call: |fixture, session, _| {
            let class = CKO_DATA.to_ne_bytes();
            let given = [Given::new(CKA_CLASS, &class), Given::new(CKA_TOKEN, &[1]), Given::new(CKA_LABEL, b"new")];
            fixture.sessions.create(session, &given).map(drop)
        },
    },
    Act {
        name: "copy",
        who: Login::User,
        call: |fixture, session, old| fixture.sessions.copy(session, old, &[Given::new(CKA_LABEL, b"new")]).map(drop),
    },
    Act {
        name: "change",
        who: Login::User,
        call: |fixture, session, old| fixture.sessions.change(session, old, &[Given::new(CKA_LABEL, b"new")]),
    },
    Act { name: "destroy", who: Login::User, call: |fixture, session, old| fixture.sessions.destroy(session, old) },
    Act {
        name: "set a PIN",
        who: Login::User,
        call: |fixture, session, _| fixture.sessions.set_pin(session, PIN, OTHER_PIN),
    },
    Act {
        name: "set the user's PIN",
        who: Login::So,
        call: |fixture, session, _| fixture.sessions.init_pin(session, OTHER_PIN),
    },
];

const OTHER_PIN: &[u8] = b"other pin";

fn named(fixture: &Fixture, session: Handle, label: &[u8]) -> Result<Handle> {
    fixture.generate(session, &[(CKA_TOKEN, &[1]), (CKA_LABEL, label)])
}

/// What the next process finds: whether the PIN and the other PIN open the token, and how many objects have each label.
#[derive(Debug, PartialEq, Eq)]
struct State {
    pins: [bool; 2],
    old: usize,
    new: usize,
    all: usize,
}

fn state(store: &Arc<dyn Store>) -> State {
    let token = Token::open(Arc::clone(store), &PINS.into(), Log::default()).unwrap();
    let fixture = Fixture { folder: MemoryFolder::new(), sessions: Sessions::new(), token };
    let session = fixture.open();
    let pins = [PIN, OTHER_PIN].map(|pin| {
        let opened = fixture.sessions.login(session, Login::User, pin).is_ok();
        if opened {
            fixture.sessions.logout(session).unwrap();
        }
        opened
    });
    let pin = if pins[0] { PIN } else { OTHER_PIN };
    fixture.sessions.login(session, Login::User, pin).unwrap();
    let count = |label: &[u8]| fixture.find(session, &[Given::new(CKA_LABEL, label)]).unwrap().len();
    let all = fixture.find(session, &[]).unwrap();
    // Each is whole: it opens.
    all.iter().for_each(|object| drop(fixture.sessions.view(session, *object).unwrap()));
    State { pins, old: count(b"old"), new: count(b"new"), all: all.len() }
}

/// Every store call of every act fails in every way, in turn.
fn every_call_fails(mut engine: impl FnMut() -> Arc<dyn Store>) -> usize {
    let mut failures = 0;
    for act in &ACTS {
        let prepared = |inner: &Arc<dyn Store>| {
            let faulty = Faulty::over(Arc::clone(inner));
            let token = Token::open(Arc::clone(&faulty) as Arc<dyn Store>, &PINS.into(), Log::default()).unwrap();
            let fixture = Fixture { folder: MemoryFolder::new(), sessions: Sessions::new(), token };
            let session = fixture.open();
            fixture.sessions.login(session, Login::So, SO_PIN).unwrap();
            fixture.sessions.init_pin(session, PIN).unwrap();
            fixture.sessions.logout(session).unwrap();
            fixture.sessions.login(session, Login::User, PIN).unwrap();
            let old = named(&fixture, session, b"old").unwrap();
            if act.who == Login::So {
                fixture.sessions.logout(session).unwrap();
                fixture.sessions.login(session, Login::So, SO_PIN).unwrap();
            }
            (faulty, fixture, session, old)
        };
        let inner = engine();
        let (_, fixture, session, old) = prepared(&inner);
        let before = state(&inner);
        (act.call)(&fixture, session, old).unwrap();
        let after = state(&inner);
        assert_ne!(before, after, "{}", act.name);
        for fault in Fault::ALL {
            for nth in 1.. {
                let inner = engine();
                let (faulty, fixture, session, old) = prepared(&inner);
                faulty.fail(nth, fault);
                let outcome = (act.call)(&fixture, session, old);
                if faulty.heal() < nth {
                    assert_eq!(outcome, Ok(()), "{}: no call failed", act.name);
                    break;
                }
                failures += 1;
                let what = format!("{}, call {nth} {fault:?}: {outcome:?}", act.name);
                let found = state(&inner);
                match outcome {
                    Ok(()) => assert_eq!(found, after, "{what}"),
                    Err(_) => assert!(found == before || found == after, "{what}: {found:?}"),
                }
                // Who was told of a failure goes on with what he has: nothing was lost in the process either.
                if outcome.is_err() && found == before {
                    (act.call)(&fixture, session, old).unwrap_or_else(|error| panic!("{what}; again: {error}"));
                    assert_eq!(state(&inner), after, "{what}; again");
                }
            }
        }
    }
    failures
}

#[test]
fn a_failing_store_in_memory_is_before_or_after() {
    let failures = every_call_fails(|| {
        let folder = MemoryFolder::new();
        assert!(Token::create(&folder, 0, &PINS, &BEGINNING).unwrap());
        folder.open(0).unwrap()
    });
    assert!(failures > 8 * 6, "{failures}");
}

#[test]
fn a_failing_store_in_files_is_before_or_after() {
    let home = tempfile::tempdir().unwrap();
    let mut count = 0;
    let failures = every_call_fails(|| {
        count += 1;
        let folder = SqliteFolder::new(home.path().join(count.to_string()));
        assert!(Token::create(&folder, 0, &PINS, &BEGINNING).unwrap());
        folder.open(0).unwrap()
    });
    assert!(failures > 8 * 6, "{failures}");
}
