//! Domain parameters, as attributes. PKCS#11 3.2, sections 4.12, 6.2 and 6.4.

use cryptoki_sys::*;

use super::Attributes;
use crate::error::{Error, Result};

/// What the library sets in domain parameters that a template for `C_CreateObject` describes.
///
/// # Errors
/// [`Error::DomainParamsInvalid`] for numbers that are no parameters at first sight: an even prime, a base or subprime outside
/// of it. Whether the prime is one, who makes a key with it has to ask.
pub(super) fn describe(open: &Attributes) -> Result<Attributes> {
    let at = |number| open.get(&number).map(|value| trimmed(value));
    let prime = at(CKA_PRIME).unwrap_or_default();
    let is_between = |value: &[u8]| value != [1] && !value.is_empty() && is_less(value, prime);
    let within = [CKA_SUBPRIME, CKA_BASE].into_iter().filter_map(at).all(is_between);
    if prime.last().is_none_or(|last| last & 1 == 0) || !within {
        return Err(Error::DomainParamsInvalid);
    }
    let lengths = [(CKA_PRIME, CKA_PRIME_BITS), (CKA_SUBPRIME, CKA_SUBPRIME_BITS)];
    let lengths = lengths.into_iter().filter_map(|(number, length)| Some((length, bits(at(number)?))));
    Ok(lengths.map(|(number, bits)| (number, bits.to_le_bytes().to_vec())).collect())
}

/// A big integer without zeros in front.
fn trimmed(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    integer.get(zeros..).unwrap_or_default()
}

/// Of numbers without zeros in front.
fn is_less(one: &[u8], other: &[u8]) -> bool {
    (one.len(), one) < (other.len(), other)
}

/// The bits of a number without zeros in front; the table bounds its length.
fn bits(integer: &[u8]) -> u64 {
    let unused = integer.first().map_or(0, |first| u64::from(first.leading_zeros()));
    (integer.len() as u64).saturating_mul(8).saturating_sub(unused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(prime: &[u8], subprime: &[u8], base: &[u8]) -> Result<Attributes> {
        let given = [(CKA_PRIME, prime), (CKA_SUBPRIME, subprime), (CKA_BASE, base)];
        describe(&given.into_iter().map(|(number, value)| (number, value.to_vec())).collect())
    }

    #[test]
    fn lengths_follow_from_the_numbers() {
        let set = verdict(&[0, 0, 5, 3], &[0x7f], &[2]).unwrap_or_default();
        assert_eq!(set.get(&CKA_PRIME_BITS), Some(&11_u64.to_le_bytes().to_vec()));
        assert_eq!(set.get(&CKA_SUBPRIME_BITS), Some(&7_u64.to_le_bytes().to_vec()));
    }

    #[test]
    fn what_is_no_parameters_at_first_sight_is_refused() {
        assert!(verdict(&[5, 3], &[5], &[5, 2]).is_ok());
        for (prime, subprime, base) in [
            (&[5, 2][..], &[5][..], &[2][..]),
            (&[], &[5], &[2]),
            (&[0], &[5], &[2]),
            (&[5, 3], &[5, 3], &[2]),
            (&[5, 3], &[5], &[5, 3]),
            (&[5, 3], &[5], &[0, 6, 0]),
            (&[5, 3], &[5], &[0]),
            (&[5, 3], &[5], &[1]),
            (&[5, 3], &[0, 1], &[2]),
        ] {
            assert_eq!(
                verdict(prime, subprime, base),
                Err(Error::DomainParamsInvalid),
                "{prime:?} {subprime:?} {base:?}"
            );
        }
    }
}
