//! Searching a token: session objects in memory, token objects through the store's indexes.

use std::collections::BTreeSet;

use super::Token;
use super::catalog::Place;
use crate::error::{Error, Result};
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
            if let Some(handle) = self.matching(caller, search, id)? {
                found.push(handle);
            }
        }
        Ok(found)
    }

    /// The handle of a token object, if the caller sees it and it matches. A damaged object hurts no other: it is left out,
    /// with a line in the log. A store that cannot be read is an error, for "nothing found" would make the caller do it again.
    fn matching(&self, caller: &Caller, search: &Search, id: ObjectId) -> Result<Option<Handle>> {
        let known = self.catalog.handles.lock().get(&id).copied();
        let known = known.and_then(|handle| self.catalog.entries.with(handle, |entry| entry.private));
        let private = match known {
            Some(private) => private,
            None => {
                let Some(row) = self.store.read(id)? else { return Ok(None) };
                match seal::visibility(&row.record) {
                    Ok(visibility) => visibility == Visibility::Private,
                    Err(reason) => return self.leave_out(reason),
                }
            }
        };
        if !visible(caller, private) {
            return Ok(None);
        }
        let handle = self.catalog.handle_of(id, private)?;
        match self.view(caller, handle) {
            Ok(view) => Ok(view.matches(search).then_some(handle)),
            Err(Error::ObjectHandleInvalid) => Ok(None),
            Err(reason @ Error::ObjectDamaged(_)) => self.leave_out(reason),
            Err(error) => Err(error),
        }
    }

    fn leave_out(&self, reason: Error) -> Result<Option<Handle>> {
        self.log.error(format_args!("left out of a search: {reason}"));
        Ok(None)
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
}
