//! What runs in a session as a whole: saved, restored, cancelled. PKCS#11 3.2, sections 5.6.5 to 5.6.7.

use cryptoki_sys::*;
use zeroize::Zeroizing;

use super::digest::Active;
use super::{Length, Output, Session, Sessions};
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::mechanism::Mechanisms;
use crate::seal::{Scope, TransientKey};

impl Sessions {
    /// `C_SessionCancel`: ends the operations whose `CKF_*` are set. A flag of one that does not run says nothing.
    pub fn cancel(&self, session: Handle, flags: u64) -> Result<()> {
        self.with(session, |session| {
            session.cancel(flags);
            Ok(())
        })
    }

    /// `C_GetOperationState`: of a digest that runs alone. No other operation can be saved, for its key stays inside.
    ///
    /// The state may have eaten a key, so the caller gets it sealed. It is good in this process, for this token, and until
    /// the next login or logout.
    pub fn save_operations(&self, session: Handle, output: &mut Output<'_>) -> Result<Length> {
        self.with(session, |session| {
            if session.has_keyed_operation() {
                return Err(Error::StateUnsaveable);
            }
            let state = session.digest.as_ref().ok_or(Error::OperationNotInitialized)?.save();
            let length = TransientKey::sealed_length(state.len());
            let io = match output.room(length) {
                Ok(io) => io,
                Err(told) => return Ok(told),
            };
            io.write(&self.transient_key()?.seal(&session.scope(), &state)?)?;
            Ok(Length::Written(length))
        })
    }

    /// `C_SetOperationState`. What ran in the session ends, a search too; but for an error, which changes nothing.
    ///
    /// # Errors
    /// [`Error::SavedStateInvalid`] for whatever was not saved as above; then [`Error::KeyNotNeeded`] for any key, as no
    /// state waits for one.
    pub fn restore_operations(
        &self,
        session: Handle,
        mechanisms: &Mechanisms,
        saved: &[u8],
        keys: [Handle; 2],
    ) -> Result<()> {
        self.with(session, |session| {
            let state = self.transient_key()?.open(&session.scope(), saved).ok_or(Error::SavedStateInvalid)?;
            let digest = Active::restore(mechanisms, state.expose()).ok_or(Error::SavedStateInvalid)?;
            if keys != [Handle::NONE; 2] {
                return Err(Error::KeyNotNeeded);
            }
            session.cancel(u64::MAX);
            session.digest = Some(digest);
            Ok(())
        })
    }

    fn transient_key(&self) -> Result<&TransientKey> {
        self.transient.get_or_try_init(TransientKey::new)
    }
}

impl Session {
    fn cancel(&mut self, flags: u64) {
        let asked = |flag| flags & flag != 0;
        if asked(CKF_ENCRYPT) {
            self.encrypt.end();
        }
        if asked(CKF_DECRYPT) {
            self.decrypt.end();
        }
        if asked(CKF_SIGN) {
            self.sign.end();
        }
        if asked(CKF_VERIFY) {
            self.verify.end();
        }
        if asked(CKF_SIGN_RECOVER) {
            self.sign_recover.end();
        }
        if asked(CKF_VERIFY_RECOVER) {
            self.verify_recover.end();
        }
        if asked(CKF_DIGEST) {
            self.digest = None;
        }
        if asked(CKF_FIND_OBJECTS) {
            self.search = None;
        }
    }

    fn has_keyed_operation(&self) -> bool {
        let ciphers = self.encrypt.is_running() || self.decrypt.is_running();
        let recovers = self.sign_recover.is_running() || self.verify_recover.is_running();
        ciphers || self.sign.is_running() || self.verify.is_running() || recovers
    }

    fn scope(&self) -> Scope {
        Scope { token: *self.token.id(), login: self.token.login_word(), read_write: self.read_write }
    }
}

impl Active {
    /// The mechanism's number, whether a key went in, and the state, if there is one yet.
    fn save(&self) -> Zeroizing<Vec<u8>> {
        let state = self.state.as_deref().map(|state| state.save());
        let state = state.as_deref().map_or(&[][..], Vec::as_slice);
        Zeroizing::new([&self.mechanism.number.to_be_bytes(), &[u8::from(self.needs_login)][..], state].concat())
    }

    fn restore(mechanisms: &Mechanisms, saved: &[u8]) -> Option<Self> {
        let (number, saved) = saved.split_first_chunk()?;
        let (needs_login, state) = saved.split_first()?;
        let mechanism = mechanisms.find(u64::from_be_bytes(*number)).ok()?;
        let mut active = Self::new(mechanism)?;
        active.needs_login = *needs_login != 0;
        if !state.is_empty() {
            active.resume(state)?;
        }
        Some(active)
    }
}
