//! The mechanism list: what is there, that its information is true, and what keys and parameters a mechanism takes.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    the_list_is_what_it_is,
    information_is_there_for_what_is_listed_alone,
    every_flag_is_true,
    key_sizes_hold,
    parameters_where_none_is_defined_are_refused,
    ivs_of_a_wrong_length_are_refused,
    keys_that_do_not_fit_have_their_codes,
    allowed_mechanisms_bind_every_use,
];

/// Mechanism, flags, shortest and longest key in the mechanism's own unit; 0 and 0 where there is no key. The longest
/// generic secret is the token's choice.
const AES: [(CK_MECHANISM_TYPE, CK_FLAGS, CK_ULONG, CK_ULONG); 13] = [
    (CKM_AES_KEY_GEN, CKF_GENERATE, 16, 32),
    (CKM_AES_ECB, CKF_ENCRYPT | CKF_DECRYPT, 16, 32),
    (CKM_AES_CBC, CKF_ENCRYPT | CKF_DECRYPT, 16, 32),
    (CKM_AES_CBC_PAD, CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP, 16, 32),
    (CKM_AES_CTR, CKF_ENCRYPT | CKF_DECRYPT, 16, 32),
    (CKM_AES_GCM, CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP, 16, 32),
    (CKM_AES_KEY_WRAP, CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP, 16, 32),
    (CKM_AES_KEY_WRAP_PAD, CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP, 16, 32),
    (CKM_AES_KEY_WRAP_KWP, CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP, 16, 32),
    (CKM_AES_KEY_WRAP_PKCS7, CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP, 16, 32),
    (CKM_AES_CMAC, CKF_SIGN | CKF_VERIFY, 16, 32),
    (CKM_AES_CMAC_GENERAL, CKF_SIGN | CKF_VERIFY, 16, 32),
    (CKM_GENERIC_SECRET_KEY_GEN, CKF_GENERATE, 8, OPEN),
];

/// Those, and four of each hash.
fn list() -> Vec<(CK_MECHANISM_TYPE, CK_FLAGS, CK_ULONG, CK_ULONG)> {
    let hashes = HASHES.iter().flat_map(|hash| {
        [
            (hash.digest, CKF_DIGEST, 0, 0),
            (hash.hmac, CKF_SIGN | CKF_VERIFY, 8, OPEN),
            (hash.hmac_general, CKF_SIGN | CKF_VERIFY, 8, OPEN),
            (hash.key_gen, CKF_GENERATE, 8, OPEN),
        ]
    });
    AES.into_iter().chain(hashes).collect()
}

const OPEN: CK_ULONG = CK_ULONG::MAX;

fn the_list_is_what_it_is() {
    let token = Token::new();
    let mut listed = ok!(token.module.mechanisms(token.slot));
    let mut expected: Vec<_> = list().into_iter().map(|(mechanism, ..)| mechanism).collect();
    expected.extend(super::curves::MECHANISMS);
    expected.extend(super::rsa::MECHANISMS);
    expected.push(super::masked::CKM_KEYSTEAD_MASK);
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
}

fn information_is_there_for_what_is_listed_alone() {
    let token = Token::new();
    for (mechanism, flags, shortest, longest) in list() {
        let info = ok!(token.module.mechanism_info(token.slot, mechanism), "{mechanism:#x}");
        assert_eq!(info.flags, flags, "{mechanism:#x}");
        assert_eq!(info.ulMinKeySize, shortest, "{mechanism:#x}");
        if longest == OPEN {
            // 512 bytes at least, and Java multiplies by eight in 32 bits.
            assert!((4096..=i32::MAX as CK_ULONG / 8).contains(&info.ulMaxKeySize), "{mechanism:#x}");
        } else {
            assert_eq!(info.ulMaxKeySize, longest, "{mechanism:#x}");
        }
    }
    for absent in [CKM_RSA_9796, CKM_AES_CCM, CKM_MD5, 0x7fff_0000, CKM_VENDOR_DEFINED, CK_ULONG::MAX] {
        fails!(token.module.mechanism_info(token.slot, absent), CKR_MECHANISM_INVALID);
    }
}

