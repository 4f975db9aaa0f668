//! What programs see of a token whose file somebody has edited with SQLite's own means. What a check of the whole token finds is in
//! `tests/verify`.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    an_edited_token_row_opens_for_nobody,
    an_edited_digest_stops_nobody_and_is_told_once,
    swapped_rows_are_refused_and_others_work,
    a_row_put_back_beside_its_tombstone_is_not_there,
];

fn database(token: &Token) -> rusqlite::Connection {
    rusqlite::Connection::open(token.home.database()).unwrap()
}

fn key(session: &Session, label: &str) -> CK_OBJECT_HANDLE {
    ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => label, CKA_ENCRYPT => true]))
}

fn an_edited_token_row_opens_for_nobody() {
    let token = Token::new();
    let log = token.home.log_to_file();
    ok!(token.restart());
    let bytes: Vec<u8> = database(&token).query_row("SELECT bytes FROM token", [], |row| row.get(0)).unwrap();
    let at = bytes.windows(LABEL.len()).position(|part| part == LABEL.as_bytes()).unwrap();
    let mut edited = bytes.clone();
    edited[at] ^= 0x20;
    database(&token).execute("UPDATE token SET bytes = ?1, revision = revision + 1", [&edited]).unwrap();
    let session = token.session();
    for (who, pin) in [(CKU_USER, USER_PIN), (CKU_SO, SO_PIN)] {
        fails!(session.login(who, pin), CKR_DEVICE_ERROR);
        fails!(session.login(who, "wrong-pin"), CKR_PIN_INCORRECT);
    }
    ok!(session.close());
    fails!(token.module.init_token(token.slot, SO_PIN, "new"), CKR_DEVICE_ERROR);
    let told = std::fs::read_to_string(log).unwrap();
    assert!(told.contains("label, serial number or default of CKA_KEYSTEAD_MASKABLE was changed"), "{told}");
    // The counts of wrong PINs are nobody's secret and go on.
    database(&token).execute("UPDATE token SET bytes = ?1, revision = revision + 1", [&bytes]).unwrap();
    ok!(token.session().login(CKU_USER, USER_PIN));
}

fn an_edited_digest_stops_nobody_and_is_told_once() {
    let token = Token::new();
    let log = token.home.log_to_file();
    ok!(token.restart());
    let session = token.user();
    let before = key(&session, "before");
    database(&token).execute("UPDATE token SET digest = zeroblob(60), revision = revision + 1", []).unwrap();
    for _ in 0..3 {
        let made = key(&session, "after");
        ok!(session.encrypt(&ecb(), made, &[0; 16]));
        ok!(session.destroy(made));
    }
    ok!(session.encrypt(&ecb(), before, &[0; 16]));
    let told = std::fs::read_to_string(log).unwrap();
    assert_eq!(told.lines().filter(|line| line.contains("digest")).count(), 1, "{told}");
    let digest: Vec<u8> = database(&token).query_row("SELECT digest FROM token", [], |row| row.get(0)).unwrap();
    assert_eq!(digest, [0; 60], "left for a check to find");
}

fn swapped_rows_are_refused_and_others_work() {
    let token = Token::new();
    let session = token.user();
    let keys = ["one", "two", "three"].map(|label| key(&session, label));
    let ids = keys.map(|key| ok!(session.value(key, CKA_UNIQUE_ID)));
    let ids: Vec<_> = ids.iter().map(|id| String::from_utf8(id.clone()).unwrap()).collect();
    ok!(session.close());
    let database = database(&token);
    let record = |id: &String| -> Vec<u8> {
        database.query_row("SELECT record FROM objects WHERE hex(id) = upper(?1)", [id], |row| row.get(0)).unwrap()
    };
    let records = [record(&ids[1]), record(&ids[0])];
    for (id, record) in ids.iter().zip(records) {
        let sql = "UPDATE objects SET record = ?2 WHERE hex(id) = upper(?1)";
        assert_eq!(database.execute(sql, rusqlite::params![id, record]).unwrap(), 1);
    }
    ok!(token.restart());
    let session = token.user();
    assert!(ok!(session.find(&template![CKA_LABEL => "one"])).is_empty());
    assert!(ok!(session.find(&template![CKA_LABEL => "two"])).is_empty());
    let all = ok!(session.objects(&template![]));
    assert_eq!(all.len(), 1);
    ok!(session.encrypt(&ecb(), all[0], &[0; 16]));
}

fn a_row_put_back_beside_its_tombstone_is_not_there() {
    let token = Token::new();
    let session = token.user();
    let gone = key(&session, "gone");
    let database = database(&token);
    database.execute_batch("CREATE TEMP TABLE kept AS SELECT * FROM objects").unwrap();
    ok!(session.destroy(gone));
    database.execute_batch("INSERT INTO objects SELECT * FROM kept; UPDATE token SET revision = revision + 1").unwrap();
    assert!(ok!(session.objects(&template![])).is_empty());
    ok!(session.close());
    ok!(token.restart());
    let session = token.user();
    assert!(ok!(session.find(&template![CKA_LABEL => "gone"])).is_empty());
    ok!(session.encrypt(&ecb(), key(&session, "other"), &[0; 16]));
}
