//! Encryption, the bare operation, and implicit rejection.

use super::super::ALGORITHMS;
use super::*;

/// The message, if it is one.
fn decrypted(length: usize, decrypt: impl FnOnce(&mut [u8]) -> Result<usize, Failure>) -> Result<Vec<u8>, Failure> {
    let mut output = vec![0xa5; length];
    match decrypt(&mut output) {
        Ok(length) => Ok(output[..length].to_vec()),
        Err(failure) => {
            assert!(output.iter().all(|byte| *byte == 0xa5), "nothing is written");
            Err(failure)
        }
    }
}

/// n - `difference`.
fn below_modulus(key: &RsaPublicKey, difference: u8) -> Vec<u8> {
    let mut number = key.modulus().to_vec();
    let (last, borrow) = number.last().unwrap().overflowing_sub(difference);
    assert!(!borrow, "another file of a key is needed for this test");
    *number.last_mut().unwrap() = last;
    number
}

#[test]
fn what_openssl_encrypted_is_decrypted() {
    let message = |key: &RsaPrivateKey, hash, mgf, label, input: &[u8]| {
        decrypted(key.len(), |output| key.decrypt_oaep(&Oaep { hash, mgf, label }, input, output)).unwrap()
    };
    use Algorithm::{Sha1, Sha3_256, Sha256, Sha384, Sha512};
    assert_eq!(message(&KEY_2048, Sha1, Sha1, b"", stored!("2048-oaep-sha1-sha1.enc")), MESSAGE);
    let with_label = stored!("1025-oaep-sha256-sha512-label.enc");
    assert_eq!(message(&KEY_1025, Sha256, Sha512, b"label", with_label), MESSAGE);
    assert_eq!(message(&KEY_1024, Sha384, Sha3_256, b"", stored!("1024-oaep-sha384-sha3-256.enc")), MESSAGE);
    let input = stored!("2048-pkcs1.enc");
    assert_eq!(decrypted(256, |output| KEY_2048.decrypt_pkcs1(input, output)).unwrap(), MESSAGE);
    assert_eq!(KEY_2048.decrypt_pkcs1_implicit(input, MESSAGE.len()).unwrap().expose(), MESSAGE);
}

#[test]
fn oaep_of_every_hash_and_length_comes_back() {
    for key in [&*KEY_1024, &*KEY_1025] {
        for (hash, mgf) in ALGORITHMS.into_iter().zip(ALGORITHMS.into_iter().cycle().skip(3)) {
            let Some(longest) = Oaep::longest_message(hash, key.len()) else {
                assert_eq!(hash.output_len(), 64);
                let oaep = Oaep { hash, mgf, label: b"" };
                assert_eq!(output(key.len(), |output| key.public().encrypt_oaep(&oaep, b"", output)), Err(Rejected));
                let input = vec![7; key.len()];
                assert_eq!(
                    decrypted(key.len(), |output| key.decrypt_oaep(&oaep, &input, output)),
                    Err(Failure::Rejected)
                );
                continue;
            };
            for (length, label) in [(0, &b""[..]), (1, b"x"), (longest, b"a label"), (longest, &[0; 5000])] {
                let oaep = Oaep { hash, mgf, label };
                let message = vec![9; length];
                let encrypt = || output(key.len(), |output| key.public().encrypt_oaep(&oaep, &message, output));
                let ciphertext = encrypt().unwrap();
                assert_ne!(ciphertext, encrypt().unwrap());
                let decrypt =
                    |oaep: Oaep<'_>| decrypted(key.len(), |output| key.decrypt_oaep(&oaep, &ciphertext, output));
                assert_eq!(decrypt(oaep).as_ref(), Ok(&message));
                let other = [label, b"y"].concat();
                assert_eq!(decrypt(Oaep { label: &other, ..oaep }), Err(Failure::Rejected));
                assert_eq!(decrypt(Oaep { mgf: ALGORITHMS[(mgf as usize + 1) % 11], ..oaep }), Err(Failure::Rejected));
            }
            let oaep = Oaep { hash, mgf, label: b"" };
            let message = vec![9; longest + 1];
            assert_eq!(output(key.len(), |output| key.public().encrypt_oaep(&oaep, &message, output)), Err(Rejected));
        }
    }
}

#[test]
fn pkcs1_of_every_length_comes_back() {
    for key in [&*KEY_1024, &*KEY_1025] {
        for length in [0, 1, 32, key.len() - 12, key.len() - 11] {
            let message = vec![9; length];
            let encrypt = || output(key.len(), |output| key.public().encrypt_pkcs1(&message, output)).unwrap();
            let ciphertext = encrypt();
            assert!(length == key.len() - 11 || ciphertext != encrypt());
            assert_eq!(decrypted(key.len(), |output| key.decrypt_pkcs1(&ciphertext, output)).as_ref(), Ok(&message));
            assert_eq!(key.decrypt_pkcs1_implicit(&ciphertext, length).unwrap().expose(), message);
        }
        let message = vec![9; key.len() - 10];
        assert_eq!(output(key.len(), |output| key.public().encrypt_pkcs1(&message, output)), Err(Rejected));
    }
}

/// A ciphertext of this encoded message.
fn encoded(key: &RsaPrivateKey, message: &[u8]) -> Vec<u8> {
    output(key.len(), |output| key.public().raw(message, output)).unwrap()
}

