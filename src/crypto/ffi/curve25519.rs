//! Ed25519 and X25519.

use aws_lc_sys::{
    ED25519_keypair_from_seed, ED25519_sign, ED25519_verify, ED25519ctx_sign, ED25519ctx_verify, ED25519ph_sign_digest,
    ED25519ph_verify_digest, X25519, X25519_public_from_private,
};

use super::stack::forgotten;
use crate::crypto::Rejected;
use crate::crypto::edwards::Form;
use crate::secret::Secret;

/// An Ed25519 key pair: the seed and behind it the public key, as AWS-LC takes them.
pub struct Ed25519Pair(Secret);

impl Ed25519Pair {
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let mut pair = Secret::zeroed(64);
        let mut public = [0; 32];
        // SAFETY: a seed has 32 bytes, a public key 32, a pair 64.
        forgotten(|| unsafe {
            ED25519_keypair_from_seed(public.as_mut_ptr(), pair.expose_mut().as_mut_ptr(), seed.as_ptr())
        });
        Self(pair)
    }

    pub fn seed(&self) -> &[u8] {
        self.0.expose().split_at_checked(32).unwrap_or_default().0
    }

    pub fn public(&self) -> [u8; 32] {
        self.0.expose().last_chunk().copied().unwrap_or_default()
    }

    pub fn sign(&self, form: Form, message: &[u8]) -> Result<[u8; 64], Rejected> {
        let mut signature = [0; 64];
        let (out, pair) = (signature.as_mut_ptr(), self.0.expose().as_ptr());
        // SAFETY: a signature has 64 bytes and so has a pair; messages and contexts are readable for their lengths; a
        // digest has 64 bytes.
        let sign = || unsafe {
            Ok(match form {
                Form::Pure => ED25519_sign(out, message.as_ptr(), message.len(), pair),
                Form::Context(context) => {
                    ED25519ctx_sign(out, message.as_ptr(), message.len(), pair, context.as_ptr(), context.len())
                }
                Form::Prehashed(context) => {
                    let digest: &[u8; 64] = message.try_into().map_err(|_| Rejected)?;
                    ED25519ph_sign_digest(out, digest.as_ptr(), pair, context.as_ptr(), context.len())
                }
            })
        };
        if forgotten(sign)? == 1 { Ok(signature) } else { Err(Rejected) }
    }
}

pub fn ed25519_verify(public: &[u8; 32], form: Form, message: &[u8], signature: &[u8; 64]) -> Result<(), Rejected> {
    let (signature, public) = (signature.as_ptr(), public.as_ptr());
    // SAFETY: a signature has 64 bytes, a public key 32, a digest 64; messages and contexts are readable for their
    // lengths.
    let holds = unsafe {
        match form {
            Form::Pure => ED25519_verify(message.as_ptr(), message.len(), signature, public),
            Form::Context(context) => {
                ED25519ctx_verify(message.as_ptr(), message.len(), signature, public, context.as_ptr(), context.len())
            }
            Form::Prehashed(context) => {
                let digest: &[u8; 64] = message.try_into().map_err(|_| Rejected)?;
                ED25519ph_verify_digest(digest.as_ptr(), signature, public, context.as_ptr(), context.len())
            }
        }
    };
    if holds == 1 { Ok(()) } else { Err(Rejected) }
}

pub fn x25519_public(private: &[u8; 32]) -> [u8; 32] {
    let mut public = [0; 32];
    // SAFETY: both kinds of key have 32 bytes.
    forgotten(|| unsafe { X25519_public_from_private(public.as_mut_ptr(), private.as_ptr()) });
    public
}

/// Rejects a peer for whom the result is zero whatever the private key is.
pub fn x25519(private: &[u8; 32], peer: &[u8; 32]) -> Result<Secret, Rejected> {
    let mut shared = Secret::zeroed(32);
    // SAFETY: keys of both kinds and the result have 32 bytes.
    let agreed = forgotten(|| unsafe { X25519(shared.expose_mut().as_mut_ptr(), private.as_ptr(), peer.as_ptr()) });
    if agreed == 1 { Ok(shared) } else { Err(Rejected) }
}
