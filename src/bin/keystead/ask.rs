//! Asks before something is done that cannot be undone.

use std::io::{self, IsTerminal, Write};

use crate::failure::{Failure, Result};

/// A question whose answer has to be typed in full.
pub struct Asked<'a> {
    /// What stands against it where nobody can be asked.
    pub what: String,
    /// What will happen, as a sentence.
    pub warning: String,
    /// What has to be typed.
    pub answer: &'a str,
    /// What that is called in the question.
    pub described: &'a str,
}

impl Asked<'_> {
    /// Asks on the terminal, unless `--yes` was said already.
    pub fn unless(&self, yes: bool) -> Result<()> {
        self.unless_said(yes, "--yes")
    }

    /// Asks on the terminal, unless an option has said it already.
    pub fn unless_said(&self, said: bool, option: &str) -> Result<()> {
        if said {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::new(&self.what).with_next(format!("pass {option} if that is what you want")));
        }
        let _ = write!(io::stderr(), "{} Type {} to go on: ", self.warning, self.described);
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map_err(|error| Failure::of("no answer", error))?;
        if answer.trim() == self.answer.trim() { Ok(()) } else { Err(Failure::new("nothing was changed")) }
    }
}
