//! The power fails: of what was written and not yet made durable, any part may be on the disk. A preloaded recorder tells what a
//! process wrote and when it made it durable (`tests/hosts/recorder.c`); each moment is replayed, and the token opened.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![acknowledged_keys_survive_power_loss];
pub const PEERS: &[Test] = &tests![recorded];

/// More than fill the log once, so that it is moved into the database on the way.
const KEYS: usize = 190;

fn acknowledged_keys_survive_power_loss() {
    let token = Token::new();
    ok!(token.module.finalize());
    // Nothing lies in the log, and there is none: the recording begins with a new one.
    let database = token.home.database();
    {
        let connection = rusqlite::Connection::open(&database).unwrap();
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }
    for suffix in ["db-wal", "db-shm"] {
        let _ = fs::remove_file(database.with_extension(suffix));
    }
    let base = Disk::read(&token.home.store());

    let recorder = Host::library(&token.home, "recorder.c", &[]);
    let log = token.home.path().join("recording");
    set_variable("RECORD_UNDER", token.home.path().to_str());
    set_variable("RECORD_TO", log.to_str());
    set_variable("LD_PRELOAD", recorder.path().to_str());
    let peer = peer!(recorded, token.home.path().join("acknowledged").display().to_string());
    set_variable("LD_PRELOAD", None);
    assert_eq!(peer.finish(), "done");
    let events = Event::all(&fs::read(&log).unwrap());
    let count = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(count(|event| event.is_acknowledgement()), KEYS);
    let moved = |event: &Event| matches!(&event.act, Act::Write { .. }) && event.of("db");
    assert!(count(moved) > 5, "the log was moved into the database");
    assert!(count(|event| event.act == Act::Sync) > KEYS);

    let place = token.home.path().join("replayed");
    token.home.configure(&Config { store: Some(place.clone()), ..Config::default() });
    let first_moved = events.iter().position(moved).unwrap();
    let last_moved = events.iter().rposition(moved).unwrap();
    let (mut disk, mut acknowledged, mut replayed) = (base, 0, 0);
    for (moment, event) in events.iter().enumerate() {
        let near = (first_moved.saturating_sub(4)..last_moved + 30).contains(&moment);
        let every = if near { rounds(13, 1) } else { rounds(211, 1) };
        if moment % every == 0 || moment < rounds(30, 30) {
            for (what, contents) in disk.after_power_loss(moment) {
                Disk::write(&place, &contents);
                opens_with(&token.module, acknowledged, &format!("event {moment}, {what}"));
                replayed += 1;
            }
        }
        acknowledged += usize::from(event.is_acknowledgement());
        disk.happens(event);
    }
    let all = disk.after_power_loss(0);
    Disk::write(&place, &all[0].1);
    opens_with(&token.module, KEYS, "the end");
    report(format_args!(
        "{replayed} states of the disk replayed, of {} events: no acknowledged key was lost",
        events.len()
    ));
    assert!(replayed > 100);
}

/// Makes keys, and writes into a file that each is acknowledged.
fn recorded() {
    use std::io::Write;
    let mut told = fs::File::create(&arguments()[0]).unwrap();
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    for count in 0..KEYS {
        let label = format!("key {count}");
        ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => label.as_str(), CKA_ID => label.as_str()]));
        told.write_all(b".").unwrap();
    }
    say("done");
}

fn opens_with(module: &Module, acknowledged: usize, what: &str) {
    ok!(module.initialize(), "{what}");
    let session = ok!(module.read_write(Token::find(module, LABEL)), "{what}");
    ok!(session.login(CKU_USER, USER_PIN), "{what}");
    let found = ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY]), "{what}");
    // One more may be on the disk whose maker had not been told yet.
    assert!((acknowledged..=acknowledged + 1).contains(&found.len()), "{what}: {} of {acknowledged}", found.len());
    let some = [0, acknowledged / 2, acknowledged.saturating_sub(1)];
    for number in some.into_iter().filter(|number| *number < acknowledged) {
        let label = format!("key {number}");
        let found = ok!(session.find(&template![CKA_LABEL => label.as_str()]), "{what}");
        assert_eq!(found.len(), 1, "{what}: {label}");
        let sealed = ok!(session.encrypt(&gcm(), found[0], b"text"), "{what}");
        assert_eq!(ok!(session.decrypt(&gcm(), found[0], &sealed)), b"text");
    }
    ok!(session.aes_key(16, template![CKA_TOKEN => true]), "{what}");
    ok!(module.finalize());
}

#[derive(Debug)]
struct Event {
    act: Act,
    path: PathBuf,
}

#[derive(Debug, PartialEq, Clone)]
enum Act {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { length: usize },
    Create,
    Sync,
}

