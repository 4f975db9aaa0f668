//! The catalog: handles, opened objects and prepared keys, of session objects and of token objects.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use once_cell::sync::OnceCell;
use zeroize::Zeroizing;

use super::Token;
use crate::error::{Error, Result};
use crate::fork;
use crate::handle::{Handle, Slots};
use crate::key::{Act, Caller, Facts, KeyMaterial, Login, admit, visible};
use crate::lock::{self, Mutex};
use crate::mechanism::PreparedKey;
use crate::object::{self, Object, Search, attribute};
use crate::seal::{self, Plain, SealedMaterial, Visibility};
use crate::secret::Secret;
use crate::store::{Change, Commit, ObjectId, Row, Terms};

/// Every object that this process has given a handle to.
pub(super) struct Catalog {
    entries: Slots<{ lock::OBJECT }, Entry>,
    /// The handles of token objects.
    handles: Mutex<{ lock::CATALOG }, HashMap<ObjectId, Handle>>,
}

struct Entry {
    place: Place,
    private: bool,
    /// What was opened of it; always there for session objects.
    opened: Option<Arc<Opened>>,
}

/// Where an object lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In memory, as long as the session that made it.
    Session(Handle),
    /// In the store; the number is the revision at which it was last known to be as it was opened.
    Token(ObjectId, u64),
}

/// An object, opened.
pub struct Opened {
    object: Object,
    facts: Option<Facts>,
    /// Whether its record was made or checked under a login.
    verified: bool,
    sealed: Option<SealedMaterial>,
    key: OnceCell<Arc<PreparedKey>>,
}

/// An object as one caller may read it.
pub struct View {
    opened: Arc<Opened>,
}

impl Token {
    /// The object behind a handle, if the caller sees it; as it is in the store now.
    pub fn opened(&self, caller: &Caller, handle: Handle) -> Result<Arc<Opened>> {
        let entry = self.catalog.entries.with(handle, |entry| (entry.place, entry.private, entry.opened.clone()));
        let (place, private, opened) = entry.ok_or(Error::ObjectHandleInvalid)?;
        if !visible(caller, private) {
            return Err(Error::ObjectHandleInvalid);
        }
        match (place, opened) {
            (Place::Session(_), opened) => opened.ok_or(Error::ObjectHandleInvalid),
            (Place::Token(id, seen), opened) => self.refreshed(handle, id, seen, opened),
        }
    }

    /// The key behind an opened object, made ready for mechanisms. A token key's value is unsealed for it, which needs a
    /// login.
    pub fn prepared(&self, opened: &Opened) -> Result<Arc<PreparedKey>> {
        let key = opened.key.get_or_try_init(|| {
            let (Some(facts), Some(sealed)) = (&opened.facts, &opened.sealed) else {
                return Err(Error::KeyTypeInconsistent);
            };
            let seal = self.seal().ok_or(Error::UserNotLoggedIn)?;
            let material = KeyMaterial::new(facts.id, sealed.open(&seal)?);
            Ok(Arc::new(PreparedKey::new(facts.clone(), material)))
        });
        key.cloned()
    }

    /// The object as the caller may read its attributes.
    pub fn view(&self, caller: &Caller, handle: Handle) -> Result<View> {
        self.revision()?;
        let opened = self.opened(caller, handle)?;
        if opened.facts.as_ref().is_some_and(Facts::is_readable) {
            // A token key's value is sealed: without a login it stays so, whatever its attributes say.
            let _ = self.prepared(&opened);
        }
        Ok(View { opened })
    }

    /// Puts a new object in: token objects into the store first, then into memory.
    pub fn insert(
        &self,
        caller: &Caller,
        session: Handle,
        object: Object,
        material: Option<KeyMaterial>,
    ) -> Result<Handle> {
        admit(caller, Act::Create, &object.standing(material.is_some()))?;
        let facts = object.facts();
        let private = object.is_private();
        let place = if object.is_token() {
            let revision = self.store_new(&object, material.as_ref())?;
            Place::Token(object.id, revision)
        } else {
            Place::Session(session)
        };
        let key = OnceCell::new();
        if let (Some(facts), Some(material)) = (&facts, material) {
            let _ = key.set(Arc::new(PreparedKey::new(facts.clone(), material)));
        }
        let id = object.id;
        // What a token key was made with is not kept: its entry opens it from the store like any other.
        let opened = match place {
            Place::Session(_) => Some(Arc::new(Opened { object, facts, verified: true, sealed: None, key })),
            Place::Token(..) => None,
        };
        match place {
            Place::Session(_) => self.catalog.add(Entry { place, private, opened }),
            Place::Token(..) => self.catalog.handle_of(id, private),
        }
    }

