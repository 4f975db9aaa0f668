//! Key pairs on elliptic curves in use: what the suites about signatures, derivation and templates do not ask.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    mechanisms_with_sha3_are_as_the_others,
    ecdsa_with_sha3_signs_the_hash,
    key_derivation_with_sha3_is_that_of_the_standards,
    a_digest_is_not_signed_in_parts,
    ed25519_keeps_parts_up_to_a_limit,
    a_wrapped_key_is_no_key_of_another_curve,
    sixteen_threads_sign_with_one_key_and_make_pairs,
    signs_in_a_sandbox_without_randomness,
    children_sign_while_threads_come_and_go,
];

/// All mechanisms of this family.
pub const MECHANISMS: [CK_MECHANISM_TYPE; 16] = [
    CKM_EC_KEY_PAIR_GEN,
    CKM_ECDSA,
    CKM_ECDSA_SHA1,
    CKM_ECDSA_SHA224,
    CKM_ECDSA_SHA256,
    CKM_ECDSA_SHA384,
    CKM_ECDSA_SHA512,
    CKM_ECDSA_SHA3_224,
    CKM_ECDSA_SHA3_256,
    CKM_ECDSA_SHA3_384,
    CKM_ECDSA_SHA3_512,
    CKM_EC_EDWARDS_KEY_PAIR_GEN,
    CKM_EDDSA,
    CKM_EC_MONTGOMERY_KEY_PAIR_GEN,
    CKM_ECDH1_DERIVE,
    CKM_ECDH1_COFACTOR_DERIVE,
];

/// ECDSA, then ANSI X9.63 and SP 800-56A, by the hash.
const SHA3: [(CK_MECHANISM_TYPE, CK_MECHANISM_TYPE, CK_ULONG, CK_ULONG); 4] = [
    (CKM_SHA3_224, CKM_ECDSA_SHA3_224, CKD_SHA3_224_KDF, CKD_SHA3_224_KDF_SP800),
    (CKM_SHA3_256, CKM_ECDSA_SHA3_256, CKD_SHA3_256_KDF, CKD_SHA3_256_KDF_SP800),
    (CKM_SHA3_384, CKM_ECDSA_SHA3_384, CKD_SHA3_384_KDF, CKD_SHA3_384_KDF_SP800),
    (CKM_SHA3_512, CKM_ECDSA_SHA3_512, CKD_SHA3_512_KDF, CKD_SHA3_512_KDF_SP800),
];

fn mechanisms_with_sha3_are_as_the_others() {
    let token = Token::new();
    let info = |mechanism| ok!(token.module.mechanism_info(token.slot, mechanism), "{mechanism:#x}");
    let listed = ok!(token.module.mechanisms(token.slot));
    let with_sha2 = info(CKM_ECDSA_SHA256);
    for (_, mechanism, ..) in SHA3 {
        let info = info(mechanism);
        assert!(listed.contains(&mechanism));
        assert_eq!(
            (info.flags, info.ulMinKeySize, info.ulMaxKeySize),
            (with_sha2.flags, with_sha2.ulMinKeySize, with_sha2.ulMaxKeySize)
        );
    }
}

fn ecdsa_with_sha3_signs_the_hash() {
    let token = Token::new();
    let session = token.user();
    let text = message(1000);
    let (first, second) = text.split_at(333);
    for params in [P256, P521] {
        let (public, private) = pair(&session, CKM_EC_KEY_PAIR_GEN, params);
        for (hash, hashing, ..) in SHA3 {
            let (hashing, bare) = (Mechanism::plain(hashing), Mechanism::plain(CKM_ECDSA));
            let digest = ok!(session.digest(hash, &text));
            let whole = ok!(session.sign(&hashing, private, &text));
            ok!(session.verify(&bare, public, &digest, &whole), "{hash:#x}");
            let parts = ok!(Sign::parts(&session, &hashing, private, [first, second]));
            ok!(session.verify(&bare, public, &digest, &parts), "{hash:#x}, in parts");
            let of_digest = ok!(session.sign(&bare, private, &digest));
            ok!(session.verify(&hashing, public, &text, &of_digest), "{hash:#x}, verifying");
            fails!(session.verify(&hashing, public, first, &of_digest), CKR_SIGNATURE_INVALID, "{hash:#x}");
        }
    }
}

