//! Objects: their attributes, changes, copies and searches. PKCS#11 3.2, sections 4 and 5.7.

use std::ptr;

use cryptoki_sys::*;

use super::arrangement::data;
use super::code::Expected;
use super::key::{generate, secret_template};
use super::module::call;
use super::suite::{self, Check, Row};
use super::template::Template;
use super::trial::{Trial, ok};
use super::verdict::Outcome;
use super::world::World;

/// The checks.
pub fn checks() -> Vec<Check> {
    suite::rows("objects", CHECKS)
}

#[rustfmt::skip]
const CHECKS: &[Row] = &[
    ("get works through the whole template", "5.7.5", get_works_through),
    ("a sensitive value is hidden", "5.7.5", |trial| hidden(trial, true, true)),
    ("an unextractable value is hidden", "5.7.5", |trial| hidden(trial, false, false)),
    ("an open value is shown", "5.7.5", open_value),
    ("a hidden value is not found", "5.7.7", hidden_is_not_found),
    ("unknown attributes and classes find nothing", "5.7.7", unknown_find_nothing),
    ("set is all or nothing", "5.7.6", set_is_all_or_nothing),
    ("one-way attributes", "4.9", one_way),
    ("fixed attributes", "5.7.6", fixed),
    ("not modifiable", "5.7.6", |trial| prohibited(trial, CKA_MODIFIABLE, set_label)),
    ("not copyable", "5.7.2", |trial| prohibited(trial, CKA_COPYABLE, copy_plain)),
    ("not destroyable", "5.7.3", |trial| prohibited(trial, CKA_DESTROYABLE, destroy)),
    ("the plain copy", "5.7.2", plain_copy),
    ("a copy of another class", "5.7.2", copy_of_another_class),
    ("get during a search", "5.7.7", get_during_a_search),
];

/// A call on an object, and its code.
type On = fn(&World, CK_OBJECT_HANDLE) -> CK_RV;

fn get_works_through(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let object = world.create(world.holder(), data())?;
    let (mut label, mut short, mut value) = ([0_u8; 40], [0_u8; 2], [0_u8; 40]);
    let row = |type_, buffer: &mut [u8]| CK_ATTRIBUTE {
        type_,
        pValue: buffer.as_mut_ptr().cast(),
        ulValueLen: buffer.len() as CK_ULONG,
    };
    let mut rows = [
        row(CKA_MODULUS, &mut [0; 8]),
        row(CKA_LABEL, &mut short),
        row(CKA_LABEL, &mut label),
        row(CKA_VALUE, &mut value),
    ];
    let codes = [CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL];
    let get = || call!(world.module, C_GetAttributeValue(world.holder(), object, rows.as_mut_ptr(), 4));
    trial.gives("C_GetAttributeValue", &codes, get);
    let lengths = rows.map(|row| row.ulValueLen);
    let right = [CK_UNAVAILABLE_INFORMATION, CK_UNAVAILABLE_INFORMATION, 12, 4];
    trial.holds("the lengths", &format!("{right:?}"), lengths == right, || format!("{lengths:?}"));
    let is_filled = label.starts_with(b"pkcs11-tests\0") && value.starts_with(b"data\0");
    trial.holds("what can be had", "label and value", is_filled, || "something else".to_owned());
    Ok(())
}

fn hidden(trial: &mut Trial<'_>, sensitive: bool, extractable: bool) -> Outcome {
    let world = trial.world;
    let key = aes(world, sensitive, extractable)?;
    let mut value = [0x11_u8; 64];
    let (code, length) = get(world, key, CKA_VALUE, &mut value);
    trial.gives("C_GetAttributeValue", &[CKR_ATTRIBUTE_SENSITIVE], || code);
    let is_unavailable = length == CK_UNAVAILABLE_INFORMATION;
    trial.holds("the length", "CK_UNAVAILABLE_INFORMATION", is_unavailable, || length.to_string());
    trial.holds("the buffer", "untouched", value == [0x11; 64], || "written to".to_owned());
    Ok(())
}

fn open_value(trial: &mut Trial<'_>) -> Outcome {
    let key = aes(trial.world, false, true)?;
    let mut value = [0_u8; 64];
    let (code, length) = get(trial.world, key, CKA_VALUE, &mut value);
    trial.gives("C_GetAttributeValue", &[CKR_OK], || code);
    trial.holds("the length", "16", length == 16, || length.to_string());
    Ok(())
}

