//! What tells the forms of AES key wrap from each other: initial values, padding, and `CKM_AES_KEY_WRAP_PAD`, which stands
//! for two of them. PKCS#11 3.2, section 6.16.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    an_iv_of_the_callers_binds_what_is_wrapped,
    the_callers_iv_agrees_with_openssl,
    ivs_that_a_form_does_not_take_are_refused,
    pkcs7_is_key_wrap_over_padding,
    key_wrap_pad_wraps_by_rfc_5649,
    key_wrap_pad_wraps_by_pkcs7_where_configured,
    key_wrap_pad_opens_both_and_has_one_code_for_every_fault,
];

const IV: [u8; 8] = *b"callers!";

fn an_iv_of_the_callers_binds_what_is_wrapped() {
    let Wraps { session, kek, .. } = &Wraps::new("rfc5649");
    let key = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true]));
    for form in [CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_PKCS7] {
        let (own, standard) = (Mechanism::with(form, &IV), Mechanism::plain(form));
        let wrapped = ok!(session.wrap(&own, *kek, key));
        assert_ne!(wrapped, ok!(session.wrap(&standard, *kek, key)));
        let back = ok!(session.unwrap(&own, *kek, &wrapped, &aes()));
        assert_eq!(ok!(session.wrap(&own, *kek, back)), wrapped);
        fails!(session.unwrap(&standard, *kek, &wrapped, &aes()), CKR_WRAPPED_KEY_INVALID);
        for bit in 0..64 {
            let mut other = IV;
            other[bit / 8] ^= 1 << (bit % 8);
            let outcome = session.unwrap(&Mechanism::with(form, &other), *kek, &wrapped, &aes());
            fails!(outcome, CKR_WRAPPED_KEY_INVALID, "{form:#x}, bit {bit}");
        }
        let sealed = ok!(session.encrypt(&own, *kek, &message(32)));
        assert_eq!(ok!(session.decrypt(&own, *kek, &sealed)), message(32));
        fails!(session.decrypt(&standard, *kek, &sealed), CKR_ENCRYPTED_DATA_INVALID);
    }
}

fn the_callers_iv_agrees_with_openssl() {
    let Wraps { session, .. } = &Wraps::new("rfc5649");
    for length in [16, 24, 32] {
        let value = ok!(session.random(length));
        let kek = ok!(session.aes_key_of(&value, both()));
        let cipher = format!("id-aes{}-wrap", length * 8);
        for size in [16, 24, 64, 4096] {
            let wrapped = ok!(session.encrypt(&Mechanism::with(CKM_AES_KEY_WRAP, &IV), kek, &message(size)));
            assert_eq!(openssl_enc("-e", &cipher, &value, &hex(&IV), &message(size)), wrapped);
        }
    }
}

/// Eight bytes of any value where RFC 3394 is beneath; RFC 5649 has one initial value, and so has what may be either.
fn ivs_that_a_form_does_not_take_are_refused() {
    let Wraps { session, kek, .. } = &Wraps::new("rfc5649");
    let key = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true]));
    let (rfc_3394, rfc_5649): (&[u8], &[u8]) = (&[0xa6; 8], &[0xa6, 0x59, 0x59, 0xa6]);
    let forms: [(_, &[&[u8]]); 4] = [
        (CKM_AES_KEY_WRAP, &[rfc_3394, &IV]),
        (CKM_AES_KEY_WRAP_PKCS7, &[rfc_3394, &IV]),
        (CKM_AES_KEY_WRAP_KWP, &[rfc_5649]),
        (CKM_AES_KEY_WRAP_PAD, &[rfc_3394, rfc_5649]),
    ];
    let tried: [&[u8]; 9] =
        [rfc_3394, rfc_5649, &IV, &[0xa6], &[0; 4], &[0xa6; 7], &[0xa6; 9], &[0; 16], &[0xa6, 0x59, 0x59, 0xa7]];
    for (form, taken) in forms {
        let wrapped = ok!(session.wrap(&Mechanism::plain(form), *kek, key));
        for iv in tried {
            let mechanism = Mechanism::with(form, iv);
            let outcomes = [
                session.wrap(&mechanism, *kek, key).map(drop),
                session.unwrap(&mechanism, *kek, &wrapped, &aes()).map(drop),
                session.encrypt(&mechanism, *kek, &message(32)).map(drop),
                Decrypt::init(session, &mechanism, *kek),
            ];
            let _ = session.cancel(CKF_DECRYPT);
            for outcome in outcomes {
                match outcome {
                    Err(Rv(CKR_MECHANISM_PARAM_INVALID)) if !taken.contains(&iv) => {}
                    Ok(()) if taken.contains(&iv) => {}
                    Err(Rv(CKR_WRAPPED_KEY_INVALID)) if iv == IV && taken.contains(&iv) => {}
                    other => panic!("{form:#x} with {iv:02x?}: {other:?}"),
                }
            }
            if taken.contains(&iv) && iv != IV {
                assert_eq!(ok!(session.wrap(&mechanism, *kek, key)), wrapped, "it is the standard's own");
            }
        }
        fails!(session.wrap(&Mechanism::null(form, 8), *kek, key), CKR_MECHANISM_PARAM_INVALID);
    }
}

