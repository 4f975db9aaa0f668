//! The tables, and the version of the format. `docs/store.md` is the specification.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::failure::{self, Attempt, Failure};
use crate::error::Error;

/// The format that this library writes and the newest it reads: the file's `user_version`.
pub const FORMAT: i64 = 1;

/// The file's `application_id`: "KSTD".
pub(super) const APPLICATION: i64 = 0x4b53_5444;

/// Writes the tables and the token row into an empty file and makes it a WAL file for good. The number of the file.
pub(super) fn create(connection: &mut Connection, token: &[u8], digest: &[u8]) -> rusqlite::Result<[u8; 16]> {
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(TABLES)?;
    transaction.execute(
        "INSERT INTO token (one, version, revision, file, bytes, digest) VALUES (1, 1, 0, randomblob(16), ?1, ?2)",
        params![token, digest],
    )?;
    let number = file_number(&transaction)?;
    transaction.commit()?;
    Ok(number)
}

/// Refuses a file that is not a token of ours in a format that this library knows.
pub(super) fn check(connection: &Connection, path: &Path, immutable: bool) -> Attempt<()> {
    check_ours(connection, path, immutable)?;
    let format = format(connection).map_err(|error| failure::of_sqlite(&error, connection, path))?;
    let what = match format {
        FORMAT => return Ok(()),
        0 => "was never frozen: move its keys with the version that made it, and make the token anew",
        older if (1..FORMAT).contains(&older) => {
            "is brought up to date when the token is opened where it can be written"
        }
        _ => "is a newer version's",
    };
    Err(refuse(path, &format!("has format {format}, which {what}; this library knows format {FORMAT}")))
}

/// Refuses a file that is not a token of ours in whatever format, or is not in WAL mode. A connection that takes the file to be immutable
/// does not know the mode; the file's header says it.
pub(super) fn check_ours(connection: &Connection, path: &Path, immutable: bool) -> Attempt<()> {
    let sqlite = |error| failure::of_sqlite(&error, connection, path);
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(sqlite)?;
    if application != APPLICATION {
        return Err(refuse(path, "is no Keystead token"));
    }
    let mode: String = match immutable {
        true => header_mode(path)?.into(),
        false => connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(sqlite)?,
    };
    if mode != "wal" {
        return Err(refuse(path, &format!("has been set to journal mode {mode}; only wal is safe")));
    }
    Ok(())
}

/// The file's format now; inside a transaction it stays so.
pub(super) fn format(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA user_version")?.query_row([], |row| row.get(0))
}

fn refuse(path: &Path, why: &str) -> Failure {
    Failure::Final(Error::TokenNotRecognized(format!("{} {why}", path.display()).into()))
}

/// The number that the file was given when it was made: no two files have the same, wherever they lie.
pub(super) fn file_number(connection: &Connection) -> rusqlite::Result<[u8; 16]> {
    connection.query_row("SELECT file FROM token", [], |row| row.get(0))
}

/// The journal mode in the file's header, <https://www.sqlite.org/fileformat.html>, section 1.3.3.
fn header_mode(path: &Path) -> Result<&'static str, Error> {
    let mut header = [0; 20];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.map_err(|error| failure::of_system(&error, "read", path))?;
    Ok(if header.ends_with(&[2, 2]) { "wal" } else { "delete" })
}

const TABLES: &str = "
    CREATE TABLE token (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        version INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        file BLOB NOT NULL CHECK (length(file) = 16),
        bytes BLOB NOT NULL,
        digest BLOB NOT NULL
    ) STRICT;
    CREATE TABLE objects (
        id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
        version INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        term0 BLOB, term1 BLOB, term2 BLOB, term3 BLOB, term4 BLOB, term5 BLOB, term6 BLOB,
        record BLOB NOT NULL
    ) STRICT;
    CREATE INDEX objects_term0 ON objects (term0, id) WHERE term0 IS NOT NULL;
    CREATE INDEX objects_term1 ON objects (term1, id) WHERE term1 IS NOT NULL;
    CREATE INDEX objects_term2 ON objects (term2, id) WHERE term2 IS NOT NULL;
    CREATE INDEX objects_term3 ON objects (term3, id) WHERE term3 IS NOT NULL;
    CREATE INDEX objects_term4 ON objects (term4, id) WHERE term4 IS NOT NULL;
    CREATE INDEX objects_term5 ON objects (term5, id) WHERE term5 IS NOT NULL;
    CREATE INDEX objects_term6 ON objects (term6, id) WHERE term6 IS NOT NULL;
    CREATE TABLE deletions (
        id BLOB PRIMARY KEY NOT NULL,
        revision INTEGER NOT NULL,
        version INTEGER,
        tombstone BLOB
    ) STRICT, WITHOUT ROWID;
";
