//! A private key's numbers, completed from those that are given.

use super::{RsaComponents, stripped};
use crate::crypto::Rejected;
use crate::crypto::ffi::bn::Number;
use crate::crypto::ffi::rsa::{LONGEST, Numbers};

/// The numbers of a key. Those given are taken as they are: whether they fit each other is seen when a key is made of them.
pub fn complete(components: &RsaComponents<'_>) -> Result<Numbers, Rejected> {
    let n = number(components.modulus)?.ok_or(Rejected)?;
    let d = number(components.private_exponent)?.ok_or(Rejected)?;
    let e = number(components.public_exponent)?;
    let primes = match (number(components.prime1)?, number(components.prime2)?) {
        (Some(p), Some(q)) => Some((p, q)),
        (None, None) => None,
        _ => return Err(Rejected),
    };
    if !n.is_odd() || d.is_zero() || d >= n {
        return Err(Rejected);
    }
    let (e, p, q) = match (e, primes) {
        (Some(e), Some((p, q))) => (e, p, q),
        (None, Some((p, q))) => (public_exponent(&d, &p, &q).ok_or(Rejected)?, p, q),
        (Some(e), None) => factors(&n, &e, &d).map(|(p, q)| (e, p, q)).ok_or(Rejected)?,
        (None, None) => USUAL.into_iter().find_map(|e| with_exponent(e, &n, &d)).ok_or(Rejected)?,
    };
    let or = |given: Option<Number>, computed: &dyn Fn() -> Option<Number>| given.or_else(computed).ok_or(Rejected);
    let dp = or(number(components.exponent1)?, &|| e.inverse_modulo_even(&p.minus_word(1)?))?;
    let dq = or(number(components.exponent2)?, &|| e.inverse_modulo_even(&q.minus_word(1)?))?;
    let qinv = or(number(components.coefficient)?, &|| q.inverse_modulo_prime(&p))?;
    Ok(Numbers { n, e, d, p, q, dp, dq, qinv })
}

/// The public exponents in use, tried where none is given.
const USUAL: [u32; 3] = [65537, 3, 17];

/// A number, none if there are no bytes. Longer than a modulus it is not even read.
fn number(bytes: &[u8]) -> Result<Option<Number>, Rejected> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let bytes = stripped(bytes);
    if bytes.len() > LONGEST { Err(Rejected) } else { Number::new(bytes).map(Some).ok_or(Rejected) }
}

/// The inverse of d modulo the least common multiple of p - 1 and q - 1.
fn public_exponent(d: &Number, p: &Number, q: &Number) -> Option<Number> {
    let (p, q) = (p.minus_word(1)?, q.minus_word(1)?);
    let (multiple, _) = p.times(&q)?.divided_by(&p.greatest_common_divisor(&q)?)?;
    d.inverse_modulo_even(&multiple)
}

fn with_exponent(e: u32, n: &Number, d: &Number) -> Option<(Number, Number, Number)> {
    let e = Number::small(e)?;
    let (p, q) = factors(n, &e, d)?;
    Some((e, p, q))
}

/// The primes, the greater one first: SP 800-56B revision 2, appendix C.2. Nothing is tried or drawn, and the time tells little:
/// some divisions of numbers that are twice as long as the modulus, once in the life of a key.
fn factors(n: &Number, e: &Number, d: &Number) -> Option<(Number, Number)> {
    // Of any other size there would be no such primes but long divisions.
    if e.bits() < 2 || e.bits() > super::LONGEST_EXPONENT {
        return None;
    }
    let multiple = d.times(e)?.minus_word(1)?;
    let a = multiple.times(&multiple.greatest_common_divisor(&n.minus_word(1)?)?)?;
    let (m, r) = a.divided_by(n)?;
    let (quotient, remainder) = n.minus(&r)?.divided_by(&m.plus_one()?)?;
    if !remainder.is_zero() {
        return None;
    }
    let sum = quotient.plus_one()?;
    let difference = sum.times(&sum)?.minus(&n.times(&Number::small(4)?)?)?.square_root()?;
    let smaller = sum.minus(&difference)?.half()?;
    Some((sum.minus(&smaller)?, smaller))
}
