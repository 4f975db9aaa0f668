//! What certificates are trusted for. PKCS#11 3.2, section 4.7.

use cryptoki_sys::*;

use super::{Attributes, Object, attribute};
use crate::crypto::hash::Algorithm;
use crate::error::{Error, Result};

/// What the library sets in a trust object that a template for `C_CreateObject` describes: nothing. Without a hash it names no
/// certificate, only an issuer and a number, which suffices to distrust but not to trust. That the hash is one is looked at where the
/// object is whole.
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
    let length = object.value(CKA_HASH_OF_CERTIFICATE).map(<[u8]>::len);
    let algorithm = object.number(CKA_NAME_HASH_ALGORITHM).and_then(hash);
    let is_named = length.is_some() && length == algorithm.map(Algorithm::output_len);
    is_named || !trusts(|number| object.number(number))
}

/// The hash function behind a digest mechanism.
fn hash(mechanism: u64) -> Option<Algorithm> {
    let hash = match mechanism {
        CKM_SHA_1 => Algorithm::Sha1,
        CKM_SHA224 => Algorithm::Sha224,
        CKM_SHA256 => Algorithm::Sha256,
        CKM_SHA384 => Algorithm::Sha384,
        CKM_SHA512 => Algorithm::Sha512,
        CKM_SHA3_224 => Algorithm::Sha3_224,
        CKM_SHA3_256 => Algorithm::Sha3_256,
        CKM_SHA3_384 => Algorithm::Sha3_384,
        CKM_SHA3_512 => Algorithm::Sha3_512,
        _ => return None,
    };
    Some(hash)
}

/// Whether any of the values is more than unknown or not trusted.
fn trusts(value: impl Fn(u64) -> Option<u64>) -> bool {
    let modest = [u64::from(CKT_TRUST_UNKNOWN), u64::from(CKT_NOT_TRUSTED)];
    attribute::trusts().filter_map(value).any(|trust| !modest.contains(&trust))
}
