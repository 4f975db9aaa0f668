//! RSA-PSS: its parameters and what they bind. PKCS#11 3.2, sections 6.1.10 and 6.1.11.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    pss_signs_what_openssl_verifies_and_the_reverse,
    pss_takes_a_digest_alone,
    pss_hash_is_the_mechanisms,
    pss_generator_may_be_of_another_hash_and_counts,
    pss_salt_is_bounded_by_the_modulus,
    pss_salt_has_a_bit_less_to_fit_in_where_the_modulus_has_one_more,
    pss_salt_may_be_empty,
    pss_verifies_the_given_salt_alone,
    pss_without_its_parameter_is_refused,
];

fn pss_signs_what_openssl_verifies_and_the_reverse() {
    let keys = RsaPair::new();
    for (hash, [_, hashing, _]) in SignatureHash::signing() {
        let length = (hash.digest)(MESSAGE).len();
        for salt in [0, 8, length, 256 - 2 - length] {
            let mechanism = hash.pss(hashing, hash, salt);
            let salt = format!("rsa_pss_saltlen:{salt}");
            let options = ["rsa_padding_mode:pss", &salt];
            let made = ok!(keys.session.sign(&mechanism, keys.private, MESSAGE), "{}, {salt}", hash.name);
            assert!(keys.theirs.verifies(&hash.openssl(), &options, MESSAGE, &made), "{}, {salt}", hash.name);
            let theirs = keys.openssl.signs(&hash.openssl(), &options, MESSAGE);
            ok!(keys.session.verify(&mechanism, keys.public, MESSAGE, &theirs), "{}, {salt}", hash.name);
        }
    }
}

fn pss_takes_a_digest_alone() {
    let keys = RsaPair::new();
    for (hash, _) in SignatureHash::signing() {
        let mechanism = hash.pss(CKM_RSA_PKCS_PSS, hash, 20);
        let digest = (hash.digest)(MESSAGE);
        let made = ok!(keys.session.sign(&mechanism, keys.private, &digest), "{}", hash.name);
        ok!(keys.session.verify(&mechanism, keys.public, &digest, &made), "{}", hash.name);
        for wrong in [&digest[1..], &[digest.as_slice(), &[0]].concat(), &[]] {
            fails!(keys.session.sign(&mechanism, keys.private, wrong), CKR_DATA_LEN_RANGE, "{}", hash.name);
            fails!(keys.session.verify(&mechanism, keys.public, wrong, &made), CKR_DATA_LEN_RANGE, "{}", hash.name);
        }
    }
}

fn pss_hash_is_the_mechanisms() {
    let keys = RsaPair::new();
    for (of_mechanism, [_, hashing, _]) in SignatureHash::signing() {
        for (of_parameter, _) in SignatureHash::signing() {
            let mechanism = of_parameter.pss(hashing, of_parameter, 20);
            let outcomes = keys.signing_inits(&mechanism);
            match of_mechanism.name == of_parameter.name {
                true => outcomes.into_iter().for_each(|outcome| ok!(outcome, "{}", of_parameter.name)),
                false => outcomes.into_iter().for_each(|outcome| {
                    fails!(outcome, CKR_MECHANISM_PARAM_INVALID, "{} in {}", of_parameter.name, of_mechanism.name)
                }),
            }
        }
    }
}

fn pss_generator_may_be_of_another_hash_and_counts() {
    let keys = RsaPair::new();
    for (hash, [_, hashing, _]) in SignatureHash::signing() {
        for (mgf, _) in SignatureHash::signing() {
            let mechanism = hash.pss(hashing, mgf, 20);
            let made = ok!(keys.session.sign(&mechanism, keys.private, MESSAGE), "{} and {}", hash.name, mgf.name);
            let generator = format!("rsa_mgf1_md:{}", mgf.openssl());
            let options = ["rsa_padding_mode:pss", "rsa_pss_saltlen:20", &generator];
            assert!(keys.theirs.verifies(&hash.openssl(), &options, MESSAGE, &made), "{} and {}", hash.name, mgf.name);
            let other = SignatureHash::signing().find(|(other, _)| other.name != mgf.name).unwrap().0;
            let outcome = keys.session.verify(&hash.pss(hashing, other, 20), keys.public, MESSAGE, &made);
            fails!(outcome, CKR_SIGNATURE_INVALID, "{} is not {}", other.name, mgf.name);
        }
    }
}

