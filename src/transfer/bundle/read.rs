//! Reading a bundle.

use std::io::{self, Read};

use super::super::framed::{self, LONGEST, Unread};
use super::super::masked::Masked;
use super::super::peer::{How, Peer};
use super::super::replica::Replica;
use super::super::sync::{BATCH, Report, Told, Way};
use super::{Chain, Entry, Header, damaged};
use crate::crypto::equal;
use crate::error::{Error, Result};
use crate::store::ObjectId;

/// A bundle being read, whose header is what a token of the domain wrote.
pub struct Reader<R> {
    input: R,
    header: Header,
    chain: Chain,
    read: u64,
}

/// What came of a bundle.
pub struct Imported {
    /// What was taken in.
    pub report: Report,
    /// Why the bundle is not whole. What is in the report came before that, and stays.
    pub cut: Option<Error>,
}

/// Takes a bundle into a token, object by object as they come.
///
/// # Errors
/// Those of the token.
pub fn import<R: Read>(bundle: &mut Reader<R>, to: &mut Replica, how: How, told: Told<'_>) -> Result<Imported> {
    let mut imported = Imported { report: Report::default(), cut: None };
    loop {
        let (batch, end) = bundle.batch();
        let (ids, objects): (Vec<ObjectId>, Vec<Vec<u8>>) = batch.into_iter().unzip();
        let outcomes = if objects.is_empty() { Vec::new() } else { to.put(objects, how)? };
        for (id, outcome) in ids.into_iter().zip(outcomes) {
            imported.report.take(Way::Forth, id, Some(outcome));
        }
        told(bundle.read, bundle.header.count);
        match end {
            Ok(false) => {}
            Ok(true) => return Ok(imported),
            Err(error) => return Ok(Imported { cut: Some(error), ..imported }),
        }
    }
}

impl<R: Read> Reader<R> {
    /// Reads the header. `member` finds the domain that it names.
    ///
    /// # Errors
    /// [`Error::Sync`] with a sentence for people if it is no bundle, or not as it was written; those of `member`.
    pub fn begin(mut input: R, member: impl FnOnce(&Header) -> Result<Replica>) -> Result<(Self, Replica)> {
        let body = next(&mut input)?;
        let Entry::Header(header) = decoded(&body)? else { return Err(damaged("it does not begin with a header")) };
        let replica = member(&header)?;
        let chain = Chain::new(replica.with_domain_key(|keyed| header.key(keyed))?);
        let mut reader = Self { input, header, chain, read: 0 };
        reader.chain.add(&body);
        match decoded(&next(&mut reader.input)?)? {
            Entry::Seal(mac) if equal(&mac, &reader.chain.seal()) => Ok((reader, replica)),
            _ => Err(damaged("its header is not as a token of the domain wrote it")),
        }
    }

    /// What it says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Some more objects, and whether this is the end, or what stands against going on.
    fn batch(&mut self) -> (Vec<(ObjectId, Vec<u8>)>, Result<bool>) {
        let (mut batch, mut bytes) = (Vec::new(), 0_usize);
        while batch.len() < BATCH && bytes < LONGEST as usize {
            match self.object() {
                Ok(Some((id, object))) => {
                    bytes = bytes.saturating_add(object.len());
                    batch.push((id, object));
                }
                Ok(None) => return (batch, Ok(true)),
                Err(error) => return (batch, Err(error)),
            }
        }
        (batch, Ok(false))
    }

    /// The next object; nothing when the bundle has ended as it should.
    fn object(&mut self) -> Result<Option<(ObjectId, Vec<u8>)>> {
        let body = next(&mut self.input)?;
        match decoded(&body)? {
            Entry::Object(_) if self.read == self.header.count => Err(damaged("it has more objects than it says")),
            Entry::Object(object) => {
                self.chain.add(&body);
                self.read = self.read.saturating_add(1);
                Ok(Some((Masked::parse(&object)?.object, object)))
            }
            Entry::Seal(mac) if equal(&mac, &self.chain.seal()) => self.end(),
            Entry::Seal(_) => Err(damaged("objects are missing, were moved or do not belong to it")),
            Entry::Header(_) => Err(damaged("a second header is in it")),
        }
    }

    fn end(&mut self) -> Result<Option<(ObjectId, Vec<u8>)>> {
        match framed::read(&mut self.input, 0, 0) {
            Ok(None) => Ok(None),
            _ => Err(damaged("something follows its end")),
        }
    }
}

fn decoded(body: &[u8]) -> Result<Entry> {
    Entry::decode(body).map_err(damaged)
}

/// The body of the next frame, which there has to be.
fn next(input: &mut impl Read) -> Result<Vec<u8>> {
    match framed::read(input, LONGEST, 0) {
        Ok(Some(body)) => Ok(body),
        Ok(None) => Err(too_short()),
        Err(Unread::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Err(too_short()),
        Err(Unread::Io(error)) => Err(Error::Sync(format!("the bundle cannot be read: {error}").into())),
        Err(Unread::TooLong) => Err(damaged("it is no bundle of Keystead, or was changed")),
    }
}

fn too_short() -> Error {
    damaged("it ends too early")
}
