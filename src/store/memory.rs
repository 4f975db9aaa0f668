//! Tokens in this process's memory, for tests: durable as long as the folder value lives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{
    Change, Check, Commit, Folder, Item, ObjectId, Row, Store, Term, Terms, TokenRow, check_column, first_item, hold,
    successor, twice,
};
use crate::error::{Error, Result};

/// A folder of tokens in memory.
#[derive(Default)]
pub struct MemoryFolder {
    tokens: Mutex<Tokens>,
}

impl MemoryFolder {
    /// An empty folder.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Folder for MemoryFolder {
    fn slots(&self) -> Result<Vec<u32>> {
        Ok(hold(&self.tokens).stores.keys().copied().collect())
    }

    fn next_slot(&self) -> Result<u32> {
        Ok(hold(&self.tokens).next)
    }

    fn create(&self, slot: u32, token: &[u8], digest: &[u8]) -> Result<bool> {
        let row = TokenRow { version: 1, bytes: token.to_vec(), digest: digest.to_vec() };
        let mut item = Some(Item::Token { row, revision: 0 });
        self.restore(slot, &mut || Ok(item.take()))
    }

    fn restore(&self, slot: u32, items: &mut dyn FnMut() -> Result<Option<Item>>) -> Result<bool> {
        let mut tokens = hold(&self.tokens);
        if slot < tokens.next {
            return Ok(false);
        }
        let next = slot.checked_add(1).ok_or_else(|| Error::DeviceMemory("the slot numbers are used up".into()))?;
        let contents = Contents::of(items)?;
        tokens.stores.insert(slot, Arc::new(MemoryStore { contents: Mutex::new(contents) }));
        tokens.next = next;
        Ok(true)
    }

    fn set_aside(&self, next: u32) -> Result<()> {
        let mut tokens = hold(&self.tokens);
        tokens.next = tokens.next.max(next);
        Ok(())
    }

    fn remove(&self, slot: u32, check: Option<&Check>) -> Result<bool> {
        let mut tokens = hold(&self.tokens);
        let Some(store) = tokens.stores.get(&slot).cloned() else { return Ok(false) };
        let mut contents = hold(&store.contents);
        check.map_or(Ok(()), |check| check(&contents.token.bytes))?;
        contents.removed = true;
        tokens.stores.remove(&slot);
        Ok(true)
    }

    fn owns(&self, _: u32) -> Result<()> {
        Ok(())
    }

    fn open(&self, slot: u32) -> Result<Arc<dyn Store>> {
        match hold(&self.tokens).stores.get(&slot) {
            Some(store) => Ok(store.clone()),
            None => Err(Error::TokenNotRecognized(format!("slot {slot} holds no token").into())),
        }
    }

    fn usable(&self) -> Result<()> {
        Ok(())
    }
}

#[derive(Default)]
struct Tokens {
    next: u32,
    stores: BTreeMap<u32, Arc<MemoryStore>>,
}

struct MemoryStore {
    contents: Mutex<Contents>,
}

impl MemoryStore {
    fn contents(&self) -> Result<MutexGuard<'_, Contents>> {
        let contents = hold(&self.contents);
        if contents.removed { Err(Error::TokenRemoved) } else { Ok(contents) }
    }
}

impl Store for MemoryStore {
    fn token(&self) -> Result<TokenRow> {
        Ok(self.contents()?.token.clone())
    }

    fn read(&self, id: ObjectId) -> Result<Option<Row>> {
        Ok(self.contents()?.objects.get(&id).map(|kept| kept.row.clone()))
    }

    fn tombstone(&self, id: ObjectId) -> Result<Option<Row>> {
        Ok(self.contents()?.deletions.get(&id).and_then(|deletion| deletion.tombstone.clone()))
    }

    fn version(&self, id: ObjectId) -> Result<Option<u64>> {
        Ok(self.contents()?.version(id))
    }

