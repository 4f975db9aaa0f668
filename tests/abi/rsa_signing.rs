//! RSA signatures: PKCS #1 v1.5, PSS and the bare primitive. PKCS#11 3.2, section 6.1.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    pkcs1_signs_what_openssl_verifies_and_the_reverse,
    pss_signs_what_openssl_verifies_and_the_reverse,
    pkcs1_takes_up_to_the_modulus_less_eleven_bytes,
    pss_takes_a_digest_alone,
    pss_hash_is_the_mechanisms,
    pss_generator_may_be_of_another_hash_and_counts,
    pss_salt_is_bounded_by_the_modulus,
    pss_salt_has_a_bit_less_to_fit_in_where_the_modulus_has_one_more,
    pss_salt_may_be_empty,
    pss_verifies_the_given_salt_alone,
    pss_without_its_parameter_is_refused,
    parameters_where_none_is_defined_are_refused,
    bare_primitive_fills_with_zeros_in_front,
    signatures_of_a_wrong_length_are_named_so,
    messages_come_in_parts_where_the_mechanism_hashes,
    a_size_query_and_a_short_buffer_change_nothing,
];

fn pkcs1_signs_what_openssl_verifies_and_the_reverse() {
    let keys = Keys::new(2048);
    for (hash, [hashing, ..]) in SignatureHash::signing() {
        let mechanism = Mechanism::plain(hashing);
        let made = ok!(keys.session.sign(&mechanism, keys.private, MESSAGE));
        assert_eq!(keys.openssl.signs(&hash.openssl(), &[], MESSAGE), made, "{}", hash.name);
        ok!(keys.session.verify(&mechanism, keys.public, MESSAGE, &made), "{}", hash.name);
        let bare = Mechanism::plain(CKM_RSA_PKCS);
        assert_eq!(ok!(keys.session.sign(&bare, keys.private, &hash.digest_info(MESSAGE))), made, "{}", hash.name);
    }
}

fn pss_signs_what_openssl_verifies_and_the_reverse() {
    let keys = Keys::new(2048);
    let public = Openssl::public(&keys.token.home, &keys.openssl.spki());
    for (hash, [_, hashing, _]) in SignatureHash::signing() {
        let length = (hash.digest)(MESSAGE).len();
        for salt in [0, 8, length, 256 - 2 - length] {
            let mechanism = pss(hashing, hash, hash, salt);
            let salt = format!("rsa_pss_saltlen:{salt}");
            let options = ["rsa_padding_mode:pss", &salt];
            let made = ok!(keys.session.sign(&mechanism, keys.private, MESSAGE), "{}, {salt}", hash.name);
            assert!(public.verifies(&hash.openssl(), &options, MESSAGE, &made), "{}, {salt}", hash.name);
            let theirs = keys.openssl.signs(&hash.openssl(), &options, MESSAGE);
            ok!(keys.session.verify(&mechanism, keys.public, MESSAGE, &theirs), "{}, {salt}", hash.name);
        }
    }
}

fn pkcs1_takes_up_to_the_modulus_less_eleven_bytes() {
    let keys = Keys::new(2048);
    let bare = Mechanism::plain(CKM_RSA_PKCS);
    for length in [0, 1, 100, 245] {
        let made = ok!(keys.session.sign(&bare, keys.private, &vec![7; length]), "{length} bytes");
        ok!(keys.session.verify(&bare, keys.public, &vec![7; length], &made), "{length} bytes");
    }
    let made = ok!(keys.session.sign(&bare, keys.private, &[7; 245]));
    for length in [246, 256, 300] {
        fails!(keys.session.sign(&bare, keys.private, &vec![7; length]), CKR_DATA_LEN_RANGE, "{length} bytes");
        let outcome = keys.session.verify(&bare, keys.public, &vec![7; length], &made);
        fails!(outcome, CKR_DATA_LEN_RANGE, "{length} bytes");
    }
}

fn pss_takes_a_digest_alone() {
    let keys = Keys::new(2048);
    for (hash, _) in SignatureHash::signing() {
        let mechanism = pss(CKM_RSA_PKCS_PSS, hash, hash, 20);
        let digest = (hash.digest)(MESSAGE);
        let made = ok!(keys.session.sign(&mechanism, keys.private, &digest), "{}", hash.name);
        ok!(keys.session.verify(&mechanism, keys.public, &digest, &made), "{}", hash.name);
        for wrong in [&digest[1..], &[digest.as_slice(), &[0]].concat(), &[]] {
            fails!(keys.session.sign(&mechanism, keys.private, wrong), CKR_DATA_LEN_RANGE, "{}", hash.name);
            fails!(keys.session.verify(&mechanism, keys.public, wrong, &made), CKR_DATA_LEN_RANGE, "{}", hash.name);
        }
    }
}

