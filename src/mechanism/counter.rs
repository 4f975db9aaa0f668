//! AES-CTR. PKCS#11 3.2, section 6.11; NIST SP 800-38A, section 6.5.

use cryptoki_sys::CKM_AES_CTR;

use super::operation::{Cipher, Ciphering};
use super::parameter::{Parameter, Shape};
use super::prepared::Keyed;
use super::{AES, Does, Mechanism, NOTHING, begin};
use crate::crypto::InOut;
use crate::crypto::aes::CounterStream;
use crate::error::{Error, Result};

pub(super) const ROWS: &[Mechanism] = &[Mechanism {
    number: CKM_AES_CTR,
    name: "CKM_AES_CTR",
    parameter: Shape::Counter,
    keys: AES,
    does: Does {
        encrypt: begin!(|_, parameter| Counting::begin(parameter)),
        decrypt: begin!(|_, parameter| Counting::begin(parameter)),
        ..NOTHING
    },
}];

/// Encryption or decryption in CTR mode, which are the same. When the counter has no number left, going on is
/// `CKR_DATA_LEN_RANGE` both ways: PKCS#11 3.2, section 6.11.2, names this code.
pub struct Counting(CounterStream);

impl Counting {
    fn begin(parameter: &Parameter<'_>) -> Result<Ciphering> {
        let Parameter::Counter { bits, block } = *parameter else {
            return Err(Error::MechanismParamInvalid("CK_AES_CTR_PARAMS is needed"));
        };
        let stream = u32::try_from(bits).ok().and_then(|bits| CounterStream::new(block, bits).ok());
        let stream = stream.ok_or(Error::MechanismParamInvalid("ulCounterBits is not from 1 to 128"))?;
        Ok(Ciphering::Counter(Self(stream)))
    }
}

impl Cipher for Counting {
    fn whole_length(&self, input: usize) -> Result<usize> {
        if self.0.reaches(input) { Ok(input) } else { Err(Error::DataLenRange) }
    }

    fn whole(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        let length = io.len();
        keyed.aes()?.ctr(&mut self.0, io, length)
    }

    fn update_length(&self, input: usize) -> Result<usize> {
        self.whole_length(input)
    }

    fn update(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        self.whole(keyed, io)
    }

    fn finish_length(&self) -> Result<usize> {
        Ok(0)
    }

    fn finish(&mut self, _: &Keyed, _: &mut InOut<'_>) -> Result<()> {
        Ok(())
    }
}
