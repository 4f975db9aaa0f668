//! Requests and answers as text that can be mailed: PEM, RFC 7468.

use pem_rfc7468::LineEnding;

use crate::error::{Error, Result};

/// The text of some bytes.
pub(super) fn wrap(label: &str, bytes: &[u8]) -> Result<String> {
    pem_rfc7468::encode_string(label, LineEnding::LF, bytes)
        .map_err(|error| Error::GeneralError(format!("PEM: {error}").into()))
}

/// The bytes of a text, whatever stands before it. The error is a sentence for people.
pub(super) fn unwrap(label: &str, text: &[u8]) -> Result<Vec<u8>, String> {
    match pem_rfc7468::decode_vec(text) {
        Ok((found, bytes)) if found == label => Ok(bytes),
        Ok((found, _)) => Err(format!("it is a {found}, and a {label} is needed")),
        Err(error) => Err(format!("it is no {label}: {error}")),
    }
}
