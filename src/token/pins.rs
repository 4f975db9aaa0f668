//! PINs: what opens a token, what counts wrong ones, what sets new ones.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Token;
use super::again::Again;
use super::row::{Pin, TokenRecord};
use crate::config::Pins;
use crate::crypto::kdf::Argon2Cost;
use crate::error::{Error, Result};
use crate::key::Login;
use crate::seal::{MasterKey, PinRow, Role, Seal};
use crate::store::{Change, Commit};

impl Token {
    /// `C_Login`. The PIN is hashed outside every lock, and no verdict is told before its count is durable.
    pub fn login(&self, who: Login, pin: &[u8]) -> Result<()> {
        let role = match who {
            Login::User => Role::User,
            Login::So => Role::So,
            Login::Public => return Err(Error::UserTypeInvalid),
        };
        self.revision()?;
        self.login.check(who)?;
        let Opening { master, seal, .. } = self.check_pin(role, pin)?;
        self.login.begin(who, master, seal.into())
    }

    /// The user's PIN once more, while the user is logged in. A wrong one counts.
    pub fn authenticate(&self, pin: &[u8]) -> Result<()> {
        self.revision()?;
        match self.login.who() {
            Login::User => self.check_pin(Role::User, pin).map(drop),
            _ => Err(Error::UserNotLoggedIn),
        }
    }

    /// The SO's consent to what the user, who is logged in, is about to do. A wrong PIN counts.
    pub fn approve(&self, so_pin: &[u8]) -> Result<SoApproval> {
        self.revision()?;
        match self.login.who() {
            Login::User => self.check_pin(Role::So, so_pin).map(|opening| SoApproval(opening.into())),
            _ => Err(Error::UserNotLoggedIn),
        }
    }

    /// Whether the consent is this SO's, and the PIN by which it was given still is.
    pub fn honours(&self, approval: &SoApproval) -> Result<()> {
        self.still_opens(&approval.0, &self.record()?.1)
    }

    /// `C_Logout`. `sweep` ends what the sessions still do.
    pub fn logout(&self, sweep: impl FnOnce()) -> Result<()> {
        self.login.end(|| {
            sweep();
            self.catalog.forget_private();
        })
    }

    /// Counts a session in.
    pub fn open_session(&self, read_write: bool) -> Result<()> {
        self.revision()?;
        self.login.open_session(read_write)
    }

    /// Counts a session out; the last one logs out.
    pub fn close_session(&self, read_write: bool, sweep: impl FnOnce()) {
        self.login.close_session(read_write, || {
            sweep();
            self.catalog.forget_private();
        });
        if !self.is_in_use() {
            self.scrub_what_is_left();
        }
    }

    /// `C_InitPIN`: the SO, who is logged in, sets the user's PIN; that unlocks it too.
    pub fn init_user_pin(&self, pin: &[u8]) -> Result<()> {
        if self.logged_in() != Login::So {
            return Err(Error::UserNotLoggedIn);
        }
        self.pins.check_new(pin)?;
        let row = self.login.master()?.lock(Role::User, pin, &self.id, self.pins.cost(), self.host.as_deref())?;
        self.replace_pin(Role::User, &row, |_| Ok(()))
    }

    /// `C_SetPIN`: of the SO if he is logged in, else of the user. The old PIN must be right, and a wrong one counts.
    pub fn set_pin(&self, old: &[u8], new: &[u8]) -> Result<()> {
        self.revision()?;
        let role = if self.logged_in() == Login::So { Role::So } else { Role::User };
        let opening = self.check_pin(role, old)?;
        self.pins.check_new(new)?;
        let row = opening.master.lock(role, new, &self.id, self.pins.cost(), self.host.as_deref())?;
        self.replace_pin(role, &row, |now| self.still_opens(&opening, now))
    }

    /// What the PIN opens, if it is right and not locked. A wrong PIN is counted exactly, whatever other processes do.
    ///
    /// # Errors
    /// [`Error::DeviceError`] if the PIN is right and the token row has been edited: then it opens nothing. Also if the PIN needs a
    /// host key that is not there, or the store's witness does not know its state; that counts for nothing. Those of the store if this
    /// PIN is wrong, or one before it was, and that cannot be written down: no other is hashed until it is.
    pub(super) fn check_pin(&self, role: Role, pin: &[u8]) -> Result<Opening> {
        let limit = self.pins.tries(role);
        // Where nothing can be counted, several threads would get as many guesses for the price of one.
        let _turn = (!self.store.writable()).then(|| self.guesses.turn());
        let mut again = Again::default();
        loop {
            self.guesses.settle(role, |owed| self.count_failures(role, limit, owed).map(drop))?;
            // The very row that the witness knows is what the PIN is judged by.
            let record = self.decoded(&self.store.vouched()?.bytes)?;
            let tried = record.pin(role).ok_or(Error::UserPinNotInitialized)?;
            if tried.failures >= limit {
                return Err(Error::PinLocked);
            }
            let Some(master) = MasterKey::unlock(&tried.row, role, pin, &self.id, self.host.as_deref())? else {
                return Err(self.count_failures(role, limit, 1).inspect_err(|_| self.guesses.owe(role))?);
            };
            let seal = Seal::new(&master, &self.id)?;
            if !seal.is_token_row(&record.facts(), &record.mac) {
                return Err(super::edited());
            }
            self.maskable.store(record.maskable, Ordering::Release);
            if self.clear_failures(role, &tried.row, limit)? {
                return Ok(Opening { master, seal, role, record });
            }
            again.once_more()?;
        }
    }

