//! What people read to each other, to know that they have the same before them.

use std::fmt;

use crate::crypto::equal;

/// A fingerprint, written in groups of four hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint(Box<[u8]>);

impl Fingerprint {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// Whether somebody wrote this one, in groups or not. A part of it is not enough.
    pub fn is(&self, written: &str) -> bool {
        let digits: String = written.chars().filter(|digit| !matches!(digit, ' ' | '-' | ':')).collect();
        equal(digits.to_ascii_lowercase().as_bytes(), self.to_string().replace(' ', "").as_bytes())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, group) in self.0.chunks(2).enumerate() {
            f.write_str(if at > 0 { " " } else { "" })?;
            group.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_told_in_groups_and_taken_with_or_without_them() {
        let fingerprint = Fingerprint::new(&[0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f]);
        assert_eq!(fingerprint.to_string(), "0a1b 2c3d 4e5f");
        for written in ["0a1b 2c3d 4e5f", "0A1B2C3D4E5F", " 0a:1b:2c:3d:4e:5f ", "0a1b-2c3d-4e5f"] {
            assert!(fingerprint.is(written), "{written}");
        }
        for written in ["", "0a1b", "0a1b 2c3d 4e5e", "0a1b 2c3d 4e5f 00", "0a1b 2c3d 4e5f\n"] {
            assert!(!fingerprint.is(written), "{written}");
        }
    }
}
