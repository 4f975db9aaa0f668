//! What the gate needs to know of a caller and of a key.

use cryptoki_sys::*;

use crate::crypto::hash::Algorithm;

/// Who is logged in to the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// Nobody.
    Public,
    /// The user, `CKU_USER`.
    User,
    /// The security officer, `CKU_SO`.
    So,
}

/// Who asks: the login state of the token and the kind of the session.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// Who is logged in.
    pub login: Login,
    /// Whether the session may change token objects, `CKF_RW_SESSION`.
    pub read_write: bool,
}

/// `CKA_CLASS`. PKCS#11 3.2, section 4.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `CKO_DATA`
    Data,
    /// `CKO_SECRET_KEY`
    SecretKey,
}

impl Class {
    /// The class of this number, if the token keeps objects of it.
    pub fn from_number(number: u64) -> Option<Self> {
        match number {
            CKO_DATA => Some(Self::Data),
            CKO_SECRET_KEY => Some(Self::SecretKey),
            _ => None,
        }
    }

    /// The standard's number.
    pub fn number(self) -> u64 {
        match self {
            Self::Data => CKO_DATA,
            Self::SecretKey => CKO_SECRET_KEY,
        }
    }
}

/// `CKA_KEY_TYPE`. PKCS#11 3.2, section 4.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// `CKK_AES`
    Aes,
    /// `CKK_GENERIC_SECRET`
    GenericSecret,
    /// `CKK_SHA256_HMAC` and the like: a secret for HMAC with this hash alone.
    Hmac(Algorithm),
}

impl KeyType {
    /// The longest value of a secret key, in bytes: keeps every buffer bounded.
    pub const LONGEST: usize = 4096;

    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Aes,
        Self::GenericSecret,
        Self::Hmac(Algorithm::Sha1),
        Self::Hmac(Algorithm::Sha224),
        Self::Hmac(Algorithm::Sha256),
        Self::Hmac(Algorithm::Sha384),
        Self::Hmac(Algorithm::Sha512),
        Self::Hmac(Algorithm::Sha512_224),
        Self::Hmac(Algorithm::Sha512_256),
        Self::Hmac(Algorithm::Sha3_224),
        Self::Hmac(Algorithm::Sha3_256),
        Self::Hmac(Algorithm::Sha3_384),
        Self::Hmac(Algorithm::Sha3_512),
    ];

    /// The key type of this number, if the token knows it.
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|key_type| key_type.number() == number)
    }

    /// The standard's number.
    pub fn number(self) -> u64 {
        match self {
            Self::Aes => CKK_AES,
            Self::GenericSecret => CKK_GENERIC_SECRET,
            Self::Hmac(Algorithm::Sha1) => CKK_SHA_1_HMAC,
            Self::Hmac(Algorithm::Sha224) => CKK_SHA224_HMAC,
            Self::Hmac(Algorithm::Sha256) => CKK_SHA256_HMAC,
            Self::Hmac(Algorithm::Sha384) => CKK_SHA384_HMAC,
            Self::Hmac(Algorithm::Sha512) => CKK_SHA512_HMAC,
            Self::Hmac(Algorithm::Sha512_224) => CKK_SHA512_224_HMAC,
            Self::Hmac(Algorithm::Sha512_256) => CKK_SHA512_256_HMAC,
            Self::Hmac(Algorithm::Sha3_224) => CKK_SHA3_224_HMAC,
            Self::Hmac(Algorithm::Sha3_256) => CKK_SHA3_256_HMAC,
            Self::Hmac(Algorithm::Sha3_384) => CKK_SHA3_384_HMAC,
            Self::Hmac(Algorithm::Sha3_512) => CKK_SHA3_512_HMAC,
        }
    }

    /// The lengths in bytes that the value of such a key can have.
    pub fn takes_length(self, length: usize) -> bool {
        match self {
            Self::Aes => matches!(length, 16 | 24 | 32),
            Self::GenericSecret | Self::Hmac(_) => (1..=Self::LONGEST).contains(&length),
        }
    }

    /// Whether the type leaves the length of a value open.
    pub fn has_open_length(self) -> bool {
        self != Self::Aes
    }
}

/// The unit in which a mechanism gives the size of its keys. PKCS#11 3.2, section 6, tables of each mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Bits.
    Bits,
    /// Bytes.
    Bytes,
}

/// One of the attributes that say what a key may be used for, as a bit of [`Facts::usage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Usage {
    /// `CKA_ENCRYPT`
    Encrypt = 1 << 0,
    /// `CKA_DECRYPT`
    Decrypt = 1 << 1,
    /// `CKA_SIGN`
    Sign = 1 << 2,
    /// `CKA_VERIFY`
    Verify = 1 << 3,
    /// `CKA_WRAP`
    Wrap = 1 << 4,
    /// `CKA_UNWRAP`
    Unwrap = 1 << 5,
    /// `CKA_DERIVE`
    Derive = 1 << 6,
}

impl Usage {
    /// The attribute's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Encrypt => "CKA_ENCRYPT",
            Self::Decrypt => "CKA_DECRYPT",
            Self::Sign => "CKA_SIGN",
            Self::Verify => "CKA_VERIFY",
            Self::Wrap => "CKA_WRAP",
            Self::Unwrap => "CKA_UNWRAP",
            Self::Derive => "CKA_DERIVE",
        }
    }
}

/// What the gate knows of a key. Made from its attributes by `object`, read by nobody else's rules.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The object's id: a grant for one key does not open another.
    pub id: [u8; 16],
    /// `CKA_KEY_TYPE`
    pub key_type: KeyType,
    /// The length of the value, in bytes.
    pub length: usize,
    /// `CKA_PRIVATE`
    pub private: bool,
    /// `CKA_TOKEN`
    pub token: bool,
    /// Bits of [`Usage`].
    pub usage: u8,
    /// `CKA_SENSITIVE`
    pub sensitive: bool,
    /// `CKA_EXTRACTABLE`
    pub extractable: bool,
    /// `CKA_TRUSTED`
    pub trusted: bool,
    /// `CKA_WRAP_WITH_TRUSTED`
    pub wrap_with_trusted: bool,
    /// `CKA_ALLOWED_MECHANISMS`; none means no restriction.
    pub allowed_mechanisms: Option<Vec<u64>>,
}

impl Facts {
    /// Whether the attribute for this use is true.
    pub fn may(&self, usage: Usage) -> bool {
        self.usage & usage as u8 != 0
    }

    /// Whether the value may be shown: neither sensitive nor unextractable. PKCS#11 3.2, section 4.10.
    pub fn is_readable(&self) -> bool {
        !self.sensitive && self.extractable
    }
}
