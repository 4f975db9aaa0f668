//! What a row of one of our tables looks like among a page's bytes: <https://www.sqlite.org/fileformat2.html>, section 2.1.
//!
//! A record begins with a header that tells the type of each column, and ours fit to next to nothing else. So a row is found by its
//! header alone, whatever is left of the page around it.

use crate::store::sqlite::token::number;
use crate::store::{Item, ObjectId, Row, Terms, TokenRow};

/// A table whose rows are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Token,
    Objects,
    Deletions,
}

/// What a column may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    /// Nothing: an `INTEGER PRIMARY KEY` lies elsewhere.
    Nothing,
    Number,
    /// Sixteen bytes.
    Id,
    /// Sixteen bytes, or NULL.
    Term,
    Bytes,
}

impl Table {
    const ALL: [Self; 3] = [Self::Objects, Self::Deletions, Self::Token];

    /// The columns in the order in which they are stored.
    fn columns(self) -> &'static [Column] {
        use Column::{Bytes, Id, Nothing, Number, Term};
        match self {
            Self::Token => &[Nothing, Number, Number, Id, Bytes, Bytes],
            Self::Objects => &[Id, Number, Number, Term, Term, Term, Term, Term, Term, Term, Bytes],
            // Without a tombstone there is nothing worth having in it.
            Self::Deletions => &[Id, Number, Number, Bytes],
        }
    }

    /// How much of a record of `length` bytes lies on a page of `page` bytes; the rest lies on overflow pages. Section 1.6.
    pub(super) fn local(self, length: usize, page: usize) -> usize {
        let share = |of: usize| page.saturating_sub(12).saturating_mul(of).saturating_div(255).saturating_sub(23);
        let most = match self {
            Self::Token | Self::Objects => page.saturating_sub(35),
            Self::Deletions => share(64),
        };
        if length <= most {
            return length;
        }
        let least = share(32);
        let overflow = page.saturating_sub(4).max(1);
        let local = least.saturating_add(length.saturating_sub(least).checked_rem(overflow).unwrap_or(0));
        if local <= most { local } else { least }
    }
}

/// The header of a record.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) table: Table,
    /// Of header and columns, in bytes.
    pub(super) length: usize,
    header: usize,
    /// The serial type of each column.
    types: Vec<u64>,
}

impl Shape {
    /// The header that begins with these bytes, if it is one of ours.
    pub(super) fn at(bytes: &[u8]) -> Option<Self> {
        // Most places are none: seen at two bytes, and nothing allocated.
        let [header, first, ..] = bytes else { return None };
        if !matches!(*first, NULL_BYTE | SIXTEEN_BYTE) || !(SHORTEST..=LONGEST).contains(header) {
            return None;
        }
        let header = usize::from(*header);
        let types = bytes.get(1..header)?;
        Table::ALL.into_iter().find_map(|table| Self::of(table, header, types))
    }

    fn of(table: Table, header: usize, mut rest: &[u8]) -> Option<Self> {
        let mut types = Vec::new();
        let mut length = header;
        for column in table.columns() {
            let (serial, after) = varint(rest)?;
            let size = size(serial)?;
            let fits = match column {
                Column::Nothing => serial == NULL,
                Column::Number => (1..=6).contains(&serial) || serial == ZERO || serial == ONE,
                Column::Id => serial == SIXTEEN,
                Column::Term => serial == NULL || serial == SIXTEEN,
                Column::Bytes => serial >= FIRST_BLOB,
            };
            if !fits {
                return None;
            }
            length = length.checked_add(size)?;
            types.push(serial);
            rest = after;
        }
        rest.is_empty().then_some(Self { table, length, header, types })
    }

    /// What the record says, given whole.
    pub(super) fn item(&self, record: &[u8]) -> Option<Item> {
        let mut cells = Cells { types: self.types.iter(), rest: record.get(self.header..)? };
        match self.table {
            Table::Token => {
                cells.bytes()?;
                let (version, revision) = (cells.number()?, cells.number()?);
                cells.bytes()?;
                let row = TokenRow { version, bytes: cells.bytes()?.into(), digest: cells.bytes()?.into() };
                Some(Item::Token { row, revision })
            }
            Table::Objects => {
                let (id, version, revision) = (ObjectId(cells.sixteen()?), cells.number()?, cells.number()?);
                let mut terms = Terms::default();
                for term in &mut terms {
                    let bytes = cells.bytes()?;
                    *term = if bytes.is_empty() { None } else { Some(bytes.try_into().ok()?) };
                }
                let row = Row { id, version, terms, record: cells.bytes()?.into() };
                Some(Item::Object { row, revision })
            }
            Table::Deletions => {
                let (id, revision, version) = (ObjectId(cells.sixteen()?), cells.number()?, cells.number()?);
                let row = Row { id, version, terms: Terms::default(), record: cells.bytes()?.into() };
                Some(Item::Tombstone { row, revision })
            }
        }
    }
}

