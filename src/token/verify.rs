//! Checking a whole token: every row and tombstone opened, terms and digest computed anew.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{Token, edited};
use crate::error::{Error, Result};
use crate::object::{self, is_tombstone};
use crate::seal::{self, Counted, Digest, RowHash, Seal};
use crate::store::{ObjectId, Row};

/// What a check of a whole token found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// How many objects there are.
    pub objects: u64,
    /// How many tombstones there are.
    pub tombstones: u64,
    /// How many of the objects no login stands behind: whoever can write to the store can have made, changed or removed them.
    pub unverified: u64,
    /// The same of the tombstones.
    pub unverified_tombstones: u64,
    /// What is wrong, objects by ascending id.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The store's own structure is damaged: what its engine says of it.
    Store(Box<str>),
    /// The label, the serial number or the default of `CKA_KEYSTEAD_MASKABLE` was changed.
    TokenRow,
    /// The object's row cannot be read; why is said.
    Unreadable(ObjectId, Box<str>),
    /// The object's row, or its tombstone, is not as it was sealed; why is said.
    Damaged(ObjectId, Box<str>),
    /// The object is found by other terms than those of its attributes.
    Terms(ObjectId),
    /// The object was put back after it had been destroyed. It is not there for anybody.
    PutBack(ObjectId),
    /// The digest itself is not as it was sealed, so that it says nothing.
    DigestEdited,
    /// Objects or tombstones are missing, were changed, or put back as they were before. Which cannot be told; what is damaged is
    /// told besides.
    DigestDiffers,
}

impl Token {
    /// Opens everything in the token; somebody must be logged in. Others may write meanwhile. `progress` is told now and then how many
    /// rows have been looked at.
    ///
    /// It takes as long as reading everything, and some 100 bytes of memory for each object. While the engine checks its own
    /// structure, a `fork` of this process waits.
    ///
    /// # Errors
    /// [`Error::UserNotLoggedIn`], also when the login ends meanwhile, and what keeps the store from being read at all.
    pub fn verify(&self, progress: &mut dyn FnMut(u64)) -> Result<Verdict> {
        let seal = self.seal().ok_or(Error::UserNotLoggedIn)?;
        let (known, digest) = (BTreeMap::new(), Digest::default());
        let mut walk = Walk { token: self, seal, known, digest, looked: 0, progress };
        let revision = self.revision()?;
        let mut findings = match self.store.check() {
            Ok(lines) => lines.into_iter().map(|line| Finding::Store(line.into())).collect(),
            Err(error) => vec![Finding::Store(error.to_string().into())],
        };
        if let Err(error) = walk.all() {
            // Where not even the ids can be read there is nothing more to look at.
            let Error::DeviceError(why) = error else { return Err(error) };
            findings.push(Finding::Store(why));
            return Ok(walk.verdict(findings));
        }
        findings.extend(walk.settle(revision)?);
        Ok(walk.verdict(findings))
    }
}

/// A walk through everything.
struct Walk<'a> {
    token: &'a Token,
    seal: Arc<Seal>,
    known: BTreeMap<ObjectId, Known>,
    /// Of all that is known.
    digest: Digest,
    looked: u64,
    progress: &'a mut dyn FnMut(u64),
}

/// What is known of what has one id.
struct Known {
    what: Counted,
    version: u64,
    /// What the digest counts of it, if a login stands behind it, as far as can be told.
    counted: Option<RowHash>,
    finding: Option<Finding>,
}

