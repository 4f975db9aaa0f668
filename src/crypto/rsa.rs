//! stub
use super::Rejected;
use crate::error::Result;
use crate::secret::Secret;
pub struct RsaPublicKey;
pub struct RsaPrivateKey;
#[derive(Clone, Copy)]
pub enum RsaComponent {
    PrivateExponent,
    Prime1,
    Prime2,
    Exponent1,
    Exponent2,
    Coefficient,
}
pub struct RsaCrt<'a> {
    pub prime1: &'a [u8],
    pub prime2: &'a [u8],
    pub exponent1: &'a [u8],
    pub exponent2: &'a [u8],
    pub coefficient: &'a [u8],
}
pub struct RsaComponents<'a> {
    pub modulus: &'a [u8],
    pub public_exponent: Option<&'a [u8]>,
    pub private_exponent: &'a [u8],
    pub crt: Option<RsaCrt<'a>>,
}
impl RsaPublicKey {
    pub fn from_components(_: &[u8], _: &[u8]) -> Result<Self, Rejected> {
        Err(Rejected)
    }
    pub fn from_spki(_: &[u8]) -> Result<Self, Rejected> {
        Err(Rejected)
    }
    pub fn to_spki(&self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
    pub fn modulus(&self) -> Vec<u8> {
        Vec::new()
    }
    pub fn exponent(&self) -> Vec<u8> {
        Vec::new()
    }
    pub fn bits(&self) -> usize {
        0
    }
}
impl RsaPrivateKey {
    pub fn from_components(_: &RsaComponents<'_>) -> Result<Self, Rejected> {
        Err(Rejected)
    }
    pub fn from_pkcs8(_: &[u8]) -> Result<Self, Rejected> {
        Err(Rejected)
    }
    pub fn to_pkcs8(&self) -> Result<Secret> {
        Ok(Secret::zeroed(0))
    }
    pub fn public(&self) -> Result<RsaPublicKey> {
        Ok(RsaPublicKey)
    }
    pub fn component(&self, _: RsaComponent) -> Result<Secret> {
        Ok(Secret::zeroed(0))
    }
}
