//! Digests. PKCS#11 3.2, section 5.12.

use super::{Length, Output, Sessions};
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
            session.digest =
                Some(Active { state: Digesting::new(algorithm), length: algorithm.output_len(), in_parts: false });
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

    /// `C_Digest`: the message is the input of `output`.
    pub fn digest_whole(&self, session: Handle, output: Output<'_>) -> Result<Length> {
        self.digest(session, true, output)
    }

    /// `C_DigestFinal`
    pub fn digest_final(&self, session: Handle, output: Output<'_>) -> Result<Length> {
        self.digest(session, false, output)
    }

    fn digest(&self, session: Handle, whole: bool, output: Output<'_>) -> Result<Length> {
        self.with(session, |session| {
            let active = session.digest.as_ref().ok_or(Error::OperationNotInitialized)?;
            let length = active.length;
            if active.in_parts && whole {
                session.digest = None;
                return Err(Error::OperationActive);
            }
            let mut io = match output {
                Output::Query(_) => return Ok(Length::Needed(length)),
                Output::Buffer(io) if io.room() < length => return Ok(Length::TooSmall(length)),
                Output::Buffer(io) => io,
            };
            let mut active = session.digest.take().ok_or(Error::OperationNotInitialized)?;
            active.state.update(io.input());
            io.write(active.state.finish().as_ref())?;
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
