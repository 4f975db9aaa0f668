//! The lock under which tokens are made, and the number that is kept in its file.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use super::failure::{self, Attempt, Failure};
use super::new_file::{self, Rights};
use super::system;
use crate::error::Result;
use crate::system::{FileAccess, open_file};

/// The exclusive right to make a token in the folder, given up when dropped.
pub(super) struct FolderLock {
    pub(super) file: File,
}

impl FolderLock {
    /// Opens the lock's file, making it if it is missing, and takes the lock. Nothing: somebody else has it.
    pub(super) fn try_take(folder: &Path, rights: Rights) -> Attempt<Option<Self>> {
        let path = folder.join(FOLDER_LOCK);
        let failed = |error: io::Error| failure::of_system(&error, "lock", &path);
        match new_file::create(&path, rights) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error).into()),
            _ => {}
        }
        let file = open_file(&path, FileAccess::Write).map_err(failed)?;
        if !system::try_lock(&file).map_err(failed)? {
            return Ok(None);
        }
        let lock = Self { file };
        let ours = lock.file.metadata().map_err(failed)?;
        // Somebody cleaned the folder between our opening and our locking: this is a lock on nothing.
        match fs::metadata(&path) {
            Ok(named) if (named.dev(), named.ino()) == (ours.dev(), ours.ino()) => Ok(Some(lock)),
            _ => Err(Failure::Again),
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        system::unlock(&self.file);
    }
}

/// The next slot number, as the first 16 bytes of the lock file say it: a magic, the number and its complement, both
/// little-endian.
pub(super) struct NumberSetAside(pub(super) u32);

impl NumberSetAside {
    const MAGIC: &[u8; 8] = b"keystead";

    /// Nothing where the file says nothing valid.
    pub(super) fn read(file: &File) -> Option<Self> {
        let mut bytes = [0; 16];
        file.read_exact_at(&mut bytes, 0).ok()?;
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (number, rest) = rest.split_first_chunk::<4>()?;
        let number = u32::from_le_bytes(*number);
        (magic == Self::MAGIC && rest == (!number).to_le_bytes()).then_some(Self(number))
    }

    /// The number in the file; 0 where that says nothing valid.
    pub(super) fn of(file: &File) -> u32 {
        Self::read(file).map_or(0, |number| number.0)
    }

    /// Durable when it returns.
    pub(super) fn write(&self, file: &File, folder: &Path) -> Result<()> {
        let mut bytes = [0; 16];
        let parts = Self::MAGIC.iter().copied().chain(self.0.to_le_bytes()).chain((!self.0).to_le_bytes());
        bytes.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
        let written = file.write_all_at(&bytes, 0).and_then(|()| file.sync_all());
        written.map_err(|error| failure::of_system(&error, "write", &folder.join(FOLDER_LOCK)))
    }
}

/// The file under whose lock tokens are made. It holds the next slot number and is never removed.
pub(super) const FOLDER_LOCK: &str = "folder.lock";
