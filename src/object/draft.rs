//! From a judged template to an object: the defaults of the standard profile and the history that only we write.

use cryptoki_sys::*;

use super::attribute::{self, Default};
use super::fields::Fields;
use super::template::{Template, Way};
use super::{Attributes, Object, certificate, check_value, new_id, pair, parameters, trust};
use crate::crypto::PrivateKey;
use crate::error::{Error, Result};
use crate::key::{Class, KeyMaterial, KeyType, Login, Type};
use crate::secret::Secret;

/// How an object came to be, kept in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// By `C_CreateObject`.
    Created,
    /// By `C_GenerateKey` or `C_GenerateKeyPair`.
    Generated,
    /// By `C_UnwrapKey`.
    Unwrapped,
    /// By `C_DeriveKey`.
    Derived,
}

/// An object that is new, with its value if it is a secret or private key.
pub type New = (Object, Option<KeyMaterial>);

/// What the defaults depend on besides the template.
#[derive(Debug, Clone, Copy)]
pub struct Basis {
    /// Who is logged in.
    pub login: Login,
    /// Whether the token was initialised so that its unextractable keys are maskable unless they say otherwise.
    pub maskable: bool,
}

impl Basis {
    /// For who is logged in so to a token whose unextractable keys stay inside.
    pub fn of(login: Login) -> Self {
        Self { login, maskable: false }
    }
}

/// An object in the making: a template, and what the defaults need to know besides.
pub struct Draft {
    template: Template,
    basis: Basis,
    previewed: Option<Object>,
}

impl Draft {
    /// Begins an object.
    pub fn new(template: Template, basis: Basis) -> Self {
        Self { template, basis, previewed: None }
    }

    /// The object as the gate must judge it before any key is made.
    pub fn preview(&mut self) -> Result<&Object> {
        let object = self.object()?;
        Ok(self.previewed.insert(object))
    }

    /// Finishes an object whose template holds everything.
    pub fn finish(mut self) -> Result<New> {
        let Template { class, of, ref mut secrets, ref attributes, .. } = self.template;
        match (class, of) {
            (Class::SecretKey | Class::OtpKey, Some(Type::Key(key_type))) => {
                let value = secrets.remove(&CKA_VALUE).ok_or(Error::TemplateIncomplete("CKA_VALUE"))?;
                if !key_type.takes_length(value.len()) {
                    return Err(Error::AttributeValueInvalid("CKA_VALUE"));
                }
                self.finish_secret(value)
            }
            (Class::PrivateKey, Some(Type::Key(key_type))) => {
                let key = pair::import_private(key_type, attributes, secrets)?;
                self.finish_private(&key)
            }
            _ => {
                let known = described(class, of, attributes)?;
                Ok((self.complete(known)?, None))
            }
        }
    }

    /// Finishes a secret key with the value that was made for it.
    pub fn finish_secret(self, value: Secret) -> Result<New> {
        let mut known = Attributes::from([(CKA_VALUE_LEN, number(value.len() as u64))]);
        if let Some(check_value) =
            check_value::of_secret_key(self.template.key_type(), &self.template.attributes, &value)?
        {
            known.insert(CKA_CHECK_VALUE, check_value);
        }
        let object = self.complete(known)?;
        let id = object.id.0;
        Ok((object, Some(KeyMaterial::new(id, value))))
    }

    /// Finishes a private key that was made or found for it. The value that stays inside is its `PrivateKeyInfo`.
    ///
    /// # Errors
    /// [`Error::TemplateInconsistent`] if the key is of another type than the template.
    pub fn finish_private(self, key: &PrivateKey) -> Result<New> {
        let public = key.public()?;
        pair::agrees(&self.template.attributes, &public)?;
        self.complete_private(key, pair::describe(&public)?)
    }

    /// Finishes the two halves of a pair, the public one first.
    pub fn finish_pair(public: Self, private: Self, key: &PrivateKey) -> Result<[New; 2]> {
        // Once for both: to write a point costs a third of making the key.
        let made = key.public()?;
        pair::agrees(public.given(), &made)?;
        pair::agrees(private.given(), &made)?;
        let mut known = pair::describe(&made)?;
        // Both name the curve as the caller does.
        known.extend(public.given().get(&CKA_EC_PARAMS).map(|named| (CKA_EC_PARAMS, named.clone())));
        Ok([(public.complete(known.clone())?, None), private.complete_private(key, known)?])
    }

    /// What was given, in canonical form.
    pub fn given(&self) -> &Attributes {
        &self.template.attributes
    }

    /// `CKA_PRIVATE`: keys are private if there is a user they can belong to; everything else is public.
    pub(super) fn is_private_by_default(&self) -> bool {
        self.template.class.is_secret() && self.basis.login == Login::User
    }

