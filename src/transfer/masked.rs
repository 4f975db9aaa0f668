//! Masked objects, format 1: the bytes, and what seals them.
//!
//! A map of deterministic CBOR (RFC 8949, section 4.2.1) with ascending integer keys. As in a record, an unknown field with an odd
//! number may be passed over, and one with an even number must be understood. Everything but the sealed content is bound to it.

use minicbor::{Decoder, Encoder};
use zeroize::Zeroizing;

use super::DomainId;
use super::form::Form;
use crate::crypto::gcm::{GcmKey, TAG};
use crate::crypto::{InOut, random};
use crate::error::{Error, Result};
use crate::mechanism::Keyed;
use crate::object::fields::{Fields, encoded, encoded_bytes};
use crate::secret::Secret;
use crate::store::ObjectId;

/// An object that travels: its record, and the value if it is a key.
pub struct Content {
    /// The object or tombstone, as in the store before sealing.
    pub record: Zeroizing<Vec<u8>>,
    /// The value of a key.
    pub material: Option<Secret>,
}

/// What a masked object says on its outside. Nothing of it is to be believed before [`open`](Self::open) has said so.
pub struct Masked {
    /// The domain whose tokens can open it.
    pub domain: DomainId,
    /// The object.
    pub object: ObjectId,
    /// Its version.
    pub version: u64,
    salt: [u8; 32],
    sealed: Vec<u8>,
    /// All of the above, as it is bound.
    bound: Vec<u8>,
}

impl Content {
    /// Masks it for the domain of a key that may mask it.
    pub fn mask(&self, keyed: &Keyed<'_>, domain: DomainId, object: ObjectId, version: u64) -> Result<Vec<u8>> {
        let salt = random::bytes()?;
        let mut fields = outside(domain, object, version, &salt);
        let plain = self.encode();
        let mut sealed = vec![0; plain.len().saturating_add(TAG)];
        let bound = fields.encode();
        key(keyed, &salt)?.seal(&NONCE, &bound, TAG, &mut InOut::from_slices(&plain, &mut sealed))?;
        fields.insert(SEALED, encoded_bytes(&sealed));
        Ok(fields.encode())
    }

    /// An array of the record and the value of the key, or null.
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let length = self.material.as_ref().map_or(0, Secret::len).saturating_add(self.record.len());
        // So long that it never moves and leaves something behind.
        let mut encoder = Encoder::new(Vec::with_capacity(length.saturating_add(ARRAY)));
        // Writing to a vector cannot fail.
        let _ = encoder.array(2).and_then(|encoder| encoder.bytes(&self.record));
        let _ = match &self.material {
            Some(material) => encoder.bytes(material.expose()),
            None => encoder.null(),
        };
        Zeroizing::new(encoder.into_writer())
    }

    fn decode(plain: &[u8]) -> std::result::Result<Self, minicbor::decode::Error> {
        let decoder = &mut Decoder::new(plain);
        if decoder.array()? != Some(2) {
            return Err(minicbor::decode::Error::message("not two items"));
        }
        let record = Zeroizing::new(decoder.bytes()?.to_vec());
        let material = match decoder.datatype()? {
            minicbor::data::Type::Null => decoder.null().map(|()| None)?,
            _ => Some(Secret::from_slice(decoder.bytes()?)),
        };
        let content = Self { record, material };
        // One form only, and nothing behind it.
        if content.encode().as_slice() == plain {
            Ok(content)
        } else {
            Err(minicbor::decode::Error::message("not in the one form that it can have"))
        }
    }
}

impl Masked {
    /// Reads the outside.
    ///
    /// # Errors
    /// [`Error::MaskedInvalid`] with a sentence for people.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes).map_err(refused)
    }

    fn read(bytes: &[u8]) -> std::result::Result<Self, String> {
        let mut reading = FORM.read(bytes)?;
        let sealed = reading.bytes(SEALED)?;
        let bound = reading.rest(&FORM);
        let masked = Self {
            domain: DomainId(reading.array(DOMAIN)?),
            object: ObjectId(reading.array(OBJECT)?),
            salt: reading.array(SALT)?,
            version: reading.number(VERSION)?,
            sealed,
            bound,
        };
        reading.end().map(|()| masked)
    }

    /// The content, if it was masked so, by a token of the domain whose key this is.
    ///
    /// # Errors
    /// [`Error::MaskedInvalid`] with a sentence for people.
    pub fn open(&self, keyed: &Keyed<'_>) -> Result<Content> {
        let forged =
            || refused(format!("object {} is not as it was masked, or not by a token of this domain", self.object));
        let length = self.sealed.len().checked_sub(TAG).ok_or_else(forged)?;
        let mut plain = Zeroizing::new(vec![0; length]);
        let io = &mut InOut::from_slices(&self.sealed, &mut plain);
        key(keyed, &self.salt)?.open(&NONCE, &self.bound, TAG, io).map_err(|_| forged())?;
        Content::decode(&plain).map_err(|error| refused(format!("object {} is damaged: {error}", self.object)))
    }
}

/// The numbers of the fields.
const DOMAIN: u64 = 4;
const OBJECT: u64 = 6;
const VERSION: u64 = 8;
const SALT: u64 = 10;
const SEALED: u64 = 12;

const FORM: Form = Form { kind: "keystead masked object", name: "masked object", format: 1 };

/// More than the heads of an array of two take.
const ARRAY: usize = 24;

/// Each key seals once: the salt makes it another one every time.
const NONCE: [u8; 12] = [0; 12];

fn outside(domain: DomainId, object: ObjectId, version: u64, salt: &[u8; 32]) -> Fields {
    let mut fields = FORM.fields();
    fields.insert(DOMAIN, encoded_bytes(&domain.0));
    fields.insert(OBJECT, encoded_bytes(&object.0));
    fields.insert(VERSION, encoded(version));
    fields.insert(SALT, encoded_bytes(salt));
    fields
}

/// The key that seals one object once.
fn key(keyed: &Keyed<'_>, salt: &[u8; 32]) -> Result<GcmKey> {
    let key = keyed.derived(salt, b"keystead 1 masked object")?;
    GcmKey::new(key.expose()).map_err(|_| Error::GeneralError("HKDF gave a key of another length".into()))
}

fn refused(why: impl Into<String>) -> Error {
    Error::MaskedInvalid(why.into().into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_inside_has_one_form() {
        let content = |material: Option<&[u8]>| Content {
            record: Zeroizing::new(b"record".to_vec()),
            material: material.map(Secret::from_slice),
        };
        for (material, length) in [(None, 9), (Some([7; 32].as_slice()), 42)] {
            let plain = content(material).encode();
            assert_eq!(plain.len(), length);
            let read = Content::decode(&plain).unwrap();
            assert_eq!(read.record.as_slice(), b"record");
            assert!(read.material == material.map(Secret::from_slice));
            assert!(Content::decode(&[plain.as_slice(), &[0]].concat()).is_err());
            assert!((0..plain.len()).all(|length| Content::decode(plain.get(..length).unwrap()).is_err()));
        }
    }
}
