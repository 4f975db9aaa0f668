//! Whether bytes are one item of CBOR in its one deterministic form. RFC 8949, section 4.2.1.
//!
//! The decoder of the records takes any form, and skips what it does not know: this looks at all of it first.

/// Whether the bytes are exactly one item: shortest lengths and integers, no indefinite length, keys of maps ascending, at most
/// [`DEPTH`] items inside each other, and no floating-point number, for which the rules are others.
pub fn is_deterministic(bytes: &[u8]) -> bool {
    rest_after(bytes, DEPTH).is_some_and(<[u8]>::is_empty)
}

/// The deepest nesting that a record may have.
const DEPTH: usize = 16;

/// What follows the first item.
fn rest_after(bytes: &[u8], depth: usize) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    let (head, rest) = bytes.split_first()?;
    let (argument, rest) = argument(head & 0x1f, rest)?;
    match head >> 5 {
        0 | 1 => Some(rest),
        2 => rest.get(usize::try_from(argument).ok()?..),
        3 => {
            let (text, rest) = rest.split_at_checked(usize::try_from(argument).ok()?)?;
            str::from_utf8(text).is_ok().then_some(rest)
        }
        // Each item has a byte at least, so a length that lies comes to the end of the bytes and no further.
        4 => (0..argument).try_fold(rest, |rest, _| rest_after(rest, depth)),
        5 => map(argument, rest, depth),
        6 => rest_after(rest, depth),
        _ => (head & 0x1f < 24).then_some(rest),
    }
}

fn map(pairs: u64, mut rest: &[u8], depth: usize) -> Option<&[u8]> {
    let mut last: Option<&[u8]> = None;
    for _ in 0..pairs {
        let after = rest_after(rest, depth)?;
        let key = rest.get(..rest.len().checked_sub(after.len())?)?;
        if last.is_some_and(|last| last >= key) {
            return None;
        }
        (last, rest) = (Some(key), rest_after(after, depth)?);
    }
    Some(rest)
}

/// The number in the head of an item, in as few bytes as it takes.
fn argument(info: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    let (length, least) = match info {
        0..=23 => return Some((info.into(), rest)),
        24 => (1, 24),
        25 => (2, 0x100),
        26 => (4, 0x1_0000),
        27 => (8, 0x1_0000_0000),
        // Of indefinite length, or of no meaning yet.
        _ => return None,
    };
    let (bytes, rest) = rest.split_at_checked(length)?;
    let number = bytes.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    (number >= least).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_and_no_other() {
        let good: [&[u8]; 12] = [
            b"\x00",
            b"\x18\x18",
            b"\x19\x01\x00",
            b"\x1a\x00\x01\x00\x00",
            b"\x1b\x00\x00\x00\x01\x00\x00\x00\x00",
            b"\x20",
            b"\x42ab",
            b"\x62\xc3\xa4",
            b"\x82\x01\xf6",
            b"\xa2\x00\x01\x18\x20\x02",
            b"\xc1\x00",
            b"\xf5",
        ];
        let bad: [&[u8]; 18] = [
            b"",
            b"\x18\x17",
            b"\x19\x00\xff",
            b"\x1a\x00\x00\xff\xff",
            b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff",
            b"\x00\x00",
            b"\x43ab",
            b"\x5f\x41a\xff",
            b"\x62\xc3\x28",
            b"\x9f\xff",
            b"\x82\x01",
            b"\xa2\x18\x20\x02\x00\x01",
            b"\xa2\x00\x01\x00\x01",
            b"\xbf\xff",
            b"\xfb\x00\x00\x00\x00\x00\x00\x00\x00",
            b"\x1c",
            b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x00",
            b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff\x00",
        ];
        assert_eq!(good.map(is_deterministic), [true; 12]);
        assert_eq!(bad.map(is_deterministic), [false; 18]);
        assert!(is_deterministic(&[&[0x81; DEPTH - 1][..], &[0]].concat()));
        assert!(!is_deterministic(&[&[0x81; DEPTH][..], &[0]].concat()), "too deep");
        assert!(!is_deterministic(&[0x81; 1_000_000]));
    }
}
