//! What no caller may make Keystead do, looked for with random inputs.
//!
//! Each target takes bytes, makes calls of them, and panics if a promise is broken: [`template`] goes through the typed
//! templates, objects, records and searches; [`mechanism`] goes through the C functions. The promises are written in the
//! functions, so a finding is more than a crash.
//!
//! `make fuzz` runs both under libFuzzer; `fuzz/run` says how. What was found becomes a file in `corpus/` and a test.

// A finding is a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod arena;
mod attributes;
mod cipher;
mod dual;
mod input;
mod keys;
mod library;
mod login;
mod mac;
mod mechanism;
mod parameter;
mod recover;
mod saved;
mod template;

pub use mechanism::mechanism;
pub use template::template;
