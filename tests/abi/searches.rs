//! Finding objects, and reading their attributes.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    searches_match_every_attribute_given,
    searches_of_many_objects_give_each_once,
    searches_that_nothing_matches_find_nothing,
    searches_do_not_block_other_work,
    reading_goes_through_the_whole_template,
];

fn searches_match_every_attribute_given() {
    let token = Token::new();
    let session = token.user();
    let make = |on_token: bool, label: &str, id: &[u8], length: CK_ULONG| {
        let template = template![CKA_TOKEN => on_token, CKA_LABEL => label, CKA_ID => id];
        ok!(session.aes_key(length, template.with(CKA_SIGN, length == 16)))
    };
    let keys =
        [make(false, "a", &[1], 16), make(true, "a", &[2], 32), make(true, "b", &[1], 16), make(false, "", &[], 24)];
    let data = ok!(session.create(&template![CKA_CLASS => CKO_DATA, CKA_LABEL => "a", CKA_VALUE => "x"]));
    let found = |template: Template| {
        let mut found = ok!(session.objects(&template));
        found.sort();
        found
    };
    let sorted = |mut handles: Vec<CK_OBJECT_HANDLE>| {
        handles.sort();
        handles
    };
    let [a1, a2, b1, bare] = keys;
    assert_eq!(found(template![]), sorted(vec![a1, a2, b1, bare, data]));
    assert_eq!(found(template![CKA_LABEL => "a"]), sorted(vec![a1, a2, data]));
    assert_eq!(found(template![CKA_LABEL => "a", CKA_CLASS => CKO_SECRET_KEY]), sorted(vec![a1, a2]));
    assert_eq!(found(template![CKA_CLASS => CKO_SECRET_KEY, CKA_ID => &[1]]), sorted(vec![a1, b1]));
    assert_eq!(found(template![CKA_TOKEN => true]), sorted(vec![a2, b1]));
    assert_eq!(found(template![CKA_TOKEN => false, CKA_KEY_TYPE => CKK_AES]), sorted(vec![a1, bare]));
    assert_eq!(found(template![CKA_VALUE_LEN => 16]), sorted(vec![a1, b1]));
    assert_eq!(found(template![CKA_SIGN => false]), sorted(vec![a2, bare]), "data has no such attribute");
    assert_eq!(found(template![CKA_LABEL => "", CKA_CLASS => CKO_SECRET_KEY]), [bare]);
    assert_eq!(found(template![CKA_VALUE => "x"]), [data]);
    for key in [b1, a1] {
        let unique = ok!(session.value(key, CKA_UNIQUE_ID));
        assert_eq!(found(template![CKA_UNIQUE_ID => &unique]), [key]);
        assert_eq!(found(template![CKA_UNIQUE_ID => &unique, CKA_ID => &[1]]), [key]);
        assert!(found(template![CKA_UNIQUE_ID => &unique, CKA_ID => &[9]]).is_empty());
        for other in [unique.to_ascii_uppercase(), unique[1..].to_vec(), [&unique[..], b"0"].concat(), vec![b'0'; 32]] {
            assert!(found(template![CKA_UNIQUE_ID => &other]).is_empty() || other == unique);
        }
    }
    assert!(found(template![CKA_LABEL => "A"]).is_empty() && found(template![CKA_LABEL => "a\0"]).is_empty());
}

fn searches_of_many_objects_give_each_once() {
    let token = Token::new();
    let session = token.user();
    let template =
        |round: usize| template![CKA_CLASS => CKO_DATA, CKA_LABEL => "many", CKA_TOKEN => round.is_multiple_of(3)];
    let mut made: Vec<_> = (0..150).map(|round| ok!(session.create(&template(round)))).collect();
    made.sort();
    for room in [1, 7, 150, 1000] {
        ok!(session.find_init(&template![CKA_LABEL => "many"]));
        let mut found = Vec::new();
        loop {
            let more = ok!(session.find_next(room));
            if more.is_empty() {
                break;
            }
            assert!(more.len() <= room);
            found.extend(more);
        }
        assert!(ok!(session.find_next(room)).is_empty(), "the end stays the end");
        ok!(session.find_final());
        found.sort();
        assert_eq!(found, made, "in steps of {room}");
    }
}

