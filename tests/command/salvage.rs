//! `keystead store salvage`: what is left of a damaged token works, and nothing wrong comes out of it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use keystead::handle::Handle;
use keystead::key::Login;
use keystead::module::Module;
use keystead::object::{Given, Search};
use serde_json::Value;

use crate::home::{Home, PIN, SO_PIN, bad, good, says};

/// Labels and values of the private data objects of a token.
type Contents = BTreeMap<Vec<u8>, Vec<u8>>;

/// A token with data objects, some of them destroyed, changed and long, and what must come out of it whole.
struct Damage {
    home: Home,
    /// As it is, and as the objects were before they changed.
    contents: Contents,
    before: Contents,
    destroyed: Vec<Vec<u8>>,
}

const DB: &str = "slot-00000000.db";
const LOG: &str = "slot-00000000.db-wal";

impl Damage {
    fn new() -> Self {
        let home = Home::new();
        home.token("Precious");
        // Who reads keeps the log from being emptied when the token is closed.
        let reader = rusqlite::Connection::open(home.store().join(DB)).unwrap();
        reader.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        reader.execute_batch("BEGIN; SELECT file FROM token").unwrap();
        let module = home.module();
        let session = login(&module, PIN).unwrap();
        let sessions = module.sessions();
        let (mut contents, mut before, mut destroyed) = (Contents::new(), Contents::new(), vec![]);
        for number in 0..40_u8 {
            let (label, value) =
                (format!("object {number}").into_bytes(), vec![number; if number % 8 == 2 { 9_000 } else { 40 }]);
            let object = put(&module, session, &label, &value);
            before.insert(label.clone(), value);
            match number % 4 {
                0 => {
                    sessions.destroy(session, object).unwrap();
                    destroyed.push(label);
                }
                1 => {
                    let after = vec![number; 60];
                    sessions.change(session, object, &[Given::new(cryptoki_sys::CKA_VALUE, &after)]).unwrap();
                    contents.insert(label, after);
                }
                _ => drop(contents.insert(label.clone(), before[&label].clone())),
            }
        }
        drop(module);
        drop(reader);
        Self { home, contents, before, destroyed }
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.home.store().join(name)
    }

    /// Moves what is in the log into the file.
    fn checkpoint(&self) {
        let database = rusqlite::Connection::open(self.file(DB)).unwrap();
        database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }

    fn salvage(&self, source: &Path, place: &str, words: &[&str]) -> Command {
        let place = self.home.path(place);
        let words =
            [&["store", "salvage", source.to_str().unwrap(), place.to_str().unwrap(), "--json"], words].concat();
        let mut command = self.home.command(&words);
        command.env("KEYSTEAD_PIN", PIN).env("KEYSTEAD_SO_PIN", SO_PIN);
        command
    }

    /// Damages copies of the files and saves what is left: report, and contents of the new token. None if nothing was saved; then
    /// there is no new folder.
    fn saved(&self, name: &str, damage: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>)) -> Option<(Value, Contents)> {
        let source = self.home.path(&format!("{name}.damaged"));
        fs::create_dir(&source).unwrap();
        // Without a log there is none to damage.
        let [mut file, mut log] = [DB, LOG].map(|name| fs::read(self.file(name)).unwrap_or_default());
        damage(&mut file, &mut log);
        fs::write(source.join(DB), &file).unwrap();
        fs::write(source.join(LOG), &log).unwrap();
        let output = self.salvage(&source.join(DB), name, &[]).output().unwrap();
        let untouched = [DB, LOG].map(|name| fs::read(source.join(name)).unwrap());
        assert!(untouched == [file, log] && fs::read_dir(&source).unwrap().count() == 2, "the source is only read");
        fs::remove_dir_all(source).unwrap();
        self.outcome(name, &output)
    }

    fn outcome(&self, name: &str, output: &Output) -> Option<(Value, Contents)> {
        let place = self.home.path(name);
        let Ok(report) = serde_json::from_slice::<Value>(&output.stdout) else {
            bad(output);
            assert!(!place.exists(), "{output:?}");
            return None;
        };
        let whole =
            report["complete"] == true && report["token_row"] == true && report["refused"] == Value::Array(vec![]);
        assert_eq!(output.status.code(), Some(if whole { 0 } else { 3 }), "{output:?}");
        let contents = contents(&place, PIN);
        // Nothing is there that never was, nothing is wrong, and what is saved is whole.
        for (label, value) in &contents {
            assert!(self.contents.get(label) == Some(value) || self.before.get(label) == Some(value), "{label:?}");
        }
        let mut doctor = self.home.command(&["doctor", "--verify", "--json", "--store"]);
        let doctor = doctor.arg(&place).env("KEYSTEAD_PIN", PIN).output().unwrap();
        let findings: Vec<Value> = serde_json::from_slice(&doctor.stdout).unwrap();
        let seals: Vec<_> = findings.iter().filter(|finding| finding["about"] == "seals").collect();
        assert!(
            seals[0]["severity"] == "ok" && seals.iter().all(|finding| finding["severity"] != "error"),
            "{seals:#?}"
        );
        fs::remove_dir_all(place).unwrap();
        Some((report, contents))
    }
}

