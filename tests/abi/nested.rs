//! Templates in keys: `CKA_WRAP_TEMPLATE`, `CKA_UNWRAP_TEMPLATE`. PKCS#11 3.2, sections 4.9 to 4.11, 5.18.3 and 5.18.4.

use std::ptr;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    a_key_that_does_not_fit_the_wrap_template_does_not_leave,
    the_unwrap_template_adds_and_contradicts,
    a_template_is_read_back_in_steps,
    a_template_in_a_template_is_of_invalid_value,
    the_token_keeps_templates,
];

/// A wrapping key with a template.
fn key_with(
    session: &Session,
    attribute: CK_ATTRIBUTE_TYPE,
    inside: &Template,
    more: Template,
) -> Result<CK_OBJECT_HANDLE> {
    let inside = inside.raw();
    let bytes = inside.len() * size_of::<CK_ATTRIBUTE>();
    // SAFETY: the attributes are plain memory and outlive the call.
    let bytes = unsafe { std::slice::from_raw_parts(inside.as_ptr().cast::<u8>(), bytes) };
    session.aes_key(32, template![CKA_WRAP => true, CKA_UNWRAP => true, attribute => bytes].and(more))
}

fn a_key_that_does_not_fit_the_wrap_template_does_not_leave() {
    let session = Token::new().user();
    let asks = template![CKA_CLASS => CKO_SECRET_KEY, CKA_LABEL => "may leave"];
    let wrapping = key_with(&session, CKA_WRAP_TEMPLATE, &asks, template![]).unwrap();
    let kw = Mechanism::plain(CKM_AES_KEY_WRAP);
    let may = session.aes_key(32, template![CKA_EXTRACTABLE => true, CKA_LABEL => "may leave"]).unwrap();
    let may_not = session.aes_key(32, template![CKA_EXTRACTABLE => true, CKA_LABEL => "another"]).unwrap();
    assert!(session.wrap(&kw, wrapping, may).is_ok());
    fails!(session.wrap(&kw, wrapping, may_not), CKR_KEY_HANDLE_INVALID);
}

fn the_unwrap_template_adds_and_contradicts() {
    let session = Token::new().user();
    let asks = template![CKA_EXTRACTABLE => false, CKA_DECRYPT => false];
    let key = key_with(&session, CKA_UNWRAP_TEMPLATE, &asks, template![]).unwrap();
    let kw = Mechanism::plain(CKM_AES_KEY_WRAP);
    let target = session.aes_key(32, template![CKA_EXTRACTABLE => true]).unwrap();
    let wrapped = session.wrap(&kw, key, target).unwrap();
    let aes = || template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES];
    let unwrapped = session.unwrap(&kw, key, &wrapped, &aes()).unwrap();
    assert!(!session.flag(unwrapped, CKA_EXTRACTABLE).unwrap() && !session.flag(unwrapped, CKA_DECRYPT).unwrap());
    assert!(session.unwrap(&kw, key, &wrapped, &aes().with(CKA_DECRYPT, false)).is_ok());
    let against = session.unwrap(&kw, key, &wrapped, &aes().with(CKA_EXTRACTABLE, true));
    fails!(against, CKR_TEMPLATE_INCONSISTENT);
}

fn a_template_is_read_back_in_steps() {
    let session = Token::new().user();
    let asks = template![CKA_CLASS => CKO_SECRET_KEY, CKA_LABEL => "may leave"];
    let key = key_with(&session, CKA_WRAP_TEMPLATE, &asks, template![]).unwrap();
    let get = |list: &mut [CK_ATTRIBUTE], room: usize| {
        let at = if room == 0 { ptr::null_mut() } else { list.as_mut_ptr().cast() };
        let mut outer = CK_ATTRIBUTE {
            type_: CKA_WRAP_TEMPLATE,
            pValue: at,
            ulValueLen: (room * size_of::<CK_ATTRIBUTE>()) as CK_ULONG,
        };
        let outcome = session.get_raw(key, &mut outer);
        (outcome, outer.ulValueLen)
    };
    let two = 2 * size_of::<CK_ATTRIBUTE>() as CK_ULONG;
    assert_eq!(get(&mut [], 0), (Ok(()), two));
    let empty = CK_ATTRIBUTE { type_: 0, pValue: ptr::null_mut(), ulValueLen: 0 };
    let mut list = [empty; 2];
    assert_eq!(get(&mut list, 1), (Err(Rv(CKR_BUFFER_TOO_SMALL)), CK_UNAVAILABLE_INFORMATION));
    assert_eq!(get(&mut list, 2), (Ok(()), two));
    assert_eq!(list.map(|one| (one.type_, one.ulValueLen)), [(CKA_CLASS, 8), (CKA_LABEL, 9)]);
    let (mut class, mut label) = ([0u8; 8], [0u8; 9]);
    list[0].pValue = class.as_mut_ptr().cast();
    list[1].pValue = label.as_mut_ptr().cast();
    assert_eq!(get(&mut list, 2), (Ok(()), two));
    assert_eq!((class, &label), (CKO_SECRET_KEY.to_ne_bytes(), b"may leave"));
    list[1].ulValueLen = 3;
    assert_eq!(get(&mut list, 2), (Err(Rv(CKR_BUFFER_TOO_SMALL)), two));
    assert_eq!(list[1].ulValueLen, CK_UNAVAILABLE_INFORMATION);
}

fn a_template_in_a_template_is_of_invalid_value() {
    let session = Token::new().user();
    for inside in [template![CKA_WRAP_TEMPLATE => &[0u8; 0]], template![CKA_VALUE => &[1u8; 16]]] {
        fails!(key_with(&session, CKA_WRAP_TEMPLATE, &inside, template![]), CKR_ATTRIBUTE_VALUE_INVALID);
    }
    let unknown = template![0x7654_3210 => &[1u8]];
    fails!(key_with(&session, CKA_WRAP_TEMPLATE, &unknown, template![]), CKR_ATTRIBUTE_TYPE_INVALID);
    let odd = session.aes_key(32, template![CKA_WRAP_TEMPLATE => &[0u8; 23]]);
    fails!(odd, CKR_ATTRIBUTE_VALUE_INVALID);
}

fn the_token_keeps_templates() {
    let token = Token::new();
    let asks = template![CKA_LABEL => "may leave"];
    let kept = template![CKA_TOKEN => true, CKA_LABEL => "wrapping"];
    key_with(&token.user(), CKA_WRAP_TEMPLATE, &asks, kept).unwrap();
    ok!(token.restart());
    let session = token.user();
    let wrapping = session.find(&template![CKA_LABEL => "wrapping"]).unwrap()[0];
    let target = session.aes_key(32, template![CKA_EXTRACTABLE => true]).unwrap();
    fails!(session.wrap(&Mechanism::plain(CKM_AES_KEY_WRAP), wrapping, target), CKR_KEY_HANDLE_INVALID);
}
