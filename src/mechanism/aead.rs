//! AES-GCM. PKCS#11 3.2, section 6.13.2; NIST SP 800-38D.

use cryptoki_sys::{CKG_GENERATE, CKG_GENERATE_RANDOM, CKG_NO_GENERATE, CKM_AES_GCM};
use zeroize::Zeroizing;

use super::operation::{Cipher, Ciphering};
use super::parameter::{Parameter, Shape, copy};
use super::prepared::Keyed;
use super::wrap_cipher::wrapping;
use super::{AES, Does, Mechanism, NOTHING, Wanted, begin};
use crate::crypto::gcm::GcmEncryption;
use crate::crypto::{InOut, random};
use crate::error::{Error, Result};
use crate::secret::Secret;

pub(super) const ROWS: &[Mechanism] = &[Mechanism {
    number: CKM_AES_GCM,
    name: "CKM_AES_GCM",
    parameter: Shape::Gcm,
    keys: AES,
    does: Does {
        encrypt: begin!(|_, parameter| Ok(encrypting(Message::new(parameter)?))),
        decrypt: begin!(|_, parameter| Ok(decrypting(Message::new(parameter)?))),
        wrap: wrapping!(
            |parameter| Ok(encrypting(Message::of_wrapping(parameter)?)),
            |parameter| Ok(decrypting(Message::of_unwrapping(parameter)?)),
            |value: Secret, wanted: &Wanted| wanted.checked(value)
        ),
        ..NOTHING
    },
}];

#[inline(always)]
fn encrypting(message: Message) -> Ciphering {
    Ciphering::GcmEncrypt(GcmEncrypting { message, stream: None })
}

#[inline(always)]
fn decrypting(message: Message) -> Ciphering {
    Ciphering::GcmDecrypt(GcmDecrypting { message, collected: Zeroizing::default() })
}

/// Encryption in GCM. A whole message goes through the one-shot AEAD; the first part of one in parts begins a stream.
pub struct GcmEncrypting {
    message: Message,
    stream: Option<GcmEncryption>,
}

impl GcmEncrypting {
    fn stream(&mut self, keyed: &Keyed) -> Result<&mut GcmEncryption> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => keyed.gcm()?.encryption(self.message.iv(), &self.message.aad)?,
        };
        Ok(self.stream.insert(stream))
    }
}

impl Cipher for GcmEncrypting {
    fn whole_length(&self, input: usize) -> Result<usize> {
        match input.checked_add(self.message.tag) {
            Some(length) => Ok(length),
            None => Err(Error::DataLenRange),
        }
    }

    fn whole(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        keyed.gcm()?.seal(self.message.iv(), &self.message.aad, self.message.tag, io)
    }

    fn update_length(&self, input: usize) -> Result<usize> {
        Ok(input)
    }

    fn update(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        let length = io.len();
        self.stream(keyed)?.update(io, length)
    }

    fn finish_length(&self) -> Result<usize> {
        Ok(self.message.tag)
    }

    fn finish(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        self.stream(keyed)?;
        let Some(stream) = self.stream.take() else {
            return Err(Error::OperationNotInitialized);
        };
        let tag = stream.finish(self.message.tag)?;
        io.write(tag.get(..self.message.tag).unwrap_or_default())
    }
}

/// Decryption in GCM. No plaintext is shown before the tag is checked, so parts are collected to the end.
/// PKCS#11 3.2, section 6.13.2.
pub struct GcmDecrypting {
    message: Message,
    collected: Zeroizing<Vec<u8>>,
}

impl Cipher for GcmDecrypting {
    fn whole_length(&self, input: usize) -> Result<usize> {
        input.checked_sub(self.message.tag).ok_or(Error::EncryptedDataLenRange)
    }

    fn judges_room(&self) -> bool {
        true
    }

    fn whole(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        if io.room() < self.whole_length(io.len())? {
            return self.judge(keyed, io.input());
        }
        let opened = keyed.gcm()?.open(self.message.iv(), &self.message.aad, self.message.tag, io);
        opened.map_err(|_| Error::EncryptedDataInvalid)
    }

    fn update_length(&self, _: usize) -> Result<usize> {
        Ok(0)
    }

    fn update(&mut self, _: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        if io.len() > LONGEST_COLLECTED.saturating_sub(self.collected.len()) {
            return Err(Error::TokenResourceExceeded("a ciphertext in parts that is collected until its tag"));
        }
        let full = Error::HostMemory("the ciphertext collected until its tag");
        self.collected.try_reserve(io.len()).map_err(|_| full)?;
        self.collected.extend_from_slice(io.input());
        Ok(())
    }

    fn finish_length(&self) -> Result<usize> {
        self.whole_length(self.collected.len())
    }

    fn finish(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        let length = self.finish_length()?;
        if io.room() < length {
            return self.judge(keyed, &self.collected);
        }
        let mut collected = std::mem::take(&mut self.collected);
        let opened = self.whole(keyed, &mut InOut::in_place(&mut collected));
        opened.and_then(|()| io.write(collected.get(..length).unwrap_or_default()))
    }
}

