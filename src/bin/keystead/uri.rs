//! `pkcs11:` URIs. RFC 7512.
//!
//! Stricter than most readers: what is not understood is refused, since a URI that is read half names more than was meant.

use cryptoki_sys::*;

use crate::failure::{Failure, Result};

/// What a URI asks of a token and of an object in it. What it says nothing of may be anything.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Uri {
    token: Option<Vec<u8>>,
    manufacturer: Option<Vec<u8>>,
    serial: Option<Vec<u8>>,
    model: Option<Vec<u8>>,
    slot: Option<u32>,
    /// `CKA_LABEL`
    pub object: Option<Vec<u8>>,
    /// `CKA_CLASS`
    pub class: Option<CK_OBJECT_CLASS>,
    /// `CKA_ID`
    pub id: Option<Vec<u8>>,
}

const SCHEME: &str = "pkcs11:";

/// What names an object within its token, apart from its class empty where there is nothing.
pub struct Named<'a> {
    /// `CKA_CLASS`
    pub class: CK_OBJECT_CLASS,
    /// `CKA_LABEL`
    pub label: &'a [u8],
    /// `CKA_ID`
    pub id: &'a [u8],
}

/// The URI of an object: as many of the names of token and object as there are.
pub fn of_object(token: &str, serial: &[u8], object: &Named<'_>) -> String {
    let class = CLASSES.iter().find(|(_, class)| *class == object.class).map_or("", |(word, _)| word);
    let parts = [
        ("token", encoded(token.as_bytes())),
        ("serial", encoded(serial)),
        ("object", encoded(object.label)),
        // RFC 7512, section 2.3: an id is always written in this form.
        ("id", object.id.iter().map(|byte| format!("%{byte:02X}")).collect()),
        ("type", class.to_owned()),
    ];
    let said: Vec<String> =
        parts.iter().filter(|(_, value)| !value.is_empty()).map(|(n, v)| format!("{n}={v}")).collect();
    format!("{SCHEME}{}", said.join(";"))
}

impl Uri {
    /// Whether a name is meant to be a URI.
    pub fn is_one(text: &str) -> bool {
        text.get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
    }

    /// Reads a URI. RFC 7512, section 2.3.
    pub fn parse(text: &str) -> Result<Self> {
        // The query may hold what should not be said again.
        let shown = text.split('?').next().unwrap_or_default();
        let refuse = |why: String| Failure::new(format!("{shown:?} is not understood: {why}"));
        let rest = text.get(SCHEME.len()..).filter(|_| Self::is_one(text));
        let rest = rest.ok_or_else(|| refuse(format!("it does not begin with {SCHEME}")))?;
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let mut uri = Self::default();
        let mut seen = Vec::new();
        for attribute in path.split(';').filter(|_| !path.is_empty()) {
            let (name, value) =
                attribute.split_once('=').ok_or_else(|| refuse(format!("{attribute:?} has no \"=\"")))?;
            if seen.contains(&name) {
                return Err(refuse(format!("it says {name} twice")));
            }
            seen.push(name);
            uri.take(name, value).map_err(refuse)?;
        }
        for attribute in query.into_iter().flat_map(|query| query.split('&')) {
            check_query(attribute).map_err(refuse)?;
        }
        Ok(uri)
    }

    /// Whether it asks anything of an object.
    pub fn names_object(&self) -> bool {
        self.object.is_some() || self.class.is_some() || self.id.is_some()
    }

    /// Whether a token is one that it asks for.
    pub fn fits_token(&self, slot: u32, label: &[u8], serial: &[u8]) -> bool {
        let fits = |wanted: &Option<Vec<u8>>, own: &[u8]| wanted.as_ref().is_none_or(|wanted| wanted == own);
        fits(&self.token, label)
            && fits(&self.serial, serial)
            && fits(&self.manufacturer, KEYSTEAD)
            && fits(&self.model, KEYSTEAD)
            && self.slot.is_none_or(|wanted| wanted == slot)
    }

    /// Whether it asks for this slot, and for nothing that only an open token could tell.
    pub fn is_slot_only(&self, slot: u32) -> bool {
        let about_token = [&self.token, &self.serial, &self.manufacturer, &self.model];
        self.slot == Some(slot) && about_token.iter().all(|asked| asked.is_none())
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        let bytes = decoded(value)?;
        match name {
            "token" => self.token = Some(bytes),
            "manufacturer" => self.manufacturer = Some(bytes),
            "serial" => self.serial = Some(bytes),
            "model" => self.model = Some(bytes),
            "object" => self.object = Some(bytes),
            "id" => self.id = Some(bytes),
            "type" => self.class = Some(class(value)?),
            "slot-id" => {
                let number = value.bytes().all(|digit| digit.is_ascii_digit()).then(|| value.parse().ok()).flatten();
                self.slot = Some(number.ok_or_else(|| format!("{value:?} is no slot"))?);
            }
            "library-manufacturer" if bytes == KEYSTEAD => (),
            _ => return Err(format!("nothing here answers to {name}={value}")),
        }
        Ok(())
    }
}

/// The manufacturer and the model of every token, in saved URIs for ever.
const KEYSTEAD: &[u8] = b"Keystead";

