//! Signatures and MACs. PKCS#11 3.2, sections 5.13 and 5.15.

use super::{Active, Length, Output, Sessions, alive};
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

    /// `C_Sign`: the message is the input of `output`.
    pub fn sign_whole(&self, session: Handle, output: Output<'_>) -> Result<Length> {
        self.sign(session, true, output)
    }

    /// `C_SignFinal`
    pub fn sign_final(&self, session: Handle, output: Output<'_>) -> Result<Length> {
        self.sign(session, false, output)
    }

    fn sign(&self, session: Handle, whole: bool, output: Output<'_>) -> Result<Length> {
        self.with(session, |session| {
            let active = alive(&mut session.sign)?;
            let length = active.state.length();
            if active.in_parts && whole {
                session.sign = None;
                return Err(Error::OperationActive);
            }
            let mut io = match output {
                Output::Query(_) => return Ok(Length::Needed(length)),
                Output::Buffer(io) if io.room() < length => return Ok(Length::TooSmall(length)),
                Output::Buffer(io) => io,
            };
            let mut state = session.end_signing(Purpose::Sign)?;
            state.update(io.input());
            io.write(state.finish()?.as_ref())?;
            Ok(Length::Written(length))
        })
    }

    /// `C_Verify` with the message in `data`, `C_VerifyFinal` without. Always ends the operation.
    pub fn verify(&self, session: Handle, data: Option<&[u8]>, signature: &[u8]) -> Result<()> {
        self.with(session, |session| {
            let in_parts = alive(&mut session.verify)?.in_parts;
            let mut state = session.end_signing(Purpose::Verify)?;
            if in_parts && data.is_some() {
                return Err(Error::OperationActive);
            }
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

    /// Takes the operation's state and keeps its key for the next Init.
    fn end_signing(&mut self, purpose: Purpose) -> Result<Signing> {
        let active = self.signing(purpose).take().ok_or(Error::OperationNotInitialized)?;
        Ok(self.keep(active))
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