fn login(module: &Module, pin: &str) -> keystead::error::Result<Handle> {
    let session = module.open_session(0, true)?;
    module.sessions().login(session, Login::User, pin.as_bytes()).map(|()| session)
}

fn put(module: &Module, session: Handle, label: &[u8], value: &[u8]) -> Handle {
    let class = cryptoki_sys::CKO_DATA.to_ne_bytes();
    let given = [
        (cryptoki_sys::CKA_CLASS, &class[..]),
        (cryptoki_sys::CKA_TOKEN, &[1]),
        (cryptoki_sys::CKA_PRIVATE, &[1]),
        (cryptoki_sys::CKA_LABEL, label),
        (cryptoki_sys::CKA_VALUE, value),
    ];
    module.sessions().create(session, &given.map(|(number, value)| Given::new(number, value))).unwrap()
}

/// What is in the token of a folder, found as programs find it.
fn contents(folder: &Path, pin: &str) -> Contents {
    let module = Module::open(keystead::config::Config::load_for(folder.to_owned())).unwrap();
    let session = login(&module, pin).unwrap();
    let class = cryptoki_sys::CKO_DATA.to_ne_bytes();
    module.sessions().find_init(session, Search::new(&[Given::new(cryptoki_sys::CKA_CLASS, &class)])).unwrap();
    let objects = module.sessions().find_next(session, 10_000).unwrap();
    let attribute =
        |object, number| module.sessions().view(session, object).unwrap().attribute(number).unwrap().to_vec();
    let pairs = objects
        .into_iter()
        .map(|object| [cryptoki_sys::CKA_LABEL, cryptoki_sys::CKA_VALUE].map(|number| attribute(object, number)));
    pairs.map(|[label, value]| (label, value)).collect()
}

#[test]
fn what_is_whole_is_saved_whole() {
    let damage = Damage::new();
    assert!(fs::metadata(damage.file(LOG)).unwrap().len() > 100_000, "the log is there");
    let (report, contents) = damage.saved("with-log", |_, _| ()).unwrap();
    assert_eq!(contents, damage.contents);
    assert_eq!(
        (&report["complete"], &report["objects"], &report["tombstones"]),
        (&true.into(), &30.into(), &10.into())
    );
    assert_eq!((&report["label"], &report["older"]), (&"Precious".into(), &Value::Array(vec![])));
    damage.checkpoint();
    let (report, contents) = damage.saved("without-log", |_, log| assert!(log.is_empty())).unwrap();
    assert_eq!((contents, &report["complete"]), (damage.contents.clone(), &true.into()));

    // By slot, with the SO's PIN. The token keeps its number, its serial number and both PINs.
    let output = damage.salvage(Path::new("0"), "by-slot", &["--so"]).output().unwrap();
    let report: Value = serde_json::from_str(&good(&output)).unwrap();
    let serial = damage.home.json(&["token", "show", "0"])["serial"].clone();
    assert_eq!((&report["slot"], &report["serial"]), (&0.into(), &serial));
    assert_eq!(self::contents(&damage.home.path("by-slot"), PIN), damage.contents);
    assert_eq!(fs::metadata(damage.home.path("by-slot")).unwrap().permissions().mode() & 0o777, 0o700);
    let wrong = damage.salvage(Path::new("0"), "wrong", &["--so"]).env("KEYSTEAD_SO_PIN", PIN).output().unwrap();
    says(&bad(&wrong), &["SO PIN", "opens no token row"]);
    let wrong = damage.salvage(Path::new("0"), "wrong", &[]).env("KEYSTEAD_PIN", "guess").output().unwrap();
    says(&bad(&wrong), &["user PIN", "opens no token row"]);
    assert!(!damage.home.path("wrong").exists());
    assert_eq!(damage.home.json(&["token", "show", "0"])["user_pin"], "set", "nobody counted it");

    let occupied = damage.salvage(Path::new("0"), "by-slot", &[]).output().unwrap();
    says(&bad(&occupied), &["there is something in", "by-slot"]);
    assert_eq!(self::contents(&damage.home.path("by-slot"), PIN), damage.contents);
    says(&bad(&damage.salvage(Path::new("7"), "none", &[]).output().unwrap()), &["slot 7"]);
    says(&bad(&damage.salvage(Path::new("/nowhere/a.db"), "none", &[]).output().unwrap()), &["/nowhere"]);
}

