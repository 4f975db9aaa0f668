//! Searching a token: built-in and session objects in memory, others through the store's indexes. A search holds the ids of what it
//! has still to look at; objects are opened one by one, as the caller asks for more, and let go again.

use super::Token;
use super::catalog::Place;
use super::opened::Opened;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key::{Caller, Facts, Login, visible};
use crate::object::{Narrowed, Search};
use crate::seal::{self, Visibility};
use crate::store::{ObjectId, Row, Terms};

/// What a search has still to look at. It is taken when the search begins: whatever is there then, and still is when its turn
/// comes, is found once.
pub struct Candidates {
    search: Search,
    /// Objects in memory, which matched when the search began.
    objects: Vec<Handle>,
    /// Token objects that may match, each once; those before `next` have been looked at.
    ids: Vec<ObjectId>,
    next: usize,
    /// What the rows of public and of private objects that match have as terms, where the search says.
    plain: Terms,
    blind: Terms,
    /// How many of the objects that it will hand out are to stay opened.
    keeps: usize,
}

impl Token {
    /// Begins a search for what the caller sees.
    pub fn find(&self, caller: &Caller, search: Search) -> Result<Candidates> {
        self.revision()?;
        let mut objects = Vec::new();
        self.catalog.entries.for_each(|handle, entry| {
            if let (Place::BuiltIn | Place::Session(_), Some(opened)) = (entry.place, &entry.opened)
                && visible(caller, entry.private)
                && search.matches(opened.object(), opened.readable_value(caller))
            {
                objects.push(handle);
            }
        });
        // Taken from the end.
        objects.reverse();
        let seal = self.seal().filter(|_| caller.login == Login::User);
        let plain = search.terms(None);
        let blind = seal.map(|seal| search.terms(Some(&seal))).unwrap_or_default();
        let ids = self.candidates(&search, &[plain, blind])?;
        Ok(Candidates { search, objects, ids, next: 0, plain, blind, keeps: STAY_OPENED })
    }

    /// The handles of the next objects that match, at most `most`; none when the search is over.
    ///
    /// # Errors
    /// Those of the store, when nothing was found before: what is behind can be asked for again.
    pub fn find_more(&self, caller: &Caller, candidates: &mut Candidates, most: usize) -> Result<Vec<Handle>> {
        let revision = self.revision()?;
        let mut found = Vec::new();
        while found.len() < most {
            let Some(handle) = candidates.objects.pop() else { break };
            let private = self.catalog.entries.with(handle, |entry| entry.private);
            if private.is_some_and(|private| visible(caller, private)) {
                found.push(handle);
            }
        }
        while found.len() < most
            && let Some(id) = candidates.ids.get(candidates.next).copied()
        {
            // A logout waits for this session.
            if self.logged_in() == Login::Public && caller.login != Login::Public {
                break;
            }
            match self.matching(caller, candidates, id, revision) {
                Ok(handle) => found.extend(handle),
                Err(error) if found.is_empty() => return Err(error),
                Err(_) => break,
            }
            candidates.next = candidates.next.saturating_add(1);
        }
        Ok(found)
    }

    /// The token objects that match, opened, none of which gets a handle. A damaged one is left out, with a line in the log.
    pub(super) fn read_matching(&self, caller: &Caller, search: Search) -> Result<Vec<Opened>> {
        let candidates = self.find(caller, search)?;
        let mut found = Vec::new();
        for id in &candidates.ids {
            let row = self.store.read(*id)?;
            let opened = row.map_or(Ok(None), |row| self.opened_row(&row));
            match opened.or_else(|error| self.leave_out(error))? {
                Some(opened) if self.fits(caller, &candidates.search, &opened) => found.push(opened),
                _ => (),
            }
        }
        Ok(found)
    }

