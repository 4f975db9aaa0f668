//! Slots: where tokens show up.

mod event;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, Mode, Pins};
use crate::error::{Error, Result};
use crate::lock::{self, Mutex};
use crate::seal::HostKey;
use crate::store::sqlite::SqliteFolder;
use crate::store::{Check, Folder};
use crate::token::{Beginning, Label, Token, TokenState};

/// The slots of a module: one for each token of its folder, and perhaps one with a blank token.
pub struct Slots {
    config: Config,
    /// The folder, or why it cannot be used.
    folder: Result<Box<dyn Folder>>,
    host: Option<Arc<HostKey>>,
    events: event::Events,
    known: Mutex<{ lock::SLOTS }, Known>,
}

#[derive(Default)]
struct Known {
    slots: BTreeMap<u32, Slot>,
    /// What `C_GetSlotList` shows, in its order. Grows only when a caller asks anew.
    listed: Option<Vec<u32>>,
    /// Set by `C_Finalize`: a call in flight must not open anything any more.
    closed: bool,
}

/// What is in a slot.
enum Slot {
    /// A token waits to be made here.
    Blank,
    /// A token that nobody has asked for yet, or that could not be opened.
    Closed,
    /// An open token.
    Open(Arc<Token>),
}

/// In whose name a token is destroyed.
#[derive(Clone, Copy)]
pub enum Authority<'a> {
    /// The SO's, with this PIN. A wrong one counts.
    SoPin(&'a [u8]),
    /// That of whoever owns what the token is kept in, and could do away with it by other means.
    Owner,
}

/// What a caller finds in a slot.
pub enum Found {
    /// A token waits to be made here.
    Blank,
    /// A token.
    Token(Arc<Token>),
}

impl Slots {
    /// The slots of the configured folder. Opens no token and creates nothing. A folder that can be neither used nor created
    /// leaves no slots and a line in the log.
    pub fn new(config: Config) -> Self {
        let patience = Duration::from_millis(config.settings.locks.wait_ms.into());
        let shared = config.settings.files.mode == Mode::Group;
        let witness = config.settings.token.witness.clone();
        let open = |path| SqliteFolder::new(path).patience(patience).shared_with_group(shared).witnessed_in(witness);
        let folder = config.store.clone().map(open);
        let folder = folder.map(|folder| Box::new(folder) as Box<dyn Folder>);
        Self::with_folder(config, folder)
    }

    /// The slots of any folder.
    pub fn with_folder(config: Config, folder: Option<Box<dyn Folder>>) -> Self {
        let missing = || Error::DeviceError(config.no_store.clone().unwrap_or_else(|| "there is no folder".into()));
        let folder = folder.ok_or_else(missing).and_then(|folder| match folder.usable() {
            Ok(()) => Ok(folder),
            Err(reason) => {
                config.log.error(format_args!("no slots: {reason}"));
                Err(reason)
            }
        });
        let host = config.host_key.clone().map(|key| Arc::new(HostKey::new(key)));
        let slots =
            Self { config, folder, host, events: event::Events::default(), known: Mutex::new(Known::default()) };
        slots.expect_tokens();
        slots
    }

    /// Whether the folder can be used.
    ///
    /// # Errors
    /// The reason why there are no slots.
    pub fn usable(&self) -> Result<()> {
        self.folder.as_ref().map(drop).map_err(Error::clone)
    }

    /// The folder itself, for who copies whole tokens.
    ///
    /// # Errors
    /// The reason why there are no slots.
    pub fn folder(&self) -> Result<&dyn Folder> {
        self.folder.as_deref().map_err(Error::clone)
    }

    /// The slot ids, as `C_GetSlotList` shows them. With `anew` the folder is looked at again; without, only if it never
    /// was. Never fails: what is wrong inside one token is that token's trouble.
    pub fn list(&self, anew: bool) -> Vec<u32> {
        let mut known = self.known.lock();
        if !known.closed && (anew || known.listed.is_none()) {
            self.look(&mut known);
        }
        known.listed.clone().unwrap_or_default()
    }

    /// Whether there is such a slot, whatever is in it.
    pub fn check(&self, id: u64) -> Result<()> {
        self.slot(&mut self.known.lock(), id).map(drop)
    }

    /// The lengths and limits of PINs.
    pub fn pins(&self) -> &Pins {
        &self.config.settings.pin
    }

    /// What is in a slot, opened if need be.
    ///
    /// # Errors
    /// [`Error::SlotIdInvalid`]; [`Error::TokenNotRecognized`] when the token cannot be opened; [`Error::HostMemory`] when
    /// only descriptors or memory are missing.
    pub fn find(&self, id: u64) -> Result<Found> {
        let mut known = self.known.lock();
        let slot = self.slot(&mut known, id)?;
        self.opened(slot.0, slot.1)
    }

    /// What is in a slot and its state at this moment. A token that somebody initialised anew is opened again.
    pub fn state(&self, id: u64) -> Result<Option<TokenState>> {
        match self.find(id)? {
            Found::Blank => Ok(None),
            Found::Token(token) => match token.state() {
                Ok(state) => Ok(Some(state)),
                Err(Error::TokenReplaced | Error::TokenRemoved) => match self.find(id)? {
                    Found::Blank => Ok(None),
                    Found::Token(token) => token.state().map(Some),
                },
                Err(error @ Error::HostMemory(_)) => Err(error),
                Err(error) => Err(Error::TokenNotRecognized(error.to_string().into())),
            },
        }
    }