    /// Whether a PIN that was found right would be right now: others may have changed or locked it since, or the token row.
    pub(super) fn still_opens(&self, opening: &Opening, now: &TokenRecord) -> Result<()> {
        let then = &opening.record;
        if now.mac != then.mac || now.facts() != then.facts() {
            return Err(super::edited());
        }
        match (now.pin(opening.role), then.pin(opening.role)) {
            (Some(now), Some(then)) if now.row != then.row => Err(Error::PinIncorrect),
            (Some(now), _) if now.failures >= self.pins.tries(opening.role) => Err(Error::PinLocked),
            (Some(_), Some(_)) => Ok(()),
            _ => Err(Error::UserPinNotInitialized),
        }
    }

    /// Sets the count of failures back, if there are any; false if the PIN has been changed while it was hashed.
    fn clear_failures(&self, role: Role, verified: &PinRow, limit: u32) -> Result<bool> {
        let mut again = Again::default();
        loop {
            let (row, mut record) = self.record()?;
            let pin = record.pin_mut(role).ok_or(Error::UserPinNotInitialized)?;
            if pin.row != *verified {
                return Ok(false);
            }
            if pin.failures >= limit {
                return Err(Error::PinLocked);
            }
            if pin.failures == 0 || !self.store.writable() {
                return Ok(true);
            }
            pin.failures = 0;
            let change = Change::Token { expected: row.version, bytes: record.encode() };
            if let Commit::Done { .. } = self.store.commit(vec![change])? {
                return Ok(true);
            }
            again.once_more()?;
        }
    }

    /// Writes failures down and returns the verdict on the last.
    fn count_failures(&self, role: Role, limit: u32, failures: u32) -> Result<Error> {
        if !self.store.writable() {
            // Nothing can be counted here, so guessing is made slow instead.
            std::thread::sleep(READ_ONLY_DELAY);
            return Ok(Error::PinIncorrect);
        }
        let mut again = Again::default();
        loop {
            let (row, mut record) = self.record()?;
            let pin = record.pin_mut(role).ok_or(Error::UserPinNotInitialized)?;
            if pin.failures >= limit {
                return Ok(Error::PinLocked);
            }
            pin.failures = pin.failures.saturating_add(failures).min(limit);
            let change = Change::Token { expected: row.version, bytes: record.encode() };
            if let Commit::Done { .. } = self.store.commit(vec![change])? {
                return Ok(Error::PinIncorrect);
            }
            again.once_more()?;
        }
    }

    /// Writes a new PIN down, with no failures, if `check` has nothing against it; again if somebody else changed the token row
    /// at the same moment.
    fn replace_pin(&self, role: Role, new: &PinRow, check: impl Fn(&TokenRecord) -> Result<()>) -> Result<()> {
        let mut again = Again::default();
        loop {
            let (row, mut record) = self.record()?;
            check(&record)?;
            let pin = Pin { row: new.clone(), failures: 0 };
            match role {
                Role::So => record.so = pin,
                Role::User => record.user = Some(pin),
            }
            let change = Change::Token { expected: row.version, bytes: record.encode() };
            if let Commit::Done { .. } = self.store.commit(vec![change])? {
                self.guesses.forget(role);
                self.scrub_now();
                return Ok(());
            }
            again.once_more()?;
        }
    }
}

/// The SO's consent to one act of the user's. It ends with the PIN by which it was given.
#[derive(Clone)]
pub struct SoApproval(pub(super) Arc<Opening>);

/// What a right PIN opens.
pub(super) struct Opening {
    master: MasterKey,
    seal: Seal,
    role: Role,
    /// The token row at the moment when the PIN was right.
    pub(super) record: TokenRecord,
}

/// What a wrong PIN costs where it cannot be counted.
const READ_ONLY_DELAY: Duration = Duration::from_secs(1);

impl TokenRecord {
    pub(super) fn pin(&self, role: Role) -> Option<&Pin> {
        match role {
            Role::So => Some(&self.so),
            Role::User => self.user.as_ref(),
        }
    }

    fn pin_mut(&mut self, role: Role) -> Option<&mut Pin> {
        match role {
            Role::So => Some(&mut self.so),
            Role::User => self.user.as_mut(),
        }
    }
}

impl Pins {
    /// Whether a new PIN has a length that the configuration allows.
    pub fn check_new(&self, pin: &[u8]) -> Result<()> {
        if (self.min..=self.max).contains(&pin.len()) { Ok(()) } else { Err(Error::PinLenRange) }
    }

    pub(super) fn cost(&self) -> Argon2Cost {
        Argon2Cost { memory_kib: self.memory_kib, passes: self.passes, lanes: self.lanes }
    }

    fn tries(&self, role: Role) -> u32 {
        match role {
            Role::So => self.so_tries,
            Role::User => self.user_tries,
        }
    }
}
