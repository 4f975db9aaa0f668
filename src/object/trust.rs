//! What certificates are trusted for. PKCS#11 3.2, section 4.7.

use cryptoki_sys::*;

use super::{Attributes, Object, attribute};
use crate::error::{Error, Result};

/// What the library sets in a trust object that a template for `C_CreateObject` describes: nothing. Without a hash it names no
/// certificate, only an issuer and a number, which suffices to distrust but not to trust.
pub(super) fn describe(open: &Attributes) -> Result<Attributes> {
    let given = |number| open.get(&number).is_some_and(|value| !value.is_empty());
    let value = |number| open.get(&number)?.as_slice().try_into().map(u64::from_le_bytes).ok();
    let hash =
        [(CKA_HASH_OF_CERTIFICATE, "CKA_HASH_OF_CERTIFICATE"), (CKA_NAME_HASH_ALGORITHM, "CKA_NAME_HASH_ALGORITHM")];
    match hash.iter().find(|(number, _)| !given(*number) && trusts(value)) {
        Some((_, name)) => Err(Error::TemplateIncomplete(name)),
        None => Ok(Attributes::new()),
    }
}

/// Whether a trust object, once it is there, says which certificate it trusts.
pub(super) fn names_what_it_trusts(object: &Object) -> bool {
    let is_named = object.value(CKA_HASH_OF_CERTIFICATE).is_some_and(|hash| !hash.is_empty());
    is_named || !trusts(|number| object.number(number))
}

/// Whether any of the values is more than unknown or not trusted.
fn trusts(value: impl Fn(u64) -> Option<u64>) -> bool {
    let modest = [u64::from(CKT_TRUST_UNKNOWN), u64::from(CKT_NOT_TRUSTED)];
    attribute::trusts().filter_map(value).any(|trust| !modest.contains(&trust))
}