fn pss_hash_is_the_mechanisms() {
    let keys = Keys::new(2048);
    for (of_mechanism, [_, hashing, _]) in SignatureHash::signing() {
        for (of_parameter, _) in SignatureHash::signing() {
            let mechanism = pss(hashing, of_parameter, of_parameter, 20);
            let outcomes = keys.inits(&mechanism);
            match of_mechanism.name == of_parameter.name {
                true => outcomes.into_iter().for_each(|outcome| ok!(outcome, "{}", of_parameter.name)),
                false => outcomes.into_iter().for_each(|outcome| {
                    fails!(outcome, CKR_MECHANISM_PARAM_INVALID, "{} in {}", of_parameter.name, of_mechanism.name)
                }),
            }
        }
    }
}

fn pss_generator_may_be_of_another_hash_and_counts() {
    let keys = Keys::new(2048);
    let public = Openssl::public(&keys.token.home, &keys.openssl.spki());
    for (hash, [_, hashing, _]) in SignatureHash::signing() {
        for (mgf, _) in SignatureHash::signing() {
            let mechanism = pss(hashing, hash, mgf, 20);
            let made = ok!(keys.session.sign(&mechanism, keys.private, MESSAGE), "{} and {}", hash.name, mgf.name);
            let generator = format!("rsa_mgf1_md:{}", mgf.openssl());
            let options = ["rsa_padding_mode:pss", "rsa_pss_saltlen:20", &generator];
            assert!(public.verifies(&hash.openssl(), &options, MESSAGE, &made), "{} and {}", hash.name, mgf.name);
            let other = SignatureHash::signing().find(|(other, _)| other.name != mgf.name).unwrap().0;
            let outcome = keys.session.verify(&pss(hashing, hash, other, 20), keys.public, MESSAGE, &made);
            fails!(outcome, CKR_SIGNATURE_INVALID, "{} is not {}", other.name, mgf.name);
        }
    }
}

fn pss_salt_is_bounded_by_the_modulus() {
    let keys = Keys::new(2048);
    for (hash, [_, hashing, _]) in SignatureHash::signing() {
        let longest = 256 - 2 - (hash.digest)(MESSAGE).len();
        for number in [hashing, CKM_RSA_PKCS_PSS] {
            for salt in [longest + 1, 255, 256, 1 << 31, 1 << 32, 1 << 63, usize::MAX] {
                for outcome in keys.inits(&pss(number, hash, hash, salt)) {
                    fails!(outcome, CKR_MECHANISM_PARAM_INVALID, "{}, {salt} bytes", hash.name);
                }
            }
        }
    }
}

/// The encoded message is a byte shorter than the modulus. RFC 8017, section 8.1.1.
fn pss_salt_has_a_bit_less_to_fit_in_where_the_modulus_has_one_more() {
    let token = Token::new();
    let session = token.user();
    let hash = SignatureHash::named("SHA-256");
    for bits in [2049, 2050] {
        let text = format!("rsa_keygen_bits:{bits}");
        let pem = run("openssl", &["genpkey", "-algorithm", "RSA", "-pkeyopt", &text, "-outform", "DER"], &[]);
        let openssl = Openssl::private(&token.home, &pem);
        let spki = openssl.spki();
        let parts = run("openssl", &["rsa", "-pubin", "-inform", "DER", "-modulus", "-noout"], &spki);
        let modulus = String::from_utf8(parts).unwrap().trim().trim_start_matches("Modulus=").to_owned();
        let modulus = if modulus.len() % 2 == 0 { modulus } else { format!("0{modulus}") };
        let public = ok!(session.create(&RsaKey::public_of(&unhex(&modulus), &[1, 0, 1])));
        // 257 bytes of modulus; 256 or 257 of encoded message.
        let longest = if bits == 2049 { 256 - 2 - 32 } else { 257 - 2 - 32 };
        let salt = format!("rsa_pss_saltlen:{longest}");
        let theirs = openssl.signs("sha256", &["rsa_padding_mode:pss", &salt], MESSAGE);
        ok!(
            session.verify(&pss(CKM_SHA256_RSA_PKCS_PSS, hash, hash, longest), public, MESSAGE, &theirs),
            "{bits} bits"
        );
        let longer = pss(CKM_SHA256_RSA_PKCS_PSS, hash, hash, longest + 1);
        fails!(session.verify_init(&longer, public), CKR_MECHANISM_PARAM_INVALID, "{bits} bits");
    }
}

