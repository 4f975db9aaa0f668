//! RSA: which keys work, and what holds nobody up. PKCS#11 3.2, section 6.1.

use std::sync::atomic::{AtomicBool, Ordering};

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    keys_below_2048_bits_need_the_setting,
    no_pair_is_made_below_2048_bits,
    mechanisms_of_one_block_take_no_parts,
    a_parameter_that_the_modulus_has_no_room_for_is_refused,
    a_short_buffer_for_a_short_text_suffices,
    a_pair_in_the_making_holds_up_no_fork,
    sixteen_threads_sign_with_one_key_and_make_pairs,
];

/// Those with keys that come in pairs, for the list of all.
pub const MECHANISMS: [CK_MECHANISM_TYPE; 24] = [
    CKM_RSA_PKCS_KEY_PAIR_GEN,
    CKM_RSA_PKCS,
    CKM_RSA_X_509,
    CKM_RSA_PKCS_OAEP,
    CKM_RSA_AES_KEY_WRAP,
    CKM_RSA_PKCS_PSS,
    CKM_SHA1_RSA_PKCS,
    CKM_SHA224_RSA_PKCS,
    CKM_SHA256_RSA_PKCS,
    CKM_SHA384_RSA_PKCS,
    CKM_SHA512_RSA_PKCS,
    CKM_SHA3_224_RSA_PKCS,
    CKM_SHA3_256_RSA_PKCS,
    CKM_SHA3_384_RSA_PKCS,
    CKM_SHA3_512_RSA_PKCS,
    CKM_SHA1_RSA_PKCS_PSS,
    CKM_SHA224_RSA_PKCS_PSS,
    CKM_SHA256_RSA_PKCS_PSS,
    CKM_SHA384_RSA_PKCS_PSS,
    CKM_SHA512_RSA_PKCS_PSS,
    CKM_SHA3_224_RSA_PKCS_PSS,
    CKM_SHA3_256_RSA_PKCS_PSS,
    CKM_SHA3_384_RSA_PKCS_PSS,
    CKM_SHA3_512_RSA_PKCS_PSS,
];

/// The setting is about use: such a key is kept and shown either way.
fn keys_below_2048_bits_need_the_setting() {
    for (rsa_1024, shortest) in [(false, 2048), (true, 1024)] {
        let token = Token::with(Config { rsa_1024, ..Config::default() });
        let session = token.user();
        for number in MECHANISMS {
            let info = ok!(token.module.mechanism_info(token.slot, number), "{number:#x}");
            let expected = if number == CKM_RSA_PKCS_KEY_PAIR_GEN { 2048 } else { shortest };
            assert_eq!((info.ulMinKeySize, info.ulMaxKeySize), (expected, 8192), "{number:#x}");
        }
        let (public, private) = imported(&session, 1024);
        assert_eq!(ok!(session.number(public, CKA_MODULUS_BITS)), 1024);
        let target = ok!(session.aes_key(16, template![CKA_EXTRACTABLE => true]));
        let aes = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES, CKA_VALUE_LEN => 16];
        let (bare, hashing) = (Mechanism::plain(CKM_RSA_PKCS), Mechanism::plain(CKM_SHA256_RSA_PKCS));
        if rsa_1024 {
            let made = ok!(session.sign(&hashing, private, b"text"));
            assert_eq!(made.len(), 128);
            ok!(session.verify(&hashing, public, b"text", &made));
            let sealed = ok!(session.encrypt(&bare, public, b"text"));
            assert_eq!(ok!(session.decrypt(&bare, private, &sealed)), b"text");
            let wrapped = ok!(session.wrap(&bare, public, target));
            ok!(session.unwrap(&bare, private, &wrapped, &aes));
        } else {
            fails!(Sign::init(&session, &hashing, private), CKR_KEY_SIZE_RANGE);
            fails!(session.verify_init(&hashing, public), CKR_KEY_SIZE_RANGE);
            fails!(Encrypt::init(&session, &bare, public), CKR_KEY_SIZE_RANGE);
            fails!(Decrypt::init(&session, &bare, private), CKR_KEY_SIZE_RANGE);
            fails!(session.wrap(&bare, public, target), CKR_WRAPPING_KEY_SIZE_RANGE);
            fails!(session.unwrap(&bare, private, &[1; 128], &aes), CKR_UNWRAPPING_KEY_SIZE_RANGE);
        }
        ok!(token.module.finalize());
    }
}

fn no_pair_is_made_below_2048_bits() {
    let token = Token::with(Config { rsa_1024: true, ..Config::default() });
    let session = token.user();
    for bits in [512, 1024, 1536, 2047] {
        fails!(pair(&session, bits, template![], template![]), CKR_ATTRIBUTE_VALUE_INVALID, "{bits} bits");
    }
    ok!(pair(&session, 2048, template![], template![]));
}

