//! The folder's files: made whole, listed whatever their state, refused with a reason.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::super::SqliteFolder;
use super::support::{Place, assert_intact, listing, with_connection};
use crate::error::Error;
use crate::store::suite::{done, id, row, token};
use crate::store::{Change, Folder};

#[test]
fn questions_create_nothing() {
    let place = Place::new();
    place.folder().usable().unwrap();
    place.folder().slots().unwrap();
    place.folder().next_slot().unwrap();
    assert!(place.folder().open(0).is_err());
    assert!(!place.path().parent().unwrap().exists());
}

#[test]
fn a_new_token_is_one_file_and_its_lock() {
    let place = Place::new();
    place.folder().create(0, b"token", b"").unwrap();
    let files = listing(&place.path());
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["folder.lock", "slot-00000000.db", "slot-00000000.lock"]);
    assert_intact(&place.file("db"));
}

/// Who can write the file can do anything with it; but a row that comes back beside its own tombstone does not live.
#[test]
fn a_row_that_is_put_back_beside_its_tombstone_is_not_there() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b"alive"))]);
    done(&*store, vec![Change::Delete { id: id(1), expected: 1, tombstone: b"grave".into() }]);
    drop(store);
    let put_back =
        "INSERT INTO objects (id, version, revision, record) VALUES (x'01010101010101010101010101010101', 1, 1, x'00')";
    with_connection(&place.file("db"), |open| open.connection.execute(put_back, []).unwrap());
    let store = place.again().open(0).unwrap();
    assert_eq!(store.list(None, 9).unwrap(), [id(1)], "the row is there");
    assert_eq!((store.read(id(1)).unwrap(), store.version(id(1)).unwrap()), (None, None));
    assert_eq!(store.tombstone(id(1)).unwrap(), Some(row(1, 2, b"grave")));
}

#[test]
fn a_number_outlives_its_token_and_the_lock_file() {
    let place = Place::new();
    let traces = |suffixes: &[&str]| suffixes.iter().for_each(|suffix| fs::remove_file(place.file(suffix)).unwrap());
    let folder_lock = place.path().join("folder.lock");
    assert!(place.folder().create(0, b"", b"").unwrap());

    // The number is set aside.
    traces(&["db"]);
    fs::rename(place.file("lock"), place.path().join("elsewhere")).unwrap();
    assert_eq!(place.folder().next_slot().unwrap(), 1);
    assert!(!place.folder().create(0, b"", b"").unwrap());
    assert!(place.folder().slots().unwrap().is_empty());

    // The number is lost, but there are traces of the token.
    fs::rename(place.path().join("elsewhere"), place.file("lock")).unwrap();
    for damage in [&b""[..], b"keystead\x09\0\0\0\0\0\0\0", b"KEYSTEAD\x09\0\0\0\xf6\xff\xff\xff"] {
        fs::write(&folder_lock, damage).unwrap();
        assert_eq!(place.folder().next_slot().unwrap(), 1, "{damage:?}");
    }
    fs::write(&folder_lock, b"keystead\x09\0\0\0\xf6\xff\xff\xff").unwrap();
    assert_eq!(place.folder().next_slot().unwrap(), 9);
    fs::remove_file(&folder_lock).unwrap();
    assert_eq!(place.folder().next_slot().unwrap(), 1);
    assert!(!place.folder().create(0, b"", b"").unwrap());
    assert!(place.folder().create(1, b"", b"").unwrap());
}

#[test]
fn remains_of_a_killed_maker_are_removed() {
    let place = Place::new();
    place.folder().create(0, b"", b"").unwrap();
    for suffix in ["", "-wal", "-shm", "-journal"] {
        fs::write(place.path().join(format!("new-token.tmp{suffix}")), b"half of a token").unwrap();
    }
    assert!(place.folder().create(1, b"whole", b"").unwrap());
    assert!(listing(&place.path()).keys().all(|name| !name.starts_with("new-token")));
    assert_eq!(place.folder().open(1).unwrap().token().unwrap().bytes, b"whole");
}

#[test]
fn a_failed_creation_leaves_nothing_and_may_be_repeated() {
    let place = Place::new();
    place.folder().create(0, b"", b"").unwrap();
    let before = listing(&place.path());
    // A folder where the new file is to be made.
    let obstacle = place.path().join("new-token.tmp");
    fs::create_dir(&obstacle).unwrap();
    assert!(matches!(place.folder().create(1, b"", b""), Err(Error::DeviceError(_))));
    fs::remove_dir(&obstacle).unwrap();
    assert_eq!(listing(&place.path()), before);
    assert_eq!(place.folder().next_slot().unwrap(), 1);
    assert!(place.folder().create(1, b"", b"").unwrap());
}

#[test]
fn only_token_files_are_listed() {
    let place = Place::new();
    place.folder().create(0x2a, b"", b"").unwrap();
    for name in ["slot-00000001.db-wal", "slot-1.db", "slot-0000000G.db", "slot-0000000A.db", "slot-00000002.dbx", "x"]
    {
        fs::write(place.path().join(name), b"").unwrap();
    }
    assert_eq!(place.folder().slots().unwrap(), [0x2a]);
}

