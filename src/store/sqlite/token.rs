//! One token: the statements behind each call of [`Store`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::commits::{Leader, Outcome};
use super::connection::Purpose;
use super::failure::{self, Attempt, Failure};
use super::gate::{self, Visit};
use super::new_file::Rights;
use super::notice::Notice;
use super::patience::Patience;
use super::pool::{Pool, Reader};
use super::queue;
use super::schema::{self, FORMAT};
use super::whole;
use super::witness::{Present, Telling, Witnesses};
use crate::error::{Error, Result};
use crate::store::{Change, Commit, Item, ObjectId, Row, Step, Store, Term, Terms, TokenRow, check_column, no_witness};

/// A token's file. The connections are the process's, not this value's: dropping a value that a forked child inherited
/// touches nothing of its parent's.
pub(super) struct SqliteToken {
    number: u64,
    path: PathBuf,
    /// The file in which the processes queue that want to commit.
    lock: PathBuf,
    writable: bool,
    patience: Duration,
    /// What knows its state, if anything does.
    witness: Option<Witnesses>,
    pub(super) notice: Arc<Notice>,
}

impl SqliteToken {
    /// Opens the file and reads the token row once, so that what cannot be used is found out now.
    pub(super) fn open(path: PathBuf, writable: bool, patience: Duration, witness: Option<Witnesses>) -> Result<Self> {
        let lock = path.with_extension("lock");
        let token =
            Self { number: gate::next_number(), path, lock, writable, patience, witness, notice: Arc::default() };
        token.token()?;
        Ok(token)
    }

    fn read_with<T>(&self, mut query: impl FnMut(&mut Reader) -> rusqlite::Result<T>) -> Result<T> {
        let purpose = if self.writable { Purpose::Read } else { Purpose::ReadOnlyMedia };
        patiently(Patience::new(&self.path, self.patience), || {
            let visit = Visit::enter()?;
            visit.pool(self.number, &self.notice).read(&visit, &self.path, purpose, &mut query)
        })
    }

    fn query<T>(&self, mut query: impl FnMut(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.read_with(|reader| query(reader.connection()))
    }

    fn ids(&self, sql: &str, parameters: impl rusqlite::Params + Copy) -> Result<Vec<ObjectId>> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map(parameters, |row| row.get(0).map(ObjectId))?.collect()
        })
    }

    /// The revision where the notice does not know it.
    #[cold]
    fn revision_asked_for(&self) -> Result<u64> {
        self.read_with(|reader| {
            // Before SQLite is asked: a commit that comes in between is one too many to look at, never one too few.
            let header = self.notice.header();
            let revision = Self::revision_by_sqlite(reader)?;
            if let Some(header) = header {
                self.notice.remember(header, revision);
            }
            Ok(revision)
        })
    }

    /// The revision by SQLite's own notice, which costs a statement.
    fn revision_by_sqlite(reader: &mut Reader) -> rusqlite::Result<u64> {
        let connection = reader.connection();
        let version = connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if let Some((seen, revision)) = reader.seen
            && seen == version
        {
            return Ok(revision);
        }
        // Read after the version: as new as it, or newer, and then the version moves again.
        let revision =
            number(connection.prepare_cached("SELECT revision FROM token")?.query_row([], |row| row.get(0))?);
        if schema::format(connection)? != FORMAT {
            reader.outdated = true;
            return Ok(revision);
        }
        reader.seen = Some((version, revision));
        Ok(revision)
    }

    fn pool(&self) -> Result<Arc<Pool>> {
        Ok(Visit::enter()?.pool(self.number, &self.notice))
    }

    /// Commits for all threads that wait, until the leader's own request is served. What keeps the leader from
    /// committing at all is his own error; the next one finds out for himself.
    fn lead(&self, pool: &Pool, leader: &mut Leader<'_>, patience: &mut Patience<'_>) -> Result<Commit> {
        leader.gather();
        loop {
            let place = pool.queue.wait(&self.lock, patience)?;
            let attempt = Visit::enter()
                .map_err(Failure::Final)
                .and_then(|visit| pool.write(&visit, &self.path, |connection| self.apply_all(connection, leader)));
            match attempt {
                Ok(verdicts) => leader.tell(verdicts),
                Err(Failure::Final(error)) if leader.failed(&error) => {}
                Err(Failure::Final(error)) => return Err(error),
                Err(failure) => {
                    leader.give_back();
                    if let Failure::Lost = failure {
                        gate::abandon();
                    }
                    patience.wait()?;
                }
            }
            drop(place);
            if let Some(verdict) = leader.own_verdict() {
                return verdict;
            }
        }
    }

    /// One transaction for all that wait; none if somebody has upgraded the file.
    fn apply_all(
        &self,
        connection: &mut Connection,
        leader: &mut Leader<'_>,
    ) -> rusqlite::Result<Option<Vec<Result<Commit>>>> {
        // Immediate: a transaction that reads first and writes later would fail at once where another wrote in between.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if schema::format(&transaction)? != FORMAT {
            return Ok(None);
        }
        let mut telling = self.witness.as_ref().map(|witness| Telling::begin(witness, &transaction)).transpose()?;
        let requests = leader.take();
        let mut verdicts = Vec::with_capacity(requests.len());
        for request in requests {
            verdicts.push(apply_request(&transaction, &request.changes, requests.len() > 1)?);
        }
        if !verdicts.iter().any(is_done) {
            transaction.rollback()?;
            return Ok(Some(verdicts));
        }
        if let Some(telling) = &mut telling
            && let Err(refusal) = telling.tell(&transaction, &self.path)?
        {
            transaction.rollback()?;
            verdicts.iter_mut().filter(|verdict| is_done(verdict)).for_each(|done| *done = Err(refusal.clone()));
            return Ok(Some(verdicts));
        }
        leader.writes();
        transaction.commit()?;
        if let Some(telling) = telling {
            telling.settle();
        }
        Ok(Some(verdicts))
    }
}

