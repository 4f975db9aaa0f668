//! What still authenticates of a token whose store is damaged. An engine shows whatever looks like a row, in any order and any age; here
//! it is judged by its seal.

use std::collections::{BTreeMap, BTreeSet};

use super::copy::{Seals, TokenCopy};
use super::row::{Label, TokenRecord};
use crate::error::{Error, Result};
use crate::seal::{Counted, Digest, HostKey, Role, RowHash, Verified};
use crate::store::sqlite::{Found, Place};
use crate::store::{Item, ObjectId, Row, TokenRow};

/// What is left of token rows.
#[derive(Default)]
pub struct Traces(Vec<Trace>);

struct Trace {
    copy: TokenCopy,
    row: TokenRow,
    /// The newer the higher: current and listed, current, and then by revision.
    age: (bool, bool, u64),
}

/// A salvage under way.
pub struct Salvage {
    seals: Seals,
    record: TokenRecord,
    /// Whether the token row says what it said.
    is_genuine: bool,
    /// As the newest token row has it, if it opens.
    digest: Option<Digest>,
    held: BTreeMap<ObjectId, Held>,
    refused: BTreeSet<ObjectId>,
}

/// The best of what was found of one id.
#[derive(Clone, Copy)]
struct Held {
    rank: Rank,
    row: RowHash,
    place: Place,
}

/// What is better the higher it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    is_verified: bool,
    /// Whoever is destroyed stays so, whatever is left of him.
    is_tombstone: bool,
    version: u64,
    is_current: bool,
}

/// What was saved, and what not.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// How many objects.
    pub objects: u64,
    /// How many tombstones.
    pub tombstones: u64,
    /// How many of the objects no login stands behind.
    pub unverified: u64,
    /// Those of which there were only rows that had been replaced, as far as can be told: they may be older than they were, or have been
    /// destroyed since.
    pub older: Vec<ObjectId>,
    /// Of these something is there, and nothing that opens.
    pub refused: Vec<ObjectId>,
    /// Whether all that a login stood behind was saved as it last was; none if what tells it is lost too.
    pub is_complete: Option<bool>,
    /// Whether the label, the serial number and the default of `CKA_KEYSTEAD_MASKABLE` are what they were. If not, the first two are
    /// as they were found, and the last is false.
    pub is_token_row_genuine: bool,
}

impl Traces {
    /// Keeps what was found if it is a token row.
    pub fn look(&mut self, found: &Found) {
        let Item::Token { row, revision } = &found.item else { return };
        let Ok(copy) = TokenCopy::read(&row.bytes) else { return };
        let age = (found.is_current && found.is_listed, found.is_current, *revision);
        // Each commit leaves one in the log, and next to all say the same.
        match self.0.iter_mut().find(|trace| trace.row.bytes == row.bytes) {
            Some(trace) if trace.age < age => (trace.row, trace.age) = (row.clone(), age),
            Some(_) => {}
            None => self.0.push(Trace { copy, row: row.clone(), age }),
        }
        if self.0.len() > MOST_TRACES {
            self.sort();
            self.0.truncate(MOST_TRACES);
        }
    }

    /// The label of the newest, blank-padded, if there is any.
    pub fn label(&self) -> Option<&Label> {
        self.0.iter().max_by_key(|trace| trace.age).map(|trace| trace.copy.label())
    }

