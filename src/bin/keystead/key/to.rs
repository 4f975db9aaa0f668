//! Where a file goes that a subcommand writes, and what is said of it.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::failure::{Failure, Result};
use crate::file::Output;
use crate::output::{Form, Word};

/// The options that say where it goes.
#[derive(clap::Args)]
pub struct To {
    /// The new file; - is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,

    /// Replaces the file if it is there already
    #[arg(long)]
    force: bool,
}

impl To {
    /// Whether it can be written there, before anything is asked for.
    pub fn check(&self, binary: bool, form: Form) -> Result<()> {
        if !self.is_stdout() {
            return Ok(());
        }
        if form == Form::Json {
            crate::misused("standard output is for the file: name one with --out, or leave --json out");
        }
        if binary && io::stdout().is_terminal() {
            return Err(
                Failure::new("this is nothing for a terminal").with_next("name a file with --out, or use a pipe")
            );
        }
        Ok(())
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, content: &[u8]) -> Result<()> {
        let mut output = Output::new(&self.out, self.force)?;
        output.write_all(content)?;
        output.place()
    }

    /// Says what was done, where standard output is free for that.
    pub fn report<T: Serialize>(&self, report: &T, words: &[(&str, Word)], form: Form) -> Result<()> {
        if self.is_stdout() { Ok(()) } else { form.record(report, words) }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.out
    }

    /// Whether standard output is the file.
    pub fn is_stdout(&self) -> bool {
        self.out == Path::new("-")
    }
}
