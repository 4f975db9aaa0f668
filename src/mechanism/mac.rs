//! MACs, whole and cut to a length. The rows here are those of AES-CMAC: PKCS#11 3.2, section 6.15; NIST SP 800-38B.

use cryptoki_sys::{CKM_AES_CMAC, CKM_AES_CMAC_GENERAL};

use super::parameter::{Parameter, Shape};
use super::prepared::Keyed;
use super::{AES, Does, Mechanism, NOTHING, Signing, begin};
use crate::crypto::cmac::Cmac;
use crate::crypto::hash::{Algorithm, Output};
use crate::crypto::hmac::{Hmac, HmacKey};
use crate::crypto::{InOut, equal};
use crate::error::{Error, Result};

pub(super) const ROWS: &[Mechanism] = &[
    Mechanism {
        number: CKM_AES_CMAC,
        name: "CKM_AES_CMAC",
        parameter: Shape::None,
        keys: AES,
        does: Does { sign: begin!(|_, _| Ok(Signing::Mac(Mac::cmac()))), ..NOTHING },
    },
    Mechanism {
        number: CKM_AES_CMAC_GENERAL,
        name: "CKM_AES_CMAC_GENERAL",
        parameter: Shape::Number,
        keys: AES,
        does: Does { sign: begin!(|_, parameter| Mac::cmac().cut(parameter).map(Signing::Mac)), ..NOTHING },
    },
];

/// A MAC in the making. What it costs is paid when the message comes: an Init only says which.
pub struct Mac {
    kind: Kind,
    /// In bytes; the MAC is that much of its beginning.
    length: usize,
    /// There once the message has begun to come in parts.
    state: Option<Box<State>>,
}

#[derive(Clone, Copy)]
enum Kind {
    Cmac,
    Hmac(Algorithm),
}

#[allow(clippy::large_enum_variant, reason = "lies in one box, whichever it is")]
enum State {
    Cmac(Cmac),
    Hmac(Hmac),
}

impl Mac {
    /// AES-CMAC.
    pub(super) fn cmac() -> Self {
        Self { kind: Kind::Cmac, length: Cmac::LENGTH, state: None }
    }

    /// HMAC.
    pub(super) fn hmac(algorithm: Algorithm) -> Self {
        Self { kind: Kind::Hmac(algorithm), length: algorithm.output_len(), state: None }
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
    pub fn update(&mut self, keyed: &Keyed, data: &[u8]) -> Result<()> {
        let state = match &mut self.state {
            Some(state) => state,
            none => none.insert(Box::new(match self.kind {
                Kind::Cmac => State::Cmac(Cmac::default()),
                Kind::Hmac(algorithm) => State::Hmac(keyed.hmac(algorithm, HmacKey::begin)?),
            })),
        };
        match &mut **state {
            State::Cmac(cmac) => cmac.update(keyed.cmac()?, data),
            State::Hmac(hmac) => hmac.update(data),
        }
        Ok(())
    }

    /// Ends the message with its last part, the input of `io`, which may be the whole of it, and writes the MAC.
    pub fn sign(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        let mac = self.finish(keyed, io.input())?;
        io.write(mac.as_ref())
    }

    /// Ends the message as [`sign`](Self::sign) does and compares. The length outranks the value. PKCS#11 3.2, section 5.1.6.
    pub fn verify(&mut self, keyed: &Keyed, data: &[u8], signature: &[u8]) -> Result<()> {
        if signature.len() != self.length() {
            return Err(Error::SignatureLenRange);
        }
        if equal(self.finish(keyed, data)?.as_ref(), signature) { Ok(()) } else { Err(Error::SignatureInvalid) }
    }

    /// A message that comes whole needs no state.
    #[inline(always)]
    fn finish(&mut self, keyed: &Keyed, data: &[u8]) -> Result<Output> {
        let whole = match (&self.state, self.kind) {
            (None, Kind::Cmac) => Output::new(&keyed.cmac()?.whole(data)),
            (None, Kind::Hmac(algorithm)) => keyed.hmac(algorithm, |key| key.whole(data))?,
            (Some(_), _) => self.finish_parts(keyed, data)?,
        };
        Ok(whole.cut(self.length))
    }

    fn finish_parts(&mut self, keyed: &Keyed, data: &[u8]) -> Result<Output> {
        self.update(keyed, data)?;
        match self.state.as_deref_mut() {
            Some(State::Cmac(cmac)) => Ok(Output::new(&cmac.finish(keyed.cmac()?))),
            Some(State::Hmac(hmac)) => Ok(hmac.finish()),
            None => Err(Error::OperationNotInitialized),
        }
    }
}
