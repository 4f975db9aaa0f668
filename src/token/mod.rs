//! One token: its PINs and login, and the catalog of its objects.

mod again;
mod batch;
mod catalog;
mod copy;
mod find;
mod guesses;
mod inside;
mod login;
mod objects;
mod opened;
mod pins;
mod portable;
mod profiles;
mod row;
mod salvage;
mod scrub;
mod verify;

pub use copy::{Seals, TokenCopy};
pub use find::Candidates;
pub use opened::{Opened, View};
pub use pins::SoApproval;
pub use portable::{Outcome, Portable};
pub use row::Label;
pub use salvage::{Salvage, Saved, Traces};
pub use verify::{Finding, Verdict};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::config::{KeyDates, Objects, Pins, Settings};
use crate::crypto::kdf::Argon2Cost;
use crate::crypto::random;
use crate::error::{Error, Result};
#[cfg(test)]
use crate::handle::Handle;
use crate::key::{Caller, Day, Login};
use crate::log::Log;
use crate::object::Basis;
use crate::seal::{Digest, HostKey, MasterKey, Role, Seal, TokenFacts, TokenId};
#[cfg(test)]
use crate::store::ObjectId;
use crate::store::{Change, Check, Commit, Folder, Step, Store, TokenRow};
use crate::system;
use again::Again;
use batch::Watch;
use catalog::Catalog;
use login::LoginState;
use pins::Opening;
use row::{Pin, TokenRecord};

/// An open token.
pub struct Token {
    store: Arc<dyn Store>,
    /// The id it had when it was opened: reinitialisation gives it another.
    id: TokenId,
    /// Whether unextractable keys are maskable unless they say otherwise; said when the token was initialised. What a login has
    /// checked, once there was one.
    maskable: AtomicBool,
    pins: Pins,
    /// What every PIN needs that is set from now on.
    host: Option<Arc<HostKey>>,
    shows: Objects,
    /// Whether keys are held to their dates.
    dates_bind: bool,
    log: Log,
    login: LoginState,
    catalog: Catalog,
    /// The store's revision at which `id` was last seen to hold.
    seen: AtomicU64,
    replaced: AtomicBool,
    /// Counts the operations that wait for a PIN.
    uses: AtomicU64,
    watch: Arc<Watch>,
    owed: scrub::Owed,
    guesses: guesses::Guesses,
}

/// What a token begins with.
pub struct Beginning<'a> {
    /// The SO's PIN.
    pub so_pin: &'a [u8],
    /// The label, blank-padded.
    pub label: Label,
    /// Whether unextractable keys are maskable unless they say otherwise: see `CKA_KEYSTEAD_MASKABLE`.
    pub maskable: bool,
    /// What the PIN needs beside it, if anything.
    pub host_key: Option<&'a HostKey>,
}

/// What `CK_TOKEN_INFO` needs, read from the store at this moment.
pub struct TokenState {
    /// The label, blank-padded.
    pub label: Label,
    /// The serial number; never changes.
    pub serial: [u8; 16],
    /// Whether unextractable keys are maskable unless they say otherwise.
    pub maskable: bool,
    /// Whether the user has a PIN.
    pub user_pin_set: bool,
    /// How far wrong PINs have got for the user.
    pub user: Tries,
    /// How far wrong PINs have got for the SO.
    pub so: Tries,
    /// What it costs to try a PIN of the user, if there is one, and of the SO.
    pub costs: (Option<Argon2Cost>, Argon2Cost),
    /// Whether nothing can be written.
    pub write_protected: bool,
    /// Open sessions of this process, and those of them that are read-write.
    pub sessions: (u64, u64),
}

/// How many wrong PINs there were, as the flags of `CK_TOKEN_INFO` tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// At least one.
    pub low: bool,
    /// The next one locks.
    pub last: bool,
    /// Locked.
    pub locked: bool,
    /// So many more wrong ones lock it.
    pub left: u32,
}

impl Token {
    /// Opens the token in a store. PINs that are set need the host key from then on, if there is one.
    pub fn open(store: Arc<dyn Store>, settings: &Settings, log: Log, host: Option<Arc<HostKey>>) -> Result<Arc<Self>> {
        let seen = AtomicU64::new(store.revision()?);
        let record = TokenRecord::decode(&store.token()?.bytes)?;
        let catalog = Catalog::new();
        profiles::put(&catalog, &record.id)?;
        Ok(Arc::new(Self {
            store,
            id: record.id,
            maskable: AtomicBool::new(record.maskable),
            pins: settings.pin,
            host,
            shows: settings.objects,
            dates_bind: settings.keys.dates == KeyDates::Enforce,
            log,
            login: LoginState::new(),
            catalog,
            seen,
            replaced: AtomicBool::new(false),
            uses: AtomicU64::new(0),
            watch: Arc::default(),
            owed: scrub::Owed::default(),
            guesses: guesses::Guesses::default(),
        }))
    }

