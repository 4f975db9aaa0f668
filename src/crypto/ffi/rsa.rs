//! RSA: keys that AWS-LC holds, parsed, and what it does with them.
//!
//! Read in its source, crypto/fipsmodule/rsa/rsa_impl.c: `rsa_default_private_transform` blinds its input, computes by the
//! Chinese remainder theorem in constant time, and verifies the result with the public exponent before it gives it out. What
//! it keeps for blinding it locks for some instructions at the beginning and the end, so threads do not wait for each other.

use std::ffi::c_int;
use std::ptr;

use aws_lc_sys::{
    BN_GENCB, BN_GENCB_free, BN_GENCB_get_arg, BN_GENCB_new, BN_GENCB_set, ERR_peek_last_error, EVP_PKEY,
    EVP_PKEY_CTX_free, EVP_PKEY_CTX_new, EVP_PKEY_CTX_set_rsa_mgf1_md, EVP_PKEY_CTX_set_rsa_oaep_md,
    EVP_PKEY_CTX_set_rsa_padding, EVP_PKEY_CTX_set0_rsa_oaep_label, EVP_PKEY_decrypt, EVP_PKEY_decrypt_init,
    EVP_PKEY_free, EVP_PKEY_new, EVP_PKEY_set1_RSA, EVP_marshal_private_key, EVP_marshal_public_key, OPENSSL_free,
    OPENSSL_memdup, RSA, RSA_NO_PADDING, RSA_PKCS1_OAEP_PADDING, RSA_PKCS1_PADDING, RSA_R_OAEP_DECODING_ERROR,
    RSA_R_PADDING_CHECK_FAILED, RSA_decrypt, RSA_encrypt, RSA_free, RSA_generate_key_ex, RSA_get0_d, RSA_get0_dmp1,
    RSA_get0_dmq1, RSA_get0_e, RSA_get0_iqmp, RSA_get0_n, RSA_get0_p, RSA_get0_q, RSA_new, RSA_new_private_key_large_e,
    RSA_new_public_key_large_e, RSA_padding_add_PKCS1_OAEP_mgf1, RSA_sign, RSA_sign_pss_mgf1, RSA_sign_raw, RSA_size,
    RSA_verify, RSA_verify_pss_mgf1, RSA_verify_raw,
};

use super::Owned;
use super::bn::{self, Number};
use super::der::written;
use super::evp::{md, nid};
use super::thread::{Turns, drawing, drawing_in_turns};
use crate::crypto::hash::Algorithm;
use crate::crypto::rsa::RsaComponent;
use crate::secret::Secret;

/// The longest modulus in bytes.
pub const LONGEST: usize = 1024;

/// The hash functions of PSS and OAEP: over the message or the label, and in the mask.
#[derive(Clone, Copy)]
pub struct Hashes {
    pub hash: Algorithm,
    pub mgf: Algorithm,
}

/// A public key.
pub struct PublicKey {
    rsa: Owned<RSA>,
    /// The length of the modulus in bytes, no more than [`LONGEST`].
    length: usize,
}

impl PublicKey {
    /// `None` for an even modulus, an even exponent or one not between 2 and the modulus, and for a modulus that is too long.
    pub fn new(modulus: &Number, exponent: &Number) -> Option<Self> {
        let length = modulus.bits().div_ceil(8);
        if length > LONGEST {
            return None;
        }
        // SAFETY: both numbers are valid and copied; the key is nobody else's.
        let rsa = unsafe { Owned::new(RSA_new_public_key_large_e(modulus.as_ptr(), exponent.as_ptr()), RSA_free) }?;
        let key = Self { rsa, length };
        // The first use prepares the modulus under the key's lock. Later ones only read under it, so that a process forked
        // in the middle of one finds a lock that it can read under too.
        let mut zero = [0; LONGEST];
        let (input, output) = (&[0; LONGEST], &mut zero);
        key.encrypt(RSA_NO_PADDING, input.get(..length)?, output.get_mut(..length)?).then_some(key)
    }

    /// SubjectPublicKeyInfo: RFC 3279, section 2.3.1.
    pub fn to_spki(&self) -> Option<Secret> {
        let evp = evp(&self.rsa)?;
        // SAFETY: the key is valid, and `written` gives a writer.
        written(|writer| unsafe { EVP_marshal_public_key(writer, evp.as_ptr()) })
    }

    /// RSAEP and RSAVP1. The input is as long as the modulus and below it, the output as long.
    pub fn raw(&self, input: &[u8], output: &mut [u8]) -> bool {
        self.encrypt(RSA_NO_PADDING, input, output)
    }

