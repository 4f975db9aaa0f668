//! CTR, and where its counter ends.

use super::{AesKey, CounterStream, InOut, Rejected, hex, pattern};
use crate::error::Error;
use aes::cipher::{BlockCipherEncrypt, KeyInit};

/// NIST SP 800-38A, sections F.5.1 to F.5.6.
const CTR: [(&str, &str); 3] = [
    (
        "2b7e151628aed2a6abf7158809cf4f3c",
        "874d6191b620e3261bef6864990db6ce 9806f66b7970fdff8617187bb9fffdff \
         5ae4df3edbd5d35e5b4f09020db03eab 1e031dda2fbe03d1792170a0f3009cee",
    ),
    (
        "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
        "1abc932417521ca24f2b0459fe7e6e0b 090339ec0aa6faefd5ccc2c6f4ce8e94 \
         1e36b26bd1ebc670d1bd1d665620abf7 4f78a7f6d29809585a97daec58c6b050",
    ),
    (
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "601ec313775789a5b7a7f504bbf3d228 f443e3ca4d62b59aca84e990cacaf5c5 \
         2b0930daa23de94ce87017ba2d84988d dfc9c58db67aada613c2dd08457941a6",
    ),
];
const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51 \
                     30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710";

#[test]
fn ctr_of_sp_800_38a_in_any_split() {
    let counter: [u8; 16] = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").try_into().unwrap();
    for (key, cipher) in CTR {
        let key = AesKey::new(&hex(key)).unwrap();
        for split in 0..=64 {
            for (from, to) in [(hex(PLAIN), hex(cipher)), (hex(cipher), hex(PLAIN))] {
                let mut apart = [0; 64];
                let mut place = from.clone();
                for mut io in [InOut::from_slices(&from, &mut apart), InOut::in_place(&mut place)] {
                    let mut stream = CounterStream::new(counter, 128).unwrap();
                    key.ctr(&mut stream, &mut io, split).unwrap();
                    key.ctr(&mut stream, &mut io, 64 - split).unwrap();
                    assert_eq!((io.len(), io.written()), (0, 64));
                }
                assert_eq!((&apart[..], &place), (&to[..], &to));
            }
        }
    }
}

/// The key stream is the blocks of the counter, encrypted one by one by the other crate. Of the counters from `first` on,
/// so many exist, and the first is the last of its block.
fn ends_after(bits: u32, block: [u8; 16], blocks: usize) {
    let (secret, limit) = (pattern(32), blocks * 16);
    let (key, other) = (AesKey::new(&secret).unwrap(), aes::Aes256::new_from_slice(&secret).unwrap());
    let mut expected = Vec::new();
    for place in 0..blocks as u128 {
        let mut counter = (u128::from_be_bytes(block) + place).to_be_bytes().into();
        other.encrypt_block(&mut counter);
        expected.extend_from_slice(&counter);
    }
    for split in [0, 1, 15, 16, limit - 1, limit] {
        let mut out = vec![7; limit + 1];
        let zeros = vec![0; limit + 1];
        let mut stream = CounterStream::new(block, bits).unwrap();
        let mut io = InOut::from_slices(&zeros, &mut out);
        key.ctr(&mut stream, &mut io, split).unwrap();
        assert_eq!(key.ctr(&mut stream, &mut io, limit + 1 - split), Err(Error::DataLenRange), "{bits} bits");
        assert_eq!(io.written(), split, "nothing is done");
        assert!(stream.reaches(limit - split) && !stream.reaches(limit - split + 1));
        key.ctr(&mut stream, &mut io, limit - split).unwrap();
        assert_eq!(key.ctr(&mut stream, &mut io, 1), Err(Error::DataLenRange));
        key.ctr(&mut stream, &mut io, 0).unwrap();
        assert_eq!((&out[..limit], out[limit]), (&expected[..], 7), "{bits} bits");
    }
}

/// PKCS#11 3.2, section 6.11.2: two bits that start at 1 number three blocks.
#[test]
fn the_counter_ends_after_its_last_number() {
    let starting = |nonce: u8, counter: u128| (u128::from_be_bytes([nonce; 16]) << 64 | counter).to_be_bytes();
    ends_after(2, starting(5, 1), 3);
    ends_after(1, starting(5, 0), 2);
    ends_after(1, starting(5, 1), 1);
    // Odd widths: the bit above the counter is the nonce's.
    for bits in [3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 96, 100, 127, 128] {
        let mask = u128::MAX >> (128 - bits);
        for left in [1, 2, 7] {
            let nonce = u128::from_be_bytes([0x5a; 16]) & !mask;
            ends_after(bits, (nonce | (mask - (left - 1))).to_be_bytes(), left as usize);
        }
    }
}

#[test]
fn a_whole_counter_of_a_few_bits_is_used() {
    for bits in 1..=8 {
        ends_after(bits, [0; 16], 1 << bits);
    }
}

#[test]
fn widths_outside_of_the_block_are_rejected() {
    for bits in [0, 129, 130, 256, u32::MAX] {
        assert_eq!(CounterStream::new([0; 16], bits).err(), Some(Rejected));
    }
    // The widest has no end that can be reached.
    for bits in [120, 124, 125, 127, 128] {
        assert!(CounterStream::new([0; 16], bits).unwrap().reaches(usize::MAX), "{bits}");
    }
    assert!(!CounterStream::new([0; 16], 28).unwrap().reaches(usize::MAX));
}
