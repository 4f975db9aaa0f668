//! Return codes by name, and the sets of them that a check accepts.

use cryptoki_sys::*;

use super::names::NAMES;

/// A code's name.
pub fn name(code: CK_RV) -> String {
    match NAMES.iter().find(|(number, _)| *number == code) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("0x{code:08x}"),
    }
}

/// What a check accepts of a call.
#[derive(Clone, Copy)]
pub enum Expected<'a> {
    /// One of these codes.
    Codes(&'a [CK_RV]),
    /// Any code that blames the caller: not CKR_OK, and none of [`FAULTS`].
    Refusal,
    /// CKR_OK, or a refusal.
    Answer,
}

impl Expected<'_> {
    /// Whether a code is as expected.
    pub fn holds(&self, code: CK_RV) -> bool {
        match self {
            Self::Codes(codes) => codes.contains(&code),
            Self::Refusal => code != CKR_OK && !FAULTS.contains(&code),
            Self::Answer => !FAULTS.contains(&code),
        }
    }

    /// The expectation in words.
    pub fn text(&self) -> String {
        match self {
            Self::Codes(codes) => codes.iter().map(|code| name(*code)).collect::<Vec<_>>().join(" or "),
            Self::Refusal => "a code that blames the argument".to_owned(),
            Self::Answer => "CKR_OK, or a code that blames the argument".to_owned(),
        }
    }
}

/// Codes that say that the token or the machine is at fault. No argument of a caller is a reason for them.
/// PKCS#11 3.2, section 5.1.1.
const FAULTS: [CK_RV; 6] =
    [CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED, CKR_HOST_MEMORY, CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY, CKR_DEVICE_REMOVED];
