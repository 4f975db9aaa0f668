//! Two operations at once: the second gets the plaintext of the first. PKCS#11 3.2, sections 5.2 and 5.17.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    the_token_claims_two_at_once,
    digest_and_encryption_give_what_each_gives_alone,
    decryption_and_digest_give_what_each_gives_alone,
    signature_and_encryption_give_what_each_gives_alone,
    decryption_and_verification_go_together,
    what_is_not_delivered_reaches_no_second_operation,
    parts_work_in_place,
    both_must_be_active,
    a_second_operation_that_takes_no_parts_ends,
    an_error_of_the_cipher_leaves_the_second_as_it_was,
    calls_for_one_may_stand_between,
    one_of_two_is_cancelled_alone,
];

fn the_token_claims_two_at_once() {
    assert_ne!(Token::new().flags() & CKF_DUAL_CRYPTO_OPERATIONS, 0);
}

fn digest_and_encryption_give_what_each_gives_alone() {
    let Bench { session, key, .. } = &Bench::new();
    for mechanism in [ecb(), cbc(), cbc_pad(), ctr(), gcm()] {
        for length in [0, 16, 96] {
            let text = message(length);
            let expected = ok!(session.encrypt(&mechanism, *key, &text));
            for step in [1, 7, 16, 96] {
                ok!(Digest::init(session, &sha256(), 0));
                ok!(Encrypt::init(session, &mechanism, *key));
                let sealed = through::<Encrypt>(session, Dual::DigestEncrypt, text.chunks(step));
                assert_eq!(sealed, expected, "{length} bytes by {step}");
                assert_eq!(digested(session), ok!(session.digest(CKM_SHA256, &text)), "{length} bytes by {step}");
            }
        }
    }
}

/// What padding or a tag holds back comes with `C_DecryptFinal`, and the caller digests it. PKCS#11 3.2, section 5.17.2.
fn decryption_and_digest_give_what_each_gives_alone() {
    let Bench { session, key, .. } = &Bench::new();
    for mechanism in [ecb(), cbc(), cbc_pad(), ctr(), gcm()] {
        let text = message(96);
        let sealed = ok!(session.encrypt(&mechanism, *key, &text));
        for step in [1, 7, 16, 200] {
            ok!(Decrypt::init(session, &mechanism, *key));
            ok!(Digest::init(session, &sha256(), 0));
            let mut opened = parts(session, Dual::DecryptDigest, sealed.chunks(step));
            let rest = last::<Decrypt>(session);
            ok!(Digest::update(session, &rest, None).0);
            opened.extend(rest);
            assert_eq!(opened, text, "by {step}");
            assert_eq!(digested(session), ok!(session.digest(CKM_SHA256, &text)), "by {step}");
        }
    }
}

fn signature_and_encryption_give_what_each_gives_alone() {
    let Bench { session, key, .. } = &Bench::new();
    let (_, private) = ok!(RsaKey::of_bits(2048).import(session));
    let text = message(80);
    for (mechanism, signer) in
        [(Mechanism::plain(CKM_AES_CMAC), *key), (Mechanism::plain(CKM_SHA256_RSA_PKCS), private)]
    {
        let expected = ok!(session.sign(&mechanism, signer, &text));
        for step in [1, 16, 80] {
            ok!(Sign::init(session, &mechanism, signer));
            ok!(Encrypt::init(session, &cbc(), *key));
            let sealed = through::<Encrypt>(session, Dual::SignEncrypt, text.chunks(step));
            assert_eq!(sealed, ok!(session.encrypt(&cbc(), *key, &text)));
            assert_eq!(last::<Sign>(session), expected, "by {step}");
        }
    }
}

fn decryption_and_verification_go_together() {
    let Bench { session, key, .. } = &Bench::new();
    let (text, cmac) = (message(80), Mechanism::plain(CKM_AES_CMAC));
    let (sealed, mac) = (ok!(session.encrypt(&ctr(), *key, &text)), ok!(session.sign(&cmac, *key, &text)));
    for step in [1, 16, 80] {
        for changed in [false, true] {
            let mut sealed = sealed.clone();
            sealed[40] ^= u8::from(changed);
            ok!(Decrypt::init(session, &ctr(), *key));
            ok!(session.verify_init(&cmac, *key));
            let opened = through::<Decrypt>(session, Dual::DecryptVerify, sealed.chunks(step));
            assert_eq!(opened == text, !changed);
            match changed {
                false => ok!(session.verify_final(&mac)),
                true => fails!(session.verify_final(&mac), CKR_SIGNATURE_INVALID),
            }
        }
    }
}