    /// The message is at least 11 bytes shorter than the modulus, the output as long as the modulus.
    pub fn encrypt_pkcs1(&self, message: &[u8], output: &mut [u8]) -> bool {
        drawing(|| self.encrypt(RSA_PKCS1_PADDING, message, output))
    }

    /// The output is as long as the modulus.
    pub fn encrypt_oaep(&self, hashes: Hashes, label: &[u8], message: &[u8], output: &mut [u8]) -> bool {
        let mut encoded = Secret::zeroed(self.length);
        let Hashes { hash, mgf } = hashes;
        let to = encoded.expose_mut();
        let done = drawing(|| {
            // SAFETY: all slices are passed with their lengths; the hash functions are static.
            unsafe {
                RSA_padding_add_PKCS1_OAEP_mgf1(
                    to.as_mut_ptr(),
                    to.len(),
                    message.as_ptr(),
                    message.len(),
                    label.as_ptr(),
                    label.len(),
                    md(hash),
                    md(mgf),
                )
            }
        });
        done == 1 && self.encrypt(RSA_NO_PADDING, encoded.expose(), output)
    }

    fn encrypt(&self, padding: c_int, input: &[u8], output: &mut [u8]) -> bool {
        let mut written = 0;
        let (from, to) = (input.as_ptr(), output.as_mut_ptr());
        // SAFETY: both slices are passed with their lengths; the key locks what it changes of itself.
        let done = unsafe {
            RSA_encrypt(self.rsa.as_shared_ptr(), &mut written, to, output.len(), from, input.len(), padding)
        };
        done == 1 && written == self.length
    }

    /// Whether the signature is of `digest` by this hash function.
    pub fn verify_pkcs1(&self, hash: Algorithm, digest: &[u8], signature: &[u8]) -> bool {
        let (digest, length) = (digest.as_ptr(), digest.len());
        let rsa = self.rsa.as_shared_ptr();
        // SAFETY: both slices are passed with their lengths; the key locks what it changes of itself.
        unsafe { RSA_verify(nid(hash), digest, length, signature.as_ptr(), signature.len(), rsa) == 1 }
    }

    /// What was signed, written to `output`; `None` for any other block than 00 01 FF.. 00 with eight FF or more.
    pub fn recover_pkcs1<'o>(&self, signature: &[u8], output: &'o mut [u8; LONGEST]) -> Option<&'o [u8]> {
        let mut written = 0;
        let (from, to) = (signature.as_ptr(), output.as_mut_ptr());
        let (length, room, rsa) = (signature.len(), output.len(), self.rsa.as_shared_ptr());
        // SAFETY: both slices are passed with their lengths; the key locks what it changes of itself.
        let done = unsafe { RSA_verify_raw(rsa, &mut written, to, room, from, length, RSA_PKCS1_PADDING) };
        if done == 1 { output.get(..written) } else { None }
    }

    /// Whether the signature is of `digest`, with exactly this length of the salt, which is not negative.
    pub fn verify_pss(&self, hashes: Hashes, salt: c_int, digest: &[u8], signature: &[u8]) -> bool {
        let (hash, mgf) = (md(hashes.hash), md(hashes.mgf));
        let (from, length) = (signature.as_ptr(), signature.len());
        let rsa = self.rsa.as_shared_ptr();
        // SAFETY: both slices are passed with their lengths; the key locks what it changes of itself.
        salt >= 0
            && unsafe { RSA_verify_pss_mgf1(rsa, digest.as_ptr(), digest.len(), hash, mgf, salt, from, length) == 1 }
    }
}

/// The numbers of a private key by the names of RFC 8017, section 3.2.
pub struct Numbers {
    pub n: Number,
    pub e: Number,
    pub d: Number,
    pub p: Number,
    pub q: Number,
    pub dp: Number,
    pub dq: Number,
    pub qinv: Number,
}

/// Why a private operation gave nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Failed {
    /// The padding is wrong.
    Padding,
    /// There was no memory, or the result did not verify.
    Fault,
}

/// A private key.
pub struct PrivateKey {
    rsa: Owned<RSA>,
    /// The same key, as OAEP wants it.
    evp: Owned<EVP_PKEY>,
    /// The length of the modulus in bytes.
    length: usize,
}