impl Store for SqliteToken {
    fn token(&self) -> Result<TokenRow> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached("SELECT version, bytes, digest FROM token")?;
            statement.query_row([], |row| {
                Ok(TokenRow { version: number(row.get(0)?), bytes: row.get(1)?, digest: row.get(2)? })
            })
        })
    }

    fn vouched(&self) -> Result<TokenRow> {
        let Some(witness) = &self.witness else { return self.token() };
        let mut patience = Patience::new(&self.path, self.patience);
        loop {
            if let Some(verdict) = self.query(|connection| witness.look(connection))?.verdict() {
                return verdict;
            }
            patience.wait()?;
        }
    }

    fn accept(&self) -> Result<()> {
        let Some(witness) = &self.witness else { return Err(no_witness()) };
        if !self.writable {
            return Err(Error::TokenWriteProtected);
        }
        patiently(Patience::new(&self.path, self.patience), || {
            let visit = Visit::enter()?;
            let present = visit.pool(self.number, &self.notice).write(&visit, &self.path, |connection| {
                // Nobody commits from here on.
                let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                if schema::format(&transaction)? != FORMAT {
                    return Ok(None);
                }
                let Present { file, state, .. } = Present::read(&transaction)?;
                let rights =
                    Rights::like(&self.path).map_err(|error| failure::of_system(&error, "look at", &self.path));
                Ok(Some(rights.and_then(|rights| witness.of(&file).begin(state, rights))))
            })?;
            Ok(present?)
        })
    }

    fn read(&self, id: ObjectId) -> Result<Option<Row>> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT version, record, term0, term1, term2, term3, term4, term5, term6
                 FROM objects WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deletions WHERE id = ?1)",
            )?;
            let found = statement.query_row([id.0], |row| {
                let mut terms = [None; crate::store::TERMS];
                for (column, term) in (FIRST_TERM..).zip(&mut terms) {
                    *term = row.get(column)?;
                }
                Ok(Row { id, version: number(row.get(0)?), terms, record: row.get(1)? })
            });
            found.optional()
        })
    }

    fn tombstone(&self, id: ObjectId) -> Result<Option<Row>> {
        self.query(|connection| {
            let sql = "SELECT version, tombstone FROM deletions WHERE id = ?1 AND tombstone IS NOT NULL";
            let found = connection.prepare_cached(sql)?.query_row([id.0], |row| {
                Ok(Row { id, version: number(row.get(0)?), terms: Terms::default(), record: row.get(1)? })
            });
            found.optional()
        })
    }

    fn version(&self, id: ObjectId) -> Result<Option<u64>> {
        self.query(|connection| {
            let sql =
                "SELECT version FROM objects WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deletions WHERE id = ?1)";
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_row([id.0], |row| row.get(0).map(number)).optional()
        })
    }

    fn find(&self, column: usize, term: &Term, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>> {
        check_column(column)?;
        let sql = find_sql(column);
        self.ids(&sql, params![term, start(&after), count(limit)])
    }

    fn list(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>> {
        self.ids(LIST_SQL, params![start(&after), count(limit)])
    }

    fn tombstones(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>> {
        let sql = "SELECT id FROM deletions WHERE id > ?1 AND tombstone IS NOT NULL ORDER BY id LIMIT ?2";
        self.ids(sql, params![start(&after), count(limit)])
    }

    fn commit(&self, changes: Vec<Change>) -> Result<Commit> {
        if !self.writable {
            return Err(Error::TokenWriteProtected);
        }
        if changes.is_empty() {
            return Ok(Commit::Done { revision: self.revision()? });
        }
        let mut patience = Patience::new(&self.path, self.patience);
        let pool = self.pool()?;
        let request = pool.commits.bring(changes);
        match pool.commits.wait(&request, &patience)? {
            Outcome::Told(verdict) => verdict,
            Outcome::Lead(mut leader) => self.lead(&pool, &mut leader, &mut patience),
        }
    }

    fn revision(&self) -> Result<u64> {
        match self.notice.revision() {
            Some(revision) => Ok(revision),
            None => self.revision_asked_for(),
        }
    }

    fn changed_since(&self, revision: u64) -> Result<Vec<ObjectId>> {
        let mut ids = self.ids(CHANGED_SQL, params![i64::try_from(revision).unwrap_or(i64::MAX)])?;
        ids.sort_unstable();
        Ok(ids)
    }

    fn snapshot(&self, each: &mut dyn FnMut(Item) -> Result<()>) -> Result<()> {
        let mut begun = false;
        self.query(|connection| {
            if begun {
                // What was shown cannot be taken back.
                let reason = format!("{} changed while it was read", self.path.display());
                return Ok(Err(Error::DeviceError(reason.into())));
            }
            whole::show(connection, &mut |item| {
                begun = true;
                each(item)
            })
        })?
    }

    fn check(&self) -> Result<Vec<String>> {
        let lines: Vec<String> = self.query(|connection| {
            let mut statement = connection.prepare("PRAGMA integrity_check")?;
            statement.query_map([], |row| row.get(0))?.collect()
        })?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }

    fn scrub(&self, urgent: bool) -> bool {
        // SQLite's lock for writing is taken outside the queue: in a crowd everybody would be held up by everybody's scrubbing.
        if !self.writable || (!urgent && queue::whose_turn(&self.lock).is_some()) {
            return false;
        }
        // Deleted rows are overwritten in new copies of their pages (`secure_delete`). The old copies are in the file until these are
        // moved there, and in the log until it is cut off.
        let cut = |connection: &mut Connection| connection.query_row(CUT_LOG_SQL, [], |row| row.get(0).map(Some));
        let visit = Visit::enter().map_err(Failure::Final);
        let busy: Attempt<i64> =
            visit.and_then(|visit| visit.pool(self.number, &self.notice).write(&visit, &self.path, cut));
        matches!(busy, Ok(0))
    }

    fn writable(&self) -> bool {
        self.writable
    }
}

impl Drop for SqliteToken {
    fn drop(&mut self) {
        // Where no visit is possible there is nothing of this process's to close.
        if let Ok(visit) = Visit::enter() {
            visit.forget(self.number);
        }
    }
}

/// Only the columns of the term's index: the table is not read. The number in the name is ours, never a caller's text.
pub(super) fn find_sql(column: usize) -> String {
    format!("SELECT id FROM objects WHERE term{column} = ?1 AND id > ?2 ORDER BY id LIMIT ?3")
}

/// Answers 1 in its first column where somebody reads or writes.
const CUT_LOG_SQL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

pub(super) const LIST_SQL: &str = "SELECT id FROM objects WHERE id > ?1 ORDER BY id LIMIT ?2";

/// A walk through both tables: an index would cost every commit two pages, for a question that is seldom asked. Unsorted, or SQLite
/// would walk in the order of the ids. No id is in both tables.
const CHANGED_SQL: &str = "SELECT id FROM objects WHERE revision > ?1
     UNION ALL SELECT id FROM deletions WHERE revision > ?1";

/// An id that an earlier initialisation had is free again.
const FORGET_CLEARED_SQL: &str = "DELETE FROM deletions WHERE id = ?1 AND tombstone IS NULL";

/// The place of the first term in the answer of `read`.
const FIRST_TERM: usize = 2;

/// Tries until it succeeds, fails for good, or the time is used up. Waits outside the gate.
pub(super) fn patiently<T>(mut patience: Patience<'_>, mut attempt: impl FnMut() -> Attempt<T>) -> Result<T> {
    loop {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Again) => patience.wait()?,
            Err(Failure::Lost) => {
                gate::abandon();
                patience.wait()?;
            }
        }
    }
}