    /// `C_DestroyObject`: the store first, then memory.
    pub fn destroy(&self, caller: &Caller, handle: Handle) -> Result<()> {
        self.revision()?;
        loop {
            let opened = self.opened(caller, handle)?;
            let sealed = opened.sealed.is_some() || opened.verified;
            admit(caller, Act::Destroy, &opened.object.standing(sealed))?;
            if !opened.object.is_token() {
                break;
            }
            let change = Change::Delete { id: opened.object.id, expected: opened.object.version };
            match self.store.commit(vec![change])? {
                Commit::Done { .. } => break,
                // Somebody else changed or destroyed it at the same moment: look again.
                Commit::Conflict => self.catalog.drop_opened(handle),
            }
        }
        self.catalog.forget(handle);
        Ok(())
    }

    /// The handles of all objects that the caller sees and that match.
    pub fn find(&self, caller: &Caller, search: &Search) -> Result<Vec<Handle>> {
        self.revision()?;
        let mut found = Vec::new();
        self.catalog.entries.for_each(|handle, entry| {
            if let (Place::Session(_), Some(opened)) = (entry.place, &entry.opened)
                && visible(caller, entry.private)
                && search.matches(&opened.object, opened.readable_value())
            {
                found.push(handle);
            }
        });
        for id in self.candidates(caller, search)? {
            // A damaged object hurts no other; it shows when it is asked for by name.
            let Ok(Some(private)) = self.is_private(id) else {
                continue;
            };
            if !visible(caller, private) {
                continue;
            }
            let handle = self.catalog.handle_of(id, private)?;
            let Ok(view) = self.view(caller, handle) else {
                continue;
            };
            if search.matches(&view.opened.object, view.opened.readable_value()) {
                found.push(handle);
            }
        }
        Ok(found)
    }

    /// Drops the objects of a session that has closed.
    pub fn drop_session_objects(&self, session: Handle) {
        let gone = self.catalog.entries.drain_if(|entry| entry.place == Place::Session(session));
        gone.iter().for_each(Entry::kill);
    }

    /// Token objects that may match: by the most telling index, or all.
    fn candidates(&self, caller: &Caller, search: &Search) -> Result<BTreeSet<ObjectId>> {
        const PAGE: usize = 1024;
        let mut found = BTreeSet::new();
        let mut collect = |page: &dyn Fn(Option<ObjectId>) -> Result<Vec<ObjectId>>| {
            let mut after = None;
            loop {
                let ids = page(after)?;
                after = ids.last().copied();
                found.extend(&ids);
                if ids.len() < PAGE {
                    return Ok(());
                }
            }
        };
        let Some((column, value)) = search.indexed() else {
            collect(&|after| self.store.list(after, PAGE))?;
            return Ok(found);
        };
        let seal = self.seal().filter(|_| caller.login == Login::User);
        let terms = [Some(column.term(&value, None)), seal.map(|seal| column.term(&value, Some(&seal)))];
        for term in terms.iter().flatten() {
            collect(&|after| self.store.find(column as usize, term, after, PAGE))?;
        }
        Ok(found)
    }

    /// Whether a token object is private, from its handle's entry or from the store; `None` if it is gone.
    fn is_private(&self, id: ObjectId) -> Result<Option<bool>> {
        let known = self.catalog.handles.lock().get(&id).copied();
        if let Some(private) = known.and_then(|handle| self.catalog.entries.with(handle, |entry| entry.private)) {
            return Ok(Some(private));
        }
        let row = self.store.read(id)?;
        row.map(|row| seal::visibility(&row.record).map(|visibility| visibility == Visibility::Private)).transpose()
    }

