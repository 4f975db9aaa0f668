//! Numbered fields, some of which must be understood: the outer form of records, and of what travels between tokens.
//!
//! A map of deterministic CBOR (RFC 8949, section 4.2.1) with ascending integer keys. A reader may pass over a field that it does not
//! know if the number is odd, and must not if it is even.

use std::collections::BTreeMap;

use minicbor::decode::Error;
use minicbor::{Decoder, Encoder};

use super::cbor;

/// Fields by number, each value as it is encoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields(BTreeMap<u64, Vec<u8>>);

impl Fields {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a map that is in the one form that it can have.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        if !cbor::is_deterministic(bytes) {
            return Err(Error::message("not in the one form that it can have"));
        }
        let decoder = &mut Decoder::new(bytes);
        let count = decoder.map()?.ok_or_else(|| Error::message("a map of unknown length"))?;
        let mut fields = BTreeMap::new();
        for _ in 0..count {
            let number = decoder.u64()?;
            let start = decoder.position();
            decoder.skip()?;
            let value = bytes.get(start..decoder.position()).ok_or_else(|| Error::message("cut off"))?;
            fields.insert(number, value.to_vec());
        }
        Ok(Self(fields))
    }

    /// The map.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _ = encoder.map(self.0.len() as u64);
        for (number, value) in &self.0 {
            let _ = encoder.u64(*number);
            encoder.writer_mut().extend(value);
        }
        encoder.into_writer()
    }

    /// Puts an encoded value in.
    pub fn insert(&mut self, number: u64, value: Vec<u8>) {
        self.0.insert(number, value);
    }

    /// Takes an encoded value out: what is left in the end is what the reader did not know.
    pub fn take(&mut self, number: u64) -> Result<Vec<u8>, Error> {
        self.0.remove(&number).ok_or_else(|| Error::message("a field is missing"))
    }

    /// An encoded value.
    pub fn get(&self, number: u64) -> Option<&[u8]> {
        self.0.get(&number).map(Vec::as_slice)
    }

    /// Whether there is such a field.
    pub fn contains(&self, number: u64) -> bool {
        self.0.contains_key(&number)
    }

    /// Whether one of these fields must be understood.
    pub fn must_be_understood(&self) -> bool {
        self.0.keys().any(|number| number.is_multiple_of(2))
    }
}

impl<const N: usize> From<[(u64, Vec<u8>); N]> for Fields {
    fn from(fields: [(u64, Vec<u8>); N]) -> Self {
        Self(fields.into())
    }
}

/// A number, encoded.
pub fn encoded(number: u64) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    // Writing to a vector cannot fail.
    let _ = encoder.u64(number);
    encoder.into_writer()
}

/// Bytes, encoded.
pub fn encoded_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::with_capacity(bytes.len().saturating_add(9)));
    // Writing to a vector cannot fail.
    let _ = encoder.bytes(bytes);
    encoder.into_writer()
}

/// Text, encoded.
pub fn encoded_text(text: &str) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    // Writing to a vector cannot fail.
    let _ = encoder.str(text);
    encoder.into_writer()
}