    /// `CKA_ENCRYPT`, `CKA_DECRYPT` of secret keys: what the type can do, but not for a key that is asked to wrap or unwrap,
    /// for the two together let every user read every extractable key.
    pub(super) fn encrypts_by_default(&self) -> bool {
        self.is_of(&[KeyType::Aes]) && !self.asks_for(CKA_WRAP) && !self.asks_for(CKA_UNWRAP)
    }

    /// `CKA_SIGN`, `CKA_VERIFY` of pairs.
    pub(super) fn signs_by_default(&self) -> bool {
        self.is_of(&[KeyType::Rsa, KeyType::Ec, KeyType::EcEdwards])
    }

    /// `CKA_DERIVE`: private keys of the types that agree on secrets.
    pub(super) fn derives_by_default(&self) -> bool {
        self.template.class == Class::PrivateKey && self.is_of(&[KeyType::Ec, KeyType::EcMontgomery])
    }

    /// `CKA_ENCRYPT`, `CKA_DECRYPT`, `CKA_WRAP`, `CKA_UNWRAP` of pairs.
    pub(super) fn is_rsa(&self) -> bool {
        self.is_of(&[KeyType::Rsa])
    }

    /// `CKA_EXTRACTABLE`. PKCS#11 3.2, section 5.18.4: unwrapped keys are.
    pub(super) fn is_extractable_by_default(&self) -> bool {
        self.template.way == Way::Unwrap
    }

    /// `CKA_KEYSTEAD_MASKABLE`: what may leave at all may leave so; for the rest the token was told when it was initialised.
    pub(super) fn is_maskable_by_default(&self) -> bool {
        let given = self.template.attributes.get(&CKA_EXTRACTABLE).map(|value| value == &[1]);
        given.unwrap_or_else(|| self.is_extractable_by_default()) || self.basis.maskable
    }

    fn is_of(&self, types: &[KeyType]) -> bool {
        self.template.key_type().is_some_and(|key_type| types.contains(&key_type))
    }

    fn asks_for(&self, number: u64) -> bool {
        self.template.attributes.get(&number).is_some_and(|value| value == &[1])
    }

    fn complete_private(self, key: &PrivateKey, known: Attributes) -> Result<New> {
        if self.template.key_type() != Some(KeyType::of(key)) {
            return Err(Error::TemplateInconsistent("CKA_KEY_TYPE"));
        }
        let object = self.complete(known)?;
        let id = object.id.0;
        Ok((object, Some(KeyMaterial::new(id, key.to_pkcs8()?))))
    }

    /// The object, with what is known of it besides its template.
    fn complete(mut self, known: Attributes) -> Result<Object> {
        let mut object = match self.previewed.take() {
            Some(object) => object,
            None => self.object()?,
        };
        for (number, value) in known {
            // A curve stays named as the caller named it.
            let keeps = number == CKA_EC_PARAMS && object.attributes.contains_key(&number);
            if !keeps && object.row(number).is_some() {
                object.attributes.insert(number, value);
            }
        }
        Ok(object)
    }

    /// The object as its template and the defaults make it.
    fn object(&self) -> Result<Object> {
        let Template { way, class, of, ref attributes, .. } = self.template;
        let mut all = Attributes::new();
        for row in attribute::rows(class, of) {
            let value = match (attributes.get(&row.number), row.default) {
                (Some(given), _) => Some(given.clone()),
                (None, Default::Absent | Default::Set) => None,
                (None, Default::Empty) => Some(Vec::new()),
                (None, Default::Bool(value)) => Some(vec![u8::from(value)]),
                (None, Default::Number(value)) => Some(number(value)),
                (None, Default::Rule(rule, _)) => Some(vec![u8::from(rule(self))]),
            };
            if let Some(value) = value {
                all.insert(row.number, value);
            }
        }
        let id = new_id()?;
        all.insert(CKA_CLASS, number(class.number()));
        all.insert(CKA_UNIQUE_ID, id.to_string().into_bytes());
        if let (Some((attribute, _)), Some(of)) = (class.typed_by(), of) {
            all.insert(attribute, number(of.number()));
        }
        self.write_history(&mut all);
        let origin = match way {
            Way::Create => Origin::Created,
            Way::Generate(..) | Way::Inside(_) => Origin::Generated,
            Way::Unwrap => Origin::Unwrapped,
            Way::Derive(..) => Origin::Derived,
        };
        let object = Object { id, version: 1, class, origin, attributes: all, unknown: Fields::new() };
        // Nobody could see it, not even who makes it.
        if object.is_private() && self.basis.login != Login::User {
            return Err(Error::UserNotLoggedIn);
        }
        object.check_consistency()?;
        Ok(object)
    }