/// What a flag says works, and what no flag says is refused.
fn every_flag_is_true() {
    let keys = Keys::new();
    let session = &keys.session;
    let wrapped = ok!(session.wrap(&Mechanism::plain(CKM_AES_KEY_WRAP), keys.aes, keys.target));
    let target = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES];
    for (number, flags, ..) in list() {
        let mechanism = keys.mechanism(number);
        let key = keys.fitting(number);
        let judge = |flag: CK_FLAGS, outcome: Result| match outcome {
            Ok(()) if flags & flag != 0 => {}
            Err(Rv(CKR_MECHANISM_INVALID)) if flags & flag == 0 => {}
            other => panic!("{number:#x}, flag {flag:#x}: {other:?}"),
        };
        judge(CKF_ENCRYPT, Encrypt::init(session, &mechanism, key));
        judge(CKF_DECRYPT, Decrypt::init(session, &mechanism, key));
        judge(CKF_SIGN, Sign::init(session, &mechanism, key));
        judge(CKF_VERIFY, session.verify_init(&mechanism, key));
        judge(CKF_DIGEST, Digest::init(session, &mechanism, 0));
        ok!(session.cancel(CKF_ENCRYPT | CKF_DECRYPT | CKF_SIGN | CKF_VERIFY | CKF_DIGEST));
        let length = template![CKA_VALUE_LEN => 16];
        judge(CKF_GENERATE, session.generate(&mechanism, &length).map(drop));
        judge(CKF_WRAP, session.wrap(&mechanism, keys.aes, keys.target).map(drop));
        let unwrapped = session.unwrap(&mechanism, keys.aes, &wrapped, &target).map(drop);
        // The wrapped key is not of this form, which is another matter.
        let other_form = [Err(Rv(CKR_WRAPPED_KEY_INVALID)), Err(Rv(CKR_WRAPPED_KEY_LEN_RANGE))].contains(&unwrapped);
        judge(CKF_UNWRAP, if other_form { Ok(()) } else { unwrapped });
    }
}

fn key_sizes_hold() {
    let token = Token::new();
    let session = token.user();
    let generate = |mechanism, length: CK_ULONG| {
        session.generate(&Mechanism::plain(mechanism), &template![CKA_VALUE_LEN => length])
    };
    for length in [16, 24, 32] {
        ok!(generate(CKM_AES_KEY_GEN, length));
    }
    for length in [0, 1, 8, 15, 17, 20, 33, 64, 1 << 32, CK_ULONG::MAX] {
        fails!(generate(CKM_AES_KEY_GEN, length), CKR_ATTRIBUTE_VALUE_INVALID, "{length} bytes");
    }
    for length in [1, 2, 31, 64, 512] {
        let key = ok!(generate(CKM_GENERIC_SECRET_KEY_GEN, length), "{length} bytes");
        assert_eq!(ok!(session.number(key, CKA_VALUE_LEN)), length);
        ok!(Sign::init(&session, &Mechanism::plain(CKM_SHA256_HMAC), key));
        ok!(session.cancel(CKF_SIGN));
    }
    let info = ok!(token.module.mechanism_info(token.slot, CKM_GENERIC_SECRET_KEY_GEN));
    ok!(generate(CKM_GENERIC_SECRET_KEY_GEN, info.ulMaxKeySize / 8), "the longest");
    for length in [0, info.ulMaxKeySize / 8 + 1, CK_ULONG::MAX] {
        fails!(generate(CKM_GENERIC_SECRET_KEY_GEN, length), CKR_ATTRIBUTE_VALUE_INVALID, "{length} bytes");
    }
    for mechanism in [CKM_AES_KEY_GEN, CKM_GENERIC_SECRET_KEY_GEN] {
        let outcome = session.generate(&Mechanism::plain(mechanism), &template![]);
        fails!(outcome, CKR_TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN is missing");
    }
}

fn parameters_where_none_is_defined_are_refused() {
    let keys = Keys::new();
    let session = &keys.session;
    for (number, flags, ..) in list() {
        let takes_one = flags & CKF_ENCRYPT != 0 && number != CKM_AES_ECB || is_general(number);
        if takes_one {
            continue;
        }
        let mechanism = Mechanism::with(number, &[0; 16]);
        let outcome = match flags {
            CKF_DIGEST => Digest::init(session, &mechanism, 0),
            CKF_GENERATE => session.generate(&mechanism, &template![CKA_VALUE_LEN => 16]).map(drop),
            _ if number == CKM_AES_ECB => Encrypt::init(session, &mechanism, keys.aes),
            _ => Sign::init(session, &mechanism, keys.fitting(number)),
        };
        fails!(outcome, CKR_MECHANISM_PARAM_INVALID, "{number:#x}");
    }
}

fn ivs_of_a_wrong_length_are_refused() {
    let keys = Keys::new();
    for number in [CKM_AES_CBC, CKM_AES_CBC_PAD] {
        let lengths = [0, 1, 8, 12, 15, 17, 32].map(|length| Mechanism::with(number, &vec![0; length]));
        for wrong in lengths.into_iter().chain([Mechanism::plain(number), Mechanism::null(number, 16)]) {
            fails!(Encrypt::init(&keys.session, &wrong, keys.aes), CKR_MECHANISM_PARAM_INVALID, "{number:#x}");
            fails!(Decrypt::init(&keys.session, &wrong, keys.aes), CKR_MECHANISM_PARAM_INVALID, "{number:#x}");
        }
    }
}

/// Handle, type, usage, in this order. PKCS#11 3.2, section 5.1.6.
fn keys_that_do_not_fit_have_their_codes() {
    let keys = Keys::new();
    let session = &keys.session;
    let bare = template![CKA_ENCRYPT => false, CKA_DECRYPT => false, CKA_SIGN => false, CKA_VERIFY => false];
    let useless = ok!(session.aes_key(16, bare.clone()));
    let secret = template![CKA_VALUE_LEN => 16].and(bare);
    let useless_secret = ok!(session.generate(&Mechanism::plain(CKM_GENERIC_SECRET_KEY_GEN), &secret));
    let dead = ok!(session.aes_key(16, template![]));
    ok!(session.destroy(dead));
    for (number, flags, ..) in list() {
        type Init = fn(&Session, &Mechanism, CK_OBJECT_HANDLE) -> Result;
        let inits: [(CK_FLAGS, Init); 4] = [
            (CKF_ENCRYPT, Encrypt::init),
            (CKF_DECRYPT, Decrypt::init),
            (CKF_SIGN, Sign::init),
            (CKF_VERIFY, Session::verify_init),
        ];
        for (_, init) in inits.iter().filter(|(flag, _)| flags & flag != 0) {
            let mechanism = keys.mechanism(number);
            for none in [0, dead, CK_ULONG::MAX] {
                fails!(init(session, &mechanism, none), CKR_KEY_HANDLE_INVALID, "{number:#x}");
            }
            let (wrong, useless) = match keys.fitting(number) == keys.aes {
                true => (useless_secret, useless),
                false => (useless, useless_secret),
            };
            fails!(init(session, &mechanism, wrong), CKR_KEY_TYPE_INCONSISTENT, "{number:#x}: type before usage");
            fails!(init(session, &mechanism, useless), CKR_KEY_FUNCTION_NOT_PERMITTED, "{number:#x}");
        }
    }
}

fn allowed_mechanisms_bind_every_use() {
    let keys = Keys::new();
    let session = &keys.session;
    let two = [CKM_AES_CBC.to_ne_bytes(), CKM_AES_CMAC.to_ne_bytes()].concat();
    let key = ok!(session.aes_key(16, template![CKA_ALLOWED_MECHANISMS => &two]));
    assert_eq!(ok!(session.value(key, CKA_ALLOWED_MECHANISMS)), two);
    for (number, flags, ..) in list() {
        let mechanism = keys.mechanism(number);
        let outcome = match flags {
            _ if keys.fitting(number) != keys.aes || flags == CKF_GENERATE || flags == CKF_DIGEST => continue,
            flags if flags & CKF_SIGN != 0 => Sign::init(session, &mechanism, key),
            _ => Encrypt::init(session, &mechanism, key),
        };
        match number {
            CKM_AES_CBC | CKM_AES_CMAC => ok!(outcome, "{number:#x}"),
            _ => fails!(outcome, CKR_MECHANISM_INVALID, "{number:#x}"),
        }
        ok!(session.cancel(CKF_ENCRYPT | CKF_SIGN));
    }
    let none = ok!(session.aes_key(16, template![CKA_ALLOWED_MECHANISMS => b""]));
    fails!(Encrypt::init(session, &cbc(), none), CKR_MECHANISM_INVALID, "an empty list allows nothing");
    let open = ok!(session.aes_key(16, template![]));
    fails!(session.value(open, CKA_ALLOWED_MECHANISMS), CKR_ATTRIBUTE_TYPE_INVALID);
    for length in [1, 7, 9] {
        let outcome = session.aes_key(16, template![CKA_ALLOWED_MECHANISMS => &vec![0; length]]);
        fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID);
    }
}

