//! Values of attributes as people write them: words where there are some, digits of bytes else.

use cryptoki_sys::*;
use keystead::config::Settings;
use keystead::key::{Class, Type};
use keystead::mechanism::Mechanisms;
use keystead::object::attribute::{Attribute, Kind};
use serde_json::Value;

use super::describe::hex;
use super::names;
use super::select;

/// What is text by its nature.
const TEXTS: [u64; 5] = [CKA_LABEL, CKA_UNIQUE_ID, CKA_APPLICATION, CKA_URL, CKA_OTP_USER_IDENTIFIER];

/// A value in the form for people.
pub fn plain(row: &Attribute, value: &[u8]) -> Value {
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

/// The value that is written so; none if it is no value of the attribute. The inverse of [`plain`], but for texts that are
/// not UTF-8.
pub fn read(row: &Attribute, written: &Value) -> Option<Vec<u8>> {
    match (row.kind, written) {
        (Kind::Bool, Value::Bool(value)) => Some(vec![u8::from(*value)]),
        (Kind::Number | Kind::Choice(_), written) => Some(read_number(row.number, written)?.to_ne_bytes().to_vec()),
        (Kind::Numbers, Value::Array(words)) => {
            let numbers = words.iter().map(|word| read_mechanism(word.as_str()?)).collect::<Option<Vec<u64>>>()?;
            Some(numbers.into_iter().flat_map(u64::to_ne_bytes).collect())
        }
        (Kind::Date | Kind::Digits(_), Value::String(text)) => Some(text.as_bytes().to_vec()),
        (Kind::Bytes(_), Value::String(text)) if TEXTS.contains(&row.number) => Some(text.as_bytes().to_vec()),
        (Kind::Bool | Kind::Numbers | Kind::Template, _) => None,
        (_, Value::String(digits)) if digits.is_empty() => Some(Vec::new()),
        (_, Value::String(digits)) => select::bytes(digits),
        _ => None,
    }
}

/// Whether [`read`] gives back the value that [`plain`] wrote.
pub fn comes_back(row: &Attribute, value: &[u8]) -> bool {
    read(row, &plain(row, value)).as_deref() == Some(value)
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

fn read_number(attribute: u64, written: &Value) -> Option<u64> {
    match (attribute, written) {
        (CKA_CLASS, Value::String(word)) => names::class_named(word).map(Class::number),
        (CKA_KEY_TYPE, Value::String(word)) => names::key_type_named(word).map(|key_type| key_type.number()),
        (_, written) => written.as_u64(),
    }
}

fn mechanism(number: u64) -> Value {
    let mechanisms = Mechanisms::new(&Settings::default());
    let name = mechanisms.all().iter().find(|known| known.number == number).map(|known| known.name);
    name.map_or_else(|| format!("0x{number:08x}").into(), Value::from)
}

fn read_mechanism(word: &str) -> Option<u64> {
    if let Some(digits) = word.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok();
    }
    let mechanisms = Mechanisms::new(&Settings::default());
    mechanisms.all().iter().find(|known| known.name == word).map(|known| known.number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use keystead::key::KeyType;
    use keystead::object::attribute;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let numbers: Vec<u8> = [CKM_AES_GCM, 0x8765_4321].iter().flat_map(|number| number.to_ne_bytes()).collect();
        for (number, value, written) in [
            (CKA_SENSITIVE, &[1][..], "true"),
            (CKA_CLASS, &CKO_SECRET_KEY.to_ne_bytes(), r#""secret-key""#),
            (CKA_KEY_TYPE, &CKK_SHA256_HMAC.to_ne_bytes(), r#""HMAC-SHA-256""#),
            (CKA_VALUE_LEN, &32_u64.to_ne_bytes(), "32"),
            (CKA_ALLOWED_MECHANISMS, &numbers, r#"["CKM_AES_GCM","0x87654321"]"#),
            (CKA_START_DATE, b"20261129", r#""20261129""#),
            (CKA_START_DATE, b"", r#""""#),
            (CKA_LABEL, "schlüssel".as_bytes(), r#""schlüssel""#),
            (CKA_ID, &[0, 0xab], r#""00ab""#),
            (CKA_ID, &[], r#""""#),
        ] {
            let row = attribute::of(Class::SecretKey, Some(Type::Key(KeyType::Aes)), number).unwrap();
            assert_eq!(plain(row, value).to_string(), written);
            assert_eq!(read(row, &plain(row, value)).as_deref(), Some(value), "{written}");
            assert!(comes_back(row, value));
        }
        let label = attribute::of_any_class(CKA_LABEL).unwrap();
        assert!(!comes_back(label, &[0xff]));
    }

    #[test]
    fn what_is_no_value_of_the_attribute_is_none() {
        for (number, written) in [
            (CKA_SENSITIVE, r#""yes""#),
            (CKA_SENSITIVE, "1"),
            (CKA_CLASS, r#""key""#),
            (CKA_KEY_TYPE, r#""aes""#),
            (CKA_VALUE_LEN, "-1"),
            (CKA_VALUE_LEN, r#""32""#),
            (CKA_ALLOWED_MECHANISMS, r#"["CKM_NONE"]"#),
            (CKA_ALLOWED_MECHANISMS, "[1]"),
            (CKA_ID, r#""0""#),
            (CKA_ID, "1"),
            (CKA_LABEL, "1"),
            (CKA_WRAP_TEMPLATE, "{}"),
        ] {
            let row = attribute::of_any_class(number).unwrap();
            assert_eq!(read(row, &serde_json::from_str(written).unwrap()), None, "{written}");
        }
    }
}
