//! What short operations write.

use cryptoki_sys::*;

use super::OnePart;
use crate::failure::Result;
use crate::module::{Session, check};

/// What the last operation wrote.
pub(super) struct Output {
    bytes: [u8; Self::ROOM],
    length: usize,
}

impl Output {
    /// For what RSA-4096 makes, in bytes.
    const ROOM: usize = 512;
    pub const EMPTY: Self = Self { bytes: [0; Self::ROOM], length: 0 };

    /// Lets a function write what it makes of the input.
    pub fn write(&mut self, name: &str, function: OnePart, session: &Session, input: &mut [u8]) -> Result<()> {
        let (length, mut written) = (input.len() as CK_ULONG, self.bytes.len() as CK_ULONG);
        // SAFETY: input and output are valid for their lengths.
        let code =
            unsafe { function(session.handle, input.as_mut_ptr(), length, self.bytes.as_mut_ptr(), &mut written) };
        self.length = written as usize;
        check(name, code)
    }

    /// The bytes of it.
    pub fn written(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}
