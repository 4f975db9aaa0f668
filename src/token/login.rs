//! Who is logged in to a token in this process, and how many sessions there are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::error::{Error, Result};
use crate::key::Login;
use crate::lock::{self, Mutex};
use crate::seal::{MasterKey, Seal};

/// The login of one token. The word can be read without a lock; everything that changes it takes the turn.
pub(super) struct LoginState {
    /// Low bits: who. The rest counts logins and logouts.
    word: AtomicU64,
    turn: Mutex<{ lock::LOGIN }, Sessions>,
    /// A leaf: held only to copy or replace what is in it.
    keys: RwLock<Option<Keys>>,
}

/// What a login opens.
struct Keys {
    /// For setting the user's PIN: of the SO only.
    master: Option<Arc<MasterKey>>,
    seal: Arc<Seal>,
}

/// Open sessions of this process on the token.
#[derive(Default)]
struct Sessions {
    all: u64,
    read_write: u64,
    /// Whether the token is being initialised anew: nobody opens a session then.
    barred: bool,
}

impl LoginState {
    pub(super) fn new() -> Self {
        Self { word: AtomicU64::new(0), turn: Mutex::new(Sessions::default()), keys: RwLock::new(None) }
    }

    pub(super) fn word(&self) -> u64 {
        self.word.load(Ordering::Acquire)
    }

    pub(super) fn who(&self) -> Login {
        match self.word() & WHO {
            USER => Login::User,
            SO => Login::So,
            _ => Login::Public,
        }
    }

    pub(super) fn seal(&self) -> Option<Arc<Seal>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.as_ref().map(|keys| Arc::clone(&keys.seal))
    }

    /// The master key, if the SO is logged in.
    pub(super) fn master(&self) -> Result<Arc<MasterKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.as_ref().and_then(|keys| keys.master.clone()).ok_or(Error::UserNotLoggedIn)
    }

    /// Whether `who` could log in now. PKCS#11 3.2, section 5.6.8.
    pub(super) fn check(&self, who: Login) -> Result<()> {
        self.check_with(who, &self.turn.lock())
    }

    /// Logs in.
    pub(super) fn begin(&self, who: Login, master: MasterKey, seal: Arc<Seal>) -> Result<()> {
        let sessions = self.turn.lock();
        self.check_with(who, &sessions)?;
        if sessions.all == 0 {
            // The session that logs in was closed meanwhile, and a login does not outlive the last session.
            return Err(Error::SessionHandleInvalid);
        }
        let master = (who == Login::So).then(|| Arc::new(master));
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(Keys { master, seal });
        self.advance(who);
        Ok(())
    }

    /// Logs out. `sweep` runs after the word has changed and before anybody can log in again.
    pub(super) fn end(&self, sweep: impl FnOnce()) -> Result<()> {
        let _sessions = self.turn.lock();
        if self.who() == Login::Public {
            return Err(Error::UserNotLoggedIn);
        }
        self.leave(sweep);
        Ok(())
    }

    /// Counts a new session in.
    pub(super) fn open_session(&self, read_write: bool) -> Result<()> {
        let mut sessions = self.turn.lock();
        if sessions.barred {
            return Err(Error::FunctionFailed("the token is being initialised".into()));
        }
        if !read_write && self.who() == Login::So {
            return Err(Error::SessionReadWriteSoExists);
        }
        sessions.all = sessions.all.saturating_add(1);
        sessions.read_write = sessions.read_write.saturating_add(u64::from(read_write));
        Ok(())
    }

    /// Does something that no session may see, outside the lock.
    pub(super) fn without_sessions<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        {
            let mut sessions = self.turn.lock();
            if sessions.all > 0 || sessions.barred {
                return Err(Error::SessionExists);
            }
            sessions.barred = true;
        }
        let done = work();
        self.turn.lock().barred = false;
        done
    }

    /// Counts a session out; the last one logs out, with `sweep` as in [`end`](Self::end).
    pub(super) fn close_session(&self, read_write: bool, sweep: impl FnOnce()) {
        let mut sessions = self.turn.lock();
        sessions.all = sessions.all.saturating_sub(1);
        sessions.read_write = sessions.read_write.saturating_sub(u64::from(read_write));
        if sessions.all == 0 && self.who() != Login::Public {
            self.leave(sweep);
        }
    }

    pub(super) fn sessions(&self) -> (u64, u64) {
        let sessions = self.turn.lock();
        (sessions.all, sessions.read_write)
    }

    fn check_with(&self, who: Login, sessions: &Sessions) -> Result<()> {
        match self.who() {
            current if current == who => Err(Error::UserAlreadyLoggedIn),
            Login::Public if who == Login::So && sessions.read_write < sessions.all => {
                Err(Error::SessionReadOnlyExists)
            }
            Login::Public => Ok(()),
            _ => Err(Error::UserAnotherAlreadyLoggedIn),
        }
    }

    fn leave(&self, sweep: impl FnOnce()) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.advance(Login::Public);
        sweep();
    }

    fn advance(&self, who: Login) {
        let who = match who {
            Login::Public => 0,
            Login::User => USER,
            Login::So => SO,
        };
        // The turn is held, so nobody else changes the word.
        let count = (self.word() >> COUNT_SHIFT).wrapping_add(1);
        self.word.store(count << COUNT_SHIFT | who, Ordering::Release);
    }
}

const WHO: u64 = 0b11;
const USER: u64 = 1;
const SO: u64 = 2;
const COUNT_SHIFT: u32 = 2;
