//! What every seal and MAC is bound to, so that nothing can be moved to another place.

use super::{FORMAT, TokenFacts, TokenId, Visibility};
use crate::store::{ObjectId, Terms};
use minicbor::Encoder;

/// Where a row belongs.
#[derive(Clone)]
pub struct Place {
    pub id: ObjectId,
    pub version: u64,
    pub visibility: Visibility,
    pub terms: Terms,
}

/// Which part of the row is bound, and to what else of it.
pub enum Part<'a> {
    /// A sealed body, which knows whether material must be beside it.
    Body { has_material: bool },
    /// Sealed material, which belongs to one body only: another one could lend it other attributes. Given is the
    /// SHA-256 of the body as the row has it.
    Material { body: &'a [u8; 32] },
    /// The MAC of a public row, over all there is.
    Mac { body: &'a [u8], material: Option<&'a [u8]> },
}

impl Place {
    /// The bytes that are bound: a deterministic CBOR array.
    pub fn bind(&self, token: &TokenId, part: &Part) -> Vec<u8> {
        let mut e = Encoder::new(Vec::with_capacity(256));
        // Writing to a vector cannot fail.
        let _ = self.write(&mut e, token, part);
        e.into_writer()
    }

    fn write(
        &self,
        e: &mut Encoder<Vec<u8>>,
        token: &TokenId,
        part: &Part,
    ) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        let (number, length) = match part {
            Part::Body { has_material: false } => (0, 8),
            Part::Body { has_material: true } => (1, 8),
            Part::Material { .. } => (2, 9),
            Part::Mac { .. } => (3, 10),
        };
        e.array(length)?.str("keystead")?.u8(FORMAT)?.u8(number)?;
        e.bytes(&token.0)?.bytes(&self.id.0)?.u64(self.version)?.u8(self.visibility as u8)?;
        e.array(self.terms.len() as u64)?;
        for term in &self.terms {
            bytes_or_null(e, term.as_ref().map(<[u8; 16]>::as_slice))?;
        }
        match part {
            Part::Body { .. } => Ok(()),
            Part::Material { body } => e.bytes(*body)?.ok(),
            Part::Mac { body, material } => bytes_or_null(e.bytes(body)?, *material),
        }
    }
}

/// What the sealed digest is bound to.
pub fn of_digest(token: &TokenId) -> Vec<u8> {
    let mut e = Encoder::new(Vec::new());
    // Writing to a vector cannot fail.
    let _ = e.array(4).and_then(|e| e.str("keystead")?.u8(FORMAT)?.u8(4)?.bytes(&token.0));
    e.into_writer()
}

/// What the MAC of the token row is over.
pub fn of_token_row(token: &TokenId, facts: &TokenFacts<'_>) -> Vec<u8> {
    let TokenFacts { label, serial, maskable } = facts;
    let mut e = Encoder::new(Vec::new());
    // Writing to a vector cannot fail.
    let _ = e.array(7).and_then(|e| {
        e.str("keystead")?.u8(FORMAT)?.u8(5)?.bytes(&token.0)?.bytes(*label)?.bytes(*serial)?.bool(*maskable)
    });
    e.into_writer()
}

fn bytes_or_null(
    e: &mut Encoder<Vec<u8>>,
    bytes: Option<&[u8]>,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    match bytes {
        Some(bytes) => e.bytes(bytes)?.ok(),
        None => e.null()?.ok(),
    }
}
