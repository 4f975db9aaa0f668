//! Signatures on elliptic curves: ECDSA and Ed25519. PKCS#11 3.2, sections 6.3.10 to 6.3.16.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    ecdsa_signs_what_openssl_verifies_and_the_reverse,
    ecdsa_cuts_a_digest_to_the_leftmost_bits_of_the_order,
    ecdsa_hashes_where_the_mechanism_says_so,
    ecdsa_never_repeats_a_number,
    ecdsa_signatures_are_twice_as_long_as_the_order,
    ecdsa_signatures_of_a_wrong_length_are_named_so,
    ed25519_is_what_openssl_makes,
    ed25519_forms_do_not_verify_for_each_other,
    ed25519_context_has_255_bytes_at_most,
    ed25519_signatures_of_a_wrong_length_are_named_so,
    ed25519_takes_messages_in_parts,
    parameters_that_do_not_fit_are_refused,
    a_size_query_and_a_short_buffer_change_nothing,
];

fn ecdsa_signs_what_openssl_verifies_and_the_reverse() {
    let token = Token::new();
    let session = token.user();
    let mechanism = Mechanism::plain(CKM_ECDSA);
    for curve in &CURVES {
        let (private, _) = Openssl::on_curve(&token.home, curve);
        let spki = private.spki();
        let verifying = ok!(session.create(&curve.public(&point_of(&spki))), "{}", curve.name);
        for length in [1, 20, 28, 32, 48, 64] {
            let digest = message(length);
            let theirs = private.pkeyutl("-sign", &[], &digest).unwrap();
            let theirs = raw_signature(&theirs, curve.length()).unwrap();
            ok!(session.verify(&mechanism, verifying, &digest, &theirs), "{}, {length} bytes", curve.name);
        }
        assert_eq!(ok!(session.value(verifying, CKA_PUBLIC_KEY_INFO)), spki, "{}", curve.name);
        let (public, signing) = curve.pair(&session);
        let ours = Openssl::public(&token.home, &ok!(session.value(public, CKA_PUBLIC_KEY_INFO)));
        for length in [1, 20, 28, 32, 48, 64] {
            let digest = message(length);
            let made = ok!(session.sign(&mechanism, signing, &digest), "{}, {length} bytes", curve.name);
            let der = der_signature(&made);
            assert!(ours.pkeyutl_verifies(&[], &digest, &der), "{}, {length} bytes", curve.name);
            let another: Vec<u8> = digest.iter().map(|byte| byte ^ 0x80).collect();
            assert!(!ours.pkeyutl_verifies(&[], &another, &der), "{}, {length} bytes", curve.name);
        }
    }
}

/// Whatever length comes: what stands behind does not count, and a short digest is a small number.
fn ecdsa_cuts_a_digest_to_the_leftmost_bits_of_the_order() {
    let token = Token::new();
    let session = token.user();
    let mechanism = Mechanism::plain(CKM_ECDSA);
    for curve in &CURVES {
        let (public, private) = curve.pair(&session);
        let long = message(128);
        let made = ok!(session.sign(&mechanism, private, &long), "{}", curve.name);
        ok!(session.verify(&mechanism, public, &long[..curve.length()], &made), "{}", curve.name);
        let mut other_end = long.clone();
        other_end[127] ^= 1;
        ok!(session.verify(&mechanism, public, &other_end, &made), "{}", curve.name);
        let mut other_start = long.clone();
        other_start[0] ^= 1;
        fails!(session.verify(&mechanism, public, &other_start, &made), CKR_SIGNATURE_INVALID, "{}", curve.name);
        let made = ok!(session.sign(&mechanism, private, &[5]), "{}", curve.name);
        let filled = padded(&[5], curve.bits / 8);
        ok!(session.verify(&mechanism, public, &filled, &made), "{}", curve.name);
        fails!(session.verify(&mechanism, public, &[6], &made), CKR_SIGNATURE_INVALID, "{}", curve.name);
    }
}

