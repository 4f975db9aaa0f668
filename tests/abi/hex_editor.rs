//! What somebody gets who edits the store's file: what he changed is refused by name and hurts nothing else, and nothing wrong is ever
//! returned.

use std::fs;
use std::path::PathBuf;

use cryptoki_sys::*;
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    each_byte_of_a_row_is_refused_by_name,
    rows_that_were_exchanged_are_refused,
    a_row_that_was_removed_is_missing,
    no_byte_of_the_file_makes_an_object_another,
    the_pin_of_another_token_opens_nothing,
    a_forged_public_key_wraps_nothing,
    forged_trust_is_none,
];

const TEXT: &[u8] = b"what the object is for";

/// A token with an object of each kind that rows have, and somebody's own view of its file.
struct Store {
    token: Token,
    session: Session,
    /// What each key has encrypted, by label.
    sealed: Vec<(&'static str, Vec<u8>)>,
    log: PathBuf,
}

const KEYS: [(&str, bool); 3] = [("private key", true), ("public key", false), ("bystander", true)];
const DATA: [(&str, bool); 2] = [("private data", true), ("public data", false)];

impl Store {
    fn new() -> Self {
        let token = Token::new();
        let log = token.home.log_to_file();
        ok!(token.restart());
        let session = token.user();
        for (label, private) in DATA {
            let template =
                template![CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => private, CKA_LABEL => label];
            ok!(session.create(&template.with(CKA_VALUE, TEXT)));
        }
        let sealed = KEYS.map(|(label, private)| {
            let key = ok!(session.aes_key(32, token_key(label).with(CKA_PRIVATE, private).with(CKA_ID, label)));
            (label, ok!(session.encrypt(&gcm(), key, TEXT)))
        });
        Self { token, session, sealed: sealed.to_vec(), log }
    }

    fn file(&self) -> Connection {
        let file = Connection::open(self.token.home.database()).unwrap();
        file.pragma_update(None, "synchronous", "off").unwrap();
        file
    }

    fn labels() -> impl Iterator<Item = &'static str> {
        KEYS.iter().chain(&DATA).map(|(label, _)| *label)
    }

    /// The one object of this label, if it is found.
    fn handle(&self, label: &str) -> Option<CK_OBJECT_HANDLE> {
        ok!(self.session.find(&template![CKA_LABEL => label])).first().copied()
    }

    /// Uses the object behind a handle; whatever comes out must be right.
    fn try_out(&self, session: &Session, label: &str, handle: CK_OBJECT_HANDLE) -> Result {
        let text = match self.sealed.iter().find(|(key, _)| *key == label) {
            Some((_, sealed)) => session.decrypt(&gcm(), handle, sealed)?,
            None => session.value(handle, CKA_VALUE)?,
        };
        assert_eq!(text, TEXT, "{label}");
        Ok(())
    }

    /// All objects but these are found, and work. These are not found, or are shown and refuse to be used: the value of a key is
    /// unsealed at its first use. After another login, for what is opened stays as it was.
    fn others_work(&self, but: &[&str], what: &str) {
        self.log_in_again();
        for label in but {
            if let Some(handle) = self.handle(label) {
                fails!(self.try_out(&self.session, label, handle), CKR_DEVICE_ERROR, "{what}");
            }
        }
        for label in Self::labels().filter(|label| !but.contains(label)) {
            let handle = self.handle(label).expect(label);
            ok!(self.try_out(&self.session, label, handle), "{label}; {what}");
        }
        // All are looked at, whatever the indexes say.
        assert!(ok!(self.session.objects(&template![])).len() <= Self::labels().count(), "{what}");
    }

    fn log_in_again(&self) {
        ok!(self.session.logout());
        ok!(self.session.login(CKU_USER, USER_PIN));
    }

    /// What was logged since this was asked last.
    fn logged(&self) -> String {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        fs::write(&self.log, "").unwrap();
        said
    }
}

