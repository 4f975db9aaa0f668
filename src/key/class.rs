//! What an object is: its class, and the type within the class.

use cryptoki_sys::*;

use super::kind::KeyType;

/// `CKA_CLASS`. PKCS#11 3.2, section 4.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `CKO_DATA`
    Data,
    /// `CKO_CERTIFICATE`
    Certificate,
    /// `CKO_PUBLIC_KEY`
    PublicKey,
    /// `CKO_PRIVATE_KEY`
    PrivateKey,
    /// `CKO_SECRET_KEY`
    SecretKey,
    /// `CKO_HW_FEATURE`
    HwFeature,
    /// `CKO_DOMAIN_PARAMETERS`
    DomainParameters,
    /// `CKO_MECHANISM`
    Mechanism,
    /// `CKO_OTP_KEY`
    OtpKey,
    /// `CKO_PROFILE`
    Profile,
    /// `CKO_VALIDATION`
    Validation,
    /// `CKO_TRUST`
    Trust,
}

impl Class {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Data,
        Self::Certificate,
        Self::PublicKey,
        Self::PrivateKey,
        Self::SecretKey,
        Self::HwFeature,
        Self::DomainParameters,
        Self::Mechanism,
        Self::OtpKey,
        Self::Profile,
        Self::Validation,
        Self::Trust,
    ];

    /// The class of this number, if there is one.
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.number() == number)
    }

    /// The standard's number.
    pub fn number(self) -> u64 {
        match self {
            Self::Data => CKO_DATA,
            Self::Certificate => CKO_CERTIFICATE,
            Self::PublicKey => CKO_PUBLIC_KEY,
            Self::PrivateKey => CKO_PRIVATE_KEY,
            Self::SecretKey => CKO_SECRET_KEY,
            Self::HwFeature => CKO_HW_FEATURE,
            Self::DomainParameters => CKO_DOMAIN_PARAMETERS,
            Self::Mechanism => CKO_MECHANISM,
            Self::OtpKey => CKO_OTP_KEY,
            Self::Profile => CKO_PROFILE,
            Self::Validation => CKO_VALIDATION,
            Self::Trust => CKO_TRUST,
        }
    }

    /// Whether objects of it are keys.
    pub fn is_key(self) -> bool {
        matches!(self, Self::PublicKey | Self::PrivateKey | Self::SecretKey | Self::OtpKey)
    }

    /// Whether objects of it have a value that stays inside.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::PrivateKey | Self::SecretKey | Self::OtpKey)
    }

    /// Whether keys of it are wrapped and unwrapped. PKCS#11 3.2, sections 5.18.3 and 5.18.4.
    pub fn is_wrapped(self) -> bool {
        matches!(self, Self::PrivateKey | Self::SecretKey)
    }

    /// Whether objects of it say what the token is: the library's own, which nobody makes, changes, copies or destroys.
    pub fn is_built_in(self) -> bool {
        matches!(self, Self::HwFeature | Self::Mechanism | Self::Profile | Self::Validation)
    }

    /// The attribute that tells the types of it apart, by number and name.
    pub fn typed_by(self) -> Option<(u64, &'static str)> {
        match self {
            Self::Certificate => Some((CKA_CERTIFICATE_TYPE, "CKA_CERTIFICATE_TYPE")),
            Self::HwFeature => Some((CKA_HW_FEATURE_TYPE, "CKA_HW_FEATURE_TYPE")),
            Self::DomainParameters => Some((CKA_KEY_TYPE, "CKA_KEY_TYPE")),
            _ if self.is_key() => Some((CKA_KEY_TYPE, "CKA_KEY_TYPE")),
            _ => None,
        }
    }

    /// The types of it; none where it is not divided into types.
    pub fn types(self) -> Vec<Type> {
        let keys = |types: &[KeyType]| types.iter().copied().map(Type::Key).collect();
        match self {
            Self::PublicKey | Self::PrivateKey => keys(KeyType::PAIRS),
            Self::SecretKey => [KeyType::SECRET, KeyType::INSIDE].concat().into_iter().map(Type::Key).collect(),
            Self::OtpKey => keys(KeyType::OTP),
            Self::DomainParameters => keys(KeyType::DOMAINS),
            Self::Certificate => CertificateType::ALL.iter().copied().map(Type::Certificate).collect(),
            Self::HwFeature => FeatureType::ALL.iter().copied().map(Type::HwFeature).collect(),
            Self::Data | Self::Mechanism | Self::Profile | Self::Validation | Self::Trust => Vec::new(),
        }
    }

    /// Whether objects of it can be of a type.
    pub fn takes(self, of: Type) -> bool {
        match (self, of) {
            (Self::PublicKey | Self::PrivateKey, Type::Key(key_type)) => KeyType::PAIRS.contains(&key_type),
            (Self::SecretKey, Type::Key(key_type)) => KeyType::SECRET.contains(&key_type) || key_type.is_inside(),
            (Self::OtpKey, Type::Key(key_type)) => KeyType::OTP.contains(&key_type),
            (Self::DomainParameters, Type::Key(key_type)) => KeyType::DOMAINS.contains(&key_type),
            (Self::Certificate, Type::Certificate(_)) | (Self::HwFeature, Type::HwFeature(_)) => true,
            _ => false,
        }
    }
}