fn mechanisms_of_one_block_take_no_parts() {
    let token = Token::new();
    let session = token.user();
    let (public, private) = ok!(pair(&session, 2048, template![], template![]));
    let oaep = Mechanism::words(CKM_RSA_PKCS_OAEP, &OAEP);
    let pss = Mechanism::words(CKM_RSA_PKCS_PSS, &[CKM_SHA_1 as usize, CKG_MGF1_SHA1 as usize, 20]);
    for mechanism in [Mechanism::plain(CKM_RSA_PKCS), Mechanism::plain(CKM_RSA_X_509), oaep] {
        ok!(Encrypt::init(&session, &mechanism, public));
        let outcome = Encrypt::update(&session, b"text", Some(&mut [0; 300]));
        assert_eq!(outcome.0, Err(Rv(CKR_OPERATION_NOT_INITIALIZED)));
        ok!(Decrypt::init(&session, &mechanism, private), "the failure ended the other operation alone");
        let outcome = Decrypt::update(&session, &[1; 256], Some(&mut [0; 300]));
        assert_eq!(outcome.0, Err(Rv(CKR_OPERATION_NOT_INITIALIZED)));
    }
    ok!(Sign::init(&session, &pss, private));
    assert_eq!(Sign::update(&session, &[1; 20], None).0, Err(Rv(CKR_OPERATION_NOT_INITIALIZED)));
    ok!(session.verify_init(&pss, public));
    fails!(session.verify_update(&[1; 20]), CKR_OPERATION_NOT_INITIALIZED);
    // The standard has these in one part too; pkcs11-tool's own test signs in several.
    for mechanism in [CKM_RSA_PKCS, CKM_RSA_X_509].map(Mechanism::plain) {
        let whole = ok!(session.sign(&mechanism, private, b"text"));
        ok!(Sign::init(&session, &mechanism, private));
        assert_eq!(Sign::update(&session, b"te", None).0, Ok(()));
        assert_eq!(Sign::update(&session, b"xt", None).0, Ok(()));
        let mut room = [0; 300];
        let (outcome, length) = Sign::last(&session, Some(&mut room));
        assert_eq!((outcome, &room[..length]), (Ok(()), whole.as_slice()));
    }
}

/// OAEP and PSS with SHA-512 need 1040 bits and more, and a temporary key needs room in OAEP.
fn a_parameter_that_the_modulus_has_no_room_for_is_refused() {
    let token = Token::with(Config { rsa_1024: true, ..Config::default() });
    let session = token.user();
    let (public, private) = imported(&session, 1024);
    let target = ok!(session.aes_key(16, template![CKA_EXTRACTABLE => true]));
    let oaep = |hash: CK_MECHANISM_TYPE| [hash as usize, CKG_MGF1_SHA1 as usize, CKZ_DATA_SPECIFIED as usize, 0, 0];
    let wide = Mechanism::words(CKM_RSA_PKCS_OAEP, &oaep(CKM_SHA512));
    fails!(Encrypt::init(&session, &wide, public), CKR_MECHANISM_PARAM_INVALID);
    fails!(Decrypt::init(&session, &wide, private), CKR_MECHANISM_PARAM_INVALID);
    fails!(session.wrap(&wide, public, target), CKR_MECHANISM_PARAM_INVALID);
    // 128 - 2 - 2 * 48 leave 30 bytes.
    let narrow = oaep(CKM_SHA384);
    let by = |bits: usize| Mechanism::words(CKM_RSA_AES_KEY_WRAP, &[bits, narrow.as_ptr().expose_provenance()]);
    fails!(session.wrap(&by(256), public, target), CKR_MECHANISM_PARAM_INVALID);
    ok!(session.wrap(&by(192), public, target));
}

/// Only decryption tells how long the text is, so a buffer below the announced length is tried.
fn a_short_buffer_for_a_short_text_suffices() {
    let token = Token::new();
    let session = token.user();
    let (public, private) = ok!(pair(&session, 2048, template![], template![]));
    for mechanism in [Mechanism::plain(CKM_RSA_PKCS), Mechanism::words(CKM_RSA_PKCS_OAEP, &OAEP)] {
        let sealed = ok!(session.encrypt(&mechanism, public, b"text"));
        ok!(Decrypt::init(&session, &mechanism, private));
        let mut three = [GUARD; 3];
        let (outcome, told) = Decrypt::whole(&session, &sealed, Some(&mut three));
        assert_eq!(outcome, Err(Rv(CKR_BUFFER_TOO_SMALL)));
        assert!(told >= 190 && three == [GUARD; 3], "nothing of the text, not even its length");
        let mut four = [GUARD; 4];
        assert_eq!(Decrypt::whole(&session, &sealed, Some(&mut four)), (Ok(()), 4));
        assert_eq!(&four, b"text");
    }
}

