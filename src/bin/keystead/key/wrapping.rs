//! Wrapping and unwrapping by one of the mechanisms that other modules have too.

use clap::ValueEnum;
use cryptoki_sys::*;
use keystead::crypto::InOut;
use keystead::error::Error;
use keystead::handle::Handle;
use keystead::key::KeyType;
use keystead::mechanism::{Oaep, Parameter};
use keystead::session::{Length, Output};

use super::describe::shape;
use super::select::Opened;
use super::template::{Bytes, Template, digits};
use crate::failure::{Failure, Result};

/// A mechanism that wraps, as the options call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// CKM_AES_KEY_WRAP, RFC 3394; fills the value up with zeros
    AesKw,
    /// CKM_AES_KEY_WRAP_KWP, RFC 5649
    AesKwp,
    /// CKM_AES_KEY_WRAP_PAD: RFC 5649, or PKCS#7 padding as the configuration says; unwraps both
    AesKwPad,
    /// CKM_AES_KEY_WRAP_PKCS7: RFC 3394 over PKCS#7 padding
    AesKwPkcs7,
    /// CKM_AES_GCM, with a tag of 128 bits behind
    AesGcm,
    /// CKM_AES_CBC_PAD; nothing tells whether the wrapped key was changed
    AesCbcPad,
    /// CKM_RSA_PKCS_OAEP, of secret keys that fit into one block
    RsaOaep,
    /// CKM_RSA_AES_KEY_WRAP: RSA-OAEP of a fresh AES key, and the key under that by RFC 5649
    RsaAes,
}

/// The hash of RSA-OAEP, and of its mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// How a key is wrapped, from the options.
#[derive(clap::Args)]
pub struct How {
    /// The mechanism [default: aes-kwp under an AES key, rsa-aes under an RSA key]
    #[arg(long)]
    mechanism: Option<Method>,

    /// The hash of RSA-OAEP and of its mask
    #[arg(long, default_value = "sha256")]
    hash: Hash,

    /// The bits of the AES key in rsa-aes: 128, 192 or 256
    #[arg(long, value_name = "BITS", default_value_t = 256)]
    aes_bits: u64,

    /// The IV of aes-gcm or aes-cbc-pad, in hexadecimal digits; one that is drawn is printed, or written into the text file
    #[arg(long, value_name = "HEX", value_parser = digits)]
    iv: Option<Bytes>,
}

/// A mechanism with its parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Means {
    /// The mechanism.
    pub method: Method,
    /// Of RSA-OAEP.
    pub hash: Hash,
    /// Of the AES key in `CKM_RSA_AES_KEY_WRAP`.
    pub aes_bits: u64,
    /// Empty where the mechanism takes none.
    pub iv: Vec<u8>,
    /// What AES-GCM vouches for besides.
    pub aad: Vec<u8>,
}

impl Method {
    /// `CKM_*`
    pub fn number(self) -> u64 {
        self.standard().0
    }

    /// The standard's name.
    pub fn name(self) -> &'static str {
        self.standard().1
    }

    fn standard(self) -> (u64, &'static str) {
        match self {
            Self::AesKw => (CKM_AES_KEY_WRAP, "CKM_AES_KEY_WRAP"),
            Self::AesKwp => (CKM_AES_KEY_WRAP_KWP, "CKM_AES_KEY_WRAP_KWP"),
            Self::AesKwPad => (CKM_AES_KEY_WRAP_PAD, "CKM_AES_KEY_WRAP_PAD"),
            Self::AesKwPkcs7 => (CKM_AES_KEY_WRAP_PKCS7, "CKM_AES_KEY_WRAP_PKCS7"),
            Self::AesGcm => (CKM_AES_GCM, "CKM_AES_GCM"),
            Self::AesCbcPad => (CKM_AES_CBC_PAD, "CKM_AES_CBC_PAD"),
            Self::RsaOaep => (CKM_RSA_PKCS_OAEP, "CKM_RSA_PKCS_OAEP"),
            Self::RsaAes => (CKM_RSA_AES_KEY_WRAP, "CKM_RSA_AES_KEY_WRAP"),
        }
    }

    /// The length of its IV in bytes.
    pub fn iv_length(self) -> usize {
        match self {
            Self::AesGcm => 12,
            Self::AesCbcPad => 16,
            _ => 0,
        }
    }

    /// Whether RSA-OAEP is in it.
    pub fn is_rsa(self) -> bool {
        matches!(self, Self::RsaOaep | Self::RsaAes)
    }
}

