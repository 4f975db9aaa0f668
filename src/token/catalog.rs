//! The catalog: the handles that this process has given out, and what was opened behind them.

use std::collections::HashMap;
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
}

/// One object.
pub(super) struct Entry {
    pub place: Place,
    /// `CKA_PRIVATE`
    pub private: bool,
    /// What was opened of it; always there for session objects.
    pub opened: Option<Arc<Opened>>,
}

/// Where an object lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In memory, as long as the session that made it.
    Session(Handle),
    /// In the store; the number is the revision at which it was last known to be as it was opened.
    Token(ObjectId, u64),
}

impl Catalog {
    pub(super) fn new() -> Self {
        Self { entries: Slots::new(), handles: Mutex::new(HashMap::new()) }
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
        // Revision 0 was never a revision with objects in it, so the first use reads the object.
        let handle = self.add(Entry { place: Place::Token(id, 0), private, opened: None })?;
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

    /// Replaces what was opened; with `None` the next use reads the object anew. Operations that hold the old key go on.
    pub(super) fn replace_opened(&self, handle: Handle, opened: Option<Arc<Opened>>) {
        let old = self.entries.with(handle, |entry| std::mem::replace(&mut entry.opened, opened)).flatten();
        if let Some(old) = old {
            old.supersede_key();
        }
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
