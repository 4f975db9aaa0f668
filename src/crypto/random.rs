//! Where randomness comes from: the operating system, each time anew.

use crate::error::{Error, Result};
use crate::secret::Secret;
use rand::TryRng;
use rand::rngs::SysRng;

/// Fills `bytes`. An error means that the operating system has no randomness to give.
pub fn fill(bytes: &mut [u8]) -> Result<()> {
    SysRng.try_fill_bytes(bytes).map_err(|error| Error::FunctionFailed(format!("no randomness: {error}").into()))
}

/// A fresh secret of `length` bytes.
pub fn secret(length: usize) -> Result<Secret> {
    let mut secret = Secret::zeroed(length);
    fill(secret.expose_mut())?;
    Ok(secret)
}

/// `N` fresh bytes that need not be kept secret: salts, nonces, identifiers.
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn two_draws_differ_and_fill_every_byte() {
        assert!(secret(32).unwrap() != secret(32).unwrap());
        assert_ne!(bytes::<16>().unwrap(), bytes::<16>().unwrap());
        // The chance that a byte is zero 64 times in a row is 2^-512.
        let mut seen = [0u8; 40];
        for _ in 0..64 {
            for (seen, byte) in seen.iter_mut().zip(bytes::<40>().unwrap()) {
                *seen |= byte;
            }
        }
        assert!(seen.iter().all(|&byte| byte != 0));
    }
}
