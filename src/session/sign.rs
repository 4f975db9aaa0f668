//! Signatures and MACs. PKCS#11 3.2, sections 5.13 and 5.15.

use super::operation::{Asked, Operation};
use super::{Length, Output, Session, Sessions};
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
            let Session { token, read_write, sign, verify, .. } = session;
            let (operation, begin) = (purpose.of(sign, verify), mechanism.does.sign);
            let purpose = purpose.of(key::Purpose::Sign, key::Purpose::Verify);
            operation.begin((token, *read_write), Asked { purpose, mechanism, parameter, begin, key })
        })
    }

    /// `C_SignUpdate`, `C_VerifyUpdate`
    pub fn sign_update(&self, session: Handle, purpose: Purpose, data: &[u8]) -> Result<()> {
        self.with(session, |session| session.update_signing(purpose, data))
    }

    /// `C_Sign`: the message is the input of `output`.
    pub fn sign_whole(&self, session: Handle, output: &mut Output<'_>) -> Result<Length> {
        self.sign(session, true, output)
    }

    /// `C_SignFinal`
    pub fn sign_final(&self, session: Handle, output: &mut Output<'_>) -> Result<Length> {
        self.sign(session, false, output)
    }

    fn sign(&self, session: Handle, whole: bool, output: &mut Output<'_>) -> Result<Length> {
        self.with(session, |session| {
            let operation = &mut session.sign;
            let current = operation.current()?;
            let length = current.state.length();
            if *current.in_parts && whole {
                operation.end();
                return Err(Error::OperationActive);
            }
            if !whole && !current.state.takes_parts() {
                operation.end();
                return Err(Error::OperationNotInitialized);
            }
            let io = match output.room(length) {
                Ok(io) => io,
                Err(told) => return Ok(told),
            };
            let signed = current.state.sign(&current.keyed, io);
            operation.end();
            signed.map(|()| Length::Written(length))
        })
    }

    /// `C_Verify` with the message in `data`, `C_VerifyFinal` without. Always ends the operation.
    pub fn verify(&self, session: Handle, data: Option<&[u8]>, signature: &[u8]) -> Result<()> {
        self.with(session, |session| {
            let operation = &mut session.verify;
            let current = operation.current()?;
            let held = match (*current.in_parts, data) {
                (true, Some(_)) => Err(Error::OperationActive),
                (_, None) if !current.state.takes_parts() => Err(Error::OperationNotInitialized),
                (_, data) => current.state.verify(&current.keyed, data.unwrap_or_default(), signature),
            };
            operation.end();
            held
        })
    }

    /// Ends the operation without a result.
    pub fn sign_cancel(&self, session: Handle, purpose: Purpose) -> Result<()> {
        self.with(session, |session| {
            session.signing(purpose).end();
            Ok(())
        })
    }
}

impl Session {
    pub(super) fn update_signing(&mut self, purpose: Purpose, data: &[u8]) -> Result<()> {
        let operation = self.signing(purpose);
        let current = operation.current()?;
        *current.in_parts = true;
        let updated = current.state.update(&current.keyed, data);
        updated.inspect_err(|_| operation.end())
    }

    pub(super) fn signing(&mut self, purpose: Purpose) -> &mut Operation<Signing> {
        purpose.of(&mut self.sign, &mut self.verify)
    }
}

impl Purpose {
    pub(super) fn of<T>(self, sign: T, verify: T) -> T {
        match self {
            Self::Sign => sign,
            Self::Verify => verify,
        }
    }
}
