//! The objects of a token: made, read, changed, copied, destroyed. The store always comes first, memory second.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::Token;
use super::again::Again;
use super::batch::Batch;
use super::catalog::{Entry, Place};
use super::opened::{Opened, View};
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key::{Act, Caller, Facts, KeyMaterial, KeyType, Login, admit, visible};
use crate::mechanism::PreparedKey;
use crate::object::{self, Given, New, Object, next_version};
use crate::seal::{self, Plain, Seal, Verified, Visibility};
use crate::store::{Commit, ObjectId, Row, Terms};

impl Token {
    /// The object behind a handle, if the caller sees it; as it is in the store now.
    pub fn opened(&self, caller: &Caller, handle: Handle) -> Result<Arc<Opened>> {
        let entry = self.catalog.entries.with(handle, |entry| (entry.place, entry.private, entry.opened.clone()));
        let (place, private, opened) = entry.ok_or(Error::ObjectHandleInvalid)?;
        if !visible(caller, private) {
            return Err(Error::ObjectHandleInvalid);
        }
        match (place, opened) {
            (Place::BuiltIn | Place::Session(_), opened) => opened.ok_or(Error::ObjectHandleInvalid),
            (Place::Token(id, seen), opened) => self.refreshed(handle, id, seen, opened),
        }
    }

    /// The key behind an opened object, made ready for mechanisms. For a token key that needs a login.
    pub fn prepared(&self, opened: &Opened) -> Result<Arc<PreparedKey>> {
        opened.prepared(|| self.seal())
    }

    /// The object as the caller may read its attributes.
    pub fn view(&self, caller: &Caller, handle: Handle) -> Result<View> {
        self.revision()?;
        let opened = self.opened(caller, handle)?;
        if caller.login == Login::User && opened.facts().is_some_and(Facts::is_readable) {
            // A token key's value is sealed: without a login it stays so, whatever its attributes say.
            let _ = self.prepared(&opened);
        }
        Ok(View::of(*caller, opened, self.shows))
    }

    /// Puts new objects in: all of them, or none.
    pub fn insert<const N: usize>(&self, caller: &Caller, session: Handle, new: [New; N]) -> Result<[Handle; N]> {
        let mut batch = Batch::new(self);
        for (object, material) in &new {
            admit(caller, Act::Create, &object.standing(material.is_some()))?;
            if object.is_token() {
                let row = self.sealed(object, material.as_ref(), batch.seal())?;
                batch.insert(row);
            }
        }
        let handles = self.set_aside(session, &new)?;
        match self.store_all(batch) {
            Ok(()) => Ok(self.fill_in(handles, new)),
            Err(error) => {
                handles.into_iter().for_each(|handle| self.catalog.forget(handle));
                Err(error)
            }
        }
    }

    /// Handles for objects that are not there yet, so that none is wanting when they are. Nobody finds anything behind them.
    fn set_aside<const N: usize>(&self, session: Handle, new: &[New; N]) -> Result<[Handle; N]> {
        let mut handles = [Handle::NONE; N];
        for (place, (object, _)) in handles.iter_mut().zip(new) {
            let private = object.is_private();
            let made = if object.is_token() {
                self.catalog.handle_of(object.id, private)
            } else {
                self.catalog.add(Entry { place: Place::Session(session), private, opened: None })
            };
            match made {
                Ok(handle) => *place = handle,
                Err(error) => {
                    handles.into_iter().for_each(|handle| self.catalog.forget(handle));
                    return Err(error);
                }
            }
        }
        Ok(handles)
    }

    fn store_all(&self, batch: Batch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        match self.commit(batch)? {
            Commit::Done { .. } => Ok(()),
            Commit::Conflict => Err(Error::GeneralError("a random object id was not new".into())),
        }
    }

    /// Puts session objects behind their handles. What a token key was made with is not kept: its entry opens it from the store
    /// like any other.
    fn fill_in<const N: usize>(&self, handles: [Handle; N], new: [New; N]) -> [Handle; N] {
        for (handle, (object, material)) in handles.into_iter().zip(new) {
            if !object.is_token() {
                self.catalog.replace(handle, None, Opened::in_memory(object, material));
            }
        }
        handles
    }

