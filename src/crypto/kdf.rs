//! Keys from secrets (HKDF), from secrets just agreed (X9.63, SP 800-56C), from PINs (Argon2id) and from passphrases that other
//! programs share (PBKDF2).

use std::num::NonZeroU32;

use super::Rejected;
use super::hash::{Algorithm, Hash};
use crate::error::{Error, Result};
use crate::secret::Secret;
use argon2::{Argon2, Block, Params, Version};
use aws_lc_rs::{hkdf, pbkdf2};
use zeroize::{Zeroize, Zeroizing};

/// HKDF with SHA-256: RFC 5869. The parts of `info` are joined as they are: the caller sees to it that different uses
/// cannot meet.
///
/// Errors: [`Error::GeneralError`] when `length` is over 8,160 bytes.
pub fn hkdf_sha256(ikm: &Secret, salt: &[u8], info: &[&[u8]], length: usize) -> Result<Secret> {
    let failed = |_| Error::GeneralError("HKDF failed".into());
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(ikm.expose());
    let mut okm = Secret::zeroed(length);
    prk.expand(info, Length(length)).map_err(failed)?.fill(okm.expose_mut()).map_err(failed)?;
    Ok(okm)
}

/// PBKDF2 with the HMAC of one of these hashes: RFC 8018, section 5.2. Rejects other hashes and no iterations.
pub fn pbkdf2(
    algorithm: Algorithm,
    password: &Secret,
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Result<Secret, Rejected> {
    let hmac = match algorithm {
        Algorithm::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Algorithm::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Algorithm::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
        Algorithm::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return Err(Rejected),
    };
    let mut key = Secret::zeroed(length);
    let iterations = NonZeroU32::new(iterations).ok_or(Rejected)?;
    pbkdf2::derive(hmac, iterations, salt, password.expose(), key.expose_mut());
    Ok(key)
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// The key derivation function of ANSI X9.63: SEC 1, section 3.6.1. Hashes the agreed secret `z`, a counter, and what
/// both sides know. Rejects more than 2^32 - 1 hashes.
pub fn x963(algorithm: Algorithm, z: &Secret, shared: &[u8], length: usize) -> Result<Secret, Rejected> {
    concatenated(algorithm, z.expose(), &[shared], length)
}

/// The one-step key derivation with a hash function: SP 800-56C revision 2, section 4.1, option 1. Hashes a counter, the
/// agreed secret `z`, and what both sides know. Rejects more than 2^32 - 1 hashes.
pub fn one_step(algorithm: Algorithm, z: &Secret, shared: &[u8], length: usize) -> Result<Secret, Rejected> {
    concatenated(algorithm, &[], &[z.expose(), shared], length)
}

/// One hash after another of a counter, 32 bits from 1 on, with these before and behind it.
fn concatenated(algorithm: Algorithm, before: &[u8], behind: &[&[u8]], length: usize) -> Result<Secret, Rejected> {
    if u32::try_from(length.div_ceil(algorithm.output_len())).is_err() {
        return Err(Rejected);
    }
    let mut key = Secret::zeroed(length);
    for (counter, chunk) in (1..=u32::MAX).zip(key.expose_mut().chunks_mut(algorithm.output_len())) {
        let mut hash = Hash::new(algorithm);
        hash.update(before);
        hash.update(&counter.to_be_bytes());
        behind.iter().for_each(|part| hash.update(part));
        chunk.iter_mut().zip(hash.finish().as_ref()).for_each(|(byte, hash)| *byte = *hash);
    }
    Ok(key)
}

/// What one guess of a PIN costs: RFC 9106, section 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory in KiB, at least 8 for each lane.
    pub memory_kib: u32,
    /// Passes over the memory, at least 1.
    pub passes: u32,
    /// Lanes, at least 1. They are computed one after another: this library starts no threads.
    pub lanes: u32,
}

impl Argon2Cost {
    /// 19 MiB, two passes, one lane.
    pub const DEFAULT: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };

    /// The most that is believed of a file: 1 GiB, 64 passes, 64 lanes. Beyond it a damaged or forged row would take the
    /// host's memory away or never end.
    pub const HIGHEST: Self = Self { memory_kib: 1024 * 1024, passes: 64, lanes: 64 };

    /// Whether [`argon2id`] takes it.
    pub fn is_valid(&self) -> bool {
        (1..=Self::HIGHEST.passes).contains(&self.passes)
            && (1..=Self::HIGHEST.lanes).contains(&self.lanes)
            && (8u32.saturating_mul(self.lanes)..=Self::HIGHEST.memory_kib).contains(&self.memory_kib)
    }
}

/// Argon2id version 1.3: RFC 9106. `salt` has 8 bytes or more; the result has 32.
///
/// Errors: [`Error::GeneralError`] for a cost that is not valid or a short salt, [`Error::HostMemory`].
pub fn argon2id(pin: &[u8], salt: &[u8], cost: Argon2Cost) -> Result<Secret> {
    let failed = |error| Error::GeneralError(format!("Argon2id: {error}").into());
    if !cost.is_valid() {
        return Err(Error::GeneralError("Argon2id: the cost is out of bounds".into()));
    }
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEK)).map_err(failed)?;
    let mut memory = Zeroizing::new(Memory(Vec::new()));
    let blocks = params.block_count();
    memory.0.try_reserve_exact(blocks).map_err(|_| Error::HostMemory("for hashing a PIN"))?;
    memory.0.resize(blocks, Block::new());
    let mut key = Secret::zeroed(KEK);
    Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(pin, salt, key.expose_mut(), &mut memory.0[..])
        .map_err(failed)?;
    Ok(key)
}

/// The length of the result in bytes.
const KEK: usize = 32;

/// The working memory, from whose end the result could be computed.
struct Memory(Vec<Block>);

impl Zeroize for Memory {
    fn zeroize(&mut self) {
        self.0.iter_mut().for_each(Zeroize::zeroize);
    }
}
