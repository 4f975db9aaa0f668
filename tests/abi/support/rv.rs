//! Return codes by name, and the assertions about them.

use std::fmt;

use cryptoki_sys::*;

use names::NAMES;

// One table for both: this one and that of `pkcs11-tests`.
#[path = "../../../pkcs11-tests/src/check/names.rs"]
mod names;

/// A call's outcome: `CKR_OK` or the code.
pub type Result<T = ()> = std::result::Result<T, Rv>;

/// A return code; prints its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rv(pub CK_RV);

impl Rv {
    /// `CKR_OK` as `Ok`, everything else as `Err`.
    pub fn of(code: CK_RV) -> Result {
        if code == CKR_OK { Ok(()) } else { Err(Rv(code)) }
    }
}

impl fmt::Debug for Rv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(code, _)| *code == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "CK_RV 0x{:08x}", self.0),
        }
    }
}

impl fmt::Display for Rv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The value of a call that must succeed; otherwise the test fails with the code's name.
macro_rules! ok {
    ($call:expr $(, $($context:tt)+)?) => {
        match $call {
            Ok(value) => value,
            Err(code) => panic!(
                "{}: {code:?}, not CKR_OK{}", stringify!($call), context!($($($context)+)?)
            ),
        }
    };
}

/// A call that must fail with one of the codes: `fails!(call, CKR_A | CKR_B)`.
macro_rules! fails {
    ($call:expr, $($code:ident)|+ $(, $($context:tt)+)?) => {
        match $call {
            Err($crate::support::Rv(code)) if [$(cryptoki_sys::$code),+].contains(&code) => {}
            other => panic!(
                "{}: {}, not {}{}",
                stringify!($call),
                match &other { Ok(_) => "CKR_OK".to_owned(), Err(code) => format!("{code:?}") },
                concat!($(stringify!($code), " "),+).trim_end().replace(' ', " or "),
                context!($($($context)+)?)
            ),
        }
    };
}

/// The optional message of the assertions above.
macro_rules! context {
    () => { String::new() };
    ($($context:tt)+) => { format!(" ({})", format_args!($($context)+)) };
}

/// What a call may say when others end its library, session, login, operation or object meanwhile, or make the token anew.
pub const GONE: [CK_RV; 6] = [
    CKR_CRYPTOKI_NOT_INITIALIZED,
    CKR_SESSION_HANDLE_INVALID,
    CKR_KEY_HANDLE_INVALID,
    CKR_OBJECT_HANDLE_INVALID,
    CKR_OPERATION_NOT_INITIALIZED,
    CKR_USER_NOT_LOGGED_IN,
];
