//! A search template: what a caller wants to find.

use super::Object;
use super::attribute::Kind;
use super::curve::unwrap_point;
use super::index::Column;
use super::template::Given;
use crate::crypto::equal;
use crate::secret::Secret;

/// What is searched for. Unlike other templates it is never wrong: an attribute or class that nobody knows matches
/// nothing.
pub struct Search {
    wanted: Vec<Wanted>,
}

struct Wanted {
    number: u64,
    value: Vec<u8>,
}

impl Search {
    /// Takes the caller's attributes over.
    pub fn new(given: &[Given<'_>]) -> Self {
        let wanted = given.iter().map(|one| Wanted { number: one.number, value: one.value.to_vec() });
        Self { wanted: wanted.collect() }
    }

    /// The wanted attributes that the store has an index for, the most telling one first.
    pub fn indexed(&self) -> Option<(Column, Vec<u8>)> {
        Column::ALL.into_iter().find_map(|column| {
            let wanted = self.wanted.iter().find(|wanted| wanted.number == column.number())?;
            // An empty value has no term.
            let value = column.canonical(&wanted.value).filter(|value| !value.is_empty())?;
            Some((column, value))
        })
    }

    /// Whether an object is what is searched for. `readable` is the value of a key, only where the standard lets it
    /// be read: a search that matched hidden values would be a guessing machine.
    pub fn matches(&self, object: &Object, readable: Option<&Secret>) -> bool {
        self.wanted.iter().all(|wanted| wanted.matches(object, readable))
    }
}

impl Wanted {
    fn matches(&self, object: &Object, readable: Option<&Secret>) -> bool {
        let Some(row) = object.row(self.number) else {
            return false;
        };
        if row.secret {
            return readable
                .and_then(|value| object.secret(value, self.number))
                .is_some_and(|own| equal(own.expose(), &self.value));
        }
        let canonical = row.canonical(&self.value);
        let own = object.value(self.number);
        // A point may be searched for as it is given in templates, bare or wrapped.
        let bare = || row.kind == Kind::Point && own.and_then(unwrap_point) == Some(&self.value);
        canonical.is_some() && (own == canonical.as_deref() || bare())
    }
}
