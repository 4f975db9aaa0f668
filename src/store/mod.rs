//! Where tokens and their objects are kept: opaque bytes with versions, index terms and a revision.
//!
//! The store knows nothing of PKCS#11 and nothing of what the bytes mean. [`Folder`] holds tokens by slot number,
//! [`Store`] is one token. Two engines pass one suite of tests (`suite.rs`): [`sqlite`], which is what users get, and
//! [`memory`], which is for tests. Nothing here assumes that the store is a local file, so that an engine over the
//! network fits under the same traits.

pub mod backup;
#[cfg(test)]
pub mod faulty;
pub mod memory;
pub mod sqlite;
#[cfg(test)]
mod suite;

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};

/// Where tokens are kept, one store a slot number.
pub trait Folder: Send + Sync {
    /// The slot numbers that hold a token, ascending. A token that cannot be read or is damaged is still listed.
    fn slots(&self) -> Result<Vec<u32>>;

    /// The number that the next token will get: 0 in a new folder, and never one that was used before. Creates nothing.
    fn next_slot(&self) -> Result<u32>;

    /// Creates the token of `slot` with `token` and `digest` as the bytes of its token row, version 1, revision 0. The token is
    /// there whole and durable when this returns true. False: the number has been used already, by whomever.
    fn create(&self, slot: u32, token: &[u8], digest: &[u8]) -> Result<bool>;

    /// Removes the token of `slot` for good: it is there whole or not at all, whatever happens meanwhile, and its number is
    /// never used again. Who has it open gets [`Error::TokenRemoved`]. False: there was none.
    ///
    /// With a check nobody commits to the token between the check and its end.
    ///
    /// # Errors
    /// Those of the check, and what keeps the token row from being read for it; then the token stays.
    fn remove(&self, slot: u32, check: Option<&Check>) -> Result<bool>;

    /// Whether the caller may do with the token of `slot` what he likes, as far as it depends on the engine and not on PINs.
    ///
    /// # Errors
    /// [`Error::FunctionFailed`] with a sentence for people when somebody else may.
    fn owns(&self, slot: u32) -> Result<()>;

    /// Creates the token of `slot` as a [`snapshot`](Store::snapshot) shows one: what `items` gives, the token row first,
    /// until it gives nothing. The token is there whole and durable when this returns true. False: the number has been used
    /// already, and nothing was asked of `items`, which may not call the folder or a store of it.
    ///
    /// # Errors
    /// Those of `items`; [`Error::DeviceError`] when they do not begin with a token row, have another one, or the same id
    /// twice. In each case there is no token.
    fn restore(&self, slot: u32, items: &mut dyn FnMut() -> Result<Option<Item>>) -> Result<bool>;

    /// No token gets a number below `next` any more; durable when it returns. A lower one than it is changes nothing.
    fn set_aside(&self, next: u32) -> Result<()>;

    /// Opens the token of `slot`.
    ///
    /// # Errors
    /// [`Error::TokenNotRecognized`] with a sentence for people when there is none or it cannot be opened: rights,
    /// damage, a newer format, a file of somebody else's.
    fn open(&self, slot: u32) -> Result<Arc<dyn Store>>;

    /// Whether the folder can be used, or created when it is missing.
    ///
    /// # Errors
    /// The sentence for the log. A folder that can only be read is usable.
    fn usable(&self) -> Result<()>;
}

/// One token: its token row and its objects. Every call stands alone; nothing is held between two calls.
pub trait Store: Send + Sync {
    /// The token row.
    fn token(&self) -> Result<TokenRow>;

    /// The token row, if a *witness* outside the store knows the state that it was read in; without a witness, the token row. The witness
    /// learns of every commit before it comes about, so that a store that was put back to an older state, or edited, is found out,
    /// by this and by the next commit. Reading objects does not ask it.
    ///
    /// # Errors
    /// [`Error::DeviceError`] with a sentence for people when the witness is missing or knows of no such state.
    fn vouched(&self) -> Result<TokenRow> {
        self.token()
    }