fn pss_salt_is_bounded_by_the_modulus() {
    let keys = RsaPair::new();
    for (hash, [_, hashing, _]) in SignatureHash::signing() {
        let longest = 256 - 2 - (hash.digest)(MESSAGE).len();
        for number in [hashing, CKM_RSA_PKCS_PSS] {
            for salt in [longest + 1, 255, 256, 1 << 31, 1 << 32, 1 << 63, usize::MAX] {
                for outcome in keys.signing_inits(&hash.pss(number, hash, salt)) {
                    fails!(outcome, CKR_MECHANISM_PARAM_INVALID, "{}, {salt} bytes", hash.name);
                }
            }
        }
    }
}

/// The encoded message has a bit less than the modulus. RFC 8017, section 8.1.1.
fn pss_salt_has_a_bit_less_to_fit_in_where_the_modulus_has_one_more() {
    let token = Token::new();
    let session = token.user();
    let hash = SignatureHash::named("SHA-256");
    for bits in [2049, 2050] {
        let text = format!("rsa_keygen_bits:{bits}");
        let pem = run("openssl", &["genpkey", "-algorithm", "RSA", "-pkeyopt", &text, "-outform", "DER"], &[]);
        let openssl = Openssl::private(&token.home, &pem);
        let spki = openssl.spki();
        let parts = run("openssl", &["rsa", "-pubin", "-inform", "DER", "-modulus", "-noout"], &spki);
        let modulus = String::from_utf8(parts).unwrap().trim().trim_start_matches("Modulus=").to_owned();
        let modulus = if modulus.len().is_multiple_of(2) { modulus } else { format!("0{modulus}") };
        let public = ok!(session.create(&RsaKey::public_of(&unhex(&modulus), &[1, 0, 1])));
        // 257 bytes of modulus; 256 or 257 of encoded message.
        let longest = if bits == 2049 { 256 - 2 - 32 } else { 257 - 2 - 32 };
        let salt = format!("rsa_pss_saltlen:{longest}");
        let theirs = openssl.signs("sha256", &["rsa_padding_mode:pss", &salt], MESSAGE);
        ok!(session.verify(&hash.pss(CKM_SHA256_RSA_PKCS_PSS, hash, longest), public, MESSAGE, &theirs), "{bits} bits");
        let longer = hash.pss(CKM_SHA256_RSA_PKCS_PSS, hash, longest + 1);
        fails!(session.verify_init(&longer, public), CKR_MECHANISM_PARAM_INVALID, "{bits} bits");
    }
}

/// Such a signature has nothing random.
fn pss_salt_may_be_empty() {
    let keys = RsaPair::new();
    for (hash, [_, hashing, _]) in SignatureHash::signing() {
        let empty = hash.pss(hashing, hash, 0);
        let made = ok!(keys.session.sign(&empty, keys.private, MESSAGE), "{}", hash.name);
        assert_eq!(ok!(keys.session.sign(&empty, keys.private, MESSAGE)), made, "{}", hash.name);
        let salted = hash.pss(hashing, hash, 8);
        let once = ok!(keys.session.sign(&salted, keys.private, MESSAGE));
        assert_ne!(ok!(keys.session.sign(&salted, keys.private, MESSAGE)), once, "{}", hash.name);
    }
}

fn pss_verifies_the_given_salt_alone() {
    let keys = RsaPair::new();
    for (hash, [_, hashing, _]) in SignatureHash::signing() {
        let made = ok!(keys.session.sign(&hash.pss(hashing, hash, 32), keys.private, MESSAGE), "{}", hash.name);
        for salt in [0, 20, 31, 33] {
            let outcome = keys.session.verify(&hash.pss(hashing, hash, salt), keys.public, MESSAGE, &made);
            fails!(outcome, CKR_SIGNATURE_INVALID, "{}, {salt} bytes", hash.name);
        }
    }
}

fn pss_without_its_parameter_is_refused() {
    let keys = RsaPair::new();
    let good = [CKM_SHA256 as usize, CKG_MGF1_SHA256 as usize, 32];
    for number in [CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS] {
        let wrong = [
            Mechanism::plain(number),
            Mechanism::null(number, 24),
            Mechanism::words(number, &good[..2]),
            Mechanism::words(number, &[good.as_slice(), &[0]].concat()),
            Mechanism::words(number, &[CKM_MD5 as usize, good[1], 16]),
            Mechanism::words(number, &[CKM_SHA256_HMAC as usize, good[1], 32]),
            Mechanism::words(number, &[good[0], 0, 32]),
            Mechanism::words(number, &[good[0], 99, 32]),
        ];
        for mechanism in &wrong {
            keys.signing_inits(mechanism).into_iter().for_each(|outcome| fails!(outcome, CKR_MECHANISM_PARAM_INVALID));
        }
    }
}

const MESSAGE: &[u8] = b"what is signed";
