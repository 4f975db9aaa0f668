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
mod rounds;
mod side;
mod table;
mod turn;
mod worker;

pub use worker::{WorkerArguments, work};

use std::path::PathBuf;
use std::time::Duration;

use figures::{Field, Row};
use machine::Machine;
use operation::Operation;
use rounds::Plan;
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
    /// Put the tables of Markdown into this page, in the place of those that are there, and some plots beside it
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

/// Runs the benchmark and prints the figures; says whether no module was at fault.
pub fn run(arguments: &Arguments) -> Result<bool> {
    let wanted = arguments.operations();
    if wanted.is_empty() {
        return Err(Failure::new(format!("no operation has {:?} in its name", arguments.only)));
    }
    // Before all the work: it may be no page.
    let page = arguments.page.as_deref().map(page::Page::open).transpose()?;
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
    if let Some(page) = page {
        page.write(&report)?;
    }
    if let Some(folder) = &arguments.plot {
        plot::draw(folder, &field, &rows, |_| true)?;
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
            true => Plan::quick(),
            false => Plan::new(self.rounds, time),
        }
    }
}
