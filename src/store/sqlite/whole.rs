//! A whole token: read as of one moment, and written anew into a file that nobody else knows.

use std::path::Path;

use rusqlite::{Connection, Params, params_from_iter, types::Value};

use super::failure::{self, Attempt};
use super::schema;
use super::token::{integer, number};
use crate::error::Result;
use crate::store::{Item, ObjectId, Row, TERMS, Terms, TokenRow, first_item, twice};

/// Gives the items of a token, one a call.
pub(super) type Items<'a> = dyn FnMut() -> Result<Option<Item>> + 'a;

/// What [`Store::snapshot`](crate::store::Store::snapshot) shows, in one transaction. The inner error is one of `each`.
pub(super) fn show(connection: &Connection, each: &mut dyn FnMut(Item) -> Result<()>) -> rusqlite::Result<Result<()>> {
    // The first statement in it chooses the moment.
    let transaction = connection.unchecked_transaction()?;
    let token = transaction.query_row("SELECT version, revision, bytes, digest FROM token", [], |row| {
        let token = TokenRow { version: number(row.get(0)?), bytes: row.get(2)?, digest: row.get(3)? };
        Ok(Item::Token { row: token, revision: number(row.get(1)?) })
    })?;
    if let Err(error) = each(token) {
        return Ok(Err(error));
    }
    let objects = format!(
        "SELECT id, version, revision, record{} FROM objects
         WHERE NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = objects.id) ORDER BY id",
        terms(|column| format!(", term{column}"))
    );
    let tombstones = "SELECT id, version, revision, tombstone FROM deletions WHERE tombstone IS NOT NULL ORDER BY id";
    let object = |row, revision| Item::Object { row, revision };
    let tombstone = |row, revision| Item::Tombstone { row, revision };
    match show_rows(&transaction, &objects, TERMS, each, object)? {
        Ok(()) => show_rows(&transaction, tombstones, 0, each, tombstone),
        error => Ok(error),
    }
}

/// Writes a token into a file without tables.
pub(super) fn fill(connection: &mut Connection, path: &Path, items: &mut Items<'_>) -> Attempt<()> {
    let (token, revision) = first_item(items)?;
    schema::create(connection, &token, revision).map_err(|error| failure::of_sqlite(&error, connection, path))?;
    let connection = &*connection;
    let sqlite = |error| failure::of_sqlite(&error, connection, path);
    let mut next = items()?;
    if next.is_none() {
        return Ok(());
    }
    // Terms are random: made at the end, sorted, an index costs a fraction of what it costs row by row.
    let indexes = indexes(connection).map_err(sqlite)?;
    connection.execute_batch(&indexes.removal).map_err(sqlite)?;
    while next.is_some() {
        let transaction = connection.unchecked_transaction().map_err(sqlite)?;
        for _ in 0..BATCH {
            let Some(item) = next else { break };
            insert(connection, &item).map_err(sqlite)??;
            next = items()?;
        }
        transaction.commit().map_err(sqlite)?;
    }
    connection.execute_batch(&indexes.creation).map_err(sqlite)
}

/// SQL that removes the indexes that the schema made, and makes them anew in the same order.
struct Indexes {
    removal: String,
    creation: String,
}

fn indexes(connection: &Connection) -> rusqlite::Result<Indexes> {
    let (mut removal, mut creation) = ("BEGIN;".to_owned(), "BEGIN;".to_owned());
    let made = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid";
    let mut statement = connection.prepare(made)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, sql): (String, String) = (row.get(0)?, row.get(1)?);
        removal.push_str(&format!("DROP INDEX {name};"));
        creation.push_str(&format!("{sql};"));
    }
    removal.push_str("COMMIT;");
    creation.push_str("COMMIT;");
    Ok(Indexes { removal, creation })
}

/// How many rows are written in one transaction. Nobody sees a part of them, but the log grows with it.
const BATCH: usize = 4096;

fn show_rows(
    connection: &Connection,
    sql: &str,
    terms: usize,
    each: &mut dyn FnMut(Item) -> Result<()>,
    item: impl Fn(Row, u64) -> Item,
) -> rusqlite::Result<Result<()>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut held = Terms::default();
        for (column, term) in (FIRST_TERM..).zip(held.iter_mut().take(terms)) {
            *term = row.get(column)?;
        }
        let (id, version) = (ObjectId(row.get(0)?), number(row.get(1)?));
        let shown = item(Row { id, version, terms: held, record: row.get(3)? }, number(row.get(2)?));
        if let Err(error) = each(shown) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

/// The place of the first term in the answer.
const FIRST_TERM: usize = 4;

/// The inner error is that of an item which must not be there.
fn insert(connection: &Connection, item: &Item) -> rusqlite::Result<Result<()>> {
    let (id, inserted) = match item {
        Item::Token { .. } => return Ok(Err(twice("a token row"))),
        Item::Object { row: Row { id, version, terms: held, record }, revision } => {
            let sql = format!(
                "INSERT INTO objects (id, version, revision, record{}) SELECT ?1, ?2, ?3, ?4{}
                 WHERE NOT EXISTS (SELECT 1 FROM deletions WHERE id = ?1) ON CONFLICT (id) DO NOTHING",
                terms(|column| format!(", term{column}")),
                terms(|column| format!(", ?{}", column.saturating_add(FIRST_TERM).saturating_add(1))),
            );
            let held = held.iter().map(|term| term.map_or(Value::Null, |term| Value::Blob(term.into())));
            let row = [blob(&id.0), integer(*version).into(), integer(*revision).into(), blob(record)];
            (id, run(connection, &sql, params_from_iter(row.into_iter().chain(held)))?)
        }
        Item::Tombstone { row: Row { id, version, record, .. }, revision } => {
            let sql = "INSERT INTO deletions (id, version, revision, tombstone) SELECT ?1, ?2, ?3, ?4
                       WHERE NOT EXISTS (SELECT 1 FROM objects WHERE id = ?1) ON CONFLICT (id) DO NOTHING";
            let row = [blob(&id.0), integer(*version).into(), integer(*revision).into(), blob(record)];
            (id, run(connection, sql, params_from_iter(row))?)
        }
    };
    Ok(if inserted == 1 { Ok(()) } else { Err(twice(format_args!("object {id}"))) })
}

fn run(connection: &Connection, sql: &str, row: impl Params) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(row)
}

fn blob(bytes: &[u8]) -> Value {
    Value::Blob(bytes.into())
}

/// A piece of SQL for each term.
fn terms(piece: impl Fn(usize) -> String) -> String {
    (0..TERMS).map(piece).collect()
}
