//! Files that a subcommand writes whole or not at all, or reads; `-` is a pipe.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Stdout, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};

/// Where something goes. Its file has its name only when it is whole and on the disk.
pub enum Output {
    /// Standard output.
    Stdout(Stdout),
    /// A file without its name.
    File(NewFile),
}

/// A file that gets its name at the end, 0600; until then it lies beside that under another.
pub struct NewFile {
    file: NamedTempFile,
    path: PathBuf,
    folder: PathBuf,
    /// Whether it replaces what has the name.
    replaces: bool,
}

impl Output {
    /// Begins a file; `-` is standard output.
    pub fn new(path: &Path, replaces: bool) -> Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout(io::stdout()));
        }
        match fs::symlink_metadata(path) {
            Ok(file) if !file.is_file() => {
                return Err(Failure::new(format!("{} is something else than a file", path.display())));
            }
            Ok(_) if !replaces => return Err(exists(path)),
            _ => {}
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => ".".into(),
        };
        let file = tempfile::Builder::new().prefix(".keystead-new-").tempfile_in(&folder);
        let file = file.map_err(|error| Failure::of(path.display(), error))?;
        Ok(Self::File(NewFile { file, path: path.to_owned(), folder, replaces }))
    }

    /// Gives the finished file its name, for good.
    pub fn place(self) -> Result<()> {
        match self {
            Self::Stdout(mut output) => Ok(output.flush()?),
            Self::File(file) => file.place(),
        }
    }
}

impl NewFile {
    fn place(self) -> Result<()> {
        let failed = |error: io::Error| Failure::of(format!("{} cannot be written", self.path.display()), error);
        self.file.as_file().sync_all().map_err(failed)?;
        let named = match self.replaces {
            true => self.file.persist(&self.path),
            false => self.file.persist_noclobber(&self.path),
        };
        named.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.path),
            _ => failed(error.error),
        })?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(output) => output.write(bytes),
            Self::File(file) => file.file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(output) => output.flush(),
            Self::File(file) => file.file.flush(),
        }
    }
}

/// Opens a file; `-` is standard input.
pub fn input(path: &Path) -> Result<BufReader<Box<dyn Read>>> {
    if path.as_os_str() == "-" {
        return Ok(BufReader::new(Box::new(io::stdin())));
    }
    match File::open(path) {
        Ok(file) => Ok(BufReader::new(Box::new(file))),
        Err(error) => Err(Failure::of(path.display(), error)),
    }
}

/// What is in a file that may hold a key; `-` is standard input. Bounded, since no key is longer.
pub fn short(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    const LONGEST: u64 = 1 << 20;
    // Never grows, so that no copy is left behind.
    let mut content = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 2));
    let read = input(path)?.take(LONGEST.saturating_add(1)).read_to_end(&mut content);
    read.map_err(|error| Failure::of(path.display(), error))?;
    if content.len() as u64 > LONGEST {
        return Err(Failure::new(format!("{} is too long for a key", path.display())));
    }
    Ok(content)
}

fn exists(path: &Path) -> Failure {
    Failure::new(format!("{} is there already", path.display())).with_next("--force replaces it")
}
