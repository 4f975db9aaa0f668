//! What a file of a key holds, in whatever form.

use keystead::crypto::{PrivateKey, PublicKey};
use keystead::secret::Secret;
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use pkcs8::der::{Decode, Encode};
use pkcs8::spki::AlgorithmIdentifierRef;
use sec1::EcPrivateKey;
use x509_cert::Certificate;

use super::jwk;
use crate::failure::{Failure, Result};
use crate::key::kind::KeyKind;

/// What a file holds.
pub enum Content {
    /// A `PrivateKeyInfo`.
    PrivateKey(Secret),
    /// An `EncryptedPrivateKeyInfo`.
    Encrypted(Vec<u8>),
    /// The value of a secret key.
    SecretKey(Secret),
    /// A public key.
    PublicKey(PublicKey),
    /// An X.509 certificate, as DER.
    Certificate(Vec<u8>),
}

/// What the file holds by its form; bytes of no form are a secret key, if that is what was asked for.
pub fn read(file: &[u8], kind: Option<KeyKind>) -> Result<Content> {
    if let Some(content) = of_pem(file)? {
        return Ok(content);
    }
    if let Some(content) = jwk::read(file)? {
        return Ok(content);
    }
    match kind {
        Some(kind) if !kind.key_type.comes_in_pairs() => Ok(Content::SecretKey(Secret::from_slice(file))),
        _ => of_der(file),
    }
}

/// What a block may hold, if it is that.
type Read = fn(&[u8]) -> Option<Content>;

/// The labels of RFC 7468, and those of OpenSSL.
const LABELS: [(&str, Read); 6] = [
    ("PRIVATE KEY", pkcs8),
    ("ENCRYPTED PRIVATE KEY", encrypted),
    ("RSA PRIVATE KEY", pkcs1),
    ("EC PRIVATE KEY", ec),
    ("PUBLIC KEY", spki),
    ("CERTIFICATE", certificate),
];

/// The one block of a file that says what we take: before a key, OpenSSL writes the parameters of its curve.
fn of_pem(file: &[u8]) -> Result<Option<Content>> {
    let Ok(text) = str::from_utf8(file) else { return Ok(None) };
    if !text.contains("-----BEGIN ") {
        return Ok(None);
    }
    let begins =
        |label: &str| text.match_indices(&format!("-----BEGIN {label}-----")).map(|(at, _)| at).collect::<Vec<_>>();
    let all = LABELS.iter().flat_map(|(label, read)| begins(label).into_iter().map(move |at| (at, label, read)));
    let all: Vec<_> = all.collect();
    let [(at, label, read)] = all[..] else {
        let labels: Vec<&str> = LABELS.iter().map(|(label, _)| *label).collect();
        let failure = Failure::new(format!("the PEM file has {} blocks that can be imported, and not one", all.len()));
        return Err(failure.with_next(format!("cut out one of these: {}", labels.join(", "))));
    };
    let block = text.get(at..).map(|rest| until_end(rest, label)).unwrap_or_default();
    let (_, der) = pem_rfc7468::decode_vec(block.as_bytes()).map_err(|error| {
        let failure = Failure::of(format!("the block {label} of the PEM file is not understood"), error);
        failure.with_next("`openssl pkcs8 -topk8 -in FILE -out NEW` writes a private key anew, of older forms too")
    })?;
    let der = Secret::new(der);
    let content = read(der.expose());
    content
        .map(Some)
        .ok_or_else(|| Failure::new(format!("what the block {label} holds is none, or of no type that is here")))
}

/// A block without what follows it.
fn until_end<'a>(rest: &'a str, label: &str) -> &'a str {
    let end = format!("-----END {label}-----");
    let length = rest.find(&end).map(|at| at.saturating_add(end.len()));
    length.and_then(|length| rest.get(..length)).unwrap_or(rest)
}

fn of_der(file: &[u8]) -> Result<Content> {
    let content = LABELS.iter().find_map(|(_, read)| read(file));
    content.ok_or_else(|| {
        let failure = Failure::new("the file is no PEM, no JWK, and no DER of PKCS#8, PKCS#1, SEC 1, SPKI or X.509");
        failure.with_next("the bytes of a secret key are imported with --type, as in --type aes")
    })
}

fn pkcs8(der: &[u8]) -> Option<Content> {
    PrivateKey::from_pkcs8(der).ok().map(|_| Content::PrivateKey(Secret::from_slice(der)))
}

fn encrypted(der: &[u8]) -> Option<Content> {
    // By its shape alone: why one is not taken is said later.
    let shape: pkcs8::der::Result<()> = AnyRef::from_der(der).ok()?.sequence(|reader| {
        AlgorithmIdentifierRef::decode(reader)?;
        <&OctetStringRef>::decode(reader).map(drop)
    });
    shape.ok().map(|()| Content::Encrypted(der.to_vec()))
}

fn spki(der: &[u8]) -> Option<Content> {
    PublicKey::from_spki(der).ok().map(Content::PublicKey)
}

fn certificate(der: &[u8]) -> Option<Content> {
    Certificate::from_der(der).ok().map(|_| Content::Certificate(der.to_vec()))
}

/// `RSAPrivateKey`. RFC 8017, appendix A.1.2.
fn pkcs1(der: &[u8]) -> Option<Content> {
    const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    private_key_info(AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::NULL) }, der)
}

/// `ECPrivateKey`, which names its curve. RFC 5915.
fn ec(der: &[u8]) -> Option<Content> {
    const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    let curve = EcPrivateKey::from_der(der).ok()?.parameters?.named_curve()?;
    private_key_info(AlgorithmIdentifierRef { oid: EC, parameters: Some(AnyRef::from(&curve)) }, der)
}

fn private_key_info(algorithm: AlgorithmIdentifierRef<'_>, der: &[u8]) -> Option<Content> {
    let info = PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(der).ok()?);
    pkcs8(Secret::new(info.to_der().ok()?).expose())
}