    /// PKCS#11 3.2, sections 4.8 and 4.10 to 4.12: only a generated key has always been here, and only it, or one derived from
    /// such a one, can always have been sensitive and never extractable.
    fn write_history(&self, all: &mut Attributes) {
        let is = |number: u64| all.get(&number).is_some_and(|value| value == &[1]);
        let (local, mechanism, (sensitive, unextractable)) = match self.template.way {
            Way::Generate(_, _, mechanism) => (true, mechanism, (true, true)),
            Way::Inside(_) => (false, CK_UNAVAILABLE_INFORMATION, (true, true)),
            Way::Create | Way::Unwrap => (false, CK_UNAVAILABLE_INFORMATION, (false, false)),
            Way::Derive(sensitive, unextractable) => (false, CK_UNAVAILABLE_INFORMATION, (sensitive, unextractable)),
        };
        let history = [
            (CKA_LOCAL, vec![u8::from(local)]),
            (CKA_KEY_GEN_MECHANISM, number(mechanism)),
            (CKA_ALWAYS_SENSITIVE, vec![u8::from(sensitive && is(CKA_SENSITIVE))]),
            (CKA_NEVER_EXTRACTABLE, vec![u8::from(unextractable && !is(CKA_EXTRACTABLE))]),
        ];
        let Template { class, of, .. } = self.template;
        all.extend(history.into_iter().filter(|(number, _)| attribute::of(class, of, *number).is_some()));
    }
}

/// What the library knows of an object without a value that stays inside, from what a template or the object itself says.
pub(super) fn described(class: Class, of: Option<Type>, open: &Attributes) -> Result<Attributes> {
    match (class, of) {
        (Class::PublicKey, Some(Type::Key(key_type))) => pair::describe(&pair::import_public(key_type, open)?),
        (Class::Certificate, Some(Type::Certificate(of))) => certificate::describe(of, open),
        (Class::DomainParameters, _) => parameters::describe(open),
        (Class::Trust, _) => trust::describe(open),
        _ => Ok(Attributes::new()),
    }
}

