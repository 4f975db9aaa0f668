//! `keystead store salvage`

use std::path::{Path, PathBuf};

use keystead::error::Error;
use keystead::seal::{self, HostKey};
use keystead::slot::Slots;
use keystead::store::sqlite::{Carving, Survey, What, slot_of};
use keystead::token::{Salvage, Saved, Traces};
use serde::Serialize;

use crate::beside::{Beside, refuse_if_occupied};
use crate::failure::{Exit, Failure, Result};
use crate::output::{Form, Word};
use crate::pin::{Role, Sources};
use crate::progress::Progress;
use crate::store;
use crate::token::show::unpadded;

pub const AFTER_HELP: &str = "\
Looks for rows in every page of the file and of the log beside it (-wal), whether or not SQLite can still read them, and makes a new \
folder with a token of those that open with the PIN: the newest of each object, and what was destroyed stays so. The damaged file is \
only read. No program should have it open meanwhile.

Examples:
  keystead store salvage 0 /srv/salvaged
  keystead store salvage slot-00000000.db /srv/salvaged --so
  keystead --store /srv/salvaged doctor --verify

Exit code 0 if everything was saved as it last was, else 1, also where something was saved.";

#[derive(clap::Args)]
pub struct Args {
    /// The token's file, or its slot in the store; a file whose name is a number is ./0
    #[arg(value_name = "FILE|SLOT")]
    token: PathBuf,

    /// The new folder
    #[arg(value_name = "DIR")]
    place: PathBuf,

    /// Opens it with the SO PIN, not the user's
    #[arg(long)]
    so: bool,

    #[command(flatten)]
    pins: Sources,
}

const ELSEWHERE: &str = "name another folder";

/// `keystead store salvage`
pub fn run(args: &Args, given: Option<PathBuf>, form: Form) -> Result<()> {
    let place = std::path::absolute(&args.place).map_err(|error| Failure::of(args.place.display(), error))?;
    refuse_if_occupied(&place, ELSEWHERE)?;
    let mut config = store::config(given)?;
    let (file, slot) = file(&args.token, config.store.as_deref())?;
    let carving = Carving::open(&file)?;
    let host = config.host_key.clone().map(HostKey::new);
    let salvage = salvage(args, &carving, host.as_ref())?;

    let beside = Beside::new(&place, ELSEWHERE)?;
    (config.store, config.no_store) = (Some(beside.folder()), None);
    let slots = Slots::new(config);
    let mut progress = Progress::new("rows saved");
    let mut items = salvage.items(|found| carving.again(found));
    let restored = slots.folder()?.restore(slot, &mut || {
        progress.tick();
        items()
    });
    drop(progress);
    match restored {
        Ok(true) => beside.place(&place)?,
        Ok(false) => return Err(Failure::new(format!("the number of slot {slot} cannot be used"))),
        Err(error) => return Err(Failure::from(error).with_next("nothing was saved")),
    }
    Report::new(&file, &place, slot, &salvage).print(form)
}

/// The file that is meant, and the slot that the token gets: its own, if the file's name says which.
fn file(token: &Path, folder: Option<&Path>) -> Result<(PathBuf, u32)> {
    let Some(slot) = token.to_str().and_then(|token| token.parse::<u32>().ok()) else {
        return Ok((token.to_owned(), slot_of(token).unwrap_or(0)));
    };
    let folder = folder.ok_or_else(|| Failure::new("there is no store").with_next("name the token's file"))?;
    let survey = Survey::of(folder).map_err(|error| Failure::of(folder.display(), error))?;
    match survey.entries.into_iter().find(|entry| entry.what == What::Token(slot)) {
        Some(entry) => Ok((entry.path, slot)),
        None => {
            let failure = Failure::new(format!("there is no token's file of slot {slot} in {}", folder.display()));
            Err(failure.with_exit(Exit::NotFound).with_next("name the file"))
        }
    }
}

