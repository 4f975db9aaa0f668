//! Keystead: a PKCS#11 provider whose keys never leave it in the clear.
//!
//! `ARCHITECTURE.md` is the map of these rooms: the floors, the life of one call, the locks.

pub mod abi;
pub mod config;
pub mod crypto;
pub mod error;
pub mod fork;
pub mod handle;
pub mod key;
pub mod lock;
pub mod log;
pub mod mechanism;
pub mod module;
pub mod object;
pub mod seal;
pub mod secret;
pub mod session;
pub mod slot;
pub mod store;
pub mod system;
pub mod token;
pub mod transfer;
