//! Signatures and MACs. PKCS#11 3.2, sections 5.13 and 5.15.

use super::{Active, Length, Sessions, alive};
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key;
use crate::mechanism::{Mechanism, Parameter, Signing};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Making a signature.
    Sign,
    /// Checking one.
    Verify,
}

impl Sessions {
    /// `C_SignInit`, `C_VerifyInit`
    pub fn sign_init(
        &self,
        session: Handle,
        purpose: Purpose,
        mechanism: &Mechanism,
        parameter: &Parameter<'_>,
        key: Handle,
    ) -> Result<()> {
        self.with(session, |session| {
            if session.signing(purpose).is_some() {
                return Err(Error::OperationActive);
            }
            let begin = mechanism.does.sign.ok_or(Error::MechanismInvalid(mechanism.number))?;
            let keyed = session.keyed(purpose.for_gate(), mechanism, key)?;
            let active = Active::new(key, keyed, |keyed| begin(keyed, parameter))?;
            *session.signing(purpose) = Some(active);
            Ok(())
        })
    }

    /// `C_SignUpdate`, `C_VerifyUpdate`
    pub fn sign_update(&self, session: Handle, purpose: Purpose, data: &[u8]) -> Result<()> {
        self.with(session, |session| {
            let active = alive(session.signing(purpose))?;
            active.state.update(data);
            active.in_parts = true;
            Ok(())
        })
    }

    /// `C_Sign` with the message in `data`, `C_SignFinal` without. `into` is the caller's buffer, none for a size query.
    pub fn sign(&self, session: Handle, data: Option<&[u8]>, into: Option<&mut [u8]>) -> Result<Length> {
        self.with(session, |session| {
            let active = alive(&mut session.sign)?;
            let length = active.state.length();
            if active.in_parts && data.is_some() {
                session.sign = None;
                return Err(Error::OperationActive);
            }
            let into = match into {
                None => return Ok(Length::Needed(length)),
                Some(into) if into.len() < length => return Ok(Length::TooSmall(length)),
                Some(into) => into,
            };
            let Some(active) = session.sign.take() else {
                return Err(Error::OperationNotInitialized);
            };
            let Active { handle, seen, keyed, mut state, in_parts } = active;
            state.update(data.unwrap_or_default());
            state.finish(into)?;
            session.keep(Active { handle, seen, keyed, state: (), in_parts });
            Ok(Length::Written(length))
        })
    }

    /// `C_Verify` with the message in `data`, `C_VerifyFinal` without. Always ends the operation.
    pub fn verify(&self, session: Handle, data: Option<&[u8]>, signature: &[u8]) -> Result<()> {
        self.with(session, |session| {
            alive(&mut session.verify)?;
            let Some(active) = session.verify.take() else {
                return Err(Error::OperationNotInitialized);
            };
            if active.in_parts && data.is_some() {
                return Err(Error::OperationActive);
            }
            let Active { handle, seen, keyed, mut state, in_parts } = active;
            session.keep(Active { handle, seen, keyed, state: (), in_parts });
            state.update(data.unwrap_or_default());
            state.verify(signature)
        })
    }

    /// Ends the operation without a result.
    pub fn sign_cancel(&self, session: Handle, purpose: Purpose) -> Result<()> {
        self.with(session, |session| {
            *session.signing(purpose) = None;
            Ok(())
        })
    }
}

impl super::Session {
    fn signing(&mut self, purpose: Purpose) -> &mut Option<Active<Signing>> {
        match purpose {
            Purpose::Sign => &mut self.sign,
            Purpose::Verify => &mut self.verify,
        }
    }
}

impl Purpose {
    fn for_gate(self) -> key::Purpose {
        match self {
            Self::Sign => key::Purpose::Sign,
            Self::Verify => key::Purpose::Verify,
        }
    }
}
