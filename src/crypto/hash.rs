//! SHA-1 and SHA-2 (FIPS 180-4), SHA-3 (FIPS 202).

use sha3::digest::common::hazmat::{SerializableState, SerializedState};
use sha3::digest::{Digest, FixedOutputReset};
use zeroize::{Zeroize, Zeroizing};

/// The hash functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// SHA-1. Collisions have been found; for HMAC, and for formats that ask for it.
    Sha1,
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
    /// SHA3-224.
    Sha3_224,
    /// SHA3-256.
    Sha3_256,
    /// SHA3-384.
    Sha3_384,
    /// SHA3-512.
    Sha3_512,
}

impl Algorithm {
    /// The longest block in bytes.
    pub const LONGEST_BLOCK: usize = 144;

    /// The length of the hash in bytes.
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 | Self::Sha512_224 | Self::Sha3_224 => 28,
            Self::Sha256 | Self::Sha512_256 | Self::Sha3_256 => 32,
            Self::Sha384 | Self::Sha3_384 => 48,
            Self::Sha512 | Self::Sha3_512 => 64,
        }
    }

    /// The length of a block in bytes. For SHA-3 it is the rate: FIPS 202, table 3.
    pub const fn block_len(self) -> usize {
        match self {
            Self::Sha1 | Self::Sha224 | Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 | Self::Sha512_224 | Self::Sha512_256 => 128,
            Self::Sha3_224 => 144,
            Self::Sha3_256 => 136,
            Self::Sha3_384 => 104,
            Self::Sha3_512 => 72,
        }
    }
}

/// Hands the list of functions to another macro: the name of each, and its state.
macro_rules! functions {
    ($then:ident) => {
        $then! {
            Sha1: $crate::crypto::ffi::sha::Sha1,
            Sha224: $crate::crypto::ffi::sha::Sha224,
            Sha256: $crate::crypto::ffi::sha::Sha256,
            Sha384: $crate::crypto::ffi::sha::Sha384,
            Sha512: $crate::crypto::ffi::sha::Sha512,
            Sha512_224: $crate::crypto::ffi::sha::Sha512_224,
            Sha512_256: $crate::crypto::ffi::sha::Sha512_256,
            Sha3_224: $crate::crypto::hash::Crate<sha3::Sha3_224>,
            Sha3_256: $crate::crypto::hash::Crate<sha3::Sha3_256>,
            Sha3_384: $crate::crypto::hash::Crate<sha3::Sha3_384>,
            Sha3_512: $crate::crypto::hash::Crate<sha3::Sha3_512>,
        }
    };
}
pub(super) use functions;

/// One hash function: a state that can be copied, and is wiped when dropped.
pub(super) trait Function: Clone {
    /// The state before any data.
    fn new() -> Self;
    /// Adds `data`.
    fn update(&mut self, data: &[u8]);
    /// The hash of all data added, after which the state is of no more use.
    fn finish(&mut self) -> Output;
    /// The state as bytes, which tell as much as what went in.
    fn save(&self) -> Zeroizing<Vec<u8>>;
    /// The state again; `None` for bytes that are none.
    fn restore(saved: &[u8]) -> Option<Self>;
}

/// A hash under way; its state is wiped when dropped.
#[derive(Clone)]
pub struct Hash(State);

