//! The witness: who puts a token back is found out, and who is killed is not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::SqliteFolder;
use super::super::new_file::Rights;
use super::super::witness::{Look, Present, state};
use super::super::witness_file::{Entry, State, Witness};
use super::support::{Place, listing, sql};
use crate::error::{Error, Result};
use crate::store::suite::{done, id, row, token};
use crate::store::{Change, Folder, Store, TokenRow};

mod engine {
    use super::super::support::Place;
    use crate::store::suite;

    suite::every_engine!(*Place::witnessed().folder());
}

/// A token with a witness, and two objects in it.
fn witnessed() -> (Place, Arc<dyn Store>) {
    let place = Place::witnessed();
    let store = token(place.folder());
    insert(&*store, 1).unwrap();
    insert(&*store, 2).unwrap();
    (place, store)
}

fn insert(store: &dyn Store, number: u8) -> Result<()> {
    store.commit(vec![Change::Insert(row(number, 1, b""))]).map(drop)
}

/// Another value for the same folder, as another process has it.
fn again(place: &Place) -> SqliteFolder {
    place.again().witnessed_in(Some(place.witnesses()))
}

fn file(place: &Place) -> PathBuf {
    let mut files = fs::read_dir(place.witnesses()).unwrap();
    files.next().unwrap().unwrap().path()
}

