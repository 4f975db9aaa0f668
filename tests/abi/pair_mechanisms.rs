//! The mechanisms of key pairs in the list: their information is true, and which keys they take. PKCS#11 3.2, sections 5.5.2,
//! 5.1.6, 6.1 and 6.3.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    information_is_what_it_is,
    no_flag_is_missing_and_none_too_many,
    sizes_are_enforced_in_both_directions,
    keys_that_do_not_fit_have_their_codes,
    the_class_counts_as_the_type,
    allowed_mechanisms_bind_every_use,
];

const EC: CK_FLAGS = CKF_EC_F_P | CKF_EC_OID | CKF_EC_CURVENAME | CKF_EC_UNCOMPRESS;
const SIGNS: CK_FLAGS = CKF_SIGN | CKF_VERIFY;
const RECOVERS: CK_FLAGS = CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER;
const SEALS: CK_FLAGS = CKF_ENCRYPT | CKF_DECRYPT;
const WRAPS: CK_FLAGS = CKF_WRAP | CKF_UNWRAP;

/// Mechanism, flags, shortest and longest key in bits. `CKF_EC_COMPRESS` and `CKF_HW` are left open.
fn list() -> Vec<(CK_MECHANISM_TYPE, CK_FLAGS, CK_ULONG, CK_ULONG)> {
    list_from(2048)
}

/// The same where RSA keys serve from so many bits.
fn list_from(shortest: CK_ULONG) -> Vec<(CK_MECHANISM_TYPE, CK_FLAGS, CK_ULONG, CK_ULONG)> {
    let fixed = [
        (CKM_RSA_PKCS_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR, 2048, 8192),
        (CKM_RSA_PKCS, SIGNS | RECOVERS | SEALS | WRAPS, shortest, 8192),
        (CKM_RSA_X_509, SIGNS | RECOVERS | SEALS, shortest, 8192),
        (CKM_RSA_PKCS_OAEP, SEALS | WRAPS, shortest, 8192),
        (CKM_RSA_PKCS_PSS, SIGNS, shortest, 8192),
        (CKM_RSA_AES_KEY_WRAP, WRAPS, shortest, 8192),
        (CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR | EC, 224, 521),
        (CKM_ECDSA, SIGNS | EC, 224, 521),
        (CKM_ECDH1_DERIVE, CKF_DERIVE | EC, 224, 521),
        (CKM_ECDH1_COFACTOR_DERIVE, CKF_DERIVE | EC, 224, 521),
        (CKM_EC_EDWARDS_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR | EC, 255, 255),
        (CKM_EDDSA, SIGNS | EC, 255, 255),
        (CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR | EC, 255, 255),
    ];
    let hashing = SignatureHash::signing().flat_map(|(_, [pkcs1, pss, ecdsa])| {
        [(pkcs1, SIGNS, shortest, 8192), (pss, SIGNS, shortest, 8192), (ecdsa, SIGNS | EC, 224, 521)]
    });
    fixed.into_iter().chain(hashing).collect()
}

fn information_is_what_it_is() {
    let token = Token::new();
    is_told(&token, 2048);
    ok!(token.module.finalize());
    let short = Token::with_rsa_1024();
    is_told(&short, 1024);
}

fn is_told(token: &Token, shortest_rsa: CK_ULONG) {
    let listed = ok!(token.module.mechanisms(token.slot));
    for (mechanism, flags, shortest, longest) in list_from(shortest_rsa) {
        assert!(listed.contains(&mechanism), "{mechanism:#x}");
        let info = ok!(token.module.mechanism_info(token.slot, mechanism), "{mechanism:#x}");
        assert_eq!(info.flags & !(CKF_EC_COMPRESS | CKF_HW), flags, "{mechanism:#x}");
        assert_eq!(info.ulMinKeySize, shortest, "{mechanism:#x}");
        assert_eq!(info.ulMaxKeySize, longest, "{mechanism:#x}");
    }
    for absent in [CKM_RSA_X9_31, CKM_RSA_9796, CKM_MD5_RSA_PKCS, CKM_DSA, CKM_ECMQV_DERIVE, CKM_DH_PKCS_DERIVE] {
        assert!(!listed.contains(&absent));
        fails!(token.module.mechanism_info(token.slot, absent), CKR_MECHANISM_INVALID);
    }
}