    /// Opens the newest that the PIN opens.
    ///
    /// # Errors
    /// [`Error::TokenNotRecognized`] when nothing is left, [`Error::PinIncorrect`], [`Error::UserPinNotInitialized`],
    /// [`Error::DeviceError`] when another host key is needed.
    pub fn open(mut self, role: Role, pin: &[u8], host: Option<&HostKey>) -> Result<Salvage> {
        self.sort();
        let Some(newest) = self.0.first() else {
            return Err(Error::TokenNotRecognized(
                "no token row is left in the file, and without it no PIN opens anything".into(),
            ));
        };
        let mut tried: Vec<&TokenCopy> = Vec::new();
        let mut refused = None;
        for Trace { copy, .. } in &self.0 {
            if tried.len() >= MOST_TRIES || tried.iter().any(|other| have_same_pin(role, copy, other)) {
                continue;
            }
            tried.push(copy);
            match copy.unlock(role, pin, host) {
                Ok(seals) => {
                    let digest = Digest::open(&seals.seal, &newest.row.digest);
                    // That row itself may be edited, and another with the same PIN not.
                    let mut same =
                        self.0.iter().map(|trace| &trace.copy).filter(|other| have_same_pin(role, copy, other));
                    let genuine = same.find(|other| seals.is_genuine(other.record()));
                    let (record, is_genuine) = (genuine.unwrap_or(copy).record().clone(), genuine.is_some());
                    let (held, refused) = Default::default();
                    return Ok(Salvage { seals, record, is_genuine, digest, held, refused });
                }
                // Of several reasons the newest row's counts.
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        Err(refused.unwrap_or(Error::PinIncorrect))
    }

    fn sort(&mut self) {
        self.0.sort_by_key(|trace| std::cmp::Reverse(trace.age));
    }
}

/// Whether two rows hold the same token's key under the same PIN of this role.
fn have_same_pin(role: Role, one: &TokenCopy, other: &TokenCopy) -> bool {
    let [row, other_row] = [one, other].map(|copy| copy.pin(role).map(|pin| &pin.row));
    one.record().id == other.record().id && row == other_row
}

/// So many different token rows are kept.
const MOST_TRACES: usize = 64;

/// So many different rows of a PIN are tried: each takes as long as a login.
const MOST_TRIES: usize = 8;

impl Salvage {
    /// Judges what was found, and keeps where it is if it is the best of its id.
    ///
    /// # Errors
    /// Those of the machine. That a row does not open is none.
    pub fn look(&mut self, found: &Found) -> Result<()> {
        let Some((what, row)) = parts(&found.item) else { return Ok(()) };
        let is_now = found.is_current && found.is_listed;
        let verified = match self.seals.judge(what, row) {
            Ok(verified) => verified == Verified::Yes,
            Err(Error::ObjectDamaged(_)) => {
                // What was replaced may have belonged to the token before it was initialised anew.
                if is_now {
                    self.refused.insert(row.id);
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        // What anybody can have made counts where the store itself would find it, and nowhere else.
        if !verified && !is_now {
            return Ok(());
        }
        let rank = Rank {
            is_verified: verified,
            is_tombstone: what == Counted::Tombstone,
            version: row.version,
            is_current: found.is_current,
        };
        let held = Held { rank, row: RowHash::of(&row.record), place: found.place };
        let best = self.held.entry(row.id).or_insert(held);
        if best.rank < rank {
            *best = held;
        }
        Ok(())
    }

    /// The label, blank-padded.
    pub fn label(&self) -> &Label {
        &self.record.label
    }

    /// The serial number.
    pub fn serial(&self) -> &[u8; 16] {
        &self.record.serial
    }

    /// What was saved.
    pub fn saved(&self) -> Saved {
        let mut saved = Saved { is_token_row_genuine: self.is_genuine, ..Saved::default() };
        for (id, Held { rank, .. }) in &self.held {
            let count = if rank.is_tombstone { &mut saved.tombstones } else { &mut saved.objects };
            *count = count.saturating_add(1);
            saved.unverified = saved.unverified.saturating_add(u64::from(!rank.is_verified && !rank.is_tombstone));
            if !rank.is_current {
                saved.older.push(*id);
            }
        }
        saved.refused = self.refused.iter().filter(|id| !self.held.contains_key(id)).copied().collect();
        saved.is_complete = self.digest.map(|digest| digest == self.sum());
        if saved.is_complete == Some(true) {
            // A row may be in an older page as it is now.
            saved.older.clear();
        }
        saved
    }

    /// Gives the token that is left, as a [`restore`](crate::store::Folder::restore) takes it: its row, with a digest of what is left, then
    /// objects and tombstones, which `read` reads once more where they were found. Versions stay, revisions begin anew.
    pub fn items<'a>(
        &'a self,
        mut read: impl FnMut(Place) -> Result<Option<Item>> + 'a,
    ) -> impl FnMut() -> Result<Option<Item>> + 'a {
        let mut row = Some(());
        let mut held = self.held.iter();
        move || {
            if row.take().is_some() {
                return self.token_row().map(Some);
            }
            let Some((id, held)) = held.next() else { return Ok(None) };
            let item = read(held.place)?.and_then(|item| self.as_before(item, *id, held));
            item.map(Some).ok_or_else(|| Error::DeviceError(format!("object {id} changed while it was read").into()))
        }
    }

    fn token_row(&self) -> Result<Item> {
        let mut record = self.record.clone();
        if !self.is_genuine {
            // Nobody knows what it was, and this is the one that lets nothing out.
            record.maskable = false;
            record.mac = self.seals.seal.mac_of_token_row(&record.facts());
        }
        let digest = self.sum().seal(&self.seals.seal)?;
        Ok(Item::Token { row: TokenRow { version: 1, bytes: record.encode(), digest }, revision: 0 })
    }

    /// What was read once more, if it is what was judged.
    fn as_before(&self, mut item: Item, id: ObjectId, held: &Held) -> Option<Item> {
        let (what, row) = parts(&item)?;
        let verified = self.seals.judge(what, row).ok()? == Verified::Yes;
        let found = (row.id, row.version, what == Counted::Tombstone, verified, RowHash::of(&row.record));
        let Held { rank, row, .. } = held;
        if let Item::Object { revision, .. } | Item::Tombstone { revision, .. } = &mut item {
            *revision = 0;
        }
        (found == (id, rank.version, rank.is_tombstone, rank.is_verified, *row)).then_some(item)
    }

    fn sum(&self) -> Digest {
        let mut sum = Digest::default();
        for (id, Held { rank, row, .. }) in &self.held {
            if rank.is_verified {
                let what = if rank.is_tombstone { Counted::Tombstone } else { Counted::Object };
                sum.add(&self.seals.seal, what, *id, rank.version, row);
            }
        }
        sum
    }
}

fn parts(item: &Item) -> Option<(Counted, &Row)> {
    match item {
        Item::Token { .. } => None,
        Item::Object { row, .. } => Some((Counted::Object, row)),
        Item::Tombstone { row, .. } => Some((Counted::Tombstone, row)),
    }
}
