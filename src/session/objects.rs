//! Objects: made, read, changed, copied, destroyed. PKCS#11 3.2, section 5.7.

use super::Sessions;
use crate::error::Result;
use crate::handle::Handle;
use crate::object::{Draft, Given, Template, Way};
use crate::token::View;

impl Sessions {
    /// `C_CreateObject`
    pub fn create(&self, session: Handle, given: &[Given<'_>]) -> Result<Handle> {
        self.with(session, |session| {
            let caller = session.caller();
            let template = Template::parse(given, Way::Create)?;
            let (object, material) = Draft::new(template, caller.login).finish()?;
            session.token.insert(&caller, session.handle, object, material)
        })
    }

    /// `C_CopyObject`
    pub fn copy(&self, session: Handle, original: Handle, given: &[Given<'_>]) -> Result<Handle> {
        self.with(session, |session| session.token.copy(&session.caller(), session.handle, original, given))
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
