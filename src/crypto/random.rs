//! Where randomness comes from: the operating system, each time anew; for bytes that are handed out, a generator of each
//! thread that the operating system seeds.

use std::cell::RefCell;
use std::fmt::Display;
use std::num::NonZeroU64;

use crate::error::{Error, Result};
use crate::fork;
use crate::secret::Secret;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng, TryRng};

/// Fills `bytes`. An error means that the operating system has no randomness to give.
pub fn fill(bytes: &mut [u8]) -> Result<()> {
    SysRng.try_fill_bytes(bytes).map_err(none)
}

fn none(error: impl Display) -> Error {
    Error::FunctionFailed(format!("no randomness: {error}").into())
}

/// Fills `bytes` that the caller gets to see, from this thread's generator: a call to the operating system costs more than
/// everything else about a few bytes. Keys are never made of it. The generator is seeded anew after [`RESEED_AFTER`] bytes and in
/// every process: no two processes or threads ever have the same one.
///
/// An error means that the operating system has no randomness to give.
pub fn hand_out(bytes: &mut [u8]) -> Result<()> {
    let epoch = fork::epoch();
    let filled = GENERATOR.try_with(|generator| {
        // Borrowed already only when a signal handler calls in from inside a call.
        let mut generator = generator.try_borrow_mut().ok()?;
        let current = match &mut *generator {
            Some(current) if Some(current.epoch) == epoch && current.left >= bytes.len() => current,
            other => other.insert(Box::new(Generator::new(epoch?)?)),
        };
        current.left = current.left.saturating_sub(bytes.len());
        current.rng.fill_bytes(bytes);
        Some(())
    });
    match filled {
        Ok(Some(())) => Ok(()),
        // The thread is ending and its generator is gone, or there was no seed.
        _ => fill(bytes),
    }
}

/// In bytes: what leaks of a generator's state tells of no more than about so many bytes of its past and future.
const RESEED_AFTER: usize = 64 * 1024;

thread_local! {
    /// Boxed: thread-local storage of a library that is loaded later is scarce.
    static GENERATOR: RefCell<Option<Box<Generator>>> = const { RefCell::new(None) };
}

struct Generator {
    rng: StdRng,
    /// What has to be the same for the generator to be this process's.
    epoch: NonZeroU64,
    /// The bytes until it is seeded anew.
    left: usize,
}

impl Generator {
    #[cold]
    fn new(epoch: NonZeroU64) -> Option<Self> {
        let rng = generator().ok()?;
        Some(Self { rng, epoch, left: RESEED_AFTER })
    }
}

/// A generator for one use, seeded by the operating system.
pub(super) fn generator() -> Result<StdRng> {
    StdRng::try_from_rng(&mut SysRng).map_err(none)
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
    use std::collections::HashSet;

    fn handed_out() -> [u8; 16] {
        let mut bytes = [0; 16];
        hand_out(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn no_two_threads_hand_out_the_same() {
        let draw = || (0..500).map(|_| handed_out()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(draw)).collect();
        let all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).chain(draw()).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    #[test]
    fn a_generator_is_seeded_anew_after_its_share_and_in_another_process() {
        let set =
            |change: fn(&mut Generator)| GENERATOR.with_borrow_mut(|generator| change(generator.as_mut().unwrap()));
        let left = || GENERATOR.with_borrow(|generator| generator.as_ref().unwrap().left);
        handed_out();
        let before = left();
        handed_out();
        assert_eq!(left(), before - 16);
        set(|generator| generator.left = 15);
        handed_out();
        assert_eq!(left(), RESEED_AFTER - 16);
        handed_out();
        set(|generator| generator.epoch = generator.epoch.checked_add(1).unwrap());
        handed_out();
        assert_eq!(left(), RESEED_AFTER - 16);
        // Longer than a share: whole, and the next draw has a new seed.
        let mut long = vec![0; 2 * RESEED_AFTER];
        hand_out(&mut long).unwrap();
        assert!(long.chunks(16).all(|chunk| chunk != [0; 16]));
        assert_eq!(left(), 0);
    }

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