/// A row as it lies in the file.
struct Row {
    rowid: i64,
    columns: Vec<(String, Value)>,
}

impl Row {
    /// The row behind a handle: its id is the object's unique id.
    fn of(store: &Store, file: &Connection, label: &str) -> (Self, String) {
        let handle = store.handle(label).expect(label);
        let id = String::from_utf8(ok!(store.session.value(handle, CKA_UNIQUE_ID))).unwrap();
        let mut statement = file.prepare("SELECT rowid, * FROM objects WHERE id = ?1").unwrap();
        let names: Vec<String> = statement.column_names().skip(1).map(ToString::to_string).collect();
        let row = statement.query_row([unhex(&id)], |row| {
            let values = names.iter().enumerate().map(|(place, name)| Ok((name.clone(), row.get(place + 1)?)));
            Ok(Self { rowid: row.get(0)?, columns: values.collect::<rusqlite::Result<_>>()? })
        });
        (row.unwrap(), id)
    }

    fn bytes(&self, column: &str) -> Vec<u8> {
        match self.columns.iter().find(|(name, _)| name == column) {
            Some((_, Value::Blob(bytes))) => bytes.clone(),
            other => panic!("{column} is {other:?}"),
        }
    }

    fn set(&self, file: &Connection, column: &str, value: &Value) {
        let sql = format!("UPDATE objects SET {column} = ?1 WHERE rowid = ?2");
        assert_eq!(file.execute(&sql, params![value, self.rowid]).unwrap(), 1);
        call_it_a_commit(file);
    }
}

/// Who has an object opened reads it again only after a commit.
fn call_it_a_commit(file: &Connection) {
    file.execute("UPDATE token SET revision = revision + 1", []).unwrap();
}

/// Each byte of a row that means something: the record, the id, the version and the index terms. (`revision` says when the row was
/// written, for who asks what has changed, and nothing of the object.)
fn each_byte_of_a_row_is_refused_by_name() {
    let store = Store::new();
    let file = store.file();
    for label in Store::labels().filter(|label| *label != "bystander") {
        let (row, id) = Row::of(&store, &file, label);
        let mut changes: Vec<(&str, usize, Value)> = Vec::new();
        for (column, value) in row.columns.iter().filter(|(column, _)| column != "revision") {
            match value {
                Value::Blob(bytes) => changes.extend((0..bytes.len()).map(|place| {
                    let mut changed = bytes.clone();
                    changed[place] ^= 1 << (place % 8);
                    (column.as_str(), place, Value::Blob(changed))
                })),
                Value::Integer(number) => changes.push((column, 0, Value::Integer(number ^ 1))),
                other => assert_eq!(*other, Value::Null),
            }
        }
        assert!(changes.len() > 100, "{label}");
        for (column, place, changed) in changes.iter().step_by(rounds(7, 1)) {
            row.set(&file, column, changed);
            let named = match changed {
                Value::Blob(changed) if *column == "id" => hex(changed),
                _ => id.clone(),
            };
            let whole = format!("byte {place} of {column} of the {label}");
            store.others_work(&[label], &whole);
            assert!(store.logged().contains(&format!("object {named} is damaged")), "{whole}");
            let original = row.columns.iter().find(|(name, _)| name == column).map(|(_, value)| value);
            row.set(&file, column, original.unwrap());
        }
        store.others_work(&[], "it is whole again");
    }
}

