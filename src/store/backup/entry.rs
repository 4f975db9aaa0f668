//! The items of the sequence, as CBOR: an array each, whose first element tells what it is.

use minicbor::decode::Error;
use minicbor::{Decoder, Encoder};

use super::{Counts, Header};
use crate::store::{Item, ObjectId, Row, TERMS, Term, Terms, TokenRow, sqlite};

/// An item of the sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    Header(Header),
    /// The token of a slot begins.
    Token {
        slot: u32,
        row: TokenRow,
        revision: u64,
    },
    /// An object or a tombstone of the token that began last.
    Part(Item),
    /// The token ends.
    TokenEnd(Counts),
    /// The backup ends.
    End {
        tokens: u64,
    },
}

const MAGIC: &str = "keystead backup";
/// The format of the sequence.
const FORMAT: u64 = 1;

const HEADER: u8 = 0;
const TOKEN: u8 = 1;
const OBJECT: u8 = 2;
const TOMBSTONE: u8 = 3;
const TOKEN_END: u8 = 4;
const END: u8 = 5;

impl Entry {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _ = self.write(&mut encoder);
        encoder.into_writer()
    }

    /// Reads a whole item; the error is the sentence for people.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let entry = Self::read(&mut Decoder::new(bytes)).map_err(|error| error.to_string())?;
        if entry.encode() == bytes { Ok(entry) } else { Err("an item is not in the one form that it can have".into()) }
    }

    fn write(&self, e: &mut Encoder<Vec<u8>>) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        match self {
            Self::Header(Header { made, library, next_slot }) => {
                e.array(7)?.u8(HEADER)?.str(MAGIC)?.u64(FORMAT)?.u64(rows_format())?;
                e.u64(*made)?.str(library)?.u32(*next_slot)?;
            }
            Self::Token { slot, row, revision } => {
                e.array(6)?.u8(TOKEN)?.u32(*slot)?.u64(row.version)?.u64(*revision)?;
                e.bytes(&row.bytes)?.bytes(&row.digest)?;
            }
            Self::Part(Item::Token { .. }) => {}
            Self::Part(Item::Object { row, revision }) => {
                e.array(6)?.u8(OBJECT)?.bytes(&row.id.0)?.u64(row.version)?.u64(*revision)?;
                e.array(TERMS as u64)?;
                for term in &row.terms {
                    match term {
                        Some(term) => e.bytes(term)?,
                        None => e.null()?,
                    };
                }
                e.bytes(&row.record)?;
            }
            Self::Part(Item::Tombstone { row, revision }) => {
                e.array(5)?.u8(TOMBSTONE)?.bytes(&row.id.0)?.u64(row.version)?.u64(*revision)?.bytes(&row.record)?;
            }
            Self::TokenEnd(Counts { objects, tombstones }) => {
                e.array(3)?.u8(TOKEN_END)?.u64(*objects)?.u64(*tombstones)?;
            }
            Self::End { tokens } => {
                e.array(2)?.u8(END)?.u64(*tokens)?;
            }
        }
        Ok(())
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, Error> {
        let length = d.array()?.ok_or_else(|| Error::message("an array of unknown length"))?;
        match (d.u8()?, length) {
            // Of a later format only this much is known.
            (HEADER, 3..) => read_header(d).map(Self::Header),
            (TOKEN, 6) => {
                let (slot, version, revision) = (d.u32()?, d.u64()?, d.u64()?);
                Ok(Self::Token {
                    slot,
                    row: TokenRow { version, bytes: d.bytes()?.into(), digest: d.bytes()?.into() },
                    revision,
                })
            }
            (OBJECT, 6) => {
                let (id, version, revision) = (ObjectId(fixed(d)?), d.u64()?, d.u64()?);
                let row = Row { id, version, terms: read_terms(d)?, record: d.bytes()?.into() };
                Ok(Self::Part(Item::Object { row, revision }))
            }
            (TOMBSTONE, 5) => {
                let (id, version, revision) = (ObjectId(fixed(d)?), d.u64()?, d.u64()?);
                let row = Row { id, version, terms: Terms::default(), record: d.bytes()?.into() };
                Ok(Self::Part(Item::Tombstone { row, revision }))
            }
            (TOKEN_END, 3) => Ok(Self::TokenEnd(Counts { objects: d.u64()?, tombstones: d.u64()? })),
            (END, 2) => Ok(Self::End { tokens: d.u64()? }),
            _ => Err(Error::message("an item of an unknown kind")),
        }
    }
}

fn read_header(d: &mut Decoder<'_>) -> Result<Header, Error> {
    if d.str()? != MAGIC {
        return Err(Error::message("it is no backup of Keystead"));
    }
    let format = d.u64()?;
    if format != FORMAT {
        let sentence = format!("it has format {format}; this library knows format {FORMAT}");
        return Err(Error::message(sentence));
    }
    let rows = d.u64()?;
    if rows != rows_format() {
        let known = rows_format();
        return Err(Error::message(format!("its tokens have format {rows}; this library knows format {known}")));
    }
    Ok(Header { made: d.u64()?, library: d.str()?.into(), next_slot: d.u32()? })
}

fn read_terms(d: &mut Decoder<'_>) -> Result<Terms, Error> {
    if d.array()? != Some(TERMS as u64) {
        return Err(Error::message("another number of index terms"));
    }
    let mut terms = Terms::default();
    for term in &mut terms {
        *term = match d.datatype()? {
            minicbor::data::Type::Null => d.null().map(|()| None)?,
            _ => Some(fixed::<{ size_of::<Term>() }>(d)?),
        };
    }
    Ok(terms)
}

fn fixed<const LENGTH: usize>(d: &mut Decoder<'_>) -> Result<[u8; LENGTH], Error> {
    d.bytes()?.try_into().map_err(|_| Error::message("an id or a term of another length"))
}

/// The format of what the rows hold, which this sequence only carries.
fn rows_format() -> u64 {
    sqlite::FORMAT.unsigned_abs()
}
