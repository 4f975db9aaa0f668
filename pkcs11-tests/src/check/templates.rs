//! Templates that are wrong: badly formed values, what is missing, what nobody knows.

use cryptoki_sys::*;

use super::arrangement::data;
use super::key::{generate, secret_template};
use super::objects::{aes, create, set};
use super::suite::{self, Check, Row};
use super::template::Template;
use super::trial::Trial;
use super::verdict::Outcome;
use super::world::World;

/// The checks.
pub fn checks() -> Vec<Check> {
    suite::rows("templates", CHECKS)
}

#[rustfmt::skip]
const CHECKS: &[Row] = &[
    ("badly formed values when creating", "5.7.1", |trial| badly_formed(trial, create_with)),
    ("badly formed values when generating", "5.18.1", |trial| badly_formed(trial, generate_with)),
    ("badly formed values when setting", "5.7.6", |trial| badly_formed(trial, set_with)),
    ("incomplete templates", "5.7.1", incomplete),
    ("an attribute nobody knows", "5.7.1", unknown_attribute),
    ("lengths of AES keys", "6.10", lengths_of_aes_keys),
];

/// A call that makes or changes something by a template, and its code.
type With = fn(&World, Template) -> Outcome<CK_RV>;

/// A length or a content that the attribute's type does not have.
fn badly_formed(trial: &mut Trial<'_>, with: With) -> Outcome {
    let world = trial.world;
    let bad = [
        ("a CK_BBOOL of 2", Template::default().bytes(CKA_SENSITIVE, &[2])),
        ("a CK_BBOOL of 8 bytes", Template::default().number(CKA_SENSITIVE, 1)),
        ("a CK_BBOOL of 0 bytes", Template::default().bytes(CKA_SENSITIVE, &[])),
        ("a CK_DATE of 7 bytes", Template::default().bytes(CKA_START_DATE, b"2026010")),
    ];
    for (at, template) in bad {
        trial.at(at);
        let code = with(world, template)?;
        trial.gives(at, &[CKR_ATTRIBUTE_VALUE_INVALID], || code);
    }
    Ok(())
}

fn incomplete(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let create = |template: Template| create(world, template);
    let key = Template::of(CKO_SECRET_KEY);
    for (at, template) in [
        ("nothing", Template::default()),
        ("a key without type", key.clone().bytes(CKA_VALUE, &[1; 16])),
        ("a key without value", key.number(CKA_KEY_TYPE, CKK_AES)),
    ] {
        trial.gives(at, &[CKR_TEMPLATE_INCOMPLETE], || create(template));
    }
    Ok(())
}

fn unknown_attribute(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let template = || data().bytes(CKA_VENDOR_DEFINED | 0x7654_3210, b"value");
    trial.gives("C_CreateObject", &[CKR_ATTRIBUTE_TYPE_INVALID], || create(world, template()));
    let foreign = data().bytes(CKA_MODULUS, &[1; 8]);
    let codes = [CKR_ATTRIBUTE_TYPE_INVALID, CKR_TEMPLATE_INCONSISTENT];
    trial.gives("one of another class", &codes, || create(world, foreign));
    Ok(())
}

fn lengths_of_aes_keys(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let none = [CKR_ATTRIBUTE_VALUE_INVALID];
    let wrong = [CKR_ATTRIBUTE_VALUE_INVALID, CKR_KEY_SIZE_RANGE];
    for (length, codes) in [(0, none.as_slice()), (20, &wrong), (1 << 40, &wrong)] {
        let template = secret_template(CKK_AES, length);
        trial.gives(&format!("{length} bytes"), codes, || generate(world, world.holder(), CKM_AES_KEY_GEN, template).0);
    }
    let template = Template::of(CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES);
    let incomplete = [CKR_TEMPLATE_INCOMPLETE];
    trial.gives("none", &incomplete, || generate(world, world.holder(), CKM_AES_KEY_GEN, template).0);
    Ok(())
}

fn create_with(world: &World, bad: Template) -> Outcome<CK_RV> {
    let key = Template::of(CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_GENERIC_SECRET).bytes(CKA_VALUE, &[1; 16]);
    Ok(create(world, key.and(bad)))
}

fn generate_with(world: &World, bad: Template) -> Outcome<CK_RV> {
    Ok(generate(world, world.holder(), CKM_AES_KEY_GEN, secret_template(CKK_AES, 16).and(bad)).0)
}

fn set_with(world: &World, bad: Template) -> Outcome<CK_RV> {
    let key = aes(world, false, true)?;
    Ok(set(world, key, bad))
}
