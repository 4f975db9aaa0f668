//! Objects of every class: which can be made, and what of them is kept. PKCS#11 3.2, chapter 4.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    certificates_of_every_type_are_kept,
    a_certificate_lacks_nothing_that_its_type_demands,
    a_certificate_is_trusted_and_changed_by_the_so_alone,
    domain_parameters_are_kept_and_measured,
    what_is_no_domain_parameters_is_refused,
    a_key_of_one_time_passwords_is_sealed_and_works_for_nobody,
    trust_names_its_certificate,
    what_says_what_the_token_is_cannot_be_made,
    classes_that_the_token_has_none_of_are_searched_in_vain,
];

fn token_object(session: &Session, template: Template) -> CK_OBJECT_HANDLE {
    ok!(session.create(&template.with(CKA_TOKEN, true)))
}

fn attribute_certificate() -> Template {
    template![CKA_CLASS => CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE => CKC_X_509_ATTR_CERT, CKA_OWNER => "owner",
              CKA_VALUE => "value"]
}

fn wtls_certificate() -> Template {
    template![CKA_CLASS => CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE => CKC_WTLS, CKA_SUBJECT => "subject", CKA_VALUE => "value"]
}

fn dsa_parameters() -> Template {
    template![CKA_CLASS => CKO_DOMAIN_PARAMETERS, CKA_KEY_TYPE => CKK_DSA, CKA_PRIME => &[5, 3], CKA_SUBPRIME => &[0x7f],
              CKA_BASE => &[2]]
}

fn hotp_key() -> Template {
    template![CKA_CLASS => CKO_OTP_KEY, CKA_KEY_TYPE => CKK_HOTP, CKA_VALUE => b"twenty bytes of seed", CKA_OTP_LENGTH => 8]
}

fn trust() -> Template {
    template![CKA_CLASS => CKO_TRUST, CKA_ISSUER => "issuer", CKA_SERIAL_NUMBER => &[7],
              CKA_HASH_OF_CERTIFICATE => &[1; 20], CKA_NAME_HASH_ALGORITHM => CKM_SHA_1,
              CKA_TRUST_SERVER_AUTH => CK_ULONG::from(CKT_TRUST_ANCHOR)]
}

/// Section 4.6: also after the process that made them has gone on.
fn certificates_of_every_type_are_kept() {
    let token = Token::new();
    let session = token.user();
    let of_attributes = token_object(&session, attribute_certificate().with(CKA_AC_ISSUER, "issuer"));
    assert_eq!(ok!(session.value(of_attributes, CKA_OWNER)), b"owner");
    assert_eq!(ok!(session.value(of_attributes, CKA_AC_ISSUER)), b"issuer");
    assert_eq!(ok!(session.value(of_attributes, CKA_ATTR_TYPES)), b"");
    fails!(session.value(of_attributes, CKA_SUBJECT), CKR_ATTRIBUTE_TYPE_INVALID);
    let of_wtls = token_object(&session, wtls_certificate());
    assert_eq!(ok!(session.value(of_wtls, CKA_SUBJECT)), b"subject");
    fails!(session.value(of_wtls, CKA_OWNER), CKR_ATTRIBUTE_TYPE_INVALID);
    assert_eq!(ok!(session.find(&template![CKA_CLASS => CKO_CERTIFICATE])).len(), 2);
    assert_eq!(ok!(session.find(&template![CKA_CERTIFICATE_TYPE => CKC_WTLS])), [of_wtls]);
}

fn a_certificate_lacks_nothing_that_its_type_demands() {
    let token = Token::new();
    let session = token.user();
    let named = |of: CK_ULONG| template![CKA_CLASS => CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE => of];
    for of in [CKC_X_509, CKC_X_509_ATTR_CERT, CKC_WTLS] {
        fails!(session.create(&named(of).with(CKA_VALUE, "value")), CKR_TEMPLATE_INCOMPLETE, "type {of}");
    }
    fails!(session.create(&named(3)), CKR_ATTRIBUTE_VALUE_INVALID);
    let mixed = attribute_certificate().with(CKA_SUBJECT, "subject");
    fails!(session.create(&mixed), CKR_TEMPLATE_INCONSISTENT);
}