/// Several children are born and have ended before the pair is there.
fn a_pair_in_the_making_holds_up_no_fork() {
    let token = Token::new();
    let session = token.user();
    for _ in 0..20 {
        let made = AtomicBool::new(false);
        let children = std::thread::scope(|scope| {
            scope.spawn(|| {
                ok!(pair(&session, 4096, template![], template![]));
                made.store(true, Ordering::SeqCst);
            });
            let mut children = 0;
            while !made.load(Ordering::SeqCst) && children < 4 {
                Forked::start(Vec::new).join();
                children += 1;
            }
            if made.load(Ordering::SeqCst) { 0 } else { children }
        });
        if children == 4 {
            return;
        }
    }
    panic!("every fork waited for a pair");
}

fn sixteen_threads_sign_with_one_key_and_make_pairs() {
    let token = Token::new();
    let first = token.user();
    let (public, private) = ok!(pair(&first, 2048, template![], template![]));
    let work = |thread: usize| {
        let pss = Mechanism::words(CKM_SHA256_RSA_PKCS_PSS, &[CKM_SHA256 as usize, CKG_MGF1_SHA256 as usize, 32]);
        let pkcs1 = Mechanism::plain(CKM_SHA256_RSA_PKCS);
        let session = ok!(token.module.read_write(token.slot));
        let check = |mechanism, (public, private), text: &[u8]| {
            let made = ok!(session.sign(mechanism, private, text), "thread {thread}");
            ok!(session.verify(mechanism, public, text, &made), "thread {thread}");
        };
        for round in 0..rounds(10, 500) {
            let text = format!("thread {thread}, round {round}");
            check(if round % 2 == 0 { &pkcs1 } else { &pss }, (public, private), text.as_bytes());
        }
        let own = ok!(pair(&session, 2048, template![], template![]), "thread {thread}");
        check(&pss, own, b"of one's own");
        ok!(session.close());
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|thread| scope.spawn(move || work(thread))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

const OAEP: [usize; 5] = [CKM_SHA256 as usize, CKG_MGF1_SHA256 as usize, CKZ_DATA_SPECIFIED as usize, 0, 0];

/// A pair of that size.
pub fn pair(
    session: &Session,
    bits: CK_ULONG,
    public: Template,
    private: Template,
) -> Result<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)> {
    let mut mechanism = Mechanism::plain(CKM_RSA_PKCS_KEY_PAIR_GEN).raw();
    let (public, (mut one, mut other)) = (public.with(CKA_MODULUS_BITS, bits), (0, 0));
    let (mut first, mut second) = (public.raw(), private.raw());
    let (count, other_count) = (first.len() as CK_ULONG, second.len() as CK_ULONG);
    let (first, second) = (first.as_mut_ptr(), second.as_mut_ptr());
    let (handle, table) = (session.handle, session.module.list);
    call!(table, C_GenerateKeyPair(handle, &mut mechanism, first, count, second, other_count, &mut one, &mut other))?;
    Ok((one, other))
}

/// A key of openssl as a `PrivateKeyInfo`.
pub fn openssl_key(bits: usize) -> Vec<u8> {
    let bits = format!("rsa_keygen_bits:{bits}");
    private_key_info(&["-algorithm", "RSA", "-pkeyopt", &bits])
}

/// What `openssl genpkey` makes, as a `PrivateKeyInfo`.
pub fn private_key_info(options: &[&str]) -> Vec<u8> {
    let made = run("openssl", &[&["genpkey", "-quiet"], options].concat(), &[]);
    run("openssl", &["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &made)
}

/// Both halves of a key of openssl: the private one unwrapped, the public one created from its numbers.
fn imported(session: &Session, bits: usize) -> (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE) {
    let kek = ok!(session.aes_key(32, template![CKA_ENCRYPT => true, CKA_UNWRAP => true]));
    let wrapped = ok!(session.encrypt(&cbc_pad(), kek, &openssl_key(bits)));
    let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_RSA];
    let private = ok!(session.unwrap(&cbc_pad(), kek, &wrapped, &class));
    let (modulus, exponent) =
        (ok!(session.value(private, CKA_MODULUS)), ok!(session.value(private, CKA_PUBLIC_EXPONENT)));
    let class = template![CKA_CLASS => CKO_PUBLIC_KEY, CKA_KEY_TYPE => CKK_RSA];
    (ok!(session.create(&class.with(CKA_MODULUS, &modulus).with(CKA_PUBLIC_EXPONENT, &exponent))), private)
}
