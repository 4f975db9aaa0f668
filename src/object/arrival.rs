//! What arrives from another token of a domain, checked before anything of it is kept. It was made by a token, but by which version, and after
//! which mishap, nobody here knows.

use cryptoki_sys::*;

use super::attribute::name;
use super::draft::described;
use super::template::{check_known, judge};
use super::{Attributes, Given, Object, check_value, curve, is_tombstone, pair};
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
    /// Whether the object has what a caller says that it has.
    ///
    /// # Errors
    /// Those of templates; [`Error::TemplateInconsistent`] names what it has otherwise. Nothing is said of a value that stays inside.
    pub fn has(&self, given: &[Given<'_>]) -> Result<()> {
        check_known(given)?;
        let said = judge(given, (self.class, self.of()), |row, _| !row.secret)?.attributes;
        match said.iter().find(|(number, value)| self.value(**number) != Some(value)) {
            Some((number, _)) => Err(Error::TemplateInconsistent(name(*number).unwrap_or_default())),
            None => Ok(()),
        }
    }

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::crypto::PrivateKey;
    use crate::crypto::ec::{Curve, EcPrivateKey};
    use crate::key::Login;
    use crate::object::{Basis, Draft, New, Template, Way, tombstone};

    fn made(way: Way, given: &[(u64, &[u8])]) -> Draft {
        let given: Vec<_> = given.iter().map(|(number, value)| Given::new(*number, value)).collect();
        Draft::new(Template::parse(&given, way).unwrap(), Basis::of(Login::User))
    }

    fn key(more: &[(u64, &[u8])]) -> (Object, Secret) {
        let given = [&[(CKA_TOKEN, [1].as_slice())], more].concat();
        let value = || Secret::from_slice(&[7; 32]);
        let draft = made(Way::Generate(Class::SecretKey, KeyType::Aes, CKM_AES_KEY_GEN), &given);
        (draft.finish_secret(value()).unwrap().0, value())
    }

    /// The private half of a pair on P-256, and its value.
    fn private() -> (Object, Secret) {
        let key = PrivateKey::Ec(EcPrivateKey::generate(Curve::P256).unwrap());
        let half = |class, given| made(Way::Generate(class, KeyType::Ec, CKM_EC_KEY_PAIR_GEN), given);
        let public: [(u64, &[u8]); 2] = [(CKA_EC_PARAMS, b"\x13\x05P-256"), (CKA_TOKEN, &[1])];
        let [_, (object, _)]: [New; 2] =
            Draft::finish_pair(half(Class::PublicKey, &public), half(Class::PrivateKey, &public[1..]), &key).unwrap();
        (object, key.to_pkcs8().unwrap())
    }

    fn with(object: &Object, number: u64, value: &[u8]) -> Object {
        let mut with = object.clone();
        with.attributes.insert(number, value.to_vec());
        with
    }

    fn arrive(object: &Object, value: Option<&Secret>) -> Result<Arrival> {
        Arrival::read(object.id, object.version, &object.to_record(), value.map(Secret::duplicate))
    }

    fn says(outcome: Result<Arrival>, words: &str) {
        let Err(Error::MaskedInvalid(why)) = outcome else { panic!("it is taken, or fails otherwise") };
        assert!(why.contains(words), "{why}");
    }

    #[test]
    fn what_a_token_has_made_arrives() {
        for (object, value) in [key(&[]), key(&[(CKA_CHECK_VALUE, &[])]), private()] {
            let Ok(Arrival::Object(arrived, Some(material))) = arrive(&object, Some(&value)) else { panic!() };
            assert!(arrived == object && material.is_same(&KeyMaterial::new([0; 16], value)));
        }
        let end = Arrival::read(ObjectId([3; 16]), 9, &tombstone(false), None).unwrap();
        assert!(matches!(end, Arrival::Tombstone { id: ObjectId([3, ..]), version: 9 }));
    }

    #[test]
    fn a_value_and_its_attributes_belong_together() {
        let ((secret, value), (private, pkcs8)) = (key(&[]), private());
        let pieces = "is not of one piece";
        let other = Secret::from_slice(&[8; 32]);
        for material in [None, Some(&other), Some(&Secret::zeroed(16)), Some(&Secret::zeroed(31)), Some(&pkcs8)] {
            says(arrive(&secret, material), pieces);
        }
        for (number, wrong) in [(CKA_VALUE_LEN, vec![16, 0, 0, 0, 0, 0, 0, 0]), (CKA_CHECK_VALUE, vec![1, 2, 3])] {
            says(arrive(&with(&secret, number, &wrong), Some(&value)), pieces);
        }
        let another = self::private();
        for material in [None, Some(&value), Some(&another.1)] {
            says(arrive(&private, material), pieces);
        }
        let info = another.0.value(CKA_PUBLIC_KEY_INFO).unwrap();
        says(arrive(&with(&private, CKA_PUBLIC_KEY_INFO, info), Some(&pkcs8)), pieces);
        says(arrive(&with(&private, CKA_EC_PARAMS, Curve::P384.oid()), Some(&pkcs8)), pieces);
        assert!(arrive(&with(&private, CKA_EC_PARAMS, Curve::P256.oid()), Some(&pkcs8)).is_ok());
        for version in [0, (1 << 62) + 1, u64::MAX] {
            says(arrive(&Object { version, ..secret.clone() }, Some(&value)), "a version that no object comes to");
        }
    }

    #[test]
    fn what_no_token_sends_does_not_arrive() {
        let (object, value) = key(&[]);
        says(arrive(&with(&object, CKA_TOKEN, &[0]), Some(&value)), "no token object");
        says(arrive(&Object { id: ObjectId([1; 16]), ..object.clone() }, Some(&value)), "of this id");
        says(Arrival::read(object.id, 1, b"", Some(value.duplicate())), "damaged record");
        says(Arrival::read(object.id, 1, &tombstone(false), Some(value.duplicate())), "damaged record");
        for (number, outcome) in [(1000, false), (1001, true)] {
            let mut later = object.clone();
            later.unknown.insert(number, vec![0]);
            assert_eq!(arrive(&later, Some(&value)).is_ok(), outcome);
        }
        for key_type in KeyType::INSIDE {
            let inside = made(Way::Inside(*key_type), &[(CKA_TOKEN, &[1])]).finish_secret(value.duplicate()).unwrap().0;
            says(arrive(&inside, Some(&value)), "what a domain itself rests on");
        }
    }

    #[test]
    fn nothing_is_told_of_a_value_by_asking_whether_the_object_has_it() {
        let (object, value) = key(&[(CKA_LABEL, b"name")]);
        let has = |number, value: &[u8]| object.has(&[Given::new(number, value)]);
        assert_eq!(has(CKA_LABEL, b"name"), Ok(()));
        assert_eq!(has(CKA_LABEL, b"other"), Err(Error::TemplateInconsistent("CKA_LABEL")));
        for guess in [value.expose(), &[0; 32]] {
            assert_eq!(has(CKA_VALUE, guess), Err(Error::AttributeReadOnly("CKA_VALUE")));
        }
    }
}
