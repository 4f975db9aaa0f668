//! `C_GenerateKeyPair`: templates of both halves, what the token sets, and all or nothing. PKCS#11 3.2, sections 5.18.2, 6.1
//! and 6.3.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    rsa_pairs_have_the_size_and_exponent_asked_for,
    rsa_sizes_out_of_range_are_refused,
    rsa_exponents_that_are_none_are_refused,
    pairs_on_curves_need_a_curve,
    both_halves_have_the_history_of_a_pair,
    history_of_the_private_half_follows_its_template,
    both_halves_have_the_same_public_key_info,
    halves_work_together,
    defaults_are_those_of_the_type,
    class_and_type_may_be_said_if_they_fit,
    what_the_token_sets_may_not_be_given,
    values_that_are_not_well_formed_are_refused,
    a_failed_pair_leaves_nothing,
    places_that_are_closed_are_refused,
    parameters_are_refused,
];

fn rsa_pairs_have_the_size_and_exponent_asked_for() {
    let (_token, session) = user();
    let exponents = [(None, vec![1, 0, 1]), (Some(vec![3]), vec![3]), (Some(vec![0, 1, 0, 1]), vec![1, 0, 1])];
    for (asked, expected) in exponents {
        let template = template![CKA_MODULUS_BITS => 2048];
        let template = asked.iter().fold(template, |template, asked| template.with(CKA_PUBLIC_EXPONENT, asked));
        let (public, private) = ok!(session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &template, &template![]), "{asked:?}");
        for half in [public, private] {
            assert_eq!(ok!(session.value(half, CKA_PUBLIC_EXPONENT)), expected);
            let modulus = ok!(session.value(half, CKA_MODULUS));
            assert!(modulus.len() == 256 && modulus[0] & 0x80 != 0 && modulus[255] & 1 == 1);
        }
        assert_eq!(ok!(session.value(public, CKA_MODULUS)), ok!(session.value(private, CKA_MODULUS)));
        assert_eq!(ok!(session.number(public, CKA_MODULUS_BITS)), 2048);
        fails!(session.value(private, CKA_MODULUS_BITS), CKR_ATTRIBUTE_TYPE_INVALID, "of public keys alone");
    }
    let (public, _) = ok!(session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &template![CKA_MODULUS_BITS => 3072], &template![]));
    assert_eq!(ok!(session.value(public, CKA_MODULUS)).len(), 384);
}

/// Missing and out of range are two things. 1024 bits are for keys that exist already.
fn rsa_sizes_out_of_range_are_refused() {
    let (token, session) = user();
    let generate = |template: &Template| session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, template, &template![]);
    fails!(generate(&template![]), CKR_TEMPLATE_INCOMPLETE);
    fails!(generate(&template![CKA_PUBLIC_EXPONENT => &[1, 0, 1]]), CKR_TEMPLATE_INCOMPLETE);
    let info = ok!(token.module.mechanism_info(token.slot, CKM_RSA_PKCS_KEY_PAIR_GEN));
    assert_eq!((info.ulMinKeySize, info.ulMaxKeySize), (2048, 8192));
    for bits in [0, 1, 64, 512, 1024, 2047, 8193, 16384, (1 << 32) + 2048, CK_ULONG::MAX] {
        fails!(generate(&template![CKA_MODULUS_BITS => bits]), CKR_ATTRIBUTE_VALUE_INVALID, "{bits} bits");
    }
}

fn rsa_exponents_that_are_none_are_refused() {
    let (_token, session) = user();
    for exponent in [vec![], vec![0], vec![1], vec![2], vec![4], vec![1, 0, 0], vec![0xff; 300]] {
        let template = template![CKA_MODULUS_BITS => 2048, CKA_PUBLIC_EXPONENT => &exponent];
        let outcome = session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &template, &template![]);
        match exponent.len() {
            300 => fails!(outcome, CKR_TEMPLATE_INCONSISTENT | CKR_ATTRIBUTE_VALUE_INVALID),
            _ => fails!(outcome, CKR_TEMPLATE_INCONSISTENT, "{exponent:02x?}"),
        }
    }
}

