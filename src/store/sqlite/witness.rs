//! The witness: a small file outside the store that knows in which state the token is. A store that was put back to an older
//! state, or edited, is found out by it. `docs/formats.md` specifies the file.
//!
//! Before a transaction commits, the witness durably has the state before it and the one after, so that whoever is killed, the store
//! is in one of the two. After it has committed, only the one after: a store put back by a single commit is found out too.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::connection::beside;
use super::schema;
use super::witness_file::{Content, Entry, State, Witness};
use crate::crypto::hash::sha256;
use crate::error::{Error, Result};
use crate::store::TokenRow;

/// The folder of witnesses, one file for each token's file.
#[derive(Debug, Clone)]
pub(super) struct Witnesses(PathBuf);

impl Witnesses {
    /// It has to be there: where a file system was not mounted, a folder made instead would hold witnesses of nothing.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The witness of the file with this number.
    pub(super) fn of(&self, file: &[u8; 16]) -> Witness {
        let digits: String = file.iter().map(|byte| format!("{byte:02x}")).collect();
        Witness::at(self.0.join(digits + ".witness"))
    }

    /// Looks at the witness and at the token.
    pub(super) fn look(&self, connection: &Connection) -> rusqlite::Result<Look> {
        let witness = self.of(&schema::file_number(connection)?);
        let before = witness.read();
        let present = Present::read(connection)?;
        let after = witness.read();
        Ok(Look { refusal: witness.refusal(), before, present, after })
    }
}

/// The token, and the witness from before and after it was read: others may commit meanwhile.
pub(super) struct Look {
    pub(super) present: Present,
    pub(super) before: Result<Content>,
    pub(super) after: Result<Content>,
    pub(super) refusal: Error,
}

impl Look {
    /// The token row if the witness knows the state that it was read in. Nothing: others committed too fast, look again.
    pub(super) fn verdict(self) -> Option<Result<TokenRow>> {
        match (self.before, self.after) {
            (Ok(before), Ok(after)) if before.knows(&self.present.state) || after.knows(&self.present.state) => {
                Some(Ok(self.present.row))
            }
            (Ok(before), Ok(after)) => (before == after).then_some(Err(self.refusal)),
            (Err(error), _) | (_, Err(error)) => Some(Err(error)),
        }
    }
}

/// One transaction that the witness is told of.
pub(super) struct Telling {
    witness: Witness,
    before: State,
    told: Option<Entry>,
}

impl Telling {
    /// To be called before anything is changed.
    pub(super) fn begin(folder: &Witnesses, connection: &Connection) -> rusqlite::Result<Self> {
        let Present { file, state, .. } = Present::read(connection)?;
        Ok(Self { witness: folder.of(&file), before: state, told: None })
    }

    /// Tells what the transaction is about to make of the token at `path`. Durable when it returns; an error forbids the commit.
    pub(super) fn tell(&mut self, connection: &Connection, path: &Path) -> rusqlite::Result<Result<()>> {
        let after = Present::read(connection)?.state;
        let told = self.witness.advance(self.before, after, &beside(path, "-wal"));
        Ok(told.map(|entry| self.told = Some(entry)))
    }

    /// The transaction has committed: what was before is past. Where this fails, the next one says it.
    pub(super) fn settle(self) {
        if let Some(entry) = self.told {
            let _ = self.witness.settle(entry);
        }
    }
}

/// The token row and which state that is.
pub(super) struct Present {
    pub(super) file: [u8; 16],
    pub(super) state: State,
    pub(super) row: TokenRow,
}

impl Present {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let sql = "SELECT file, revision, version, bytes, digest FROM token";
        connection.prepare_cached(sql)?.query_row([], |row| {
            let (file, revision) = (row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned());
            let row =
                TokenRow { version: row.get::<_, i64>(2)?.cast_unsigned(), bytes: row.get(3)?, digest: row.get(4)? };
            Ok(Self { file, state: state(&file, revision, &row), row })
        })
    }
}

/// The state of the token in the file of this number.
pub(super) fn state(file: &[u8; 16], revision: u64, row: &TokenRow) -> State {
    let length = u64::try_from(row.bytes.len()).unwrap_or(u64::MAX);
    let [revision, version, length] = [revision, row.version, length].map(u64::to_be_bytes);
    sha256(&[b"keystead 1 witness", file, &revision, &version, &length, &row.bytes, &row.digest])
}
