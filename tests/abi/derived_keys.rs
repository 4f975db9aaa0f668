//! What `C_DeriveKey` makes of a template: class, type, length, history. PKCS#11 3.2, sections 4.10 and 5.18.5.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    nothing_said_makes_a_generic_secret_of_the_natural_length,
    a_type_with_an_open_length_needs_one,
    lengths_fit_the_type,
    history_comes_from_the_base_key,
    a_base_key_from_outside_gives_no_history,
    what_the_token_sets_may_not_be_given,
    templates_that_do_not_fit_are_refused,
    places_that_are_closed_are_refused,
    a_failed_derivation_leaves_nothing,
    defaults_are_those_of_secret_keys,
];

fn nothing_said_makes_a_generic_secret_of_the_natural_length() {
    let keys = Keys::new();
    for template in [template![], template![CKA_CLASS => CKO_SECRET_KEY], template![CKA_VALUE_LEN => 32]] {
        let key = ok!(keys.derive(&template));
        assert_eq!(ok!(keys.session.number(key, CKA_CLASS)), CKO_SECRET_KEY);
        assert_eq!(ok!(keys.session.number(key, CKA_KEY_TYPE)), CKK_GENERIC_SECRET);
        assert_eq!(ok!(keys.session.number(key, CKA_VALUE_LEN)), 32);
    }
    let key = ok!(keys.derive(&template![CKA_KEY_TYPE => CKK_AES, CKA_VALUE_LEN => 32]));
    assert_eq!(ok!(keys.session.number(key, CKA_KEY_TYPE)), CKK_AES);
}

fn a_type_with_an_open_length_needs_one() {
    let keys = Keys::new();
    fails!(keys.derive(&template![CKA_KEY_TYPE => CKK_AES]), CKR_TEMPLATE_INCOMPLETE);
}

fn lengths_fit_the_type() {
    let keys = Keys::new();
    for length in [16, 24, 32] {
        let key = ok!(keys.derive(&template![CKA_KEY_TYPE => CKK_AES, CKA_VALUE_LEN => length]), "{length} bytes");
        assert_eq!(ok!(keys.session.number(key, CKA_VALUE_LEN)), length);
    }
    for length in [0, 1, 17, 20, 64] {
        let outcome = keys.derive(&template![CKA_KEY_TYPE => CKK_AES, CKA_VALUE_LEN => length]);
        fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID, "{length} bytes");
    }
    let template = template![CKA_KEY_TYPE => CKK_SHA256_HMAC, CKA_VALUE_LEN => 20];
    let key = ok!(keys.derive(&template.and(template![CKA_SIGN => true])));
    ok!(keys.session.sign(&Mechanism::plain(CKM_SHA256_HMAC), key, b"message"));
}

/// `CKA_ALWAYS_SENSITIVE` and `CKA_NEVER_EXTRACTABLE` hold where they held for the base key and hold for the new one.
fn history_comes_from_the_base_key() {
    let keys = Keys::new();
    let p256 = template![CKA_EC_PARAMS => Curve::named("P-256").params];
    for (base_sensitive, base_extractable) in [(true, false), (true, true), (false, false), (false, true)] {
        let told = template![CKA_SENSITIVE => base_sensitive, CKA_EXTRACTABLE => base_extractable];
        let (_, base) = ok!(keys.session.pair(CKM_EC_KEY_PAIR_GEN, &p256, &told.with(CKA_DERIVE, true)));
        for (sensitive, extractable) in [(true, false), (true, true), (false, false), (false, true)] {
            let told = template![CKA_SENSITIVE => sensitive, CKA_EXTRACTABLE => extractable];
            let key = ok!(keys.session.derive(&keys.mechanism, base, &told));
            let flag = |attribute| ok!(keys.session.flag(key, attribute));
            let case = format!("base {base_sensitive} {base_extractable}, derived {sensitive} {extractable}");
            assert_eq!(flag(CKA_ALWAYS_SENSITIVE), base_sensitive && sensitive, "{case}");
            assert_eq!(flag(CKA_NEVER_EXTRACTABLE), !base_extractable && !extractable, "{case}");
            assert!(!flag(CKA_LOCAL), "{case}");
            let made_by = ok!(keys.session.number(key, CKA_KEY_GEN_MECHANISM));
            assert_eq!(made_by, CK_UNAVAILABLE_INFORMATION, "{case}");
        }
    }
}

fn a_base_key_from_outside_gives_no_history() {
    let keys = Keys::new();
    let sealed = template![CKA_SENSITIVE => true, CKA_EXTRACTABLE => false];
    let private = Curve::named("P-256").private(&[7; 32]).with(CKA_DERIVE, true);
    let imported = ok!(keys.session.create(&private.and(sealed.clone())));
    let key = ok!(keys.session.derive(&keys.mechanism, imported, &sealed));
    assert!(!ok!(keys.session.flag(key, CKA_ALWAYS_SENSITIVE)));
    assert!(!ok!(keys.session.flag(key, CKA_NEVER_EXTRACTABLE)));
}

