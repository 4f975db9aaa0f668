//! Private keys from their numbers.

use super::*;
use crate::crypto::ffi::bn::Number;
use crate::crypto::ffi::rsa::PrivateKey;
use crate::crypto::rsa::import::complete;
use RsaComponent::{Coefficient, Exponent1, Exponent2, Modulus, Prime1, Prime2, PrivateExponent, PublicExponent};

/// The numbers of a key of OpenSSL, some of them taken away.
fn without(key: &[u8], absent: &[RsaComponent]) -> Result<RsaPrivateKey, Rejected> {
    let mut numbers = numbers(&RsaPrivateKey::from_pkcs8(key).unwrap());
    for component in absent {
        numbers[*component as usize] = vec![];
    }
    RsaPrivateKey::from_components(&components(&numbers))
}

const CRT: [RsaComponent; 3] = [Exponent1, Exponent2, Coefficient];
const ALL_BUT_D: [RsaComponent; 5] = [Prime1, Prime2, Exponent1, Exponent2, Coefficient];

#[test]
fn what_is_absent_is_found() {
    for (key, _) in PAIRS {
        let whole = RsaPrivateKey::from_pkcs8(key).unwrap().to_pkcs8().unwrap();
        for absent in [
            &[][..],
            &[Exponent1],
            &[Exponent2],
            &[Coefficient],
            &CRT,
            &ALL_BUT_D,
            &[Prime1, Prime2],
            &[PublicExponent],
            &[PublicExponent, Exponent1, Exponent2, Coefficient],
        ] {
            let key = without(key, absent).unwrap();
            assert!(key.to_pkcs8().unwrap() == whole, "without {absent:?}");
        }
    }
}

#[test]
fn without_primes_and_public_exponent_the_usual_ones_are_tried() {
    let absent = [&ALL_BUT_D[..], &[PublicExponent]].concat();
    for (key, found) in PAIRS.into_iter().zip([true, true, true, true, false]) {
        let whole = RsaPrivateKey::from_pkcs8(key.0).unwrap().to_pkcs8().unwrap();
        match without(key.0, &absent) {
            Ok(key) => assert!(found && key.to_pkcs8().unwrap() == whole),
            Err(Rejected) => assert!(!found),
        }
    }
}

#[test]
fn what_has_to_be_there_is_missed() {
    for absent in [Modulus, PrivateExponent, Prime1, Prime2] {
        assert_eq!(without(PAIRS[1].0, &[absent]).err(), Some(Rejected), "without {absent:?}");
    }
    assert_eq!(RsaPrivateKey::from_components(&RsaComponents::default()).err(), Some(Rejected));
}

/// Each bit of each number, whether the others are there to compare with or not.
#[test]
fn a_changed_number_is_refused() {
    for key in [&*KEY_1024, &*KEY_2048] {
        let right = numbers(key);
        for (position, component) in COMPONENTS.into_iter().enumerate() {
            let length = right[position].len();
            for byte in [0, 1, length / 2, length - 1].into_iter().filter(|byte| *byte < length) {
                for bit in 0..8 {
                    let mut changed = right.clone();
                    changed[position][byte] ^= 1 << bit;
                    let taken = RsaPrivateKey::from_components(&components(&changed));
                    assert_eq!(taken.err(), Some(Rejected), "bit {bit} of byte {byte} of {component:?}");
                }
            }
        }
        for component in [Modulus, PublicExponent, PrivateExponent] {
            for bit in 0..8 {
                let mut changed = right.clone();
                *changed[component as usize].last_mut().unwrap() ^= 1 << bit;
                ALL_BUT_D.iter().for_each(|absent| changed[*absent as usize] = vec![]);
                let taken = RsaPrivateKey::from_components(&components(&changed));
                assert_eq!(taken.err(), Some(Rejected), "bit {bit} of {component:?}");
            }
        }
    }
}

