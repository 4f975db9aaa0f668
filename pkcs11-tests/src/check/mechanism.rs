//! The mechanisms that the checks know: a row each.

use std::ptr;

use cryptoki_sys::*;

use super::key::Kind;
use super::operation::Purpose;
use super::verdict::Outcome;
use super::world::broken;

use Form::{Counter, Gcm, Iv, Number, Oaep, Plain, Pss};
use Purpose::{Decrypt, Digest, Encrypt, Sign, Verify};

/// A mechanism that the checks know.
#[derive(Clone, Copy)]
pub struct Known {
    /// Its name without `CKM_`.
    pub name: &'static str,
    /// Its number.
    pub number: CK_MECHANISM_TYPE,
    /// Its parameter.
    pub form: Form,
    /// The key that it takes here.
    pub key: Kind,
    /// What it does.
    pub does: &'static [Purpose],
    /// Which inputs it takes.
    pub takes: Takes,
    /// Whether it works in parts. PKCS#11 3.2, section 6.
    pub in_parts: bool,
    /// Whether its result is another one each time.
    pub is_random: bool,
}

/// Which inputs a mechanism takes.
#[derive(Clone, Copy, PartialEq)]
pub enum Takes {
    /// Any.
    Anything,
    /// Multiples of so many bytes.
    Blocks(usize),
    /// So many bytes exactly, as a hash has.
    Exactly(usize),
    /// At most so many bytes.
    AtMost(usize),
}

/// The parameter of a mechanism.
#[derive(Clone, Copy, PartialEq)]
pub enum Form {
    /// None.
    Plain,
    /// 16 bytes.
    Iv,
    /// `CK_AES_CTR_PARAMS`
    Counter,
    /// `CK_GCM_PARAMS`
    Gcm,
    /// A `CK_ULONG`.
    Number(CK_ULONG),
    /// `CK_RSA_PKCS_OAEP_PARAMS`: hash and mask generation function
    Oaep(CK_MECHANISM_TYPE, CK_RSA_PKCS_MGF_TYPE),
    /// `CK_RSA_PKCS_PSS_PARAMS`: hash, mask generation function, salt
    Pss(CK_MECHANISM_TYPE, CK_RSA_PKCS_MGF_TYPE, CK_ULONG),
}

const CIPHER: &[Purpose] = &[Encrypt, Decrypt];
const SIGNATURE: &[Purpose] = &[Sign, Verify];
const RSA_BYTES: usize = 256;

const fn row(name: &'static str, number: CK_MECHANISM_TYPE, form: Form, key: Kind, does: &'static [Purpose]) -> Known {
    Known { name, number, form, key, does, takes: Takes::Anything, in_parts: true, is_random: false }
}

const fn hash(name: &'static str, number: CK_MECHANISM_TYPE) -> Known {
    row(name, number, Plain, Kind::None, &[Digest])
}

const fn hmac(name: &'static str, number: CK_MECHANISM_TYPE) -> Known {
    row(name, number, Plain, Kind::Generic, SIGNATURE)
}

const fn cut(name: &'static str, number: CK_MECHANISM_TYPE, key: Kind) -> Known {
    row(name, number, Number(7), key, SIGNATURE)
}

const fn cipher(name: &'static str, number: CK_MECHANISM_TYPE, form: Form) -> Known {
    row(name, number, form, Kind::Aes, CIPHER)
}

const fn rsa(name: &'static str, number: CK_MECHANISM_TYPE) -> Known {
    row(name, number, Plain, Kind::Rsa, SIGNATURE)
}

const fn pss(name: &'static str, number: CK_MECHANISM_TYPE, form: Form) -> Known {
    row(name, number, form, Kind::Rsa, SIGNATURE).random()
}

const fn ecdsa(name: &'static str, number: CK_MECHANISM_TYPE) -> Known {
    row(name, number, Plain, Kind::P256, SIGNATURE).random()
}

impl Known {
    const fn takes(self, takes: Takes) -> Self {
        Self { takes, ..self }
    }

    const fn single(self) -> Self {
        Self { in_parts: false, ..self }
    }

    const fn random(self) -> Self {
        Self { is_random: true, ..self }
    }

