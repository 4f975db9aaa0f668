//! CMAC contexts that are copied.

use super::Owned;
use crate::crypto::Rejected;
use crate::error::{Error, Result};
use aws_lc_sys::{
    CMAC_CTX, CMAC_CTX_copy, CMAC_CTX_free, CMAC_CTX_new, CMAC_Final, CMAC_Init, CMAC_Update, EVP_aes_128_cbc,
    EVP_aes_192_cbc, EVP_aes_256_cbc,
};
use std::ptr;

/// A CMAC under way, or one that has not begun and serves to be copied.
pub struct Context(Owned<CMAC_CTX>);

impl Context {
    /// A context for an AES key of 16, 24 or 32 bytes, with no data yet.
    pub fn new(key: &[u8]) -> Result<Self, Rejected> {
        // SAFETY: these return tables that live for ever.
        let cipher = unsafe {
            match key.len() {
                16 => EVP_aes_128_cbc(),
                24 => EVP_aes_192_cbc(),
                32 => EVP_aes_256_cbc(),
                _ => return Err(Rejected),
            }
        };
        let mut context = Self::empty().ok_or(Rejected)?;
        // SAFETY: the context is initialised, and `key` is readable for its length, which is the cipher's.
        let set = unsafe { CMAC_Init(context.0.as_mut_ptr(), key.as_ptr().cast(), key.len(), cipher, ptr::null_mut()) };
        if set == 1 { Ok(context) } else { Err(Rejected) }
    }

    /// A second context in the same state.
    pub fn copy(&self) -> Result<Self> {
        let mut copy = Self::empty().ok_or(Error::HostMemory("a CMAC context"))?;
        // SAFETY: both contexts are initialised, and they are not the same.
        match unsafe { CMAC_CTX_copy(copy.0.as_mut_ptr(), self.0.as_ptr()) } {
            1 => Ok(copy),
            _ => Err(Error::HostMemory("a CMAC context")),
        }
    }

    /// Whether the data could be taken; always, for a context that `new` or `copy` made.
    pub fn update(&mut self, data: &[u8]) -> bool {
        // SAFETY: the context is initialised, and `data` is readable for its length.
        unsafe { CMAC_Update(self.0.as_mut_ptr(), data.as_ptr(), data.len()) == 1 }
    }

    /// The MAC, if it could be computed; see [`update`](Self::update).
    pub fn finish(mut self) -> Option<[u8; 16]> {
        let mut mac = [0; 16];
        let mut length = 0;
        // SAFETY: the context is initialised; CMAC over AES writes 16 bytes and their number.
        let made = unsafe { CMAC_Final(self.0.as_mut_ptr(), mac.as_mut_ptr(), &mut length) };
        (made == 1 && length == mac.len()).then_some(mac)
    }

    fn empty() -> Option<Self> {
        // SAFETY: a fresh context, which CMAC_CTX_free releases.
        unsafe { Owned::new(CMAC_CTX_new(), CMAC_CTX_free) }.map(Self)
    }
}
