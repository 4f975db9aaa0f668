//! Key pairs.

use std::ptr;

use cryptoki_sys::*;

use super::made::{Making, has_value};
use super::{Maker, OnePart, equal, has, with_parameter};
use crate::bench::bare::public::{Peer, Public};
use crate::bench::operation::{Act, Pair};
use crate::bench::turn::Work;
use crate::failure::{Failure, Result};
use crate::module::{Session, attribute, bytes, check, plain};

/// The work of a pair. Fails where the module lacks a mechanism.
pub(super) fn maker(session: &Session, pair: Pair, act: Act) -> Result<Maker> {
    has(session, pair.generation())?;
    match act {
        Act::Generate => generate(session, pair),
        Act::Decrypt => decrypt(has(session, CKM_RSA_PKCS_OAEP)?, pair),
        Act::Derive => derive(has(session, CKM_ECDH1_DERIVE)?, pair),
        Act::Sign => sign(has(session, pair.signature())?, pair),
        Act::Verify => verify(has(session, pair.signature())?, pair),
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

    fn signature(self) -> CK_MECHANISM_TYPE {
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
    fn message(self) -> Vec<u8> {
        vec![7; self.message_length()]
    }
}

/// A pair of session keys that may do `act`, the public one first.
fn generated(session: &Session, pair: Pair, act: Act) -> Result<[CK_OBJECT_HANDLE; 2]> {
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
fn public(session: &Session, pair: Pair, key: CK_OBJECT_HANDLE) -> Result<Public> {
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
            signed(session, pair.signature(), private_key, &mut pair.message(), &mut signature)?;
            public(session, pair, public_key)?.verify(&pair.message(), signature.written())
        };
        Ok(Box::new(Making { session, last: None, make, check }))
    }))
}

fn sign(session: &Session, pair: Pair) -> Result<Maker> {
    let [public_key, key] = generated(session, pair, Act::Sign)?;
    Ok(Box::new(move |session| {
        let public = public(&session, pair, public_key)?;
        Ok(Box::new(Sign { session, pair, key, public, message: pair.message(), signature: Output::EMPTY }))
    }))
}

struct Sign {
    session: Session,
    pair: Pair,
    key: CK_OBJECT_HANDLE,
    public: Public,
    message: Vec<u8>,
    signature: Output,
}

impl Work for Sign {
    fn repeat(&mut self, count: u64) -> Result<()> {
        for _ in 0..count {
            let (mechanism, message) = (self.pair.signature(), &mut self.message);
            signed(&self.session, mechanism, self.key, message, &mut self.signature)?;
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        self.public.verify(&self.message, self.signature.written())
    }
}

fn signed(
    session: &Session,
    mechanism: CK_MECHANISM_TYPE,
    key: CK_OBJECT_HANDLE,
    message: &mut [u8],
    signature: &mut Output,
) -> Result<()> {
    let table = &session.module.table;
    let mut mechanism = plain(mechanism);
    // SAFETY: the mechanism is valid.
    check("C_SignInit", unsafe { (table.sign_init)(session.handle, &mut mechanism, key) })?;
    signature.write("C_Sign", table.sign, session, message)
}

/// What the last operation wrote.
struct Output {
    bytes: [u8; Self::ROOM],
    length: usize,
}

impl Output {
    /// For what RSA-4096 makes, in bytes.
    const ROOM: usize = 512;
    const EMPTY: Self = Self { bytes: [0; Self::ROOM], length: 0 };

    /// Lets a function write what it makes of the input.
    fn write(&mut self, name: &str, function: OnePart, session: &Session, input: &mut [u8]) -> Result<()> {
        let (length, mut written) = (input.len() as CK_ULONG, self.bytes.len() as CK_ULONG);
        // SAFETY: input and output are valid for their lengths.
        let code =
            unsafe { function(session.handle, input.as_mut_ptr(), length, self.bytes.as_mut_ptr(), &mut written) };
        self.length = written as usize;
        check(name, code)
    }

