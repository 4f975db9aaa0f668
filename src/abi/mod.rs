//! The C side: entry points, function tables, the caller's memory, and the one loaded instance.
//!
//! Only this room sees a caller's raw pointers. Each entry point is a line or two inside [`entry!`]: one wrapper finds the
//! instance, turns a panic into a code, and writes the log. What the standard asks of callers is the safety contract: a
//! pointer is NULL or valid for what its function reads or writes there.
#![allow(non_snake_case, missing_docs, clippy::missing_safety_doc)]

/// A function of the standard. The body sees the module and may touch the caller's memory. An `unexported` one is reached through
/// the tables of 3.0 and later only.
macro_rules! entry {
    (fn $($function:tt)*) => {
        entry!(@ [#[unsafe(no_mangle)] pub] $($function)*);
    };
    ($(#[$doc:meta])* unexported fn $($function:tt)*) => {
        entry!(@ [$(#[$doc])* pub(super)] $($function)*);
    };
    (@ [$($front:tt)*] $name:ident($session:ident: CK_SESSION_HANDLE $(, $argument:ident: $type:ty)* $(,)?) |$module:pat_param| $body:expr) => {
        $($front)* unsafe extern "C" fn $name($session: cryptoki_sys::CK_SESSION_HANDLE $(, $argument: $type)*) -> cryptoki_sys::CK_RV {
            $crate::abi::instance::call(stringify!($name), |module| {
                let body = |$module: &$crate::module::Module| {
                    #[allow(unused_unsafe, reason = "a body without pointers needs none")]
                    // SAFETY: as below.
                    unsafe { $body }
                };
                body(module).map_err(|error| $crate::abi::of_session(module, $session, error))
            })
        }
    };
    (@ [$($front:tt)*] $name:ident($($argument:ident: $type:ty),* $(,)?) |$module:pat_param| $body:expr) => {
        $($front)* unsafe extern "C" fn $name($($argument: $type),*) -> cryptoki_sys::CK_RV {
            $crate::abi::instance::call(stringify!($name), |$module| {
                #[allow(unused_unsafe, reason = "a body without pointers needs none")]
                // SAFETY: the caller keeps to the standard: every pointer is NULL or valid for what is read and written
                // there during the call.
                unsafe { $body }
            })
        }
    };
}

/// The error of a call in a session: that there is no such session outranks whatever else is wrong. PKCS#11 3.2, section
/// 5.1.7.
#[cold]
fn of_session(module: &Module, session: CK_SESSION_HANDLE, error: Error) -> Error {
    module.sessions().info(Handle::from_raw(session)).err().unwrap_or(error)
}

mod code;
mod crypt;
mod digest;
mod dual;
mod general;
mod info;
mod instance;
mod keys;
mod mechanism;
mod memory;
mod objects;
mod recover;
mod sessions;
mod sign;
mod slots;
mod tables;
mod unsupported;
mod wrap;

use cryptoki_sys::CK_SESSION_HANDLE;

use crate::error::Error;
use crate::handle::Handle;
use crate::module::Module;
