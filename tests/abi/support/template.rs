//! Templates: attributes with values that live as long as they do.

use cryptoki_sys::*;

/// A template that owns its values. Made by `template!`.
#[derive(Clone, Default)]
pub struct Template {
    attributes: Vec<(CK_ATTRIBUTE_TYPE, Vec<u8>)>,
}

/// A template: `template![CKA_CLASS => CKO_SECRET_KEY, CKA_TOKEN => true, CKA_LABEL => "x"]`.
macro_rules! template {
    ($($attribute:expr => $value:expr),* $(,)?) => {
        $crate::support::Template::default()$(.with($attribute, $value))*
    };
}

impl Template {
    /// This template and one attribute more.
    pub fn with(mut self, attribute: CK_ATTRIBUTE_TYPE, value: impl ToBytes) -> Template {
        self.attributes.push((attribute, value.to_bytes()));
        self
    }

    /// This template and then the attributes of another.
    pub fn and(mut self, other: Template) -> Template {
        self.attributes.extend(other.attributes);
        self
    }

    /// The C form, valid while the template lives and is not changed.
    pub fn raw(&self) -> Vec<CK_ATTRIBUTE> {
        let attributes = self.attributes.iter().map(|(attribute, value)| CK_ATTRIBUTE {
            type_: *attribute,
            pValue: value.as_ptr().cast_mut().cast(),
            ulValueLen: value.len() as CK_ULONG,
        });
        attributes.collect()
    }
}

/// A value as the bytes that an attribute holds.
pub trait ToBytes {
    /// The bytes.
    fn to_bytes(&self) -> Vec<u8>;
}

impl ToBytes for bool {
    fn to_bytes(&self) -> Vec<u8> {
        vec![u8::from(*self)]
    }
}

impl ToBytes for CK_ULONG {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_ne_bytes().to_vec()
    }
}

impl ToBytes for &str {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl ToBytes for &[u8] {
    fn to_bytes(&self) -> Vec<u8> {
        (*self).to_vec()
    }
}

impl<const N: usize> ToBytes for &[u8; N] {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}

impl ToBytes for &Vec<u8> {
    fn to_bytes(&self) -> Vec<u8> {
        (*self).clone()
    }
}
