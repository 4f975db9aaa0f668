//! What a page of a B-tree says of its own cells: <https://www.sqlite.org/fileformat2.html>, section 1.6.

use super::images::Page;
use super::record::{Shape, Table, varint};

/// Whether the page says itself that a record of this shape begins at `place`, and not only the bytes there look like one.
pub(super) fn lists(page: &Page, place: usize, shape: &Shape) -> bool {
    let Some(kind) = Kind::of(page) else { return false };
    if kind.is_of_table() != (shape.table != Table::Deletions) {
        return false;
    }
    let count = two(page, 3).unwrap_or(0);
    let pointers = (0..count).filter_map(|cell| two(page, kind.header().saturating_add(cell.saturating_mul(2))));
    pointers.filter(|cell| *cell < place && place.saturating_sub(*cell) <= LONGEST_PREFIX).any(|cell| {
        let record = kind.record(page.get(cell..).unwrap_or_default());
        record.is_some_and(|(length, prefix)| cell.saturating_add(prefix) == place && length == shape.length as u64)
    })
}

/// The pages in which rows lie: keys of an index lie in its inner pages, too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    TableLeaf,
    IndexLeaf,
    IndexInner,
}

impl Kind {
    fn of(page: &Page) -> Option<Self> {
        match page.first()? {
            0x0d => Some(Self::TableLeaf),
            0x0a => Some(Self::IndexLeaf),
            0x02 => Some(Self::IndexInner),
            _ => None,
        }
    }

    fn is_of_table(self) -> bool {
        self == Self::TableLeaf
    }

    /// Where the pointers to cells begin.
    fn header(self) -> usize {
        if self == Self::IndexInner { 12 } else { 8 }
    }

    /// How long the record of a cell is, and what lies in front of it.
    fn record(self, cell: &[u8]) -> Option<(u64, usize)> {
        let from = if self == Self::IndexInner { cell.get(4..)? } else { cell };
        let (length, rest) = varint(from)?;
        let rest = if self == Self::TableLeaf { varint(rest)?.1 } else { rest };
        Some((length, cell.len().saturating_sub(rest.len())))
    }
}

/// Two varints.
const LONGEST_PREFIX: usize = 18;

fn two(page: &Page, place: usize) -> Option<usize> {
    page.get(place..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes).into())
}
