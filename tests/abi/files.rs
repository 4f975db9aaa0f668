//! The store's files beside others: what a login leaves in them, who may use them, what other programs do to them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    a_good_login_and_session_objects_write_nothing,
    a_group_shares_a_token,
    a_reader_without_rights_sees_the_last_commit_of_a_killed_writer,
    a_host_with_sqlite_of_its_own_loses_nothing_and_costs_nothing,
    a_host_that_holds_the_file_is_waited_for,
];
pub const PEERS: &[Test] = &tests![makes_keys_until_killed, makes_keys];

/// The bytes of every file of the store, but for the shared memory in which readers say where they read.
fn contents(home: &Home) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(home.store()).expect("the store").flatten();
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()));
    let mut files: Vec<_> = named.filter(|(name, _)| !name.ends_with("-shm")).collect();
    files.sort();
    files
}

/// The database and its log, so that not even a revision has moved.
fn a_good_login_and_session_objects_write_nothing() {
    let token = Token::new();
    ok!(token.user().aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "kept", CKA_ENCRYPT => true]));
    ok!(token.restart());
    let before = contents(&token.home);
    for _ in 0..3 {
        let session = token.user();
        let kept = ok!(session.find(&template![CKA_LABEL => "kept"]))[0];
        ok!(session.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]), kept, b"data"));
        let key = ok!(session.aes_key(32, template![CKA_LABEL => "session"]));
        ok!(session.set(key, &template![CKA_LABEL => "changed"]));
        let copy = ok!(session.copy(key, &template![CKA_LABEL => "copied"]));
        ok!(session.destroy(copy));
        ok!(session.logout());
        let session_of_so = ok!(token.module.read_write(token.slot));
        ok!(session_of_so.login(CKU_SO, SO_PIN));
        ok!(session_of_so.close());
        ok!(session.close());
    }
    assert!(contents(&token.home) == before, "a file has changed");
    // A wrong PIN does write, and so does the right one after it: once.
    fails!(token.session().login(CKU_USER, "wrong"), CKR_PIN_INCORRECT);
    let counted = contents(&token.home);
    assert!(counted != before);
    ok!(token.user().close());
    let cleared = contents(&token.home);
    assert!(cleared != counted);
    ok!(token.restart());
    let before = contents(&token.home);
    ok!(token.user().close());
    assert!(contents(&token.home) == before);
}

/// root makes the token, and two users of a group that is nobody's own work with it.
fn a_group_shares_a_token() {
    const GROUP: u32 = 54_321;
    if !is_root() {
        skip("only root can be several users");
    }
    let home = Home::new();
    let conf = fs::read_to_string(home.configuration()).unwrap();
    fs::write(home.configuration(), format!("{conf}\n[files]\nmode = \"0660\"\n")).unwrap();
    fs::create_dir(home.store()).unwrap();
    chown(home.store(), None, Some(GROUP)).unwrap();
    set_mode(&home.store(), 0o2770);
    set_mode(home.path(), 0o755);
    let mut made = None;
    with_umask(0o077, || made = Some(Token::new_in(home)));
    let token = made.unwrap();
    ok!(token.user().aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "root's"]));
    ok!(token.module.finalize());
    for (user, label) in [(54_001, "first's"), (54_002, "second's")] {
        Forked::start(|| {
            become_user(user, GROUP);
            with_umask(0o077, || {
                ok!(token.module.initialize());
                assert_eq!(token.flags() & CKF_WRITE_PROTECTED, 0);
                let session = token.user();
                ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => label]));
                fails!(token.session().login(CKU_SO, "wrong"), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
            });
            Vec::new()
        })
        .join();
    }
    for entry in fs::read_dir(token.home.store()).unwrap().flatten() {
        let about = entry.metadata().unwrap();
        assert_eq!((about.gid(), about.mode() & 0o777), (GROUP, 0o660), "{:?}", entry.file_name());
    }
    ok!(token.module.initialize());
    assert_eq!(ok!(token.user().objects(&template![])).len(), 3);
    // Who is not of the group is told so, and has no token.
    let log = token.home.log_to_file();
    fs::write(&log, "").unwrap();
    set_mode(&log, 0o666);
    ok!(token.module.finalize());
    Forked::start(|| {
        become_user(54_003, 54_003);
        ok!(token.module.initialize());
        assert!(ok!(token.module.slots(true)).is_empty());
        Vec::new()
    })
    .join();
    let said = fs::read_to_string(&log).unwrap();
    let store = token.home.store();
    assert!(
        said.contains("uid 54003 lacks the right to list and enter") && said.contains(store.to_str().unwrap()),
        "{said}"
    );
}

