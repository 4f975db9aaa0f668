//! HKDF and Argon2id.

use super::{Algorithm, Argon2Cost, HmacKey, Secret, argon2id, hex, hkdf_sha256, pattern};
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