/// As NSS has it: 1 to 8 bytes, always; 32 bytes become 48.
fn pkcs7_is_key_wrap_over_padding() {
    let Wraps { session, kek, .. } = &Wraps::new("rfc5649");
    let (pkcs7, plain) = (Mechanism::plain(CKM_AES_KEY_WRAP_PKCS7), Mechanism::plain(CKM_AES_KEY_WRAP));
    for length in 8..=40 {
        let value = message(length);
        let key = ok!(session.create(&readable_secret().with(CKA_VALUE, &value)));
        let padding = 8 - length % 8;
        let padded = [value.clone(), vec![padding as u8; padding]].concat();
        let wrapped = ok!(session.wrap(&pkcs7, *kek, key));
        assert_eq!(ok!(session.encrypt(&plain, *kek, &padded)), wrapped, "{length} bytes");
        let back = ok!(session.unwrap(&pkcs7, *kek, &wrapped, &readable_secret()));
        assert_eq!(ok!(session.value(back, CKA_VALUE)), value);
    }
}

fn key_wrap_pad_wraps_by_rfc_5649() {
    wraps_as(&Wraps::new("rfc5649"), CKM_AES_KEY_WRAP_KWP);
}

fn key_wrap_pad_wraps_by_pkcs7_where_configured() {
    wraps_as(&Wraps::new("pkcs7"), CKM_AES_KEY_WRAP_PKCS7);
}

/// By `C_WrapKey` and by `C_Encrypt`; where the form carries no such length, the pad mechanism does not either.
fn wraps_as(Wraps { session, kek, .. }: &Wraps, form: CK_MECHANISM_TYPE) {
    let (pad, form) = (Mechanism::plain(CKM_AES_KEY_WRAP_PAD), Mechanism::plain(form));
    for length in [1, 7, 8, 9, 15, 16, 20, 32, 33, 64] {
        let key = ok!(session.create(&readable_secret().with(CKA_VALUE, &message(length))));
        let expected = session.wrap(&form, *kek, key);
        assert_eq!(session.wrap(&pad, *kek, key), expected, "{length} bytes");
        assert_eq!(session.wrap_into(&pad, *kek, key, None), session.wrap_into(&form, *kek, key, None));
        let sealed = session.encrypt(&form, *kek, &message(length));
        assert_eq!(session.encrypt(&pad, *kek, &message(length)), sealed, "{length} bytes");
    }
}

fn key_wrap_pad_opens_both_and_has_one_code_for_every_fault() {
    for configured in ["rfc5649", "pkcs7"] {
        let Wraps { session, kek, .. } = &Wraps::new(configured);
        let (pad, plain) = (Mechanism::plain(CKM_AES_KEY_WRAP_PAD), Mechanism::plain(CKM_AES_KEY_WRAP));
        for form in [CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PKCS7] {
            let form = Mechanism::plain(form);
            for length in 8..=33 {
                let value = message(length);
                let wrapped = ok!(session.encrypt(&form, *kek, &value));
                assert_eq!(ok!(session.decrypt(&pad, *kek, &wrapped)), value);
                let back = ok!(session.unwrap(&pad, *kek, &wrapped, &readable_secret()), "{length} bytes");
                assert_eq!(ok!(session.value(back, CKA_VALUE)), value);
                let told = readable_secret().with(CKA_VALUE_LEN, length as CK_ULONG);
                ok!(session.unwrap(&pad, *kek, &wrapped, &told), "the length may be said");
                let wrong = readable_secret().with(CKA_VALUE_LEN, length as CK_ULONG + 1);
                fails!(session.unwrap(&pad, *kek, &wrapped, &wrong), CKR_WRAPPED_KEY_LEN_RANGE);
            }
            let wrapped = ok!(session.encrypt(&form, *kek, &message(20)));
            for bit in 0..wrapped.len() * 8 {
                let mut changed = wrapped.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let outcome = session.unwrap(&pad, *kek, &changed, &readable_secret());
                fails!(outcome, CKR_WRAPPED_KEY_INVALID, "bit {bit}");
                fails!(session.decrypt(&pad, *kek, &changed), CKR_ENCRYPTED_DATA_INVALID, "bit {bit}");
            }
        }
        // Wrapped by the right key, but the padding is none.
        for end in [[1, 2, 3, 4, 5, 6, 7, 0], [9; 8], [8, 8, 8, 7, 8, 8, 8, 8], [0, 0, 0, 0, 0, 0, 0, 2], [255; 8]] {
            let wrapped = ok!(session.encrypt(&plain, *kek, &[message(16).as_slice(), &end].concat()));
            for form in [CKM_AES_KEY_WRAP_PAD, CKM_AES_KEY_WRAP_PKCS7].map(Mechanism::plain) {
                let outcome = session.unwrap(&form, *kek, &wrapped, &readable_secret());
                fails!(outcome, CKR_WRAPPED_KEY_INVALID, "{end:?}");
                fails!(session.decrypt(&form, *kek, &wrapped), CKR_ENCRYPTED_DATA_INVALID, "{end:?}");
            }
        }
    }
}

/// A token with a key that wraps, under a configuration.
struct Wraps {
    _token: Token,
    session: Session,
    kek: CK_OBJECT_HANDLE,
}

impl Wraps {
    fn new(key_wrap_pad: &'static str) -> Wraps {
        let module = Module::load();
        let _ = module.finalize();
        let token = Token::with(Config { key_wrap_pad, ..Config::default() });
        let session = token.user();
        let kek = ok!(session.aes_key(32, both()));
        Wraps { _token: token, session, kek }
    }
}

fn both() -> Template {
    template![CKA_WRAP => true, CKA_UNWRAP => true, CKA_ENCRYPT => true, CKA_DECRYPT => true]
}

fn aes() -> Template {
    template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES]
}

fn readable_secret() -> Template {
    let secret = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET];
    secret.and(template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true])
}
