//! The folder: which slots there are, how a token comes to be, what stands against opening one.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::connection::{self, Purpose, beside};
use super::failure::{self, Attempt, Failure};
use super::file_system;
use super::folder_lock::{FOLDER_LOCK, FolderLock, NumberSetAside};
use super::gate::{self, Visit};
use super::new_file::{self, Access, Rights};
use super::patience::{PATIENCE, Patience};
use super::removal::{self, remove_file};
use super::schema;
use super::system::{self, FileSizeSignal};
use super::token::{SqliteToken, patiently};
use super::upgrade;
use super::whole::Items;
use super::witness::Witnesses;
use crate::error::{Error, Result};
use crate::store::{Check, Folder, Item, Store, TokenRow};
use crate::system::{FileAccess, open_file};

/// A folder of tokens, one SQLite file each.
pub struct SqliteFolder {
    path: PathBuf,
    read_only: bool,
    access: Access,
    patience: Duration,
    file_system: file_system::Asked,
    witness: Option<Witnesses>,
    steps: &'static [upgrade::Step],
}

impl SqliteFolder {
    /// The folder at `path`, which must be absolute: the host may change its working directory. Touches nothing.
    pub fn new(path: PathBuf) -> Self {
        // As early as can be: where there is no room for it now, the first visit says so.
        let _ = gate::register();
        let (patience, file_system, steps) = (PATIENCE, file_system::of_system, upgrade::STEPS);
        Self { path, read_only: false, access: Access::Owner, patience, file_system, witness: None, steps }
    }

    /// The same folder, taken to be on read-only media whatever the rights say.
    pub fn read_only(self) -> Self {
        Self { read_only: true, ..self }
    }

    /// The same folder; if `shared`, what is made in it, and the folder itself, is for its group too.
    pub fn shared_with_group(self, shared: bool) -> Self {
        Self { access: if shared { Access::Group } else { Access::Owner }, ..self }
    }

    /// The same folder, with another bound on how long a call waits for a lock; [`PATIENCE`] if nothing is said.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same folder, its tokens with witnesses in `folder`, if one is named: an absolute path outside of this folder. See
    /// [`Store::vouched`].
    pub fn witnessed_in(self, folder: Option<PathBuf>) -> Self {
        Self { witness: folder.map(Witnesses::new), ..self }
    }

    /// The same folder, on the file system that a test says.
    #[cfg(test)]
    pub(super) fn on(self, file_system: file_system::Asked) -> Self {
        Self { file_system, ..self }
    }

    /// The same folder, of a library that knows these steps from older formats.
    #[cfg(test)]
    pub(super) fn with_steps(self, steps: &'static [upgrade::Step]) -> Self {
        Self { steps, ..self }
    }

    fn token_path(&self, slot: u32) -> PathBuf {
        self.path.join(format!("slot-{slot:08x}.db"))
    }

    /// The file in which processes queue to commit. It is there from the beginning, so that nobody has to make it where only
    /// the token's own files can be written.
    fn token_lock_path(&self, slot: u32) -> PathBuf {
        self.path.join(format!("slot-{slot:08x}.lock"))
    }

