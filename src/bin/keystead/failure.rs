//! Why the command ends without success: one sentence, and what to do about it where that is known.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use keystead::error::Error;

/// The outcome of everything in the command that can fail.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// One sentence for standard error.
#[derive(Debug)]
pub struct Failure {
    what: String,
    next: Option<String>,
    /// Nobody reads the output any more, as with `| head`: there is nothing to say and nobody to say it to.
    unread: bool,
}

impl Failure {
    /// What went wrong.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), next: None, unread: false }
    }

    /// What to do about it.
    pub fn with_next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    /// The failure of a part, with the name of the part in front.
    pub fn of(part: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::new(format!("{part}: {error}"))
    }

    /// What went wrong, and what to do about it where that is known.
    pub fn into_parts(self) -> (String, Option<String>) {
        (self.what, self.next)
    }

    /// Says it on standard error and chooses the exit code.
    pub fn report(&self) -> ExitCode {
        if self.unread {
            return ExitCode::SUCCESS;
        }
        self.say();
        ExitCode::FAILURE
    }

    /// Says it on standard error; if that cannot be written either, nobody is told.
    pub fn say(&self) {
        let _ = writeln!(io::stderr(), "keystead: {self}");
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.next.as_ref().map_or(Ok(()), |next| write!(f, "; {next}"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error.to_string())
    }
}

/// Writing the output failed. Whatever else can fail in input and output says what it was about.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let unread = error.kind() == io::ErrorKind::BrokenPipe;
        Self { unread, ..Self::of("the output cannot be written", error) }
    }
}
