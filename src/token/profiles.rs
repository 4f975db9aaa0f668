//! The profiles that the token conforms to: objects that are always there, for everybody, and in no store.

use std::sync::Arc;

use cryptoki_sys::*;

use super::catalog::{Catalog, Entry, Place};
use super::opened::Opened;
use crate::crypto::hash::sha256;
use crate::error::Result;
use crate::object::Object;
use crate::seal::TokenId;
use crate::store::ObjectId;

/// PKCS#11 Profiles 3.2, sections 5.1, 5.3 and 5.5. NSS looks at the certificates of a token before it asks for a PIN only where
/// the last one is. Certificates are public unless a program says otherwise; one that does hides its own.
const PROFILES: [u64; 3] = [CKP_BASELINE_PROVIDER, CKP_EXTENDED_PROVIDER, CKP_PUBLIC_CERTIFICATES_TOKEN];

/// Puts them into the catalog of a token.
pub(super) fn put(into: &Catalog, token: &TokenId) -> Result<()> {
    for profile in PROFILES {
        let object = Object::profile(id_of(token, profile), profile);
        let opened = Some(Arc::new(Opened::in_memory(object, None)));
        into.add(Entry { place: Place::BuiltIn, private: false, opened })?;
    }
    Ok(())
}

/// `CKA_UNIQUE_ID` is the same in every process, and another one in every token.
fn id_of(token: &TokenId, profile: u64) -> ObjectId {
    let hash = sha256(&[b"keystead profile", &token.0, &profile.to_le_bytes()]);
    ObjectId(hash.first_chunk().copied().unwrap_or_default())
}
