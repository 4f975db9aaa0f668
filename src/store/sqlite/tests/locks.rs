//! Locks of the open file, connection settings, and the plans of the queries.

use std::fs::File;

use super::super::gate::Visit;
use super::super::{connection, system};
use super::support::{Place, plays, with_connection};
use crate::store::suite::{done, row, token};
use crate::store::{Change, TERMS};

#[test]
fn closing_another_descriptor_drops_no_lock() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(9, 1, b""))]);
    with_connection(&place.file("db"), |open| {
        open.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for suffix in ["db", "db-wal", "db-shm"] {
            drop(File::open(place.file(suffix)).unwrap());
        }
        // Under POSIX locks the other process would write now.
        assert!(!plays("try to write", &place.path()));
        open.connection.execute_batch("ROLLBACK").unwrap();
    });
    assert!(plays("try to write", &place.path()));
}

#[test]
fn two_descriptors_of_one_process_exclude_each_other() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let (one, other) = (file.reopen().unwrap(), file.reopen().unwrap());
    assert!(system::try_lock(&one).unwrap());
    assert!(!system::try_lock(&other).unwrap());
    system::unlock(&one);
    assert!(system::try_lock(&other).unwrap());
}

#[test]
fn every_connection_is_set_up() {
    let place = Place::new();
    token(place.folder());
    for purpose in [connection::Purpose::Write, connection::Purpose::Read] {
        let visit = Visit::enter().unwrap();
        let open = connection::open(&visit, &place.file("db"), purpose).unwrap();
        let number = |pragma| open.connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
        let query_only = i64::from(purpose == connection::Purpose::Read);
        for (pragma, value) in [
            ("synchronous", 2),
            ("secure_delete", 1),
            ("temp_store", 2),
            ("cell_size_check", 1),
            ("trusted_schema", 0),
            ("mmap_size", 0),
            ("page_size", 4096),
            ("busy_timeout", 0),
            ("query_only", query_only),
        ] {
            assert_eq!(number(pragma), value, "{pragma}");
        }
        use rusqlite::config::DbConfig::*;
        for (setting, value) in [
            (SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
            (SQLITE_DBCONFIG_DEFENSIVE, true),
            (SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
            (SQLITE_DBCONFIG_ENABLE_VIEW, false),
        ] {
            assert_eq!(open.connection.db_config(setting).unwrap(), value, "{setting:?}");
        }
    }
}

#[test]
fn every_search_reads_an_index_in_order() {
    let place = Place::new();
    token(place.folder());
    let plan = |sql: &str| {
        let sql = format!("EXPLAIN QUERY PLAN {}", sql.replace('?', "-"));
        with_connection(&place.file("db"), |open| {
            let mut statement = open.connection.prepare(&sql).unwrap();
            let steps = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
            steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
        })
    };
    for column in 0..TERMS {
        let plan = plan(&super::super::token::find_sql(column));
        assert!(plan.contains(&format!("COVERING INDEX objects_term{column} (term{column}=? AND id>?)")), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
    let list = plan(super::super::token::LIST_SQL);
    assert!(list.contains("COVERING INDEX sqlite_autoindex_objects_1 (id>?)"), "{list}");
    assert!(!list.contains("TEMP B-TREE"), "{list}");
}
