//! AES-GCM: the AEAD for whole messages, the stream for messages in parts and for short tags.

use super::Owned;
use crate::crypto::{InOut, Rejected};
use crate::error::{Error, Result};
use aws_lc_sys::{
    EVP_AEAD_CTX, EVP_AEAD_CTX_free, EVP_AEAD_CTX_new, EVP_AEAD_CTX_open_gather, EVP_AEAD_CTX_seal_scatter,
    EVP_CIPHER_CTX, EVP_CIPHER_CTX_copy, EVP_CIPHER_CTX_ctrl, EVP_CIPHER_CTX_free, EVP_CIPHER_CTX_new,
    EVP_CTRL_AEAD_GET_TAG, EVP_CTRL_AEAD_SET_IVLEN, EVP_CTRL_AEAD_SET_TAG, EVP_CipherInit_ex, EVP_CipherUpdate,
    EVP_DecryptFinal_ex, EVP_EncryptFinal_ex, EVP_aead_aes_128_gcm, EVP_aead_aes_192_gcm, EVP_aead_aes_256_gcm,
    EVP_aes_128_gcm, EVP_aes_192_gcm, EVP_aes_256_gcm,
};
use std::ffi::c_int;
use std::ptr;

/// GCM over whole messages, with tags of 16 bytes.
pub struct Aead(Owned<EVP_AEAD_CTX>);

impl Aead {
    /// Takes a key of 16, 24 or 32 bytes.
    pub fn new(key: &[u8]) -> Result<Self, Rejected> {
        // SAFETY: these return tables that live for ever.
        let aead = unsafe {
            match key.len() {
                16 => EVP_aead_aes_128_gcm(),
                24 => EVP_aead_aes_192_gcm(),
                32 => EVP_aead_aes_256_gcm(),
                _ => return Err(Rejected),
            }
        };
        // SAFETY: `key` is readable for its length, which is the cipher's; EVP_AEAD_CTX_free releases the context.
        let context = unsafe { Owned::new(EVP_AEAD_CTX_new(aead, key.as_ptr(), key.len(), 16), EVP_AEAD_CTX_free) };
        context.map(Self).ok_or(Rejected)
    }

    /// Encrypts the next `length` bytes and sets the tag. The IV has at least one byte.
    pub fn seal(&self, iv: &[u8], aad: &[u8], io: &mut InOut, length: usize, tag: &mut [u8; 16]) -> Result<()> {
        let (input, output) = io.claim(length)?;
        let mut tag_length = 0;
        // SAFETY: `claim` gave `length` bytes of both sides, equal or disjoint; the other pointers come from slices with
        // their lengths, and `tag` lies apart from all of them.
        let sealed = unsafe {
            EVP_AEAD_CTX_seal_scatter(
                self.0.as_ptr(),
                output,
                tag.as_mut_ptr(),
                &mut tag_length,
                tag.len(),
                iv.as_ptr(),
                iv.len(),
                input,
                length,
                ptr::null(),
                0,
                aad.as_ptr(),
                aad.len(),
            )
        };
        if sealed == 1 && tag_length == tag.len() { Ok(()) } else { Err(Error::DataLenRange) }
    }

    /// Decrypts the next `length` bytes. After a failure they are zero in the output.
    pub fn open(&self, iv: &[u8], aad: &[u8], tag: &[u8; 16], io: &mut InOut, length: usize) -> Result<(), Rejected> {
        let (input, output) = io.claim(length).map_err(|_| Rejected)?;
        // SAFETY: as for `seal`.
        let opened = unsafe {
            EVP_AEAD_CTX_open_gather(
                self.0.as_ptr(),
                output,
                iv.as_ptr(),
                iv.len(),
                input,
                length,
                tag.as_ptr(),
                tag.len(),
                aad.as_ptr(),
                aad.len(),
            )
        };
        if opened == 1 { Ok(()) } else { Err(Rejected) }
    }
}

/// Which way a [`Stream`] goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Decrypt = 0,
    Encrypt = 1,
}

/// GCM in parts, or a prepared key that serves to be copied.
pub struct Stream(Owned<EVP_CIPHER_CTX>);

impl Stream {
    /// A prepared key of 16, 24 or 32 bytes, without IV.
    pub fn prepare(key: &[u8]) -> Result<Self, Rejected> {
        // SAFETY: these return tables that live for ever.
        let cipher = unsafe {
            match key.len() {
                16 => EVP_aes_128_gcm(),
                24 => EVP_aes_192_gcm(),
                32 => EVP_aes_256_gcm(),
                _ => return Err(Rejected),
            }
        };
        let mut stream = Self::empty().ok_or(Rejected)?;
        // SAFETY: the context is initialised, `key` has the cipher's length, and no IV is given.
        let set = unsafe {
            EVP_CipherInit_ex(
                stream.0.as_mut_ptr(),
                cipher,
                ptr::null_mut(),
                key.as_ptr(),
                ptr::null(),
                Direction::Encrypt as c_int,
            )
        };
        if set == 1 { Ok(stream) } else { Err(Rejected) }
    }

