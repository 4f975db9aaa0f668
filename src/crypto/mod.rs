//! Small safe wrappers over the crypto crates. This room knows nothing of PKCS#11.
//!
//! Measured, the faster crate carries each row and the other one is the oracle of the tests: AES blocks, CBC, CTR, GCM,
//! key wrap, SHA-1, SHA-2, RSA and elliptic curves are AWS-LC (every call to it is in `ffi`), ECB `aes`, SHA-3 `sha3`, HKDF
//! `aws-lc-rs`, Argon2 `argon2`, Ed25519ctx without a context `ed25519-dalek`; CMAC, HMAC and the KDFs of hashes are built from these. Randomness comes from [`random`];
//! what AWS-LC draws itself (nonces, blinding, primes) it draws inside a gate that `fork` waits for.

pub mod aes;
pub mod cmac;
pub mod der;
pub mod ec;
pub mod ecb;
pub mod edwards;
mod empty_context;
pub mod gcm;
pub mod hash;
pub mod hmac;
pub mod hpke;
pub mod in_out;
pub mod kdf;
pub mod keywrap;
pub mod montgomery;
mod pair;
pub mod random;
pub mod rsa;
pub mod sum;

mod ffi;

pub use crate::secret::equal;
pub use ffi::thread::{first_draw, settle as settle_thread};
pub use hash::Output;
pub use in_out::InOut;
pub use pair::{PrivateKey, PublicKey};

/// The input did not authenticate, or is not valid. Callers know what that means for theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected;

#[cfg(test)]
mod tests;
