//! The keys that operations are tried with, and what is done with keys themselves: made, wrapped, unwrapped.

use std::sync::OnceLock;

use cryptoki_sys::*;

use crate::library::{call, session};
use crate::mechanism::Message;
use crate::parameter::Parameter;

/// One key of each kind: every size of AES, and secrets for HMAC of lengths that key wrap treats in different ways.
pub fn all() -> &'static [CK_OBJECT_HANDLE] {
    const KINDS: [(CK_KEY_TYPE, usize); 8] = [
        (CKK_AES, 16),
        (CKK_AES, 24),
        (CKK_AES, 32),
        (CKK_GENERIC_SECRET, 1),
        (CKK_GENERIC_SECRET, 13),
        (CKK_GENERIC_SECRET, 64),
        (CKK_SHA256_HMAC, 20),
        (CKK_SHA512_HMAC, 200),
    ];
    static KEYS: OnceLock<Vec<CK_OBJECT_HANDLE>> = OnceLock::new();
    KEYS.get_or_init(|| KINDS.iter().map(|(key_type, length)| create(*key_type, &value(*length))).collect())
}

/// `C_GenerateKey`
pub fn generate(parameter: &Parameter, length: u8) {
    let (mut length, mut key) = (CK_ULONG::from(length), 0);
    let mut template = [attribute(CKA_VALUE_LEN, (&raw mut length).cast(), size_of::<CK_ULONG>())];
    let mut mechanism = parameter.mechanism();
    if call!(C_GenerateKey(session(), &mut mechanism, template.as_mut_ptr(), 1, &mut key)) == CKR_OK {
        destroy(key);
    }
}

/// `C_WrapKey`, and back by `C_UnwrapKey`: never longer than announced, and the same value.
pub fn wrap(parameter: &Parameter, wrapping: CK_OBJECT_HANDLE, wrapped: CK_OBJECT_HANDLE) {
    let mut mechanism = parameter.mechanism();
    let mut announced = 0;
    let mut to = |into: *mut CK_BYTE, length: &mut CK_ULONG| {
        call!(C_WrapKey(session(), &mut mechanism, wrapping, wrapped, into, length))
    };
    if to(std::ptr::null_mut(), &mut announced) != CKR_OK {
        return;
    }
    let mut form = vec![0; announced as usize];
    let mut short = announced - 1;
    assert_eq!(to(form.as_mut_ptr(), &mut short), CKR_BUFFER_TOO_SMALL);
    assert_eq!(short, announced);
    let mut length = announced;
    if to(form.as_mut_ptr(), &mut length) != CKR_OK {
        return;
    }
    assert!(length <= announced, "a wrapped key is longer than announced");
    form.truncate(length as usize);

    let value = value_of(wrapped);
    let back = unwrap(parameter, wrapping, &form, Some(value.len())).expect("what was wrapped unwraps");
    assert_eq!(value_of(back), value);
    destroy(back);
    if let Some(last) = form.last_mut() {
        *last ^= 1;
        assert_eq!(unwrap(parameter, wrapping, &form, Some(value.len())), Err(CKR_WRAPPED_KEY_INVALID));
    }
}

/// `C_WrapKeyAuthenticated` by `CKM_AES_GCM`, and back: the message is the initialisation vector, then what is authenticated
/// besides.
pub fn wrap_authenticated(wrapping: CK_OBJECT_HANDLE, wrapped: CK_OBJECT_HANDLE, message: &Message<'_>) {
    let (iv, aad) = message.bytes.split_at(message.bytes.len().min(12));
    let (mut iv, mut aad, mut tag) = (iv.to_vec(), aad.to_vec(), [0; 16]);
    let mut parameter = CK_GCM_MESSAGE_PARAMS {
        pIv: iv.as_mut_ptr(),
        ulIvLen: iv.len() as CK_ULONG,
        ulIvFixedBits: 0,
        ivGenerator: CKG_NO_GENERATE,
        pTag: tag.as_mut_ptr(),
        ulTagBits: 128,
    };
    let size = size_of::<CK_GCM_MESSAGE_PARAMS>() as CK_ULONG;
    let at = (&raw mut parameter).cast();
    let mut mechanism = CK_MECHANISM { mechanism: CKM_AES_GCM, pParameter: at, ulParameterLen: size };
    let (text, length) = (aad.as_mut_ptr(), aad.len() as CK_ULONG);
    let (mut form, mut room) = (vec![0; 512], 512);
    let to = form.as_mut_ptr();
    let code = call!(C_WrapKeyAuthenticated(session(), &mut mechanism, wrapping, wrapped, text, length, to, &mut room));
    if code != CKR_OK {
        return;
    }
    let value = value_of(wrapped);
    assert_eq!(room as usize, value.len(), "the tag stands apart");
    let (mut class, mut key_type) = (CKO_SECRET_KEY, CKK_GENERIC_SECRET);
    let (mut no, mut yes) = (CK_FALSE, CK_TRUE);
    let mut template = [
        attribute(CKA_CLASS, (&raw mut class).cast(), size_of::<CK_ULONG>()),
        attribute(CKA_KEY_TYPE, (&raw mut key_type).cast(), size_of::<CK_ULONG>()),
        attribute(CKA_SENSITIVE, &raw mut no, 1),
        attribute(CKA_EXTRACTABLE, &raw mut yes, 1),
    ];
    let mut back = |form: *mut u8, more: CK_ULONG| {
        let (rows, count, mut key) = (template.as_mut_ptr(), template.len() as CK_ULONG, 0);
        let by = &mut mechanism;
        let code = call!(C_UnwrapKeyAuthenticated(
            session(),
            by,
            wrapping,
            form,
            room,
            rows,
            count,
            text,
            length - more,
            &mut key
        ));
        (code, key)
    };
    let (code, key) = back(to, 0);
    assert_eq!(code, CKR_OK, "what was wrapped unwraps");
    assert_eq!(value_of(key), value);
    destroy(key);
    if length > 0 {
        assert_eq!(back(to, 1).0, CKR_WRAPPED_KEY_INVALID, "less was authenticated");
    }
    form[0] ^= 1;
    assert_eq!(back(form.as_mut_ptr(), 0).0, CKR_WRAPPED_KEY_INVALID);
}

