//! AES-CTR: known answers, and a counter that ends where its bits end. PKCS#11 3.2, section 6.11.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    ctr_gives_the_known_answers,
    ctr_agrees_with_openssl,
    the_counter_ends_after_its_last_number,
    the_counter_never_reaches_the_nonce,
    parameters_that_are_none_are_refused,
];

/// NIST SP 800-38A, appendix F.5: key, ciphertext.
const CTR: [[&str; 2]; 3] = [
    [
        "2b7e151628aed2a6abf7158809cf4f3c",
        "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff\
         5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
    ],
    [
        "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
        "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94\
         1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050",
    ],
    [
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5\
         2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
    ],
];
const PLAINTEXT: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

fn ctr_gives_the_known_answers() {
    let token = Token::new();
    let session = token.user();
    let block: [u8; 16] = unhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").try_into().unwrap();
    for vector in CTR {
        let [key, ciphertext] = vector.map(unhex);
        let key = ok!(session.aes_key_of(&key, template![]));
        for bits in [128, 64, 32, 8] {
            // 0xff is the last number of 8 bits.
            let reach = if bits == 8 { 16 } else { 64 };
            let mechanism = Mechanism::ctr(bits, &block);
            assert_eq!(ok!(session.encrypt(&mechanism, key, &unhex(PLAINTEXT)[..reach])), ciphertext[..reach]);
            assert_eq!(ok!(session.decrypt(&mechanism, key, &ciphertext[..reach])), unhex(PLAINTEXT)[..reach]);
        }
    }
}

/// Over the 32-bit and the 64-bit border of a counter of 128 bits, which openssl carries over.
fn ctr_agrees_with_openssl() {
    let token = Token::new();
    let session = token.user();
    for length in [16, 24, 32] {
        let value = ok!(session.random(length));
        let key = ok!(session.aes_key_of(&value, template![]));
        for counter in [0, u128::from(u32::MAX) - 1, u128::from(u64::MAX) - 1, 7 << 100 | u128::from(u64::MAX)] {
            let block = counter.to_be_bytes();
            for size in [1, 16, 100, 5000] {
                let sealed = ok!(session.encrypt(&Mechanism::ctr(128, &block), key, &message(size)));
                let cipher = format!("aes-{}-ctr", length * 8);
                assert_eq!(openssl_enc("-e", &cipher, &value, &hex(&block), &message(size)), sealed);
            }
        }
    }
}

/// "If ulCounterBits is 2 and the counter bits start as 1, then only 3 blocks can be processed."
fn the_counter_ends_after_its_last_number() {
    let Bench { session, key, .. } = &Bench::new();
    for (bits, counter, blocks) in
        [(2, 1, 3), (1, 0, 2), (1, 1, 1), (3, 0, 8), (8, 0xfe, 2), (11, 0x7fd, 3), (32, 0xffff_ffff, 1)]
    {
        let block = (0xa5_u128 << 120 | counter).to_be_bytes();
        let mechanism = Mechanism::ctr(bits, &block);
        let (text, most) = (message(blocks * 16 + 1), blocks * 16);
        let sealed = ok!(session.encrypt(&mechanism, *key, &text[..most]), "{bits} bits");
        assert_eq!(ok!(session.decrypt(&mechanism, *key, &sealed)), text[..most]);
        fails!(session.encrypt(&mechanism, *key, &text), CKR_DATA_LEN_RANGE, "{bits} bits");
        fails!(session.decrypt(&mechanism, *key, &text), CKR_DATA_LEN_RANGE, "{bits} bits");
        assert_eq!(ok!(Encrypt::parts(session, &mechanism, *key, text[..most].chunks(7))), sealed);

        ok!(Encrypt::init(session, &mechanism, *key));
        ok!(Encrypt::update(session, &text[..most], Some(&mut vec![0; most])).0);
        ok!(Encrypt::update(session, &[], Some(&mut [])).0, "nothing more is no more");
        let mut room = [GUARD; 16];
        fails!(Encrypt::update(session, &[0], Some(&mut room)).0, CKR_DATA_LEN_RANGE, "{bits} bits");
        assert_eq!(room, [GUARD; 16]);
        fails!(Encrypt::last(session, Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
    }
}

/// Blocks at the end of the counter are those of a counter that is wide enough: nothing was carried, nothing wrapped.
fn the_counter_never_reaches_the_nonce() {
    let Bench { session, key, .. } = &Bench::new();
    for bits in 1..=128 {
        let last = u128::MAX >> (128 - bits);
        let nonce = u128::from_be_bytes([0x5a; 16]) & !last;
        let block = (nonce | (last - 1)).to_be_bytes();
        let sealed = ok!(session.encrypt(&Mechanism::ctr(bits, &block), *key, &message(32)), "{bits} bits");
        for (place, counter) in [last - 1, last].into_iter().enumerate() {
            let stream = ok!(session.encrypt(&ecb(), *key, &(nonce | counter).to_be_bytes()));
            let text = message(32).split_off(place * 16);
            let expected: Vec<u8> = stream.iter().zip(text).map(|(stream, text)| stream ^ text).collect();
            assert_eq!(sealed[place * 16..][..16], expected, "{bits} bits, block {place}");
        }
        fails!(session.encrypt(&Mechanism::ctr(bits, &block), *key, &message(33)), CKR_DATA_LEN_RANGE, "{bits} bits");
    }
}

fn parameters_that_are_none_are_refused() {
    let Bench { session, key, .. } = &Bench::new();
    let widths = [0, 129, 256, 1 << 32 | 1, CK_ULONG::MAX].map(|bits| Mechanism::ctr(bits, &[0; 16]));
    let shapes = [0, 1, 8, 16, 23, 25, 32].map(|length| Mechanism::with(CKM_AES_CTR, &vec![1; length]));
    let none = [Mechanism::plain(CKM_AES_CTR), Mechanism::null(CKM_AES_CTR, 24)];
    for wrong in widths.into_iter().chain(shapes).chain(none) {
        fails!(Encrypt::init(session, &wrong, *key), CKR_MECHANISM_PARAM_INVALID);
        fails!(Decrypt::init(session, &wrong, *key), CKR_MECHANISM_PARAM_INVALID);
    }
}