    /// `C_SetAttributeValue`: all the changes, or none.
    pub fn change(&self, caller: &Caller, handle: Handle, given: &[Given<'_>]) -> Result<()> {
        self.revision()?;
        let mut again = Again::default();
        loop {
            let opened = self.opened(caller, handle)?;
            admit(caller, Act::Change, &opened.object().standing(opened.is_sealed()))?;
            let object = opened.object().changed(given, caller.login)?;
            let material = self.material_for(&opened, object.id)?;
            if !object.is_token() {
                if self.catalog.replace(handle, Some(&opened), Opened::in_memory(object, material)) {
                    return Ok(());
                }
                continue;
            }
            let mut batch = Batch::new(self);
            let row = self.sealed(&object, material.as_ref(), batch.seal())?;
            batch.update(&opened, row)?;
            let outcome = self.commit(batch)?;
            self.catalog.outdate(handle);
            // After a conflict somebody else has changed or destroyed it: look again.
            if let Commit::Done { .. } = outcome {
                return Ok(());
            }
            again.once_more()?;
        }
    }

    /// `C_CopyObject`: the copy, not yet put in.
    pub fn copy(&self, caller: &Caller, original: Handle, given: &[Given<'_>]) -> Result<New> {
        self.revision()?;
        let opened = self.opened(caller, original)?;
        admit(caller, Act::CopyFrom, &opened.object().standing(opened.is_sealed()))?;
        let copy = opened.object().copied(given, caller.login)?;
        admit(caller, Act::Create, &copy.standing(opened.has_material()))?;
        let material = self.material_for(&opened, copy.id)?;
        Ok((copy, material))
    }

    /// `C_DestroyObject`
    pub fn destroy(&self, caller: &Caller, handle: Handle) -> Result<()> {
        self.revision()?;
        let mut again = Again::default();
        loop {
            let opened = self.opened(caller, handle)?;
            admit(caller, Act::Destroy, &opened.object().standing(opened.is_sealed()))?;
            if !opened.object().is_token() {
                break;
            }
            let mut batch = Batch::new(self);
            let tombstone = end_of(opened.object(), batch.seal())?;
            batch.delete(&opened, tombstone)?;
            match self.commit(batch)? {
                Commit::Done { .. } => break,
                // Somebody else changed or destroyed it at the same moment: look again.
                Commit::Conflict => {
                    self.catalog.outdate(handle);
                    again.once_more()?;
                }
            }
        }
        self.catalog.forget(handle);
        Ok(())
    }

    /// Drops the objects of a session that has closed.
    pub fn drop_session_objects(&self, session: Handle, objects: &[Handle]) {
        for handle in objects {
            let gone = self.catalog.entries.remove_if(*handle, |entry| entry.place == Place::Session(session));
            if let Some(entry) = gone {
                entry.kill();
            }
        }
    }

    /// A token object as it is in the store now: what was opened, if the store has not changed it since.
    fn refreshed(&self, handle: Handle, id: ObjectId, seen: u64, opened: Option<Arc<Opened>>) -> Result<Arc<Opened>> {
        let revision = self.revision()?;
        // What was believed before the login is checked after it.
        let opened = opened.filter(|opened| !opened.waits_for_login() || self.seal().is_none());
        match opened {
            Some(opened) if seen == revision => return Ok(opened),
            Some(opened) if self.store.version(id)? == Some(opened.object().version) => {
                self.catalog.entries.with(handle, |entry| entry.place = Place::Token(id, revision));
                return Ok(opened);
            }
            _ => (),
        }
        match self.read(id)? {
            Some(fresh) => {
                self.catalog.keep_opened(handle, Place::Token(id, revision), fresh).ok_or(Error::ObjectHandleInvalid)
            }
            None => {
                self.catalog.forget(handle);
                Err(Error::ObjectHandleInvalid)
            }
        }
    }

    fn read(&self, id: ObjectId) -> Result<Option<Opened>> {
        match self.store.read(id)? {
            Some(row) => self.opened_row(&row),
            None => Ok(None),
        }
    }

    /// The object in a row; none if it is private and nobody is logged in.
    pub(super) fn opened_row(&self, row: &Row) -> Result<Option<Opened>> {
        let id = row.id;
        let seal = self.seal();
        let Some(opened) = seal::open(seal.as_deref(), id, row.version, &row.terms, &row.record)? else {
            return Ok(None);
        };
        let object = Object::from_record(id, row.version, &opened.body)?;
        // Whoever can write to the store can have made it: what it shows must at least be the key that it is used as.
        if opened.verified != Verified::Yes && !object.shows_its_key() {
            return Err(Error::ObjectDamaged(format!("the public key {id} shows another key than it holds").into()));
        }
        Ok(Some(Opened::from_store(object, opened)))
    }

    /// The value of a key once more, for the object of this id; none for objects without one.
    fn material_for(&self, opened: &Opened, id: ObjectId) -> Result<Option<KeyMaterial>> {
        if !opened.has_material() {
            return Ok(None);
        }
        Ok(Some(self.prepared(opened)?.material().copy_for(id.0)))
    }

    /// The row of a token object, sealed as its visibility and the login ask for.
    pub(super) fn sealed(&self, object: &Object, material: Option<&KeyMaterial>, seal: Option<&Seal>) -> Result<Row> {
        if !self.store.writable() {
            return Err(Error::TokenWriteProtected);
        }
        self.revision()?;
        let terms = object::terms(object, seal);
        let record = Zeroizing::new(object.to_record());
        let plain = Plain {
            id: object.id,
            version: object.version,
            visibility: if object.is_private() { Visibility::Private } else { Visibility::Public },
            body: &record,
            material: material.map(KeyMaterial::for_sealing),
            terms: &terms,
        };
        let record = seal::seal(seal, &plain)?;
        Ok(Row { id: object.id, version: object.version, terms, record })
    }
}

/// What is left of a token object that is destroyed. What a domain rests on is no other token's business.
pub(super) fn end_of(object: &Object, seal: Option<&Seal>) -> Result<Row> {
    let stays = object.key_type().is_some_and(KeyType::is_inside);
    tombstone(object.id, next_version(object.version)?, &object::tombstone(stays), seal)
}

/// The tombstone with this record: authenticated if somebody is logged in.
pub(super) fn tombstone(id: ObjectId, version: u64, body: &[u8], seal: Option<&Seal>) -> Result<Row> {
    let (visibility, terms) = (Visibility::Public, Terms::default());
    let record = seal::seal(seal, &Plain { id, version, visibility, body, material: None, terms: &terms })?;
    Ok(Row { id, version, terms, record })
}