fn pairs_on_curves_need_a_curve() {
    let (_token, session) = user();
    let mechanisms = [
        (CKM_EC_KEY_PAIR_GEN, CURVES[1].params),
        (CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519),
        (CKM_EC_MONTGOMERY_KEY_PAIR_GEN, X25519),
    ];
    for (mechanism, params) in mechanisms {
        fails!(session.pair(mechanism, &template![], &template![]), CKR_TEMPLATE_INCOMPLETE, "{mechanism:#x}");
        for (_, other) in mechanisms.iter().filter(|(other, _)| *other != mechanism) {
            let outcome = session.pair(mechanism, &template![CKA_EC_PARAMS => *other], &template![]);
            fails!(outcome, CKR_CURVE_NOT_SUPPORTED | CKR_DOMAIN_PARAMS_INVALID, "{mechanism:#x}");
        }
        let (public, private) = ok!(session.pair(mechanism, &template![CKA_EC_PARAMS => params], &template![]));
        for half in [public, private] {
            assert_eq!(ok!(session.value(half, CKA_EC_PARAMS)), params);
        }
    }
    let ed25519_by_name = template![CKA_EC_PARAMS => &printable("edwards25519")];
    ok!(session.pair(CKM_EC_EDWARDS_KEY_PAIR_GEN, &ed25519_by_name, &template![]));
    let x25519_by_name = template![CKA_EC_PARAMS => &printable("curve25519")];
    ok!(session.pair(CKM_EC_MONTGOMERY_KEY_PAIR_GEN, &x25519_by_name, &template![]));
}

fn both_halves_have_the_history_of_a_pair() {
    let (_token, session) = user();
    for (mechanism, key_type, template) in kinds() {
        let (public, private) = ok!(session.pair(mechanism, &template, &template![]), "{mechanism:#x}");
        for (half, class) in [(public, CKO_PUBLIC_KEY), (private, CKO_PRIVATE_KEY)] {
            assert_eq!(ok!(session.number(half, CKA_CLASS)), class);
            assert_eq!(ok!(session.number(half, CKA_KEY_TYPE)), key_type);
            assert!(ok!(session.flag(half, CKA_LOCAL)), "{mechanism:#x}");
            assert_eq!(ok!(session.number(half, CKA_KEY_GEN_MECHANISM)), mechanism);
        }
        assert!(ok!(session.flag(private, CKA_ALWAYS_SENSITIVE)));
        assert!(ok!(session.flag(private, CKA_NEVER_EXTRACTABLE)));
        for attribute in [CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_SENSITIVE, CKA_EXTRACTABLE] {
            fails!(session.value(public, attribute), CKR_ATTRIBUTE_TYPE_INVALID, "{attribute:#x}");
        }
        let unique = [public, private].map(|half| ok!(session.value(half, CKA_UNIQUE_ID)));
        assert_ne!(unique[0], unique[1]);
    }
}

fn history_of_the_private_half_follows_its_template() {
    let (_token, session) = user();
    for (sensitive, extractable) in [(true, false), (true, true), (false, false), (false, true)] {
        let told = template![CKA_SENSITIVE => sensitive, CKA_EXTRACTABLE => extractable];
        let public = template![CKA_EC_PARAMS => CURVES[1].params];
        let (_, private) = ok!(session.pair(CKM_EC_KEY_PAIR_GEN, &public, &told));
        assert_eq!(ok!(session.flag(private, CKA_ALWAYS_SENSITIVE)), sensitive);
        assert_eq!(ok!(session.flag(private, CKA_NEVER_EXTRACTABLE)), !extractable);
        match session.value(private, CKA_VALUE) {
            Ok(value) if !sensitive && extractable => assert_eq!(value.len(), 32),
            Err(Rv(CKR_ATTRIBUTE_SENSITIVE)) if sensitive || !extractable => {}
            other => panic!("{sensitive} {extractable}: {other:?}"),
        }
        ok!(session.set(private, &template![CKA_SENSITIVE => true]));
        assert_eq!(ok!(session.flag(private, CKA_ALWAYS_SENSITIVE)), sensitive, "what was open stays so");
    }
}

