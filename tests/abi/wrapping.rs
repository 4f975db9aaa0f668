//! Keys that leave a token wrapped and come back by `C_WrapKey` and `C_UnwrapKey`; and the same forms as ciphers. What tells
//! the forms from each other is in `wrap_forms`.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    keys_travel_and_work_again,
    keys_of_any_length_travel,
    one_flipped_bit_is_an_invalid_key,
    impossible_lengths_have_their_own_code,
    another_wrapping_key_opens_nothing,
    the_value_must_fit_its_type_and_length,
    an_unextractable_key_does_not_leave,
    a_key_without_the_usage_neither_wraps_nor_unwraps,
    wrong_handles_are_told_apart,
    wrap_with_trusted_asks_for_trust,
    the_template_is_judged_before_the_wrapped_key,
    small_rooms_are_told_what_suffices,
    a_read_only_session_makes_no_token_key,
    key_wrap_is_a_cipher_of_one_part,
    as_a_cipher_it_refuses_what_it_cannot_carry,
];

const FORMS: [CK_MECHANISM_TYPE; 4] =
    [CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PKCS7, CKM_AES_KEY_WRAP_PAD];

/// Generated, sensitive keys: the same bytes come out of the same work on both sides.
fn keys_travel_and_work_again() {
    let token = Token::new();
    let session = token.user();
    for (number, form) in FORMS.map(|number| (number, Mechanism::plain(number))) {
        for kek_length in [16, 24, 32] {
            let kek = ok!(session.aes_key(kek_length, wraps()));
            for length in [16, 24, 32] {
                let key = ok!(session.aes_key(length, template![CKA_EXTRACTABLE => true]));
                let wrapped = ok!(session.wrap(&form, kek, key));
                assert_eq!(Some(wrapped.len()), wrapped_length(number, length as usize));
                let back = ok!(session.unwrap(&form, kek, &wrapped, &aes()));
                assert_eq!(ok!(session.number(back, CKA_VALUE_LEN)), length);
                let sealed = ok!(session.encrypt(&gcm(), key, b"text"));
                assert_eq!(ok!(session.decrypt(&gcm(), back, &sealed)), b"text");
                fails!(session.value(back, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
            }
        }
    }
}

/// Key wrap fills the value up with zeros and cuts to `CKA_VALUE_LEN`; the padded forms know the length.
fn keys_of_any_length_travel() {
    let token = Token::new();
    let session = token.user();
    let kek = ok!(session.aes_key(32, wraps()));
    for length in 1..=70 {
        let value = message(length);
        let key = ok!(session.create(&readable_secret().with(CKA_VALUE, &value)));
        for form in FORMS {
            let mechanism = Mechanism::plain(form);
            let Some(expected) = wrapped_length(form, length) else {
                fails!(session.wrap(&mechanism, kek, key), CKR_KEY_SIZE_RANGE, "RFC 3394 carries two blocks or more");
                fails!(session.wrap_into(&mechanism, kek, key, None).0, CKR_KEY_SIZE_RANGE);
                continue;
            };
            let wrapped = ok!(session.wrap(&mechanism, kek, key), "{length} bytes");
            assert_eq!(wrapped.len(), expected, "{form:#x}, {length} bytes");
            let template = readable_secret().with(CKA_VALUE_LEN, length as CK_ULONG);
            let back = ok!(session.unwrap(&mechanism, kek, &wrapped, &template), "{length} bytes");
            assert_eq!(ok!(session.value(back, CKA_VALUE)), value);
            for other in [length - length % 8, length + 8] {
                let template = readable_secret().with(CKA_VALUE_LEN, other as CK_ULONG);
                if other != length {
                    let outcome = session.unwrap(&mechanism, kek, &wrapped, &template);
                    fails!(outcome, CKR_WRAPPED_KEY_LEN_RANGE, "{other} of {length} bytes");
                }
            }
        }
        for padded in FORMS.into_iter().filter(|form| wrapped_length(*form, length).is_some()) {
            let mechanism = Mechanism::plain(padded);
            let wrapped = ok!(session.wrap(&mechanism, kek, key));
            let back = session.unwrap(&mechanism, kek, &wrapped, &readable_secret());
            if padded == CKM_AES_KEY_WRAP {
                // Neither the form nor the key type says how long the value is.
                fails!(back, CKR_TEMPLATE_INCOMPLETE, "without CKA_VALUE_LEN");
                continue;
            }
            assert_eq!(ok!(session.value(ok!(back, "without CKA_VALUE_LEN"), CKA_VALUE)), value);
        }
    }
}

fn one_flipped_bit_is_an_invalid_key() {
    let token = Token::new();
    let session = token.user();
    for form in FORMS.map(Mechanism::plain) {
        for length in [16, 24, 32] {
            let kek = ok!(session.aes_key(length, wraps()));
            let key = ok!(session.aes_key(length, template![CKA_EXTRACTABLE => true]));
            let wrapped = ok!(session.wrap(&form, kek, key));
            for bit in 0..wrapped.len() * 8 {
                let mut changed = wrapped.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                fails!(session.unwrap(&form, kek, &changed, &aes()), CKR_WRAPPED_KEY_INVALID, "bit {bit}");
            }
        }
    }
    assert!(ok!(session.find(&template![CKA_LOCAL => false])).is_empty(), "nothing came of any of them");
}

fn impossible_lengths_have_their_own_code() {
    let token = Token::new();
    let session = token.user();
    let kek = ok!(session.aes_key(32, wraps()));
    for (form, shortest) in
        [(CKM_AES_KEY_WRAP, 24), (CKM_AES_KEY_WRAP_PKCS7, 24), (CKM_AES_KEY_WRAP_KWP, 16), (CKM_AES_KEY_WRAP_PAD, 16)]
    {
        for length in (0..=shortest + 8).filter(|length| length % 8 != 0 || *length < shortest) {
            let outcome = session.unwrap(&Mechanism::plain(form), kek, &message(length), &aes());
            fails!(outcome, CKR_WRAPPED_KEY_LEN_RANGE, "{length} bytes");
        }
    }
}

fn another_wrapping_key_opens_nothing() {
    let token = Token::new();
    let session = token.user();
    let (kek, other) = (ok!(session.aes_key(32, wraps())), ok!(session.aes_key(32, wraps())));
    let key = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true]));
    for form in FORMS {
        let wrapped = ok!(session.wrap(&Mechanism::plain(form), kek, key));
        fails!(session.unwrap(&Mechanism::plain(form), other, &wrapped, &aes()), CKR_WRAPPED_KEY_INVALID);
        for crossed in FORMS.into_iter().filter(|crossed| !understands(*crossed, form)) {
            let outcome = session.unwrap(&Mechanism::plain(crossed), kek, &wrapped, &aes());
            fails!(outcome, CKR_WRAPPED_KEY_INVALID | CKR_WRAPPED_KEY_LEN_RANGE, "{form:#x} as {crossed:#x}");
        }
    }
}