fn what_is_not_delivered_reaches_no_second_operation() {
    let Bench { session, key, .. } = &Bench::new();
    let (text, cmac) = (message(32), Mechanism::plain(CKM_AES_CMAC));
    let mac = ok!(session.sign(&cmac, *key, &text));
    for which in ALL {
        begin(session, which, *key, &cmac);
        for _ in 0..2 {
            let (outcome, told) = session.dual(which, &text, None);
            ok!(outcome);
            assert_eq!(told, 32);
            let mut room = [GUARD; 31];
            let (outcome, told) = session.dual(which, &text, Some(&mut room));
            fails!(outcome, CKR_BUFFER_TOO_SMALL);
            assert_eq!((told, room), (32, [GUARD; 31]));
        }
        // In CTR both ways are the same: the text is what comes out of a decryption, or what went into an encryption.
        let sealed = ok!(session.encrypt_elsewhere(&text, *key));
        let (input, output) = match which {
            Dual::DigestEncrypt | Dual::SignEncrypt => (&text, &sealed),
            Dual::DecryptDigest | Dual::DecryptVerify => (&sealed, &text),
        };
        let mut room = [GUARD; 40];
        let (outcome, told) = session.dual(which, input, Some(&mut room));
        ok!(outcome);
        assert_eq!((&room[..told], &room[told..]), (&output[..], [GUARD; 8].as_slice()));
        match which {
            Dual::DigestEncrypt | Dual::DecryptDigest => {
                assert_eq!(digested(session), ok!(session.digest(CKM_SHA256, &text)));
            }
            Dual::SignEncrypt => assert_eq!(last::<Sign>(session), mac),
            Dual::DecryptVerify => ok!(session.verify_final(&mac)),
        }
        ok!(session.cancel(CKF_ENCRYPT | CKF_DECRYPT));
    }
}

fn parts_work_in_place() {
    let Bench { session, key, .. } = &Bench::new();
    let text = message(48);
    for mechanism in [cbc(), ctr(), gcm()] {
        let sealed = ok!(session.encrypt(&mechanism, *key, &text));
        ok!(Digest::init(session, &sha256(), 0));
        ok!(Encrypt::init(session, &mechanism, *key));
        let mut buffer = text.clone();
        let (outcome, length) = session.dual_in_place(Dual::DigestEncrypt, &mut buffer, 48);
        ok!(outcome);
        assert_eq!(buffer[..length], sealed[..48]);
        assert_eq!(digested(session), ok!(session.digest(CKM_SHA256, &text)));
        ok!(Encrypt::last(session, Some(&mut [0; 16])).0);
    }
    for mechanism in [cbc(), ctr()] {
        let mut buffer = ok!(session.encrypt(&mechanism, *key, &text));
        ok!(Digest::init(session, &sha256(), 0));
        ok!(Decrypt::init(session, &mechanism, *key));
        ok!(session.dual_in_place(Dual::DecryptDigest, &mut buffer, 48).0);
        assert_eq!(buffer, text);
        assert_eq!(digested(session), ok!(session.digest(CKM_SHA256, &text)));
        ok!(Decrypt::last(session, Some(&mut [0; 16])).0);
    }
}

