//! `keystead doctor --verify`: what is told of a token whose file somebody has been at.

use std::process::Command;

use keystead::handle::Handle;
use keystead::key::Login;
use keystead::module::Module;
use keystead::object::Given;
use rusqlite::Params;
use rusqlite::types::Value as Sql;
use serde_json::Value;

use crate::home::{Home, PIN, bad, good, says};

/// A home with a token of five private objects, and one that was destroyed.
fn home() -> Home {
    let home = Home::new();
    home.token("A");
    let module = home.module();
    let session = login(&module);
    let objects: Vec<Handle> = (0..6).map(|number| put(&module, session, number)).collect();
    module.sessions().destroy(session, objects[0]).unwrap();
    home
}

fn login(module: &Module) -> Handle {
    let session = module.open_session(0, true).unwrap();
    module.sessions().login(session, Login::User, PIN.as_bytes()).unwrap();
    session
}

fn put(module: &Module, session: Handle, number: u8) -> Handle {
    let class = cryptoki_sys::CKO_DATA.to_ne_bytes();
    let given = [
        (cryptoki_sys::CKA_CLASS, &class[..]),
        (cryptoki_sys::CKA_TOKEN, &[1]),
        (cryptoki_sys::CKA_PRIVATE, &[1]),
        (cryptoki_sys::CKA_LABEL, b"before"),
        (cryptoki_sys::CKA_VALUE, &[number; 40]),
    ];
    module.sessions().create(session, &given.map(|(number, value)| Given::new(number, value))).unwrap()
}

fn sql(home: &Home, statement: &str, parameters: impl Params) {
    let database = rusqlite::Connection::open(home.store().join("slot-00000000.db")).unwrap();
    assert_eq!(database.execute(statement, parameters).unwrap(), 1, "{statement}");
}

/// A column of the row with this number, in the order in which the rows were made.
fn column<T: rusqlite::types::FromSql>(home: &Home, name: &str, row: u32) -> T {
    let database = rusqlite::Connection::open(home.store().join("slot-00000000.db")).unwrap();
    let statement = format!("SELECT {name} FROM objects ORDER BY rowid LIMIT 1 OFFSET ?1");
    database.query_row(&statement, [row], |row| row.get(0)).unwrap()
}