impl Hash {
    /// `CKM_*` and `CKG_MGF1_*`
    fn numbers(self) -> (u64, u64) {
        match self {
            Self::Sha1 => (CKM_SHA_1, CKG_MGF1_SHA1),
            Self::Sha224 => (CKM_SHA224, CKG_MGF1_SHA224),
            Self::Sha256 => (CKM_SHA256, CKG_MGF1_SHA256),
            Self::Sha384 => (CKM_SHA384, CKG_MGF1_SHA384),
            Self::Sha512 => (CKM_SHA512, CKG_MGF1_SHA512),
        }
    }
}

impl How {
    /// For wrapping under a key: an IV that is not given is drawn.
    pub fn to_wrap(&self, opened: &Opened<'_>, wrapping: Handle) -> Result<Means> {
        let method = self.method(opened, wrapping)?;
        let iv = match &self.iv {
            Some(Bytes(given)) => self.checked(method, given)?,
            None => random(opened, method.iv_length())?,
        };
        Ok(Means { hash: self.hash, aes_bits: self.aes_bits, iv, ..Means::plain(method) })
    }

    /// For unwrapping by a key: an IV that the mechanism takes has to be said.
    pub fn to_unwrap(&self, opened: &Opened<'_>, unwrapping: Handle) -> Result<Means> {
        let method = self.method(opened, unwrapping)?;
        let iv = self.iv.as_ref().map(|Bytes(given)| self.checked(method, given)).transpose()?.unwrap_or_default();
        if iv.is_empty() && method.iv_length() > 0 {
            return Err(Failure::new("the mechanism needs the IV").with_next("--iv HEX; `key wrap` printed it"));
        }
        Ok(Means { hash: self.hash, aes_bits: self.aes_bits, iv, ..Means::plain(method) })
    }

    /// Whether any of it was said.
    pub fn is_said(&self) -> bool {
        self.mechanism.is_some() || self.iv.is_some()
    }

    fn method(&self, opened: &Opened<'_>, key: Handle) -> Result<Method> {
        if let Some(method) = self.mechanism {
            return Ok(method);
        }
        let view = opened.view(key)?;
        match view.as_ref().and_then(shape).and_then(|(_, of)| of?.key()) {
            Some(KeyType::Rsa) => Ok(Method::RsaAes),
            Some(KeyType::Aes) => Ok(Method::AesKwp),
            _ => Err(Failure::new("keys of this type wrap nothing").with_next("name an AES or an RSA key with --with")),
        }
    }

    fn checked(&self, method: Method, iv: &[u8]) -> Result<Vec<u8>> {
        match method.iv_length() {
            0 => Err(Failure::new("the mechanism takes no IV").with_next("leave --iv out")),
            // Other modules have other lengths in GCM.
            length if length != iv.len() && method == Method::AesCbcPad => {
                Err(Failure::new(format!("the IV has {} bytes and must have {length}", iv.len())))
            }
            _ => Ok(iv.to_vec()),
        }
    }
}

impl Means {
    /// Without anything to choose.
    pub fn plain(method: Method) -> Self {
        Self { method, hash: Hash::Sha256, aes_bits: 256, iv: Vec::new(), aad: Vec::new() }
    }

    fn parameter(&self) -> Parameter<'_> {
        let (hash, mgf) = self.hash.numbers();
        let oaep = Oaep { hash, mgf, source: CKZ_DATA_SPECIFIED, label: &[] };
        match self.method {
            Method::AesKw | Method::AesKwp | Method::AesKwPad | Method::AesKwPkcs7 => Parameter::None,
            Method::AesGcm => Parameter::Gcm { iv: &self.iv, aad: &self.aad, tag_bits: 128 },
            Method::AesCbcPad => Parameter::Bytes(&self.iv),
            Method::RsaOaep => Parameter::Oaep(oaep),
            Method::RsaAes => Parameter::RsaAes { aes_bits: self.aes_bits, oaep },
        }
    }
}

