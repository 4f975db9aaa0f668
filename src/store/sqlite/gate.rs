//! What keeps SQLite and `fork` apart.
//!
//! SQLite keeps process-wide state of every open file (locks, the mapped index of the WAL) that a child must not
//! inherit. So `fork` finds no connection open: every use of SQLite is a [`Visit`], the handler that runs before `fork`
//! waits until there is none, keeps new ones out, and closes all connections. The parent reopens when next asked. The
//! child makes a registry of its own and never touches what it inherited.
//!
//! A child made behind the handlers' back (raw `clone`, or `fork` in a signal handler that interrupted a visit) finds
//! connections counted as open, and does no store work until it execs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::super::hold;
use super::notice::Notice;
use super::pool::Pool;
use super::system;
use crate::error::{Error, Result};
use crate::fork::PerProcess;

/// Being inside the gate: the right to call SQLite, for one short piece of work that waits for nobody. Never nested.
pub(super) struct Visit {
    registry: &'static Registry,
    gate: Option<RwLockReadGuard<'static, ()>>,
}

impl Visit {
    /// Waits out a `fork` that is under way.
    ///
    /// # Errors
    /// [`Error::DeviceError`] in a child that was made while connections were open.
    pub(super) fn enter() -> Result<Self> {
        register_handlers()?;
        let registry = registry();
        if registry.orphaned {
            let reason = "this process was forked out of a store in use (raw clone, or fork in a signal handler)";
            return Err(Error::DeviceError(reason.into()));
        }
        debug_assert!(!INSIDE.get(), "visits do not nest: a fork between the two would wait for ever");
        INSIDE.set(true);
        let gate = registry.gate.read().unwrap_or_else(PoisonError::into_inner);
        Ok(Self { registry, gate: Some(gate) })
    }

    /// The connections of the store with this number, all closed if it is new in this process.
    pub(super) fn pool(&self, number: u64, notice: &Arc<Notice>) -> Arc<Pool> {
        let mut pools = hold(&self.registry.pools);
        Arc::clone(pools.entry(number).or_insert_with(|| Arc::new(Pool::new(Arc::clone(notice)))))
    }

    /// Closes the store's connections for good.
    pub(super) fn forget(&self, number: u64) {
        let pool = hold(&self.registry.pools).remove(&number);
        pool.iter().for_each(|pool| pool.close());
    }

    /// Counts a connection as open until the answer is dropped; to be taken before opening and dropped after closing.
    pub(super) fn count_connection(&self) -> Counted {
        self.registry.open.fetch_add(1, Ordering::SeqCst);
        Counted(self.registry)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.gate = None;
        INSIDE.set(false);
    }
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

/// This process's open stores.
struct Registry {
    /// Held for reading by visits, for writing round `fork`.
    gate: RwLock<()>,
    /// Locked inside the gate only, so that it is free when `fork` has the gate.
    pools: Mutex<BTreeMap<u64, Arc<Pool>>>,
    /// Connections that are open or being opened or closed.
    open: AtomicUsize,
    /// See [`next_number`].
    next: AtomicU64,
    /// Whether SQLite's own state is one inherited from a parent in the middle of something.
    orphaned: bool,
}

impl Registry {
    /// The registry of a process whose parent left `previous`.
    fn after(previous: Option<&Self>) -> Self {
        Self {
            gate: RwLock::new(()),
            pools: Mutex::default(),
            open: AtomicUsize::new(0),
            next: AtomicU64::new(previous.map_or(0, |previous| previous.next.load(Ordering::Relaxed))),
            orphaned: previous.is_some_and(|previous| previous.orphaned || previous.open.load(Ordering::SeqCst) != 0),
        }
    }

    fn close_connections(&self) {
        hold(&self.pools).values().for_each(|pool| pool.close());
    }
}

static REGISTRY: PerProcess<Registry> = PerProcess::new();

fn registry() -> &'static Registry {
    REGISTRY.get_or_init(|| Registry::after(REGISTRY.inherited()))
}

thread_local! {
    /// Whether this thread is inside the gate or on its way in or out.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// The gate, while this thread forks.
    static FORKING: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
}

static HANDLERS: AtomicBool = AtomicBool::new(false);

/// Two threads at once may both register; the handlers do nothing the second time round.
fn register_handlers() -> Result<()> {
    if HANDLERS.load(Ordering::Acquire) {
        return Ok(());
    }
    system::at_fork(before_fork, in_parent, in_child)
        .map_err(|_| Error::HostMemory("no room for the handlers that fork needs"))?;
    HANDLERS.store(true, Ordering::Release);
    Ok(())
}

extern "C" fn before_fork() {
    let Some(registry) = REGISTRY.get() else { return };
    // A signal handler forks inside a visit of this thread: waiting for its end would be waiting for ever.
    if INSIDE.try_with(Cell::get).unwrap_or(true) {
        return;
    }
    let _ = FORKING.try_with(|forking| {
        let Ok(mut forking) = forking.try_borrow_mut() else { return };
        if forking.is_none() {
            let gate = registry.gate.write().unwrap_or_else(PoisonError::into_inner);
            registry.close_connections();
            *forking = Some(gate);
        }
    });
}

extern "C" fn in_parent() {
    let _ = FORKING.try_with(RefCell::take);
}

extern "C" fn in_child() {
    // The parent's gate stays shut in the child's copy; nobody looks at it again.
    let _ = FORKING.try_with(|forking| std::mem::forget(forking.take()));
}
