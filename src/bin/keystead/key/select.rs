//! Which objects are meant, and the session in which they are found.

use std::cell::RefCell;
use std::rc::Rc;

use clap::ValueEnum;
use cryptoki_sys::*;
use keystead::error::Error;
use keystead::handle::Handle;
use keystead::key::Class;
use keystead::mechanism::Mechanism;
use keystead::module::Module;
use keystead::object::{Given, Search};
use keystead::session::Sessions;
use keystead::token::{TokenState, View};

use crate::failure::{Failure, Result};
use crate::login;
use crate::pin::{Role, UserSource};
use crate::store::Store;
use crate::token::choose::{NAME, choose_by_uri, choose_only, choose_open};
use crate::token::label_of;
use crate::uri::{self, Named, Uri};

/// How an object is named.
#[derive(clap::Args)]
pub struct Object {
    /// A unique id, an id in hexadecimal digits, a label, or a pkcs11: URI
    #[arg(value_name = "OBJECT")]
    pub name: String,
}

/// The token in which keys are made or looked for.
#[derive(clap::Args)]
pub struct Place {
    /// The token; not needed where there is one only, or where a URI says it
    #[arg(long, value_name = NAME)]
    token: Option<String>,

    #[command(flatten)]
    pin: UserSource,
}

/// Where objects are looked for.
#[derive(clap::Args)]
pub struct Among {
    /// Only objects of this class [default: key, or what a URI says]
    #[arg(long)]
    class: Option<Kind>,

    #[command(flatten)]
    place: Place,
}

/// What objects are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Keys of every class
    Key,
    PublicKey,
    PrivateKey,
    SecretKey,
    OtpKey,
    Certificate,
    Data,
    /// Every object
    Any,
}

/// A session, and what is looked for in it.
pub struct Opened<'a> {
    module: &'a Module,
    slot: u32,
    token: Rc<TokenState>,
    /// The session.
    pub session: Handle,
    /// Whether private objects are seen.
    pub logged_in: bool,
    /// One after the other until one of them hits.
    searches: Vec<Wanted>,
    /// The classes that are looked for; all, where there is nothing here.
    takes: Option<fn(Class) -> bool>,
}

/// Attributes and their values.
pub type Wanted = Vec<(u64, Vec<u8>)>;

impl Place {
    /// Opens a session with the token that is meant, and its user logged in.
    pub fn open<'a>(&self, store: &'a Store) -> Result<Opened<'a>> {
        self.open_for(None, true, store)
    }

    /// The same for objects of that name, or all; logged in if that is wanted, or a PIN is named.
    fn open_for<'a>(&self, name: Option<&str>, log_in: bool, store: &'a Store) -> Result<Opened<'a>> {
        let uri = name.filter(|name| Uri::is_one(name)).map(Uri::parse).transpose()?;
        let (slot, token) = match (&self.token, &uri) {
            (Some(token), _) => choose_open(token, store)?,
            (None, Some(uri)) => choose_by_uri(uri, name.unwrap_or_default(), store)?,
            (None, None) => choose_only(store)?,
        };
        let logged_in = log_in || self.pin.is_named();
        let session = match logged_in {
            true => login::session(store, slot, Role::User, &self.pin.pin().existing()?)?,
            false => store.module.open_session(slot.into(), false)?,
        };
        let searches = name.map_or_else(|| Ok(vec![Vec::new()]), searches)?;
        let token = Rc::from(token);
        Ok(Opened { module: &store.module, slot, token, session, logged_in, searches, takes: Some(Class::is_key) })
    }
}

impl Among {
    /// Opens a session with the token that is meant, for objects of that name, or all.
    pub fn open<'a>(&self, name: Option<&str>, log_in: bool, store: &'a Store) -> Result<Opened<'a>> {
        let mut opened = self.place.open_for(name, log_in, store)?;
        opened.takes = match self.class {
            Some(Kind::Key) => Some(Class::is_key),
            Some(_) => None,
            // A URI that says what it means.
            None if opened.searches.iter().flatten().any(|(asked, _)| *asked == CKA_CLASS) => None,
            None => Some(Class::is_key),
        };
        if let Some(only) = self.class.and_then(Kind::only_class) {
            opened.searches.iter_mut().for_each(|search| search.push((CKA_CLASS, only.to_ne_bytes().into())));
        }
        Ok(opened)
    }
}

