//! Keys that come in pairs, as attributes. PKCS#11 3.2, sections 6.1 and 6.3.

use cryptoki_sys::*;

use super::{Attributes, Secrets, curve};
use crate::crypto::ec::{EcPrivateKey, EcPublicKey};
use crate::crypto::edwards::{Ed25519PrivateKey, Ed25519PublicKey};
use crate::crypto::montgomery::{X25519PrivateKey, X25519PublicKey};
use crate::crypto::rsa::{RsaComponent, RsaComponents, RsaPrivateKey, RsaPublicKey};
use crate::crypto::{PrivateKey, PublicKey, Rejected};
use crate::error::{Error, Result};
use crate::key::KeyType;
use crate::secret::Secret;

/// The private key that a template for `C_CreateObject` describes.
pub(super) fn import_private(key_type: KeyType, open: &Attributes, secrets: &Secrets) -> Result<PrivateKey> {
    match key_type {
        KeyType::Rsa => import_rsa(open, secrets),
        _ => {
            let value = secret(secrets, CKA_VALUE, "CKA_VALUE")?;
            import_scalar(key_type, attribute(open, CKA_EC_PARAMS), value)
        }
    }
}

/// The public key that a template for `C_CreateObject` describes.
pub(super) fn import_public(key_type: KeyType, open: &Attributes) -> Result<PublicKey> {
    let key = match key_type {
        KeyType::Rsa => {
            let key = RsaPublicKey::from_components(attribute(open, CKA_MODULUS), attribute(open, CKA_PUBLIC_EXPONENT));
            PublicKey::Rsa(key.map_err(|_| Error::AttributeValueInvalid("CKA_MODULUS"))?)
        }
        _ => import_point(key_type, attribute(open, CKA_EC_PARAMS), attribute(open, CKA_EC_POINT))?,
    };
    agrees(open, &key)?;
    Ok(key)
}

/// What a public key gives to the attributes of both halves; the table says which half has which.
pub(super) fn describe(key: &PublicKey) -> Result<Attributes> {
    let mut all = match key {
        PublicKey::Rsa(key) => Attributes::from([
            (CKA_MODULUS, key.modulus().to_vec()),
            (CKA_MODULUS_BITS, (key.bits() as u64).to_le_bytes().to_vec()),
            (CKA_PUBLIC_EXPONENT, key.exponent().to_vec()),
        ]),
        PublicKey::Ec(key) => on_curve(key.curve().oid(), &key.point()?),
        PublicKey::Ed25519(key) => on_curve(curve::ED25519, &key.to_bytes()),
        PublicKey::X25519(key) => on_curve(curve::X25519, &key.to_bytes()),
    };
    all.insert(CKA_PUBLIC_KEY_INFO, key.to_spki()?);
    Ok(all)
}

/// The value of an attribute of a private key that stays inside, from the key's `PrivateKeyInfo`.
pub fn component(pkcs8: &Secret, number: u64) -> Option<Secret> {
    match (PrivateKey::from_pkcs8(pkcs8.expose()).ok()?, number) {
        (PrivateKey::Rsa(key), number) => {
            let (_, component) = RSA.iter().find(|(of, _)| *of == number)?;
            Some(key.component(*component))
        }
        (PrivateKey::Ec(key), CKA_VALUE) => key.scalar().ok(),
        (PrivateKey::Ed25519(key), CKA_VALUE) => Some(Secret::from_slice(key.seed())),
        (PrivateKey::X25519(key), CKA_VALUE) => Some(Secret::from_slice(key.bytes())),
        _ => None,
    }
}

/// The bits of the modulus or of the curve's field, from the attributes of either half.
pub(super) fn bits(key_type: KeyType, open: &Attributes) -> Option<usize> {
    if key_type != KeyType::Rsa {
        return curve::bits(key_type, open.get(&CKA_EC_PARAMS)?);
    }
    let modulus = open.get(&CKA_MODULUS)?;
    let first = modulus.first()?;
    modulus.len().checked_mul(8)?.checked_sub(usize::try_from(first.leading_zeros()).ok()?)
}

