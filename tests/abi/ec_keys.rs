//! Keys on elliptic curves as objects: forms of points and curves, checks, what reads back. PKCS#11 3.2, section 6.3.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    points_come_bare_and_wrapped_and_go_out_wrapped,
    curves_come_by_identifier_and_by_name,
    curves_that_are_not_here_are_named_so,
    points_that_are_none_are_refused,
    scalars_are_checked,
    private_values_read_back_or_are_hidden,
    templates_need_curve_and_value,
    public_key_info_is_what_openssl_writes,
    public_key_info_must_be_true,
    edwards_and_montgomery_keys_come_in_every_form,
    a_bare_key_that_looks_wrapped_is_taken_as_it_is,
    edwards_and_montgomery_keys_are_checked,
    attributes_of_other_keys_are_refused,
];

fn points_come_bare_and_wrapped_and_go_out_wrapped() {
    let keys = Keys::new();
    for curve in &CURVES {
        let (openssl, _) = Openssl::on_curve(&keys.token.home, curve);
        let point = point_of(&openssl.spki());
        let theirs = raw_signature(&openssl.pkeyutl("-sign", &[], &[1; 32]).unwrap(), curve.length()).unwrap();
        let compressed = [&[2 | point[2 * curve.length()] & 1], &point[1..=curve.length()]].concat();
        for given in [point.clone(), octet_string(&point), compressed.clone(), octet_string(&compressed)] {
            let public = ok!(keys.session.create(&public(CKK_EC, curve.params, &given)), "{}", curve.name);
            assert_eq!(ok!(keys.session.value(public, CKA_EC_POINT)), octet_string(&point), "{}", curve.name);
            ok!(keys.session.verify(&Mechanism::plain(CKM_ECDSA), public, &[1; 32], &theirs), "{}", curve.name);
        }
    }
}

/// `CKA_EC_PARAMS` is what it was given as, or the identifier.
fn curves_come_by_identifier_and_by_name() {
    let keys = Keys::new();
    for curve in &CURVES {
        let (openssl, scalar) = Openssl::on_curve(&keys.token.home, curve);
        let point = point_of(&openssl.spki());
        for params in [curve.params.to_vec(), curve.params_by_name()] {
            let pair = (public(CKK_EC, &params, &point), private(CKK_EC, &params, &scalar));
            let halves = [ok!(keys.session.create(&pair.0)), ok!(keys.session.create(&pair.1))];
            for half in halves {
                let read = ok!(keys.session.value(half, CKA_EC_PARAMS), "{}", curve.name);
                assert!(read == params || read == curve.params, "{}: {read:02x?}", curve.name);
                let info = ok!(keys.session.value(half, CKA_PUBLIC_KEY_INFO));
                assert_eq!(info, openssl.spki(), "{}", curve.name);
            }
            let made = ok!(keys.session.sign(&Mechanism::plain(CKM_ECDSA), halves[1], &[1; 32]), "{}", curve.name);
            ok!(keys.session.verify(&Mechanism::plain(CKM_ECDSA), halves[0], &[1; 32], &made), "{}", curve.name);
            let public = template![CKA_EC_PARAMS => &params];
            ok!(keys.session.pair(CKM_EC_KEY_PAIR_GEN, &public, &template![]), "{}", curve.name);
        }
    }
}

/// A curve that is not here is another thing than what is no curve. PKCS#11 3.2, section 6.3.
fn curves_that_are_not_here_are_named_so() {
    let keys = Keys::new();
    // secp192r1, brainpoolP256t1, an identifier of nobody; and by name.
    let absent = [
        unhex("06082a8648ce3d030101"),
        unhex("06092b2403030208010108"),
        unhex("06032a0304"),
        printable("secp192r1"),
        printable("nothing"),
    ];
    let broken =
        [vec![], vec![6], unhex("060a2a8648ce3d030107"), unhex("06082a8648ce3d03"), vec![0x13, 5], b"P-256".to_vec()];
    for (params, code) in absent
        .iter()
        .map(|params| (params, CKR_CURVE_NOT_SUPPORTED))
        .chain(broken.iter().map(|params| (params, CKR_DOMAIN_PARAMS_INVALID)))
    {
        let point = [4; 65];
        let outcomes = [
            keys.session.create(&public(CKK_EC, params, &point)),
            keys.session.create(&private(CKK_EC, params, &[1; 32])),
            keys.session
                .pair(CKM_EC_KEY_PAIR_GEN, &template![CKA_EC_PARAMS => params], &template![])
                .map(|pair| pair.0),
        ];
        for outcome in outcomes {
            assert_eq!(outcome, Err(Rv(code)), "{params:02x?}");
        }
    }
    // Parameters in full: those of P-256, whose first field says their version.
    let explicit =
        run("openssl", &["ecparam", "-name", "prime256v1", "-param_enc", "explicit", "-outform", "DER"], &[]);
    let outcome = keys.session.create(&private(CKK_EC, &explicit, &[1; 32]));
    fails!(outcome, CKR_CURVE_NOT_SUPPORTED | CKR_DOMAIN_PARAMS_INVALID);
}

