//! Loads any PKCS#11 module by its function table and measures it against another one and against the bare primitive.

mod bench;
mod failure;
mod module;
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
    /// Time per operation of two modules, and of the primitive without a module
    Bench(bench::Arguments),
    /// One side of a benchmark, in a process of its own; talks to `bench` over standard input and output
    #[command(hide = true)]
    Worker(bench::WorkerArguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Worker(arguments) => bench::work(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("pkcs11-tests: {failure}");
            ExitCode::FAILURE
        }
    }
}
