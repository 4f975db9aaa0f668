//! Questions and answers as CBOR: an array each, whose first element tells what it is.

use minicbor::data::Type;
use minicbor::decode::Error;
use minicbor::{Decoder, Encoder};

use super::super::DomainId;
use super::super::digest::{Item, State, Tally};
use super::super::framed::fixed;
use super::super::peer::{About, How, Outcome, Withheld};
use super::super::range::Range;
use super::frame::shown;
use crate::crypto::sum::Sum;
use crate::store::ObjectId;

/// What one side asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    About,
    Tallies(Vec<Range>),
    Items(Vec<Range>),
    Fetch(Vec<ObjectId>),
    Put(How, Vec<Vec<u8>>),
    Withheld(Option<ObjectId>),
    /// Nothing more: the end.
    Bye,
}

/// What the other answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It cannot; the sentence says why.
    Failed(String),
    About(About),
    Tallies(Vec<Tally>),
    Items(Vec<Item>),
    Objects(Vec<Option<Vec<u8>>>),
    Outcomes(Vec<Outcome>),
    Withheld(Vec<(ObjectId, Withheld)>),
}

impl Question {
    /// The body of a frame.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _ = self.write(&mut encoder);
        encoder.into_writer()
    }

    /// Reads one.
    pub fn decode(body: &[u8]) -> Result<Self, Error> {
        let d = &mut Decoder::new(body);
        let question = match (d.array()?, d.u8()?) {
            (Some(1), 0) => Self::About,
            (Some(2), 1) => Self::Tallies(list(d, read_range)?),
            (Some(2), 2) => Self::Items(list(d, read_range)?),
            (Some(2), 3) => Self::Fetch(list(d, read_id)?),
            (Some(3), 4) => {
                let how = if d.bool()? { How::Commit } else { How::Try };
                Self::Put(how, list(d, |d| d.bytes().map(<[u8]>::to_vec))?)
            }
            (Some(2), 5) => Self::Withheld(optional(d, read_id)?),
            (Some(1), 6) => Self::Bye,
            _ => return Err(Error::message("an unknown question")),
        };
        ended(d, body).map(|()| question)
    }

    fn write(&self, e: &mut Encoder<Vec<u8>>) -> Written {
        match self {
            Self::About => e.array(1)?.u8(0)?,
            Self::Tallies(ranges) => write_list(e.array(2)?.u8(1)?, ranges, write_range)?,
            Self::Items(ranges) => write_list(e.array(2)?.u8(2)?, ranges, write_range)?,
            Self::Fetch(ids) => write_list(e.array(2)?.u8(3)?, ids, |e, id| e.bytes(&id.0).map(drop))?,
            Self::Put(how, objects) => {
                write_list(e.array(3)?.u8(4)?.bool(*how == How::Commit)?, objects, |e, object| {
                    e.bytes(object).map(drop)
                })?
            }
            Self::Withheld(after) => match after {
                Some(id) => e.array(2)?.u8(5)?.bytes(&id.0)?,
                None => e.array(2)?.u8(5)?.null()?,
            },
            Self::Bye => e.array(1)?.u8(6)?,
        };
        Ok(())
    }
}

impl Answer {
    /// The body of a frame.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _ = self.write(&mut encoder);
        encoder.into_writer()
    }

    /// Reads one.
    pub fn decode(body: &[u8]) -> Result<Self, Error> {
        let d = &mut Decoder::new(body);
        let answer = match (d.array()?, d.u8()?) {
            (Some(2), 0) => Self::Failed(shown(d.str()?)),
            (Some(4), 1) => Self::About(About { domain: DomainId(fixed(d)?), serial: fixed(d)?, items: d.u64()? }),
            (Some(2), 2) => Self::Tallies(list(d, read_tally)?),
            (Some(2), 3) => Self::Items(list(d, read_item)?),
            (Some(2), 4) => Self::Objects(list(d, |d| optional(d, |d| d.bytes().map(<[u8]>::to_vec)))?),
            (Some(2), 5) => Self::Outcomes(list(d, read_outcome)?),
            (Some(2), 6) => Self::Withheld(list(d, read_withheld)?),
            _ => return Err(Error::message("an unknown answer")),
        };
        ended(d, body).map(|()| answer)
    }

    fn write(&self, e: &mut Encoder<Vec<u8>>) -> Written {
        match self {
            Self::Failed(why) => e.array(2)?.u8(0)?.str(why)?,
            Self::About(About { domain, serial, items }) => {
                e.array(4)?.u8(1)?.bytes(&domain.0)?.bytes(serial)?.u64(*items)?
            }
            Self::Tallies(all) => write_list(e.array(2)?.u8(2)?, all, |e, Tally { count, sum }| {
                e.array(2)?.u64(*count)?.bytes(&sum.0).map(drop)
            })?,
            Self::Items(items) => write_list(e.array(2)?.u8(3)?, items, write_item)?,
            Self::Objects(objects) => write_list(e.array(2)?.u8(4)?, objects, |e, object| match object {
                Some(object) => e.bytes(object).map(drop),
                None => e.null().map(drop),
            })?,
            Self::Outcomes(outcomes) => write_list(e.array(2)?.u8(5)?, outcomes, write_outcome)?,
            Self::Withheld(all) => {
                write_list(e.array(2)?.u8(6)?, all, |e, (id, why)| e.array(2)?.bytes(&id.0)?.u8(*why as u8).map(drop))?
            }
        };
        Ok(())
    }
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;
type Writer = Encoder<Vec<u8>>;

