//! Sessions: the five states, the active operations, and what a program can ask of a session, a file per group.

mod crypt;
mod digest;
mod domains;
mod dual;
mod find;
mod keys;
mod login;
mod masked;
mod objects;
mod operation;
mod random;
mod recover;
mod sign;
mod state;
mod sync;

pub use crypt::Direction;
pub use domains::Membership;
pub use dual::Pair;
pub use keys::Wrapped;
pub use sign::Purpose as SignPurpose;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use once_cell::sync::OnceCell;

use crate::crypto::InOut;
use crate::error::{Error, Result};
use crate::handle::{Beside, Handle, Slots};
use crate::key::{Caller, Login};
use crate::lock;
use crate::mechanism::{Ciphering, Recovering, Signing};
use crate::seal::TransientKey;
use crate::token::{Candidates, Token};
use operation::Operation;

/// All sessions of a module.
pub struct Sessions {
    table: Slots<{ lock::SESSION }, Session>,
    /// What never changes of a session, for who must not wait until it has done its work.
    fixed: Beside<Fixed>,
    /// Set by `C_Finalize`: a call in flight that finds its session gone learns why, and opens no other.
    ended: AtomicBool,
    /// Seals the states of operations that callers keep.
    transient: OnceCell<TransientKey>,
}

/// One session. Its lock is held for the length of a call.
struct Session {
    handle: Handle,
    slot: u32,
    token: Arc<Token>,
    read_write: bool,
    /// The session objects that it made, which go when it closes.
    objects: Vec<Handle>,
    search: Option<Candidates>,
    encrypt: Operation<Ciphering>,
    decrypt: Operation<Ciphering>,
    sign: Operation<Signing>,
    verify: Operation<Signing>,
    sign_recover: Operation<Recovering>,
    verify_recover: Operation<Recovering>,
    digest: Option<digest::Active>,
}

/// What never changes of a session.
struct Fixed {
    slot: u32,
    token: Arc<Token>,
    read_write: bool,
}

/// Where the result of a call goes.
pub enum Output<'a> {
    /// Nowhere: the caller asks how long it is, for so many bytes of input.
    Query(usize),
    /// Into the caller's buffer.
    Buffer(InOut<'a>),
}

impl<'a> Output<'a> {
    /// The caller's buffer, if a result of this length fits; else what he is told, which changes nothing. PKCS#11 3.2, section
    /// 5.2.
    #[inline(always)]
    fn room(&mut self, length: usize) -> std::result::Result<&mut InOut<'a>, Length> {
        match self {
            Self::Query(_) => Err(Length::Needed(length)),
            Self::Buffer(io) if io.room() < length => Err(Length::TooSmall(length)),
            Self::Buffer(io) => Ok(io),
        }
    }
}

/// How long a result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// So many bytes were written.
    Written(usize),
    /// So many bytes suffice, the caller asked.
    Needed(usize),
    /// So many bytes suffice, and the caller's buffer has fewer. Nothing has changed.
    TooSmall(usize),
}

/// `CK_SESSION_INFO`, without the device error.
pub struct Info {
    /// The slot.
    pub slot: u32,
    /// `CKS_*`
    pub state: u64,
    /// Whether the session is read-write.
    pub read_write: bool,
}

impl Sessions {
    /// No sessions.
    pub fn new() -> Self {
        Self { table: Slots::new(), fixed: Beside::new(), ended: AtomicBool::new(false), transient: OnceCell::new() }
    }

