//! The C side: entry points, function tables, the caller's memory, and the one loaded instance.
//!
//! Only this room sees a caller's raw pointers. Each entry point is a line or two inside [`entry!`]: one wrapper finds the
//! instance, turns a panic into a code, and writes the log. What the standard asks of callers is the safety contract: a
//! pointer is NULL or valid for what its function reads or writes there.
#![allow(non_snake_case, missing_docs, clippy::missing_safety_doc)]

/// An exported function. The body sees the module and may touch the caller's memory.
macro_rules! entry {
    (fn $name:ident($($argument:ident: $type:ty),* $(,)?) |$module:pat_param| $body:expr) => {
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> cryptoki_sys::CK_RV {
            $crate::abi::instance::call(stringify!($name), |$module| {
                #[allow(unused_unsafe, reason = "a body without pointers needs none")]
                // SAFETY: the caller keeps to the standard: every pointer is NULL or valid for what is read and written
                // there during the call.
                unsafe { $body }
            })
        }
    };
}

mod code;
mod crypt;
mod digest;
mod general;
mod info;
mod instance;
mod keys;
mod mechanism;
mod memory;
mod objects;
mod sessions;
mod sign;
mod slots;
mod tables;
mod unsupported;