/// Else a search is a machine to guess values with.
fn hidden_is_not_found(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let value = [0x42; 16];
    let template = Template::of(CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_GENERIC_SECRET).bytes(CKA_VALUE, &value);
    world.create(world.holder(), template.flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false))?;
    let (code, count) = find(world, Template::default().bytes(CKA_VALUE, &value))?;
    trial.call("C_FindObjectsInit", Expected::Answer, || code);
    trial.holds("a search by the value", "no object", count == 0, || format!("{count} objects"));
    Ok(())
}

fn unknown_find_nothing(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let searches = [
        ("class", Template::default().number(CKA_CLASS, CKO_VENDOR_DEFINED | 0x7654_3210)),
        ("attribute", Template::default().bytes(CKA_VENDOR_DEFINED | 0x7654_3210, b"value")),
    ];
    for (at, search) in searches {
        let (code, count) = find(world, search)?;
        trial.gives(at, &[CKR_OK], || code);
        trial.holds(at, "no object", count == 0, || format!("{count} objects"));
    }
    Ok(())
}

fn set_is_all_or_nothing(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let object = world.create(world.holder(), data())?;
    let change = Template::default().bytes(CKA_LABEL, b"changed").number(CKA_CLASS, CKO_CERTIFICATE);
    trial.call("C_SetAttributeValue", Expected::Refusal, || set(world, object, change));
    let mut label = [0_u8; 12];
    get(world, object, CKA_LABEL, &mut label);
    trial.holds("the label", "as it was", &label == b"pkcs11-tests", || "changed".to_owned());
    Ok(())
}

fn one_way(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    for (name, attribute, from) in [("CKA_SENSITIVE", CKA_SENSITIVE, true), ("CKA_EXTRACTABLE", CKA_EXTRACTABLE, false)]
    {
        let key = aes(world, from, !from)?;
        let key = if attribute == CKA_EXTRACTABLE { aes(world, true, false)? } else { key };
        let back = || Template::default().flag(attribute, !from);
        let at = format!("{name} back to {}", !from);
        trial.gives(&at, &[CKR_ATTRIBUTE_READ_ONLY], || set(world, key, back()));
        let refused = [CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT];
        trial.gives(&format!("{at} in a copy"), &refused, || copy(world, key, back()));
        let key = aes(world, !from, from)?;
        let key = if attribute == CKA_EXTRACTABLE { aes(world, true, true)? } else { key };
        trial.gives(&format!("{name} to {from}"), &[CKR_OK], || {
            set(world, key, Template::default().flag(attribute, from))
        });
    }
    Ok(())
}

fn fixed(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let key = aes(world, true, true)?;
    let changes = [
        ("CKA_CLASS", Template::default().number(CKA_CLASS, CKO_DATA)),
        ("CKA_KEY_TYPE", Template::default().number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)),
        ("CKA_LOCAL", Template::default().flag(CKA_LOCAL, false)),
        ("CKA_VALUE_LEN", Template::default().number(CKA_VALUE_LEN, 32)),
        ("CKA_ALWAYS_SENSITIVE", Template::default().flag(CKA_ALWAYS_SENSITIVE, true)),
        ("CKA_NEVER_EXTRACTABLE", Template::default().flag(CKA_NEVER_EXTRACTABLE, true)),
        ("CKA_KEY_GEN_MECHANISM", Template::default().number(CKA_KEY_GEN_MECHANISM, CKM_AES_KEY_GEN)),
    ];
    for (name, change) in changes {
        trial.gives(name, &[CKR_ATTRIBUTE_READ_ONLY], || set(world, key, change));
    }
    Ok(())
}

fn prohibited(trial: &mut Trial<'_>, attribute: CK_ATTRIBUTE_TYPE, on: On) -> Outcome {
    let world = trial.world;
    let session = world.session()?;
    let object = world.create(session.handle, data().flag(attribute, false))?;
    trial.gives("the object that is not", &[CKR_ACTION_PROHIBITED], || on(world, object));
    let object = world.create(session.handle, data().flag(attribute, true))?;
    trial.gives("one that is", &[CKR_OK], || on(world, object));
    Ok(())
}

fn plain_copy(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let object = world.create(world.holder(), data())?;
    trial.gives("NULL, 0", &[CKR_OK], || copy_plain(world, object));
    Ok(())
}

