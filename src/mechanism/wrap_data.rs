//! AES key wrap used on data, by `C_Encrypt` and `C_Decrypt`. PKCS#11 3.2, section 6.16: in one part.

use super::operation::Cipher;
use super::prepared::Keyed;
use super::wrap::KeyWrap;
use crate::crypto::InOut;
use crate::error::{Error, Result};

/// Key wrap as an encryption of data. RFC 3394 takes whole semiblocks only.
pub struct KeyWrapping(pub(super) KeyWrap);

impl Cipher for KeyWrapping {
    fn whole_length(&self, input: usize) -> Result<usize> {
        self.0.wrapped_length(input).filter(|_| input <= LONGEST).ok_or(Error::DataLenRange)
    }

    fn whole(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        self.whole_length(io.len())?;
        let wrapped = self.0.wrap(keyed.wrap()?, io.input()).map_err(|_| Error::DataLenRange)?;
        io.write(&wrapped)
    }
}

/// Key unwrap as a decryption of data.
pub struct KeyUnwrapping(pub(super) KeyWrap);

impl Cipher for KeyUnwrapping {
    fn whole_length(&self, input: usize) -> Result<usize> {
        if !self.0.may_be_wrapped(input) || input > LONGEST.saturating_add(16) {
            return Err(Error::EncryptedDataLenRange);
        }
        Ok(input.saturating_sub(8))
    }

    fn judges_room(&self) -> bool {
        self.0.hides_length()
    }

    fn whole(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        self.whole_length(io.len())?;
        let data = self.0.unwrap(keyed.wrap()?, io.input()).map_err(|_| Error::EncryptedDataInvalid)?;
        io.write(data.expose())
    }
}

/// The longest data in bytes: far above any key.
const LONGEST: usize = 1 << 20;
