//! Digests. PKCS#11 3.2, section 5.12.

use super::{Length, Output, Session, Sessions};
use crate::crypto::hash::Algorithm;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key::Purpose;
use crate::mechanism::{Digesting, Keyed, Mechanism};

impl Sessions {
    /// `C_DigestInit`
    pub fn digest_init(&self, session: Handle, mechanism: &'static Mechanism) -> Result<()> {
        self.with(session, |session| {
            if session.digest.is_some() {
                return Err(Error::OperationActive);
            }
            session.digest = Some(Active::new(mechanism).ok_or(Error::MechanismInvalid(mechanism.number))?);
            Ok(())
        })
    }

    /// `C_DigestUpdate`
    pub fn digest_update(&self, session: Handle, data: &[u8]) -> Result<()> {
        self.with(session, |session| session.update_digest(data))
    }

    /// `C_DigestKey`, also of a sensitive key. Every error ends the operation, for who goes on without the key has the
    /// digest of something else.
    pub fn digest_key(&self, session: Handle, key: Handle) -> Result<()> {
        self.with(session, |session| {
            let mut active = session.digest.take().ok_or(Error::OperationNotInitialized)?;
            let (_, key, grant) = session.key(Purpose::Digest, active.mechanism, key)?;
            Keyed::new(&key, &grant).digest(active.state())?;
            active.needs_login |= key.needs_login();
            session.digest = Some(active);
            Ok(())
        })
    }

    /// `C_Digest`: the message is the input of `output`.
    pub fn digest_whole(&self, session: Handle, output: &mut Output<'_>) -> Result<Length> {
        self.digest(session, true, output)
    }

    /// `C_DigestFinal`
    pub fn digest_final(&self, session: Handle, output: &mut Output<'_>) -> Result<Length> {
        self.digest(session, false, output)
    }

    fn digest(&self, session: Handle, whole: bool, output: &mut Output<'_>) -> Result<Length> {
        self.with(session, |session| {
            let Some(active) = &session.digest else {
                return Err(Error::OperationNotInitialized);
            };
            let length = active.algorithm.output_len();
            if active.state.is_some() && whole {
                session.digest = None;
                return Err(Error::OperationActive);
            }
            let io = match output.room(length) {
                Ok(io) => io,
                Err(told) => return Ok(told),
            };
            let Some(Active { algorithm, state, .. }) = session.digest.take() else {
                return Err(Error::OperationNotInitialized);
            };
            let hash = match state {
                None => Digesting::whole(algorithm, io.input()),
                Some(mut state) => {
                    state.update(io.input());
                    state.finish()
                }
            };
            io.write(hash.as_ref())?;
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

impl Session {
    pub(super) fn update_digest(&mut self, data: &[u8]) -> Result<()> {
        let active = self.digest.as_mut().ok_or(Error::OperationNotInitialized)?;
        active.state().update(data);
        Ok(())
    }
}

/// A digest in the making.
pub(super) struct Active {
    pub(super) mechanism: &'static Mechanism,
    algorithm: Algorithm,
    /// There once the message has begun to come in parts.
    pub(super) state: Option<Box<Digesting>>,
    /// Whether a key went in that only a login makes visible.
    pub(super) needs_login: bool,
}

impl Active {
    /// The beginning; `None` if the mechanism digests nothing.
    pub(super) fn new(mechanism: &'static Mechanism) -> Option<Self> {
        let algorithm = mechanism.does.digest?;
        Some(Self { mechanism, algorithm, state: None, needs_login: false })
    }

    /// Goes on from a state that was saved, if it is one of this mechanism.
    pub(super) fn resume(&mut self, saved: &[u8]) -> Option<()> {
        self.state = Some(Box::new(Digesting::restore(self.algorithm, saved)?));
        Some(())
    }

    fn state(&mut self) -> &mut Digesting {
        self.state.get_or_insert_with(|| Box::new(Digesting::new(self.algorithm)))
    }
}