    fn find(&self, column: usize, term: &Term, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>> {
        check_column(column)?;
        let holds = |kept: &Kept| kept.row.terms.get(column).is_some_and(|held| held.as_ref() == Some(term));
        Ok(self.contents()?.page(after, limit, holds))
    }

    fn list(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>> {
        Ok(self.contents()?.page(after, limit, |_| true))
    }

    fn tombstones(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>> {
        let contents = self.contents()?;
        let left = contents.deletions.iter().filter(|(_, deletion)| deletion.tombstone.is_some());
        Ok(left.map(|(id, _)| *id).filter(|id| after.is_none_or(|after| *id > after)).take(limit).collect())
    }

    fn commit(&self, changes: Vec<Change>) -> Result<Commit> {
        let mut contents = self.contents()?;
        if changes.is_empty() {
            return Ok(Commit::Done { revision: contents.revision });
        }
        // On a copy: tests are small, and all-or-none comes for nothing.
        let mut changed = contents.clone();
        changed.revision = successor(changed.revision)?;
        for change in changes {
            if !changed.apply(change)? {
                return Ok(Commit::Conflict);
            }
        }
        *contents = changed;
        Ok(Commit::Done { revision: contents.revision })
    }

    fn revision(&self) -> Result<u64> {
        Ok(self.contents()?.revision)
    }

    fn changed_since(&self, revision: u64) -> Result<Vec<ObjectId>> {
        let contents = self.contents()?;
        let changed = contents.objects.iter().map(|(id, kept)| (*id, kept.revision));
        let deleted = contents.deletions.iter().map(|(id, deletion)| (*id, deletion.revision));
        let mut ids: Vec<_> = changed.chain(deleted).filter(|(_, at)| *at > revision).map(|(id, _)| id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    fn snapshot(&self, each: &mut dyn FnMut(Item) -> Result<()>) -> Result<()> {
        let Contents { revision, token, objects, deletions, .. } = self.contents()?.clone();
        each(Item::Token { row: token, revision })?;
        for Kept { revision, row } in objects.into_values() {
            each(Item::Object { row, revision })?;
        }
        for Deletion { revision, tombstone } in deletions.into_values() {
            tombstone.map_or(Ok(()), |row| each(Item::Tombstone { row, revision }))?;
        }
        Ok(())
    }

    fn check(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn scrub(&self, _urgent: bool) -> bool {
        true
    }

    fn writable(&self) -> bool {
        true
    }
}

#[derive(Clone)]
struct Contents {
    /// The folder has it no more.
    removed: bool,
    revision: u64,
    token: TokenRow,
    objects: BTreeMap<ObjectId, Kept>,
    deletions: BTreeMap<ObjectId, Deletion>,
}

#[derive(Clone)]
struct Deletion {
    revision: u64,
    /// None once the token has been initialised anew.
    tombstone: Option<Row>,
}

#[derive(Clone)]
struct Kept {
    revision: u64,
    row: Row,
}

impl Contents {
    fn of(items: &mut dyn FnMut() -> Result<Option<Item>>) -> Result<Self> {
        let (token, revision) = first_item(items)?;
        let (objects, deletions) = Default::default();
        let mut contents = Self { removed: false, revision, token, objects, deletions };
        while let Some(item) = items()? {
            let (id, taken) = match item {
                Item::Token { .. } => return Err(twice("a token row")),
                Item::Object { row, revision } => {
                    let id = row.id;
                    let replaced = contents.objects.insert(id, Kept { revision, row }).is_some();
                    (id, replaced || contents.deletions.contains_key(&id))
                }
                Item::Tombstone { row, revision } => {
                    let id = row.id;
                    let replaced = contents.deletions.insert(id, Deletion { revision, tombstone: Some(row) }).is_some();
                    (id, replaced || contents.objects.contains_key(&id))
                }
            };
            if taken {
                return Err(twice(format_args!("object {id}")));
            }
        }
        Ok(contents)
    }

    fn version(&self, id: ObjectId) -> Option<u64> {
        self.objects.get(&id).map(|kept| kept.row.version)
    }

    /// Whether nothing is there of this id, and nothing is left.
    fn is_new(&self, id: ObjectId) -> bool {
        let buried = self.deletions.get(&id).is_some_and(|deletion| deletion.tombstone.is_some());
        !buried && !self.objects.contains_key(&id)
    }

    fn page(&self, after: Option<ObjectId>, limit: usize, wanted: impl Fn(&Kept) -> bool) -> Vec<ObjectId> {
        let later = self.objects.iter().filter(|(id, kept)| after.is_none_or(|after| **id > after) && wanted(kept));
        later.map(|(id, _)| *id).take(limit).collect()
    }

    /// False: an expected version did not hold.
    fn apply(&mut self, change: Change) -> Result<bool> {
        match change {
            Change::Token { expected, bytes } => {
                if self.token.version != expected {
                    return Ok(false);
                }
                (self.token.version, self.token.bytes) = (successor(expected)?, bytes);
            }
            Change::Insert(row) => {
                if !self.is_new(row.id) {
                    return Ok(false);
                }
                self.deletions.remove(&row.id);
                self.objects.insert(row.id, Kept { revision: self.revision, row });
            }
            Change::Update { expected, row } => {
                if self.version(row.id) != Some(expected) {
                    return Ok(false);
                }
                self.objects.insert(row.id, Kept { revision: self.revision, row });
            }
            Change::Delete { id, expected, tombstone } => {
                if self.version(id) != Some(expected) {
                    return Ok(false);
                }
                self.objects.remove(&id);
                let tombstone =
                    Row { id, version: expected.wrapping_add(1), terms: Terms::default(), record: tombstone };
                self.deletions.insert(id, Deletion { revision: self.revision, tombstone: Some(tombstone) });
            }
            Change::Bury(row) => {
                if !self.is_new(row.id) {
                    return Ok(false);
                }
                self.deletions.insert(row.id, Deletion { revision: self.revision, tombstone: Some(row) });
            }
            Change::Clear => {
                let revision = self.revision;
                self.deletions.values_mut().for_each(|deletion| deletion.tombstone = None);
                let cleared = std::mem::take(&mut self.objects).into_keys();
                self.deletions.extend(cleared.map(|id| (id, Deletion { revision, tombstone: None })));
            }
            Change::Digest(step) => self.token.digest = step(&self.token.digest)?,
            Change::Check(check) => check(&self.token.bytes)?,
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::suite;

    suite::every_engine!(MemoryFolder::new());
}