/// The log is hot and its index is nobody's whom it could be made anew by.
fn a_reader_without_rights_sees_the_last_commit_of_a_killed_writer() {
    let token = Token::new();
    ok!(token.module.finalize());
    let (store, home) = (token.home.store(), token.home.path().to_owned());
    for round in 0..3 {
        let mut peer = peer!(makes_keys_until_killed);
        let mut made: Vec<String> = (0..5).map(|_| peer.hear()).collect();
        made.extend(peer.kill_and_hear());
        set_mode(&home, 0o755);
        set_mode(&token.home.configuration(), 0o644);
        set_mode(&store, 0o555);
        for file in fs::read_dir(&store).unwrap().flatten() {
            set_mode(&file.path(), 0o444);
        }
        assert!(store.join("slot-00000000.db-wal").metadata().unwrap().len() > 0);
        Forked::start(|| {
            become_nobody();
            ok!(token.module.initialize());
            assert_ne!(token.flags() & CKF_WRITE_PROTECTED, 0);
            let session = token.user();
            for label in &made {
                let found = ok!(session.find(&template![CKA_LABEL => label.as_str()]));
                assert_eq!(found.len(), 1, "round {round}: {label}, which was acknowledged");
                ok!(session.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]), found[0], b"data"));
            }
            Vec::new()
        })
        .join();
        set_mode(&store, 0o700);
        for file in fs::read_dir(&store).unwrap().flatten() {
            set_mode(&file.path(), 0o600);
        }
    }
}

fn makes_keys_until_killed() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    for number in 0.. {
        let label = format!("{}-{number}", std::process::id());
        ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => label.as_str(), CKA_ENCRYPT => true]));
        say(label);
    }
}

/// Its SQLite, in this process, has POSIX locks, and drops all of the process's at each close.
fn a_host_with_sqlite_of_its_own_loses_nothing_and_costs_nothing() {
    const ROUNDS: usize = 40;
    let token = Token::new();
    let database = token.home.database();
    let revision = |database: &Path| {
        let host = rusqlite::Connection::open(database).unwrap();
        host.query_row("SELECT revision FROM token", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let before = revision(&database);
    let session = token.user();
    let mut peer = peer!(makes_keys, ROUNDS.to_string());
    for round in 0..ROUNDS {
        let host = rusqlite::Connection::open(&database).unwrap();
        host.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
        host.execute("UPDATE token SET revision = revision + 1", []).unwrap();
        ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "ours"]), "round {round}");
        drop(host);
        ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "ours"]), "round {round}");
    }
    assert_eq!(peer.hear(), "made");
    peer.finish();
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "ours"])).len(), 2 * ROUNDS);
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "peer's"])).len(), ROUNDS);
    assert_eq!(revision(&database) - before, 4 * ROUNDS as i64, "no commit of anybody's was undone");
    token.is_sound();
}

fn makes_keys() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    for _ in 0..arguments()[0].parse().unwrap() {
        ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "peer's"]));
    }
    say("made");
}

fn a_host_that_holds_the_file_is_waited_for() {
    let token = Token::with(Config { wait_ms: 300, ..Config::default() });
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_ENCRYPT => true]));
    let host = rusqlite::Connection::open(token.home.database()).unwrap();
    host.execute_batch("BEGIN IMMEDIATE").unwrap();
    fails!(session.aes_key(32, template![CKA_TOKEN => true]), CKR_DEVICE_ERROR);
    // Reads and uses go on.
    ok!(session.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]), key, b"data"));
    assert_eq!(ok!(session.objects(&template![])).len(), 1);
    host.execute_batch("ROLLBACK").unwrap();
    ok!(session.aes_key(32, template![CKA_TOKEN => true]));
    assert_eq!(fs::metadata(token.home.database()).unwrap().permissions().mode() & 0o777, 0o600);
}