/// Hashes of a counter, the secret and what both sides know, in the order of each standard.
fn key_derivation_with_sha3_is_that_of_the_standards() {
    let token = Token::new();
    let session = token.user();
    let (_, private) = pair(&session, CKM_EC_KEY_PAIR_GEN, P256);
    let (other, _) = pair(&session, CKM_EC_KEY_PAIR_GEN, P256);
    let peer = ok!(session.value(other, CKA_EC_POINT));
    let secret = ok!(derived(&session, private, CKD_NULL, b"", &peer, None));
    for (hash, _, x963, one_step) in SHA3 {
        let blocks = |ends: bool| {
            let block = |counter: u32| {
                let counter = counter.to_be_bytes();
                let (front, end): (&[u8], &[u8]) = if ends { (&counter, &secret) } else { (&secret, &counter) };
                ok!(session.digest(hash, &[front, end, b"shared"].concat()))
            };
            [block(1), block(2), block(3)].concat()
        };
        for (kdf, expected) in [(x963, blocks(false)), (one_step, blocks(true))] {
            for length in [1, 28, 64, 65, 84] {
                let value = ok!(derived(&session, private, kdf, b"shared", &peer, Some(length)), "{kdf}");
                assert_eq!(value, expected[..length], "{kdf}, {length} bytes");
            }
            let natural = ok!(derived(&session, private, kdf, b"shared", &peer, None), "{kdf}");
            assert_eq!(natural, expected[..32], "{kdf}: as long as the field");
        }
    }
}

/// `CKM_ECDSA` is for a single part: it has neither Update nor Final. PKCS#11 3.2, section 6.3.12.
fn a_digest_is_not_signed_in_parts() {
    let token = Token::new();
    let session = token.user();
    let (public, private) = pair(&session, CKM_EC_KEY_PAIR_GEN, P256);
    let ecdsa = Mechanism::plain(CKM_ECDSA);
    let made = ok!(session.sign(&ecdsa, private, &[1; 32]));
    ok!(Sign::init(&session, &ecdsa, private));
    fails!(Sign::update(&session, &[1; 32], None).0, CKR_OPERATION_NOT_INITIALIZED);
    ok!(Sign::init(&session, &ecdsa, private));
    fails!(Sign::last(&session, Some(&mut [0; 64])).0, CKR_OPERATION_NOT_INITIALIZED);
    ok!(session.verify_init(&ecdsa, public));
    fails!(session.verify_update(&[1; 32]), CKR_OPERATION_NOT_INITIALIZED);
    ok!(session.verify_init(&ecdsa, public));
    fails!(session.verify_final(&made), CKR_OPERATION_NOT_INITIALIZED);
    ok!(session.verify(&ecdsa, public, &[1; 32], &made));
}

/// It is hashed twice, so parts are kept. A prehashed message has no limit.
fn ed25519_keeps_parts_up_to_a_limit() {
    const PART: usize = 1 << 20;
    let token = Token::new();
    let session = token.user();
    let (public, private) = pair(&session, CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519);
    let text = message(65 * PART);
    let pure = Mechanism::plain(CKM_EDDSA);
    let whole = ok!(session.sign(&pure, private, &text));
    ok!(session.verify(&pure, public, &text, &whole));
    ok!(Sign::init(&session, &pure, private));
    for (number, part) in text.chunks(PART).enumerate() {
        let outcome = Sign::update(&session, part, None).0;
        if number < 64 { ok!(outcome) } else { fails!(outcome, CKR_TOKEN_RESOURCE_EXCEEDED) }
    }
    fails!(Sign::last(&session, Some(&mut [0; 64])).0, CKR_OPERATION_NOT_INITIALIZED);
    let at_the_limit = ok!(Sign::parts(&session, &pure, private, text[..64 * PART].chunks(PART)));
    ok!(session.verify(&pure, public, &text[..64 * PART], &at_the_limit));
    // phFlag is a byte at the start of the first word.
    let prehashed = Mechanism::words(CKM_EDDSA, &[usize::from_ne_bytes([1, 0, 0, 0, 0, 0, 0, 0]), 0, 0]);
    let made = ok!(Sign::parts(&session, &prehashed, private, text.chunks(PART)));
    ok!(session.verify(&prehashed, public, &text, &made));
}

