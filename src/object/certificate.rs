//! Certificates: what follows from their value. PKCS#11 3.2, section 4.6.

use cryptoki_sys::*;
use der::{Decode, Encode};
use x509_cert::Certificate;

use super::{Attributes, check_value};
use crate::error::{Error, Result};

/// What the library sets in a certificate that a template for `C_CreateObject` describes.
pub(super) fn describe(open: &Attributes) -> Result<Attributes> {
    let of = |number| open.get(&number).map(Vec::as_slice).unwrap_or_default();
    if of(CKA_CERTIFICATE_TYPE) != CKC_X_509.to_le_bytes() {
        return Err(Error::AttributeValueInvalid("CKA_CERTIFICATE_TYPE"));
    }
    let value = of(CKA_VALUE);
    if value.is_empty() && of(CKA_URL).is_empty() {
        return Err(Error::TemplateIncomplete("CKA_VALUE"));
    }
    let mut set = Attributes::new();
    if let Some(info) = public_key_info(value).or_else(|| open.get(&CKA_PUBLIC_KEY_INFO).cloned()) {
        set.insert(CKA_PUBLIC_KEY_INFO, info);
    }
    if let Some(check_value) = check_value::of_value(open, value)? {
        set.insert(CKA_CHECK_VALUE, check_value);
    }
    let (given, known) =
        (of(CKA_PUBLIC_KEY_INFO), set.get(&CKA_PUBLIC_KEY_INFO).map(Vec::as_slice).unwrap_or_default());
    if !given.is_empty() && !known.is_empty() && given != known {
        return Err(Error::AttributeValueInvalid("CKA_PUBLIC_KEY_INFO"));
    }
    Ok(set)
}

/// A value that is no certificate is the caller's business: it is kept as it is.
fn public_key_info(value: &[u8]) -> Option<Vec<u8>> {
    Certificate::from_der(value).ok()?.tbs_certificate().subject_public_key_info().to_der().ok()
}
