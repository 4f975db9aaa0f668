//! Digests. PKCS#11 3.2, section 5.12.

use super::{LastKey, Length, Output, Sessions};
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key::Purpose;
use crate::mechanism::{Digesting, Mechanism};

impl Sessions {
    /// `C_DigestInit`
    pub fn digest_init(&self, session: Handle, mechanism: &'static Mechanism) -> Result<()> {
        self.with(session, |session| {
            if session.digest.is_some() {
                return Err(Error::OperationActive);
            }
            let algorithm = mechanism.does.digest.ok_or(Error::MechanismInvalid(mechanism.number))?;
            let (state, length) = (Digesting::new(algorithm), algorithm.output_len());
            session.digest = Some(Active { mechanism, state, length, in_parts: false, needs_login: false });
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

    /// `C_DigestKey`, also of a sensitive key. Every error ends the operation, for who goes on without the key has the
    /// digest of something else.
    pub fn digest_key(&self, session: Handle, key: Handle) -> Result<()> {
        self.with(session, |session| {
            let mut active = session.digest.take().ok_or(Error::OperationNotInitialized)?;
            let (keyed, seen) = session.keyed(Purpose::Digest, active.mechanism, key)?;
            keyed.digest(&mut active.state)?;
            active.in_parts = true;
            active.needs_login |= keyed.key().needs_login();
            session.last = Some(LastKey { handle: key, seen, key: keyed.into_key() });
            session.digest = Some(active);
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
    mechanism: &'static Mechanism,
    state: Digesting,
    /// In bytes.
    length: usize,
    in_parts: bool,
    /// Whether a key went in that only a login makes visible.
    pub(super) needs_login: bool,
}
