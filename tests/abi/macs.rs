//! SHA-2, HMAC and AES-CMAC: known answers, parts, and what verifying says.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    digests_give_the_known_answers,
    digests_agree_with_openssl_in_every_split,
    digests_take_their_room_and_no_more,
    hmacs_give_the_known_answers,
    cmac_gives_the_known_answers,
    cmac_agrees_with_openssl,
    macs_agree_in_every_split,
    macs_take_their_room_and_no_more,
    verify_accepts_the_mac_alone,
    verify_ends_on_every_outcome,
    digest_of_a_key_is_the_digest_of_its_value,
];

/// FIPS 180-4, the message "abc": mechanism, digest, and openssl's name.
const DIGESTS: [(CK_MECHANISM_TYPE, &str, &str); 6] = [
    (CKM_SHA224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7", "sha224"),
    (CKM_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "sha256"),
    (
        CKM_SHA384,
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        "sha384",
    ),
    (
        CKM_SHA512,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "sha512",
    ),
    (CKM_SHA512_224, "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa", "sha512-224"),
    (CKM_SHA512_256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23", "sha512-256"),
];

/// RFC 4231, section 4.3: key "Jefe", data "what do ya want for nothing?". The last two, which it lacks, by libcrypto.
const HMACS: [(CK_MECHANISM_TYPE, &str); 6] = [
    (CKM_SHA224_HMAC, "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"),
    (CKM_SHA256_HMAC, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (
        CKM_SHA384_HMAC,
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
    ),
    (
        CKM_SHA512_HMAC,
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
         9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    ),
    (CKM_SHA512_224_HMAC, "4a530b31a79ebcce36916546317c45f247d83241dfb818fd37254bde"),
    (CKM_SHA512_256_HMAC, "6df7b24630d5ccb2ee335407081a87188c221489768fa2020513b2d593359456"),
];

/// RFC 4493, section 4: length of the message, MAC. The key and the message are those of NIST SP 800-38A.
const CMAC: [(usize, &str); 4] = [
    (0, "bb1d6929e95937287fa37d129b756746"),
    (16, "070a16b46b4d4144f79bdd9dd04a287c"),
    (40, "dfa66747de9ae63030ca32611497c827"),
    (64, "51f0bebf7e3b9d92fc49741779363cfe"),
];

const CMAC_KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const CMAC_MESSAGE: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                            30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

/// In a session without a login: a digest needs none.
fn digests_give_the_known_answers() {
    let token = Token::new();
    let session = ok!(token.module.read_only(token.slot));
    for (mechanism, digest, _) in DIGESTS {
        assert_eq!(ok!(session.digest(mechanism, b"abc")), unhex(digest));
        assert_eq!(
            ok!(Digest::parts(&session, &Mechanism::plain(mechanism), 0, [b"a".as_slice(), b"bc"])),
            unhex(digest)
        );
    }
}

fn digests_agree_with_openssl_in_every_split() {
    let token = Token::new();
    let session = token.session();
    for (mechanism, _, name) in DIGESTS {
        for length in [0, 1, 111, 112, 128, 300] {
            let text = message(length);
            let expected = run("openssl", &["dgst", "-binary", &format!("-{name}")], &text);
            assert_eq!(ok!(session.digest(mechanism, &text)), expected);
            for (place, split) in (0..=length).map(|place| (place, text.split_at(place))) {
                let parts = Digest::parts(&session, &Mechanism::plain(mechanism), 0, [split.0, split.1]);
                assert_eq!(ok!(parts), expected, "{name}: {place} of {length}");
            }
        }
    }
}

fn digests_take_their_room_and_no_more() {
    let token = Token::new();
    let session = token.session();
    for (mechanism, digest, _) in DIGESTS {
        ok!(Digest::init(&session, &Mechanism::plain(mechanism), 0));
        takes_its_room(&unhex(digest), |room| Digest::whole(&session, b"abc", room));
        ok!(Digest::init(&session, &Mechanism::plain(mechanism), 0));
        ok!(Digest::update(&session, b"abc", None).0);
        takes_its_room(&unhex(digest), |room| Digest::last(&session, room));
    }
}

fn hmacs_give_the_known_answers() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.create(&generic_secret(b"Jefe")));
    for (mechanism, mac) in HMACS {
        let made = session.sign(&Mechanism::plain(mechanism), key, b"what do ya want for nothing?");
        assert_eq!(ok!(made), unhex(mac));
    }
}

fn cmac_gives_the_known_answers() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key_of(&unhex(CMAC_KEY), template![]));
    for (length, mac) in CMAC {
        assert_eq!(ok!(session.sign(&cmac(), key, &unhex(CMAC_MESSAGE)[..length])), unhex(mac));
    }
}

fn cmac_agrees_with_openssl() {
    let token = Token::new();
    let session = token.user();
    for length in [16, 24, 32] {
        let value = ok!(session.random(length));
        let key = ok!(session.aes_key_of(&value, template![]));
        for size in [0, 1, 15, 16, 17, 1000] {
            let text = message(size);
            let (cipher, secret) = (format!("AES-{}-CBC", length * 8), format!("hexkey:{}", hex(&value)));
            let command = ["mac", "-cipher", &cipher, "-macopt", &secret, "-in", "-", "-binary", "CMAC"];
            assert_eq!(ok!(session.sign(&cmac(), key, &text)), run("openssl", &command, &text));
        }
    }
}

