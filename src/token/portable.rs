//! Token objects by their ids, apart from handles: read for another token of a domain, and taken in from one. A token can hold more objects
//! than a process has handles.

use std::collections::HashSet;

use super::Token;
use super::again::Again;
use super::batch::Batch;
use super::objects::{end_of, tombstone};
use super::opened::Opened;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key::{Caller, adopt};
use crate::object::{self, Arrival, Here, Merge, Object, is_tombstone};
use crate::seal::{self, Verified};
use crate::store::{Commit, ObjectId};

/// What a token has of one object id.
pub enum Portable {
    /// Nothing, and never had.
    Nothing,
    /// The object.
    Object(Box<Opened>),
    /// It was destroyed.
    Tombstone {
        /// The version of its end.
        version: u64,
        /// Whether a login destroyed it.
        verified: bool,
        /// Whether that is no other token's business.
        stays: bool,
    },
}

/// What became of something that arrived.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was not here, and is now: an object, or the tombstone of one that was never here.
    New,
    /// It was here already, just so.
    Same,
    /// It has changed what is here.
    Changed {
        /// Both were of one version and said different things: a hash decided.
        decided: bool,
        /// What is here now is just what arrived.
        as_arrived: bool,
    },
    /// What was here is destroyed, as it was where this comes from.
    Destroyed,
    /// What is here is later, and stays.
    Earlier,
    /// It was destroyed here, and stays destroyed.
    StaysDestroyed,
    /// It is another object of the same id, which stays as it is; what differs.
    Conflict(&'static str),
    /// What is here cannot be touched, and stays as it is; why not.
    Refused(Error),
}

impl Outcome {
    /// Why what arrived is not here now, for people; none if it is, or its end.
    pub fn obstacle(&self) -> Option<String> {
        match self {
            Self::New | Self::Same | Self::Changed { .. } | Self::Destroyed => None,
            Self::Earlier => Some("a later state of it is here".into()),
            Self::StaysDestroyed => Some("it was destroyed here".into()),
            Self::Conflict(name) => Some(format!("another object has its id here, with another {name}")),
            Self::Refused(error) => Some(error.to_string()),
        }
    }
}

impl Token {
    /// What there is of an object, read and opened anew.
    ///
    /// # Errors
    /// [`Error::UserNotLoggedIn`] for a private object; [`Error::ObjectDamaged`].
    pub fn portable(&self, id: ObjectId) -> Result<Portable> {
        if let Some(row) = self.store.read(id)? {
            return self.opened_row(&row)?.map(|opened| Portable::Object(opened.into())).ok_or(Error::UserNotLoggedIn);
        }
        let Some(row) = self.store.tombstone(id)? else { return Ok(Portable::Nothing) };
        match seal::open(self.seal().as_deref(), id, row.version, &row.terms, &row.record)? {
            Some(opened) if is_tombstone(&opened.body) => {
                let (verified, stays) = (opened.verified == Verified::Yes, object::stays(&opened.body));
                Ok(Portable::Tombstone { version: row.version, verified, stays })
            }
            _ => Err(Error::ObjectDamaged(format!("what is left of object {id} is no tombstone").into())),
        }
    }

