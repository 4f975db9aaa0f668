//! Blocks and CBC.

use super::{AesKey, InOut, hex, pattern};
use crate::error::Error;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt};
use aes_kw::KeyInit;

/// FIPS 197, appendix C.
#[test]
fn blocks_of_fips_197() {
    for (length, cipher) in [
        (16, "69c4e0d86a7b0430d8cdb78070b4c55a"),
        (24, "dda97ca4864cdfe06eaf70a0ec0d7191"),
        (32, "8ea2b7ca516745bfeafc49904b496089"),
    ] {
        let key: Vec<u8> = (0..length).collect();
        let key = AesKey::new(&key).unwrap();
        let plain: [u8; 16] = hex("00112233445566778899aabbccddeeff").try_into().unwrap();
        let mut block = plain;
        key.encrypt_block(&mut block);
        assert_eq!(block[..], hex(cipher));
        key.decrypt_block(&mut block);
        assert_eq!(block, plain);
    }
}

#[test]
fn blocks_as_the_other_crate_makes_them() {
    for seed in 0..100u8 {
        let key = pattern(32 + usize::from(seed)).split_off(usize::from(seed));
        let (ours, theirs) = (AesKey::new(&key).unwrap(), aes::Aes256::new_from_slice(&key).unwrap());
        let mut block = [seed; 16];
        let mut other = block.into();
        ours.encrypt_block(&mut block);
        theirs.encrypt_block(&mut other);
        assert_eq!(block[..], other[..]);
        ours.decrypt_block(&mut block);
        theirs.decrypt_block(&mut other);
        assert_eq!(block[..], other[..]);
    }
}

/// NIST SP 800-38A, sections F.2.1 to F.2.6.
const CBC: [(&str, &str); 3] = [
    (
        "2b7e151628aed2a6abf7158809cf4f3c",
        "7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2
         73bed6b8e3c1743b7116e69e22229516 3ff1caa1681fac09120eca307586e1a7",
    ),
    (
        "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
        "4f021db243bc633d7178183a9fa071e8 b4d9ada9ad7dedf4e5e738763f69145a
         571b242012fb7ae07fa9baac3df102e0 08b0e27988598881d920a9e64f5615cd",
    ),
    (
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d
         39f23369a9d9bacfa530e26304231461 b2eb05e2c39be9fcda6c19078c6a9d1b",
    ),
];
const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
                     30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710";

#[test]
fn cbc_of_sp_800_38a_in_place_and_apart_in_any_split() {
    for (key, cipher) in CBC {
        let key = AesKey::new(&hex(key)).unwrap();
        let (plain, cipher) = (hex(&PLAIN.replace('\n', "")), hex(&cipher.replace('\n', "")));
        let iv: [u8; 16] = std::array::from_fn(|i| i as u8);
        for split in [0, 16, 32, 48, 64] {
            for (encrypt, from, to) in [(true, &plain, &cipher), (false, &cipher, &plain)] {
                let run = |io: &mut InOut| {
                    let mut iv = iv;
                    for length in [split, 64 - split] {
                        match encrypt {
                            true => key.cbc_encrypt(&mut iv, io, length).unwrap(),
                            false => key.cbc_decrypt(&mut iv, io, length).unwrap(),
                        }
                    }
                    assert_eq!(iv[..], cipher[48..]);
                    assert_eq!((io.len(), io.written()), (0, 64));
                };
                let mut out = [0; 64];
                run(&mut InOut::from_slices(from, &mut out));
                assert_eq!(out[..], to[..]);
                let mut buffer = from.clone();
                run(&mut InOut::in_place(&mut buffer));
                assert_eq!(buffer, *to);
            }
        }
    }
}

/// Input that runs ahead of the output, and output that runs ahead of the input, over the same buffer.
#[test]
fn cbc_with_held_bytes_in_one_buffer() {
    let key = AesKey::new(&[9; 16]).unwrap();
    let plain = pattern(160);
    for held in 1..16 {
        let mut cipher = vec![0; 160];
        key.cbc_encrypt(&mut [0; 16], &mut InOut::from_slices(&plain, &mut cipher), 160).unwrap();

        // The first part leaves `held` bytes over, which the second one completes.
        let mut buffer = plain.clone();
        let mut iv = [0; 16];
        let mut carry = [0; 16];
        let (first, second) = buffer.split_at_mut(80 + held);
        let mut io = InOut::in_place(first);
        key.cbc_encrypt(&mut iv, &mut io, 80).unwrap();
        io.take(held, &mut carry).unwrap();
        let mut io = InOut::in_place_prefix(second, 80 - held);
        io.take(16 - held, &mut carry[held..]).unwrap();
        key.cbc_encrypt(&mut iv, &mut InOut::in_place(&mut carry), 16).unwrap();
        let rest = 64 - 16;
        key.cbc_encrypt(&mut iv, &mut io, rest).unwrap();
        assert_eq!(first[..80], cipher[..80]);
        assert_eq!(carry[..], cipher[80..96]);
        assert_eq!(second[..rest], cipher[96..96 + rest]);
    }
}

#[test]
fn a_broken_contract_is_an_error_and_changes_nothing() {
    let key = AesKey::new(&[9; 16]).unwrap();
    let mut out = [7; 32];
    let mut iv = [1; 16];
    for (input, length, error) in [
        (31, 31, Error::GeneralError("CBC takes whole blocks".into())),
        (16, 32, Error::GeneralError("more input was claimed than there is".into())),
        (48, 48, Error::BufferTooSmall),
    ] {
        let input = vec![0; input];
        let mut io = InOut::from_slices(&input, &mut out);
        assert_eq!(key.cbc_encrypt(&mut iv, &mut io, length), Err(error.clone()));
        assert_eq!(key.cbc_decrypt(&mut iv, &mut io, length), Err(error));
        assert_eq!((io.len(), io.written()), (input.len(), 0));
    }
    assert_eq!((iv, out), ([1; 16], [7; 32]));
}
