//! Searches. PKCS#11 3.2, sections 5.7.7 to 5.7.9.

use super::Sessions;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::object::Search;

impl Sessions {
    /// `C_FindObjectsInit`
    pub fn find_init(&self, session: Handle, search: Search) -> Result<()> {
        self.with(session, |session| {
            if session.search.is_some() {
                return Err(Error::OperationActive);
            }
            session.search = Some(session.token.find(&session.caller(), search)?);
            Ok(())
        })
    }

    /// `C_FindObjects`: at most so many more.
    pub fn find_next(&self, session: Handle, most: usize) -> Result<Vec<Handle>> {
        self.with(session, |session| {
            let caller = session.caller();
            let candidates = session.search.as_mut().ok_or(Error::OperationNotInitialized)?;
            session.token.find_more(&caller, candidates, most)
        })
    }

    /// `C_FindObjectsFinal`
    pub fn find_final(&self, session: Handle) -> Result<()> {
        self.with(session, |session| session.search.take().map(drop).ok_or(Error::OperationNotInitialized))
    }
}
