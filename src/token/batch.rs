//! What is committed together, under one login or without one, and what that does to the digest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Token;
use super::opened::Opened;
use super::row::TokenRecord;
use crate::error::{Error, Result};
use crate::log::Log;
use crate::seal::{Counted, Digest, RowHash, Seal, TokenId, Verified};
use crate::store::{Change, Check, Commit, Row};

/// Changes of objects that are to be made together. All of them are sealed by the same login, if there is one: it is taken
/// once, and a logout that comes between does not leave half of it.
pub(super) struct Batch {
    seal: Option<Arc<Seal>>,
    changes: Vec<Change>,
    /// What the changes add to the digest: only what a login stands behind counts.
    difference: Digest,
}

impl Batch {
    /// Nothing yet, with the login of this moment.
    pub(super) fn new(token: &Token) -> Self {
        Self { seal: token.seal(), changes: Vec::new(), difference: Digest::default() }
    }

    /// What rows are sealed by.
    pub(super) fn seal(&self) -> Option<&Seal> {
        self.seal.as_deref()
    }

    /// What must hold of the token row for the changes to be made.
    pub(super) fn only_if(&mut self, check: Check) {
        self.changes.push(Change::Check(check));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// A new object.
    pub(super) fn insert(&mut self, row: Row) {
        self.count_in(Counted::Object, &row);
        self.changes.push(Change::Insert(row));
    }

    /// An object in the place of what it was.
    ///
    /// # Errors
    /// [`Error::UserNotLoggedIn`] if a login wrote the old one and there is none now.
    pub(super) fn update(&mut self, old: &Opened, row: Row) -> Result<()> {
        self.count_out(old)?;
        self.count_in(Counted::Object, &row);
        self.changes.push(Change::Update { expected: old.object().version, row });
        Ok(())
    }

    /// A tombstone in the place of an object.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub(super) fn delete(&mut self, old: &Opened, tombstone: Row) -> Result<()> {
        self.count_out(old)?;
        self.count_in(Counted::Tombstone, &tombstone);
        let (id, expected) = (old.object().id, old.object().version);
        self.changes.push(Change::Delete { id, expected, tombstone: tombstone.record });
        Ok(())
    }

    /// The tombstone of an object that was never here.
    pub(super) fn bury(&mut self, tombstone: Row) {
        self.count_in(Counted::Tombstone, &tombstone);
        self.changes.push(Change::Bury(tombstone));
    }

    fn count_in(&mut self, what: Counted, row: &Row) {
        if let Some(seal) = &self.seal {
            self.difference.add(seal, what, row.id, row.version, &RowHash::of(&row.record));
        }
    }

    fn count_out(&mut self, old: &Opened) -> Result<()> {
        match (old.verified(), old.counted(), &self.seal) {
            (Verified::No, ..) => Ok(()),
            (Verified::Yes, Some(row), Some(seal)) => {
                self.difference.remove(seal, Counted::Object, old.object().id, old.object().version, row);
                Ok(())
            }
            // The gate let it pass, so the login has ended since, or has begun since.
            (Verified::Yes | Verified::Unknown, ..) => Err(Error::UserNotLoggedIn),
        }
    }

    /// The changes, as long as this is the token that they were sealed for, and the step of the digest if it moves.
    fn into_changes(self, token: TokenId, watch: &Arc<Watch>) -> Vec<Change> {
        let (mut changes, difference) = (self.changes, self.difference);
        // Nobody could open them in another token, and nobody could find out why they are there.
        changes.insert(
            0,
            Change::Check(Arc::new(move |row| match TokenRecord::decode(row)?.id == token {
                true => Ok(()),
                false => Err(Error::TokenReplaced),
            })),
        );
        if let Some(seal) = self.seal.filter(|_| difference != Digest::default()) {
            let watch = Arc::clone(watch);
            changes.push(Change::Digest(Arc::new(move |sealed| match Digest::open(&seal, sealed) {
                Some(digest) => digest.plus(&difference).seal(&seal),
                None => {
                    watch.lost.store(true, Ordering::Release);
                    Ok(sealed.to_vec())
                }
            })));
        }
        changes
    }
}

/// Whether the digest in the store could be carried on.
#[derive(Default)]
pub(super) struct Watch {
    /// It was not as it was sealed. Work goes on: whoever can write to the store could stop it otherwise, too.
    lost: AtomicBool,
    told: AtomicBool,
}

impl Watch {
    fn tell(&self, log: &Log) {
        if self.lost.load(Ordering::Acquire) && !self.told.swap(true, Ordering::AcqRel) {
            log.error(format_args!(
                "the digest of the token is not as it was sealed, and stays as it is: what was removed or put back can no \
                 longer be found; `keystead doctor --verify` checks what is there"
            ));
        }
    }
}

impl Token {
    /// Makes the changes, all or none.
    pub(super) fn commit(&self, batch: Batch) -> Result<Commit> {
        let destroys = batch.changes.iter().any(|change| matches!(change, Change::Delete { .. }));
        let outcome = self.store.commit(batch.into_changes(self.id, &self.watch));
        if outcome == Err(Error::TokenReplaced) {
            self.replaced.store(true, Ordering::Release);
        }
        let outcome = outcome?;
        self.watch.tell(&self.log);
        if let Commit::Done { .. } = outcome {
            self.scrub_if_due();
            if destroys {
                self.scrub_at_the_end();
            }
        }
        Ok(outcome)
    }
}
