//! Tokens in SQLite files: being built.
