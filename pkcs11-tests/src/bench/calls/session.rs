//! Sessions that are opened and closed.

use cryptoki_sys::*;

use super::Maker;
use crate::bench::turn::Work;
use crate::failure::{Failure, Result};
use crate::module::{Session, check};

pub(super) fn maker() -> Maker {
    Box::new(|session| Ok(Box::new(OpenAndClose(session))))
}

struct OpenAndClose(Session);

impl Work for OpenAndClose {
    fn repeat(&mut self, count: u64) -> Result<()> {
        (0..count).try_for_each(|_| self.0.module.open_session(self.0.slot).and_then(close))
    }

    fn check(&mut self) -> Result<()> {
        let opened = self.0.module.open_session(self.0.slot)?;
        let info = |session: &Session| {
            let mut info = CK_SESSION_INFO::default();
            // SAFETY: the function writes one structure.
            unsafe { (session.module.table.session_info)(session.handle, &mut info) }
        };
        let (while_open, closed) = (info(&opened), opened.clone());
        close(opened)?;
        match (while_open, info(&closed)) {
            (CKR_OK, CKR_SESSION_HANDLE_INVALID | CKR_SESSION_CLOSED) => Ok(()),
            (CKR_OK, _) => Err(Failure::wrong_result("a session is there after it was closed")),
            (..) => Err(Failure::wrong_result("a session that was opened is not there")),
        }
    }
}

fn close(session: Session) -> Result<()> {
    // SAFETY: a handle is only a number.
    check("C_CloseSession", unsafe { (session.module.table.close_session)(session.handle) })
}
