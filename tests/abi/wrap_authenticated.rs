//! Keys wrapped by AES-GCM: initialisation vectors that the token makes, and tags that stand apart. PKCS#11 3.2, sections
//! 5.18.3, 5.18.6, 5.18.7 and 6.13.3.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    the_token_makes_the_iv_and_tells_it,
    fixed_bits_stay,
    generators_that_would_repeat_are_refused,
    a_question_for_the_length_makes_nothing,
    the_tag_stands_apart,
    the_token_makes_the_iv_of_messages_too,
    whatever_is_changed_is_refused,
    rooms_are_told_what_suffices,
    parameters_that_are_none_are_refused,
    the_rules_of_wrapping_hold,
];

fn the_token_makes_the_iv_and_tells_it() {
    let keys = Keys::new();
    for generator in [CKG_GENERATE, CKG_GENERATE_RANDOM] {
        for length in [12, 16, 60] {
            let mut seen = std::collections::HashSet::from([vec![7; length]]);
            for _ in 0..20 {
                let mechanism = Mechanism::gcm_wrap(&vec![7; length], generator, 0, b"bound", 128);
                let wrapped = ok!(keys.session.wrap(&mechanism, keys.kek, keys.target));
                let [iv, _] = mechanism.pointed_to();
                let opened = keys.session.decrypt(&Mechanism::gcm(&iv, b"bound", 128), keys.opener, &wrapped);
                assert_eq!(ok!(opened), message(32), "it is the one that was used");
                ok!(keys.session.unwrap(&mechanism, keys.kek, &wrapped, &aes()));
                assert_eq!(mechanism.pointed_to()[0], iv, "unwrapping writes none");
                assert!(seen.insert(iv), "no IV comes twice, nor is it the caller's");
            }
        }
    }
}

fn fixed_bits_stay() {
    let keys = Keys::new();
    for (fixed, length) in [(0, 12), (1, 13), (12, 14), (32, 16), (64, 20)] {
        let (mut ones, mut zeros) = (vec![0xff; length], vec![0; length]);
        for _ in 0..40 {
            for (given, seen) in [(0xff, &mut ones), (0, &mut zeros)] {
                let mechanism = Mechanism::gcm_wrap(&vec![given; length], CKG_GENERATE, fixed, b"", 128);
                ok!(keys.session.wrap(&mechanism, keys.kek, keys.target));
                let made = mechanism.pointed_to().into_iter().next().unwrap();
                seen.iter_mut().zip(made).for_each(|(seen, made)| {
                    *seen = if given == 0 { *seen | made } else { *seen & made };
                });
            }
        }
        for bit in 0..length * 8 {
            let of = |bytes: &[u8]| bytes[bit / 8] >> (7 - bit % 8) & 1 == 1;
            let is_fixed = bit < fixed as usize;
            assert_eq!((of(&ones), of(&zeros)), (is_fixed, !is_fixed), "bit {bit} with {fixed} fixed");
        }
    }
}

/// A counter begins at zero with each call; and with less than 96 random bits an IV comes twice too soon.
fn generators_that_would_repeat_are_refused() {
    let keys = Keys::new();
    let wrap = |iv: &[u8], generator, fixed| {
        let mechanism = Mechanism::gcm_wrap(iv, generator, fixed, b"", 128);
        let outcome = keys.session.wrap(&mechanism, keys.kek, keys.target);
        assert_eq!(mechanism.pointed_to()[0] == iv, outcome.is_err());
        outcome
    };
    ok!(wrap(&[1; 12], CKG_GENERATE, 0));
    for generator in [CKG_GENERATE_COUNTER, CKG_GENERATE_COUNTER_XOR, 9, CK_ULONG::MAX] {
        fails!(wrap(&[1; 12], generator, 0), CKR_MECHANISM_PARAM_INVALID, "{generator}");
    }
    for (length, fixed) in [(11, 0), (12, 1), (16, 33), (16, 128), (16, 129), (16, CK_ULONG::MAX)] {
        fails!(wrap(&vec![1; length], CKG_GENERATE, fixed), CKR_MECHANISM_PARAM_INVALID, "{length}, {fixed}");
    }
    fails!(wrap(&[], CKG_GENERATE, 0), CKR_MECHANISM_PARAM_INVALID);
}

fn a_question_for_the_length_makes_nothing() {
    let keys = Keys::new();
    let mechanism = Mechanism::gcm_wrap(&[7; 12], CKG_GENERATE, 0, b"", 128);
    assert_eq!(keys.session.wrap_into(&mechanism, keys.kek, keys.target, None), (Ok(()), 48));
    let (outcome, told) = keys.session.wrap_into(&mechanism, keys.kek, keys.target, Some(&mut [0; 47]));
    fails!(outcome, CKR_BUFFER_TOO_SMALL);
    assert_eq!((told, &mechanism.pointed_to()[0]), (48, &vec![7; 12]));
}

