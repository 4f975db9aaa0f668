//! AES-GCM: every length of IV and tag, associated data, and nothing of a plaintext whose tag does not hold.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    every_iv_and_tag_length_agrees_with_the_standard,
    long_ivs_and_associated_data_agree_with_the_standard,
    libcrypto_opens_what_was_sealed,
    any_changed_bit_is_refused,
    a_failed_tag_leaves_nothing_of_the_plaintext,
    a_failed_tag_is_no_matter_of_room,
    parameters_out_of_range_are_refused,
    inner_pointers_of_null_are_refused,
    the_parameter_is_taken_with_and_without_iv_bits,
    the_parameter_may_change_after_init,
    no_more_than_a_gibibyte_is_collected,
];

/// IVs of 1 to 128 bytes and tags of 32 to 128 bits, against the standard written down below.
fn every_iv_and_tag_length_agrees_with_the_standard() {
    let token = Token::new();
    let session = token.user();
    for key_length in [16, 24, 32] {
        let value = ok!(session.random(key_length));
        let key = ok!(session.aes_key_of(&value, template![]));
        for iv_length in 1..=128 {
            let iv = message(iv_length);
            let text = message(iv_length % 37);
            let aad = message(iv_length % 21);
            let (sealed, tag) = seal(&value, &iv, &aad, &text);
            for tag_length in 4..=16 {
                let mechanism = Mechanism::gcm(&iv, &aad, tag_length as CK_ULONG * 8);
                let expected = [&sealed, &tag[..tag_length]].concat();
                assert_eq!(ok!(session.encrypt(&mechanism, key, &text)), expected, "IV {iv_length}, tag {tag_length}");
                assert_eq!(ok!(session.decrypt(&mechanism, key, &expected)), text, "IV {iv_length}, tag {tag_length}");
                let halves = text.split_at(text.len() / 2);
                let parts = Encrypt::parts(&session, &mechanism, key, [halves.0, halves.1]);
                assert_eq!(ok!(parts), expected, "IV {iv_length}, tag {tag_length}, in parts");
            }
        }
    }
}

fn long_ivs_and_associated_data_agree_with_the_standard() {
    let Bench { session, .. } = &Bench::new();
    let value = ok!(session.random(32));
    let key = ok!(session.aes_key_of(&value, template![]));
    for (iv, aad, text) in [(256, 0, 10), (4096, 16, 0), (12, 65536, 1), (12, 1, 65536), (1, 0, 0), (12, 0, 0)] {
        let (iv, aad, text) = (message(iv), message(aad), message(text));
        let (mut expected, tag) = seal(&value, &iv, &aad, &text);
        expected.extend(tag);
        let mechanism = Mechanism::gcm(&iv, &aad, 128);
        assert_eq!(ok!(session.encrypt(&mechanism, key, &text)), expected);
        assert_eq!(ok!(Encrypt::parts(session, &mechanism, key, text.chunks(1000))), expected);
        assert_eq!(ok!(Decrypt::parts(session, &mechanism, key, expected.chunks(1000))), text);
    }
}

fn libcrypto_opens_what_was_sealed() {
    let Bench { session, .. } = &Bench::new();
    for key_length in [16, 24, 32] {
        let value = ok!(session.random(key_length));
        let key = ok!(session.aes_key_of(&value, template![]));
        let iv = ok!(session.random(12));
        let sealed = ok!(session.encrypt(&Mechanism::gcm(&iv, b"with", 128), key, b"to libcrypto"));
        assert_eq!(libcrypto_gcm_open(&value, &iv, b"with", &sealed).as_deref(), Some(b"to libcrypto".as_slice()));
        assert_eq!(libcrypto_gcm_open(&value, &iv, b"without", &sealed), None);
    }
}

