//! The token that is left, and what is in it.

use std::path::PathBuf;
use std::rc::Rc;

use cryptoki_sys::*;
use keystead::key::{Class, KeyType, Type};
use keystead::object::attribute::{self, CKA_KEYSTEAD_MASKABLE, Kind, Role};
use keystead::secret::Secret;
use zeroize::Zeroizing;

use super::foreign::{Library, Object, Refused, Session, TokenInfo};
use crate::failure::{Exit, Failure, Result};
use crate::pin::Wanted;
use crate::uri::{Named, Token, Uri, of_object};

/// The token that is left, with its user logged in.
pub struct Source {
    pub module: PathBuf,
    pub token: TokenInfo,
    pub session: Session,
    library: Rc<Library>,
    pub mechanisms: Vec<CK_MECHANISM_TYPE>,
}

/// An object of it.
pub struct Item {
    pub object: Object,
    /// `CKO_*`
    pub number: u64,
    /// What it is here; none if Keystead keeps nothing of the kind.
    pub shape: Option<(Class, Option<Type>)>,
    pub label: Vec<u8>,
    pub id: Vec<u8>,
}

/// What a template here takes over.
pub struct Kept {
    pub attributes: Vec<(u64, Zeroizing<Vec<u8>>)>,
    /// The names of those whose values mean nothing here.
    pub lost: Vec<&'static str>,
}

impl Source {
    /// Loads the module, and opens the token that is meant.
    pub fn open(module: PathBuf, reserved: Option<&str>, wanted: Option<&str>, pin: Wanted<'_>) -> Result<Self> {
        let library = Library::load(&module, reserved)?;
        let failed = |refused: Refused| Failure::of(module.display(), refused);
        let token = choose(library.tokens().map_err(failed)?, wanted)?;
        let mechanisms = library.mechanisms(token.slot).map_err(failed)?;
        let session = library.open_session(token.slot).map_err(failed)?;
        if token.needs_login() {
            let typed = if token.has_own_keypad() { None } else { Some(pin.existing_of(&token.label)?) };
            session.login(typed.as_ref()).map_err(|refused| login_refused(refused, &token))?;
        }
        Ok(Self { module, token, session, library, mechanisms })
    }

    /// Everything that is kept on the token, but for what the token says of itself.
    pub fn items(&self) -> Result<Vec<Item>, Refused> {
        let mut items = Vec::new();
        for object in self.session.find(&[(CKA_TOKEN, &[1])])? {
            let item = self.item(object)?;
            if !item.shape.is_some_and(|(class, _)| class.is_built_in()) {
                items.push(item);
            }
        }
        items.sort_by(|a, b| (a.number, &a.label, &a.id).cmp(&(b.number, &b.label, &b.id)));
        Ok(items)
    }

    /// Another session, for one operation: not every module ends an operation that has failed.
    pub fn another_session(&self) -> Result<Session, Refused> {
        self.library.open_session(self.token.slot)
    }

    /// The URI of an object.
    pub fn uri(&self, item: &Item) -> String {
        of_object(&self.token.label, self.token.serial.as_bytes(), &item.named())
    }

    fn item(&self, object: Object) -> Result<Item, Refused> {
        let number = self.number(object, CKA_CLASS)?.unwrap_or(CK_UNAVAILABLE_INFORMATION);
        let bytes =
            |attribute| Ok(self.session.attribute(object, attribute)?.map_or_else(Vec::new, |v| v.expose().to_vec()));
        Ok(Item { object, number, shape: self.shape(object, number)?, label: bytes(CKA_LABEL)?, id: bytes(CKA_ID)? })
    }

    fn shape(&self, object: Object, number: u64) -> Result<Option<(Class, Option<Type>)>, Refused> {
        let Some(class) = Class::from_number(number) else { return Ok(None) };
        let Some((attribute, _)) = class.typed_by() else { return Ok(Some((class, None))) };
        let of = self.number(object, attribute)?.and_then(|number| Type::named(attribute, number));
        Ok(of.filter(|of| class.takes(*of)).map(|of| (class, Some(of))))
    }

    /// A number among the attributes of an object.
    pub fn number(&self, object: Object, attribute: u64) -> Result<Option<u64>, Refused> {
        let value = self.session.attribute(object, attribute)?;
        Ok(value.and_then(|value| value.expose().try_into().ok()).map(u64::from_ne_bytes))
    }

    /// Whether a boolean attribute of an object is true.
    pub fn is(&self, object: Object, attribute: u64) -> Result<bool, Refused> {
        Ok(self
            .session
            .attribute(object, attribute)?
            .is_some_and(|value| value.expose().first().is_some_and(|b| *b != 0)))
    }

    /// Whether it is said, and is not so.
    pub fn is_not(&self, object: Object, attribute: u64) -> Result<bool, Refused> {
        Ok(self.session.attribute(object, attribute)?.is_some_and(|value| value.expose() == [0]))
    }