fn the_value_must_fit_its_type_and_length() {
    let token = Token::new();
    let session = token.user();
    let kek = ok!(session.aes_key(32, wraps()));
    let secret = ok!(session.create(&readable_secret().with(CKA_VALUE, &message(40))));
    for form in FORMS.map(Mechanism::plain) {
        let wrapped = ok!(session.wrap(&form, kek, secret));
        fails!(session.unwrap(&form, kek, &wrapped, &aes()), CKR_WRAPPED_KEY_LEN_RANGE, "40 bytes as AES");
        let key = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true]));
        let wrapped = ok!(session.wrap(&form, kek, key));
        ok!(session.unwrap(&form, kek, &wrapped, &aes().with(CKA_VALUE_LEN, 32)), "the right length may be said");
        let wrong = aes().with(CKA_VALUE_LEN, 16);
        fails!(session.unwrap(&form, kek, &wrapped, &wrong), CKR_WRAPPED_KEY_LEN_RANGE);
    }
}

/// For the size query too.
fn an_unextractable_key_does_not_leave() {
    let token = Token::new();
    let session = token.user();
    let kek = ok!(session.aes_key(32, wraps()));
    for template in [template![], template![CKA_SENSITIVE => false], template![CKA_TOKEN => true]] {
        let key = ok!(session.aes_key(32, template));
        for form in FORMS.map(Mechanism::plain) {
            fails!(session.wrap_into(&form, kek, key, None).0, CKR_KEY_UNEXTRACTABLE);
            fails!(session.wrap_into(&form, kek, key, Some(&mut [0; 64])).0, CKR_KEY_UNEXTRACTABLE);
        }
    }
}

