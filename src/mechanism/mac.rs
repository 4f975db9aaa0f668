//! MACs, whole and cut to a length. The rows here are those of AES-CMAC: PKCS#11 3.2, section 6.15; NIST SP 800-38B.

use cryptoki_sys::{CKM_AES_CMAC, CKM_AES_CMAC_GENERAL};

use super::parameter::{Parameter, Shape};
use super::prepared::Keyed;
use super::{AES, Does, Mechanism, NOTHING};
use crate::crypto::cmac::Cmac;
use crate::crypto::equal;
use crate::crypto::hash::{Algorithm, Output};
use crate::crypto::hmac::Hmac;
use crate::error::{Error, Result};

pub(super) const ROWS: &[Mechanism] = &[
    Mechanism {
        number: CKM_AES_CMAC,
        name: "CKM_AES_CMAC",
        parameter: Shape::None,
        keys: AES,
        does: Does { sign: Some(|keyed, _| Mac::cmac(keyed)), ..NOTHING },
    },
    Mechanism {
        number: CKM_AES_CMAC_GENERAL,
        name: "CKM_AES_CMAC_GENERAL",
        parameter: Shape::Number,
        keys: AES,
        does: Does { sign: Some(|keyed, parameter| Mac::cmac(keyed)?.cut(parameter)), ..NOTHING },
    },
];

/// A MAC in the making.
pub struct Mac {
    state: State,
    /// In bytes; the MAC is that much of its beginning.
    length: usize,
}

#[allow(clippy::large_enum_variant, reason = "kept in the session, so that an Init allocates nothing")]
enum State {
    Cmac(Cmac),
    Hmac(Hmac),
}

impl Mac {
    /// AES-CMAC.
    pub(super) fn cmac(keyed: &Keyed) -> Result<Self> {
        Ok(Self { state: State::Cmac(keyed.cmac()?.begin()?), length: Cmac::LENGTH })
    }

    /// HMAC.
    pub(super) fn hmac(keyed: &Keyed, algorithm: Algorithm) -> Result<Self> {
        Ok(Self { state: State::Hmac(keyed.hmac(algorithm)?), length: algorithm.output_len() })
    }

    /// The same, cut to the length that the parameter says.
    pub(super) fn cut(self, parameter: &Parameter<'_>) -> Result<Self> {
        let length = parameter.mac_length(self.length)?;
        Ok(Self { length, ..self })
    }

    /// The length of the MAC in bytes.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Takes in a part of the message.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.state {
            State::Cmac(cmac) => cmac.update(data),
            State::Hmac(hmac) => hmac.update(data),
        }
    }

    /// Ends the message.
    pub fn finish(self) -> Result<Output> {
        let whole = match self.state {
            State::Cmac(cmac) => Output::new(&cmac.finish()?),
            State::Hmac(hmac) => hmac.finish(),
        };
        Ok(whole.cut(self.length))
    }

    /// Ends the message and compares. The length outranks the value. PKCS#11 3.2, section 5.1.6.
    pub fn verify(self, signature: &[u8]) -> Result<()> {
        if signature.len() != self.length() {
            return Err(Error::SignatureLenRange);
        }
        if equal(self.finish()?.as_ref(), signature) { Ok(()) } else { Err(Error::SignatureInvalid) }
    }
}
