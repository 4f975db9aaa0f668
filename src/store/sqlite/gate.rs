//! What keeps SQLite and `fork` apart.
//!
//! SQLite keeps process-wide state of every open file (locks, the mapped index of the WAL) that a child must not
//! inherit. So `fork` finds no connection open: every use of SQLite is a [`Visit`], the handler that runs before `fork`
//! waits until there is none, keeps new ones out, and closes all connections. The parent reopens when next asked. The
//! child makes a registry of its own and never touches what it inherited.
//!
//! A child made behind the handlers' back (raw `clone`, or `fork` in a signal handler that interrupted a visit) finds
//! connections counted as open, and does no store work until it execs.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::super::hold;
use super::descriptors::Descriptors;
use super::notice::Notice;
use super::pool::Pool;
use super::system;
use crate::error::{Error, Result};
use crate::fork::{Gate, Inside, PerProcess};

/// Being inside the gate: the right to call SQLite, for one short piece of work that waits for nobody. Never nested.
pub(super) struct Visit {
    registry: &'static Registry,
    _inside: Inside,
}

impl Visit {
    /// Waits out a `fork` that is under way.
    ///
    /// # Errors
    /// [`Error::DeviceError`] in a child that was made while connections were open.
    pub(super) fn enter() -> Result<Self> {
        register()?;
        let registry = registry();
        if registry.orphaned {
            let reason = "this process was forked out of a store in use (raw clone, or fork in a signal handler)";
            return Err(Error::DeviceError(reason.into()));
        }
        Ok(Self { registry, _inside: GATE.enter() })
    }

    /// The connections of the store with this number, all closed if it is new in this process.
    pub(super) fn pool(&self, number: u64, notice: &Arc<Notice>) -> Arc<Pool> {
        let mut pools = hold(&self.registry.pools);
        Arc::clone(pools.entry(number).or_insert_with(|| Arc::new(Pool::new(number, Arc::clone(notice)))))
    }

    /// Closes the store's connections for good.
    pub(super) fn forget(&self, number: u64) {
        let pool = hold(&self.registry.pools).remove(&number);
        pool.iter().for_each(|pool| pool.close());
    }

    /// Closes the connections of all stores that nobody is reading or writing at this moment: they are opened again when they
    /// are needed. False: there were none.
    pub(super) fn close_idle(&self) -> bool {
        let pools: Vec<Arc<Pool>> = hold(&self.registry.pools).values().cloned().collect();
        pools.iter().filter(|pool| pool.close_idle()).count() > 0
    }

    /// What SQLite has open.
    pub(super) fn descriptors(&self) -> &Descriptors {
        &self.registry.descriptors
    }

    /// A forked child closes its copy of this descriptor, until [`closes`](Self::closes) is called for it.
    pub(super) fn close_in_children(&self, descriptor: RawFd) {
        hold(&self.registry.queued).insert(descriptor);
    }

    /// The descriptor is about to be closed in this process.
    pub(super) fn closes(&self, descriptor: RawFd) {
        hold(&self.registry.queued).remove(&descriptor);
    }

    /// Counts a connection as open until the answer is dropped; to be taken before opening and dropped after closing.
    pub(super) fn count_connection(&self) -> Counted {
        self.registry.open.fetch_add(1, Ordering::SeqCst);
        Counted(self.registry)
    }
}

/// Makes `fork` wait for visits; again is harmless.
pub(super) fn register() -> Result<()> {
    GATE.register().map_err(|_| Error::HostMemory("no room for the handlers that fork needs"))
}

/// One open connection, see [`Visit::count_connection`].
pub(super) struct Counted(&'static Registry);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A number for a new store, used by no other in this process or its children.
pub(super) fn next_number() -> u64 {
    registry().next.fetch_add(1, Ordering::Relaxed)
}

/// What SQLite has open in this process, for its own system calls.
pub(super) fn descriptors() -> Option<&'static Descriptors> {
    REGISTRY.get().map(|registry| &registry.descriptors)
}

/// Closes all connections without a word to whoever has their descriptors now, so that new ones begin from nothing. To be
/// called outside the gate.
pub(super) fn abandon() {
    GATE.alone(|| system::without_locks(close_connections));
}

/// This process's open stores.
struct Registry {
    /// Locked inside the gate only, so that it is free when `fork` has the gate.
    pools: Mutex<BTreeMap<u64, Arc<Pool>>>,
    /// Connections that are open or being opened or closed.
    open: AtomicUsize,
    descriptors: Descriptors,
    /// The lock files that are open: an OFD lock lives as long as any copy of its descriptor. Locked inside the gate only.
    queued: Mutex<BTreeSet<RawFd>>,
    /// See [`next_number`].
    next: AtomicU64,
    /// Whether SQLite's own state is one inherited from a parent in the middle of something.
    orphaned: bool,
}

impl Registry {
    /// The registry of a process whose parent left `previous`.
    fn after(previous: Option<&Self>) -> Self {
        Self {
            pools: Mutex::default(),
            open: AtomicUsize::new(0),
            descriptors: Descriptors::new(),
            queued: Mutex::default(),
            next: AtomicU64::new(previous.map_or(0, |previous| previous.next.load(Ordering::Relaxed))),
            orphaned: previous.is_some_and(|previous| previous.orphaned || previous.open.load(Ordering::SeqCst) != 0),
        }
    }
}

/// Guards SQLite.
static GATE: Gate = Gate::new(close_connections, close_queues);

static REGISTRY: PerProcess<Registry> = PerProcess::new();

fn registry() -> &'static Registry {
    REGISTRY.get_or_init(|| Registry::after(REGISTRY.inherited()))
}

/// To be called with nobody inside.
fn close_connections() {
    if let Some(registry) = REGISTRY.get() {
        hold(&registry.pools).values().for_each(|pool| pool.close());
    }
}

/// To be called in a forked child, before anything else there: a child that outlives its killed parent would stand in
/// the queue for ever.
fn close_queues() {
    if let Some(registry) = REGISTRY.inherited()
        && let Ok(queued) = registry.queued.try_lock()
    {
        queued.iter().for_each(|descriptor| system::close_inherited(*descriptor));
    }
}
