//! Keys as SubjectPublicKeyInfo and as PrivateKeyInfo.

use pkcs1::der::asn1::{BitStringRef, OctetStringRef, UintRef};
use pkcs1::der::{self, Decode, Encode};
use pkcs1::{ALGORITHM_ID, RsaPrivateKeyRef, RsaPublicKeyRef};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::spki::SubjectPublicKeyInfoRef;

use super::{RsaComponent, RsaComponents, RsaPrivateKey, RsaPublicKey};
use crate::crypto::Rejected;
use crate::error::{Error, Result};
use crate::secret::Secret;

pub fn from_spki(spki: &[u8]) -> Result<RsaPublicKey, Rejected> {
    let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(|_| Rejected)?;
    if info.algorithm != ALGORITHM_ID {
        return Err(Rejected);
    }
    let key = info.subject_public_key.as_bytes().ok_or(Rejected)?;
    let key = RsaPublicKeyRef::from_der(key).map_err(|_| Rejected)?;
    RsaPublicKey::from_components(key.modulus.as_bytes(), key.public_exponent.as_bytes())
}

pub fn to_spki(key: &RsaPublicKey) -> Result<Vec<u8>> {
    let encode = || {
        let modulus = UintRef::new(key.modulus())?;
        let public_exponent = UintRef::new(key.exponent())?;
        let inner = encoded(&RsaPublicKeyRef { modulus, public_exponent })?;
        let subject_public_key = BitStringRef::from_bytes(inner.expose())?;
        encoded(&SubjectPublicKeyInfoRef { algorithm: ALGORITHM_ID, subject_public_key })
    };
    encode().map(|spki| spki.expose().to_vec()).map_err(failed)
}

pub fn from_pkcs8(pkcs8: &[u8]) -> Result<RsaPrivateKey, Rejected> {
    let info = PrivateKeyInfoRef::from_der(pkcs8).map_err(|_| Rejected)?;
    if info.algorithm != ALGORITHM_ID || info.public_key.is_some() {
        return Err(Rejected);
    }
    let key = RsaPrivateKeyRef::from_der(info.private_key.as_bytes()).map_err(|_| Rejected)?;
    RsaPrivateKey::from_components(&RsaComponents {
        modulus: key.modulus.as_bytes(),
        public_exponent: key.public_exponent.as_bytes(),
        private_exponent: key.private_exponent.as_bytes(),
        prime1: key.prime1.as_bytes(),
        prime2: key.prime2.as_bytes(),
        exponent1: key.exponent1.as_bytes(),
        exponent2: key.exponent2.as_bytes(),
        coefficient: key.coefficient.as_bytes(),
    })
}

pub fn to_pkcs8(key: &RsaPrivateKey) -> Result<Secret> {
    let component = |component| key.component(component);
    let modulus = component(RsaComponent::Modulus);
    let public_exponent = component(RsaComponent::PublicExponent);
    let private_exponent = component(RsaComponent::PrivateExponent);
    let prime1 = component(RsaComponent::Prime1);
    let prime2 = component(RsaComponent::Prime2);
    let exponent1 = component(RsaComponent::Exponent1);
    let exponent2 = component(RsaComponent::Exponent2);
    let coefficient = component(RsaComponent::Coefficient);
    let encode = || {
        let inner = encoded(&RsaPrivateKeyRef {
            modulus: UintRef::new(modulus.expose())?,
            public_exponent: UintRef::new(public_exponent.expose())?,
            private_exponent: UintRef::new(private_exponent.expose())?,
            prime1: UintRef::new(prime1.expose())?,
            prime2: UintRef::new(prime2.expose())?,
            exponent1: UintRef::new(exponent1.expose())?,
            exponent2: UintRef::new(exponent2.expose())?,
            coefficient: UintRef::new(coefficient.expose())?,
            other_prime_infos: None,
        })?;
        encoded(&PrivateKeyInfoRef::new(ALGORITHM_ID, OctetStringRef::new(inner.expose())?))
    };
    encode().map_err(failed)
}

/// Encoded in place: a buffer that grew would leave secrets behind.
fn encoded(value: &impl Encode) -> der::Result<Secret> {
    let mut der = Secret::zeroed(u32::from(value.encoded_len()?) as usize);
    value.encode_to_slice(der.expose_mut())?;
    Ok(der)
}

/// Not for any number that a key can have.
fn failed(error: der::Error) -> Error {
    Error::GeneralError(format!("an RSA key cannot be encoded: {error}").into())
}
