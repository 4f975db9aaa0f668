//! What goes from one machine to the other as a file, and what is told of it here.

use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use serde::Serialize;

use crate::failure::{Failure, Result};
use crate::file::{Output, input};
use crate::output::{Form, Word};

/// A file for the other machine.
pub struct Parcel {
    output: Output,
    form: Form,
}

impl Parcel {
    /// Begins it; `-` is standard output.
    pub fn new(path: &Path, replaces: bool, form: Form) -> Result<Self> {
        if path.as_os_str() == "-" && form == Form::Json {
            crate::misused("standard output is for the file: leave --json out");
        }
        Ok(Self { output: Output::new(path, replaces)?, form })
    }

    /// Sends it off, and tells of it: on standard error, where standard output is taken.
    pub fn send<T: Serialize>(mut self, text: &str, told: &T, words: &[(&str, String)]) -> Result<()> {
        let taken = matches!(self.output, Output::Stdout(_));
        self.output.write_all(text.as_bytes())?;
        self.output.place()?;
        if !taken {
            let words: Vec<_> = words.iter().map(|(name, text)| (*name, Word::plain(text))).collect();
            return self.form.record(told, &words);
        }
        for (name, text) in words {
            // Nobody is to take this for the file.
            let _ = writeln!(io::stderr(), "{name}: {}", Word::plain(text).text());
        }
        Ok(())
    }
}

/// What came from the other machine; `-` is standard input.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    if path.as_os_str() == "-" && io::stdin().is_terminal() {
        return Err(Failure::new("nothing is to be typed here").with_next("name a file, or use a pipe"));
    }
    let mut text = Vec::new();
    let read = input(path)?.take(LONGEST).read_to_end(&mut text);
    read.map(|_| text).map_err(|error| Failure::of(path.display(), error))
}

/// Far more than any of them has, in bytes.
const LONGEST: u64 = 1024 * 1024;
