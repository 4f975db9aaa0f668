//! A folder of tokens that comes to be with all that belongs in it, or not at all.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::failure::{Failure, Result};

/// A folder beside the place of another, on the same file system. What is in it goes with this value.
pub struct Beside {
    directory: TempDir,
    parent: PathBuf,
    elsewhere: &'static str,
}

impl Beside {
    /// Of a place where there is nothing yet, or an empty folder. `elsewhere` says how another one is named.
    pub fn new(place: &Path, elsewhere: &'static str) -> Result<Self> {
        refuse_if_occupied(place, elsewhere)?;
        let failed = |error: io::Error| {
            let failure = Failure::of(format!("no folder can be made beside {}", place.display()), error);
            failure
                .with_next("the folder is made whole beside its place: choose one where that can be done, then move it")
        };
        let parent = place.parent().unwrap_or(place).to_owned();
        DirBuilder::new().recursive(true).mode(0o700).create(&parent).map_err(failed)?;
        let permissions = Permissions::from_mode(0o700);
        let directory =
            tempfile::Builder::new().prefix(".keystead-restore-").permissions(permissions).tempdir_in(&parent);
        Ok(Self { directory: directory.map_err(failed)?, parent, elsewhere })
    }

    /// Where it is made.
    pub fn folder(&self) -> PathBuf {
        self.directory.path().join("tokens")
    }

    /// Gives the finished folder its place, for good. What is there must be an empty folder, if anything: the system sees
    /// to that.
    pub fn place(self, place: &Path) -> Result<()> {
        fs::rename(self.folder(), place).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => occupied(place, self.elsewhere),
            io::ErrorKind::ResourceBusy => {
                let failure =
                    Failure::new(format!("{} cannot be exchanged: something is mounted there", place.display()));
                failure.with_next(format!("{}, as one in it", self.elsewhere))
            }
            _ => Failure::of(place.display(), error),
        })?;
        // The folders above may be new as well.
        for folder in self.parent.ancestors() {
            let synced = File::open(folder).and_then(|folder| folder.sync_all());
            if folder == self.parent {
                synced.map_err(|error| Failure::of(folder.display(), error))?;
            }
        }
        Ok(())
    }
}

/// Refuses a place where there is something.
pub fn refuse_if_occupied(place: &Path, elsewhere: &str) -> Result<()> {
    match fs::read_dir(place).map(|mut entries| entries.next().is_some()) {
        Ok(false) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(true) => Err(occupied(place, elsewhere)),
        Err(error) => Err(Failure::of(place.display(), error)),
    }
}

fn occupied(place: &Path, elsewhere: &str) -> Failure {
    let failure = Failure::new(format!("there is something in {} already", place.display()));
    failure.with_next(format!("{elsewhere}, or move that one away"))
}