fn write_list<'e, T>(
    e: &'e mut Writer,
    items: &[T],
    mut each: impl FnMut(&mut Writer, &T) -> Written,
) -> Result<&'e mut Writer, minicbor::encode::Error<std::convert::Infallible>> {
    e.array(items.len() as u64)?;
    items.iter().try_for_each(|item| each(e, item))?;
    Ok(e)
}

/// No message lists more of anything.
const MOST: u64 = 100_000;

/// It grows with what is there, not with what was announced.
fn list<T>(d: &mut Decoder<'_>, mut each: impl FnMut(&mut Decoder<'_>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    let length = d.array()?.ok_or_else(|| Error::message("an array of unknown length"))?;
    if length > MOST {
        return Err(Error::message("too many at once"));
    }
    let mut items = Vec::new();
    for _ in 0..length {
        items.push(each(d)?);
    }
    Ok(items)
}

fn optional<T>(
    d: &mut Decoder<'_>,
    read: impl FnOnce(&mut Decoder<'_>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    match d.datatype()? {
        Type::Null => d.null().map(|()| None),
        _ => read(d).map(Some),
    }
}

fn ended(d: &Decoder<'_>, body: &[u8]) -> Result<(), Error> {
    if d.position() == body.len() { Ok(()) } else { Err(Error::message("something follows the end")) }
}

/// The head of an array of so many elements.
fn array_of(d: &mut Decoder<'_>, length: u64) -> Result<(), Error> {
    if d.array()? == Some(length) { Ok(()) } else { Err(Error::message("an array has another length")) }
}

fn read_id(d: &mut Decoder<'_>) -> Result<ObjectId, Error> {
    fixed(d).map(ObjectId)
}

fn write_range(e: &mut Writer, range: &Range) -> Written {
    e.array(2)?.bytes(&range.first().0)?.u8(range.digits()).map(drop)
}

fn read_range(d: &mut Decoder<'_>) -> Result<Range, Error> {
    array_of(d, 2)?;
    Range::new(read_id(d)?, d.u8()?).ok_or_else(|| Error::message("a range that does not exist"))
}

fn read_tally(d: &mut Decoder<'_>) -> Result<Tally, Error> {
    array_of(d, 2)?;
    Ok(Tally { count: d.u64()?, sum: Sum(fixed(d)?) })
}

/// Of a tombstone the id alone.
fn write_item(e: &mut Writer, item: &Item) -> Written {
    match &item.state {
        State::Tombstone => e.array(1)?.bytes(&item.id.0),
        State::Object { version, content, identity } => {
            e.array(4)?.bytes(&item.id.0)?.u64(*version)?.bytes(content)?.bytes(identity)
        }
    }
    .map(drop)
}

fn read_item(d: &mut Decoder<'_>) -> Result<Item, Error> {
    let (length, id) = (d.array()?, read_id(d)?);
    let state = match length {
        Some(1) => State::Tombstone,
        Some(4) => State::Object { version: d.u64()?, content: fixed(d)?, identity: fixed(d)? },
        _ => return Err(Error::message("an array has another length")),
    };
    Ok(Item { id, state })
}

fn write_outcome(e: &mut Writer, outcome: &Outcome) -> Written {
    match outcome {
        Outcome::Created => e.array(1)?.u8(0),
        Outcome::Updated(differs) => e.array(2)?.u8(1)?.bool(*differs),
        Outcome::Destroyed => e.array(1)?.u8(2),
        Outcome::Buried => e.array(1)?.u8(3),
        Outcome::Equal => e.array(1)?.u8(4),
        Outcome::Older => e.array(1)?.u8(5),
        Outcome::StaysDestroyed => e.array(1)?.u8(6),
        Outcome::Tied(differs) => e.array(2)?.u8(7)?.bool(*differs),
        Outcome::Conflict => e.array(1)?.u8(8),
        Outcome::Refused(why) => e.array(2)?.u8(9)?.str(why),
    }
    .map(drop)
}

fn read_outcome(d: &mut Decoder<'_>) -> Result<Outcome, Error> {
    Ok(match (d.array()?, d.u8()?) {
        (Some(1), 0) => Outcome::Created,
        (Some(2), 1) => Outcome::Updated(d.bool()?),
        (Some(1), 2) => Outcome::Destroyed,
        (Some(1), 3) => Outcome::Buried,
        (Some(1), 4) => Outcome::Equal,
        (Some(1), 5) => Outcome::Older,
        (Some(1), 6) => Outcome::StaysDestroyed,
        (Some(2), 7) => Outcome::Tied(d.bool()?),
        (Some(1), 8) => Outcome::Conflict,
        (Some(2), 9) => Outcome::Refused(shown(d.str()?).into()),
        _ => return Err(Error::message("an unknown outcome")),
    })
}

fn read_withheld(d: &mut Decoder<'_>) -> Result<(ObjectId, Withheld), Error> {
    array_of(d, 2)?;
    let (id, number) = (read_id(d)?, d.u8()?);
    let why = Withheld::ALL.into_iter().find(|why| *why as u8 == number);
    why.map(|why| (id, why)).ok_or_else(|| Error::message("an unknown reason"))
}