/// What does not hold undoes what the request changed; alone in its transaction it is undone with that.
fn apply_request(connection: &Connection, changes: &[Change], among_others: bool) -> rusqlite::Result<Result<Commit>> {
    let run = |sql| match among_others {
        true => connection.prepare_cached(sql)?.execute([]).map(drop),
        false => Ok(()),
    };
    run("SAVEPOINT request")?;
    let sql = "UPDATE token SET revision = revision + 1 RETURNING revision";
    let revision: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    for change in changes {
        let verdict = apply(connection, revision, change)?;
        if verdict != Ok(true) {
            run("ROLLBACK TO request")?;
            run("RELEASE request")?;
            return Ok(verdict.map(|_| Commit::Conflict));
        }
    }
    run("RELEASE request")?;
    Ok(Ok(Commit::Done { revision: number(revision) }))
}

/// One step of the digest.
fn carry_on(connection: &Connection, step: &Step) -> rusqlite::Result<Result<bool>> {
    let now: Vec<u8> = connection.prepare_cached("SELECT digest FROM token")?.query_row([], |row| row.get(0))?;
    let then = match step(&now) {
        Ok(then) => then,
        Err(error) => return Ok(Err(error)),
    };
    if then != now {
        connection.prepare_cached("UPDATE token SET digest = ?1")?.execute([then])?;
    }
    Ok(Ok(true))
}