pub(super) fn number(number: u64) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::crypto::ec::{Curve, EcPrivateKey};
    use crate::crypto::montgomery::X25519PrivateKey;
    use crate::object::attribute::CKA_KEYSTEAD_MASKABLE;
    use crate::object::{Given, curve};

    fn key(way: Way, login: Login, given: &[(u64, &[u8])]) -> Object {
        key_on(Basis::of(login), way, given)
    }

    fn key_on(basis: Basis, way: Way, given: &[(u64, &[u8])]) -> Object {
        let (class, aes) = (CKO_SECRET_KEY.to_ne_bytes(), CKK_AES.to_ne_bytes());
        let named: [(u64, &[u8]); 2] = [(CKA_CLASS, &class), (CKA_KEY_TYPE, &aes)];
        let all: Vec<_> = named.iter().chain(given).map(|(number, value)| Given::new(*number, value)).collect();
        let draft = Draft::new(Template::parse(&all, way).unwrap(), basis);
        draft.finish_secret(Secret::zeroed(16)).unwrap().0
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
            (CKA_KEYSTEAD_MASKABLE, false),
        ];
        for (number, value) in expected {
            assert_eq!(made.flag(number), value, "{}", attribute::name(number).unwrap());
            assert!(made.value(number).is_some());
        }
        assert!(!key(GENERATE, Login::Public, &[]).is_private());
        assert_eq!(made.number(CKA_KEY_GEN_MECHANISM), Some(CKM_AES_KEY_GEN));
        assert_eq!(made.value(CKA_ALLOWED_MECHANISMS), None);
    }

    /// What may leave wrapped may leave masked; for the rest the token was told at its beginning, and a template may say
    /// otherwise in each case.
    #[test]
    fn keys_are_maskable_if_extractable_or_as_the_token_says() {
        for token in [false, true] {
            let basis = Basis { login: Login::User, maskable: token };
            for way in [GENERATE, Way::Create, Way::Unwrap, Way::Derive(true, true)] {
                for extractable in [None, Some(false), Some(true)] {
                    for said in [None, Some(false), Some(true)] {
                        let given = [(CKA_EXTRACTABLE, extractable), (CKA_KEYSTEAD_MASKABLE, said)];
                        let given = given.map(|(number, value)| value.map(|value| (number, [u8::from(value)])));
                        let mut given: Vec<(u64, &[u8])> =
                            given.iter().flatten().map(|(number, value)| (*number, value.as_slice())).collect();
                        if way == Way::Create {
                            given.push((CKA_VALUE, &[1; 16]));
                        }
                        let key = key_on(basis, way, &given);
                        let expected = said.unwrap_or(key.flag(CKA_EXTRACTABLE) || token);
                        assert_eq!(key.is_maskable(), expected, "{way:?} {extractable:?} {said:?} {token}");
                        assert_eq!(key.flag(CKA_KEYSTEAD_MASKABLE), expected);
                    }
                }
            }
        }
    }

    #[test]
    fn a_record_without_the_attribute_lets_no_unextractable_key_go() {
        for (extractable, maskable) in [(0, false), (1, true)] {
            let mut key = key(GENERATE, Login::User, &[(CKA_EXTRACTABLE, &[extractable])]);
            key.attributes.remove(&CKA_KEYSTEAD_MASKABLE);
            assert_eq!(key.is_maskable(), maskable);
            let raised = key.changed(&[Given::new(CKA_KEYSTEAD_MASKABLE, &[1])], Login::User);
            assert!(raised.is_err());
            let later = key.changed(&[Given::new(CKA_EXTRACTABLE, &[0])], Login::User).unwrap();
            assert!(!later.is_maskable());
        }
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

    #[test]
    fn what_was_previewed_is_what_is_made() {
        let mut draft = Draft::new(Template::parse(&[], GENERATE).unwrap(), Basis::of(Login::User));
        let previewed = draft.preview().unwrap().clone();
        let (mut made, material) = draft.finish_secret(Secret::zeroed(16)).unwrap();
        assert_eq!(made.number(CKA_VALUE_LEN), Some(16));
        made.attributes.retain(|number, _| ![CKA_VALUE_LEN, CKA_CHECK_VALUE].contains(number));
        assert_eq!(made, previewed);
        assert!(material.is_some());
        let digits: String = made.id.0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(made.value(CKA_UNIQUE_ID), Some(digits.as_bytes()));
        assert_ne!(made.id.0, [0; 16]);
    }

    #[test]
    fn both_halves_of_a_pair_name_the_curve_as_the_caller_does() {
        let named = [&[0x13, 5], b"P-256".as_slice()].concat();
        let key = PrivateKey::Ec(EcPrivateKey::generate(Curve::P256).unwrap());
        assert_eq!(pair_named(&named, &key), [Some(named.clone()), Some(named)]);
    }

    #[test]
    fn a_public_key_that_shows_another_key_is_noticed() {
        let key = || PrivateKey::Ec(EcPrivateKey::generate(Curve::P256).unwrap());
        let public = |key: &PrivateKey| {
            let way = Way::Generate(Class::PublicKey, KeyType::Ec, CKM_EC_KEY_PAIR_GEN);
            let given = [Given::new(CKA_EC_PARAMS, Curve::P256.oid())];
            let draft = Draft::new(Template::parse(&given, way).unwrap(), Basis::of(Login::User));
            let known = pair::describe(&key.public().unwrap()).unwrap();
            draft.complete(known).unwrap()
        };
        let (good, other) = (public(&key()), public(&key()));
        assert!(good.shows_its_key());
        let mut forged = good.clone();
        forged.attributes.insert(CKA_PUBLIC_KEY_INFO, other.value(CKA_PUBLIC_KEY_INFO).unwrap().to_vec());
        assert!(!forged.shows_its_key());
        forged.attributes.insert(CKA_PUBLIC_KEY_INFO, Vec::new());
        assert!(!forged.shows_its_key());
    }

    #[test]
    fn a_name_that_is_no_der_is_not_kept() {
        let key = PrivateKey::X25519(X25519PrivateKey::generate().unwrap());
        let own = Some(curve::X25519.to_vec());
        assert_eq!(pair_named(b"\x13\x0bcurve25519", &key), [own.clone(), own]);
    }

    /// `CKA_EC_PARAMS` of both halves of a pair that was generated with this name of the curve.
    fn pair_named(named: &[u8], key: &PrivateKey) -> [Option<Vec<u8>>; 2] {
        let draft = |given: &[Given<'_>], class| {
            let way = Way::Generate(class, KeyType::of(key), CKM_EC_KEY_PAIR_GEN);
            let mut draft = Draft::new(Template::parse(given, way).unwrap(), Basis::of(Login::User));
            draft.preview().unwrap();
            draft
        };
        let public = draft(&[Given::new(CKA_EC_PARAMS, named)], Class::PublicKey);
        let private = draft(&[], Class::PrivateKey);
        let pair = Draft::finish_pair(public, private, key).unwrap();
        pair.map(|(half, _)| half.value(CKA_EC_PARAMS).map(<[u8]>::to_vec))
    }
}
