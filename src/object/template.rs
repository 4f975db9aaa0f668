//! A caller's template, judged once.
//!
//! The order of verdicts: attribute known, value well-formed, allowed in this way of making, consistent, complete. (Pointers
//! and lengths were judged before, in `abi`.) PKCS#11 3.2, section 4.1.

use std::borrow::Cow;

use cryptoki_sys::*;
use zeroize::Zeroizing;

use super::attribute::{self, Attribute, Role};
use super::{Attributes, Secrets};
use crate::error::{Error, Result};
use crate::key::{Class, KeyType, Type};
use crate::secret::Secret;

/// One attribute as a caller gave it.
#[derive(Debug, Clone)]
pub struct Given<'a> {
    /// The attribute's number.
    pub number: u64,
    /// The bytes, in the caller's form; of an attribute that is a template itself, the form that [`nested`] makes.
    pub value: Cow<'a, [u8]>,
}

impl<'a> Given<'a> {
    /// An attribute with these bytes.
    pub fn new(number: u64, value: &'a [u8]) -> Self {
        Self { number, value: Cow::Borrowed(value) }
    }
}

/// How an object comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `C_CreateObject`
    Create,
    /// `C_GenerateKey` and `C_GenerateKeyPair`, for keys of this class and type, with this mechanism.
    Generate(Class, KeyType, u64),
    /// `C_UnwrapKey`
    Unwrap,
    /// By the library itself, which alone makes keys of this type: see [`KeyType::INSIDE`].
    Inside(KeyType),
    /// `C_DeriveKey`, from a base key of which these were true: `CKA_ALWAYS_SENSITIVE`, `CKA_NEVER_EXTRACTABLE`.
    Derive(bool, bool),
}

/// A template that is known, well-formed, allowed, consistent and complete for its way.
pub struct Template {
    /// The way it was judged for.
    pub way: Way,
    /// `CKA_CLASS`
    pub class: Class,
    /// The type within the class, where the class has types.
    pub of: Option<Type>,
    /// `CKA_VALUE_LEN`, where given.
    pub value_length: Option<usize>,
    /// Values that stay inside, where given.
    pub secrets: Secrets,
    /// Everything else that was given, in canonical form.
    pub attributes: Attributes,
}

