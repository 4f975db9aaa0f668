//! Why the command ends without success: one sentence, and what to do about it where that is known.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use keystead::error::Error;

/// The outcome of everything in the command that can fail.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// The code that the command ends with, other than 0, and 2, which is `clap`'s. docs/exit-codes.md
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It failed.
    Failed = 1,
    /// It was done, but not all of it, or not all is well: what is left has been listed.
    Partly = 3,
    /// Nobody is logged in: the PIN is wrong, locked, not set or nowhere to be had.
    Login = 4,
    /// No token, object or domain is called so.
    NotFound = 5,
}

/// One sentence for standard error.
#[derive(Debug)]
pub struct Failure {
    what: String,
    next: Option<String>,
    exit: Exit,
    /// Nobody reads the output any more, as with `| head`: there is nothing to say and nobody to say it to.
    unread: bool,
}

impl Failure {
    /// What went wrong.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), next: None, exit: Exit::Failed, unread: false }
    }

    /// What to do about it.
    pub fn with_next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    /// The same, with a code that says more than that it failed.
    pub fn with_exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// The failure of a part, with the name of the part in front.
    pub fn of(part: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::new(format!("{part}: {error}"))
    }

    /// The same, said of a part.
    pub fn within(self, part: impl fmt::Display) -> Self {
        Self { what: format!("{part}: {}", self.what), ..self }
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
        ExitCode::from(self.exit as u8)
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
        Self::new(error.to_string()).with_exit(Exit::of(&error))
    }
}

impl Exit {
    /// Of an error of the library.
    pub fn of(error: &Error) -> Self {
        match error {
            Error::PinIncorrect | Error::PinLocked | Error::UserPinNotInitialized | Error::UserNotLoggedIn => {
                Self::Login
            }
            _ => Self::Failed,
        }
    }
}

/// Writing the output failed. Whatever else can fail in input and output says what it was about.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let unread = error.kind() == io::ErrorKind::BrokenPipe;
        Self { unread, ..Self::of("the output cannot be written", error) }
    }
}
