//! The record: what the store keeps of an object, before sealing. `docs/formats.md` has the page.
//!
//! Deterministic CBOR (RFC 8949, section 4.2.1): a map with ascending integer keys. Field numbers: even is critical, odd
//! is optional; see there.

use cryptoki_sys::CKA_CLASS;
use minicbor::{Decoder, Encoder};

use super::draft::Origin;
use super::{Attributes, Object};
use crate::error::{Error, Result};
use crate::key::Class;
use crate::store::ObjectId;

const FORMAT: u8 = 0;
const CLASS: u8 = 2;
const ATTRIBUTES: u8 = 4;
const ORIGIN: u8 = 6;

impl Object {
    /// The record of this object. Id and version are not in it: the store keeps them, and the seal binds them to it.
    pub fn to_record(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _ = self.encode(&mut encoder);
        encoder.into_writer()
    }

    /// The object in a record. Anything but exactly what [`to_record`](Self::to_record) writes is damage.
    pub fn from_record(id: ObjectId, version: u64, record: &[u8]) -> Result<Self> {
        let damage = || Error::ObjectDamaged(format!("the record of object {id} is damaged").into());
        let object = Self::decode(id, version, &mut Decoder::new(record)).map_err(|_| damage())?;
        let whole = object.to_record() == record && object.agrees_with_the_table();
        if whole { Ok(object) } else { Err(damage()) }
    }

    /// A public object that was written without a login can have been written by anybody: its attributes must at least be
    /// some that the class has, and have the form of their kind.
    fn agrees_with_the_table(&self) -> bool {
        let fits = |(number, value): (&u64, &Vec<u8>)| {
            self.row(*number).is_some_and(|row| !row.secret && row.is_well_formed(value))
        };
        let typed = match self.key_type() {
            Some(key_type) => self.class.takes(key_type),
            None => !self.class.is_key(),
        };
        self.attributes.iter().all(fits) && typed && self.number(CKA_CLASS) == Some(self.class.number())
    }

    fn encode(&self, encoder: &mut Encoder<Vec<u8>>) -> std::result::Result<(), Encoding> {
        encoder.map(4)?.u8(0)?.u8(FORMAT)?;
        encoder.u8(CLASS)?.u64(self.class.number())?;
        encoder.u8(ATTRIBUTES)?.map(self.attributes.len() as u64)?;
        for (number, value) in &self.attributes {
            encoder.u64(*number)?.bytes(value)?;
        }
        encoder.u8(ORIGIN)?.u8(self.origin as u8)?;
        Ok(())
    }

    fn decode(
        id: ObjectId,
        version: u64,
        decoder: &mut Decoder<'_>,
    ) -> std::result::Result<Self, minicbor::decode::Error> {
        let wrong = minicbor::decode::Error::message;
        let fields = decoder.map()?.ok_or_else(|| wrong("a map of unknown length"))?;
        let (mut class, mut origin, mut attributes) = (None, None, None);
        for _ in 0..fields {
            match decoder.u8()? {
                0 if decoder.u8()? == FORMAT => (),
                CLASS => class = Class::from_number(decoder.u64()?),
                ATTRIBUTES => attributes = Some(decode_attributes(decoder)?),
                ORIGIN => origin = Origin::from_number(decoder.u8()?),
                _ => return Err(wrong("an unknown field")),
            }
        }
        let class = class.ok_or_else(|| wrong("no class"))?;
        let origin = origin.ok_or_else(|| wrong("no origin"))?;
        let attributes = attributes.ok_or_else(|| wrong("no attributes"))?;
        Ok(Self { id, version, class, origin, attributes })
    }
}

type Encoding = minicbor::encode::Error<std::convert::Infallible>;

fn decode_attributes(decoder: &mut Decoder<'_>) -> std::result::Result<Attributes, minicbor::decode::Error> {
    let count = decoder.map()?.ok_or_else(|| minicbor::decode::Error::message("a map of unknown length"))?;
    (0..count).map(|_| Ok((decoder.u64()?, decoder.bytes()?.to_vec()))).collect()
}

impl Origin {
    fn from_number(number: u8) -> Option<Self> {
        [Self::Created, Self::Generated, Self::Unwrapped, Self::Derived]
            .into_iter()
            .find(|origin| *origin as u8 == number)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use cryptoki_sys::{CKA_ENCRYPT, CKA_LABEL, CKA_TOKEN, CKO_DATA, CKO_SECRET_KEY};

    use super::*;
    use crate::key::Login;
    use crate::object::{Draft, Given, Template, Way};

    #[test]
    fn a_record_gives_back_its_object_and_nothing_else() {
        let class = CKO_DATA.to_ne_bytes();
        let given = [Given { number: CKA_CLASS, value: &class }, Given { number: CKA_LABEL, value: b"name" }];
        let template = Template::parse(&given, Way::Create).unwrap();
        let (object, _) = Draft::new(template, Login::Public).finish().unwrap();
        let record = object.to_record();
        assert_eq!(Object::from_record(object.id, 1, &record).unwrap(), object);
        for length in 0..record.len() {
            assert!(Object::from_record(object.id, 1, &record[..length]).is_err());
        }
        assert!(Object::from_record(object.id, 1, &[record.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn a_record_that_the_table_cannot_have_made_is_damaged() {
        let class = CKO_DATA.to_ne_bytes();
        let template = Template::parse(&[Given { number: CKA_CLASS, value: &class }], Way::Create).unwrap();
        let (good, _) = Draft::new(template, Login::Public).finish().unwrap();
        let key = CKO_SECRET_KEY.to_le_bytes();
        for (number, value) in [(CKA_TOKEN, vec![2]), (CKA_ENCRYPT, vec![1]), (CKA_CLASS, key.to_vec())] {
            let mut bad = good.clone();
            bad.attributes.insert(number, value);
            assert!(Object::from_record(bad.id, 1, &bad.to_record()).is_err());
        }
    }
}
