//! Loads any PKCS#11 module by its function table, measures it against another one and against the bare primitive, and
//! checks what it answers against the standard.

mod bench;
mod check;
mod failure;
mod figure;
mod module;
mod stores;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tries out PKCS#11 modules.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Time per operation of modules side by side, and of the primitive without a module
    Bench(bench::Arguments),
    /// One side of a benchmark, in a process of its own; talks to `bench` over standard input and output
    #[command(hide = true)]
    Worker(bench::WorkerArguments),
    /// What a store of many token objects costs: to start, to search, to write to, to list
    Stores(stores::Arguments),
    /// One measurement of one module, in a process of its own; tells `stores` what it took
    #[command(hide = true)]
    StoresWorker(stores::WorkerArguments),
    /// Named checks of what a module answers, each with the section of the standard that says what is right
    Check(check::Arguments),
    /// A process that runs checks and may die of it; talks to `check` over standard input and output
    #[command(hide = true)]
    CheckWorker,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Worker(arguments) => bench::work(&arguments).map(|()| true),
        Command::Stores(arguments) => stores::run(&arguments).map(|()| true),
        Command::StoresWorker(arguments) => stores::work(&arguments).map(|()| true),
        Command::Check(arguments) => check::run(&arguments),
        Command::CheckWorker => check::work().map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("pkcs11-tests: {failure}");
            ExitCode::FAILURE
        }
    }
}