impl PrivateKey {
    /// `None` where the numbers are no key: see `RSA_check_key` of AWS-LC, which does not ask whether the primes are prime.
    pub fn new(numbers: &Numbers) -> Option<Self> {
        let Numbers { n, e, d, p, q, dp, dq, qinv } = numbers;
        // SAFETY: all numbers are valid and copied; the key is nobody else's.
        let rsa = unsafe {
            let (p, q, dp, dq, qinv) = (p.as_ptr(), q.as_ptr(), dp.as_ptr(), dq.as_ptr(), qinv.as_ptr());
            Owned::new(RSA_new_private_key_large_e(n.as_ptr(), e.as_ptr(), d.as_ptr(), p, q, dp, dq, qinv), RSA_free)
        }?;
        Self::own(rsa)
    }

    /// A new key. `bits` is a multiple of 128, `exponent` odd, at least 3 and below 2^32.
    pub fn generate(bits: c_int, exponent: &Number) -> Option<Self> {
        // SAFETY: both are new and nobody else's.
        let (mut rsa, mut turns) =
            unsafe { (Owned::new(RSA_new(), RSA_free)?, Owned::new(BN_GENCB_new(), BN_GENCB_free)?) };
        let done = drawing_in_turns(|gate| {
            // SAFETY: the callback gets what it takes for its argument, and is not called after this block.
            unsafe {
                BN_GENCB_set(turns.as_mut_ptr(), Some(take_turns), ptr::from_ref(gate).cast_mut().cast());
                RSA_generate_key_ex(rsa.as_mut_ptr(), bits, exponent.as_ptr(), turns.as_mut_ptr())
            }
        });
        if done == 1 { Self::own(rsa) } else { None }
    }

    /// A key that was made with all of its numbers, as `new` and `generate` do.
    fn own(rsa: Owned<RSA>) -> Option<Self> {
        // SAFETY: the key is valid.
        let length = unsafe { RSA_size(rsa.as_ptr()) } as usize;
        Some(Self { evp: evp(&rsa)?, rsa, length })
    }

    /// One of its numbers.
    pub fn number(&self, component: RsaComponent) -> Secret {
        let rsa = self.rsa.as_ptr();
        // SAFETY: a private key has all of its numbers (`own`), which are valid as long as it is.
        unsafe {
            bn::bytes(match component {
                RsaComponent::Modulus => RSA_get0_n(rsa),
                RsaComponent::PublicExponent => RSA_get0_e(rsa),
                RsaComponent::PrivateExponent => RSA_get0_d(rsa),
                RsaComponent::Prime1 => RSA_get0_p(rsa),
                RsaComponent::Prime2 => RSA_get0_q(rsa),
                RsaComponent::Exponent1 => RSA_get0_dmp1(rsa),
                RsaComponent::Exponent2 => RSA_get0_dmq1(rsa),
                RsaComponent::Coefficient => RSA_get0_iqmp(rsa),
            })
        }
    }

    /// PrivateKeyInfo: RFC 5208, and RFC 8017, appendix A.1.2.
    pub fn to_pkcs8(&self) -> Option<Secret> {
        // SAFETY: the key is valid, and `written` gives a writer.
        written(|writer| unsafe { EVP_marshal_private_key(writer, self.evp.as_ptr()) })
    }

    /// RSADP and RSASP1 for 2 to n - 2. Input and output are as long as the modulus.
    pub fn raw(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        self.decrypt(RSA_NO_PADDING, input, output).map(|_| ())
    }

    /// The length of the message. Input and output are as long as the modulus. The padding is looked at in constant time, and
    /// the output is not touched if it is wrong.
    pub fn decrypt_pkcs1(&self, input: &[u8], output: &mut [u8]) -> Result<usize, Failed> {
        self.decrypt(RSA_PKCS1_PADDING, input, output)
    }

    fn decrypt(&self, padding: c_int, input: &[u8], output: &mut [u8]) -> Result<usize, Failed> {
        let mut written = 0;
        let (from, to) = (input.as_ptr(), output.as_mut_ptr());
        let (length, room, rsa) = (input.len(), output.len(), self.rsa.as_shared_ptr());
        // SAFETY: both slices are passed with their lengths; the key locks what it changes of itself.
        let done = drawing(|| unsafe { RSA_decrypt(rsa, &mut written, to, room, from, length, padding) });
        outcome(done, written)
    }

