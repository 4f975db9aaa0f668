//! Two operations at once, of which the second gets the plaintext of the first. PKCS#11 3.2, section 5.17.

use zeroize::Zeroizing;

use super::crypt::Step;
use super::sign::Purpose;
use super::{Direction, Length, Output, Session, Sessions};
use crate::error::{Error, Result};
use crate::handle::Handle;

/// Which two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    /// `C_DigestEncryptUpdate`
    DigestEncrypt,
    /// `C_DecryptDigestUpdate`
    DecryptDigest,
    /// `C_SignEncryptUpdate`
    SignEncrypt,
    /// `C_DecryptVerifyUpdate`
    DecryptVerify,
}

impl Sessions {
    /// `C_DigestEncryptUpdate` and the like. Where the cipher delivers nothing (a size query, a small buffer, an error), the
    /// second operation is as it was. So an error of the cipher ends the cipher alone; one of the second ends both, for its
    /// half of the text is lost.
    pub fn dual_update(&self, session: Handle, pair: Pair, output: &mut Output<'_>) -> Result<Length> {
        self.with(session, |session| {
            session.ciphering(pair.direction()).current()?;
            session.second_is_ready(pair)?;
            let plain = match (pair.direction(), &*output) {
                // In place it will not be there any more.
                (Direction::Encrypt, Output::Buffer(io)) => copy(io.input()),
                _ => Ok(Zeroizing::default()),
            };
            let cipher = session.ciphering(pair.direction());
            let plain = plain.inspect_err(|_| cipher.end())?;
            let length = Step::Update.go(cipher, output)?;
            let (Output::Buffer(io), Length::Written(_)) = (output, length) else {
                return Ok(length);
            };
            let text = match pair.direction() {
                Direction::Encrypt => &plain,
                Direction::Decrypt => io.output(),
            };
            if let Err(error) = session.update_second(pair, text) {
                session.ciphering(pair.direction()).end();
                io.wipe_written();
                return Err(error);
            }
            Ok(length)
        })
    }

    /// Ends the cipher of the two, as wrong arguments do.
    pub fn dual_cancel(&self, session: Handle, pair: Pair) -> Result<()> {
        self.crypt_cancel(session, pair.direction())
    }
}

impl Pair {
    fn direction(self) -> Direction {
        match self {
            Self::DigestEncrypt | Self::SignEncrypt => Direction::Encrypt,
            Self::DecryptDigest | Self::DecryptVerify => Direction::Decrypt,
        }
    }

    /// The signature or verification of the two; the others are digests.
    fn signing(self) -> Option<Purpose> {
        match self {
            Self::DigestEncrypt | Self::DecryptDigest => None,
            Self::SignEncrypt => Some(Purpose::Sign),
            Self::DecryptVerify => Some(Purpose::Verify),
        }
    }
}

impl Session {
    /// Whether the second operation runs and takes parts. One that does not ends, as an Update of its own would end it.
    fn second_is_ready(&mut self, pair: Pair) -> Result<()> {
        let Some(purpose) = pair.signing() else {
            return if self.digest.is_some() { Ok(()) } else { Err(Error::OperationNotInitialized) };
        };
        let operation = self.signing(purpose);
        if operation.current()?.state.takes_parts() {
            return Ok(());
        }
        operation.end();
        Err(Error::OperationNotInitialized)
    }

    fn update_second(&mut self, pair: Pair, text: &[u8]) -> Result<()> {
        match pair.signing() {
            None => self.update_digest(text),
            Some(purpose) => self.update_signing(purpose, text),
        }
    }
}

fn copy(text: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mut copy = Zeroizing::new(Vec::new());
    copy.try_reserve_exact(text.len())
        .map_err(|_| Error::HostMemory("a copy of the plaintext for the second operation"))?;
    copy.extend_from_slice(text);
    Ok(copy)
}