/// A byte in each page; every byte in `make soak`, of the file with everything in it.
#[test]
fn a_flipped_byte_costs_one_object_at_most() {
    let damage = Damage::new();
    damage.checkpoint();
    let length = fs::metadata(damage.file(DB)).unwrap().len() as usize;
    let step = if std::env::var_os("KEYSTEAD_SOAK").is_some() { 1 } else { 1367 };
    let mut lost = 0;
    for place in (0..length).step_by(step) {
        // Where the byte belongs to the PIN's row or the token's id, no PIN opens anything.
        let Some((report, contents)) = damage.saved("flipped", |file, _| file[place] ^= 0x10) else {
            lost += 1;
            continue;
        };
        let missing = damage.contents.iter().filter(|(label, _)| !contents.contains_key(*label)).count();
        assert!(missing <= 1, "byte {place}: {missing} of {}", damage.contents.len());
        let back = damage.destroyed.iter().filter(|label| contents.contains_key(*label)).count();
        assert_eq!(back, 0, "byte {place}: what was destroyed is there");
        if contents != damage.contents {
            assert_eq!(report["complete"], false, "byte {place}");
        }
    }
    assert!(lost <= 1 || step == 1, "{lost} files opened for nobody");
}

#[test]
fn headers_and_halves_can_go() {
    let mut damage = Damage::new();
    // The headers of both files, and those of each page but of overflow, whose first byte is 0.
    let (report, contents) = damage
        .saved("headless", |file, log| {
            log[..32].fill(0);
            file.chunks_mut(4096).filter(|page| page[0] != 0).for_each(|page| page[..8].fill(0));
        })
        .unwrap();
    assert_eq!(contents, damage.contents, "{report}");
    // A log whose first frame is damaged, so that SQLite would not read any of it.
    let (report, contents) = damage.saved("log", |_, log| log[32 + 24 + 100] ^= 1).unwrap();
    assert_eq!((contents, &report["complete"]), (damage.contents.clone(), &true.into()));
    // A log cut off: an earlier state, and said to be so, or not distinguishable from one.
    let (_, contents) = damage.saved("cut-log", |_, log| log.truncate(log.len() / 2)).unwrap();
    assert!(!contents.is_empty() && contents.len() < damage.contents.len());

    damage.checkpoint();
    let (report, contents) = damage.saved("headless-file", |file, _| file[..100].fill(0)).unwrap();
    assert_eq!((contents, &report["complete"]), (damage.contents.clone(), &true.into()));
    // The first pages are the roots of the trees: there must be more than those in the first half.
    let module = damage.home.module();
    let session = login(&module, PIN).unwrap();
    for number in 0..80_u8 {
        let (label, value) = (format!("more {number}").into_bytes(), vec![number; 100]);
        put(&module, session, &label, &value);
        damage.contents.insert(label, value);
    }
    drop(module);
    damage.checkpoint();
    let (report, contents) = damage.saved("half", |file, _| file.truncate(file.len() / 2)).unwrap();
    assert!(!contents.is_empty() && contents.len() < damage.contents.len(), "{}", contents.len());
    assert_eq!(report["complete"], false);
    assert!(damage.saved("empty", |file, _| file.clear()).is_none());
    assert!(damage.saved("foreign", |file, _| file.fill(b'x')).is_none());
}