/// A search template is never wrong: what nobody has matches nothing.
fn searches_that_nothing_matches_find_nothing() {
    let token = Token::new();
    let session = token.user();
    let open = template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true, CKA_TOKEN => true];
    let readable = ok!(session.aes_key_of(&[9; 16], open));
    for hidden in [template![], template![CKA_EXTRACTABLE => true], template![CKA_SENSITIVE => false]] {
        ok!(session.aes_key_of(&[7; 16], hidden.with(CKA_TOKEN, true)));
    }
    let nothing = [
        template![CKA_CLASS => CKO_CERTIFICATE],
        template![CKA_CLASS => 0xce53_4351],
        template![CKA_CLASS => &[1, 2]],
        template![0x7654_3210 => &[1]],
        template![CKA_MODULUS => &[1]],
        template![CKA_TOKEN => &[2]],
        template![CKA_TOKEN => 1],
        template![CKA_VALUE => &[7; 16]],
        template![CKA_VALUE => &[7; 16], CKA_CLASS => CKO_SECRET_KEY],
        template![CKA_VALUE => &[9; 15]],
    ];
    for (place, template) in nothing.iter().enumerate() {
        assert!(ok!(session.find(template), "template {place}").is_empty(), "template {place}");
    }
    assert_eq!(ok!(session.find(&template![CKA_VALUE => &[9; 16]])), [readable], "what may be read may be searched");
}

fn searches_do_not_block_other_work() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_LABEL => "k"]));
    fails!(session.find_next(1), CKR_OPERATION_NOT_INITIALIZED);
    fails!(session.find_final(), CKR_OPERATION_NOT_INITIALIZED);
    ok!(session.find_init(&template![CKA_LABEL => "k"]));
    fails!(session.find_init(&template![]), CKR_OPERATION_ACTIVE);
    ok!(session.encrypt(&cbc(), key, &[0; 16]));
    assert_eq!(ok!(session.value(key, CKA_LABEL)), b"k");
    ok!(session.destroy(ok!(session.aes_key(32, template![]))));
    assert_eq!(ok!(session.find_next(10)), [key]);
    ok!(session.find_final());
    fails!(session.find_final(), CKR_OPERATION_NOT_INITIALIZED);
}

/// PKCS#11 3.2, section 5.7.5: the codes come after all that can be filled was filled.
fn reading_goes_through_the_whole_template() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_LABEL => "label", CKA_ID => &[1, 2, 3]]));
    let (outcome, rows) = session.values(key, &[(CKA_LABEL, 5), (CKA_ID, 64), (CKA_CLASS, 8), (CKA_TOKEN, 1)]);
    ok!(outcome);
    assert_eq!((rows[0].0, rows[0].1.as_slice()), (5, b"label".as_slice()));
    assert_eq!((rows[1].0, &rows[1].1[..4]), (3, [1, 2, 3, GUARD].as_slice()));
    assert_eq!((rows[2].0, &rows[2].1), (8, &CKO_SECRET_KEY.to_ne_bytes().to_vec()));

    let codes = [
        ((CKA_VALUE, 32), CKR_ATTRIBUTE_SENSITIVE),
        ((CKA_MODULUS, 32), CKR_ATTRIBUTE_TYPE_INVALID),
        ((0x7654_3210, 32), CKR_ATTRIBUTE_TYPE_INVALID),
        ((CKA_LABEL, 4), CKR_BUFFER_TOO_SMALL),
    ];
    for (bad, code) in codes {
        let (outcome, rows) = session.values(key, &[(CKA_ID, 3), bad, (CKA_VALUE_LEN, 8)]);
        assert_eq!(outcome, Err(Rv(code)));
        assert_eq!((rows[0].0, rows[0].1.as_slice()), (3, [1, 2, 3].as_slice()));
        assert_eq!((rows[1].0, rows[1].1.iter().all(|byte| *byte == GUARD)), (CK_UNAVAILABLE_INFORMATION, true));
        assert_eq!((rows[2].0, &rows[2].1), (8, &32_u64.to_ne_bytes().to_vec()));
    }
    let all = codes.map(|(bad, _)| bad);
    let (outcome, rows) = session.values(key, &all);
    fails!(outcome, CKR_ATTRIBUTE_SENSITIVE | CKR_ATTRIBUTE_TYPE_INVALID | CKR_BUFFER_TOO_SMALL);
    assert!(rows.iter().all(|(length, _)| *length == CK_UNAVAILABLE_INFORMATION));
}
