//! What the store's files show to who has them: no key, whatever `CKA_PRIVATE` says, no name of a private object, no PIN.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    no_key_is_in_the_files,
    no_private_name_is_in_the_files,
    no_pin_is_in_the_files,
    session_objects_leave_no_trace,
    destroyed_objects_leave_no_value,
    replaced_pins_are_in_no_file,
    a_replaced_pin_goes_when_who_read_meanwhile_has_ended,
    nothing_of_a_token_made_anew_is_in_the_files,
    destroyed_objects_are_in_no_file_after_the_last_session,
    destroyed_objects_are_in_no_file_after_finalize,
    files_are_the_owners_alone,
    search_itself_finds_what_is_there,
];

/// Created, generated and unwrapped; with `CKA_PRIVATE` true and false; readable, sensitive and unextractable. The values
/// of keys that cannot be read are known by way of wrapping, or are given.
fn no_key_is_in_the_files() {
    let token = Token::new();
    let session = token.user();
    let kek_value = ok!(session.random(32));
    let wraps = template![CKA_WRAP => true, CKA_UNWRAP => true, CKA_TOKEN => true];
    let kek = ok!(session.aes_key_of(&kek_value, wraps));
    let kwp = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let mut secrets = vec![kek_value.clone()];
    let value_of = |key| {
        let wrapped = ok!(session.wrap(&kwp, kek, key));
        openssl_enc("-d", "id-aes256-wrap-pad", &kek_value, "a65959a6", &wrapped)
    };
    for private in [false, true] {
        for sensitive in [false, true] {
            for extractable in [false, true] {
                let place = template![CKA_TOKEN => true, CKA_PRIVATE => private, CKA_LABEL => "sealed"];
                let said = place.with(CKA_SENSITIVE, sensitive).with(CKA_EXTRACTABLE, extractable);
                for key_type in [CKK_AES, CKK_GENERIC_SECRET] {
                    let named = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => key_type];
                    let value = ok!(session.random(32));
                    ok!(session.create(&named.clone().and(said.clone()).with(CKA_VALUE, &value)));
                    secrets.push(value);
                    let carried = ok!(session.random(32));
                    let wrapped = openssl_enc("-e", "id-aes256-wrap-pad", &kek_value, "a65959a6", &carried);
                    ok!(session.unwrap(&kwp, kek, &wrapped, &named.and(said.clone())));
                    secrets.push(carried);
                    if extractable {
                        let generation = match key_type {
                            CKK_AES => CKM_AES_KEY_GEN,
                            _ => CKM_GENERIC_SECRET_KEY_GEN,
                        };
                        let length = said.clone().with(CKA_VALUE_LEN, 32);
                        secrets.push(value_of(ok!(session.generate(&Mechanism::plain(generation), &length))));
                    }
                }
            }
        }
    }
    assert_eq!(secrets.len(), 41);
    for key in ok!(session.find(&template![CKA_LABEL => "sealed", CKA_KEY_TYPE => CKK_AES])) {
        ok!(session.encrypt(&cbc(), key, &[0; 16]), "used keys are prepared, which changes no file");
    }
    nowhere(&token, &secrets);
    ok!(token.module.finalize());
    nowhere(&token, &secrets);
}

fn no_private_name_is_in_the_files() {
    let token = Token::new();
    let session = token.user();
    let names = ["private label Ab7", "private id Ab7", "private text Ab7", "private application Ab7"];
    let private = template![CKA_TOKEN => true, CKA_PRIVATE => true, CKA_LABEL => names[0]];
    ok!(session.aes_key(32, private.clone().with(CKA_ID, names[1])));
    let data = private.with(CKA_CLASS, CKO_DATA).with(CKA_VALUE, names[2]).with(CKA_APPLICATION, names[3]);
    ok!(session.create(&data));
    assert_eq!(ok!(session.find(&template![CKA_LABEL => names[0]])).len(), 2);
    let secrets = names.map(|name| name.as_bytes().to_vec());
    nowhere(&token, &secrets);
    ok!(token.module.finalize());
    nowhere(&token, &secrets);
}

fn no_pin_is_in_the_files() {
    let token = Token::new();
    let session = token.user();
    let pins = [SO_PIN, USER_PIN, "another-pin-2468", "so-another-pin-97"].map(|pin| pin.as_bytes().to_vec());
    nowhere(&token, &pins);
    ok!(session.set_pin(USER_PIN, "another-pin-2468"));
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    ok!(session.set_pin(SO_PIN, "so-another-pin-97"));
    nowhere(&token, &pins);
    ok!(token.module.finalize());
    nowhere(&token, &pins);
}

fn session_objects_leave_no_trace() {
    let token = Token::new();
    let session = token.user();
    let value = ok!(session.random(32));
    ok!(session.aes_key_of(&value, template![CKA_LABEL => "a session's own key", CKA_PRIVATE => false]));
    ok!(session.create(&template![CKA_CLASS => CKO_DATA, CKA_VALUE => "a session's own data"]));
    nowhere(&token, &[value, b"a session's own key".to_vec(), b"a session's own data".to_vec()]);
}

/// `secure_delete`: also of what stood in the clear.
fn destroyed_objects_leave_no_value() {
    let token = Token::new();
    let session = token.user();
    let value = ok!(session.random(32));
    let key = ok!(session.aes_key_of(&value, template![CKA_TOKEN => true, CKA_PRIVATE => false]));
    ok!(session.destroy(key));
    nowhere(&token, &[value]);
}

