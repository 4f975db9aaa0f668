//! Digests. PKCS#11 3.2, section 5.12.

use super::{Length, Sessions};
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::mechanism::{Digesting, Mechanism};

impl Sessions {
    /// `C_DigestInit`
    pub fn digest_init(&self, session: Handle, mechanism: &Mechanism) -> Result<()> {
        self.with(session, |session| {
            if session.digest.is_some() {
                return Err(Error::OperationActive);
            }
            let algorithm = mechanism.does.digest.ok_or(Error::MechanismInvalid(mechanism.number))?;
            session.digest = Some(Active { state: Digesting::new(algorithm), length: algorithm.output_len(), in_parts: false });
            Ok(())
        })
    }

    /// `C_DigestUpdate`
    pub fn digest_update(&self, session: Handle, data: &[u8]) -> Result<()> {
        self.with(session, |session| {
            let active = session.digest.as_mut().ok_or(Error::OperationNotInitialized)?;
            active.state.update(data);
            active.in_parts = true;
            Ok(())
        })
    }

    /// `C_Digest` with the message in `data`, `C_DigestFinal` without. `into` is the caller's buffer, none for a size query.
    pub fn digest(&self, session: Handle, data: Option<&[u8]>, into: Option<&mut [u8]>) -> Result<Length> {
        self.with(session, |session| {
            let active = session.digest.as_ref().ok_or(Error::OperationNotInitialized)?;
            let length = active.length;
            if active.in_parts && data.is_some() {
                session.digest = None;
                return Err(Error::OperationActive);
            }
            let into = match into.map(|into| into.get_mut(..length)) {
                None => return Ok(Length::Needed(length)),
                Some(None) => return Ok(Length::TooSmall(length)),
                Some(Some(into)) => into,
            };
            let Some(mut active) = session.digest.take() else {
                return Err(Error::OperationNotInitialized);
            };
            active.state.update(data.unwrap_or_default());
            into.copy_from_slice(active.state.finish().as_ref());
            Ok(Length::Written(length))
        })
    }

    /// Ends the operation without a result.
    pub fn digest_cancel(&self, session: Handle) -> Result<()> {
        self.with(session, |session| {
            session.digest = None;
            Ok(())
        })
    }
}

/// A digest in the making.
pub(super) struct Active {
    state: Digesting,
    /// In bytes.
    length: usize,
    in_parts: bool,
}
