//! The command, run as a program.

// A test says what it expects by panicking.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod backup;
mod crossing;
mod demo;
mod destroy;
mod doctor;
mod fill;
mod generate;
mod home;
mod import;
mod init;
mod keys;
mod pins;
mod salvage;
mod show;
mod terminal;
mod usage;
mod verify;
mod witness;
mod wrapped_file;
mod wrapping;