    /// A token object as it is in the store now: what was opened, if the store has not changed it since.
    fn refreshed(&self, handle: Handle, id: ObjectId, seen: u64, opened: Option<Arc<Opened>>) -> Result<Arc<Opened>> {
        let revision = self.revision()?;
        let fresh = match opened {
            Some(opened) if seen == revision => return Ok(opened),
            Some(opened) if self.store.version(id)? == Some(opened.object.version) => opened,
            _ => match self.read(id)? {
                Some(opened) => Arc::new(opened),
                None => {
                    self.catalog.forget(handle);
                    return Err(Error::ObjectHandleInvalid);
                }
            },
        };
        self.catalog.entries.with(handle, |entry| {
            entry.place = Place::Token(id, revision);
            entry.opened = Some(Arc::clone(&fresh));
        });
        Ok(fresh)
    }

    fn read(&self, id: ObjectId) -> Result<Option<Opened>> {
        let Some(row) = self.store.read(id)? else {
            return Ok(None);
        };
        let seal = self.seal();
        let Some(opened) = seal::open(seal.as_deref(), id, row.version, &row.terms, &row.record)? else {
            return Ok(None);
        };
        let object = Object::from_record(id, row.version, &opened.body)?;
        let facts = object.facts();
        let verified = opened.verified != seal::Verified::No;
        Ok(Some(Opened { object, facts, verified, sealed: opened.material, key: OnceCell::new() }))
    }

    /// Seals a new token object and commits it. Returns the revision it is in.
    fn store_new(&self, object: &Object, material: Option<&KeyMaterial>) -> Result<u64> {
        if !self.store.writable() {
            return Err(Error::TokenWriteProtected);
        }
        self.revision()?;
        let seal = self.seal();
        let terms: Terms = object::terms(object, seal.as_deref());
        let visibility = if object.is_private() { Visibility::Private } else { Visibility::Public };
        let record = object.to_record();
        let plain = Plain {
            id: object.id,
            version: object.version,
            visibility,
            body: &record,
            material: material.map(KeyMaterial::for_sealing),
            terms: &terms,
        };
        let sealed = seal::seal(seal.as_deref(), &plain)?;
        let row = Row { id: object.id, version: object.version, terms, record: sealed };
        match self.store.commit(vec![Change::Insert(row)])? {
            Commit::Done { revision } => Ok(revision),
            Commit::Conflict => Err(Error::GeneralError("a random object id was not new".into())),
        }
    }
}

impl Catalog {
    pub(super) fn new() -> Self {
        Self { entries: Slots::new(fork::word().life()), handles: Mutex::new(HashMap::new()) }
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

    fn add(&self, entry: Entry) -> Result<Handle> {
        self.entries.insert(|_| entry).ok_or(Error::HostMemory("no object handle is left"))
    }

    /// The one handle that a token object has in this process.
    fn handle_of(&self, id: ObjectId, private: bool) -> Result<Handle> {
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
    fn forget(&self, handle: Handle) {
        let Some(entry) = self.entries.remove(handle) else {
            return;
        };
        entry.kill();
        if let Place::Token(id, _) = entry.place {
            self.handles.lock().remove(&id);
        }
    }

    fn drop_opened(&self, handle: Handle) {
        self.entries.with(handle, |entry| entry.opened = None);
    }
}

impl Entry {
    /// Ends the operations that hold this key.
    fn kill(&self) {
        if let Some(key) = self.opened.as_ref().and_then(|opened| opened.key.get()) {
            key.kill();
        }
    }
}

impl Opened {
    /// What the gate needs to know, if this is a key.
    pub fn facts(&self) -> Option<&Facts> {
        self.facts.as_ref()
    }

    /// The value of a key that has been opened, where the standard lets it be read.
    fn readable_value(&self) -> Option<&Secret> {
        self.key.get()?.material().for_reading(self.facts.as_ref()?).ok()
    }
}

impl View {
    /// The value of an attribute, in the form for a caller. PKCS#11 3.2, section 5.7.5.
    pub fn attribute(&self, number: u64) -> Result<Zeroizing<Vec<u8>>> {
        let row = attribute::of_class(self.opened.object.class, number).ok_or(Error::AttributeTypeInvalid(number))?;
        if row.secret {
            let value = self.opened.readable_value().ok_or(Error::AttributeSensitive(row.name))?;
            return Ok(Zeroizing::new(value.expose().to_vec()));
        }
        let value = self.opened.object.value(number).ok_or(Error::AttributeTypeInvalid(number))?;
        Ok(Zeroizing::new(row.native(value)))
    }
}