/// Such a signature has nothing random.
fn pss_salt_may_be_empty() {
    let keys = Keys::new(2048);
    for (hash, [_, hashing, _]) in SignatureHash::signing() {
        let empty = pss(hashing, hash, hash, 0);
        let made = ok!(keys.session.sign(&empty, keys.private, MESSAGE), "{}", hash.name);
        assert_eq!(ok!(keys.session.sign(&empty, keys.private, MESSAGE)), made, "{}", hash.name);
        let salted = pss(hashing, hash, hash, 8);
        let once = ok!(keys.session.sign(&salted, keys.private, MESSAGE));
        assert_ne!(ok!(keys.session.sign(&salted, keys.private, MESSAGE)), once, "{}", hash.name);
    }
}

fn pss_verifies_the_given_salt_alone() {
    let keys = Keys::new(2048);
    for (hash, [_, hashing, _]) in SignatureHash::signing() {
        let made = ok!(keys.session.sign(&pss(hashing, hash, hash, 32), keys.private, MESSAGE), "{}", hash.name);
        for salt in [0, 20, 31, 33] {
            let outcome = keys.session.verify(&pss(hashing, hash, hash, salt), keys.public, MESSAGE, &made);
            fails!(outcome, CKR_SIGNATURE_INVALID, "{}, {salt} bytes", hash.name);
        }
    }
}

fn pss_without_its_parameter_is_refused() {
    let keys = Keys::new(2048);
    let good = [CKM_SHA256 as usize, CKG_MGF1_SHA256 as usize, 32];
    for number in [CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS] {
        let wrong = [
            Mechanism::plain(number),
            Mechanism::null(number, 24),
            Mechanism::words(number, &good[..2]),
            Mechanism::words(number, &[good.as_slice(), &[0]].concat()),
            Mechanism::words(number, &[CKM_MD5 as usize, good[1], 16]),
            Mechanism::words(number, &[CKM_SHA256_HMAC as usize, good[1], 32]),
            Mechanism::words(number, &[good[0], 0, 32]),
            Mechanism::words(number, &[good[0], 99, 32]),
        ];
        for mechanism in &wrong {
            keys.inits(mechanism).into_iter().for_each(|outcome| fails!(outcome, CKR_MECHANISM_PARAM_INVALID));
        }
    }
}

fn parameters_where_none_is_defined_are_refused() {
    let keys = Keys::new(2048);
    let hashing = SignatureHash::signing().map(|(_, [hashing, ..])| hashing);
    for number in hashing.chain([CKM_RSA_PKCS, CKM_RSA_X_509]) {
        for outcome in keys.inits(&Mechanism::with(number, &[0; 16])) {
            fails!(outcome, CKR_MECHANISM_PARAM_INVALID, "{number:#x}");
        }
    }
}

/// `CKM_RSA_X_509`: the input is a number below the modulus, the output always as long as the modulus.
fn bare_primitive_fills_with_zeros_in_front() {
    let keys = Keys::new(2048);
    let bare = Mechanism::plain(CKM_RSA_X_509);
    for length in [0, 1, 32, 255] {
        let made = ok!(keys.session.sign(&bare, keys.private, &vec![9; length]), "{length} bytes");
        assert_eq!(made.len(), 256, "{length} bytes");
        let filled = [vec![0; 256 - length], vec![9; length]].concat();
        assert_eq!(ok!(keys.session.sign(&bare, keys.private, &filled)), made, "{length} bytes");
        let theirs = keys.openssl.pkeyutl("-sign", &["rsa_padding_mode:none"], &filled).unwrap();
        assert_eq!(theirs, made, "{length} bytes");
        ok!(keys.session.verify(&bare, keys.public, &vec![9; length], &made), "{length} bytes");
        ok!(keys.session.verify(&bare, keys.public, &filled, &made), "{length} bytes");
    }
    let modulus = &keys.key.modulus;
    for high in [modulus.clone(), vec![0xff; 256]] {
        fails!(keys.session.sign(&bare, keys.private, &high), CKR_DATA_INVALID, "not below the modulus");
    }
    fails!(keys.session.sign(&bare, keys.private, &[0; 257]), CKR_DATA_LEN_RANGE);
}

