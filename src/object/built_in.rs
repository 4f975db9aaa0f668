//! Objects that the library makes itself, and that no store has.

use cryptoki_sys::*;

use super::attribute::{self, Default};
use super::draft::{Origin, number};
use super::fields::Fields;
use super::{Attributes, Object};
use crate::key::Class;
use crate::store::ObjectId;

impl Object {
    /// A profile that the token conforms to. PKCS#11 3.2, section 4.14. `profile` is a `CK_PROFILE_ID`.
    pub fn profile(id: ObjectId, profile: u64) -> Self {
        Self::built_in(id, Class::Profile, CKA_PROFILE_ID, profile)
    }

    /// An object of a class without types: what its rows say, and one number.
    fn built_in(id: ObjectId, class: Class, says: u64, what: u64) -> Self {
        let by_default = attribute::rows(class, None).filter_map(|row| match row.default {
            Default::Empty => Some((row.number, Vec::new())),
            Default::Bool(value) => Some((row.number, vec![u8::from(value)])),
            Default::Number(value) => Some((row.number, number(value))),
            Default::Absent | Default::Set | Default::Rule(..) => None,
        });
        let mut attributes: Attributes = by_default.collect();
        attributes.insert(CKA_CLASS, number(class.number()));
        attributes.insert(CKA_UNIQUE_ID, id.to_string().into_bytes());
        attributes.insert(says, number(what));
        Self { id, version: 1, class, origin: Origin::Created, attributes, unknown: Fields::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_has_every_attribute_of_its_class_and_is_nobodys_to_change() {
        let profile = Object::profile(ObjectId([1; 16]), 4);
        for row in attribute::rows(Class::Profile, None) {
            assert!(profile.value(row.number).is_some_and(|value| row.is_well_formed(value)), "{}", row.name);
        }
        assert!(profile.is_token() && !profile.is_private());
        let changes = [CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE];
        assert!(changes.iter().all(|number| profile.value(*number) == Some(&[0])));
        // Nobody may put one into a store.
        assert!(Object::from_record(profile.id, 1, &profile.to_record()).is_err());
    }
}
