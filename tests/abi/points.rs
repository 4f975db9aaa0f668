//! The two forms of `CKA_EC_POINT` on Edwards and Montgomery curves: 3.0 has a DER `OCTET STRING`, 3.1 the bytes alone.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    points_are_shown_wrapped_unless_they_are_to_be_raw,
    raw_points_are_found_and_taken_in_both_forms,
    points_of_ec_keys_are_wrapped_whatever_the_setting,
];

const SHAPES: [(CK_MECHANISM_TYPE, &[u8]); 2] =
    [(CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519), (CKM_EC_MONTGOMERY_KEY_PAIR_GEN, X25519)];

fn raw() -> Config {
    Config { edwards_points: "raw", ..Config::default() }
}

/// One store, read under each setting in turn.
fn points_are_shown_wrapped_unless_they_are_to_be_raw() {
    let token = Token::new();
    let mut session = token.user();
    for (mechanism, params) in SHAPES {
        let curve = template![CKA_EC_PARAMS => params, CKA_TOKEN => true, CKA_ID => params];
        ok!(session.pair(mechanism, &curve, &template![]));
    }
    let points = |session: &Session| {
        SHAPES.map(|(_, params)| {
            let found = ok!(session.find(&template![CKA_CLASS => CKO_PUBLIC_KEY, CKA_ID => params]));
            let (point, info) =
                (ok!(session.value(found[0], CKA_EC_POINT)), ok!(session.value(found[0], CKA_PUBLIC_KEY_INFO)));
            (point, info[12..].to_vec())
        })
    };
    for (point, bare) in points(&session) {
        assert_eq!(point, octet_string(&bare));
    }
    token.home.configure(&raw());
    ok!(token.restart());
    session = token.user();
    for (point, bare) in points(&session) {
        assert_eq!(point, bare);
    }
}

fn raw_points_are_found_and_taken_in_both_forms() {
    let token = Token::with(raw());
    let session = token.user();
    for ((mechanism, params), key_type) in SHAPES.into_iter().zip([CKK_EC_EDWARDS, CKK_EC_MONTGOMERY]) {
        let (public, private) = ok!(session.pair(
            mechanism,
            &template![CKA_EC_PARAMS => params],
            &template![CKA_DERIVE => key_type == CKK_EC_MONTGOMERY],
        ));
        let point = ok!(session.value(public, CKA_EC_POINT));
        assert_eq!(point.len(), 32);
        for form in [point.clone(), octet_string(&point)] {
            assert_eq!(ok!(session.find(&template![CKA_EC_POINT => &form])), [public]);
            let again = template![CKA_CLASS => CKO_PUBLIC_KEY, CKA_KEY_TYPE => key_type, CKA_EC_PARAMS => params,
                                  CKA_EC_POINT => &form];
            let again = ok!(session.create(&again));
            assert_eq!(ok!(session.value(again, CKA_EC_POINT)), point);
            ok!(session.destroy(again));
            if key_type == CKK_EC_MONTGOMERY {
                assert_eq!(ok!(session.derived(&Mechanism::ecdh_plain(&form), private)).len(), 32);
            }
        }
        // What a copy shows is the same, and too little room is told as for any value.
        let copy = ok!(session.copy(public, &template![]));
        assert_eq!(ok!(session.value(copy, CKA_EC_POINT)), point);
        let (outcome, values) = session.values(public, &[(CKA_EC_POINT, 31)]);
        fails!(outcome, CKR_BUFFER_TOO_SMALL);
        assert_eq!(values[0].0, CK_UNAVAILABLE_INFORMATION);
    }
}

fn points_of_ec_keys_are_wrapped_whatever_the_setting() {
    let token = Token::with(raw());
    let session = token.user();
    for curve in &CURVES {
        let (public, _) = curve.pair(&session);
        let point = ok!(session.value(public, CKA_EC_POINT));
        assert_eq!(octets(&point).len(), 2 * curve.length() + 1, "{}", curve.name);
    }
}
