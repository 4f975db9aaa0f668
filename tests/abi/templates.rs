//! What a template may not say: a test for each verdict, and their order. PKCS#11 3.2, section 4.1.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    unknown_attributes_are_of_invalid_type,
    values_of_a_wrong_form_are_invalid,
    values_out_of_range_are_invalid,
    attributes_of_other_classes_are_inconsistent,
    what_the_token_writes_is_read_only,
    values_that_are_made_are_read_only,
    what_must_be_given_is_missed,
    the_same_twice_is_once_and_two_values_are_inconsistent,
    class_and_type_must_be_those_of_the_mechanism,
    classes_and_types_that_the_token_lacks_are_invalid,
    trust_is_for_the_so,
    verdicts_come_in_order,
    a_template_without_rows_is_empty,
    null_rows_are_bad_arguments,
    null_values_are_judged,
    lengths_beyond_reason_are_not_read,
    a_refused_template_leaves_nothing,
];

fn unknown_attributes_are_of_invalid_type() {
    let ways = Ways::new();
    for number in [0x7654_3210, CKA_VENDOR_DEFINED | 0x77, CK_ULONG::MAX] {
        ways.all(template![number => &[1]], Rv(CKR_ATTRIBUTE_TYPE_INVALID));
    }
}

fn values_of_a_wrong_form_are_invalid() {
    let ways = Ways::new();
    for attribute in [CKA_TOKEN, CKA_PRIVATE, CKA_MODIFIABLE, CKA_DESTROYABLE] {
        for value in [&[2][..], &[255], &[], &[1, 0], &[1, 0, 0, 0, 0, 0, 0, 0]] {
            ways.all(template![attribute => value], Rv(CKR_ATTRIBUTE_VALUE_INVALID));
        }
    }
    for attribute in [CKA_SENSITIVE, CKA_ENCRYPT, CKA_EXTRACTABLE, CKA_WRAP_WITH_TRUSTED] {
        ways.keys(template![attribute => &[2]], Rv(CKR_ATTRIBUTE_VALUE_INVALID));
    }
    for date in [&b"2026010x"[..], b"2026", b"202601011", b"        "] {
        ways.keys(template![CKA_START_DATE => date], Rv(CKR_ATTRIBUTE_VALUE_INVALID));
        ways.keys(template![CKA_END_DATE => date], Rv(CKR_ATTRIBUTE_VALUE_INVALID));
    }
    for value in [&[][..], &[16], &[16, 0, 0, 0], &[16, 0, 0, 0, 0, 0, 0, 0, 0]] {
        let outcome = ways.session.generate(&Mechanism::plain(CKM_AES_KEY_GEN), &template![CKA_VALUE_LEN => value]);
        fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID, "CKA_VALUE_LEN of {} bytes", value.len());
        let class = template![CKA_CLASS => value, CKA_VALUE => "x"];
        fails!(ways.session.create(&class), CKR_ATTRIBUTE_VALUE_INVALID, "CKA_CLASS of {} bytes", value.len());
        let key_type = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => value, CKA_VALUE => &[1; 16]];
        fails!(ways.session.create(&key_type), CKR_ATTRIBUTE_VALUE_INVALID, "CKA_KEY_TYPE of {} bytes", value.len());
    }
}

/// An AES key has 16, 24 or 32 bytes; a generic secret has one at least.
fn values_out_of_range_are_invalid() {
    let ways = Ways::new();
    for length in [0, 1, 7, 15, 17, 23, 31, 33, 64] {
        let outcome = ways.session.aes_key_of(&vec![1; length], template![]);
        fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID, "{length} bytes");
    }
    let secret = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET];
    fails!(ways.session.create(&secret.with(CKA_VALUE, b"")), CKR_ATTRIBUTE_VALUE_INVALID);
}

