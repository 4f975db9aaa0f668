//! One object after the other: is it there already, can it be taken, did it arrive?

use cryptoki_sys::*;
use keystead::error::Error;
use keystead::handle::Handle;
use keystead::key::Class;
use keystead::object::attribute::Attribute as Row;

use super::advice;
use super::bridge::{Bridge, Way};
use super::foreign::Refused;
use super::ours::{Attribute, Ours};
use super::proof::{Both, Likeness};
use super::report::{Line, Outcome};
use super::source::{Item, Kept, Source};
use crate::failure::{Failure, Result};

/// The move under way.
pub struct Transfer<'a> {
    pub source: &'a Source,
    pub ours: &'a Ours<'a>,
    pub bridge: Bridge<'a>,
    pub dry_run: bool,
}

/// What has arrived.
struct Arrived {
    how: &'static str,
    proof: Option<&'static str>,
    lost: Vec<&'static str>,
}

/// Why something stays.
enum Stop {
    /// It cannot be moved, and this is why.
    Stays(String),
    /// Nothing more can be moved.
    End(Failure),
}

impl Transfer<'_> {
    /// Moves one object, or says why not.
    pub fn one(&self, item: &Item) -> Result<Line> {
        let outcome = match self.outcome(item) {
            Ok(outcome) => outcome,
            Err(Stop::Stays(reason)) => {
                let recipe = advice::of(self.source, item, self.ours).map_err(|refused| self.failed(refused))?;
                Outcome::Stays { reason, recipe }
            }
            Err(Stop::End(failure)) => return Err(failure),
        };
        Ok(Line::new(self.source, item, self.ours, outcome))
    }

    fn outcome(&self, item: &Item) -> Result<Outcome, Stop> {
        let Some(class) = item.class() else {
            return Err(Stop::Stays("Keystead has no objects of this class or type".into()));
        };
        if let [first, ..] = self.source.templates(item)?[..] {
            return Err(Stop::Stays(format!("its {first} would be lost, and it could do more than it may")));
        }
        if let Some(proof) = self.present(item)? {
            return Ok(Outcome::Present { proof });
        }
        let is_wrapped = class.is_wrapped();
        if is_wrapped && self.source.is_not(item.object, CKA_EXTRACTABLE)? {
            return Err(Stop::Stays("CKA_EXTRACTABLE is false: the module never gives it away".into()));
        }
        if self.dry_run {
            return self.foreseen(item, class);
        }
        let arrived = if is_wrapped { self.key(item, class)? } else { self.read(item, HIDDEN)? };
        let Arrived { how, proof, lost } = arrived.map_err(Stop::Stays)?;
        Ok(Outcome::Moved { how, proof, lost })
    }

    /// What shows that it is here already.
    fn present(&self, item: &Item) -> Result<Option<&'static str>, Stop> {
        let class = item.number.to_ne_bytes();
        let wanted = [(CKA_CLASS, &class[..]), (CKA_TOKEN, &[1]), (CKA_LABEL, &item.label), (CKA_ID, &item.id)];
        // Not every class has an id.
        let wanted = if item.id.is_empty() { &wanted[..3] } else { &wanted };
        for object in self.ours.find(wanted)? {
            if self.ours.attribute(object, CKA_KEY_TYPE)? != self.key_type(item) {
                continue;
            }
            match (Both { source: self.source, item, ours: self.ours, object }).compare() {
                Likeness::Same(proof) => return Ok(Some(proof)),
                Likeness::Different => (),
                Likeness::Unknown => {
                    let reason = "an object of this name is here already, and nothing tells whether it is the same";
                    return Err(Stop::Stays(reason.into()));
                }
            }
        }
        Ok(None)
    }

    fn key_type(&self, item: &Item) -> Option<Vec<u8>> {
        item.key_type().map(|key_type| key_type.number().to_ne_bytes().to_vec())
    }

    /// How it would be moved.
    fn foreseen(&self, item: &Item, class: Class) -> Result<Outcome, Stop> {
        let way = self.bridge.ways(class).next().filter(|_| class.is_wrapped());
        let how = match way {
            Some(way) => self.ours.name(way.number())?,
            None if self.source.kept(item, |row| row.create, true)?.is_some() => READ,
            None if class.is_wrapped() => return Err(Stop::Stays(self.no_way(class))),
            None => return Err(Stop::Stays(HIDDEN.into())),
        };
        Ok(Outcome::WouldMove { how })
    }

    /// A secret or private key: wrapped, so that nobody sees its value on the way; read, where that is all that the source does.
    fn key(&self, item: &Item, class: Class) -> Result<Result<Arrived, String>, Stop> {
        let mut first = None;
        for way in self.bridge.ways(class) {
            match self.wrapped(way, item)? {
                Ok(arrived) => return Ok(Ok(arrived)),
                Err(why) => first = first.or(Some(why)),
            }
        }
        let read = self.read(item, &self.no_way(class))?;
        Ok(read.map_err(|why| first.unwrap_or(why)))
    }

    fn no_way(&self, class: Class) -> String {
        let what =
            if class == Class::SecretKey { "AES key wrap, CBC-PAD nor RSA-OAEP" } else { "AES key wrap nor CBC-PAD" };
        format!("its value is not shown, and the module lists neither {what}")
    }

    /// By one way; why not, if that is the way's fault.
    fn wrapped(&self, way: Way, item: &Item) -> Result<Result<Arrived, String>, Stop> {
        let name = self.ours.name(way.number())?;
        let Some(kept) = self.source.kept(item, |row| row.unwrap, false)? else {
            return Ok(Err("the module does not tell its class and type".into()));
        };
        let object = match self.bridge.carry(way, item, &kept.given()) {
            Ok(object) => object,
            Err(why) => return Ok(Err(format!("{name}: {why}"))),
        };
        Ok(match self.proven(item, object, way.checks_itself())? {
            Some(proof) => Ok(Arrived { how: name, proof, lost: kept.lost }),
            None => Err(format!("{name}: what arrived is not what was sent")),
        })
    }

    /// Whatever shows all that is in it; `hidden` is what is said of others.
    fn read(&self, item: &Item, hidden: &str) -> Result<Result<Arrived, String>, Stop> {
        let Some(kept) = self.source.kept(item, |row: &Row| row.create, true)? else { return Ok(Err(hidden.into())) };
        let object = match self.ours.create(&kept.given()) {
            Ok(object) => object,
            Err(error) if ends_all(&error) => return Err(error.into()),
            Err(error) => return Ok(Err(format!("Keystead does not take it: {error}"))),
        };
        Ok(match self.proven(item, object, true)? {
            Some(proof) => Ok(Arrived { how: READ, proof, lost: kept.lost }),
            None => Err("what arrived is not what was sent".into()),
        })
    }

    /// What shows that it has arrived; what is another than it was is destroyed again, and so is what nothing vouches for.
    fn proven(&self, item: &Item, object: Handle, checked: bool) -> Result<Option<Option<&'static str>>, Stop> {
        match (Both { source: self.source, item, ours: self.ours, object }).compare() {
            Likeness::Same(proof) => return Ok(Some(Some(proof))),
            Likeness::Unknown if checked => return Ok(Some(None)),
            Likeness::Unknown | Likeness::Different => (),
        }
        self.ours.destroy(object)?;
        Ok(None)
    }

    fn failed(&self, refused: Refused) -> Failure {
        Failure::of(self.source.module.display(), refused)
    }
}

const READ: &str = "read";
const HIDDEN: &str = "the module does not show all that it consists of";

impl Kept {
    /// As a template of a token object.
    fn given(&self) -> Vec<Attribute<'_>> {
        let on_token: Attribute<'_> = (CKA_TOKEN, &[1]);
        self.attributes.iter().map(|(number, value)| (*number, value.as_slice())).chain([on_token]).collect()
    }
}

/// Whether nothing more can be done here.
fn ends_all(error: &Error) -> bool {
    use Error::*;
    matches!(
        error,
        DeviceError(_)
            | DeviceMemory(_)
            | TokenRemoved
            | TokenReplaced
            | TokenWriteProtected
            | UserNotLoggedIn
            | SessionHandleInvalid
    )
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::End(error.into())
    }
}

/// What one object of the source says is of that object.
impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Stays(refused.to_string())
    }
}
