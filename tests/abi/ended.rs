//! A one-shot or Final call that fails ends its operation, whatever its code but `CKR_BUFFER_TOO_SMALL`: with every mechanism
//! of the list and every kind of operation. PKCS#11 3.2, sections 5.2, 5.8.2, 5.10.2, 5.12.2, 5.13.2, 5.15.2.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    a_failed_encryption_is_over,
    a_failed_decryption_is_over,
    a_failed_signature_is_over,
    a_failed_verification_is_over,
    a_failed_digest_is_over,
    whoever_answers_ends,
];

/// What a mechanism takes, whole and in parts: no length at all, or too much.
fn a_failed_encryption_is_over() {
    let keys = Keys::new();
    let mut failures = 0;
    keys.each(CKF_ENCRYPT, |mechanism, key, at| {
        for length in LENGTHS {
            ok!(Encrypt::init(&keys.session, mechanism, key.0), "{at}");
            failures += keys.over::<Encrypt>(&message(length), false, at);
            ok!(Encrypt::init(&keys.session, mechanism, key.0), "{at}");
            failures += keys.over::<Encrypt>(&message(length), true, at);
        }
    });
    assert!(failures > 20, "{failures}");
}

fn a_failed_decryption_is_over() {
    let keys = Keys::new();
    let mut failures = 0;
    keys.each(CKF_DECRYPT, |mechanism, key, at| {
        for length in LENGTHS {
            ok!(Decrypt::init(&keys.session, mechanism, key.1), "{at}");
            failures += keys.over::<Decrypt>(&message(length), false, at);
            ok!(Decrypt::init(&keys.session, mechanism, key.1), "{at}");
            failures += keys.over::<Decrypt>(&message(length), true, at);
        }
    });
    assert!(failures > 50, "{failures}");
}

fn a_failed_signature_is_over() {
    let keys = Keys::new();
    let mut failures = 0;
    keys.each(CKF_SIGN, |mechanism, key, at| {
        for length in LENGTHS {
            ok!(Sign::init(&keys.session, mechanism, key.1), "{at}");
            failures += keys.over::<Sign>(&message(length), false, at);
            ok!(Sign::init(&keys.session, mechanism, key.1), "{at}");
            failures += keys.over::<Sign>(&message(length), true, at);
        }
    });
    assert!(failures > 10, "{failures}");
}

/// Wrong, short, long and empty signatures; a good one too.
fn a_failed_verification_is_over() {
    let keys = Keys::new();
    let session = &keys.session;
    keys.each(CKF_VERIFY, |mechanism, key, at| {
        let good = ok!(session.sign(mechanism, key.1, &message(20)), "{at}");
        let changed: Vec<u8> = good.iter().map(|byte| !byte).collect();
        let long = [&good[..], &[0; 3]].concat();
        for signature in [&good[..], &changed, &good[1..], &long, &[]] {
            ok!(session.verify_init(mechanism, key.0), "{at}");
            assert_eq!(session.verify_whole(&message(20), signature).is_ok(), signature == good, "{at}");
            fails!(session.verify_whole(&message(20), signature), CKR_OPERATION_NOT_INITIALIZED, "{at}");
            ok!(session.verify_init(mechanism, key.0), "{at}");
            if session.verify_update(&message(20)).is_ok() {
                assert_eq!(session.verify_final(signature).is_ok(), signature == good, "{at}");
            }
            fails!(session.verify_final(signature), CKR_OPERATION_NOT_INITIALIZED, "{at}");
        }
    });
}

/// A digest takes everything, so only arguments can be wrong.
fn a_failed_digest_is_over() {
    let keys = Keys::new();
    let session = &keys.session;
    keys.each(CKF_DIGEST, |mechanism, _, at| {
        for call in [Session::digest_null, Session::digest_lengthless, Session::digest_final_lengthless] {
            ok!(Digest::init(session, mechanism, 0), "{at}");
            fails!(call(session), CKR_ARGUMENTS_BAD, "{at}");
            fails!(Digest::last(session, Some(&mut [0; 64])).0, CKR_OPERATION_NOT_INITIALIZED, "{at}");
        }
    });
}

