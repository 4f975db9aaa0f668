//! A `CK_MECHANISM` from the fuzzer's bytes. Its pointers keep the contract of a C caller: each is NULL or valid for the
//! length that is said, wherever it is aligned.

use std::ffi::c_void;
use std::ptr;

use cryptoki_sys::*;

use crate::input::Input;

/// A mechanism, with the memory that its parameter lies in.
pub struct Parameter {
    number: CK_MECHANISM_TYPE,
    pointer: Pointer,
    /// One byte that is skipped or not, then the parameter.
    memory: Vec<u8>,
    skipped: usize,
    /// What the pointers inside point to.
    _inner: [Vec<u8>; 2],
}

enum Pointer {
    Valid,
    /// NULL, with a length that is not zero if the fuzzer wants so.
    Null(CK_ULONG),
}

/// Whether the parameter is a struct with pointers other than that of GCM: bytes that are none would break the contract of
/// the caller. These mechanisms get NULL.
fn has_pointers_of_its_own(number: CK_MECHANISM_TYPE) -> bool {
    let derivations = [CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE];
    derivations.contains(&number) || [CKM_EDDSA, CKM_RSA_PKCS_OAEP, CKM_RSA_AES_KEY_WRAP].contains(&number)
}

impl Parameter {
    /// Reads a form, and what the form needs.
    pub fn read(number: CK_MECHANISM_TYPE, input: &mut Input<'_>) -> Self {
        let form = if has_pointers_of_its_own(number) { input.byte() | 0x07 } else { input.byte() };
        let mut inner = [Vec::new(), Vec::new()];
        let mut pointer = Pointer::Valid;
        let bytes = match form & 0x07 {
            0 => {
                pointer = Pointer::Null(0);
                Vec::new()
            }
            // Fewer than any struct with pointers has: random pointers are nobody's contract.
            1 => {
                let length = input.byte().min(39).into();
                input.bytes(length).to_vec()
            }
            form @ (2 | 3) => {
                let (iv_length, aad_length, tag_bits) = (input.byte(), input.byte(), input.short());
                inner = [input.bytes(iv_length.into()).to_vec(), input.bytes(aad_length.into()).to_vec()];
                gcm(&inner, tag_bits.into(), form == 2)
            }
            4 => {
                let bits = CK_ULONG::from(input.short());
                let block = input.bytes(16);
                let block: Vec<u8> = block.iter().copied().chain(std::iter::repeat(0)).take(16).collect();
                [&bits.to_ne_bytes()[..], &block].concat()
            }
            5 => CK_ULONG::from(input.byte()).to_ne_bytes().to_vec(),
            6 => input.number().to_ne_bytes().to_vec(),
            _ => {
                pointer = Pointer::Null(input.number());
                Vec::new()
            }
        };
        let skipped = usize::from(form >> 7);
        let memory = [&[0; 1][..skipped], &bytes].concat();
        Self { number, pointer, memory, skipped, _inner: inner }
    }

    /// No parameter.
    pub fn none(number: CK_MECHANISM_TYPE) -> Self {
        Self::read(number, &mut Input::new(&[]))
    }

    /// The mechanism's number.
    pub fn number(&self) -> CK_MECHANISM_TYPE {
        self.number
    }

    /// The struct for one call. It points into `self`.
    pub fn mechanism(&self) -> CK_MECHANISM {
        let bytes = &self.memory[self.skipped..];
        let (at, length) = match self.pointer {
            Pointer::Valid => (bytes.as_ptr().cast_mut().cast::<c_void>(), bytes.len() as CK_ULONG),
            Pointer::Null(length) => (ptr::null_mut(), length),
        };
        CK_MECHANISM { mechanism: self.number, pParameter: at, ulParameterLen: length }
    }
}

/// `CK_GCM_PARAMS`, with and without `ulIvBits`.
fn gcm([iv, aad]: &[Vec<u8>; 2], tag_bits: CK_ULONG, with_iv_bits: bool) -> Vec<u8> {
    let words = |bytes: &Vec<u8>| {
        let at = if bytes.is_empty() { 0 } else { bytes.as_ptr().expose_provenance() };
        [at as CK_ULONG, bytes.len() as CK_ULONG]
    };
    let iv_bits = if with_iv_bits { vec![8 * iv.len() as CK_ULONG] } else { Vec::new() };
    let fields = [&words(iv)[..], &iv_bits, &words(aad), &[tag_bits]].concat();
    fields.into_iter().flat_map(CK_ULONG::to_ne_bytes).collect()
}
