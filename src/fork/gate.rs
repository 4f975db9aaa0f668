//! What `fork` waits for.
//!
//! Libraries below us keep process-wide state behind locks that nobody resets in a child: a child forked while another
//! thread held one would wait for it for ever. So a thread enters a gate before it touches such state. The handler that
//! runs before `fork` waits until nobody is inside and lets nobody in until the fork is over. Inside, nobody waits for
//! anything that takes long, so no fork is held up.
//!
//! A fork in a signal handler that interrupted a thread inside a gate cannot wait for that thread, and a raw `clone` asks
//! no handler; what such a child may do is for the owners of the gates to say.

use std::cell::{Cell, RefCell};
use std::io;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::PerProcess;

/// A gate, of which there is one for each thing to be guarded.
pub struct Gate {
    /// A child has one of its own.
    lock: PerProcess<Lock>,
    before_fork: fn(),
    in_child: fn(),
}

/// Being inside a gate, until this is dropped. Never nested: a fork between the two would wait for ever.
pub struct Inside {
    lock: Option<RwLockReadGuard<'static, ()>>,
}

impl Gate {
    /// A gate that `fork` does not know yet. `before_fork` is called in the parent, with nobody inside; `in_child` in the
    /// child, where what the parent guarded is as it was then.
    pub const fn new(before_fork: fn(), in_child: fn()) -> Self {
        Self { lock: PerProcess::new(), before_fork, in_child }
    }

    /// Makes `fork` wait for who is inside; again is harmless and costs nothing.
    ///
    /// # Errors
    /// The system has no room for the handlers.
    pub fn register(&'static self) -> io::Result<()> {
        let this = ptr::from_ref(self).cast_mut();
        for place in &GATES {
            match place.compare_exchange(ptr::null_mut(), this, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(other) if other == this => break,
                Err(_) => (),
            }
        }
        register_handlers()
    }

    /// Waits out a fork that is under way.
    pub fn enter(&'static self) -> Inside {
        debug_assert!(!INSIDE.get(), "gates do not nest");
        INSIDE.set(true);
        Inside { lock: Some(self.lock().enter()) }
    }

    /// Works with nobody inside.
    pub fn alone<T>(&'static self, work: impl FnOnce() -> T) -> T {
        debug_assert!(!INSIDE.get(), "gates do not nest");
        // A signal handler that forked here would wait for what it interrupted.
        INSIDE.set(true);
        let alone = self.lock().shut();
        let done = work();
        drop(alone);
        INSIDE.set(false);
        done
    }

    fn lock(&'static self) -> &'static Lock {
        self.lock.get_or_init(Lock::default)
    }
}

/// A lock for many or one, at which the one has its turn: the standard library's gives it to a thread that comes back at once
/// before the one that it has woken for it can take it, again and again.
#[derive(Default)]
struct Lock {
    /// How many want to be alone, or are.
    wanting: AtomicUsize,
    /// Held by the one that wants to be alone, from before it waits; by the others in passing while somebody wants to.
    turn: Mutex<()>,
    /// Held for reading by who is inside, for writing by who is alone.
    inside: RwLock<()>,
}

impl Lock {
    fn enter(&'static self) -> RwLockReadGuard<'static, ()> {
        if self.wanting.load(Ordering::Relaxed) != 0 {
            drop(self.turn.lock().unwrap_or_else(PoisonError::into_inner));
        }
        self.inside.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn shut(&'static self) -> Shut {
        let wanting = Wanting::new(&self.wanting);
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        Shut { _inside: self.inside.write().unwrap_or_else(PoisonError::into_inner), _wanting: wanting, _turn: turn }
    }
}

/// A gate with nobody inside, until this is dropped: first the lock, then the turn.
struct Shut {
    _inside: RwLockWriteGuard<'static, ()>,
    _wanting: Wanting,
    _turn: MutexGuard<'static, ()>,
}

struct Wanting(&'static AtomicUsize);

impl Wanting {
    fn new(wanting: &'static AtomicUsize) -> Self {
        wanting.fetch_add(1, Ordering::Relaxed);
        Self(wanting)
    }
}

impl Drop for Wanting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.lock = None;
        INSIDE.set(false);
    }
}

/// The gates that `fork` knows.
static GATES: [AtomicPtr<Gate>; 2] = [const { AtomicPtr::new(ptr::null_mut()) }; 2];

/// Whether the handlers are registered.
static HANDLERS: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether this thread is inside a gate or on its way in or out.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// The gates that this thread keeps shut while it forks.
    static SHUT: RefCell<[Option<Shut>; 2]> = const { RefCell::new([None, None]) };
}

/// Two threads at once may both register; the handlers do nothing the second time round.
fn register_handlers() -> io::Result<()> {
    if HANDLERS.load(Ordering::Acquire) {
        return Ok(());
    }
    // SAFETY: the three are functions of this library, which is never unmapped (linked with `-z nodelete`).
    match unsafe { libc::pthread_atfork(Some(before_fork), Some(in_parent), Some(in_child)) } {
        0 => HANDLERS.store(true, Ordering::Release),
        error => return Err(io::Error::from_raw_os_error(error)),
    }
    Ok(())
}

extern "C" fn before_fork() {
    // A signal handler forks: waiting for the end of what it interrupted would be waiting for ever.
    if INSIDE.try_with(Cell::get).unwrap_or(true) {
        return;
    }
    let _ = SHUT.try_with(|shut| {
        let Ok(mut shut) = shut.try_borrow_mut() else { return };
        for (place, shut) in GATES.iter().zip(shut.iter_mut()) {
            // SAFETY: the pointer is null or that of a `&'static Gate`.
            let gate = unsafe { place.load(Ordering::Acquire).as_ref() };
            if let Some(gate) = gate
                && shut.is_none()
            {
                *shut = Some(gate.lock().shut());
                (gate.before_fork)();
            }
        }
    });
}

extern "C" fn in_parent() {
    drop(SHUT.try_with(RefCell::take));
}

extern "C" fn in_child() {
    let _ = SHUT.try_with(|shut| {
        let shut = shut.take();
        for place in GATES.iter().zip(&shut).filter_map(|(place, shut)| shut.as_ref().map(|_| place)) {
            // SAFETY: the pointer is null or that of a `&'static Gate`.
            if let Some(gate) = unsafe { place.load(Ordering::Acquire).as_ref() } {
                (gate.in_child)();
            }
        }
        // The parent's gates stay shut in the child's copy; nobody looks at them again.
        mem::forget(shut);
    });
}