/// And openssl reads it.
fn both_halves_have_the_same_public_key_info() {
    let (token, session) = user();
    for (mechanism, _, template) in kinds() {
        let (public, private) = ok!(session.pair(mechanism, &template, &template![]));
        let info = ok!(session.value(public, CKA_PUBLIC_KEY_INFO), "{mechanism:#x}");
        assert_eq!(ok!(session.value(private, CKA_PUBLIC_KEY_INFO)), info, "{mechanism:#x}");
        assert_eq!(Openssl::public(&token.home, &info).spki(), info, "{mechanism:#x}");
        if mechanism != CKM_RSA_PKCS_KEY_PAIR_GEN {
            let point = ok!(session.value(public, CKA_EC_POINT));
            assert!(point.ends_with(&point_of(&info)), "{mechanism:#x}");
            fails!(session.value(private, CKA_EC_POINT), CKR_ATTRIBUTE_TYPE_INVALID);
        }
    }
}

fn halves_work_together() {
    let (_token, session) = user();
    for (mechanism, _, template) in kinds() {
        let signing = match mechanism {
            CKM_RSA_PKCS_KEY_PAIR_GEN => CKM_SHA256_RSA_PKCS,
            CKM_EC_KEY_PAIR_GEN => CKM_ECDSA_SHA256,
            CKM_EC_EDWARDS_KEY_PAIR_GEN => CKM_EDDSA,
            _ => continue,
        };
        let pairs = [0, 1].map(|_| ok!(session.pair(mechanism, &template, &template![])));
        let made = ok!(session.sign(&Mechanism::plain(signing), pairs[0].1, b"message"), "{signing:#x}");
        ok!(session.verify(&Mechanism::plain(signing), pairs[0].0, b"message", &made), "{signing:#x}");
        let outcome = session.verify(&Mechanism::plain(signing), pairs[1].0, b"message", &made);
        fails!(outcome, CKR_SIGNATURE_INVALID, "{signing:#x}: another pair");
    }
}

fn defaults_are_those_of_the_type() {
    let (_token, session) = user();
    for (mechanism, _, template) in kinds() {
        let (public, private) = ok!(session.pair(mechanism, &template, &template![]));
        let rsa = mechanism == CKM_RSA_PKCS_KEY_PAIR_GEN;
        let montgomery = mechanism == CKM_EC_MONTGOMERY_KEY_PAIR_GEN;
        let weierstrass = mechanism == CKM_EC_KEY_PAIR_GEN;
        for (half, attribute, expected) in [
            (public, CKA_TOKEN, false),
            (public, CKA_PRIVATE, false),
            (public, CKA_VERIFY, !montgomery),
            (public, CKA_ENCRYPT, rsa),
            (public, CKA_WRAP, rsa),
            (public, CKA_DERIVE, false),
            (public, CKA_TRUSTED, false),
            (private, CKA_TOKEN, false),
            (private, CKA_PRIVATE, true),
            (private, CKA_SENSITIVE, true),
            (private, CKA_EXTRACTABLE, false),
            (private, CKA_SIGN, !montgomery),
            (private, CKA_DECRYPT, rsa),
            (private, CKA_UNWRAP, rsa),
            (private, CKA_DERIVE, weierstrass || montgomery),
            (private, CKA_ALWAYS_AUTHENTICATE, false),
            (private, CKA_WRAP_WITH_TRUSTED, false),
            (private, CKA_MODIFIABLE, true),
            (private, CKA_COPYABLE, true),
            (private, CKA_DESTROYABLE, true),
        ] {
            let flag = ok!(session.flag(half, attribute), "{mechanism:#x}, {attribute:#x}");
            assert_eq!(flag, expected, "{mechanism:#x}, {attribute:#x}");
        }
    }
}

