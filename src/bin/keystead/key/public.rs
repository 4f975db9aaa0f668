//! Public keys: as objects, and in the forms that other programs read.

use cryptoki_sys::*;
use jose_jwk::{Ec, EcCurves, Key, Okp, OkpCurves, Rsa};
use keystead::crypto::PublicKey;
use keystead::crypto::ec::{Curve, EcPublicKey};
use keystead::key::{Class, KeyType};
use keystead::object::curve;
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData, RsaPublicKey};

use super::template::Template;
use crate::failure::{Failure, Result};

/// The template of the public key as an object in the token.
pub fn template(key: &PublicKey) -> Result<Template> {
    let mut template = Template::of(Class::PublicKey);
    let key_type = match key {
        PublicKey::Rsa(key) => {
            template.set(CKA_MODULUS, key.modulus());
            template.set(CKA_PUBLIC_EXPONENT, key.exponent());
            KeyType::Rsa
        }
        PublicKey::Ec(key) => {
            template.set(CKA_EC_PARAMS, key.curve().oid());
            template.set(CKA_EC_POINT, key.point()?);
            KeyType::Ec
        }
        PublicKey::Ed25519(key) => {
            template.set(CKA_EC_PARAMS, curve::ED25519);
            template.set(CKA_EC_POINT, key.to_bytes());
            KeyType::EcEdwards
        }
        PublicKey::X25519(key) => {
            template.set(CKA_EC_PARAMS, curve::X25519);
            template.set(CKA_EC_POINT, key.to_bytes());
            KeyType::EcMontgomery
        }
    };
    template.set_number(CKA_KEY_TYPE, key_type.number());
    Ok(template)
}

/// The curves that a JWK can name. RFC 7518, section 6.2.1.1; RFC 8812, section 3.1.
pub const JWK_CURVES: [(EcCurves, Curve); 4] = [
    (EcCurves::P256, Curve::P256),
    (EcCurves::P384, Curve::P384),
    (EcCurves::P521, Curve::P521),
    (EcCurves::P256K, Curve::Secp256k1),
];

/// The key as a JWK. RFC 7517.
pub fn jwk(key: &PublicKey) -> Result<String> {
    let on_curve = |crv, x: [u8; 32]| Key::Okp(Okp { crv, x: x.to_vec().into(), d: None });
    let key = match key {
        PublicKey::Rsa(key) => {
            Key::Rsa(Rsa { n: key.modulus().to_vec().into(), e: key.exponent().to_vec().into(), prv: None })
        }
        PublicKey::Ec(key) => Key::Ec(jwk_of_ec(key)?),
        PublicKey::Ed25519(key) => on_curve(OkpCurves::Ed25519, key.to_bytes()),
        PublicKey::X25519(key) => on_curve(OkpCurves::X25519, key.to_bytes()),
    };
    serde_json::to_string_pretty(&key).map(|text| text + "\n").map_err(|error| Failure::of("JSON", error))
}

fn jwk_of_ec(key: &EcPublicKey) -> Result<Ec> {
    let known = JWK_CURVES.iter().find(|(_, curve)| *curve == key.curve());
    let (crv, curve) = known.ok_or_else(|| no_form("JWK", key.curve()))?;
    let point = key.point()?;
    let coordinates = point.get(1..).and_then(|point| point.split_at_checked(curve.bytes()));
    let (x, y) = coordinates.ok_or_else(|| no_form("JWK", *curve))?;
    Ok(Ec { crv: *crv, x: x.to_vec().into(), y: y.to_vec().into(), d: None })
}

/// The line of the key in `authorized_keys`. RFC 4253, section 6.6; RFC 5656, section 3.1; RFC 8709, section 4.
pub fn ssh(key: &PublicKey, comment: &str) -> Result<String> {
    let failed = |error| Failure::of("the key has no form for SSH", error);
    let data = match key {
        PublicKey::Rsa(key) => KeyData::Rsa(RsaPublicKey {
            e: ssh_key::Mpint::from_positive_bytes(key.exponent()).map_err(failed)?,
            n: ssh_key::Mpint::from_positive_bytes(key.modulus()).map_err(failed)?,
        }),
        // Other curves have points of the same lengths.
        PublicKey::Ec(key) if [Curve::P256, Curve::P384, Curve::P521].contains(&key.curve()) => {
            KeyData::Ecdsa(EcdsaPublicKey::from_sec1_bytes(&key.point()?).map_err(failed)?)
        }
        PublicKey::Ec(key) => return Err(no_form("SSH", key.curve())),
        PublicKey::Ed25519(key) => KeyData::Ed25519(Ed25519PublicKey(key.to_bytes())),
        PublicKey::X25519(_) => return Err(Failure::new("SSH knows no X25519 keys of users").with_next(OTHER_FORMS)),
    };
    // A comment ends with its line.
    let comment: String = comment.chars().filter(|character| !character.is_control()).collect();
    let line = ssh_key::PublicKey::new(data, comment).to_openssh().map_err(failed)?;
    Ok(line + "\n")
}

const OTHER_FORMS: &str = "--form pem and --form der carry every key";

fn no_form(form: &str, curve: Curve) -> Failure {
    Failure::new(format!("{form} has no name for the curve {}", curve.name())).with_next(OTHER_FORMS)
}
