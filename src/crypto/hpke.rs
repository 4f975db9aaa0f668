//! Hybrid public key encryption (RFC 9180) of one message, base mode, with one suite: X-Wing, which is ML-KEM-768 and X25519 together
//! (0x647a; draft-ietf-hpke-pq), HKDF-SHA-256 (1) and AES-256-GCM (2). Whoever keeps the message has to break both halves.

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

use super::hash::sha256;
use super::{Rejected, random};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The length of a private key in bytes: the seed of both halves.
pub const SEED: usize = 32;

/// A public key.
pub struct PublicKey(<XWing as Kem>::PublicKey);

/// A private key.
pub struct PrivateKey(<XWing as Kem>::PrivateKey);

/// A message that only the holder of the private key opens.
pub struct Sealed {
    /// The encapsulated key, 1,120 bytes.
    pub encapsulated: Vec<u8>,
    /// The ciphertext and its tag of 16 bytes.
    pub ciphertext: Vec<u8>,
}

impl PublicKey {
    /// Reads the 1,216 bytes of a public key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Rejected> {
        Deserializable::from_bytes(bytes).map(Self).map_err(|_| Rejected)
    }

    /// Seals a message for a purpose, bound to something that goes along in the open.
    pub fn seal(&self, purpose: &'static [u8], bound: &[u8], message: &[u8]) -> Result<Sealed> {
        let sealed = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, XWing>(
            &OpModeS::Base,
            &self.0,
            &info(purpose, bound),
            message,
            &[],
            &mut random::generator()?,
        );
        let (encapsulated, ciphertext) =
            sealed.map_err(|error| Error::GeneralError(format!("HPKE: {error}").into()))?;
        Ok(Sealed { encapsulated: encapsulated.to_bytes().to_vec(), ciphertext })
    }
}

impl PrivateKey {
    /// The private key of a seed of [`SEED`] bytes.
    pub fn from_seed(seed: &Secret) -> Result<Self, Rejected> {
        Deserializable::from_bytes(seed.expose()).map(Self).map_err(|_| Rejected)
    }

    /// The bytes of the public key.
    pub fn public(&self) -> Vec<u8> {
        XWing::sk_to_pk(&self.0).to_bytes().to_vec()
    }

    /// Opens a message that was sealed for this key and purpose, and bound to the same.
    pub fn open(&self, purpose: &'static [u8], bound: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Rejected> {
        let encapsulated = Deserializable::from_bytes(&sealed.encapsulated).map_err(|_| Rejected)?;
        let opened = hpke::single_shot_open::<AesGcm256, HkdfSha256, XWing>(
            &OpModeR::Base,
            &self.0,
            &encapsulated,
            &info(purpose, bound),
            &sealed.ciphertext,
            &[],
        );
        opened.map(Zeroizing::new).map_err(|_| Rejected)
    }
}

/// All that a message is bound to, in the one place that every implementation of HPKE has: the purpose, and the SHA-256 of the rest,
/// since `info` cannot have any length.
fn info(purpose: &'static [u8], bound: &[u8]) -> Vec<u8> {
    [purpose, &sha256(&[bound])].concat()
}