/// What was wrapped under an old PIN would open the token if it were put back: a PIN set before there was a host key, say.
fn replaced_pins_are_in_no_file() {
    let token = Token::new();
    let session = token.user();
    let before = wrapped_keys(&token);
    assert_eq!(before.len(), 2);
    somewhere(&token, &before);
    ok!(session.set_pin(USER_PIN, "another-pin-2468"));
    let users = wrapped_keys(&token)[1].clone();
    nowhere(&token, &before[1..]);
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    ok!(session.set_pin(SO_PIN, "so-another-pin-97"));
    nowhere(&token, &before);
    ok!(session.init_pin(USER_PIN));
    nowhere(&token, &[users]);
    somewhere(&token, &wrapped_keys(&token));
}

fn a_replaced_pin_goes_when_who_read_meanwhile_has_ended() {
    let token = Token::new();
    let session = token.user();
    let before = wrapped_keys(&token);
    let reader = database(&token);
    reader.execute_batch("BEGIN").unwrap();
    let _: i64 = reader.query_row("SELECT version FROM token", [], |row| row.get(0)).unwrap();
    ok!(session.set_pin(USER_PIN, "another-pin-2468"), "nobody is waited for");
    somewhere(&token, &before[1..]);
    reader.execute_batch("COMMIT").unwrap();
    ok!(session.aes_key(32, template![CKA_TOKEN => true]));
    nowhere(&token, &before[1..]);
}

fn nothing_of_a_token_made_anew_is_in_the_files() {
    let token = Token::new();
    let session = token.user();
    ok!(session.aes_key(32, template![CKA_TOKEN => true]));
    let old = [wrapped_keys(&token), records(&token)].concat();
    assert_eq!(old.len(), 3);
    ok!(session.close());
    ok!(token.module.init_token(token.slot, SO_PIN, "anew"));
    nowhere(&token, &old);
}

fn destroyed_objects_are_in_no_file_after_the_last_session() {
    a_destroyed_object_is_in_no_file_after(|_, session| ok!(session.close()));
}

fn destroyed_objects_are_in_no_file_after_finalize() {
    a_destroyed_object_is_in_no_file_after(|token, _| ok!(token.module.finalize()));
}

fn a_destroyed_object_is_in_no_file_after(end: impl FnOnce(&Token, Session)) {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_TOKEN => true]));
    let sealed = records(&token);
    assert_eq!(sealed.len(), 1);
    somewhere(&token, &sealed);
    ok!(session.destroy(key));
    end(&token, session);
    nowhere(&token, &sealed);
}

fn database(token: &Token) -> rusqlite::Connection {
    rusqlite::Connection::open(token.home.database()).unwrap()
}

/// The master key as the SO's PIN wraps it, and as the user's does: field 5 of a PIN row.
fn wrapped_keys(token: &Token) -> Vec<Vec<u8>> {
    let row: Vec<u8> = database(token).query_row("SELECT bytes FROM token", [], |row| row.get(0)).unwrap();
    let at = |window: &[u8]| window.starts_with(&[5, 0x58, 40]);
    row.windows(43).filter(|window| at(window)).map(|window| window[3..].to_vec()).collect()
}

/// What is sealed of every object, without the first bytes, which many rows have in common.
fn records(token: &Token) -> Vec<Vec<u8>> {
    let database = database(token);
    let mut statement = database.prepare("SELECT substr(record, 9) FROM objects").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(|row| row.unwrap()).collect()
}

/// Each of these is in a file of the store, so that its absence later means something.
fn somewhere(token: &Token, wanted: &[Vec<u8>]) {
    let all = files(&token.home.store());
    assert!(wanted.iter().all(|bytes| all.iter().any(|(_, file)| contains(file, bytes))));
}

fn files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let token = Token::new();
    ok!(token.user().aes_key(32, template![CKA_TOKEN => true]));
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&token.home.store()), 0o700);
    let all = files(&token.home.store());
    assert!(all.len() >= 2, "a token and its lock at least");
    for (path, _) in all {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// The other tests are worth something only if a name that is not private is found by the same means.
fn search_itself_finds_what_is_there() {
    let token = Token::new();
    let session = token.user();
    ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_PRIVATE => false, CKA_LABEL => "a public name"]));
    let all = files(&token.home.store());
    assert!(all.iter().any(|(_, bytes)| contains(bytes, b"a public name")));
}

/// No file of the store holds any of these: raw, hexadecimal of either case, or reversed.
fn nowhere(token: &Token, secrets: &[Vec<u8>]) {
    let all = files(&token.home.store());
    assert!(!all.is_empty());
    for (path, bytes) in &all {
        for secret in secrets {
            let reversed: Vec<u8> = secret.iter().rev().copied().collect();
            let forms = [secret.clone(), reversed, hex(secret).into_bytes(), hex(secret).to_uppercase().into_bytes()];
            for form in forms {
                assert!(!contains(bytes, &form), "{} holds {}", path.display(), hex(secret));
            }
            // Half a key is as bad.
            if secret.len() >= 32 {
                let (one, two) = secret.split_at(secret.len() / 2);
                assert!(!contains(bytes, one) && !contains(bytes, two), "{} holds half a key", path.display());
            }
        }
    }
}
