//! Mechanisms with parameters that live as long as they do.

use std::ptr::null_mut;

use cryptoki_sys::*;

/// A mechanism that owns its parameter.
pub struct Mechanism {
    number: CK_MECHANISM_TYPE,
    parameter: Parameter,
}

enum Parameter {
    None,
    Null(CK_ULONG),
    Bytes(Vec<u8>),
    Gcm { raw: Box<CK_GCM_PARAMS>, _iv: Vec<u8>, _aad: Vec<u8> },
}

impl Mechanism {
    /// A mechanism without a parameter.
    pub fn plain(number: CK_MECHANISM_TYPE) -> Mechanism {
        Mechanism { number, parameter: Parameter::None }
    }

    /// A mechanism whose parameter is a row of bytes, such as the IV of CBC.
    pub fn with(number: CK_MECHANISM_TYPE, bytes: &[u8]) -> Mechanism {
        Mechanism { number, parameter: Parameter::Bytes(bytes.to_vec()) }
    }

    /// A mechanism with a NULL parameter of this length.
    pub fn null(number: CK_MECHANISM_TYPE, length: CK_ULONG) -> Mechanism {
        Mechanism { number, parameter: Parameter::Null(length) }
    }

    /// A mechanism whose parameter is a structure of such words: numbers, and addresses of what the test keeps alive.
    pub fn words(number: CK_MECHANISM_TYPE, words: &[usize]) -> Mechanism {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        Mechanism::with(number, &bytes)
    }

    /// AES-CTR; the counter's width in bits, and the first counter block.
    pub fn ctr(counter_bits: CK_ULONG, block: &[u8; 16]) -> Mechanism {
        Mechanism::with(CKM_AES_CTR, &[counter_bits.to_ne_bytes().as_slice(), block].concat())
    }

    /// AES-GCM; the tag's length in bits.
    pub fn gcm(iv: &[u8], aad: &[u8], tag_bits: CK_ULONG) -> Mechanism {
        let (iv, aad) = (iv.to_vec(), aad.to_vec());
        let raw = Box::new(CK_GCM_PARAMS {
            pIv: iv.as_ptr().cast_mut(),
            ulIvLen: iv.len() as CK_ULONG,
            ulIvBits: iv.len() as CK_ULONG * 8,
            pAAD: aad.as_ptr().cast_mut(),
            ulAADLen: aad.len() as CK_ULONG,
            ulTagBits: tag_bits,
        });
        Mechanism { number: CKM_AES_GCM, parameter: Parameter::Gcm { raw, _iv: iv, _aad: aad } }
    }

    /// The C form, valid while the mechanism lives.
    pub fn raw(&self) -> CK_MECHANISM {
        let (pointer, length) = match &self.parameter {
            Parameter::None => (null_mut(), 0),
            Parameter::Null(length) => (null_mut(), *length as usize),
            Parameter::Bytes(bytes) => (bytes.as_ptr().cast_mut().cast(), bytes.len()),
            Parameter::Gcm { raw, .. } => (std::ptr::from_ref(&**raw).cast_mut().cast(), size_of::<CK_GCM_PARAMS>()),
        };
        CK_MECHANISM { mechanism: self.number, pParameter: pointer, ulParameterLen: length as CK_ULONG }
    }
}
