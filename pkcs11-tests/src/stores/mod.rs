//! `stores`: what a store of many token objects costs.
//!
//! Each measurement is a process of its own, for it begins at `C_Initialize`, or looks at its memory. Modules take turns, A B A B,
//! and the table shows medians. A module is measured up to the size that is said for it: some take hours to fill.

mod table;
mod worker;

pub use worker::{WorkerArguments, work};

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use table::{Cell, Table};
use worker::{Act, Process};

use crate::failure::Result;
use crate::figure::median;
use crate::token;

/// What `stores` is asked for.
#[derive(clap::Args)]
pub struct Arguments {
    /// The module to measure
    #[arg(long, value_name = "PATH")]
    module: PathBuf,
    /// The module to compare it with
    #[arg(long, value_name = "PATH")]
    against: Option<PathBuf>,
    /// So many objects in the store, a measurement for each
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "0,10000,1000000")]
    sizes: Vec<u64>,
    /// The other module is measured up to so many objects
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    peer_up_to: u64,
    /// Turns of each module, for the median
    #[arg(long, value_name = "N", default_value_t = 5)]
    turns: usize,
    /// The stores lie here, in a folder that is removed at the end
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Write JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// Fills the stores, measures, and prints the table.
pub fn run(arguments: &Arguments) -> Result<()> {
    let most = arguments.sizes.iter().copied().max().unwrap_or_default();
    let mut sides = vec![Side::new(&arguments.module, arguments.folder.as_deref(), most)?];
    if let Some(peer) = &arguments.against {
        sides.push(Side::new(peer, arguments.folder.as_deref(), arguments.peer_up_to)?);
    }
    let mut table = Table::new(!arguments.json);
    let mut sizes = arguments.sizes.clone();
    sizes.sort_unstable();
    for size in sizes {
        measure(&mut sides, size, arguments.turns, &mut table)?;
    }
    if arguments.json {
        println!("{:#}", table.json());
    }
    Ok(())
}

/// A module with a store of its own.
struct Side {
    module: PathBuf,
    folder: tempfile::TempDir,
    /// How many objects are in the store that searches are for.
    objects: u64,
    most: u64,
}

impl Side {
    fn new(module: &Path, parent: Option<&Path>, most: u64) -> Result<Self> {
        let folder = match parent {
            Some(parent) => tempfile::tempdir_in(parent)?,
            None => tempfile::tempdir()?,
        };
        token::configure(folder.path())?;
        let side = Self { module: module.to_owned(), folder, objects: 0, most };
        side.ask(Act::Make)?;
        Ok(side)
    }

    fn begin(&self, act: Act) -> Result<Process> {
        Process::start(&self.module, act, |command| token::point_to(self.folder.path(), command))
    }

    fn ask(&self, act: Act) -> Result<Vec<f64>> {
        self.begin(act)?.finish()
    }

    /// What was measured, or nothing and a line on standard error: some modules fail at what is asked here.
    fn or_fails<T>(&self, measured: Result<Vec<T>>) -> Vec<T> {
        measured.unwrap_or_else(|reason| {
            eprintln!("{}: {reason}", self.module.display());
            Vec::new()
        })
    }

    /// Makes objects until there are so many, and says on standard error how long that took.
    fn fill(&mut self, size: u64) -> Result<()> {
        if size <= self.objects {
            return Ok(());
        }
        let begun = Instant::now();
        self.ask(Act::Fill { from: self.objects, to: size })?;
        let (made, seconds) = (size.saturating_sub(self.objects), begun.elapsed().as_secs_f64());
        eprintln!("{}: {made} keys made in {seconds:.0} s", self.module.display());
        self.objects = size;
        Ok(())
    }
}

/// All rows for stores of this size.
fn measure(sides: &mut [Side], size: u64, turns: usize, table: &mut Table) -> Result<()> {
    let taking_part = sides.iter().filter(|side| size <= side.most).count();
    let sides = sides.get_mut(..taking_part).unwrap_or_default();
    for side in sides.iter_mut() {
        side.fill(size)?;
    }
    let mut turns_of = |act: Act, names: &[&'static str], cell: fn(f64) -> Cell| {
        let mut told = vec![Vec::new(); sides.len()];
        for _ in 0..turns {
            for (side, told) in sides.iter().zip(&mut told) {
                told.push(side.or_fails(side.ask(act)));
            }
        }
        for (index, name) in names.iter().enumerate() {
            let figures = |told: &Vec<Vec<f64>>| median(told.iter().filter_map(|told| told.get(index).copied()));
            table.add(size, name, told.iter().map(|told| figures(told).map(cell)).collect());
        }
    };

    turns_of(Act::Start, &["C_Initialize to logged in"], Cell::Time);
    if size > 0 {
        let names = ["find by label, unseen", "find by label", "find by id", "find by unique id", "get an attribute"];
        turns_of(Act::Search { objects: size }, &names, Cell::Time);
        turns_of(Act::List, &["memory for each listed"], Cell::Bytes);
    }
    turns_of(Act::Create { threads: 1 }, &["make a token key"], Cell::Time);
    turns_of(Act::Create { threads: 8 }, &["the same, 8 threads at once"], Cell::Time);

    let mut together = Vec::new();
    for side in sides.iter() {
        let all = side.or_fails((0..turns).map(|_| processes(side)).collect());
        together.push(median(all).map(Cell::Time));
    }
    table.add(size, "the same, 4 processes at once", together);
    let appended = (0..turns).map(|_| append(sides.first().map(|side| side.folder.path())));
    let appended = appended.collect::<Result<Vec<_>>>()?;
    table.add(size, "append 1 KiB to a file and fsync", vec![median(appended).map(Cell::Time)]);
    Ok(())
}

/// The time between two keys of any of four processes.
fn processes(side: &Side) -> Result<f64> {
    const AT_ONCE: u32 = 4;
    let mut all = (0..AT_ONCE).map(|_| side.begin(Act::Create { threads: 1 })).collect::<Result<Vec<_>>>()?;
    all.iter_mut().try_for_each(Process::wait_until_ready)?;
    all.iter_mut().try_for_each(Process::go)?;
    let each = all.into_iter().map(Process::finish_after_go).collect::<Result<Vec<_>>>()?;
    // The slowest tells when all were done.
    Ok(each.into_iter().flatten().fold(0.0, f64::max) / f64::from(AT_ONCE))
}

/// What the disk takes for the least that could be written, in nanoseconds.
fn append(folder: Option<&Path>) -> Result<f64> {
    let Some(folder) = folder else { return Ok(0.0) };
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join("appended"))?;
    const TIMES: u32 = 100;
    let begun = Instant::now();
    for _ in 0..TIMES {
        file.write_all(&[7; 1024])?;
        file.sync_data()?;
    }
    Ok(begun.elapsed().as_nanos() as f64 / f64::from(TIMES))
}
