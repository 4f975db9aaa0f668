//! The client of another PKCS#11 module: as much of it as taking keys out needs.
//!
//! Not the crate `cryptoki`: its release 0.12 has neither `CKM_AES_KEY_WRAP_KWP` nor `CKM_RSA_AES_KEY_WRAP`, knows not all
//! attributes, and leaves copies of what it reads in memory that nobody wipes.

mod library;
mod mechanism;
mod refused;
mod session;

pub use library::{Library, TokenInfo};
pub use mechanism::{Hash, Mechanism};
pub use refused::Refused;
pub use session::{Object, Session};
