//! What is told of a backup.

use std::path::{Path, PathBuf};

use keystead::error::Error;
use keystead::store::Item;
use keystead::store::backup::Header;
use keystead::token::TokenCopy;
use serde::Serialize;

use crate::failure::Result;
use crate::output::{Form, Word, time};
use crate::token::show::unpadded;

/// A backup, as it is printed.
#[derive(Serialize)]
pub struct Report {
    file: PathBuf,
    made: String,
    library: String,
    next_slot: u32,
    pub tokens: Vec<TokenLine>,
}

/// A token of a backup.
#[derive(Serialize)]
pub struct TokenLine {
    slot: u32,
    label: String,
    serial: String,
    objects: u64,
    tombstones: u64,
    /// Whether every object was opened, and is as it was sealed.
    pub seals: bool,
}

impl Report {
    /// Of a backup without tokens.
    pub fn new(file: &Path, header: &Header) -> Self {
        let (library, next_slot) = (header.library.clone(), header.next_slot);
        Self { file: file.to_owned(), made: time(header.made), library, next_slot, tokens: Vec::new() }
    }

    /// Prints it.
    pub fn print(&self, form: Form) -> Result<()> {
        let mut rows = vec![
            ("file".to_owned(), Word::plain(self.file.to_string_lossy())),
            ("made".to_owned(), Word::plain(&self.made)),
            ("by version".to_owned(), Word::plain(&self.library)),
        ];
        rows.extend(self.tokens.iter().map(|token| (format!("slot {}", token.slot), Word::plain(token.sentence()))));
        let rows: Vec<(&str, Word)> = rows.iter().map(|(name, word)| (name.as_str(), word.clone())).collect();
        form.record(self, &rows)
    }
}

impl TokenLine {
    /// A token of which nothing is known yet.
    pub fn of(slot: u32) -> Self {
        Self { slot, label: String::new(), serial: String::new(), objects: 0, tombstones: 0, seals: false }
    }

    /// Counts an item in, and reads the token row, which it hands back.
    pub fn add(&mut self, item: &Item) -> Result<Option<TokenCopy>, Error> {
        match item {
            Item::Token { row, .. } => {
                let copy = TokenCopy::read(&row.bytes)?;
                self.label = unpadded(copy.label());
                self.serial = String::from_utf8_lossy(copy.serial()).into_owned();
                return Ok(Some(copy));
            }
            Item::Object { .. } => self.objects = self.objects.saturating_add(1),
            Item::Tombstone { .. } => self.tombstones = self.tombstones.saturating_add(1),
        }
        Ok(None)
    }

    /// In sentences.
    pub fn name(&self) -> String {
        format!("slot {}, token {:?}", self.slot, self.label)
    }

    fn sentence(&self) -> String {
        let Self { label, serial, objects, tombstones, .. } = self;
        let seals = if self.seals { ", all as they were sealed" } else { "" };
        format!("{label} ({serial}): {objects} objects and {tombstones} tombstones{seals}")
    }
}