    /// Has the witness begin anew with the state in which the store is.
    ///
    /// # Errors
    /// [`Error::FunctionFailed`] where the store has none.
    fn accept(&self) -> Result<()> {
        Err(no_witness())
    }

    /// The object, if it is there.
    fn read(&self, id: ObjectId) -> Result<Option<Row>>;

    /// What was left when the object was destroyed: a row without terms, of the version after the object's last.
    fn tombstone(&self, id: ObjectId) -> Result<Option<Row>>;

    /// The object's version, if it is there; cheaper than [`read`](Self::read).
    fn version(&self, id: ObjectId) -> Result<Option<u64>>;

    /// Up to `limit` objects whose index `column` holds `term`, by ascending id, after the id `after`.
    ///
    /// # Errors
    /// [`Error::GeneralError`] when `column` is not below [`TERMS`].
    fn find(&self, column: usize, term: &Term, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>>;

    /// Up to `limit` objects, by ascending id, after the id `after`.
    fn list(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>>;

    /// Up to `limit` objects of which a tombstone is left, by ascending id, after the id `after`.
    fn tombstones(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>>;

    /// Carries out the changes in their order, all or none, and is durable when it returns [`Commit::Done`]. An empty
    /// batch changes nothing, not even the revision.
    ///
    /// # Errors
    /// [`Error::TokenWriteProtected`], [`Error::DeviceMemory`] when the store is full, [`Error::DeviceError`]; in
    /// each case nothing was changed, except that after a `DeviceError` of the last step (the write to disk) the
    /// outcome is known only by reading again.
    fn commit(&self, changes: Vec<Change>) -> Result<Commit>;

    /// How many commits there were, by anybody. Cheap while there was none.
    fn revision(&self) -> Result<u64>;

    /// The objects that were inserted, updated or deleted after `revision`, by ascending id. It may look at every object.
    fn changed_since(&self, revision: u64) -> Result<Vec<ObjectId>>;

    /// Shows `each` the token as of one moment, whatever is committed meanwhile: the token row, then the objects, then the
    /// tombstones, both by ascending id. What is found beside its own tombstone is not shown, nor is what an earlier
    /// initialisation left.
    ///
    /// The one call that may take long: as long as `each` takes, which may call no store. An engine may meanwhile keep what
    /// others' commits replace, and hold up a `fork` of this process.
    ///
    /// # Errors
    /// Those of `each`, which end it.
    fn snapshot(&self, each: &mut dyn FnMut(Item) -> Result<()>) -> Result<()>;

    /// What is wrong with the structure in which the engine keeps all this, a sentence for people each. It looks at everything, and
    /// a `fork` of this process may have to wait for its end.
    fn check(&self) -> Result<Vec<String>>;

    /// Sees to it that what was replaced or removed by commits before this stands in none of the engine's files any more, as far as
    /// the engine can. It waits for nobody, and gives way to whoever wants to commit unless it is `urgent`. False: it could not be
    /// done now, as when somebody is reading.
    fn scrub(&self, urgent: bool) -> bool;

    /// Whether commits are possible at all: false on read-only media.
    fn writable(&self) -> bool;
}

/// One change of a commit. `expected` is the version that must be there, or the whole commit is a [`Commit::Conflict`].
pub enum Change {
    /// Replaces the token row's bytes; its version becomes `expected + 1`.
    Token {
        /// The version that must be there.
        expected: u64,
        /// The new bytes.
        bytes: Vec<u8>,
    },
    /// A new object; a conflict if the id is there, or has a tombstone.
    Insert(Row),
    /// Replaces an object whole. `row.version` is the new version.
    Update {
        /// The version that must be there.
        expected: u64,
        /// What replaces it.
        row: Row,
    },
    /// Removes an object and leaves a tombstone of the version `expected + 1`.
    Delete {
        /// Which.
        id: ObjectId,
        /// The version that must be there.
        expected: u64,
        /// What is left.
        tombstone: Vec<u8>,
    },
    /// The tombstone of an object that was never here; a conflict if the id is there, or has a tombstone.
    Bury(Row),
    /// Removes all objects and all tombstones, for reinitialisation.
    Clear,
    /// Carries the digest on. The token row's version stays: whoever commits at the same time, each step begins with what the
    /// one before it has left.
    Digest(Step),
    /// Changes nothing: what must hold of the token row for the changes beside it to be made at all.
    Check(Check),
}

/// A part of a token, as [`Store::snapshot`] shows it and [`Folder::restore`] takes it. `revision` is that of the commit
/// which made it so; a token row's is the store's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// The token row.
    Token {
        /// The row.
        row: TokenRow,
        /// How many commits there were.
        revision: u64,
    },
    /// An object.
    Object {
        /// The object.
        row: Row,
        /// Of its last change.
        revision: u64,
    },
    /// What is left of an object that was destroyed; without terms.
    Tombstone {
        /// What is left.
        row: Row,
        /// Of its end.
        revision: u64,
    },
}
/// One step of the digest: from what the store has to what it is to have. An error undoes the commit that it belongs to, and is its
/// outcome. It may be asked again when a commit is tried again, in any thread; it waits for nothing, and asks nothing of the store.
pub type Step = Arc<dyn Fn(&[u8]) -> Result<Vec<u8>> + Send + Sync>;

/// What must hold of the token row's bytes. An error undoes the commit that it belongs to, and is its outcome. It is asked like a [`Step`].
pub type Check = Arc<dyn Fn(&[u8]) -> Result<()> + Send + Sync>;

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// It is durable.
    Done {
        /// The store's revision after it.
        revision: u64,
    },
    /// Some expected version did not hold; nothing was changed.
    Conflict,
}

/// An object as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The object's id.
    pub id: ObjectId,
    /// Counts the object's changes; chosen by the caller, compared by the store.
    pub version: u64,
    /// What the object is found by.
    pub terms: Terms,
    /// The sealed record.
    pub record: Vec<u8>,
}