    /// Makes a new token in a slot of the folder; false if somebody else has made one there.
    pub fn create(folder: &dyn Folder, slot: u32, pins: &Pins, beginning: &Beginning<'_>) -> Result<bool> {
        let serial = random::bytes::<8>()?;
        let mut digits = [b'0'; 16];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(serial) {
            pair.copy_from_slice(format!("{byte:02x}").as_bytes());
        }
        let fresh = Fresh::new(pins, beginning, digits)?;
        folder.create(slot, &fresh.record.encode(), &fresh.digest)
    }

    /// `C_InitToken` on a token that lives: all objects and the user's PIN are gone, slot and serial stay. The SO's PIN must
    /// be right, and a wrong one counts.
    ///
    /// # Errors
    /// [`Error::SessionExists`] while this process has sessions on it.
    pub fn reinitialise(&self, beginning: &Beginning<'_>) -> Result<()> {
        self.login.without_sessions(|| self.replace(beginning))
    }

    /// Does away with the token, by `remove`, if this is the SO's PIN; a wrong one counts. `remove` is to do so only if the check holds
    /// at that moment.
    ///
    /// # Errors
    /// [`Error::SessionExists`] while this process has sessions on it.
    pub fn remove(self: &Arc<Self>, so_pin: &[u8], remove: impl FnOnce(&Check) -> Result<()>) -> Result<()> {
        self.login.without_sessions(|| {
            let opening = self.check_pin(Role::So, so_pin)?;
            let token = Arc::clone(self);
            let check: Check = Arc::new(move |row| token.still_opens(&opening, &token.decoded(row)?));
            remove(&check)
        })
    }

    fn replace(&self, beginning: &Beginning<'_>) -> Result<()> {
        let opening = self.check_pin(Role::So, beginning.so_pin)?;
        self.replace_opened(&opening, beginning)
    }

    fn replace_opened(&self, opening: &Opening, beginning: &Beginning<'_>) -> Result<()> {
        // As it was checked with the PIN.
        let fresh = Fresh::new(&self.pins, beginning, opening.record.serial)?;
        let first = fresh.digest;
        let digest: Step = Arc::new(move |_| Ok(first.clone()));
        let mut again = Again::default();
        loop {
            let (row, old) = self.record()?;
            self.still_opens(opening, &old)?;
            let bytes = fresh.record.encode();
            let changes = vec![
                Change::Token { expected: row.version, bytes },
                Change::Clear,
                Change::Digest(Arc::clone(&digest)),
            ];
            if let Commit::Done { .. } = self.store.commit(changes)? {
                self.replaced.store(true, Ordering::Release);
                self.scrub_now();
                return Ok(());
            }
            again.once_more()?;
        }
    }

    /// The token's state in the store, live, and the sessions of this process.
    pub fn state(&self) -> Result<TokenState> {
        let (_, record) = self.record()?;
        let user_failures = record.user.as_ref().map_or(0, |pin| pin.failures);
        Ok(TokenState {
            label: record.label,
            serial: record.serial,
            maskable: record.maskable,
            user_pin_set: record.user.is_some(),
            user: Tries::of(user_failures, self.pins.user_tries),
            so: Tries::of(record.so.failures, self.pins.so_tries),
            costs: (record.user.as_ref().map(|pin| pin.row.cost), record.so.row.cost),
            write_protected: !self.store.writable(),
            sessions: self.login.sessions(),
        })
    }

    /// Whether the witness outside the store, if there is one, knows the state that the token is in.
    ///
    /// # Errors
    /// [`Error::DeviceError`] with a sentence for people when not.
    pub fn vouched(&self) -> Result<()> {
        self.store.vouched().map(drop)
    }

    /// Has the witness take the token as it is. It asks for no PIN: who can write to the witness could do the same with an editor.
    ///
    /// # Errors
    /// [`Error::FunctionFailed`] where there is none.
    pub fn accept(&self) -> Result<()> {
        self.store.accept()
    }

    /// Whether this process has sessions on the token.
    pub fn is_in_use(&self) -> bool {
        self.login.sessions().0 > 0
    }

    /// Whether the token has been initialised anew or removed since it was opened, by whomever.
    pub fn is_replaced(&self) -> bool {
        matches!(self.revision(), Err(Error::TokenReplaced | Error::TokenRemoved))
    }

    /// The id it had when it was opened.
    pub fn id(&self) -> &TokenId {
        &self.id
    }

    /// A number for an operation that waits for a PIN: no other has it, and later ones are higher.
    pub fn number_of_use(&self) -> u64 {
        self.uses.fetch_add(1, Ordering::Relaxed)
    }