fn attributes_of_other_classes_are_inconsistent() {
    let ways = Ways::new();
    for attribute in [CKA_MODULUS, CKA_EC_POINT, CKA_SUBJECT, CKA_APPLICATION] {
        ways.keys(template![attribute => &[1]], Rv(CKR_TEMPLATE_INCONSISTENT));
    }
    for attribute in [CKA_KEY_TYPE, CKA_ID, CKA_MODULUS, CKA_VALUE_LEN] {
        ways.data(template![attribute => 1], Rv(CKR_TEMPLATE_INCONSISTENT));
    }
    ways.data(template![CKA_SENSITIVE => true], Rv(CKR_TEMPLATE_INCONSISTENT));
}

/// Also with the value that the token would write.
fn what_the_token_writes_is_read_only() {
    let ways = Ways::new();
    for attribute in [CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE] {
        for value in [false, true] {
            ways.keys(template![attribute => value], Rv(CKR_ATTRIBUTE_READ_ONLY));
        }
    }
    for mechanism in [CKM_AES_KEY_GEN, CK_UNAVAILABLE_INFORMATION] {
        ways.keys(template![CKA_KEY_GEN_MECHANISM => mechanism], Rv(CKR_ATTRIBUTE_READ_ONLY));
    }
    ways.all(template![CKA_UNIQUE_ID => "mine"], Rv(CKR_ATTRIBUTE_READ_ONLY));
}

fn values_that_are_made_are_read_only() {
    let ways = Ways::new();
    ways.generate(template![CKA_VALUE => &[1; 16]], Rv(CKR_ATTRIBUTE_READ_ONLY));
    ways.unwrap(template![CKA_VALUE => &[1; 16]], Rv(CKR_ATTRIBUTE_READ_ONLY));
    ways.create(template![CKA_VALUE_LEN => 16], Rv(CKR_ATTRIBUTE_READ_ONLY));
}

fn what_must_be_given_is_missed() {
    let ways = Ways::new();
    let (session, class) = (&ways.session, template![CKA_CLASS => CKO_SECRET_KEY]);
    fails!(session.create(&template![]), CKR_TEMPLATE_INCOMPLETE);
    fails!(session.create(&template![CKA_VALUE => "x"]), CKR_TEMPLATE_INCOMPLETE, "no class");
    fails!(session.create(&class.clone().with(CKA_VALUE, &[1; 16])), CKR_TEMPLATE_INCOMPLETE, "no key type");
    fails!(session.create(&class.with(CKA_KEY_TYPE, CKK_AES)), CKR_TEMPLATE_INCOMPLETE, "no value");
    fails!(session.generate(&Mechanism::plain(CKM_AES_KEY_GEN), &template![]), CKR_TEMPLATE_INCOMPLETE, "no length");
}

fn the_same_twice_is_once_and_two_values_are_inconsistent() {
    let ways = Ways::new();
    ways.succeed(template![CKA_LABEL => "a", CKA_LABEL => "a", CKA_TOKEN => false, CKA_TOKEN => false]);
    ways.all(template![CKA_LABEL => "a", CKA_LABEL => "b"], Rv(CKR_TEMPLATE_INCONSISTENT));
    ways.all(template![CKA_MODIFIABLE => true, CKA_MODIFIABLE => false], Rv(CKR_TEMPLATE_INCONSISTENT));
    let values = template![CKA_VALUE => &[1; 16], CKA_VALUE => &[2; 16]];
    fails!(ways.session.create(&aes().and(values)), CKR_TEMPLATE_INCONSISTENT);
    ok!(ways.session.create(&aes().and(template![CKA_VALUE => &[1; 16], CKA_VALUE => &[1; 16]])));
}

fn class_and_type_must_be_those_of_the_mechanism() {
    let ways = Ways::new();
    ways.generate(template![CKA_CLASS => CKO_DATA], Rv(CKR_TEMPLATE_INCONSISTENT));
    ways.generate(template![CKA_KEY_TYPE => CKK_GENERIC_SECRET], Rv(CKR_TEMPLATE_INCONSISTENT));
    ok!(ways.session.aes_key(16, aes()), "said, and right");
    ok!(ways.session.aes_key(16, template![]), "left out");
    let secret = template![CKA_VALUE_LEN => 16, CKA_KEY_TYPE => CKK_AES];
    let outcome = ways.session.generate(&Mechanism::plain(CKM_GENERIC_SECRET_KEY_GEN), &secret);
    fails!(outcome, CKR_TEMPLATE_INCONSISTENT);
}