#[test]
fn impossible_numbers_are_refused() {
    let right = numbers(&KEY_2048);
    let huge = vec![0xff; 4096];
    for position in 0..8 {
        for value in [&[0][..], &[1], &[2], &right[0], &huge] {
            let mut changed = right.clone();
            if changed[position] == value {
                continue;
            }
            changed[position] = value.to_vec();
            assert_eq!(RsaPrivateKey::from_components(&components(&changed)).err(), Some(Rejected), "{position}");
            for absent in ALL_BUT_D.into_iter().filter(|absent| *absent as usize != position) {
                changed[absent as usize] = vec![];
            }
            assert_eq!(RsaPrivateKey::from_components(&components(&changed)).err(), Some(Rejected), "{position}");
        }
    }
}

/// d is as good with the least common multiple of p - 1 and q - 1 added to it. Modulo (p - 1)(q - 1) it may be that.
#[test]
fn an_unreduced_private_exponent_is_taken() {
    let right = numbers(&KEY_2048);
    let (p, q, d) = (number(&right[3]), number(&right[4]), number(&right[2]));
    let multiple = least_common_multiple(&p, &q);
    let greater = multiple.times(&Number::small(2).unwrap()).unwrap().minus(&multiple.minus(&d).unwrap()).unwrap();
    let mut unreduced = right.clone();
    unreduced[2] = bytes(&greater);
    assert_ne!(unreduced[2], right[2]);
    for crt in [true, false] {
        if !crt {
            ALL_BUT_D.iter().for_each(|absent| unreduced[*absent as usize] = vec![]);
        }
        let key = RsaPrivateKey::from_components(&components(&unreduced)).unwrap();
        assert_eq!(numbers(&key)[2], unreduced[2]);
        assert_eq!(numbers(&key)[3..], right[3..]);
    }
}

/// The primes in the other order are as good.
#[test]
fn the_greater_prime_may_come_last() {
    let mut swapped = numbers(&KEY_2048);
    swapped.swap(3, 4);
    swapped.swap(5, 6);
    assert_eq!(RsaPrivateKey::from_components(&components(&swapped)).err(), Some(Rejected), "another coefficient");
    swapped[7] = vec![];
    let key = RsaPrivateKey::from_components(&components(&swapped)).unwrap();
    assert_eq!(numbers(&key)[..7], swapped[..7]);
    let signature = output(key.len(), |output| key.sign_pkcs1(None, MESSAGE, output)).unwrap();
    assert_eq!(signature, stored!("2048-pkcs1.sig"));
}

/// All that is asked of the numbers holds, but one "prime" is the product of two.
#[test]
fn a_prime_that_is_none_is_refused() {
    let (small, large) = (numbers(&KEY_1024), numbers(&KEY_2048));
    let (p, q) = (number(&large[3]), number(&small[3]).times(&number(&small[4])).unwrap());
    let multiple = least_common_multiple(&p, &q);
    let exponents = [65537, 3, 5, 7, 11, 13, 17, 19, 23, 29].map(|e| Number::small(e).unwrap());
    let (e, d) = exponents.into_iter().find_map(|e| e.inverse_modulo_even(&multiple).map(|d| (e, d))).unwrap();
    let (n, e, d) = (bytes(&p.times(&q).unwrap()), bytes(&e), bytes(&d));
    let numbers = [n, e, d, bytes(&p), bytes(&q), vec![], vec![], vec![]];
    let complete = complete(&components(&numbers)).unwrap();
    assert!(PrivateKey::new(&complete).is_some(), "consistent in all that AWS-LC looks at");
    assert_eq!(RsaPrivateKey::from_components(&components(&numbers)).err(), Some(Rejected));
}

fn least_common_multiple(p: &Number, q: &Number) -> Number {
    let (p, q) = (p.minus_word(1).unwrap(), q.minus_word(1).unwrap());
    p.times(&q).unwrap().divided_by(&p.greatest_common_divisor(&q).unwrap()).unwrap().0
}

fn number(bytes: &[u8]) -> Number {
    Number::new(bytes).unwrap()
}

fn bytes(number: &Number) -> Vec<u8> {
    number.to_secret().expose().to_vec()
}
