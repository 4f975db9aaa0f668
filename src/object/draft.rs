//! From a judged template to an object: the defaults of the standard profile and the history that only we write.

use cryptoki_sys::*;

use super::attribute::{self, Default};
use super::template::{Template, Way};
use super::{Attributes, Object};
use crate::crypto::random;
use crate::error::{Error, Result};
use crate::key::{Class, KeyMaterial, KeyType, Login};
use crate::secret::Secret;
use crate::store::ObjectId;

/// How an object came to be, kept in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// By `C_CreateObject`.
    Created,
    /// By `C_GenerateKey`.
    Generated,
    /// By `C_UnwrapKey`.
    Unwrapped,
}

/// An object in the making: a template, and what the defaults need to know besides.
pub struct Draft {
    template: Template,
    login: Login,
}

impl Draft {
    /// Begins an object for a caller who is logged in so.
    pub fn new(template: Template, login: Login) -> Self {
        Self { template, login }
    }

    /// The object as the gate must judge it before any key is made.
    pub fn preview(&self) -> Result<Object> {
        self.object(ObjectId([0; 16]), 0)
    }

    /// Finishes an object whose template holds everything.
    pub fn finish(mut self) -> Result<(Object, Option<KeyMaterial>)> {
        match self.template.value.take() {
            Some(value) => self.finish_key(value).map(|(object, material)| (object, Some(material))),
            None => Ok((self.object(ObjectId(random::bytes()?), 0)?, None)),
        }
    }

    /// Finishes a key with the value that was generated or unwrapped for it.
    pub fn finish_key(self, value: Secret) -> Result<(Object, KeyMaterial)> {
        let id = ObjectId(random::bytes()?);
        let object = self.object(id, value.len())?;
        Ok((object, KeyMaterial::new(id.0, value)))
    }

    /// `CKA_PRIVATE`: keys are private if there is a user they can belong to; everything else is public.
    pub(super) fn is_private_by_default(&self) -> bool {
        self.template.class == Class::SecretKey && self.login == Login::User
    }

    /// `CKA_ENCRYPT`, `CKA_DECRYPT`: what the type can do, but not for a key that is asked to wrap or unwrap, for the two
    /// together let every user read every extractable key.
    pub(super) fn encrypts_by_default(&self) -> bool {
        self.template.key_type == Some(KeyType::Aes) && !self.asks_for(CKA_WRAP) && !self.asks_for(CKA_UNWRAP)
    }

    /// `CKA_EXTRACTABLE`. PKCS#11 3.2, section 5.18.4: unwrapped keys are.
    pub(super) fn is_extractable_by_default(&self) -> bool {
        self.template.way == Way::Unwrap
    }

    fn asks_for(&self, number: u64) -> bool {
        self.template.attributes.get(&number).is_some_and(|value| value == &[1])
    }

    fn object(&self, id: ObjectId, value_length: usize) -> Result<Object> {
        let Template { way, class, key_type, ref attributes, .. } = self.template;
        let mut all = Attributes::new();
        for row in attribute::rows(class) {
            let value = match (attributes.get(&row.number), row.default) {
                (Some(given), _) => Some(given.clone()),
                (None, Default::Absent | Default::Set) => None,
                (None, Default::Empty) => Some(Vec::new()),
                (None, Default::Bool(value)) => Some(vec![u8::from(value)]),
                (None, Default::Rule(rule)) => Some(vec![u8::from(rule(self))]),
            };
            if let Some(value) = value {
                all.insert(row.number, value);
            }
        }
        all.insert(CKA_CLASS, number(class.number()));
        all.insert(CKA_UNIQUE_ID, id.to_string().into_bytes());
        if let Some(key_type) = key_type {
            all.insert(CKA_KEY_TYPE, number(key_type.number()));
            all.insert(CKA_VALUE_LEN, number(value_length as u64));
            self.write_history(&mut all);
        }
        let origin = match way {
            Way::Create => Origin::Created,
            Way::Generate(..) => Origin::Generated,
            Way::Unwrap => Origin::Unwrapped,
        };
        let object = Object { id, version: 1, class, origin, attributes: all };
        // Nobody could see it, not even who makes it.
        if object.is_private() && self.login != Login::User {
            return Err(Error::UserNotLoggedIn);
        }
        Ok(object)
    }