fn any_changed_bit_is_refused() {
    let Bench { session, key, .. } = &Bench::new();
    let sealed = ok!(session.encrypt(&gcm(), *key, &message(20)));
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        fails!(session.decrypt(&gcm(), *key, &changed), CKR_ENCRYPTED_DATA_INVALID, "bit {bit}");
    }
    for length in 0..16 {
        fails!(session.decrypt(&gcm(), *key, &sealed[..length]), CKR_ENCRYPTED_DATA_LEN_RANGE, "{length} bytes");
    }
    fails!(session.decrypt(&gcm(), *key, &sealed[..35]), CKR_ENCRYPTED_DATA_INVALID);
    let others = [
        Mechanism::gcm(&[9; 12], b"Associated", 128),
        Mechanism::gcm(&[9; 12], b"", 128),
        Mechanism::gcm(&[8; 12], b"associated", 128),
        Mechanism::gcm(&[9; 13], b"associated", 128),
        Mechanism::gcm(&[9; 12], b"associated", 120),
    ];
    for other in others {
        fails!(session.decrypt(&other, *key, &sealed), CKR_ENCRYPTED_DATA_INVALID);
    }
}

/// In one call, in place and in parts: no byte of the plaintext stands in the output at its place.
fn a_failed_tag_leaves_nothing_of_the_plaintext() {
    let Bench { session, key, .. } = &Bench::new();
    for length in [1, 16, 100, 5000] {
        let text = message(length);
        let mut sealed = ok!(session.encrypt(&gcm(), *key, &text));
        *sealed.last_mut().unwrap() ^= 1;

        let mut output = vec![GUARD; sealed.len()];
        ok!(Decrypt::init(session, &gcm(), *key));
        fails!(Decrypt::whole(session, &sealed, Some(&mut output)).0, CKR_ENCRYPTED_DATA_INVALID);
        nothing_of(&text, &output);

        let mut place = sealed.clone();
        ok!(Decrypt::init(session, &gcm(), *key));
        fails!(session.decrypt_in_place(&mut place, sealed.len()).0, CKR_ENCRYPTED_DATA_INVALID);
        nothing_of(&text, &place);

        let mut output = vec![GUARD; sealed.len()];
        ok!(Decrypt::init(session, &gcm(), *key));
        for part in sealed.chunks(33) {
            let (outcome, given) = Decrypt::update(session, part, Some(&mut output));
            ok!(outcome);
            assert_eq!(given, 0, "nothing is shown before the tag is checked");
        }
        fails!(Decrypt::last(session, Some(&mut output)).0, CKR_ENCRYPTED_DATA_INVALID);
        nothing_of(&text, &output);
    }
}

fn nothing_of(text: &[u8], output: &[u8]) {
    if text.len() < 8 {
        assert_ne!(output[..text.len()], *text);
        return;
    }
    for piece in text.windows(8) {
        assert!(!contains(output, piece), "a piece of the plaintext stands in the output");
    }
}

/// Whoever is told of a buffer that is too small may believe the rest.
fn a_failed_tag_is_no_matter_of_room() {
    let Bench { session, key, .. } = &Bench::new();
    let text = message(40);
    let sealed = ok!(session.encrypt(&gcm(), *key, &text));
    let mut bad = sealed.clone();
    bad[50] ^= 1;
    for room in [0, 39] {
        let room = &mut vec![GUARD; room];
        ok!(Decrypt::init(session, &gcm(), *key));
        fails!(Decrypt::whole(session, &bad, Some(room)).0, CKR_ENCRYPTED_DATA_INVALID);
        ok!(Decrypt::init(session, &gcm(), *key));
        ok!(Decrypt::update(session, &bad, Some(&mut [])).0);
        fails!(Decrypt::last(session, Some(room)).0, CKR_ENCRYPTED_DATA_INVALID);
        ok!(Decrypt::init(session, &gcm(), *key));
        for _ in 0..2 {
            let (outcome, told) = Decrypt::whole(session, &sealed, Some(room));
            fails!(outcome, CKR_BUFFER_TOO_SMALL);
            assert_eq!(told, 40);
        }
        let (outcome, told) = Decrypt::whole(session, &sealed, Some(&mut [0; 40]));
        assert_eq!((outcome, told), (Ok(()), 40));
        ok!(Decrypt::init(session, &gcm(), *key));
        ok!(Decrypt::update(session, &sealed, Some(&mut [])).0);
        for _ in 0..2 {
            let (outcome, told) = Decrypt::last(session, Some(room));
            fails!(outcome, CKR_BUFFER_TOO_SMALL);
            assert_eq!(told, 40);
        }
        assert!(room.iter().all(|byte| *byte == GUARD));
        let mut opened = [0; 40];
        ok!(Decrypt::last(session, Some(&mut opened)).0);
        assert_eq!(opened[..], text);
    }
}

