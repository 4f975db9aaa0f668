//! What classes and types are called.

use keystead::crypto::hash::Algorithm;
use keystead::key::{CertificateType, Class, FeatureType, KeyType, Type};

/// A class of objects, as `--class` has it.
pub fn class(class: Class) -> &'static str {
    match class {
        Class::Data => "data",
        Class::Certificate => "certificate",
        Class::PublicKey => "public-key",
        Class::PrivateKey => "private-key",
        Class::SecretKey => "secret-key",
        Class::HwFeature => "hardware-feature",
        Class::DomainParameters => "domain-parameters",
        Class::Mechanism => "mechanism",
        Class::OtpKey => "otp-key",
        Class::Profile => "profile",
        Class::Validation => "validation",
        Class::Trust => "trust",
    }
}

/// The class that is called so.
pub fn class_named(word: &str) -> Option<Class> {
    Class::ALL.iter().copied().find(|known| class(*known) == word)
}

/// The type of secret keys or of pairs that is called so.
pub fn key_type_named(word: &str) -> Option<KeyType> {
    [KeyType::SECRET, KeyType::PAIRS].into_iter().flatten().copied().find(|known| key(*known) == word)
}

/// A type within a class.
pub fn of(of: Type) -> &'static str {
    match of {
        Type::Key(key_type) => key(key_type),
        Type::Certificate(CertificateType::X509) => "X.509",
        Type::Certificate(CertificateType::X509Attribute) => "X.509 attributes",
        Type::Certificate(CertificateType::Wtls) => "WTLS",
        Type::HwFeature(FeatureType::MonotonicCounter) => "counter",
        Type::HwFeature(FeatureType::Clock) => "clock",
        Type::HwFeature(FeatureType::UserInterface) => "user interface",
    }
}

fn key(key_type: KeyType) -> &'static str {
    match key_type {
        KeyType::Aes => "AES",
        KeyType::GenericSecret => "generic",
        KeyType::Hmac(Algorithm::Sha1) => "HMAC-SHA-1",
        KeyType::Hmac(Algorithm::Sha224) => "HMAC-SHA-224",
        KeyType::Hmac(Algorithm::Sha256) => "HMAC-SHA-256",
        KeyType::Hmac(Algorithm::Sha384) => "HMAC-SHA-384",
        KeyType::Hmac(Algorithm::Sha512) => "HMAC-SHA-512",
        KeyType::Hmac(Algorithm::Sha512_224) => "HMAC-SHA-512/224",
        KeyType::Hmac(Algorithm::Sha512_256) => "HMAC-SHA-512/256",
        KeyType::Hmac(Algorithm::Sha3_224) => "HMAC-SHA3-224",
        KeyType::Hmac(Algorithm::Sha3_256) => "HMAC-SHA3-256",
        KeyType::Hmac(Algorithm::Sha3_384) => "HMAC-SHA3-384",
        KeyType::Hmac(Algorithm::Sha3_512) => "HMAC-SHA3-512",
        KeyType::Rsa => "RSA",
        KeyType::Ec => "EC",
        KeyType::EcEdwards => "Edwards",
        KeyType::EcMontgomery => "Montgomery",
        KeyType::Dsa => "DSA",
        KeyType::Dh => "DH",
        KeyType::X942Dh => "X9.42 DH",
        KeyType::SecurId => "SecurID",
        KeyType::Hotp => "HOTP",
        KeyType::Acti => "ACTI",
        KeyType::Domain => "domain",
        KeyType::DomainRequest => "domain request",
    }
}

/// The curve of a key of this type. RFC 8410 has one each for the last two.
pub fn curve(key_type: KeyType, params: &[u8]) -> Option<&'static str> {
    use keystead::object::curve::{check_edwards, check_montgomery, weierstrass};
    match key_type {
        KeyType::Ec => weierstrass(params).ok().map(keystead::crypto::ec::Curve::name),
        KeyType::EcEdwards => check_edwards(params).ok().map(|()| "Ed25519"),
        KeyType::EcMontgomery => check_montgomery(params).ok().map(|()| "X25519"),
        _ => None,
    }
}
