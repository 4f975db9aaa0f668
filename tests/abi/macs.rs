//! SHA-1, SHA-2, SHA-3, HMAC and AES-CMAC: known answers, parts, cut MACs, and what verifying says.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    digests_give_the_known_answers,
    digests_agree_with_openssl_in_every_split,
    digests_take_their_room_and_no_more,
    hmacs_give_the_known_answers,
    hmacs_agree_with_openssl,
    hmac_keys_are_generic_or_of_their_hash,
    cut_macs_are_the_head_of_the_whole,
    lengths_that_no_mac_can_be_cut_to_are_refused,
    cmac_gives_the_known_answers,
    cmac_agrees_with_openssl,
    macs_agree_in_every_split,
    macs_take_their_room_and_no_more,
    verify_accepts_the_mac_alone,
    verify_ends_on_every_outcome,
];

/// FIPS 180-4 and FIPS 202, the message "abc"; in the order of `HASHES`.
const DIGESTS: [&str; 11] = [
    "a9993e364706816aba3e25717850c26c9cd0d89d",
    "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
     2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
    "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
    "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
    "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
    "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
    "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e\
     10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
];

/// RFC 2202, section 3, and RFC 4231, section 4.3: key "Jefe", data "what do ya want for nothing?". Those of SHA-512/224,
/// SHA-512/256 and SHA-3, which they lack, by libcrypto.
const HMACS: [&str; 11] = [
    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
    "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
     9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    "4a530b31a79ebcce36916546317c45f247d83241dfb818fd37254bde",
    "6df7b24630d5ccb2ee335407081a87188c221489768fa2020513b2d593359456",
    "7fdb8dd88bd2f60d1b798634ad386811c2cfc85bfaf5d52bbace5e66",
    "c7d4072e788877ae3596bbb0da73b887c9171f93095b294ae857fbe2645e1ba5",
    "f1101f8cbf9766fd6764d2ed61903f21ca9b18f57cf3e1a23ca13508a93243ce48c045dc007f26a21b3f5e0e9df4c20a",
    "5a4bfeab6166427c7a3647b747292b8384537cdb89afb3bf5665e4c5e709350b\
     287baec921fd7ca0ee7a0c31d022a95e1fc92ba9d77df883960275beb4e62024",
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
    for (Hash { digest: mechanism, .. }, digest) in HASHES.iter().zip(DIGESTS) {
        assert_eq!(ok!(session.digest(*mechanism, b"abc")), unhex(digest));
        let parts = Digest::parts(&session, &Mechanism::plain(*mechanism), 0, [b"a".as_slice(), b"bc"]);
        assert_eq!(ok!(parts), unhex(digest));
    }
}

