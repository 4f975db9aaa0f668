//! All attributes of an object, by the table of attributes.

use cryptoki_sys::*;
use keystead::config::Settings;
use keystead::error::Error;
use keystead::handle::Handle;
use keystead::key::{Class, Type};
use keystead::mechanism::Mechanisms;
use keystead::object::attribute::{self, Attribute, Kind};
use keystead::token::View;
use serde_json::{Map, Value};

use super::describe::{hex, shape};
use super::names;
use super::select::Opened;
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

/// A value in the form for people: words where there are some, digits of bytes else.
fn plain(row: &Attribute, value: &[u8]) -> Value {
    match row.kind {
        Kind::Bool => Value::from(value == [1]),
        Kind::Number | Kind::Choice(_) => number(row.number, value),
        Kind::Numbers => {
            let (words, _) = value.as_chunks::<8>();
            Value::Array(words.iter().map(|word| mechanism(u64::from_ne_bytes(*word))).collect())
        }
        Kind::Date | Kind::Digits(_) => String::from_utf8_lossy(value).into(),
        Kind::Bytes(_) if TEXTS.contains(&row.number) => match std::str::from_utf8(value) {
            Ok(text) => text.into(),
            Err(_) => hex(value).into(),
        },
        _ => hex(value).into(),
    }
}

fn number(attribute: u64, value: &[u8]) -> Value {
    let Ok(number) = value.try_into().map(u64::from_ne_bytes) else { return hex(value).into() };
    let word = match attribute {
        CKA_CLASS => Class::from_number(number).map(names::class),
        _ => Type::named(attribute, number).map(names::of),
    };
    match (word, attribute) {
        (Some(word), _) => word.into(),
        (None, CKA_KEY_GEN_MECHANISM) if number == CK_UNAVAILABLE_INFORMATION => "not generated here".into(),
        (None, CKA_KEY_GEN_MECHANISM) => mechanism(number),
        (None, _) => number.into(),
    }
}

fn mechanism(number: u64) -> Value {
    let mechanisms = Mechanisms::new(&Settings::default());
    let name = mechanisms.all().iter().find(|known| known.number == number).map(|known| known.name);
    name.map_or_else(|| format!("0x{number:08x}").into(), Value::from)
}

/// What is text by its nature.
const TEXTS: [u64; 5] = [CKA_LABEL, CKA_UNIQUE_ID, CKA_APPLICATION, CKA_URL, CKA_OTP_USER_IDENTIFIER];
