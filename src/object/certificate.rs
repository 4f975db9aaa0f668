//! Certificates: what follows from their value. PKCS#11 3.2, section 4.6.

use cryptoki_sys::*;
use der::{Decode, Encode};
use x509_cert::Certificate;

use super::{Attributes, check_value};
use crate::error::{Error, Result};
use crate::key::CertificateType;

/// What the library sets in a certificate that a template for `C_CreateObject` describes.
pub(super) fn describe(of: CertificateType, open: &Attributes) -> Result<Attributes> {
    let value = at(open, CKA_VALUE);
    let not_empty: &[_] = match of {
        CertificateType::X509Attribute => &[(CKA_OWNER, "CKA_OWNER"), (CKA_VALUE, "CKA_VALUE")],
        CertificateType::Wtls if !value.is_empty() => &[(CKA_SUBJECT, "CKA_SUBJECT")],
        CertificateType::Wtls | CertificateType::X509 => &[],
    };
    if let Some((_, name)) = not_empty.iter().find(|(number, _)| at(open, *number).is_empty()) {
        return Err(Error::TemplateIncomplete(name));
    }
    if of != CertificateType::X509Attribute {
        check_place(open)?;
    }
    let mut set = Attributes::new();
    let within = if of == CertificateType::X509 { public_key_info(value) } else { None };
    if let Some(info) = within.or_else(|| open.get(&CKA_PUBLIC_KEY_INFO).cloned()) {
        set.insert(CKA_PUBLIC_KEY_INFO, info);
    }
    if let Some(check_value) = check_value::of_value(open, value)? {
        set.insert(CKA_CHECK_VALUE, check_value);
    }
    let (given, known) = (at(open, CKA_PUBLIC_KEY_INFO), at(&set, CKA_PUBLIC_KEY_INFO));
    if !given.is_empty() && !known.is_empty() && given != known {
        return Err(Error::AttributeValueInvalid("CKA_PUBLIC_KEY_INFO"));
    }
    Ok(set)
}

/// The certificate is here, or somewhere else: then its keys' hashes say which one it is. PKCS#11 3.2, tables 22 and 23.
fn check_place(open: &Attributes) -> Result<()> {
    let is_empty = |number| at(open, number).is_empty();
    if is_empty(CKA_VALUE) && is_empty(CKA_URL) {
        return Err(Error::TemplateIncomplete("CKA_VALUE"));
    }
    let hashes = [
        (CKA_HASH_OF_SUBJECT_PUBLIC_KEY, "CKA_HASH_OF_SUBJECT_PUBLIC_KEY"),
        (CKA_HASH_OF_ISSUER_PUBLIC_KEY, "CKA_HASH_OF_ISSUER_PUBLIC_KEY"),
    ];
    match hashes.iter().find(|(number, _)| !is_empty(CKA_URL) && is_empty(*number)) {
        Some((_, name)) => Err(Error::TemplateIncomplete(name)),
        None => Ok(()),
    }
}

/// A value that is no certificate is the caller's business: it is kept as it is.
fn public_key_info(value: &[u8]) -> Option<Vec<u8>> {
    Certificate::from_der(value).ok()?.tbs_certificate().subject_public_key_info().to_der().ok()
}

fn at(attributes: &Attributes, number: u64) -> &[u8] {
    attributes.get(&number).map(Vec::as_slice).unwrap_or_default()
}
