//! What the gate needs to know of a caller and of a key.

use super::class::Class;
use super::dates::{Dates, Day};
use super::kind::KeyType;

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
    /// The day, where keys are held to their dates.
    pub today: Option<Day>,
}

/// One of the attributes that say what a key may be used for, as a bit of [`Facts::usage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
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
    /// `CKA_SIGN_RECOVER`
    SignRecover = 1 << 7,
    /// `CKA_VERIFY_RECOVER`
    VerifyRecover = 1 << 8,
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
            Self::SignRecover => "CKA_SIGN_RECOVER",
            Self::VerifyRecover => "CKA_VERIFY_RECOVER",
        }
    }
}

/// What the gate knows of a key. Made from its attributes by `object`, read by nobody else's rules.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The object's id: a grant for one key does not open another.
    pub id: [u8; 16],
    /// `CKA_CLASS`
    pub class: Class,
    /// `CKA_KEY_TYPE`
    pub key_type: KeyType,
    /// The length of a secret key's value in bytes; of other keys the bits of the modulus, or of the curve's field.
    pub size: usize,
    /// `CKA_PRIVATE`
    pub private: bool,
    /// `CKA_TOKEN`
    pub token: bool,
    /// Whether a login stands behind it: anybody who can write to the store can have made what is not.
    pub verified: bool,
    /// Whether a later version wrote something about it that one has to understand.
    pub of_later_version: bool,
    /// Bits of [`Usage`].
    pub usage: u16,
    /// `CKA_SENSITIVE`
    pub sensitive: bool,
    /// `CKA_EXTRACTABLE`
    pub extractable: bool,
    /// `CKA_KEYSTEAD_MASKABLE`
    pub maskable: bool,
    /// `CKA_ALWAYS_SENSITIVE`
    pub always_sensitive: bool,
    /// `CKA_NEVER_EXTRACTABLE`
    pub never_extractable: bool,
    /// `CKA_TRUSTED`
    pub trusted: bool,
    /// `CKA_WRAP_WITH_TRUSTED`
    pub wrap_with_trusted: bool,
    /// `CKA_ALWAYS_AUTHENTICATE`
    pub always_authenticate: bool,
    /// `CKA_ALLOWED_MECHANISMS`; none means no restriction.
    pub allowed_mechanisms: Option<Vec<u64>>,
    /// `CKA_START_DATE` and `CKA_END_DATE`
    pub dates: Dates,
}

impl Facts {
    /// Whether the attribute for this use is true.
    pub fn may(&self, usage: Usage) -> bool {
        self.usage & usage as u16 != 0
    }

    /// Whether the value may be shown: neither sensitive nor unextractable. PKCS#11 3.2, section 4.10.
    pub fn is_readable(&self) -> bool {
        !self.sensitive && self.extractable
    }

    /// Whether only the user's login opens the value: that of a token key is sealed, whatever `CKA_PRIVATE` says.
    pub fn is_sealed(&self) -> bool {
        self.token && self.class.is_secret()
    }
}
