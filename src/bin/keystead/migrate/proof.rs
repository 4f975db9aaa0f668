//! Whether an object here is the one there: told by use, by the public key, or by the bytes.

use cryptoki_sys::*;
use der::Decode;
use der::asn1::OctetStringRef;
use keystead::crypto::random;
use keystead::handle::Handle;
use keystead::key::{Class, KeyType};
use keystead::session::Direction;
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::foreign::Mechanism;
use super::ours::Ours;
use super::source::{Item, Source};

/// What the comparison of two objects has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// They are the same, as this shows.
    Same(&'static str),
    Different,
    /// Nothing tells.
    Unknown,
}

/// An object there, and one here.
pub struct Both<'a> {
    pub source: &'a Source,
    pub item: &'a Item,
    pub ours: &'a Ours<'a>,
    pub object: Handle,
}

/// A test: true if they are the same, false if not, none if it cannot tell.
type Test = fn(&Both<'_>) -> Option<bool>;

impl Both<'_> {
    /// Compares them. The first test that can tell does.
    pub fn compare(&self) -> Likeness {
        let tests: &[(&'static str, Test)] = match self.item.class() {
            Some(Class::SecretKey) => &[("cipher", same_cipher), ("MAC", same_mac), ("check value", same_check_value)],
            Some(Class::PrivateKey) => &[("signature", same_signature), ("public key", same_public_half)],
            Some(Class::PublicKey) => &[("public key", same_public_key)],
            Some(class) if class.is_secret() => &[],
            _ => &[("value", same_value)],
        };
        let told = tests.iter().find_map(|(name, test)| Some((name, test(self)?)));
        match told {
            Some((name, true)) => Likeness::Same(name),
            Some((_, false)) => Likeness::Different,
            None => Likeness::Unknown,
        }
    }

    fn theirs(&self, attribute: u64) -> Option<Vec<u8>> {
        let value = self.source.session.attribute(self.item.object, attribute).ok().flatten()?;
        Some(value.expose().to_vec()).filter(|value| !value.is_empty())
    }

    fn own(&self, attribute: u64) -> Option<Vec<u8>> {
        self.ours.attribute(self.object, attribute).ok().flatten()
    }

    /// A random message, and what the key there makes of it.
    fn signed_there(&self, mechanism: CK_MECHANISM_TYPE) -> Option<([u8; 32], Vec<u8>)> {
        let message = random::bytes::<32>().ok()?;
        let session = self.source.another_session().ok()?;
        let signature = session.sign(&Mechanism::Plain(mechanism), self.item.object, &message).ok()?;
        Some((message, signature))
    }

    fn may(&self, attribute: u64) -> bool {
        self.theirs(attribute).is_some_and(|value| value != [0])
            && self.own(attribute).is_some_and(|value| value == [1])
    }
}

fn same_cipher(both: &Both<'_>) -> Option<bool> {
    if both.item.key_type() != Some(KeyType::Aes) {
        return None;
    }
    let (block, session) = (random::bytes::<16>().ok()?, both.source.another_session().ok()?);
    let (direction, theirs) = match (both.may(CKA_ENCRYPT), both.may(CKA_DECRYPT)) {
        (true, _) => (Direction::Encrypt, session.encrypt(&ECB, both.item.object, &block)),
        (_, true) => (Direction::Decrypt, session.decrypt(&ECB, both.item.object, &block)),
        _ => return None,
    };
    let theirs = theirs.ok()?;
    Some(both.ours.crypt(direction, CKM_AES_ECB, both.object, &block).ok()? == theirs)
}

const ECB: Mechanism = Mechanism::Plain(CKM_AES_ECB);

fn same_mac(both: &Both<'_>) -> Option<bool> {
    let mechanism = match both.item.key_type()? {
        KeyType::Aes => CKM_AES_CMAC,
        KeyType::GenericSecret => CKM_SHA256_HMAC,
        _ => return None,
    };
    if !both.may(CKA_SIGN) {
        return None;
    }
    let (message, theirs) = both.signed_there(mechanism)?;
    Some(both.ours.sign(mechanism, both.object, &message).ok()? == theirs)
}

/// Modules agree about what it is of an AES key. Of other keys only its being the same says something.
fn same_check_value(both: &Both<'_>) -> Option<bool> {
    let (theirs, own) = (both.theirs(CKA_CHECK_VALUE)?, both.own(CKA_CHECK_VALUE)?);
    if theirs.len() != own.len() {
        return None;
    }
    Some(theirs == own).filter(|same| *same || both.item.key_type() == Some(KeyType::Aes))
}

/// What is signed there is verified here, with the public key that belongs to the private key here.
fn same_signature(both: &Both<'_>) -> Option<bool> {
    let mechanism = match both.item.key_type()? {
        KeyType::Rsa => CKM_SHA256_RSA_PKCS,
        KeyType::Ec => CKM_ECDSA,
        KeyType::EcEdwards => CKM_EDDSA,
        _ => return None,
    };
    if !both.may(CKA_SIGN) {
        return None;
    }
    let (message, signature) = both.signed_there(mechanism)?;
    let public = public_half(both)?;
    let verified = both.ours.verifies(mechanism, public, &message, &signature);
    let _ = both.ours.destroy(public);
    verified.ok()
}

/// A session object that verifies for the private key here.
fn public_half(both: &Both<'_>) -> Option<Handle> {
    let key_type = both.own(CKA_KEY_TYPE)?;
    let mut parts = Vec::new();
    if both.item.key_type() == Some(KeyType::Rsa) {
        parts.push((CKA_MODULUS, both.own(CKA_MODULUS)?));
        parts.push((CKA_PUBLIC_EXPONENT, both.own(CKA_PUBLIC_EXPONENT)?));
    } else {
        parts.push((CKA_EC_PARAMS, both.own(CKA_EC_PARAMS)?));
        parts.push((CKA_EC_POINT, point_of(&both.own(CKA_PUBLIC_KEY_INFO)?)?));
    }
    let class = CKO_PUBLIC_KEY.to_ne_bytes();
    let mut given = vec![(CKA_CLASS, &class[..]), (CKA_KEY_TYPE, &key_type), (CKA_TOKEN, &[0]), (CKA_VERIFY, &[1])];
    given.extend(parts.iter().map(|(number, value)| (*number, value.as_slice())));
    both.ours.create(&given).ok()
}

fn same_public_half(both: &Both<'_>) -> Option<bool> {
    if both.item.key_type() == Some(KeyType::Rsa) {
        return Some(integer(&both.theirs(CKA_MODULUS)?) == integer(&both.own(CKA_MODULUS)?));
    }
    let own = point_of(&both.own(CKA_PUBLIC_KEY_INFO)?)?;
    let told = both.theirs(CKA_EC_POINT).map(|point| bare(&point).to_vec());
    let told = told.or_else(|| point_of(&both.theirs(CKA_PUBLIC_KEY_INFO)?));
    Some(told.or_else(|| point_beside(both))? == own)
}

/// The point of the public key there that belongs to a private key, by its id.
fn point_beside(both: &Both<'_>) -> Option<Vec<u8>> {
    if both.item.id.is_empty() {
        return None;
    }
    let (class, key_type) = (CKO_PUBLIC_KEY.to_ne_bytes(), both.theirs(CKA_KEY_TYPE)?);
    let wanted = [(CKA_CLASS, &class[..]), (CKA_KEY_TYPE, &key_type), (CKA_ID, &both.item.id)];
    let [public] = both.source.session.find(&wanted).ok()?[..] else { return None };
    let point = both.source.session.attribute(public, CKA_EC_POINT).ok()??;
    Some(bare(point.expose()).to_vec())
}

fn same_public_key(both: &Both<'_>) -> Option<bool> {
    if both.item.key_type() == Some(KeyType::Rsa) {
        let same = |attribute| Some(integer(&both.theirs(attribute)?) == integer(&both.own(attribute)?));
        return Some(same(CKA_MODULUS)? && same(CKA_PUBLIC_EXPONENT)?);
    }
    Some(bare(&both.theirs(CKA_EC_POINT)?) == bare(&both.own(CKA_EC_POINT)?))
}

fn same_value(both: &Both<'_>) -> Option<bool> {
    let theirs = both.theirs(CKA_VALUE).unwrap_or_default();
    Some(theirs == both.own(CKA_VALUE).filter(|own| !own.is_empty() || theirs.is_empty())?)
}

/// A big integer without zeros in front.
fn integer(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// A point without the `OCTET STRING` that it may stand in.
fn bare(point: &[u8]) -> &[u8] {
    <&OctetStringRef>::from_der(point).map_or(point, |string| string.as_bytes())
}

/// The point in a `SubjectPublicKeyInfo`.
fn point_of(info: &[u8]) -> Option<Vec<u8>> {
    Some(SubjectPublicKeyInfoRef::from_der(info).ok()?.subject_public_key.raw_bytes().to_vec())
}