    /// The numbers in the names of files that belong, or belonged, to a token.
    fn numbers(&self, suffixes: &[&str]) -> Result<Vec<u32>> {
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| failure::of_system(&error, "list", &self.path))?,
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| failure::of_system(&error, "list", &self.path))?.file_name();
            numbers.extend(name.to_str().and_then(|name| slot_number(name, suffixes)));
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    /// The next number: the one set aside in the lock file, or past every trace of a token where that was lost.
    fn next(&self, lock: Option<&File>) -> Result<u32> {
        let set_aside = lock.map_or(0, NumberSetAside::of);
        match self.numbers(&[".db", ".lock", ".db-wal", ".db-shm", ".gone"])?.last() {
            Some(last) => Ok(set_aside.max(last.checked_add(1).ok_or_else(used_up)?)),
            None => Ok(set_aside),
        }
    }

    /// Does `work` with the folder's lock, once nobody else has it; makes the folder if it is missing.
    fn locked<T>(&self, mut work: impl FnMut(&Visit, &FolderLock) -> Attempt<T>) -> Result<T> {
        if self.read_only {
            return Err(Error::TokenWriteProtected);
        }
        file_system::check(&self.path, self.file_system)?;
        let lock = self.path.join(FOLDER_LOCK);
        patiently(Patience::new(&lock, self.patience), || {
            // Inside the gate from before the lock is taken, so that no forked child keeps a copy of its descriptor.
            let visit = Visit::enter()?;
            let _signal = FileSizeSignal::block();
            create_missing(&self.path, self.access.of_folder(), self.access)?;
            let Some(lock) = FolderLock::try_take(&self.path, self.rights()?)? else { return Err(Failure::Again) };
            removal::finish(&self.path, NumberSetAside::of(&lock.file))?;
            work(&visit, &lock)
        })
    }

    fn create_locked(&self, slot: u32, items: &mut Items<'_>, visit: &Visit, lock: &FolderLock) -> Attempt<bool> {
        let next = self.next(Some(&lock.file))?;
        if slot < next {
            return Ok(false);
        }
        let after = NumberSetAside(slot.checked_add(1).ok_or_else(used_up)?);

        let made = self.path.join(NEW_TOKEN);
        remove_remains(&made)?;
        new_file::create(&made, self.rights()?).map_err(|error| failure::of_system(&error, "create", &made))?;
        let built = connection::create(visit, &made, items).and_then(|present| sync(&made).map(|()| present));
        let placed = built.and_then(|present| {
            let witness = self.witness.as_ref().map(|witness| witness.of(&present.file));
            // Whoever sees the token finds its witness.
            if let Some(witness) = &witness {
                witness.begin(present.state, self.rights()?)?;
            }
            self.place(&made, slot, lock, after).inspect_err(|_| {
                if let Some(witness) = witness.filter(|_| !self.token_path(slot).exists()) {
                    witness.remove();
                }
            })
        });
        // What has its name already may have been seen and is not taken away again.
        if placed.is_err() && !self.token_path(slot).exists() {
            // Nobody has seen the number: it is free again.
            let _ = remove_remains(&made);
            let _ = fs::remove_file(self.token_lock_path(slot));
            let _ = NumberSetAside(next).write(&lock.file, &self.path);
        }
        placed.map(|()| true).map_err(Failure::Final)
    }

    /// Gives the finished file its name, after the number was set aside for good.
    fn place(&self, made: &Path, slot: u32, lock: &FolderLock, after: NumberSetAside) -> Result<()> {
        after.write(&lock.file, &self.path)?;
        let token_lock = self.token_lock_path(slot);
        let created = new_file::create(&token_lock, self.rights()?);
        created.map_err(|error| failure::of_system(&error, "create", &token_lock))?;
        let path = self.token_path(slot);
        // The lock file's and the folder's own entries are durable before the token can be seen.
        sync(&self.path)?;
        if let Some(parent) = self.path.parent() {
            sync_parent(parent)?;
        }
        fs::rename(made, &path).map_err(|error| failure::of_system(&error, "create", &path))?;
        sync(&self.path)
    }

    fn try_remove(&self, slot: u32, check: Option<&Check>) -> Attempt<bool> {
        let visit = Visit::enter()?;
        let _signal = FileSizeSignal::block();
        let Some(lock) = FolderLock::try_take(&self.path, self.rights()?)? else { return Err(Failure::Again) };
        removal::finish(&self.path, NumberSetAside::of(&lock.file))?;
        let path = self.token_path(slot);
        if !path.exists() {
            return Ok(false);
        }
        // Soon no file speaks of the number any more.
        self.next(Some(&lock.file)).and_then(|next| NumberSetAside(next).write(&lock.file, &self.path))?;
        let witness = self.witness.as_ref().and_then(|witness| {
            // A token that does not open keeps one that is the witness of nothing.
            let open = connection::open(&visit, &path, Purpose::Read).ok()?;
            Some(witness.of(&schema::file_number(&open.connection).ok()?))
        });
        match check {
            Some(check) => {
                connection::unchanging(&visit, &path, |row| check(row).and_then(|()| removal::remove(&path)))?
            }
            None => removal::remove(&path)?,
        }
        if let Some(witness) = witness {
            witness.remove();
        }
        Ok(true)
    }

    /// Of a new file in this folder, which is there.
    fn rights(&self) -> Result<Rights> {
        Rights::within(&self.path, self.access).map_err(|error| failure::of_system(&error, "look at", &self.path))
    }

    /// Whether the token at `path` can be written, by the rights and the mode bits: no bit for writing on the file or
    /// its folder means read-only to everybody, root too.
    fn writable(&self, path: &Path) -> bool {
        let bits = |path: &Path| fs::metadata(path).is_ok_and(|file| file.mode() & 0o222 != 0);
        !self.read_only
            && [path, &self.path].iter().all(|path| bits(path))
            && system::permits(path, libc::W_OK)
            && (system::permits(&self.path, libc::W_OK | libc::X_OK)
                || ["-wal", "-shm"].iter().all(|suffix| system::permits(&beside(path, suffix), libc::W_OK)))
    }
}