    fn written(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

fn verify(session: &Session, pair: Pair) -> Result<Maker> {
    let [public_key, private_key] = generated(session, pair, Act::Verify)?;
    let mut signature = Output::EMPTY;
    signed(session, pair.signature(), private_key, &mut pair.message(), &mut signature)?;
    let signature = signature.written().to_vec();
    public(session, pair, public_key)?.verify(&pair.message(), &signature)?;
    Ok(Box::new(move |session| {
        let (message, signature) = (pair.message(), signature.clone());
        Ok(Box::new(Verify { session, pair, key: public_key, message, signature }))
    }))
}

struct Verify {
    session: Session,
    pair: Pair,
    key: CK_OBJECT_HANDLE,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Verify {
    fn once(&mut self) -> Result<()> {
        let table = &self.session.module.table;
        let mut mechanism = plain(self.pair.signature());
        let (message, signature) = (self.message.as_mut_slice(), self.signature.as_mut_slice());
        let (length, signature_length) = (message.len() as CK_ULONG, signature.len() as CK_ULONG);
        let (message, signature, session) = (message.as_mut_ptr(), signature.as_mut_ptr(), self.session.handle);
        // SAFETY: mechanism and buffers are valid for their lengths.
        unsafe {
            check("C_VerifyInit", (table.verify_init)(session, &mut mechanism, self.key))?;
            check("C_Verify", (table.verify)(session, message, length, signature, signature_length))
        }
    }

    fn change_message(&mut self) {
        if let Some(first) = self.message.first_mut() {
            *first ^= 1;
        }
    }
}

impl Work for Verify {
    fn repeat(&mut self, count: u64) -> Result<()> {
        (0..count).try_for_each(|_| self.once())
    }

    /// The signature is right, or the bare primitive would not have taken it: so one of another message is what may be taken
    /// wrongly.
    fn check(&mut self) -> Result<()> {
        self.change_message();
        let verdict = self.once();
        self.change_message();
        match verdict {
            Err(refused) if refused.code() == Some(CKR_SIGNATURE_INVALID) => Ok(()),
            Err(other) => Err(other),
            Ok(()) => Err(Failure::wrong_result("the signature of another message is taken")),
        }
    }
}

fn decrypt(session: &Session, pair: Pair) -> Result<Maker> {
    let [public_key, key] = generated(session, pair, Act::Decrypt)?;
    let ciphertext = public(session, pair, public_key)?.encrypt(&pair.message())?;
    Ok(Box::new(move |session| {
        Ok(Box::new(Decrypt { session, pair, key, ciphertext: ciphertext.clone(), plaintext: Output::EMPTY }))
    }))
}

struct Decrypt {
    session: Session,
    pair: Pair,
    key: CK_OBJECT_HANDLE,
    ciphertext: Vec<u8>,
    plaintext: Output,
}

impl Work for Decrypt {
    fn repeat(&mut self, count: u64) -> Result<()> {
        let table = &self.session.module.table;
        for _ in 0..count {
            let mut parameter = oaep();
            let mut mechanism = with_parameter(CKM_RSA_PKCS_OAEP, &mut parameter);
            // SAFETY: the mechanism is valid.
            let code = unsafe { (table.decrypt_init)(self.session.handle, &mut mechanism, self.key) };
            check("C_DecryptInit", code)?;
            self.plaintext.write("C_Decrypt", table.decrypt, &self.session, &mut self.ciphertext)?;
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        equal("the plaintext", Some(self.plaintext.written()), &self.pair.message())
    }
}

fn oaep() -> CK_RSA_PKCS_OAEP_PARAMS {
    CK_RSA_PKCS_OAEP_PARAMS {
        hashAlg: CKM_SHA_1,
        mgf: CKG_MGF1_SHA1,
        source: CKZ_DATA_SPECIFIED,
        pSourceData: ptr::null_mut(),
        ulSourceDataLen: 0,
    }
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
