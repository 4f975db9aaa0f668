//! What the store can look objects up by.

use cryptoki_sys::*;

use super::{Object, attribute};
use crate::seal::{self, Seal};
use crate::store::{Term, Terms};

/// An index column of the store. The numbers are part of the store's format. `CKA_UNIQUE_ID` needs none: it is the id of the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// `CKA_ID`
    Id = 1,
    /// `CKA_SERIAL_NUMBER`
    SerialNumber = 6,
    /// `CKA_SUBJECT`
    Subject = 4,
    /// `CKA_LABEL`
    Label = 0,
    /// `CKA_ISSUER`
    Issuer = 5,
    /// `CKA_KEY_TYPE`
    KeyType = 3,
    /// `CKA_CLASS`
    Class = 2,
}

impl Column {
    /// All columns, the most telling first.
    pub const ALL: [Self; 7] =
        [Self::Id, Self::SerialNumber, Self::Subject, Self::Label, Self::Issuer, Self::KeyType, Self::Class];

    /// The attribute that the column is about.
    pub fn number(self) -> u64 {
        match self {
            Self::Id => CKA_ID,
            Self::SerialNumber => CKA_SERIAL_NUMBER,
            Self::Subject => CKA_SUBJECT,
            Self::Label => CKA_LABEL,
            Self::Issuer => CKA_ISSUER,
            Self::KeyType => CKA_KEY_TYPE,
            Self::Class => CKA_CLASS,
        }
    }

    /// The canonical form of a value that a caller searches for.
    pub(super) fn canonical(self, given: &[u8]) -> Option<Vec<u8>> {
        attribute::of_any_class(self.number())?.canonical(given)
    }

    /// What the store holds for a value: of a private object without telling anything, of a public one for everybody.
    pub fn term(self, value: &[u8], blind: Option<&Seal>) -> Term {
        match blind {
            Some(seal) => seal.blind(self as u8, value),
            None => seal::plain_term(self as u8, value),
        }
    }
}

/// The index terms of an object: blind ones for a private object, for which there must be a seal.
pub fn terms(object: &Object, seal: Option<&Seal>) -> Terms {
    let blind = seal.filter(|_| object.is_private());
    let mut terms = Terms::default();
    for column in Column::ALL {
        let value = object.value(column.number()).filter(|value| !value.is_empty());
        if let (Some(value), Some(term)) = (value, terms.get_mut(column as usize)) {
            *term = Some(column.term(value, blind));
        }
    }
    terms
}
