//! ECB.

use super::{AesKey, EcbKey, InOut, hex, pattern};
use crate::error::Error;

/// NIST SP 800-38A, sections F.1.1 to F.1.6.
const ECB: [(&str, &str); 3] = [
    (
        "2b7e151628aed2a6abf7158809cf4f3c",
        "3ad77bb40d7a3660a89ecaf32466ef97 f5d3d58503b9699de785895a96fdbaaf \
         43b1cd7f598ece23881b00e3ed030688 7b0c785e27e8ad3f8223207104725dd4",
    ),
    (
        "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
        "bd334f1d6e45f25ff712a214571fa5cc 974104846d0ad3ad7734ecb3ecee4eef \
         ef7afd2270e2e60adce0ba2face6444e 9a4b41ba738d6c72fb16691603c18e0e",
    ),
    (
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "f3eed1bdb5d2a03c064b5a7e3db181f8 591ccb10d410ed26dc5ba74a31362870 \
         b6ed21b99ca6f4f9f153e7b1beafed1d 23304b7a39f9f3ff067d8d8f9e24ecc7",
    ),
];
const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51 \
                     30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710";

#[test]
fn ecb_of_sp_800_38a() {
    for (key, cipher) in ECB {
        let key = EcbKey::new(&hex(key)).unwrap();
        let mut out = [0; 64];
        key.encrypt(&mut InOut::from_slices(&hex(PLAIN), &mut out), 64).unwrap();
        assert_eq!(out[..], hex(cipher));
        key.decrypt(&mut InOut::in_place(&mut out), 64).unwrap();
        assert_eq!(out[..], hex(PLAIN));
    }
}

/// AWS-LC, block by block, is the other one; in place, apart, and in any split.
#[test]
fn ecb_as_the_other_crate_makes_it() {
    for key_length in [16, 24, 32] {
        let secret = pattern(key_length);
        let (key, other) = (EcbKey::new(&secret).unwrap(), AesKey::new(&secret).unwrap());
        for blocks in 0..=40 {
            let plain = pattern(blocks * 16);
            let mut cipher = plain.clone();
            cipher.as_chunks_mut::<16>().0.iter_mut().for_each(|block| other.encrypt_block(block));
            for split in (0..=blocks).step_by(3).map(|blocks| blocks * 16) {
                let mut apart = vec![0; plain.len()];
                let mut io = InOut::from_slices(&plain, &mut apart);
                key.encrypt(&mut io, split).unwrap();
                key.encrypt(&mut io, plain.len() - split).unwrap();
                assert_eq!((io.len(), io.written()), (0, plain.len()));
                assert_eq!(apart, cipher);
                let mut place = plain.clone();
                key.encrypt(&mut InOut::in_place(&mut place), plain.len()).unwrap();
                assert_eq!(place, cipher);
                key.decrypt(&mut InOut::in_place(&mut place), plain.len()).unwrap();
                assert_eq!(place, plain);
                key.decrypt(&mut InOut::from_slices(&cipher, &mut apart), plain.len()).unwrap();
                assert_eq!(apart, plain);
            }
        }
    }
}

#[test]
fn a_broken_contract_is_an_error_and_changes_nothing() {
    let key = EcbKey::new(&[9; 16]).unwrap();
    let mut out = [7; 32];
    for (input, length, error) in [
        (31, 31, Error::GeneralError("ECB takes whole blocks".into())),
        (16, 32, Error::GeneralError("more input was claimed than there is".into())),
        (48, 48, Error::BufferTooSmall),
    ] {
        let input = vec![0; input];
        let mut io = InOut::from_slices(&input, &mut out);
        assert_eq!(key.encrypt(&mut io, length), Err(error.clone()));
        assert_eq!(key.decrypt(&mut io, length), Err(error));
        assert_eq!((io.len(), io.written()), (input.len(), 0));
    }
    assert_eq!(out, [7; 32]);
}
