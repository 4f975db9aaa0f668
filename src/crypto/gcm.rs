//! AES-GCM: NIST SP 800-38D, with any IV of at least one byte and tags of 4 to 16 bytes.

use super::ffi::gcm::{Aead, Direction, Stream};
use super::{InOut, Rejected};
use crate::error::{Error, Result};

/// The length of a whole tag in bytes.
pub const TAG: usize = 16;

/// A prepared AES-GCM key.
pub struct GcmKey {
    /// Whole messages with whole tags, the fast way.
    aead: Aead,
    /// What the AEAD does not offer: parts, and verifying short tags.
    stream: Stream,
}

impl GcmKey {
    /// Takes a key of 16, 24 or 32 bytes and rejects any other length.
    pub fn new(key: &[u8]) -> Result<Self, Rejected> {
        Ok(Self { aead: Aead::new(key)?, stream: Stream::prepare(key)? })
    }

    /// Encrypts all input that is left and appends the first `tag` bytes of the tag.
    ///
    /// Errors, with the operation not begun: [`Error::MechanismParamInvalid`] for an empty IV or a bad tag length,
    /// [`Error::BufferTooSmall`] for less room than input and tag, [`Error::DataLenRange`] beyond 2^36 - 32 bytes.
    pub fn seal(&self, iv: &[u8], aad: &[u8], tag: usize, io: &mut InOut) -> Result<()> {
        check_iv(iv)?;
        check_tag(tag)?;
        if io.len() > LONGEST {
            return Err(Error::DataLenRange);
        }
        if io.room() < io.len().saturating_add(tag) {
            return Err(Error::BufferTooSmall);
        }
        let mut whole = [0; TAG];
        self.aead.seal(iv, aad, io, io.len(), &mut whole)?;
        match whole.get(..tag).filter(|_| tag != TAG) {
            Some(cut) => io.write(cut),
            None => io.write(&whole),
        }
    }

    /// Decrypts all input that is left, of which the last `tag` bytes are the tag.
    ///
    /// Rejects a wrong tag, input shorter than the tag, an empty IV, a bad tag length, and output with less room than
    /// the plaintext. After a rejection no plaintext is in the output; in place, the ciphertext may be lost.
    pub fn open(&self, iv: &[u8], aad: &[u8], tag: usize, io: &mut InOut) -> Result<(), Rejected> {
        check_iv(iv).and(check_tag(tag)).map_err(|_| Rejected)?;
        let length = io.len().checked_sub(tag).ok_or(Rejected)?;
        if length > LONGEST || io.room() < length {
            return Err(Rejected);
        }
        let mut expected = [0; TAG];
        let expected = expected.get_mut(..tag).ok_or(Rejected)?;
        expected.copy_from_slice(io.input().get(length..).ok_or(Rejected)?);

        let opened = match expected.first_chunk::<TAG>() {
            Some(whole) => self.aead.open(iv, aad, whole, io, length),
            None => self.open_short(iv, aad, expected, io, length),
        };
        if opened.is_err() {
            io.wipe_written();
            return opened;
        }
        io.skip(tag).map_err(|_| Rejected)
    }

    /// Begins a message that is encrypted in parts.
    ///
    /// Errors: [`Error::MechanismParamInvalid`] for an empty IV or one beyond 2^31 - 1 bytes, [`Error::HostMemory`].
    pub fn encryption(&self, iv: &[u8], aad: &[u8]) -> Result<GcmEncryption> {
        check_iv(iv)?;
        self.stream.begin(Direction::Encrypt, iv, aad).map(GcmEncryption)
    }

    fn open_short(&self, iv: &[u8], aad: &[u8], tag: &[u8], io: &mut InOut, length: usize) -> Result<(), Rejected> {
        let mut stream = self.stream.begin(Direction::Decrypt, iv, aad).map_err(|_| Rejected)?;
        stream.update(io, length).map_err(|_| Rejected)?;
        if stream.verify(tag) { Ok(()) } else { Err(Rejected) }
    }
}

/// A message under way, encrypted in parts.
pub struct GcmEncryption(Stream);

impl GcmEncryption {
    /// Encrypts the next `length` bytes, and writes as many.
    ///
    /// Errors: [`Error::GeneralError`] when there is less input, [`Error::BufferTooSmall`] when there is less room, both
    /// with nothing done; [`Error::DataLenRange`] when the message gets longer than 2^36 - 32 bytes, which ends it.
    pub fn update(&mut self, io: &mut InOut, length: usize) -> Result<()> {
        if io.len() < length {
            return Err(Error::GeneralError("more input was claimed than there is".into()));
        }
        if io.room() < length {
            return Err(Error::BufferTooSmall);
        }
        self.0.update(io, length)
    }

    /// The tag: its first `tag` bytes, and zeros. Errors: [`Error::MechanismParamInvalid`] for a bad tag length,
    /// [`Error::DataLenRange`] after a failed [`update`](Self::update).
    pub fn finish(self, tag: usize) -> Result<[u8; TAG]> {
        check_tag(tag)?;
        let mut whole = self.0.tag().ok_or(Error::DataLenRange)?;
        if let Some(rest) = whole.get_mut(tag..) {
            rest.fill(0);
        }
        Ok(whole)
    }
}

/// The longest message in bytes: NIST SP 800-38D, section 5.2.1.1.
const LONGEST: usize = (1 << 36) - 32;

fn check_iv(iv: &[u8]) -> Result<()> {
    if iv.is_empty() { Err(Error::MechanismParamInvalid("the IV is empty")) } else { Ok(()) }
}

fn check_tag(tag: usize) -> Result<()> {
    if (4..=TAG).contains(&tag) { Ok(()) } else { Err(Error::MechanismParamInvalid("the tag is not of 4 to 16 bytes")) }
}