impl Walk<'_> {
    fn all(&mut self) -> Result<()> {
        self.each(|token, after| token.store.list(after, PAGE))?;
        self.each(|token, after| token.store.tombstones(after, PAGE))
    }

    fn each(&mut self, page: impl Fn(&Token, Option<ObjectId>) -> Result<Vec<ObjectId>>) -> Result<()> {
        let mut after = None;
        loop {
            let ids = page(self.token, after)?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = Some(*last);
            for id in ids {
                self.look(id)?;
            }
        }
    }

    /// Looks again at what others have changed since, until the digest is of the same moment. Who writes faster than a few rows are read
    /// would have to be waited for without end: after so many rounds the digest is taken to differ from what was read.
    fn settle(&mut self, mut since: u64) -> Result<Vec<Finding>> {
        for _ in 0..ROUNDS {
            let now = self.token.revision()?;
            for id in self.token.store.changed_since(since)? {
                self.look(id)?;
            }
            let findings = self.token_row()?;
            if self.token.revision()? == now {
                return Ok(findings);
            }
            since = now;
        }
        let reason = "others write so fast that the digest cannot be compared with what is there";
        Err(Error::FunctionFailed(reason.into()))
    }

    /// What the token row says of itself and of everything else.
    fn token_row(&self) -> Result<Vec<Finding>> {
        let (row, record) = self.token.record()?;
        let mut findings = Vec::new();
        if !self.seal.is_token_row(&record.facts(), &record.mac) {
            findings.push(Finding::TokenRow);
        }
        match Digest::open(&self.seal, &row.digest) {
            None => findings.push(Finding::DigestEdited),
            Some(stored) if stored != self.digest => findings.push(Finding::DigestDiffers),
            Some(_) => (),
        }
        Ok(findings)
    }

    fn look(&mut self, id: ObjectId) -> Result<()> {
        if let Some(Known { what, version, counted: Some(row), .. }) = self.known.remove(&id) {
            self.digest.remove(&self.seal, what, id, version, &row);
        }
        if let Some(known) = self.examined(id)? {
            if let Some(row) = &known.counted {
                self.digest.add(&self.seal, known.what, id, known.version, row);
            }
            self.known.insert(id, known);
        }
        self.looked = self.looked.saturating_add(1);
        if self.looked.is_multiple_of(TELL_EVERY) {
            (self.progress)(self.looked);
        }
        Ok(())
    }

    /// What there is of this id; none if it has gone without a trace, as when the token was initialised anew.
    fn examined(&self, id: ObjectId) -> Result<Option<Known>> {
        let store = &self.token.store;
        let read = store.read(id).and_then(|row| match row {
            Some(row) => Ok((Some(row), None)),
            None => Ok((None, store.tombstone(id)?)),
        });
        match read {
            Ok((Some(row), _)) => self.object(&row).map(Some),
            Ok((None, grave)) => {
                let known = grave.map(|grave| self.grave(&grave)).transpose()?;
                if !self.is_listed(id)? {
                    return Ok(known);
                }
                let finding = Some(Finding::PutBack(id));
                let nothing = Known { what: Counted::Tombstone, version: 0, counted: None, finding: None };
                Ok(Some(Known { finding, ..known.unwrap_or(nothing) }))
            }
            Err(Error::DeviceError(why)) => {
                let finding = Some(Finding::Unreadable(id, why));
                Ok(Some(Known { what: Counted::Object, version: 0, counted: None, finding }))
            }
            Err(error) => Err(error),
        }
    }

    fn object(&self, row: &Row) -> Result<Known> {
        let (counted, finding) = match self.opened(row) {
            Ok((counted, finding)) => (counted, finding),
            // What it should be is not known, and the digest counts that.
            Err(Error::ObjectDamaged(why)) => (None, Some(Finding::Damaged(row.id, why))),
            Err(error) => return Err(error),
        };
        Ok(Known { what: Counted::Object, version: row.version, counted, finding })
    }

    fn opened(&self, row: &Row) -> Result<(Option<RowHash>, Option<Finding>)> {
        // Nothing is opened only where nobody is logged in any more.
        let opened = self.token.opened_row(row)?.ok_or(Error::UserNotLoggedIn)?;
        if opened.has_material() {
            self.token.prepared(&opened).map_err(|error| match error {
                Error::KeyTypeInconsistent => Error::ObjectDamaged(format!("the key {} has no value", row.id).into()),
                other => other,
            })?;
        }
        let terms = object::terms(opened.object(), Some(&self.seal));
        let finding = (terms != row.terms).then_some(Finding::Terms(row.id));
        Ok((opened.counted().copied(), finding))
    }

    fn grave(&self, row: &Row) -> Result<Known> {
        let (counted, finding) = match seal::open(Some(&self.seal), row.id, row.version, &row.terms, &row.record) {
            Ok(Some(opened)) if is_tombstone(&opened.body) && opened.material.is_none() => (opened.counted, None),
            Ok(_) => (None, Some(Finding::Damaged(row.id, "what is left of the object is no tombstone".into()))),
            Err(Error::ObjectDamaged(why)) => (None, Some(Finding::Damaged(row.id, why))),
            Err(error) => return Err(error),
        };
        Ok(Known { what: Counted::Tombstone, version: row.version, counted, finding })
    }

    /// Whether there is a row of this id, even if it counts for nothing.
    fn is_listed(&self, id: ObjectId) -> Result<bool> {
        let before = u128::from_be_bytes(id.0).checked_sub(1).map(|before| ObjectId(before.to_be_bytes()));
        Ok(self.token.store.list(before, 1)?.first() == Some(&id))
    }

    fn verdict(self, findings: Vec<Finding>) -> Verdict {
        (self.progress)(self.looked);
        let mut verdict = Verdict { findings, ..Verdict::default() };
        for known in self.known.into_values() {
            let (all, unverified) = match known.what {
                Counted::Object => (&mut verdict.objects, &mut verdict.unverified),
                Counted::Tombstone => (&mut verdict.tombstones, &mut verdict.unverified_tombstones),
            };
            *all = all.saturating_add(1);
            *unverified = unverified.saturating_add(u64::from(known.counted.is_none() && known.finding.is_none()));
            verdict.findings.extend(known.finding);
        }
        verdict
    }
}

/// So many ids are listed at once.
const PAGE: usize = 1024;

/// After so many rows progress is told.
const TELL_EVERY: u64 = 256;

/// How often the digest is compared anew because somebody has written meanwhile.
const ROUNDS: usize = 1000;

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(line) => write!(f, "the store's file is damaged: {line}"),
            Self::TokenRow => edited().fmt(f),
            Self::Unreadable(id, why) => write!(f, "object {id} cannot be read: {why}"),
            Self::Damaged(_, why) => f.write_str(why),
            Self::Terms(id) => write!(f, "object {id} is not found by what it is called"),
            Self::PutBack(id) => write!(f, "object {id} was destroyed, and its row was put back"),
            Self::DigestEdited => f.write_str("the digest was changed: what is missing cannot be told"),
            Self::DigestDiffers => {
                f.write_str("objects were removed from the file, changed, or put back as they were before")
            }
        }
    }
}