fn points_that_are_none_are_refused() {
    let keys = Keys::new();
    for curve in &CURVES {
        let (openssl, _) = Openssl::on_curve(&keys.token.home, curve);
        let point = point_of(&openssl.spki());
        let mut off = point.clone();
        off[2 * curve.length()] ^= 1;
        let mut hybrid = point.clone();
        hybrid[0] = 6 | point[2 * curve.length()] & 1;
        let wrong = [
            ("off the curve", off),
            ("infinity", vec![0]),
            ("zeros", [vec![4], vec![0; 2 * curve.length()]].concat()),
            ("empty", vec![]),
            ("truncated", point[..2 * curve.length()].to_vec()),
            ("longer", [point.clone(), vec![0]].concat()),
            ("without its form", point[1..].to_vec()),
            ("in the hybrid form", hybrid),
            ("beyond the field", [vec![4], vec![0xff; 2 * curve.length()]].concat()),
            ("in another string", [vec![3, point.len() as u8], point.clone()].concat()),
            ("wrapped twice", octet_string(&octet_string(&point))),
        ];
        for (fault, point) in &wrong {
            for point in [point.clone(), octet_string(point)] {
                let outcome = keys.session.create(&public(CKK_EC, curve.params, &point));
                fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID | CKR_PUBLIC_KEY_INVALID, "{}: {fault}", curve.name);
            }
        }
    }
}

/// From 1 to the order less 1; zeros in front do not count.
fn scalars_are_checked() {
    let keys = Keys::new();
    // SEC 2, section 2.4.2.
    let order = unhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let mut largest = order.clone();
    largest[31] -= 1;
    let params = Curve::named("P-256").params;
    let one = padded(&[1], 32);
    for scalar in [one.clone(), vec![1], [vec![0; 9], one.clone()].concat(), largest.clone()] {
        let template = private(CKK_EC, params, &scalar);
        let key = ok!(keys.session.create(&template.and(template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true])));
        let expected = if scalar == largest { &largest } else { &one };
        assert_eq!(ok!(keys.session.value(key, CKA_VALUE)), *expected, "as long as the order");
    }
    for scalar in [vec![], vec![0], vec![0; 32], order, vec![0xff; 32], [vec![1], vec![0; 32]].concat()] {
        let outcome = keys.session.create(&private(CKK_EC, params, &scalar));
        fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID, "{scalar:02x?}");
    }
}

fn private_values_read_back_or_are_hidden() {
    let keys = Keys::new();
    let value = [0x33; 32];
    let forms = [(CKK_EC, Curve::named("P-256").params), (CKK_EC_EDWARDS, ED25519), (CKK_EC_MONTGOMERY, X25519)];
    for (key_type, params) in forms {
        for (sensitive, extractable) in [(true, true), (true, false), (false, false), (false, true)] {
            let told = template![CKA_SENSITIVE => sensitive, CKA_EXTRACTABLE => extractable];
            let key = ok!(keys.session.create(&private(key_type, params, &value).and(told)));
            match keys.session.value(key, CKA_VALUE) {
                Ok(read) if !sensitive && extractable => assert_eq!(read, value),
                Err(Rv(CKR_ATTRIBUTE_SENSITIVE)) if sensitive || !extractable => {}
                other => panic!("{sensitive} {extractable}: {other:?}"),
            }
            assert_eq!(ok!(keys.session.value(key, CKA_EC_PARAMS)), params);
            let search = template![CKA_VALUE => &value];
            let found = ok!(keys.session.find(&search)).contains(&key);
            assert!(!found || !sensitive && extractable, "a guessing machine");
            ok!(keys.session.destroy(key));
        }
    }
}