/// The arguments are judged in every kind of operation, and end it.
fn whoever_answers_ends() {
    let keys = Keys::new();
    let (session, room) = (&keys.session, &mut [0; 64]);
    ok!(Sign::init(session, &Mechanism::plain(CKM_AES_CMAC), keys.aes));
    fails!(session.sign_null(), CKR_ARGUMENTS_BAD);
    fails!(Sign::last(session, Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
    ok!(session.verify_init(&Mechanism::plain(CKM_AES_CMAC), keys.aes));
    fails!(session.verify_null(), CKR_ARGUMENTS_BAD);
    fails!(session.verify_final(&[0; 16]), CKR_OPERATION_NOT_INITIALIZED);
    ok!(session.verify_init(&Mechanism::plain(CKM_AES_CMAC), keys.aes));
    fails!(session.verify_final_null(), CKR_ARGUMENTS_BAD);
    fails!(session.verify_final(&[0; 16]), CKR_OPERATION_NOT_INITIALIZED);
}

const LENGTHS: [usize; 8] = [0, 1, 15, 16, 17, 255, 256, 1000];

type Halves = (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE);

struct Keys {
    token: Token,
    session: Session,
    aes: CK_OBJECT_HANDLE,
    secret: CK_OBJECT_HANDLE,
    rsa: Halves,
    ec: Halves,
    edwards: Halves,
}

impl Keys {
    fn new() -> Keys {
        let token = Token::new();
        let session = token.user();
        let aes = ok!(session.aes_key(32, template![]));
        let secret = session.generate(&Mechanism::plain(CKM_GENERIC_SECRET_KEY_GEN), &template![CKA_VALUE_LEN => 32]);
        let rsa = ok!(RsaKey::of_bits(2048).import(&session));
        let ec = Curve::named("P-256").pair(&session);
        let edwards = template![CKA_EC_PARAMS => ED25519];
        let edwards = ok!(session.pair(CKM_EC_EDWARDS_KEY_PAIR_GEN, &edwards, &template![]));
        Keys { token, session, aes, secret: ok!(secret), rsa, ec, edwards }
    }

    /// Works with every listed mechanism that has the flag, a key for it (public half, private half) and its name for people.
    fn each(&self, flag: CK_FLAGS, mut work: impl FnMut(&Mechanism, Halves, &str)) {
        let mut worked = 0;
        for number in ok!(self.token.module.mechanisms(self.token.slot)) {
            if ok!(self.token.module.mechanism_info(self.token.slot, number)).flags & flag != 0 {
                let (mechanism, halves) = self.fitting(number);
                work(&mechanism, halves, &format!("{number:#x}"));
                worked += 1;
            }
        }
        assert!(worked > 8, "{worked} mechanisms");
    }

    fn fitting(&self, number: CK_MECHANISM_TYPE) -> (Mechanism, Halves) {
        let (aes, plain) = ((self.aes, self.aes), Mechanism::plain(number));
        let hash = HASHES.iter().find(|hash| [hash.hmac, hash.hmac_general].contains(&number));
        let signing = SignatureHash::signing().find(|(_, mechanisms)| mechanisms.contains(&number));
        match (number, hash, signing) {
            (_, Some(hash), _) if number == hash.hmac => (plain, (self.secret, self.secret)),
            (_, Some(_), _) => (Mechanism::words(number, &[8]), (self.secret, self.secret)),
            (_, _, Some((_, [pkcs1, ..]))) if pkcs1 == number => (plain, self.rsa),
            (_, _, Some((hash, [_, pss, _]))) if pss == number => (hash.pss(number, hash, 20), self.rsa),
            (_, _, Some(_)) | (CKM_ECDSA, ..) => (plain, self.ec),
            (CKM_EDDSA, ..) => (plain, self.edwards),
            (CKM_RSA_PKCS | CKM_RSA_X_509, ..) => (plain, self.rsa),
            // The hash that it signs is as long as the message of the verifications.
            (CKM_RSA_PKCS_PSS, ..) => {
                let hash = SignatureHash::named("SHA-1");
                (hash.pss(number, hash, 20), self.rsa)
            }
            (CKM_RSA_PKCS_OAEP, ..) => {
                let hash = SignatureHash::named("SHA-256");
                (hash.oaep(hash, b""), self.rsa)
            }
            (CKM_AES_CBC, ..) => (cbc(), aes),
            (CKM_AES_CBC_PAD, ..) => (cbc_pad(), aes),
            (CKM_AES_CTR, ..) => (Mechanism::ctr(1, &[0; 16]), aes),
            (CKM_AES_GCM, ..) => (gcm(), aes),
            (CKM_AES_CMAC_GENERAL, ..) => (Mechanism::words(number, &[8]), aes),
            _ => (plain, aes),
        }
    }

    /// Runs the operation to its end, which may fail; how often it did. It is over either way.
    fn over<O: Operation>(&self, input: &[u8], in_parts: bool, at: &str) -> usize {
        let (session, mut room) = (&self.session, vec![0; 2048]);
        let outcome = match in_parts {
            false => O::whole(session, input, Some(&mut room)).0,
            true => O::update(session, input, Some(&mut room)).0.and_then(|()| O::last(session, Some(&mut room)).0),
        };
        let at = format!("{at}, {} bytes, {outcome:?}", input.len());
        assert_ne!(outcome, Err(Rv(CKR_BUFFER_TOO_SMALL)), "{at}");
        fails!(O::last(session, Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED, "{at}");
        fails!(O::update(session, b"x", Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED, "{at}");
        usize::from(outcome.is_err())
    }
}
