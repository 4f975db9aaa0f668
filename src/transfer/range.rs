//! Ranges of object ids, each a sixteenth of the one above it.

use crate::store::ObjectId;

/// All ids that begin with so many hexadecimal digits of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The lowest id in it.
    first: u128,
    digits: u8,
}

impl Range {
    /// All ids.
    pub const ALL: Self = Self { first: 0, digits: 0 };

    /// The range whose lowest id this is; none if it is not the lowest, or there are not so many digits.
    pub fn new(first: ObjectId, digits: u8) -> Option<Self> {
        let range = Self { first: u128::from_be_bytes(first.0), digits };
        (digits <= DIGITS && range.first & range.free() == 0).then_some(range)
    }

    /// The lowest id in it.
    pub fn first(&self) -> ObjectId {
        ObjectId(self.first.to_be_bytes())
    }

    /// The highest id in it.
    pub fn last(&self) -> ObjectId {
        ObjectId((self.first | self.free()).to_be_bytes())
    }

    /// How many digits its ids have in common at least.
    pub fn digits(&self) -> u8 {
        self.digits
    }

    /// Whether an id is in it.
    pub fn contains(&self, id: ObjectId) -> bool {
        (self.first()..=self.last()).contains(&id)
    }

    /// Its sixteen parts, ascending; none of a single id.
    pub fn parts(&self) -> impl Iterator<Item = Self> + use<> {
        let Self { first, digits } = *self;
        let below = digits.saturating_add(1);
        let parts = if digits < DIGITS { 16 } else { 0 };
        (0..parts).map(move |digit: u128| Self {
            first: first | digit.checked_shl(width(below)).unwrap_or_default(),
            digits: below,
        })
    }

    /// The bits in which its ids differ.
    fn free(&self) -> u128 {
        1_u128.checked_shl(width(self.digits)).map_or(u128::MAX, |bit| bit.wrapping_sub(1))
    }
}

/// The digits of an id.
const DIGITS: u8 = 32;

/// How many bits follow so many digits of an id.
fn width(digits: u8) -> u32 {
    u32::from(DIGITS.saturating_sub(digits)).saturating_mul(4)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn the_parts_of_a_range_are_all_of_it_and_do_not_overlap() {
        let mut range = Range::ALL;
        for depth in 0..DIGITS {
            assert_eq!(range.digits(), depth);
            let parts: Vec<_> = range.parts().collect();
            assert_eq!(parts.len(), 16);
            assert_eq!((parts[0].first(), parts[15].last()), (range.first(), range.last()));
            for pair in parts.windows(2) {
                let next = u128::from_be_bytes(pair[0].last().0) + 1;
                assert_eq!(next, u128::from_be_bytes(pair[1].first().0));
                assert!(!pair[0].contains(pair[1].first()) && pair[1].contains(pair[1].first()));
            }
            range = parts[usize::from(depth) * 7 % 16];
            assert_eq!(Range::new(range.first(), range.digits()), Some(range));
        }
        assert_eq!(range.first(), range.last());
        assert_eq!(range.parts().count(), 0);
    }

    #[test]
    fn only_the_lowest_id_of_a_range_names_it() {
        let mut id = [0; 16];
        id[0] = 0xa5;
        assert!(Range::new(ObjectId(id), 2).is_some());
        assert!(Range::new(ObjectId(id), 1).is_none());
        assert!(Range::new(ObjectId(id), 33).is_none());
        assert!(Range::new(ObjectId([0; 16]), 0) == Some(Range::ALL));
    }
}