    /// `C_InitToken`: makes the token that a blank slot waits for, or makes a living one anew, in the same slot. The PIN is
    /// hashed outside the lock.
    pub fn init_token(&self, id: u64, so_pin: &[u8], label: Label) -> Result<()> {
        let (maskable, host_key) = (self.config.settings.token.maskable, self.host.as_deref());
        let beginning = Beginning { so_pin, label, maskable, host_key };
        match self.find(id)? {
            Found::Blank => self.make_token(u32::try_from(id).map_err(|_| Error::SlotIdInvalid)?, &beginning),
            Found::Token(token) => token.reinitialise(&beginning),
        }
    }

    /// Removes the token in a slot for good. Its number is never used again.
    ///
    /// # Errors
    /// [`Error::SessionExists`] while this process has sessions on it.
    pub fn destroy_token(&self, id: u64, authority: Authority<'_>) -> Result<()> {
        let slot = u32::try_from(id).map_err(|_| Error::SlotIdInvalid)?;
        let folder = self.folder.as_deref().map_err(|_| Error::SlotIdInvalid)?;
        let remove = |check: Option<&Check>| folder.remove(slot, check)?.then_some(()).ok_or(Error::TokenRemoved);
        let token = match self.find(id) {
            Ok(Found::Token(token)) => Ok(token),
            Ok(Found::Blank) => return Err(Error::SlotIdInvalid),
            Err(reason) => Err(reason),
        };
        match (token, authority) {
            (Ok(token), Authority::SoPin(pin)) => token.remove(pin, |check| remove(Some(check)))?,
            (Ok(token), Authority::Owner) if token.is_in_use() => return Err(Error::SessionExists),
            // Also one that cannot be opened.
            (Ok(_) | Err(Error::TokenNotRecognized(_)), Authority::Owner) => {
                folder.owns(slot).and_then(|()| remove(None))?
            }
            (Err(reason), _) => return Err(reason),
        }
        self.known.lock().slots.remove(&slot);
        self.expect_tokens();
        Ok(())
    }

    fn make_token(&self, id: u32, beginning: &Beginning<'_>) -> Result<()> {
        let pins = &self.config.settings.pin;
        pins.check_new(beginning.so_pin)?;
        let folder = self.folder.as_deref().map_err(|_| Error::SlotIdInvalid)?;
        let made = Token::create(folder, id, pins, beginning)?;
        if let Some(slot) = self.known.lock().slots.get_mut(&id).filter(|slot| matches!(slot, Slot::Blank)) {
            *slot = Slot::Closed;
        }
        self.expect_tokens();
        if made {
            Ok(())
        } else {
            Err(Error::FunctionFailed(format!("another process has made the token of slot {id} first").into()))
        }
    }

    /// Drops all open tokens and ends every wait for an event.
    pub fn close(&self) {
        self.end_events();
        let known = std::mem::replace(&mut *self.known.lock(), Known { closed: true, ..Known::default() });
        // Outside the lock, as a token may have something to do to its files.
        drop(known);
    }

    /// Looks at the folder. Open tokens stay open; the blank one is last, and alone if there is no other. What a folder that
    /// cannot be read now held before stays.
    fn look(&self, known: &mut Known) {
        let Ok(folder) = &self.folder else {
            known.listed = Some(Vec::new());
            return;
        };
        let mut ids = match folder.slots() {
            Ok(ids) => ids,
            Err(reason) => {
                self.config.log.error(format_args!("the folder of tokens cannot be read: {reason}"));
                known.listed.get_or_insert_default();
                return;
            }
        };
        known.slots.retain(|id, slot| ids.contains(id) && !matches!(slot, Slot::Blank));
        for id in &ids {
            known.slots.entry(*id).or_insert(Slot::Closed);
        }
        if ids.is_empty() || self.config.settings.slots.show_blank {
            match folder.next_slot() {
                Ok(next) if i32::try_from(next).is_ok() && !ids.contains(&next) => {
                    known.slots.insert(next, Slot::Blank);
                    ids.push(next);
                }
                Ok(_) => self.config.log.error(format_args!("all slot numbers have been used")),
                Err(reason) => self.config.log.error(format_args!("no token can be made: {reason}")),
            }
        }
        known.listed = Some(ids);
    }

    fn slot<'a>(&self, known: &'a mut Known, id: u64) -> Result<(u32, &'a mut Slot)> {
        if known.closed {
            return Err(Error::NotInitialized);
        }
        if known.listed.is_none() {
            self.look(known);
        }
        let id = u32::try_from(id).map_err(|_| Error::SlotIdInvalid)?;
        known.slots.get_mut(&id).map(|slot| (id, slot)).ok_or(Error::SlotIdInvalid)
    }

    fn opened(&self, id: u32, slot: &mut Slot) -> Result<Found> {
        match slot {
            Slot::Blank => return Ok(Found::Blank),
            Slot::Open(token) if !token.is_replaced() => return Ok(Found::Token(Arc::clone(token))),
            Slot::Open(_) | Slot::Closed => (),
        }
        *slot = Slot::Closed;
        let folder = self.folder.as_deref().map_err(|_| Error::SlotIdInvalid)?;
        let Config { settings, log, .. } = &self.config;
        let opened = folder.open(id).and_then(|store| Token::open(store, settings, log.clone(), self.host.clone()));
        match opened {
            Ok(token) => {
                *slot = Slot::Open(Arc::clone(&token));
                Ok(Found::Token(token))
            }
            Err(reason) => {
                self.config.log.error(format_args!("slot {id}: {reason}"));
                Err(match reason {
                    Error::TokenNotRecognized(_) | Error::HostMemory(_) => reason,
                    other => Error::TokenNotRecognized(other.to_string().into()),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
