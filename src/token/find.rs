//! Searching a token: session objects in memory, token objects through the store's indexes.

use std::collections::BTreeSet;

use super::Token;
use super::catalog::Place;
use crate::error::Result;
use crate::handle::Handle;
use crate::key::{Caller, Login, visible};
use crate::object::Search;
use crate::seal::{self, Visibility};
use crate::store::ObjectId;

impl Token {
    /// The handles of all objects that the caller sees and that match.
    pub fn find(&self, caller: &Caller, search: &Search) -> Result<Vec<Handle>> {
        self.revision()?;
        let mut found = Vec::new();
        self.catalog.entries.for_each(|handle, entry| {
            if let (Place::Session(_), Some(opened)) = (entry.place, &entry.opened)
                && visible(caller, entry.private)
                && search.matches(opened.object(), opened.readable_value())
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
            if self.view(caller, handle).is_ok_and(|view| view.matches(search)) {
                found.push(handle);
            }
        }
        Ok(found)
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
}