/// That private keys travel and work is tested with those of other programs.
fn a_wrapped_key_is_no_key_of_another_curve() {
    let token = Token::new();
    let session = token.user();
    let wrapping = ok!(session.aes_key(32, template![CKA_WRAP => true, CKA_UNWRAP => true]));
    let by = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    for (generate, key_type, params) in [
        (CKM_EC_KEY_PAIR_GEN, CKK_EC, P521),
        (CKM_EC_EDWARDS_KEY_PAIR_GEN, CKK_EC_EDWARDS, ED25519),
        (CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKK_EC_MONTGOMERY, X25519),
    ] {
        let (_, private) = pair(&session, generate, params);
        let blob = ok!(session.wrap(&by, wrapping, private));
        for other in [CKK_EC, CKK_EC_EDWARDS, CKK_EC_MONTGOMERY, CKK_RSA] {
            let template = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => other];
            let outcome = session.unwrap(&by, wrapping, &blob, &template);
            if other != key_type {
                fails!(outcome, CKR_WRAPPED_KEY_INVALID, "{key_type:#x} as {other:#x}");
                continue;
            }
            let arrived = ok!(outcome, "{key_type:#x}");
            for attribute in [CKA_EC_PARAMS, CKA_PUBLIC_KEY_INFO] {
                let value = ok!(session.value(arrived, attribute));
                assert_eq!(value, ok!(session.value(private, attribute)), "{key_type:#x}, {attribute:#x}");
            }
        }
    }
}

