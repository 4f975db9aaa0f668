//! Bytes that must not come out.

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Whether two byte strings are the same, in a time that depends on their lengths alone.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Secret bytes: no `Debug`, no accidental `Clone`, wiped when dropped, compared in constant time.
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Takes the bytes over; the vector's spare capacity is wiped too.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        let secret = Self::from_slice(&bytes);
        bytes.zeroize();
        secret
    }

    /// A copy of `bytes`, which the caller goes on being responsible for.
    pub fn from_slice(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// `length` zero bytes, to be filled through [`expose_mut`](Self::expose_mut).
    pub fn zeroed(length: usize) -> Self {
        Self(vec![0; length].into_boxed_slice())
    }

    /// The bytes, for the moment of use.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to be filled.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// A second owner of the same secret, made on purpose.
    pub fn duplicate(&self) -> Self {
        Self::from_slice(&self.0)
    }

    /// The length in bytes, which is not a secret.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}
