//! An object as it is listed.

use cryptoki_sys::*;
use keystead::handle::Handle;
use keystead::key::{Class, KeyType, Type};
use keystead::object::attribute::CKA_KEYSTEAD_MASKABLE;
use keystead::token::View;
use serde::Serialize;

use super::names;
use super::select::{Opened, number};
use crate::failure::Result;
use crate::output::{Form, Word};
use crate::uri::Named;

/// An object as it is printed.
#[derive(Serialize)]
pub struct Listed {
    class: &'static str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    of: Option<&'static str>,
    /// Of a secret key's value, of a modulus.
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    curve: Option<&'static str>,
    label: String,
    /// In hexadecimal digits.
    id: String,
    unique_id: String,
    uri: String,
    usage: Vec<&'static str>,
    flags: Vec<&'static str>,
}

impl Listed {
    /// What stands behind a handle; none if it has gone meanwhile.
    pub fn of(opened: &Opened<'_>, handle: Handle) -> Result<Option<Self>> {
        Ok(opened.view(handle)?.and_then(|view| Self::seen(opened, &view)))
    }

    fn seen(opened: &Opened<'_>, view: &View) -> Option<Self> {
        let (class, of) = shape(view)?;
        let key_type = of.and_then(Type::key);
        let bytes = |attribute| view.attribute(attribute).map(|value| value.to_vec()).unwrap_or_default();
        let is = |attribute| *bytes(attribute) == [1];
        let curve = key_type.and_then(|key_type| names::curve(key_type, &bytes(CKA_EC_PARAMS)));
        let said = |table: &[(u64, &'static str)]| {
            table.iter().filter(|(attribute, _)| is(*attribute)).map(|(_, word)| *word).collect::<Vec<_>>()
        };
        let denied = DENIALS.iter().filter(|(attribute, _)| *bytes(*attribute) == [0]).map(|(_, word)| *word);
        let (label, id) = (bytes(CKA_LABEL), bytes(CKA_ID));
        Some(Self {
            class: names::class(class),
            of: of.map(names::of),
            bits: bits(view, class, key_type),
            curve,
            uri: opened.uri(&Named { class: class.number(), label: &label, id: &id }),
            label: String::from_utf8_lossy(&label).into_owned(),
            id: hex(&id),
            unique_id: String::from_utf8_lossy(&bytes(CKA_UNIQUE_ID)).into_owned(),
            usage: said(USES),
            flags: said(FLAGS).into_iter().chain(denied).collect(),
        })
    }

    /// A row of the list.
    pub fn row(&self) -> Vec<Word> {
        let or_dash = |text: &str| if text.is_empty() { Word::plain("-") } else { Word::plain(text) };
        let bits = self.bits.map(|bits| format!("{bits} bits"));
        let size = self.curve.map(str::to_owned).or(bits).unwrap_or_default();
        vec![
            Word::plain(self.class),
            or_dash(self.of.unwrap_or_default()),
            or_dash(&size),
            or_dash(&self.label),
            or_dash(&self.id),
            or_dash(&self.usage.join(", ")),
            or_dash(&self.flags.join(", ")),
        ]
    }

    /// A row of what was made, under [`MADE`].
    pub fn row_of_made(&self) -> Vec<Word> {
        let mut row = self.row();
        row.truncate(5);
        row.extend([&self.unique_id, &self.uri].map(Word::plain));
        row
    }

    /// For a sentence.
    pub fn briefly(&self) -> String {
        format!("the {} {:?} ({})", self.class, self.label, self.unique_id)
    }
}

/// Prints the objects that were made.
pub fn report(opened: &Opened<'_>, made: &[Handle], form: Form) -> Result<()> {
    let listed: Vec<Listed> =
        made.iter().filter_map(|handle| Listed::of(opened, *handle).transpose()).collect::<Result<_>>()?;
    form.list(MADE, &listed, Listed::row_of_made)
}

const MADE: &[&str] = &["class", "type", "size", "label", "id", "unique id", "uri"];

/// What an object is.
pub fn shape(view: &View) -> Option<(Class, Option<Type>)> {
    let class = number(view, CKA_CLASS).and_then(Class::from_number)?;
    let of = class.typed_by().and_then(|(attribute, _)| Type::named(attribute, number(view, attribute)?));
    Some((class, of))
}

fn bits(view: &View, class: Class, key_type: Option<KeyType>) -> Option<usize> {
    if key_type == Some(KeyType::Rsa) {
        let modulus = view.attribute(CKA_MODULUS).ok()?;
        let mut significant = modulus.iter().skip_while(|byte| **byte == 0);
        let first = significant.next()?.checked_ilog2()?;
        return significant.count().checked_mul(8)?.checked_add(usize::try_from(first).ok()?)?.checked_add(1);
    }
    let length = number(view, CKA_VALUE_LEN).filter(|_| class.is_secret())?;
    usize::try_from(length).ok()?.checked_mul(8)
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const USES: &[(u64, &str)] = &[
    (CKA_ENCRYPT, "encrypt"),
    (CKA_DECRYPT, "decrypt"),
    (CKA_SIGN, "sign"),
    (CKA_VERIFY, "verify"),
    (CKA_SIGN_RECOVER, "sign to recover"),
    (CKA_VERIFY_RECOVER, "recover"),
    (CKA_WRAP, "wrap"),
    (CKA_UNWRAP, "unwrap"),
    (CKA_DERIVE, "derive"),
];

const FLAGS: &[(u64, &str)] = &[
    (CKA_PRIVATE, "private"),
    (CKA_SENSITIVE, "sensitive"),
    (CKA_EXTRACTABLE, "extractable"),
    (CKA_KEYSTEAD_MASKABLE, "maskable"),
    (CKA_WRAP_WITH_TRUSTED, "wrap with trusted"),
    (CKA_TRUSTED, "trusted"),
    (CKA_ALWAYS_AUTHENTICATE, "always authenticate"),
];

/// What is worth a word when it does not hold.
const DENIALS: &[(u64, &str)] =
    &[(CKA_MODIFIABLE, "not modifiable"), (CKA_COPYABLE, "not copyable"), (CKA_DESTROYABLE, "not destroyable")];