/// Records, whole rows under each other's ids, and material alone.
fn rows_that_were_exchanged_are_refused() {
    let store = Store::new();
    let file = store.file();
    for [one, other] in [["private key", "bystander"], ["private data", "public data"], ["public key", "private key"]] {
        let ((first, _), (second, _)) = (Row::of(&store, &file, one), Row::of(&store, &file, other));
        let columns: Vec<&str> = first.columns.iter().map(|(name, _)| name.as_str()).collect();
        let but_id: Vec<&str> = columns.iter().copied().filter(|column| *column != "id").collect();
        for exchanged in [&["record"][..], &but_id] {
            for column in exchanged {
                let value = |row: &Row| row.columns.iter().find(|(name, _)| name == column).unwrap().1.clone();
                first.set(&file, column, &value(&second));
                second.set(&file, column, &value(&first));
            }
            store.others_work(&[one, other], &format!("{exchanged:?} of {one} and {other}"));
            for (column, value) in &first.columns {
                first.set(&file, column, value);
            }
            for (column, value) in &second.columns {
                second.set(&file, column, value);
            }
            store.others_work(&[], "they are whole again");
        }
    }
}

fn a_row_that_was_removed_is_missing() {
    let store = Store::new();
    let file = store.file();
    let (row, _) = Row::of(&store, &file, "private key");
    let handle = store.handle("private key").unwrap();
    file.execute("DELETE FROM objects WHERE rowid = ?1", [row.rowid]).unwrap();
    call_it_a_commit(&file);
    fails!(store.try_out(&store.session, "private key", handle), CKR_KEY_HANDLE_INVALID);
    store.others_work(&["private key"], "it was removed");
}

/// SQLite's own structure, the token's row, everything: the token may be refused, or objects be missing; none is ever another.
fn no_byte_of_the_file_makes_an_object_another() {
    let store = Store::new();
    let path = store.token.home.database();
    ok!(store.token.module.finalize());
    // Closing it empties the log, so that the file is all there is.
    store.file().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let good = fs::read(&path).unwrap();
    let (mut refused, mut missing, mut whole) = (0, 0, 0);
    // A step that has no factor in common with the size of a page.
    for place in (0..good.len()).step_by(rounds(487, 1)) {
        let mut bad = good.clone();
        bad[place] ^= 1 << (place % 8);
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{suffix}", path.display()));
        }
        fs::write(&path, &bad).unwrap();
        ok!(store.token.module.initialize());
        match look_around(&store) {
            Err(code) => {
                assert_ne!(code, Rv(CKR_GENERAL_ERROR), "byte {place}");
                refused += 1;
            }
            Ok(found) if found == Store::labels().count() => whole += 1,
            Ok(_) => missing += 1,
        }
        ok!(store.token.module.finalize());
    }
    report(format_args!(
        "of the file's bytes {refused} refuse the token, {missing} an object, {whole} mean nothing to objects"
    ));
    assert!(refused > 0 && missing > 0 && whole > 0);
}

/// How many objects are found and work.
fn look_around(store: &Store) -> Result<usize> {
    let session = store.token.module.read_write(store.token.slot)?;
    session.login(CKU_USER, USER_PIN)?;
    let mut works = 0;
    for label in Store::labels() {
        let Ok(found) = session.find(&template![CKA_LABEL => label]) else { continue };
        for handle in found {
            works += usize::from(store.try_out(&session, label, handle).is_ok());
        }
    }
    Ok(works)
}

/// The user's PIN row of a token whose PIN is known, put into another: the PIN is right for the row, and wrong for the token.
fn the_pin_of_another_token_opens_nothing() {
    const USER: u8 = 10;
    let token = Token::new();
    Token::make(&token.module, "victim");
    ok!(token.module.finalize());
    let open = |slot| Connection::open(token.home.store().join(format!("slot-0000000{slot}.db"))).unwrap();
    let (own, victim) = (open(0), open(1));
    let row =
        |file: &Connection| -> Vec<u8> { file.query_row("SELECT bytes FROM token", [], |row| row.get(0)).unwrap() };
    let (own_row, victims_row) = (row(&own), row(&victim));
    let (from, to) = (field(&own_row, USER), field(&victims_row, USER));
    let forged = [&victims_row[..to.start], &own_row[from], &victims_row[to.end..]].concat();
    victim.execute("UPDATE token SET bytes = ?1", [forged]).unwrap();
    drop((own, victim));

    ok!(token.module.initialize());
    let session = ok!(token.module.read_write(Token::find(&token.module, "victim")));
    fails!(session.login(CKU_USER, USER_PIN), CKR_PIN_INCORRECT);
    ok!(session.login(CKU_SO, SO_PIN));
}