/// Looks at everything twice: what the PIN opens is known only when the token rows are.
fn salvage(args: &Args, carving: &Carving<'_>, host: Option<&HostKey>) -> Result<Salvage> {
    let mut traces = Traces::default();
    carving.each(&mut |found| {
        traces.look(&found);
        Ok(())
    })?;
    let (role, wanted) = match args.so {
        true => (Role::So, args.pins.so()),
        false => (Role::User, args.pins.user()),
    };
    let label = traces.label().ok_or_else(|| {
        let failure = Failure::new("no token row is left in the file, and without it no PIN opens anything");
        failure.with_next("restore a backup")
    })?;
    let pin = wanted.existing_of(&format!("the damaged token {:?}", unpadded(label)))?;
    let opens = match role {
        Role::So => seal::Role::So,
        Role::User => seal::Role::User,
    };
    let refused = |error| match error {
        Error::PinIncorrect => Failure::new(format!("the {} opens no token row that is left in the file", role.name()))
            .with_next("it is wrong, or the row is damaged; the other PIN may open it (--so), or an earlier one"),
        Error::UserPinNotInitialized => Failure::new("the token had no user PIN").with_next("use the SO PIN: --so"),
        other => other.into(),
    };
    let mut salvage = traces.open(opens, pin.expose(), host).map_err(|error| {
        let exit = Exit::of(&error);
        refused(error).with_exit(exit)
    })?;
    let mut progress = Progress::new("rows found");
    carving.each(&mut |found| {
        progress.tick();
        salvage.look(&found)
    })?;
    Ok(salvage)
}

/// What was saved, as it is printed.
#[derive(Serialize)]
struct Report {
    file: PathBuf,
    store: PathBuf,
    slot: u32,
    label: String,
    serial: String,
    objects: u64,
    tombstones: u64,
    unverified: u64,
    older: Vec<String>,
    refused: Vec<String>,
    complete: Option<bool>,
    token_row: bool,
}

impl Report {
    fn new(file: &Path, store: &Path, slot: u32, salvage: &Salvage) -> Self {
        let Saved { objects, tombstones, unverified, older, refused, is_complete, is_token_row_genuine } =
            salvage.saved();
        let [older, refused] = [older, refused].map(|ids| ids.iter().map(ToString::to_string).collect());
        Self {
            file: file.to_owned(),
            store: store.to_owned(),
            slot,
            label: unpadded(salvage.label()),
            serial: String::from_utf8_lossy(salvage.serial()).into_owned(),
            objects,
            tombstones,
            unverified,
            older,
            refused,
            complete: is_complete,
            token_row: is_token_row_genuine,
        }
    }

    fn print(&self, form: Form) -> Result<()> {
        let Self { objects, tombstones, unverified, .. } = self;
        let mut rows = vec![
            ("store", Word::plain(self.store.to_string_lossy())),
            ("slot", Word::plain(self.slot.to_string())),
            ("label", Word::plain(&self.label)),
            ("serial", Word::plain(&self.serial)),
            ("saved", Word::plain(format!("{objects} objects and {tombstones} tombstones"))),
        ];
        if *unverified > 0 {
            rows.push(("unverified", Word::plain(format!("{unverified} of the objects: anybody may have made them"))));
        }
        if !self.token_row {
            rows.push((
                "token row",
                Word::alarming("label and serial number may not be what they were; maskable is off"),
            ));
        }
        let older =
            |id| ("older", Word::alarming(format!("{id}: may be as it was before, or have been destroyed since")));
        rows.extend(self.older.iter().map(older));
        rows.extend(
            self.refused.iter().map(|id| ("refused", Word::alarming(format!("{id}: what is left does not open")))),
        );
        let complete = match self.complete {
            Some(true) => Word::plain("yes: nothing that a login stood behind is missing"),
            Some(false) => Word::alarming("no: objects are missing, or older than they were"),
            None => Word::alarming("not known: the digest is lost"),
        };
        rows.push(("complete", complete));
        form.record(self, &rows)?;
        match self.complete == Some(true) && self.token_row && self.refused.is_empty() {
            true => Ok(()),
            false => {
                let failure = Failure::new("not everything was saved as it was, as far as can be told");
                Err(failure.with_exit(Exit::Partly).with_next("a backup may have the rest"))
            }
        }
    }
}
