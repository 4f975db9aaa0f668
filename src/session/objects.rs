//! Objects: made, read, changed, copied, destroyed. PKCS#11 3.2, section 5.7.

use super::{Session, Sessions};
use crate::error::Result;
use crate::handle::Handle;
use crate::key::{Caller, KeyMaterial};
use crate::object::{Draft, Given, Object, Template, Way};
use crate::token::View;

impl Sessions {
    /// `C_CreateObject`
    pub fn create(&self, session: Handle, given: &[Given<'_>]) -> Result<Handle> {
        self.with(session, |session| {
            let caller = session.caller();
            let template = Template::parse(given, Way::Create)?;
            let (object, material) = Draft::new(template, caller.login).finish()?;
            session.insert(&caller, object, material)
        })
    }

    /// `C_CopyObject`
    pub fn copy(&self, session: Handle, original: Handle, given: &[Given<'_>]) -> Result<Handle> {
        self.with(session, |session| {
            let caller = session.caller();
            let (copy, material) = session.token.copy(&caller, original, given)?;
            session.insert(&caller, copy, material)
        })
    }

    /// `C_SetAttributeValue`
    pub fn change(&self, session: Handle, object: Handle, given: &[Given<'_>]) -> Result<()> {
        self.with(session, |session| session.token.change(&session.caller(), object, given))
    }

    /// `C_DestroyObject`
    pub fn destroy(&self, session: Handle, object: Handle) -> Result<()> {
        self.with(session, |session| session.token.destroy(&session.caller(), object))
    }

    /// `C_GetAttributeValue`: the object, to be asked for one attribute after the other.
    pub fn view(&self, session: Handle, object: Handle) -> Result<View> {
        self.with(session, |session| session.token.view(&session.caller(), object))
    }
}

impl Session {
    /// Puts a new object in, and remembers it if it goes with the session.
    pub(super) fn insert(&mut self, caller: &Caller, object: Object, material: Option<KeyMaterial>) -> Result<Handle> {
        let goes_with_session = !object.is_token();
        let handle = self.token.insert(caller, self.handle, object, material)?;
        if goes_with_session {
            self.objects.push(handle);
        }
        Ok(handle)
    }
}