#[test]
fn what_cannot_be_trusted_is_said() {
    let mut damage = Damage::new();
    damage.checkpoint();
    let find = |file: &[u8], word: &[u8]| file.windows(word.len()).position(|window| window == word).unwrap();
    // An edited label: the token works, and one is told.
    let (report, contents) = damage
        .saved("label", |file, _| {
            let at = find(file, b"Precious");
            file[at] = b'p';
        })
        .unwrap();
    assert_eq!(
        (contents, &report["token_row"], &report["label"]),
        (damage.contents.clone(), &false.into(), &"precious".into())
    );

    // A damaged row is named by its id.
    let database = rusqlite::Connection::open(damage.file(DB)).unwrap();
    let sql = "SELECT hex(id), record FROM objects WHERE length(record) < 1000 LIMIT 1";
    let (id, record): (String, Vec<u8>) = database.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let (report, contents) = damage
        .saved("row", |file, _| {
            let at = find(file, &record);
            file[at + 50] ^= 1;
        })
        .unwrap();
    assert_eq!(report["refused"], Value::Array(vec![id.to_lowercase().into()]));
    assert_eq!((contents.len(), &report["complete"]), (damage.contents.len() - 1, &false.into()));

    // A row taken out leaves no trace but in the digest.
    let (report, _) = damage
        .saved("gone", |file, _| {
            let at = find(file, &record);
            file[at - 60..at + record.len()].fill(0);
        })
        .unwrap();
    assert_eq!((&report["refused"], &report["complete"]), (&Value::Array(vec![]), &false.into()));

    // What was made without a login is saved where the store has it, and counted.
    let module = damage.home.module();
    let session = module.open_session(0, true).unwrap();
    let class = cryptoki_sys::CKO_DATA.to_ne_bytes();
    let given = [
        (cryptoki_sys::CKA_CLASS, &class[..]),
        (cryptoki_sys::CKA_TOKEN, &[1]),
        (cryptoki_sys::CKA_PRIVATE, &[0]),
        (cryptoki_sys::CKA_LABEL, b"anybody's"),
        (cryptoki_sys::CKA_VALUE, b"anything"),
    ];
    module.sessions().create(session, &given.map(|(number, value)| Given::new(number, value))).unwrap();
    drop(module);
    damage.before.insert(b"anybody's".to_vec(), b"anything".to_vec());
    let (report, contents) = damage.saved("anybody", |_, _| ()).unwrap();
    assert_eq!((contents.len(), &report["unverified"]), (damage.contents.len() + 1, &1.into()));
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    // Where the page does not say that there is a row, it is none: the same bytes could be in anybody's value.
    let (report, contents) = damage
        .saved("unlisted", |file, _| {
            let at = find(file, b"anybody's") / 4096 * 4096;
            file[at + 3..at + 5].fill(0);
        })
        .unwrap();
    assert_eq!((contents, &report["unverified"]), (damage.contents.clone(), &0.into()), "all others are there");

    // An older row, where the page with the newer one is damaged.
    let module = damage.home.module();
    let session = login(&module, PIN).unwrap();
    let label = b"object 3".to_vec();
    let wanted = [Given::new(cryptoki_sys::CKA_LABEL, &label)];
    module.sessions().find_init(session, Search::new(&wanted)).unwrap();
    let [object] = module.sessions().find_next(session, 2).unwrap()[..] else { panic!("not found") };
    module.sessions().change(session, object, &[Given::new(cryptoki_sys::CKA_VALUE, b"newer")]).unwrap();
    drop(module);
    let sql = "SELECT hex(id), record FROM objects ORDER BY revision DESC LIMIT 1";
    let (id, record): (String, Vec<u8>) = database.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let (report, contents) = damage
        .saved("older", |_, log| {
            let at = find(log, &record);
            log[at + 50] ^= 1;
        })
        .unwrap();
    assert_eq!(contents.len(), damage.contents.len() + 1);
    assert_eq!(contents[&label], damage.contents[&label], "as it was before");
    assert!(report["older"].as_array().unwrap().contains(&id.to_lowercase().into()), "{report}");
    assert_eq!(report["complete"], false);
}