/// The same bytes as the other function gives, cut in two.
fn the_tag_stands_apart() {
    let keys = Keys::new();
    for tag_bits in [128, 96, 64, 32] {
        let whole = Mechanism::gcm_wrap(&[7; 12], CKG_NO_GENERATE, 0, b"bound", tag_bits);
        let whole = ok!(keys.session.wrap(&whole, keys.kek, keys.target));
        let mechanism = Mechanism::gcm_message(&[7; 12], CKG_NO_GENERATE, 0, &[GUARD; 20], tag_bits);
        let wrapped = ok!(keys.wrap(&mechanism, b"bound"));
        let [iv, tag] = mechanism.pointed_to();
        let (tag, behind) = tag.split_at(tag_bits as usize / 8);
        assert_eq!((&wrapped[..], tag), (&whole[..32], &whole[32..]));
        assert!(iv == [7; 12] && behind.iter().all(|byte| *byte == GUARD));
        let opened = ok!(keys.session.unwrap_authenticated(&mechanism, keys.kek, &wrapped, b"bound", &readable()));
        assert_eq!(ok!(keys.session.value(opened, CKA_VALUE)), message(32));
    }
}

fn the_token_makes_the_iv_of_messages_too() {
    let keys = Keys::new();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20 {
        let mechanism = Mechanism::gcm_message(&[7; 16], CKG_GENERATE, 32, &[0; 16], 128);
        let wrapped = ok!(keys.wrap(&mechanism, b"bound"));
        let [iv, tag] = mechanism.pointed_to();
        assert_eq!(iv[..4], [7; 4]);
        let opener = Mechanism::gcm(&iv, b"bound", 128);
        assert_eq!(ok!(keys.session.decrypt(&opener, keys.opener, &[wrapped, tag].concat())), message(32));
        assert!(seen.insert(iv));
    }
}

fn whatever_is_changed_is_refused() {
    let keys = Keys::new();
    let made = Mechanism::gcm_message(&[7; 12], CKG_NO_GENERATE, 0, &[0; 16], 128);
    let wrapped = ok!(keys.wrap(&made, b"bound"));
    let [iv, tag] = made.pointed_to();
    let open = |iv: &[u8], tag: &[u8], tag_bits, wrapped: &[u8], aad: &[u8]| {
        // Generator and fixed bits say nothing here.
        let mechanism = Mechanism::gcm_message(iv, CKG_GENERATE_COUNTER, 999, tag, tag_bits);
        keys.session.unwrap_authenticated(&mechanism, keys.kek, wrapped, aad, &aes())
    };
    ok!(open(&iv, &tag, 128, &wrapped, b"bound"));
    let flipped = |bytes: &[u8], bit: usize| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    for bit in 0..128 {
        fails!(open(&iv, &flipped(&tag, bit), 128, &wrapped, b"bound"), CKR_WRAPPED_KEY_INVALID);
        fails!(open(&iv, &tag, 128, &flipped(&wrapped, bit), b"bound"), CKR_WRAPPED_KEY_INVALID);
        fails!(open(&flipped(&iv, bit % 96), &tag, 128, &wrapped, b"bound"), CKR_WRAPPED_KEY_INVALID);
    }
    for aad in [b"".as_slice(), b"bounds", b"other"] {
        fails!(open(&iv, &tag, 128, &wrapped, aad), CKR_WRAPPED_KEY_INVALID);
    }
    fails!(open(&iv, &tag, 128, &wrapped[1..], b"bound"), CKR_WRAPPED_KEY_INVALID | CKR_WRAPPED_KEY_LEN_RANGE);
    fails!(open(&iv, &tag, 128, &[], b"bound"), CKR_WRAPPED_KEY_INVALID | CKR_WRAPPED_KEY_LEN_RANGE);
}

fn rooms_are_told_what_suffices() {
    let keys = Keys::new();
    let mechanism = Mechanism::gcm_message(&[7; 12], CKG_GENERATE, 0, &[GUARD; 16], 128);
    for room in [None, Some(0), Some(31)] {
        let mut buffer = room.map(|room| vec![GUARD; room]);
        let (outcome, told) =
            keys.session.wrap_authenticated(&mechanism, keys.kek, keys.target, b"", buffer.as_deref_mut());
        match room {
            None => ok!(outcome),
            Some(_) => fails!(outcome, CKR_BUFFER_TOO_SMALL),
        }
        assert_eq!(told, 32, "without the tag");
        assert_eq!(mechanism.pointed_to(), [vec![7; 12], vec![GUARD; 16]]);
        assert!(buffer.is_none_or(|buffer| buffer.iter().all(|byte| *byte == GUARD)));
    }
}

