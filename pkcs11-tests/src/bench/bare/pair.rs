//! Key pairs.

use std::ptr;

use aws_lc_sys::*;

use super::{Context, done, repeated};
use crate::bench::operation::{Act, Pair};
use crate::bench::turn::Work;
use crate::failure::{Failure, Result};

/// The work of a pair of its own.
pub(super) fn work(pair: Pair, act: Act) -> Result<Box<dyn Work>> {
    let message = vec![7; pair.message_length()];
    match (pair, act) {
        (Pair::Rsa(bits), Act::Sign) => rsa_sign(rsa(bits)?),
        (Pair::Rsa(bits), Act::Verify) => rsa_verify(rsa(bits)?),
        (Pair::Rsa(bits), Act::Decrypt) => rsa_decrypt(rsa(bits)?),
        (Pair::Rsa(bits), Act::Generate) => Ok(repeated(move || {
            // SAFETY: the key is freed here only.
            rsa(bits).map(|key| unsafe { RSA_free(key.get()) })
        })),
        (Pair::P256 | Pair::P384, Act::Sign) => ecdsa_sign(ec(pair)?, message),
        (Pair::P256 | Pair::P384, Act::Verify) => ecdsa_verify(ec(pair)?, message),
        (Pair::P256 | Pair::P384, Act::Derive) => ecdh(ec(pair)?, ec(pair)?),
        (Pair::P256 | Pair::P384, Act::Generate) => Ok(repeated(move || {
            // SAFETY: the key is freed here only.
            ec(pair).map(|key| unsafe { EC_KEY_free(key.get()) })
        })),
        (Pair::Ed25519, Act::Sign) => ed25519_sign(message),
        (Pair::Ed25519, Act::Verify) => ed25519_verify(message),
        (Pair::Ed25519, Act::Generate) => Ok(repeated(|| {
            ed25519();
            Ok(())
        })),
        (Pair::Rsa(_), Act::Derive) | (_, Act::Decrypt) | (Pair::Ed25519, Act::Derive) => {
            Err(Failure::new("such a key cannot do that"))
        }
    }
}

fn rsa(bits: usize) -> Result<Context<RSA>> {
    let bits = i32::try_from(bits).map_err(|_| Failure::new("too long"))?;
    // SAFETY: a new number and a new key; the number is freed, the key whoever calls frees.
    unsafe {
        let (exponent, key) = (Context::new(BN_new())?, Context::new(RSA_new())?);
        let made =
            BN_set_word(exponent.get(), 65537) & RSA_generate_key_ex(key.get(), bits, exponent.get(), ptr::null_mut());
        BN_free(exponent.get());
        done(made).map(|()| key)
    }
}

fn rsa_sign(key: Context<RSA>) -> Result<Box<dyn Work>> {
    let mut signature = vec![0; LONGEST];
    Ok(repeated(move || rsa_signed(&key, &mut signature).map(drop)))
}

fn rsa_verify(key: Context<RSA>) -> Result<Box<dyn Work>> {
    let mut signature = vec![0; LONGEST];
    let length = rsa_signed(&key, &mut signature)?;
    Ok(repeated(move || {
        let digest = sha256(&MESSAGE);
        // SAFETY: digest and signature are valid for their lengths.
        done(unsafe { RSA_verify(NID_sha256, digest.as_ptr(), digest.len(), signature.as_ptr(), length, key.get()) })
    }))
}

/// Signs the message; the length of the signature.
fn rsa_signed(key: &Context<RSA>, signature: &mut [u8]) -> Result<usize> {
    let digest = sha256(&MESSAGE);
    let mut length = 0;
    // SAFETY: the digest is valid for its length, and the buffer has room for any signature.
    done(unsafe {
        RSA_sign(NID_sha256, digest.as_ptr(), digest.len(), signature.as_mut_ptr(), &mut length, key.get())
    })?;
    Ok(length as usize)
}

fn rsa_decrypt(key: Context<RSA>) -> Result<Box<dyn Work>> {
    let mut ciphertext = vec![0; LONGEST];
    let mut length = 0;
    let (into, from) = (ciphertext.as_mut_ptr(), MESSAGE.as_ptr());
    // SAFETY: message and buffer are valid for their lengths.
    done(unsafe { RSA_encrypt(key.get(), &mut length, into, LONGEST, from, MESSAGE.len(), RSA_PKCS1_OAEP_PADDING) })?;
    let mut plaintext = vec![0; LONGEST];
    Ok(repeated(move || {
        let mut written = 0;
        let (into, from) = (plaintext.as_mut_ptr(), ciphertext.as_ptr());
        // SAFETY: both buffers are valid for their lengths.
        done(unsafe { RSA_decrypt(key.get(), &mut written, into, LONGEST, from, length, RSA_PKCS1_OAEP_PADDING) })
    }))
}

