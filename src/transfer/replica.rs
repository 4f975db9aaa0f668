//! A token here as one side of a synchronisation.

use std::collections::BTreeMap;
use std::sync::Arc;

use cryptoki_sys::CKA_LABEL;

use super::digest::{DigestKeys, Item, Tally};
use super::domain::Domain;
use super::inventory::Inventory;
use super::mask;
use super::masked::Content;
use super::peer::{About, How, Outcome, Peer, Withheld};
use super::range::Range;
use crate::error::{Error, Result};
use crate::key::{Caller, KeyType, Purpose};
use crate::mechanism::Keyed;
use crate::object::{self, Arrival};
use crate::store::ObjectId;
use crate::token::{self, Opened, Portable, Token};

/// A token in which the user is logged in, and a domain that it is in.
pub struct Replica {
    token: Arc<Token>,
    caller: Caller,
    domain: Domain,
    /// Made at the first question.
    listed: Option<Listed>,
}

/// What a token has.
struct Listed {
    /// What may leave.
    inventory: Inventory,
    /// What may not.
    withheld: BTreeMap<ObjectId, Withheld>,
}

/// What leaves of one object id.
enum Leaving {
    /// The object.
    Object(Box<Opened>),
    /// Its tombstone, of this version.
    Tombstone(u64),
    /// It stays.
    Withheld(Withheld),
    /// There is none, or it is nobody's business.
    Nothing,
}

impl Replica {
    /// Of this token and domain, for who is logged in.
    pub fn new(token: Arc<Token>, caller: Caller, domain: Domain) -> Self {
        Self { token, caller, domain, listed: None }
    }

    /// The domain.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Looks whether the token is still in the domain: another process may have left it, and a conversation may last for days.
    fn look_again(&mut self) -> Result<()> {
        self.domain = Domain::find(&self.token, &self.caller, self.domain.id())?;
        Ok(())
    }

    /// Works with the domain key.
    pub(super) fn with_domain_key<T>(&self, work: impl FnOnce(&Keyed<'_>) -> Result<T>) -> Result<T> {
        self.domain.with(&self.caller, Purpose::Mask, None, work)
    }

    /// What an object is called, if it is here and called anything.
    pub fn label(&self, id: ObjectId) -> Option<String> {
        let Ok(Portable::Object(opened)) = self.token.portable(id) else { return None };
        opened.object().value(CKA_LABEL).map(|label| String::from_utf8_lossy(label).into_owned())
    }

    /// The ids of all that may leave, ascending.
    pub(super) fn ids(&mut self) -> Result<Vec<ObjectId>> {
        Ok(self.listed()?.inventory.items(&Range::ALL).map(|item| item.id).collect())
    }

    fn listed(&mut self) -> Result<&Listed> {
        if self.listed.is_none() {
            self.listed = Some(self.list()?);
        }
        self.listed.as_ref().ok_or_else(|| Error::GeneralError("what a token has was not listed".into()))
    }

    fn list(&self) -> Result<Listed> {
        let keys = self.with_domain_key(DigestKeys::new)?;
        let (mut items, mut withheld) = (Vec::new(), BTreeMap::new());
        let mut look = |id| {
            match self.leaving(id)? {
                Leaving::Object(opened) => match mask::content(&self.token, &self.caller, &self.domain, &opened) {
                    Ok(content) => items.push(keys.object(opened.object(), &content)),
                    // The value of a key is sealed apart from the rest.
                    Err(Error::ObjectDamaged(_)) => drop(withheld.insert(id, Withheld::Damaged)),
                    Err(error) => return Err(error),
                },
                Leaving::Tombstone(_) => items.push(keys.tombstone(id)),
                Leaving::Withheld(why) => drop(withheld.insert(id, why)),
                Leaving::Nothing => {}
            }
            Ok(())
        };
        each(|after| self.token.ids(after, PAGE), &mut look)?;
        each(|after| self.token.destroyed_ids(after, PAGE), &mut look)?;
        Ok(Listed { inventory: Inventory::new(items), withheld })
    }

    /// What leaves of an object, as it is now.
    fn leaving(&self, id: ObjectId) -> Result<Leaving> {
        match self.token.portable(id) {
            Ok(Portable::Object(opened)) => {
                if opened.object().key_type().is_some_and(KeyType::is_inside) {
                    return Ok(Leaving::Nothing);
                }
                Ok(withheld(&opened).map_or(Leaving::Object(opened), Leaving::Withheld))
            }
            Ok(Portable::Tombstone { stays: true, .. }) => Ok(Leaving::Nothing),
            Ok(Portable::Tombstone { verified: false, .. }) => Ok(Leaving::Withheld(Withheld::Unverified)),
            Ok(Portable::Tombstone { version, .. }) => Ok(Leaving::Tombstone(version)),
            Ok(Portable::Nothing) => Ok(Leaving::Nothing),
            Err(Error::ObjectDamaged(_)) => Ok(Leaving::Withheld(Withheld::Damaged)),
            Err(error) => Err(error),
        }
    }

    /// An object or its tombstone as it is now, masked.
    fn masked(&self, id: ObjectId) -> Result<Option<Vec<u8>>> {
        match self.leaving(id)? {
            Leaving::Object(opened) => match mask::mask(&self.token, &self.caller, &self.domain, &opened) {
                Err(Error::ObjectDamaged(_)) => Ok(None),
                masked => masked.map(Some),
            },
            Leaving::Tombstone(version) => {
                let content = Content { record: object::tombstone(false).into(), material: None };
                self.with_domain_key(|keyed| content.mask(keyed, self.domain.id(), id, version)).map(Some)
            }
            Leaving::Withheld(_) | Leaving::Nothing => Ok(None),
        }
    }
}

impl Peer for Replica {
    fn about(&mut self) -> Result<About> {
        let (domain, serial) = (self.domain.id(), self.token.state()?.serial);
        Ok(About { domain, serial, items: self.listed()?.inventory.len() as u64 })
    }

