//! What arrives from another token of a domain, checked before anything of it is kept. It was made by a token, but by which version, and after
//! which mishap, nobody here knows.

use cryptoki_sys::*;

use super::draft::described;
use super::{Attributes, Object, check_value, curve, is_tombstone, pair};
use crate::crypto::PrivateKey;
use crate::error::{Error, Result};
use crate::key::{Class, KeyMaterial, KeyType};
use crate::secret::Secret;
use crate::store::ObjectId;

/// An object, or what is left of one, as another token had it.
pub enum Arrival {
    /// A token object, with its value if it is a key that has one.
    Object(Object, Option<KeyMaterial>),
    /// It was destroyed there.
    Tombstone {
        /// What was.
        id: ObjectId,
        /// The version of its end.
        version: u64,
    },
}

impl Arrival {
    /// Reads a record with the value of a key.
    ///
    /// # Errors
    /// [`Error::MaskedInvalid`], with a sentence for people, for what is no token object, is not of one piece, or was made by a later version
    /// and must be understood.
    pub fn read(id: ObjectId, version: u64, record: &[u8], material: Option<Secret>) -> Result<Self> {
        let refused = |why: &str| Error::MaskedInvalid(format!("object {id} {why}").into());
        if !VERSIONS.contains(&version) {
            return Err(refused("has a version that no object comes to"));
        }
        if is_tombstone(record) && material.is_none() {
            return Ok(Self::Tombstone { id, version });
        }
        let object = Object::from_record(id, version, record).map_err(|_| refused("has a damaged record"))?;
        if object.is_of_later_version() {
            return Err(refused(
                "was made by a later version of Keystead, which says something that must be understood",
            ));
        }
        if object.key_type().is_some_and(KeyType::is_inside) {
            return Err(refused("is what a domain itself rests on"));
        }
        if !object.is_token() || object.value(CKA_UNIQUE_ID) != Some(id.to_string().as_bytes()) {
            return Err(refused("is no token object of this id"));
        }
        match object.is_of(material.as_ref()) {
            Ok(true) if object.check_consistency().is_ok() => {
                Ok(Self::Object(object, material.map(|value| KeyMaterial::new(id.0, value))))
            }
            _ => Err(refused("is not of one piece: its attributes and its value contradict each other")),
        }
    }

    /// The object's id.
    pub fn id(&self) -> ObjectId {
        match self {
            Self::Object(object, _) => object.id,
            Self::Tombstone { id, .. } => *id,
        }
    }
}

/// What an object's changes can come to, and as many again.
const VERSIONS: std::ops::RangeInclusive<u64> = 1..=1 << 62;

impl Object {
    /// Whether the attributes are those of this value, and what follows from them is as it should be.
    fn is_of(&self, material: Option<&Secret>) -> Result<bool> {
        let key_type = self.key_type();
        let known = match (self.class, key_type, material) {
            (Class::PrivateKey, Some(key_type), Some(value)) => {
                let Ok(key) = PrivateKey::from_pkcs8(value.expose()) else { return Ok(false) };
                // One form only, so that equal keys have equal values.
                if KeyType::of(&key) != key_type || key.to_pkcs8()? != *value {
                    return Ok(false);
                }
                pair::describe(&key.public()?)?
            }
            (Class::SecretKey | Class::OtpKey, Some(key_type), Some(value)) if key_type.takes_length(value.len()) => {
                let length = (CKA_VALUE_LEN, (value.len() as u64).to_le_bytes().to_vec());
                let check_value = check_value::of_secret_key(Some(key_type), &self.attributes, value)?;
                check_value.map(|value| (CKA_CHECK_VALUE, value)).into_iter().chain([length]).collect()
            }
            (class, _, None) if !class.is_secret() => described(class, self.of(), &self.attributes)?,
            _ => return Ok(false),
        };
        let has_size = !self.class.is_key() || self.facts().is_some();
        Ok(has_size && self.shows_its_key() && self.agrees_with(&known))
    }

    /// A curve may be named otherwise.
    fn agrees_with(&self, known: &Attributes) -> bool {
        let says = |number: u64, value: &[u8]| match (self.value(number), self.key_type()) {
            (Some(own), Some(key_type)) if number == CKA_EC_PARAMS => curve::is_named(key_type, own, value),
            (own, _) => own.is_none_or(|own| own == value),
        };
        known.iter().all(|(number, value)| says(*number, value))
    }
}
