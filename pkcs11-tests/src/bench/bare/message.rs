//! Digests, MACs and AES.

use std::ptr;

use aws_lc_sys::*;

use super::{Context, KEY, done};
use crate::bench::operation::{Hash, Message, Mode, Way};
use crate::bench::turn::Work;
use crate::failure::{Failure, Result};

/// An initialisation vector, or first counter block; GCM takes the first 12 bytes.
pub type Iv = [u8; 16];

/// What an IV begins with.
pub const IV: Iv = [1; 16];

/// One primitive with its key.
pub trait Primitive: Send {
    /// Does one message, and tells how long the output is.
    fn once(&mut self, iv: &Iv, input: &[u8], output: &mut [u8]) -> Result<usize>;

    /// Does the same message so many times.
    fn repeat(&mut self, count: u64, input: &[u8], output: &mut [u8]) -> Result<()> {
        (0..count).try_for_each(|_| self.once(&IV, input, output).map(drop))
    }
}

/// The primitive, with [`KEY`]. That of several parts is that of one.
pub fn primitive(message: Message) -> Result<Box<dyn Primitive>> {
    Ok(match message {
        Message::Digest(hash) => Box::new(Digest(hash)),
        Message::Hmac => Box::new(Hmac::new()?),
        Message::Cmac => Box::new(Cmac::new()?),
        Message::GcmParts => Box::new(Gcm::new(Way::Encrypt)?),
        Message::Cipher(Mode::Gcm, way) => Box::new(Gcm::new(way)?),
        Message::Cipher(mode, way) => Box::new(Cipher::new(mode, way)?),
    })
}

/// What `message` is done to, for a plaintext of so many bytes.
pub fn input(message: Message, size: usize) -> Result<Vec<u8>> {
    let plaintext = vec![7; size];
    let Message::Cipher(mode, Way::Decrypt) = message else { return Ok(plaintext) };
    output(&mut *primitive(Message::Cipher(mode, Way::Encrypt))?, &IV, &plaintext)
}

/// What comes out.
pub fn output(primitive: &mut dyn Primitive, iv: &Iv, input: &[u8]) -> Result<Vec<u8>> {
    let mut output = vec![0; input.len() + Message::MORE_OUTPUT];
    let length = primitive.once(iv, input, &mut output)?;
    output.truncate(length);
    Ok(output)
}

/// The work of a thread.
pub(super) fn work(message: Message, size: usize) -> Result<Box<dyn Work>> {
    let (primitive, input) = (primitive(message)?, input(message, size)?);
    let output = vec![0; input.len() + Message::MORE_OUTPUT];
    Ok(Box::new(BareMessage { primitive, input, output }))
}