fn sixteen_threads_sign_with_one_key_and_make_pairs() {
    let token = Token::new();
    let first = token.user();
    let kept = template![CKA_TOKEN => true];
    let (public, private) = ok!(first.pair(CKM_EC_KEY_PAIR_GEN, &template![CKA_EC_PARAMS => P256], &kept));
    let (edwards, edwards_private) =
        ok!(first.pair(CKM_EC_EDWARDS_KEY_PAIR_GEN, &template![CKA_EC_PARAMS => ED25519], &kept));
    let work = |thread: usize| {
        let session = ok!(token.module.read_write(token.slot));
        for round in 0..rounds(30, 1_000) {
            let text = format!("thread {thread}, round {round}");
            let text = text.as_bytes();
            let check = |mechanism, (public, private)| {
                let mechanism = Mechanism::plain(mechanism);
                let made = ok!(session.sign(&mechanism, private, text), "thread {thread}, round {round}");
                ok!(session.verify(&mechanism, public, text, &made), "thread {thread}, round {round}");
            };
            check(CKM_ECDSA_SHA256, (public, private));
            check(CKM_EDDSA, (edwards, edwards_private));
            if round % 10 == 0 {
                let own = pair(&session, CKM_EC_KEY_PAIR_GEN, [P256, P521][thread % 2]);
                check(CKM_ECDSA_SHA256, own);
                let own = pair(&session, CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519);
                check(CKM_EDDSA, own);
                let [one, other] = [(); 2].map(|()| pair(&session, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, X25519));
                let agree = |public, private| {
                    let peer = ok!(session.value(public, CKA_EC_POINT));
                    ok!(derived(&session, private, CKD_NULL, b"", &peer, None))
                };
                assert_eq!(agree(one.0, other.1), agree(other.0, one.1));
            }
        }
        ok!(session.close());
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|thread| scope.spawn(move || work(thread))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// What a signature draws was made ready by `C_Initialize`.
fn signs_in_a_sandbox_without_randomness() {
    let token = Token::new();
    Forked::start(|| {
        ok!(token.module.initialize());
        let session = token.user();
        let (public, private) = pair(&session, CKM_EC_KEY_PAIR_GEN, P256);
        enter_sandbox();
        fails!(session.aes_key(16, template![]), CKR_FUNCTION_FAILED);
        for mechanism in [CKM_ECDSA, CKM_ECDSA_SHA256].map(Mechanism::plain) {
            let made = ok!(session.sign(&mechanism, private, b"text"));
            ok!(session.verify(&mechanism, public, b"text", &made));
        }
        Vec::new()
    })
    .join();
}

/// Locks of the library below that a thread held at the moment of the fork would stop the child for ever, and a generator
/// that child and parent shared would give two signatures one number.
fn children_sign_while_threads_come_and_go() {
    let token = Token::new();
    let (module, slot) = (token.module, token.slot);
    let session = token.user();
    let (public, private) = pair(&session, CKM_EC_KEY_PAIR_GEN, P256);
    let scalar = ok!(session.value(private, CKA_VALUE));
    let ecdsa = Mechanism::plain(CKM_ECDSA);
    let busy = AtomicBool::new(true);
    let mut numbers = HashSet::new();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            let busy = &busy;
            scope.spawn(move || {
                while busy.load(Ordering::Relaxed) {
                    in_a_thread(&|| {
                        let session = ok!(module.read_write(slot));
                        ok!(session.sign(&Mechanism::plain(CKM_ECDSA), private, &[1; 32]));
                        pair(&session, CKM_EC_KEY_PAIR_GEN, P256);
                        ok!(session.close());
                    });
                }
            });
        }
        for round in 0..rounds(200, 10_000) {
            let child = || {
                end_after(20);
                ok!(module.initialize());
                let session = ok!(module.read_write(slot));
                let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_EC, CKA_EC_PARAMS => P256];
                let key = ok!(session.create(&class.with(CKA_VALUE, &scalar)));
                let made = ok!(session.sign(&Mechanism::plain(CKM_ECDSA), key, &[1; 32]));
                let (own_public, own) = pair(&session, CKM_EC_KEY_PAIR_GEN, P256);
                let by_own = ok!(session.sign(&Mechanism::plain(CKM_ECDSA), own, &[1; 32]));
                ok!(session.verify(&Mechanism::plain(CKM_ECDSA), own_public, &[1; 32], &by_own));
                ok!(module.finalize());
                made
            };
            let outcome = Forked::start(child).outcome();
            let ours = session.sign(&ecdsa, private, &[1; 32]);
            if outcome.is_err() || ours.is_err() {
                busy.store(false, Ordering::Relaxed);
            }
            let theirs = outcome.unwrap_or_else(|status| panic!("round {round}: a child's status is {status:#x}"));
            for made in [theirs, ok!(ours)] {
                ok!(session.verify(&ecdsa, public, &[1; 32], &made), "round {round}");
                assert!(numbers.insert(made[..32].to_vec()), "round {round}: a number came twice");
            }
        }
        busy.store(false, Ordering::Relaxed);
    });
    report(format_args!("{} signatures of parent and children, no number twice", numbers.len()));
}

const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const P521: &[u8] = b"\x06\x05\x2b\x81\x04\x00\x23";
const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";
const X25519: &[u8] = b"\x06\x03\x2b\x65\x6e";

/// A pair of session keys, public first; the private one readable.
fn pair(session: &Session, mechanism: CK_MECHANISM_TYPE, params: &[u8]) -> (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE) {
    let readable = template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
    ok!(session.pair(mechanism, &template![CKA_EC_PARAMS => params], &readable))
}

/// The value of a generic secret that ECDH makes.
fn derived(
    session: &Session,
    base: CK_OBJECT_HANDLE,
    kdf: CK_ULONG,
    shared: &[u8],
    peer: &[u8],
    length: Option<usize>,
) -> Result<Vec<u8>> {
    let address = |bytes: &[u8]| bytes.as_ptr().expose_provenance();
    let words = [kdf as usize, shared.len(), address(shared), peer.len(), address(peer)];
    let asked = length.iter().fold(template![], |all, length| all.with(CKA_VALUE_LEN, *length as CK_ULONG));
    session.derived_with(&Mechanism::words(CKM_ECDH1_DERIVE, &words), base, asked)
}
