//! Tokens in SQLite files: the engine that users get. `docs/store.md` specifies the files.
//!
//! ```text
//! folder      the folder: which slots there are, how a token comes to be, what stands against opening one
//! folder_lock the lock under which tokens are made, and the next slot number
//! new_file    how files and folders come to be: mode and owner
//! removal     how a token is removed
//! survey      what lies in the folder, for who looks after it
//! token       one token: the statements behind each call of `Store`
//! whole       a whole token read as of one moment, and written anew
//! carve       rows out of a file that SQLite may not be able to read
//! pool        the connections to one token's file
//! commits     the commits of this process's threads, of which one leads
//! queue       the queue of processes for the turn to commit
//! notice      whether there was a commit, without asking SQLite
//! connection  how a connection is opened: read-write, read-only, or on media that cannot change
//! schema      the tables and the format's version
//! witness     what knows, outside the store, in which state the token is
//! witness_file the file of one token's witness
//! upgrade     how a file of an older format becomes one of this
//! gate        what keeps SQLite and `fork` apart: the registry of open stores, and the gate
//! descriptors what SQLite has open, and whether the host has left it so
//! file_system which file systems a token may lie on
//! failure     what SQLite's and the system's error codes mean to a caller
//! patience    bounded waiting
//! system      the calls into libc and SQLite that need `unsafe`
//! ```

mod carve;
mod commits;
mod connection;
mod descriptors;
mod failure;
mod file_system;
mod folder;
mod folder_lock;
mod gate;
mod new_file;
mod notice;
mod patience;
mod pool;
mod queue;
mod removal;
mod schema;
mod survey;
mod system;
#[cfg(test)]
mod tests;
mod token;
mod upgrade;
mod whole;
mod witness;
mod witness_file;

pub use carve::{Carving, Found, Place};
pub use folder::SqliteFolder;
pub use schema::FORMAT;
pub use survey::{Entry, Survey, What, slot_of};
