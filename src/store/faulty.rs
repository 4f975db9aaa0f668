//! An engine over any other that fails when a test says so.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::{Change, Check, Commit, Folder, Item, ObjectId, Row, Store, Term, TokenRow, hold};
use crate::error::{Error, Result};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Input or output: nothing was done.
    Io,
    /// No room: nothing was done.
    Full,
    /// A lock that never came: nothing was done.
    Locked,
    /// No descriptor left: nothing was done.
    Descriptors,
    /// The process is gone before the call does anything: it and all later ones fail.
    CrashBefore,
    /// The same after the call did all that it was to do, and before anybody was told.
    CrashAfter,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Io, Self::Full, Self::Locked, Self::Descriptors, Self::CrashBefore, Self::CrashAfter];

    /// What a call gets.
    pub fn error(self) -> Error {
        match self {
            Self::Full => Error::DeviceMemory("no room, says the test".into()),
            Self::Descriptors => Error::HostMemory("file descriptors for the store"),
            _ => Error::DeviceError("a fault, says the test".into()),
        }
    }
}

/// A store over another.
pub struct Faulty {
    inner: Arc<dyn Store>,
    calls: AtomicUsize,
    /// Which call fails, counted from 1, and how; or every call.
    planned: Mutex<Option<(Which, Fault)>>,
    /// How every commit fails, if so.
    commits: Mutex<Option<Fault>>,
    conflicts: AtomicBool,
    forgery: Mutex<Option<fn(&mut Row)>>,
}

/// Which calls fail.
#[derive(Clone, Copy)]
enum Which {
    Nth(usize),
    All,
}

impl Faulty {
    /// The store as it is, until something else is said.
    pub fn over(inner: Arc<dyn Store>) -> Arc<Self> {
        let (calls, planned, commits, conflicts, forgery) = Default::default();
        Arc::new(Self { inner, calls, planned, commits, conflicts, forgery })
    }

    /// The next call but `nth - 1` fails so.
    pub fn fail(&self, nth: usize, fault: Fault) {
        self.calls.store(0, Ordering::SeqCst);
        *hold(&self.planned) = Some((Which::Nth(nth), fault));
    }

    /// Every call fails so.
    pub fn fail_always(&self, fault: Fault) {
        *hold(&self.planned) = Some((Which::All, fault));
    }

    /// Every commit fails so, and nothing else; or none does.
    pub fn fail_commits(&self, fault: Option<Fault>) {
        *hold(&self.commits) = fault;
    }

    /// Whether every commit is a conflict.
    pub fn conflict(&self, always: bool) {
        self.conflicts.store(always, Ordering::SeqCst);
    }

    /// Rows that are read are changed so.
    pub fn forge(&self, forgery: fn(&mut Row)) {
        *hold(&self.forgery) = Some(forgery);
    }

    /// No call fails any more. How many there were since the plan was made.
    pub fn heal(&self) -> usize {
        *hold(&self.planned) = None;
        self.calls.load(Ordering::SeqCst)
    }

    fn call<T>(&self, work: impl FnOnce(&dyn Store) -> Result<T>) -> Result<T> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        let planned = *hold(&self.planned);
        let crash = |fault| matches!(fault, Fault::CrashBefore | Fault::CrashAfter);
        match planned {
            Some((Which::Nth(nth), fault)) if number == nth => {
                if fault == Fault::CrashAfter {
                    work(&*self.inner).map(drop)?;
                }
                Err(fault.error())
            }
            Some((Which::Nth(nth), fault)) if number > nth && crash(fault) => Err(fault.error()),
            Some((Which::All, fault)) => Err(fault.error()),
            _ => work(&*self.inner),
        }
    }
}

impl Store for Faulty {
    fn token(&self) -> Result<TokenRow> {
        self.call(|store| store.token())
    }

    fn vouched(&self) -> Result<TokenRow> {
        self.call(|store| store.vouched())
    }

    fn accept(&self) -> Result<()> {
        self.call(|store| store.accept())
    }

