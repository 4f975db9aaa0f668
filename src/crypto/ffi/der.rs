//! DER: AWS-LC's reader, which takes nothing else (no BER), and its writer.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;

use aws_lc_sys::{
    CBB, CBB_cleanup, CBB_finish, CBB_init, CBS, CBS_ASN1_BITSTRING, CBS_ASN1_CONSTRUCTED, CBS_ASN1_CONTEXT_SPECIFIC,
    CBS_ASN1_INTEGER, CBS_ASN1_OBJECT, CBS_ASN1_OCTETSTRING, CBS_ASN1_SEQUENCE, CBS_ASN1_TAG, CBS_get_asn1,
    CBS_is_unsigned_asn1_integer, OPENSSL_free,
};

use crate::crypto::Rejected;
use crate::secret::Secret;

/// The tag of an element.
#[derive(Clone, Copy)]
pub struct Tag(CBS_ASN1_TAG);

impl Tag {
    pub const INTEGER: Self = Self(CBS_ASN1_INTEGER as CBS_ASN1_TAG);
    pub const BIT_STRING: Self = Self(CBS_ASN1_BITSTRING as CBS_ASN1_TAG);
    pub const OCTET_STRING: Self = Self(CBS_ASN1_OCTETSTRING as CBS_ASN1_TAG);
    pub const OBJECT_IDENTIFIER: Self = Self(CBS_ASN1_OBJECT as CBS_ASN1_TAG);
    pub const SEQUENCE: Self = Self(CBS_ASN1_SEQUENCE as CBS_ASN1_TAG);

    /// `[number]`, IMPLICIT over a primitive type.
    pub const fn primitive(number: u8) -> Self {
        Self(CBS_ASN1_CONTEXT_SPECIFIC as CBS_ASN1_TAG | number as CBS_ASN1_TAG)
    }

    /// `[number]`, EXPLICIT, or IMPLICIT over a constructed type.
    pub const fn constructed(number: u8) -> Self {
        Self(CBS_ASN1_CONSTRUCTED as CBS_ASN1_TAG | Self::primitive(number).0)
    }
}

/// Takes the next element, which has to have this tag, off `rest`; its contents. After a rejection `rest` is as before.
pub fn element<'a>(rest: &mut &'a [u8], tag: Tag) -> Result<&'a [u8], Rejected> {
    let mut left = CBS { data: rest.as_ptr(), len: rest.len() };
    let mut contents = CBS { data: ptr::null(), len: 0 };
    // SAFETY: `left` is readable for its length.
    if unsafe { CBS_get_asn1(&mut left, &mut contents, tag.0) } != 1 {
        return Err(Rejected);
    }
    // SAFETY: both are parts of what `rest` was, where the reader has left them.
    unsafe {
        *rest = std::slice::from_raw_parts(left.data, left.len);
        Ok(std::slice::from_raw_parts(contents.data, contents.len))
    }
}

/// Takes the next element, an INTEGER that is not negative; its contents, where a zero may lead.
pub fn unsigned<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Rejected> {
    let contents = element(rest, Tag::INTEGER)?;
    let number = CBS { data: contents.as_ptr(), len: contents.len() };
    // SAFETY: `number` is readable for its length.
    if unsafe { CBS_is_unsigned_asn1_integer(&number) } == 1 { Ok(contents) } else { Err(Rejected) }
}

/// What `marshal` writes, given a writer; `None` when it does not return 1, or there is no memory.
pub(super) fn written(marshal: impl FnOnce(*mut CBB) -> c_int) -> Option<Secret> {
    let mut writer = MaybeUninit::<CBB>::uninit();
    let (mut data, mut length) = (ptr::null_mut(), 0);
    // SAFETY: initialised by its function before any other use, and released by `CBB_finish` or by `CBB_cleanup`.
    let done = unsafe {
        if CBB_init(writer.as_mut_ptr(), 512) != 1 {
            return None;
        }
        let done = marshal(writer.as_mut_ptr()) == 1 && CBB_finish(writer.as_mut_ptr(), &mut data, &mut length) == 1;
        if !done {
            CBB_cleanup(writer.as_mut_ptr());
        }
        done
    };
    if !done {
        return None;
    }
    // SAFETY: the buffer is ours now, has this length, and is wiped when it is freed.
    unsafe {
        let written = Secret::from_slice(std::slice::from_raw_parts(data, length));
        OPENSSL_free(data.cast());
        Some(written)
    }
}
