//! What another module's return codes are called.

use std::fmt;

use cryptoki_sys::*;

/// A function of another module that did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    function: &'static str,
    /// What it returned.
    pub code: CK_RV,
}

/// The outcome of a call.
pub fn check(function: &'static str, code: CK_RV) -> Result<(), Refused> {
    if code == CKR_OK { Ok(()) } else { Err(Refused { function, code }) }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(code, _)| *code == self.code) {
            Some((_, name)) => write!(f, "{} answers {name}", self.function),
            None => write!(f, "{} answers 0x{:08x}", self.function, self.code),
        }
    }
}

macro_rules! names {
    ($($code:ident)*) => { &[$(($code, stringify!($code)),)*] };
}

/// Those that tell of a key or a token; the others are as good as their numbers.
const NAMES: &[(CK_RV, &str)] = names! {
    CKR_ACTION_PROHIBITED CKR_ARGUMENTS_BAD CKR_ATTRIBUTE_READ_ONLY CKR_ATTRIBUTE_SENSITIVE CKR_ATTRIBUTE_TYPE_INVALID
    CKR_ATTRIBUTE_VALUE_INVALID CKR_BUFFER_TOO_SMALL CKR_CRYPTOKI_ALREADY_INITIALIZED CKR_CRYPTOKI_NOT_INITIALIZED
    CKR_CURVE_NOT_SUPPORTED CKR_DATA_INVALID CKR_DATA_LEN_RANGE CKR_DEVICE_ERROR CKR_DEVICE_MEMORY CKR_DEVICE_REMOVED
    CKR_DOMAIN_PARAMS_INVALID CKR_ENCRYPTED_DATA_INVALID CKR_ENCRYPTED_DATA_LEN_RANGE CKR_FUNCTION_FAILED
    CKR_FUNCTION_NOT_SUPPORTED CKR_GENERAL_ERROR CKR_HOST_MEMORY CKR_KEY_FUNCTION_NOT_PERMITTED CKR_KEY_HANDLE_INVALID
    CKR_KEY_NOT_WRAPPABLE CKR_KEY_SIZE_RANGE CKR_KEY_TYPE_INCONSISTENT CKR_KEY_UNEXTRACTABLE CKR_MECHANISM_INVALID
    CKR_MECHANISM_PARAM_INVALID CKR_OBJECT_HANDLE_INVALID CKR_OPERATION_ACTIVE CKR_OPERATION_NOT_INITIALIZED CKR_PIN_EXPIRED
    CKR_PIN_INCORRECT CKR_PIN_INVALID CKR_PIN_LEN_RANGE CKR_PIN_LOCKED CKR_SESSION_COUNT CKR_SESSION_HANDLE_INVALID
    CKR_SESSION_READ_ONLY CKR_SLOT_ID_INVALID CKR_TEMPLATE_INCOMPLETE CKR_TEMPLATE_INCONSISTENT CKR_TOKEN_NOT_PRESENT
    CKR_TOKEN_NOT_RECOGNIZED CKR_TOKEN_WRITE_PROTECTED CKR_USER_NOT_LOGGED_IN CKR_USER_PIN_NOT_INITIALIZED
    CKR_WRAPPING_KEY_HANDLE_INVALID CKR_WRAPPING_KEY_SIZE_RANGE CKR_WRAPPING_KEY_TYPE_INCONSISTENT
};