impl Event {
    fn all(mut recording: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(end) = recording.iter().position(|byte| *byte == b'\n') {
            let line = std::str::from_utf8(&recording[..end]).unwrap();
            let [kind, length, at, path] = line.splitn(4, ' ').collect::<Vec<_>>().try_into().unwrap();
            let (length, at): (usize, usize) = (length.parse().unwrap(), at.parse().unwrap());
            let bytes = recording[end + 1..end + 1 + length].to_vec();
            recording = &recording[end + 1 + length..];
            let act = match kind {
                "W" => Act::Write { at, bytes },
                "T" => Act::Truncate { length: at },
                "C" => Act::Create,
                "S" => Act::Sync,
                other => panic!("nobody renames or removes here: {other} {path}"),
            };
            events.push(Event { act, path: path.into() });
        }
        // What is locked and what is mapped is nobody's memory.
        events.retain(|event| !event.of("lock") && !event.of("db-shm"));
        events
    }

    fn of(&self, extension: &str) -> bool {
        self.path.extension().is_some_and(|found| found == extension)
    }

    fn is_acknowledgement(&self) -> bool {
        self.path.ends_with("acknowledged") && matches!(self.act, Act::Write { .. })
    }
}

/// The files of the store as they are on the disk, and what is on its way there.
struct Disk {
    durable: BTreeMap<String, Vec<u8>>,
    /// In the order in which it was written.
    pending: Vec<(String, Act)>,
}

type Contents = BTreeMap<String, Vec<u8>>;

impl Disk {
    fn read(folder: &Path) -> Disk {
        let entries = fs::read_dir(folder).unwrap().flatten();
        let file = |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
        Disk { durable: entries.map(file).collect(), pending: Vec::new() }
    }

    fn write(folder: &Path, contents: &Contents) {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir(folder).unwrap();
        for (name, bytes) in contents {
            fs::write(folder.join(name), bytes).unwrap();
        }
    }

    fn happens(&mut self, event: &Event) {
        if event.is_acknowledgement() || event.path.ends_with("acknowledged") {
            return;
        }
        let name = event.path.file_name().unwrap().to_str().unwrap().to_owned();
        if event.act != Act::Sync {
            self.pending.push((name, event.act.clone()));
            return;
        }
        // A file's sync makes its bytes durable, a folder's sync the names in it.
        let of_folder = event.path.ends_with("tokens");
        let entry_waits = |pending: &[(String, Act)], name: &str| pending.contains(&(name.to_owned(), Act::Create));
        let all = std::mem::take(&mut self.pending);
        let (done, waits): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|(of, act)| match of_folder {
            true => *act == Act::Create,
            false => *of == name && *act != Act::Create && !entry_waits(&all, of),
        });
        self.pending = waits;
        done.iter().for_each(|(name, act)| apply(&mut self.durable, name, act));
    }

    /// What may be found: nothing of what waits, all of it, all but one, one alone, and the last torn.
    fn after_power_loss(&self, seed: usize) -> Vec<(String, Contents)> {
        let with = |acts: &[(String, Act)]| {
            let mut contents = self.durable.clone();
            for (name, act) in acts {
                // What belongs to a file whose name is lost is lost.
                if *act == Act::Create || contents.contains_key(name) {
                    apply(&mut contents, name, act);
                }
            }
            contents
        };
        let mut found = vec![("all".to_owned(), with(&self.pending))];
        if self.pending.is_empty() {
            return found;
        }
        found.push(("nothing".to_owned(), with(&[])));
        let one = seed % self.pending.len();
        let mut others = self.pending.clone();
        let alone = others.remove(one);
        found.push((format!("all but {one}"), with(&others)));
        found.push((format!("{one} alone"), with(&[alone])));
        if let Some((name, Act::Write { at, bytes })) = self.pending.last().cloned() {
            let half = bytes.len() / 2 / 512 * 512;
            let mut rest = self.pending.clone();
            *rest.last_mut().unwrap() = (name.clone(), Act::Write { at, bytes: bytes[..half].to_vec() });
            found.push(("the last torn, its first half".to_owned(), with(&rest)));
            *rest.last_mut().unwrap() = (name, Act::Write { at: at + half, bytes: bytes[half..].to_vec() });
            found.push(("the last torn, its second half".to_owned(), with(&rest)));
        }
        found
    }
}

fn apply(contents: &mut Contents, name: &str, act: &Act) {
    let file = contents.entry(name.to_owned()).or_default();
    match act {
        Act::Write { at, bytes } => {
            if file.len() < at + bytes.len() {
                file.resize(at + bytes.len(), 0);
            }
            file[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        Act::Truncate { length } => file.resize(*length, 0),
        Act::Create | Act::Sync => {}
    }
}
