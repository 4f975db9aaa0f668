//! Templates that own their values.

use std::ptr;

use cryptoki_sys::*;

/// A template.
#[derive(Clone, Default)]
pub struct Template(Vec<(CK_ATTRIBUTE_TYPE, Vec<u8>)>);

impl Template {
    /// An object of this class, a session object.
    pub fn of(class: CK_OBJECT_CLASS) -> Self {
        Self::default().number(CKA_CLASS, class).flag(CKA_TOKEN, false)
    }

    /// With a flag.
    pub fn flag(self, attribute: CK_ATTRIBUTE_TYPE, value: bool) -> Self {
        self.bytes(attribute, &[if value { CK_TRUE } else { CK_FALSE }])
    }

    /// With these flags true.
    pub fn flags(self, attributes: &[CK_ATTRIBUTE_TYPE]) -> Self {
        attributes.iter().fold(self, |template, attribute| template.flag(*attribute, true))
    }

    /// With a number.
    pub fn number(self, attribute: CK_ATTRIBUTE_TYPE, value: CK_ULONG) -> Self {
        self.bytes(attribute, &value.to_ne_bytes())
    }

    /// With bytes, in the place of what was there.
    pub fn bytes(mut self, attribute: CK_ATTRIBUTE_TYPE, value: &[u8]) -> Self {
        self.0.retain(|(number, _)| *number != attribute);
        self.0.push((attribute, value.to_vec()));
        self
    }

    /// With all rows of another one.
    pub fn and(self, other: Self) -> Self {
        other.0.into_iter().fold(self, |template, (attribute, value)| template.bytes(attribute, &value))
    }

    /// The rows as C wants them, which point into this template.
    pub fn rows(&mut self) -> Vec<CK_ATTRIBUTE> {
        let row = |(number, value): &mut (CK_ATTRIBUTE_TYPE, Vec<u8>)| CK_ATTRIBUTE {
            type_: *number,
            pValue: if value.is_empty() { ptr::null_mut() } else { value.as_mut_ptr().cast() },
            ulValueLen: value.len() as CK_ULONG,
        };
        self.0.iter_mut().map(row).collect()
    }
}