fn what_the_token_sets_may_not_be_given() {
    let keys = Keys::new();
    let given = [
        template![CKA_VALUE => &[1; 32]],
        template![CKA_LOCAL => false],
        template![CKA_KEY_GEN_MECHANISM => CK_UNAVAILABLE_INFORMATION],
        template![CKA_ALWAYS_SENSITIVE => true],
        template![CKA_NEVER_EXTRACTABLE => true],
        template![CKA_UNIQUE_ID => "mine"],
    ];
    for template in &given {
        fails!(keys.derive(template), CKR_ATTRIBUTE_READ_ONLY);
    }
}

fn templates_that_do_not_fit_are_refused() {
    let keys = Keys::new();
    fails!(keys.derive(&template![CKA_CLASS => CKO_PRIVATE_KEY]), CKR_TEMPLATE_INCONSISTENT);
    fails!(keys.derive(&template![CKA_CLASS => CKO_DATA]), CKR_TEMPLATE_INCONSISTENT);
    fails!(keys.derive(&template![CKA_KEY_TYPE => CKK_RSA]), CKR_TEMPLATE_INCONSISTENT);
    fails!(keys.derive(&template![CKA_MODULUS => &[1; 256]]), CKR_TEMPLATE_INCONSISTENT);
    fails!(keys.derive(&template![0x7fff_0000 => true]), CKR_ATTRIBUTE_TYPE_INVALID);
    fails!(keys.derive(&template![CKA_ENCRYPT => &[2]]), CKR_ATTRIBUTE_VALUE_INVALID);
    fails!(keys.derive(&template![CKA_TOKEN => &[0; 8]]), CKR_ATTRIBUTE_VALUE_INVALID);
    fails!(keys.derive(&template![CKA_VALUE_LEN => &[16]]), CKR_ATTRIBUTE_VALUE_INVALID);
    fails!(keys.derive(&template![CKA_KEY_TYPE => &[0; 9]]), CKR_ATTRIBUTE_VALUE_INVALID);
    fails!(keys.derive(&template![CKA_LABEL => "a", CKA_LABEL => "b"]), CKR_TEMPLATE_INCONSISTENT);
}

fn places_that_are_closed_are_refused() {
    let keys = Keys::new();
    let read_only = ok!(keys.token.module.read_only(keys.token.slot));
    let outcome = read_only.derive(&keys.mechanism, keys.base, &template![CKA_TOKEN => true]);
    fails!(outcome, CKR_SESSION_READ_ONLY);
    let kept = ok!(keys.derive(&template![CKA_TOKEN => true, CKA_LABEL => "kept"]));
    assert_eq!(ok!(read_only.find(&template![CKA_LABEL => "kept"])), [kept]);
    ok!(read_only.derive(&keys.mechanism, keys.base, &template![]));
}

fn a_failed_derivation_leaves_nothing() {
    let keys = Keys::new();
    let before = ok!(keys.session.find(&template![])).len();
    fails!(
        keys.derive(&template![CKA_TOKEN => true, CKA_VALUE_LEN => 33]),
        CKR_ATTRIBUTE_VALUE_INVALID | CKR_TEMPLATE_INCONSISTENT | CKR_KEY_SIZE_RANGE
    );
    let no_point = Mechanism::ecdh_plain(&[4; 65]);
    let outcome = keys.session.derive(&no_point, keys.base, &template![CKA_TOKEN => true]);
    fails!(outcome, CKR_PUBLIC_KEY_INVALID);
    assert_eq!(ok!(keys.session.find(&template![])).len(), before);
}

fn defaults_are_those_of_secret_keys() {
    let keys = Keys::new();
    let key = ok!(keys.derive(&template![CKA_KEY_TYPE => CKK_AES, CKA_VALUE_LEN => 16]));
    let flag = |attribute| ok!(keys.session.flag(key, attribute), "{attribute:#x}");
    for (attribute, expected) in [
        (CKA_TOKEN, false),
        (CKA_PRIVATE, true),
        (CKA_SENSITIVE, true),
        (CKA_EXTRACTABLE, false),
        (CKA_ENCRYPT, true),
        (CKA_DECRYPT, true),
        (CKA_WRAP, false),
        (CKA_UNWRAP, false),
        (CKA_DERIVE, false),
        (CKA_MODIFIABLE, true),
        (CKA_COPYABLE, true),
        (CKA_DESTROYABLE, true),
    ] {
        assert_eq!(flag(attribute), expected, "{attribute:#x}");
    }
    fails!(keys.session.value(key, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
    let sealed = ok!(keys.session.encrypt(&gcm(), key, b"text"));
    assert_eq!(ok!(keys.session.decrypt(&gcm(), key, &sealed)), b"text");
}

/// A base key that the token made, and the point of another.
struct Keys {
    token: Token,
    session: Session,
    base: CK_OBJECT_HANDLE,
    mechanism: Mechanism,
}

impl Keys {
    fn new() -> Keys {
        let token = Token::new();
        let session = token.user();
        let curve = Curve::named("P-256");
        let (_, base) = curve.pair(&session);
        let (peer, _) = curve.pair(&session);
        let mechanism = Mechanism::ecdh_plain(&octets(&ok!(session.value(peer, CKA_EC_POINT))));
        Keys { token, session, base, mechanism }
    }

    fn derive(&self, template: &Template) -> Result<CK_OBJECT_HANDLE> {
        self.session.derive(&self.mechanism, self.base, template)
    }
}