fn parameters_out_of_range_are_refused() {
    let Bench { session, key, .. } = &Bench::new();
    for bits in [0, 1, 8, 24, 31, 33, 100, 127, 129, 136, 1 << 32, CK_ULONG::MAX] {
        fails!(
            Encrypt::init(session, &Mechanism::gcm(&[1; 12], &[], bits), *key),
            CKR_MECHANISM_PARAM_INVALID,
            "{bits}"
        );
        fails!(
            Decrypt::init(session, &Mechanism::gcm(&[1; 12], &[], bits), *key),
            CKR_MECHANISM_PARAM_INVALID,
            "{bits}"
        );
    }
    let others = [
        Mechanism::gcm(&[], b"aad", 128),
        Mechanism::plain(CKM_AES_GCM),
        Mechanism::null(CKM_AES_GCM, 48),
        Mechanism::with(CKM_AES_GCM, &[0; 12]),
        Mechanism::with(CKM_AES_GCM, &[0; 47]),
        Mechanism::with(CKM_AES_GCM, &[0; 56]),
    ];
    for other in others {
        fails!(Encrypt::init(session, &other, *key), CKR_MECHANISM_PARAM_INVALID);
        fails!(Decrypt::init(session, &other, *key), CKR_MECHANISM_PARAM_INVALID);
    }
    ok!(Encrypt::init(session, &gcm(), *key));
}

fn inner_pointers_of_null_are_refused() {
    let Bench { session, key, .. } = &Bench::new();
    let some = [1u8; 16];
    let at = some.as_ptr() as usize;
    // pIv, ulIvLen, ulIvBits, pAAD, ulAADLen, ulTagBits
    for words in [[0, 12, 96, 0, 0, 128], [at, 12, 96, 0, 16, 128]] {
        fails!(Encrypt::init(session, &Mechanism::words(CKM_AES_GCM, &words), *key), CKR_MECHANISM_PARAM_INVALID);
        fails!(Decrypt::init(session, &Mechanism::words(CKM_AES_GCM, &words), *key), CKR_MECHANISM_PARAM_INVALID);
    }
    ok!(Encrypt::init(session, &Mechanism::words(CKM_AES_GCM, &[at, 12, 96, at, 0, 128]), *key));
}

/// Headers and text of 2.40 disagree about `ulIvBits`; where it is, it does not count.
fn the_parameter_is_taken_with_and_without_iv_bits() {
    let Bench { session, key, .. } = &Bench::new();
    let (iv, aad) = (message(12), message(7));
    let (at, with) = (iv.as_ptr() as usize, aad.as_ptr() as usize);
    let expected = ok!(session.encrypt(&Mechanism::gcm(&iv, &aad, 128), *key, b"text"));
    for words in [&[at, 12, 0, with, 7, 128][..], &[at, 12, 7, with, 7, 128], &[at, 12, with, 7, 128]] {
        let mechanism = Mechanism::words(CKM_AES_GCM, words);
        assert_eq!(ok!(session.encrypt(&mechanism, *key, b"text"), "{} words", words.len()), expected);
        assert_eq!(ok!(session.decrypt(&mechanism, *key, &expected)), b"text");
    }
}

/// IV and associated data belong to the caller again when Init returns.
fn the_parameter_may_change_after_init() {
    let Bench { session, key, .. } = &Bench::new();
    let expected = ok!(session.encrypt(&gcm(), *key, b"text"));
    let (mut iv, mut aad) = (vec![9u8; 12], b"associated".to_vec());
    let (at, with) = (iv.as_mut_ptr() as usize, aad.as_mut_ptr() as usize);
    let mechanism = Mechanism::words(CKM_AES_GCM, &[at, 12, 96, with, 10, 128]);
    ok!(Encrypt::init(session, &mechanism, *key));
    iv.fill(0);
    aad.fill(0);
    drop((mechanism, iv, aad));
    let mut output = [0; 32];
    let (outcome, length) = Encrypt::whole(session, b"text", Some(&mut output));
    ok!(outcome);
    assert_eq!(output[..length], expected);
}