impl<'a> Opened<'a> {
    /// The sessions of the module.
    pub fn sessions(&self) -> &'a Sessions {
        self.module.sessions()
    }

    /// A mechanism by its number.
    pub fn mechanism(&self, number: u64) -> Result<&'static Mechanism> {
        Ok(self.module.mechanisms().find(number)?)
    }

    /// All mechanisms.
    pub fn mechanisms(&self) -> &'a [&'static Mechanism] {
        self.module.mechanisms().all()
    }

    /// What is looked for, of these classes only.
    pub fn narrowed(self, takes: fn(Class) -> bool) -> Self {
        Self { takes: Some(takes), ..self }
    }

    /// Other objects in the same session: those of that name and of these classes.
    pub fn others(&self, name: &str, takes: fn(Class) -> bool) -> Result<Self> {
        let label = label_of(&self.token);
        let uri = Some(name).filter(|name| Uri::is_one(name)).map(Uri::parse).transpose()?;
        if uri.is_some_and(|uri| !uri.fits_token(self.slot, label.as_bytes(), &self.token.serial)) {
            let failure = Failure::new(format!("{name} is not in the token {label:?}"));
            return Err(failure.with_next("both keys have to be in one token"));
        }
        let (token, searches) = (Rc::clone(&self.token), searches(name)?);
        Ok(Self { token, searches, takes: Some(takes), ..*self })
    }

    /// Objects with these attributes in the same session.
    pub fn with(&self, wanted: Wanted) -> Self {
        Self { token: Rc::clone(&self.token), searches: vec![wanted], takes: None, ..*self }
    }

    /// The URI of an object in this token. RFC 7512.
    pub fn uri(&self, object: &Named<'_>) -> String {
        uri::of_object(&label_of(&self.token), &self.token.serial, object)
    }

    /// An object, to be asked for its attributes; none if it has gone meanwhile.
    pub fn view(&self, handle: Handle) -> Result<Option<View>> {
        match self.sessions().view(self.session, handle) {
            Ok(view) => Ok(Some(view)),
            Err(Error::ObjectHandleInvalid) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Does something with each object, as it is found.
    pub fn each(&self, work: impl FnMut(Handle) -> Result<()>) -> Result<()> {
        let work = RefCell::new(work);
        for search in &self.searches {
            if self.each_of(search, &mut *work.borrow_mut())? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether there was any.
    fn each_of(&self, search: &Wanted, work: &mut dyn FnMut(Handle) -> Result<()>) -> Result<bool> {
        /// So many are found at a time.
        const SOME: usize = 256;
        let given: Vec<Given> = search.iter().map(|(number, value)| Given::new(*number, value)).collect();
        let mut hit = false;
        self.sessions().find_init(self.session, Search::new(&given))?;
        loop {
            let found = self.sessions().find_next(self.session, SOME)?;
            if found.is_empty() {
                self.sessions().find_final(self.session)?;
                return Ok(hit);
            }
            for handle in found {
                if self.is_wanted(handle)? {
                    hit = true;
                    work(handle)?;
                }
            }
        }
    }

    fn is_wanted(&self, handle: Handle) -> Result<bool> {
        let Some(takes) = self.takes else { return Ok(true) };
        let class = self.view(handle)?.and_then(|view| number(&view, CKA_CLASS));
        Ok(class.and_then(Class::from_number).is_some_and(takes))
    }
}

impl Kind {
    fn only_class(self) -> Option<u64> {
        match self {
            Self::Key | Self::Any => None,
            Self::PublicKey => Some(CKO_PUBLIC_KEY),
            Self::PrivateKey => Some(CKO_PRIVATE_KEY),
            Self::SecretKey => Some(CKO_SECRET_KEY),
            Self::OtpKey => Some(CKO_OTP_KEY),
            Self::Certificate => Some(CKO_CERTIFICATE),
            Self::Data => Some(CKO_DATA),
        }
    }
}

/// A number among an object's attributes.
pub fn number(view: &View, attribute: u64) -> Option<u64> {
    let value = view.attribute(attribute).ok()?;
    value.as_slice().try_into().map(u64::from_ne_bytes).ok()
}

/// What is looked for under a name, one after the other.
fn searches(name: &str) -> Result<Vec<Wanted>> {
    if Uri::is_one(name) { Ok(vec![of_uri(&Uri::parse(name)?)]) } else { Ok(of_name(name)) }
}

fn of_uri(uri: &Uri) -> Wanted {
    let class = uri.class.map(|class| (CKA_CLASS, class.to_ne_bytes().to_vec()));
    let label = uri.object.clone().map(|label| (CKA_LABEL, label));
    let id = uri.id.clone().map(|id| (CKA_ID, id));
    class.into_iter().chain(label).chain(id).collect()
}

/// What a bare name may be: a unique id, an id, a label.
fn of_name(name: &str) -> Vec<Wanted> {
    let unique = (name.len() == 32).then(|| vec![(CKA_UNIQUE_ID, name.to_ascii_lowercase().into_bytes())]);
    let id = bytes(name).map(|id| vec![(CKA_ID, id)]);
    let label = vec![(CKA_LABEL, name.as_bytes().to_vec())];
    unique.into_iter().chain(id).chain([label]).collect()
}

/// The bytes that pairs of hexadecimal digits mean; none if there are no digits.
pub fn bytes(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    let bytes = pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?)).collect::<Option<Vec<u8>>>();
    bytes.filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_tried_as_what_it_may_be() {
        let numbers = |name| of_name(name).iter().flatten().map(|(number, _)| *number).collect::<Vec<_>>();
        assert_eq!(numbers("0a1B"), [CKA_ID, CKA_LABEL]);
        assert_eq!(numbers("0a1"), [CKA_LABEL]);
        assert_eq!(numbers("signing"), [CKA_LABEL]);
        assert_eq!(numbers(""), [CKA_LABEL]);
        assert_eq!(numbers("00112233445566778899aabbccddeeff"), [CKA_UNIQUE_ID, CKA_ID, CKA_LABEL]);
        assert_eq!(bytes("0a1B"), Some(vec![0x0a, 0x1b]));
        assert_eq!(bytes("+1"), None);
    }
}
