//! How a token is removed: it is whole, or gone, whatever is killed when.
//!
//! The rename is the moment. Before it nothing of the token has been touched, and after it there is no token; what its
//! files are called then says that they are remains, which whoever has the folder's lock next removes.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::connection::beside;
use super::failure;
use super::folder::{slot_number, sync};
use super::upgrade;
use crate::error::Result;

/// What the file of a token is called once the token is gone.
pub(super) const GONE: &str = "gone";

/// Removes the token of this file for good. To be called under the folder's lock.
pub(super) fn remove(file: &Path) -> Result<()> {
    let gone = file.with_extension(GONE);
    fs::rename(file, &gone).map_err(|error| failure::of_system(&error, "remove", file))?;
    if let Some(folder) = file.parent() {
        // The end of the token is durable before anything of it is lost.
        sync(folder)?;
        remove_remains(folder, &gone)?;
    }
    Ok(())
}

/// Finishes what a killed process has begun, and removes what belongs to no token. Of a number below `used` there is a token, or there
/// will never be one. To be called under the folder's lock, so that none is being made.
pub(super) fn finish(folder: &Path, used: u32) -> Result<()> {
    let names = names(folder)?;
    let numbers = |suffixes: &[&str]| -> BTreeSet<u32> {
        names.iter().filter_map(|name| slot_number(name.to_str()?, suffixes)).collect()
    };
    let (tokens, gone) = (numbers(&[".db"]), numbers(&[".gone"]));
    for number in &gone {
        remove_remains(folder, &folder.join(format!("slot-{number:08x}.{GONE}")))?;
    }
    for number in numbers(&[".db-wal", ".db-shm", ".db-journal", ".lock"]) {
        if number < used && !tokens.contains(&number) && !gone.contains(&number) {
            let file = folder.join(format!("slot-{number:08x}.db"));
            neighbours(&file).iter().try_for_each(|path| remove_file(path))?;
        }
    }
    Ok(())
}

/// The renamed file goes last, for it is what says that the others are remains.
fn remove_remains(folder: &Path, gone: &Path) -> Result<()> {
    let file = gone.with_extension("db");
    neighbours(&file).iter().try_for_each(|path| remove_file(path))?;
    // Copies of a later library's too.
    let copy = file.file_name().map(|name| [name.as_bytes(), upgrade::COPY.as_bytes()].concat()).unwrap_or_default();
    for name in names(folder)?.iter().filter(|name| name.as_bytes().starts_with(&copy)) {
        remove_file(&folder.join(name))?;
    }
    sync(folder)?;
    remove_file(gone)?;
    sync(folder)
}

/// What lies beside a token's file while there is one.
fn neighbours(file: &Path) -> [PathBuf; 4] {
    [beside(file, "-wal"), beside(file, "-shm"), beside(file, "-journal"), file.with_extension("lock")]
}

fn names(folder: &Path) -> Result<Vec<OsString>> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
    entries.map_err(|error| failure::of_system(&error, "list", folder))
}

/// Removes a file that may be missing.
pub(super) fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failure::of_system(&error, "remove", path)),
        _ => Ok(()),
    }
}
