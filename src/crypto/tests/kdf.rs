//! HKDF and Argon2id.

use super::{
    Algorithm, Argon2Cost, HmacKey, Rejected, Secret, argon2id, hex, hkdf_sha256, one_step, openssl, pattern, pbkdf2,
    x963,
};
use crate::error::Error;

/// RFC 5869, appendices A.1 to A.3.
#[test]
fn hkdf_of_rfc_5869() {
    let ascending = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
    for (ikm, salt, info, okm) in [
        (
            vec![0x0b; 22],
            ascending(0, 0x0c),
            ascending(0xf0, 0xf9),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            ascending(0, 0x4f),
            ascending(0x60, 0xaf),
            ascending(0xb0, 0xff),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
             da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
        ),
        (
            vec![0x0b; 22],
            vec![],
            vec![],
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ] {
        let expected = hex(okm);
        let (ikm, cut) = (Secret::new(ikm), info.len() / 2);
        let parts = [&info[..cut], &info[cut..]];
        assert_eq!(hkdf_sha256(&ikm, &salt, &parts, expected.len()).unwrap().expose(), expected);
    }
}

/// RFC 5869, section 2.3, over the HMAC of this room, at the lengths where blocks begin and end.
#[test]
fn hkdf_is_an_expansion_by_hmac() {
    let (ikm, salt, info) = (pattern(40), pattern(16), pattern(300));
    let mac = |key: &[u8], parts: &[&[u8]]| {
        let mut mac = HmacKey::new(Algorithm::Sha256, key).begin();
        parts.iter().for_each(|part| mac.update(part));
        mac.finish().as_ref().to_vec()
    };
    let prk = mac(&salt, &[&ikm]);
    let mut okm = Vec::new();
    let mut block = Vec::new();
    for counter in 1..=255 {
        block = mac(&prk, &[&block, &info, &[counter]]);
        okm.extend_from_slice(&block);
    }
    for length in [1, 31, 32, 33, 64, 8160] {
        assert_eq!(hkdf_sha256(&Secret::from_slice(&ikm), &salt, &[&info], length).unwrap().expose(), &okm[..length]);
    }
    let too_long = hkdf_sha256(&Secret::from_slice(&ikm), &salt, &[&info], 8161);
    assert!(matches!(too_long, Err(Error::GeneralError(_))));
}

/// NIST CAVP, SP 800-135, ansx963_2001.rsp.
#[test]
fn x963_of_nist() {
    for (algorithm, z, shared, expected) in [
        (Algorithm::Sha1, "1c7d7b5f0597b03d06a018466ed1a93e30ed4b04dc64ccdd", "", "bf71dffd8f4d99223936beb46fee8ccc"),
        (
            Algorithm::Sha256,
            "22518b10e70f2a3f243810ae3254139efbee04aa57c7af7d",
            "75eef81aa3041e33b80971203d2c0c52",
            "c498af77161cc59f2962b9a713e2b215152d139766ce34a776df11866a69bf2e52a13d9c7c6fc878c50c5ea0bc7b00e0
             da2447cfd874f6cf92f30d0097111485500c90c3af8b487872d04685d14c8d1dc8d7fa08beb0ce0ababc11f0bd496269
             142d43525a78e5bc79a17f59676a5706dc54d54d4d1f0bd7e386128ec26afc21",
        ),
        (Algorithm::Sha512, "87fc0d8c4477485bb574f5fcea264b30885dc8d90ad82782", "", "947665fbb9152153ef460238506a0245"),
    ] {
        let expected: Vec<u8> = hex(&expected.replace('\n', ""));
        let key = x963(algorithm, &Secret::new(hex(z)), &hex(shared), expected.len()).unwrap();
        assert_eq!(key.expose(), expected, "{algorithm:?}");
    }
}

#[test]
fn x963_and_one_step_as_openssl_makes_them() {
    let (z, info) = (Secret::new((0..40).collect()), (100..120).collect::<Vec<u8>>());
    for (algorithm, name) in [
        (Algorithm::Sha1, "SHA1"),
        (Algorithm::Sha224, "SHA224"),
        (Algorithm::Sha256, "SHA256"),
        (Algorithm::Sha384, "SHA384"),
        (Algorithm::Sha512, "SHA512"),
        (Algorithm::Sha512_224, "SHA512-224"),
        (Algorithm::Sha512_256, "SHA512-256"),
        (Algorithm::Sha3_224, "SHA3-224"),
        (Algorithm::Sha3_256, "SHA3-256"),
        (Algorithm::Sha3_384, "SHA3-384"),
        (Algorithm::Sha3_512, "SHA3-512"),
    ] {
        let (by_x963, by_one_step) = (openssl("x963", name), openssl("one-step", name));
        for length in [0, 1, algorithm.output_len(), algorithm.output_len() + 1, 150] {
            assert_eq!(x963(algorithm, &z, &info, length).unwrap().expose(), &by_x963[..length], "{name}");
            assert_eq!(one_step(algorithm, &z, &info, length).unwrap().expose(), &by_one_step[..length], "{name}");
        }
    }
}

#[test]
fn no_counter_of_a_kdf_wraps() {
    let z = Secret::new(vec![1; 32]);
    let too_long = (u32::MAX as usize) * 32 + 1;
    assert!(matches!(x963(Algorithm::Sha256, &z, b"", too_long), Err(Rejected)));
    assert!(matches!(one_step(Algorithm::Sha256, &z, b"", usize::MAX), Err(Rejected)));
}

/// The tests of the reference implementation, phc-winner-argon2, src/test.c.
#[test]
fn argon2id_of_the_reference_implementation() {
    for (memory_kib, passes, lanes, pin, salt, expected) in [
        (65536, 2, 1, "password", "somesalt", "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"),
        (256, 2, 1, "password", "somesalt", "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
        (256, 2, 2, "password", "somesalt", "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"),
        (65536, 1, 1, "password", "somesalt", "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98"),
        (
            65536,
            2,
            1,
            "differentpassword",
            "somesalt",
            "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde",
        ),
        (65536, 2, 1, "password", "diffsalt", "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c"),
    ] {
        let cost = Argon2Cost { memory_kib, passes, lanes };
        assert_eq!(argon2id(pin.as_bytes(), salt.as_bytes(), cost).unwrap().expose(), hex(expected), "{cost:?}");
    }
}

#[test]
fn argon2id_believes_no_absurd_cost() {
    let cost = Argon2Cost { memory_kib: 64, passes: 1, lanes: 1 };
    assert!(argon2id(b"", b"saltsalt", cost).is_ok());
    assert!(matches!(argon2id(b"", b"salt", cost), Err(Error::GeneralError(_))));
    assert!(Argon2Cost::DEFAULT.is_valid() && Argon2Cost::HIGHEST.is_valid());
    for wrong in [
        Argon2Cost { memory_kib: u32::MAX, ..cost },
        Argon2Cost { memory_kib: 7, ..cost },
        Argon2Cost { memory_kib: 15, lanes: 2, ..cost },
        Argon2Cost { passes: 0, ..cost },
        Argon2Cost { passes: u32::MAX, ..cost },
        Argon2Cost { lanes: 0, ..cost },
        Argon2Cost { lanes: u32::MAX, ..cost },
    ] {
        assert!(!wrong.is_valid());
        assert!(matches!(argon2id(b"", b"saltsalt", wrong), Err(Error::GeneralError(_))));
    }
}

/// RFC 6070, section 2, and RFC 7914, section 11.
#[test]
fn pbkdf2_of_the_rfcs() {
    for (hash, password, salt, iterations, expected) in [
        (Algorithm::Sha1, "password", "salt", 4096, "4b007901b765489abead49d926f721d065a429c1"),
        (
            Algorithm::Sha256,
            "passwd",
            "salt",
            1,
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef31\
             7c71b845b1e30bd509112041d3a19783",
        ),
    ] {
        let (password, expected) = (Secret::from_slice(password.as_bytes()), hex(expected));
        let key = pbkdf2(hash, &password, salt.as_bytes(), iterations, expected.len());
        assert_eq!(key.map(|key| key.expose().to_vec()), Ok(expected));
    }
    let nothing = |hash, iterations| pbkdf2(hash, &Secret::zeroed(1), b"salt", iterations, 16).err();
    assert_eq!(nothing(Algorithm::Sha256, 0), Some(Rejected));
    assert_eq!(nothing(Algorithm::Sha3_256, 1), Some(Rejected));
}
