//! Randomness. PKCS#11 3.2, section 5.20. No login is needed, and a read-only session will do.

use super::Sessions;
use crate::crypto;
use crate::error::{Error, Result};
use crate::handle::Handle;

impl Sessions {
    /// `C_GenerateRandom`
    pub fn random(&self, session: Handle, into: &mut [u8]) -> Result<()> {
        self.with(session, |_| crypto::random::hand_out(into))
    }

    /// `C_SeedRandom`: the operating system seeds itself.
    pub fn seed(&self, session: Handle) -> Result<()> {
        self.with(session, |_| Err(Error::RandomSeedNotSupported))
    }
}