fn parameters_that_are_none_are_refused() {
    let keys = Keys::new();
    let message = |tag_bits| Mechanism::gcm_message(&[7; 12], CKG_NO_GENERATE, 0, &[0; 16], tag_bits);
    let words = |words: &[usize]| Mechanism::words(CKM_AES_GCM, words);
    let bad = [
        message(0),
        message(31),
        message(129),
        message(136),
        message(CK_ULONG::MAX),
        Mechanism::plain(CKM_AES_GCM),
        Mechanism::gcm_wrap(&[7; 12], CKG_NO_GENERATE, 0, b"", 128),
        words(&[0, 12, 0, 0, 0, 128]),
        words(&[0, 0, 0, 0, 0, 128]),
    ];
    for (place, mechanism) in bad.iter().enumerate() {
        fails!(keys.wrap(mechanism, b""), CKR_MECHANISM_PARAM_INVALID, "{place}");
        let opened = keys.session.unwrap_authenticated(mechanism, keys.kek, &[0; 32], b"", &aes());
        fails!(opened, CKR_MECHANISM_PARAM_INVALID, "{place}");
    }
    for other in [CKM_AES_KEY_WRAP, CKM_AES_CBC_PAD, CKM_SHA256, CKM_RSA_PKCS, 0x7fff_0000] {
        fails!(keys.wrap(&Mechanism::plain(other), b""), CKR_MECHANISM_INVALID);
        let opened = keys.session.unwrap_authenticated(&Mechanism::plain(other), keys.kek, &[0; 32], b"", &aes());
        fails!(opened, CKR_MECHANISM_INVALID);
    }
}

fn the_rules_of_wrapping_hold() {
    let keys = Keys::new();
    let session = &keys.session;
    let mechanism = Mechanism::gcm_message(&[7; 12], CKG_NO_GENERATE, 0, &[0; 16], 128);
    let wrap = |with, key| session.wrap_authenticated(&mechanism, with, key, b"", Some(&mut [0; 64])).0;
    let kept = ok!(session.aes_key(16, template![CKA_EXTRACTABLE => false]));
    let useless = ok!(session.aes_key(16, template![]));
    fails!(wrap(keys.kek, kept), CKR_KEY_UNEXTRACTABLE);
    fails!(session.wrap_authenticated(&mechanism, keys.kek, kept, b"", None).0, CKR_KEY_UNEXTRACTABLE);
    fails!(wrap(useless, keys.target), CKR_KEY_FUNCTION_NOT_PERMITTED);
    fails!(wrap(0, keys.target), CKR_WRAPPING_KEY_HANDLE_INVALID);
    fails!(wrap(keys.kek, 0), CKR_KEY_HANDLE_INVALID);
    let wrapped = ok!(keys.wrap(&mechanism, b""));
    let open = |with, template: &Template| session.unwrap_authenticated(&mechanism, with, &wrapped, b"", template);
    fails!(open(0, &aes()), CKR_UNWRAPPING_KEY_HANDLE_INVALID);
    fails!(open(useless, &aes()), CKR_KEY_FUNCTION_NOT_PERMITTED);
    fails!(open(keys.kek, &template![CKA_CLASS => CKO_SECRET_KEY]), CKR_TEMPLATE_INCOMPLETE);
    fails!(open(keys.kek, &aes().with(CKA_VALUE_LEN, 16)), CKR_WRAPPED_KEY_LEN_RANGE);
    let key = ok!(open(keys.kek, &aes()));
    for attribute in [CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE] {
        assert!(!ok!(session.flag(key, attribute)));
    }
    assert!(ok!(session.flag(key, CKA_EXTRACTABLE)));
}

/// A wrapping key, a key of the same value that decrypts, and a key to be wrapped.
struct Keys {
    _token: Token,
    session: Session,
    kek: CK_OBJECT_HANDLE,
    opener: CK_OBJECT_HANDLE,
    target: CK_OBJECT_HANDLE,
}

impl Keys {
    fn new() -> Keys {
        let token = Token::new();
        let session = token.user();
        let kek = ok!(session.aes_key_of(&[5; 32], template![CKA_WRAP => true, CKA_UNWRAP => true]));
        let opener = ok!(session.aes_key_of(&[5; 32], template![CKA_DECRYPT => true]));
        let target = ok!(session.aes_key_of(&message(32), template![CKA_EXTRACTABLE => true]));
        Keys { _token: token, session, kek, opener, target }
    }

    fn wrap(&self, mechanism: &Mechanism, aad: &[u8]) -> Result<Vec<u8>> {
        let mut room = vec![0; 64];
        let (outcome, length) = self.session.wrap_authenticated(mechanism, self.kek, self.target, aad, Some(&mut room));
        room.truncate(length);
        outcome.map(|()| room)
    }
}

fn aes() -> Template {
    template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES]
}

fn readable() -> Template {
    aes().and(template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true])
}
