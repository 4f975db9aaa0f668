//! A bundle: the masked objects of a token in a file or a pipe, for a token of its domain that cannot be asked anything. `docs/formats.md`
//! has the page.
//!
//! Each object is authenticated by itself, and comes in whole. Beside that the beginning and the end are, so that nobody takes a part
//! for the whole.

mod read;
mod write;

pub use read::{Imported, Reader, import};
pub use write::export;

use minicbor::data::Type;
use minicbor::decode::Error as Malformed;
use minicbor::{Decoder, Encoder};

use super::DomainId;
use super::framed::fixed;
use crate::crypto::hash::Algorithm;
use crate::crypto::hmac::{Hmac, HmacKey};
use crate::error::{Error, Result};
use crate::mechanism::Keyed;

/// What a bundle says of itself. Until a [`Reader`] has been made of it, nothing of that is to be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The domain whose tokens can open it.
    pub domain: DomainId,
    /// The serial number of the token that it was made from.
    pub serial: [u8; 16],
    /// When, in seconds since the beginning of 1970, UTC.
    pub made: u64,
    /// At most so many objects and tombstones follow.
    pub count: u64,
    /// Random: no bundle has another's key.
    salt: [u8; 32],
}

/// One frame of a bundle.
#[derive(Debug, PartialEq, Eq)]
enum Entry {
    Header(Header),
    Object(Vec<u8>),
    /// The MAC of everything before it.
    Seal(Mac),
}

type Mac = [u8; 32];

const MAGIC: &str = "keystead bundle";
const FORMAT: u64 = 1;

const HEADER: u8 = 0;
const OBJECT: u8 = 1;
const SEAL: u8 = 2;

impl Entry {
    fn encode(&self) -> Vec<u8> {
        let mut e = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _ = match self {
            Self::Header(header) => header.write(&mut e),
            Self::Object(object) => e.array(2).and_then(|e| e.u8(OBJECT)?.bytes(object)).map(drop),
            Self::Seal(mac) => e.array(2).and_then(|e| e.u8(SEAL)?.bytes(mac)).map(drop),
        };
        e.into_writer()
    }

    fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let d = &mut Decoder::new(body);
        let entry = match (d.array()?, d.u8()?) {
            // Of a later format only this much is known.
            (Some(3..), HEADER) => Self::Header(Header::read(d)?),
            (Some(2), OBJECT) => Self::Object(d.bytes()?.into()),
            (Some(2), SEAL) => Self::Seal(fixed(d)?),
            _ => return Err(Malformed::message("an unknown entry")),
        };
        // One form only, and nothing behind it.
        if entry.encode() == body { Ok(entry) } else { Err(Malformed::message("not in the one form that it can have")) }
    }
}

impl Header {
    fn write(&self, e: &mut Encoder<Vec<u8>>) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        e.array(8)?.u8(HEADER)?.str(MAGIC)?.u64(FORMAT)?.bytes(&self.domain.0)?.bytes(&self.serial)?;
        e.u64(self.made)?.u64(self.count)?.bytes(&self.salt)?;
        Ok(())
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, Malformed> {
        if d.datatype()? != Type::String || d.str()? != MAGIC {
            return Err(Malformed::message("it is no bundle of Keystead"));
        }
        let format = d.u64()?;
        if format != FORMAT {
            return Err(Malformed::message(format!("it has format {format}; this library knows format {FORMAT}")));
        }
        Ok(Self { domain: DomainId(fixed(d)?), serial: fixed(d)?, made: d.u64()?, count: d.u64()?, salt: fixed(d)? })
    }

    /// The key of this bundle's MACs.
    fn key(&self, keyed: &Keyed<'_>) -> Result<HmacKey> {
        let key = keyed.derived(&self.salt, b"keystead 1 bundle")?;
        Ok(HmacKey::new(Algorithm::Sha256, key.expose()))
    }
}

/// The MACs of a bundle: that of the header, then that of all that follows with the first in front.
struct Chain {
    key: HmacKey,
    mac: Hmac,
}

impl Chain {
    fn new(key: HmacKey) -> Self {
        let mac = key.begin();
        Self { key, mac }
    }

    /// The next frame's body.
    fn add(&mut self, body: &[u8]) {
        self.mac.update(&(body.len() as u64).to_be_bytes());
        self.mac.update(body);
    }

    /// The MAC of everything so far.
    fn seal(&mut self) -> Mac {
        let mac = self.mac.finish().as_ref().first_chunk().copied().unwrap_or_default();
        self.mac = self.key.begin();
        self.add(&mac);
        mac
    }
}

fn damaged(why: impl std::fmt::Display) -> Error {
    Error::Sync(format!("the bundle is damaged: {why}").into())
}