    /// The mechanism of this name.
    pub fn named(name: &str) -> Outcome<&'static Self> {
        KNOWN.iter().find(|known| known.name == name).ok_or_else(|| broken("the check", "a mechanism it knows", name))
    }

    /// A good input of about so many bytes.
    pub fn input(&self, about: usize) -> Vec<u8> {
        let length = match self.takes {
            Takes::Anything => about,
            Takes::Blocks(size) => about.next_multiple_of(size),
            Takes::Exactly(size) => size,
            Takes::AtMost(size) => about.min(size),
        };
        (0..length).map(|index| (index % 251) as u8).collect()
    }

    /// The block by which its output lags behind the input, or by which inputs come: splits round it are the interesting ones.
    pub fn is_good_length(&self, length: usize) -> bool {
        match self.takes {
            Takes::Anything => true,
            Takes::Blocks(size) => length.is_multiple_of(size),
            Takes::Exactly(size) => length == size,
            Takes::AtMost(size) => length <= size,
        }
    }
}

/// The mechanisms.
#[rustfmt::skip]
pub const KNOWN: &[Known] = &[
    cipher("AES_ECB", CKM_AES_ECB, Plain).takes(Takes::Blocks(16)),
    cipher("AES_CBC", CKM_AES_CBC, Iv).takes(Takes::Blocks(16)),
    cipher("AES_CBC_PAD", CKM_AES_CBC_PAD, Iv),
    cipher("AES_CTR", CKM_AES_CTR, Counter),
    cipher("AES_GCM", CKM_AES_GCM, Gcm),
    cipher("AES_KEY_WRAP", CKM_AES_KEY_WRAP, Plain).takes(Takes::Blocks(8)).single(),
    cipher("AES_KEY_WRAP_PAD", CKM_AES_KEY_WRAP_PAD, Plain).single(),
    cipher("AES_KEY_WRAP_KWP", CKM_AES_KEY_WRAP_KWP, Plain).single(),
    cipher("AES_KEY_WRAP_PKCS7", CKM_AES_KEY_WRAP_PKCS7, Plain).single(),
    row("AES_CMAC", CKM_AES_CMAC, Plain, Kind::Aes, SIGNATURE),
    cut("AES_CMAC_GENERAL", CKM_AES_CMAC_GENERAL, Kind::Aes),
    hash("MD5", CKM_MD5),
    hash("SHA_1", CKM_SHA_1),
    hash("SHA224", CKM_SHA224),
    hash("SHA256", CKM_SHA256),
    hash("SHA384", CKM_SHA384),
    hash("SHA512", CKM_SHA512),
    hash("SHA512_224", CKM_SHA512_224),
    hash("SHA512_256", CKM_SHA512_256),
    hash("SHA3_224", CKM_SHA3_224),
    hash("SHA3_256", CKM_SHA3_256),
    hash("SHA3_384", CKM_SHA3_384),
    hash("SHA3_512", CKM_SHA3_512),
    hmac("MD5_HMAC", CKM_MD5_HMAC),
    hmac("SHA_1_HMAC", CKM_SHA_1_HMAC),
    hmac("SHA224_HMAC", CKM_SHA224_HMAC),
    hmac("SHA256_HMAC", CKM_SHA256_HMAC),
    hmac("SHA384_HMAC", CKM_SHA384_HMAC),
    hmac("SHA512_HMAC", CKM_SHA512_HMAC),
    hmac("SHA512_224_HMAC", CKM_SHA512_224_HMAC),
    hmac("SHA512_256_HMAC", CKM_SHA512_256_HMAC),
    hmac("SHA3_224_HMAC", CKM_SHA3_224_HMAC),
    hmac("SHA3_256_HMAC", CKM_SHA3_256_HMAC),
    hmac("SHA3_384_HMAC", CKM_SHA3_384_HMAC),
    hmac("SHA3_512_HMAC", CKM_SHA3_512_HMAC),
    cut("SHA_1_HMAC_GENERAL", CKM_SHA_1_HMAC_GENERAL, Kind::Generic),
    cut("SHA224_HMAC_GENERAL", CKM_SHA224_HMAC_GENERAL, Kind::Generic),
    cut("SHA256_HMAC_GENERAL", CKM_SHA256_HMAC_GENERAL, Kind::Generic),
    cut("SHA384_HMAC_GENERAL", CKM_SHA384_HMAC_GENERAL, Kind::Generic),
    cut("SHA512_HMAC_GENERAL", CKM_SHA512_HMAC_GENERAL, Kind::Generic),
    cut("SHA512_224_HMAC_GENERAL", CKM_SHA512_224_HMAC_GENERAL, Kind::Generic),
    cut("SHA512_256_HMAC_GENERAL", CKM_SHA512_256_HMAC_GENERAL, Kind::Generic),
    cut("SHA3_224_HMAC_GENERAL", CKM_SHA3_224_HMAC_GENERAL, Kind::Generic),
    cut("SHA3_256_HMAC_GENERAL", CKM_SHA3_256_HMAC_GENERAL, Kind::Generic),
    cut("SHA3_384_HMAC_GENERAL", CKM_SHA3_384_HMAC_GENERAL, Kind::Generic),
    cut("SHA3_512_HMAC_GENERAL", CKM_SHA3_512_HMAC_GENERAL, Kind::Generic),
    row("RSA_PKCS", CKM_RSA_PKCS, Plain, Kind::Rsa, &[Encrypt, Decrypt, Sign, Verify]).takes(Takes::AtMost(RSA_BYTES - 11)).single().random(),
    row("RSA_X_509", CKM_RSA_X_509, Plain, Kind::Rsa, &[Encrypt, Decrypt, Sign, Verify]).takes(Takes::Exactly(RSA_BYTES)).single(),
    row("RSA_PKCS_OAEP", CKM_RSA_PKCS_OAEP, Oaep(CKM_SHA_1, CKG_MGF1_SHA1), Kind::Rsa, CIPHER).takes(Takes::AtMost(RSA_BYTES - 42)).single().random(),
    rsa("SHA1_RSA_PKCS", CKM_SHA1_RSA_PKCS),
    rsa("SHA224_RSA_PKCS", CKM_SHA224_RSA_PKCS),
    rsa("SHA256_RSA_PKCS", CKM_SHA256_RSA_PKCS),
    rsa("SHA384_RSA_PKCS", CKM_SHA384_RSA_PKCS),
    rsa("SHA512_RSA_PKCS", CKM_SHA512_RSA_PKCS),
    rsa("SHA3_224_RSA_PKCS", CKM_SHA3_224_RSA_PKCS),
    rsa("SHA3_256_RSA_PKCS", CKM_SHA3_256_RSA_PKCS),
    rsa("SHA3_384_RSA_PKCS", CKM_SHA3_384_RSA_PKCS),
    rsa("SHA3_512_RSA_PKCS", CKM_SHA3_512_RSA_PKCS),
    pss("RSA_PKCS_PSS", CKM_RSA_PKCS_PSS, Pss(CKM_SHA256, CKG_MGF1_SHA256, 32)).takes(Takes::Exactly(32)).single(),
    pss("SHA1_RSA_PKCS_PSS", CKM_SHA1_RSA_PKCS_PSS, Pss(CKM_SHA_1, CKG_MGF1_SHA1, 20)),
    pss("SHA224_RSA_PKCS_PSS", CKM_SHA224_RSA_PKCS_PSS, Pss(CKM_SHA224, CKG_MGF1_SHA224, 28)),
    pss("SHA256_RSA_PKCS_PSS", CKM_SHA256_RSA_PKCS_PSS, Pss(CKM_SHA256, CKG_MGF1_SHA256, 32)),
    pss("SHA384_RSA_PKCS_PSS", CKM_SHA384_RSA_PKCS_PSS, Pss(CKM_SHA384, CKG_MGF1_SHA384, 48)),
    pss("SHA512_RSA_PKCS_PSS", CKM_SHA512_RSA_PKCS_PSS, Pss(CKM_SHA512, CKG_MGF1_SHA512, 64)),
    pss("SHA3_224_RSA_PKCS_PSS", CKM_SHA3_224_RSA_PKCS_PSS, Pss(CKM_SHA3_224, CKG_MGF1_SHA3_224, 28)),
    pss("SHA3_256_RSA_PKCS_PSS", CKM_SHA3_256_RSA_PKCS_PSS, Pss(CKM_SHA3_256, CKG_MGF1_SHA3_256, 32)),
    pss("SHA3_384_RSA_PKCS_PSS", CKM_SHA3_384_RSA_PKCS_PSS, Pss(CKM_SHA3_384, CKG_MGF1_SHA3_384, 48)),
    pss("SHA3_512_RSA_PKCS_PSS", CKM_SHA3_512_RSA_PKCS_PSS, Pss(CKM_SHA3_512, CKG_MGF1_SHA3_512, 64)),
    ecdsa("ECDSA", CKM_ECDSA).takes(Takes::Exactly(32)).single(),
    ecdsa("ECDSA_SHA1", CKM_ECDSA_SHA1),
    ecdsa("ECDSA_SHA224", CKM_ECDSA_SHA224),
    ecdsa("ECDSA_SHA256", CKM_ECDSA_SHA256),
    ecdsa("ECDSA_SHA384", CKM_ECDSA_SHA384),
    ecdsa("ECDSA_SHA512", CKM_ECDSA_SHA512),
    ecdsa("ECDSA_SHA3_224", CKM_ECDSA_SHA3_224),
    ecdsa("ECDSA_SHA3_256", CKM_ECDSA_SHA3_256),
    ecdsa("ECDSA_SHA3_384", CKM_ECDSA_SHA3_384),
    ecdsa("ECDSA_SHA3_512", CKM_ECDSA_SHA3_512),
    row("EDDSA", CKM_EDDSA, Plain, Kind::Ed25519, SIGNATURE),
];