    /// A new message under this prepared key. The IV has at least one byte and at most 2^31 - 1.
    pub fn begin(&self, direction: Direction, iv: &[u8], aad: &[u8]) -> Result<Self> {
        let iv_length = c_int::try_from(iv.len()).map_err(|_| Error::MechanismParamInvalid("the IV is too long"))?;
        let mut stream = Self::empty().ok_or(Error::HostMemory("a cipher context"))?;
        let context = stream.0.as_mut_ptr();
        // SAFETY: both contexts are initialised and not the same. The IV's length is set before the IV is read, which is
        // readable for that length; with a NULL cipher and key the copied ones stay.
        let begun = unsafe {
            EVP_CIPHER_CTX_copy(context, self.0.as_ptr()) == 1
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, iv_length, ptr::null_mut()) == 1
                && EVP_CipherInit_ex(
                    context,
                    ptr::null(),
                    ptr::null_mut(),
                    ptr::null(),
                    iv.as_ptr(),
                    direction as c_int,
                ) == 1
        };
        if !begun {
            return Err(Error::HostMemory("a cipher context"));
        }
        for part in aad.chunks(CHUNK) {
            // SAFETY: output NULL makes `part`, readable for its length, additional data.
            unsafe { stream.feed(ptr::null_mut(), part.as_ptr(), part.len()) }?;
        }
        Ok(stream)
    }

    /// En- or decrypts the next `length` bytes.
    ///
    /// Errors: [`Error::DataLenRange`] when the message gets longer than GCM allows (2^36 - 32 bytes).
    pub fn update(&mut self, io: &mut InOut, length: usize) -> Result<()> {
        let mut left = length;
        while left != 0 {
            let part = left.min(CHUNK);
            let (input, output) = io.claim(part)?;
            // SAFETY: `claim` gave `part` bytes of both sides, equal or disjoint.
            unsafe { self.feed(output, input, part) }?;
            left = left.saturating_sub(part);
        }
        Ok(())
    }

    /// The tag of what was encrypted; `None` after a failed `update`.
    pub fn tag(mut self) -> Option<[u8; 16]> {
        let mut tag = [0; 16];
        let mut none = 0;
        let context = self.0.as_mut_ptr();
        // SAFETY: the context is initialised; the final call of GCM writes no output, and the tag is 16 bytes long.
        let made = unsafe {
            EVP_EncryptFinal_ex(context, tag.as_mut_ptr(), &mut none) == 1
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag.as_mut_ptr().cast()) == 1
        };
        made.then_some(tag)
    }

    /// Whether `tag`, of 1 to 16 bytes, is that of what was decrypted; compared in constant time.
    pub fn verify(mut self, tag: &[u8]) -> bool {
        let Ok(length @ 1..=16) = c_int::try_from(tag.len()) else {
            return false;
        };
        let mut none = 0;
        let mut nothing = [0; 16];
        let context = self.0.as_mut_ptr();
        // SAFETY: the context is initialised; the tag is only read, for its length; the final call writes no output.
        unsafe {
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, length, tag.as_ptr().cast_mut().cast()) == 1
                && EVP_DecryptFinal_ex(context, nothing.as_mut_ptr(), &mut none) == 1
        }
    }

    /// Passes one part on; `length` is 1 to [`CHUNK`].
    ///
    /// # Safety
    /// `input` is readable for `length` bytes, `output` is NULL or writable for as many, and they are equal or disjoint.
    unsafe fn feed(&mut self, output: *mut u8, input: *const u8, length: usize) -> Result<()> {
        let length = c_int::try_from(length).map_err(|_| Error::DataLenRange)?;
        let mut written = 0;
        // SAFETY: by the contract of this function, on an initialised context.
        match unsafe { EVP_CipherUpdate(self.0.as_mut_ptr(), output, &mut written, input, length) } {
            1 => Ok(()),
            _ => Err(Error::DataLenRange),
        }
    }

    fn empty() -> Option<Self> {
        // SAFETY: a fresh context, which EVP_CIPHER_CTX_free releases.
        unsafe { Owned::new(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free) }.map(Self)
    }
}

/// The EVP functions count in `int`.
const CHUNK: usize = 1 << 30;
