//! `bench`: A B C A B C in one run.
//!
//! Machines differ twofold, so only ratios of one run count. Each side, the bare primitive too, runs in a process of its
//! own: heap, threads, OpenSSL or panic hook of one module never touch another. The sides take turns of a few
//! milliseconds, one at a time, and figures are compared round by round; the table shows medians and the best. A turn in which the
//! kernel took the processor away is repeated, so that a machine with other work to do gives the same figures, only later. What a
//! turn did last is checked.

mod bare;
mod calls;
mod figures;
mod json;
mod machine;
mod operation;
mod page;
mod plot;
mod side;
mod table;
mod turn;
mod worker;

pub use worker::{WorkerArguments, work};

use std::path::PathBuf;
use std::time::{Duration, Instant};

use figures::{Field, Measured, Row};
use machine::Machine;
use operation::Operation;
use side::Side;
use table::Form;

use crate::failure::{Failure, Result};

/// What `bench` is asked for.
#[derive(clap::Args)]
pub struct Arguments {
    /// The modules; ratios are to the first
    #[arg(required = true, value_name = "MODULE")]
    modules: Vec<PathBuf>,
    /// Measure the primitive of aws-lc without a module, too
    #[arg(long)]
    bare: bool,
    /// Only the operations whose name contains this; the whole name finds those too that take minutes
    #[arg(long, value_name = "NAME", default_value = "")]
    only: String,
    /// Numbers of threads; one thread is always among them
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1,2,4")]
    threads: Vec<usize>,
    /// Rounds of each operation
    #[arg(long, value_name = "N", default_value_t = 100)]
    rounds: usize,
    /// Fewer rounds, but not fewer than nine, when an operation has taken so long
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    seconds: f64,
    /// See whether everything works, in seconds: the figures are worth little
    #[arg(long)]
    quick: bool,
    /// The user's PIN of a token that is there already, for modules that have no blank one
    #[arg(long, env = "PKCS11_TESTS_PIN", hide_env_values = true)]
    pin: Option<String>,
    /// Write tables of Markdown, for a page
    #[arg(long)]
    markdown: bool,
    /// Write JSON instead of a table
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Draw a plot by size for each family, and one by threads for each operation, into this folder
    #[arg(long, value_name = "DIR")]
    plot: Option<PathBuf>,
    /// Put the tables of Markdown into this page, in the place of those that are there
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

/// Runs the benchmark and prints the figures; says whether no module was at fault.
pub fn run(arguments: &Arguments) -> Result<bool> {
    let wanted = arguments.operations();
    if wanted.is_empty() {
        return Err(Failure::new(format!("no operation has {:?} in its name", arguments.only)));
    }
    let pin = arguments.pin.as_deref();
    let mut sides = arguments.modules.iter().map(|path| Side::of_module(path, pin)).collect::<Result<Vec<_>>>()?;
    if arguments.bare {
        sides.push(Side::bare()?);
    }
    let (machine, field, plan) = (Machine::this(), arguments.field(&sides), arguments.plan());
    let is_live = !arguments.json && !arguments.markdown;
    let columns = [table::times(&field), table::gains(&field)].concat();
    if is_live {
        println!("{}\n{}", page::who(&machine, &field, &sides), Form::Text.heading(&field, &columns));
    }
    let mut rows = Vec::new();
    for operation in wanted {
        let row = plan.measure(operation, &field.threads, &mut sides)?;
        if is_live {
            println!("{}", Form::Text.row(&field, &columns, &row));
        }
        rows.push(row);
    }
    let report = page::Report { machine: &machine, field: &field, sides: &sides, rows: &rows };
    if arguments.json {
        println!("{:#}", json::report(&machine, &field, &sides, &rows));
    }
    if arguments.markdown {
        print!("{}", report.markdown());
    }
    if let Some(path) = &arguments.page {
        report.write_into(path)?;
    }
    if let Some(folder) = &arguments.plot {
        plot::draw(folder, &field, &rows)?;
    }
    Ok(none_at_fault(&field, &rows))
}

/// Names on standard error what a module did wrong.
fn none_at_fault(field: &Field, rows: &[Row]) -> bool {
    let mut is_good = true;
    for row in rows {
        for (name, side) in field.names.iter().zip(&row.sides) {
            if let Some(lack) = side.rounds.as_ref().err().filter(|lack| lack.is_fault) {
                eprintln!("pkcs11-tests: {name}: {}: {}", row.operation.name(), lack.reason);
                is_good = false;
            }
        }
    }
    is_good
}

impl Arguments {
    fn operations(&self) -> Vec<Operation> {
        let is_wanted = |operation: &Operation| {
            let name = operation.name();
            let takes_long = operation.is_slow() || self.quick && operation.begins_slowly();
            if takes_long { name == self.only } else { name.contains(&self.only) }
        };
        Operation::all().into_iter().filter(is_wanted).collect()
    }

    fn field(&self, sides: &[Side]) -> Field {
        let mut names: Vec<String> = Vec::new();
        for side in sides {
            let file = side.file().unwrap_or_else(|| table::BARE.to_owned());
            let short = file.split(".so").next().map(|stem| stem.strip_prefix("lib").unwrap_or(stem));
            let name = short.unwrap_or(&file).to_owned();
            let before = names.iter().filter(|other| **other == name || other.starts_with(&format!("{name}-"))).count();
            names.push(if before == 0 { name } else { format!("{name}-{}", before + 1) });
        }
        let mut threads: Vec<usize> = self.threads.iter().copied().chain([1]).filter(|threads| *threads > 0).collect();
        threads.sort_unstable();
        threads.dedup();
        Field { names, has_bare: self.bare, threads }
    }

    fn plan(&self) -> Plan {
        let time = Duration::try_from_secs_f64(self.seconds).unwrap_or(Duration::from_secs(2));
        match self.quick {
            true => Plan { rounds: 1, time, longest_turn: Duration::from_micros(200), patience: Duration::ZERO },
            false => Plan { rounds: self.rounds.max(1), time, longest_turn: Duration::MAX, patience: PATIENCE },
        }
    }
}

/// How long a turn is tried before a disturbed one is taken.
const PATIENCE: Duration = Duration::from_millis(150);

/// How long everything is tried.
struct Plan {
    rounds: usize,
    time: Duration,
    longest_turn: Duration,
    patience: Duration,
}

impl Plan {
    /// Lets the sides take turns. A side that lacks the operation, or fails, is left out from then on.
    fn measure(&self, operation: Operation, threads: &[usize], sides: &mut [Side]) -> Result<Row> {
        let most = threads.iter().copied().max().unwrap_or(1);
        let mut all = Vec::new();
        for side in sides.iter_mut() {
            side.revive()?;
            let rounds = side.prepare(operation, most).map(|()| vec![Vec::new(); threads.len()]);
            all.push(Measured { rounds, disturbed: 0 });
        }
        let length = operation.turn().min(self.longest_turn);
        let (begun, mut rounds) = (Instant::now(), 0);
        while rounds < self.rounds && (rounds < FEWEST_ROUNDS || begun.elapsed() < self.time) {
            rounds += 1;
            for (place, threads) in threads.iter().enumerate() {
                for (side, measured) in sides.iter_mut().zip(&mut all) {
                    if measured.rounds.is_ok() {
                        let turn = side.turn(*threads, length, self.patience);
                        measured.add(place, turn);
                    }
                }
            }
        }
        Ok(Row { operation, sides: all })
    }
}

const FEWEST_ROUNDS: usize = 9;