/// Decryption in parts keeps all of them in the host's memory until the tag.
fn no_more_than_a_gibibyte_is_collected() {
    let Bench { session, key, .. } = &Bench::new();
    let length = (1 << 30) + 1;
    let (protection, flags) = (libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
    // SAFETY: a new mapping, of zeros that take no memory as long as nobody reads them.
    let zeros = unsafe {
        let at = libc::mmap(std::ptr::null_mut(), length, protection, flags, -1, 0);
        assert_ne!(at, libc::MAP_FAILED);
        std::slice::from_raw_parts(at.cast::<u8>(), length)
    };
    for (first, second) in [(0, length), (1, length - 1)] {
        ok!(Decrypt::init(session, &gcm(), *key));
        ok!(Decrypt::update(session, &zeros[..first], Some(&mut [])).0);
        fails!(Decrypt::update(session, &zeros[..second], Some(&mut [])).0, CKR_TOKEN_RESOURCE_EXCEEDED);
        fails!(Decrypt::update(session, &zeros[..1], Some(&mut [])).0, CKR_OPERATION_NOT_INITIALIZED);
    }
}

/// NIST SP 800-38D, section 7.1, bit by bit: the oracle of this suite. Ciphertext and full tag.
fn seal(key: &[u8], iv: &[u8], aad: &[u8], text: &[u8]) -> (Vec<u8>, [u8; 16]) {
    let hash_key = block(key, 0);
    let counter = match iv.len() {
        12 => u128::from_be_bytes([iv, &[0, 0, 0, 1]].concat().try_into().unwrap()),
        _ => ghash(hash_key, &[], iv),
    };
    let key_stream = (0..text.len().div_ceil(16)).flat_map(|place| block(key, plus(counter, place + 1)).to_be_bytes());
    let sealed: Vec<u8> = text.iter().zip(key_stream).map(|(byte, stream)| byte ^ stream).collect();
    let tag = ghash(hash_key, aad, &sealed) ^ block(key, counter);
    (sealed, tag.to_be_bytes())
}

/// Section 6.4; a long IV goes the same way, as the second row without a first. Section 7.1, step 2.
fn ghash(key: u128, first: &[u8], second: &[u8]) -> u128 {
    let mut hash = 0;
    for chunk in first.chunks(16).chain(second.chunks(16)) {
        let mut padded = [0; 16];
        padded[..chunk.len()].copy_from_slice(chunk);
        hash = times(hash ^ u128::from_be_bytes(padded), key);
    }
    let lengths = ((first.len() as u128 * 8) << 64) | (second.len() as u128 * 8);
    times(hash ^ lengths, key)
}

/// Section 6.3.
fn times(x: u128, y: u128) -> u128 {
    let (mut z, mut v) = (0, y);
    for bit in (0..128).rev() {
        if (x >> bit) & 1 == 1 {
            z ^= v;
        }
        v = if v & 1 == 1 { (v >> 1) ^ (0xe1 << 120) } else { v >> 1 };
    }
    z
}

/// Section 6.2: the last 32 bits count.
fn plus(counter: u128, steps: usize) -> u128 {
    (counter >> 32 << 32) | u128::from((counter as u32).wrapping_add(steps as u32))
}

fn block(key: &[u8], input: u128) -> u128 {
    let mut block = input.to_be_bytes().into();
    match key.len() {
        16 => aes::Aes128::new_from_slice(key).unwrap().encrypt_block(&mut block),
        24 => aes::Aes192::new_from_slice(key).unwrap().encrypt_block(&mut block),
        _ => aes::Aes256::new_from_slice(key).unwrap().encrypt_block(&mut block),
    }
    u128::from_be_bytes(block.into())
}
