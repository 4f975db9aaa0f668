//! Which keys there are.

use cryptoki_sys::*;

use crate::crypto::PrivateKey;
use crate::crypto::hash::Algorithm;

/// `CKA_KEY_TYPE`. PKCS#11 3.2, section 4.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// `CKK_AES`
    Aes,
    /// `CKK_GENERIC_SECRET`
    GenericSecret,
    /// `CKK_SHA256_HMAC` and the like: a secret for HMAC with this hash alone.
    Hmac(Algorithm),
    /// `CKK_RSA`
    Rsa,
    /// `CKK_EC`
    Ec,
    /// `CKK_EC_EDWARDS`
    EcEdwards,
    /// `CKK_EC_MONTGOMERY`
    EcMontgomery,
    /// `CKK_DSA`, of domain parameters alone.
    Dsa,
    /// `CKK_DH`, of domain parameters alone.
    Dh,
    /// `CKK_X9_42_DH`, of domain parameters alone.
    X942Dh,
    /// `CKK_SECURID`
    SecurId,
    /// `CKK_HOTP`
    Hotp,
    /// `CKK_ACTI`
    Acti,
    /// `CKK_KEYSTEAD_DOMAIN`: what the tokens of one domain share.
    Domain,
    /// `CKK_KEYSTEAD_DOMAIN_REQUEST`: what a token keeps of its request to join a domain.
    DomainRequest,
}

/// Vendor key types: see `include/keystead.h`.
pub const CKK_KEYSTEAD_DOMAIN: u64 = 0xCB53_0001;
/// As [`CKK_KEYSTEAD_DOMAIN`].
pub const CKK_KEYSTEAD_DOMAIN_REQUEST: u64 = 0xCB53_0002;

impl KeyType {
    /// The longest value of a secret key, in bytes: keeps every buffer bounded.
    pub const LONGEST: usize = 4096;

    /// All of them that are secret keys.
    pub const SECRET: &[Self] = &[
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

    /// All of them that come in pairs.
    pub const PAIRS: &[Self] = &[Self::Rsa, Self::Ec, Self::EcEdwards, Self::EcMontgomery];

    /// All of them that make one-time passwords. PKCS#11 3.2, section 6.53.
    pub const OTP: &[Self] = &[Self::SecurId, Self::Hotp, Self::Acti];

    /// All of them that domain parameters are kept for.
    pub const DOMAINS: &[Self] = &[Self::Dsa, Self::Dh, Self::X942Dh];

    /// All of them that only the library makes. They are secret keys that do nothing but what they were made for: no template asks for one, and
    /// none leaves its token but as the library sends it.
    pub const INSIDE: &[Self] = &[Self::Domain, Self::DomainRequest];

    /// The key type of this number, if the token knows it.
    pub fn from_number(number: u64) -> Option<Self> {
        let all = [Self::SECRET, Self::PAIRS, Self::OTP, Self::DOMAINS, Self::INSIDE];
        all.into_iter().flatten().copied().find(|key_type| key_type.number() == number)
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
            Self::Rsa => CKK_RSA,
            Self::Ec => CKK_EC,
            Self::EcEdwards => CKK_EC_EDWARDS,
            Self::EcMontgomery => CKK_EC_MONTGOMERY,
            Self::Dsa => CKK_DSA,
            Self::Dh => CKK_DH,
            Self::X942Dh => CKK_X9_42_DH,
            Self::SecurId => CKK_SECURID,
            Self::Hotp => CKK_HOTP,
            Self::Acti => CKK_ACTI,
            Self::Domain => CKK_KEYSTEAD_DOMAIN,
            Self::DomainRequest => CKK_KEYSTEAD_DOMAIN_REQUEST,
        }
    }

    /// The type of a private key.
    pub fn of(key: &PrivateKey) -> Self {
        match key {
            PrivateKey::Rsa(_) => Self::Rsa,
            PrivateKey::Ec(_) => Self::Ec,
            PrivateKey::Ed25519(_) => Self::EcEdwards,
            PrivateKey::X25519(_) => Self::EcMontgomery,
        }
    }

    /// Whether there are a public and a private key of it.
    pub fn comes_in_pairs(self) -> bool {
        Self::PAIRS.contains(&self)
    }

    /// Whether only the library makes keys of it.
    pub fn is_inside(self) -> bool {
        Self::INSIDE.contains(&self)
    }

    /// The lengths in bytes that the value of such a secret key can have.
    pub fn takes_length(self, length: usize) -> bool {
        match self {
            Self::Aes => matches!(length, 16 | 24 | 32),
            Self::Domain | Self::DomainRequest => length == 32,
            Self::GenericSecret | Self::Hmac(_) | Self::SecurId | Self::Hotp | Self::Acti => {
                (1..=Self::LONGEST).contains(&length)
            }
            Self::Rsa | Self::Ec | Self::EcEdwards | Self::EcMontgomery | Self::Dsa | Self::Dh | Self::X942Dh => false,
        }
    }

    /// Whether the type leaves the length of a secret key's value open.
    pub fn has_open_length(self) -> bool {
        matches!(self, Self::GenericSecret | Self::Hmac(_))
    }
}
