//! Signatures that give their message back. PKCS#11 3.2, sections 5.13.5, 5.13.6, 5.15.5 and 5.15.6.

use super::operation::{Asked, Operation};
use super::sign::Purpose;
use super::{Length, Output, Session, Sessions};
use crate::crypto::InOut;
use crate::error::Result;
use crate::handle::Handle;
use crate::key;
use crate::mechanism::{Mechanism, Parameter, Recovering};

impl Sessions {
    /// `C_SignRecoverInit`, `C_VerifyRecoverInit`
    pub fn recover_init(
        &self,
        session: Handle,
        purpose: Purpose,
        mechanism: &Mechanism,
        parameter: &Parameter<'_>,
        key: Handle,
    ) -> Result<()> {
        self.with(session, |session| {
            let Session { token, read_write, sign_recover, verify_recover, .. } = session;
            let (operation, begin) = (purpose.of(sign_recover, verify_recover), mechanism.does.recover);
            let purpose = purpose.of(key::Purpose::SignRecover, key::Purpose::VerifyRecover);
            operation.begin((token, *read_write), Asked { purpose, mechanism, parameter, begin, key })
        })
    }

    /// `C_SignRecover`: the message is the input of `output`.
    pub fn sign_recover(&self, session: Handle, output: &mut Output<'_>) -> Result<Length> {
        self.with(session, |session| {
            let operation = &mut session.sign_recover;
            let current = operation.current()?;
            let length = current.state.length();
            let io = match output.room(length) {
                Ok(io) => io,
                Err(told) => return Ok(told),
            };
            let signed = current.state.sign(&current.keyed, io);
            operation.end();
            signed.map(|()| Length::Written(length))
        })
    }

    /// `C_VerifyRecover` of the signature that is the input of `io`, or the question how long its message is. It is judged
    /// before anybody looks at the room, so one that does not hold is never a matter of room.
    pub fn verify_recover(&self, session: Handle, io: &mut InOut<'_>, is_query: bool) -> Result<Length> {
        self.with(session, |session| {
            let operation = &mut session.verify_recover;
            let current = operation.current()?;
            let message = current.state.recover(&current.keyed, io.input()).inspect_err(|_| operation.end())?;
            let length = message.len();
            match is_query {
                true => Ok(Length::Needed(length)),
                false if io.room() < length => Ok(Length::TooSmall(length)),
                false => {
                    operation.end();
                    io.write(&message).map(|()| Length::Written(length))
                }
            }
        })
    }

    /// Ends the operation without a result.
    pub fn recover_cancel(&self, session: Handle, purpose: Purpose) -> Result<()> {
        self.with(session, |session| {
            session.recovering(purpose).end();
            Ok(())
        })
    }
}

impl Session {
    fn recovering(&mut self, purpose: Purpose) -> &mut Operation<Recovering> {
        purpose.of(&mut self.sign_recover, &mut self.verify_recover)
    }
}
