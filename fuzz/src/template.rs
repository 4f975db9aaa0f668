//! The target `template`: templates of every way, drafts, objects, their records, changes, copies and searches.

use cryptoki_sys::*;
use keystead::error::Error;
use keystead::key::{Class, KeyType, Login};
use keystead::object::{Arrival, Basis, Draft, Given, Here, Merge, Object, Search, Template, Way, terms};
use keystead::secret::Secret;
use keystead::store::ObjectId;
use keystead::transfer::Masked;

use crate::attributes;
use crate::input::Input;

const LOGINS: [Login; 3] = [Login::Public, Login::User, Login::So];

/// One input: who is logged in and what is generated, a template, judged in every way, and a second list by which its
/// objects are searched, changed and copied. The same bytes are also taken for a record.
pub fn template(data: &[u8]) {
    foreign_record(data);
    let mut input = Input::new(data);
    let (choice, count) = (usize::from(input.byte()), usize::from(input.byte() % 32));
    let login = LOGINS[choice % LOGINS.len()];
    let types = [KeyType::SECRET, KeyType::PAIRS].concat();
    let key_type = types[choice / LOGINS.len() % types.len()];
    let class = match key_type.comes_in_pairs() {
        true => [Class::PublicKey, Class::PrivateKey][choice % 2],
        false => Class::SecretKey,
    };
    let given = attributes::read(&mut input, count);
    let later = attributes::read(&mut input, 32);

    let generate = Way::Generate(class, key_type, CKM_GENERIC_SECRET_KEY_GEN);
    for way in [Way::Create, Way::Unwrap, Way::Derive(true, false), generate] {
        if !is_accepted(&given, way) {
            continue;
        }
        for maker in LOGINS {
            let again = Template::parse(&given, way).unwrap();
            let Some(object) = made(again, maker) else { continue };
            record(&object);
            search(&object, &given);
            search(&object, &later);
            own_search(&object, &later);
            changes(&object, &later, login);
        }
    }
}

