//! Changing an object, and copying one. PKCS#11 3.2, sections 4.1.2, 4.1.3, 5.7.2 and 5.7.6.

use cryptoki_sys::{CKA_TRUSTED, CKA_UNIQUE_ID};

use super::attribute::{Attribute, Change};
use super::template::{Given, check_known, judge};
use super::{Object, new_id};
use crate::error::{Error, Result};
use crate::key::Login;

impl Object {
    /// The object as it is after `C_SetAttributeValue`: with all the changes, or with none.
    pub fn changed(&self, given: &[Given<'_>], login: Login) -> Result<Self> {
        let changed = Self {
            version: next_version(self.version)?,
            ..self.with(given, |row, new| self.lets(row.change, row, new, login))?
        };
        changed.check_consistency()?;
        Ok(changed)
    }

    /// A new object like this one, as `C_CopyObject` makes it. Its history is that of the original; only the SO can make a
    /// copy that is trusted.
    pub fn copied(&self, given: &[Given<'_>], login: Login) -> Result<Self> {
        let original = if login == Login::So { self.clone() } else { self.clone().without_trust() };
        let lets = |row: &Attribute, new: &[u8]| match row.change {
            Change::InCopy => true,
            Change::UpInCopy => original.lets(Change::Up, row, new, login),
            rule => original.lets(rule, row, new, login),
        };
        let id = new_id()?;
        let mut copy = Self { id, version: 1, ..original.with(given, lets)? };
        copy.attributes.insert(CKA_UNIQUE_ID, id.to_string().into_bytes());
        copy.check_consistency()?;
        Ok(copy)
    }

    /// The object as it is if nobody has given it trust.
    pub fn without_trust(mut self) -> Self {
        if self.flag(CKA_TRUSTED) {
            self.attributes.insert(CKA_TRUSTED, vec![0]);
        }
        self
    }

    fn with(&self, given: &[Given<'_>], allowed: impl Fn(&Attribute, &[u8]) -> bool) -> Result<Self> {
        check_known(given)?;
        let mut object = self.clone();
        object.attributes.extend(judge(given, (self.class, self.of()), allowed)?.attributes);
        Ok(object)
    }

    /// Whether a rule lets an attribute of this object have the new value.
    fn lets(&self, rule: Change, row: &Attribute, new: &[u8], login: Login) -> bool {
        let (is, becomes) = (self.flag(row.number), new == [1]);
        match rule {
            Change::Never | Change::InCopy | Change::UpInCopy => false,
            Change::Free => true,
            Change::Away => new.is_empty() || self.value(row.number) == Some(new),
            Change::Up => becomes || !is,
            Change::Down => is || !becomes,
            Change::BySo => becomes == is || login == Login::So,
        }
    }
}

/// The version after this one.
pub fn next_version(version: u64) -> Result<u64> {
    version.checked_add(1).ok_or_else(|| Error::GeneralError("an object has no version left".into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use cryptoki_sys::*;

    use super::*;
    use crate::key::{Class, KeyType};
    use crate::object::attribute::CKA_KEYSTEAD_MASKABLE;
    use crate::object::{Basis, Draft, Template, Way};
    use crate::secret::Secret;

    fn key(given: &[(u64, &[u8])]) -> Object {
        let given: Vec<_> = given.iter().map(|(number, value)| Given::new(*number, value)).collect();
        let way = Way::Generate(Class::SecretKey, KeyType::Aes, CKM_AES_KEY_GEN);
        Draft::new(Template::parse(&given, way).unwrap(), Basis::of(Login::User))
            .finish_secret(Secret::zeroed(16))
            .unwrap()
            .0
    }

    fn set(object: &Object, number: u64, value: &[u8], login: Login) -> Result<Object> {
        object.changed(&[Given::new(number, value)], login)
    }

    #[test]
    fn attributes_change_in_one_direction_only() {
        let key = key(&[(CKA_SENSITIVE, &[0]), (CKA_EXTRACTABLE, &[1])]);
        let directions = [
            (CKA_SENSITIVE, 1),
            (CKA_EXTRACTABLE, 0),
            (CKA_WRAP_WITH_TRUSTED, 1),
            (CKA_COPYABLE, 0),
            (CKA_KEYSTEAD_MASKABLE, 0),
        ];
        for (number, value) in directions {
            let changed = set(&key, number, &[value], Login::User).unwrap();
            assert_eq!(changed.value(number), Some([value].as_slice()));
            assert_eq!(changed.version, 2);
            assert!(set(&changed, number, &[value], Login::User).is_ok(), "to the value that it has");
            let back = set(&changed, number, &[1 - value], Login::User);
            assert!(matches!(back, Err(Error::AttributeReadOnly(_))));
            let copied_back = changed.copied(&[Given::new(number, &[1 - value])], Login::User);
            assert!(matches!(copied_back, Err(Error::AttributeReadOnly(_))));
        }
    }

    #[test]
    fn only_the_so_gives_trust() {
        let key = key(&[]);
        assert!(matches!(set(&key, CKA_TRUSTED, &[1], Login::User), Err(Error::AttributeReadOnly("CKA_TRUSTED"))));
        let trusted = set(&key, CKA_TRUSTED, &[1], Login::So).unwrap();
        assert!(!trusted.copied(&[], Login::User).unwrap().flag(CKA_TRUSTED));
        assert!(trusted.copied(&[], Login::So).unwrap().flag(CKA_TRUSTED));
        let saying = |value| trusted.copied(&[Given::new(CKA_TRUSTED, value)], Login::User);
        assert!(matches!(saying(&[1]), Err(Error::AttributeReadOnly("CKA_TRUSTED"))));
        assert!(!saying(&[0]).unwrap().flag(CKA_TRUSTED));
        // Who gave the trust may take it back, and nobody else.
        assert!(matches!(set(&trusted, CKA_TRUSTED, &[0], Login::User), Err(Error::AttributeReadOnly("CKA_TRUSTED"))));
        assert!(!set(&trusted, CKA_TRUSTED, &[0], Login::So).unwrap().flag(CKA_TRUSTED));
    }

    #[test]
    fn one_bad_attribute_changes_nothing() {
        let key = key(&[]);
        let class = CKO_SECRET_KEY.to_ne_bytes();
        for bad in [Given::new(CKA_LOCAL, &[1]), Given::new(CKA_CLASS, &class)] {
            let given = [Given::new(CKA_LABEL, b"new"), bad];
            assert!(matches!(key.changed(&given, Login::User), Err(Error::AttributeReadOnly(_))));
        }
    }

    #[test]
    fn a_copy_has_an_id_of_its_own_and_the_history_of_the_original() {
        let key = key(&[]);
        let given = [(CKA_TOKEN, 1), (CKA_MODIFIABLE, 0), (CKA_DESTROYABLE, 0)];
        let given: Vec<_> = given.iter().map(|(number, value)| (*number, [*value])).collect();
        let given: Vec<_> = given.iter().map(|(number, value)| Given::new(*number, value)).collect();
        let copy = key.copied(&given, Login::User).unwrap();
        assert_ne!(copy.id, key.id);
        assert_ne!(copy.value(CKA_UNIQUE_ID), key.value(CKA_UNIQUE_ID));
        assert_eq!(copy.version, 1);
        for number in [CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_KEY_GEN_MECHANISM] {
            assert_eq!(copy.value(number), key.value(number));
        }
        assert!(copy.is_token() && copy.is_private() && !copy.flag(CKA_MODIFIABLE));
        let public = key.copied(&[Given::new(CKA_PRIVATE, &[0])], Login::User);
        assert!(matches!(public, Err(Error::AttributeReadOnly("CKA_PRIVATE"))));
        assert!(matches!(set(&key, CKA_TOKEN, &[1], Login::User), Err(Error::AttributeReadOnly("CKA_TOKEN"))));
    }
}
