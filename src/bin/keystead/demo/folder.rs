//! Where the throw-away stores lie, and what is in their files.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use keystead::crypto::random;

use super::hex;
use crate::failure::{Failure, Result};

/// A new folder, removed when the demo ends, however it ends.
pub struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    /// Creates it where temporary files belong, for this user alone.
    pub fn create(keep: bool) -> Result<Self> {
        let name = format!("keystead-demo-{}", hex::digits(&random::bytes::<8>()?));
        let path = std::env::temp_dir().join(name);
        // SQLite's files want an absolute place, and TMPDIR may be relative.
        let path = std::path::absolute(&path).unwrap_or(path);
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| {
            let failure = Failure::of(format!("{} cannot be created", path.display()), error);
            failure.with_next("name a place for temporary files in TMPDIR")
        })?;
        Ok(Self { path, keep })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it stays.
    pub fn is_kept(&self) -> bool {
        self.keep
    }

    /// The files below it that hold these bytes, as they are or as hexadecimal digits, and how many files there are.
    pub fn search(&self, bytes: &[u8]) -> Result<(Vec<PathBuf>, usize)> {
        let digits = hex::digits(bytes);
        let holds = |content: &[u8]| [bytes, digits.as_bytes()].into_iter().any(|wanted| contains(content, wanted));
        let mut files = Vec::new();
        collect(&self.path, &mut files)?;
        let mut found = Vec::new();
        for path in &files {
            if holds(&fs::read(path).map_err(|error| Failure::of(path.display(), error))?) {
                found.push(path.clone());
            }
        }
        Ok((found, files.len()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Whether some bytes occur in others.
pub fn contains(content: &[u8], wanted: &[u8]) -> bool {
    content.windows(wanted.len().max(1)).any(|window| window == wanted)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |error| Failure::of(folder.display(), error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_in_a_file_is_found_in_both_writings() {
        let folder = Folder::create(false).unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::write(folder.path().join("raw"), b"..\x01\x02\x03..").unwrap();
        fs::write(inner.join("digits"), b"x010203").unwrap();
        fs::write(inner.join("neither"), b"\x01\x02").unwrap();
        let (found, all) = folder.search(&[1, 2, 3]).unwrap();
        assert_eq!((found.len(), all), (2, 3));
        assert!(folder.search(b"absent").unwrap().0.is_empty());
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }
}
