//! What an active signature or verification can be asked to do: MACs, and signatures by key pairs.

use super::mac::Mac;
use super::prepared::Keyed;
use crate::crypto::InOut;
use crate::crypto::hash::{Algorithm, Hash};
use crate::error::{Error, Result};

/// A signature or MAC in the making.
pub enum Signing {
    /// A MAC, which is verified by making it again.
    Mac(Mac),
    /// A signature.
    Signature(Box<Signature>),
}

impl Signing {
    /// The length of the signature in bytes.
    #[inline(always)]
    pub fn length(&self) -> usize {
        match self {
            Self::Mac(mac) => mac.length(),
            Self::Signature(signature) => signature.length,
        }
    }

    /// Whether the message may come in parts.
    pub fn takes_parts(&self) -> bool {
        match self {
            Self::Mac(_) => true,
            Self::Signature(signature) => !matches!(signature.message, Message::Whole { .. }),
        }
    }

    /// Takes in a part of the message.
    pub fn update(&mut self, keyed: &Keyed, data: &[u8]) -> Result<()> {
        match self {
            Self::Mac(mac) => mac.update(keyed, data),
            Self::Signature(signature) => signature.message.update(data),
        }
    }

    /// Ends the message with its last part, the input of `io`, which may be the whole of it, and writes the signature.
    #[inline(always)]
    pub fn sign(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        match self {
            Self::Mac(mac) => mac.sign(keyed, io),
            Self::Signature(signature) => signature.sign(keyed, io),
        }
    }

    /// Ends the message as [`sign`](Self::sign) does and judges the signature. The length outranks the value. PKCS#11 3.2,
    /// section 5.1.6.
    #[inline(always)]
    pub fn verify(&mut self, keyed: &Keyed, data: &[u8], signature: &[u8]) -> Result<()> {
        match self {
            Self::Mac(mac) => mac.verify(keyed, data, signature),
            Self::Signature(own) => own.verify(keyed, data, signature),
        }
    }
}

/// A signature by one half of a key pair.
pub struct Signature {
    scheme: Box<dyn Scheme>,
    length: usize,
    message: Message,
}

/// How one mechanism signs. The message is its hash where the mechanism hashes.
pub(super) trait Scheme: Send {
    /// Signs with the private key. `signature` has the length that was announced.
    fn sign(&self, keyed: &Keyed, message: &[u8], signature: &mut [u8]) -> Result<()>;

    /// Judges with the public key; a signature that does not hold is [`Error::SignatureInvalid`].
    fn verify(&self, keyed: &Keyed, message: &[u8], signature: &[u8]) -> Result<()>;

    /// Whether a signature of so many bytes can hold, where `made` is the length of those made here.
    fn takes_length(&self, given: usize, made: usize) -> bool {
        given == made
    }
}

impl Signature {
    /// One of a message that comes whole, in at most so many bytes, by a mechanism that takes no parts.
    pub(super) fn of_whole(scheme: impl Scheme + 'static, length: usize, longest: usize) -> Signing {
        Self::of(scheme, length, Message::Whole { longest })
    }

    /// One of the message as it is. Parts are kept until it ends, at most [`MOST_KEPT`] bytes of them; whole it has any length.
    pub(super) fn of_message(scheme: impl Scheme + 'static, length: usize) -> Signing {
        Self::of(scheme, length, Message::Kept(Vec::new()))
    }

    /// One of the hash of the message.
    pub(super) fn of_hash(scheme: impl Scheme + 'static, length: usize, algorithm: Algorithm) -> Signing {
        Self::of(scheme, length, Message::Hashed(Hash::new(algorithm)))
    }

    fn of(scheme: impl Scheme + 'static, length: usize, message: Message) -> Signing {
        Signing::Signature(Box::new(Self { scheme: Box::new(scheme), length, message }))
    }

    fn sign(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        let mut signature = vec![0; self.length];
        self.message.end(io.input(), |message| self.scheme.sign(keyed, message, &mut signature))?;
        io.write(&signature)
    }

    fn verify(&mut self, keyed: &Keyed, data: &[u8], signature: &[u8]) -> Result<()> {
        if !self.scheme.takes_length(signature.len(), self.length) {
            return Err(Error::SignatureLenRange);
        }
        self.message.end(data, |message| self.scheme.verify(keyed, message, signature))
    }
}

/// In bytes: far above what is signed without being hashed first.
const MOST_KEPT: usize = 64 << 20;

/// The message so far.
enum Message {
    Whole { longest: usize },
    Kept(Vec<u8>),
    Hashed(Hash),
}

impl Message {
    fn update(&mut self, data: &[u8]) -> Result<()> {
        match self {
            Self::Whole { .. } => return Err(Error::OperationNotInitialized),
            Self::Kept(bytes) => {
                if data.len() > MOST_KEPT.saturating_sub(bytes.len()) {
                    return Err(Error::TokenResourceExceeded("a message in parts that is kept until it ends"));
                }
                bytes.try_reserve(data.len()).map_err(|_| Error::HostMemory("a message in parts"))?;
                bytes.extend_from_slice(data);
            }
            Self::Hashed(hash) => hash.update(data),
        }
        Ok(())
    }

    fn end<T>(&mut self, data: &[u8], work: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        match self {
            Self::Whole { longest } if data.len() > *longest => Err(Error::DataLenRange),
            Self::Whole { .. } => work(data),
            Self::Kept(bytes) if bytes.is_empty() => work(data),
            Self::Kept(_) => {
                self.update(data)?;
                let Self::Kept(bytes) = self else { return Err(Error::DataLenRange) };
                work(bytes)
            }
            Self::Hashed(hash) => {
                hash.update(data);
                work(hash.finish().as_ref())
            }
        }
    }
}