impl Folder for SqliteFolder {
    fn slots(&self) -> Result<Vec<u32>> {
        self.numbers(&[".db"])
    }

    fn next_slot(&self) -> Result<u32> {
        let path = self.path.join(FOLDER_LOCK);
        match open_file(&path, FileAccess::Read) {
            Ok(lock) => self.next(Some(&lock)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.next(None),
            Err(error) => Err(failure::of_system(&error, "read", &path)),
        }
    }

    fn create(&self, slot: u32, token: &[u8], digest: &[u8]) -> Result<bool> {
        let row = TokenRow { version: 1, bytes: token.to_vec(), digest: digest.to_vec() };
        let mut item = Some(Item::Token { row, revision: 0 });
        self.restore(slot, &mut || Ok(item.take()))
    }

    fn restore(&self, slot: u32, items: &mut dyn FnMut() -> Result<Option<Item>>) -> Result<bool> {
        self.locked(|visit, lock| self.create_locked(slot, items, visit, lock))
    }

    fn set_aside(&self, next: u32) -> Result<()> {
        self.locked(|_, lock| {
            if self.next(Some(&lock.file))? < next {
                NumberSetAside(next).write(&lock.file, &self.path)?;
                sync(&self.path)?;
            }
            Ok(())
        })
    }

    fn remove(&self, slot: u32, check: Option<&Check>) -> Result<bool> {
        if self.read_only {
            return Err(Error::TokenWriteProtected);
        }
        if !self.token_path(slot).exists() {
            return Ok(false);
        }
        file_system::check(&self.path, self.file_system)?;
        let lock = self.path.join(FOLDER_LOCK);
        patiently(Patience::new(&lock, self.patience), || self.try_remove(slot, check))
    }

    fn owns(&self, slot: u32) -> Result<()> {
        let path = self.token_path(slot);
        let about = fs::symlink_metadata(&path).map_err(|error| failure::of_system(&error, "look at", &path))?;
        let (user, owner) = (system::user(), about.uid());
        if user == 0 || user == owner {
            return Ok(());
        }
        let reason = format!("{} belongs to uid {owner}, and this is uid {user}", path.display());
        Err(Error::FunctionFailed(reason.into()))
    }

    fn open(&self, slot: u32) -> Result<Arc<dyn Store>> {
        let refuse = |reason: String| Error::TokenNotRecognized(reason.into());
        let path = self.token_path(slot);
        let user = system::user();
        // Not through a link, which could lead anywhere; the folder itself may be one.
        let file = fs::symlink_metadata(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => refuse(format!("there is no file {}", path.display())),
            _ => refuse(format!("uid {user} cannot look at {}: {error}", path.display())),
        })?;
        if !file.is_file() {
            return Err(refuse(format!("{} is not a file", path.display())));
        }
        if !system::permits(&path, libc::R_OK) {
            let mode = file.mode() & 0o7777;
            let owner = file.uid();
            return Err(refuse(format!(
                "uid {user} lacks the right to read {}, which belongs to uid {owner} with mode {mode:04o}",
                path.display()
            )));
        }
        file_system::check(&path, self.file_system).map_err(|error| refuse(error.to_string()))?;
        let writable = self.writable(&path);
        let upgraded = if writable { upgrade::upgrade(&path, self.steps, self.patience) } else { Ok(()) };
        match upgraded.and_then(|()| SqliteToken::open(path, writable, self.patience, self.witness.clone())) {
            Ok(token) => Ok(Arc::new(token)),
            Err(Error::DeviceError(reason)) => Err(Error::TokenNotRecognized(reason)),
            Err(error) => Err(error),
        }
    }