/// `C_UnwrapKey` of bytes from anywhere.
pub fn unwrap_foreign(parameter: &Parameter, wrapping: CK_OBJECT_HANDLE, form: &[u8]) {
    // The longest value that can be in it; and a length that only the form itself tells.
    for length in [Some(form.len().saturating_sub(8)), None] {
        if let Ok(key) = unwrap(parameter, wrapping, form, length) {
            destroy(key);
        }
    }
}

fn unwrap(
    parameter: &Parameter,
    wrapping: CK_OBJECT_HANDLE,
    form: &[u8],
    length: Option<usize>,
) -> Result<CK_OBJECT_HANDLE, CK_RV> {
    let (mut class, mut key_type) = (CKO_SECRET_KEY, CKK_GENERIC_SECRET);
    let (mut no, mut yes) = (CK_FALSE, CK_TRUE);
    let mut value_length = length.unwrap_or_default() as CK_ULONG;
    let mut template = vec![
        attribute(CKA_CLASS, (&raw mut class).cast(), size_of::<CK_ULONG>()),
        attribute(CKA_KEY_TYPE, (&raw mut key_type).cast(), size_of::<CK_ULONG>()),
        attribute(CKA_SENSITIVE, &raw mut no, 1),
        attribute(CKA_EXTRACTABLE, &raw mut yes, 1),
    ];
    if length.is_some() {
        template.push(attribute(CKA_VALUE_LEN, (&raw mut value_length).cast(), size_of::<CK_ULONG>()));
    }
    let mut mechanism = parameter.mechanism();
    let mut key = 0;
    let (form, form_length) = (form.as_ptr().cast_mut(), form.len() as CK_ULONG);
    let (template, count) = (template.as_mut_ptr(), template.len() as CK_ULONG);
    match call!(C_UnwrapKey(session(), &mut mechanism, wrapping, form, form_length, template, count, &mut key)) {
        CKR_OK => Ok(key),
        code => Err(code),
    }
}

fn create(key_type: CK_KEY_TYPE, value: &[u8]) -> CK_OBJECT_HANDLE {
    let (mut class, mut key_type) = (CKO_SECRET_KEY, key_type);
    let (mut no, mut yes) = (CK_FALSE, CK_TRUE);
    let mut template = vec![
        attribute(CKA_CLASS, (&raw mut class).cast(), size_of::<CK_ULONG>()),
        attribute(CKA_KEY_TYPE, (&raw mut key_type).cast(), size_of::<CK_ULONG>()),
        attribute(CKA_VALUE, value.as_ptr().cast_mut(), value.len()),
        attribute(CKA_SENSITIVE, &raw mut no, 1),
    ];
    let uses = [CKA_EXTRACTABLE, CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP];
    template.extend(uses.map(|number| attribute(number, &raw mut yes, 1)));
    let mut key = 0;
    let (template, count) = (template.as_mut_ptr(), template.len() as CK_ULONG);
    assert_eq!(call!(C_CreateObject(session(), template, count, &mut key)), CKR_OK);
    key
}

fn value_of(key: CK_OBJECT_HANDLE) -> Vec<u8> {
    let mut value = vec![0; 4096];
    let mut template = [attribute(CKA_VALUE, value.as_mut_ptr(), value.len())];
    assert_eq!(call!(C_GetAttributeValue(session(), key, template.as_mut_ptr(), 1)), CKR_OK);
    value.truncate(template[0].ulValueLen as usize);
    value
}

fn destroy(key: CK_OBJECT_HANDLE) {
    assert_eq!(call!(C_DestroyObject(session(), key)), CKR_OK);
}

pub fn attribute(number: CK_ATTRIBUTE_TYPE, at: *mut u8, length: usize) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE { type_: number, pValue: at.cast(), ulValueLen: length as CK_ULONG }
}

/// The value of a key: no two bytes the same for a while, and the last one not zero.
fn value(length: usize) -> Vec<u8> {
    (1..=length).map(|place| (place % 251) as u8 + 1).collect()
}