#[test]
fn a_damaged_file_is_listed_and_refused_by_name() {
    let noise: Vec<u8> = (0..8192_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (what, contents) in [("empty", &[][..]), ("noise", &noise), ("short", &noise[..100])] {
        let place = Place::new();
        place.folder().create(0, b"", b"").unwrap();
        fs::write(place.file("db"), contents).unwrap();
        refused(place.folder(), what, "slot-00000000.db");
    }
    let place = Place::new();
    done(&*token(place.folder()), vec![Change::Insert(row(1, 1, &[1; 9000]))]);
    checkpoint(&place);
    // The first page's tree is overwritten behind the header.
    File::options().write(true).open(place.file("db")).unwrap().write_all_at(&noise[..3000], 100).unwrap();
    refused(place.folder(), "first page", "damaged");
}

#[test]
fn another_format_is_refused_with_what_to_do() {
    for (format, because) in [
        (
            0,
            "has format 0, which was never frozen: move its keys with the version that made it, and make the token anew",
        ),
        (2, "has format 2, which is a newer version's; this library knows format 1"),
        (-1, "has format -1"),
    ] {
        let place = Place::new();
        token(place.folder());
        with_connection(&place.file("db"), |open| open.connection.pragma_update(None, "user_version", format).unwrap());
        refused(place.folder(), "format", because);
    }
}

#[test]
fn somebody_elses_database_is_refused() {
    let place = Place::new();
    token(place.folder());
    with_connection(&place.file("db"), |open| open.connection.pragma_update(None, "application_id", 1).unwrap());
    refused(place.folder(), "foreign", "is no Keystead token");
}

#[test]
fn no_other_journal_mode_is_accepted() {
    for mode in ["delete", "truncate", "persist"] {
        let place = Place::new();
        place.folder().create(0, b"", b"").unwrap();
        with_connection(&place.file("db"), |open| {
            let set =
                open.connection.pragma_update_and_check(None, "journal_mode", mode, |row| row.get::<_, String>(0));
            assert_eq!(set.unwrap(), mode);
        });
        refused(place.folder(), mode, "journal mode delete");
        refused(&place.again().read_only(), mode, "journal mode delete");
    }
}

#[test]
fn a_restored_file_is_noticed_before_a_commit_is_lost() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b"old"))]);
    checkpoint(&place);
    let copy = place.file("db").with_extension("copy");
    fs::copy(place.file("db"), &copy).unwrap();
    done(&*store, vec![Change::Insert(row(2, 1, b"not in the copy"))]);
    put_in_place(&copy, &place);
    done(&*store, vec![Change::Insert(row(3, 1, b"after"))]);
    assert_eq!(store.list(None, 10).unwrap(), [1, 3].map(id));
    drop(store);
    assert_eq!(place.again().open(0).unwrap().list(None, 10).unwrap(), [1, 3].map(id));
    assert_intact(&place.file("db"));
}

#[test]
fn another_tokens_file_in_the_same_place_is_another_store() {
    let place = Place::new();
    let store = token(place.folder());
    done(&*store, vec![Change::Insert(row(1, 1, b"old"))]);
    let other = Place::new();
    done(&*token(other.folder()), vec![Change::Insert(row(1, 1, b"new"))]);
    checkpoint(&other);
    put_in_place(&other.file("db"), &place);
    assert_eq!(store.commit(vec![Change::Insert(row(2, 1, b"lost"))]), Err(Error::TokenReplaced));
    assert_eq!(store.read(id(1)), Err(Error::TokenReplaced));
    assert_eq!(place.again().open(0).unwrap().list(None, 10).unwrap(), [id(1)]);
}

/// What a restore does: the file is exchanged by rename, and what belonged to the old one goes.
fn put_in_place(file: &Path, place: &Place) {
    for suffix in ["db-wal", "db-shm"] {
        fs::remove_file(place.file(suffix)).unwrap();
    }
    fs::rename(file, place.file("db")).unwrap();
}

#[test]
fn an_unusable_folder_is_said_with_path_and_user() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, b"").unwrap();
    for path in [file.clone(), file.join("below"), "relative/tokens".into()] {
        let error = SqliteFolder::new(path).usable().unwrap_err();
        let Error::DeviceError(reason) = &error else { panic!("{error:?}") };
        assert!(reason.contains("uid ") && (reason.contains("file") || reason.contains("relative")), "{reason}");
    }
    assert!(matches!(SqliteFolder::new(file.join("below")).create(0, b"", b""), Err(Error::DeviceError(_))));
}

fn refused(folder: &SqliteFolder, what: &str, because: &str) {
    assert_eq!(folder.slots().unwrap(), [0], "{what}");
    match folder.open(0).map(|_| ()) {
        Err(Error::TokenNotRecognized(reason)) => assert!(reason.contains(because), "{what}: {reason}"),
        other => panic!("{what}: {other:?}"),
    }
}

/// Moves the WAL into the file and empties it.
pub fn checkpoint(place: &Place) {
    with_connection(&place.file("db"), |open| {
        let busy = open.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        assert_eq!(busy.unwrap(), 0);
    });
}
