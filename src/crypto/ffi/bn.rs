//! Whole numbers of any length: what the parts of an RSA key are checked and completed with. Negative ones do not occur.
//!
//! Each function gives `None` where there is no result, or no memory for it.

use std::cmp::Ordering;

use aws_lc_sys::{
    BIGNUM, BN_CTX, BN_CTX_free, BN_CTX_new, BN_MONT_CTX_free, BN_MONT_CTX_new_consttime, BN_add_word, BN_bin2bn,
    BN_bn2bin, BN_cmp, BN_div, BN_dup, BN_free, BN_gcd, BN_is_odd, BN_is_zero, BN_mod_exp_mont_consttime,
    BN_mod_inverse, BN_mul, BN_new, BN_nnmod, BN_num_bits, BN_num_bytes, BN_rshift1, BN_sqrt, BN_sub, BN_sub_word,
};

use super::Owned;
use crate::secret::Secret;

/// A whole number, wiped when dropped.
pub struct Number(Owned<BIGNUM>);

impl Number {
    /// The number with these bytes, the most significant first; zeroes may lead.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut number = Self::zero()?;
        // SAFETY: `bytes` is readable for its length; the number is ours.
        let set = unsafe { BN_bin2bn(bytes.as_ptr(), bytes.len(), number.0.as_mut_ptr()) };
        (!set.is_null()).then_some(number)
    }

    /// A number of one word.
    pub fn small(word: u32) -> Option<Self> {
        Self::new(&word.to_be_bytes())
    }

    pub(super) fn as_ptr(&self) -> *const BIGNUM {
        self.0.as_ptr()
    }

    /// The bytes, the most significant first; none for zero.
    #[cfg(test)]
    pub fn to_secret(&self) -> Secret {
        // SAFETY: the number is valid.
        unsafe { bytes(self.as_ptr()) }
    }

    /// The length in bits.
    pub fn bits(&self) -> usize {
        // SAFETY: the number is valid.
        unsafe { BN_num_bits(self.as_ptr()) as usize }
    }

    pub fn is_zero(&self) -> bool {
        // SAFETY: the number is valid.
        unsafe { BN_is_zero(self.as_ptr()) == 1 }
    }

    pub fn is_odd(&self) -> bool {
        // SAFETY: the number is valid.
        unsafe { BN_is_odd(self.as_ptr()) == 1 }
    }

    pub fn plus_one(mut self) -> Option<Self> {
        // SAFETY: the number is ours.
        (unsafe { BN_add_word(self.0.as_mut_ptr(), 1) } == 1).then_some(self)
    }

    /// `None` for a result below zero, here and in `minus`.
    pub fn minus_word(&self, word: u32) -> Option<Self> {
        if *self < Self::small(word)? {
            return None;
        }
        // SAFETY: the number is valid, and the copy is nobody else's.
        let mut result = unsafe { Owned::new(BN_dup(self.as_ptr()), BN_free) }.map(Self)?;
        // SAFETY: the copy is ours.
        (unsafe { BN_sub_word(result.0.as_mut_ptr(), word.into()) } == 1).then_some(result)
    }

    pub fn minus(&self, other: &Self) -> Option<Self> {
        if self < other {
            return None;
        }
        // SAFETY: all are valid, and the result is ours.
        Self::result(|result, _| unsafe { BN_sub(result, self.as_ptr(), other.as_ptr()) })
    }

    pub fn times(&self, other: &Self) -> Option<Self> {
        // SAFETY: all are valid, and the result is ours.
        Self::result(|result, context| unsafe { BN_mul(result, self.as_ptr(), other.as_ptr(), context) })
    }

    /// Quotient and remainder; `None` by zero.
    pub fn divided_by(&self, other: &Self) -> Option<(Self, Self)> {
        let mut remainder = Self::zero()?;
        let rest = remainder.0.as_mut_ptr();
        // SAFETY: all are valid, and the two results are ours.
        let divide = |result, context| unsafe { BN_div(result, rest, self.as_ptr(), other.as_ptr(), context) };
        Some((Self::result(divide)?, remainder))
    }

    pub fn half(&self) -> Option<Self> {
        // SAFETY: all are valid, and the result is ours.
        Self::result(|result, _| unsafe { BN_rshift1(result, self.as_ptr()) })
    }

    pub fn greatest_common_divisor(&self, other: &Self) -> Option<Self> {
        // SAFETY: all are valid, and the result is ours.
        Self::result(|result, context| unsafe { BN_gcd(result, self.as_ptr(), other.as_ptr(), context) })
    }

    /// `None` for what is not a square.
    pub fn square_root(&self) -> Option<Self> {
        // SAFETY: all are valid, and the result is ours.
        Self::result(|result, context| unsafe { BN_sqrt(result, self.as_ptr(), context) })
    }

    /// The inverse for an even modulus, in a time that depends on the lengths alone (AWS-LC, gcd.c).
    pub fn inverse_modulo_even(&self, modulus: &Self) -> Option<Self> {
        if modulus.is_odd() || modulus.is_zero() {
            return None;
        }
        let invert = |result, context| {
            // SAFETY: all are valid, and the result is ours.
            let done = unsafe { BN_mod_inverse(result, self.as_ptr(), modulus.as_ptr(), context) };
            i32::from(!done.is_null())
        };
        Self::result(invert)
    }

    /// The inverse modulo a prime by Fermat's theorem, in constant time but for the first reduction. Nonsense modulo any
    /// other odd number.
    pub fn inverse_modulo_prime(&self, prime: &Self) -> Option<Self> {
        if !prime.is_odd() {
            return None;
        }
        self.power_modulo(&prime.minus_word(2)?, prime)
    }

    /// This number to the power of `exponent`, in constant time but for the first reduction. The modulus has to be odd.
    pub fn power_modulo(&self, exponent: &Self, modulus: &Self) -> Option<Self> {
        if !modulus.is_odd() {
            return None;
        }
        // SAFETY: all are valid, and the result is ours.
        let reduced =
            Self::result(|result, context| unsafe { BN_nnmod(result, self.as_ptr(), modulus.as_ptr(), context) })?;
        Self::result(|result, context| {
            // SAFETY: all are valid, the base is reduced, the modulus odd; what is made is freed by its owner.
            unsafe {
                let Some(mut mont) = Owned::new(BN_MONT_CTX_new_consttime(modulus.as_ptr(), context), BN_MONT_CTX_free)
                else {
                    return 0;
                };
                let (base, exponent, modulus) = (reduced.as_ptr(), exponent.as_ptr(), modulus.as_ptr());
                BN_mod_exp_mont_consttime(result, base, exponent, modulus, context, mont.as_mut_ptr())
            }
        })
    }

    fn zero() -> Option<Self> {
        // SAFETY: a new number is nobody else's.
        unsafe { Owned::new(BN_new(), BN_free) }.map(Self)
    }

    /// The number that a function of AWS-LC sets, which is given scratch space and returns 1 for success.
    fn result(set: impl FnOnce(*mut BIGNUM, *mut BN_CTX) -> i32) -> Option<Self> {
        let mut number = Self::zero()?;
        // SAFETY: new scratch space is nobody else's.
        let mut context = unsafe { Owned::new(BN_CTX_new(), BN_CTX_free) }?;
        (set(number.0.as_mut_ptr(), context.as_mut_ptr()) == 1).then_some(number)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        // SAFETY: both are valid.
        Some(unsafe { BN_cmp(self.as_ptr(), other.as_ptr()) }.cmp(&0))
    }
}

/// The bytes of a number, the most significant first; none for zero.
///
/// # Safety
/// `number` is valid.
pub(super) unsafe fn bytes(number: *const BIGNUM) -> Secret {
    // SAFETY: valid by the contract.
    let length = unsafe { BN_num_bytes(number) };
    let mut bytes = Secret::zeroed(length as usize);
    // SAFETY: there is room for as many bytes as the number has.
    unsafe { BN_bn2bin(number, bytes.expose_mut().as_mut_ptr()) };
    bytes
}
