//! A search template: what a caller wants to find.

use cryptoki_sys::CKA_UNIQUE_ID;

use super::Object;
use super::attribute::{self, Kind};
use super::curve::unwrap_point;
use super::index::Column;
use super::template::Given;
use crate::crypto::equal;
use crate::seal::Seal;
use crate::secret::Secret;
use crate::store::{ObjectId, Terms};

/// What is searched for. Unlike other templates it is never wrong: an attribute or class that nobody knows matches
/// nothing.
pub struct Search {
    wanted: Vec<Wanted>,
}

/// Which token objects may match a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrowed {
    /// That of this id, if it is there.
    One(ObjectId),
    /// Those with a term in this column.
    Column(Column),
    /// Any.
    All,
    /// None: the unique id that is wanted is nobody's.
    None,
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

    /// Where the store has what may match, with the fewest objects to look at.
    pub fn narrowed(&self) -> Narrowed {
        if let Some(unique) = self.wanted.iter().find(|wanted| wanted.number == CKA_UNIQUE_ID) {
            return ObjectId::parse(&unique.value).map_or(Narrowed::None, Narrowed::One);
        }
        let column = Column::ALL.into_iter().find(|column| self.indexed(*column).is_some());
        column.map_or(Narrowed::All, Narrowed::Column)
    }

    /// The terms that the store has for an object with what is wanted: of a private object with `blind`, of a public one
    /// without. Columns about which the search says nothing are left open.
    pub fn terms(&self, blind: Option<&Seal>) -> Terms {
        let mut terms = Terms::default();
        for column in Column::ALL {
            if let (Some(value), Some(term)) = (self.indexed(column), terms.get_mut(column as usize)) {
                *term = Some(column.term(&value, blind));
            }
        }
        terms
    }

    /// Whether it asks for the value of a key, which has to be unsealed to be compared.
    pub fn is_about_values(&self) -> bool {
        self.wanted.iter().any(|wanted| attribute::is_secret(wanted.number))
    }

    /// What is wanted in an index column, in canonical form. An empty value has no term.
    fn indexed(&self, column: Column) -> Option<Vec<u8>> {
        let wanted = self.wanted.iter().find(|wanted| wanted.number == column.number())?;
        column.canonical(&wanted.value).filter(|value| !value.is_empty())
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