fn hexadecimal(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn verify(home: &Home, words: &[&str]) -> Command {
    let mut command = home.command(&[&["doctor", "--verify", "--json"], words].concat());
    command.env("KEYSTEAD_PIN", PIN);
    command
}

/// What is found about the seals, with a next step for each that is not fine, and the exit code that fits.
fn seals(command: &mut Command) -> Vec<(String, String)> {
    let output = command.output().unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let errors = findings.iter().filter(|finding| finding["severity"] == "error").count();
    assert_eq!(output.status.code(), Some(if errors > 0 { 3 } else { 0 }), "{output:?}");
    let about = findings.iter().filter(|finding| finding["about"] == "seals");
    let told = about.map(|finding| {
        assert_eq!(finding.get("next").is_none(), finding["severity"] == "ok", "{finding}");
        let word = |name: &str| finding[name].as_str().unwrap().to_owned();
        (word("severity"), word("finding"))
    });
    told.collect()
}

/// The one thing that is found.
#[track_caller]
fn only(home: &Home, severity: &str, words: &[&str]) {
    let found = seals(&mut verify(home, &[]));
    let [(found_severity, finding)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(found_severity, severity, "{finding}");
    says(finding, words);
}

#[test]
fn what_was_edited_removed_or_put_back_is_named() {
    let home = home();
    only(&home, "ok", &["\"A\"", "slot 0", "5 objects and 1 tombstones", "none is missing"]);

    let id: Vec<u8> = column(&home, "id", 2);
    let named = hexadecimal(&id);
    let record: Vec<u8> = column(&home, "record", 2);
    let mut flipped = record.clone();
    flipped[40] ^= 1;
    sql(&home, "UPDATE objects SET record = ?2 WHERE id = ?1", (&id, &flipped));
    let found = seals(&mut verify(&home, &[]));
    assert_eq!(found.iter().map(|(severity, _)| &**severity).collect::<Vec<_>>(), ["error", "error"]);
    says(&found[0].1, &["\"A\"", "removed from the file, changed, or put back"]);
    says(&found[1].1, &["\"A\"", &named, "not as it was sealed"]);
    sql(&home, "UPDATE objects SET record = ?2 WHERE id = ?1", (&id, &record));
    only(&home, "ok", &[]);

    // The row as it was before it changed, with its version and its terms.
    let old: Vec<Sql> = ["version", "term0", "record"].map(|name| column(&home, name, 2)).into();
    {
        let module = home.module();
        let session = login(&module);
        let object = module.sessions();
        let unique = Given::new(cryptoki_sys::CKA_UNIQUE_ID, named.as_bytes());
        object.find_init(session, keystead::object::Search::new(&[unique])).unwrap();
        let [handle] = object.find_next(session, 2).unwrap()[..] else { panic!("not found") };
        object.find_final(session).unwrap();
        object.change(session, handle, &[Given::new(cryptoki_sys::CKA_LABEL, b"after")]).unwrap();
    }
    let new: Vec<Sql> = ["version", "term0", "record"].map(|name| column(&home, name, 2)).into();
    let put_back = |row: &[Sql]| {
        let statement = "UPDATE objects SET version = ?2, term0 = ?3, record = ?4 WHERE id = ?1";
        sql(&home, statement, (&id, &row[0], &row[1], &row[2]));
    };
    assert_ne!(old, new);
    put_back(&old);
    only(&home, "error", &["\"A\"", "removed from the file, changed, or put back"]);
    put_back(&new);
    only(&home, "ok", &[]);

    let database = rusqlite::Connection::open(home.store().join("slot-00000000.db")).unwrap();
    let digest: Vec<u8> = database.query_row("SELECT digest FROM token", [], |row| row.get(0)).unwrap();
    let mut edited = digest.clone();
    edited[20] ^= 1;
    sql(&home, "UPDATE token SET digest = ?1", [&edited]);
    only(&home, "error", &["\"A\"", "the digest was changed"]);
    sql(&home, "UPDATE token SET digest = ?1", [&digest]);

    sql(&home, "DELETE FROM objects WHERE id = ?1", [&id]);
    only(&home, "error", &["\"A\"", "removed from the file"]);
}

#[test]
fn tokens_are_chosen_and_each_is_asked_for_its_pin() {
    let home = home();
    home.token("B");
    let found = seals(&mut verify(&home, &[]));
    assert_eq!(found.iter().map(|(severity, _)| &**severity).collect::<Vec<_>>(), ["ok", "ok"]);
    let found = seals(&mut verify(&home, &["--token", "B", "--token", "1"]));
    assert_eq!(found.len(), 1);
    says(&found[0].1, &["\"B\"", "0 objects"]);

    let found = seals(verify(&home, &["--token", "B"]).env("KEYSTEAD_PIN", "guess"));
    assert_eq!(found[0].0, "error");
    says(&found[0].1, &["\"B\"", "was not opened", "user PIN is wrong", "tries are left"]);
    let found = seals(verify(&home, &["--token", "B"]).env_remove("KEYSTEAD_PIN"));
    says(&found[0].1, &["\"B\"", "was not opened", "no terminal"]);

    says(&bad(&verify(&home, &["--token", "C"]).output().unwrap()), &["\"C\""]);
    assert!(
        seals(home.command(&["doctor", "--json"]).env("KEYSTEAD_PIN", PIN)).is_empty(),
        "nothing is opened unasked"
    );
    assert_eq!(home.run(&["doctor", "--token", "A"]).status.code(), Some(2));
    says(&good(&home.run(&["doctor", "--help"])), &["--verify"]);
}