    /// Who is logged in.
    pub fn logged_in(&self) -> Login {
        self.login.who()
    }

    /// A caller with this kind of session, at this moment.
    pub fn caller(&self, read_write: bool) -> Caller {
        let today = self.dates_bind.then(|| Day::of(system::seconds_since_1970()));
        Caller { login: self.login.who(), read_write, today }
    }

    /// What the defaults of objects that this caller makes depend on.
    pub fn basis(&self, caller: &Caller) -> Basis {
        Basis { login: caller.login, maskable: self.maskable.load(Ordering::Acquire) }
    }

    /// A number that is another one after each login and logout.
    pub fn login_word(&self) -> u64 {
        self.login.word()
    }

    /// The store's revision, with a look at whose token it is when the revision has moved.
    ///
    /// # Errors
    /// [`Error::TokenReplaced`] if the token has been initialised anew, or its file was exchanged.
    #[inline(always)]
    pub fn revision(&self) -> Result<u64> {
        if self.replaced.load(Ordering::Acquire) {
            return Err(Error::TokenReplaced);
        }
        let revision = self.store.revision()?;
        if revision != self.seen.load(Ordering::Acquire) {
            self.record()?;
            self.seen.store(revision, Ordering::Release);
        }
        Ok(revision)
    }

    /// The token row, if it is still that of this token.
    fn record(&self) -> Result<(TokenRow, TokenRecord)> {
        let row = self.store.token()?;
        let record = self.decoded(&row.bytes)?;
        Ok((row, record))
    }

    /// What a token row says, if it is that of this token.
    fn decoded(&self, row: &[u8]) -> Result<TokenRecord> {
        let record = TokenRecord::decode(row)?;
        if record.id != self.id {
            self.replaced.store(true, Ordering::Release);
            return Err(Error::TokenReplaced);
        }
        Ok(record)
    }

    fn seal(&self) -> Option<Arc<Seal>> {
        self.login.seal()
    }
}

/// What the store has of a token without objects and without a user PIN.
struct Fresh {
    record: TokenRecord,
    digest: Vec<u8>,
}

impl Fresh {
    fn new(pins: &Pins, beginning: &Beginning<'_>, serial: [u8; 16]) -> Result<Self> {
        let Beginning { so_pin, label, maskable, host_key } = *beginning;
        let id = TokenId(random::bytes()?);
        let master = MasterKey::generate()?;
        let row = master.lock(Role::So, so_pin, &id, pins.cost(), host_key)?;
        let seal = Seal::new(&master, &id)?;
        let mac = seal.mac_of_token_row(&TokenFacts { label: &label, serial: &serial, maskable });
        let record = TokenRecord { id, label, serial, so: Pin { row, failures: 0 }, user: None, maskable, mac };
        Ok(Self { record, digest: Digest::default().seal(&seal)? })
    }
}

/// The token row is not what it was made as. Of the codes that `C_Login` may return, PKCS#11 3.2 has this one for it.
fn edited() -> Error {
    Error::DeviceError(
        "the token's label, serial number or default of CKA_KEYSTEAD_MASKABLE was changed in its file".into(),
    )
}

#[cfg(test)]
mod tests;

#[cfg(test)]
impl Token {
    /// Whether what is behind a handle is held opened.
    pub fn holds_opened(&self, handle: Handle) -> bool {
        self.catalog.entries.with(handle, |entry| entry.opened.is_some()) == Some(true)
    }

    /// Whether the library made what is behind a handle.
    pub fn is_built_in(&self, handle: Handle) -> bool {
        self.catalog.entries.with(handle, |entry| entry.place == catalog::Place::BuiltIn) == Some(true)
    }

    /// Leaves so many object handles.
    pub fn leave_handles(&self, handles: u32) {
        self.catalog.entries.leave(handles);
    }

    /// Lets go of every opened token object.
    pub fn forget_opened(&self) {
        self.catalog.entries.for_each(|_, entry| {
            entry.opened.take_if(|_| matches!(entry.place, catalog::Place::Token(..)));
        });
    }

    /// A handle of this token object, which is private.
    pub fn handle_by_id(&self, id: ObjectId) -> Handle {
        self.catalog.handle_of(id, true).unwrap_or(Handle::NONE)
    }

    /// Whether a handle names this token object.
    pub fn has_handle(&self, id: ObjectId) -> bool {
        self.catalog.handles.lock().contains_key(&id)
    }
}

impl Tries {
    fn of(failures: u32, limit: u32) -> Self {
        let left = limit.saturating_sub(failures);
        Self { low: failures > 0, last: left == 1, locked: left == 0, left }
    }
}
