//! `check`: named checks on any module, each in a process that may die.

mod both;
mod child;
mod children;
pub mod code;
mod function;
mod guard;
mod key;
mod mechanism;
mod module;
mod names;
mod operation;
mod report;
mod suite;
mod template;
mod trial;
mod verdict;
mod world;

mod arguments;
mod arrangement;
mod codes;
mod ended;
mod large;
mod lists;
mod login;
mod objects;
mod overlap;
mod parts;
mod rooms;
mod states;
mod templates;
mod together;
mod walk;

pub use child::work;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::failure::{Failure, Result};
use suite::Check;

/// What to check, and of which module.
#[derive(Args)]
pub struct Arguments {
    /// The module
    #[arg(required_unless_present = "list", default_value = "")]
    module: PathBuf,
    /// Use the token in this slot, which somebody else made, instead of making one in a scratch folder
    #[arg(long, requires = "pin")]
    slot: Option<u64>,
    /// The user's PIN of that token
    #[arg(long, env = "PKCS11_TESTS_PIN", hide_env_values = true, requires = "slot")]
    pin: Option<String>,
    /// Only checks whose name contains this; may be given more than once
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Show the checks and their sections, and check nothing
    #[arg(long)]
    list: bool,
    /// Steps of each random walk
    #[arg(long, default_value_t = 10_000)]
    steps: u64,
    /// Seed of the random walks; a random one if it is not given
    #[arg(long)]
    seed: Option<u64>,
    /// Seconds that a check may take without a sign of life
    #[arg(long, default_value_t = 20)]
    timeout: u64,
    /// The result as JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// The result as tables of Markdown: a row per group, then what was not passed
    #[arg(long)]
    markdown: bool,
    /// Let what the module prints through
    #[arg(long)]
    verbose: bool,
}

/// Runs the checks; says whether none failed.
pub fn run(arguments: &Arguments) -> Result<bool> {
    let wanted = |check: &Check| {
        arguments.only.is_empty() || arguments.only.iter().any(|part| check.name().contains(part.as_str()))
    };
    let checks: Vec<Check> = suite::all().into_iter().filter(wanted).collect();
    if checks.is_empty() {
        return Err(Failure::new("no check has such a name; --list shows them"));
    }
    if arguments.list {
        report::list(&checks);
        return Ok(true);
    }
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let plan = children::Plan {
        module: &arguments.module,
        given: arguments.slot.zip(arguments.pin.as_deref()),
        steps: arguments.steps,
        seed,
        patience: Duration::from_secs(arguments.timeout),
        verbose: arguments.verbose,
    };
    let verdicts = plan.run(&checks)?;
    let report = report::Report { module: &arguments.module, seed, steps: arguments.steps, checks: &checks, verdicts };
    match (arguments.json, arguments.markdown) {
        (true, _) => println!("{}", report.json()),
        (_, true) => print!("{}", report.markdown()),
        _ => print!("{}", report.table()),
    }
    Ok(report.is_good())
}