/// A parameter with all that it points to.
pub struct Parameter {
    bytes: Vec<u8>,
    iv: [u8; 16],
    aad: [u8; 20],
    length: CK_ULONG,
    row: CK_MECHANISM,
}

impl Parameter {
    /// The parameter of a mechanism. It is boxed, for it points into itself.
    pub fn of(known: &Known) -> Box<Self> {
        let row = CK_MECHANISM { mechanism: known.number, pParameter: ptr::null_mut(), ulParameterLen: 0 };
        let mut own = Box::new(Self { bytes: Vec::new(), iv: [7; 16], aad: [9; 20], length: 0, row });
        own.bytes = own.encoded(known.form);
        own.length = own.bytes.len() as CK_ULONG;
        own
    }

    /// The mechanism as C wants it.
    pub fn mechanism(&mut self, number: CK_MECHANISM_TYPE) -> *mut CK_MECHANISM {
        let parameter = if self.bytes.is_empty() { ptr::null_mut() } else { self.bytes.as_mut_ptr().cast() };
        self.row = CK_MECHANISM { mechanism: number, pParameter: parameter, ulParameterLen: self.length };
        &mut self.row
    }

    /// Other bytes.
    pub fn set(&mut self, bytes: Vec<u8>) {
        self.bytes = bytes;
        self.length = self.bytes.len() as CK_ULONG;
    }