/// Section 4.6.2: `CKA_TRUSTED` is the SO's to give, and a trusted certificate is not modified.
fn a_certificate_is_trusted_and_changed_by_the_so_alone() {
    let token = Token::new();
    let session = token.user();
    fails!(session.create(&wtls_certificate().with(CKA_TRUSTED, true)), CKR_ATTRIBUTE_READ_ONLY);
    let certificate = token_object(&session, wtls_certificate().with(CKA_LABEL, "before"));
    fails!(session.set(certificate, &template![CKA_TRUSTED => true]), CKR_ATTRIBUTE_READ_ONLY);
    fails!(session.copy(certificate, &template![CKA_TRUSTED => true]), CKR_ATTRIBUTE_READ_ONLY);
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
    ok!(session.set(certificate, &template![CKA_TRUSTED => true]));
    ok!(session.logout());
    ok!(session.login(CKU_USER, USER_PIN));
    assert!(ok!(session.flag(certificate, CKA_TRUSTED)));
    fails!(session.set(certificate, &template![CKA_LABEL => "after"]), CKR_ACTION_PROHIBITED);
    assert_eq!(ok!(session.value(certificate, CKA_LABEL)), b"before");
}

fn domain_parameters_are_kept_and_measured() {
    let token = Token::new();
    let session = token.user();
    let parameters = token_object(&session, dsa_parameters());
    assert_eq!(ok!(session.value(parameters, CKA_PRIME_BITS)), 11_u64.to_ne_bytes());
    assert_eq!(ok!(session.value(parameters, CKA_SUBPRIME_BITS)), 7_u64.to_ne_bytes());
    assert_eq!(ok!(session.value(parameters, CKA_LOCAL)), [0]);
    fails!(session.value(parameters, CKA_SENSITIVE), CKR_ATTRIBUTE_TYPE_INVALID);
    fails!(session.encrypt(&Mechanism::plain(CKM_AES_ECB), parameters, &[0; 16]), CKR_KEY_HANDLE_INVALID);
}

fn what_is_no_domain_parameters_is_refused() {
    let token = Token::new();
    let session = token.user();
    let with = |base: &[u8]| template![CKA_CLASS => CKO_DOMAIN_PARAMETERS, CKA_KEY_TYPE => CKK_DH, CKA_PRIME => &[5, 3], CKA_BASE => base];
    for base in [&[0][..], &[1], &[5, 3], &[5, 4]] {
        fails!(session.create(&with(base)), CKR_DOMAIN_PARAMS_INVALID, "{base:?}");
    }
    let incomplete = template![CKA_CLASS => CKO_DOMAIN_PARAMETERS, CKA_KEY_TYPE => CKK_DSA, CKA_PRIME => &[5, 3]];
    fails!(session.create(&incomplete), CKR_TEMPLATE_INCOMPLETE);
    let of_a_secret = template![CKA_CLASS => CKO_DOMAIN_PARAMETERS, CKA_KEY_TYPE => CKK_AES, CKA_PRIME => &[5, 3]];
    fails!(session.create(&of_a_secret), CKR_TEMPLATE_INCONSISTENT);
}

