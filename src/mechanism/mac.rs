//! MACs: AES-CMAC (PKCS#11 3.2, section 6.15; NIST SP 800-38B) and HMAC with SHA-2 (sections 6.23 and on; FIPS 198-1).

use cryptoki_sys::*;

use super::parameter::Shape;
use super::prepared::Keyed;
use super::{AES, Does, Keys, Mechanism, NOTHING};
use crate::crypto::cmac::Cmac;
use crate::crypto::equal;
use crate::crypto::hash::{Algorithm, Output};
use crate::crypto::hmac::Hmac;
use crate::error::{Error, Result};
use crate::key::{KeyType, Size};

pub(super) const ROWS: &[Mechanism] = &[
    Mechanism {
        number: CKM_AES_CMAC,
        name: "CKM_AES_CMAC",
        parameter: Shape::None,
        keys: AES,
        does: Does { sign: Some(|keyed, _| keyed.cmac()?.begin().map(Mac::Cmac)), ..NOTHING },
    },
    hmac(CKM_SHA224_HMAC, "CKM_SHA224_HMAC", |keyed, _| Mac::hmac(keyed, Algorithm::Sha224)),
    hmac(CKM_SHA256_HMAC, "CKM_SHA256_HMAC", |keyed, _| Mac::hmac(keyed, Algorithm::Sha256)),
    hmac(CKM_SHA384_HMAC, "CKM_SHA384_HMAC", |keyed, _| Mac::hmac(keyed, Algorithm::Sha384)),
    hmac(CKM_SHA512_HMAC, "CKM_SHA512_HMAC", |keyed, _| Mac::hmac(keyed, Algorithm::Sha512)),
    hmac(CKM_SHA512_224_HMAC, "CKM_SHA512_224_HMAC", |keyed, _| Mac::hmac(keyed, Algorithm::Sha512_224)),
    hmac(CKM_SHA512_256_HMAC, "CKM_SHA512_256_HMAC", |keyed, _| Mac::hmac(keyed, Algorithm::Sha512_256)),
];

const fn hmac(number: u64, name: &'static str, sign: super::Begin<Mac>) -> Mechanism {
    Mechanism { number, name, parameter: Shape::None, keys: GENERIC_SECRET, does: Does { sign: Some(sign), ..NOTHING } }
}

/// Any generic secret. In bits, as clients expect; the shortest one they are told of is 8, for one byte.
const GENERIC_SECRET: Option<Keys> =
    Some(Keys { types: &[KeyType::GenericSecret], lengths: 1..=KeyType::LONGEST, unit: Size::Bits });

/// A MAC in the making.
#[allow(clippy::large_enum_variant, reason = "kept in the session, so that an Init allocates nothing")]
pub enum Mac {
    /// AES-CMAC
    Cmac(Cmac),
    /// HMAC
    Hmac(Hmac, Algorithm),
}

impl Mac {
    fn hmac(keyed: &Keyed, algorithm: Algorithm) -> Result<Self> {
        keyed.hmac(algorithm).map(|hmac| Self::Hmac(hmac, algorithm))
    }

    /// The length of the MAC in bytes.
    pub fn length(&self) -> usize {
        match self {
            Self::Cmac(_) => 16,
            Self::Hmac(_, algorithm) => algorithm.output_len(),
        }
    }

    /// Takes in a part of the message.
    pub fn update(&mut self, data: &[u8]) {
        match self {
            Self::Cmac(cmac) => cmac.update(data),
            Self::Hmac(hmac, _) => hmac.update(data),
        }
    }

    /// Ends the message.
    pub fn finish(self) -> Result<Output> {
        match self {
            Self::Cmac(cmac) => cmac.finish().map(|mac| Output::new(&mac)),
            Self::Hmac(hmac, _) => Ok(hmac.finish()),
        }
    }

    /// Ends the message and compares. The length outranks the value. PKCS#11 3.2, section 5.1.6.
    pub fn verify(self, signature: &[u8]) -> Result<()> {
        if signature.len() != self.length() {
            return Err(Error::SignatureLenRange);
        }
        if equal(self.finish()?.as_ref(), signature) { Ok(()) } else { Err(Error::SignatureInvalid) }
    }
}