fn classes_and_types_that_the_token_lacks_are_invalid() {
    let session = &Ways::new().session;
    for class in [0x7654_3210, CKO_VENDOR_DEFINED | 5, CKO_PROFILE, CKO_MECHANISM] {
        fails!(session.create(&template![CKA_CLASS => class]), CKR_ATTRIBUTE_VALUE_INVALID);
    }
    for key_type in [0x7654_3210, CKK_VENDOR_DEFINED | 5] {
        let key = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => key_type, CKA_VALUE => &[1; 16]];
        fails!(session.create(&key), CKR_ATTRIBUTE_VALUE_INVALID);
    }
}

fn trust_is_for_the_so() {
    let ways = Ways::new();
    ways.keys(template![CKA_TRUSTED => true], Rv(CKR_ATTRIBUTE_READ_ONLY));
    ok!(ways.session.aes_key(16, template![CKA_TRUSTED => false]));
}

/// Known, well-formed, allowed, consistent, complete: of two faults the earlier one is named, wherever it stands.
fn verdicts_come_in_order() {
    let session = &Ways::new().session;
    let unknown = || template![0x7654_3210 => &[1]];
    let malformed = || template![CKA_TOKEN => &[2]];
    let read_only = || template![CKA_LOCAL => false];
    let inconsistent = || template![CKA_MODULUS => &[1]];
    let order: [(fn() -> Template, CK_RV); 4] = [
        (unknown, CKR_ATTRIBUTE_TYPE_INVALID),
        (malformed, CKR_ATTRIBUTE_VALUE_INVALID),
        (read_only, CKR_ATTRIBUTE_READ_ONLY),
        (inconsistent, CKR_TEMPLATE_INCONSISTENT),
    ];
    for (place, (earlier, code)) in order.iter().enumerate() {
        // Without CKA_VALUE the template is incomplete, which is the last verdict.
        assert_eq!(session.create(&aes().and(earlier())), Err(Rv(*code)));
        for (later, _) in &order[place + 1..] {
            for both in [earlier().and(later()), later().and(earlier())] {
                let verdict = session.create(&aes().with(CKA_VALUE, &[1; 16]).and(both.clone()));
                assert_eq!(verdict, Err(Rv(*code)), "created");
                assert_eq!(session.aes_key(16, both), Err(Rv(*code)), "generated");
            }
        }
    }
}

fn a_template_without_rows_is_empty() {
    let ways = Ways::new();
    ok!(ways.session.aes_key(16, template![]));
    ok!(ways.session.find_init_null(0));
    assert!(!ok!(ways.session.find_next(10)).is_empty(), "everything matches");
    ok!(ways.session.find_final());
    fails!(ways.session.create_null(0), CKR_TEMPLATE_INCOMPLETE);
}

/// Also counts beyond reason, at once.
fn null_rows_are_bad_arguments() {
    let session = &Ways::new().session;
    for count in [1, 3, 1 << 32, CK_ULONG::MAX] {
        fails!(session.create_null(count), CKR_ARGUMENTS_BAD, "{count} rows");
        fails!(session.find_init_null(count), CKR_ARGUMENTS_BAD, "{count} rows");
        fails!(session.generate_null(&Mechanism::plain(CKM_AES_KEY_GEN), count), CKR_ARGUMENTS_BAD, "{count} rows");
    }
}

