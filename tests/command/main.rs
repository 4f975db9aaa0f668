//! The command, run as a program.

// A test says what it expects by panicking.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod backup;
mod demo;
mod destroy;
mod doctor;
mod domain;
mod exits;
mod fill;
mod home;
mod init;
mod keys;
mod pins;
mod salvage;
mod show;
mod sync;
mod terminal;
mod usage;
mod verify;
mod witness;
