//! The record: what the store keeps of an object, before sealing. `docs/formats.md` has the page.
//!
//! Deterministic CBOR (RFC 8949, section 4.2.1): a map with ascending integer keys. A field that a later version added and
//! this one does not know is kept, byte for byte, if its number is odd. If it is even, the object must not be used or
//! changed by who does not know what the field says.

use cryptoki_sys::CKA_CLASS;
use minicbor::{Decoder, Encoder};

use super::draft::Origin;
use super::fields::{Fields, encoded};
use super::{Attributes, Object, attribute};
use crate::error::{Error, Result};
use crate::key::Class;
use crate::store::ObjectId;

/// The number of the field, and its value.
const FORMAT: u64 = 0;
const THIS_FORMAT: u64 = 1;
const CLASS: u64 = 2;
const ATTRIBUTES: u64 = 4;
const ORIGIN: u64 = 6;
const TOMBSTONE: u64 = 8;
const STAYS: u64 = 9;

impl Object {
    /// The record of this object. Id and version are not in it: the store keeps them, and the seal binds them to it.
    pub fn to_record(&self) -> Vec<u8> {
        let mut fields = self.unknown.clone();
        fields.insert(FORMAT, encoded(THIS_FORMAT));
        fields.insert(CLASS, encoded(self.class.number()));
        fields.insert(ATTRIBUTES, encode_attributes(&self.attributes));
        fields.insert(ORIGIN, encoded(self.origin as u64));
        fields.encode()
    }

    /// The object in a record. Anything but what this version or a later one writes is damage.
    pub fn from_record(id: ObjectId, version: u64, record: &[u8]) -> Result<Self> {
        let damage = || Error::ObjectDamaged(format!("the record of object {id} is damaged").into());
        let object = Self::decode(id, version, record).map_err(|_| damage())?;
        if object.agrees_with_the_table() { Ok(object) } else { Err(damage()) }
    }

    /// The first field that only a later version understands and that one has to understand.
    pub fn is_of_later_version(&self) -> bool {
        self.unknown.must_be_understood()
    }

    /// A public object that was written without a login can have been written by anybody: its attributes must at least be
    /// some that the class has, and have the form of their kind. An attribute that no class here has is a later version's.
    fn agrees_with_the_table(&self) -> bool {
        let fits = |(number, value): (&u64, &Vec<u8>)| match self.row(*number) {
            Some(row) => !row.secret && row.is_well_formed(value),
            None => attribute::name(*number).is_none(),
        };
        let typed = self.of().is_some() == self.class.typed_by().is_some();
        let made = typed && !self.class.is_built_in();
        self.attributes.iter().all(fits) && made && self.number(CKA_CLASS) == Some(self.class.number())
    }

    fn decode(id: ObjectId, version: u64, record: &[u8]) -> std::result::Result<Self, minicbor::decode::Error> {
        let wrong = minicbor::decode::Error::message;
        let mut fields = Fields::decode(record)?;
        let mut field = |number| fields.take(number);
        if Decoder::new(&field(FORMAT)?).u64()? != THIS_FORMAT {
            return Err(wrong("another format"));
        }
        let class = Class::from_number(Decoder::new(&field(CLASS)?).u64()?);
        let attributes = decode_attributes(&mut Decoder::new(&field(ATTRIBUTES)?))?;
        let origin = Origin::from_number(Decoder::new(&field(ORIGIN)?).u64()?);
        match (class, origin) {
            _ if fields.contains(TOMBSTONE) => Err(wrong("a tombstone is no object")),
            (Some(class), Some(origin)) => Ok(Self { id, version, class, origin, attributes, unknown: fields }),
            _ => Err(wrong("an unknown class or origin")),
        }
    }
}

/// The record that is left of an object: that there was one, and nothing of it. One that `stays` is no other token's business.
pub fn tombstone(stays: bool) -> Vec<u8> {
    let mut fields = Fields::from([(FORMAT, encoded(THIS_FORMAT)), (TOMBSTONE, TRUE.into())]);
    if stays {
        fields.insert(STAYS, TRUE.into());
    }
    fields.encode()
}

/// Whether a tombstone is no other token's business.
pub fn stays(tombstone: &[u8]) -> bool {
    Fields::decode(tombstone).is_ok_and(|fields| fields.get(STAYS) == Some(TRUE))
}

