//! What can go wrong, as a sentence.

use std::fmt;

/// A sentence for whoever runs this.
#[derive(Debug)]
pub struct Failure(String);

/// The outcome of everything here.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// The failure with this sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}
