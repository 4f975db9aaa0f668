//! The catalog: the handles that this process has given out, and what was opened behind them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::opened::Opened;
use crate::error::{Error, Result};
use crate::handle::{Handle, Slots};
use crate::lock::{self, Mutex};
use crate::store::ObjectId;

/// Every object that this process has given a handle to.
pub(super) struct Catalog {
    pub entries: Slots<{ lock::OBJECT }, Entry>,
    /// The handles of token objects.
    pub handles: Mutex<{ lock::CATALOG }, HashMap<ObjectId, Handle>>,
    /// The token objects that were opened last, oldest first.
    opened: Mutex<{ lock::CATALOG }, VecDeque<Handle>>,
}

/// The revision of an object that the next use reads: no revision with objects in it was ever this one.
const UNREAD: u64 = 0;

/// How many token objects stay opened of which no key was made: who reads a million objects must not fill the memory.
const STAY_OPENED: usize = 1024;

/// One object.
pub(super) struct Entry {
    pub place: Place,
    /// `CKA_PRIVATE`
    pub private: bool,
    /// What was opened of it; always there for objects that are not in the store.
    pub opened: Option<Arc<Opened>>,
}

/// Where an object lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In memory, as long as the token is open: the library made it.
    BuiltIn,
    /// In memory, as long as the session that made it.
    Session(Handle),
    /// In the store; the number is the revision at which it was last known to be as it was opened.
    Token(ObjectId, u64),
}

impl Catalog {
    pub(super) fn new() -> Self {
        Self { entries: Slots::new(), handles: Mutex::new(HashMap::new()), opened: Mutex::new(VecDeque::new()) }
    }

    /// Drops what belonged to a login: private objects and their handles, and the opened values of all token keys.
    pub(super) fn forget_private(&self) {
        let private = self.entries.drain_if(|entry| entry.private);
        let mut handles = self.handles.lock();
        for entry in private {
            entry.kill();
            if let Place::Token(id, _) = entry.place {
                handles.remove(&id);
            }
        }
        drop(handles);
        self.entries.for_each(|_, entry| {
            if matches!(entry.place, Place::Token(..)) {
                entry.kill();
                entry.opened = None;
            }
        });
    }

    /// A new handle.
    pub(super) fn add(&self, entry: Entry) -> Result<Handle> {
        self.entries.insert(|_| entry).ok_or(Error::HostMemory("no object handle is left"))
    }

    /// The one handle that a token object has in this process.
    pub(super) fn handle_of(&self, id: ObjectId, private: bool) -> Result<Handle> {
        let mut handles = self.handles.lock();
        if let Some(handle) = handles.get(&id) {
            return Ok(*handle);
        }
        let handle = self.add(Entry { place: Place::Token(id, UNREAD), private, opened: None })?;
        handles.insert(id, handle);
        Ok(handle)
    }

    /// Ends a handle and the operations of its key.
    pub(super) fn forget(&self, handle: Handle) {
        let Some(entry) = self.entries.remove(handle) else {
            return;
        };
        entry.kill();
        if let Place::Token(id, _) = entry.place {
            self.handles.lock().remove(&id);
        }
    }

    /// Keeps a token object as it was read from the store, and lets go of the one that was read longest ago. Two threads that
    /// read the same get the same. One whose key was made ready stays: operations may hold the key, and who destroys the
    /// object ends them. None if the handle is dead.
    pub(super) fn keep_opened(&self, handle: Handle, place: Place, read: Opened) -> Option<Arc<Opened>> {
        let read = Arc::new(read);
        let kept = self.entries.with(handle, |entry| {
            entry.place = place;
            match &entry.opened {
                Some(opened) if opened.is_as(&read) => return Arc::clone(opened),
                Some(opened) => read.succeed(opened),
                None => (),
            }
            entry.opened = Some(Arc::clone(&read));
            read
        });
        let oldest = {
            let mut order = self.opened.lock();
            order.push_back(handle);
            if order.len() > STAY_OPENED { order.pop_front() } else { None }
        };
        if let Some(oldest) = oldest {
            self.entries.with(oldest, |entry| {
                if matches!(entry.place, Place::Token(..)) {
                    // Nobody can take hold of it meanwhile: that needs the entry.
                    entry.opened.take_if(|opened| Arc::strong_count(opened) == 1 && !opened.has_key());
                }
            });
        }
        kept
    }

    /// Puts a session object in the place of what was read there, if that is still what is there. Operations that hold the old key go
    /// on. False: look again.
    pub(super) fn replace(&self, handle: Handle, read: Option<&Arc<Opened>>, changed: Opened) -> bool {
        let replaced = self.entries.with(handle, |entry| {
            if entry.opened.as_ref().map(Arc::as_ptr) != read.map(Arc::as_ptr) {
                return false;
            }
            if let Some(old) = &entry.opened {
                changed.succeed(old);
            }
            entry.opened = Some(Arc::new(changed));
            true
        });
        replaced == Some(true)
    }

    /// Says that a token object has changed in the store: the next use reads it anew. Operations that hold the old key go on.
    pub(super) fn outdate(&self, handle: Handle) {
        self.entries.with(handle, |entry| {
            if let Place::Token(id, _) = entry.place {
                entry.place = Place::Token(id, UNREAD);
            }
            if let Some(opened) = &entry.opened {
                opened.supersede_key();
            }
        });
    }
}

impl Entry {
    /// Ends the operations that hold this key.
    pub(super) fn kill(&self) {
        if let Some(opened) = &self.opened {
            opened.kill_key();
        }
    }
}