/// NULL with a length is no value; NULL without one is an empty one.
fn null_values_are_judged() {
    let session = &Ways::new().session;
    for attribute in [CKA_LABEL, CKA_TOKEN, CKA_VALUE, CKA_CLASS] {
        fails!(session.create_null_value(attribute, 8), CKR_ATTRIBUTE_VALUE_INVALID | CKR_ARGUMENTS_BAD);
    }
    let data = ok!(session.create_null_value(CKA_LABEL, 0));
    assert!(ok!(session.value(data, CKA_LABEL)).is_empty());
}

/// Nobody can see that a length lies, but no attribute is so long.
fn lengths_beyond_reason_are_not_read() {
    let session = &Ways::new().session;
    let attributes =
        [CKA_LABEL, CKA_VALUE, CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_PRIME_1, CKA_EC_POINT, CKA_ID, CKA_TOKEN];
    for attribute in attributes {
        for length in [0xffff_ffff, 1 << 32, 1 << 62, CK_ULONG::MAX >> 1, CK_ULONG::MAX] {
            let outcome = session.create_lying(attribute, length);
            fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID | CKR_ARGUMENTS_BAD, "{attribute:#x} of {length}");
        }
    }
}

fn a_refused_template_leaves_nothing() {
    let ways = Ways::new();
    let before = ok!(ways.session.find(&template![])).len();
    ways.all(template![CKA_TOKEN => true, CKA_MODULUS => &[1]], Rv(CKR_TEMPLATE_INCONSISTENT));
    ways.all(template![CKA_TOKEN => true, CKA_PRIVATE => &[3]], Rv(CKR_ATTRIBUTE_VALUE_INVALID));
    assert_eq!(ok!(ways.session.find(&template![])).len(), before);
}

/// The ways in which objects come to be, each with a template that is good but for what a test adds.
struct Ways {
    _token: Token,
    session: Session,
    kek: CK_OBJECT_HANDLE,
    wrapped: Vec<u8>,
}

impl Ways {
    fn new() -> Ways {
        let token = Token::new();
        let session = token.user();
        let kek = ok!(session.aes_key(32, template![CKA_WRAP => true, CKA_UNWRAP => true]));
        let carried = ok!(session.aes_key(16, template![CKA_EXTRACTABLE => true]));
        let wrapped = ok!(session.wrap(&Mechanism::plain(CKM_AES_KEY_WRAP), kek, carried));
        Ways { _token: token, session, kek, wrapped }
    }

    fn all(&self, added: Template, verdict: Rv) {
        self.keys(added.clone(), verdict);
        self.data(added, verdict);
    }

    fn keys(&self, added: Template, verdict: Rv) {
        self.create(added.clone(), verdict);
        self.generate(added.clone(), verdict);
        self.unwrap(added, verdict);
    }

    fn data(&self, added: Template, verdict: Rv) {
        assert_eq!(self.session.create(&added.with(CKA_CLASS, CKO_DATA)), Err(verdict), "data");
    }

    fn create(&self, added: Template, verdict: Rv) {
        assert_eq!(self.session.aes_key_of(&[1; 16], added), Err(verdict), "created");
    }

    fn generate(&self, added: Template, verdict: Rv) {
        assert_eq!(self.session.aes_key(16, added), Err(verdict), "generated");
    }

    fn unwrap(&self, added: Template, verdict: Rv) {
        let wrapping = Mechanism::plain(CKM_AES_KEY_WRAP);
        let outcome = self.session.unwrap(&wrapping, self.kek, &self.wrapped, &aes().and(added));
        assert_eq!(outcome, Err(verdict), "unwrapped");
    }

    fn succeed(&self, added: Template) {
        ok!(self.session.create(&added.clone().with(CKA_CLASS, CKO_DATA)));
        ok!(self.session.aes_key_of(&[1; 16], added.clone()));
        ok!(self.session.aes_key(16, added.clone()));
        let wrapping = Mechanism::plain(CKM_AES_KEY_WRAP);
        ok!(self.session.unwrap(&wrapping, self.kek, &self.wrapped, &aes().and(added)));
    }
}

fn aes() -> Template {
    template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES]
}