fn signatures_of_a_wrong_length_are_named_so() {
    let keys = Keys::new(2048);
    let hash = SignatureHash::named("SHA-256");
    let mechanisms = [
        Mechanism::plain(CKM_SHA256_RSA_PKCS),
        Mechanism::plain(CKM_RSA_PKCS),
        Mechanism::plain(CKM_RSA_X_509),
        pss(CKM_SHA256_RSA_PKCS_PSS, hash, hash, 32),
        pss(CKM_RSA_PKCS_PSS, hash, hash, 32),
    ];
    for mechanism in &mechanisms {
        let message = [5; 32];
        let made = ok!(keys.session.sign(mechanism, keys.private, &message));
        for wrong in [made[1..].to_vec(), made[..255].to_vec(), [vec![0], made.clone()].concat(), vec![], vec![1; 512]]
        {
            let outcome = keys.session.verify(mechanism, keys.public, &message, &wrong);
            fails!(outcome, CKR_SIGNATURE_LEN_RANGE, "{} bytes", wrong.len());
        }
        let mut changed = made.clone();
        changed[255] ^= 1;
        for wrong in [changed, vec![0; 256], vec![0xff; 256], keys.key.modulus.clone()] {
            fails!(keys.session.verify(mechanism, keys.public, &message, &wrong), CKR_SIGNATURE_INVALID);
        }
        fails!(keys.session.verify(mechanism, keys.public, &[6; 32], &made), CKR_SIGNATURE_INVALID);
        ok!(keys.session.verify(mechanism, keys.public, &message, &made));
    }
}

fn messages_come_in_parts_where_the_mechanism_hashes() {
    let keys = Keys::new(2048);
    let text = message(1000);
    let (first, second) = text.split_at(333);
    for (hash, [pkcs1, of_pss, _]) in SignatureHash::signing() {
        // An empty salt, for the same signature again.
        for mechanism in [Mechanism::plain(pkcs1), pss(of_pss, hash, hash, 0)] {
            let whole = ok!(keys.session.sign(&mechanism, keys.private, &text), "{}", hash.name);
            let parts = Sign::parts(&keys.session, &mechanism, keys.private, [first, &[], second]);
            assert_eq!(ok!(parts), whole, "{}", hash.name);
            ok!(keys.session.verify_init(&mechanism, keys.public));
            ok!(keys.session.verify_update(first));
            ok!(keys.session.verify_update(second));
            ok!(keys.session.verify_final(&whole), "{}", hash.name);
            let nothing = ok!(Sign::parts(&keys.session, &mechanism, keys.private, []), "{}", hash.name);
            assert_eq!(ok!(keys.session.sign(&mechanism, keys.private, &[])), nothing, "{}", hash.name);
        }
    }
}

fn a_size_query_and_a_short_buffer_change_nothing() {
    let keys = Keys::new(2048);
    for mechanism in [CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS, CKM_RSA_X_509].map(Mechanism::plain) {
        ok!(Sign::init(&keys.session, &mechanism, keys.private));
        assert_eq!(Sign::whole(&keys.session, MESSAGE, None), (Ok(()), 256));
        let mut short = [GUARD; 255];
        assert_eq!(Sign::whole(&keys.session, MESSAGE, Some(&mut short)), (Err(Rv(CKR_BUFFER_TOO_SMALL)), 256));
        assert_eq!(short, [GUARD; 255], "nothing is written");
        let mut room = [GUARD; 257];
        assert_eq!(Sign::whole(&keys.session, MESSAGE, Some(&mut room)), (Ok(()), 256));
        assert_eq!(room[256], GUARD);
        ok!(keys.session.verify(&mechanism, keys.public, MESSAGE, &room[..256]));
        let (after, _) = Sign::whole(&keys.session, MESSAGE, None);
        fails!(after, CKR_OPERATION_NOT_INITIALIZED);
    }
}

const MESSAGE: &[u8] = b"what is signed";

fn pss(number: CK_MECHANISM_TYPE, hash: &SignatureHash, mgf: &SignatureHash, salt: usize) -> Mechanism {
    Mechanism::pss(number, hash.number.unwrap(), mgf.mgf.unwrap(), salt)
}

/// A session with both halves of a key that openssl has too.
struct Keys {
    token: Token,
    session: Session,
    key: RsaKey,
    public: CK_OBJECT_HANDLE,
    private: CK_OBJECT_HANDLE,
    openssl: Openssl,
}

impl Keys {
    fn new(bits: usize) -> Keys {
        let token = Token::new();
        let session = token.user();
        let key = RsaKey::of_bits(bits);
        let (public, private) = ok!(key.import(&session));
        let openssl = Openssl::private(&token.home, &key.pkcs8);
        Keys { token, session, key, public, private, openssl }
    }

    /// `C_SignInit` and `C_VerifyInit`, and nothing left active.
    fn inits(&self, mechanism: &Mechanism) -> [Result; 2] {
        let outcomes =
            [Sign::init(&self.session, mechanism, self.private), self.session.verify_init(mechanism, self.public)];
        ok!(self.session.cancel(CKF_SIGN | CKF_VERIFY));
        outcomes
    }
}
