//! Encryption and decryption. PKCS#11 3.2, sections 5.8 and 5.10.

use super::operation::{Asked, Current, Operation};
use super::{Length, Output, Session, Sessions};
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key::Purpose;
use crate::mechanism::{Ciphering, Mechanism, Parameter};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Encryption.
    Encrypt,
    /// Decryption.
    Decrypt,
}

impl Sessions {
    /// `C_EncryptInit`, `C_DecryptInit`
    pub fn crypt_init(
        &self,
        session: Handle,
        direction: Direction,
        mechanism: &Mechanism,
        parameter: &Parameter<'_>,
        key: Handle,
    ) -> Result<()> {
        self.with(session, |session| {
            let (purpose, begin) = match direction {
                Direction::Encrypt => (Purpose::Encrypt, mechanism.does.encrypt),
                Direction::Decrypt => (Purpose::Decrypt, mechanism.does.decrypt),
            };
            let Session { token, read_write, encrypt, decrypt, .. } = session;
            let asked = Asked { purpose, mechanism, parameter, begin, key };
            direction.of(encrypt, decrypt).begin((token, *read_write), asked)
        })
    }

    /// `C_Encrypt`, `C_Decrypt`. May not finish what parts have begun.
    pub fn crypt_whole(&self, session: Handle, direction: Direction, output: &mut Output<'_>) -> Result<Length> {
        self.crypt(session, direction, output, Step::Whole)
    }

    /// `C_EncryptUpdate`, `C_DecryptUpdate`
    pub fn crypt_update(&self, session: Handle, direction: Direction, output: &mut Output<'_>) -> Result<Length> {
        self.crypt(session, direction, output, Step::Update)
    }

    /// `C_EncryptFinal`, `C_DecryptFinal`
    pub fn crypt_final(&self, session: Handle, direction: Direction, output: &mut Output<'_>) -> Result<Length> {
        self.crypt(session, direction, output, Step::Final)
    }

    /// Ends the operation without a result.
    pub fn crypt_cancel(&self, session: Handle, direction: Direction) -> Result<()> {
        self.with(session, |session| {
            session.ciphering(direction).end();
            Ok(())
        })
    }

    fn crypt(&self, session: Handle, direction: Direction, output: &mut Output<'_>, step: Step) -> Result<Length> {
        self.with(session, |session| step.go(session.ciphering(direction), output))
    }
}

/// Which call it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Whole,
    Update,
    Final,
}

impl Step {
    /// A size query and a buffer that is too small never consume the operation; a successful Update goes on; everything
    /// else ends it. PKCS#11 3.2, section 5.2.
    #[inline(always)]
    pub(super) fn go(self, operation: &mut Operation<Ciphering>, output: &mut Output<'_>) -> Result<Length> {
        let outcome = self.take(operation.current()?, output);
        let goes_on = match outcome {
            Ok(Length::Written(_)) => self == Self::Update,
            Ok(Length::Needed(_) | Length::TooSmall(_)) => true,
            Err(_) => false,
        };
        if !goes_on {
            operation.end();
        }
        outcome
    }

    fn take(
        self,
        Current { keyed, state, in_parts }: Current<'_, Ciphering>,
        output: &mut Output<'_>,
    ) -> Result<Length> {
        if self == Self::Whole && *in_parts {
            return Err(Error::OperationActive);
        }
        let cipher = state.cipher();
        let needed = |input: usize| match self {
            Self::Whole => cipher.whole_length(input),
            Self::Update => cipher.update_length(input),
            Self::Final => cipher.finish_length(),
        };
        let io = match output {
            Output::Query(input) => return needed(*input).map(Length::Needed),
            Output::Buffer(io) => io,
        };
        let needed = needed(io.len())?;
        let done = match self {
            _ if io.room() < needed && (self == Self::Update || !cipher.judges_room()) => Err(Error::BufferTooSmall),
            Self::Whole => cipher.whole(&keyed, io),
            Self::Update => cipher.update(&keyed, io),
            Self::Final => cipher.finish(&keyed, io),
        };
        match done {
            Ok(()) => {
                *in_parts |= self == Self::Update;
                Ok(Length::Written(io.written()))
            }
            Err(Error::BufferTooSmall) => Ok(Length::TooSmall(needed)),
            Err(error) => {
                io.wipe_written();
                Err(error)
            }
        }
    }
}

impl Session {
    pub(super) fn ciphering(&mut self, direction: Direction) -> &mut Operation<Ciphering> {
        direction.of(&mut self.encrypt, &mut self.decrypt)
    }
}

impl Direction {
    fn of<T>(self, encrypt: T, decrypt: T) -> T {
        match self {
            Self::Encrypt => encrypt,
            Self::Decrypt => decrypt,
        }
    }
}
