//! Reading a backup.

use std::io::{self, Read};

use minicbor::Decoder;

use super::entry::Entry;
use super::{Counts, Header};
use crate::error::{Error, Result};
use crate::store::{Item, ObjectId, TokenRow};

/// A backup being read. Only when [`next_token`](Self::next_token) has said that there is no more is it known to be whole.
pub struct Reader<R> {
    input: R,
    /// What has been read and not yet taken.
    buffer: Vec<u8>,
    taken: usize,
    header: Header,
    tokens: u64,
    last_slot: Option<u32>,
    token: Option<Token>,
}

/// The token being read.
struct Token {
    /// Not yet handed out.
    row: Option<(TokenRow, u64)>,
    counts: Counts,
    /// The id before, and whether it was a tombstone's.
    last: Option<(bool, ObjectId)>,
}

impl<R: Read> Reader<R> {
    /// Begins with the header.
    ///
    /// # Errors
    /// [`Error::Backup`], as all functions here have it: it cannot be read, is damaged or ends too early, or is of a format
    /// that this library does not know.
    pub fn begin(input: R) -> Result<Self> {
        let header = Header { made: 0, library: String::new(), next_slot: 0 };
        let (buffer, taken, tokens, last_slot, token) = Default::default();
        let mut reader = Self { input, buffer, taken, header, tokens, last_slot, token };
        match reader.next_entry()? {
            Entry::Header(header) => Ok(Self { header, ..reader }),
            _ => Err(damaged("it does not begin with a header")),
        }
    }

    /// What the backup says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The slot of the next token; nothing when the backup has ended as it should.
    pub fn next_token(&mut self) -> Result<Option<u32>> {
        match self.next_entry()? {
            Entry::Token { slot, row, revision } if self.last_slot.is_none_or(|last| last < slot) => {
                self.last_slot = Some(slot);
                self.token = Some(Token { row: Some((row, revision)), counts: Counts::default(), last: None });
                Ok(Some(slot))
            }
            Entry::End { tokens } if tokens == self.tokens => match self.ends()? {
                true => Ok(None),
                false => Err(damaged("something follows its end")),
            },
            Entry::End { .. } => Err(damaged("it holds another number of tokens than it says")),
            _ => Err(damaged("its items are out of order")),
        }
    }

    /// The next item of the token, its row first; nothing when the token has ended as it should.
    pub fn next_item(&mut self) -> Result<Option<Item>> {
        let Some(mut token) = self.token.take() else { return Ok(None) };
        if let Some((row, revision)) = token.row.take() {
            self.token = Some(token);
            return Ok(Some(Item::Token { row, revision }));
        }
        match self.next_entry()? {
            Entry::Part(item) if token.admits(&item) => {
                token.counts.add(&item);
                self.token = Some(token);
                Ok(Some(item))
            }
            Entry::TokenEnd(counts) if counts == token.counts => {
                self.tokens = self.tokens.saturating_add(1);
                Ok(None)
            }
            Entry::TokenEnd(_) => Err(damaged("a token holds another number of objects than it says")),
            _ => Err(damaged("its items are out of order")),
        }
    }

    fn next_entry(&mut self) -> Result<Entry> {
        loop {
            let rest = self.buffer.get(self.taken..).unwrap_or_default();
            let mut decoder = Decoder::new(rest);
            match decoder.skip() {
                Ok(()) => {
                    let item = rest.get(..decoder.position()).unwrap_or_default();
                    let entry = Entry::decode(item).map_err(|why| damaged(&why));
                    self.taken = self.taken.saturating_add(item.len());
                    return entry;
                }
                Err(error) if error.is_end_of_input() && rest.len() < LONGEST => {}
                Err(error) => return Err(damaged(&error.to_string())),
            }
            if !self.fill()? {
                return Err(damaged("it ends too early"));
            }
        }
    }

    /// Whether there is nothing more.
    fn ends(&mut self) -> Result<bool> {
        Ok(self.taken == self.buffer.len() && !self.fill()?)
    }

    /// Reads more; false if there is no more.
    fn fill(&mut self) -> Result<bool> {
        self.buffer.drain(..self.taken.min(self.buffer.len()));
        self.taken = 0;
        // As much again as there is, so that a long item is not looked at too often.
        let more = self.buffer.len().max(CHUNK) as u64;
        let read = self.input.by_ref().take(more).read_to_end(&mut self.buffer);
        Ok(read.map_err(|error| unreadable(&error))? > 0)
    }
}

impl Token {
    /// Objects come before tombstones, and both by ascending id.
    fn admits(&mut self, item: &Item) -> bool {
        let place = match item {
            Item::Token { .. } => return false,
            Item::Object { row, .. } => (false, row.id),
            Item::Tombstone { row, .. } => (true, row.id),
        };
        self.last.replace(place).is_none_or(|last| last < place)
    }
}

/// How many bytes are asked for at least.
const CHUNK: usize = 1 << 16;

/// No item is longer: more than SQLite takes in one row.
const LONGEST: usize = 1 << 30;

/// Why a backup cannot be read, where that is not its contents.
pub fn unreadable(error: &io::Error) -> Error {
    match error.kind() {
        // What stands around the sequence says so of what it does not vouch for.
        io::ErrorKind::InvalidData => damaged("it is not as it was written"),
        io::ErrorKind::UnexpectedEof => damaged("it ends too early"),
        _ => Error::Backup(format!("the backup cannot be read: {error}").into()),
    }
}

fn damaged(why: &str) -> Error {
    Error::Backup(format!("the backup is damaged: {why}").into())
}
