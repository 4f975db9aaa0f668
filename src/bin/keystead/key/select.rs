//! Which objects are meant, and the session in which they are found.

use std::cell::RefCell;

use clap::ValueEnum;
use cryptoki_sys::*;
use keystead::error::Error;
use keystead::handle::Handle;
use keystead::object::{Given, Search};
use keystead::session::Sessions;
use keystead::token::View;

use crate::failure::Result;
use crate::login;
use crate::pin::{Role, UserSource};
use crate::store::Store;
use crate::token::choose::{NAME, choose_by_uri, choose_only, choose_open};
use crate::uri::Uri;

/// How an object is named.
#[derive(clap::Args)]
pub struct Object {
    /// A unique id, an id in hexadecimal digits, a label, or a pkcs11: URI
    #[arg(value_name = "OBJECT")]
    pub name: String,
}

/// Where objects are looked for.
#[derive(clap::Args)]
pub struct Place {
    /// The token; not needed where there is one only, or where a URI says it
    #[arg(long, value_name = NAME)]
    token: Option<String>,

    /// Only objects of this class [default: key, or what a URI says]
    #[arg(long)]
    class: Option<Kind>,

    #[command(flatten)]
    pin: UserSource,
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
    store: &'a Store,
    /// The session.
    pub session: Handle,
    /// Whether private objects are seen.
    pub logged_in: bool,
    /// One after the other until one of them hits.
    searches: Vec<Wanted>,
    kind: Kind,
}

/// Attributes and their values.
type Wanted = Vec<(u64, Vec<u8>)>;

impl Place {
    /// Opens a session with the token that is meant, for objects of that name, or all.
    pub fn open<'a>(&self, name: Option<&str>, log_in: bool, store: &'a Store) -> Result<Opened<'a>> {
        let uri = name.filter(|name| Uri::is_one(name)).map(Uri::parse).transpose()?;
        let (slot, _) = match (&self.token, &uri) {
            (Some(token), _) => choose_open(token, store)?,
            (None, Some(uri)) => choose_by_uri(uri, name.unwrap_or_default(), store)?,
            (None, None) => choose_only(store)?,
        };
        let kind = match (self.class, &uri) {
            (Some(kind), _) => kind,
            (None, Some(uri)) if uri.class.is_some() => Kind::Any,
            (None, _) => Kind::Key,
        };
        let mut searches = match (&uri, name) {
            (Some(uri), _) => vec![of_uri(uri)],
            (None, Some(name)) => of_name(name),
            (None, None) => vec![Vec::new()],
        };
        if let Some(class) = kind.only_class() {
            searches.iter_mut().for_each(|search| search.push((CKA_CLASS, class.to_ne_bytes().into())));
        }
        let logged_in = log_in || self.pin.is_named();
        let session = match logged_in {
            true => login::session(store, slot, Role::User, &self.pin.pin().existing()?)?,
            false => store.module.open_session(slot.into(), false)?,
        };
        Ok(Opened { store, session, logged_in, searches, kind })
    }
}

impl Opened<'_> {
    /// The sessions of the module.
    pub fn sessions(&self) -> &Sessions {
        self.store.module.sessions()
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
                if self.is_of_kind(handle)? {
                    hit = true;
                    work(handle)?;
                }
            }
        }
    }

    fn is_of_kind(&self, handle: Handle) -> Result<bool> {
        if self.kind != Kind::Key {
            return Ok(true);
        }
        let class = self.view(handle)?.and_then(|view| number(&view, CKA_CLASS));
        Ok(class.and_then(keystead::key::Class::from_number).is_some_and(keystead::key::Class::is_key))
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

/// The bytes that pairs of hexadecimal digits mean.
fn bytes(digits: &str) -> Option<Vec<u8>> {
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