    /// Whether the token has a mechanism.
    pub fn has(&self, mechanism: CK_MECHANISM_TYPE) -> bool {
        self.mechanisms.contains(&mechanism)
    }

    /// The restrictions of a key that are templates: they cannot be taken over, and without them it could do more here.
    pub fn templates(&self, item: &Item) -> Result<Vec<&'static str>, Refused> {
        let Some((class, of)) = item.shape else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        for row in attribute::rows(class, of).filter(|row| row.kind == Kind::Template) {
            if self.session.attribute(item.object, row.number)?.is_some_and(|value| !value.is_empty()) {
                names.push(row.name);
            }
        }
        Ok(names)
    }

    /// What an object made here has of this one. `role` says which attributes the way of making it takes; its value is among
    /// them if `with_value`. None if a value is not shown that must be given.
    pub fn kept(
        &self,
        item: &Item,
        role: impl Fn(&attribute::Attribute) -> Role,
        with_value: bool,
    ) -> Result<Option<Kept>, Refused> {
        let mut kept = Kept { attributes: Vec::new(), lost: Vec::new() };
        let Some((class, of)) = item.shape else { return Ok(None) };
        for row in attribute::rows(class, of) {
            let role = role(row);
            let is_left = OURS.contains(&row.number) || row.kind == Kind::Template || row.secret && !with_value;
            if role == Role::Forbidden || is_left {
                continue;
            }
            let value =
                self.session.attribute(item.object, row.number)?.filter(|value| says_something(row.number, value));
            match value {
                Some(value) if row.canonical(value.expose()).is_some() => {
                    kept.attributes.push((row.number, Zeroizing::new(value.expose().to_vec())));
                }
                Some(_) => kept.lost.push(row.name),
                None if role == Role::Required => return Ok(None),
                None => (),
            }
        }
        Ok(Some(kept))
    }
}

/// What is not taken over: what is computed here, what only the SO may say, and ours.
const OURS: [u64; 6] =
    [CKA_TOKEN, CKA_UNIQUE_ID, CKA_TRUSTED, CKA_PUBLIC_KEY_INFO, CKA_CHECK_VALUE, CKA_KEYSTEAD_MASKABLE];

/// An attribute that is there with no bytes is one that is not set, and a length of 0 is one that the module does not know.
fn says_something(number: u64, value: &Secret) -> bool {
    let says_nothing = value.expose().iter().all(|byte| *byte == 0) && (number == CKA_VALUE_LEN || value.is_empty());
    !says_nothing
}

impl Item {
    /// What a URI calls it.
    pub fn named(&self) -> Named<'_> {
        Named { class: self.number, label: &self.label, id: &self.id }
    }

    /// Its type, if it is a key of one that is known here.
    pub fn key_type(&self) -> Option<KeyType> {
        self.shape.and_then(|(_, of)| of).and_then(Type::key)
    }

    /// Its class, if it is known here.
    pub fn class(&self) -> Option<Class> {
        self.shape.map(|(class, _)| class)
    }
}

impl TokenInfo {
    /// What URIs call it.
    fn names(&self) -> Token<'_> {
        Token {
            slot: self.slot,
            label: self.label.as_bytes(),
            serial: self.serial.as_bytes(),
            manufacturer: self.manufacturer.as_bytes(),
            model: self.model.as_bytes(),
        }
    }
}

/// The token that is meant: by URI, label or serial number; or the only one.
fn choose(mut tokens: Vec<TokenInfo>, wanted: Option<&str>) -> Result<TokenInfo> {
    let there: Vec<String> = tokens.iter().map(|token| format!("{:?}", token.label)).collect();
    let uri = wanted.filter(|wanted| Uri::is_one(wanted)).map(Uri::parse).transpose()?;
    tokens.retain(|token| match (&uri, wanted) {
        (Some(uri), _) => uri.fits(&token.names()),
        (None, Some(wanted)) => token.label == wanted || token.serial == wanted,
        (None, None) => true,
    });
    match (tokens.pop(), tokens.is_empty()) {
        (Some(token), true) => Ok(token),
        (None, _) => {
            let failure = Failure::new("the module shows no such token").with_exit(Exit::NotFound);
            Err(failure.with_next(match there.is_empty() {
                true => "it shows none at all: is its configuration found?".to_owned(),
                false => format!("it has {}", there.join(", ")),
            }))
        }
        (Some(_), false) => {
            let failure = Failure::new("the module shows several such tokens");
            Err(failure.with_next(format!("say which one with --token: {}", there.join(", "))))
        }
    }
}

fn login_refused(refused: Refused, token: &TokenInfo) -> Failure {
    let failure = match refused.code {
        CKR_PIN_INCORRECT => Failure::new(format!("the PIN of the token {:?} is wrong", token.label))
            .with_next("the other module may count wrong ones"),
        _ => Failure::of(format!("no login to the token {:?}", token.label), refused),
    };
    failure.with_exit(Exit::Login)
}