#[track_caller]
fn refuses(store: &dyn Store, why: &str) {
    let objects = store.list(None, 99).unwrap();
    for outcome in [store.vouched().map(drop), insert(store, 99)] {
        let Err(Error::DeviceError(reason)) = outcome else { panic!("{outcome:?}") };
        assert!(reason.contains(why) && reason.contains("keystead token accept"), "{reason}");
    }
    assert_eq!(store.list(None, 99).unwrap(), objects, "nothing was written, and reading goes on");
    store.token().unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_token_put_back_by_one_commit_is_refused_until_it_is_accepted() {
    let (place, store) = witnessed();
    let aside = place.path().with_extension("aside");
    copy(&place.path(), &aside);
    insert(&*store, 3).unwrap();
    store.vouched().unwrap();
    drop(store);
    fs::remove_dir_all(place.path()).unwrap();
    fs::rename(aside, place.path()).unwrap();

    let store = again(&place).open(0).unwrap();
    refuses(&*store, "put back to an older state");
    place.again().open(0).unwrap().vouched().unwrap();
    store.accept().unwrap();
    store.vouched().unwrap();
    insert(&*store, 3).unwrap();
    again(&place).open(0).unwrap().vouched().unwrap();
}

#[test]
fn every_edit_of_the_token_row_is_found_out() {
    for edit in ["version = version + 1", "revision = revision - 1", "bytes = x'00'", "digest = x'00'"] {
        let (place, store) = witnessed();
        let edited = sql(&place.file("db"), &format!("UPDATE token SET {edit} RETURNING 'done'"));
        assert_eq!(edited, "done");
        refuses(&*store, "or edited");
        store.accept().unwrap();
        insert(&*store, 3).unwrap();
    }
}

#[test]
fn what_was_written_past_the_witness_is_found_out() {
    let (place, store) = witnessed();
    insert(&*place.again().open(0).unwrap(), 3).unwrap();
    refuses(&*store, "knew of no witness");
}

#[test]
fn without_its_witness_a_token_is_refused() {
    let (place, store) = witnessed();
    let path = file(&place);
    fs::rename(&path, path.with_extension("aside")).unwrap();
    refuses(&*store, "there is no witness");
    fs::write(&path, b"nonsense").unwrap();
    refuses(&*store, "put back to an older state");
    fs::rename(path.with_extension("aside"), &path).unwrap();
    store.vouched().unwrap();
    insert(&*store, 3).unwrap();
    // Another token's is none.
    let other = Place::witnessed();
    token(other.folder());
    fs::copy(file(&other), &path).unwrap();
    refuses(&*store, "put back to an older state");
}

#[test]
fn a_conflict_is_a_conflict_and_tells_the_witness_nothing() {
    let (place, store) = witnessed();
    let before = fs::read(file(&place)).unwrap();
    assert_eq!(store.commit(vec![Change::Insert(row(1, 1, b""))]), Ok(crate::store::Commit::Conflict));
    assert_eq!(fs::read(file(&place)).unwrap(), before);
    store.vouched().unwrap();
}

#[test]
fn a_witness_comes_and_goes_with_its_token() {
    let (place, store) = witnessed();
    let about = fs::metadata(file(&place)).unwrap();
    assert_eq!((about.len(), about.permissions().mode() & 0o7777), (12_288, 0o600));
    assert_eq!(listing(&place.witnesses()).len(), 1);
    drop(store);
    assert!(place.folder().remove(0, None).unwrap());
    assert!(listing(&place.witnesses()).is_empty());
}

#[test]
fn where_a_witness_cannot_be_made_no_token_is() {
    let place = Place::witnessed();
    fs::remove_dir(place.witnesses()).unwrap();
    let refused = place.folder().create(0, b"token", b"");
    assert!(matches!(&refused, Err(Error::DeviceError(reason)) if reason.contains("witness")), "{refused:?}");
    assert!(place.folder().slots().unwrap().is_empty());
    assert!(!place.witnesses().exists(), "it may be a place where nothing was mounted");
    fs::create_dir(place.witnesses()).unwrap();
    assert!(place.folder().create(0, b"token", b"").unwrap());
    assert_eq!(listing(&place.witnesses()).len(), 1);
}

#[test]
fn nothing_is_accepted_where_there_is_no_witness() {
    let place = Place::new();
    let store = token(place.folder());
    assert!(matches!(store.accept(), Err(Error::FunctionFailed(_))));
    store.vouched().unwrap();
    done(&*store, vec![Change::Insert(row(1, 1, b""))]);
    assert_eq!(store.list(None, 9).unwrap(), [id(1)]);
}

#[test]
fn a_token_that_can_only_be_read_is_looked_at() {
    let (place, store) = witnessed();
    insert(&*place.again().open(0).unwrap(), 3).unwrap();
    store.accept().unwrap();
    let before = listing(&place.witnesses());
    let read_only = || again(&place).read_only().open(0).unwrap();
    read_only().vouched().unwrap();
    assert_eq!(read_only().accept(), Err(Error::TokenWriteProtected));
    insert(&*place.again().open(0).unwrap(), 4).unwrap();
    assert!(matches!(read_only().vouched(), Err(Error::DeviceError(_))));
    assert_eq!(listing(&place.witnesses()), before);
}

/// What a disk may hold of a page after the power went: what was synced, what was written after, or the half of it.
fn remains(synced: &[u8], written: &[u8]) -> Vec<Vec<u8>> {
    let pages = synced.chunks(4096).zip(written.chunks(4096)).map(|(old, new)| match old == new {
        true => vec![old.to_vec()],
        false => vec![old.to_vec(), new.to_vec(), [&new[..40], &old[40..]].concat(), [&old[..40], &new[40..]].concat()],
    });
    pages.fold(vec![Vec::new()], |disks, page| {
        disks.iter().flat_map(|disk| page.iter().map(move |page| [&disk[..], page].concat())).collect()
    })
}

/// A token that commits, is killed before its commit or after it, and settles or not; at every step the power fails.
#[test]
fn a_power_loss_at_any_moment_leaves_a_witness_that_knows_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let (path, lost) = (folder.path().join("witness"), folder.path().join("lost"));
    let (witness, after_loss) = (Witness::at(path.clone()), Witness::at(lost.clone()));
    let knows = |synced: &[u8], states: &[State], unknown: &[State]| {
        let written = fs::read(&path).unwrap();
        for disk in remains(synced, &written) {
            fs::write(&lost, disk).unwrap();
            let content = after_loss.read().unwrap();
            assert!(states.iter().all(|state| content.knows(state)));
        }
        assert!(unknown.iter().all(|state| !witness.read().unwrap().knows(state)));
    };
    for kills in 0..256_u32 {
        let mut states = (1..).map(|number| [number; 32]);
        let mut now = states.next().unwrap();
        witness.begin(now, Rights::like(folder.path()).unwrap()).unwrap();
        let mut synced = fs::read(&path).unwrap();
        for step in 0..4 {
            let then = states.next().unwrap();
            // What the disk has while the entry is written and before it is synced.
            let before = synced.clone();
            let entry = witness.advance(now, then, Path::new("/nowhere")).unwrap();
            knows(&before, &[now], &[]);
            if kills >> (2 * step) & 3 == 0 {
                // Killed before it was synced, and so before the commit.
                continue;
            }
            synced = fs::read(&path).unwrap();
            knows(&synced, &[now, then], &[]);
            match kills >> (2 * step) & 3 {
                1 => (),
                2 => now = then,
                _ => {
                    witness.settle(entry).unwrap();
                    knows(&synced, &[then], &[now]);
                    now = then;
                }
            }
        }
    }
}

