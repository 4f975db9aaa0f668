//! Signatures.

use super::super::ALGORITHMS;
use super::*;

#[test]
fn pkcs1_makes_what_openssl_made() {
    let (hash, digest) = (Some(Algorithm::Sha256), digest(Algorithm::Sha256));
    let made = output(256, |output| KEY_2048.sign_pkcs1(hash, &digest, output)).unwrap();
    assert_eq!(made, stored!("2048-pkcs1-sha256.sig"));
    let made = output(256, |output| KEY_2048.sign_pkcs1(None, MESSAGE, output)).unwrap();
    assert_eq!(made, stored!("2048-pkcs1.sig"));
    // The DigestInfo of RFC 8017, section 9.2, given by the caller.
    let info = [hex("3031300d060960864801650304020105000420"), digest].concat();
    let made = output(256, |output| KEY_2048.sign_pkcs1(None, &info, output)).unwrap();
    assert_eq!(made, stored!("2048-pkcs1-sha256.sig"));
    assert_eq!(KEY_2048.public().verify_pkcs1(None, &info, &made), Ok(()));
}

#[test]
fn pkcs1_of_every_hash_verifies_for_it_alone() {
    for key in [&*KEY_1024, &*KEY_1025] {
        for algorithm in ALGORITHMS {
            let digest = digest(algorithm);
            let signature = output(key.len(), |output| key.sign_pkcs1(Some(algorithm), &digest, output)).unwrap();
            for other in ALGORITHMS {
                let verdict = key.public().verify_pkcs1(Some(other), &digest, &signature);
                assert_eq!(verdict.is_ok(), other == algorithm, "{algorithm:?} as {other:?}");
            }
            assert_eq!(key.public().verify_pkcs1(None, &digest, &signature), Err(Rejected));
        }
    }
}

#[test]
fn pkcs1_takes_messages_that_leave_room_for_the_padding() {
    let key = &*KEY_1024;
    for length in [0, 1, 116, 117] {
        let message = vec![7; length];
        let signature = output(128, |output| key.sign_pkcs1(None, &message, output)).unwrap();
        assert_eq!(key.public().verify_pkcs1(None, &message, &signature), Ok(()));
        assert_eq!(key.public().verify_pkcs1(None, &[&message[..], &[0]].concat(), &signature), Err(Rejected));
    }
    assert_eq!(output(128, |output| key.sign_pkcs1(None, &[7; 118], output)), Err(Failure::Rejected));
    for length in [0, 31, 33] {
        let sign = |output: &mut [u8]| key.sign_pkcs1(Some(Algorithm::Sha256), &[7; 33][..length], output);
        assert_eq!(output(128, sign), Err(Failure::Rejected));
    }
}

#[test]
fn pss_of_openssl_verifies_and_holds_to_its_salt() {
    use Algorithm::{Sha1, Sha256, Sha512};
    for (key, hash, mgf, salt, signature) in [
        (&*KEY_2048, Sha256, Sha256, 32, &stored!("2048-pss-sha256-sha256-32.sig")[..]),
        (&*KEY_2048, Sha256, Sha1, 0, stored!("2048-pss-sha256-sha1-0.sig")),
        (&*KEY_1025, Sha256, Sha512, 94, stored!("1025-pss-sha256-sha512-94.sig")),
        (&*KEY_1024, Sha512, Sha512, 62, stored!("1024-pss-sha512-sha512-62.sig")),
    ] {
        let digest = digest(hash);
        let verify = |pss: Pss| key.public().verify_pss(&pss, &digest, signature);
        assert_eq!(verify(Pss { hash, mgf, salt }), Ok(()));
        for other in [salt + 1, salt.wrapping_sub(1), usize::MAX, usize::MAX - 1, 1 << 32] {
            assert_eq!(verify(Pss { hash, mgf, salt: other }), Err(Rejected), "salt of {other}");
        }
        for other in ALGORITHMS {
            assert_eq!(verify(Pss { hash, mgf: other, salt }).is_ok(), other == mgf);
            assert_eq!(verify(Pss { hash: other, mgf, salt }).is_ok(), other == hash);
        }
    }
}