/// Where the value of a key lies in a CBOR map.
fn field(map: &[u8], wanted: u8) -> std::ops::Range<usize> {
    let mut decoder = minicbor::Decoder::new(map);
    for _ in 0..decoder.map().unwrap().unwrap() {
        let key = decoder.u8().unwrap();
        let start = decoder.position();
        decoder.skip().unwrap();
        if key == wanted {
            return start..decoder.position();
        }
    }
    panic!("no field {wanted}");
}

/// The SO's trust is not forged either: without a MAC there is none, and what the user then changes does not make it genuine.
fn forged_trust_is_none() {
    let store = Store::new();
    let template = template![CKA_TOKEN => true, CKA_WRAP => true, CKA_LABEL => "trusted"];
    let public = ok!(store.session.create(&RsaKey::of_bits(2048).public().and(template)));
    ok!(store.session.logout());
    ok!(store.session.login(CKU_SO, SO_PIN));
    ok!(store.session.set(public, &template![CKA_TRUSTED => true]));
    let file = store.file();
    let (row, _) = Row::of(&store, &file, "trusted");
    let record = row.bytes("record");
    row.set(&file, "record", &Value::Blob([&record[..record.len() - 34], &[0x40]].concat()));
    ok!(store.session.logout());
    ok!(store.session.login(CKU_USER, USER_PIN));
    let forged = store.handle("trusted").expect("it is shown");
    assert!(!ok!(store.session.flag(forged, CKA_TRUSTED)));
    assert!(ok!(store.session.find(&template![CKA_TRUSTED => true])).is_empty());
    ok!(store.session.set(forged, &template![CKA_LABEL => "changed"]));
    assert!(!ok!(store.session.flag(forged, CKA_TRUSTED)));
    let secret = ok!(store.session.aes_key(32, template![CKA_EXTRACTABLE => true, CKA_WRAP_WITH_TRUSTED => true]));
    fails!(store.session.wrap(&Mechanism::plain(CKM_RSA_PKCS), forged, secret), CKR_KEY_NOT_WRAPPABLE);
}

/// Whoever can write the file can make a public object, and a public key of his own that claims to wrap: with the marks of one that a
/// login wrote, and without. Neither ever gets a key.
fn a_forged_public_key_wraps_nothing() {
    let store = Store::new();
    let template = template![CKA_TOKEN => true, CKA_WRAP => true, CKA_LABEL => "wraps"];
    let public = ok!(store.session.create(&RsaKey::of_bits(2048).public().and(template)));
    let wrap = |public| {
        let secret = ok!(store.session.aes_key(32, template![CKA_EXTRACTABLE => true]));
        store.session.wrap(&Mechanism::plain(CKM_RSA_PKCS), public, secret)
    };
    ok!(wrap(public));
    let file = store.file();
    let (row, _) = Row::of(&store, &file, "wraps");
    let record = row.bytes("record");
    assert_eq!(record[record.len() - 35..][..3], [4, 0x58, 32], "the MAC is the last field");

    let mut other_mac = record.clone();
    *other_mac.last_mut().unwrap() ^= 1;
    row.set(&file, "record", &Value::Blob(other_mac));
    store.log_in_again();
    assert_eq!(store.handle("wraps"), None);
    // Without a MAC it is what anybody may write.
    let no_mac = [&record[..record.len() - 34], &[0x40]].concat();
    row.set(&file, "record", &Value::Blob(no_mac));
    store.log_in_again();
    fails!(wrap(store.handle("wraps").expect("it is shown")), CKR_KEY_NOT_WRAPPABLE);
    row.set(&file, "record", &Value::Blob(record));
    store.log_in_again();
    ok!(wrap(store.handle("wraps").unwrap()));
}
