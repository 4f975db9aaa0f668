//! Masked objects, as `C_WrapKey` makes and `C_UnwrapKey` takes them.

use super::keys::as_key;
use super::{Length, Output, Session, Wrapped};
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::key::{Caller, Purpose};
use crate::object::Given;
use crate::transfer::{self, Domain};

impl Session {
    /// `C_WrapKey`
    pub(super) fn mask(
        &self,
        caller: &Caller,
        [domain, object]: [Handle; 2],
        output: &mut Output<'_>,
    ) -> Result<Wrapped> {
        let domain = self.domain(caller, Purpose::Mask, domain)?;
        let target = self.token.opened(caller, object).map_err(|error| as_key(error, Error::KeyHandleInvalid))?;
        let masked = transfer::mask(&self.token, caller, &domain, &target)?;
        let length = match output.room(masked.len()) {
            Ok(io) => io.write(&masked).map(|()| Length::Written(masked.len()))?,
            Err(told) => told,
        };
        Ok(Wrapped { length, iv: None, tag: Vec::new() })
    }

    /// `C_UnwrapKey`: the object as it is here in the end. The template says nothing that the object has not.
    pub(super) fn unmask(&self, caller: &Caller, domain: Handle, masked: &[u8], given: &[Given<'_>]) -> Result<Handle> {
        self.token.revision()?;
        let domain = self.domain(caller, Purpose::Unmask, domain)?;
        transfer::take_in(&self.token, caller, &domain, masked, given)
    }

    fn domain(&self, caller: &Caller, purpose: Purpose, handle: Handle) -> Result<Domain> {
        let opened = self.token.opened(caller, handle).map_err(|error| as_key(error, purpose.no_such_key()))?;
        Domain::of(&self.token, &opened)
            .map_err(|error| if error == Error::KeyTypeInconsistent { purpose.wrong_type() } else { error })
    }
}
