//! `keystead restore`

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use keystead::slot::Slots;
use tempfile::TempDir;

use super::envelope;
use super::passphrase::KeySource;
use super::report::{Report, TokenLine};
use crate::failure::{Failure, Result};
use crate::output::Form;
use crate::progress::Progress;
use crate::store;

pub const AFTER_HELP: &str = "\
Slots, labels, PINs and their tries, objects with their ids, and what is known of destroyed ones are as they were. The \
folder comes to be with all tokens or not at all; one with anything in it is left alone.

Examples:
  keystead restore keys.backup
  keystead --store /srv/tokens restore keys.backup --identity key.txt";

#[derive(clap::Args)]
pub struct Args {
    /// The backup; - is standard input
    file: PathBuf,

    #[command(flatten)]
    key: KeySource,
}

/// `keystead restore`
pub fn run(args: &Args, place: Option<PathBuf>, form: Form) -> Result<()> {
    let mut config = store::config(place)?;
    let place = store::place(&config)?;
    refuse_if_occupied(&place)?;
    let mut reader = envelope::open(&args.file, &args.key)?;
    let mut report = Report::new(&args.file, reader.header());

    let beside = Beside::new(&place)?;
    config.store = Some(beside.folder());
    let slots = Slots::new(config);
    let folder = slots.folder()?;
    let mut progress = Progress::new("objects restored");
    while let Some(slot) = reader.next_token()? {
        let mut line = TokenLine::of(slot);
        let restored = folder.restore(slot, &mut || {
            let item = reader.next_item()?;
            item.as_ref().map_or(Ok(None), |item| line.add(item))?;
            progress.tick();
            Ok(item)
        });
        match restored {
            Ok(true) => report.tokens.push(line),
            Ok(false) => return Err(Failure::new(format!("the number of slot {slot} cannot be used"))),
            Err(error) => return Err(Failure::from(error).with_next("nothing was restored")),
        }
    }
    folder.set_aside(reader.header().next_slot)?;
    drop(progress);
    beside.place(&place)?;
    report.print(form)
}

fn refuse_if_occupied(place: &Path) -> Result<()> {
    match fs::read_dir(place).map(|mut entries| entries.next().is_some()) {
        Ok(false) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(true) => Err(occupied(place)),
        Err(error) => Err(Failure::of(place.display(), error)),
    }
}

fn occupied(place: &Path) -> Failure {
    let failure = Failure::new(format!("there is something in {} already", place.display()));
    failure.with_next("restore to another folder with --store DIR, or move that one away")
}

/// A folder beside the place of another, on the same file system. What is in it goes with this value.
struct Beside {
    directory: TempDir,
    parent: PathBuf,
}

impl Beside {
    fn new(place: &Path) -> Result<Self> {
        let failed = |error: io::Error| {
            let failure = Failure::of(format!("no folder can be made beside {}", place.display()), error);
            failure.with_next("the folder is made whole beside its place: restore where that can be done, then move it")
        };
        let parent = place.parent().unwrap_or(place).to_owned();
        DirBuilder::new().recursive(true).mode(0o700).create(&parent).map_err(failed)?;
        let permissions = Permissions::from_mode(0o700);
        let directory =
            tempfile::Builder::new().prefix(".keystead-restore-").permissions(permissions).tempdir_in(&parent);
        Ok(Self { directory: directory.map_err(failed)?, parent })
    }

    fn folder(&self) -> PathBuf {
        self.directory.path().join("tokens")
    }

    /// Gives the finished folder its place, for good. What is there must be an empty folder, if anything: the system sees
    /// to that.
    fn place(self, place: &Path) -> Result<()> {
        fs::rename(self.folder(), place).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => occupied(place),
            io::ErrorKind::ResourceBusy => {
                let failure =
                    Failure::new(format!("{} cannot be exchanged: something is mounted there", place.display()));
                failure.with_next("restore to a folder in it, with --store DIR")
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
