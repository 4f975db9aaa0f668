//! How a module does it: Init and operation in one, with session keys that all threads share and a session for each thread.

mod pair;
mod symmetric;

use cryptoki_sys::*;

use super::operation::Operation;
use super::turn::{Work, made_apart};
use crate::failure::{Failure, Result};
use crate::module::{Session, check, plain};

/// Makes keys, and a session with its work for each thread. Fails where the module lacks the mechanism.
pub fn prepare(operation: Operation, session: &Session, threads: usize) -> Result<Vec<Work>> {
    let maker = match operation {
        Operation::Gcm(length) => symmetric::gcm(session, length),
        Operation::Ctr(length) => symmetric::ctr(session, length),
        Operation::Hmac(length) => symmetric::hmac(session, length),
        Operation::Cmac(length) => symmetric::cmac(session, length),
        Operation::Sha256(length) => symmetric::sha256(session, length),
        Operation::Wrap => symmetric::wrap(session),
        Operation::Unwrap => symmetric::unwrap(session),
        Operation::Generate => symmetric::generate(session),
        Operation::Session => Ok(open_and_close()),
        Operation::Random => Ok(random()),
        Operation::Pair(pair, act) => pair::maker(session, pair, act),
    }?;
    made_apart(threads, || Ok(maker(session.module.open_session(session.slot)?)))
}

/// Makes the work of a thread from its session.
type Maker = Box<dyn Fn(Session) -> Work + Sync>;

fn open_and_close() -> Maker {
    Box::new(|session| {
        Box::new(move |count| {
            (0..count).try_for_each(|_| {
                let opened = session.module.open_session(session.slot)?;
                // SAFETY: a handle is only a number.
                check("C_CloseSession", unsafe { (session.module.table.close_session)(opened.handle) })
            })
        })
    })
}

fn random() -> Maker {
    Box::new(|session| {
        let mut output = [0; 32];
        Box::new(move |count| {
            let generate = session.module.table.generate_random;
            (0..count).try_for_each(|_| {
                // SAFETY: the buffer is valid for its length.
                check("C_GenerateRandom", unsafe { generate(session.handle, output.as_mut_ptr(), 32) })
            })
        })
    })
}

/// Signatures and MACs of `length` bytes, with a mechanism that has no parameter.
fn sign(mechanism: CK_MECHANISM_TYPE, key: CK_OBJECT_HANDLE, length: usize) -> Maker {
    Box::new(move |session| {
        let table = &session.module.table;
        let (init, sign, session) = (table.sign_init, table.sign, session.handle);
        let mut input = vec![7; length];
        let mut output = [0; LONGEST_SIGNATURE];
        Box::new(move |count| {
            for _ in 0..count {
                let mut mechanism = plain(mechanism);
                let mut written = output.len() as CK_ULONG;
                // SAFETY: mechanism and buffers are valid for their lengths.
                unsafe {
                    check("C_SignInit", init(session, &mut mechanism, key))?;
                    let into = output.as_mut_ptr();
                    check("C_Sign", sign(session, input.as_mut_ptr(), length as CK_ULONG, into, &mut written))?;
                }
            }
            Ok(())
        })
    })
}

/// That of RSA-4096, in bytes.
const LONGEST_SIGNATURE: usize = 512;

fn destroy(session: &Session, key: CK_OBJECT_HANDLE) -> Result<()> {
    // SAFETY: handles are only numbers.
    check("C_DestroyObject", unsafe { (session.module.table.destroy_object)(session.handle, key) })
}

/// The session, if its token has the mechanism.
fn has(session: &Session, mechanism: CK_MECHANISM_TYPE) -> Result<&Session> {
    let mut info = CK_MECHANISM_INFO::default();
    // SAFETY: the function writes one structure.
    match unsafe { (session.module.table.mechanism_info)(session.slot, mechanism, &mut info) } {
        CKR_OK => Ok(session),
        _ => Err(Failure::new("the mechanism is not in its list")),
    }
}

fn with_parameter<T>(mechanism: CK_MECHANISM_TYPE, parameter: &mut T) -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism,
        pParameter: std::ptr::from_mut(parameter).cast(),
        ulParameterLen: size_of::<T>() as CK_ULONG,
    }
}