fn templates_need_curve_and_value() {
    let keys = Keys::new();
    for key_type in [CKK_EC, CKK_EC_EDWARDS, CKK_EC_MONTGOMERY] {
        let params = match key_type {
            CKK_EC => Curve::named("P-256").params,
            CKK_EC_EDWARDS => ED25519,
            _ => X25519,
        };
        for (class, value) in [(CKO_PUBLIC_KEY, CKA_EC_POINT), (CKO_PRIVATE_KEY, CKA_VALUE)] {
            let bare = template![CKA_CLASS => class, CKA_KEY_TYPE => key_type];
            fails!(keys.session.create(&bare), CKR_TEMPLATE_INCOMPLETE);
            fails!(keys.session.create(&bare.clone().with(CKA_EC_PARAMS, params)), CKR_TEMPLATE_INCOMPLETE);
            fails!(keys.session.create(&bare.with(value, &[4; 32])), CKR_TEMPLATE_INCOMPLETE);
        }
    }
}

fn public_key_info_is_what_openssl_writes() {
    let keys = Keys::new();
    for curve in &CURVES {
        let (openssl, scalar) = Openssl::on_curve(&keys.token.home, curve);
        let spki = openssl.spki();
        let private = ok!(keys.session.create(&curve.private(&scalar)), "{}", curve.name);
        assert_eq!(ok!(keys.session.value(private, CKA_PUBLIC_KEY_INFO)), spki, "{}", curve.name);
        let public = ok!(keys.session.create(&curve.public(&point_of(&spki))), "{}", curve.name);
        assert_eq!(ok!(keys.session.value(public, CKA_PUBLIC_KEY_INFO)), spki, "{}", curve.name);
    }
    for (algorithm, key_type, params) in [("ED25519", CKK_EC_EDWARDS, ED25519), ("X25519", CKK_EC_MONTGOMERY, X25519)] {
        let pkcs8 = run("openssl", &["genpkey", "-algorithm", algorithm, "-outform", "DER"], &[]);
        let spki = Openssl::private(&keys.token.home, &pkcs8).spki();
        let private = ok!(keys.session.create(&private(key_type, params, &pkcs8[16..])), "{algorithm}");
        assert_eq!(ok!(keys.session.value(private, CKA_PUBLIC_KEY_INFO)), spki, "{algorithm}");
        let public = ok!(keys.session.create(&public(key_type, params, &spki[12..])), "{algorithm}");
        assert_eq!(ok!(keys.session.value(public, CKA_PUBLIC_KEY_INFO)), spki, "{algorithm}");
    }
}

/// PKCS#11 3.2, section 4.9.
fn public_key_info_must_be_true() {
    let keys = Keys::new();
    let curve = Curve::named("P-256");
    let (openssl, scalar) = Openssl::on_curve(&keys.token.home, curve);
    let right = openssl.spki();
    let other = Openssl::on_curve(&keys.token.home, curve).0.spki();
    for half in [curve.private(&scalar), curve.public(&point_of(&right))] {
        ok!(keys.session.create(&half.clone().with(CKA_PUBLIC_KEY_INFO, &right)));
        fails!(keys.session.create(&half.clone().with(CKA_PUBLIC_KEY_INFO, &other)), CKR_ATTRIBUTE_VALUE_INVALID);
        fails!(keys.session.create(&half.with(CKA_PUBLIC_KEY_INFO, &[1])), CKR_ATTRIBUTE_VALUE_INVALID);
    }
}