fn ecdsa_hashes_where_the_mechanism_says_so() {
    let token = Token::new();
    let session = token.user();
    let text = message(1000);
    let (first, second) = text.split_at(333);
    for curve in &CURVES {
        let (public, private) = curve.pair(&session);
        for (hash, [_, _, hashing]) in SignatureHash::signing() {
            let (hashing, bare) = (Mechanism::plain(hashing), Mechanism::plain(CKM_ECDSA));
            let digest = (hash.digest)(&text);
            let name = format!("{}, {}", curve.name, hash.name);
            let whole = ok!(session.sign(&hashing, private, &text), "{name}");
            ok!(session.verify(&bare, public, &digest, &whole), "{name}");
            let parts = ok!(Sign::parts(&session, &hashing, private, [first, &[], second]), "{name}");
            ok!(session.verify(&bare, public, &digest, &parts), "{name}");
            let of_digest = ok!(session.sign(&bare, private, &digest), "{name}");
            ok!(session.verify_init(&hashing, public));
            ok!(session.verify_update(first));
            ok!(session.verify_update(second));
            ok!(session.verify_final(&of_digest), "{name}");
        }
    }
}

fn ecdsa_never_repeats_a_number() {
    let token = Token::new();
    let session = token.user();
    let (_, private) = Curve::named("P-256").pair(&session);
    let made = (0..500).map(|_| ok!(session.sign(&Mechanism::plain(CKM_ECDSA), private, &[1; 32]))[..32].to_vec());
    let mut numbers: Vec<_> = made.collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 500);
}

/// Also where a number has zeros in front, which among 600 happens four times or more with all but certainty.
fn ecdsa_signatures_are_twice_as_long_as_the_order() {
    let token = Token::new();
    let session = token.user();
    let mechanism = Mechanism::plain(CKM_ECDSA);
    for curve in &CURVES {
        let (public, private) = curve.pair(&session);
        let rounds = if curve.name == "secp256r1" { 600 } else { 2 };
        let mut zeros = 0;
        for round in 0..rounds {
            let made = ok!(session.sign(&mechanism, private, &[1; 32]), "{}", curve.name);
            assert_eq!(made.len(), 2 * curve.length(), "{}, {round}", curve.name);
            let (r, s) = made.split_at(curve.length());
            if r[0] == 0 && s[0] != 0 {
                // One number alone cannot be shorter.
                let outcome = session.verify(&mechanism, public, &[1; 32], &made[1..]);
                fails!(outcome, CKR_SIGNATURE_LEN_RANGE);
            }
            zeros += usize::from(r[0] == 0) + usize::from(s[0] == 0);
        }
        assert!(rounds == 2 || zeros > 0, "none of {rounds} signatures had a zero in front");
    }
}

/// PKCS#11 3.2, section 6.3.1: both numbers may be shorter by the same; Wycheproof has such signatures.
fn ecdsa_signatures_of_a_wrong_length_are_named_so() {
    let token = Token::new();
    let session = token.user();
    for curve in &CURVES {
        let (public, private) = curve.pair(&session);
        let length = 2 * curve.length();
        for number in [CKM_ECDSA, CKM_ECDSA_SHA256] {
            let mechanism = Mechanism::plain(number);
            let made = ok!(session.sign(&mechanism, private, b"message"), "{}", curve.name);
            for wrong in [0, 1, length - 1, length + 1, length + 2, 2 * length] {
                let mut signature = made.clone();
                signature.resize(wrong, 0);
                let outcome = session.verify(&mechanism, public, b"message", &signature);
                fails!(outcome, CKR_SIGNATURE_LEN_RANGE, "{}, {wrong} bytes", curve.name);
            }
            for shorter in [2, length - 2] {
                let outcome = session.verify(&mechanism, public, b"message", &made[..shorter]);
                fails!(outcome, CKR_SIGNATURE_INVALID, "{}, {shorter} bytes", curve.name);
            }
            let mut changed = made.clone();
            changed[length - 1] ^= 1;
            for wrong in [changed, vec![0; length], vec![0xff; length]] {
                fails!(session.verify(&mechanism, public, b"message", &wrong), CKR_SIGNATURE_INVALID, "{}", curve.name);
            }
            ok!(session.verify(&mechanism, public, b"message", &made), "{}", curve.name);
        }
    }
}