fn a_key_without_the_usage_neither_wraps_nor_unwraps() {
    let token = Token::new();
    let session = token.user();
    let form = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let key = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true]));
    let unwraps = ok!(session.aes_key(32, template![CKA_UNWRAP => true]));
    fails!(session.wrap(&form, unwraps, key), CKR_KEY_FUNCTION_NOT_PERMITTED);
    let wraps = ok!(session.aes_key(32, template![CKA_WRAP => true]));
    let wrapped = ok!(session.wrap(&form, wraps, key));
    fails!(session.unwrap(&form, wraps, &wrapped, &aes()), CKR_KEY_FUNCTION_NOT_PERMITTED);
    let bound = template![CKA_WRAP => true, CKA_ALLOWED_MECHANISMS => CKM_AES_KEY_WRAP];
    let bound = ok!(session.aes_key(32, bound));
    fails!(session.wrap(&form, bound, key), CKR_MECHANISM_INVALID);
    ok!(session.wrap(&Mechanism::plain(CKM_AES_KEY_WRAP), bound, key));
}

fn wrong_handles_are_told_apart() {
    let token = Token::new();
    let session = token.user();
    let form = Mechanism::plain(CKM_AES_KEY_WRAP);
    let kek = ok!(session.aes_key(32, wraps()));
    let key = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true]));
    let wrapped = ok!(session.wrap(&form, kek, key));
    let dead = ok!(session.aes_key(32, wraps()));
    ok!(session.destroy(dead));
    for none in [0, dead, CK_ULONG::MAX] {
        fails!(session.wrap(&form, none, key), CKR_WRAPPING_KEY_HANDLE_INVALID);
        fails!(session.unwrap(&form, none, &wrapped, &aes()), CKR_UNWRAPPING_KEY_HANDLE_INVALID);
        fails!(session.wrap(&form, kek, none), CKR_KEY_HANDLE_INVALID);
    }
    let secret = ok!(session.create(&readable_secret().with(CKA_VALUE, &message(32)).and(wraps())));
    fails!(session.wrap(&form, secret, key), CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
    fails!(session.unwrap(&form, secret, &wrapped, &aes()), CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
    let data = ok!(session.create(&template![CKA_CLASS => CKO_DATA]));
    fails!(session.wrap(&form, kek, data), CKR_KEY_HANDLE_INVALID | CKR_KEY_NOT_WRAPPABLE);
    fails!(session.wrap(&Mechanism::plain(CKM_SHA256), kek, key), CKR_MECHANISM_INVALID);
    fails!(session.unwrap(&Mechanism::plain(CKM_AES_CMAC), kek, &wrapped, &aes()), CKR_MECHANISM_INVALID);
}

fn wrap_with_trusted_asks_for_trust() {
    let token = Token::new();
    let session = token.user();
    let kek = ok!(session.aes_key(32, wraps()));
    let key = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true, CKA_WRAP_WITH_TRUSTED => true]));
    for form in FORMS.map(Mechanism::plain) {
        fails!(session.wrap(&form, kek, key), CKR_KEY_NOT_WRAPPABLE);
    }
}