    /// Opens a session with the token in a slot.
    pub fn open(&self, slot: u32, token: Arc<Token>, read_write: bool) -> Result<Handle> {
        token.open_session(read_write)?;
        let session = |handle| {
            self.fixed.put(handle, Fixed { slot, token: Arc::clone(&token), read_write });
            Session {
                handle,
                slot,
                token: Arc::clone(&token),
                read_write,
                objects: Vec::new(),
                search: None,
                encrypt: Operation::NONE,
                decrypt: Operation::NONE,
                sign: Operation::NONE,
                verify: Operation::NONE,
                sign_recover: Operation::NONE,
                verify_recover: Operation::NONE,
                digest: None,
            }
        };
        let Some(handle) = self.table.insert(session) else {
            token.close_session(read_write, || ());
            return Err(Error::HostMemory("no session handle is left"));
        };
        if self.ended.load(Ordering::SeqCst) {
            self.close(handle)?;
            return Err(Error::NotInitialized);
        }
        Ok(handle)
    }

    /// Closes a session, its operations and its objects; the token's last one logs out.
    pub fn close(&self, handle: Handle) -> Result<()> {
        let session = self.table.remove(handle).ok_or_else(|| self.gone())?;
        self.closed(session);
        Ok(())
    }

    /// Closes all sessions of a slot.
    pub fn close_slot(&self, slot: u32) {
        for session in self.table.drain_if(|session| session.slot == slot) {
            self.closed(session);
        }
    }

    /// Closes all sessions, for ever.
    pub fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        for session in self.table.drain_if(|_| true) {
            self.closed(session);
        }
    }

    /// What a session is and in which of the five states. PKCS#11 3.2, section 4.6. Asks no store, and waits for nobody who
    /// works in the session.
    pub fn info(&self, handle: Handle) -> Result<Info> {
        self.fixed(handle, |fixed| {
            let state = match (fixed.token.logged_in(), fixed.read_write) {
                (Login::Public, false) => cryptoki_sys::CKS_RO_PUBLIC_SESSION,
                (Login::Public, true) => cryptoki_sys::CKS_RW_PUBLIC_SESSION,
                (Login::User, false) => cryptoki_sys::CKS_RO_USER_FUNCTIONS,
                (Login::User, true) => cryptoki_sys::CKS_RW_USER_FUNCTIONS,
                (Login::So, _) => cryptoki_sys::CKS_RW_SO_FUNCTIONS,
            };
            Info { slot: fixed.slot, state, read_write: fixed.read_write }
        })
    }

    fn fixed<T>(&self, handle: Handle, look: impl FnOnce(&Fixed) -> T) -> Result<T> {
        self.fixed.read(handle, look).ok_or_else(|| self.gone())
    }

    fn with<T>(&self, handle: Handle, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        self.table.with_or(handle, || Err(self.gone()), work)
    }

    /// Why a session is not there.
    #[cold]
    fn gone(&self) -> Error {
        if self.ended.load(Ordering::SeqCst) { Error::NotInitialized } else { Error::SessionHandleInvalid }
    }

    /// The token of a session, for what must not hold the session's lock.
    fn token(&self, handle: Handle) -> Result<Arc<Token>> {
        self.fixed(handle, |fixed| Arc::clone(&fixed.token))
    }

    fn closed(&self, session: Session) {
        self.fixed.remove(session.handle);
        session.token.drop_session_objects(session.handle, &session.objects);
        let (token, read_write) = (Arc::clone(&session.token), session.read_write);
        drop(session);
        token.close_session(read_write, || self.end_login(&token));
    }

    /// Ends what a login made possible in every session of a token.
    fn end_login(&self, token: &Arc<Token>) {
        self.table.for_each(|_, session| {
            if Arc::ptr_eq(&session.token, token) {
                session.end_login();
            }
        });
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    fn caller(&self) -> Caller {
        self.token.caller(self.read_write)
    }

    /// Logout: operations of keys that needed the login end, and the search finds nothing more.
    fn end_login(&mut self) {
        self.encrypt.end_login();
        self.decrypt.end_login();
        self.sign.end_login();
        self.verify.end_login();
        self.sign_recover.end_login();
        self.verify_recover.end_login();
        self.digest.take_if(|active| active.needs_login);
        if let Some(candidates) = &mut self.search {
            candidates.clear();
        }
    }
}

#[cfg(test)]
mod tests;