/// The one that runs goes on.
fn both_must_be_active() {
    let Bench { session, key, .. } = &Bench::new();
    let (cmac, room) = (Mechanism::plain(CKM_AES_CMAC), &mut [0; 64]);
    for which in ALL {
        fails!(session.dual(which, &message(16), Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
        begin(session, which, *key, &cmac);
        ok!(session.cancel(CKF_DIGEST | CKF_SIGN | CKF_VERIFY));
        fails!(session.dual(which, &message(16), Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
        match which {
            Dual::DigestEncrypt | Dual::SignEncrypt => ok!(Encrypt::update(session, &message(16), Some(room)).0),
            Dual::DecryptDigest | Dual::DecryptVerify => ok!(Decrypt::update(session, &message(16), Some(room)).0),
        }
        ok!(session.cancel(CKF_ENCRYPT | CKF_DECRYPT));
        begin(session, which, *key, &cmac);
        ok!(session.cancel(CKF_ENCRYPT | CKF_DECRYPT));
        fails!(session.dual(which, &message(16), Some(room)).0, CKR_OPERATION_NOT_INITIALIZED);
        match which {
            Dual::DigestEncrypt | Dual::DecryptDigest => ok!(Digest::update(session, b"part", None).0),
            Dual::SignEncrypt => ok!(Sign::update(session, b"part", None).0),
            Dual::DecryptVerify => ok!(session.verify_update(b"part")),
        }
        ok!(session.cancel(CKF_DIGEST | CKF_SIGN | CKF_VERIFY));
    }
}

fn a_second_operation_that_takes_no_parts_ends() {
    let Bench { session, key, .. } = &Bench::new();
    let (_, private) = ok!(RsaKey::of_bits(2048).import(session));
    let mut room = [GUARD; 16];
    let pss = Mechanism::pss(CKM_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, 32);
    ok!(Sign::init(session, &pss, private));
    ok!(Encrypt::init(session, &cbc(), *key));
    fails!(session.dual(Dual::SignEncrypt, &message(16), Some(&mut room)).0, CKR_OPERATION_NOT_INITIALIZED);
    assert_eq!(room, [GUARD; 16]);
    ok!(Sign::init(session, &pss, private));
    ok!(Encrypt::update(session, &message(16), Some(&mut room)).0);
}

fn an_error_of_the_cipher_leaves_the_second_as_it_was() {
    let Bench { session, key, .. } = &Bench::new();
    // The counter has two numbers, for two blocks.
    let short = Mechanism::ctr(1, &[0; 16]);
    ok!(Digest::init(session, &sha256(), 0));
    ok!(Encrypt::init(session, &short, *key));
    ok!(session.dual(Dual::DigestEncrypt, &message(32), Some(&mut [0; 32])).0);
    fails!(session.dual(Dual::DigestEncrypt, &message(16), Some(&mut [0; 32])).0, CKR_DATA_LEN_RANGE);
    fails!(Encrypt::last(session, Some(&mut [0; 16])).0, CKR_OPERATION_NOT_INITIALIZED);
    assert_eq!(digested(session), ok!(session.digest(CKM_SHA256, &message(32))));
    // Arguments likewise.
    ok!(Digest::init(session, &sha256(), 0));
    ok!(Encrypt::init(session, &cbc(), *key));
    fails!(session.dual_null(Dual::DigestEncrypt, &mut [0; 32]), CKR_ARGUMENTS_BAD);
    ok!(Encrypt::init(session, &cbc(), *key));
    assert_eq!(digested(session), ok!(session.digest(CKM_SHA256, b"")));
}

fn calls_for_one_may_stand_between() {
    let Bench { session, key, .. } = &Bench::new();
    ok!(Digest::init(session, &sha256(), 0));
    ok!(Encrypt::init(session, &ctr(), *key));
    let room = &mut [0; 16];
    ok!(session.dual(Dual::DigestEncrypt, b"both", Some(room)).0);
    ok!(Digest::update(session, b" digest", None).0);
    ok!(Encrypt::update(session, b" cipher", Some(room)).0);
    ok!(session.dual(Dual::DigestEncrypt, b" both", Some(room)).0);
    assert_eq!(digested(session), ok!(session.digest(CKM_SHA256, b"both digest both")));
    let expected = ok!(session.encrypt_elsewhere(b"both cipher both", *key));
    assert_eq!(room[..5], expected[11..]);
}

fn one_of_two_is_cancelled_alone() {
    let Bench { session, key, .. } = &Bench::new();
    ok!(Digest::init(session, &sha256(), 0));
    ok!(Encrypt::init(session, &ctr(), *key));
    ok!(session.dual(Dual::DigestEncrypt, b"text", Some(&mut [0; 16])).0);
    ok!(session.cancel(CKF_ENCRYPT));
    assert_eq!(digested(session), ok!(session.digest(CKM_SHA256, b"text")));
    ok!(Digest::init(session, &sha256(), 0));
    ok!(Encrypt::init(session, &ctr(), *key));
    let mut room = [0; 4];
    ok!(session.dual(Dual::DigestEncrypt, b"text", Some(&mut room)).0);
    ok!(session.cancel(CKF_DIGEST));
    ok!(Encrypt::last(session, Some(&mut [0; 16])).0);
    assert_eq!(room.to_vec(), ok!(session.encrypt(&ctr(), *key, b"text")));
}

const ALL: [Dual; 4] = [Dual::DigestEncrypt, Dual::DecryptDigest, Dual::SignEncrypt, Dual::DecryptVerify];

impl Session {
    /// Encrypts in another session, in CTR.
    fn encrypt_elsewhere(&self, text: &[u8], key: CK_OBJECT_HANDLE) -> Result<Vec<u8>> {
        let other = self.module.read_write(ok!(self.info()).slotID)?;
        let sealed = other.encrypt(&ctr(), key, text)?;
        other.close().map(|()| sealed)
    }
}

/// Begins both operations of one of the four: CTR, and SHA-256 or the MAC.
fn begin(session: &Session, which: Dual, key: CK_OBJECT_HANDLE, mac: &Mechanism) {
    match which {
        Dual::DigestEncrypt | Dual::SignEncrypt => ok!(Encrypt::init(session, &ctr(), key)),
        Dual::DecryptDigest | Dual::DecryptVerify => ok!(Decrypt::init(session, &ctr(), key)),
    }
    match which {
        Dual::DigestEncrypt | Dual::DecryptDigest => ok!(Digest::init(session, &sha256(), 0)),
        Dual::SignEncrypt => ok!(Sign::init(session, mac, key)),
        Dual::DecryptVerify => ok!(session.verify_init(mac, key)),
    }
}

fn sha256() -> Mechanism {
    Mechanism::plain(CKM_SHA256)
}

fn through<'a, C: Operation>(session: &Session, which: Dual, text: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    [parts(session, which, text), last::<C>(session)].concat()
}

fn parts<'a>(session: &Session, which: Dual, text: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut all = Vec::new();
    for part in text {
        let mut room = [0; 256];
        let (outcome, length) = session.dual(which, part, Some(&mut room));
        ok!(outcome, "{which:?}");
        all.extend_from_slice(&room[..length]);
    }
    all
}

fn last<C: Operation>(session: &Session) -> Vec<u8> {
    let mut rest = vec![0; 1024];
    let (outcome, length) = C::last(session, Some(&mut rest));
    ok!(outcome);
    rest.truncate(length);
    rest
}

fn digested(session: &Session) -> Vec<u8> {
    last::<Digest>(session)
}