/// So a bad template never tells whether the wrapped key was good. PKCS#11 3.2, section 5.18.4.
fn the_template_is_judged_before_the_wrapped_key() {
    let token = Token::new();
    let session = token.user();
    let kek = ok!(session.aes_key(32, wraps()));
    let key = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true]));
    for form in FORMS.map(Mechanism::plain) {
        let good = ok!(session.wrap(&form, kek, key));
        for wrapped in [good, vec![0; 40]] {
            let unwrap = |template: Template| session.unwrap(&form, kek, &wrapped, &template);
            fails!(unwrap(template![CKA_KEY_TYPE => CKK_AES]), CKR_TEMPLATE_INCOMPLETE);
            fails!(unwrap(template![CKA_CLASS => CKO_SECRET_KEY]), CKR_TEMPLATE_INCOMPLETE);
            fails!(unwrap(aes().with(CKA_VALUE, &[0; 32])), CKR_ATTRIBUTE_READ_ONLY);
            fails!(unwrap(aes().with(CKA_LOCAL, false)), CKR_ATTRIBUTE_READ_ONLY);
            fails!(unwrap(aes().with(CKA_TOKEN, 1)), CKR_ATTRIBUTE_VALUE_INVALID);
            fails!(unwrap(aes().with(CKA_MODULUS, &[1])), CKR_TEMPLATE_INCONSISTENT);
            fails!(unwrap(aes().with(0x7654_3210, &[1])), CKR_ATTRIBUTE_TYPE_INVALID);
        }
    }
}

fn small_rooms_are_told_what_suffices() {
    let token = Token::new();
    let session = token.user();
    let kek = ok!(session.aes_key(32, wraps()));
    let key = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true]));
    for form in FORMS.map(Mechanism::plain) {
        let wrapped = ok!(session.wrap(&form, kek, key));
        let (outcome, told) = session.wrap_into(&form, kek, key, None);
        ok!(outcome);
        assert_eq!(told, wrapped.len());
        let mut memory = [GUARD; 64];
        for room in [0, 1, told - 1] {
            let (outcome, told) = session.wrap_into(&form, kek, key, Some(&mut memory[..room]));
            fails!(outcome, CKR_BUFFER_TOO_SMALL);
            assert_eq!(told, wrapped.len());
            assert!(memory.iter().all(|byte| *byte == GUARD));
        }
        ok!(session.wrap_into(&form, kek, key, Some(&mut memory[..told])).0);
        assert_eq!(memory[..told], wrapped, "wrapping is deterministic");
        assert!(memory[told..].iter().all(|byte| *byte == GUARD));
    }
}

/// Neither by unwrapping nor in any other way.
fn a_read_only_session_makes_no_token_key() {
    let token = Token::new();
    let writer = token.user();
    let kek = ok!(writer.aes_key(32, wraps()));
    let target = ok!(writer.aes_key(16, template![CKA_EXTRACTABLE => true]));
    let form = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let wrapped = ok!(writer.wrap(&form, kek, target));
    let curve = template![CKA_EC_PARAMS => CURVES[1].params];
    let (public, base) = ok!(writer.pair(CKM_EC_KEY_PAIR_GEN, &curve, &template![CKA_DERIVE => true]));
    let ecdh = Mechanism::ecdh_plain(&octets(&ok!(writer.value(public, CKA_EC_POINT))));
    let session = ok!(token.module.read_only(token.slot));
    for on_token in [false, true] {
        let with = |template: Template| template.with(CKA_TOKEN, on_token);
        let outcomes = [
            session.unwrap(&form, kek, &wrapped, &with(aes())).map(drop),
            session.copy(target, &with(template![])).map(drop),
            session.aes_key(16, with(template![])).map(drop),
            session.aes_key_of(&[1; 16], with(template![])).map(drop),
            session.derive(&ecdh, base, &with(template![CKA_KEY_TYPE => CKK_AES, CKA_VALUE_LEN => 16])).map(drop),
            session.pair(CKM_EC_KEY_PAIR_GEN, &curve, &with(template![])).map(drop),
            session.pair(CKM_EC_KEY_PAIR_GEN, &with(curve.clone()), &template![]).map(drop),
        ];
        let expected = if on_token { Err(Rv(CKR_SESSION_READ_ONLY)) } else { Ok(()) };
        for (place, outcome) in outcomes.into_iter().enumerate() {
            assert_eq!(outcome, expected, "{place}");
        }
    }
}

