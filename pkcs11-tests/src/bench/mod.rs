//! `bench`: A B A B in one run.
//!
//! Machines differ twofold, so only ratios of one run count. Each side, the bare primitive too, runs in a process of its
//! own: heap, threads, OpenSSL or panic hook of one module never touch another. The sides take turns of a few
//! milliseconds, one at a time, and figures are compared turn by turn; the table shows medians. A turn in which the kernel
//! took the processor away is repeated, so that a machine with other work to do gives the same figures, only later.

mod bare;
mod calls;
mod operation;
mod table;
mod turn;
mod worker;

pub use worker::{WorkerArguments, work};

use std::path::PathBuf;
use std::time::{Duration, Instant};

use operation::Operation;
use table::{Form, Row};
use worker::{Answer, Side};

use crate::failure::Result;

/// What `bench` is asked for.
#[derive(clap::Args)]
pub struct Arguments {
    /// The module to measure
    #[arg(long, value_name = "PATH")]
    module: PathBuf,
    /// The module to compare it with
    #[arg(long, value_name = "PATH")]
    against: Option<PathBuf>,
    /// Measure the primitive of aws-lc without a module, too
    #[arg(long)]
    bare: bool,
    /// Only the operations whose name contains this; the whole name finds those too that take minutes
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Time for each operation, in seconds
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    seconds: f64,
    /// Write the table as Markdown, for a page
    #[arg(long)]
    markdown: bool,
    /// Write JSON instead of a table: nanoseconds per operation
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
}

/// Runs the benchmark and prints the table.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut sides = vec![Side::of_module(&arguments.module)?];
    if let Some(against) = &arguments.against {
        sides.push(Side::of_module(against)?);
    }
    if arguments.bare {
        sides.push(Side::bare()?);
    }
    let has_peer = arguments.against.is_some();
    let only = arguments.only.as_deref().unwrap_or_default();
    let wanted = |operation: &Operation| {
        let name = operation.name();
        if operation.is_slow() { name == only } else { name.contains(only) }
    };
    let time = Duration::try_from_secs_f64(arguments.seconds).unwrap_or(Duration::from_secs(2));
    let form = if arguments.markdown { Form::Markdown } else { Form::Text };
    let mut rows = Vec::new();
    for operation in Operation::ALL.iter().filter(|operation| wanted(operation)) {
        let measured = measure(*operation, &mut sides, time)?;
        let row = Row::new(operation.name(), measured, has_peer, arguments.bare);
        if !arguments.json {
            if rows.is_empty() {
                println!("{}\n", arguments.sides());
                println!("{}", form.heading(has_peer, arguments.bare));
            }
            println!("{}", form.row(&row));
        }
        rows.push(row);
    }
    if arguments.json {
        println!("{:#}", table::json(&rows));
    }
    Ok(())
}

impl Arguments {
    /// Who is who in the table.
    fn sides(&self) -> String {
        let peer = self.against.as_ref().map(|peer| format!("; peer: {}", peer.display())).unwrap_or_default();
        format!(
            "ours: {}{peer}\ntime per operation, Init included; x2: what two threads do of what one does",
            self.module.display()
        )
    }
}

/// What one side did in all its turns.
struct Measured {
    /// Nanoseconds per operation with one thread, by turn; or why there are none.
    one: Result<Vec<f64>>,
    /// The same with two threads: the time between two operations of either. None where they did not run side by side.
    two: Vec<Option<f64>>,
    /// Turns in which the processor was taken away every time that they were tried.
    disturbed: usize,
}

/// Lets the sides take turns until the time is used up. A side that lacks the operation is left out.
fn measure(operation: Operation, sides: &mut [Side], time: Duration) -> Result<Vec<Measured>> {
    let mut all: Vec<Measured> = Vec::new();
    for side in sides.iter_mut() {
        let one = side.prepare(operation)?.map(|()| Vec::new());
        all.push(Measured { one, two: Vec::new(), disturbed: 0 });
    }
    let begun = Instant::now();
    let mut turns = 0;
    while turns < FEWEST_TURNS || begun.elapsed() < time {
        turns += 1;
        for threads in [1, 2] {
            for (side, measured) in sides.iter_mut().zip(&mut all) {
                let Ok(one) = &mut measured.one else { continue };
                let Answer { nanos, undisturbed } = side.turn(threads, operation.turn())?;
                measured.disturbed += usize::from(!undisturbed);
                match threads {
                    1 => one.push(nanos),
                    _ => measured.two.push(undisturbed.then_some(nanos)),
                }
            }
        }
    }
    Ok(all)
}

const FEWEST_TURNS: usize = 9;