/// Whether a record is a tombstone: that of this version, or with fields of a later one that need not be understood.
pub fn is_tombstone(record: &[u8]) -> bool {
    let Ok(mut fields) = Fields::decode(record) else {
        return false;
    };
    let mut says = |number, value: &[u8]| fields.take(number).is_ok_and(|own| own == value);
    says(FORMAT, &encoded(THIS_FORMAT)) && says(TOMBSTONE, TRUE) && !fields.must_be_understood()
}

/// CBOR's true.
const TRUE: &[u8] = &[0xf5];

/// A map from numbers to bytes.
pub(super) fn encode_attributes(attributes: &Attributes) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    // Writing to a vector cannot fail.
    let _ = encoder.map(attributes.len() as u64);
    for (number, value) in attributes {
        let _ = encoder.u64(*number).and_then(|encoder| encoder.bytes(value));
    }
    encoder.into_writer()
}

/// The inverse of [`encode_attributes`].
pub(super) fn decode_attributes(decoder: &mut Decoder<'_>) -> std::result::Result<Attributes, minicbor::decode::Error> {
    let count = decoder.map()?.ok_or_else(|| minicbor::decode::Error::message("a map of unknown length"))?;
    (0..count).map(|_| Ok((decoder.u64()?, decoder.bytes()?.to_vec()))).collect()
}

impl Origin {
    fn from_number(number: u64) -> Option<Self> {
        [Self::Created, Self::Generated, Self::Unwrapped, Self::Derived]
            .into_iter()
            .find(|origin| *origin as u64 == number)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use cryptoki_sys::{CKA_ENCRYPT, CKA_LABEL, CKA_TOKEN, CKO_DATA, CKO_SECRET_KEY};

    use super::*;
    use crate::key::Login;
    use crate::object::{Basis, Draft, Given, Template, Way};

    #[test]
    fn a_record_gives_back_its_object_and_nothing_else() {
        let class = CKO_DATA.to_ne_bytes();
        let given = [Given::new(CKA_CLASS, &class), Given::new(CKA_LABEL, b"name")];
        let template = Template::parse(&given, Way::Create).unwrap();
        let (object, _) = Draft::new(template, Basis::of(Login::Public)).finish().unwrap();
        let record = object.to_record();
        assert_eq!(Object::from_record(object.id, 1, &record).unwrap(), object);
        for length in 0..record.len() {
            assert!(Object::from_record(object.id, 1, &record[..length]).is_err());
        }
        assert!(Object::from_record(object.id, 1, &[record.as_slice(), &[0]].concat()).is_err());
    }

    /// A record with one more field, as a later version could write it.
    fn later(object: &Object, number: u64, value: &[u8]) -> Object {
        let mut later = object.clone();
        later.unknown.insert(number, value.to_vec());
        Object::from_record(object.id, 1, &later.to_record()).unwrap()
    }

    #[test]
    fn what_a_later_version_added_is_kept_or_blocks() {
        let class = CKO_DATA.to_ne_bytes();
        let template = Template::parse(&[Given::new(CKA_CLASS, &class)], Way::Create).unwrap();
        let (object, _) = Draft::new(template, Basis::of(Login::Public)).finish().unwrap();
        let text = [0x63, b'n', b'e', b'w'];
        let optional = later(&object, 1001, &text);
        assert!(!optional.is_of_later_version());
        let changed = optional.changed(&[Given::new(CKA_LABEL, b"x")], Login::User).unwrap();
        assert_eq!(changed.unknown.get(1001).unwrap(), &text);
        assert!(changed.to_record().windows(4).any(|part| part == text));
        assert!(later(&object, 1000, &text).is_of_later_version());
        // An attribute of a later version is kept too, and shown to nobody.
        let mut attribute = object.clone();
        attribute.attributes.insert(0xcb53_ffff, vec![1]);
        let read = Object::from_record(object.id, 1, &attribute.to_record()).unwrap();
        assert!(read == attribute && read.row(0xcb53_ffff).is_none());
    }

    #[test]
    fn a_record_that_the_table_cannot_have_made_is_damaged() {
        let class = CKO_DATA.to_ne_bytes();
        let template = Template::parse(&[Given::new(CKA_CLASS, &class)], Way::Create).unwrap();
        let (good, _) = Draft::new(template, Basis::of(Login::Public)).finish().unwrap();
        let key = CKO_SECRET_KEY.to_le_bytes();
        for (number, value) in [(CKA_TOKEN, vec![2]), (CKA_ENCRYPT, vec![1]), (CKA_CLASS, key.to_vec())] {
            let mut bad = good.clone();
            bad.attributes.insert(number, value);
            assert!(Object::from_record(bad.id, 1, &bad.to_record()).is_err());
        }
    }
}