    /// The handle of a token object, if the caller sees it and it matches. A damaged object hurts no other: it is left out,
    /// with a line in the log. A store that cannot be read is an error, for "nothing found" would make the caller do it again.
    fn matching(
        &self,
        caller: &Caller,
        candidates: &mut Candidates,
        id: ObjectId,
        revision: u64,
    ) -> Result<Option<Handle>> {
        let known = self.catalog.handles.lock().get(&id).copied();
        let is_opened = |handle| self.catalog.entries.with(handle, |entry| entry.opened.is_some()) == Some(true);
        if let Some(handle) = known.filter(|handle| is_opened(*handle)) {
            return match self.opened(caller, handle) {
                Ok(opened) => Ok(self.fits(caller, &candidates.search, &opened).then_some(handle)),
                Err(error) => self.leave_out(error),
            };
        }
        let Some(row) = self.store.read(id)? else { return Ok(None) };
        let private = match seal::visibility(id, &row.record) {
            Ok(visibility) => visibility == Visibility::Private,
            Err(error) => return self.leave_out(error),
        };
        if !visible(caller, private) || !candidates.can_be(&row, private) {
            return Ok(None);
        }
        let opened = match self.opened_row(&row) {
            Ok(Some(opened)) => opened,
            Ok(None) => return Ok(None),
            Err(error) => return self.leave_out(error),
        };
        if !self.fits(caller, &candidates.search, &opened) {
            return Ok(None);
        }
        let handle = self.catalog.handle_of(id, private)?;
        if candidates.keeps > 0 {
            candidates.keeps = candidates.keeps.saturating_sub(1);
            self.catalog.keep_opened(handle, Place::Token(id, revision), opened);
        }
        Ok(Some(handle))
    }

    /// Whether an object is what is searched for. The value of a key is unsealed only if the search is about values.
    fn fits(&self, caller: &Caller, search: &Search, opened: &Opened) -> bool {
        if caller.login == Login::User && search.is_about_values() && opened.facts().is_some_and(Facts::is_readable) {
            // Without a login it stays sealed, and matches nothing.
            let _ = self.prepared(opened);
        }
        search.matches(opened.object(), opened.readable_value(caller))
    }

    fn leave_out<T>(&self, reason: Error) -> Result<Option<T>> {
        match reason {
            Error::ObjectHandleInvalid => Ok(None),
            Error::ObjectDamaged(_) => {
                self.log.error(format_args!("left out of a search: {reason}"));
                Ok(None)
            }
            other => Err(other),
        }
    }

    /// Token objects that may match, ascending: by id, by the most telling index, or all.
    fn candidates(&self, search: &Search, terms: &[Terms]) -> Result<Vec<ObjectId>> {
        const PAGE: usize = 1024;
        let mut found = Vec::new();
        let mut collect = |page: &dyn Fn(Option<ObjectId>) -> Result<Vec<ObjectId>>| {
            let mut after = None;
            loop {
                let ids = page(after)?;
                after = ids.last().copied();
                found.extend_from_slice(&ids);
                if ids.len() < PAGE {
                    return Ok(());
                }
            }
        };
        let column = match search.narrowed() {
            Narrowed::None => return Ok(found),
            Narrowed::One(id) => return Ok(vec![id]),
            Narrowed::Column(column) => column as usize,
            Narrowed::All => {
                collect(&|after| self.store.list(after, PAGE))?;
                return Ok(found);
            }
        };
        for term in terms.iter().filter_map(|terms| terms.get(column).copied().flatten()) {
            collect(&|after| self.store.find(column, &term, after, PAGE))?;
        }
        found.sort_unstable();
        found.dedup();
        found.shrink_to_fit();
        Ok(found)
    }
}

/// The first so many objects that a search hands out stay opened, for they will be read next.
const STAY_OPENED: usize = 256;

impl Candidates {
    /// Logout: the search goes on to its end, but what it found is nobody's business any more.
    pub fn clear(&mut self) {
        (self.objects, self.ids, self.next) = (Vec::new(), Vec::new(), 0);
    }

    /// Whether a row can be that of an object that matches, without opening it. Terms are bound to the row by its seal: one whose
    /// terms were changed is damaged, and no more found by its index either.
    fn can_be(&self, row: &Row, private: bool) -> bool {
        let wanted = if private { &self.blind } else { &self.plain };
        wanted.iter().zip(&row.terms).all(|(wanted, own)| wanted.is_none() || wanted == own)
    }
}