const RSA: [(u64, RsaComponent); 6] = [
    (CKA_PRIVATE_EXPONENT, RsaComponent::PrivateExponent),
    (CKA_PRIME_1, RsaComponent::Prime1),
    (CKA_PRIME_2, RsaComponent::Prime2),
    (CKA_EXPONENT_1, RsaComponent::Exponent1),
    (CKA_EXPONENT_2, RsaComponent::Exponent2),
    (CKA_COEFFICIENT, RsaComponent::Coefficient),
];

/// Modulus and private exponent are enough; what was given besides must fit.
fn import_rsa(open: &Attributes, secrets: &Secrets) -> Result<PrivateKey> {
    let of = |number| secrets.get(&number).map(Secret::expose).unwrap_or_default();
    let components = RsaComponents {
        modulus: attribute(open, CKA_MODULUS),
        public_exponent: attribute(open, CKA_PUBLIC_EXPONENT),
        private_exponent: of(CKA_PRIVATE_EXPONENT),
        prime1: of(CKA_PRIME_1),
        prime2: of(CKA_PRIME_2),
        exponent1: of(CKA_EXPONENT_1),
        exponent2: of(CKA_EXPONENT_2),
        coefficient: of(CKA_COEFFICIENT),
    };
    let key = RsaPrivateKey::from_components(&components);
    key.map(PrivateKey::Rsa).map_err(|Rejected| Error::AttributeValueInvalid("CKA_PRIVATE_EXPONENT"))
}

fn import_scalar(key_type: KeyType, params: &[u8], value: &Secret) -> Result<PrivateKey> {
    let key = match key_type {
        KeyType::EcEdwards => {
            curve::check_edwards(params)?;
            value
                .expose()
                .try_into()
                .map(|seed| PrivateKey::Ed25519(Ed25519PrivateKey::from_seed(seed)))
                .map_err(|_| Rejected)
        }
        KeyType::EcMontgomery => {
            curve::check_montgomery(params)?;
            value
                .expose()
                .try_into()
                .map(|value| PrivateKey::X25519(X25519PrivateKey::from_bytes(value)))
                .map_err(|_| Rejected)
        }
        _ => EcPrivateKey::from_scalar(curve::weierstrass(params)?, value.expose()).map(PrivateKey::Ec),
    };
    key.map_err(|Rejected| Error::AttributeValueInvalid("CKA_VALUE"))
}

fn import_point(key_type: KeyType, params: &[u8], given: &[u8]) -> Result<PublicKey> {
    let key = match key_type {
        KeyType::EcEdwards => {
            curve::check_edwards(params)?;
            curve::read_point(given, Ed25519PublicKey::from_bytes).map(PublicKey::Ed25519)
        }
        KeyType::EcMontgomery => {
            curve::check_montgomery(params)?;
            curve::read_point(given, X25519PublicKey::from_bytes).map(PublicKey::X25519)
        }
        _ => {
            let curve = curve::weierstrass(params)?;
            curve::read_point(given, |point| EcPublicKey::from_point(curve, point)).map(PublicKey::Ec)
        }
    };
    key.map_err(|Rejected| Error::AttributeValueInvalid("CKA_EC_POINT"))
}

/// What was said about the key besides must be true of it.
pub(super) fn agrees(open: &Attributes, key: &PublicKey) -> Result<()> {
    match open.get(&CKA_PUBLIC_KEY_INFO) {
        Some(given) if !given.is_empty() && *given != key.to_spki()? => {
            Err(Error::AttributeValueInvalid("CKA_PUBLIC_KEY_INFO"))
        }
        _ => Ok(()),
    }
}

fn on_curve(params: &[u8], point: &[u8]) -> Attributes {
    Attributes::from([(CKA_EC_PARAMS, params.to_vec()), (CKA_EC_POINT, curve::wrap_point(point))])
}

/// An attribute that the table requires; empty where there is none, which no key takes.
fn attribute(open: &Attributes, number: u64) -> &[u8] {
    open.get(&number).map(Vec::as_slice).unwrap_or_default()
}

fn secret<'a>(secrets: &'a Secrets, number: u64, name: &'static str) -> Result<&'a Secret> {
    secrets.get(&number).ok_or(Error::TemplateIncomplete(name))
}
