//! SHA-2: FIPS 180-4.

use sha2::digest::{Digest, Update};
use zeroize::Zeroize;

/// The hash functions of the SHA-2 family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SHA-512/224.
    Sha512_224,
    /// SHA-512/256.
    Sha512_256,
}

impl Algorithm {
    /// The length of the hash in bytes.
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha224 | Self::Sha512_224 => 28,
            Self::Sha256 | Self::Sha512_256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The length of a block in bytes.
    pub const fn block_len(self) -> usize {
        match self {
            Self::Sha224 | Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 | Self::Sha512_224 | Self::Sha512_256 => 128,
        }
    }
}

/// A hash under way; its state is wiped when dropped.
#[derive(Clone)]
pub struct Hash(State);

impl Hash {
    /// Begins a hash.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha224 => State::Sha224(Digest::new()),
            Algorithm::Sha256 => State::Sha256(Digest::new()),
            Algorithm::Sha384 => State::Sha384(Digest::new()),
            Algorithm::Sha512 => State::Sha512(Digest::new()),
            Algorithm::Sha512_224 => State::Sha512_224(Digest::new()),
            Algorithm::Sha512_256 => State::Sha512_256(Digest::new()),
        })
    }

    /// Adds `data`.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            State::Sha224(state) => Update::update(state, data),
            State::Sha256(state) => Update::update(state, data),
            State::Sha384(state) => Update::update(state, data),
            State::Sha512(state) => Update::update(state, data),
            State::Sha512_224(state) => Update::update(state, data),
            State::Sha512_256(state) => Update::update(state, data),
        }
    }

    /// The hash of all data added.
    pub fn finish(self) -> Output {
        match self.0 {
            State::Sha224(state) => Output::new(&state.finalize()),
            State::Sha256(state) => Output::new(&state.finalize()),
            State::Sha384(state) => Output::new(&state.finalize()),
            State::Sha512(state) => Output::new(&state.finalize()),
            State::Sha512_224(state) => Output::new(&state.finalize()),
            State::Sha512_256(state) => Output::new(&state.finalize()),
        }
    }
}

#[derive(Clone)]
enum State {
    Sha224(sha2::Sha224),
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
    Sha512_224(sha2::Sha512_224),
    Sha512_256(sha2::Sha512_256),
}

/// A hash or an HMAC, wiped when dropped, for it may be a key to somebody.
pub struct Output {
    bytes: [u8; Output::LONGEST],
    length: usize,
}

impl Output {
    /// The length of the longest in bytes.
    pub const LONGEST: usize = 64;

    /// A copy of `digest`, of which no more than [`LONGEST`](Self::LONGEST) bytes are taken.
    pub fn new(digest: &[u8]) -> Self {
        let mut output = Self { bytes: [0; Self::LONGEST], length: digest.len() };
        for (to, from) in output.bytes.iter_mut().zip(digest) {
            *to = *from;
        }
        output
    }
}

impl AsRef<[u8]> for Output {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}