/// The classes that a URI can name.
const CLASSES: [(&str, CK_OBJECT_CLASS); 5] = [
    ("cert", CKO_CERTIFICATE),
    ("data", CKO_DATA),
    ("private", CKO_PRIVATE_KEY),
    ("public", CKO_PUBLIC_KEY),
    ("secret-key", CKO_SECRET_KEY),
];

fn class(name: &str) -> Result<CK_OBJECT_CLASS, String> {
    let known = CLASSES.iter().find(|(word, _)| *word == name).map(|(_, class)| *class);
    known.ok_or_else(|| format!("{name:?} is no type of objects: cert, data, private, public or secret-key"))
}

/// The query says how the module is found, which this one is already, and where PINs are.
fn check_query(attribute: &str) -> Result<(), String> {
    match attribute.split_once('=') {
        Some(("module-name" | "module-path", _)) => Ok(()),
        Some(("pin-value" | "pin-source", _)) => {
            Err("PINs do not come from URIs here; see --user-pin-file and --so-pin-file".into())
        }
        _ => Err(format!("{attribute:?} is no query")),
    }
}

/// A value in percent encoding: what RFC 3986, section 2.3, leaves as it is stays so.
fn encoded(value: &[u8]) -> String {
    let mut text = String::new();
    for byte in value {
        match byte {
            b'-' | b'.' | b'_' | b'~' => text.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => text.push(char::from(*byte)),
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// A value without its percent encoding.
fn decoded(value: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    loop {
        rest = match rest {
            [] => return Ok(bytes),
            [b'%', high, low, rest @ ..] => {
                let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let byte = digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low);
                bytes.push(byte.ok_or_else(|| format!("a % in {value:?} has no two hexadecimal digits behind it"))?);
                rest
            }
            [byte, rest @ ..] if byte.is_ascii_alphanumeric() || b"-._~:[]@!$'()*+,=&".contains(byte) => {
                bytes.push(*byte);
                rest
            }
            _ => return Err(format!("{value:?} has a character that must be written as % and two digits")),
        };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_the_rfc_shows_is_read() {
        // RFC 7512, section 3.
        let all = Uri::parse("pkcs11:").unwrap();
        assert_eq!(all, Uri::default());
        assert!(!all.names_object() && all.fits_token(7, b"any", b"any"));
        let object = Uri::parse("pkcs11:object=my-pubkey;type=public").unwrap();
        assert_eq!((object.object.as_deref(), object.class), (Some(&b"my-pubkey"[..]), Some(CKO_PUBLIC_KEY)));
        let id = Uri::parse("pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;id=%69%95%3E%5C%F4%BD%EC%91").unwrap();
        assert_eq!(id.id.as_deref(), Some(&b"\x69\x95\x3e\x5c\xf4\xbd\xec\x91"[..]));
        assert!(id.fits_token(0, b"The Software PKCS#11 Softtoken", b""));
        let slot = Uri::parse("pkcs11:slot-id=327;manufacturer=Keystead?module-path=/x.so").unwrap();
        assert!(slot.fits_token(327, b"", b"") && !slot.fits_token(328, b"", b"") && !slot.is_slot_only(327));
        assert!(Uri::parse("PKCS11:slot-id=327").unwrap().is_slot_only(327));
        assert!(!Uri::parse("pkcs11:model=v1").unwrap().fits_token(0, b"", b""));
        assert!(Uri::parse("pkcs11:token=;serial=ab").unwrap().fits_token(0, b"", b"ab"));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let named = Named { class: CKO_PRIVATE_KEY, label: "a;b ü".as_bytes(), id: &[0, 0x41] };
        let text = of_object("My Token", b"00ff", &named);
        assert_eq!(text, "pkcs11:token=My%20Token;serial=00ff;object=a%3Bb%20%C3%BC;id=%00%41;type=private");
        let read = Uri::parse(&text).unwrap();
        assert_eq!((read.object.as_deref(), read.id.as_deref()), (Some(named.label), Some(named.id)));
        assert!(read.class == Some(CKO_PRIVATE_KEY) && read.fits_token(0, b"My Token", b"00ff"));
        let bare = of_object("T", b"", &Named { class: CKO_SECRET_KEY, label: b"", id: b"" });
        assert_eq!(bare, "pkcs11:token=T;type=secret-key");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "pkcs12:token=a",
            "token=a",
            "pkcs11:token",
            "pkcs11:token=a;",
            "pkcs11:;token=a",
            "pkcs11:token=a;token=a",
            "pkcs11:token=a%2",
            "pkcs11:token=a%zz",
            "pkcs11:token=%+1",
            "pkcs11:token=a b",
            "pkcs11:token=ä",
            "pkcs11:token=a/b",
            "pkcs11:type=key",
            "pkcs11:type=%63ert",
            "pkcs11:slot-id=-1",
            "pkcs11:slot-id=+1",
            "pkcs11:slot-id=",
            "pkcs11:slot-id=4294967296",
            "pkcs11:library-manufacturer=Other",
            "pkcs11:colour=red",
            "pkcs11:?pin-value=1234",
            "pkcs11:?pin-source=/pin",
            "pkcs11:?colour=red",
            "pkcs11:?",
        ] {
            assert!(Uri::parse(text).is_err(), "{text}");
        }
        let sentence = Uri::parse("pkcs11:?pin-value=1234").unwrap_err().to_string();
        assert!(sentence.contains("--user-pin-file") && !sentence.contains("1234"), "{sentence}");
    }
}