    fn tallies(&mut self, ranges: &[Range]) -> Result<Vec<Tally>> {
        let inventory = &self.listed()?.inventory;
        Ok(ranges.iter().map(|range| inventory.tally(range)).collect())
    }

    fn items(&mut self, ranges: &[Range]) -> Result<Vec<Item>> {
        let inventory = &self.listed()?.inventory;
        let mut items = Vec::new();
        for range in ranges {
            items.extend(inventory.items(range).take(MOST_ITEMS));
            if items.len() >= MOST_ITEMS {
                return Err(Error::Sync(format!("more than {MOST_ITEMS} objects were asked for at once").into()));
            }
        }
        Ok(items)
    }

    fn fetch(&mut self, ids: &[ObjectId]) -> Result<Vec<Option<Vec<u8>>>> {
        self.look_again()?;
        let (mut objects, mut bytes) = (Vec::new(), 0_usize);
        for id in ids {
            let object = self.masked(*id)?;
            bytes = bytes.saturating_add(object.as_ref().map_or(0, Vec::len));
            if bytes > AT_ONCE && !objects.is_empty() {
                break;
            }
            objects.push(object);
        }
        Ok(objects)
    }

    fn put(&mut self, objects: Vec<Vec<u8>>, how: How) -> Result<Vec<Outcome>> {
        self.look_again()?;
        let (mut outcomes, mut arrivals) = (Vec::new(), Vec::new());
        for object in &objects {
            match mask::unmask(&self.caller, &self.domain, object) {
                Ok(arrival) => {
                    outcomes.push(None);
                    arrivals.push(arrival);
                }
                Err(Error::MaskedInvalid(why)) => outcomes.push(Some(Outcome::Refused(why))),
                Err(error) => return Err(error),
            }
        }
        let taken = match how {
            How::Commit => self.token.adopt(&self.caller, &arrivals)?,
            How::Try => self.token.foresee(&self.caller, &arrivals)?,
        };
        let mut taken = arrivals.iter().zip(taken).map(|(arrival, outcome)| outcome_of(arrival, outcome));
        let outcomes = outcomes.into_iter().map(|refused| refused.or_else(|| taken.next()));
        outcomes.collect::<Option<_>>().ok_or_else(|| Error::GeneralError("an arrival has no outcome".into()))
    }

    fn withheld(&mut self, after: Option<ObjectId>) -> Result<Vec<(ObjectId, Withheld)>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let later = (after.map_or(Unbounded, Excluded), Unbounded);
        Ok(self.listed()?.withheld.range(later).take(PAGE).map(|(id, why)| (*id, *why)).collect())
    }
}

/// So many ids are listed at once.
const PAGE: usize = 1024;

/// No more items are handed out at once: they are to fit into a frame.
const MOST_ITEMS: usize = 100_000;

/// So many bytes of masked objects are handed out at once, or one object.
const AT_ONCE: usize = 1 << 20;

/// All ids that `page` lists, some at a time.
fn each(
    page: impl Fn(Option<ObjectId>) -> Result<Vec<ObjectId>>,
    look: &mut dyn FnMut(ObjectId) -> Result<()>,
) -> Result<()> {
    let mut after = None;
    loop {
        let ids = page(after)?;
        let Some(last) = ids.last() else { return Ok(()) };
        after = Some(*last);
        ids.into_iter().try_for_each(&mut *look)?;
    }
}

/// Why an object must not leave, if so.
fn withheld(opened: &Opened) -> Option<Withheld> {
    let object = opened.object();
    if !opened.is_verified() {
        Some(Withheld::Unverified)
    } else if object.is_of_later_version() {
        Some(Withheld::LaterVersion)
    } else if object.class.is_secret() && !object.is_maskable() {
        Some(Withheld::NotMaskable)
    } else {
        None
    }
}

fn outcome_of(arrival: &Arrival, outcome: token::Outcome) -> Outcome {
    match outcome {
        token::Outcome::New if matches!(arrival, Arrival::Tombstone { .. }) => Outcome::Buried,
        token::Outcome::New => Outcome::Created,
        token::Outcome::Same => Outcome::Equal,
        token::Outcome::Changed { decided: true, .. } => Outcome::Tied(true),
        token::Outcome::Changed { as_arrived, .. } => Outcome::Updated(!as_arrived),
        token::Outcome::Destroyed => Outcome::Destroyed,
        token::Outcome::Earlier => Outcome::Older,
        token::Outcome::StaysDestroyed => Outcome::StaysDestroyed,
        token::Outcome::Conflict(_) => Outcome::Conflict,
        token::Outcome::Refused(error) => Outcome::Refused(error.to_string().into()),
    }
}