fn ed25519_is_what_openssl_makes() {
    let keys = Edwards::new();
    let theirs = Openssl::private(&keys.token.home, &ed25519_pkcs8(&SEED));
    for length in [0, 1, 32, 1000] {
        let text = message(length);
        let made = ok!(keys.session.sign(&pure(), keys.private, &text), "{length} bytes");
        let spki = ok!(keys.session.value(keys.public, CKA_PUBLIC_KEY_INFO));
        assert_eq!(spki, theirs.spki());
        let openssl = Openssl::public(&keys.token.home, &spki);
        // The command refuses an empty file.
        assert!(length == 0 || openssl.pkeyutl_verifies(&["-rawin"], &text, &made), "{length} bytes");
        assert_eq!(ok!(keys.session.sign(&pure(), keys.private, &text)), made, "nothing is random");
        ok!(keys.session.verify(&pure(), keys.public, &text, &made));
    }
}

/// RFC 8032, section 5.1: pure has no context, not even an empty one; the forms with one begin with a name of their own.
fn ed25519_forms_do_not_verify_for_each_other() {
    let keys = Edwards::new();
    let forms = [
        ("pure", pure()),
        ("an empty context", Mechanism::eddsa(false, b"")),
        ("a context", Mechanism::eddsa(false, b"context")),
        ("prehashed", Mechanism::eddsa(true, b"")),
        ("prehashed with a context", Mechanism::eddsa(true, b"context")),
    ];
    for (made_as, mechanism) in &forms {
        let made = ok!(keys.session.sign(mechanism, keys.private, b"message"), "{made_as}");
        for (verified_as, mechanism) in &forms {
            match keys.session.verify(mechanism, keys.public, b"message", &made) {
                Ok(()) if made_as == verified_as => {}
                Err(Rv(CKR_SIGNATURE_INVALID)) if made_as != verified_as => {}
                other => panic!("made as {made_as}, verified as {verified_as}: {other:?}"),
            }
        }
    }
}

fn ed25519_context_has_255_bytes_at_most() {
    let keys = Edwards::new();
    for prehashed in [false, true] {
        for length in [1, 254, 255] {
            let mechanism = Mechanism::eddsa(prehashed, &vec![1; length]);
            let made = ok!(keys.session.sign(&mechanism, keys.private, b"message"), "{length} bytes");
            ok!(keys.session.verify(&mechanism, keys.public, b"message", &made), "{length} bytes");
        }
        for length in [256, 1000] {
            for outcome in keys.inits(&Mechanism::eddsa(prehashed, &vec![1; length])) {
                fails!(outcome, CKR_MECHANISM_PARAM_INVALID, "{length} bytes");
            }
        }
    }
}

fn ed25519_signatures_of_a_wrong_length_are_named_so() {
    let keys = Edwards::new();
    let made = ok!(keys.session.sign(&pure(), keys.private, b"message"));
    for length in [0, 1, 32, 63, 65, 114, 128] {
        let mut wrong = made.clone();
        wrong.resize(length, 0);
        let outcome = keys.session.verify(&pure(), keys.public, b"message", &wrong);
        fails!(outcome, CKR_SIGNATURE_LEN_RANGE, "{length} bytes");
    }
    let mut changed = made.clone();
    changed[63] ^= 0x10;
    for wrong in [changed, vec![0; 64], vec![0xff; 64]] {
        fails!(keys.session.verify(&pure(), keys.public, b"message", &wrong), CKR_SIGNATURE_INVALID);
    }
}