/// Encoded messages of every kind of fault, and none that is right for a message of 16 bytes.
fn faults(length: usize) -> Vec<(&'static str, Vec<u8>)> {
    let mut right = vec![0xbb; length];
    right[..2].copy_from_slice(&[0, 2]);
    right[length - 17] = 0;
    let with = |position: usize, byte: u8| {
        let mut changed = right.clone();
        changed[position] = byte;
        changed
    };
    let mut faults = vec![
        ("first byte", with(0, 1)),
        ("second byte, a signature's", with(1, 1)),
        ("second byte", with(1, 0)),
        ("second byte, 3", with(1, 3)),
        ("no end", with(length - 17, 0xbb)),
        ("zeroes alone but for the end", [vec![0; length - 1], vec![5]].concat()),
        ("SSLv2", [vec![0, 2], vec![3; length - 2]].concat()),
    ];
    faults.extend((2..10).map(|position| ("filler too short", with(position, 0))));
    faults
}

#[test]
fn every_fault_of_pkcs1_has_the_same_answer() {
    for key in [&*KEY_1024, &*KEY_2048] {
        for (name, message) in faults(key.len()) {
            let ciphertext = encoded(key, &message);
            let verdict = decrypted(key.len(), |output| key.decrypt_pkcs1(&ciphertext, output));
            assert_eq!(verdict, Err(Failure::Rejected), "{name}");
        }
        for other in [&[0][..], &[1], &[0, 2]] {
            let ciphertext = [vec![0; key.len() - other.len()], other.to_vec()].concat();
            let verdict = decrypted(key.len(), |output| key.decrypt_pkcs1(&ciphertext, output));
            assert_eq!(verdict, Err(Failure::Rejected));
        }
        for difference in [0, 1] {
            let ciphertext = below_modulus(key.public(), difference);
            let verdict = decrypted(key.len(), |output| key.decrypt_pkcs1(&ciphertext, output));
            assert_eq!(verdict, Err(Failure::Rejected));
        }
    }
}

#[test]
fn implicit_rejection_gives_what_openssl_gives() {
    let key = RsaPrivateKey::from_pkcs8(stored!("implicit.p8")).unwrap();
    let text = str::from_utf8(stored!("implicit.txt")).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).map(hex).collect();
    assert_eq!(lines.len(), 24);
    for pair in lines.chunks(2) {
        let message = key.decrypt_pkcs1_implicit(&pair[0], pair[1].len()).unwrap();
        assert_eq!(message.expose(), pair[1]);
    }
}

#[test]
fn implicit_rejection_gives_the_same_of_the_asked_length_for_every_fault() {
    let key = &*KEY_2048;
    let mut seen = Vec::new();
    let mut one = |name: &str, ciphertext: &[u8], length: usize| {
        let message = key.decrypt_pkcs1_implicit(ciphertext, length).unwrap();
        assert_eq!(message.len(), length, "{name}");
        assert!(key.decrypt_pkcs1_implicit(ciphertext, length).unwrap() == message, "{name}");
        let message = message.expose().to_vec();
        assert!(!seen.contains(&message), "{name}");
        assert_ne!(message, vec![0xbb; length], "{name}");
        seen.push(message);
    };
    for (name, message) in faults(256) {
        one(name, &encoded(key, &message), 16);
    }
    let mut right = vec![0xbb; 256];
    right[..2].copy_from_slice(&[0, 2]);
    right[256 - 17] = 0;
    let right = encoded(key, &right);
    for length in [15, 17, 24, 32, 245] {
        one("another length", &right, length);
    }
    for (name, ciphertext) in [("0", vec![0; 256]), ("n - 1", below_modulus(key.public(), 1))] {
        one(name, &ciphertext, 32);
    }
    assert_eq!(key.decrypt_pkcs1_implicit(&right, 16).unwrap().expose(), [0xbb; 16]);
    assert_eq!(key.decrypt_pkcs1_implicit(&right, 0).unwrap().len(), 0);
    for (ciphertext, length) in
        [(&right[..], 246), (&right, usize::MAX), (&right[1..], 16), (key.public().modulus(), 16), (&[0xff; 256], 16)]
    {
        assert_eq!(key.decrypt_pkcs1_implicit(ciphertext, length).err(), Some(Failure::Rejected));
    }
}

/// RSADP of 2, and the inverse.
#[test]
fn the_bare_operation_takes_all_below_the_modulus() {
    for key in [&*KEY_1024, &*KEY_2048, &*KEY_1025] {
        let public = key.public();
        let small = |value: u8| [vec![0; key.len() - 1], vec![value]].concat();
        for input in [small(0), small(1), small(2), small(3), below_modulus(public, 1), below_modulus(public, 2)] {
            let power = output(key.len(), |output| key.raw(&input, output)).unwrap();
            assert_eq!(output(key.len(), |output| public.raw(&power, output)).unwrap(), input);
            let power = output(key.len(), |output| public.raw(&input, output)).unwrap();
            assert_eq!(output(key.len(), |output| key.raw(&power, output)).unwrap(), input);
        }
        for input in [below_modulus(public, 0), vec![0xff; key.len()], small(5)[1..].to_vec(), vec![0; key.len() + 1]] {
            assert_eq!(output(key.len(), |output| key.raw(&input, output)), Err(Failure::Rejected));
            assert_eq!(output(key.len(), |output| public.raw(&input, output)), Err(Rejected));
        }
    }
}