/// PKCS#11 3.1 says bare, 3.0 wrapped; both are taken.
fn edwards_and_montgomery_keys_come_in_every_form() {
    let keys = Keys::new();
    for (algorithm, key_type, params, name) in
        [("ED25519", CKK_EC_EDWARDS, ED25519, "edwards25519"), ("X25519", CKK_EC_MONTGOMERY, X25519, "curve25519")]
    {
        let pkcs8 = run("openssl", &["genpkey", "-algorithm", algorithm, "-outform", "DER"], &[]);
        let spki = Openssl::private(&keys.token.home, &pkcs8).spki();
        let point = spki[12..].to_vec();
        for params in [params.to_vec(), printable(name)] {
            for given in [point.clone(), octet_string(&point)] {
                let public = ok!(keys.session.create(&public(key_type, &params, &given)), "{name}");
                assert_eq!(ok!(keys.session.value(public, CKA_PUBLIC_KEY_INFO)), spki, "{name}");
                let read = ok!(keys.session.value(public, CKA_EC_POINT));
                assert!(read == point || read == octet_string(&point), "{name}: {read:02x?}");
            }
            let private = ok!(keys.session.create(&private(key_type, &params, &pkcs8[16..])), "{name}");
            assert_eq!(ok!(keys.session.value(private, CKA_PUBLIC_KEY_INFO)), spki, "{name}");
        }
    }
}

/// Its first bytes are tag and length of the 30 bytes that follow.
fn a_bare_key_that_looks_wrapped_is_taken_as_it_is() {
    let keys = Keys::new();
    let point = [vec![0x04, 0x1e], vec![0x17; 30]].concat();
    let public = ok!(keys.session.create(&public(CKK_EC_MONTGOMERY, X25519, &point)));
    assert!(ok!(keys.session.value(public, CKA_PUBLIC_KEY_INFO)).ends_with(&point));
}

fn edwards_and_montgomery_keys_are_checked() {
    let keys = Keys::new();
    for (key_type, params) in [(CKK_EC_EDWARDS, ED25519), (CKK_EC_MONTGOMERY, X25519)] {
        for length in [0, 1, 31, 33, 56, 64] {
            let outcome = keys.session.create(&private(key_type, params, &vec![3; length]));
            fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID, "{length} bytes");
            for point in [vec![3; length], octet_string(&vec![3; length])] {
                let outcome = keys.session.create(&public(key_type, params, &point));
                fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID | CKR_PUBLIC_KEY_INVALID, "{length} bytes");
            }
        }
        // Curves of the other kind, and of neither.
        for other in [ED25519, X25519].iter().filter(|other| **other != params).chain([&CURVES[1].params]) {
            let outcome = keys.session.create(&private(key_type, other, &[3; 32]));
            fails!(outcome, CKR_CURVE_NOT_SUPPORTED | CKR_DOMAIN_PARAMS_INVALID);
        }
    }
    // y = 2 is of no point of Ed25519.
    let off = padded(&[2], 32).into_iter().rev().collect::<Vec<_>>();
    let outcome = keys.session.create(&public(CKK_EC_EDWARDS, ED25519, &off));
    fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID | CKR_PUBLIC_KEY_INVALID, "off the curve");
    let outcome = keys.session.create(&private(CKK_EC, ED25519, &[3; 32]));
    fails!(outcome, CKR_CURVE_NOT_SUPPORTED | CKR_DOMAIN_PARAMS_INVALID, "Ed25519 is no CKK_EC");
}

fn attributes_of_other_keys_are_refused() {
    let keys = Keys::new();
    let private = Curve::named("P-256").private(&[1; 32]);
    for wrong in [
        template![CKA_MODULUS => &[1; 256]],
        template![CKA_EC_POINT => &[4; 65]],
        template![CKA_VERIFY => true],
        template![CKA_VALUE_LEN => 32],
    ] {
        fails!(keys.session.create(&private.clone().and(wrong)), CKR_TEMPLATE_INCONSISTENT);
    }
}

fn public(key_type: CK_KEY_TYPE, params: &[u8], point: &[u8]) -> Template {
    let class = template![CKA_CLASS => CKO_PUBLIC_KEY, CKA_KEY_TYPE => key_type];
    class.and(template![CKA_EC_PARAMS => params, CKA_EC_POINT => point])
}

fn private(key_type: CK_KEY_TYPE, params: &[u8], value: &[u8]) -> Template {
    let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => key_type];
    class.and(template![CKA_EC_PARAMS => params, CKA_VALUE => value])
}

struct Keys {
    token: Token,
    session: Session,
}

impl Keys {
    fn new() -> Keys {
        let token = Token::new();
        let session = token.user();
        Keys { token, session }
    }
}