    fn read(&self, id: ObjectId) -> Result<Option<Row>> {
        let mut row = self.call(|store| store.read(id))?;
        if let (Some(row), Some(forge)) = (&mut row, *hold(&self.forgery)) {
            forge(row);
        }
        Ok(row)
    }

    fn tombstone(&self, id: ObjectId) -> Result<Option<Row>> {
        self.call(|store| store.tombstone(id))
    }

    fn version(&self, id: ObjectId) -> Result<Option<u64>> {
        self.call(|store| store.version(id))
    }

    fn find(&self, column: usize, term: &Term, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>> {
        self.call(|store| store.find(column, term, after, limit))
    }

    fn list(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>> {
        self.call(|store| store.list(after, limit))
    }

    fn tombstones(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>> {
        self.call(|store| store.tombstones(after, limit))
    }

    fn commit(&self, changes: Vec<Change>) -> Result<Commit> {
        let fault = *hold(&self.commits);
        if self.conflicts.load(Ordering::SeqCst) {
            return Ok(Commit::Conflict);
        }
        self.call(|store| fault.map_or_else(|| store.commit(changes), |fault| Err(fault.error())))
    }

    fn revision(&self) -> Result<u64> {
        self.call(|store| store.revision())
    }

    fn changed_since(&self, revision: u64) -> Result<Vec<ObjectId>> {
        self.call(|store| store.changed_since(revision))
    }

    fn snapshot(&self, each: &mut dyn FnMut(Item) -> Result<()>) -> Result<()> {
        self.call(|store| store.snapshot(each))
    }

    fn check(&self) -> Result<Vec<String>> {
        self.call(|store| store.check())
    }

    fn scrub(&self, urgent: bool) -> bool {
        self.inner.scrub(urgent)
    }

    fn writable(&self) -> bool {
        self.inner.writable()
    }
}

/// A folder whose tokens are faulty when asked to be; by itself it is what it stands on.
struct FaultyFolder<F>(F);

impl<F: Folder> Folder for FaultyFolder<F> {
    fn slots(&self) -> Result<Vec<u32>> {
        self.0.slots()
    }

    fn next_slot(&self) -> Result<u32> {
        self.0.next_slot()
    }

    fn create(&self, slot: u32, token: &[u8], digest: &[u8]) -> Result<bool> {
        self.0.create(slot, token, digest)
    }

    fn remove(&self, slot: u32, check: Option<&Check>) -> Result<bool> {
        self.0.remove(slot, check)
    }

    fn owns(&self, slot: u32) -> Result<()> {
        self.0.owns(slot)
    }

    fn restore(&self, slot: u32, items: &mut dyn FnMut() -> Result<Option<Item>>) -> Result<bool> {
        self.0.restore(slot, items)
    }

    fn set_aside(&self, next: u32) -> Result<()> {
        self.0.set_aside(next)
    }

    fn open(&self, slot: u32) -> Result<Arc<dyn Store>> {
        Ok(Faulty::over(self.0.open(slot)?))
    }

    fn usable(&self) -> Result<()> {
        self.0.usable()
    }
}

mod without_faults {
    use super::FaultyFolder;
    use crate::store::memory::MemoryFolder;
    use crate::store::suite;

    suite::every_engine!(FaultyFolder(MemoryFolder::new()));
}

#[test]
fn each_fault_is_what_it_says() {
    use super::suite::{id, row, token};
    for fault in Fault::ALL {
        let inner = token(&super::memory::MemoryFolder::new());
        let store = Faulty::over(Arc::clone(&inner));
        store.fail(2, fault);
        store.commit(vec![Change::Insert(row(1, 1, b""))]).unwrap();
        assert_eq!(store.commit(vec![Change::Insert(row(2, 1, b""))]), Err(fault.error()));
        assert_eq!(inner.version(id(2)).unwrap().is_some(), fault == Fault::CrashAfter, "{fault:?}");
        let gone = matches!(fault, Fault::CrashBefore | Fault::CrashAfter);
        assert_eq!(store.revision().is_err(), gone, "{fault:?}");
        assert_eq!(store.heal(), 3);
        store.revision().unwrap();
    }
}
