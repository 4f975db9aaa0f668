//! Bytes as text.

use serde::{Deserialize, Serialize};

/// Bytes that are written as hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hex(pub Vec<u8>);

/// All digits.
pub fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first digits, and how many bytes there are.
pub fn short(bytes: &[u8]) -> String {
    const SHOWN: usize = 8;
    match bytes.split_at_checked(SHOWN) {
        Some((head, rest)) if !rest.is_empty() => format!("{}... ({} bytes)", digits(head), bytes.len()),
        _ => digits(bytes),
    }
}

impl From<Hex> for String {
    fn from(bytes: Hex) -> Self {
        digits(&bytes.0)
    }
}

impl TryFrom<String> for Hex {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
        bytes.filter(|_| rest.is_empty()).map(Self).ok_or("not hexadecimal digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert!(Hex::try_from(digits(&bytes)) == Ok(Hex(bytes)));
        assert!(Hex::try_from("A0".to_owned()) == Ok(Hex(vec![0xa0])));
        for wrong in ["0", "0g", "0x00", "é"] {
            assert!(Hex::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn long_ones_are_cut_and_say_so() {
        assert_eq!(short(&[0xab; 8]), "abababababababab");
        assert_eq!(short(&[0xab; 9]), "abababababababab... (9 bytes)");
    }
}