fn ed25519_takes_messages_in_parts() {
    let keys = Edwards::new();
    let text = message(1000);
    let (first, second) = text.split_at(333);
    for mechanism in [pure(), Mechanism::eddsa(false, b"context"), Mechanism::eddsa(true, b"")] {
        let whole = ok!(keys.session.sign(&mechanism, keys.private, &text));
        assert_eq!(ok!(Sign::parts(&keys.session, &mechanism, keys.private, [first, &[], second])), whole);
        ok!(keys.session.verify_init(&mechanism, keys.public));
        ok!(keys.session.verify_update(first));
        ok!(keys.session.verify_update(second));
        ok!(keys.session.verify_final(&whole));
    }
}

fn parameters_that_do_not_fit_are_refused() {
    let keys = Edwards::new();
    let context = b"context";
    let at = context.as_ptr().expose_provenance();
    let wrong = [
        Mechanism::null(CKM_EDDSA, 24),
        Mechanism::words(CKM_EDDSA, &[0, 0]),
        Mechanism::words(CKM_EDDSA, &[0, 0, 0, 0]),
        Mechanism::words(CKM_EDDSA, &[0, 7, 0]),
        Mechanism::words(CKM_EDDSA, &[0, usize::MAX, at]),
        Mechanism::words(CKM_EDDSA, &[2, 0, 0]),
    ];
    for mechanism in &wrong {
        keys.inits(mechanism).into_iter().for_each(|outcome| fails!(outcome, CKR_MECHANISM_PARAM_INVALID));
    }
    let (public, private) = CURVES[1].pair(&keys.session);
    for number in SignatureHash::signing().map(|(_, [_, _, hashing])| hashing).chain([CKM_ECDSA]) {
        let mechanism = Mechanism::with(number, &[0; 16]);
        fails!(Sign::init(&keys.session, &mechanism, private), CKR_MECHANISM_PARAM_INVALID, "{number:#x}");
        fails!(keys.session.verify_init(&mechanism, public), CKR_MECHANISM_PARAM_INVALID, "{number:#x}");
    }
}

fn a_size_query_and_a_short_buffer_change_nothing() {
    let keys = Edwards::new();
    let (_, p384) = Curve::named("P-384").pair(&keys.session);
    let (_, p521) = Curve::named("P-521").pair(&keys.session);
    for (number, key, length) in [(CKM_EDDSA, keys.private, 64), (CKM_ECDSA, p384, 96), (CKM_ECDSA_SHA512, p521, 132)] {
        ok!(Sign::init(&keys.session, &Mechanism::plain(number), key));
        assert_eq!(Sign::whole(&keys.session, b"message", None), (Ok(()), length));
        let mut short = vec![GUARD; length - 1];
        let told = Sign::whole(&keys.session, b"message", Some(&mut short));
        assert_eq!(told, (Err(Rv(CKR_BUFFER_TOO_SMALL)), length));
        assert_eq!(short, vec![GUARD; length - 1], "nothing is written");
        let mut room = vec![GUARD; length + 1];
        assert_eq!(Sign::whole(&keys.session, b"message", Some(&mut room)), (Ok(()), length));
        assert_eq!(room[length], GUARD);
    }
}

const SEED: [u8; 32] = [0x5e; 32];

fn pure() -> Mechanism {
    Mechanism::plain(CKM_EDDSA)
}

/// A session with both halves of an Ed25519 key.
struct Edwards {
    token: Token,
    session: Session,
    public: CK_OBJECT_HANDLE,
    private: CK_OBJECT_HANDLE,
}

impl Edwards {
    fn new() -> Edwards {
        let token = Token::new();
        let session = token.user();
        let spki = Openssl::private(&token.home, &ed25519_pkcs8(&SEED)).spki();
        let public = ok!(session.create(&ed25519_public(&spki[12..])));
        let private = ok!(session.create(&ed25519_private(&SEED).with(CKA_SIGN, true)));
        Edwards { token, session, public, private }
    }

    /// `C_SignInit` and `C_VerifyInit`, and nothing left active.
    fn inits(&self, mechanism: &Mechanism) -> [Result; 2] {
        let outcomes =
            [Sign::init(&self.session, mechanism, self.private), self.session.verify_init(mechanism, self.public)];
        ok!(self.session.cancel(CKF_SIGN | CKF_VERIFY));
        outcomes
    }
}