fn key_wrap_is_a_cipher_of_one_part() {
    let token = Token::new();
    let session = token.user();
    let both = template![CKA_ENCRYPT => true, CKA_DECRYPT => true];
    let kek = ok!(session.aes_key(32, wraps().and(both)));
    for form in FORMS.map(Mechanism::plain) {
        for length in [16, 24, 32, 64, 4096] {
            let text = message(length);
            let wrapped = ok!(session.encrypt(&form, kek, &text));
            let key = ok!(session.create(&readable_secret().with(CKA_VALUE, &text)));
            assert_eq!(ok!(session.wrap(&form, kek, key)), wrapped, "wrapping a key is encrypting its value");
            assert_eq!(ok!(session.decrypt(&form, kek, &wrapped)), text);
        }
        ok!(Encrypt::init(&session, &form, kek));
        fails!(Encrypt::update(&session, &[0; 16], Some(&mut [0; 64])).0, CKR_OPERATION_NOT_INITIALIZED);
        let _ = session.cancel(CKF_ENCRYPT);
        let text = message(32);
        ok!(Encrypt::init(&session, &form, kek));
        let mut place = [text.as_slice(), &[0; 16]].concat();
        let (outcome, length) = session.encrypt_in_place(&mut place, 32);
        ok!(outcome);
        ok!(Decrypt::init(&session, &form, kek));
        let (outcome, length) = session.decrypt_in_place(&mut place, length);
        ok!(outcome);
        assert_eq!(place[..length], text);
    }
}

fn as_a_cipher_it_refuses_what_it_cannot_carry() {
    let token = Token::new();
    let session = token.user();
    let kek = ok!(session.aes_key(16, template![]));
    for length in [0, 8, 15, 17, 31] {
        fails!(session.encrypt(&Mechanism::plain(CKM_AES_KEY_WRAP), kek, &message(length)), CKR_DATA_LEN_RANGE);
    }
    for form in [CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD] {
        fails!(session.encrypt(&Mechanism::plain(form), kek, &[]), CKR_DATA_LEN_RANGE);
    }
    for length in 0..8 {
        let pkcs7 = Mechanism::plain(CKM_AES_KEY_WRAP_PKCS7);
        fails!(session.encrypt(&pkcs7, kek, &message(length)), CKR_DATA_LEN_RANGE);
    }
    for form in FORMS.map(Mechanism::plain) {
        for length in [0, 1, 8, 15, 17, 25] {
            fails!(session.decrypt(&form, kek, &message(length)), CKR_ENCRYPTED_DATA_LEN_RANGE, "{length}");
        }
        let wrapped = ok!(session.encrypt(&form, kek, &message(16)));
        for bit in 0..wrapped.len() * 8 {
            let mut place = wrapped.clone();
            place[bit / 8] ^= 1 << (bit % 8);
            ok!(Decrypt::init(&session, &form, kek));
            fails!(session.decrypt_in_place(&mut place, wrapped.len()).0, CKR_ENCRYPTED_DATA_INVALID, "bit {bit}");
            assert!(!contains(&place, &message(16)[..8]), "nothing of the plaintext is left");
        }
    }
}

/// What a form makes of so many bytes, if it can carry them.
fn wrapped_length(form: CK_MECHANISM_TYPE, length: usize) -> Option<usize> {
    match form {
        CKM_AES_KEY_WRAP => (length > 8).then_some(length.div_ceil(8) * 8 + 8),
        CKM_AES_KEY_WRAP_PKCS7 => (length >= 8).then_some(length / 8 * 8 + 16),
        _ => Some(length.div_ceil(8) * 8 + 8),
    }
}

/// Whether one form opens what the other has wrapped.
fn understands(form: CK_MECHANISM_TYPE, wrapped: CK_MECHANISM_TYPE) -> bool {
    match form {
        CKM_AES_KEY_WRAP_PAD => wrapped != CKM_AES_KEY_WRAP,
        CKM_AES_KEY_WRAP_KWP => [CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD].contains(&wrapped),
        _ => form == wrapped,
    }
}

fn wraps() -> Template {
    template![CKA_WRAP => true, CKA_UNWRAP => true]
}

fn aes() -> Template {
    template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES]
}

fn readable_secret() -> Template {
    let secret = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET];
    secret.and(template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true])
}