    /// A byte less.
    pub fn cut(&mut self) {
        self.length = self.length.saturating_sub(1);
    }

    /// NULL for the pointer at this byte.
    pub fn null_at(&mut self, place: usize) {
        self.bytes.iter_mut().skip(place).take(size_of::<usize>()).for_each(|byte| *byte = 0);
    }

    fn encoded(&mut self, form: Form) -> Vec<u8> {
        match form {
            Plain => Vec::new(),
            Iv => self.iv.to_vec(),
            Number(number) => number.to_ne_bytes().to_vec(),
            Counter => as_bytes(&CK_AES_CTR_PARAMS { ulCounterBits: 64, cb: self.iv }),
            Gcm => as_bytes(&CK_GCM_PARAMS {
                pIv: self.iv.as_mut_ptr(),
                ulIvLen: 12,
                ulIvBits: 96,
                pAAD: self.aad.as_mut_ptr(),
                ulAADLen: self.aad.len() as CK_ULONG,
                ulTagBits: 128,
            }),
            Oaep(hash, mgf) => as_bytes(&CK_RSA_PKCS_OAEP_PARAMS {
                hashAlg: hash,
                mgf,
                source: CKZ_DATA_SPECIFIED,
                pSourceData: ptr::null_mut(),
                ulSourceDataLen: 0,
            }),
            Pss(hash, mgf, salt) => as_bytes(&CK_RSA_PKCS_PSS_PARAMS { hashAlg: hash, mgf, sLen: salt }),
        }
    }
}

/// The bytes of a structure of the C interface: numbers and pointers without padding between them.
fn as_bytes<T>(structure: &T) -> Vec<u8> {
    // SAFETY: the structures given here have no padding, and live for the length of the call.
    unsafe { std::slice::from_raw_parts(ptr::from_ref(structure).cast::<u8>(), size_of::<T>()) }.to_vec()
}