/// The states, and what is done alike with each.
macro_rules! states {
    ($($name:ident: $state:ty),* $(,)?) => {
        #[derive(Clone)]
        enum State {
            $($name($state)),*
        }

        impl Hash {
            /// Begins a hash.
            pub fn new(algorithm: Algorithm) -> Self {
                Self(match algorithm {
                    $(Algorithm::$name => State::$name(Function::new())),*
                })
            }

            /// The hash of a whole message.
            pub fn whole(algorithm: Algorithm, data: &[u8]) -> Output {
                match algorithm {
                    $(Algorithm::$name => {
                        let mut state = <$state as Function>::new();
                        state.update(data);
                        state.finish()
                    }),*
                }
            }

            /// Adds `data`.
            pub fn update(&mut self, data: &[u8]) {
                match &mut self.0 {
                    $(State::$name(state) => Function::update(state, data)),*
                }
            }

            /// The state as bytes, which tell as much as what went in: a key, perhaps.
            pub fn save(&self) -> Zeroizing<Vec<u8>> {
                match &self.0 {
                    $(State::$name(state) => Function::save(state)),*
                }
            }

            /// The state that was saved; `None` for bytes that are no state of this function.
            pub fn restore(algorithm: Algorithm, saved: &[u8]) -> Option<Self> {
                Some(Self(match algorithm {
                    $(Algorithm::$name => State::$name(Function::restore(saved)?)),*
                }))
            }

            /// The hash of all data added, after which the state is of no more use. It is not taken by value: moving it would
            /// cost a good part of hashing a block.
            pub fn finish(&mut self) -> Output {
                match &mut self.0 {
                    $(State::$name(state) => Function::finish(state)),*
                }
            }
        }
    };
}

functions!(states);

/// A function of the crate `sha3`: AWS-LC does not offer their states.
#[derive(Clone)]
pub(super) struct Crate<D>(D);

impl<D: Digest + FixedOutputReset + SerializableState + Clone> Function for Crate<D> {
    fn new() -> Self {
        Self(D::new())
    }

    fn update(&mut self, data: &[u8]) {
        Digest::update(&mut self.0, data);
    }

    fn finish(&mut self) -> Output {
        Output::new(&self.0.finalize_reset())
    }

    fn save(&self) -> Zeroizing<Vec<u8>> {
        let mut state = self.0.serialize();
        let saved = Zeroizing::new(state.to_vec());
        state.as_mut_slice().zeroize();
        saved
    }

    fn restore(saved: &[u8]) -> Option<Self> {
        let saved: &SerializedState<D> = saved.try_into().ok()?;
        D::deserialize(saved).ok().map(Self)
    }
}

/// A hash or a MAC, wiped when dropped, for it may be a key to somebody.
pub struct Output {
    bytes: [u8; Output::LONGEST],
    length: usize,
}

impl Output {
    /// The length of the longest in bytes.
    pub const LONGEST: usize = 64;

    /// A copy of `digest`, which has no more than [`LONGEST`](Self::LONGEST) bytes.
    pub fn new(digest: &[u8]) -> Self {
        let mut output = Self { bytes: [0; Self::LONGEST], length: digest.len() };
        if let Some(bytes) = output.bytes.get_mut(..digest.len()) {
            bytes.copy_from_slice(digest);
        }
        output
    }

    /// The first `length` bytes, or all if there are fewer.
    pub fn cut(mut self, length: usize) -> Self {
        self.length = self.length.min(length);
        self
    }
}

impl AsRef<[u8]> for Output {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // As a slice: an array is wiped byte by byte.
        self.bytes.as_mut_slice().zeroize();
    }
}

/// SHA-256 of these bytes, one after the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Hash::new(Algorithm::Sha256);
    parts.iter().for_each(|part| hash.update(part));
    hash.finish().as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    macro_rules! names {
        ($($name:ident: $state:ty),* $(,)?) => {
            [$(Algorithm::$name),*]
        };
    }

    #[test]
    fn only_states_of_the_function_are_restored() {
        for algorithm in functions!(names) {
            let mut hash = Hash::new(algorithm);
            hash.update(b"text");
            let saved = hash.save();
            let mut restored = Hash::restore(algorithm, &saved).unwrap();
            assert_eq!(restored.finish().as_ref(), hash.finish().as_ref());
            for length in [0, 1, saved.len() - 1] {
                assert!(Hash::restore(algorithm, &saved[..length]).is_none(), "{algorithm:?}");
            }
            assert!(Hash::restore(algorithm, &[&saved[..], &[0]].concat()).is_none(), "{algorithm:?}");
            // The last byte says how much of a block waits; a whole block never does.
            let mut full = saved.to_vec();
            *full.last_mut().unwrap() = algorithm.block_len() as u8;
            assert!(Hash::restore(algorithm, &full).is_none(), "{algorithm:?}");
        }
    }
}
