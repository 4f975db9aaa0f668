//! `keystead token destroy`

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;

use keystead::error::Error;
use keystead::key::Login;
use keystead::object::Search;

use crate::home::{Home, PIN, SO_PIN, bad, good, says};

fn destroy(home: &Home, words: &[&str]) -> std::process::Command {
    let mut command = home.command(&[&["token", "destroy"], words].concat());
    command.env("KEYSTEAD_SO_PIN", SO_PIN);
    command
}

fn files(home: &Home) -> Vec<String> {
    let names = fs::read_dir(home.store()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_token_is_destroyed_by_its_so_and_on_purpose() {
    let home = Home::new();
    home.token("Old");
    home.token("Kept");
    says(&bad(&destroy(&home, &["Old"]).output().unwrap()), &["\"Old\"", "every key", "--yes"]);
    let wrong = destroy(&home, &["Old", "--yes"]).env("KEYSTEAD_SO_PIN", "guess").output().unwrap();
    says(&bad(&wrong), &["SO PIN is wrong", "9 tries are left"]);
    let users = destroy(&home, &["Old", "--yes"]).env("KEYSTEAD_SO_PIN", PIN).output().unwrap();
    says(&bad(&users), &["SO PIN is wrong", "8 tries are left"]);
    assert_eq!(home.login(0, Login::User, PIN), Ok(()));

    let printed = good(&destroy(&home, &["Old", "--yes", "--json"]).output().unwrap());
    let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&printed["slot"], &printed["label"]), (&0.into(), &"Old".into()));
    let left =
        ["folder.lock", "slot-00000001.db", "slot-00000001.db-shm", "slot-00000001.db-wal", "slot-00000001.lock"];
    assert_eq!(files(&home), left);
    says(&bad(&destroy(&home, &["Old", "--yes"]).output().unwrap()), &["\"Old\""]);
    assert_eq!(home.login(1, Login::User, PIN), Ok(()));
    home.token("New");
    assert_eq!(home.json(&["token", "show", "New"])["slot"], 2, "the number is not used again");
}

#[test]
fn who_has_it_open_is_told() {
    let home = Home::new();
    home.token("A");
    let module = home.module();
    let session = module.open_session(0, true).unwrap();
    let sessions = module.sessions();
    sessions.login(session, Login::User, PIN.as_bytes()).unwrap();
    good(&destroy(&home, &["A", "--yes"]).output().unwrap());
    let class = cryptoki_sys::CKO_DATA.to_ne_bytes();
    let given = [(cryptoki_sys::CKA_CLASS, &class[..]), (cryptoki_sys::CKA_TOKEN, &[1])];
    let given = given.map(|(number, value)| keystead::object::Given::new(number, value));
    assert_eq!(sessions.create(session, &given), Err(Error::TokenRemoved));
    // Who reads looks a moment later.
    let begun = std::time::Instant::now();
    while let Ok(()) = sessions.find_init(session, Search::new(&[])) {
        sessions.find_final(session).unwrap();
        assert!(begun.elapsed().as_secs() < 30);
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(sessions.login(session, Login::So, SO_PIN.as_bytes()), Err(Error::TokenRemoved));
    assert!(matches!(module.open_session(0, true), Err(Error::TokenNotRecognized(_))));
    sessions.close(session).unwrap();
    assert_eq!(module.slots().list(true), [1], "the blank one");
    assert_eq!(files(&home), ["folder.lock"], "nothing was made again");
}

#[test]
fn without_a_pin_only_the_owner_of_the_files_destroys() {
    let home = Home::with_settings("so-tries = 1");
    home.token("Locked out");
    home.token("Damaged");
    let wrong = destroy(&home, &["0", "--yes"]).env("KEYSTEAD_SO_PIN", "guess").output().unwrap();
    says(&bad(&wrong), &["locked now"]);
    says(&bad(&destroy(&home, &["0", "--yes"]).output().unwrap()), &["SO PIN is locked", "--without-pin"]);
    for suffix in ["db-wal", "db-shm"] {
        fs::remove_file(home.store().join(format!("slot-00000001.{suffix}"))).unwrap();
    }
    fs::write(home.store().join("slot-00000001.db"), "no token").unwrap();
    says(&bad(&destroy(&home, &["1", "--yes"]).output().unwrap()), &["cannot be opened", "--without-pin"]);

    another_user_is_refused(&home);
    says(&home.bad(&["token", "destroy", "0", "--without-pin"]), &["--yes"]);
    for slot in ["0", "pkcs11:slot-id=1"] {
        home.good(&["token", "destroy", slot, "--without-pin", "--yes"]);
    }
    assert_eq!(files(&home), ["folder.lock"]);
}

/// Whose is everything but the file, so that nothing else is in his way.
fn another_user_is_refused(home: &Home) {
    const SOMEBODY: u32 = 65_534;
    let give = |owner| chown(home.store(), Some(owner), None).is_ok();
    if !give(SOMEBODY) {
        // Only root can try.
        return;
    }
    for path in [home.path(""), home.path("keystead.toml")] {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    // The program may lie where another user cannot go.
    let program = home.path("keystead");
    fs::copy(env!("CARGO_BIN_EXE_keystead"), &program).unwrap();
    let mut command = std::process::Command::new(&program);
    command.args(["token", "destroy", "1", "--without-pin", "--yes"]).env_clear().uid(SOMEBODY);
    command.env("KEYSTEAD_CONF", home.path("keystead.toml"));
    says(&bad(&command.output().unwrap()), &["belongs to uid 0", "this is uid 65534", "SO PIN"]);
    assert!(give(0));
}