/// The commit may be in the log and not on the disk yet, where the one who made it was killed before he synced it.
#[test]
fn what_a_killed_writer_may_not_have_synced_is_synced_before_the_witness_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let witness = Witness::at(folder.path().join("witness"));
    witness.begin([1; 32], Rights::like(folder.path()).unwrap()).unwrap();
    let (none, fails) = (folder.path().join("log"), folder.path().join("witness/log"));
    witness.advance([1; 32], [2; 32], &fails).unwrap();
    witness.advance([1; 32], [3; 32], &fails).unwrap();
    let before = fs::read(folder.path().join("witness")).unwrap();
    assert!(witness.advance([3; 32], [4; 32], &fails).is_err());
    assert_eq!(fs::read(folder.path().join("witness")).unwrap(), before);
    let entry = witness.advance([3; 32], [4; 32], &none).unwrap();
    witness.settle(entry).unwrap();
    witness.advance([4; 32], [5; 32], &fails).unwrap();
}

#[test]
fn who_settles_late_claims_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let witness = Witness::at(folder.path().join("witness"));
    witness.begin([1; 32], Rights::like(folder.path()).unwrap()).unwrap();
    let late = witness.advance([1; 32], [2; 32], Path::new("/nowhere")).unwrap();
    witness.advance([2; 32], [3; 32], Path::new("/nowhere")).unwrap();
    witness.settle(late).unwrap();
    let content = witness.read().unwrap();
    assert_eq!([1, 2, 3].map(|state| content.knows(&[state; 32])), [false, true, true]);
    assert!(witness.advance([1; 32], [4; 32], Path::new("/nowhere")).is_err());
}

/// Between the two times that the witness is read, nobody, somebody, or too many may commit.
#[test]
fn a_look_at_a_token_that_others_write_to_is_no_rash_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let witness = Witness::at(folder.path().join("witness"));
    let at = |state: u8| {
        witness.begin([state; 32], Rights::like(folder.path()).unwrap()).unwrap();
        witness.read()
    };
    let verdict = |[before, present, after]: [u8; 3]| {
        let row = TokenRow { version: 1, bytes: b"token".into(), digest: b"".into() };
        let present = Present { file: [0; 16], state: [present; 32], row };
        let look = Look { present, before: at(before), after: at(after), refusal: witness.refusal() };
        look.verdict().map(|verdict| verdict.is_ok())
    };
    for (states, expected) in [
        ([1, 1, 1], Some(true)),
        ([1, 1, 3], Some(true)),
        ([1, 3, 3], Some(true)),
        ([1, 2, 3], None),
        ([1, 2, 1], Some(false)),
    ] {
        assert_eq!(verdict(states), expected, "{states:?}");
    }
}

#[test]
fn threads_that_commit_at_once_and_look_meanwhile_agree() {
    let place = Place::witnessed();
    let store = token(place.folder());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..25 {
                    insert(&**store, 25 * thread + number).unwrap();
                    store.vouched().unwrap();
                }
            });
        }
        let other = again(&place).open(0).unwrap();
        (0..100).for_each(|_| drop(other.vouched().unwrap()));
    });
    assert_eq!(store.revision().unwrap(), 100);
}

/// The example of `docs/formats.md`.
#[test]
fn an_entry_is_as_the_page_says() {
    const ENTRY: &str = "6b737769746e657301000000000000002c0100000000000071666844a4115271a86e07784f0146c9f38a4f5ef23e50c3430f697f65ec\
                         6aa4843355f32fb63f65a7b479506f291c2fd9b4c1e7dc3f3c89f30fa159874f36cf678190c7038b81554463280c169cc39f09c4\
                         086c277c3455979897fcb705ed09";
    let file = std::array::from_fn(|place| 0xd0 + place as u8);
    let row = TokenRow { version: 3, bytes: b"row".into(), digest: b"digest".into() };
    let [before, after] = [7, 8].map(|revision| state(&file, revision, &row));
    let entry = Entry { number: 300, before, after }.encode();
    let digits: String = entry.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digits, ENTRY);
}