/// Section 6.53: kept like a secret key, with nothing here that uses it.
fn a_key_of_one_time_passwords_is_sealed_and_works_for_nobody() {
    let token = Token::new();
    let session = token.user();
    let key = token_object(&session, hotp_key().with(CKA_PRIVATE, false));
    fails!(session.value(key, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
    assert_eq!(ok!(session.value(key, CKA_OTP_LENGTH)), 8_u64.to_ne_bytes());
    for mechanism in [CKM_SHA_1_HMAC, CKM_SHA256_HMAC] {
        fails!(session.sign(&Mechanism::plain(mechanism), key, b""), CKR_KEY_TYPE_INCONSISTENT);
    }
    let wrapping = ok!(session.aes_key(16, template![CKA_WRAP => true]));
    let extractable = ok!(session.create(&hotp_key().with(CKA_EXTRACTABLE, true)));
    fails!(session.wrap(&Mechanism::plain(CKM_AES_KEY_WRAP_KWP), wrapping, extractable), CKR_KEY_NOT_WRAPPABLE);
    let files: Vec<_> =
        std::fs::read_dir(token.home.store()).expect("the store").flatten().map(|entry| entry.path()).collect();
    let found = |file: &std::path::PathBuf| {
        let bytes = std::fs::read(file).expect("a file of the store");
        bytes.windows(20).any(|bytes| bytes == b"twenty bytes of seed")
    };
    assert!(!files.iter().any(found), "the value is in the store");
}

/// Section 4.7: more than distrust needs the hash of the certificate.
fn trust_names_its_certificate() {
    let token = Token::new();
    let session = token.user();
    let object = token_object(&session, trust());
    assert_eq!(ok!(session.value(object, CKA_TRUST_SERVER_AUTH)), u64::from(CKT_TRUST_ANCHOR).to_ne_bytes());
    assert_eq!(ok!(session.value(object, CKA_TRUST_CLIENT_AUTH)), u64::from(CKT_TRUST_UNKNOWN).to_ne_bytes());
    fails!(session.create(&trust().with(CKA_TRUST_CODE_SIGNING, 5_u64)), CKR_ATTRIBUTE_VALUE_INVALID);
    let nameless = template![CKA_CLASS => CKO_TRUST, CKA_ISSUER => "issuer", CKA_SERIAL_NUMBER => &[7],
                             CKA_TRUST_SERVER_AUTH => CK_ULONG::from(CKT_TRUSTED)];
    assert!(session.create(&nameless).is_err());
    // A hash is one only together with its algorithm: of its length, and of a function that is one.
    let hashed = |hash: &[u8], algorithm| {
        let trusts = nameless.clone().with(CKA_HASH_OF_CERTIFICATE, hash).with(CKA_NAME_HASH_ALGORITHM, algorithm);
        session.create(&trusts)
    };
    ok!(hashed(&[7; 32], CKM_SHA256));
    fails!(hashed(&[7; 31], CKM_SHA256), CKR_TEMPLATE_INCONSISTENT);
    fails!(hashed(&[7; 16], CKM_AES_KEY_GEN), CKR_TEMPLATE_INCONSISTENT);
    // Nor does a change make an anchor of what is none.
    let doubtful = template![CKA_CLASS => CKO_TRUST, CKA_ISSUER => "issuer", CKA_SERIAL_NUMBER => &[8],
                             CKA_HASH_OF_CERTIFICATE => &[7; 32]];
    let doubtful = ok!(session.create(&doubtful));
    let anchor = template![CKA_TRUST_SERVER_AUTH => CK_ULONG::from(CKT_TRUST_ANCHOR)];
    fails!(session.set(doubtful, &anchor), CKR_TEMPLATE_INCONSISTENT);
    // Somebody says whom to trust.
    ok!(session.logout());
    fails!(session.create(&trust().with(CKA_TOKEN, true)), CKR_USER_NOT_LOGGED_IN);
}

fn what_says_what_the_token_is_cannot_be_made() {
    let token = Token::new();
    let session = token.user();
    for class in [CKO_HW_FEATURE, CKO_MECHANISM, CKO_PROFILE, CKO_VALIDATION] {
        fails!(session.create(&template![CKA_CLASS => class]), CKR_ATTRIBUTE_VALUE_INVALID, "class {class}");
    }
}

fn classes_that_the_token_has_none_of_are_searched_in_vain() {
    let token = Token::new();
    let session = token.user();
    ok!(session.aes_key(16, template![]));
    for class in [CKO_HW_FEATURE, CKO_MECHANISM, CKO_VALIDATION, CKO_TRUST, CKO_OTP_KEY, CKO_VENDOR_DEFINED | 1] {
        assert!(ok!(session.find(&template![CKA_CLASS => class])).is_empty(), "class {class}");
    }
}
