//! The one rule by which what arrives from another token meets what is here. Whichever of two tokens sends first, both come to the
//! same.

use std::cmp::Ordering;

use cryptoki_sys::{CKA_ALWAYS_SENSITIVE, CKA_DESTROYABLE, CKA_NEVER_EXTRACTABLE};

use super::attribute::{Attribute, CKA_KEYSTEAD_MASKABLE, Change, rows};
use super::{Arrival, Object, next_version};
use crate::crypto::hash::sha256;
use crate::error::{Error, Result};
use crate::key::{KeyMaterial, KeyType};

/// What a token has of the object that arrives.
pub enum Here<'a> {
    /// It never had it.
    Nothing,
    /// The object, with its value if it is a key that has one.
    Object(&'a Object, Option<&'a KeyMaterial>),
    /// It was destroyed here.
    Tombstone,
}

/// What is to become of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Merge {
    /// All is here already, just so.
    Same,
    /// What is here is later, and stays.
    Earlier,
    /// It was destroyed here, and stays destroyed.
    Destroyed,
    /// They are two objects: this attribute, which never changes, differs, or the value of the key. What is here stays.
    Conflict(&'static str),
    /// What arrives comes in: an object, or the tombstone of one that was never here.
    ComeIn,
    /// What is here is destroyed.
    Destroy,
    /// This takes the place of what is here.
    Replace {
        /// The object as it is in the end, with the value that it has here.
        object: Box<Object>,
        /// Both were of one version and said different things, so a hash decided.
        decided: bool,
    },
}

impl Arrival {
    /// What becomes of this where that is. Destruction wins; then the higher version; then, of the same version, the higher SHA-256 of the
    /// record. An attribute that goes one way only goes it if either side has gone it, so that nothing earlier or later frees a
    /// key.
    ///
    /// # Errors
    /// [`Error::LaterVersion`] if a later version of the library made what is here; [`Error::ActionProhibited`] if no token of a domain can have
    /// destroyed it.
    pub fn onto(&self, here: &Here<'_>) -> Result<Merge> {
        let (here, held, arrived, material) = match (here, self) {
            (Here::Nothing, _) => return Ok(Merge::ComeIn),
            (Here::Tombstone, Self::Tombstone { .. }) => return Ok(Merge::Same),
            (Here::Tombstone, Self::Object(..)) => return Ok(Merge::Destroyed),
            (Here::Object(here, _), Self::Tombstone { .. }) => return here.may_end().map(|()| Merge::Destroy),
            (Here::Object(here, held), Self::Object(arrived, material)) => (*here, *held, arrived, material.as_ref()),
        };
        if here.is_of_later_version() {
            return Err(Error::LaterVersion);
        }
        if let Some(name) = here.differs_for_good(arrived) {
            return Ok(Merge::Conflict(name));
        }
        let is_same_key = match (held, material) {
            (Some(held), Some(material)) => held.is_same(material),
            (held, material) => held.is_none() && material.is_none(),
        };
        if !is_same_key {
            return Ok(Merge::Conflict("CKA_VALUE"));
        }
        here.merged(arrived)
    }
}

impl Object {
    /// An attribute that never changes and is not the same in both, so that they are not one object. The history is not among them:
    /// of that the stricter holds.
    fn differs_for_good(&self, other: &Self) -> Option<&'static str> {
        if (self.class, self.of()) != (other.class, other.of()) {
            return Some(
                self.class.typed_by().filter(|_| self.class == other.class).map_or("CKA_CLASS", |(_, name)| name),
            );
        }
        let never = |row: &&Attribute| matches!(row.change, Change::Never | Change::InCopy | Change::UpInCopy);
        let differs = |row: &&Attribute| self.value(row.number) != other.value(row.number);
        rows(self.class, self.of()).filter(never).filter(|row| !is_history(row)).find(differs).map(|row| row.name)
    }

    /// Whether it can have been destroyed elsewhere: `CKA_DESTROYABLE` never changes, and what a domain rests on never travels.
    fn may_end(&self) -> Result<()> {
        if self.key_type().is_some_and(KeyType::is_inside) {
            return Err(Error::ActionProhibited("it is what a domain itself rests on"));
        }
        if self.flag(CKA_DESTROYABLE) { Ok(()) } else { Err(Error::ActionProhibited("CKA_DESTROYABLE is false")) }
    }

    /// Both in one, if they are one object.
    fn merged(&self, arrived: &Self) -> Result<Merge> {
        let (own, other) = (self.to_record(), arrived.to_record());
        let order = arrived.version.cmp(&self.version);
        if order == Ordering::Equal && own == other {
            return Ok(Merge::Same);
        }
        let decided = order == Ordering::Equal;
        let arrived_wins = order.then_with(|| sha256(&[&other]).cmp(&sha256(&[&own]))).is_gt();
        let (winner, loser) = if arrived_wins { (arrived, self) } else { (self, arrived) };
        let mut object = winner.as_strict_as(loser);
        if !decided && object == *winner {
            return Ok(if arrived_wins { Merge::Replace { object: object.into(), decided } } else { Merge::Earlier });
        }
        object.version = next_version(winner.version)?;
        Ok(Merge::Replace { object: object.into(), decided })
    }

    /// This object, with what can go one way only as far gone as in either.
    fn as_strict_as(&self, other: &Self) -> Self {
        let mut strict = self.clone();
        for row in rows(self.class, self.of()) {
            let (own, others) = (self.says(row.number), other.says(row.number));
            let both = match row.change {
                Change::Up => own || others,
                // Trust is an SO's word: nobody brings back what another SO has taken away.
                Change::Down | Change::BySo => own && others,
                _ if is_history(row) => own && others,
                _ => continue,
            };
            if own != both {
                strict.attributes.insert(row.number, vec![u8::from(both)]);
            }
        }
        strict
    }

    /// A boolean attribute as it counts, also of an object of the time before the attribute.
    fn says(&self, number: u64) -> bool {
        if number == CKA_KEYSTEAD_MASKABLE { self.is_maskable() } else { self.flag(number) }
    }
}

