//! Ed25519ctx with an empty context: RFC 8032, section 5.1. The RFC advises against it and AWS-LC refuses it, but PKCS#11 tells
//! it from Ed25519 by whether there is a parameter. The crate `ed25519-dalek` lets the hash function be chosen: here it is a
//! SHA-512 that begins with what such signatures begin with.

use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign, raw_verify};
use ed25519_dalek::{Signature, VerifyingKey};
use sha3::digest::typenum::U64;
use sha3::digest::{FixedOutput, HashMarker, Output, OutputSizeUser, Update};

use super::Rejected;
use super::edwards::{KEY_LEN, SIGNATURE_LEN};
use super::hash::{Algorithm, Hash};

/// Signs with the key of this seed.
pub(super) fn sign(seed: &[u8], message: &[u8]) -> Result<[u8; SIGNATURE_LEN], Rejected> {
    let seed: &[u8; KEY_LEN] = seed.try_into().map_err(|_| Rejected)?;
    let key = ExpandedSecretKey::from(seed);
    Ok(raw_sign::<Sha512>(&key, message, &VerifyingKey::from(&key)).to_bytes())
}

/// Verifies with a public key.
pub(super) fn verify(public: &[u8; KEY_LEN], message: &[u8], signature: &[u8; SIGNATURE_LEN]) -> Result<(), Rejected> {
    let key = VerifyingKey::from_bytes(public).map_err(|_| Rejected)?;
    raw_verify::<Sha512>(&key, message, &Signature::from_bytes(signature)).map_err(|_| Rejected)
}

/// SHA-512 of dom2(0, "") and then the data.
struct Sha512(Hash);

impl Default for Sha512 {
    fn default() -> Self {
        let mut hash = Hash::new(Algorithm::Sha512);
        hash.update(b"SigEd25519 no Ed25519 collisions\0\0");
        Self(hash)
    }
}

impl Update for Sha512 {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }
}

impl OutputSizeUser for Sha512 {
    type OutputSize = U64;
}

impl FixedOutput for Sha512 {
    fn finalize_into(mut self, into: &mut Output<Self>) {
        into.copy_from_slice(self.0.finish().as_ref());
    }
}

impl HashMarker for Sha512 {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::edwards::{Ed25519PrivateKey, Form};

    /// The same two functions with a context that AWS-LC takes, beside it.
    #[test]
    fn with_a_context_it_is_what_aws_lc_makes() {
        struct WithContext(Sha512);
        impl Default for WithContext {
            fn default() -> Self {
                let mut hash = Hash::new(Algorithm::Sha512);
                hash.update(b"SigEd25519 no Ed25519 collisions\0\x03foo");
                Self(Sha512(hash))
            }
        }
        impl Update for WithContext {
            fn update(&mut self, data: &[u8]) {
                Update::update(&mut self.0, data);
            }
        }
        impl OutputSizeUser for WithContext {
            type OutputSize = U64;
        }
        impl FixedOutput for WithContext {
            fn finalize_into(self, into: &mut Output<Self>) {
                self.0.finalize_into(into);
            }
        }
        impl HashMarker for WithContext {}
        let key = ExpandedSecretKey::from(&[7; KEY_LEN]);
        let made = raw_sign::<WithContext>(&key, b"message", &VerifyingKey::from(&key)).to_bytes();
        let aws_lc = Ed25519PrivateKey::from_seed(&[7; KEY_LEN]).sign(Form::Context(b"foo"), b"message");
        assert_eq!(aws_lc, Ok(made));
    }
}