fn copy_of_another_class(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let object = world.create(world.holder(), data())?;
    let refused = [CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT];
    let change = Template::default().number(CKA_CLASS, CKO_CERTIFICATE);
    trial.gives("C_CopyObject", &refused, || copy(world, object, change));
    Ok(())
}

fn get_during_a_search(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let session = world.session()?;
    let object = world.create(session.handle, data())?;
    ok("C_FindObjectsInit", call!(world.module, C_FindObjectsInit(session.handle, ptr::null_mut(), 0)))?;
    trial.gives("C_GetObjectSize", &[CKR_OK, CKR_INFORMATION_SENSITIVE], || {
        call!(world.module, C_GetObjectSize(session.handle, object, &mut 0))
    });
    session.begin_any(super::operation::Purpose::Digest)?;
    trial.gives("C_DestroyObject", &[CKR_OK], || call!(world.module, C_DestroyObject(session.handle, object)));
    let (mut found, mut count) = ([0; 50], 0);
    let find = || call!(world.module, C_FindObjects(session.handle, found.as_mut_ptr(), 50, &mut count));
    trial.gives("C_FindObjects after that", &[CKR_OK], find);
    Ok(())
}

/// A generated AES key.
pub fn aes(world: &World, sensitive: bool, extractable: bool) -> Outcome<CK_OBJECT_HANDLE> {
    let template = secret_template(CKK_AES, 16).flag(CKA_SENSITIVE, sensitive).flag(CKA_EXTRACTABLE, extractable);
    let (code, key) = generate(world, world.holder(), CKM_AES_KEY_GEN, template);
    ok("C_GenerateKey", code)?;
    Ok(key)
}

fn get(world: &World, object: CK_OBJECT_HANDLE, number: CK_ATTRIBUTE_TYPE, into: &mut [u8]) -> (CK_RV, CK_ULONG) {
    let length = into.len() as CK_ULONG;
    let mut row = CK_ATTRIBUTE { type_: number, pValue: into.as_mut_ptr().cast(), ulValueLen: length };
    (call!(world.module, C_GetAttributeValue(world.holder(), object, &mut row, 1)), row.ulValueLen)
}

/// `C_SetAttributeValue`
pub fn set(world: &World, object: CK_OBJECT_HANDLE, mut template: Template) -> CK_RV {
    let mut rows = template.rows();
    let count = rows.len() as CK_ULONG;
    call!(world.module, C_SetAttributeValue(world.holder(), object, rows.as_mut_ptr(), count))
}

fn set_label(world: &World, object: CK_OBJECT_HANDLE) -> CK_RV {
    set(world, object, Template::default().bytes(CKA_LABEL, b"changed"))
}

fn copy(world: &World, object: CK_OBJECT_HANDLE, mut template: Template) -> CK_RV {
    let (mut rows, mut made) = (template.rows(), 0);
    let count = rows.len() as CK_ULONG;
    call!(world.module, C_CopyObject(world.holder(), object, rows.as_mut_ptr(), count, &mut made))
}

fn copy_plain(world: &World, object: CK_OBJECT_HANDLE) -> CK_RV {
    call!(world.module, C_CopyObject(world.holder(), object, ptr::null_mut(), 0, &mut 0))
}

fn destroy(world: &World, object: CK_OBJECT_HANDLE) -> CK_RV {
    call!(world.module, C_DestroyObject(world.holder(), object))
}

/// `C_CreateObject`
pub fn create(world: &World, mut template: Template) -> CK_RV {
    let mut rows = template.rows();
    let count = rows.len() as CK_ULONG;
    call!(world.module, C_CreateObject(world.holder(), rows.as_mut_ptr(), count, &mut 0))
}

fn find(world: &World, mut template: Template) -> Outcome<(CK_RV, CK_ULONG)> {
    let session = world.session()?;
    let (mut rows, mut found, mut count) = (template.rows(), [0; 8], 0);
    let code = call!(world.module, C_FindObjectsInit(session.handle, rows.as_mut_ptr(), rows.len() as CK_ULONG));
    if code == CKR_OK {
        ok("C_FindObjects", call!(world.module, C_FindObjects(session.handle, found.as_mut_ptr(), 8, &mut count)))?;
    }
    Ok((code, count))
}
