//! `keystead backup`, `keystead backup verify` and `keystead restore`

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use keystead::error::Error;
use keystead::handle::Handle;
use keystead::key::Login;
use keystead::module::Module;
use keystead::object::{Given, Search};
use keystead::store::sqlite::SqliteFolder;
use keystead::store::{Folder, Item};
use serde_json::json;

use crate::home::{Home, PIN, SO_PIN, bad, good, says};

#[test]
fn a_restored_store_is_as_it_was() {
    let home = Home::with_settings("user-tries = 3");
    let keys = Keys::new(&home);
    home.token("A");
    home.token("B");
    home.token("gone");
    // The number of a token that is gone is used no more.
    for suffix in ["db", "lock"] {
        fs::remove_file(home.store().join(format!("slot-00000002.{suffix}"))).unwrap();
    }
    let module = user(&home);
    let session = module.open_session(0, true).unwrap();
    module.sessions().login(session, Login::User, PIN.as_bytes()).unwrap();
    let objects: Vec<Handle> = (0..5).map(|number| put(&module, session, &[number; 40])).collect();
    module.sessions().destroy(session, objects[1]).unwrap();
    for _ in 0..2 {
        let other = user(&home);
        let session = other.open_session(1, true).unwrap();
        assert_eq!(other.sessions().login(session, Login::User, b"wrong"), Err(Error::PinIncorrect));
    }

    let report = home.json(&["backup", &keys.file, "--recipient", &keys.recipient]);
    assert_eq!(report["tokens"][0]["objects"], 4);
    assert_eq!((&report["tokens"][0]["tombstones"], &report["tokens"][1]["label"]), (&1.into(), &"B".into()));
    assert_eq!(fs::metadata(&keys.file).unwrap().permissions().mode() & 0o777, 0o600);
    // The backup is not what is written later.
    put(&module, session, b"later");

    let restored = keys.restore(&home, "restored");
    assert_eq!(restored["tokens"], report["tokens"]);
    let folder = SqliteFolder::new(home.path("restored"));
    assert_eq!((folder.slots().unwrap(), folder.next_slot().unwrap()), (vec![0, 1], 3));
    let before = everything(&home.store(), 0);
    let after = everything(&home.path("restored"), 0);
    let kept = |item: &&Item| after.contains(item);
    assert_eq!(
        (after.len(), before.iter().filter(kept).count()),
        (6, 5),
        "all but the row of the later commit's revision"
    );
    assert_eq!(everything(&home.store(), 1), everything(&home.path("restored"), 1));

    let there = Home::with_settings("user-tries = 3");
    fs::rename(home.path("restored"), there.store()).unwrap();
    assert_eq!(there.json(&["token", "show", "B"])["user_pin"], "last-try");
    assert_eq!(there.login(1, Login::User, "wrong"), Err(Error::PinIncorrect));
    assert_eq!(there.json(&["token", "show", "B"])["user_pin"], "locked");
    assert_eq!(there.login(1, Login::So, SO_PIN), Ok(()));
    assert_eq!(values(&there, 0), [0, 2, 3, 4].map(|number| vec![number; 40]));
    there.token("next");
    assert_eq!(there.json(&["token", "show", "next"])["slot"], 3);
}

#[test]
fn every_flipped_byte_and_every_missing_end_is_noticed() {
    let home = Home::new();
    let keys = Keys::new(&home);
    home.token("A");
    home.good(&["backup", &keys.file, "--recipient", &keys.recipient]);
    let whole = fs::read(&keys.file).unwrap();
    assert!(whole.len() < 2000, "{} bytes", whole.len());
    let noticed = |number: usize, damaged: &[u8]| {
        let file = home.path(&format!("damaged-{number}"));
        fs::write(&file, damaged).unwrap();
        let file = file.to_str().unwrap();
        bad(&home.run(&["backup", "verify", file, "--identity", &keys.identity]));
        let mut restore = home.command(&["restore", file, "--identity", &keys.identity, "--store"]);
        bad(&restore.arg(home.path(&format!("nothing-{number}"))).output().unwrap());
        assert!(!home.path(&format!("nothing-{number}")).exists());
        fs::remove_file(file).unwrap();
    };
    let left = Mutex::new(0..whole.len());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(place) = { left.lock().unwrap().next() } {
                    let mut damaged = whole.clone();
                    damaged[place] ^= 1 << (place % 8);
                    noticed(place, &damaged);
                    noticed(place, &whole[..place]);
                }
            });
        }
    });
    noticed(0, &[&whole[..], b"\n"].concat());
    let names: Vec<_> = fs::read_dir(home.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_str().unwrap().starts_with(".keystead")), "{names:?}");
    keys.restore(&home, "whole");
}

