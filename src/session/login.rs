//! Login, logout and PINs. PKCS#11 3.2, sections 5.5.7, 5.5.8 and 5.6.8 to 5.6.10.
//!
//! None of these holds the session's lock: hashing a PIN takes long, and a logout takes every session's lock in turn.

use std::sync::Arc;

use super::{Session, Sessions};
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key::Login;

impl Sessions {
    /// `C_Login`
    pub fn login(&self, session: Handle, who: Login, pin: &[u8]) -> Result<()> {
        self.token(session)?.login(who, pin)
    }

    /// `C_Login` of `CKU_CONTEXT_SPECIFIC`: the user's PIN once more, for the operation that waits for it. PKCS#11 3.2, section
    /// 5.6.8. It is good for one operation: that which waited when the PIN was given.
    pub fn authenticate(&self, session: Handle, pin: &[u8]) -> Result<()> {
        let (token, number) = self.with(session, |session| Ok((session.token.clone(), session.awaits_pin())))?;
        let number = number.ok_or(Error::OperationNotInitialized)?;
        token.authenticate(pin)?;
        self.with(session, |session| {
            session.sign.authenticated(number);
            session.decrypt.authenticated(number);
            session.sign_recover.authenticated(number);
            Ok(())
        })
    }

    /// `C_Logout`: for all sessions of the token.
    pub fn logout(&self, session: Handle) -> Result<()> {
        let token = self.token(session)?;
        token.logout(|| self.end_login(&token))
    }

    /// `C_InitPIN`
    pub fn init_pin(&self, session: Handle, pin: &[u8]) -> Result<()> {
        self.token(session)?.init_user_pin(pin)
    }

    /// `C_SetPIN`
    pub fn set_pin(&self, session: Handle, old: &[u8], new: &[u8]) -> Result<()> {
        let (token, read_write) = self.fixed(session, |fixed| (Arc::clone(&fixed.token), fixed.read_write))?;
        if !read_write {
            return Err(Error::SessionReadOnly);
        }
        token.set_pin(old, new)
    }
}

impl Session {
    /// The signature or decryption that waits for the user's PIN; of several the one that began last.
    fn awaits_pin(&self) -> Option<u64> {
        self.sign.awaits_pin().max(self.decrypt.awaits_pin()).max(self.sign_recover.awaits_pin())
    }
}
