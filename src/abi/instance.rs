//! The one loaded instance, and the way every call takes to it.

use std::any::Any;
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use cryptoki_sys::{CK_RV, CKR_OK};

use super::code;
use crate::config::Config;
use crate::crypto;
use crate::error::{Error, Result};
use crate::fork::{self, PerProcess, State, Word};
use crate::log::Level;
use crate::module::Module;

/// What `C_Initialize` opened in this process. Its lock is never held on the way to a session.
static INSTANCE: PerProcess<RwLock<Option<Arc<Module>>>> = PerProcess::new();

thread_local! {
    /// The instance that this thread used last: as long as the state word is the same, threads do not even share a reference count.
    static SEEN: Cell<Option<Seen>> = const { Cell::new(None) };
}

/// An instance and the state word under which it was the one.
struct Seen {
    word: Word,
    module: ManuallyDrop<Arc<Module>>,
}

impl Drop for Seen {
    fn drop(&mut self) {
        // What a forked child has of its parent's it leaves alone: other threads of the parent were at work on it.
        if self.word.process() == fork::process() {
            // SAFETY: the value is dropped here, once, and not used again.
            unsafe { ManuallyDrop::drop(&mut self.module) };
        }
    }
}

/// Whether panics are silent already; set once, as the standard library's lock on the hook might be inherited.
static SILENT: AtomicBool = AtomicBool::new(false);

/// The way of every call that needs an initialised library.
pub(super) fn call(name: &'static str, body: impl Fn(&Module) -> Result<()>) -> CK_RV {
    // By reference, as every layer would move it: what was just written in small pieces is slow to read in large ones.
    let body = &body;
    let answer = |module: Result<&Module>| match module {
        Ok(module) => answered(name, module, body(module)),
        Err(error) => code::of(&error),
    };
    catch_unwind(AssertUnwindSafe(|| with_module(answer))).unwrap_or_else(|panic| panicked(name, &*panic))
}

#[cold]
fn panicked(name: &str, panic: &(dyn Any + Send)) -> CK_RV {
    let error = || Error::GeneralError(format!("panic: {}", reason(panic)).into());
    // If it was the log that panicked, it does so again.
    let answer = |module: Result<&Module>| match module {
        Ok(module) => answered(name, module, Err(error())),
        Err(_) => code::of(&error()),
    };
    catch_unwind(AssertUnwindSafe(|| with_module(answer))).unwrap_or_else(|_| code::of(&error()))
}

/// The way of a call that needs no library: `C_GetFunctionList` and its like.
pub(super) fn call_without_module(body: impl FnOnce() -> Result<()>) -> CK_RV {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => CKR_OK,
        Ok(Err(error)) => code::of(&error),
        Err(_) => cryptoki_sys::CKR_GENERAL_ERROR,
    }
}

/// Opens the instance. Racing callers wait here, and all but one find it open.
pub(super) fn initialize(config: impl FnOnce() -> Result<Config>) -> Result<()> {
    if fork::word().state() == State::Exiting {
        return Err(Error::FunctionFailed("the process is exiting".into()));
    }
    let cell = INSTANCE.get_or_init(|| RwLock::new(None));
    let mut instance = cell.write().unwrap_or_else(PoisonError::into_inner);
    if instance.is_some() {
        return Err(Error::AlreadyInitialized);
    }
    let config = config()?;
    crypto::settle_thread();
    // The host's stderr is not ours: a panic becomes a code and a line in our own log.
    if !SILENT.swap(true, Ordering::Relaxed) {
        std::panic::set_hook(Box::new(|_| ()));
    }
    *instance = Some(Arc::new(Module::open(config)?));
    fork::set_state(true);
    Ok(())
}

/// Ends the instance, if there is one and `check` has nothing against it. Calls in flight keep it until they are done.
pub(super) fn finalize(check: impl FnOnce() -> Result<()>) -> Result<()> {
    if fork::word().state() != State::Running {
        return Err(Error::NotInitialized);
    }
    let cell = INSTANCE.get().ok_or(Error::NotInitialized)?;
    check()?;
    let mut instance = cell.write().unwrap_or_else(PoisonError::into_inner);
    let module = instance.take().ok_or(Error::NotInitialized)?;
    fork::set_state(false);
    drop(instance);
    module.finalize();
    Ok(())
}

/// Works with this thread's view of the instance, which nobody else has meanwhile: a signal handler that calls in from inside
/// a call finds none and takes the long way, as does a thread that is ending and has no cell of its own any more.
#[inline(always)]
fn with_module(work: impl FnOnce(Result<&Module>) -> CK_RV) -> CK_RV {
    let word = fork::word();
    if word.state() != State::Running {
        return work(Err(Error::NotInitialized));
    }
    let seen = SEEN.try_with(Cell::take).ok().flatten().filter(|seen| seen.word == word);
    let Some(seen) = seen.or_else(|| Seen::now(word)) else {
        return work(Err(Error::NotInitialized));
    };
    let code = work(Ok(&seen.module));
    let _ = SEEN.try_with(|cell| cell.set(Some(seen)));
    code
}

impl Seen {
    #[cold]
    fn now(word: Word) -> Option<Self> {
        crypto::settle_thread();
        Some(Self { word, module: ManuallyDrop::new(current()?) })
    }
}

fn current() -> Option<Arc<Module>> {
    INSTANCE.get()?.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Writes the log and chooses the code.
#[inline(always)]
fn answered(name: &str, module: &Module, outcome: Result<()>) -> CK_RV {
    match outcome {
        Ok(()) => {
            module.log().line(Level::Trace, format_args!("{name}: CKR_OK"));
            CKR_OK
        }
        Err(error) => refused(name, module, &error),
    }
}

#[cold]
fn refused(name: &str, module: &Module, error: &Error) -> CK_RV {
    let code = code::of(error);
    let level = match error {
        Error::DeviceError(_) | Error::DeviceMemory(_) | Error::ObjectDamaged(_) | Error::GeneralError(_) => {
            Level::Error
        }
        _ => Level::Info,
    };
    module.log().line(level, format_args!("{name}: {error} (0x{code:08x})"));
    code
}

fn reason(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("of no known kind")
}
