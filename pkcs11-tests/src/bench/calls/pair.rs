//! Key pairs.

use std::ptr;

use cryptoki_sys::*;

use super::made::{Making, has_value};
use super::output::Output;
use super::{Maker, has, oaep, signature, with_parameter};
use crate::bench::bare::public::{Peer, Public};
use crate::bench::operation::{Act, Pair};
use crate::failure::Result;
use crate::module::{Session, attribute, bytes, check};

/// The work of a pair. Fails where the module lacks a mechanism.
pub(super) fn maker(session: &Session, pair: Pair, act: Act) -> Result<Maker> {
    has(session, pair.generation())?;
    match act {
        Act::Generate => generate(session, pair),
        Act::Decrypt => oaep::decrypt(has(session, CKM_RSA_PKCS_OAEP)?, pair),
        Act::Derive => derive(has(session, CKM_ECDH1_DERIVE)?, pair),
        Act::Sign => signature::sign(has(session, pair.signature())?, pair),
        Act::Verify => signature::verify(has(session, pair.signature())?, pair),
    }
}

impl Pair {
    fn generation(self) -> CK_MECHANISM_TYPE {
        match self {
            Self::Rsa(_) => CKM_RSA_PKCS_KEY_PAIR_GEN,
            Self::P256 | Self::P384 => CKM_EC_KEY_PAIR_GEN,
            Self::Ed25519 => CKM_EC_EDWARDS_KEY_PAIR_GEN,
        }
    }

    /// How it signs.
    pub(super) fn signature(self) -> CK_MECHANISM_TYPE {
        match self {
            Self::Rsa(_) => CKM_SHA256_RSA_PKCS,
            Self::P256 | Self::P384 => CKM_ECDSA,
            Self::Ed25519 => CKM_EDDSA,
        }
    }

    /// `CKA_EC_PARAMS`: the curve's object identifier.
    fn curve(self) -> &'static [u8] {
        match self {
            Self::Rsa(_) => &[],
            Self::P256 => &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
            Self::Ed25519 => &[0x06, 0x03, 0x2b, 0x65, 0x70],
        }
    }

    /// What is signed or encrypted.
    pub(super) fn message(self) -> Vec<u8> {
        vec![7; self.message_length()]
    }
}

/// A pair of session keys that may do `act`, the public one first.
pub(super) fn generated(session: &Session, pair: Pair, act: Act) -> Result<[CK_OBJECT_HANDLE; 2]> {
    let mut yes = CK_TRUE;
    let (public_use, private_use) = match act {
        Act::Sign | Act::Verify | Act::Generate => (Some(CKA_VERIFY), CKA_SIGN),
        Act::Decrypt => (Some(CKA_ENCRYPT), CKA_DECRYPT),
        Act::Derive => (None, CKA_DERIVE),
    };
    let (mut exponent, mut curve) = ([1, 0, 1], pair.curve().to_vec());
    let mut bits: CK_ULONG = if let Pair::Rsa(bits) = pair { bits as CK_ULONG } else { 0 };
    let mut public = match pair {
        Pair::Rsa(_) => vec![attribute(CKA_MODULUS_BITS, &mut bits), bytes(CKA_PUBLIC_EXPONENT, &mut exponent)],
        _ => vec![bytes(CKA_EC_PARAMS, &mut curve)],
    };
    public.extend(public_use.map(|number| attribute(number, &mut yes)));
    session.generate_pair(pair.generation(), &mut public, &mut [attribute(private_use, &mut yes)])
}

/// The public key of a pair, for the bare primitive.
pub(super) fn public(session: &Session, pair: Pair, key: CK_OBJECT_HANDLE) -> Result<Public> {
    match pair {
        Pair::Rsa(_) => {
            Public::rsa(&session.attribute(key, CKA_MODULUS)?, &session.attribute(key, CKA_PUBLIC_EXPONENT)?)
        }
        _ => Public::point(pair, &session.attribute(key, CKA_EC_POINT)?),
    }
}

fn generate(session: &Session, pair: Pair) -> Result<Maker> {
    has(session, pair.signature())?;
    Ok(Box::new(move |session| {
        let make = move |session: &Session| generated(session, pair, Act::Generate);
        let check = move |session: &Session, [public_key, private_key]: [_; 2]| {
            let mut signature = Output::EMPTY;
            signature::signed(session, pair.signature(), private_key, &mut pair.message(), &mut signature)?;
            public(session, pair, public_key)?.verify(&pair.message(), signature.written())
        };
        Ok(Box::new(Making { session, last: None, make, check }))
    }))
}

fn derive(session: &Session, pair: Pair) -> Result<Maker> {
    let [public_key, key] = generated(session, pair, Act::Derive)?;
    let peer = Peer::new(pair)?;
    let secret = peer.secret(&public(session, pair, public_key)?)?;
    let point = peer.point();
    Ok(Box::new(move |session| {
        let mut point = point.clone();
        let make = move |session: &Session| derived(session, key, &mut point).map(|key| [key]);
        let check = move |session: &Session, [key]: [_; 1]| has_value(session, key, &secret);
        Ok(Box::new(Making { session, last: None, make, check }))
    }))
}

fn derived(session: &Session, key: CK_OBJECT_HANDLE, point: &mut [u8]) -> Result<CK_OBJECT_HANDLE> {
    let mut parameter = CK_ECDH1_DERIVE_PARAMS {
        kdf: CKD_NULL,
        ulSharedDataLen: 0,
        pSharedData: ptr::null_mut(),
        ulPublicDataLen: point.len() as CK_ULONG,
        pPublicData: point.as_mut_ptr(),
    };
    let mut mechanism = with_parameter(CKM_ECDH1_DERIVE, &mut parameter);
    let (mut class, mut key_type, mut length, mut yes) = (CKO_SECRET_KEY, CKK_AES, 32 as CK_ULONG, CK_TRUE);
    let mut template = [
        attribute(CKA_CLASS, &mut class),
        attribute(CKA_KEY_TYPE, &mut key_type),
        attribute(CKA_VALUE_LEN, &mut length),
        attribute(CKA_ENCRYPT, &mut yes),
    ];
    let (count, mut derived) = (template.len() as CK_ULONG, 0);
    let derive = session.module.table.derive_key;
    // SAFETY: mechanism, its parameter and template are valid for their lengths.
    let code = unsafe { derive(session.handle, &mut mechanism, key, template.as_mut_ptr(), count, &mut derived) };
    check("C_DeriveKey", code).map(|()| derived)
}
