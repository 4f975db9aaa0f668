//! The attributes of a key as a file proposes them.

use cryptoki_sys::*;
use keystead::key::{Class, KeyType, Type};
use keystead::object::attribute::{self, Attribute, Kind, Role};
use keystead::token::View;
use serde_json::{Map, Value};

use super::describe::shape;
use super::template::Template;
use super::value;
use crate::failure::{Failure, Result};

/// What a key has that can be given to another at its unwrapping, by the names of the standard.
pub fn of(view: &View) -> Map<String, Value> {
    let Some((class, of)) = shape(view) else { return Map::new() };
    let rows = attribute::rows(class, of).filter(|row| is_proposed(row));
    let values = rows.filter_map(|row| {
        let bytes = view.attribute(row.number).ok()?;
        // An empty value is the default. A label that is not UTF-8 would come back as another.
        let said = !bytes.is_empty() && value::comes_back(row, &bytes);
        said.then(|| (row.name.to_owned(), value::plain(row, &bytes)))
    });
    values.collect()
}

/// The template that is proposed, of a key in the token, and its class.
pub fn template(proposed: &Map<String, Value>) -> Result<(Template, Class)> {
    let said = |number: u64, name: &str| {
        let row = attribute::of_any_class(number)?;
        let bytes = value::read(row, proposed.get(name)?)?;
        bytes.as_slice().try_into().map(u64::from_ne_bytes).ok()
    };
    let class = said(CKA_CLASS, "CKA_CLASS").and_then(Class::from_number).filter(|class| class.is_wrapped());
    let class = class.ok_or_else(|| refused("CKA_CLASS", "secret-key or private-key is needed"))?;
    let of = said(CKA_KEY_TYPE, "CKA_KEY_TYPE").and_then(KeyType::from_number).map(Type::Key);
    let of = of.filter(|of| class.takes(*of)).ok_or_else(|| refused("CKA_KEY_TYPE", "it is no type of such keys"))?;
    let mut template = Template::of(class);
    for (name, written) in proposed {
        let row = attribute::rows(class, Some(of)).find(|row| row.name == name && is_proposed(row));
        let row = row.ok_or_else(|| refused(name, "a key that is unwrapped cannot be given it"))?;
        let bytes = value::read(row, written).ok_or_else(|| refused(name, "it has no such value"))?;
        template.set(row.number, bytes);
    }
    Ok((template, class))
}

/// What only the SO gives, and where the key lies, are not in it; nor are templates for other keys.
fn is_proposed(row: &Attribute) -> bool {
    row.unwrap != Role::Forbidden && row.kind != Kind::Template && ![CKA_TOKEN, CKA_TRUSTED].contains(&row.number)
}

fn refused(name: &str, why: &str) -> Failure {
    Failure::of(format!("the attribute {name} of this file is not followed"), why)
        .with_next("put it right or take the line away, unless the key is wrapped by AES-GCM")
}