/// The columns of a record, one after the other.
struct Cells<'a> {
    types: std::slice::Iter<'a, u64>,
    rest: &'a [u8],
}

impl<'a> Cells<'a> {
    fn next(&mut self) -> Option<(u64, &'a [u8])> {
        let serial = *self.types.next()?;
        let (cell, rest) = self.rest.split_at_checked(size(serial)?)?;
        self.rest = rest;
        Some((serial, cell))
    }

    /// NULL has no bytes.
    fn bytes(&mut self) -> Option<&'a [u8]> {
        self.next().map(|(_, cell)| cell)
    }

    fn sixteen(&mut self) -> Option<[u8; 16]> {
        self.bytes()?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        let (serial, cell) = self.next()?;
        if serial == ONE {
            return Some(1);
        }
        let negative = cell.first().is_some_and(|first| *first >= 0x80);
        let mut whole = [if negative { 0xff } else { 0 }; 8];
        for (to, from) in whole.iter_mut().rev().zip(cell.iter().rev()) {
            *to = *from;
        }
        Some(number(i64::from_be_bytes(whole)))
    }
}

/// A varint of at most nine bytes, and what follows it. Section 1.6.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (place, byte) in bytes.iter().enumerate().take(9) {
        let rest = bytes.get(place.saturating_add(1)..)?;
        if place == 8 {
            return Some((value << 8 | u64::from(*byte), rest));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if *byte < 0x80 {
            return Some((value, rest));
        }
    }
    None
}

/// How many bytes a column of this serial type takes. Section 2.1.
fn size(serial: u64) -> Option<usize> {
    match serial {
        NULL | ZERO | ONE => Some(0),
        1..=4 => usize::try_from(serial).ok(),
        5 => Some(6),
        6 => Some(8),
        blob if blob >= FIRST_BLOB && blob.is_multiple_of(2) => {
            usize::try_from((blob.saturating_sub(FIRST_BLOB)) >> 1).ok()
        }
        _ => None,
    }
}

const NULL: u64 = 0;
/// The number 0, which takes no room.
const ZERO: u64 = 8;
/// The number 1.
const ONE: u64 = 9;
const FIRST_BLOB: u64 = 12;
/// A blob of sixteen bytes.
const SIXTEEN: u64 = FIRST_BLOB + 2 * 16;

const NULL_BYTE: u8 = NULL as u8;
const SIXTEEN_BYTE: u8 = SIXTEEN as u8;

/// Four columns, a byte each, and the header's own length.
const SHORTEST: u8 = 5;
/// Six columns, of which two take up to nine bytes, and the length.
const LONGEST: u8 = 23;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn varints_are_those_of_the_page() {
        assert_eq!(varint(&[0x7f, 9]), Some((0x7f, &[9][..])));
        assert_eq!(varint(&[0x81, 0x00]), Some((0x80, &[][..])));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, &[][..])));
        assert_eq!((varint(&[]), varint(&[0x80; 8])), (None, None));
    }

    #[test]
    fn numbers_are_signed_and_of_any_length() {
        for (serial, cell, number) in [
            (ZERO, &[][..], 0),
            (ONE, &[], 1),
            (1, &[0x7f], 127),
            (1, &[0xff], u64::MAX),
            (2, &[0x01, 0x00], 256),
            (5, &[0, 0, 0, 1, 0, 0], 65_536),
            (6, &[0x80, 0, 0, 0, 0, 0, 0, 0], 1 << 63),
        ] {
            let types = [serial];
            assert_eq!(Cells { types: types.iter(), rest: cell }.number(), Some(number), "{serial} {cell:?}");
        }
    }

    #[test]
    fn what_lies_on_the_page_is_what_sqlite_leaves_there() {
        // U = 4096: X = 4061 and 1002, M = 489.
        for (table, length, local) in [
            (Table::Objects, 4061, 4061),
            (Table::Objects, 4062, 489),
            (Table::Objects, 489 + 4092 + 3000, 3489),
            (Table::Deletions, 1002, 1002),
            (Table::Deletions, 1003, 489),
            (Table::Deletions, 489 + 4092 + 500, 989),
        ] {
            assert_eq!(table.local(length, 4096), local, "{table:?} {length}");
        }
    }
}