/// PKCS#11 3.2, section 5.18.1.
fn class_and_type_may_be_said_if_they_fit() {
    let (_token, session) = user();
    for (mechanism, key_type, public) in kinds() {
        let said = |class, key_type| template![CKA_CLASS => class, CKA_KEY_TYPE => key_type];
        let right = public.clone().and(said(CKO_PUBLIC_KEY, key_type));
        ok!(session.pair(mechanism, &right, &said(CKO_PRIVATE_KEY, key_type)), "{mechanism:#x}");
        for wrong in [said(CKO_PRIVATE_KEY, key_type), said(CKO_SECRET_KEY, key_type), said(CKO_PUBLIC_KEY, CKK_AES)] {
            let outcome = session.pair(mechanism, &public.clone().and(wrong), &template![]);
            fails!(outcome, CKR_TEMPLATE_INCONSISTENT, "{mechanism:#x}, public");
        }
        for wrong in [said(CKO_PUBLIC_KEY, key_type), said(CKO_DATA, key_type), said(CKO_PRIVATE_KEY, CKK_AES)] {
            let outcome = session.pair(mechanism, &public, &wrong);
            fails!(outcome, CKR_TEMPLATE_INCONSISTENT, "{mechanism:#x}, private");
        }
    }
}

fn what_the_token_sets_may_not_be_given() {
    let (_token, session) = user();
    for (mechanism, _, public) in kinds() {
        for given in [template![CKA_LOCAL => true], template![CKA_KEY_GEN_MECHANISM => mechanism]] {
            let outcome = session.pair(mechanism, &public.clone().and(given.clone()), &template![]);
            fails!(outcome, CKR_ATTRIBUTE_READ_ONLY, "{mechanism:#x}, public");
            fails!(session.pair(mechanism, &public, &given), CKR_ATTRIBUTE_READ_ONLY, "{mechanism:#x}, private");
        }
        for given in [template![CKA_ALWAYS_SENSITIVE => true], template![CKA_NEVER_EXTRACTABLE => true]] {
            fails!(session.pair(mechanism, &public, &given), CKR_ATTRIBUTE_READ_ONLY, "{mechanism:#x}, private");
        }
        let value = if mechanism == CKM_RSA_PKCS_KEY_PAIR_GEN { CKA_PRIME_1 } else { CKA_VALUE };
        let outcome = session.pair(mechanism, &public, &Template::default().with(value, &[1; 32]));
        fails!(outcome, CKR_ATTRIBUTE_READ_ONLY, "{mechanism:#x}, {value:#x}");
        let outcome = session.pair(mechanism, &public.and(template![CKA_TRUSTED => true]), &template![]);
        fails!(outcome, CKR_ATTRIBUTE_READ_ONLY, "the SO alone says what is trusted");
    }
}

fn values_that_are_not_well_formed_are_refused() {
    let (_token, session) = user();
    for (mechanism, _, public) in kinds() {
        for wrong in [
            template![CKA_TOKEN => &[0; 8]],
            template![CKA_TOKEN => &[2]],
            template![CKA_ID => &[1], CKA_DERIVE => b""],
            template![CKA_CLASS => &[3]],
            template![CKA_START_DATE => "2026-1-1"],
        ] {
            let outcome = session.pair(mechanism, &public.clone().and(wrong.clone()), &template![]);
            fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID, "{mechanism:#x}, public");
            fails!(session.pair(mechanism, &public, &wrong), CKR_ATTRIBUTE_VALUE_INVALID, "{mechanism:#x}, private");
        }
        let unknown = template![0x7fff_0000 => true];
        fails!(session.pair(mechanism, &public, &unknown), CKR_ATTRIBUTE_TYPE_INVALID, "{mechanism:#x}");
        fails!(session.pair(mechanism, &public.clone().and(unknown), &template![]), CKR_ATTRIBUTE_TYPE_INVALID);
        let of_the_other_half = template![CKA_VERIFY => true];
        fails!(session.pair(mechanism, &public, &of_the_other_half), CKR_TEMPLATE_INCONSISTENT, "{mechanism:#x}");
        let of_the_other_half = public.and(template![CKA_SIGN => true]);
        fails!(session.pair(mechanism, &of_the_other_half, &template![]), CKR_TEMPLATE_INCONSISTENT);
    }
    for bits in [vec![0; 4], vec![0; 9], vec![]] {
        let outcome = session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &template![CKA_MODULUS_BITS => &bits], &template![]);
        fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID);
    }
}

