//! What a side of a synchronisation can be called.

use std::path::PathBuf;

/// One side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A token here.
    Token(String),
    /// A bundle; `-` is a pipe.
    Bundle(PathBuf),
    /// A token behind a command's standard input and output.
    Command(String),
}

impl Endpoint {
    /// What a word on the command line means.
    pub fn parse(word: &str) -> Self {
        match (word.strip_prefix("file:"), word.strip_prefix("exec:")) {
            (Some(path), _) => Self::Bundle(path.into()),
            (_, Some(command)) => Self::Command(command.to_owned()),
            _ if word == "-" || word.ends_with(".keystead") => Self::Bundle(word.into()),
            _ => Self::Token(word.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_nothing_else_is_a_token() {
        for token in ["0", "Prod", "pkcs11:token=file%3Ax", "keystead", "FILE:x", "3f0c64a1d2b87e95", "--"] {
            assert_eq!(Endpoint::parse(token), Endpoint::Token(token.into()));
        }
        for (word, path) in [("-", "-"), ("a.keystead", "a.keystead"), ("file:Prod", "Prod"), ("file:exec:x", "exec:x")]
        {
            assert_eq!(Endpoint::parse(word), Endpoint::Bundle(path.into()));
        }
        assert_eq!(Endpoint::parse("exec:ssh a b.keystead"), Endpoint::Command("ssh a b.keystead".into()));
    }
}