/// What RSA-4096 signs and encrypts to, in bytes.
pub(super) const LONGEST: usize = 512;
const MESSAGE: [u8; 32] = [7; 32];

pub(super) fn sha256(message: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    // SAFETY: the message is valid for its length, and the digest has 32 bytes.
    unsafe { SHA256(message.as_ptr(), message.len(), digest.as_mut_ptr()) };
    digest
}

pub(super) fn ec(pair: Pair) -> Result<Context<EC_KEY>> {
    let key = empty(pair)?;
    // SAFETY: the key is valid.
    done(unsafe { EC_KEY_generate_key(key.get()) }).map(|()| key)
}

/// A key that has a curve and nothing else.
pub(super) fn empty(pair: Pair) -> Result<Context<EC_KEY>> {
    let curve = if pair == Pair::P384 { NID_secp384r1 } else { NID_X9_62_prime256v1 };
    // SAFETY: a new key, which whoever calls frees.
    Context::new(unsafe { EC_KEY_new_by_curve_name(curve) })
}

fn ecdsa_sign(key: Context<EC_KEY>, digest: Vec<u8>) -> Result<Box<dyn Work>> {
    Ok(repeated(move || {
        let signature = ecdsa_signed(&key, &digest)?;
        // SAFETY: the signature is freed here only.
        unsafe { ECDSA_SIG_free(signature.get()) };
        Ok(())
    }))
}

fn ecdsa_verify(key: Context<EC_KEY>, digest: Vec<u8>) -> Result<Box<dyn Work>> {
    let signature = ecdsa_signed(&key, &digest)?;
    Ok(repeated(move || {
        // SAFETY: the digest is valid for its length.
        done(unsafe { ECDSA_do_verify(digest.as_ptr(), digest.len(), signature.get(), key.get()) })
    }))
}

fn ecdsa_signed(key: &Context<EC_KEY>, digest: &[u8]) -> Result<Context<ECDSA_SIG>> {
    // SAFETY: the digest is valid for its length.
    Context::new(unsafe { ECDSA_do_sign(digest.as_ptr(), digest.len(), key.get()) })
}

fn ecdh(key: Context<EC_KEY>, other: Context<EC_KEY>) -> Result<Box<dyn Work>> {
    // SAFETY: group and public point live as long as their key, which is freed with the process.
    let (group, point) = unsafe { (EC_KEY_get0_group(key.get()), EC_KEY_get0_public_key(other.get())) };
    let uncompressed = point_conversion_form_t::POINT_CONVERSION_UNCOMPRESSED;
    let mut encoded = [0; 65];
    let into = encoded.as_mut_ptr();
    // SAFETY: the point is of the group, and the buffer is valid for its length.
    let length = unsafe { EC_POINT_point2oct(group, point, uncompressed, into, encoded.len(), ptr::null_mut()) };
    // SAFETY: a new point, which is freed with the process.
    let peer = Context::new(unsafe { EC_POINT_new(group) })?;
    let mut secret = [0; 32];
    Ok(repeated(move || {
        // SAFETY: all is of one group, and the buffers are valid for their lengths.
        let written = unsafe {
            let group = EC_KEY_get0_group(key.get());
            done(EC_POINT_oct2point(group, peer.get(), encoded.as_ptr(), length, ptr::null_mut()))?;
            ECDH_compute_key(secret.as_mut_ptr().cast(), secret.len(), peer.get(), key.get(), None)
        };
        done((written == 32).into())
    }))
}

/// The private key as aws-lc has it, which holds the public one.
fn ed25519() -> ([u8; 32], [u8; 64]) {
    let (mut public, mut private) = ([0; 32], [0; 64]);
    // SAFETY: the buffers have the lengths of the keys.
    unsafe { ED25519_keypair(public.as_mut_ptr(), private.as_mut_ptr()) };
    (public, private)
}

fn ed25519_sign(message: Vec<u8>) -> Result<Box<dyn Work>> {
    let (_, private) = ed25519();
    let mut signature = [0; 64];
    Ok(repeated(move || ed25519_signed(&private, &message, &mut signature)))
}

fn ed25519_verify(message: Vec<u8>) -> Result<Box<dyn Work>> {
    let (public, private) = ed25519();
    let mut signature = [0; 64];
    ed25519_signed(&private, &message, &mut signature)?;
    Ok(repeated(move || {
        // SAFETY: the message is valid for its length, signature and key have theirs.
        done(unsafe { ED25519_verify(message.as_ptr(), message.len(), signature.as_ptr(), public.as_ptr()) })
    }))
}

fn ed25519_signed(private: &[u8; 64], message: &[u8], signature: &mut [u8; 64]) -> Result<()> {
    // SAFETY: the message is valid for its length, signature and key have theirs.
    done(unsafe { ED25519_sign(signature.as_mut_ptr(), message.as_ptr(), message.len(), private.as_ptr()) })
}
