//! What can go wrong, as a sentence.

use std::fmt;

use cryptoki_sys::CK_RV;

use crate::check::code;

/// A sentence for whoever runs this.
#[derive(Debug)]
pub struct Failure {
    sentence: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A function of a module answered this.
    Code(CK_RV),
    /// A module said that all was well, and its result is wrong.
    WrongResult,
    Other,
}

/// The outcome of everything here.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// The failure with this sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), kind: Kind::Other }
    }

    /// The failure of a function of a module.
    pub fn of_call(function: &str, code: CK_RV) -> Self {
        Self { sentence: format!("{function}: {}", code::name(code)), kind: Kind::Code(code) }
    }

    /// A module said that all was well, and its result is wrong.
    pub fn wrong_result(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), kind: Kind::WrongResult }
    }

    /// What the module's function answered.
    pub fn code(&self) -> Option<CK_RV> {
        if let Kind::Code(code) = self.kind { Some(code) } else { None }
    }

    /// Whether a result was wrong.
    pub fn is_wrong_result(&self) -> bool {
        self.kind == Kind::WrongResult
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}
