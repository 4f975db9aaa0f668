//! Keys of JSON. RFC 7517, RFC 7518, section 6, and RFC 8037, section 2.

use jose_jwk::jose_b64::serde::Bytes;
use jose_jwk::{Ec, Key, Okp, OkpCurves, Rsa};
use keystead::crypto::ec::{EcPrivateKey, EcPublicKey};
use keystead::crypto::edwards::{Ed25519PrivateKey, Ed25519PublicKey};
use keystead::crypto::montgomery::{X25519PrivateKey, X25519PublicKey};
use keystead::crypto::rsa::{RsaComponents, RsaPrivateKey, RsaPublicKey};
use keystead::crypto::{PrivateKey, PublicKey, Rejected};
use keystead::secret::Secret;

use super::content::Content;
use crate::failure::{Failure, Result};
use crate::key::public::JWK_CURVES;

/// The key of a file, if it is a JWK.
pub fn read(file: &[u8]) -> Result<Option<Content>> {
    let is_object = file.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    // Bytes of a secret key may look so for a while.
    let Some(text) = str::from_utf8(file).ok().filter(|_| is_object) else { return Ok(None) };
    // What it says of the key's use is passed over. What the parser says may quote what it read.
    let key: Key = serde_json::from_str(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Failure::of("the JSON is no JWK of a kind that is known here", place)
    })?;
    let content = match &key {
        Key::Oct(key) => Content::SecretKey(Secret::from_slice(&key.k)),
        Key::Rsa(key) => of_pair(rsa(key)?, rsa_public(key)?)?,
        Key::Ec(key) => of_pair(ec(key)?, ec_public(key)?)?,
        Key::Okp(key) => of_pair(okp(key)?, okp_public(key)?)?,
        _ => return Err(invalid()),
    };
    Ok(Some(content))
}

/// The private key, if there is one; its public half has to be the one that is said.
fn of_pair(private: Option<PrivateKey>, public: PublicKey) -> Result<Content> {
    let Some(private) = private else { return Ok(Content::PublicKey(public)) };
    if private.public()?.to_spki()? != public.to_spki()? {
        return Err(Failure::new("the private key of the JWK does not belong to its public key"));
    }
    Ok(Content::PrivateKey(private.to_pkcs8()?))
}

fn rsa(key: &Rsa) -> Result<Option<PrivateKey>> {
    let Some(private) = &key.prv else { return Ok(None) };
    let mut components = RsaComponents {
        modulus: &key.n,
        public_exponent: &key.e,
        private_exponent: &private.d,
        prime1: &[],
        prime2: &[],
        exponent1: &[],
        exponent2: &[],
        coefficient: &[],
    };
    if let Some(rest) = &private.opt {
        if !rest.oth.is_empty() {
            return Err(Failure::new("an RSA key of more than two primes is nothing that tokens take"));
        }
        components = RsaComponents {
            prime1: &rest.p,
            prime2: &rest.q,
            exponent1: &rest.dp,
            exponent2: &rest.dq,
            coefficient: &rest.qi,
            ..components
        };
    }
    RsaPrivateKey::from_components(&components).map(|key| Some(PrivateKey::Rsa(key))).map_err(|Rejected| invalid())
}

fn rsa_public(key: &Rsa) -> Result<PublicKey> {
    RsaPublicKey::from_components(&key.n, &key.e).map(PublicKey::Rsa).map_err(|Rejected| invalid())
}

fn ec(key: &Ec) -> Result<Option<PrivateKey>> {
    let Some(d) = &key.d else { return Ok(None) };
    let (_, curve) = JWK_CURVES.iter().find(|(named, _)| *named == key.crv).ok_or_else(invalid)?;
    EcPrivateKey::from_scalar(*curve, d).map(|key| Some(PrivateKey::Ec(key))).map_err(|Rejected| invalid())
}

fn ec_public(key: &Ec) -> Result<PublicKey> {
    let (_, curve) = JWK_CURVES.iter().find(|(named, _)| *named == key.crv).ok_or_else(invalid)?;
    // Uncompressed: SEC 1, section 2.3.3.
    let point = [&[4], &key.x[..], &key.y[..]].concat();
    EcPublicKey::from_point(*curve, &point).map(PublicKey::Ec).map_err(|Rejected| invalid())
}

fn okp(key: &Okp) -> Result<Option<PrivateKey>> {
    let Some(d) = &key.d else { return Ok(None) };
    let d: &[u8; 32] = (&d[..]).try_into().map_err(|_| invalid())?;
    match key.crv {
        OkpCurves::Ed25519 => Ok(Some(PrivateKey::Ed25519(Ed25519PrivateKey::from_seed(d)))),
        OkpCurves::X25519 => Ok(Some(PrivateKey::X25519(X25519PrivateKey::from_bytes(d)))),
        _ => Err(no_curve()),
    }
}

fn okp_public(key: &Okp) -> Result<PublicKey> {
    let x: &Bytes = &key.x;
    match key.crv {
        OkpCurves::Ed25519 => Ed25519PublicKey::from_bytes(x).map(PublicKey::Ed25519).map_err(|Rejected| invalid()),
        OkpCurves::X25519 => X25519PublicKey::from_bytes(x).map(PublicKey::X25519).map_err(|Rejected| invalid()),
        _ => Err(no_curve()),
    }
}

fn invalid() -> Failure {
    Failure::new("the JWK holds no key: its numbers do not fit its type or each other")
}

fn no_curve() -> Failure {
    Failure::new("the curve of the JWK is none that is here").with_next("Ed25519 and X25519 are")
}