/// The one row that a token has beside its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// 1 when created, one more at each change.
    pub version: u64,
    /// Opaque to the store.
    pub bytes: Vec<u8>,
    /// What the steps of the digest have come to; opaque, too.
    pub digest: Vec<u8>,
}

/// The random 128-bit id of an object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub [u8; 16]);

/// One index term: a truncated MAC or hash, opaque to the store.
pub type Term = [u8; 16];

/// How many index columns an object has.
pub const TERMS: usize = 7;

/// An object's index terms by column; absent ones are not found by anything.
pub type Terms = [Option<Term>; TERMS];

impl ObjectId {
    /// The id in 32 hexadecimal digits, as [`Display`](fmt::Display) writes it. Nothing else is one.
    pub fn parse(digits: &[u8]) -> Option<Self> {
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let digits: &[u8; 32] = digits.try_into().ok()?;
        let mut bytes = [0; 16];
        for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 32];
        for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(self.0) {
            *pair = [byte >> 4, byte & 15].map(|digit| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        }
        f.write_str(str::from_utf8(&digits).unwrap_or_default())
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The next revision or token version.
fn successor(number: u64) -> Result<u64> {
    number.checked_add(1).ok_or_else(|| Error::DeviceError("a counter of the store has run out".into()))
}

/// The first of a token's items, which has to be its row.
fn first_item(items: &mut dyn FnMut() -> Result<Option<Item>>) -> Result<(TokenRow, u64)> {
    match items()? {
        Some(Item::Token { row, revision }) => Ok((row, revision)),
        _ => Err(Error::DeviceError("what is to be restored does not begin with a token row".into())),
    }
}

/// What two items of one token are that exclude each other.
fn twice(what: impl fmt::Display) -> Error {
    Error::DeviceError(format!("what is to be restored has {what} twice").into())
}

/// There is no witness that could be told anything.
fn no_witness() -> Error {
    Error::FunctionFailed("no witness is configured: `[token] witness` names the folder for them".into())
}

/// Refuses a column that does not exist.
fn check_column(column: usize) -> Result<()> {
    match column < TERMS {
        true => Ok(()),
        false => Err(Error::GeneralError(format!("index column {column} does not exist").into())),
    }
}

/// The lock, whoever panicked while holding it: what it guards is consistent between any two statements.
fn hold<T>(lock: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
