//! CMAC over AES: NIST SP 800-38B.

use super::{Rejected, ffi};
use crate::error::{Error, Result};

/// A prepared AES key, which begins any number of MACs.
pub struct CmacKey(ffi::cmac::Context);

impl CmacKey {
    /// Takes a key of 16, 24 or 32 bytes and rejects any other length.
    pub fn new(key: &[u8]) -> Result<Self, Rejected> {
        ffi::cmac::Context::new(key).map(Self)
    }

    /// Begins a MAC. Errors: [`Error::HostMemory`].
    pub fn begin(&self) -> Result<Cmac> {
        Ok(Cmac { context: self.0.copy()?, whole: true })
    }
}

/// A MAC under way.
pub struct Cmac {
    context: ffi::cmac::Context,
    whole: bool,
}

impl Cmac {
    /// The length of the whole MAC in bytes.
    pub const LENGTH: usize = 16;

    /// Adds `data`.
    pub fn update(&mut self, data: &[u8]) {
        self.whole &= self.context.update(data);
    }

    /// The whole MAC; shorter ones are its first bytes. An error is a fault of the crypto library.
    pub fn finish(self) -> Result<[u8; Self::LENGTH]> {
        let mac = if self.whole { self.context.finish() } else { None };
        mac.ok_or_else(|| Error::GeneralError("CMAC failed".into()))
    }
}
