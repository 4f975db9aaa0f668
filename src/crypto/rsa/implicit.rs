//! Implicit rejection for RSAES-PKCS1-v1_5: draft-irtf-cfrg-rsa-guidance, section 7, for messages of a known length.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::crypto::hash::{Algorithm, Hash, Output};
use crate::crypto::hmac::HmacKey;
use crate::secret::Secret;

/// The message of `length` bytes in the encoded message, or pseudorandom bytes if there is none. What is done does not depend
/// on which. `None` if the length is impossible.
pub fn message(private_exponent: &Secret, ciphertext: &[u8], encoded: &Secret, length: usize) -> Option<Secret> {
    let encoded = encoded.expose();
    let (padding, real) = encoded.split_at_checked(encoded.len().checked_sub(length)?)?;
    let is_padding = is_padding(padding)?;
    let mut message = pseudorandom(private_exponent, ciphertext, length)?;
    for (byte, real) in message.expose_mut().iter_mut().zip(real) {
        byte.conditional_assign(real, is_padding);
    }
    Some(message)
}

/// Whether this is 00 02, nothing but other bytes than 00, and a 00: RFC 8017, section 7.2.2. `None` if it is shorter than any
/// padding.
fn is_padding(padding: &[u8]) -> Option<Choice> {
    let ([first, second], rest) = padding.split_first_chunk()?;
    let (last, filler) = rest.split_last()?;
    if filler.len() < 8 {
        return None;
    }
    let ends = first.ct_eq(&0) & second.ct_eq(&2) & last.ct_eq(&0);
    Some(filler.iter().fold(ends, |so_far, byte| so_far & !byte.ct_eq(&0)))
}

/// The end of the draft's alternative message, which is as long as the modulus.
fn pseudorandom(private_exponent: &Secret, ciphertext: &[u8], length: usize) -> Option<Secret> {
    let key = key(private_exponent, ciphertext)?;
    let mut whole = Secret::zeroed(ciphertext.len());
    let bits = u16::try_from(ciphertext.len().checked_mul(8)?).ok()?;
    let key = HmacKey::new(Algorithm::Sha256, key.as_ref());
    for (number, block) in (0u16..).zip(whole.expose_mut().chunks_mut(Algorithm::Sha256.output_len())) {
        let mut mac = key.begin();
        mac.update(&number.to_be_bytes());
        mac.update(b"message");
        mac.update(&bits.to_be_bytes());
        let mac = mac.finish();
        block.iter_mut().zip(mac.as_ref()).for_each(|(byte, random)| *byte = *random);
    }
    let start = ciphertext.len().checked_sub(length)?;
    whole.expose().get(start..).map(Secret::from_slice)
}

/// The draft's key derivation key: of the private exponent, as long as the modulus, and the ciphertext.
fn key(private_exponent: &Secret, ciphertext: &[u8]) -> Option<Output> {
    let mut hash = Hash::new(Algorithm::Sha256);
    for _ in 0..ciphertext.len().checked_sub(private_exponent.len())? {
        hash.update(&[0]);
    }
    hash.update(private_exponent.expose());
    Some(HmacKey::new(Algorithm::Sha256, hash.finish().as_ref()).whole(ciphertext))
}