/// What a flag says works, and what no flag says is `CKR_MECHANISM_INVALID`.
fn no_flag_is_missing_and_none_too_many() {
    let keys = Keys::new();
    let session = &keys.session;
    let target = ok!(session.aes_key(16, template![CKA_EXTRACTABLE => true]));
    for (number, flags, ..) in list() {
        let mechanism = keys.mechanism(number);
        let (public, private) = keys.fitting(number);
        let judge = |flag: CK_FLAGS, outcome: Result| match outcome {
            Ok(()) if flags & flag != 0 => {}
            Err(Rv(CKR_MECHANISM_INVALID)) if flags & flag == 0 => {}
            other => panic!("{number:#x}, flag {flag:#x}: {other:?}"),
        };
        judge(CKF_ENCRYPT, Encrypt::init(session, &mechanism, public));
        judge(CKF_DECRYPT, Decrypt::init(session, &mechanism, private));
        judge(CKF_SIGN, Sign::init(session, &mechanism, private));
        judge(CKF_VERIFY, session.verify_init(&mechanism, public));
        judge(CKF_DIGEST, Digest::init(session, &mechanism, 0));
        ok!(session.cancel(CKF_ENCRYPT | CKF_DECRYPT | CKF_SIGN | CKF_VERIFY | CKF_DIGEST));
        judge(CKF_GENERATE, session.generate(&mechanism, &template![CKA_VALUE_LEN => 16]).map(drop));
        let pair = match number {
            CKM_RSA_PKCS_KEY_PAIR_GEN => template![CKA_MODULUS_BITS => 2048],
            CKM_EC_EDWARDS_KEY_PAIR_GEN => template![CKA_EC_PARAMS => ED25519],
            CKM_EC_MONTGOMERY_KEY_PAIR_GEN => template![CKA_EC_PARAMS => X25519],
            _ => template![CKA_EC_PARAMS => CURVES[0].params],
        };
        judge(CKF_GENERATE_KEY_PAIR, session.pair_by(&mechanism, &pair, &template![]).map(drop));
        judge(CKF_WRAP, session.wrap(&mechanism, public, target).map(drop));
        let class = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES, CKA_VALUE_LEN => 16];
        let unwrapped = session.unwrap(&mechanism, private, &[1; 280], &class).map(drop);
        let blob_at_fault = [Err(Rv(CKR_WRAPPED_KEY_INVALID)), Err(Rv(CKR_WRAPPED_KEY_LEN_RANGE))];
        judge(CKF_UNWRAP, if blob_at_fault.contains(&unwrapped) { Ok(()) } else { unwrapped });
        judge(CKF_DERIVE, session.derive(&mechanism, private, &template![CKA_VALUE_LEN => 16]).map(drop));
    }
}

/// What is beyond is refused when it is made, but for RSA keys of 1024 bits: they exist, and serve where that was said.
fn sizes_are_enforced_in_both_directions() {
    let token = Token::new();
    let session = token.user();
    let (public, private) = ok!(RsaKey::of_bits(1024).import(&session));
    for (number, flags, ..) in list().into_iter().filter(|(.., longest)| *longest == 8192) {
        for (_, init, takes_public) in INITS.iter().filter(|(flag, ..)| flags & flag != 0) {
            let outcome = init(&session, &with_parameter(number, &[]), if *takes_public { public } else { private });
            fails!(outcome, CKR_KEY_SIZE_RANGE, "{number:#x}");
        }
    }
    ok!(token.module.finalize());
    let token = Token::with_rsa_1024();
    let session = &token.user();
    for bits in [1024, 8192] {
        let key = RsaKey::of_bits(bits);
        let (public, private) = ok!(key.import(session), "{bits} bits");
        let made = ok!(session.sign(&Mechanism::plain(CKM_SHA256_RSA_PKCS), private, b"message"), "{bits} bits");
        assert_eq!(made.len(), bits / 8);
        ok!(session.verify(&Mechanism::plain(CKM_SHA256_RSA_PKCS), public, b"message", &made));
    }
    for curve in &CURVES {
        let (public, private) = curve.pair(session);
        let made = ok!(session.sign(&Mechanism::plain(CKM_ECDSA), private, &[1; 32]), "{}", curve.name);
        ok!(session.verify(&Mechanism::plain(CKM_ECDSA), public, &[1; 32], &made));
    }
    // A PSS of SHA-512 with a salt as long does not fit into 1024 bits.
    let (public, private) = ok!(RsaKey::of_bits(1024).import(session));
    let fitting = Mechanism::pss(CKM_SHA512_RSA_PKCS_PSS, CKM_SHA512, CKG_MGF1_SHA512, 62);
    let made = ok!(session.sign(&fitting, private, b"message"));
    ok!(session.verify(&fitting, public, b"message", &made));
    let wrong = Mechanism::pss(CKM_SHA512_RSA_PKCS_PSS, CKM_SHA512, CKG_MGF1_SHA512, 63);
    fails!(Sign::init(session, &wrong, private), CKR_MECHANISM_PARAM_INVALID);
    fails!(session.verify_init(&wrong, public), CKR_MECHANISM_PARAM_INVALID);
}