    /// PKCS#11 3.2, sections 4.8 and 4.10: only a generated key has always been here, and only it can always have been
    /// sensitive and never extractable.
    fn write_history(&self, all: &mut Attributes) {
        let is = |number: u64| all.get(&number).is_some_and(|value| value == &[1]);
        let (local, mechanism) = match self.template.way {
            Way::Generate(_, _, mechanism) => (true, mechanism),
            Way::Create | Way::Unwrap => (false, CK_UNAVAILABLE_INFORMATION),
        };
        let always_sensitive = local && is(CKA_SENSITIVE);
        let never_extractable = local && !is(CKA_EXTRACTABLE);
        all.insert(CKA_LOCAL, vec![u8::from(local)]);
        all.insert(CKA_KEY_GEN_MECHANISM, number(mechanism));
        all.insert(CKA_ALWAYS_SENSITIVE, vec![u8::from(always_sensitive)]);
        all.insert(CKA_NEVER_EXTRACTABLE, vec![u8::from(never_extractable)]);
    }
}

fn number(number: u64) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::object::Given;

    fn key(way: Way, login: Login, given: &[(u64, &[u8])]) -> Object {
        let (class, aes) = (CKO_SECRET_KEY.to_ne_bytes(), CKK_AES.to_ne_bytes());
        let named: [(u64, &[u8]); 2] = [(CKA_CLASS, &class), (CKA_KEY_TYPE, &aes)];
        let all: Vec<_> = named.iter().chain(given).map(|(number, value)| Given { number: *number, value }).collect();
        let draft = Draft::new(Template::parse(&all, way).unwrap(), login);
        draft.finish_key(Secret::zeroed(16)).unwrap().0
    }

    const GENERATE: Way = Way::Generate(Class::SecretKey, KeyType::Aes, CKM_AES_KEY_GEN);

    #[test]
    fn defaults_are_those_of_the_standard_profile() {
        let made = key(GENERATE, Login::User, &[]);
        let expected = [
            (CKA_TOKEN, false),
            (CKA_PRIVATE, true),
            (CKA_SENSITIVE, true),
            (CKA_EXTRACTABLE, false),
            (CKA_ENCRYPT, true),
            (CKA_DECRYPT, true),
            (CKA_SIGN, true),
            (CKA_VERIFY, true),
            (CKA_WRAP, false),
            (CKA_UNWRAP, false),
            (CKA_DERIVE, false),
            (CKA_MODIFIABLE, true),
            (CKA_COPYABLE, true),
            (CKA_DESTROYABLE, true),
            (CKA_LOCAL, true),
            (CKA_ALWAYS_SENSITIVE, true),
            (CKA_NEVER_EXTRACTABLE, true),
        ];
        for (number, value) in expected {
            assert_eq!(made.flag(number), value, "{}", attribute::name(number).unwrap());
            assert!(made.value(number).is_some());
        }
        assert!(!key(GENERATE, Login::Public, &[]).is_private());
        assert_eq!(made.number(CKA_KEY_GEN_MECHANISM), Some(CKM_AES_KEY_GEN));
        assert_eq!(made.value(CKA_ALLOWED_MECHANISMS), None);
    }

    #[test]
    fn a_key_that_wraps_does_not_encrypt_unless_asked() {
        let wrapping = key(GENERATE, Login::User, &[(CKA_WRAP, &[1])]);
        assert!(!wrapping.flag(CKA_ENCRYPT) && !wrapping.flag(CKA_DECRYPT));
        let both = key(GENERATE, Login::User, &[(CKA_WRAP, &[1]), (CKA_ENCRYPT, &[1])]);
        assert!(both.flag(CKA_ENCRYPT) && !both.flag(CKA_DECRYPT));
    }

    #[test]
    fn an_unwrapped_key_has_no_history_and_may_leave_again() {
        let unwrapped = key(Way::Unwrap, Login::User, &[]);
        assert!(unwrapped.flag(CKA_EXTRACTABLE) && unwrapped.flag(CKA_SENSITIVE));
        assert!(!unwrapped.flag(CKA_LOCAL) && !unwrapped.flag(CKA_ALWAYS_SENSITIVE));
        assert!(!unwrapped.flag(CKA_NEVER_EXTRACTABLE));
        assert_eq!(unwrapped.number(CKA_KEY_GEN_MECHANISM), Some(CK_UNAVAILABLE_INFORMATION));
    }
}
