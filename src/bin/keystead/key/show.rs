//! All attributes of an object, by the table of attributes.

use cryptoki_sys::*;
use keystead::error::Error;
use keystead::handle::Handle;
use keystead::key::Type;
use keystead::object::attribute::{self, Attribute, Kind};
use keystead::token::View;
use serde_json::{Map, Value};

use super::describe::{hex, shape};
use super::names;
use super::select::Opened;
use super::value::plain;
use crate::failure::{Failure, Result};
use crate::output::{Form, Word};

/// Prints the attributes of one object.
pub fn show(opened: &Opened<'_>, handle: Handle, form: Form) -> Result<()> {
    let gone = || Failure::new("the object is gone again");
    let view = opened.view(handle)?.ok_or_else(gone)?;
    let (class, of) = shape(&view).ok_or_else(gone)?;
    let (mut values, mut words) = (Map::new(), Vec::new());
    for row in attribute::rows(class, of) {
        let (value, word) = match shown(&view, row)? {
            Shown::Absent => continue,
            Shown::Hidden(why) => (Value::Null, Word::plain(why)),
            Shown::Value(value) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (value, Word::plain(text))
            }
        };
        values.insert(row.name.to_owned(), value);
        words.push((row.name, word));
    }
    form.record(&values, &words)
}

enum Shown {
    /// The object does not have it.
    Absent,
    /// It has it, and nobody sees it here.
    Hidden(&'static str),
    Value(Value),
}

fn shown(view: &View, row: &Attribute) -> Result<Shown> {
    let value = match view.attribute(row.number) {
        // A key on the screen is in the terminal's memory and in whatever records it.
        Ok(_) if row.secret => return Ok(Shown::Hidden("(not printed; programs may read it)")),
        Ok(value) => value,
        Err(Error::AttributeSensitive(_)) => return Ok(Shown::Hidden("(never shown)")),
        Err(Error::AttributeTypeInvalid(_)) => return Ok(Shown::Absent),
        Err(error) => return Err(error.into()),
    };
    if row.kind == Kind::Template {
        let inside = view.template(row.number)?;
        let inside = inside.iter().map(|(number, value)| match attribute::of_any_class(*number) {
            Some(row) => (row.name.to_owned(), plain(row, value)),
            None => (format!("0x{number:08x}"), hex(value).into()),
        });
        return Ok(Shown::Value(Value::Object(inside.collect())));
    }
    Ok(Shown::Value(match (row.number, shape(view).and_then(|(_, of)| of).and_then(Type::key)) {
        (CKA_EC_PARAMS, Some(key_type)) => {
            names::curve(key_type, &value).map_or_else(|| hex(&value).into(), Value::from)
        }
        _ => plain(row, &value),
    }))
}