type Init = fn(&Session, &Mechanism, CK_OBJECT_HANDLE) -> Result;

/// Flag, Init, and whether it takes the public half.
const INITS: [(CK_FLAGS, Init, bool); 4] = [
    (CKF_ENCRYPT, Encrypt::init, true),
    (CKF_DECRYPT, Decrypt::init, false),
    (CKF_SIGN, Sign::init, false),
    (CKF_VERIFY, Session::verify_init, true),
];

/// Handle, type, usage, in this order.
fn keys_that_do_not_fit_have_their_codes() {
    let keys = Keys::new();
    let session = &keys.session;
    let secret = ok!(session.aes_key(16, template![]));
    let no_public = template![CKA_ENCRYPT => false, CKA_VERIFY => false, CKA_WRAP => false];
    let no_private = template![CKA_DECRYPT => false, CKA_SIGN => false, CKA_UNWRAP => false, CKA_DERIVE => false];
    let rsa = RsaKey::of_bits(2048);
    let ec = template![CKA_EC_PARAMS => CURVES[1].params].and(no_public.clone());
    let edwards = template![CKA_EC_PARAMS => ED25519].and(no_public.clone());
    let useless_rsa = (
        ok!(session.create(&rsa.public().and(no_public))),
        ok!(session.create(&rsa.private().and(no_private.clone()))),
    );
    let useless_ec = ok!(session.pair(CKM_EC_KEY_PAIR_GEN, &ec, &no_private));
    let useless_edwards = ok!(session.pair(CKM_EC_EDWARDS_KEY_PAIR_GEN, &edwards, &no_private));
    for (number, flags, ..) in list() {
        let mechanism = keys.mechanism(number);
        let own = keys.fitting(number);
        let useless = match own {
            own if own == keys.rsa => useless_rsa,
            own if own == keys.ec => useless_ec,
            _ => useless_edwards,
        };
        for (_, init, takes_public) in INITS.iter().filter(|(flag, ..)| flags & flag != 0) {
            let half = |pair: (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)| if *takes_public { pair.0 } else { pair.1 };
            for none in [0, CK_ULONG::MAX] {
                fails!(init(session, &mechanism, none), CKR_KEY_HANDLE_INVALID, "{number:#x}");
            }
            fails!(init(session, &mechanism, secret), CKR_KEY_TYPE_INCONSISTENT, "{number:#x}, a secret key");
            for other in [keys.rsa, keys.ec, keys.edwards, keys.montgomery].into_iter().filter(|other| *other != own) {
                fails!(init(session, &mechanism, half(other)), CKR_KEY_TYPE_INCONSISTENT, "{number:#x}: type");
            }
            fails!(init(session, &mechanism, half(useless)), CKR_KEY_FUNCTION_NOT_PERMITTED, "{number:#x}");
        }
    }
    for symmetric in [CKM_AES_ECB, CKM_AES_CMAC, CKM_SHA256_HMAC].map(Mechanism::plain) {
        for key in [keys.rsa.0, keys.rsa.1, keys.ec.1] {
            let outcomes = [Encrypt::init(session, &symmetric, key), Sign::init(session, &symmetric, key)];
            assert!(outcomes.contains(&Err(Rv(CKR_KEY_TYPE_INCONSISTENT))), "{outcomes:?}");
        }
    }
}

/// A private key verifies and encrypts nothing, a public one signs and decrypts nothing.
fn the_class_counts_as_the_type() {
    let keys = Keys::new();
    for (number, flags, ..) in list() {
        let mechanism = keys.mechanism(number);
        let (public, private) = keys.fitting(number);
        for (_, init, takes_public) in INITS.iter().filter(|(flag, ..)| flags & flag != 0) {
            let wrong = if *takes_public { private } else { public };
            fails!(init(&keys.session, &mechanism, wrong), CKR_KEY_TYPE_INCONSISTENT, "{number:#x}");
        }
    }
}

