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
    Words { words: Vec<usize>, _kept: Vec<Vec<u8>> },
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

    /// AES-GCM with `CK_GCM_WRAP_PARAMS`. The token may write to the IV.
    pub fn gcm_wrap(iv: &[u8], generator: CK_ULONG, fixed_bits: CK_ULONG, aad: &[u8], tag_bits: CK_ULONG) -> Mechanism {
        let mut kept = vec![iv.to_vec(), aad.to_vec()];
        let at = kept[0].as_mut_ptr().expose_provenance();
        let numbers = [fixed_bits, generator].map(|number| number as usize);
        let words = vec![at, iv.len(), numbers[0], numbers[1], address(&kept[1]), aad.len(), tag_bits as usize];
        Mechanism { number: CKM_AES_GCM, parameter: Parameter::Words { words, _kept: kept } }
    }

    /// AES-GCM with `CK_GCM_MESSAGE_PARAMS` and this tag, to which the token may write as well.
    pub fn gcm_message(
        iv: &[u8],
        generator: CK_ULONG,
        fixed_bits: CK_ULONG,
        tag: &[u8],
        tag_bits: CK_ULONG,
    ) -> Mechanism {
        let mut kept = vec![iv.to_vec(), tag.to_vec()];
        let [at, tag_at] = [0, 1].map(|place: usize| kept[place].as_mut_ptr().expose_provenance());
        let numbers = [fixed_bits, generator].map(|number| number as usize);
        let words = vec![at, iv.len(), numbers[0], numbers[1], tag_at, tag_bits as usize];
        Mechanism { number: CKM_AES_GCM, parameter: Parameter::Words { words, _kept: kept } }
    }

    /// What the first two pointers of a structure's parameter point to now: an IV, and a tag or associated data.
    pub fn pointed_to(&self) -> [Vec<u8>; 2] {
        let Parameter::Words { words, _kept: kept } = &self.parameter else { panic!("a structure with words") };
        let read = |word: usize, place: usize| {
            let length = kept[place].len();
            let at: *const u8 = std::ptr::with_exposed_provenance(words[word]);
            // SAFETY: the vector whose address the word is lives as long as the mechanism.
            (0..length).map(|index| unsafe { at.add(index).read() }).collect()
        };
        [read(0, 0), read(4, 1)]
    }

    /// RSA-PSS, `CK_RSA_PKCS_PSS_PARAMS`; the salt's length in bytes.
    pub fn pss(number: CK_MECHANISM_TYPE, hash: CK_MECHANISM_TYPE, mgf: CK_ULONG, salt: usize) -> Mechanism {
        Mechanism::words(number, &[hash as usize, mgf as usize, salt])
    }

    /// RSA-OAEP, `CK_RSA_PKCS_OAEP_PARAMS`. An empty label is NULL.
    pub fn oaep(hash: CK_MECHANISM_TYPE, mgf: CK_ULONG, label: &[u8]) -> Mechanism {
        let label = label.to_vec();
        let words = vec![hash as usize, mgf as usize, CKZ_DATA_SPECIFIED as usize, address(&label), label.len()];
        Mechanism { number: CKM_RSA_PKCS_OAEP, parameter: Parameter::Words { words, _kept: vec![label] } }
    }

    /// ECDH, `CK_ECDH1_DERIVE_PARAMS`: the KDF, what goes into it besides, the other side's public key.
    pub fn ecdh(number: CK_MECHANISM_TYPE, kdf: CK_ULONG, shared: &[u8], public: &[u8]) -> Mechanism {
        let kept = vec![shared.to_vec(), public.to_vec()];
        let words = vec![kdf as usize, shared.len(), address(&kept[0]), public.len(), address(&kept[1])];
        Mechanism { number, parameter: Parameter::Words { words, _kept: kept } }
    }

    /// ECDH whose secret is the key, as it is.
    pub fn ecdh_plain(public: &[u8]) -> Mechanism {
        Mechanism::ecdh(CKM_ECDH1_DERIVE, CKD_NULL, &[], public)
    }

    /// Ed25519 with `CK_EDDSA_PARAMS`: prehashed or not, the context.
    pub fn eddsa(prehashed: bool, context: &[u8]) -> Mechanism {
        let context = context.to_vec();
        // The flag is a byte at the start of the first word.
        let flag = usize::from_ne_bytes([prehashed.into(), 0, 0, 0, 0, 0, 0, 0]);
        let words = vec![flag, context.len(), address(&context)];
        Mechanism { number: CKM_EDDSA, parameter: Parameter::Words { words, _kept: vec![context] } }
    }

    /// The C form, valid while the mechanism lives.
    pub fn raw(&self) -> CK_MECHANISM {
        let (pointer, length) = match &self.parameter {
            Parameter::None => (null_mut(), 0),
            Parameter::Null(length) => (null_mut(), *length as usize),
            Parameter::Bytes(bytes) => (bytes.as_ptr().cast_mut().cast(), bytes.len()),
            Parameter::Words { words, .. } => (words.as_ptr().cast_mut().cast(), size_of_val(words.as_slice())),
            Parameter::Gcm { raw, .. } => (std::ptr::from_ref(&**raw).cast_mut().cast(), size_of::<CK_GCM_PARAMS>()),
        };
        CK_MECHANISM { mechanism: self.number, pParameter: pointer, ulParameterLen: length as CK_ULONG }
    }
}

/// Where the bytes are; NULL where there are none.
fn address(bytes: &[u8]) -> usize {
    if bytes.is_empty() { 0 } else { bytes.as_ptr().expose_provenance() }
}
