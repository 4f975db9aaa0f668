//! Curves and points as attributes have them. PKCS#11 3.2, section 6.3; ANSI X9.62.

use der::asn1::{AnyRef, ObjectIdentifier, OctetString, PrintableStringRef};
use der::{Decode, Encode, Tag, Tagged};

use crate::crypto::Rejected;
use crate::crypto::der::octet_string;
use crate::crypto::ec::Curve;
use crate::error::{Error, Result};
use crate::key::KeyType;

/// `CKA_EC_PARAMS` of Ed25519: its object identifier. RFC 8410, section 3.
pub const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];

/// `CKA_EC_PARAMS` of X25519. RFC 8410, section 3.
pub const X25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x6e];

/// The curve of a `CKK_EC` key. Curves are named, by object identifier or by name; parameters in full are refused.
pub fn weierstrass(params: &[u8]) -> Result<Curve> {
    Curve::from_oid(params).or_else(|| Curve::from_name(name(params)?)).ok_or_else(|| unknown(params))
}

/// Whether the parameters of a `CKK_EC_EDWARDS` key name the one curve that is here.
pub fn check_edwards(params: &[u8]) -> Result<()> {
    // OpenSC and GnuPG have an identifier of GNU's, from the time before RFC 8410.
    const GNU: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.15.1");
    check(params, ED25519, GNU, &["edwards25519", "Ed25519"])
}

/// Whether the parameters of a `CKK_EC_MONTGOMERY` key name the one curve that is here.
pub fn check_montgomery(params: &[u8]) -> Result<()> {
    const CRYPTLIB: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3029.1.5.1");
    check(params, X25519, CRYPTLIB, &["curve25519", "X25519"])
}

/// Whether the parameters of a key of this type name the curve of this object identifier.
pub(super) fn is_named(key_type: KeyType, params: &[u8], oid: &[u8]) -> bool {
    match key_type {
        KeyType::EcEdwards => check_edwards(params).is_ok(),
        KeyType::EcMontgomery => check_montgomery(params).is_ok(),
        _ => weierstrass(params).is_ok_and(|curve| curve.oid() == oid),
    }
}

/// The canonical form of parameters: as they were given, but for what OpenSC 0.23 sends for "curve25519", the name with a
/// length of one too many, which is no DER.
pub(super) fn canonical(params: &[u8]) -> &[u8] {
    if params == b"\x13\x0bcurve25519" { X25519 } else { params }
}

/// The bits of the curve's field.
pub(super) fn bits(key_type: KeyType, params: &[u8]) -> Option<usize> {
    match key_type {
        KeyType::EcEdwards => check_edwards(params).ok().map(|()| 255),
        KeyType::EcMontgomery => check_montgomery(params).ok().map(|()| 255),
        _ => weierstrass(params).ok().map(Curve::bits),
    }
}

/// A point in its DER `OCTET STRING`.
pub(super) fn wrap_point(point: &[u8]) -> Vec<u8> {
    OctetString::new(point).and_then(|string| string.to_der()).unwrap_or_default()
}

/// Reads a point that comes in a DER `OCTET STRING` or bare. Which one it is, its length tells: no curve has points that
/// differ by what an `OCTET STRING` adds.
pub fn read_point<T>(given: &[u8], read: impl Fn(&[u8]) -> Result<T, Rejected>) -> Result<T, Rejected> {
    unwrap_point(given).ok_or(Rejected).and_then(&read).or_else(|Rejected| read(given))
}

/// The point in a DER `OCTET STRING`, if it is one.
pub(super) fn unwrap_point(der: &[u8]) -> Option<&[u8]> {
    octet_string(der).ok()
}

fn check(params: &[u8], identifier: &[u8], old: ObjectIdentifier, names: &[&str]) -> Result<()> {
    let named = name(params).is_some_and(|name| names.contains(&name));
    let known = identifier == params || ObjectIdentifier::from_der(params).is_ok_and(|oid| oid == old);
    if named || known { Ok(()) } else { Err(unknown(params)) }
}

fn name(params: &[u8]) -> Option<&str> {
    PrintableStringRef::from_der(params).ok().map(|name| name.as_str())
}

/// A well-formed name is that of a curve which is not here; everything else is no parameters, or a form that is not taken.
fn unknown(params: &[u8]) -> Error {
    if name(params).is_some() || is_identifier(params) { Error::CurveNotSupported } else { Error::DomainParamsInvalid }
}

/// Whether it is an object identifier by its form, X.690, section 8.19. `ObjectIdentifier` is narrower: of 32 bits a number.
fn is_identifier(der: &[u8]) -> bool {
    let Ok(any) = AnyRef::from_der(der) else { return false };
    let mut numbers = any.value().split_inclusive(|byte| byte & 0x80 == 0);
    let minimal = |number: &[u8]| number.first() != Some(&0x80) && number.last().is_some_and(|last| last & 0x80 == 0);
    any.tag() == Tag::ObjectIdentifier && !any.value().is_empty() && numbers.all(minimal)
}