struct BareMessage {
    primitive: Box<dyn Primitive>,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Work for BareMessage {
    fn repeat(&mut self, count: u64) -> Result<()> {
        self.primitive.repeat(count, &self.input, &mut self.output)
    }

    fn check(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The start of `output`, with room for so many bytes.
fn room(output: &mut [u8], length: usize) -> Result<*mut u8> {
    output.get_mut(..length).map(<[u8]>::as_mut_ptr).ok_or_else(|| Failure::new("the output is longer than its buffer"))
}

struct Digest(Hash);

impl Primitive for Digest {
    fn once(&mut self, _: &Iv, input: &[u8], output: &mut [u8]) -> Result<usize> {
        let length = if self.0 == Hash::Sha512 { 64 } else { 32 };
        let (from, size, into) = (input.as_ptr(), input.len(), room(output, length)?);
        // SAFETY: the input is valid for its length, and the output has room for the digest.
        unsafe {
            match self.0 {
                Hash::Sha256 => _ = SHA256(from, size, into),
                Hash::Sha512 => _ = SHA512(from, size, into),
                Hash::Sha3 => {
                    done(EVP_Digest(from.cast(), size, into, ptr::null_mut(), EVP_sha3_256(), ptr::null_mut()))?
                }
            }
        }
        Ok(length)
    }
}

struct Hmac(Context<HMAC_CTX>);

impl Hmac {
    fn new() -> Result<Self> {
        // SAFETY: a new context, which is freed with the process.
        let context = Context::new(unsafe { HMAC_CTX_new() })?;
        // SAFETY: the key is valid for its length.
        done(unsafe { HMAC_Init_ex(context.get(), KEY.as_ptr().cast(), KEY.len(), EVP_sha256(), ptr::null_mut()) })?;
        Ok(Self(context))
    }
}

impl Primitive for Hmac {
    fn once(&mut self, _: &Iv, input: &[u8], output: &mut [u8]) -> Result<usize> {
        let (context, into, mut written) = (self.0.get(), room(output, 32)?, 0);
        // SAFETY: all buffers are valid for their lengths; without a key the last one is taken again.
        done(unsafe {
            HMAC_Init_ex(context, ptr::null(), 0, ptr::null(), ptr::null_mut())
                & HMAC_Update(context, input.as_ptr(), input.len())
                & HMAC_Final(context, into, &mut written)
        })?;
        Ok(written as usize)
    }
}

struct Cmac(Context<CMAC_CTX>);

impl Cmac {
    fn new() -> Result<Self> {
        // SAFETY: a new context, which is freed with the process.
        let context = Context::new(unsafe { CMAC_CTX_new() })?;
        // SAFETY: the key has the cipher's length.
        done(unsafe { CMAC_Init(context.get(), KEY.as_ptr().cast(), KEY.len(), EVP_aes_256_cbc(), ptr::null_mut()) })?;
        Ok(Self(context))
    }
}

impl Primitive for Cmac {
    fn once(&mut self, _: &Iv, input: &[u8], output: &mut [u8]) -> Result<usize> {
        let (context, into, mut written) = (self.0.get(), room(output, 16)?, 0);
        // SAFETY: all buffers are valid for their lengths.
        done(unsafe {
            CMAC_Reset(context)
                & CMAC_Update(context, input.as_ptr(), input.len())
                & CMAC_Final(context, into, &mut written)
        })?;
        Ok(written)
    }
}

/// ECB, CBC and CTR.
struct Cipher {
    context: Context<EVP_CIPHER_CTX>,
    is_padded: bool,
}

impl Cipher {
    fn new(mode: Mode, way: Way) -> Result<Self> {
        // SAFETY: a new context, which is freed with the process; the key has the cipher's length.
        unsafe {
            let cipher = match mode {
                Mode::Ecb => EVP_aes_256_ecb(),
                Mode::Ctr => EVP_aes_256_ctr(),
                Mode::Cbc | Mode::CbcPad | Mode::Gcm => EVP_aes_256_cbc(),
            };
            let (context, encrypts) = (Context::new(EVP_CIPHER_CTX_new())?, i32::from(way == Way::Encrypt));
            let is_padded = mode == Mode::CbcPad;
            done(
                EVP_CipherInit_ex(context.get(), cipher, ptr::null_mut(), KEY.as_ptr(), IV.as_ptr(), encrypts)
                    & EVP_CIPHER_CTX_set_padding(context.get(), is_padded.into()),
            )?;
            Ok(Self { context, is_padded })
        }
    }
}

impl Primitive for Cipher {
    fn once(&mut self, iv: &Iv, input: &[u8], output: &mut [u8]) -> Result<usize> {
        const SAME: i32 = -1;
        let size = i32::try_from(input.len()).map_err(|_| Failure::new("too long"))?;
        let (context, into) = (self.context.get(), room(output, input.len() + 32)?);
        let (mut written, mut rest) = (0, 0);
        // SAFETY: all buffers are valid for their lengths, and output is at most two blocks longer than input; the key stays.
        unsafe {
            done(
                EVP_CipherInit_ex(context, ptr::null(), ptr::null_mut(), ptr::null(), iv.as_ptr(), SAME)
                    & EVP_CipherUpdate(context, into, &mut written, input.as_ptr(), size),
            )?;
            if self.is_padded {
                done(EVP_CipherFinal_ex(context, into.add(written as usize), &mut rest))?;
            }
        }
        Ok((written + rest) as usize)
    }
}

struct Gcm {
    context: Context<EVP_AEAD_CTX>,
    way: Way,
}

impl Gcm {
    fn new(way: Way) -> Result<Self> {
        // SAFETY: the key is valid for its length.
        let context = unsafe { EVP_AEAD_CTX_new(EVP_aead_aes_256_gcm(), KEY.as_ptr(), KEY.len(), 16) };
        Ok(Self { context: Context::new(context)?, way })
    }
}

impl Primitive for Gcm {
    fn once(&mut self, iv: &Iv, input: &[u8], output: &mut [u8]) -> Result<usize> {
        let (context, into, room) = (self.context.get(), output.as_mut_ptr(), output.len());
        let (from, size, nothing, mut written) = (input.as_ptr(), input.len(), ptr::null(), 0);
        // SAFETY: all buffers are valid for their lengths; 12 bytes of the IV are read.
        done(unsafe {
            match self.way {
                Way::Encrypt => {
                    EVP_AEAD_CTX_seal(context, into, &mut written, room, iv.as_ptr(), 12, from, size, nothing, 0)
                }
                Way::Decrypt => {
                    EVP_AEAD_CTX_open(context, into, &mut written, room, iv.as_ptr(), 12, from, size, nothing, 0)
                }
            }
        })?;
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_encrypted_is_decrypted() {
        for mode in [Mode::Ecb, Mode::Cbc, Mode::CbcPad, Mode::Ctr, Mode::Gcm] {
            let ciphertext = input(Message::Cipher(mode, Way::Decrypt), 64).unwrap();
            assert_ne!(ciphertext.get(..64).unwrap(), [7; 64]);
            let mut opened = primitive(Message::Cipher(mode, Way::Decrypt)).unwrap();
            // Twice: the key stays, and nothing of the last message does.
            for _ in 0..2 {
                assert_eq!(output(&mut *opened, &IV, &ciphertext).unwrap(), [7; 64]);
            }
        }
    }
}