/// False: an expected version did not hold. An error of a step of the digest, of a check, or of damage is the request's own.
fn apply(connection: &Connection, revision: i64, change: &Change) -> rusqlite::Result<Result<bool>> {
    let run = |sql, parameters: &[&dyn rusqlite::ToSql]| connection.prepare_cached(sql)?.execute(parameters);
    let changed = match change {
        Change::Token { expected, bytes } => {
            let sql = "UPDATE token SET version = ?1, bytes = ?2 WHERE version = ?3";
            run(sql, params![integer(expected.wrapping_add(1)), bytes, integer(*expected)])?
        }
        Change::Insert(Row { id, version, terms, record }) => {
            run(FORGET_CLEARED_SQL, params![id.0])?;
            let [t0, t1, t2, t3, t4, t5, t6] = terms;
            let sql = "INSERT INTO objects (id, version, revision, record,
                           term0, term1, term2, term3, term4, term5, term6)
                       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
                       WHERE NOT EXISTS (SELECT 1 FROM deletions WHERE id = ?1) ON CONFLICT (id) DO NOTHING";
            run(sql, params![id.0, integer(*version), revision, record, t0, t1, t2, t3, t4, t5, t6])?
        }
        Change::Update { expected, row: Row { id, version, terms, record } } => {
            let [t0, t1, t2, t3, t4, t5, t6] = terms;
            let sql = "UPDATE objects SET version = ?2, revision = ?3, record = ?4,
                           term0 = ?5, term1 = ?6, term2 = ?7, term3 = ?8,
                           term4 = ?9, term5 = ?10, term6 = ?11
                       WHERE id = ?1 AND version = ?12";
            let new = integer(*version);
            run(sql, params![id.0, new, revision, record, t0, t1, t2, t3, t4, t5, t6, integer(*expected)])?
        }
        Change::Delete { id, expected, tombstone } => {
            let sql = "INSERT OR REPLACE INTO deletions (id, revision, version, tombstone) VALUES (?1, ?2, ?3, ?4)";
            run(sql, params![id.0, revision, integer(expected.wrapping_add(1)), tombstone])?;
            run("DELETE FROM objects WHERE id = ?1 AND version = ?2", params![id.0, integer(*expected)])?
        }
        Change::Bury(Row { id, version, record, .. }) => {
            run(FORGET_CLEARED_SQL, params![id.0])?;
            let sql = "INSERT INTO deletions (id, revision, version, tombstone) SELECT ?1, ?2, ?3, ?4
                       WHERE NOT EXISTS (SELECT 1 FROM objects WHERE id = ?1) ON CONFLICT (id) DO NOTHING";
            run(sql, params![id.0, revision, integer(*version), record])?
        }
        Change::Clear => {
            run("UPDATE deletions SET version = NULL, tombstone = NULL", &[])?;
            let sql = "INSERT OR REPLACE INTO deletions (id, revision) SELECT id, ?1 FROM objects";
            run(sql, params![revision])?;
            run("DELETE FROM objects", &[])?;
            return Ok(Ok(true));
        }
        Change::Digest(step) => return carry_on(connection, step),
        Change::Check(check) => {
            let mut statement = connection.prepare_cached("SELECT bytes FROM token")?;
            let bytes: Vec<u8> = statement.query_row([], |row| row.get(0))?;
            return Ok(check(&bytes).map(|()| true));
        }
    };
    Ok(match changed {
        0 => Ok(false),
        1 => Ok(true),
        // Only an index that is damaged lets that happen.
        _ => Err(Error::DeviceError("the token's file is damaged: it has a row twice".into())),
    })
}

fn is_done(verdict: &Result<Commit>) -> bool {
    matches!(verdict, Ok(Commit::Done { .. }))
}

/// Versions are compared, never ordered: the same 64 bits serve as SQLite's signed integer.
pub(super) fn integer(number: u64) -> i64 {
    number.cast_signed()
}

pub(super) fn number(integer: i64) -> u64 {
    integer.cast_unsigned()
}

/// What ids are compared with: every id is greater than the empty one.
fn start(after: &Option<ObjectId>) -> &[u8] {
    after.as_ref().map_or(&[], |after| &after.0)
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
