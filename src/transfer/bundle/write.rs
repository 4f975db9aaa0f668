//! Writing a bundle.

use std::io::Write;

use super::super::framed;
use super::super::peer::Peer;
use super::super::replica::Replica;
use super::super::sync::{BATCH, Told};
use super::{Chain, Entry, Header};
use crate::crypto::random;
use crate::error::{Error, Result};

/// Writes all that may leave a token, `made` now, in seconds since the beginning of 1970, UTC. How many objects and tombstones it was.
///
/// # Errors
/// [`Error::Sync`] with the system's reason if it cannot be written; those of the token.
pub fn export(from: &mut Replica, output: impl Write, made: u64, told: Told<'_>) -> Result<u64> {
    let about = from.about()?;
    let header =
        Header { domain: about.domain, serial: about.serial, made, count: about.items, salt: random::bytes()? };
    let chain = Chain::new(from.with_domain_key(|keyed| header.key(keyed))?);
    let mut bundle = Writer { output, chain };
    bundle.put(&Entry::Header(header))?;
    bundle.seal()?;
    let ids = from.ids()?;
    let (mut done, mut written) = (0_u64, 0_u64);
    for mut batch in ids.chunks(BATCH) {
        while !batch.is_empty() {
            let objects = from.fetch(batch)?;
            done = done.saturating_add(objects.len() as u64);
            batch = batch.get(objects.len().max(1)..).unwrap_or_default();
            for object in objects.into_iter().flatten() {
                bundle.put(&Entry::Object(object))?;
                written = written.saturating_add(1);
            }
            told(done, about.items);
        }
    }
    bundle.seal()?;
    bundle.output.flush().map_err(|error| unwritable(&error))?;
    Ok(written)
}

struct Writer<W> {
    output: W,
    chain: Chain,
}

impl<W: Write> Writer<W> {
    fn put(&mut self, entry: &Entry) -> Result<()> {
        let body = entry.encode();
        self.chain.add(&body);
        framed::write(&mut self.output, &body, &[]).map_err(|error| unwritable(&error))
    }

    fn seal(&mut self) -> Result<()> {
        let seal = Entry::Seal(self.chain.seal()).encode();
        framed::write(&mut self.output, &seal, &[]).map_err(|error| unwritable(&error))
    }
}

fn unwritable(error: &std::io::Error) -> Error {
    Error::Sync(format!("the bundle cannot be written: {error}").into())
}
