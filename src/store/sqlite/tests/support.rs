//! Places, other processes and raw connections for the tests.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::SqliteFolder;
use super::super::connection::{self, OpenConnection, Purpose};
use super::super::gate::Visit;

/// A folder that does not exist yet, in a place that is removed at the end.
pub struct Place {
    folder: SqliteFolder,
    directory: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { folder: SqliteFolder::new(directory.path().join("above it/tokens #1?%")), directory }
    }

    /// The same, for tokens with witnesses.
    pub fn witnessed() -> Self {
        let mut place = Self::new();
        std::fs::create_dir(place.witnesses()).unwrap();
        place.folder = place.again().witnessed_in(Some(place.witnesses()));
        place
    }

    pub fn witnesses(&self) -> PathBuf {
        self.directory.path().join("witnesses")
    }

    pub fn folder(&self) -> &SqliteFolder {
        &self.folder
    }

    /// Another value for the same folder.
    pub fn again(&self) -> SqliteFolder {
        SqliteFolder::new(self.path())
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("above it/tokens #1?%")
    }

    /// The file of the token in slot 0, or one of its neighbours.
    pub fn file(&self, suffix: &str) -> PathBuf {
        self.path().join(format!("slot-00000000.{suffix}"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        use std::os::unix::fs::PermissionsExt;
        // So that it can be removed by who is not root.
        let _ = std::fs::set_permissions(self.path(), std::fs::Permissions::from_mode(0o700));
    }
}

/// Runs `work` with a connection of our own to the file, inside the gate: no fork comes between.
pub fn with_connection<T>(path: &Path, work: impl FnOnce(&OpenConnection) -> T) -> T {
    let visit = Visit::enter().unwrap();
    let open = connection::open(&visit, path, Purpose::Write).unwrap();
    work(&open)
}

/// Runs SQL on the file and returns the first column of the first row, as text.
pub fn sql(path: &Path, statement: &str) -> String {
    with_connection(path, |open| open.connection.query_row(statement, [], |row| text(row.get_ref(0)?)).unwrap())
}

fn text(value: rusqlite::types::ValueRef<'_>) -> rusqlite::Result<String> {
    use rusqlite::types::ValueRef::*;
    Ok(match value {
        Null => "null".into(),
        Integer(number) => number.to_string(),
        Real(number) => number.to_string(),
        Text(bytes) | Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    })
}

/// How many transactions the WAL of the token in slot 0 holds (<https://www.sqlite.org/walformat.html>, section 1).
pub fn commits_in_wal(place: &Place) -> usize {
    let wal = std::fs::read(place.file("db-wal")).unwrap();
    let (header, frames) = wal.split_at(32);
    let frames = frames.chunks_exact(24 + 4096).take_while(|frame| frame[8..16] == header[16..24]);
    frames.filter(|frame| frame[4..8] != [0; 4]).count()
}

pub fn assert_intact(path: &Path) {
    assert_eq!(sql(path, "PRAGMA integrity_check"), "ok");
}

/// Name, length, mode and time of change of everything in the folder.
pub fn listing(folder: &Path) -> BTreeMap<String, (u64, u32, i64, i64)> {
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let file = entry.metadata().unwrap();
        let facts = (file.len(), file.mode() & 0o7777, file.mtime(), file.mtime_nsec());
        (entry.file_name().into_string().unwrap(), facts)
    };
    std::fs::read_dir(folder).unwrap().map(entry).collect()
}

/// The command that plays a role of `roles::another_process` on the folder.
pub fn process(role: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "store::sqlite::tests::roles::another_process", "--ignored"]);
    command.args(["--nocapture", "--test-threads=1"]);
    command.env("KEYSTEAD_TEST_ROLE", role).env("KEYSTEAD_TEST_FOLDER", folder).stdout(Stdio::null());
    command
}

/// Plays a role to its end; true if nothing in it failed.
pub fn plays(role: &str, folder: &Path) -> bool {
    let output = process(role, folder).stdout(Stdio::piped()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    // A role that does not exist must not pass for one that succeeded.
    assert!(text.contains("running 1 test"), "{text}");
    if !output.status.success() {
        println!("{text}");
    }
    output.status.success()
}

/// How a child is made.
#[derive(Clone, Copy)]
pub enum Birth {
    Fork,
    /// Without the handlers of `pthread_atfork`.
    RawClone,
}

/// Does `work` in a child process; true if it was done, without a panic, in a minute.
pub fn child(birth: Birth, work: impl FnOnce()) -> bool {
    let pid = match birth {
        // SAFETY: the child does its work and leaves by `_exit`; libc resets its own locks.
        Birth::Fork => unsafe { libc::fork() },
        // SAFETY: as above, in a process whose other threads wait for this one.
        Birth::RawClone => unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) as libc::pid_t },
    };
    assert!(pid >= 0);
    if pid == 0 {
        // SAFETY: kills this child if it hangs.
        unsafe { libc::alarm(60) };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        // SAFETY: leaves without running anything of the parent's.
        unsafe { libc::_exit(outcome.is_err().into()) };
    }
    let mut status = 0;
    // SAFETY: the status is written to where one is.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    status == 0
}
