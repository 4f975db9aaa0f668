//! Ed25519 key pairs and signatures. PKCS#11 3.2, sections 6.3.9 and 6.3.15; RFC 8032.

use cryptoki_sys::*;

use super::ec::{FLAGS, params};
use super::parameter::{Parameter, Shape};
use super::prepared::Keyed;
use super::signature::{Scheme, Signature};
use super::{Does, Keys, Mechanism, NOTHING, Pair, Signing, Unit, begin};
use crate::crypto::edwards::{Ed25519PrivateKey, Form, SIGNATURE_LEN};
use crate::crypto::hash::Algorithm;
use crate::crypto::{PrivateKey, PublicKey, Rejected};
use crate::error::{Error, Result};
use crate::key::KeyType;
use crate::object::{Attributes, curve};

pub(super) const ROWS: &[Mechanism] = &[
    Mechanism {
        number: CKM_EC_EDWARDS_KEY_PAIR_GEN,
        name: "CKM_EC_EDWARDS_KEY_PAIR_GEN",
        parameter: Shape::None,
        keys: KEYS,
        does: Does { generate_pair: Some(Pair { key_type: KeyType::EcEdwards, generate }), ..NOTHING },
    },
    Mechanism {
        number: CKM_EDDSA,
        name: "CKM_EDDSA",
        parameter: Shape::Eddsa,
        keys: KEYS,
        does: Does { sign: begin!(|_, parameter| signing(parameter)), ..NOTHING },
    },
];

/// PKCS#11 3.2, section 6.3.9: the field of Ed25519 has 255 bits.
const KEYS: Option<Keys> =
    Some(Keys { types: &[KeyType::EcEdwards], sizes: 255..=255, unit: Unit::Bits, flags: FLAGS });

fn generate(public: &Attributes) -> Result<PrivateKey> {
    curve::check_edwards(params(public)?)?;
    Ed25519PrivateKey::generate().map(PrivateKey::Ed25519)
}

/// Without a parameter Ed25519; with one Ed25519ctx or Ed25519ph, also if its context is empty.
fn signing(parameter: &Parameter<'_>) -> Result<Signing> {
    match *parameter {
        Parameter::None => Ok(Signature::of_message(Eddsa::Pure, SIGNATURE_LEN)),
        Parameter::Eddsa { context, .. } if context.len() > LONGEST_CONTEXT => {
            Err(Error::MechanismParamInvalid("the context has more than 255 bytes"))
        }
        Parameter::Eddsa { prehashed: false, context } => {
            Ok(Signature::of_message(Eddsa::Context(context.into()), SIGNATURE_LEN))
        }
        Parameter::Eddsa { prehashed: true, context } => {
            Ok(Signature::of_hash(Eddsa::Prehashed(context.into()), SIGNATURE_LEN, Algorithm::Sha512))
        }
        _ => Err(Error::MechanismParamInvalid("CK_EDDSA_PARAMS is needed")),
    }
}

/// RFC 8032, section 5.1.
const LONGEST_CONTEXT: usize = 255;

/// A [`Form`] that owns its context.
enum Eddsa {
    Pure,
    Context(Box<[u8]>),
    Prehashed(Box<[u8]>),
}

impl Eddsa {
    fn form(&self) -> Form<'_> {
        match self {
            Self::Pure => Form::Pure,
            Self::Context(context) => Form::Context(context),
            Self::Prehashed(context) => Form::Prehashed(context),
        }
    }
}

impl Scheme for Eddsa {
    fn sign(&self, keyed: &Keyed, message: &[u8], signature: &mut [u8]) -> Result<()> {
        let PrivateKey::Ed25519(key) = keyed.private()? else {
            return Err(Error::KeyTypeInconsistent);
        };
        let made = key.sign(self.form(), message).map_err(|Rejected| Error::DataLenRange)?;
        *signature.first_chunk_mut().ok_or(Error::BufferTooSmall)? = made;
        Ok(())
    }

    fn verify(&self, keyed: &Keyed, message: &[u8], signature: &[u8]) -> Result<()> {
        let PublicKey::Ed25519(key) = keyed.public()? else {
            return Err(Error::KeyTypeInconsistent);
        };
        key.verify(self.form(), message, signature).map_err(|Rejected| Error::SignatureInvalid)
    }
}