impl GcmDecrypting {
    /// The verdict on a ciphertext that there is no room for: the tag comes first.
    #[cold]
    fn judge(&self, keyed: &Keyed, ciphertext: &[u8]) -> Result<()> {
        let mut opened = Zeroizing::new(copy(ciphertext)?);
        let Message { aad, tag, .. } = &self.message;
        match keyed.gcm()?.open(self.message.iv(), aad, *tag, &mut InOut::in_place(&mut opened)) {
            Ok(()) => Err(Error::BufferTooSmall),
            Err(_) => Err(Error::EncryptedDataInvalid),
        }
    }
}

/// The host's memory, 1 GiB of it: a longer ciphertext comes in one part, which is opened where it lies.
const LONGEST_COLLECTED: usize = 1 << 30;

/// What belongs to one message: IV, associated data and the length of the tag in bytes.
struct Message {
    iv: Iv,
    aad: Vec<u8>,
    tag: usize,
}

/// Almost every IV has 12 bytes and needs no memory of its own.
enum Iv {
    Usual([u8; 12]),
    Other(Vec<u8>),
}

impl Message {
    #[inline(always)]
    fn new(parameter: &Parameter<'_>) -> Result<Self> {
        let Parameter::Gcm { iv, aad, tag_bits } = *parameter else {
            return Err(Error::MechanismParamInvalid("CK_GCM_PARAMS is needed"));
        };
        if iv.is_empty() {
            return Err(Error::MechanismParamInvalid("ulIvLen is 0"));
        }
        let tag = match usize::try_from(tag_bits) {
            Ok(bits @ 32..=128) if bits % 8 == 0 => bits / 8,
            _ => {
                return Err(Error::MechanismParamInvalid(
                    "ulTagBits is not a whole number of bytes from 32 to 128 bits",
                ));
            }
        };
        let iv = match iv.try_into() {
            Ok(usual) => Iv::Usual(usual),
            Err(_) => Iv::Other(copy(iv)?),
        };
        Ok(Self { iv, aad: copy(aad)?, tag })
    }

    /// `C_WrapKey` takes `CK_GCM_WRAP_PARAMS` as well. PKCS#11 3.2, section 6.13.3.
    fn of_wrapping(parameter: &Parameter<'_>) -> Result<Self> {
        match *parameter {
            Parameter::GcmWrap { generator, fixed_bits, iv, aad, tag_bits } => {
                check_generator(generator, fixed_bits, iv)?;
                Self::new(&Parameter::Gcm { iv, aad, tag_bits })
            }
            _ => Self::new(parameter),
        }
    }

    /// The same for `C_UnwrapKey`, which passes over the generator.
    fn of_unwrapping(parameter: &Parameter<'_>) -> Result<Self> {
        match *parameter {
            Parameter::GcmWrap { iv, aad, tag_bits, .. } => Self::new(&Parameter::Gcm { iv, aad, tag_bits }),
            _ => Self::new(parameter),
        }
    }

    fn iv(&self) -> &[u8] {
        match &self.iv {
            Iv::Usual(iv) => iv,
            Iv::Other(iv) => iv,
        }
    }
}

/// The IV for one wrapping, where the parameter asks the token for it: the caller's fixed bits in front, the rest random.
pub fn generated_iv(parameter: &Parameter<'_>) -> Result<Option<Vec<u8>>> {
    let Parameter::GcmWrap { generator: CKG_GENERATE | CKG_GENERATE_RANDOM, fixed_bits, iv, .. } = *parameter else {
        return Ok(None);
    };
    let mut made = random::secret(iv.len())?.expose().to_vec();
    for (at, (made, given)) in (0_u64..).zip(made.iter_mut().zip(iv)) {
        let fixed = fixed_bits.saturating_sub(at.saturating_mul(8)).min(8);
        let random = 0xff_u16.checked_shr(fixed as u32).unwrap_or_default() as u8;
        *made = (*made & random) | (*given & !random);
    }
    Ok(Some(made))
}

/// A generator that keeps its promise within one call: a counter, which would begin at zero each time, does not. NIST SP
/// 800-38D, section 8.2.2, wants 96 random bits.
fn check_generator(generator: u64, fixed_bits: u64, iv: &[u8]) -> Result<()> {
    const RANDOM_BITS: u64 = 96;
    match (generator, (iv.len() as u64).saturating_mul(8).checked_sub(fixed_bits)) {
        (CKG_NO_GENERATE, _) | (CKG_GENERATE | CKG_GENERATE_RANDOM, Some(RANDOM_BITS..)) => Ok(()),
        (CKG_GENERATE | CKG_GENERATE_RANDOM, _) => {
            Err(Error::MechanismParamInvalid("less than 96 bits of the IV are left to be random"))
        }
        _ => Err(Error::MechanismParamInvalid("ivGenerator is none that serves one wrapping")),
    }
}