    /// Up to `limit` objects, by ascending id, after the id `after`.
    pub fn ids(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>> {
        self.store.list(after, limit)
    }

    /// Up to `limit` objects that were destroyed, by ascending id, after the id `after`.
    pub fn destroyed_ids(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>> {
        self.store.tombstones(after, limit)
    }

    /// The handle of an object that has been taken in.
    pub fn handle_of(&self, object: &Object) -> Result<Handle> {
        self.catalog.handle_of(object.id, object.is_private())
    }

    /// Takes in what arrives from another token of a domain, by the rule of [`Arrival::onto`]. What can come in comes in at once, in one
    /// commit; if an object is among it twice, in one after the other. What cannot is told, and keeps nothing else out.
    ///
    /// # Errors
    /// [`Error::UserNotLoggedIn`], [`Error::SessionReadOnly`], and those of the store: then nothing more has come in.
    pub fn adopt(&self, caller: &Caller, mut arrivals: &[Arrival]) -> Result<Vec<Outcome>> {
        self.check_adopter(caller)?;
        let mut outcomes = Vec::new();
        while !arrivals.is_empty() {
            let mut seen = HashSet::new();
            let different = arrivals.iter().take_while(|arrival| seen.insert(arrival.id())).count();
            let (together, rest) = arrivals.split_at(different);
            outcomes.extend(self.adopt_together(together)?);
            arrivals = rest;
        }
        Ok(outcomes)
    }

    /// What would become of these if they were adopted, one by one; nothing changes.
    ///
    /// # Errors
    /// Those of [`adopt`](Self::adopt), but for what only a commit tells.
    pub fn foresee(&self, caller: &Caller, arrivals: &[Arrival]) -> Result<Vec<Outcome>> {
        self.check_adopter(caller)?;
        self.revision()?;
        arrivals.iter().map(|arrival| self.take_in(&mut Batch::new(self), arrival)).collect()
    }

    fn check_adopter(&self, caller: &Caller) -> Result<()> {
        adopt(caller)?;
        if self.store.writable() { Ok(()) } else { Err(Error::TokenWriteProtected) }
    }

    fn adopt_together(&self, arrivals: &[Arrival]) -> Result<Vec<Outcome>> {
        self.revision()?;
        let mut again = Again::default();
        loop {
            let mut batch = Batch::new(self);
            if batch.seal().is_none() {
                return Err(Error::UserNotLoggedIn);
            }
            let outcomes =
                arrivals.iter().map(|arrival| self.take_in(&mut batch, arrival)).collect::<Result<Vec<_>>>()?;
            if batch.is_empty() {
                return Ok(outcomes);
            }
            if let Commit::Done { .. } = self.commit(batch)? {
                self.tell_catalog(arrivals, &outcomes);
                return Ok(outcomes);
            }
            // Somebody has changed one of them meanwhile: look again.
            again.once_more()?;
        }
    }

    /// Adds to the batch what an arrival changes.
    ///
    /// # Errors
    /// Those that keep out everything.
    fn take_in(&self, batch: &mut Batch, arrival: &Arrival) -> Result<Outcome> {
        match self.merge(batch, arrival) {
            Err(error @ (Error::ObjectDamaged(_) | Error::LaterVersion | Error::ActionProhibited(_))) => {
                Ok(Outcome::Refused(error))
            }
            outcome => outcome,
        }
    }

    fn merge(&self, batch: &mut Batch, arrival: &Arrival) -> Result<Outcome> {
        let (merge, here) = match self.portable(arrival.id())? {
            Portable::Nothing => (arrival.onto(&Here::Nothing)?, None),
            // Whoever can write to the store could keep the object out with it for ever.
            Portable::Tombstone { verified: false, .. } => {
                return Err(Error::ActionProhibited("no login stands behind what is left of it here"));
            }
            Portable::Tombstone { .. } => (arrival.onto(&Here::Tombstone)?, None),
            Portable::Object(here) => {
                let key = if here.has_material() { Some(self.prepared(&here)?) } else { None };
                let material = key.as_ref().map(|key| key.material());
                (arrival.onto(&Here::Object(here.object(), material))?, Some(here))
            }
        };
        // Sealed by this login, it would pass for what a login wrote.
        if merge != Merge::Destroy && here.as_ref().is_some_and(|here| !here.is_verified()) {
            let reason = "no login stands behind what is here of this id";
            return Ok(Outcome::Refused(Error::ActionProhibited(reason)));
        }
        Ok(match (merge, arrival, here) {
            (Merge::Same, ..) => Outcome::Same,
            (Merge::Earlier, ..) => Outcome::Earlier,
            (Merge::Destroyed, ..) => Outcome::StaysDestroyed,
            (Merge::Conflict(name), ..) => Outcome::Conflict(name),
            (Merge::ComeIn, Arrival::Object(object, material), _) => {
                batch.insert(self.sealed(object, material.as_ref(), batch.seal())?);
                Outcome::New
            }
            (Merge::ComeIn, Arrival::Tombstone { id, version }, _) => {
                batch.bury(tombstone(*id, *version, &object::tombstone(false), batch.seal())?);
                Outcome::New
            }
            (Merge::Replace { object, decided }, Arrival::Object(arrived, material), Some(here)) => {
                let row = self.sealed(&object, material.as_ref(), batch.seal())?;
                batch.update(&here, row)?;
                Outcome::Changed { decided, as_arrived: *object == *arrived }
            }
            (Merge::Destroy, _, Some(here)) => {
                let tombstone = end_of(here.object(), batch.seal())?;
                batch.delete(&here, tombstone)?;
                Outcome::Destroyed
            }
            _ => return Err(Error::GeneralError("an arrival was to be merged with what is not there".into())),
        })
    }

    /// Handles that were given out show what has come.
    fn tell_catalog(&self, arrivals: &[Arrival], outcomes: &[Outcome]) {
        for (arrival, outcome) in arrivals.iter().zip(outcomes) {
            let handle = self.catalog.handles.lock().get(&arrival.id()).copied();
            match (outcome, handle) {
                (Outcome::Changed { .. }, Some(handle)) => self.catalog.outdate(handle),
                (Outcome::Destroyed, Some(handle)) => self.catalog.forget(handle),
                _ => (),
            }
        }
    }
}