/// Whether a template is accepted. The verdict does not depend on the order of the attributes, and what was accepted is
/// accepted again in canonical form.
fn is_accepted(given: &[Given<'_>], way: Way) -> bool {
    let verdict = Template::parse(given, way);
    let reversed: Vec<_> = given.iter().rev().cloned().collect();
    let backwards = Template::parse(&reversed, way);
    assert_eq!(verdict.is_ok(), backwards.is_ok(), "the order of attributes decides");
    let Ok(template) = verdict else { return false };
    assert!(!template.key_type().is_some_and(KeyType::is_inside), "a template makes what only the library makes");
    same(&template, &backwards.unwrap());

    let canonical = template.attributes.iter().map(|(number, value)| Given::new(*number, value));
    let secrets = template.secrets.iter().map(|(number, value)| Given::new(*number, value.expose()));
    let canonical: Vec<_> = canonical.chain(secrets).collect();
    same(&template, &Template::parse(&canonical, way).expect("the canonical form of a template that was accepted"));
    true
}

fn same(one: &Template, other: &Template) {
    assert_eq!(one.attributes, other.attributes);
    assert_eq!(one.class, other.class);
    assert_eq!(one.of, other.of);
    assert_eq!(one.value_length, other.value_length);
    assert!(one.secrets == other.secrets);
}

/// The object of a template: only who is logged in as the user makes private ones, only a generated key has a history, and
/// what stays inside is not among the attributes. None for halves of pairs whose key is made elsewhere.
fn made(template: Template, login: Login) -> Option<Object> {
    let (way, class) = (template.way, template.class);
    let value = template.secrets.get(&CKA_VALUE).map(Secret::len);
    let mut draft = Draft::new(template, Basis::of(login));
    let preview = draft.preview().map(|_| ());
    let object = match class {
        Class::SecretKey if way != Way::Create => draft.finish_secret(Secret::zeroed(16)).map(|(object, _)| object),
        Class::PublicKey | Class::PrivateKey if way != Way::Create => return None,
        _ => draft.finish().map(|(object, _)| object),
    };
    assert!(object.is_err() || preview.is_ok(), "the preview was refused and the object made");
    let object = match object {
        Ok(object) => object,
        Err(Error::UserNotLoggedIn) => {
            assert_ne!(login, Login::User);
            return None;
        }
        // Values that are not true, or incomplete: they are judged with the key.
        Err(Error::AttributeValueInvalid(_) | Error::TemplateInconsistent(_) | Error::TemplateIncomplete(_)) => {
            return None;
        }
        Err(Error::CurveNotSupported | Error::DomainParamsInvalid) => return None,
        Err(error) => panic!("{error}"),
    };
    assert_eq!((object.class, object.version), (class, 1));
    assert!(!object.is_private() || login == Login::User);
    assert_eq!(object.value(CKA_UNIQUE_ID), Some(object.id.to_string().as_bytes()));
    if matches!(class, Class::SecretKey | Class::OtpKey) {
        let generated = matches!(way, Way::Generate(..));
        assert_eq!(object.value(CKA_VALUE), None);
        assert_eq!(object.flag(CKA_LOCAL), generated);
        let derived = matches!(way, Way::Derive(..));
        assert_eq!(object.flag(CKA_ALWAYS_SENSITIVE), (generated || derived) && object.flag(CKA_SENSITIVE));
        assert_eq!(object.flag(CKA_NEVER_EXTRACTABLE), generated && !object.flag(CKA_EXTRACTABLE));
        assert_eq!(object.facts().expect("a key has facts").size, value.unwrap_or(16));
    }
    Some(object)
}

/// A record gives back its object.
fn record(object: &Object) {
    let record = object.to_record();
    assert_eq!(Object::from_record(object.id, object.version, &record).as_ref(), Ok(object));
}

/// A record from nowhere is refused, or it is exactly what its object writes.
fn foreign_record(data: &[u8]) {
    let _ = Masked::parse(data);
    let _ = Arrival::read(ObjectId([7; 16]), 3, data, Some(Secret::zeroed(16)));
    if let Ok(object) = Object::from_record(ObjectId([7; 16]), 3, data) {
        let _ = Arrival::read(object.id, 3, data, None);
        assert_eq!(object.to_record(), data);
        let _ = object.facts();
        search(&object, &attributes::read(&mut Input::new(data), 32));
    }
}

/// The index never hides what matches.
fn search(object: &Object, given: &[Given<'_>]) -> bool {
    let search = Search::new(given);
    let matches = search.matches(object, None);
    for (wanted, own) in search.terms(None).iter().zip(terms(object, None)) {
        assert!(!matches || wanted.is_none() || *wanted == own, "the index leads past a match");
    }
    matches
}

/// An object is found by its own values. (Where this runs, the caller's form of a number is the canonical one.)
fn own_search(object: &Object, given: &[Given<'_>]) {
    let own = given.iter().filter_map(|one| Some(Given::new(one.number, object.value(one.number)?)));
    assert!(search(object, &own.collect::<Vec<_>>()), "an object is not found by its own values");
}

/// A change goes in one direction, and a copy is another object.
fn changes(object: &Object, given: &[Given<'_>], login: Login) {
    if let Ok(changed) = object.changed(given, login) {
        assert_eq!((changed.id, changed.class, changed.version), (object.id, object.class, object.version + 1));
        one_way(object, &changed, login);
        merges(object, &changed);
        for number in [CKA_UNIQUE_ID, CKA_TOKEN, CKA_PRIVATE, CKA_MODIFIABLE, CKA_DESTROYABLE] {
            assert_eq!(changed.value(number), object.value(number));
        }
        record(&changed);
    }
    if let Ok(copy) = object.copied(given, login) {
        assert_ne!(copy.id, object.id);
        assert_eq!((copy.class, copy.version), (object.class, 1));
        assert_eq!(copy.value(CKA_UNIQUE_ID), Some(copy.id.to_string().as_bytes()));
        one_way(object, &copy, login);
        record(&copy);
    }
}

/// A later state takes the place of an earlier one in another token, and the earlier one changes nothing.
fn merges(before: &Object, after: &Object) {
    let onto = |arrives: &Object, here| Arrival::Object(arrives.clone(), None).onto(&Here::Object(here, None));
    if after.flag(CKA_TRUSTED) && !before.flag(CKA_TRUSTED) {
        // Each SO says for himself whom his token trusts.
        let merged = onto(after, before);
        return assert!(matches!(merged, Ok(Merge::Replace { object, .. }) if !object.flag(CKA_TRUSTED)));
    }
    assert_eq!(onto(after, before), Ok(Merge::Replace { object: after.clone().into(), decided: false }));
    assert_eq!(onto(before, after), Ok(Merge::Earlier));
    assert_eq!(onto(after, after), Ok(Merge::Same));
}

fn one_way(before: &Object, after: &Object, login: Login) {
    let (was, is) = (|number| before.flag(number), |number| after.flag(number));
    assert!(!was(CKA_SENSITIVE) || is(CKA_SENSITIVE));
    assert!(!was(CKA_WRAP_WITH_TRUSTED) || is(CKA_WRAP_WITH_TRUSTED));
    assert!(was(CKA_EXTRACTABLE) || !is(CKA_EXTRACTABLE));
    assert!(was(CKA_COPYABLE) || !is(CKA_COPYABLE));
    assert!(was(CKA_TRUSTED) || !is(CKA_TRUSTED) || login == Login::So, "trust without the SO");
    let history = [CKA_LOCAL, CKA_KEY_GEN_MECHANISM, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_VALUE_LEN];
    for number in history {
        assert_eq!(before.value(number), after.value(number));
    }
}
