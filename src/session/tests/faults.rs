//! What a caller is told when the store fails or lies.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::store::{Change, Commit, ObjectId, Row, Term, TokenRow};

/// A store over another, whose reads fail or are forged.
struct Faulty {
    inner: Arc<dyn Store>,
    fails: AtomicBool,
    forges: AtomicBool,
}

impl Faulty {
    fn fixture() -> (Arc<Self>, Fixture) {
        let mut faulty = None;
        let fixture = Fixture::over(|inner| {
            let store = Arc::new(Self { inner, fails: AtomicBool::new(false), forges: AtomicBool::new(false) });
            faulty = Some(Arc::clone(&store));
            store
        });
        (faulty.unwrap(), fixture)
    }
}

impl Store for Faulty {
    fn token(&self) -> Result<TokenRow> {
        self.inner.token()
    }

    fn read(&self, id: ObjectId) -> Result<Option<Row>> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(Error::HostMemory("file descriptors for the store"));
        }
        let mut row = self.inner.read(id)?;
        if let Some(row) = row.as_mut().filter(|_| self.forges.load(Ordering::SeqCst)) {
            let at = row.record.windows(7).position(|bytes| bytes == b"genuine").unwrap();
            row.record.splice(at..at + 7, *b"FORGERY");
        }
        Ok(row)
    }

    fn tombstone(&self, id: ObjectId) -> Result<Option<Row>> {
        self.inner.tombstone(id)
    }

    fn version(&self, id: ObjectId) -> Result<Option<u64>> {
        self.inner.version(id)
    }

    fn find(&self, column: usize, term: &Term, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>> {
        self.inner.find(column, term, after, limit)
    }

    fn list(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>> {
        self.inner.list(after, limit)
    }

    fn commit(&self, changes: Vec<Change>) -> Result<Commit> {
        self.inner.commit(changes)
    }

    fn revision(&self) -> Result<u64> {
        self.inner.revision()
    }

    fn changed_since(&self, revision: u64) -> Result<Vec<ObjectId>> {
        self.inner.changed_since(revision)
    }

    fn writable(&self) -> bool {
        self.inner.writable()
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
    let (store, fixture) = Faulty::fixture();
    let session = fixture.open();
    public_data(&fixture, session);
    store.fails.store(true, Ordering::SeqCst);
    assert!(matches!(fixture.find(session, &[]), Err(Error::HostMemory(_))));
    store.fails.store(false, Ordering::SeqCst);
    assert_eq!(fixture.find(session, &[]).unwrap().len(), 1);
    // In the middle of a search: nothing of it is lost.
    for _ in 0..4 {
        public_data(&fixture, session);
    }
    fixture.sessions.find_init(session, Search::new(&[])).unwrap();
    assert_eq!(fixture.sessions.find_next(session, 2).unwrap().len(), 2);
    fixture.token.forget_opened();
    store.fails.store(true, Ordering::SeqCst);
    assert!(matches!(fixture.sessions.find_next(session, 2), Err(Error::HostMemory(_))));
    store.fails.store(false, Ordering::SeqCst);
    assert_eq!(fixture.sessions.find_next(session, 9).unwrap().len(), 3);
}

#[test]
fn a_forgery_believed_before_login_is_refused_after_it() {
    for looked_at_before in [false, true] {
        let (store, fixture) = Faulty::fixture();
        let session = fixture.open();
        fixture.sessions.login(session, Login::User, PIN).unwrap();
        let object = public_data(&fixture, session);
        fixture.sessions.logout(session).unwrap();
        store.forges.store(true, Ordering::SeqCst);
        if looked_at_before {
            assert_eq!(fixture.find(session, &[]), Ok(vec![object]), "nobody can tell without a login");
        }
        fixture.sessions.login(session, Login::User, PIN).unwrap();
        assert_eq!(fixture.find(session, &[]), Ok(Vec::new()));
        assert!(matches!(fixture.sessions.view(session, object), Err(Error::ObjectDamaged(_))));
    }
}
