//! Searches. PKCS#11 3.2, sections 5.7.7 to 5.7.9.

use std::vec::IntoIter;

use super::Sessions;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::object::Search;

/// What a search found when it began; it does not change while the caller takes it.
pub(super) type Found = IntoIter<Handle>;

impl Sessions {
    /// `C_FindObjectsInit`
    pub fn find_init(&self, session: Handle, search: &Search) -> Result<()> {
        self.with(session, |session| {
            if session.search.is_some() {
                return Err(Error::OperationActive);
            }
            let found = session.token.find(&session.caller(), search)?;
            session.search = Some(found.into_iter());
            Ok(())
        })
    }

    /// `C_FindObjects`: at most so many more.
    pub fn find_next(&self, session: Handle, most: usize) -> Result<Vec<Handle>> {
        self.with(session, |session| {
            let found = session.search.as_mut().ok_or(Error::OperationNotInitialized)?;
            Ok(found.take(most).collect())
        })
    }

    /// `C_FindObjectsFinal`
    pub fn find_final(&self, session: Handle) -> Result<()> {
        self.with(session, |session| session.search.take().map(drop).ok_or(Error::OperationNotInitialized))
    }
}
