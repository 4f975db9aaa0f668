//! The days on which a key may be used, where the configuration holds keys to them. PKCS#11 3.2, section 4.8, leaves that to
//! programs.

use std::time::Duration;

use der::DateTime;

use crate::error::{Error, Result};

/// A day, as the number that the digits of its `CK_DATE` make. UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u32);

impl Day {
    /// The day of a `CK_DATE`; none if it has no bytes.
    pub fn read(date: &[u8]) -> Option<Self> {
        str::from_utf8(date).ok()?.parse().ok().map(Self)
    }

    /// The day so many seconds after 1970 began. After the year 9999 it stays at the last one that a `CK_DATE` can name.
    pub fn of(seconds: u64) -> Self {
        let date = DateTime::from_unix_duration(Duration::from_secs(seconds)).ok();
        let number = date.and_then(|date| {
            let months = u32::from(date.year()).checked_mul(100)?.checked_add(u32::from(date.month()))?;
            months.checked_mul(100)?.checked_add(u32::from(date.day()))
        });
        Self(number.unwrap_or(99_991_231))
    }
}

/// `CKA_START_DATE` and `CKA_END_DATE`, where the key has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dates {
    /// The first day.
    pub start: Option<Day>,
    /// The last day.
    pub end: Option<Day>,
}

impl Dates {
    /// Whether the key may be used today. Before its first day it does nothing. After its last one it makes nothing new, but what it
    /// made can still be opened and checked: NIST SP 800-57 part 1, section 7, the states before and after the active one.
    pub(super) fn allow(&self, today: Day, makes_something_new: bool) -> Result<()> {
        if self.start.is_some_and(|start| today < start) {
            return Err(Error::KeyOutOfDate("CKA_START_DATE"));
        }
        if makes_something_new && self.end.is_some_and(|end| end < today) {
            return Err(Error::KeyOutOfDate("CKA_END_DATE"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn seconds_become_days() {
        let days = [
            (0, b"19700101"),
            (86_399, b"19700101"),
            (86_400, b"19700102"),
            (951_782_400, b"20000229"),
            (u64::MAX, b"99991231"),
        ];
        for (seconds, day) in days {
            assert_eq!(Some(Day::of(seconds)), Day::read(day));
        }
        assert_eq!(Day::read(b""), None);
    }

    #[test]
    fn a_key_is_used_from_its_first_day_to_its_last() {
        let dates = Dates { start: Day::read(b"20260228"), end: Day::read(b"20260301") };
        let allow = |today: &[u8], new| dates.allow(Day::read(today).unwrap(), new);
        for new in [true, false] {
            assert_eq!(allow(b"20260227", new), Err(Error::KeyOutOfDate("CKA_START_DATE")));
            assert_eq!(allow(b"20260228", new), Ok(()));
            assert_eq!(allow(b"20260301", new), Ok(()));
        }
        assert_eq!(allow(b"20260302", true), Err(Error::KeyOutOfDate("CKA_END_DATE")));
        assert_eq!(allow(b"20260302", false), Ok(()), "what was made is still opened");
        for today in [b"00000000", b"99991231"] {
            assert_eq!(Dates::default().allow(Day::read(today).unwrap(), true), Ok(()));
        }
    }
}