/// The type of an object within its class: which attributes it has depends on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `CKA_KEY_TYPE`, of keys and of domain parameters.
    Key(KeyType),
    /// `CKA_CERTIFICATE_TYPE`
    Certificate(CertificateType),
    /// `CKA_HW_FEATURE_TYPE`
    HwFeature(FeatureType),
}

impl Type {
    /// The type that a value of the attribute [`Class::typed_by`] names, if the token knows it. Whether the class takes it is
    /// another question.
    pub fn named(attribute: u64, number: u64) -> Option<Self> {
        match attribute {
            CKA_KEY_TYPE => KeyType::from_number(number).map(Self::Key),
            CKA_CERTIFICATE_TYPE => CertificateType::from_number(number).map(Self::Certificate),
            CKA_HW_FEATURE_TYPE => FeatureType::from_number(number).map(Self::HwFeature),
            _ => None,
        }
    }

    /// The standard's number.
    pub fn number(self) -> u64 {
        match self {
            Self::Key(key_type) => key_type.number(),
            Self::Certificate(certificate_type) => certificate_type as u64,
            Self::HwFeature(feature_type) => feature_type as u64,
        }
    }

    /// The type of a key.
    pub fn key(self) -> Option<KeyType> {
        match self {
            Self::Key(key_type) => Some(key_type),
            Self::Certificate(_) | Self::HwFeature(_) => None,
        }
    }
}

/// `CKA_CERTIFICATE_TYPE`. PKCS#11 3.2, section 4.6.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum CertificateType {
    /// `CKC_X_509`
    X509 = CKC_X_509,
    /// `CKC_X_509_ATTR_CERT`
    X509Attribute = CKC_X_509_ATTR_CERT,
    /// `CKC_WTLS`
    Wtls = CKC_WTLS,
}

impl CertificateType {
    /// All of them.
    pub const ALL: &[Self] = &[Self::X509, Self::X509Attribute, Self::Wtls];

    fn from_number(number: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| *known as u64 == number)
    }
}

/// `CKA_HW_FEATURE_TYPE`. PKCS#11 3.2, section 4.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum FeatureType {
    /// `CKH_MONOTONIC_COUNTER`
    MonotonicCounter = CKH_MONOTONIC_COUNTER,
    /// `CKH_CLOCK`
    Clock = CKH_CLOCK,
    /// `CKH_USER_INTERFACE`
    UserInterface = CKH_USER_INTERFACE,
}

impl FeatureType {
    /// All of them.
    pub const ALL: &[Self] = &[Self::MonotonicCounter, Self::Clock, Self::UserInterface];

    fn from_number(number: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| *known as u64 == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_takes_its_types_and_no_others() {
        let all: Vec<_> = Class::ALL.iter().flat_map(|class| class.types()).collect();
        for class in Class::ALL {
            let own = class.types();
            assert_eq!(own.is_empty(), class.typed_by().is_none(), "{class:?}");
            for of in &all {
                assert_eq!(class.takes(*of), own.contains(of), "{class:?} of {of:?}");
                let named = class.typed_by().and_then(|(attribute, _)| Type::named(attribute, of.number()));
                assert!(!own.contains(of) || named == Some(*of), "{class:?} of {of:?}");
            }
        }
    }
}
