//! How a module does it: Init and operation in one, with session keys that all threads share and a session for each thread. Each
//! thread's last result of a turn is compared with what the bare primitive makes of the same, or verified by it.

mod key;
mod made;
mod message;
mod oaep;
mod output;
mod pair;
mod random;
mod session;
mod signature;

use cryptoki_sys::*;

use super::operation::Operation;
use super::turn::{Work, made_apart};
use crate::failure::{Failure, Result};
use crate::module::{Session, check};

/// Makes keys, and a session with its work for each thread. Fails where the module lacks the mechanism.
pub fn prepare(operation: Operation, session: &Session, threads: usize) -> Result<Vec<Box<dyn Work>>> {
    let maker = match operation {
        Operation::Message(message, size) => message::maker(session, message, size),
        Operation::Wrap => key::wrap(session),
        Operation::Unwrap => key::unwrap(session),
        Operation::Generate => key::generate(session),
        Operation::Session => Ok(session::maker()),
        Operation::Random(size) => Ok(random::maker(size)),
        Operation::Pair(pair, act) => pair::maker(session, pair, act),
    }?;
    made_apart(threads, || maker(session.module.open_session(session.slot)?))
}

/// Makes the work of a thread from its session.
type Maker = Box<dyn Fn(Session) -> Result<Box<dyn Work>> + Sync>;

/// Functions of one part: encrypt, decrypt, sign and digest.
type OnePart = unsafe extern "C" fn(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG) -> CK_RV;

/// The session, if its token has the mechanism.
fn has(session: &Session, mechanism: CK_MECHANISM_TYPE) -> Result<&Session> {
    let mut info = CK_MECHANISM_INFO::default();
    // SAFETY: the function writes one structure.
    let code = unsafe { (session.module.table.mechanism_info)(session.slot, mechanism, &mut info) };
    check("C_GetMechanismInfo", code).map(|()| session)
}

fn with_parameter<T>(mechanism: CK_MECHANISM_TYPE, parameter: &mut T) -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism,
        pParameter: std::ptr::from_mut(parameter).cast(),
        ulParameterLen: size_of::<T>() as CK_ULONG,
    }
}

/// Whether a result is what it should be.
fn equal(what: &str, result: Option<&[u8]>, right: &[u8]) -> Result<()> {
    if result == Some(right) { Ok(()) } else { Err(Failure::wrong_result(format!("{what} is wrong"))) }
}
