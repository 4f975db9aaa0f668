//! The command, run as a program.

// A test says what it expects by panicking.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod backup;
mod crossing;
mod demo;
mod destroy;
mod doctor;
mod domain;
mod exits;
mod fill;
mod generate;
mod home;
mod import;
mod init;
mod keys;
mod migrate;
mod pins;
mod salvage;
mod show;
mod sync;
mod terminal;
mod usage;
mod verify;
mod witness;
mod wrapped_file;
mod wrapping;