fn digests_agree_with_openssl_in_every_split() {
    let token = Token::new();
    let session = token.session();
    for Hash { digest: mechanism, openssl: name, .. } in HASHES {
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
    for (mechanism, digest) in HASHES.iter().map(|hash| hash.digest).zip(DIGESTS) {
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
    for (hash, mac) in HASHES.iter().zip(HMACS) {
        let made = session.sign(&Mechanism::plain(hash.hmac), key, b"what do ya want for nothing?");
        assert_eq!(ok!(made), unhex(mac), "{}", hash.openssl);
    }
}

/// Keys shorter than a block, of a block, and longer, which are hashed first.
fn hmacs_agree_with_openssl() {
    let token = Token::new();
    let session = token.user();
    for Hash { hmac, openssl: name, .. } in HASHES {
        for length in [1, 71, 72, 73, 128, 129, 136, 137, 144, 145, 200] {
            let (value, text) = (message(length), message(100));
            let key = ok!(session.create(&generic_secret(&value)));
            let secret = format!("hexkey:{}", hex(&value));
            let command = ["mac", "-digest", name, "-macopt", &secret, "-in", "-", "-binary", "HMAC"];
            let made = ok!(session.sign(&Mechanism::plain(hmac), key, &text));
            assert_eq!(made, run("openssl", &command, &text), "{name}, a key of {length} bytes");
            ok!(session.destroy(key));
        }
    }
}

/// Generic secrets, and keys of the hash's own type, made by its own generation; no others.
fn hmac_keys_are_generic_or_of_their_hash() {
    let token = Token::new();
    let session = token.user();
    for hash in &HASHES {
        let mechanism = Mechanism::plain(hash.hmac);
        let typed = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => hash.key_type, CKA_VALUE => b"Jefe"];
        let typed = ok!(session.create(&typed));
        let generic = ok!(session.create(&generic_secret(b"Jefe")));
        let mac = ok!(session.sign(&mechanism, generic, b"text"));
        ok!(session.verify(&mechanism, typed, b"text", &mac));

        let made = ok!(session.generate(&Mechanism::plain(hash.key_gen), &template![CKA_VALUE_LEN => 20]));
        assert_eq!(ok!(session.number(made, CKA_KEY_TYPE)), hash.key_type);
        assert_eq!(ok!(session.number(made, CKA_KEY_GEN_MECHANISM)), hash.key_gen);
        assert_eq!(ok!(session.number(made, CKA_VALUE_LEN)), 20);
        let mac = ok!(session.sign(&mechanism, made, b"text"));
        ok!(session.verify(&mechanism, made, b"text", &mac));
        for other in HASHES.iter().filter(|other| other.hmac != hash.hmac) {
            fails!(Sign::init(&session, &Mechanism::plain(other.hmac), made), CKR_KEY_TYPE_INCONSISTENT);
        }
        let contrary = template![CKA_VALUE_LEN => 20, CKA_KEY_TYPE => CKK_GENERIC_SECRET];
        fails!(session.generate(&Mechanism::plain(hash.key_gen), &contrary), CKR_TEMPLATE_INCONSISTENT);
    }
}

/// `CK_MAC_GENERAL_PARAMS`, 1 to the whole length: the head of the whole MAC, which verifies in this length alone.
fn cut_macs_are_the_head_of_the_whole() {
    let token = Token::new();
    let session = token.user();
    for (whole, general, key) in every_general(&session) {
        let mac = ok!(session.sign(&Mechanism::plain(whole), key, b"text"));
        for length in 1..=mac.len() {
            let cut = Mechanism::words(general, &[length]);
            assert_eq!(ok!(session.sign(&cut, key, b"text")), mac[..length], "{general:#x}");
            ok!(session.verify(&cut, key, b"text", &mac[..length]));
            for other in [length - 1, length + 1] {
                let other = [mac.as_slice(), &[0]].concat()[..other].to_vec();
                fails!(session.verify(&cut, key, b"text", &other), CKR_SIGNATURE_LEN_RANGE, "{general:#x}");
            }
        }
    }
}

fn lengths_that_no_mac_can_be_cut_to_are_refused() {
    let token = Token::new();
    let session = token.user();
    for (whole, general, key) in every_general(&session) {
        let longest = ok!(session.sign(&Mechanism::plain(whole), key, b"")).len();
        let numbers =
            [0, longest + 1, 256 + longest, 1 << 32 | longest, usize::MAX].map(|n| Mechanism::words(general, &[n]));
        let shapes = [0, 1, 4, 7, 9, 16].map(|length| Mechanism::with(general, &vec![1; length]));
        let none = [Mechanism::plain(general), Mechanism::null(general, 8)];
        for wrong in numbers.into_iter().chain(shapes).chain(none) {
            fails!(Sign::init(&session, &wrong, key), CKR_MECHANISM_PARAM_INVALID, "{general:#x}");
            fails!(session.verify_init(&wrong, key), CKR_MECHANISM_PARAM_INVALID, "{general:#x}");
        }
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
    let hmacs = HASHES.iter().map(|hash| (Mechanism::plain(hash.hmac), secret));
    let cut = HASHES.iter().map(|hash| (Mechanism::words(hash.hmac_general, &[hash.length / 2]), secret));
    hmacs.chain(cut).chain([(cmac(), key), (Mechanism::words(CKM_AES_CMAC_GENERAL, &[12]), key)]).collect()
}

/// The mechanism of each whole MAC, that of the cut one, and a key for both.
fn every_general(session: &Session) -> Vec<(CK_MECHANISM_TYPE, CK_MECHANISM_TYPE, CK_OBJECT_HANDLE)> {
    let secret = ok!(session.create(&generic_secret(&message(40))));
    let key = ok!(session.aes_key(32, template![]));
    let hmacs = HASHES.iter().map(|hash| (hash.hmac, hash.hmac_general, secret));
    hmacs.chain([(CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, key)]).collect()
}

fn cmac() -> Mechanism {
    Mechanism::plain(CKM_AES_CMAC)
}

fn generic_secret(value: &[u8]) -> Template {
    template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET, CKA_VALUE => value]
}