#[test]
fn a_backup_under_writers_holds_all_that_was_acknowledged() {
    let home = Home::new();
    let keys = Keys::new(&home);
    home.token("A");
    let (acknowledged, stop) = (Mutex::new(vec![]), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (home, acknowledged, stop) = (&home, &acknowledged, &stop);
        for thread in 0..4_u8 {
            scope.spawn(move || {
                let module = user(home);
                let session = module.open_session(0, true).unwrap();
                module.sessions().login(session, Login::User, PIN.as_bytes()).unwrap();
                for number in 0_u32.. {
                    let value = [&[thread][..], &number.to_be_bytes()].concat();
                    let object = put(&module, session, &value);
                    // Some come and go.
                    match number % 3 {
                        0 => module.sessions().destroy(session, object).unwrap(),
                        _ => acknowledged.lock().unwrap().push(value),
                    }
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                }
            });
        }
        let _stop = Stop(stop);
        for round in 0..4 {
            while acknowledged.lock().unwrap().len() < 30 * (round + 1) {
                std::thread::yield_now();
            }
            let before = acknowledged.lock().unwrap().clone();
            home.good(&["backup", &keys.file, "--recipient", &keys.recipient, "--force"]);
            let pin = home.path("pin");
            fs::write(&pin, PIN).unwrap();
            let verify = ["backup", "verify", &keys.file, "--identity", &keys.identity, "--user-pin-file"];
            home.good(&[&verify[..], &[pin.to_str().unwrap()]].concat());
            let there = Home::new();
            keys.restore_to(home, &there.store());
            let restored = values(&there, 0);
            let lost: Vec<_> = before.iter().filter(|value| !restored.contains(value)).collect();
            assert_eq!(lost, Vec::<&Vec<u8>>::new());
        }
    });
}