/// A session, and a key for each kind of mechanism.
struct Keys {
    _token: Token,
    session: Session,
    aes: CK_OBJECT_HANDLE,
    secret: CK_OBJECT_HANDLE,
    target: CK_OBJECT_HANDLE,
}

impl Keys {
    fn new() -> Keys {
        let token = Token::new();
        let session = token.user();
        let uses = template![CKA_ENCRYPT => true, CKA_DECRYPT => true, CKA_WRAP => true, CKA_UNWRAP => true];
        let aes = ok!(session.aes_key(32, uses));
        let secret = session.generate(&Mechanism::plain(CKM_GENERIC_SECRET_KEY_GEN), &template![CKA_VALUE_LEN => 32]);
        let target = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true]));
        Keys { _token: token, session, aes, secret: ok!(secret), target }
    }

    /// The mechanism with a parameter as it must be.
    fn mechanism(&self, number: CK_MECHANISM_TYPE) -> Mechanism {
        match number {
            CKM_AES_CBC => cbc(),
            CKM_AES_CBC_PAD => cbc_pad(),
            CKM_AES_CTR => ctr(),
            CKM_AES_GCM => gcm(),
            general if is_general(general) => Mechanism::words(general, &[8]),
            _ => Mechanism::plain(number),
        }
    }

    /// The key that the mechanism takes.
    fn fitting(&self, number: CK_MECHANISM_TYPE) -> CK_OBJECT_HANDLE {
        let is_hmac = HASHES.iter().any(|hash| [hash.hmac, hash.hmac_general].contains(&number));
        if is_hmac { self.secret } else { self.aes }
    }
}

/// Whether the parameter is the length of a MAC.
fn is_general(number: CK_MECHANISM_TYPE) -> bool {
    number == CKM_AES_CMAC_GENERAL || HASHES.iter().any(|hash| hash.hmac_general == number)
}
