//! Writing a backup.

use std::io::{self, Write};

use super::entry::Entry;
use super::{Counts, Header};
use crate::error::{Error, Result};
use crate::store::{Item, Store};

/// A backup being written. Without [`end`](Self::end) it is none.
pub struct Writer<W> {
    output: W,
    tokens: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a backup.
    ///
    /// # Errors
    /// [`Error::Backup`], with the system's reason, as all functions here have it. Those of the store come as they are.
    pub fn begin(output: W, header: &Header) -> Result<Self> {
        let mut writer = Self { output, tokens: 0 };
        put(&mut writer.output, &Entry::Header(header.clone()))?;
        Ok(writer)
    }

    /// Appends the token of `slot`, as of one moment; slots ascend. `each` sees every item before it is written, and may end it all
    /// with an error.
    pub fn token(&mut self, slot: u32, store: &dyn Store, each: &mut dyn FnMut(&Item) -> Result<()>) -> Result<()> {
        let mut counts = Counts::default();
        let output = &mut self.output;
        store.snapshot(&mut |item| {
            each(&item)?;
            counts.add(&item);
            match item {
                Item::Token { row, revision } => put(output, &Entry::Token { slot, row, revision }),
                part => put(output, &Entry::Part(part)),
            }
        })?;
        put(output, &Entry::TokenEnd(counts))?;
        self.tokens = self.tokens.saturating_add(1);
        Ok(())
    }

    /// Ends the backup and hands back what it was written to, which is still to be flushed.
    pub fn end(mut self) -> Result<W> {
        put(&mut self.output, &Entry::End { tokens: self.tokens })?;
        Ok(self.output)
    }
}

fn put(output: &mut impl Write, entry: &Entry) -> Result<()> {
    output.write_all(&entry.encode()).map_err(|error| unwritable(&error))
}

/// Why a backup cannot be written.
pub fn unwritable(error: &io::Error) -> Error {
    Error::Backup(format!("the backup cannot be written: {error}").into())
}
