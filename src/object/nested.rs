//! Templates that are the value of an attribute: `CKA_WRAP_TEMPLATE`, `CKA_UNWRAP_TEMPLATE`, `CKA_DERIVE_TEMPLATE`. PKCS#11
//! 3.2, sections 4.9 to 4.11.
//!
//! Their form in here is the one that attributes have in the record: a CBOR map from numbers to canonical values.

use minicbor::Decoder;

use super::attribute::{self, Kind};
use super::record::{decode_attributes, encode_attributes};
use super::{Attributes, Given};
use crate::error::{Error, Result};

/// Whether the value of an attribute is a template. `CKF_ARRAY_ATTRIBUTE` does not tell: lists of mechanisms have it too.
pub fn is_template(number: u64) -> bool {
    attribute::of_any_class(number).is_some_and(|row| row.kind == Kind::Template)
}

/// The form of a template that was given as the value of `outer`. What it asks for must be something to compare: neither
/// a value that stays inside nor a template once more.
pub fn write(outer: &'static str, given: &[Given<'_>]) -> Result<Vec<u8>> {
    let mut attributes = Attributes::new();
    for one in given {
        let row = attribute::of_any_class(one.number).ok_or(Error::AttributeTypeInvalid(one.number))?;
        if attribute::is_secret(one.number) || row.kind == Kind::Template {
            return Err(Error::AttributeValueInvalid(outer));
        }
        let canonical = row.canonical(&one.value).ok_or(Error::AttributeValueInvalid(row.name))?;
        if attributes.insert(one.number, canonical.clone()).is_some_and(|earlier| earlier != canonical) {
            return Err(Error::TemplateInconsistent(row.name));
        }
    }
    Ok(encode_attributes(&attributes))
}

/// The template in such a form.
pub fn read(form: &[u8]) -> Option<Attributes> {
    let attributes = decode_attributes(&mut Decoder::new(form)).ok()?;
    (encode_attributes(&attributes) == form).then_some(attributes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use cryptoki_sys::*;

    use super::*;

    #[test]
    fn a_template_comes_back_and_nothing_else_is_one() {
        let class = CKO_SECRET_KEY.to_ne_bytes();
        let given = [Given::new(CKA_CLASS, &class), Given::new(CKA_EXTRACTABLE, &[1])];
        let form = write("CKA_WRAP_TEMPLATE", &given).unwrap();
        let read_back = read(&form).unwrap();
        assert_eq!(read_back.get(&CKA_CLASS).unwrap(), &CKO_SECRET_KEY.to_le_bytes());
        assert_eq!(read(&[form.as_slice(), &[0]].concat()), None);
        assert_eq!(read(b""), None);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let refused = |number, value: &[u8]| write("CKA_WRAP_TEMPLATE", &[Given::new(number, value)]).unwrap_err();
        assert_eq!(refused(CKA_VALUE, &[1]), Error::AttributeValueInvalid("CKA_WRAP_TEMPLATE"));
        assert_eq!(refused(CKA_PRIME_1, &[1]), Error::AttributeValueInvalid("CKA_WRAP_TEMPLATE"));
        assert_eq!(refused(CKA_WRAP_TEMPLATE, &[0xa0]), Error::AttributeValueInvalid("CKA_WRAP_TEMPLATE"));
        assert_eq!(refused(CKA_TOKEN, &[2]), Error::AttributeValueInvalid("CKA_TOKEN"));
        assert_eq!(refused(0x1234_5678, &[]), Error::AttributeTypeInvalid(0x1234_5678));
    }
}
