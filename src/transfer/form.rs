//! What every format that travels begins with, and how its fields are read.
//!
//! A map of deterministic CBOR (RFC 8949, section 4.2.1) with ascending integer keys. Field 0 says what it is, field 2 its format. An
//! unknown field with an odd number may be passed over, and one with an even number must be understood.

use minicbor::Decoder;
use minicbor::decode::Error;

use crate::object::fields::{Fields, encoded, encoded_text};

/// One format.
pub(super) struct Form {
    /// What it is, in field 0.
    pub kind: &'static str,
    /// What it is, in sentences.
    pub name: &'static str,
    /// Its number.
    pub format: u64,
}

/// The fields of one piece, as they are taken one after the other. The errors are sentences for people.
pub(super) struct Reading(Fields);

const KIND: u64 = 0;
const FORMAT: u64 = 2;

impl Form {
    /// The two fields that each piece has.
    pub fn fields(&self) -> Fields {
        Fields::from([(KIND, encoded_text(self.kind)), (FORMAT, encoded(self.format))])
    }

    /// The fields behind these two.
    pub fn read(&self, bytes: &[u8]) -> Result<Reading, String> {
        let mut fields = Fields::decode(bytes).map_err(|error| format!("it is no {}: {error}", self.name))?;
        if fields.take(KIND).ok() != Some(encoded_text(self.kind)) {
            return Err(format!("it is no {}", self.name));
        }
        let format = fields.take(FORMAT).and_then(|value| Decoder::new(&value).u64()).unwrap_or_default();
        if format != self.format {
            return Err(format!("it has format {format}, and this library knows format {}", self.format));
        }
        Ok(Reading(fields))
    }
}

impl Reading {
    /// All that has not been taken yet, with the two fields in front: what a seal can be bound to.
    pub fn rest(&self, form: &Form) -> Vec<u8> {
        let mut all = self.0.clone();
        all.insert(KIND, encoded_text(form.kind));
        all.insert(FORMAT, encoded(form.format));
        all.encode()
    }

    /// A number.
    pub fn number(&mut self, field: u64) -> Result<u64, String> {
        self.take(field, |decoder| decoder.u64())
    }

    /// Bytes.
    pub fn bytes(&mut self, field: u64) -> Result<Vec<u8>, String> {
        self.take(field, |decoder| decoder.bytes().map(<[u8]>::to_vec))
    }

    /// So many bytes.
    pub fn array<const N: usize>(&mut self, field: u64) -> Result<[u8; N], String> {
        self.take(field, |decoder| {
            decoder.bytes()?.try_into().map_err(|_| Error::message("a field has another length"))
        })
    }

    /// Text.
    pub fn text(&mut self, field: u64) -> Result<String, String> {
        self.take(field, |decoder| decoder.str().map(str::to_owned))
    }

    /// To be called when all that is known has been taken.
    pub fn end(self) -> Result<(), String> {
        match self.0.must_be_understood() {
            true => Err("a later version of Keystead made it, and said something that must be understood".into()),
            false => Ok(()),
        }
    }

    fn take<T>(&mut self, field: u64, read: impl FnOnce(&mut Decoder<'_>) -> Result<T, Error>) -> Result<T, String> {
        let value = self.0.take(field).and_then(|value| read(&mut Decoder::new(&value)));
        value.map_err(|error| format!("it is damaged: {error}"))
    }
}