fn allowed_mechanisms_bind_every_use() {
    let keys = Keys::new();
    let session = &keys.session;
    let allowed = [CKM_SHA256_RSA_PKCS.to_ne_bytes(), CKM_RSA_PKCS_OAEP.to_ne_bytes()].concat();
    let told = template![CKA_ALLOWED_MECHANISMS => &allowed];
    let key = RsaKey::of_bits(2048);
    let public = ok!(session.create(&key.public().and(told.clone())));
    let private = ok!(session.create(&key.private().and(told)));
    for (number, flags, ..) in list().into_iter().filter(|(number, ..)| keys.fitting(*number) == keys.rsa) {
        for (_, init, takes_public) in INITS.iter().filter(|(flag, ..)| flags & flag != 0) {
            let outcome = init(session, &keys.mechanism(number), if *takes_public { public } else { private });
            match number {
                CKM_SHA256_RSA_PKCS | CKM_RSA_PKCS_OAEP => ok!(outcome, "{number:#x}"),
                _ => fails!(outcome, CKR_MECHANISM_INVALID, "{number:#x}"),
            }
            ok!(session.cancel(CKF_ENCRYPT | CKF_DECRYPT | CKF_SIGN | CKF_VERIFY));
        }
    }
    let only = template![CKA_ALLOWED_MECHANISMS => &CKM_ECDSA.to_ne_bytes(), CKA_DERIVE => true];
    let (_, bound) = ok!(session.pair(CKM_EC_KEY_PAIR_GEN, &template![CKA_EC_PARAMS => CURVES[1].params], &only));
    fails!(session.derived(&keys.mechanism(CKM_ECDH1_DERIVE), bound), CKR_MECHANISM_INVALID);
    ok!(session.sign(&Mechanism::plain(CKM_ECDSA), bound, &[1; 32]));
}

/// A pair of each kind, public first.
struct Keys {
    _token: Token,
    session: Session,
    rsa: (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE),
    ec: (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE),
    edwards: (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE),
    montgomery: (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE),
    point: Vec<u8>,
}

impl Keys {
    fn new() -> Keys {
        let token = Token::new();
        let session = token.user();
        let rsa = ok!(RsaKey::of_bits(2048).import(&session));
        let ec = Curve::named("P-256").pair(&session);
        let pair = |mechanism, params: &[u8]| {
            ok!(session.pair(mechanism, &template![CKA_EC_PARAMS => params], &template![]), "{mechanism:#x}")
        };
        let edwards = pair(CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519);
        let montgomery = pair(CKM_EC_MONTGOMERY_KEY_PAIR_GEN, X25519);
        let point = octets(&ok!(session.value(ec.0, CKA_EC_POINT)));
        Keys { _token: token, session, rsa, ec, edwards, montgomery, point }
    }

    fn mechanism(&self, number: CK_MECHANISM_TYPE) -> Mechanism {
        with_parameter(number, &self.point)
    }
    /// The pair that the mechanism takes.
    fn fitting(&self, number: CK_MECHANISM_TYPE) -> (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE) {
        let is_ecdsa = SignatureHash::signing().any(|(_, [_, _, ecdsa])| ecdsa == number);
        match number {
            CKM_EC_KEY_PAIR_GEN | CKM_ECDSA | CKM_ECDH1_DERIVE | CKM_ECDH1_COFACTOR_DERIVE => self.ec,
            CKM_EC_EDWARDS_KEY_PAIR_GEN | CKM_EDDSA => self.edwards,
            CKM_EC_MONTGOMERY_KEY_PAIR_GEN => self.montgomery,
            _ if is_ecdsa => self.ec,
            _ => self.rsa,
        }
    }
}

/// The mechanism with a parameter as it must be; ECDH with this point.
fn with_parameter(number: CK_MECHANISM_TYPE, point: &[u8]) -> Mechanism {
    static OAEP: [usize; 5] = [CKM_SHA256 as usize, CKG_MGF1_SHA256 as usize, CKZ_DATA_SPECIFIED as usize, 0, 0];
    let pss = |hash: &SignatureHash| hash.pss(number, hash, 20);
    match number {
        CKM_RSA_PKCS_PSS => pss(SignatureHash::named("SHA-256")),
        CKM_RSA_PKCS_OAEP => Mechanism::words(number, &OAEP),
        CKM_RSA_AES_KEY_WRAP => Mechanism::words(number, &[256, OAEP.as_ptr().expose_provenance()]),
        CKM_ECDH1_DERIVE | CKM_ECDH1_COFACTOR_DERIVE => Mechanism::ecdh(number, CKD_NULL, &[], point),
        _ => match SignatureHash::signing().find(|(_, [_, of_pss, _])| *of_pss == number) {
            Some((hash, _)) => pss(hash),
            None => Mechanism::plain(number),
        },
    }
}
