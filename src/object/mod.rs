//! Objects: the attribute table, typed templates, the rules of making an object, and its record.

mod arrival;
pub mod attribute;
mod built_in;
mod cbor;
mod certificate;
mod change;
mod check_value;
pub mod curve;
mod draft;
pub mod fields;
mod index;
mod merge;
pub mod nested;
mod pair;
mod parameters;
mod record;
mod search;
mod template;
mod trust;

pub use arrival::Arrival;
pub use change::next_version;
pub use draft::{Basis, Draft, New, Origin};
pub use index::{Column, terms};
pub use merge::{Here, Merge};
pub use record::{is_tombstone, stays, tombstone};
pub use search::{Narrowed, Search};
pub use template::{Given, Template, Way};

use std::collections::BTreeMap;

use cryptoki_sys::*;

use crate::crypto::random;
use crate::error::{Error, Result};
use crate::key::{Class, Dates, Day, Facts, KeyType, Standing, Type, Usage};
use crate::secret::Secret;
use crate::store::ObjectId;
use attribute::Attribute;
use fields::Fields;

/// Attribute values by number, each in its canonical form: a boolean is one byte, 0 or 1; a number is eight bytes,
/// little-endian; everything else is as given.
pub type Attributes = BTreeMap<u64, Vec<u8>>;

/// Values that stay inside, by the number of their attribute.
pub type Secrets = BTreeMap<u64, Secret>;

/// An object: everything about it but the value of a key, which lives apart as `key::KeyMaterial`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Random, and never another object's. Shown as `CKA_UNIQUE_ID`.
    pub id: ObjectId,
    /// Counts every change; the first is 1.
    pub version: u64,
    /// `CKA_CLASS`
    pub class: Class,
    /// How it came to be.
    pub origin: Origin,
    attributes: Attributes,
    /// What a later version wrote into the record and this one does not know.
    unknown: Fields,
}

impl Object {
    /// The canonical value of an attribute, if the object has it in the open. The value of a secret key is not here.
    pub fn value(&self, number: u64) -> Option<&[u8]> {
        self.attributes.get(&number).map(Vec::as_slice)
    }

    /// A boolean attribute; one that the object lacks is false.
    pub fn flag(&self, number: u64) -> bool {
        self.value(number) == Some(&[1])
    }

    /// A number attribute.
    pub fn number(&self, number: u64) -> Option<u64> {
        self.value(number)?.try_into().map(u64::from_le_bytes).ok()
    }

    /// The type within the class, where the class has types.
    pub fn of(&self) -> Option<Type> {
        let (attribute, _) = self.class.typed_by()?;
        Type::named(attribute, self.number(attribute)?).filter(|of| self.class.takes(*of))
    }

    /// `CKA_KEY_TYPE`, of a key.
    pub fn key_type(&self) -> Option<KeyType> {
        if self.class.is_key() { self.of()?.key() } else { None }
    }

    /// The template in an attribute; empty where there is none.
    pub fn template(&self, number: u64) -> Attributes {
        self.value(number).and_then(nested::read).unwrap_or_default()
    }

    /// Whether the object has all that a template asks for.
    pub fn fits(&self, template: &Attributes) -> bool {
        template.iter().all(|(number, value)| self.value(*number) == Some(value))
    }

    /// The point of a key of an Edwards or Montgomery curve, without the `OCTET STRING` in which `CKA_EC_POINT` has it here.
    pub fn bare_point(&self) -> Option<&[u8]> {
        match self.key_type()? {
            KeyType::EcEdwards | KeyType::EcMontgomery => curve::unwrap_point(self.value(CKA_EC_POINT)?),
            _ => None,
        }
    }

