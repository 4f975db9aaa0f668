//! Keys: made, read, written, used by many threads.

use super::*;

#[test]
fn keys_of_openssl_are_read_and_written_as_they_were() {
    for (bits, (private, public)) in [1024usize, 2048, 1025, 2048, 2048].into_iter().zip(PAIRS) {
        let key = RsaPrivateKey::from_pkcs8(private).unwrap();
        assert_eq!(key.to_pkcs8().unwrap().expose(), private);
        assert_eq!(key.public().to_spki().unwrap(), public);
        let public = RsaPublicKey::from_spki(public).unwrap();
        assert_eq!(public.modulus(), key.component(RsaComponent::Modulus).expose());
        assert_eq!(public.exponent(), key.component(RsaComponent::PublicExponent).expose());
        assert_eq!((public.bits(), public.len()), (bits, bits.div_ceil(8)));
        assert_eq!((key.bits(), key.len()), (bits, bits.div_ceil(8)));
    }
}

#[test]
fn leading_zeroes_are_no_part_of_a_number() {
    let numbers = numbers(&KEY_2048).map(|number| [vec![0; 3], number].concat());
    let key = RsaPrivateKey::from_components(&components(&numbers)).unwrap();
    assert!(key.to_pkcs8().unwrap() == KEY_2048.to_pkcs8().unwrap());
    let public = RsaPublicKey::from_components(&numbers[0], &numbers[1]).unwrap();
    assert_eq!((public.modulus(), public.exponent()), (&numbers[0][3..], &[1, 0, 1][..]));
}

#[test]
fn public_keys_have_a_size_and_odd_numbers() {
    let take = |modulus: &[u8], exponent: &[u8]| RsaPublicKey::from_components(modulus, exponent).map(|key| key.bits());
    let number = |bits: usize| {
        let mut bytes = vec![0xff; bits.div_ceil(8)];
        bytes[0] >>= (8 - bits % 8) % 8;
        bytes
    };
    for (bits, taken) in [(1023, false), (1024, true), (1025, true), (8191, true), (8192, true), (8193, false)] {
        assert_eq!(take(&number(bits), &[3]), if taken { Ok(bits) } else { Err(Rejected) }, "{bits}");
    }
    let modulus = number(2048);
    for (exponent, taken) in [
        (vec![], false),
        (vec![0], false),
        (vec![1], false),
        (vec![2], false),
        (vec![3], true),
        (vec![4], false),
        (number(256), true),
        (number(257), false),
        (modulus.clone(), false),
    ] {
        assert_eq!(take(&modulus, &exponent).is_ok(), taken, "{exponent:?}");
    }
    let mut even = modulus;
    even[255] = 0xfe;
    assert_eq!(take(&even, &[3]), Err(Rejected));
    assert_eq!(take(&[0; 256], &[3]), Err(Rejected));
    assert_eq!(take(&[], &[3]), Err(Rejected));
}

/// Every cut, and every change of one bit before the first number.
#[test]
fn der_is_taken_strictly() {
    let (private, public) = PAIRS[1];
    for end in 0..private.len() {
        assert!(RsaPrivateKey::from_pkcs8(&private[..end]).is_err());
    }
    assert!(RsaPrivateKey::from_pkcs8(&[private, &[0]].concat()).is_err());
    for position in 0..33 {
        for bit in 0..8 {
            let mut changed = private.to_vec();
            changed[position] ^= 1 << bit;
            // Version 2, where a public key may follow, but need not.
            let is_version_2 = (position, bit) == (6, 0);
            assert_eq!(RsaPrivateKey::from_pkcs8(&changed).is_ok(), is_version_2, "bit {bit} of byte {position}");
        }
    }
    for end in 0..public.len() {
        assert!(RsaPublicKey::from_spki(&public[..end]).is_err());
    }
    assert!(RsaPublicKey::from_spki(&[public, &[0]].concat()).is_err());
    for position in 0..32 {
        for bit in 0..8 {
            let mut changed = public.to_vec();
            changed[position] ^= 1 << bit;
            assert!(RsaPublicKey::from_spki(&changed).is_err(), "bit {bit} of byte {position}");
        }
    }
    assert!(RsaPublicKey::from_spki(private).is_err() && RsaPrivateKey::from_pkcs8(public).is_err());
}

#[test]
fn generated_keys_are_of_the_asked_size_and_exponent_and_work() {
    for (bits, exponent) in [(2048, &[1, 0, 1][..]), (2176, &[3]), (2048, &[0, 0xff, 0xff, 0xff, 0xff])] {
        let key = RsaPrivateKey::generate(bits, exponent).unwrap();
        assert_eq!((key.bits(), key.component(RsaComponent::PublicExponent).expose()), (bits, stripped(exponent)));
        let again = RsaPrivateKey::from_components(&components(&numbers(&key))).unwrap();
        let digest = digest(Algorithm::Sha256);
        let signature = output(key.len(), |output| again.sign_pkcs1(Some(Algorithm::Sha256), &digest, output)).unwrap();
        assert_eq!(key.public().verify_pkcs1(Some(Algorithm::Sha256), &digest, &signature), Ok(()));
    }
    let one = RsaPrivateKey::generate(2048, &[3]).unwrap();
    assert_ne!(one.public().modulus(), RsaPrivateKey::generate(2048, &[3]).unwrap().public().modulus());
}

fn stripped(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..]
}

#[test]
fn no_keys_of_other_sizes_and_exponents_are_made() {
    for bits in [0, 64, 1024, 1920, 2047, 2049, 2056, 2112, BITS.end() + 128, usize::MAX, (1 << 32) + 2048] {
        assert_eq!(RsaPrivateKey::generate(bits, &[1, 0, 1]).err(), Some(Failure::Rejected), "{bits}");
    }
    assert_eq!((*GENERATED_BITS.start(), *GENERATED_BITS.end()), (2048, 8192));
    for exponent in [&[][..], &[0], &[1], &[2], &[4], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
        assert_eq!(RsaPrivateKey::generate(2048, exponent).err(), Some(Failure::Rejected), "{exponent:?}");
    }
}

#[test]
fn keys_are_used_by_many_threads_at_once() {
    fn shared<T: Send + Sync>() {}
    shared::<RsaPrivateKey>();
    shared::<RsaPublicKey>();
    let key = RsaPrivateKey::from_pkcs8(PAIRS[1].0).unwrap();
    let digest = digest(Algorithm::Sha256);
    let sign = || output(key.len(), |output| key.sign_pkcs1(Some(Algorithm::Sha256), &digest, output)).unwrap();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| (0..40).map(|_| sign()).collect::<Vec<_>>())).collect();
        let expected = stored!("2048-pkcs1-sha256.sig");
        assert!(threads.into_iter().all(|thread| thread.join().unwrap().iter().all(|one| one == expected)));
    });
}
