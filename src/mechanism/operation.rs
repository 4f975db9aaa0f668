//! What an active operation can be asked to do.

use super::aead::{GcmDecrypting, GcmEncrypting};
use super::aes::{BlockDecrypting, BlockEncrypting};
use super::counter::Counting;
use super::prepared::Keyed;
use super::rsa::{RsaDecrypting, RsaEncrypting};
use super::wrap_data::{KeyUnwrapping, KeyWrapping};
use crate::crypto::InOut;
use crate::error::{Error, Result};

/// Encryption or decryption. Lengths are upper bounds in bytes, exact wherever the mechanism allows it. A call that fails
/// with [`BufferTooSmall`](crate::error::Error::BufferTooSmall) leaves the operation as it was; after any other error the
/// operation is over.
pub trait Cipher {
    /// How much the whole message of `input` bytes gives.
    fn whole_length(&self, input: usize) -> Result<usize>;

    /// Whether the whole or the end looks at the room itself: where the result may be shorter than announced, so that a buffer
    /// which seems too small may suffice, or where something else has to be judged first.
    fn judges_room(&self) -> bool {
        false
    }

    /// Works on the whole message at once.
    fn whole(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()>;

    /// How much a part of `input` bytes gives. Without these four a mechanism works in one part alone.
    fn update_length(&self, _input: usize) -> Result<usize> {
        no_operation_in_parts()
    }

    /// Works on a part of the message.
    fn update(&mut self, _keyed: &Keyed, _io: &mut InOut<'_>) -> Result<()> {
        no_operation_in_parts()
    }

    /// How much the end of a message in parts gives.
    fn finish_length(&self) -> Result<usize> {
        no_operation_in_parts()
    }

    /// Ends a message in parts.
    fn finish(&mut self, _keyed: &Keyed, _io: &mut InOut<'_>) -> Result<()> {
        no_operation_in_parts()
    }
}

fn no_operation_in_parts<T>() -> Result<T> {
    Err(Error::OperationNotInitialized)
}

/// One of the ciphers, in place: an operation costs no allocation.
pub enum Ciphering {
    /// AES-ECB, and AES-CBC with and without padding.
    BlockEncrypt(BlockEncrypting),
    /// The same backwards.
    BlockDecrypt(BlockDecrypting),
    /// AES-CTR, in either direction.
    Counter(Counting),
    /// AES-GCM.
    GcmEncrypt(GcmEncrypting),
    /// The same backwards.
    GcmDecrypt(GcmDecrypting),
    /// AES key wrap, used on data.
    KeyWrap(KeyWrapping),
    /// The same backwards.
    KeyUnwrap(KeyUnwrapping),
    /// RSA with one of its paddings or none.
    RsaEncrypt(RsaEncrypting),
    /// The same backwards.
    RsaDecrypt(RsaDecrypting),
}

impl Ciphering {
    /// The cipher behind the name.
    pub fn cipher(&mut self) -> &mut dyn Cipher {
        match self {
            Self::BlockEncrypt(cipher) => cipher,
            Self::BlockDecrypt(cipher) => cipher,
            Self::Counter(cipher) => cipher,
            Self::GcmEncrypt(cipher) => cipher,
            Self::GcmDecrypt(cipher) => cipher,
            Self::KeyWrap(cipher) => cipher,
            Self::KeyUnwrap(cipher) => cipher,
            Self::RsaEncrypt(cipher) => cipher,
            Self::RsaDecrypt(cipher) => cipher,
        }
    }
}