impl Template {
    /// Judges what a caller gave, with what the template in another key adds to it: `CKA_UNWRAP_TEMPLATE`,
    /// `CKA_DERIVE_TEMPLATE`. The two may not contradict each other. PKCS#11 3.2, sections 5.18.4 and 5.18.5.
    pub fn parse_under(given: &[Given<'_>], added: &Attributes, way: Way) -> Result<Self> {
        let added = added
            .iter()
            .map(|(number, value)| Given { number: *number, value: attribute::native(*number, value).into() });
        let all: Vec<_> = given.iter().cloned().chain(added).collect();
        Self::parse(&all, way)
    }

    /// Judges what a caller gave.
    pub fn parse(given: &[Given<'_>], way: Way) -> Result<Self> {
        check_known(given)?;
        let class = class(given, way)?;
        let of = type_within(class, given, way)?;
        let Judged { attributes, secrets } = judge(given, (class, of), |row, _| role(row, way) != Role::Forbidden)?;
        let is_given = |row: &Attribute| attributes.contains_key(&row.number) || secrets.contains_key(&row.number);
        let mut rows = attribute::rows(class, of);
        if let Some(missing) = rows.find(|row| role(row, way) == Role::Required && !is_given(row)) {
            return Err(Error::TemplateIncomplete(missing.name));
        }
        let value_length = match number(&attributes, CKA_VALUE_LEN) {
            Some(length) => Some(usize::try_from(length).map_err(|_| Error::AttributeValueInvalid("CKA_VALUE_LEN"))?),
            None => None,
        };
        Ok(Self { way, class, of, value_length, secrets, attributes })
    }

    /// `CKA_KEY_TYPE`, for keys.
    pub fn key_type(&self) -> Option<KeyType> {
        if self.class.is_key() { self.of?.key() } else { None }
    }
}

/// What a caller gave, in canonical form.
pub(super) struct Judged {
    /// What may be shown.
    pub attributes: Attributes,
    /// Values that stay inside.
    pub secrets: Secrets,
}

/// The first verdict: whether every attribute is one that some class has.
pub(super) fn check_known(given: &[Given<'_>]) -> Result<()> {
    given.iter().try_for_each(|one| match attribute::name(one.number) {
        Some(_) => Ok(()),
        None => Err(Error::AttributeTypeInvalid(one.number)),
    })
}

/// The next verdicts, for attributes that are known: well-formed, allowed, consistent with class and type and with each other.
/// `allowed` gets each row with the canonical value that was given for it.
pub(super) fn judge(
    given: &[Given<'_>],
    (class, of): (Class, Option<Type>),
    allowed: impl Fn(&Attribute, &[u8]) -> bool,
) -> Result<Judged> {
    let (mut attributes, mut secrets) = (Attributes::new(), Secrets::new());
    let (mut forbidden, mut inconsistent) = (None, None);
    for one in given {
        let Some(row) = attribute::of(class, of, one.number) else {
            inconsistent = inconsistent.or(attribute::name(one.number));
            continue;
        };
        let canonical = Zeroizing::new(row.canonical(&one.value).ok_or(Error::AttributeValueInvalid(row.name))?);
        if !allowed(row, &canonical) {
            forbidden = forbidden.or(Some(row.name));
        }
        let earlier_differs = if row.secret {
            let secret = Secret::from_slice(&canonical);
            secrets.insert(row.number, secret.duplicate()).is_some_and(|earlier| earlier != secret)
        } else {
            attributes.insert(row.number, canonical.to_vec()).is_some_and(|earlier| earlier != *canonical)
        };
        if earlier_differs {
            inconsistent = inconsistent.or(Some(row.name));
        }
    }
    match (forbidden, inconsistent) {
        (Some(name), _) => Err(Error::AttributeReadOnly(name)),
        (None, Some(name)) => Err(Error::TemplateInconsistent(name)),
        (None, None) => Ok(Judged { attributes, secrets }),
    }
}

/// The class that the template is for: given, or known from the mechanism.
fn class(given: &[Given<'_>], way: Way) -> Result<Class> {
    let named = match named(given, CKA_CLASS, "CKA_CLASS")? {
        Some(number) => Some(Class::from_number(number).ok_or(unknown(way, "CKA_CLASS"))?),
        None => None,
    };
    match (way, named) {
        (Way::Generate(made, ..), None) => Ok(made),
        (Way::Generate(made, ..), Some(named)) if made != named => Err(Error::TemplateInconsistent("CKA_CLASS")),
        // PKCS#11 3.2, sections 5.18.4 and 5.18.5: what is unwrapped is a secret or private key, what is derived a secret one.
        (Way::Unwrap, Some(class)) if !class.is_wrapped() => Err(Error::TemplateInconsistent("CKA_CLASS")),
        (Way::Derive(..) | Way::Inside(_), None) => Ok(Class::SecretKey),
        (Way::Derive(..), Some(class)) if class != Class::SecretKey => Err(Error::TemplateInconsistent("CKA_CLASS")),
        // `CKR_ACTION_PROHIBITED` is not among the codes of C_CreateObject: section 5.1.6 leaves it to copy, change and destroy.
        (Way::Create, Some(class)) if class.is_built_in() => Err(Error::AttributeValueInvalid("CKA_CLASS")),
        (_, Some(named)) => Ok(named),
        (_, None) => Err(Error::TemplateIncomplete("CKA_CLASS")),
    }
}

/// The type within the class that the template is for, if the class has types.
fn type_within(class: Class, given: &[Given<'_>], way: Way) -> Result<Option<Type>> {
    let Some((attribute, name)) = class.typed_by() else {
        return Ok(None);
    };
    let of = match (way, named(given, attribute, name)?) {
        (Way::Generate(_, made, _), Some(number)) if number != made.number() => {
            return Err(Error::TemplateInconsistent(name));
        }
        (Way::Generate(_, made, _) | Way::Inside(made), _) => Type::Key(made),
        // PKCS#11 3.2, section 6.20.5, and the like: without a type, the derived key is a generic secret.
        (Way::Derive(..), None) => Type::Key(KeyType::GenericSecret),
        (_, None) => return Err(Error::TemplateIncomplete(name)),
        (_, Some(number)) => Type::named(attribute, number).ok_or(unknown(way, name))?,
    };
    if of.key().is_some_and(KeyType::is_inside) && !matches!(way, Way::Inside(_)) {
        return Err(unknown(way, name));
    }
    if class.takes(of) { Ok(Some(of)) } else { Err(Error::TemplateInconsistent(name)) }
}

/// The verdict on a class or type that the token does not know: where the mechanism says which it is, it is another one.
fn unknown(way: Way, name: &'static str) -> Error {
    match way {
        Way::Generate(..) => Error::TemplateInconsistent(name),
        _ => Error::AttributeValueInvalid(name),
    }
}

/// A number that decides which rows the template is judged by.
fn named(given: &[Given<'_>], number: u64, name: &'static str) -> Result<Option<u64>> {
    let Some(one) = given.iter().find(|one| one.number == number) else {
        return Ok(None);
    };
    one.value
        .as_ref()
        .try_into()
        .map(|bytes| Some(u64::from_ne_bytes(bytes)))
        .map_err(|_| Error::AttributeValueInvalid(name))
}

fn role(row: &Attribute, way: Way) -> Role {
    match way {
        Way::Create => row.create,
        Way::Generate(..) | Way::Inside(_) => row.generate,
        Way::Unwrap => row.unwrap,
        Way::Derive(..) if row.unwrap == Role::Required => Role::Optional,
        Way::Derive(..) => row.unwrap,
    }
}

fn number(attributes: &Attributes, number: u64) -> Option<u64> {
    attributes.get(&number)?.as_slice().try_into().map(u64::from_le_bytes).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const SECRET_KEY: [u8; 8] = CKO_SECRET_KEY.to_ne_bytes();
    const AES: [u8; 8] = CKK_AES.to_ne_bytes();

    fn verdict(way: Way, given: &[(u64, &[u8])]) -> Option<Error> {
        let given: Vec<_> = given.iter().map(|(number, value)| Given::new(*number, value)).collect();
        Template::parse(&given, way).err()
    }

    #[test]
    fn each_fault_has_its_own_verdict() {
        let key: [(u64, &[u8]); 2] = [(CKA_CLASS, &SECRET_KEY), (CKA_KEY_TYPE, &AES)];
        let with = |more: &[(u64, &[u8])]| verdict(Way::Create, &[&key, more].concat());
        assert_eq!(with(&[(CKA_VALUE, &[0; 16])]), None);
        assert_eq!(with(&[]), Some(Error::TemplateIncomplete("CKA_VALUE")));
        assert_eq!(with(&[(0x1234_5678, &[])]), Some(Error::AttributeTypeInvalid(0x1234_5678)));
        assert_eq!(with(&[(CKA_TOKEN, &[1; 8])]), Some(Error::AttributeValueInvalid("CKA_TOKEN")));
        assert_eq!(with(&[(CKA_MODULUS, &[1])]), Some(Error::TemplateInconsistent("CKA_MODULUS")));
        assert_eq!(with(&[(CKA_APPLICATION, &[1])]), Some(Error::TemplateInconsistent("CKA_APPLICATION")));
        assert_eq!(with(&[(CKA_LOCAL, &[1])]), Some(Error::AttributeReadOnly("CKA_LOCAL")));
        assert_eq!(with(&[(CKA_VALUE_LEN, &[0; 8])]), Some(Error::AttributeReadOnly("CKA_VALUE_LEN")));
        assert_eq!(verdict(Way::Create, &key[..1]), Some(Error::TemplateIncomplete("CKA_KEY_TYPE")));
        assert_eq!(verdict(Way::Create, &[]), Some(Error::TemplateIncomplete("CKA_CLASS")));
        assert_eq!(verdict(Way::Create, &key[1..]), Some(Error::TemplateIncomplete("CKA_CLASS")));
    }

    #[test]
    fn the_same_attribute_twice_must_say_the_same() {
        let given = |second: &'static [u8]| {
            verdict(Way::Generate(Class::SecretKey, KeyType::Aes, 1), &[(CKA_TOKEN, &[1]), (CKA_TOKEN, second)])
        };
        assert_eq!(given(&[1]), None);
        assert_eq!(given(&[0]), Some(Error::TemplateInconsistent("CKA_TOKEN")));
    }

    #[test]
    fn generation_knows_class_and_type_and_is_not_contradicted() {
        let way = Way::Generate(Class::SecretKey, KeyType::Aes, 1);
        let generic = CKK_GENERIC_SECRET.to_ne_bytes();
        let data = CKO_DATA.to_ne_bytes();
        assert_eq!(verdict(way, &[]), None);
        assert_eq!(verdict(way, &[(CKA_KEY_TYPE, &generic)]), Some(Error::TemplateInconsistent("CKA_KEY_TYPE")));
        assert_eq!(verdict(way, &[(CKA_CLASS, &data)]), Some(Error::TemplateInconsistent("CKA_CLASS")));
        assert_eq!(verdict(way, &[(CKA_VALUE, &[0; 16])]), Some(Error::AttributeReadOnly("CKA_VALUE")));
    }
}