    /// The row of an attribute, if such an object can have it.
    pub fn row(&self, number: u64) -> Option<&'static Attribute> {
        attribute::of(self.class, self.of(), number)
    }

    /// Whether the numbers that a public key shows are those of the key in `CKA_PUBLIC_KEY_INFO`, which is the one that is used.
    /// True of everything else.
    pub fn shows_its_key(&self) -> bool {
        match (self.class, self.key_type()) {
            (Class::PublicKey, Some(key_type)) => {
                let given = self.value(CKA_PUBLIC_KEY_INFO).is_some_and(|info| !info.is_empty());
                given && pair::import_public(key_type, &self.attributes).is_ok()
            }
            _ => true,
        }
    }

    /// An attribute that stays inside, from the key's value.
    pub fn secret(&self, value: &Secret, number: u64) -> Option<Secret> {
        match self.class {
            Class::SecretKey | Class::OtpKey if number == CKA_VALUE => Some(value.duplicate()),
            Class::PrivateKey => pair::component(value, number),
            _ => None,
        }
    }

    /// What attributes must not say together, whichever way the object comes to be.
    fn check_consistency(&self) -> Result<()> {
        // PKCS#11 3.2, section 4.10: whose PIN would it be?
        if self.flag(CKA_ALWAYS_AUTHENTICATE) && !self.is_private() {
            return Err(Error::TemplateInconsistent("CKA_ALWAYS_AUTHENTICATE"));
        }
        if self.class == Class::Trust && !trust::names_what_it_trusts(self) {
            return Err(Error::TemplateInconsistent("CKA_HASH_OF_CERTIFICATE"));
        }
        Ok(())
    }

    /// `CKA_TOKEN`
    pub fn is_token(&self) -> bool {
        self.flag(CKA_TOKEN)
    }

    /// `CKA_PRIVATE`
    pub fn is_private(&self) -> bool {
        self.flag(CKA_PRIVATE)
    }

    /// Whether the object may travel masked: a key with a value that stays inside if it says so. A record of the time before the attribute says no for an unextractable
    /// key, for nobody was asked when it was made.
    pub fn is_maskable(&self) -> bool {
        match self.value(attribute::CKA_KEYSTEAD_MASKABLE) {
            Some(said) => said == [1],
            None => !self.class.is_secret() || self.flag(CKA_EXTRACTABLE),
        }
    }

    /// What the gate needs to know if the object is a key.
    pub fn facts(&self) -> Option<Facts> {
        let key_type = self.key_type()?;
        let size = match self.class {
            Class::SecretKey | Class::OtpKey => usize::try_from(self.number(CKA_VALUE_LEN)?).ok()?,
            _ => pair::bits(key_type, &self.attributes)?,
        };
        let usages = [
            (CKA_ENCRYPT, Usage::Encrypt),
            (CKA_DECRYPT, Usage::Decrypt),
            (CKA_SIGN, Usage::Sign),
            (CKA_VERIFY, Usage::Verify),
            (CKA_WRAP, Usage::Wrap),
            (CKA_UNWRAP, Usage::Unwrap),
            (CKA_DERIVE, Usage::Derive),
            (CKA_SIGN_RECOVER, Usage::SignRecover),
            (CKA_VERIFY_RECOVER, Usage::VerifyRecover),
        ];
        let usage = usages.iter().filter(|(number, _)| self.flag(*number)).map(|(_, usage)| *usage as u16);
        Some(Facts {
            id: self.id.0,
            class: self.class,
            key_type,
            size,
            private: self.is_private(),
            token: self.is_token(),
            verified: true,
            of_later_version: self.is_of_later_version(),
            usage: usage.fold(0, |all, bit| all | bit),
            sensitive: self.flag(CKA_SENSITIVE),
            extractable: self.flag(CKA_EXTRACTABLE),
            maskable: self.is_maskable(),
            always_sensitive: self.flag(CKA_ALWAYS_SENSITIVE),
            never_extractable: self.flag(CKA_NEVER_EXTRACTABLE),
            trusted: self.flag(CKA_TRUSTED),
            wrap_with_trusted: self.flag(CKA_WRAP_WITH_TRUSTED),
            always_authenticate: self.flag(CKA_ALWAYS_AUTHENTICATE),
            allowed_mechanisms: self.value(CKA_ALLOWED_MECHANISMS).map(|list| {
                list.chunks_exact(8).filter_map(|chunk| chunk.try_into().ok()).map(u64::from_le_bytes).collect()
            }),
            dates: Dates {
                start: self.value(CKA_START_DATE).and_then(Day::read),
                end: self.value(CKA_END_DATE).and_then(Day::read),
            },
        })
    }

    /// What the gate needs to know before the object is made, changed, copied or destroyed. `sealed`: see [`Standing::sealed`].
    pub fn standing(&self, sealed: bool) -> Standing {
        Standing {
            class: self.class,
            token: self.is_token(),
            private: self.is_private(),
            modifiable: self.flag(CKA_MODIFIABLE),
            copyable: self.flag(CKA_COPYABLE),
            destroyable: self.flag(CKA_DESTROYABLE),
            trusted: self.flag(CKA_TRUSTED),
            of_later_version: self.is_of_later_version(),
            sealed,
        }
    }
}

/// A new id, of the generator that hands out: an id is shown and kept from nobody, and the operating system takes longer for it
/// than all else about a session object.
fn new_id() -> Result<ObjectId> {
    let mut id = [0; 16];
    random::hand_out(&mut id)?;
    Ok(ObjectId(id))
}
