//! Objects: made, read, changed, copied, destroyed. PKCS#11 3.2, section 5.7.

use super::{Session, Sessions};
use crate::error::Result;
use crate::handle::Handle;
use crate::key::Caller;
use crate::object::{Draft, Given, New, Template, Way};
use crate::token::View;

impl Sessions {
    /// `C_CreateObject`
    pub fn create(&self, session: Handle, given: &[Given<'_>]) -> Result<Handle> {
        self.with(session, |session| {
            let caller = session.caller();
            let template = Template::parse(given, Way::Create)?;
            let new = Draft::new(template, session.token.basis(&caller)).finish()?;
            session.insert(&caller, new)
        })
    }

    /// `C_CopyObject`
    pub fn copy(&self, session: Handle, original: Handle, given: &[Given<'_>]) -> Result<Handle> {
        self.with(session, |session| {
            let caller = session.caller();
            let copy = session.token.copy(&caller, original, given)?;
            session.insert(&caller, copy)
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
    pub(super) fn insert(&mut self, caller: &Caller, new: New) -> Result<Handle> {
        self.insert_all(caller, [new]).map(|[handle]| handle)
    }

    /// The same for several, of which all are put in or none.
    pub(super) fn insert_all<const N: usize>(&mut self, caller: &Caller, new: [New; N]) -> Result<[Handle; N]> {
        let go_with_session = new.each_ref().map(|(object, _)| !object.is_token());
        let handles = self.token.insert(caller, self.handle, new)?;
        let going = handles.iter().zip(go_with_session).filter(|(_, goes)| *goes);
        self.objects.extend(going.map(|(handle, _)| *handle));
        Ok(handles)
    }
}