/// `C_WrapKey`
pub fn wrap(opened: &Opened<'_>, means: &Means, wrapping: Handle, key: Handle) -> Result<Vec<u8>> {
    let (sessions, mechanism, parameter) =
        (opened.sessions(), opened.mechanism(means.method.number())?, means.parameter());
    let wrap = |output: &mut Output<'_>| {
        let told = sessions.wrap(opened.session, mechanism, &parameter, [wrapping, key], output, 0);
        told.map(|told| told.length).map_err(|error| not_wrapped(error, means.method))
    };
    let Length::Needed(length) = wrap(&mut Output::Query(0))? else { return Err(changed()) };
    let mut wrapped = vec![0; length];
    let Length::Written(length) = wrap(&mut Output::Buffer(InOut::from_slices(&[], &mut wrapped)))? else {
        return Err(changed());
    };
    wrapped.truncate(length);
    Ok(wrapped)
}

/// `C_UnwrapKey`
pub fn unwrap(
    opened: &Opened<'_>,
    means: &Means,
    unwrapping: Handle,
    wrapped: &[u8],
    template: &Template,
) -> Result<Handle> {
    try_unwrap(opened, means, unwrapping, wrapped, template)?.map_err(not_unwrapped)
}

/// The same for who tries, with the library's own error.
pub fn try_unwrap(
    opened: &Opened<'_>,
    means: &Means,
    unwrapping: Handle,
    wrapped: &[u8],
    template: &Template,
) -> Result<Result<Handle, Error>> {
    let (mechanism, parameter) = (opened.mechanism(means.method.number())?, means.parameter());
    Ok(opened.sessions().unwrap(opened.session, mechanism, &parameter, unwrapping, wrapped, &template.given()))
}

/// `C_GenerateRandom`
pub fn random(opened: &Opened<'_>, length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    opened.sessions().random(opened.session, &mut bytes)?;
    Ok(bytes)
}

fn changed() -> Failure {
    Failure::new("the key has changed meanwhile").with_next("start again")
}

/// Why a key is not wrapped, and what to do about it.
fn not_wrapped(error: Error, method: Method) -> Failure {
    let next = match (&error, method) {
        (Error::KeyUnextractable, _) => {
            "CKA_EXTRACTABLE of a key never becomes true: make one with `key generate --extractable`. A maskable key moves to a \
             sibling token with `keystead sync`"
        }
        (Error::KeyFunctionNotPermitted(_), _) => {
            "name another wrapping key with --with; `key generate --usage wrap,unwrap` makes one"
        }
        (Error::WrappingKeyTypeInconsistent, _) => "aes-... needs an AES key, rsa-... the public key of an RSA pair",
        (Error::KeyNotWrappable(_) | Error::KeySizeRange, Method::RsaOaep) => {
            "rsa-aes and --double carry private keys and long ones under an RSA key"
        }
        (Error::KeyNotWrappable(_), _) => {
            "the SO makes a wrapping key trusted; a public key that came in without a login is imported again by `key import`"
        }
        (Error::KeySizeRange, Method::AesKw) => "aes-kwp carries values of any length",
        _ => return error.into(),
    };
    Failure::from(error).with_next(next)
}

fn not_unwrapped(error: Error) -> Failure {
    let next = match &error {
        Error::WrappedKeyInvalid | Error::WrappedKeyLenRange => {
            "if it was not changed, --with, --mechanism and --type have to say how it was wrapped and what it is"
        }
        Error::KeyFunctionNotPermitted(_) => {
            "name another key with --with; `key generate --usage wrap,unwrap` makes one"
        }
        Error::UnwrappingKeyTypeInconsistent => "aes-... needs an AES key, rsa-... the private key of an RSA pair",
        Error::TemplateIncomplete("CKA_VALUE_LEN") => "say the length too, as in --type generic:32",
        Error::AttributeValueInvalid("CKA_CHECK_VALUE" | "CKA_PUBLIC_KEY_INFO") => {
            "what was unwrapped is not the key that the file describes"
        }
        _ => return error.into(),
    };
    Failure::from(error).with_next(next)
}