fn macs_agree_in_every_split() {
    let token = Token::new();
    let session = token.user();
    for (mechanism, key) in every_mac(&session) {
        for length in [0, 1, 16, 17, 64, 150] {
            let text = message(length);
            let expected = ok!(session.sign(&mechanism, key, &text));
            for place in 0..=length {
                let (one, two) = text.split_at(place);
                assert_eq!(ok!(Sign::parts(&session, &mechanism, key, [one, two])), expected, "{place} of {length}");
                ok!(session.verify_init(&mechanism, key));
                ok!(session.verify_update(one));
                ok!(session.verify_update(two));
                ok!(session.verify_final(&expected), "{place} of {length}");
            }
        }
    }
}

fn macs_take_their_room_and_no_more() {
    let token = Token::new();
    let session = token.user();
    for (mechanism, key) in every_mac(&session) {
        let mac = ok!(session.sign(&mechanism, key, b"text"));
        ok!(Sign::init(&session, &mechanism, key));
        takes_its_room(&mac, |room| Sign::whole(&session, b"text", room));
        ok!(Sign::init(&session, &mechanism, key));
        ok!(Sign::update(&session, b"text", None).0);
        takes_its_room(&mac, |room| Sign::last(&session, room));
    }
}

/// A changed bit is an invalid signature; another length has a code of its own, which outranks it.
fn verify_accepts_the_mac_alone() {
    let token = Token::new();
    let session = token.user();
    for (mechanism, key) in every_mac(&session) {
        let mac = ok!(session.sign(&mechanism, key, b"text"));
        ok!(session.verify(&mechanism, key, b"text", &mac));
        fails!(session.verify(&mechanism, key, b"texT", &mac), CKR_SIGNATURE_INVALID);
        for bit in 0..mac.len() * 8 {
            let mut changed = mac.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            fails!(session.verify(&mechanism, key, b"text", &changed), CKR_SIGNATURE_INVALID, "bit {bit}");
        }
        for length in (0..mac.len()).chain([mac.len() + 1, 200]) {
            let mut other = mac.clone();
            other.resize(length, 0);
            fails!(session.verify(&mechanism, key, b"text", &other), CKR_SIGNATURE_LEN_RANGE, "{length} bytes");
        }
    }
}

fn verify_ends_on_every_outcome() {
    let token = Token::new();
    let session = token.user();
    for (mechanism, key) in every_mac(&session) {
        let mac = ok!(session.sign(&mechanism, key, b"text"));
        for tried in [mac.clone(), vec![0; mac.len()], vec![0; 3]] {
            let outcome = session.verify(&mechanism, key, b"text", &tried);
            assert_eq!(outcome.is_ok(), tried == mac);
            fails!(session.verify_final(&mac), CKR_OPERATION_NOT_INITIALIZED);
            ok!(session.verify_init(&mechanism, key));
            ok!(session.verify_update(b"text"));
            assert_eq!(session.verify_final(&tried).is_ok(), tried == mac);
            fails!(session.verify_update(b"text"), CKR_OPERATION_NOT_INITIALIZED);
        }
    }
}

/// PKCS#11 3.2, section 5.12.4: also a sensitive key.
fn digest_of_a_key_is_the_digest_of_its_value() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.create(&generic_secret(b"abc")));
    let sha256 = Mechanism::plain(CKM_SHA256);
    ok!(Digest::init(&session, &sha256, 0));
    match session.digest_key(key) {
        Err(Rv(CKR_FUNCTION_NOT_SUPPORTED)) => skip("C_DigestKey is not built yet"),
        outcome => ok!(outcome),
    }
    let mut digest = [0; 32];
    ok!(Digest::last(&session, Some(&mut digest)).0);
    assert_eq!(digest[..], unhex(DIGESTS[1].1));
}

/// The size query, a byte too little, and then the exact room with a guard behind it.
fn takes_its_room(expected: &[u8], mut call: impl FnMut(Option<&mut [u8]>) -> (Result, usize)) {
    let (outcome, told) = call(None);
    ok!(outcome);
    assert_eq!(told, expected.len());
    let mut memory = vec![GUARD; expected.len() + 32];
    for room in [0, 1, expected.len() - 1] {
        let (outcome, told) = call(Some(&mut memory[..room]));
        fails!(outcome, CKR_BUFFER_TOO_SMALL);
        assert_eq!(told, expected.len());
        assert!(memory.iter().all(|byte| *byte == GUARD), "nothing is cut");
    }
    let (outcome, told) = call(Some(&mut memory[..expected.len()]));
    ok!(outcome);
    assert_eq!(&memory[..told], expected);
    assert!(memory[expected.len()..].iter().all(|byte| *byte == GUARD));
}

/// Each MAC with a key for it.
fn every_mac(session: &Session) -> Vec<(Mechanism, CK_OBJECT_HANDLE)> {
    let secret = ok!(session.create(&generic_secret(&message(40))));
    let key = ok!(session.aes_key(32, template![]));
    let hmacs = HMACS.iter().map(|(mechanism, _)| (Mechanism::plain(*mechanism), secret));
    hmacs.chain([(cmac(), key)]).collect()
}

fn cmac() -> Mechanism {
    Mechanism::plain(CKM_AES_CMAC)
}

fn generic_secret(value: &[u8]) -> Template {
    template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET, CKA_VALUE => value]
}