/// Whether an attribute says what has always been so.
fn is_history(row: &Attribute) -> bool {
    matches!(row.number, CKA_ALWAYS_SENSITIVE | CKA_NEVER_EXTRACTABLE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use cryptoki_sys::*;

    use super::*;
    use crate::key::{Class, Login};
    use crate::object::{Basis, Draft, Given, Template, Way};
    use crate::secret::Secret;
    use crate::store::ObjectId;

    /// What goes one way only, and the value that binds more.
    const ONE_WAY: [(u64, u8); 8] = [
        (CKA_SENSITIVE, 1),
        (CKA_WRAP_WITH_TRUSTED, 1),
        (CKA_EXTRACTABLE, 0),
        (CKA_KEYSTEAD_MASKABLE, 0),
        (CKA_COPYABLE, 0),
        (CKA_TRUSTED, 0),
        (CKA_ALWAYS_SENSITIVE, 0),
        (CKA_NEVER_EXTRACTABLE, 0),
    ];

    fn key() -> Object {
        let way = Way::Generate(Class::SecretKey, KeyType::Aes, CKM_AES_KEY_GEN);
        let template = Template::parse(&[Given::new(CKA_TOKEN, &[1])], way).unwrap();
        Draft::new(template, Basis::of(Login::User)).finish_secret(Secret::zeroed(16)).unwrap().0
    }

    fn with(object: &Object, number: u64, value: &[u8]) -> Object {
        let mut with = object.clone();
        with.attributes.insert(number, value.to_vec());
        with
    }

    fn material() -> KeyMaterial {
        KeyMaterial::new([0; 16], Secret::zeroed(16))
    }

    fn onto(arrived: &Object, here: &Object) -> Merge {
        let arrival = Arrival::Object(arrived.clone(), Some(material()));
        arrival.onto(&Here::Object(here, Some(&material()))).unwrap()
    }

    /// What is in the end where one arrives at the other.
    fn after(arrived: &Object, here: &Object) -> Object {
        match onto(arrived, here) {
            Merge::Same | Merge::Earlier => here.clone(),
            Merge::Replace { object, .. } => *object,
            other => panic!("{other:?}"),
        }
    }

    fn tombstone() -> Arrival {
        Arrival::Tombstone { id: ObjectId([0; 16]), version: 1 }
    }

    #[test]
    fn what_was_never_here_comes_in() {
        assert_eq!(Arrival::Object(key(), Some(material())).onto(&Here::Nothing), Ok(Merge::ComeIn));
        assert_eq!(tombstone().onto(&Here::Nothing), Ok(Merge::ComeIn));
    }

    #[test]
    fn destruction_wins_whatever_the_version() {
        for version in [1, 2, u64::MAX] {
            let key = Object { version, ..key() };
            assert_eq!(tombstone().onto(&Here::Object(&key, Some(&material()))), Ok(Merge::Destroy));
            assert_eq!(Arrival::Object(key, Some(material())).onto(&Here::Tombstone), Ok(Merge::Destroyed));
        }
        assert_eq!(tombstone().onto(&Here::Tombstone), Ok(Merge::Same));
    }

    #[test]
    fn what_cannot_have_been_destroyed_stays() {
        let lasting = with(&key(), CKA_DESTROYABLE, &[0]);
        let domain = with(&key(), CKA_KEY_TYPE, &KeyType::Domain.number().to_le_bytes());
        for object in [lasting, domain] {
            let verdict = tombstone().onto(&Here::Object(&object, Some(&material())));
            assert!(matches!(verdict, Err(Error::ActionProhibited(_))));
        }
    }

    /// All states of each two attributes that go one way, in all orders of versions, with the same label or another.
    #[test]
    fn both_tokens_come_to_the_same_and_no_key_is_freed() {
        let base = key();
        let pairs = ONE_WAY.iter().flat_map(|first| ONE_WAY.iter().map(move |second| [first.0, second.0]));
        for (attributes, states) in pairs.flat_map(|pair| (0..16).map(move |states| (pair, states))) {
            let state = |first_bit: u8, label: &[u8], version| {
                let mut object = Object { version, ..with(&base, CKA_LABEL, label) };
                for (number, bit) in attributes.into_iter().zip(first_bit..) {
                    object.attributes.insert(number, vec![states >> bit & 1]);
                }
                object
            };
            for (label, version) in [(b"one", 5), (b"one", 6), (b"two", 5), (b"two", 6)] {
                let (one, other) = (state(0, b"one", 5), state(2, label, version));
                let merged = after(&one, &other);
                assert_eq!(merged, after(&other, &one));
                assert_eq!(onto(&merged, &merged), Merge::Same);
                for (number, strict) in ONE_WAY {
                    let either = [&one, &other].iter().any(|object| object.value(number) == Some(&[strict]));
                    assert_eq!(merged.value(number) == Some(&[strict]), either);
                }
                // No version says two things, so the next sync sees what was decided.
                assert!([&one, &other].iter().all(|before| before.version < merged.version || **before == merged));
                assert!(version == 5 || merged.value(CKA_LABEL) == Some(label));
            }
        }
    }

    #[test]
    fn the_higher_version_wins_and_a_hash_decides_between_equal_ones() {
        let one = key();
        let other = with(&one, CKA_LABEL, b"other");
        let later = Object { version: 2, ..other.clone() };
        assert_eq!(onto(&one, &one), Merge::Same);
        assert_eq!(onto(&one, &later), Merge::Earlier);
        assert_eq!(onto(&later, &one), Merge::Replace { object: later.clone().into(), decided: false });
        let winner = if sha256(&[&one.to_record()]) > sha256(&[&other.to_record()]) { &one } else { &other };
        let object: Box<_> = Object { version: 2, ..winner.clone() }.into();
        for (arrived, here) in [(&one, &other), (&other, &one)] {
            assert_eq!(onto(arrived, here), Merge::Replace { object: object.clone(), decided: true });
        }
    }

    #[test]
    fn what_never_changes_tells_objects_apart() {
        let here = key();
        let apart = [
            (CKA_KEY_TYPE, CKK_GENERIC_SECRET.to_le_bytes().to_vec(), "CKA_KEY_TYPE"),
            (CKA_LOCAL, vec![0], "CKA_LOCAL"),
            (CKA_PRIVATE, vec![0], "CKA_PRIVATE"),
            (CKA_MODIFIABLE, vec![0], "CKA_MODIFIABLE"),
            (CKA_ALLOWED_MECHANISMS, vec![0; 8], "CKA_ALLOWED_MECHANISMS"),
        ];
        for (number, value, name) in apart {
            let other = Object { version: 9, ..with(&here, number, &value) };
            assert_eq!(onto(&other, &here), Merge::Conflict(name));
        }
        let other = KeyMaterial::new([0; 16], Secret::from_slice(&[1; 16]));
        for (arrived, held) in [(Some(other), Some(&material())), (None, Some(&material())), (Some(material()), None)] {
            let arrival = Arrival::Object(Object { version: 9, ..here.clone() }, arrived);
            assert_eq!(arrival.onto(&Here::Object(&here, held)), Ok(Merge::Conflict("CKA_VALUE")));
        }
        let class = Object { class: Class::OtpKey, ..here.clone() };
        assert_eq!(onto(&class, &here), Merge::Conflict("CKA_CLASS"));
    }

    #[test]
    fn a_key_of_the_time_before_maskable_stays_as_it_was() {
        let mut here = with(&key(), CKA_EXTRACTABLE, &[1]);
        here.attributes.remove(&CKA_KEYSTEAD_MASKABLE);
        let said = |here: &Object, maskable| Object { version: 2, ..with(here, CKA_KEYSTEAD_MASKABLE, &[maskable]) };
        assert!(after(&said(&here, 1), &here).is_maskable());
        assert!(!after(&said(&here, 0), &here).is_maskable());
        here.attributes.insert(CKA_EXTRACTABLE, vec![0]);
        assert!(!after(&said(&here, 1), &here).is_maskable());
    }

    #[test]
    fn nothing_is_merged_with_what_only_a_later_version_understands() {
        let mut here = key();
        here.unknown.insert(1000, vec![0]);
        let arrival = Arrival::Object(key(), Some(material()));
        assert_eq!(arrival.onto(&Here::Object(&here, Some(&material()))), Err(Error::LaterVersion));
    }

    #[test]
    fn the_last_version_is_not_followed_by_another() {
        let one = Object { version: u64::MAX, ..key() };
        let arrival = Arrival::Object(with(&one, CKA_LABEL, b"other"), Some(material()));
        assert!(matches!(arrival.onto(&Here::Object(&one, Some(&material()))), Err(Error::GeneralError(_))));
    }
}
