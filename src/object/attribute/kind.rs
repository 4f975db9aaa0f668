//! What the values of attributes look like: in a template, and in here.

use super::{Attribute, NAME};
use crate::object::{curve, nested};

/// What the values of an attribute look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `CK_BBOOL`: one byte, 0 or 1.
    Bool,
    /// `CK_DATE`: eight ASCII digits that name a day from 1900 on, or nothing. PKCS#11 3.2, section 3.4.
    Date,
    /// `CK_ULONG`
    Number,
    /// `CK_ULONG`, at most this: a list of constants that begins with 0.
    Choice(u64),
    /// An array of `CK_MECHANISM_TYPE`.
    Numbers,
    /// So many ASCII digits, or nothing.
    Digits(usize),
    /// Bytes, at most so many.
    Bytes(usize),
    /// So many bytes, or nothing.
    Exactly(usize),
    /// A big integer: big-endian, with or without zeros in front, at most so many bytes.
    Integer(usize),
    /// A template: see [`nested`](super::nested).
    Template,
    /// The parameters of a curve, DER. PKCS#11 3.2, section 6.3.
    Curve,
    /// A point of a curve in a DER `OCTET STRING`; the bare point is taken too. PKCS#11 3.2, section 6.3.
    Point,
}

impl Attribute {
    /// The canonical form of a value that a caller gave, or `None` if it has not the form of the attribute's kind.
    pub fn canonical(&self, given: &[u8]) -> Option<Vec<u8>> {
        let given = if self.kind == Kind::Curve { curve::canonical(given) } else { given };
        let canonical = self.turn_numbers(given);
        let is_day = self.kind != Kind::Date || is_day(given);
        (canonical.len() == given.len() && is_day && self.is_well_formed(&canonical)).then_some(canonical)
    }

    /// Whether a canonical value has the form of the attribute's kind.
    pub fn is_well_formed(&self, value: &[u8]) -> bool {
        match self.kind {
            Kind::Bool => matches!(value, [0 | 1]),
            Kind::Date => are_digits(value, 8),
            Kind::Digits(count) => are_digits(value, count),
            Kind::Number => value.len() == 8,
            Kind::Choice(most) => value.try_into().is_ok_and(|value| u64::from_le_bytes(value) <= most),
            Kind::Numbers => value.len().is_multiple_of(8) && value.len() <= NAME,
            Kind::Bytes(longest) | Kind::Integer(longest) => value.len() <= longest,
            Kind::Exactly(length) => value.is_empty() || value.len() == length,
            Kind::Template => nested::read(value).is_some(),
            Kind::Curve => value.len() <= NAME,
            Kind::Point => (1..=NAME).contains(&value.len()),
        }
    }

    /// The form for a caller of a canonical value.
    pub fn native(&self, canonical: &[u8]) -> Vec<u8> {
        self.turn_numbers(canonical)
    }

    /// Between the machine's byte order and little-endian: the same on every machine we know, and its own inverse.
    fn turn_numbers(&self, value: &[u8]) -> Vec<u8> {
        match self.kind {
            Kind::Number | Kind::Choice(_) | Kind::Numbers => {
                let (words, _) = value.as_chunks::<8>();
                words.iter().flat_map(|word| u64::from_ne_bytes(*word).to_le_bytes()).collect()
            }
            _ => value.to_vec(),
        }
    }
}

/// Whether a date is none, or a day of the calendar.
fn is_day(date: &[u8]) -> bool {
    if date.is_empty() {
        return true;
    }
    let number = |digits: Option<&[u8]>| str::from_utf8(digits?).ok()?.parse::<u16>().ok();
    let (Some(year), Some(month), Some(day)) = (number(date.get(..4)), number(date.get(4..6)), number(date.get(6..)))
    else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    year >= 1900 && (1..=12).contains(&month) && (1..=days).contains(&day)
}

fn are_digits(value: &[u8], count: usize) -> bool {
    value.is_empty() || (value.len() == count && value.iter().all(u8::is_ascii_digit))
}
