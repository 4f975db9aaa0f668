//! Making pairs. PKCS#11 3.2, section 6.1.4.

use cryptoki_sys::{CKA_MODULUS_BITS, CKA_PUBLIC_EXPONENT};

use crate::crypto::PrivateKey;
use crate::crypto::rsa::{GENERATED_BITS, GENERATED_STEP, LONGEST_GENERATED_EXPONENT, RsaPrivateKey};
use crate::error::{Error, Result};
use crate::key::KeyType;
use crate::mechanism::Pair;
use crate::object::Attributes;

pub(super) const PAIR: Pair = Pair { key_type: KeyType::Rsa, generate };

fn generate(asked: &Attributes) -> Result<PrivateKey> {
    let bits = bits(asked)?;
    let exponent = match asked.get(&CKA_PUBLIC_EXPONENT) {
        Some(given) => exponent(given)?,
        None => &[1, 0, 1],
    };
    let key = RsaPrivateKey::generate(bits, exponent);
    key.map(PrivateKey::Rsa).map_err(|failure| failure.or(Error::AttributeValueInvalid("CKA_MODULUS_BITS")))
}

fn bits(asked: &Attributes) -> Result<usize> {
    let given = asked.get(&CKA_MODULUS_BITS).ok_or(Error::TemplateIncomplete("CKA_MODULUS_BITS"))?;
    let bits = given.as_slice().try_into().ok().and_then(|bytes| usize::try_from(u64::from_le_bytes(bytes)).ok());
    bits.filter(|bits| GENERATED_BITS.contains(bits) && bits.is_multiple_of(GENERATED_STEP))
        .ok_or(Error::AttributeValueInvalid("CKA_MODULUS_BITS"))
}

/// An exponent with which there are keys; zeros may stand in front.
fn exponent(given: &[u8]) -> Result<&[u8]> {
    let zeros = given.iter().take_while(|byte| **byte == 0).count();
    match given.get(zeros..).unwrap_or_default() {
        exponent if exponent.len() > LONGEST_GENERATED_EXPONENT / 8 => {
            Err(Error::AttributeValueInvalid("CKA_PUBLIC_EXPONENT"))
        }
        [.., last] if last % 2 == 0 => Err(Error::TemplateInconsistent("CKA_PUBLIC_EXPONENT")),
        [] | [1] => Err(Error::TemplateInconsistent("CKA_PUBLIC_EXPONENT")),
        exponent => Ok(exponent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_multiples_of_the_step_in_the_range() {
        let of = |number: u64| bits(&Attributes::from([(CKA_MODULUS_BITS, number.to_le_bytes().to_vec())]));
        for good in [2048, 2176, 3072, 4096, 8192] {
            assert_eq!(of(good), Ok(good as usize));
        }
        for bad in [0, 1, 64, 1024, 2047, 2049, 2056, 8193, 8320, (1 << 32) + 2048, u64::MAX] {
            assert_eq!(of(bad), Err(Error::AttributeValueInvalid("CKA_MODULUS_BITS")), "{bad}");
        }
        assert_eq!(bits(&Attributes::new()), Err(Error::TemplateIncomplete("CKA_MODULUS_BITS")));
    }

    #[test]
    fn exponents_are_odd_and_three_or_more() {
        for good in [&[3][..], &[17], &[1, 0, 1], &[0, 1, 0, 1], &[0xff, 0xff, 0xff, 0xff]] {
            assert!(exponent(good).is_ok(), "{good:?}");
        }
        for none in [&[][..], &[0], &[1], &[0, 1], &[2], &[4], &[1, 0, 0]] {
            assert_eq!(exponent(none), Err(Error::TemplateInconsistent("CKA_PUBLIC_EXPONENT")), "{none:?}");
        }
        assert_eq!(exponent(&[1, 0, 0, 0, 1]), Err(Error::AttributeValueInvalid("CKA_PUBLIC_EXPONENT")));
    }
}
