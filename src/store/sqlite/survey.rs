//! What lies in a folder of tokens, for who looks after it. No token's file is opened, nor its log or index: closing a
//! descriptor of one would drop what locks other programs of this process have on it.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::folder::{NEW_TOKEN, slot_number};
use super::folder_lock::FOLDER_LOCK;
use super::{file_system, queue, system};
use crate::system::{FileAccess, open_file};

/// What lies in a folder.
pub struct Survey {
    folder: PathBuf,
    /// The folder itself.
    pub about: Metadata,
    /// What is in it, by name.
    pub entries: Vec<Entry>,
}

/// One file of the folder.
pub struct Entry {
    /// Its path.
    pub path: PathBuf,
    /// What it is there for.
    pub what: What,
    /// Its mode, owner and length. A symbolic link's own.
    pub about: Metadata,
}

/// What a file is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The token of this slot.
    Token(u32),
    /// The log of a token's changes, its index, or the file in which processes queue to commit.
    Beside(u32),
    /// The lock under which tokens are made.
    FolderLock,
    /// What a process that was killed has left of a token in the making or in removal.
    Remains,
    /// Nothing that the store knows.
    Foreign,
}

impl Survey {
    /// Looks at the folder.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let about = fs::metadata(folder)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            match fs::symlink_metadata(&path) {
                Ok(about) => files.push((path, about)),
                // Gone since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        files.sort_by(|(one, _), (other, _)| one.cmp(other));
        let tokens: BTreeSet<u32> = files.iter().filter_map(|(path, _)| slot_number(name(path), &[".db"])).collect();
        let entry = |(path, about): (PathBuf, Metadata)| Entry { what: What::of(name(&path), &tokens), path, about };
        Ok(Self { folder: folder.into(), about, entries: files.into_iter().map(entry).collect() })
    }

    /// The slots of tokens, each with the process that has the turn to commit, if one has and the file tells which.
    pub fn turns(&self) -> impl Iterator<Item = (u32, Option<u32>)> {
        let slots = self.entries.iter().filter_map(|entry| match entry.what {
            What::Token(slot) => Some((slot, entry.path.with_extension("lock"))),
            _ => None,
        });
        slots.filter_map(|(slot, lock)| queue::whose_turn(&lock).map(|process| (slot, process)))
    }

    /// Whether somebody makes or removes a token at this moment.
    pub fn is_locked(&self) -> bool {
        let file = open_file(&self.folder.join(FOLDER_LOCK), FileAccess::Read);
        file.is_ok_and(|file| system::first_lock(&file, 0, 1).is_some())
    }

    /// The number of the file system that the folder lies on, `statfs(2)`.
    pub fn file_system(&self) -> Option<u64> {
        file_system::of_system(&self.folder)
    }
}

/// The slot whose token a file of this name holds in a folder of tokens.
pub fn slot_of(path: &Path) -> Option<u32> {
    slot_number(name(path), &[".db"])
}

impl What {
    fn of(name: &str, tokens: &BTreeSet<u32>) -> Self {
        if name == FOLDER_LOCK {
            return Self::FolderLock;
        }
        if let Some(slot) = slot_number(name, &[".db"]) {
            return Self::Token(slot);
        }
        match slot_number(name, &[".db-wal", ".db-shm", ".lock"]) {
            Some(slot) if tokens.contains(&slot) => Self::Beside(slot),
            Some(_) => Self::Remains,
            None if slot_number(name, &[".gone", ".db-journal"]).is_some() => Self::Remains,
            None if name.strip_prefix(NEW_TOKEN).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) => {
                Self::Remains
            }
            None => Self::Foreign,
        }
    }
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