/// Ends the writers, whether the test fails or not.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn nothing_is_restored_over_anything() {
    let home = Home::new();
    let keys = Keys::new(&home);
    home.token("A");
    home.good(&["backup", &keys.file, "--recipient", &keys.recipient]);
    let restore = |place: &str| {
        let mut command = home.command(&["restore", &keys.file, "--identity", &keys.identity, "--store"]);
        command.arg(home.path(place)).output().unwrap()
    };
    says(&home.bad(&["restore", &keys.file, "--identity", &keys.identity]), &["something in", "store", "--store DIR"]);
    fs::create_dir(home.path("full")).unwrap();
    fs::write(home.path("full/a file"), "of somebody").unwrap();
    says(&bad(&restore("full")), &["something in", "full"]);
    fs::write(home.path("file"), "").unwrap();
    says(&bad(&restore("file")), &["file"]);
    // An empty folder is a place, and so is one that is missing with what is above it.
    fs::create_dir(home.path("empty")).unwrap();
    fs::set_permissions(home.path("empty"), fs::Permissions::from_mode(0o755)).unwrap();
    good(&restore("empty"));
    good(&restore("not/there/yet"));
    for place in ["empty", "not/there/yet", "not"] {
        assert_eq!(fs::metadata(home.path(place)).unwrap().permissions().mode() & 0o777, 0o700, "{place}");
    }
    assert_eq!(everything(&home.path("empty"), 0), everything(&home.store(), 0));
    says(&bad(&restore("empty")), &["something in"]);
    assert_eq!(home.json(&["token", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_file_that_is_there_is_kept_unless_something_else_is_said() {
    let home = Home::new();
    let keys = Keys::new(&home);
    says(&home.bad(&["backup", &keys.file, "--recipient", &keys.recipient]), &["no token yet"]);
    home.token("A");
    fs::write(&keys.file, "of somebody").unwrap();
    let backup = ["backup", &keys.file, "--recipient", &keys.recipient];
    says(&home.bad(&backup), &["there already", "--force"]);
    assert_eq!(fs::read(&keys.file).unwrap(), b"of somebody");
    home.good(&[&backup[..], &["--force"]].concat());
    keys.restore(&home, "restored");
    says(&home.bad(&["backup", "/dev/null", "--force", "--recipient", &keys.recipient]), &["else than a file"]);
    says(&home.bad(&["backup", "/not/there", "--recipient", &keys.recipient]), &["/not/there", "No such file"]);
    says(&home.bad(&["backup", &keys.file, "--force", "--recipient", "age1nobody"]), &["no recipient", "age1"]);
    // What fails leaves what was there.
    fs::remove_file(home.store().join("slot-00000000.db")).unwrap();
    fs::write(home.store().join("slot-00000000.db"), "no database").unwrap();
    says(&home.bad(&[&backup[..], &["--force"]].concat()), &["slot 0", "no backup was made"]);
    keys.restore(&home, "again");
    let names = fs::read_dir(home.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_str().unwrap().starts_with(".keystead")));
}

#[test]
fn a_passphrase_opens_what_it_closed() {
    let home = Home::new();
    let keys = Keys::new(&home);
    home.token("A");
    let run = |words: &[&str], passphrase: &str| {
        home.command(words).env("KEYSTEAD_BACKUP_PASSPHRASE", passphrase).output().unwrap()
    };
    says(&home.bad(&["backup", &keys.file]), &["no terminal", "--passphrase-file", "KEYSTEAD_BACKUP_PASSPHRASE"]);
    says(&bad(&run(&["backup", &keys.file], "")), &["passphrase is empty"]);
    assert!(!Path::new(&keys.file).exists());
    good(&run(&["backup", &keys.file], "correct horse"));
    says(&bad(&run(&["backup", "verify", &keys.file], "wrong horse")), &["passphrase", "wrong"]);
    says(&home.bad(&["backup", "verify", &keys.file, "--identity", &keys.identity]), &["needs a passphrase"]);
    fs::write(home.path("passphrase"), "correct horse\n").unwrap();
    let verify = ["backup", "verify", &keys.file, "--passphrase-file", home.path("passphrase").to_str().unwrap()]
        .map(str::to_owned);
    good(&home.command(&verify).output().unwrap());
}

#[test]
fn a_backup_opens_with_the_key_of_each_recipient() {
    let home = Home::new();
    let (keys, others, stranger) = (Keys::new(&home), Keys::named(&home, "other"), Keys::named(&home, "stranger"));
    home.token("A");
    home.good(&["backup", &keys.file, "--recipient", &keys.recipient, "--recipient", &others.recipient]);
    let verify = |identity: &str| home.run(&["backup", "verify", &keys.file, "--identity", identity]);
    good(&verify(&keys.identity));
    good(&verify(&others.identity));
    says(&bad(&verify(&stranger.identity)), &["others"]);
    says(&bad(&verify(&keys.file)), &["backup"]);
    says(&home.bad(&["backup", "verify", &keys.file]), &["holder of a key", "--identity"]);
}

#[test]
fn a_backup_goes_through_pipes() {
    let home = Home::new();
    let keys = Keys::new(&home);
    home.token("A");
    let written = home.run(&["backup", "-", "--recipient", &keys.recipient]);
    assert!(written.status.success() && written.stderr.is_empty(), "{written:?}");
    let piped = |words: &[&str]| {
        let mut command = home.command(words);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(&written.stdout).unwrap();
        child.wait_with_output().unwrap()
    };
    good(&piped(&["backup", "verify", "-", "--identity", &keys.identity]));
    let place = home.path("restored");
    good(&piped(&["restore", "-", "--identity", &keys.identity, "--store", place.to_str().unwrap()]));
    assert_eq!(everything(&place, 0), everything(&home.store(), 0));
    for nonsense in [
        &["backup", "-", "--recipient", &keys.recipient, "--json"][..],
        &["backup", "verify", "-", "--passphrase-file", "-"],
        &["backup", "verify", "-", "--identity", &keys.identity, "--user-pin-file", "-"],
        &["backup", &keys.file, "--recipient", &keys.recipient, "--passphrase-env", "A"],
        &["backup", "verify", &keys.file, "--identity", &keys.identity, "--store", "/x"],
        &["backup"],
        &["backup", "verify"],
        &["restore"],
    ] {
        assert_eq!(home.run(nonsense).status.code(), Some(2), "{nonsense:?}");
    }
}

/// The program `age` of its own authors, and a reader in another language.
#[test]
fn other_programs_read_a_backup_and_write_one() {
    let home = Home::new();
    home.token("A");
    let path = |name: &str| home.path(name).to_str().unwrap().to_owned();
    let (key, file) = (path("key"), path("a.backup"));
    run("age-keygen", &["-o", &key]);
    let recipient = run("age-keygen", &["-y", &key]);
    home.good(&["backup", &file, "--recipient", recipient.trim()]);
    run("age", &["--decrypt", "-i", &key, "-o", &path("plain"), &file]);
    let reader = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/backups/make.py");
    let lines = run("python3", &[reader, &path("plain")]);
    says(&lines, &["header keystead backup 1 ", "\ntoken 0 ", "\ntoken ends 0 0\nend 1\n"]);

    run("age", &["--encrypt", "-r", recipient.trim(), "-o", &path("b.backup"), &path("plain")]);
    let place = path("restored");
    home.good(&["restore", &path("b.backup"), "--identity", &key, "--store", &place]);
    assert_eq!(everything(&home.path("restored"), 0), everything(&home.store(), 0));
}

fn run(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; see tests/install-tools"));
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_killed_command_leaves_a_whole_thing_or_none() {
    let home = Home::new();
    let keys = Keys::new(&home);
    home.token("A");
    let module = user(&home);
    let session = module.open_session(0, true).unwrap();
    module.sessions().login(session, Login::User, PIN.as_bytes()).unwrap();
    for number in 0..50 {
        put(&module, session, &vec![number; 20_000]);
    }
    let expected = everything(&home.store(), 0);
    home.good(&["backup", &keys.file, "--recipient", &keys.recipient]);
    let begun = Instant::now();
    keys.restore(&home, "at first");
    let whole = begun.elapsed();
    // From the beginning of what it takes to behind the end.
    let killed = |words: &[&str], round: u32| {
        let mut child = home.command(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * round / 16);
        let _ = child.kill();
        child.wait().unwrap();
    };
    let mut outcomes = [0, 0];
    for round in 0..24 {
        let file = format!("{}-{round}", keys.file);
        killed(&["backup", &file, "--recipient", &keys.recipient], round);
        if Path::new(&file).exists() {
            home.good(&["backup", "verify", &file, "--identity", &keys.identity]);
        }
        let place = home.path(&format!("restored-{round}"));
        let restore = ["restore", &keys.file, "--identity", &keys.identity, "--store", place.to_str().unwrap()];
        killed(&restore, round);
        if place.exists() {
            assert_eq!(everything(&place, 0), expected);
        }
        outcomes[usize::from(place.exists())] += 1;
    }
    println!("killed before and after: {outcomes:?}");
    keys.restore(&home, "at last");
}

#[test]
fn tokens_can_be_named() {
    let home = Home::new();
    let keys = Keys::new(&home);
    ["A", "B", "C"].iter().for_each(|label| home.token(label));
    says(&home.bad(&["backup", &keys.file, "--recipient", &keys.recipient, "--token", "D"]), &["\"D\""]);
    let backup = ["backup", &keys.file, "--recipient", &keys.recipient];
    let report = home.json(&[&backup[..], &["--token", "C", "--token", "0", "--token", "A"]].concat());
    assert_eq!((&report["tokens"][0]["label"], &report["tokens"][1]["label"]), (&json!("A"), &json!("C")));
    keys.restore(&home, "restored");
    let folder = SqliteFolder::new(home.path("restored"));
    assert_eq!((folder.slots().unwrap(), folder.next_slot().unwrap()), (vec![0, 2], 3));
}

#[test]
fn seals_are_checked_with_the_pin() {
    let home = Home::new();
    let keys = Keys::new(&home);
    home.token("A");
    let module = user(&home);
    let session = module.open_session(0, true).unwrap();
    module.sessions().login(session, Login::User, PIN.as_bytes()).unwrap();
    let objects = [1, 2].map(|number| put(&module, session, &[number; 40]));
    module.sessions().destroy(session, objects[0]).unwrap();
    drop(module);
    let verify = |pin: &str| {
        home.good(&["backup", &keys.file, "--force", "--recipient", &keys.recipient]);
        let mut command = home.command(&["backup", "verify", &keys.file, "--identity", &keys.identity, "--seals"]);
        command.env("KEYSTEAD_PIN", pin).output().unwrap()
    };
    says(&good(&verify(PIN)), &["A (", "1 objects and 1 tombstones, all as they were sealed"]);
    says(&bad(&verify("wrong")), &["slot 0", "\"A\"", "does not open"]);
    // Nobody counted it.
    assert_eq!(home.json(&["token", "show", "A"])["user_pin"], "set");

    // Somebody changes the store before the backup is made: that is seen with the PIN and not without.
    let changed = |sql: &str| {
        let database = rusqlite::Connection::open(home.store().join("slot-00000000.db")).unwrap();
        assert_eq!(database.execute(sql, []).unwrap(), 1);
    };
    changed("UPDATE objects SET version = version + 1");
    says(&bad(&verify(PIN)), &["slot 0", "object", "not as it was sealed"]);
    good(&home.run(&["backup", "verify", &keys.file, "--identity", &keys.identity]));
    changed("UPDATE objects SET version = version - 1");
    good(&verify(PIN));
    changed("UPDATE deletions SET version = version + 1");
    says(&bad(&verify(PIN)), &["slot 0", "object", "not as it was sealed"]);
    changed("UPDATE deletions SET version = version - 1");
    // The label is thirty-two bytes of plain text in the token row.
    changed("UPDATE token SET bytes = CAST(replace(CAST(bytes AS TEXT), 'A   ', 'B   ') AS BLOB)");
    says(&bad(&verify(PIN)), &["slot 0", "label"]);
    changed("UPDATE token SET bytes = CAST(replace(CAST(bytes AS TEXT), 'B   ', 'A   ') AS BLOB)");
    good(&verify(PIN));
    changed("DELETE FROM deletions");
    says(&bad(&verify(PIN)), &["slot 0", "removed from the file, changed, or put back"]);
}

/// In a name space of its own, where root may mount a small file system.
#[test]
fn a_full_disk_leaves_nothing_half_done() {
    let home = Home::new();
    let keys = Keys::new(&home);
    home.token("A");
    let module = user(&home);
    let session = module.open_session(0, true).unwrap();
    module.sessions().login(session, Login::User, PIN.as_bytes()).unwrap();
    for number in 0..20 {
        put(&module, session, &vec![number; 20_000]);
    }
    home.good(&["backup", &keys.file, "--recipient", &keys.recipient]);
    fs::create_dir(home.path("small")).unwrap();
    let script = "mount -t tmpfs -o size=256k none \"$1\" || exit 77; shift
                  \"$@\"; code=$?; ls -A \"${small:?}\"; exit $code";
    let on_a_small_disk = |words: &[&str]| {
        let mut command = Command::new("unshare");
        let command = command.args(["-m", "sh", "-c", script, "sh"]).arg(home.path("small"));
        command.arg(env!("CARGO_BIN_EXE_keystead")).args(words).env("small", home.path("small"));
        command.env("KEYSTEAD_CONF", home.path("keystead.toml")).output().unwrap()
    };
    let file = home.path("small/backup");
    let backup = on_a_small_disk(&["backup", file.to_str().unwrap(), "--recipient", &keys.recipient]);
    if matches!(backup.status.code(), Some(77)) || String::from_utf8_lossy(&backup.stderr).contains("unshare") {
        println!("skipped: only root can mount a small file system");
        return;
    }
    nothing_left(&backup, "No space left");
    let place = home.path("small/store");
    let place = place.to_str().unwrap();
    nothing_left(&on_a_small_disk(&["restore", &keys.file, "--identity", &keys.identity, "--store", place]), "full");
}

fn nothing_left(output: &Output, why: &str) {
    says(&bad(output), &[why]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "what is left");
}

/// A backup's file, the key that opens it and the recipient that is its other half.
struct Keys {
    file: String,
    identity: String,
    recipient: String,
}

impl Keys {
    fn new(home: &Home) -> Self {
        Self::named(home, "our")
    }

    fn named(home: &Home, name: &str) -> Self {
        let key = Identity::generate();
        let identity = home.path(&format!("{name}.key"));
        fs::write(&identity, key.to_string().expose_secret()).unwrap();
        let file = home.path(&format!("{name}.backup"));
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        Self { file: text(&file), identity: text(&identity), recipient: key.to_public().to_string() }
    }

    fn restore(&self, home: &Home, place: &str) -> serde_json::Value {
        self.restore_to(home, &home.path(place))
    }

    fn restore_to(&self, home: &Home, place: &Path) -> serde_json::Value {
        home.json(&["restore", &self.file, "--identity", &self.identity, "--store", place.to_str().unwrap()])
    }
}

/// A program with the home's configuration.
fn user(home: &Home) -> Module {
    let mut config = keystead::config::Config::load_for(home.store());
    let text = fs::read_to_string(home.path("keystead.toml")).unwrap();
    if text.contains("user-tries = 3") {
        config.settings.pin.user_tries = 3;
    }
    Module::open(config).unwrap()
}

/// Puts a private data object with this value into the token.
fn put(module: &Module, session: Handle, value: &[u8]) -> Handle {
    let class = cryptoki_sys::CKO_DATA.to_ne_bytes();
    let given = [
        (cryptoki_sys::CKA_CLASS, &class[..]),
        (cryptoki_sys::CKA_TOKEN, &[1]),
        (cryptoki_sys::CKA_PRIVATE, &[1]),
        (cryptoki_sys::CKA_VALUE, value),
    ];
    module.sessions().create(session, &given.map(|(number, value)| Given::new(number, value))).unwrap()
}

/// The values of all data objects of a token, ascending.
fn values(home: &Home, slot: u64) -> Vec<Vec<u8>> {
    let module = home.module();
    let session = module.open_session(slot, true).unwrap();
    module.sessions().login(session, Login::User, PIN.as_bytes()).unwrap();
    let class = cryptoki_sys::CKO_DATA.to_ne_bytes();
    let data = [Given::new(cryptoki_sys::CKA_CLASS, &class)];
    module.sessions().find_init(session, Search::new(&data)).unwrap();
    let mut values = vec![];
    for object in module.sessions().find_next(session, 10_000).unwrap() {
        let view = module.sessions().view(session, object).unwrap();
        values.push(view.attribute(cryptoki_sys::CKA_VALUE).unwrap().to_vec());
    }
    values.sort();
    values
}

/// All that a store holds of a token.
fn everything(store: &Path, slot: u32) -> Vec<Item> {
    let mut items = vec![];
    let mut keep = |item| {
        items.push(item);
        Ok(())
    };
    SqliteFolder::new(store.to_owned()).open(slot).unwrap().snapshot(&mut keep).unwrap();
    items
}