/// Whichever half is at fault. That the handles stay as they were, `Session::pair` sees.
fn a_failed_pair_leaves_nothing() {
    let (_token, session) = user();
    let before = ok!(session.find(&template![])).len();
    for (mechanism, _, public) in kinds() {
        let kept = template![CKA_TOKEN => true, CKA_LABEL => "kept"];
        let wrong = kept.clone().and(template![CKA_LOCAL => true]);
        fails!(session.pair(mechanism, &public.clone().and(kept.clone()), &wrong), CKR_ATTRIBUTE_READ_ONLY);
        fails!(session.pair(mechanism, &public.clone().and(wrong), &kept), CKR_ATTRIBUTE_READ_ONLY);
    }
    assert_eq!(ok!(session.find(&template![])).len(), before);
}

fn places_that_are_closed_are_refused() {
    let (token, session) = user();
    let read_only = ok!(token.module.read_only(token.slot));
    let on_token = template![CKA_TOKEN => true];
    for (mechanism, _, public) in kinds() {
        let outcome = read_only.pair(mechanism, &public, &on_token);
        fails!(outcome, CKR_SESSION_READ_ONLY, "{mechanism:#x}, private");
        let outcome = read_only.pair(mechanism, &public.clone().and(on_token.clone()), &template![]);
        fails!(outcome, CKR_SESSION_READ_ONLY, "{mechanism:#x}, public");
    }
    ok!(session.logout());
    for (mechanism, _, public) in kinds() {
        let outcome = session.pair(mechanism, &public, &template![CKA_PRIVATE => true]);
        fails!(outcome, CKR_USER_NOT_LOGGED_IN, "{mechanism:#x}");
        let outcome = session.pair(mechanism, &public.and(template![CKA_PRIVATE => true]), &template![]);
        fails!(outcome, CKR_USER_NOT_LOGGED_IN, "{mechanism:#x}, public");
    }
}

fn parameters_are_refused() {
    let (_token, session) = user();
    for (mechanism, _, public) in kinds() {
        let outcome = session.pair_by(&Mechanism::with(mechanism, &[0; 16]), &public, &template![]);
        fails!(outcome, CKR_MECHANISM_PARAM_INVALID, "{mechanism:#x}");
        fails!(session.generate(&Mechanism::plain(mechanism), &public), CKR_MECHANISM_INVALID, "makes pairs alone");
    }
    let outcome = session.pair(CKM_AES_KEY_GEN, &template![CKA_VALUE_LEN => 16], &template![]);
    fails!(outcome, CKR_MECHANISM_INVALID, "makes no pairs");
}

/// Mechanism, key type and what the public template needs.
fn kinds() -> [(CK_MECHANISM_TYPE, CK_KEY_TYPE, Template); 4] {
    [
        (CKM_RSA_PKCS_KEY_PAIR_GEN, CKK_RSA, template![CKA_MODULUS_BITS => 2048]),
        (CKM_EC_KEY_PAIR_GEN, CKK_EC, template![CKA_EC_PARAMS => CURVES[2].params]),
        (CKM_EC_EDWARDS_KEY_PAIR_GEN, CKK_EC_EDWARDS, template![CKA_EC_PARAMS => ED25519]),
        (CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKK_EC_MONTGOMERY, template![CKA_EC_PARAMS => X25519]),
    ]
}

fn user() -> (Token, Session) {
    let token = Token::new();
    let session = token.user();
    (token, session)
}