#[test]
fn pss_of_every_hash_mask_and_size_verifies() {
    for key in [&*KEY_1024, &*KEY_2048, &*KEY_1025] {
        for (hash, mgf) in ALGORITHMS.into_iter().zip(ALGORITHMS.into_iter().cycle().skip(4)) {
            let digest = digest(hash);
            let longest = Pss::longest_salt(hash, key.bits()).unwrap();
            for salt in [0, 8, 20, longest] {
                let pss = Pss { hash, mgf, salt };
                let sign = || output(key.len(), |output| key.sign_pss(&pss, &digest, output)).unwrap();
                let signature = sign();
                assert_eq!(key.public().verify_pss(&pss, &digest, &signature), Ok(()), "{pss:?}");
                assert_eq!(sign() == signature, salt == 0, "{pss:?}");
            }
            for (salt, digest) in [(longest + 1, &digest[..]), (usize::MAX, &digest), (0, &digest[1..]), (0, &[])] {
                let pss = Pss { hash, mgf, salt };
                assert_eq!(output(key.len(), |output| key.sign_pss(&pss, digest, output)), Err(Failure::Rejected));
                assert_eq!(key.public().verify_pss(&pss, digest, &vec![1; key.len()]), Err(Rejected));
            }
        }
    }
}

/// RFC 8017, section 9.1.1: the encoded message has a bit less than the modulus.
#[test]
fn the_longest_salt_counts_the_bits() {
    for (bits, longest) in [(2047, 222), (2048, 222), (2049, 222), (2050, 223), (1024, 94), (1025, 94)] {
        assert_eq!(Pss::longest_salt(Algorithm::Sha256, bits), Some(longest), "{bits}");
    }
    assert_eq!(Pss::longest_salt(Algorithm::Sha512, 66 * 8 + 1), Some(0));
    assert_eq!(Pss::longest_salt(Algorithm::Sha512, 66 * 8 - 7), None);
    assert_eq!(Pss::longest_salt(Algorithm::Sha1, 0), None);
}

#[test]
fn a_damaged_signature_does_not_verify() {
    let key = &*KEY_1024;
    let pss = Pss { hash: Algorithm::Sha512, mgf: Algorithm::Sha512, salt: 62 };
    let digest = digest(Algorithm::Sha512);
    let pkcs1 = output(128, |output| key.sign_pkcs1(Some(Algorithm::Sha512), &digest, output)).unwrap();
    for bit in 0..1024 {
        let mut damaged = stored!("1024-pss-sha512-sha512-62.sig").to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.public().verify_pss(&pss, &digest, &damaged), Err(Rejected));
        let mut damaged = pkcs1.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.public().verify_pkcs1(Some(Algorithm::Sha512), &digest, &damaged), Err(Rejected));
        assert_eq!(key.public().verify_pkcs1(None, &digest, &damaged), Err(Rejected));
    }
    for wrong in [&[][..], &pkcs1[1..], &[&[0], &pkcs1[..]].concat(), &[0; 128], &[0xff; 128]] {
        assert_eq!(key.public().verify_pss(&pss, &digest, wrong), Err(Rejected));
        assert_eq!(key.public().verify_pkcs1(Some(Algorithm::Sha512), &digest, wrong), Err(Rejected));
        assert_eq!(key.public().verify_pkcs1(None, &digest, wrong), Err(Rejected));
    }
}

#[test]
fn an_output_of_another_length_is_refused() {
    let (key, digest) = (&*KEY_1024, digest(Algorithm::Sha256));
    let pss = Pss { hash: Algorithm::Sha256, mgf: Algorithm::Sha256, salt: 0 };
    let oaep = Oaep { hash: Algorithm::Sha256, mgf: Algorithm::Sha256, label: b"" };
    for length in [0, 127, 129] {
        let mut out = vec![0; length];
        assert_eq!(key.sign_pkcs1(Some(Algorithm::Sha256), &digest, &mut out), Err(Failure::Rejected));
        assert_eq!(key.sign_pkcs1(None, &digest, &mut out), Err(Failure::Rejected));
        assert_eq!(key.sign_pss(&pss, &digest, &mut out), Err(Failure::Rejected));
        assert_eq!(key.raw(&[7; 128], &mut out), Err(Failure::Rejected));
        assert_eq!(key.decrypt_pkcs1(&[7; 128], &mut out), Err(Failure::Rejected));
        assert_eq!(key.decrypt_oaep(&oaep, &[7; 128], &mut out), Err(Failure::Rejected));
        assert_eq!(key.public().raw(&[7; 128], &mut out), Err(Rejected));
        assert_eq!(key.public().encrypt_pkcs1(MESSAGE, &mut out), Err(Rejected));
        assert_eq!(key.public().encrypt_oaep(&oaep, MESSAGE, &mut out), Err(Rejected));
        assert!(out.iter().all(|byte| *byte == 0));
    }
}