    /// Like `decrypt_pkcs1`.
    pub fn decrypt_oaep(&self, hashes: Hashes, label: &[u8], input: &[u8], output: &mut [u8]) -> Result<usize, Failed> {
        let mut written = output.len();
        // SAFETY: what is made is freed by its owner; the context counts a reference to the key, which locks what it changes
        // of itself; the copy of the label is owned by the context from the moment that this says so; both slices are passed
        // with their lengths.
        let done = drawing(|| unsafe {
            let Some(mut context) =
                Owned::new(EVP_PKEY_CTX_new(self.evp.as_shared_ptr(), ptr::null_mut()), EVP_PKEY_CTX_free)
            else {
                return 0;
            };
            let context = context.as_mut_ptr();
            if EVP_PKEY_decrypt_init(context) != 1
                || EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) != 1
                || EVP_PKEY_CTX_set_rsa_oaep_md(context, md(hashes.hash)) != 1
                || EVP_PKEY_CTX_set_rsa_mgf1_md(context, md(hashes.mgf)) != 1
            {
                return 0;
            }
            if !label.is_empty() {
                let copy = OPENSSL_memdup(label.as_ptr().cast(), label.len());
                if copy.is_null() || EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy.cast(), label.len()) != 1 {
                    OPENSSL_free(copy);
                    return 0;
                }
            }
            EVP_PKEY_decrypt(context, output.as_mut_ptr(), &mut written, input.as_ptr(), input.len())
        });
        outcome(done, written)
    }

    /// The digest is as long as those of this hash function, the output as long as the modulus.
    pub fn sign_pkcs1(&self, hash: Algorithm, digest: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        if output.len() != self.length {
            return Err(Failed::Fault);
        }
        let mut written = 0;
        let (from, length, to) = (digest.as_ptr(), digest.len(), output.as_mut_ptr());
        let rsa = self.rsa.as_shared_ptr();
        // SAFETY: the digest is passed with its length, and the output has room for a signature; the key locks what it
        // changes of itself.
        let done = drawing(|| unsafe { RSA_sign(nid(hash), from, length, to, &mut written, rsa) });
        outcome(done, ())
    }

    /// The message is at least 11 bytes shorter than the modulus, the output as long as the modulus.
    pub fn sign_pkcs1_message(&self, message: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let mut written = 0;
        let (from, to) = (message.as_ptr(), output.as_mut_ptr());
        let (length, room, rsa) = (message.len(), output.len(), self.rsa.as_shared_ptr());
        // SAFETY: both slices are passed with their lengths; the key locks what it changes of itself.
        let done = drawing(|| unsafe { RSA_sign_raw(rsa, &mut written, to, room, from, length, RSA_PKCS1_PADDING) });
        outcome(done, ())
    }

    /// The digest is as long as those of the hash function, the salt not negative and such that there is room for it, the output
    /// as long as the modulus.
    pub fn sign_pss(&self, hashes: Hashes, salt: c_int, digest: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let mut written = 0;
        let (from, length) = (digest.as_ptr(), digest.len());
        let (to, room, rsa) = (output.as_mut_ptr(), output.len(), self.rsa.as_shared_ptr());
        let (hash, mgf) = (md(hashes.hash), md(hashes.mgf));
        // SAFETY: both slices are passed with their lengths; the key locks what it changes of itself.
        let done = drawing(|| unsafe { RSA_sign_pss_mgf1(rsa, &mut written, to, room, from, length, hash, mgf, salt) });
        outcome(done, ())
    }
}

/// The same key, as what is not for RSA alone takes it.
fn evp(rsa: &Owned<RSA>) -> Option<Owned<EVP_PKEY>> {
    // SAFETY: the new key is nobody else's, and counts a reference to the RSA key, which is valid.
    unsafe {
        let mut evp = Owned::new(EVP_PKEY_new(), EVP_PKEY_free)?;
        (EVP_PKEY_set1_RSA(evp.as_mut_ptr(), rsa.as_shared_ptr()) == 1).then_some(evp)
    }
}

/// What a private operation's return means.
fn outcome<T>(done: c_int, value: T) -> Result<T, Failed> {
    if done == 1 {
        return Ok(value);
    }
    // SAFETY: takes nothing. The reason is in the last 12 bits (`ERR_GET_REASON`).
    let reason = unsafe { ERR_peek_last_error() } & 0xfff;
    let padding = [RSA_R_PADDING_CHECK_FAILED, RSA_R_OAEP_DECODING_ERROR];
    Err(if padding.iter().any(|one| i64::from(*one) == i64::from(reason)) { Failed::Padding } else { Failed::Fault })
}

/// Called when a candidate was drawn, when one was tested, and with these numbers when the second prime is found. What
/// remains draws nothing, and takes long.
unsafe extern "C" fn take_turns(event: c_int, number: c_int, callback: *mut BN_GENCB) -> c_int {
    // SAFETY: AWS-LC passes the callback that it was given, whose argument `generate` made of a `&Turns` that lives.
    let turns = unsafe { &*BN_GENCB_get_arg(callback).cast_const().cast::<Turns>() };
    match (event, number) {
        (3, 1) => turns.end(),
        _ => turns.next(),
    }
    1
}
