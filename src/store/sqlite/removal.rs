//! How a token is removed: it is whole, or gone, whatever is killed when.
//!
//! The rename is the moment. Before it nothing of the token has been touched, and after it there is no token; what its
//! files are called then says that they are remains, which whoever has the folder's lock next removes.

use std::fs;
use std::io;
use std::path::Path;

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

/// Finishes what a killed process has begun. To be called under the folder's lock.
pub(super) fn finish(folder: &Path) -> Result<()> {
    let failed = |error: io::Error| failure::of_system(&error, "list", folder);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_str().is_some_and(|name| slot_number(name, &[".gone"]).is_some()) {
            remove_remains(folder, &entry.path())?;
        }
    }
    Ok(())
}

/// The renamed file goes last, for it is what says that the others are remains.
fn remove_remains(folder: &Path, gone: &Path) -> Result<()> {
    let file = gone.with_extension("db");
    let beside = ["-wal", "-shm", "-journal"].map(|suffix| beside(&file, suffix));
    for path in beside.into_iter().chain(upgrade::copies(&file)).chain([gone.with_extension("lock")]) {
        remove_file(&path)?;
    }
    sync(folder)?;
    remove_file(gone)?;
    sync(folder)
}

/// Removes a file that may be missing.
pub(super) fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failure::of_system(&error, "remove", path)),
        _ => Ok(()),
    }
}