    fn usable(&self) -> Result<()> {
        let user = system::user();
        let refuse = |path: &Path, what: &str| {
            let folder = self.path.display();
            let reason = format!("the folder {folder} cannot be used: uid {user} {what} {}", path.display());
            Err(Error::DeviceError(reason.into()))
        };
        if !self.path.is_absolute() {
            return refuse(&self.path, "was given a path that is not absolute,");
        }
        file_system::check(&self.path, self.file_system)?;
        match fs::metadata(&self.path) {
            Ok(folder) if !folder.is_dir() => refuse(&self.path, "finds no folder but something else at"),
            Ok(_) if !system::permits(&self.path, libc::R_OK | libc::X_OK) => {
                refuse(&self.path, "lacks the right to list and enter")
            }
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let existing = self.path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
                let creatable = system::permits(existing, libc::W_OK | libc::X_OK) && !system::is_made_up(existing);
                if existing.is_dir() && creatable && !self.read_only {
                    return Ok(());
                }
                refuse(existing, "lacks the right to create it in")
            }
            Err(error) => Err(failure::of_system(&error, "look at", &self.path)),
        }
    }
}

/// The file that becomes the next token. There is one maker at a time, so what is found under this name is remains.
pub(super) const NEW_TOKEN: &str = "new-token.tmp";

/// The number in `slot-0000002a.db`, if the name ends in one of the suffixes.
pub(super) fn slot_number(name: &str, suffixes: &[&str]) -> Option<u32> {
    let (digits, suffix) = name.strip_prefix("slot-")?.split_at_checked(8)?;
    let lower = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    (lower && suffixes.contains(&suffix)).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// Creates the folder and what is missing above it, with its mode whatever the umask says, each entry durable.
fn create_missing(folder: &Path, mode: u32, access: Access) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let Some(parent) = folder.parent() else { return Ok(()) };
    create_missing(parent, access.of_way(), access)?;
    let created = new_file::create_folder(folder, mode);
    if created.map_err(|error| failure::of_system(&error, "create", folder))? { sync_parent(parent) } else { Ok(()) }
}

/// Removes what a maker that was killed has left.
fn remove_remains(made: &Path) -> Result<()> {
    ["-wal", "-shm", "-journal", ""].iter().try_for_each(|suffix| remove_file(&beside(made, suffix)))
}

/// Makes a file's contents, or a folder's entries, durable.
pub(super) fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| failure::of_system(&error, "sync", path))
}

/// Makes the folder's own entry durable, unless the parent may be entered but not read: then nobody here can.
fn sync_parent(parent: &Path) -> Result<()> {
    if system::permits(parent, libc::R_OK) { sync(parent) } else { Ok(()) }
}

fn used_up() -> Error {
    Error::DeviceMemory("the slot numbers are used up".into())
}
